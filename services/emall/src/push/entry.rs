//! What a file holds, one entry after the other, whatever its format.

use contracts::ordering::OrderDraft;
use jiff::Timestamp;

use crate::refusal::Refusal;

/// One thing to do for the e-mall.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Entry {
    /// An order to push.
    Order(Box<OrderDraft>),
    /// Units that a buyer gives back or never wanted: for orders pushed before.
    Cancellation(Cancellation),
    /// An order that cannot even be written as a message: refused here, before it is sent.
    Unsendable {
        /// The number of the order, or where it stands in the file.
        label: String,
        refusals: Vec<Refusal>,
    },
}

/// A cancellation invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cancellation {
    /// Its own number.
    pub(crate) no: String,
    pub(crate) buyer_id: String,
    pub(crate) at: Timestamp,
    pub(crate) items: Vec<CancelledItem>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CancelledItem {
    pub(crate) sku: String,
    pub(crate) units: u32,
}

/// A file cannot be read any further.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("{0}")]
    Format(String),
    #[error("cannot read on after line {line}; check the file and its disk")]
    Io { line: u64, source: std::io::Error },
}
