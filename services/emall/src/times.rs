//! Moments and spans of time as a person reads them.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// The moment of a business time; none for what is no time.
pub(crate) fn moment(at: Option<&prost_types::Timestamp>) -> Option<Timestamp> {
    at.and_then(|at| Timestamp::new(at.seconds, at.nanos).ok())
}

/// A moment to the minute.
pub(crate) fn minute(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// A moment to the minute, without the year where it is that of the present.
pub(crate) fn near(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (at, now) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let format = if at.year() == now.year() { "%m-%d %H:%M" } else { "%Y-%m-%d %H:%M" };
    at.strftime(format).to_string()
}

/// A moment to the second.
pub(crate) fn second(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// How long, by its two largest units: `1 h 12 min`.
pub(crate) fn span(span: SignedDuration) -> String {
    let seconds = span.as_secs().unsigned_abs();
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let mut left = seconds;
    let mut told = Vec::new();
    for (length, name) in units {
        let number = left / length;
        left %= length;
        // Minutes beside seconds tell nothing that anybody waits for.
        let wanted = number > 0 && (name != "s" || told.is_empty());
        if wanted && told.len() < 2 {
            told.push(format!("{number} {name}"));
        }
        if !told.is_empty() && number == 0 {
            break;
        }
    }
    if told.is_empty() { "0 s".to_owned() } else { told.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_is_told_where_it_is_another_one() {
        let [at, now, later] =
            ["2026-12-31T23:30:00Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"]
                .map(|text| text.parse::<Timestamp>().unwrap());
        assert_eq!(near(at, now, &TimeZone::UTC), "12-31 23:30");
        assert_eq!(near(at, later, &TimeZone::UTC), "2026-12-31 23:30");
    }

    #[test]
    fn a_span_is_told_by_its_two_largest_units() {
        let told: Vec<_> =
            [0, 40, 60, 3 * 60 + 7, 3_600, 4_320, 86_399, 86_400, 100_000, 90_000_000]
                .map(|seconds| span(SignedDuration::from_secs(seconds)))
                .into();
        let wanted = [
            "0 s",
            "40 s",
            "1 min",
            "3 min",
            "1 h",
            "1 h 12 min",
            "23 h 59 min",
            "1 d",
            "1 d 3 h",
            "1041 d 16 h",
        ];
        assert_eq!(told, wanted);
        assert_eq!(span(SignedDuration::from_secs(-180)), "3 min");
    }
}
