//! Why a claim says no: each variant answers a caller, none is a fault.

use chassis::repeat::Differs;

use crate::amount::Amount;

/// A piece of evidence that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Photos of the damage.
    Photos,
    /// The carrier's signature.
    CarrierSignature,
    /// The base slip signed by the user.
    SignedSlip,
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Photos => "photos",
            Self::CarrierSignature => "the carrier's signature",
            Self::SignedSlip => "the signed base slip",
        })
    }
}

/// Why a claim says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// No claim has this id.
    #[error("there is no such claim")]
    NotFound,
    /// No order has this id.
    #[error("there is no such order")]
    OrderNotFound,
    /// The order has no such shipment.
    #[error("the order has no such shipment")]
    ShipmentNotFound,
    /// The shipment has not left: nothing can have happened to it on the way.
    #[error("the shipment has not been handed to a carrier")]
    NotHandedOver,
    /// The shipment does not hold the line.
    #[error("line {line_no} is not in the shipment")]
    NotInShipment {
        /// The line.
        line_no: u32,
    },
    /// The shipment holds fewer units.
    #[error("the shipment holds {shipped} units of line {line_no}")]
    MoreThanShipped {
        /// The line.
        line_no: u32,
        /// Units in the shipment.
        shipped: u32,
    },
    /// Neither the report names a salesperson nor does anybody follow the order.
    #[error("nobody follows the order: name the salesperson responsible")]
    NobodyInCharge,
    /// The id was used before, with another content.
    #[error(transparent)]
    Differs(#[from] Differs),
    /// No salesperson has taken the claim on.
    #[error("no salesperson has taken the claim on")]
    NotCoordinated,
    /// The evidence does not suffice.
    #[error("{0} must come in first")]
    EvidenceMissing(Missing),
    /// There is more evidence than anybody reads.
    #[error("the claim has {} pieces of evidence and takes no more", super::MOST_EVIDENCE)]
    TooMuchEvidence,
    /// Who answers for the damage is decided.
    #[error("who answers for the damage is decided")]
    Decided,
    /// The carrier answers for it.
    #[error("the carrier has been held liable")]
    CarrierIsLiable,
    /// The carrier does not answer for it.
    #[error("the carrier has been cleared")]
    CarrierIsCleared,
    /// The carrier has not been held liable.
    #[error("the carrier has not been held liable")]
    NotLiable,
    /// The user comes first (ORD-43).
    #[error("the user must be compensated before anything is deducted from the carrier")]
    UserNotCompensated,
    /// The carrier owes less.
    #[error("the carrier owes {} minor units of {}", left.minor(), left.currency())]
    MoreThanOwed {
        /// What is left of the debt.
        left: Amount,
    },
    /// The debt is in another currency.
    #[error("the carrier owes in {currency}")]
    OtherCurrency {
        /// Currency of the debt.
        currency: String,
    },
    /// The user has been compensated under another id.
    #[error("the user has been compensated")]
    AlreadyCompensated,
}
