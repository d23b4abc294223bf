//! One order, from push to settlement.
//!
//! ```text
//! Absent ─pre-order─▶ Reserved ─release─▶ Ended: released
//!    │                   │  └────expire──▶ Ended: expired
//!    │                   │ confirm pre-order, or push
//!    └─push─▶ Placed ◀───┘
//!               │ └─decline─▶ Ended: declined
//!               │ confirm
//!               ▼
//!           Confirmed   plan ▸ choose carrier ▸ pack ▸ dispatch ▸ arrive ▸ inspect ▸
//!               │  │    accept | reject | discrepancy ▸ treat; some or all, again and again
//!               │  └─every line resolved, nothing accepted─▶ Ended: refused
//!               │ every line resolved, something accepted
//!               ▼
//!           Fulfilled ─settle─▶ Settled
//!
//! Placed, Confirmed ─everything cancelled─▶ Ended: cancelled
//! ```
//!
//! The one invariant: of every line, ordered = open + allocated + in transit + arrived + accepted +
//! rejected + cancelled.
//!
//! Decisions and what their events do to the book lie side by side, one file for each group of
//! commands. A repeat is known by the caller's id, in whatever state: the same content yields
//! nothing, other content is refused with the first differing field named.

use std::{fmt, sync::Arc};

pub use contracts::ordering::order_event::Event;
use decider::Aggregate;

mod accept;
mod arrive;
mod book;
mod cancel;
pub mod command;
mod complete;
mod confirm;
mod discrepancy;
mod hold;
mod install;
mod invoice;
mod list;
mod pack;
mod place;
mod plan;
mod reject;
mod rejection;
mod repeat;
mod same_terms;
mod settle;
mod ship;
mod shipment;
mod substitute;
mod terms;
mod track;
mod value;

use book::Book;
pub(crate) use book::shift;
pub use list::{Findings, Listing, MOST_LINES, Packages, Scores, SlipLines, Units};
pub use rejection::{Difference, Rejection, RejectionKind, Shortage};
pub use terms::{Draft, Terms};
pub use value::{Currency, Digest, Id, Invalid, LineNo, Money, Name, Quantity, Text, Violations};

/// Where an order stands. What decisions read of its history is its book, the same in every state:
/// a repeat has to be known as one whatever has happened since.
#[derive(Debug, Default, Clone, PartialEq)]
pub enum Order {
    /// Nobody pushed it.
    #[default]
    Absent,
    /// Goods are reserved; it is not an order yet.
    Reserved(Arc<Book>),
    /// Pushed, not confirmed by us.
    Placed(Arc<Book>),
    /// Confirmed; lines are open, on their way, or not judged.
    Confirmed(Arc<Book>),
    /// Every line is resolved, something was accepted; payment is due.
    Fulfilled(Arc<Book>),
    /// Paid. Only invoices follow.
    Settled(Arc<Book>),
    /// Ended otherwise. Nothing follows.
    Ended(End, Arc<Book>),
}

/// How an order ended without being paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The platform gave the reservation up.
    Released,
    /// The reservation ran out.
    Expired,
    /// We declined it.
    Declined,
    /// It was cancelled as a whole.
    Cancelled,
    /// The user refused everything.
    Refused,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Released => "released",
            Self::Expired => "left to expire",
            Self::Declined => "declined",
            Self::Cancelled => "cancelled",
            Self::Refused => "refused",
        })
    }
}

impl Aggregate for Order {
    type Event = Event;

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::PreOrderReserved(event) => Self::Reserved(Arc::new(Book::reserved(event))),
            Event::PreOrderReleased(event) => {
                self.noted(|book| book.released(event)).end(End::Released)
            }
            Event::PreOrderExpired(_) => self.end(End::Expired),
            Event::OrderPlaced(event) => self.placed(event),
            Event::OrderConfirmed(event) => {
                self.noted(|book| book.confirmed(event)).to(Self::Confirmed)
            }
            Event::OrderDeclined(event) => {
                self.noted(|book| book.declined(event)).end(End::Declined)
            }
            Event::OrderLinesCancelled(event) => self.noted(|book| book.lines_cancelled(event)),
            Event::OrderCancelled(event) => {
                self.noted(|book| book.cancelled(event)).end(End::Cancelled)
            }
            Event::SubstitutionProposed(event) => {
                self.noted(|book| book.substitution_proposed(event))
            }
            Event::SubstitutionAccepted(event) => {
                self.noted(|book| book.substitution_accepted(event))
            }
            Event::SubstitutionRefused(event) => {
                self.noted(|book| book.substitution_refused(event))
            }
            Event::ForceMajeureDeclared(event) => {
                self.noted(|book| book.force_majeure_declared(event))
            }
            Event::ForceMajeureLifted(event) => self.noted(|book| book.force_majeure_lifted(event)),
            Event::FollowerAssigned(event) => self.noted(|book| book.follower_assigned(event)),
            Event::GoodsInspected(event) => self.noted(|book| book.goods_inspected(event)),
            Event::ShipmentPlanned(event) => self.noted(|book| book.shipment_planned(event)),
            Event::ShipmentUnplanned(event) => self.noted(|book| book.shipment_unplanned(event)),
            Event::CarrierChosen(event) => self.noted(|book| book.carrier_chosen(event)),
            Event::ShipmentPacked(event) => self.noted(|book| book.shipment_packed(event)),
            Event::ShipmentDispatched(event) => self.noted(|book| book.shipment_dispatched(event)),
            Event::TrackingRecorded(event) => self.noted(|book| book.tracking_recorded(event)),
            Event::ParcelStalled(event) => self.noted(|book| book.parcel_stalled(event)),
            Event::ShipmentArrived(event) => self.noted(|book| book.shipment_arrived(event)),
            Event::ArrivalInspected(event) => self.noted(|book| book.arrival_inspected(event)),
            Event::GoodsAccepted(event) => self.noted(|book| book.goods_accepted(event)),
            Event::GoodsRejected(event) => self.noted(|book| book.goods_rejected(event)),
            Event::DiscrepancyReported(event) => {
                self.noted(|book| book.discrepancy_reported(event))
            }
            Event::TreatmentProposed(event) => self.noted(|book| book.treatment_proposed(event)),
            Event::TreatmentApproved(event) => self.noted(|book| book.treatment_approved(event)),
            Event::TreatmentRefused(event) => self.noted(|book| book.treatment_refused(event)),
            Event::LiabilityConfirmed(event) => self.noted(|book| book.liability_confirmed(event)),
            Event::DiscrepancyResolved(event) => {
                self.noted(|book| book.discrepancy_resolved(event))
            }
            Event::InstallationRecorded(event) => {
                self.noted(|book| book.installation_recorded(event))
            }
            Event::SignedSlipFiled(event) => self.noted(|book| book.signed_slip_filed(event)),
            Event::OrderRefused(_) => self.end(End::Refused),
            Event::OrderFulfilled(_) => self.to(Self::Fulfilled),
            Event::InvoiceRequested(event) => self.noted(|book| book.invoice_requested(event)),
            Event::InvoiceIssued(event) => self.noted(|book| book.invoice_issued(event)),
            Event::RedInvoiceIssued(event) => self.noted(|book| book.red_invoice_issued(event)),
            Event::OrderSettled(event) => self.noted(|book| book.settled(event)).to(Self::Settled),
        }
    }
}

/// From state to state.
impl Order {
    /// Writes into the book. It is copied only while somebody else, such as the cache, holds it.
    fn noted(mut self, note: impl FnOnce(&mut Book)) -> Self {
        match &mut self {
            Self::Absent => {}
            Self::Reserved(book)
            | Self::Placed(book)
            | Self::Confirmed(book)
            | Self::Fulfilled(book)
            | Self::Settled(book)
            | Self::Ended(_, book) => note(Arc::make_mut(book)),
        }
        self
    }

    fn to(self, state: fn(Arc<Book>) -> Self) -> Self {
        match self {
            Self::Absent => Self::Absent,
            Self::Reserved(book)
            | Self::Placed(book)
            | Self::Confirmed(book)
            | Self::Fulfilled(book)
            | Self::Settled(book)
            | Self::Ended(_, book) => state(book),
        }
    }

    fn end(self, end: End) -> Self {
        match self {
            Self::Absent => Self::Absent,
            Self::Reserved(book)
            | Self::Placed(book)
            | Self::Confirmed(book)
            | Self::Fulfilled(book)
            | Self::Settled(book)
            | Self::Ended(_, book) => Self::Ended(end, book),
        }
    }
}

/// What is asked before a command is looked at.
impl Order {
    /// The platform it was placed on; `None` when there is no order.
    #[must_use]
    pub fn platform(&self) -> Option<&str> {
        self.book().ok().map(|book| book.terms.platform.as_str())
    }

    /// The contract it was placed under; `None` when there is none.
    #[must_use]
    pub fn contract_id(&self) -> Option<&str> {
        let book = self.book().ok()?;
        Some(book.terms.contract_id.as_str()).filter(|contract_id| !contract_id.is_empty())
    }

    fn book(&self) -> Result<&Book, Rejection> {
        match self {
            Self::Absent => Err(Rejection::UnknownOrder),
            Self::Reserved(book)
            | Self::Placed(book)
            | Self::Confirmed(book)
            | Self::Fulfilled(book)
            | Self::Settled(book)
            | Self::Ended(_, book) => Ok(book),
        }
    }

    /// Between reservation and payment: follower, force majeure.
    fn must_go_on(&self) -> Result<(), Rejection> {
        match self {
            Self::Absent => Err(Rejection::UnknownOrder),
            Self::Reserved(_) | Self::Placed(_) | Self::Confirmed(_) | Self::Fulfilled(_) => Ok(()),
            Self::Settled(_) => Err(Rejection::AlreadySettled),
            Self::Ended(end, _) => Err(Rejection::Ended(*end)),
        }
    }

    /// An order with lines that may be open: cancellation, substitution.
    fn must_be_unfulfilled(&self) -> Result<(), Rejection> {
        match self {
            Self::Absent => Err(Rejection::UnknownOrder),
            Self::Reserved(_) => Err(Rejection::OnlyReserved),
            Self::Placed(_) | Self::Confirmed(_) => Ok(()),
            Self::Fulfilled(_) => Err(Rejection::AlreadyFulfilled),
            Self::Settled(_) => Err(Rejection::AlreadySettled),
            Self::Ended(end, _) => Err(Rejection::Ended(*end)),
        }
    }

    /// Goods are delivered for a confirmed order with unresolved lines alone.
    fn must_be_confirmed(&self) -> Result<(), Rejection> {
        match self {
            Self::Absent => Err(Rejection::UnknownOrder),
            Self::Reserved(_) => Err(Rejection::OnlyReserved),
            Self::Placed(_) => Err(Rejection::NotConfirmed),
            Self::Confirmed(_) => Ok(()),
            Self::Fulfilled(_) => Err(Rejection::AlreadyFulfilled),
            Self::Settled(_) => Err(Rejection::AlreadySettled),
            Self::Ended(end, _) => Err(Rejection::Ended(*end)),
        }
    }

    /// What may come late, after every line is resolved: scans, installation, the signed slip.
    fn must_be_unsettled(&self) -> Result<(), Rejection> {
        match self {
            Self::Absent => Err(Rejection::UnknownOrder),
            Self::Reserved(_) => Err(Rejection::OnlyReserved),
            Self::Placed(_) => Err(Rejection::NotConfirmed),
            Self::Confirmed(_) | Self::Fulfilled(_) => Ok(()),
            Self::Settled(_) => Err(Rejection::AlreadySettled),
            Self::Ended(end, _) => Err(Rejection::Ended(*end)),
        }
    }

    /// Invoices: from confirmation on, also after payment.
    fn must_be_billable(&self) -> Result<(), Rejection> {
        match self {
            Self::Absent => Err(Rejection::UnknownOrder),
            Self::Reserved(_) => Err(Rejection::OnlyReserved),
            Self::Placed(_) => Err(Rejection::NotConfirmed),
            Self::Confirmed(_) | Self::Fulfilled(_) | Self::Settled(_) => Ok(()),
            Self::Ended(end, _) => Err(Rejection::Ended(*end)),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
