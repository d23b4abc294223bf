//! Days of reports. They are those of the supplier: China has one time zone, without daylight saving. The
//! offset is fixed, because a rebuild must not depend on the time zone database of the machine.

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use crate::Fields;

/// The time zone of the supplier's days.
pub const ZONE: TimeZone = TimeZone::fixed(jiff::tz::offset(8));

/// Most days of one report: ten years.
const MOST_DAYS: i32 = 3_660;

/// The day of a moment: `2026-11-01`.
#[must_use]
pub fn day(at: Timestamp) -> String {
    ZONE.to_datetime(at).date().to_string()
}

/// The days that a report is about, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// First.
    pub from: Date,
    /// Last.
    pub to: Date,
}

impl Days {
    /// The first moment of them, and the first one after them.
    #[must_use]
    pub fn moments(&self) -> (Timestamp, Timestamp) {
        let begin = |day: Date| ZONE.to_timestamp(day.into()).ok();
        let end = self.to.tomorrow().ok().and_then(begin).unwrap_or(Timestamp::MAX);
        (begin(self.from).unwrap_or(Timestamp::MIN), end)
    }
}

/// A date in the one way in which it is written.
pub fn date(fields: &mut Fields, field: &str, text: &str) -> Option<Date> {
    let read = text.parse::<Date>().ok().filter(|date| date.to_string() == text);
    if read.is_none() {
        fields.refuse(field, "is no date such as 2026-11-01");
    }
    read
}

/// The days of a report, in the fields `from` and `to`; each wrong one is named.
pub fn days(fields: &mut Fields, from: &str, to: &str) -> Option<Days> {
    let (from, to) = (date(fields, "from", from), date(fields, "to", to));
    let (from, to) = (from?, to?);
    let span = from.until(to).map_or(i32::MAX, |span| span.get_days());
    if !(0..=MOST_DAYS).contains(&span) {
        fields.refuse("to", format!("is before from, or more than {MOST_DAYS} days after it"));
    }
    Some(Days { from, to })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_that_of_the_supplier_from_its_first_moment_to_its_last() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(day(at("2026-03-01T15:59:59Z")), "2026-03-01");
        assert_eq!(day(at("2026-03-01T16:00:00Z")), "2026-03-02");
        let mut fields = Fields::new();
        let days = days(&mut fields, "2026-03-01", "2026-03-02").unwrap();
        let (from, to) = (at("2026-02-28T16:00:00Z"), at("2026-03-02T16:00:00Z"));
        assert_eq!(days.moments(), (from, to));
        assert!(fields.is_fine());
    }

    #[test]
    fn days_that_cannot_be_are_named() {
        for (from, to, named) in [
            ("2026-3-1", "2026-03-31", &["from"][..]),
            ("2026-03-01", "tomorrow", &["to"]),
            ("", "", &["from", "to"]),
            ("2026-03-02", "2026-03-01", &["to"]),
            ("2000-01-01", "2026-03-01", &["to"]),
        ] {
            let mut fields = Fields::new();
            let _ = days(&mut fields, from, to);
            let violations = fields.finish(()).unwrap_err();
            let wrong: Vec<_> = violations.iter().map(|it| it.field.as_str()).collect();
            assert_eq!(wrong, named, "{from} to {to}");
        }
    }
}
