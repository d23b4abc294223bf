//! The gRPC service of damage claims: parse → decide → reply. No rule is here.

use std::sync::Arc;

use chassis::{
    Call, Desk, Fields, Host, Owned, Refusal,
    desk::platform_filter,
    reading::{NAME, TEXT, filter, page, when},
};
use contracts::ordering::{
    self as api, DamageClaim as Row, DamageKind,
    damage_claim_service_server::{DamageClaimService, DamageClaimServiceServer},
};
use eventlog::Log;
use tonic::{Request, Response, Status};

use super::{CONTEXT, amount::amount};
use crate::{
    damage_claim::{Consignment, DamageClaim, Evidence, Rejection, ReportDamage, listing},
    order::Order,
};

/// Digests of photos in one piece of evidence.
const MOST_PHOTOS: usize = 50;
/// Lines of one shipment.
const MOST_LINES: usize = 500;

/// Damage claims as platforms, operators and finance reach them.
#[derive(Clone)]
pub struct DamageClaims {
    desk: Desk,
}

/// The service, ready to be served.
#[must_use]
pub fn service(log: Log, host: &Host) -> DamageClaimServiceServer<DamageClaims> {
    DamageClaimServiceServer::new(DamageClaims {
        desk: Desk::new(log, host.clock.clone(), CONTEXT),
    })
    .max_decoding_message_size(host.settings.server.max_message_bytes)
}

impl Owned for DamageClaim {
    type Rejection = Rejection;

    const NOT_FOUND: Rejection = Rejection::NotFound;

    fn owner(&self) -> Option<&str> {
        self.platform()
    }

    fn row_owner(row: &Row) -> &str {
        &row.platform
    }

    fn refusal(rejection: Rejection) -> Refusal {
        let text = rejection.to_string();
        match rejection {
            Rejection::NotFound => Refusal::not_found("UNKNOWN_CLAIM", text),
            Rejection::OrderNotFound => Refusal::not_found("UNKNOWN_ORDER", text),
            Rejection::ShipmentNotFound => Refusal::not_found("UNKNOWN_SHIPMENT", text),
            Rejection::NotHandedOver => Refusal::not_now("NOT_HANDED_OVER", text),
            Rejection::NotInShipment { line_no } => {
                Refusal::not_now("NOT_IN_SHIPMENT", text).with("line_no", line_no)
            }
            Rejection::MoreThanShipped { line_no, shipped } => {
                Refusal::not_now("MORE_THAN_SHIPPED", text)
                    .with("line_no", line_no)
                    .with("shipped", shipped)
            }
            Rejection::NobodyInCharge => Refusal::not_now("NOBODY_IN_CHARGE", text),
            Rejection::Differs(differs) => {
                Refusal::exists("DIFFERENT_CONTENT", text).with("field", differs.field)
            }
            Rejection::NotCoordinated => Refusal::not_now("NOT_COORDINATED", text),
            Rejection::EvidenceMissing(_) => Refusal::not_now("EVIDENCE_MISSING", text),
            Rejection::TooMuchEvidence => Refusal::not_now("TOO_MUCH_EVIDENCE", text),
            Rejection::Decided => Refusal::not_now("ALREADY_DECIDED", text),
            Rejection::CarrierIsLiable => Refusal::not_now("CARRIER_IS_LIABLE", text),
            Rejection::CarrierIsCleared => Refusal::not_now("CARRIER_IS_CLEARED", text),
            Rejection::NotLiable => Refusal::not_now("CARRIER_NOT_LIABLE", text),
            Rejection::UserNotCompensated => Refusal::not_now("USER_NOT_COMPENSATED", text),
            Rejection::MoreThanOwed { left } => {
                Refusal::not_now("MORE_THAN_OWED", text).with("left_minor_units", left.minor())
            }
            Rejection::OtherCurrency { currency } => {
                Refusal::not_now("OTHER_CURRENCY", text).with("currency", currency)
            }
            Rejection::AlreadyCompensated => Refusal::not_now("ALREADY_COMPENSATED", text),
        }
    }
}

#[tonic::async_trait]
impl DamageClaimService for DamageClaims {
    async fn report_damage(
        &self,
        request: Request<api::ReportDamageRequest>,
    ) -> Result<Response<api::ReportDamageResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let now = self.desk.now();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let kind: DamageKind = fields.choice("kind", message.kind);
        let whole_shipment = matches!(kind, DamageKind::Late | DamageKind::Withheld);
        let fewest = usize::from(!whole_shipment);
        let cmd = ReportDamage {
            claim_id: fields.identifier("claim_id", &message.claim_id),
            order_id: fields.uuid("order_id", &message.order_id).to_string(),
            shipment_id: fields.text("shipment_id", &message.shipment_id, 1..=64),
            kind,
            lines: lines(&mut fields, &message.lines, fewest),
            description: fields.multiline("description", &message.description, TEXT),
            salesperson: (!message.salesperson.is_empty())
                .then(|| fields.text("salesperson", &message.salesperson, NAME)),
            when: when(&mut fields, &message.at, now),
        };
        let cmd = fields.finish(cmd)?;
        let consignment = self.consignment(&call, &cmd).await?;
        let (row, repeated) = self
            .desk
            .command(&call, &cmd.claim_id, now, |claim: &DamageClaim| {
                claim.report(&cmd, &consignment)
            })
            .await?;
        Ok(Response::new(api::ReportDamageResponse {
            claim: Some(Arc::unwrap_or_clone(row)),
            repeated,
        }))
    }

    async fn coordinate_damage(
        &self,
        request: Request<api::CoordinateDamageRequest>,
    ) -> Result<Response<api::CoordinateDamageResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let now = self.desk.now();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let id = fields.identifier("claim_id", &message.claim_id);
        let salesperson = fields.text("salesperson", &message.salesperson, NAME);
        let when = when(&mut fields, &message.at, now);
        fields.finish(())?;
        let (row, repeated) = self
            .desk
            .command(&call, &id, now, |claim: &DamageClaim| claim.coordinate(&salesperson, when))
            .await?;
        Ok(Response::new(api::CoordinateDamageResponse {
            claim: Some(Arc::unwrap_or_clone(row)),
            repeated,
        }))
    }

    async fn add_damage_evidence(
        &self,
        request: Request<api::AddDamageEvidenceRequest>,
    ) -> Result<Response<api::AddDamageEvidenceResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let now = self.desk.now();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let id = fields.identifier("claim_id", &message.claim_id);
        let evidence_id = fields.identifier("evidence_id", &message.evidence_id);
        let evidence = evidence(&mut fields, &message);
        let when = when(&mut fields, &message.at, now);
        fields.finish(())?;
        let (row, repeated) = self
            .desk
            .command(&call, &id, now, |claim: &DamageClaim| {
                claim.add_evidence(&evidence_id, &evidence, when)
            })
            .await?;
        Ok(Response::new(api::AddDamageEvidenceResponse {
            claim: Some(Arc::unwrap_or_clone(row)),
            repeated,
        }))
    }

    async fn hold_carrier_liable(
        &self,
        request: Request<api::HoldCarrierLiableRequest>,
    ) -> Result<Response<api::HoldCarrierLiableResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let now = self.desk.now();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let id = fields.identifier("claim_id", &message.claim_id);
        let amount = amount(&mut fields, "amount", &message.amount);
        let when = when(&mut fields, &message.at, now);
        fields.finish(())?;
        let (row, repeated) = self
            .desk
            .command(&call, &id, now, |claim: &DamageClaim| claim.hold_liable(&amount, when))
            .await?;
        Ok(Response::new(api::HoldCarrierLiableResponse {
            claim: Some(Arc::unwrap_or_clone(row)),
            repeated,
        }))
    }

    async fn clear_carrier(
        &self,
        request: Request<api::ClearCarrierRequest>,
    ) -> Result<Response<api::ClearCarrierResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let now = self.desk.now();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let id = fields.identifier("claim_id", &message.claim_id);
        let reason = fields.multiline("reason", &message.reason, TEXT);
        let when = when(&mut fields, &message.at, now);
        fields.finish(())?;
        let (row, repeated) = self
            .desk
            .command(&call, &id, now, |claim: &DamageClaim| claim.clear(&reason, when))
            .await?;
        Ok(Response::new(api::ClearCarrierResponse {
            claim: Some(Arc::unwrap_or_clone(row)),
            repeated,
        }))
    }

    async fn deduct_freight(
        &self,
        request: Request<api::DeductFreightRequest>,
    ) -> Result<Response<api::DeductFreightResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let now = self.desk.now();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let id = fields.identifier("claim_id", &message.claim_id);
        let deduction_id = fields.identifier("deduction_id", &message.deduction_id);
        let amount = amount(&mut fields, "amount", &message.amount);
        let when = when(&mut fields, &message.at, now);
        fields.finish(())?;
        let (row, repeated) = self
            .desk
            .command(&call, &id, now, |claim: &DamageClaim| {
                claim.deduct(&deduction_id, &amount, when)
            })
            .await?;
        Ok(Response::new(api::DeductFreightResponse {
            claim: Some(Arc::unwrap_or_clone(row)),
            repeated,
        }))
    }

    async fn compensate_user(
        &self,
        request: Request<api::CompensateUserRequest>,
    ) -> Result<Response<api::CompensateUserResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let now = self.desk.now();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let id = fields.identifier("claim_id", &message.claim_id);
        let compensation_id = fields.identifier("compensation_id", &message.compensation_id);
        let amount = amount(&mut fields, "amount", &message.amount);
        let when = when(&mut fields, &message.at, now);
        fields.finish(())?;
        let (row, repeated) = self
            .desk
            .command(&call, &id, now, |claim: &DamageClaim| {
                claim.compensate(&compensation_id, &amount, when)
            })
            .await?;
        Ok(Response::new(api::CompensateUserResponse {
            claim: Some(Arc::unwrap_or_clone(row)),
            repeated,
        }))
    }

    async fn get_damage_claim(
        &self,
        request: Request<api::GetDamageClaimRequest>,
    ) -> Result<Response<api::GetDamageClaimResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let mut fields = Fields::new();
        let id = fields.identifier("claim_id", &request.into_inner().claim_id);
        let id = fields.finish(id)?;
        let claim = self.desk.get::<DamageClaim>(&call, &id).await?;
        Ok(Response::new(api::GetDamageClaimResponse { claim: Some(claim) }))
    }

    async fn list_damage_claims(
        &self,
        request: Request<api::ListDamageClaimsRequest>,
    ) -> Result<Response<api::ListDamageClaimsResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let platform = platform_filter(&mut fields, &call, &message.platform);
        let phase = filter(&mut fields, "phase", message.phase);
        let carrier =
            (!message.carrier.is_empty()).then(|| fields.text("carrier", &message.carrier, NAME));
        let listing = listing(platform.as_deref(), phase, carrier.as_deref());
        let listing = page(&mut fields, listing, message.page_size, &message.page_token);
        let listing = fields.finish(listing)?;
        let (claims, next_page_token) = self.desk.page(listing).await?;
        Ok(Response::new(api::ListDamageClaimsResponse { claims, next_page_token }))
    }
}

impl DamageClaims {
    /// What the order knows about the shipment; another platform's order is not there.
    async fn consignment(&self, call: &Call, cmd: &ReportDamage) -> Result<Consignment, Status> {
        let refuse = |rejection| DamageClaim::refusal(rejection).status(CONTEXT);
        let order = self.desk.find::<Order>(call, &cmd.order_id).await?;
        let order = order.ok_or_else(|| refuse(Rejection::OrderNotFound))?;
        Consignment::of(&order, &cmd.shipment_id).map_err(refuse)
    }
}

/// Lines by their number, each once.
fn lines(
    fields: &mut Fields,
    given: &[api::LineQuantity],
    fewest: usize,
) -> Vec<api::LineQuantity> {
    let mut seen = std::collections::BTreeSet::new();
    let mut lines = fields.repeated("lines", given, fewest..=MOST_LINES, |fields, line| {
        let line_no = fields.number("line_no", line.line_no, 1..=u32::MAX);
        if line_no > 0 && !seen.insert(line_no) {
            fields.refuse("line_no", "is there twice");
        }
        api::LineQuantity { line_no, quantity: fields.quantity("quantity", line.quantity) }
    });
    lines.sort_by_key(|line| line.line_no);
    lines
}

/// At least one of photos, signature and slip; photos in order, each once.
fn evidence(fields: &mut Fields, message: &api::AddDamageEvidenceRequest) -> Evidence {
    let mut photos =
        fields.repeated("photo_sha256", &message.photo_sha256, 0..=MOST_PHOTOS, |fields, photo| {
            fields.digest("", photo)
        });
    photos.sort_unstable();
    photos.dedup();
    let carrier_signature = match message.carrier_signature.as_str() {
        "" => String::new(),
        name => fields.text("carrier_signature", name, NAME),
    };
    let slip = match message.slip_sha256.as_str() {
        "" => String::new(),
        given => fields.digest("slip_sha256", given),
    };
    let nothing = message.photo_sha256.is_empty()
        && message.carrier_signature.is_empty()
        && message.slip_sha256.is_empty();
    if nothing {
        fields.refuse("photo_sha256", "is empty, and so are carrier_signature and slip_sha256");
    }
    Evidence { photos, carrier_signature, slip }
}

#[cfg(test)]
mod tests;
