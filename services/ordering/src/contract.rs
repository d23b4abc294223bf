//! One contract with a buying unit: drafted, signed, changed under review, secured by a bond
//! (ORD-06 to 09, ORD-13, SM-39, MON-22).
//!
//! Absent ─draft─▶ Drafted ─sign─▶ Signed ⟲ ask for a change · review it · draw on the bond
//!
//! Invariants: the bond pays no more than was lodged, and nobody reviews a change of their own.

use std::collections::BTreeMap;

use chassis::{
    When,
    repeat::{same, same_time},
};
pub use contracts::ordering::contract_event::Event;
use contracts::ordering::{
    ContractChangeRequested, ContractChangeReviewed, ContractDrafted, ContractSigned,
    ContractTerms, PerformanceBondDrawn,
};
use decider::{Aggregate, Decision, emit, unchanged};
use eventlog::time::to_proto;
use prost_types::Timestamp;

use crate::amount::{Amount, NoSum};

mod rejection;
mod row;

pub use rejection::Rejection;
pub use row::listing;

/// Changes that one contract takes: its row stays of a size that can be shown.
pub const MOST_CHANGES: usize = 100;

/// The time of a fact, as history tells it.
type At = Option<Timestamp>;

/// Where a contract stands, as far as decisions read it.
#[derive(Debug, Default, Clone, PartialEq)]
pub enum Contract {
    /// Nobody drafted it.
    #[default]
    Absent,
    /// Written down, binding nobody.
    Drafted(Draft, At),
    /// Signed by both sides and archived.
    Signed(Draft, At, Binding),
}

/// What a contract is to say.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Draft {
    /// The caller's id.
    pub contract_id: String,
    /// Platform, empty when it is tied to none.
    pub platform: String,
    /// Its content.
    pub terms: ContractTerms,
}

/// Both signatures and the copy that was archived with them (ORD-06).
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Signatures {
    /// Who signed for the buyer.
    pub buyer: String,
    /// Who signed for us.
    pub supplier: String,
    /// Digest (SHA-256, hex) of the archived copy.
    pub archive_sha256: String,
}

/// What happens under a signed contract.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Binding {
    signatures: (Signatures, At),
    changes: BTreeMap<String, Change>,
    draws: BTreeMap<String, (Draw, At)>,
    bond_left: Option<Amount>,
}

/// A change that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    requested_by: String,
    recorded_by: String,
    description: String,
    requested_at: At,
    review: Option<(bool, String, At)>,
}

/// A payment out of the performance bond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draw {
    /// The caller's id of the draw.
    pub draw_id: String,
    /// Order concerned.
    pub order_id: String,
    /// Amount.
    pub amount: Amount,
    /// Why.
    pub reason: String,
}

/// A change, as somebody asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestChange {
    /// The caller's id of the change.
    pub change_id: String,
    /// Which party asks.
    pub requested_by: String,
    /// What is to change.
    pub description: String,
    /// The caller who records it.
    pub recorded_by: String,
}

/// The verdict on a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewChange {
    /// The change.
    pub change_id: String,
    /// Added to the contract documents, or refused.
    pub added: bool,
    /// Why.
    pub reason: String,
    /// The caller who reviews.
    pub reviewer: String,
}

impl Aggregate for Contract {
    type Event = Event;

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::ContractDrafted(event) => {
                let draft = Draft {
                    contract_id: event.contract_id.clone(),
                    platform: event.platform.clone(),
                    terms: event.terms.clone().unwrap_or_default(),
                };
                Self::Drafted(draft, event.drafted_at)
            }
            Event::ContractSigned(event) => {
                let signatures = Signatures {
                    buyer: event.signed_by_buyer.clone(),
                    supplier: event.signed_by_supplier.clone(),
                    archive_sha256: event.archive_sha256.clone(),
                };
                match self {
                    Self::Absent => Self::Absent,
                    Self::Drafted(draft, at) => {
                        let binding = Binding::under(&draft.terms);
                        Self::Signed(draft, at, binding.signed(signatures, event.signed_at))
                    }
                    Self::Signed(draft, at, binding) => {
                        Self::Signed(draft, at, binding.signed(signatures, event.signed_at))
                    }
                }
            }
            Event::ContractChangeRequested(event) => self.bound(|binding| {
                let change = Change {
                    requested_by: event.requested_by.clone(),
                    recorded_by: event.recorded_by.clone(),
                    description: event.description.clone(),
                    requested_at: event.requested_at,
                    review: None,
                };
                binding.changes.insert(event.change_id.clone(), change);
            }),
            Event::ContractChangeReviewed(event) => self.bound(|binding| {
                if let Some(change) = binding.changes.get_mut(&event.change_id) {
                    change.review = Some((event.added, event.reason.clone(), event.reviewed_at));
                }
            }),
            Event::PerformanceBondDrawn(event) => self.bound(|binding| {
                let draw = Draw {
                    draw_id: event.draw_id.clone(),
                    order_id: event.order_id.clone(),
                    amount: Amount::recorded(event.amount.as_ref()),
                    reason: event.reason.clone(),
                };
                binding.draws.insert(event.draw_id.clone(), (draw, event.drawn_at));
                binding.bond_left =
                    event.bond_left.as_ref().map(|left| Amount::recorded(Some(left)));
            }),
        }
    }
}

impl Binding {
    fn under(terms: &ContractTerms) -> Self {
        let bond_left = terms.performance_bond.as_ref().map(|bond| Amount::recorded(Some(bond)));
        Self { bond_left, ..Self::default() }
    }

    fn signed(self, signatures: Signatures, at: At) -> Self {
        Self { signatures: (signatures, at), ..self }
    }
}

impl Contract {
    fn bound(mut self, change: impl FnOnce(&mut Binding)) -> Self {
        match &mut self {
            Self::Absent | Self::Drafted(..) => {}
            Self::Signed(_, _, binding) => change(binding),
        }
        self
    }

    /// The platform that the contract is tied to, empty when to none; `None` when there is no
    /// contract.
    #[must_use]
    pub fn platform(&self) -> Option<&str> {
        match self {
            Self::Absent => None,
            Self::Drafted(draft, _) | Self::Signed(draft, _, _) => Some(&draft.platform),
        }
    }

    /// Whether both sides have signed: orders can be placed under it.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        match self {
            Self::Absent | Self::Drafted(..) => false,
            Self::Signed(..) => true,
        }
    }

    /// The content is written down (ORD-06, ORD-07).
    ///
    /// # Errors
    /// The id was used for another contract.
    pub fn draft(&self, draft: &Draft, when: When) -> Decision<Event, Rejection> {
        match self {
            Self::Absent => emit(ContractDrafted {
                contract_id: draft.contract_id.clone(),
                platform: draft.platform.clone(),
                terms: Some(draft.terms.clone()),
                drafted_at: Some(to_proto(when.time())),
            }),
            Self::Drafted(before, at) | Self::Signed(before, at, _) => {
                let (old, new) = (&before.terms, &draft.terms);
                same("platform", &before.platform, &draft.platform)?;
                same("terms.buyer_id", &old.buyer_id, &new.buyer_id)?;
                same("terms.price_terms", &old.price_terms, &new.price_terms)?;
                same("terms.service_content", &old.service_content, &new.service_content)?;
                same("terms.guarantee", &old.guarantee, &new.guarantee)?;
                same("terms.valid_from", &old.valid_from, &new.valid_from)?;
                same("terms.valid_until", &old.valid_until, &new.valid_until)?;
                same("terms.performance_bond", &old.performance_bond, &new.performance_bond)?;
                same("terms.risks", &old.risks, &new.risks)?;
                same_time(at.as_ref(), when)?;
                unchanged()
            }
        }
    }

    /// Both sides sign, and the contract is archived (ORD-06).
    ///
    /// # Errors
    /// There is no draft, a side has not signed, or others signed it before.
    pub fn sign(&self, signatures: &Signatures, when: When) -> Decision<Event, Rejection> {
        match self {
            Self::Absent => Err(Rejection::NotFound),
            Self::Drafted(..) if signatures.buyer.is_empty() => {
                Err(Rejection::SignatureMissing { side: "buyer" })
            }
            Self::Drafted(..) if signatures.supplier.is_empty() => {
                Err(Rejection::SignatureMissing { side: "supplier" })
            }
            Self::Drafted(draft, _) => emit(ContractSigned {
                contract_id: draft.contract_id.clone(),
                signed_by_buyer: signatures.buyer.clone(),
                signed_by_supplier: signatures.supplier.clone(),
                archive_sha256: signatures.archive_sha256.clone(),
                signed_at: Some(to_proto(when.time())),
            }),
            Self::Signed(_, _, Binding { signatures: (before, at), .. }) => {
                same("signed_by_buyer", &before.buyer, &signatures.buyer)?;
                same("signed_by_supplier", &before.supplier, &signatures.supplier)?;
                same("archive_sha256", &before.archive_sha256, &signatures.archive_sha256)?;
                same_time(at.as_ref(), when)?;
                unchanged()
            }
        }
    }

    /// A party asks for a change of the signed contract (ORD-08).
    ///
    /// # Errors
    /// There is no signed contract, or the id was used for another change.
    pub fn request_change(&self, cmd: &RequestChange, when: When) -> Decision<Event, Rejection> {
        match self {
            Self::Absent => Err(Rejection::NotFound),
            Self::Drafted(..) => Err(Rejection::NotSigned),
            Self::Signed(draft, _, binding) => {
                if let Some(before) = binding.changes.get(&cmd.change_id) {
                    same("requested_by", &before.requested_by, &cmd.requested_by)?;
                    same("description", &before.description, &cmd.description)?;
                    same_time(before.requested_at.as_ref(), when)?;
                    return unchanged();
                }
                if binding.changes.len() >= MOST_CHANGES {
                    return Err(Rejection::TooManyChanges);
                }
                emit(ContractChangeRequested {
                    contract_id: draft.contract_id.clone(),
                    change_id: cmd.change_id.clone(),
                    requested_by: cmd.requested_by.clone(),
                    description: cmd.description.clone(),
                    requested_at: Some(to_proto(when.time())),
                    recorded_by: cmd.recorded_by.clone(),
                })
            }
        }
    }

    /// Another person adds the change to the contract documents, or refuses it (ORD-08).
    ///
    /// # Errors
    /// There is no such change, the reviewer asked for it, or the verdict was another one.
    pub fn review_change(&self, cmd: &ReviewChange, when: When) -> Decision<Event, Rejection> {
        match self {
            Self::Absent => Err(Rejection::NotFound),
            Self::Drafted(..) => Err(Rejection::NotSigned),
            Self::Signed(draft, _, binding) => {
                let change =
                    binding.changes.get(&cmd.change_id).ok_or(Rejection::ChangeNotFound)?;
                if let Some((added, reason, at)) = &change.review {
                    same("added", added, &cmd.added)?;
                    same("reason", reason, &cmd.reason)?;
                    same_time(at.as_ref(), when)?;
                    return unchanged();
                }
                if [&change.requested_by, &change.recorded_by].contains(&&cmd.reviewer) {
                    return Err(Rejection::OwnChange);
                }
                emit(ContractChangeReviewed {
                    contract_id: draft.contract_id.clone(),
                    change_id: cmd.change_id.clone(),
                    added: cmd.added,
                    reviewer: cmd.reviewer.clone(),
                    reason: cmd.reason.clone(),
                    reviewed_at: Some(to_proto(when.time())),
                })
            }
        }
    }

    /// A quality problem is paid for from the performance bond (ORD-13, MON-22).
    /// `contract_of_order` is the contract that the order names, empty when it names none.
    ///
    /// # Errors
    /// There is no bond, it does not suffice, or the order belongs to another contract.
    pub fn draw_bond(
        &self,
        draw: &Draw,
        contract_of_order: &str,
        when: When,
    ) -> Decision<Event, Rejection> {
        match self {
            Self::Absent => Err(Rejection::NotFound),
            Self::Drafted(..) => Err(Rejection::NotSigned),
            Self::Signed(draft, _, binding) => {
                if let Some((before, at)) = binding.draws.get(&draw.draw_id) {
                    same("order_id", &before.order_id, &draw.order_id)?;
                    same("amount", &before.amount, &draw.amount)?;
                    same("reason", &before.reason, &draw.reason)?;
                    same_time(at.as_ref(), when)?;
                    return unchanged();
                }
                if !contract_of_order.is_empty() && contract_of_order != draft.contract_id {
                    return Err(Rejection::OrderOfAnotherContract);
                }
                let bond = binding.bond_left.as_ref().ok_or(Rejection::NoBond)?;
                let left = match bond.minus(&draw.amount) {
                    Ok(left) if left.minor() >= 0 => left,
                    Ok(_) | Err(NoSum::Overflow) => {
                        return Err(Rejection::MoreThanLeft { left: bond.clone() });
                    }
                    Err(NoSum::Currencies) => {
                        let currency = bond.currency().to_owned();
                        return Err(Rejection::OtherCurrency { currency });
                    }
                };
                emit(PerformanceBondDrawn {
                    contract_id: draft.contract_id.clone(),
                    draw_id: draw.draw_id.clone(),
                    order_id: draw.order_id.clone(),
                    amount: Some(draw.amount.money()),
                    reason: draw.reason.clone(),
                    bond_left: Some(left.money()),
                    drawn_at: Some(to_proto(when.time())),
                })
            }
        }
    }
}

#[cfg(test)]
mod tests;
