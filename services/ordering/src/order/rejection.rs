//! Why an order says no. Each variant answers a caller; none is a fault.

use std::fmt;

use jiff::Timestamp;

use super::End;

mod answer;

pub use answer::RejectionKind;

/// What differs between a command and what was recorded under its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The field, such as `lines[2].quantity`.
    pub field: String,
    /// What is recorded; empty where it is personal.
    pub recorded: String,
    /// What was received; empty where it is personal.
    pub received: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.recorded.is_empty() && self.received.is_empty() {
            write!(f, "{}: another one is recorded", self.field)
        } else {
            write!(f, "{}: recorded {}, received {}", self.field, self.recorded, self.received)
        }
    }
}

/// Units that are asked for and not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortage {
    /// The field that asks, such as `lines[0].quantity`.
    pub field: String,
    /// The line.
    pub line_no: u32,
    /// Units asked for.
    pub asked: u32,
    /// Units there are.
    pub available: u32,
}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} asked for of line {}, {}", self.asked, self.line_no, self.available)
    }
}

/// Why an order says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// No order has this id.
    #[error("there is no such order")]
    UnknownOrder,
    /// No shipment of the order has this id.
    #[error("the order has no shipment {0}")]
    UnknownShipment(String),
    /// No discrepancy of the order has this id.
    #[error("the order has no discrepancy {0}")]
    UnknownDiscrepancy(String),
    /// The discrepancy was never proposed to be treated so often.
    #[error("there is no proposal {0}")]
    UnknownProposal(u32),
    /// No substitution of the order has this id.
    #[error("the order has no substitution {0}")]
    UnknownSubstitution(String),
    /// No invoice of the order has this id.
    #[error("the order has no invoice request {0}")]
    UnknownInvoice(String),
    /// Nothing of the shipment was accepted with this slip.
    #[error("nothing was accepted with slip {0}")]
    UnknownSlip(String),
    /// The order has no such line.
    #[error("{field}: the order has no line {line_no}")]
    UnknownLine {
        /// The field that names it.
        field: String,
        /// The line.
        line_no: u32,
    },
    /// The shipment does not hold the line.
    #[error("{field}: line {line_no} is not in the shipment")]
    NotInShipment {
        /// The field that names it.
        field: String,
        /// The line.
        line_no: u32,
    },
    /// The findings leave a line of the shipment out.
    #[error("nothing is said about line {line_no} of the shipment")]
    FindingMissing {
        /// The line.
        line_no: u32,
    },
    /// The id was used before, with other content.
    #[error("{0}")]
    DifferentContent(Box<Difference>),
    /// A time that cannot be true.
    #[error("{field}: {at} is not between {earliest} and {latest}")]
    TimeOutOfRange {
        /// The field.
        field: String,
        /// The time given.
        at: Timestamp,
        /// The earliest that is taken.
        earliest: Timestamp,
        /// The latest that is taken.
        latest: Timestamp,
    },

    /// It is only a reservation.
    #[error("the order is only reserved")]
    OnlyReserved,
    /// It was never reserved.
    #[error("the order was placed without a reservation")]
    NotReserved,
    /// It has become an order.
    #[error("the order has been placed")]
    AlreadyPlaced,
    /// The reservation is over.
    #[error("the reservation ended at {until}")]
    ReservationExpired {
        /// When it ended.
        until: Timestamp,
    },
    /// The reservation holds.
    #[error("the reservation holds until {until}")]
    ReservationHolds {
        /// When it ends.
        until: Timestamp,
    },
    /// We have not confirmed the order.
    #[error("the order is not confirmed")]
    NotConfirmed,
    /// We have confirmed the order.
    #[error("the order has been confirmed")]
    AlreadyConfirmed,
    /// Some lines are not resolved.
    #[error("the order is not fulfilled: some lines are not resolved")]
    NotFulfilled,
    /// Every line is resolved.
    #[error("the order is fulfilled: every line is resolved")]
    AlreadyFulfilled,
    /// It is paid.
    #[error("the order is settled")]
    AlreadySettled,
    /// It ended.
    #[error("the order was {0}")]
    Ended(End),

    /// Fewer units are open.
    #[error("{0} are open")]
    NotEnoughOpen(Box<Shortage>),
    /// Fewer units were ordered.
    #[error("{0} are ordered")]
    MoreThanOrdered(Box<Shortage>),
    /// Fewer units of the shipment wait to be judged.
    #[error("{0} of the shipment wait to be judged")]
    NotEnoughUnjudged(Box<Shortage>),
    /// Fewer units were counted on arrival.
    #[error("{0} of those counted on arrival are not accepted yet")]
    MoreThanCounted(Box<Shortage>),
    /// Fewer units were counted beyond the waybill.
    #[error("{0} were counted beyond the waybill")]
    NotEnoughSurplus(Box<Shortage>),
    /// No unit is open.
    #[error("no unit is open")]
    NothingOpen,

    /// Units of the line are on their way or judged.
    #[error("units of line {line_no} are planned, shipped or judged")]
    LineInWork {
        /// The line.
        line_no: u32,
    },
    /// A substitute for the line waits for its answer.
    #[error("substitution {substitution_id} of line {line_no} waits for its answer")]
    SubstitutionPending {
        /// The line.
        line_no: u32,
        /// The one that waits.
        substitution_id: String,
    },
    /// A substitute may not cost more.
    #[error("the substitute costs {offered}, more than the {ordered} ordered at")]
    DearerSubstitute {
        /// Price of a unit as ordered, minor units.
        ordered: i64,
        /// Price of a unit offered, minor units.
        offered: i64,
    },
    /// The order is in another currency.
    #[error("{field}: the order is in {currency}")]
    OtherCurrency {
        /// The field.
        field: &'static str,
        /// The order's currency.
        currency: String,
    },

    /// No force majeure is declared.
    #[error("no force majeure is declared")]
    NoForceMajeure,
    /// Force majeure cannot end before it begins.
    #[error("force majeure began at {since}")]
    EndsBeforeItBegan {
        /// When it began.
        since: Timestamp,
    },

    /// The shipment was given up.
    #[error("the shipment was given up")]
    ShipmentUnplanned,
    /// The shipment has no carrier.
    #[error("no carrier is chosen for the shipment")]
    CarrierNotChosen,
    /// A passed inspection must cover what is packed (ORD-16).
    #[error("line {line_no}: inspected and passed {passed} units, to be packed {needed}")]
    NotInspectedBeforePacking {
        /// The line.
        line_no: u32,
        /// Units passed that are not packed yet.
        passed: u32,
        /// Units to be packed.
        needed: u32,
    },
    /// The shipment is not packed.
    #[error("the shipment is not packed")]
    NotPacked,
    /// The shipment has left.
    #[error("the shipment has left")]
    AlreadyDispatched,
    /// The shipment has not left.
    #[error("the shipment has not left")]
    NotDispatched,
    /// The shipment has not arrived.
    #[error("the shipment has not arrived")]
    NotArrived,
    /// The arrival has not been inspected.
    #[error("the arrival has not been inspected")]
    NotInspected,
    /// Units of the shipment have been judged: inspecting them now proves nothing.
    #[error("units of the shipment have been judged")]
    AlreadyJudged,
    /// The user may inspect alone only when our representative is late (ORD-28).
    #[error("our representative is due at {due}")]
    RepresentativeNotLate {
        /// When the representative is due.
        due: Timestamp,
    },

    /// Both sides sign after a joint inspection (ORD-34).
    #[error("both sides sign after a joint inspection")]
    SignatureMissing,
    /// The slip must say what was sold (ORD-12).
    #[error("{field}: sold {sold:?}, signed for {signed:?}")]
    SlipDiffers {
        /// The field, such as `lines[0].brand`.
        field: String,
        /// As sold.
        sold: String,
        /// As signed for.
        signed: String,
    },
    /// The inspection found nothing wrong with the line.
    #[error("{field}: nothing wrong was found with line {line_no}")]
    NothingWrongFound {
        /// The field that names it.
        field: String,
        /// The line.
        line_no: u32,
    },
    /// A refusal for another reason needs words.
    #[error("a refusal for another reason needs a description")]
    DescriptionMissing,
    /// Main materials are used only after acceptance (ORD-37).
    #[error("line {line_no} is a main material and not judged yet")]
    MaterialNotAccepted {
        /// The line.
        line_no: u32,
    },
    /// Nothing of the shipment is left with the user.
    #[error("the user refused everything in the shipment")]
    NothingToInstall,

    /// The treatment cannot help against such a discrepancy.
    #[error("{treatment} is no treatment of {kind}")]
    TreatmentUnfit {
        /// The treatment.
        treatment: &'static str,
        /// The kind of discrepancy.
        kind: &'static str,
    },
    /// The user has approved a treatment.
    #[error("the user has approved a treatment")]
    TreatmentApproved,
    /// The user has not approved a treatment.
    #[error("the user has not approved a treatment")]
    TreatmentNotApproved,
    /// The discrepancy is resolved.
    #[error("the discrepancy is resolved")]
    AlreadyResolved,

    /// Less is accepted and not invoiced.
    #[error("{asked} asked for, {left} accepted and not invoiced")]
    MoreThanAccepted {
        /// Minor units asked for.
        asked: i64,
        /// Minor units accepted and not invoiced.
        left: i64,
    },
    /// Everything accepted so far is invoiced.
    #[error("nothing is accepted that is not invoiced")]
    NothingToInvoice,
    /// The invoice is not issued.
    #[error("the invoice is not issued")]
    InvoiceNotIssued,
    /// The invoice is reversed.
    #[error("the invoice is reversed")]
    InvoiceReversed,
    /// The payment must be exactly what is owed.
    #[error("the user owes {payable}, {paid} were paid")]
    AmountDiffers {
        /// What is owed.
        payable: String,
        /// What was paid.
        paid: String,
    },
    /// A sum that is no amount.
    #[error("the sum is larger than an amount can be")]
    Overflow,
}
