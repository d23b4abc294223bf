//! What goes wrong on the way and how it is put right: discrepancies and damage claims.

use contracts::{
    common::Money,
    ordering::{
        AddDamageEvidenceRequest, AnswerTreatmentRequest, CompensateUserRequest,
        ConfirmLiabilityRequest, CoordinateDamageRequest, DamageKind, DeductFreightRequest,
        Discrepancy, DiscrepancyKind, DiscrepancyPhase, HoldCarrierLiableRequest, LiableParty,
        LineQuantity, ProposeTreatmentRequest, ReportDamageRequest, ReportDiscrepancyRequest,
        ResolveDiscrepancyRequest, Treatment,
    },
};

use super::{
    goods::Parcel,
    plot::minute,
    story::{Story, order, tell},
};
use crate::{client::CallError, push::draft::sha256};

/// What is left to do when everything else is delivered.
#[derive(Debug)]
pub(super) enum Aftermath {
    /// These units are sent again.
    SendAgain(LineQuantity),
    /// These units of this shipment broke on the way.
    MakeTheCarrierPay(Parcel, LineQuantity),
}

impl Story<'_> {
    /// What takes days, and is told after the other shipments: they do not wait for it.
    pub(super) async fn come_to_the_aftermath(&mut self) -> Result<(), CallError> {
        match self.aftermath.take() {
            None => Ok(()),
            Some(Aftermath::SendAgain(missing)) => self.send_again(missing).await,
            Some(Aftermath::MakeTheCarrierPay(parcel, broken)) => {
                self.make_the_carrier_pay(&parcel, broken).await
            }
        }
    }

    /// A unit is missing. The user will have the unit, not its price.
    pub(super) async fn agree_to_send_again(
        &mut self,
        parcel: &Parcel,
        missing: LineQuantity,
    ) -> Result<(), CallError> {
        self.report(parcel, missing, DiscrepancyKind::Short, "one fewer than on the waybill")
            .await?;
        self.propose(parcel, Treatment::Credit, 1).await?;
        self.answer(parcel, 1, false).await?;
        self.propose(parcel, Treatment::Redeliver, 2).await?;
        self.answer(parcel, 2, true).await?;
        self.agree(parcel, LiableParty::Supplier).await?;
        self.resolve(parcel).await
    }

    async fn send_again(&mut self, missing: LineQuantity) -> Result<(), CallError> {
        self.certify(2, vec![missing], minute::CERTIFIED + minute::AGAIN).await?;
        let again = self.send(vec![missing], minute::AGAIN).await?;
        self.inspect(&again, Vec::new(), |_| {}).await?;
        self.accept(&again, again.lines.clone()).await
    }

    /// The box is torn, what is in it works.
    pub(super) async fn keep_as_is(
        &mut self,
        parcel: &Parcel,
        torn: LineQuantity,
    ) -> Result<(), CallError> {
        self.report(parcel, torn, DiscrepancyKind::Damaged, "the packaging is torn").await?;
        self.propose(parcel, Treatment::AcceptAsIs, 1).await?;
        self.answer(parcel, 1, true).await?;
        self.resolve(parcel).await
    }

    /// A unit broke on the way: the user is compensated at once.
    pub(super) async fn claim_damage(
        &mut self,
        parcel: &Parcel,
        broken: LineQuantity,
    ) -> Result<(), CallError> {
        let (claim_id, noticed) = (parcel.claim(), parcel.noticed());
        tell!(
            self,
            Platform,
            damage.report_damage,
            ReportDamageRequest {
                claim_id: claim_id.clone(),
                order_id: self.id(),
                shipment_id: parcel.id.clone(),
                kind: DamageKind::MinorBreakage.into(),
                lines: vec![broken],
                description: "one unit broken in transport".to_owned(),
                salesperson: "sales-07".to_owned(),
                at: self.at(noticed),
            }
        );
        tell!(
            self,
            Operator,
            damage.coordinate_damage,
            CoordinateDamageRequest {
                claim_id: claim_id.clone(),
                salesperson: "sales-07".to_owned(),
                at: self.at(noticed + 10),
            }
        );
        tell!(
            self,
            Finance,
            damage.compensate_user,
            CompensateUserRequest {
                claim_id: claim_id.clone(),
                compensation_id: format!("{claim_id}-C"),
                amount: self.price_of(broken),
                at: self.at(noticed + 60),
            }
        );
        tell!(
            self,
            Platform,
            damage.add_damage_evidence,
            AddDamageEvidenceRequest {
                claim_id: claim_id.clone(),
                evidence_id: format!("{claim_id}-E"),
                photo_sha256: vec![sha256(&format!("photo of {claim_id}"))],
                carrier_signature: "driver-21".to_owned(),
                slip_sha256: sha256(&format!("slip of {claim_id}")),
                at: self.at(noticed + 120),
            }
        );
        Ok(())
    }

    /// The broken unit is credited.
    pub(super) async fn credit_damage(
        &mut self,
        parcel: &Parcel,
        broken: LineQuantity,
    ) -> Result<(), CallError> {
        self.report(parcel, broken, DiscrepancyKind::Damaged, "broken inside its box").await?;
        self.propose(parcel, Treatment::Credit, 1).await?;
        self.answer(parcel, 1, true).await?;
        self.agree(parcel, LiableParty::Carrier).await?;
        self.resolve(parcel).await
    }

    /// The carrier's freight pays for it.
    async fn make_the_carrier_pay(
        &mut self,
        parcel: &Parcel,
        broken: LineQuantity,
    ) -> Result<(), CallError> {
        let (claim_id, noticed) = (parcel.claim(), parcel.noticed());
        tell!(
            self,
            Operator,
            damage.hold_carrier_liable,
            HoldCarrierLiableRequest {
                claim_id: claim_id.clone(),
                amount: self.price_of(broken),
                at: self.at(noticed + 24 * 60),
            }
        );
        tell!(
            self,
            Finance,
            damage.deduct_freight,
            DeductFreightRequest {
                claim_id: claim_id.clone(),
                deduction_id: format!("{claim_id}-D"),
                amount: self.price_of(broken),
                at: self.at(noticed + 48 * 60),
            }
        );
        Ok(())
    }

    fn price_of(&self, units: LineQuantity) -> Option<Money> {
        let price = self.listing(units.line_no).unit_price.map_or(0, |price| price.minor_units);
        self.money(price.saturating_mul(i64::from(units.quantity)))
    }

    async fn report(
        &mut self,
        parcel: &Parcel,
        line: LineQuantity,
        kind: DiscrepancyKind,
        description: &str,
    ) -> Result<(), CallError> {
        order!(
            self,
            Platform,
            report_discrepancy,
            ReportDiscrepancyRequest {
                order_id: self.id(),
                shipment_id: parcel.id.clone(),
                discrepancy_id: parcel.discrepancy(),
                line: Some(line),
                kind: kind.into(),
                description: description.to_owned(),
                evidence_sha256: vec![sha256(&parcel.discrepancy())],
                at: self.at(parcel.arrived + 310),
            }
        );
        Ok(())
    }

    async fn propose(
        &mut self,
        parcel: &Parcel,
        treatment: Treatment,
        number: u32,
    ) -> Result<(), CallError> {
        // A proposal has no id of ours: one that is passed must not be made again.
        if self.is_treated(parcel) || self.proposals(parcel) >= number {
            return Ok(());
        }
        order!(
            self,
            Operator,
            propose_treatment,
            ProposeTreatmentRequest {
                order_id: self.id(),
                discrepancy_id: parcel.discrepancy(),
                treatment: treatment.into(),
                explanation: String::new(),
                at: self.at(parcel.arrived + minute::TREATED + i64::from(number) * 60),
            }
        );
        Ok(())
    }

    async fn answer(
        &mut self,
        parcel: &Parcel,
        number: u32,
        approved: bool,
    ) -> Result<(), CallError> {
        if self.is_treated(parcel) || self.proposals(parcel) > number {
            return Ok(());
        }
        let reason = if approved { "" } else { "we need the goods, not the money" };
        order!(
            self,
            Platform,
            answer_treatment,
            AnswerTreatmentRequest {
                order_id: self.id(),
                discrepancy_id: parcel.discrepancy(),
                proposal_no: number,
                approved,
                reason: reason.to_owned(),
                at: self.at(parcel.arrived + minute::TREATED + i64::from(number) * 60 + 30),
            }
        );
        Ok(())
    }

    fn discrepancy(&self, parcel: &Parcel) -> Option<&Discrepancy> {
        let id = parcel.discrepancy();
        self.order.discrepancies.iter().find(|discrepancy| discrepancy.discrepancy_id == id)
    }

    fn proposals(&self, parcel: &Parcel) -> u32 {
        self.discrepancy(parcel).map_or(0, |discrepancy| discrepancy.proposals)
    }

    /// Whether the user has approved a treatment.
    fn is_treated(&self, parcel: &Parcel) -> bool {
        self.discrepancy(parcel).is_some_and(|discrepancy| match discrepancy.phase() {
            DiscrepancyPhase::Handling | DiscrepancyPhase::Resolved => true,
            DiscrepancyPhase::Unspecified
            | DiscrepancyPhase::Reported
            | DiscrepancyPhase::Proposed => false,
        })
    }

    async fn agree(&mut self, parcel: &Parcel, party: LiableParty) -> Result<(), CallError> {
        order!(
            self,
            Operator,
            confirm_liability,
            ConfirmLiabilityRequest {
                order_id: self.id(),
                discrepancy_id: parcel.discrepancy(),
                party: party.into(),
                user_representative: "receiving clerk".to_owned(),
                supplier_representative: "representative-11".to_owned(),
                at: self.at(parcel.arrived + minute::TREATED + 180),
            }
        );
        Ok(())
    }

    async fn resolve(&mut self, parcel: &Parcel) -> Result<(), CallError> {
        order!(
            self,
            Operator,
            resolve_discrepancy,
            ResolveDiscrepancyRequest {
                order_id: self.id(),
                discrepancy_id: parcel.discrepancy(),
                at: self.at(parcel.arrived + minute::TREATED + 240),
            }
        );
        Ok(())
    }
}

impl Parcel {
    fn claim(&self) -> String {
        format!("{}-DMG", self.id)
    }

    /// Minute at which damage is noticed.
    fn noticed(&self) -> i64 {
        self.arrived + 70
    }

    fn discrepancy(&self) -> String {
        format!("{}-DIS", self.id)
    }
}
