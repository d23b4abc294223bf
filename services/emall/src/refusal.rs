//! What a service, or this program in its words, says against a request.

/// Why something was refused: by the service, or here in the service's words.
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
