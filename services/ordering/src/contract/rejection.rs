//! Why a contract says no: each variant answers a caller, none is a fault.

use chassis::repeat::Differs;

use crate::amount::Amount;

/// Why a contract says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// No contract has this id.
    #[error("there is no such contract")]
    NotFound,
    /// No order has this id.
    #[error("there is no such order")]
    OrderNotFound,
    /// A contract needs the signatures of both sides.
    #[error("the {side} has not signed")]
    SignatureMissing {
        /// Who has not signed.
        side: &'static str,
    },
    /// Only a signed contract can be changed or drawn on.
    #[error("the contract is not signed")]
    NotSigned,
    /// No change has this id.
    #[error("there is no such change")]
    ChangeNotFound,
    /// There are more changes than anybody reads.
    #[error("the contract has {} changes and takes no more", super::MOST_CHANGES)]
    TooManyChanges,
    /// Who asked for a change, or recorded that it was asked for, may not review it.
    #[error("a change is reviewed by another person than the one who asked for it")]
    OwnChange,
    /// The contract has no performance bond.
    #[error("the contract has no performance bond")]
    NoBond,
    /// The bond does not suffice.
    #[error("{} minor units of {} are left of the bond", left.minor(), left.currency())]
    MoreThanLeft {
        /// What is left of it.
        left: Amount,
    },
    /// The bond is in another currency.
    #[error("the bond is in {currency}")]
    OtherCurrency {
        /// Currency of the bond.
        currency: String,
    },
    /// The order names another contract.
    #[error("the order was placed under another contract")]
    OrderOfAnotherContract,
    /// The id was used before, with another content.
    #[error(transparent)]
    Differs(#[from] Differs),
}
