//! Parsing at the edge: what comes from outside becomes types that cannot be wrong, and everything
//! that is wrong is said at once, with its path: `lines[2].unit_price.minor_units`.
//!
//! Every reader returns a value. Where the input was wrong it is a neutral one, and it never gets
//! out, because [`Fields::finish`] then returns the violations instead.
//!
//! ```
//! use chassis::parse::{Fields, Violations};
//!
//! struct Line { sku: String, quantity: u32 }
//! struct Place { order: String, lines: Vec<Line> }
//!
//! fn parse(order: &str, lines: &[(&str, u32)]) -> Result<Place, Violations> {
//!     let mut fields = Fields::new();
//!     let place = Place {
//!         order: fields.identifier("order_id", order),
//!         lines: fields.repeated("lines", lines, 1..=500, |line, (sku, quantity)| Line {
//!             sku: line.identifier("sku", sku),
//!             quantity: line.quantity("quantity", *quantity),
//!         }),
//!     };
//!     fields.finish(place)
//! }
//!
//! let wrong = parse("a b", &[("ok", 1), ("ok", 0)]).err().unwrap();
//! let paths: Vec<_> = wrong.iter().map(|violation| violation.field.as_str()).collect();
//! assert_eq!(paths, ["order_id", "lines[1].quantity"]);
//! ```

use std::{
    fmt::{self, Display, Write as _},
    ops::RangeInclusive,
};

use contracts::common::Money;
use jiff::Timestamp;
use uuid::Uuid;

/// Longest identifier, in characters.
pub const IDENTIFIER_LENGTH: usize = 64;
/// Largest amount in minor units: a hundred billion of the currency, so that sums of many fit.
pub const LARGEST_AMOUNT: i64 = 10_000_000_000_000;
/// Largest quantity of one line.
pub const LARGEST_QUANTITY: i64 = 1_000_000;

/// Violations reported for one request. The reply's headers have room for so many.
const REPORTED: usize = 24;
/// Bytes of a reported path.
const PATH_LENGTH: usize = 120;

/// Business times lie between the years 2000 and 2100.
const EARLIEST: i64 = 946_684_800;
const LATEST: i64 = 4_102_444_800;

/// One thing that is wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field.
    pub field: String,
    /// What is wrong with it. Never repeats the value: it may be personal, or huge.
    pub description: String,
}

/// Everything that is wrong with a request: at least one thing, and at most as many as a reply can
/// carry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Violations {
    list: Vec<Violation>,
    unreported: usize,
}

impl Violations {
    /// A single violation.
    #[must_use]
    pub fn one(field: impl Into<String>, description: impl Into<String>) -> Self {
        let list = vec![Violation { field: field.into(), description: description.into() }];
        Self { list, unreported: 0 }
    }

    /// The violations, in the order of the fields.
    pub fn iter(&self) -> impl Iterator<Item = &Violation> {
        self.list.iter()
    }
}

impl Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.list.first() {
            None => f.write_str("malformed request")?,
            Some(first) => write!(f, "{}: {}", first.field, first.description)?,
        }
        match self.list.len().saturating_sub(1) + self.unreported {
            0 => Ok(()),
            more => write!(f, " (and {more} more)"),
        }
    }
}

/// Reads the fields of a message and collects what is wrong with them.
#[derive(Debug, Default)]
pub struct Fields {
    path: String,
    list: Vec<Violation>,
    unreported: usize,
}

impl Fields {
    /// Nothing read yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The value, unless something was wrong.
    ///
    /// # Errors
    /// All violations.
    pub fn finish<T>(self, value: T) -> Result<T, Violations> {
        if self.list.is_empty() {
            Ok(value)
        } else {
            Err(Violations { list: self.list, unreported: self.unreported })
        }
    }

    /// The value made of parts that may be missing, unless something was wrong.
    ///
    /// # Errors
    /// All violations; there is always one when a part is missing.
    pub fn finish_some<T>(mut self, value: Option<T>) -> Result<T, Violations> {
        if value.is_none() && self.list.is_empty() {
            self.refuse("", "is incomplete");
        }
        match value {
            Some(value) => self.finish(value),
            None => Err(Violations { list: self.list, unreported: self.unreported }),
        }
    }

    /// Whether nothing was wrong so far.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        self.list.is_empty()
    }

    /// Says that a field is wrong, and how.
    pub fn refuse(&mut self, field: &str, description: impl Into<String>) {
        if self.list.len() >= REPORTED {
            self.unreported += 1;
            return;
        }
        let mut field = match (self.path.as_str(), field) {
            ("", field) => field.to_owned(),
            (path, "") => path.to_owned(),
            (path, field) => format!("{path}.{field}"),
        };
        while field.len() > PATH_LENGTH {
            field.pop();
        }
        self.list.push(Violation { field, description: description.into() });
    }

    /// The value of a parser of the service's own, or a violation with its error.
    pub fn parsed<T, E: Display>(&mut self, field: &str, parsed: Result<T, E>) -> Option<T> {
        parsed.map_err(|error| self.refuse(field, error.to_string())).ok()
    }

    /// A message that must be there.
    pub fn required<'a, T>(&mut self, field: &str, value: &'a Option<T>) -> Option<&'a T> {
        if value.is_none() {
            self.refuse(field, "is missing");
        }
        value.as_ref()
    }

    /// Fields of a message inside this one.
    pub fn nested<T>(&mut self, field: &str, read: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.path.len();
        if outer > 0 {
            self.path.push('.');
        }
        self.path.push_str(field);
        let value = read(self);
        self.path.truncate(outer);
        value
    }

    /// Fields of a message inside this one that must be there; `None` when it is not.
    pub fn message<M, T>(
        &mut self,
        field: &str,
        message: &Option<M>,
        read: impl FnOnce(&mut Self, &M) -> T,
    ) -> Option<T> {
        let message = self.required(field, message)?;
        Some(self.nested(field, |fields| read(fields, message)))
    }

    /// The items of a repeated field. None is read when there are too many.
    pub fn repeated<M, T>(
        &mut self,
        field: &str,
        items: &[M],
        count: RangeInclusive<usize>,
        mut read: impl FnMut(&mut Self, &M) -> T,
    ) -> Vec<T> {
        if !count.contains(&items.len()) {
            self.refuse(field, format!("has {} items, not {}", items.len(), span(&count)));
            return Vec::new();
        }
        let mut values = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let mut step = String::with_capacity(field.len() + 6);
            let _ = write!(step, "{field}[{index}]");
            values.push(self.nested(&step, |fields| read(fields, item)));
        }
        values
    }

    /// Text of one line, as given, of so many characters. With a minimum above zero it may not be
    /// blank either.
    pub fn text(&mut self, field: &str, value: &str, chars: RangeInclusive<usize>) -> String {
        self.checked_text(field, value, &chars, |_| false)
    }

    /// Text that may have several lines: tab, line feed and carriage return are let through.
    pub fn multiline(&mut self, field: &str, value: &str, chars: RangeInclusive<usize>) -> String {
        self.checked_text(field, value, &chars, |letter| matches!(letter, '\t' | '\n' | '\r'))
    }

    fn checked_text(
        &mut self,
        field: &str,
        value: &str,
        chars: &RangeInclusive<usize>,
        allowed: impl Fn(char) -> bool,
    ) -> String {
        // Bytes first: nobody counts the characters of a text that cannot be short enough.
        let most = chars.end().saturating_mul(4);
        if value.len() > most {
            self.refuse(field, format!("is longer than {most} bytes"));
            return String::new();
        }
        let length = value.chars().count();
        if !chars.contains(&length) {
            self.refuse(field, format!("has {length} characters, not {}", span(chars)));
        } else if value.chars().any(|letter| letter.is_control() && !allowed(letter)) {
            self.refuse(field, "contains control characters");
        } else if *chars.start() > 0 && value.trim().is_empty() {
            self.refuse(field, "is blank");
        } else {
            return value.to_owned();
        }
        String::new()
    }

    /// An identifier: 1 to 64 of letters, digits, `.`, `_`, `:`, `-`. It may stand in ids, keys and
    /// subjects.
    pub fn identifier(&mut self, field: &str, value: &str) -> String {
        if is_identifier(value) {
            return value.to_owned();
        }
        self.refuse(field, "is no identifier: 1 to 64 of A-Z a-z 0-9 . _ : -");
        String::new()
    }

    /// An identifier, or nothing.
    pub fn optional_identifier(&mut self, field: &str, value: &str) -> Option<String> {
        (!value.is_empty()).then(|| self.identifier(field, value))
    }

    /// A UUID in its usual form with hyphens.
    pub fn uuid(&mut self, field: &str, value: &str) -> Uuid {
        match Uuid::try_parse(value) {
            Ok(uuid) if value.len() == 36 => uuid,
            Ok(_) | Err(_) => {
                self.refuse(field, "is no UUID of the form xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
                Uuid::nil()
            }
        }
    }

    /// A SHA-256 digest in hexadecimal digits, of either case; the value has small ones.
    pub fn digest(&mut self, field: &str, value: &str) -> String {
        if value.len() != 64 || !value.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            self.refuse(field, "is no SHA-256 digest of 64 hexadecimal digits");
            return String::new();
        }
        value.to_ascii_lowercase()
    }

    /// An amount, 0 or more, in minor units of this currency.
    pub fn money(&mut self, field: &str, value: &Option<Money>, currency: &str) -> i64 {
        self.money_in(field, value, currency, 0..=LARGEST_AMOUNT)
    }

    /// An amount within these bounds, in minor units of this currency.
    pub fn money_in(
        &mut self,
        field: &str,
        value: &Option<Money>,
        currency: &str,
        bounds: RangeInclusive<i64>,
    ) -> i64 {
        self.message(field, value, |fields, money| {
            if money.currency != currency {
                fields.refuse("currency", format!("is not {currency}"));
            }
            fields.number("minor_units", money.minor_units, bounds)
        })
        .unwrap_or_default()
    }

    /// A quantity: 1 to a million.
    pub fn quantity<T: Copy + Default + Into<i64>>(&mut self, field: &str, value: T) -> T {
        if (1..=LARGEST_QUANTITY).contains(&value.into()) {
            return value;
        }
        self.refuse(field, format!("is not 1 to {LARGEST_QUANTITY}"));
        T::default()
    }

    /// A number within these bounds.
    pub fn number<T: Copy + Default + PartialOrd + Display>(
        &mut self,
        field: &str,
        value: T,
        bounds: RangeInclusive<T>,
    ) -> T {
        if bounds.contains(&value) {
            return value;
        }
        self.refuse(field, format!("is not {} to {}", bounds.start(), bounds.end()));
        T::default()
    }

    /// A moment that must be there, between the years 2000 and 2100.
    pub fn timestamp(&mut self, field: &str, value: &Option<prost_types::Timestamp>) -> Timestamp {
        if value.is_none() {
            self.refuse(field, "is missing");
        }
        self.optional_timestamp(field, value).unwrap_or_default()
    }

    /// A moment between the years 2000 and 2100, or none.
    pub fn optional_timestamp(
        &mut self,
        field: &str,
        value: &Option<prost_types::Timestamp>,
    ) -> Option<Timestamp> {
        let value = value.as_ref()?;
        let moment = ((EARLIEST..LATEST).contains(&value.seconds)
            && (0..1_000_000_000).contains(&value.nanos))
        .then(|| Timestamp::new(value.seconds, value.nanos).ok())
        .flatten();
        if moment.is_none() {
            self.refuse(field, "is no moment between the years 2000 and 2100");
        }
        moment
    }

    /// A value of an enum, other than its zero, which says that none was given.
    pub fn choice<E: TryFrom<i32> + Default>(&mut self, field: &str, value: i32) -> E {
        match E::try_from(value) {
            Ok(choice) if value != 0 => choice,
            Ok(_) => {
                self.refuse(field, "is missing");
                E::default()
            }
            Err(_) => {
                self.refuse(field, "is none of the known values");
                E::default()
            }
        }
    }
}

/// Whether the text is an identifier: 1 to 64 of letters, digits, `.`, `_`, `:`, `-`.
#[must_use]
pub fn is_identifier(value: &str) -> bool {
    (1..=IDENTIFIER_LENGTH).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte))
}

fn span(range: &RangeInclusive<usize>) -> String {
    if range.start() == range.end() {
        range.start().to_string()
    } else {
        format!("{} to {}", range.start(), range.end())
    }
}

#[cfg(test)]
mod tests;
