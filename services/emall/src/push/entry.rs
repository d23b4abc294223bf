//! What a file holds, one entry after the other, whatever its format.

use contracts::ordering::OrderDraft;
use jiff::Timestamp;

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

/// Why an order was refused: by the service, or here in the service's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// A constant such as `MALFORMED`.
    pub(crate) reason: String,
    /// Path of the field such as `lines[2].quantity`; empty when it concerns no single field.
    pub(crate) field: String,
    pub(crate) message: String,
}

impl Refusal {
    /// What the proto cannot carry gets the reason that the service gives for what it can.
    pub(crate) fn malformed(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { reason: "MALFORMED".to_owned(), field: field.into(), message: message.into() }
    }

    /// The path without its indexes, `lines[].quantity`: to count what is wrong in the same way.
    pub(crate) fn kind_of_field(&self) -> String {
        let mut path = String::with_capacity(self.field.len());
        let mut inside = false;
        for letter in self.field.chars() {
            match letter {
                '[' => inside = true,
                ']' => inside = false,
                _ if inside => continue,
                _ => {}
            }
            path.push(letter);
        }
        path
    }
}

/// A file cannot be read any further.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("{0}")]
    Format(String),
    #[error("cannot read on after line {line}; check the file and its disk")]
    Io { line: u64, source: std::io::Error },
}

#[cfg(test)]
mod tests {
    use super::Refusal;

    #[test]
    fn refusals_are_counted_by_field_whatever_the_line() {
        let field = |path: &str| Refusal::malformed(path, "").kind_of_field();
        assert_eq!(field("lines[12].listing.unit_price"), "lines[].listing.unit_price");
        assert_eq!(field("buyer.buyer_id"), "buyer.buyer_id");
        assert_eq!(field(""), "");
    }
}
