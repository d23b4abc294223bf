//! Discrepancies (SM-22): reported, a treatment proposed and approved by the user (ORD-33),
//! responsibility agreed by both representatives (ORD-27), resolved.
//!
//! Units under a discrepancy are not judged otherwise until it is resolved. Surplus units
//! (`OVER`) were never ordered: they are outside of the ledger, and only go back.

use std::sync::Arc;

use contracts::ordering::{
    DiscrepancyKind, DiscrepancyReported, DiscrepancyResolved, LiabilityConfirmed, LiableParty,
    LineQuantity, Treatment, TreatmentApproved, TreatmentProposed, TreatmentRefused,
};
use decider::{Decision, emit};
use eventlog::time::to_proto;
use jiff::Timestamp;

use super::{
    Event, Order, Rejection, Shortage,
    book::{Book, Note},
    command::{
        AnswerTreatment, ConfirmLiability, ProposeTreatment, ReportDiscrepancy, ResolveDiscrepancy,
    },
    repeat::Repeat,
    shipment::{Load, Shipment},
    value::Text,
};

mod history;

/// A discrepancy reported under one id.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Discrepancy {
    id: String,
    shipment_id: String,
    line_no: u32,
    quantity: u32,
    kind: DiscrepancyKind,
    description: String,
    evidence: Vec<String>,
    reported_at: Timestamp,
    proposals: Vec<Proposal>,
    liability: Option<Liability>,
    resolved_at: Option<Timestamp>,
}

/// A treatment proposed, and the user's answer.
#[derive(Debug, Clone, PartialEq)]
struct Proposal {
    treatment: Treatment,
    explanation: String,
    at: Timestamp,
    answer: Option<Answer>,
}

/// The user's answer; its note has the reason of a refusal.
#[derive(Debug, Clone, PartialEq)]
struct Answer {
    approved: bool,
    note: Note,
}

/// Who answers for it, by both representatives.
#[derive(Debug, Clone, PartialEq)]
struct Liability {
    party: LiableParty,
    user_representative: String,
    supplier_representative: String,
    at: Timestamp,
}

impl Order {
    /// The user reports that units of an inspected shipment are not what was sold.
    ///
    /// # Errors
    /// The order is not in delivery, has no such shipment, it is not inspected, or so many units do
    /// not wait to be judged.
    pub fn report_discrepancy(&self, cmd: &ReportDiscrepancy) -> Decision<Event, Rejection> {
        let book = self.book()?;
        let id = cmd.discrepancy_id.as_str();
        if let Some(before) = book.discrepancy(id) {
            return before.repeated_by(cmd);
        }
        self.must_be_confirmed()?;
        let shipment = book.known_shipment(cmd.shipment_id.as_str())?;
        shipment.must_be_inspected()?;
        let (line_no, quantity) = (cmd.line_no.get(), cmd.quantity.get());
        let load = shipment.known_load(line_no, || "line.line_no".into())?;
        if cmd.kind == DiscrepancyKind::Over {
            book.must_be_surplus(shipment, load, quantity)?;
        } else {
            load.must_wait(quantity, || "line.quantity".into())?;
        }
        emit(DiscrepancyReported {
            order_id: book.order_id(),
            platform: book.platform(),
            contract_id: book.contract_id(),
            discrepancy_id: id.to_owned(),
            shipment_id: (&cmd.shipment_id).into(),
            line: Some(LineQuantity { line_no, quantity }),
            kind: cmd.kind.into(),
            description: (&cmd.description).into(),
            evidence_sha256: cmd.evidence.iter().map(Into::into).collect(),
            reported_at: Some(to_proto(book.time("at", &cmd.when)?)),
        })
    }

    /// We propose a treatment; the user decides (ORD-33). After a refusal another one may follow.
    ///
    /// # Errors
    /// There is no such discrepancy; it is resolved, or a treatment is approved; another proposal
    /// waits for its answer; the treatment cannot help.
    pub fn propose_treatment(&self, cmd: &ProposeTreatment) -> Decision<Event, Rejection> {
        let book = self.book()?;
        let id = cmd.discrepancy_id.as_str();
        let found = book.discrepancy(id);
        if let Some(last) = found.and_then(|discrepancy| discrepancy.proposals.last()) {
            let repeat = last.repeated_by(cmd);
            // an answered proposal gives way to another one; the same once more is a late repeat
            if last.answer.is_none() || repeat.is_ok() {
                return repeat;
            }
        }
        self.must_be_confirmed()?;
        let discrepancy = found.ok_or_else(|| Rejection::UnknownDiscrepancy(id.to_owned()))?;
        discrepancy.must_be_untreated()?;
        discrepancy.must_fit(cmd.treatment)?;
        emit(TreatmentProposed {
            order_id: book.order_id(),
            platform: book.platform(),
            contract_id: book.contract_id(),
            discrepancy_id: id.to_owned(),
            treatment: cmd.treatment.into(),
            explanation: Text::or_empty(cmd.explanation.as_ref()),
            proposal_no: discrepancy.proposal_no().saturating_add(1),
            proposed_at: Some(to_proto(book.time("at", &cmd.when)?)),
        })
    }

    /// The user approves the proposed treatment, or refuses it. The number of the proposal keeps a
    /// late answer from meeting another one.
    ///
    /// # Errors
    /// There is no such discrepancy or proposal, or it was answered otherwise.
    pub fn answer_treatment(&self, cmd: &AnswerTreatment) -> Decision<Event, Rejection> {
        let book = self.book()?;
        let id = cmd.discrepancy_id.as_str();
        let found = book.discrepancy(id);
        let proposal = found.and_then(|discrepancy| discrepancy.proposal(cmd.proposal_no));
        if let Some(answer) = proposal.and_then(|proposal| proposal.answer.as_ref()) {
            return answer.repeated_by(cmd);
        }
        self.must_be_confirmed()?;
        if found.is_none() {
            return Err(Rejection::UnknownDiscrepancy(id.to_owned()));
        }
        let proposal = proposal.ok_or(Rejection::UnknownProposal(cmd.proposal_no))?;
        let at = Some(to_proto(book.time("at", &cmd.when)?));
        let (order_id, platform, contract_id) =
            (book.order_id(), book.platform(), book.contract_id());
        if cmd.approved {
            emit(TreatmentApproved {
                order_id,
                platform,
                contract_id,
                discrepancy_id: id.to_owned(),
                treatment: proposal.treatment.into(),
                approved_at: at,
            })
        } else {
            emit(TreatmentRefused {
                order_id,
                platform,
                contract_id,
                discrepancy_id: id.to_owned(),
                reason: Text::or_empty(cmd.reason.as_ref()),
                refused_at: at,
                proposal_no: cmd.proposal_no,
            })
        }
    }

    /// Both representatives agree who answers for a discrepancy (ORD-27), once.
    ///
    /// # Errors
    /// There is no such discrepancy, it is resolved, or they agreed otherwise.
    pub fn confirm_liability(&self, cmd: &ConfirmLiability) -> Decision<Event, Rejection> {
        let book = self.book()?;
        let id = cmd.discrepancy_id.as_str();
        let found = book.discrepancy(id);
        if let Some(before) = found.and_then(|discrepancy| discrepancy.liability.as_ref()) {
            return before.repeated_by(cmd);
        }
        self.must_be_confirmed()?;
        let discrepancy = found.ok_or_else(|| Rejection::UnknownDiscrepancy(id.to_owned()))?;
        if !discrepancy.is_open() {
            return Err(Rejection::AlreadyResolved);
        }
        emit(LiabilityConfirmed {
            order_id: book.order_id(),
            platform: book.platform(),
            contract_id: book.contract_id(),
            discrepancy_id: id.to_owned(),
            party: cmd.party.into(),
            user_representative: (&cmd.user_representative).into(),
            supplier_representative: (&cmd.supplier_representative).into(),
            confirmed_at: Some(to_proto(book.time("at", &cmd.when)?)),
        })
    }

    /// The approved treatment was carried out: units are open again, accepted, or credited.
    ///
    /// # Errors
    /// There is no such discrepancy, or the user has not approved a treatment.
    pub fn resolve_discrepancy(&self, cmd: &ResolveDiscrepancy) -> Decision<Event, Rejection> {
        let book = self.book()?;
        let id = cmd.discrepancy_id.as_str();
        let found = book.discrepancy(id);
        if let Some(resolved_at) = found.and_then(|discrepancy| discrepancy.resolved_at) {
            return Repeat::new().at("at", resolved_at, &cmd.when).answer();
        }
        self.must_be_confirmed()?;
        let discrepancy = found.ok_or_else(|| Rejection::UnknownDiscrepancy(id.to_owned()))?;
        let treatment = discrepancy.approved().ok_or(Rejection::TreatmentNotApproved)?;
        let at = book.time("at", &cmd.when)?;
        let (line_no, quantity) = (discrepancy.line_no, discrepancy.quantity);
        let accepted = if treatment == Treatment::AcceptAsIs {
            let shipment = book.known_shipment(&discrepancy.shipment_id)?;
            Some(book.accept(shipment, line_no, quantity, at)?.0)
        } else {
            None
        };
        let resolved = DiscrepancyResolved {
            order_id: book.order_id(),
            platform: book.platform(),
            contract_id: book.contract_id(),
            discrepancy_id: id.to_owned(),
            line: Some(LineQuantity { line_no, quantity }),
            treatment: treatment.into(),
            resolved_at: Some(to_proto(at)),
            shipment_id: discrepancy.shipment_id.clone(),
            accepted,
        };
        self.and_completion(resolved, at)
    }
}

impl Discrepancy {
    pub(super) fn is_open(&self) -> bool {
        self.resolved_at.is_none()
    }

    fn proposal_no(&self) -> u32 {
        u32::try_from(self.proposals.len()).unwrap_or(u32::MAX)
    }

    fn proposal(&self, no: u32) -> Option<&Proposal> {
        let index = usize::try_from(no).ok()?.checked_sub(1)?;
        self.proposals.get(index)
    }

    /// The treatment that the user approved.
    fn approved(&self) -> Option<Treatment> {
        let last = self.proposals.last()?;
        last.answer.as_ref().filter(|answer| answer.approved).map(|_| last.treatment)
    }

    fn must_be_untreated(&self) -> Result<(), Rejection> {
        if !self.is_open() {
            Err(Rejection::AlreadyResolved)
        } else if self.approved().is_some() {
            Err(Rejection::TreatmentApproved)
        } else {
            Ok(())
        }
    }

    /// Units that are not there cannot be kept; units too many can only go back.
    fn must_fit(&self, treatment: Treatment) -> Result<(), Rejection> {
        let fits = match self.kind {
            DiscrepancyKind::Short => treatment != Treatment::AcceptAsIs,
            DiscrepancyKind::Over => treatment == Treatment::Credit,
            DiscrepancyKind::Unspecified
            | DiscrepancyKind::Damaged
            | DiscrepancyKind::Brand
            | DiscrepancyKind::Model
            | DiscrepancyKind::Specification
            | DiscrepancyKind::Other => true,
        };
        if fits {
            return Ok(());
        }
        let (treatment, kind) = (treatment.as_str_name(), self.kind.as_str_name());
        Err(Rejection::TreatmentUnfit { treatment, kind })
    }

    fn repeated_by(&self, cmd: &ReportDiscrepancy) -> Decision<Event, Rejection> {
        let mut repeat = Repeat::new()
            .same("shipment_id", self.shipment_id.as_str(), cmd.shipment_id.as_str())
            .same("line.line_no", &self.line_no, &cmd.line_no.get())
            .same("line.quantity", &self.quantity, &cmd.quantity.get())
            .same("kind", self.kind.as_str_name(), cmd.kind.as_str_name())
            .same("description", &self.description, &String::from(&cmd.description))
            .same("evidence_sha256", &self.evidence.len(), &cmd.evidence.len());
        for (index, (before, now)) in self.evidence.iter().zip(&cmd.evidence).enumerate() {
            let field = || format!("evidence_sha256[{index}]");
            repeat = repeat.same_at(field, before.as_str(), now.as_str());
        }
        repeat.at("at", self.reported_at, &cmd.when).answer()
    }
}

impl Proposal {
    fn repeated_by(&self, cmd: &ProposeTreatment) -> Decision<Event, Rejection> {
        let explanation = Text::or_empty(cmd.explanation.as_ref());
        Repeat::new()
            .same("treatment", self.treatment.as_str_name(), cmd.treatment.as_str_name())
            .same("explanation", &self.explanation, &explanation)
            .at("at", self.at, &cmd.when)
            .answer()
    }
}

impl Answer {
    /// Why it was approved is not recorded, hence not compared.
    fn repeated_by(&self, cmd: &AnswerTreatment) -> Decision<Event, Rejection> {
        let mut repeat = Repeat::new().same("approved", &self.approved, &cmd.approved);
        if !self.approved {
            repeat = repeat.same("reason", &self.note.text, &Text::or_empty(cmd.reason.as_ref()));
        }
        repeat.at("at", self.note.at, &cmd.when).answer()
    }
}

impl Liability {
    fn repeated_by(&self, cmd: &ConfirmLiability) -> Decision<Event, Rejection> {
        Repeat::new()
            .same("party", self.party.as_str_name(), cmd.party.as_str_name())
            .same(
                "user_representative",
                self.user_representative.as_str(),
                cmd.user_representative.as_str(),
            )
            .same(
                "supplier_representative",
                self.supplier_representative.as_str(),
                cmd.supplier_representative.as_str(),
            )
            .at("at", self.at, &cmd.when)
            .answer()
    }
}

impl Book {
    fn discrepancy(&self, id: &str) -> Option<&Discrepancy> {
        self.discrepancies.iter().map(Arc::as_ref).find(|discrepancy| discrepancy.id == id)
    }

    fn discrepancy_mut(&mut self, id: &str) -> Option<&mut Discrepancy> {
        let mut all = self.discrepancies.iter_mut();
        all.find(|discrepancy| discrepancy.id == id).map(Arc::make_mut)
    }

    /// So many units were counted beyond what was sent, and are not reported yet.
    fn must_be_surplus(
        &self,
        shipment: &Shipment,
        load: &Load,
        units: u32,
    ) -> Result<(), Rejection> {
        let mut findings = shipment.inspection.iter().flat_map(|found| &found.findings);
        let finding = findings.find(|finding| finding.line_no == load.line_no);
        let counted = finding.map_or(0, |finding| finding.counted);
        let reported = self
            .discrepancies
            .iter()
            .filter(|before| {
                before.kind == DiscrepancyKind::Over
                    && before.shipment_id == shipment.id
                    && before.line_no == load.line_no
            })
            .fold(0_u32, |sum, before| sum.saturating_add(before.quantity));
        let surplus = counted.saturating_sub(load.quantity).saturating_sub(reported);
        if units <= surplus {
            return Ok(());
        }
        Err(Rejection::NotEnoughSurplus(Box::new(Shortage {
            field: "line.quantity".into(),
            line_no: load.line_no,
            asked: units,
            available: surplus,
        })))
    }
}
