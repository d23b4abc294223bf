//! What can be asked of an order, in types that cannot be wrong: the edge parses them once.
//!
//! A command bears the caller's own id wherever it adds something, so that a repeat is known as
//! one. Lists that name each line at most once are in [`super::list`].

pub use chassis::When;
use jiff::Timestamp;

use super::{Id, LineNo, Listing, Money, Name, Terms, Text, Units};

mod judgement;
mod shipping;

pub use judgement::{
    AcceptGoods, AnswerTreatment, ConfirmLiability, FileSignedSlip, InspectArrival, Presence,
    ProposeTreatment, RecordInstallation, RejectGoods, ReportDiscrepancy, ResolveDiscrepancy,
};
pub use shipping::{
    ChooseCarrier, DispatchShipment, FindStalled, PackShipment, PlanShipment, RecordInspection,
    RecordTracking, ReportArrival, Scan, UnplanShipment,
};

/// Takes an order.
#[derive(Debug, Clone, PartialEq)]
pub struct PushOrder {
    /// What the order is.
    pub terms: Terms,
    /// The clock's time.
    pub now: Timestamp,
}

/// Reserves an order until a time.
#[derive(Debug, Clone, PartialEq)]
pub struct PreOrder {
    /// What the order would be.
    pub terms: Terms,
    /// End of the reservation; `None` means as the policy says.
    pub reserved_until: Option<Timestamp>,
    /// The clock's time.
    pub now: Timestamp,
}

/// Turns a reservation into an order.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfirmPreOrder {
    /// When.
    pub when: When,
}

/// Gives a reservation up.
#[derive(Debug, Clone, PartialEq)]
pub struct ReleasePreOrder {
    /// Why; empty when not said.
    pub reason: Option<Text>,
    /// When.
    pub when: When,
}

/// Ends a reservation whose time has come.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpirePreOrder {
    /// The clock's time.
    pub now: Timestamp,
}

/// Cancels what has not been planned into a shipment.
#[derive(Debug, Clone, PartialEq)]
pub struct CancelOrder {
    /// The caller's id of the cancellation.
    pub cancellation_id: Id,
    /// Lines and units; `None` means everything.
    pub lines: Option<Units>,
    /// Why.
    pub reason: Option<Text>,
    /// When.
    pub when: When,
}

/// Takes the order on.
#[derive(Debug, Clone, PartialEq)]
pub struct ConfirmOrder {
    /// When.
    pub when: When,
}

/// Declines an order that was not confirmed.
#[derive(Debug, Clone, PartialEq)]
pub struct DeclineOrder {
    /// Why.
    pub reason: Text,
    /// When.
    pub when: When,
}

/// Offers a substitute for the open units of a line.
#[derive(Debug, Clone, PartialEq)]
pub struct ProposeSubstitution {
    /// The caller's id of the substitution.
    pub substitution_id: Id,
    /// Line.
    pub line_no: LineNo,
    /// The substitute.
    pub substitute: Listing,
    /// Why.
    pub reason: Text,
    /// When.
    pub when: When,
}

/// The user's consent to a substitute, or refusal of it.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerSubstitution {
    /// The substitution.
    pub substitution_id: Id,
    /// Consent or refusal.
    pub accepted: bool,
    /// Why, when refused.
    pub reason: Option<Text>,
    /// When.
    pub when: When,
}

/// Declares that force majeure holds the order up (ORD-14).
#[derive(Debug, Clone, PartialEq)]
pub struct DeclareForceMajeure {
    /// What happened.
    pub description: Text,
    /// From when, as `at`; it may have begun long before the order.
    pub when: When,
}

/// Declares that force majeure is over.
#[derive(Debug, Clone, PartialEq)]
pub struct LiftForceMajeure {
    /// Until when, as `at`.
    pub when: When,
}

/// Names the sales specialist who follows the order (ORD-01).
#[derive(Debug, Clone, PartialEq)]
pub struct AssignFollower {
    /// The specialist.
    pub follower: Name,
    /// When.
    pub when: When,
}

/// Requests an invoice for accepted goods (ORD-71).
#[derive(Debug, Clone, PartialEq)]
pub struct RequestInvoice {
    /// The caller's id of the request.
    pub invoice_id: Id,
    /// Title: who it is made out to.
    pub title: Name,
    /// Tax number of the title.
    pub tax_no: Id,
    /// Amount; `None` means all that is not invoiced yet.
    pub amount: Option<Money>,
    /// When.
    pub when: When,
}

/// Records the issued invoice.
#[derive(Debug, Clone, PartialEq)]
pub struct IssueInvoice {
    /// The request.
    pub invoice_id: Id,
    /// Number of the invoice.
    pub invoice_no: Id,
    /// When.
    pub when: When,
}

/// Records the red invoice that reverses an issued one.
#[derive(Debug, Clone, PartialEq)]
pub struct IssueRedInvoice {
    /// The request of the issued invoice.
    pub invoice_id: Id,
    /// Number of the red invoice.
    pub red_invoice_no: Id,
    /// Why.
    pub reason: Text,
    /// When.
    pub when: When,
}

/// Records the payment for everything accepted (ORD-38, MON-38).
#[derive(Debug, Clone, PartialEq)]
pub struct SettleOrder {
    /// The caller's id of the settlement.
    pub settlement_id: Id,
    /// Amount paid.
    pub amount: Money,
    /// Payment reference.
    pub payment_ref: Id,
    /// When.
    pub when: When,
}
