//! One claim about damage or failure on the way, from report to deduction (SM-24, ORD-40 to 44).
//!
//! ```text
//!                ┌─coordinate─┐ ┌─add evidence─┐
//! Absent ─report─▶ Open: reported ▸ coordinating ▸ evidence complete ─hold─▶ CarrierLiable
//!                                  │                                           │ deduct, in parts
//!                                clear ─▶ CarrierCleared                       ▼
//!                                                                           Deducted
//! ```
//! The user is compensated first: from the report on, in whatever state, nothing about the carrier
//! is waited for; and nothing is deducted before (ORD-43). Invariant: what is deducted never exceeds
//! what the carrier owes.

use std::collections::BTreeMap;

use chassis::{
    When,
    repeat::{same, same_time},
};
pub use contracts::ordering::damage_claim_event::Event;
use contracts::ordering::{
    CarrierCleared, CarrierHeldLiable, DamageCoordinated, DamageEvidenceAdded, DamageKind,
    DamageReported, FreightDeducted, UserCompensated,
};
use decider::{Aggregate, Decision, emit, unchanged};
use eventlog::time::to_proto;
use prost_types::Timestamp;

use crate::amount::{Amount, NoSum};

mod rejection;
mod report;
mod row;

pub use rejection::{Missing, Rejection};
pub use report::{Consignment, ReportDamage};
pub use row::listing;

/// Pieces of evidence that one claim takes: its row stays of a size that can be shown.
pub const MOST_EVIDENCE: usize = 100;

/// The time of a fact, as history tells it.
type At = Option<Timestamp>;

/// Where a claim stands, as far as decisions read it.
#[derive(Debug, Default, Clone, PartialEq)]
pub enum DamageClaim {
    /// Nobody reported it.
    #[default]
    Absent,
    /// Who answers for it is open.
    Open(Case),
    /// The carrier answers for it and still owes.
    CarrierLiable(Case, Debt),
    /// The carrier's debt is deducted in full.
    Deducted(Case, Debt),
    /// The carrier does not answer for it.
    CarrierCleared(Case, (String, At)),
}

/// What was reported, shown and paid.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Case {
    report: DamageReported,
    coordinator: Option<(String, At)>,
    evidence: BTreeMap<String, (Evidence, At)>,
    complete: bool,
    compensation: Option<(String, Amount, At)>,
}

/// Photos, the carrier's signature, the signed base slip: at least one of them.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Digests of photos, sorted.
    pub photos: Vec<String>,
    /// Who signed for the carrier; empty when nobody did.
    pub carrier_signature: String,
    /// Digest of the signed base slip; empty when it is not there.
    pub slip: String,
}

/// What the carrier owes, and what was deducted of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Debt {
    owed: Amount,
    left: Amount,
    held_at: At,
    deductions: BTreeMap<String, (Amount, At)>,
}

impl Aggregate for DamageClaim {
    type Event = Event;

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::DamageReported(report) => {
                Self::Open(Case { report: report.clone(), ..Case::default() })
            }
            Event::DamageCoordinated(event) => self.amended(|case| {
                case.coordinator = Some((event.salesperson.clone(), event.coordinated_at));
            }),
            Event::DamageEvidenceAdded(event) => self.amended(|case| case.show(event)),
            Event::CarrierHeldLiable(event) => {
                let owed = Amount::recorded(event.amount.as_ref());
                let held_at = event.held_at;
                let debt = Debt { left: owed.clone(), owed, held_at, deductions: BTreeMap::new() };
                Self::CarrierLiable(self.into_case(), debt)
            }
            Event::CarrierCleared(event) => {
                Self::CarrierCleared(self.into_case(), (event.reason.clone(), event.cleared_at))
            }
            Event::FreightDeducted(event) => self.deducted(event),
            Event::UserCompensated(event) => {
                let amount = Amount::recorded(event.amount.as_ref());
                self.amended(|case| {
                    let id = event.compensation_id.clone();
                    case.compensation = Some((id, amount, event.compensated_at));
                })
            }
        }
    }
}

impl DamageClaim {
    fn amended(mut self, amend: impl FnOnce(&mut Case)) -> Self {
        match &mut self {
            Self::Absent => {}
            Self::Open(case)
            | Self::CarrierLiable(case, _)
            | Self::Deducted(case, _)
            | Self::CarrierCleared(case, _) => amend(case),
        }
        self
    }

    fn into_case(self) -> Case {
        match self {
            Self::Absent => Case::default(),
            Self::Open(case)
            | Self::CarrierLiable(case, _)
            | Self::Deducted(case, _)
            | Self::CarrierCleared(case, _) => case,
        }
    }

    fn deducted(self, event: &FreightDeducted) -> Self {
        match self {
            Self::CarrierLiable(case, mut debt) => {
                let amount = Amount::recorded(event.amount.as_ref());
                debt.left = debt.left.minus(&amount).unwrap_or_else(|_| debt.left.nothing());
                debt.deductions.insert(event.deduction_id.clone(), (amount, event.deducted_at));
                if debt.left.minor() <= 0 {
                    Self::Deducted(case, debt)
                } else {
                    Self::CarrierLiable(case, debt)
                }
            }
            Self::Absent | Self::Open(_) | Self::Deducted(..) | Self::CarrierCleared(..) => self,
        }
    }
}

impl Case {
    fn show(&mut self, event: &DamageEvidenceAdded) {
        self.complete |= event.complete;
        let evidence = Evidence {
            photos: event.photo_sha256.clone(),
            carrier_signature: event.carrier_signature.clone(),
            slip: event.slip_sha256.clone(),
        };
        self.evidence.insert(event.evidence_id.clone(), (evidence, event.added_at));
    }

    fn carrier_signed(&self) -> bool {
        self.evidence.values().any(|(shown, _)| !shown.carrier_signature.is_empty())
    }

    /// What the kind of failure asks for and is not there yet (ORD-41, ORD-42). What did not arrive
    /// cannot be photographed, and has no slip that the user could have signed.
    fn missing(&self, also: &Evidence) -> Option<Missing> {
        let shown = || self.evidence.values().map(|(shown, _)| shown).chain([also]);
        let photos = || shown().any(|shown| !shown.photos.is_empty());
        let signature = || shown().any(|shown| !shown.carrier_signature.is_empty());
        let slip = || shown().any(|shown| !shown.slip.is_empty());
        let (needs_photos, needs_signature, needs_slip) = match self.report.kind() {
            DamageKind::MinorBreakage => (true, false, true),
            DamageKind::MajorOrManMade | DamageKind::Unspecified => (true, true, true),
            DamageKind::Loss | DamageKind::Withheld => (false, true, false),
            DamageKind::Late => (false, false, true),
        };
        if needs_photos && !photos() {
            Some(Missing::Photos)
        } else if needs_signature && !signature() {
            Some(Missing::CarrierSignature)
        } else if needs_slip && !slip() {
            Some(Missing::SignedSlip)
        } else {
            None
        }
    }
}

impl DamageClaim {
    /// The platform that the claim belongs to; `None` when there is no claim.
    #[must_use]
    pub fn platform(&self) -> Option<&str> {
        match self {
            Self::Absent => None,
            Self::Open(case)
            | Self::CarrierLiable(case, _)
            | Self::Deducted(case, _)
            | Self::CarrierCleared(case, _) => Some(&case.report.platform),
        }
    }

    /// Damage is reported; the salesperson responsible is named with it (ORD-40, ORD-44).
    ///
    /// # Errors
    /// What is claimed was not in the shipment, nobody is in charge, or the id is taken.
    pub fn report(
        &self,
        cmd: &ReportDamage,
        consignment: &Consignment,
    ) -> Decision<Event, Rejection> {
        match self {
            Self::Absent => {
                cmd.lines.iter().try_for_each(|line| consignment.holds(line))?;
                emit(cmd.event(consignment)?)
            }
            Self::Open(case)
            | Self::CarrierLiable(case, _)
            | Self::Deducted(case, _)
            | Self::CarrierCleared(case, _) => {
                cmd.repeats(&case.report)?;
                unchanged()
            }
        }
    }

    /// The salesperson takes the claim on.
    ///
    /// # Errors
    /// There is no claim, somebody else has it, or it is decided without anybody's coordination.
    pub fn coordinate(&self, salesperson: &str, when: When) -> Decision<Event, Rejection> {
        match self {
            Self::Absent => Err(Rejection::NotFound),
            Self::Open(case)
            | Self::CarrierLiable(case, _)
            | Self::Deducted(case, _)
            | Self::CarrierCleared(case, _)
                if case.coordinator.is_some() =>
            {
                if let Some((before, at)) = &case.coordinator {
                    same("salesperson", before.as_str(), salesperson)?;
                    same_time(at.as_ref(), when)?;
                }
                unchanged()
            }
            Self::Open(case) => emit(DamageCoordinated {
                claim_id: case.report.claim_id.clone(),
                salesperson: salesperson.to_owned(),
                coordinated_at: Some(to_proto(when.time())),
            }),
            Self::CarrierLiable(..) | Self::Deducted(..) | Self::CarrierCleared(..) => {
                Err(Rejection::Decided)
            }
        }
    }

    /// Photos, the carrier's signature or the signed base slip come in (ORD-41, ORD-42).
    ///
    /// # Errors
    /// There is no claim, it is decided, or the id was used for other evidence.
    pub fn add_evidence(
        &self,
        evidence_id: &str,
        evidence: &Evidence,
        when: When,
    ) -> Decision<Event, Rejection> {
        match self {
            Self::Absent => Err(Rejection::NotFound),
            Self::Open(case)
            | Self::CarrierLiable(case, _)
            | Self::Deducted(case, _)
            | Self::CarrierCleared(case, _)
                if case.evidence.contains_key(evidence_id) =>
            {
                let (shown, at) = case.evidence.get(evidence_id).cloned().unwrap_or_default();
                same("photo_sha256", &shown.photos, &evidence.photos)?;
                same("carrier_signature", &shown.carrier_signature, &evidence.carrier_signature)?;
                same("slip_sha256", &shown.slip, &evidence.slip)?;
                same_time(at.as_ref(), when)?;
                unchanged()
            }
            Self::Open(case) if case.evidence.len() >= MOST_EVIDENCE => {
                Err(Rejection::TooMuchEvidence)
            }
            Self::Open(case) => emit(DamageEvidenceAdded {
                claim_id: case.report.claim_id.clone(),
                evidence_id: evidence_id.to_owned(),
                photo_sha256: evidence.photos.clone(),
                carrier_signature: evidence.carrier_signature.clone(),
                slip_sha256: evidence.slip.clone(),
                complete: case.missing(evidence).is_none(),
                added_at: Some(to_proto(when.time())),
            }),
            Self::CarrierLiable(..) | Self::Deducted(..) | Self::CarrierCleared(..) => {
                Err(Rejection::Decided)
            }
        }
    }

    /// The carrier answers for the damage, by its own signature (ORD-41).
    ///
    /// # Errors
    /// Somebody must coordinate, evidence must be complete, and the carrier must have signed.
    pub fn hold_liable(&self, amount: &Amount, when: When) -> Decision<Event, Rejection> {
        match self {
            Self::Absent => Err(Rejection::NotFound),
            Self::Open(case) => {
                if case.coordinator.is_none() {
                    return Err(Rejection::NotCoordinated);
                }
                if !case.complete {
                    let missing = case.missing(&Evidence::default());
                    return Err(Rejection::EvidenceMissing(missing.unwrap_or(Missing::Photos)));
                }
                if !case.carrier_signed() {
                    return Err(Rejection::EvidenceMissing(Missing::CarrierSignature));
                }
                emit(CarrierHeldLiable {
                    claim_id: case.report.claim_id.clone(),
                    carrier: case.report.carrier.clone(),
                    amount: Some(amount.money()),
                    held_at: Some(to_proto(when.time())),
                })
            }
            Self::CarrierLiable(_, debt) | Self::Deducted(_, debt) => {
                same("amount", &debt.owed, amount)?;
                same_time(debt.held_at.as_ref(), when)?;
                unchanged()
            }
            Self::CarrierCleared(..) => Err(Rejection::CarrierIsCleared),
        }
    }

    /// The carrier does not answer for the damage; another class of issue (SM-26).
    ///
    /// # Errors
    /// There is no claim, the carrier is liable, or it was cleared for another reason.
    pub fn clear(&self, reason: &str, when: When) -> Decision<Event, Rejection> {
        match self {
            Self::Absent => Err(Rejection::NotFound),
            Self::Open(case) => emit(CarrierCleared {
                claim_id: case.report.claim_id.clone(),
                reason: reason.to_owned(),
                cleared_at: Some(to_proto(when.time())),
            }),
            Self::CarrierLiable(..) | Self::Deducted(..) => Err(Rejection::CarrierIsLiable),
            Self::CarrierCleared(_, (given, at)) => {
                same("reason", given.as_str(), reason)?;
                same_time(at.as_ref(), when)?;
                unchanged()
            }
        }
    }

    /// Part of the debt, or all of it, is kept from the carrier's freight (MON-08).
    ///
    /// # Errors
    /// The carrier is not liable, or owes less, or the user waits for compensation still (ORD-43).
    pub fn deduct(
        &self,
        deduction_id: &str,
        amount: &Amount,
        when: When,
    ) -> Decision<Event, Rejection> {
        match self {
            Self::Absent => Err(Rejection::NotFound),
            Self::Open(_) => Err(Rejection::NotLiable),
            Self::CarrierCleared(..) => Err(Rejection::CarrierIsCleared),
            Self::CarrierLiable(case, debt) | Self::Deducted(case, debt) => {
                if let Some((before, at)) = debt.deductions.get(deduction_id) {
                    same("amount", before, amount)?;
                    same_time(at.as_ref(), when)?;
                    return unchanged();
                }
                if case.compensation.is_none() {
                    return Err(Rejection::UserNotCompensated);
                }
                match debt.left.minus(amount) {
                    Err(NoSum::Currencies) => {
                        Err(Rejection::OtherCurrency { currency: debt.owed.currency().to_owned() })
                    }
                    Ok(left) if left.minor() >= 0 => emit(FreightDeducted {
                        claim_id: case.report.claim_id.clone(),
                        deduction_id: deduction_id.to_owned(),
                        carrier: case.report.carrier.clone(),
                        amount: Some(amount.money()),
                        deducted_at: Some(to_proto(when.time())),
                    }),
                    Ok(_) | Err(NoSum::Overflow) => {
                        Err(Rejection::MoreThanOwed { left: debt.left.clone() })
                    }
                }
            }
        }
    }

    /// The user is compensated, once, whatever the carrier says (ORD-43).
    ///
    /// # Errors
    /// There is no claim, or the user has been compensated.
    pub fn compensate(
        &self,
        compensation_id: &str,
        amount: &Amount,
        when: When,
    ) -> Decision<Event, Rejection> {
        match self {
            Self::Absent => Err(Rejection::NotFound),
            Self::Open(case)
            | Self::CarrierLiable(case, _)
            | Self::Deducted(case, _)
            | Self::CarrierCleared(case, _) => match &case.compensation {
                Some((id, before, at)) if id == compensation_id => {
                    same("amount", before, amount)?;
                    same_time(at.as_ref(), when)?;
                    unchanged()
                }
                Some(_) => Err(Rejection::AlreadyCompensated),
                None => emit(UserCompensated {
                    claim_id: case.report.claim_id.clone(),
                    compensation_id: compensation_id.to_owned(),
                    order_id: case.report.order_id.clone(),
                    platform: case.report.platform.clone(),
                    amount: Some(amount.money()),
                    compensated_at: Some(to_proto(when.time())),
                }),
            },
        }
    }
}

#[cfg(test)]
mod tests;
