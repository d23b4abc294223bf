//! Spans as contracts word them.

use jiff::civil::Time;
use proptest::prelude::*;

use super::*;

const NEW_YORK: &str = "America/New_York";

fn new_york() -> Calendar {
    compile(&Spec { zone: NEW_YORK.to_owned(), ..Spec::office_hours() })
}

#[test]
fn months_and_years_end_on_the_same_day_or_the_last_one() {
    for (amount, unit, from, end) in [
        (1, Unit::Months, "2024-01-31 10:00", "2024-02-29 10:00"),
        (1, Unit::Months, "2025-01-31 10:00", "2025-02-28 10:00"),
        (1, Unit::Months, "2024-02-29 10:00", "2024-03-29 10:00"),
        (1, Unit::Months, "2024-03-31 23:59", "2024-04-30 23:59"),
        (2, Unit::Months, "2024-12-31 00:00", "2025-02-28 00:00"),
        (6, Unit::Months, "2024-08-31 08:00", "2025-02-28 08:00"),
        (24, Unit::Months, "2024-02-29 08:00", "2026-02-28 08:00"),
        (1, Unit::Years, "2024-02-29 08:00", "2025-02-28 08:00"),
        (4, Unit::Years, "2024-02-29 08:00", "2028-02-29 08:00"),
        (30, Unit::Days, "2024-02-01 08:00", "2024-03-02 08:00"),
        (7, Unit::Days, "2024-09-30 17:30", "2024-10-07 17:30"),
        (2, Unit::Weeks, "2024-02-20 12:00", "2024-03-05 12:00"),
        (0, Unit::Days, "2024-02-10 12:00", "2024-02-10 12:00"),
    ] {
        for calendar in [&*OFFICE, &*ALWAYS] {
            let span = Span::new(amount, unit);
            let found = span.end(at(from), calendar).unwrap();
            assert_eq!(found, at(end), "{amount} {unit:?} from {from}");
            let total = span.total(at(from), calendar).unwrap();
            assert_eq!(total, at(from).duration_until(at(end)), "all of the time counts");
        }
    }
}

#[test]
fn seconds_to_hours_are_open_time() {
    for (amount, unit, end) in [
        (3600, Unit::Seconds, "2024-10-14 13:30"),
        (60, Unit::Minutes, "2024-10-14 13:30"),
        (1, Unit::Hours, "2024-10-14 13:30"),
        (30, Unit::Minutes, "2024-10-14 12:00"),
    ] {
        let span = Span::new(amount, unit);
        assert_eq!(span.end(at("2024-10-14 11:30"), &OFFICE), Ok(at(end)), "{amount} {unit:?}");
    }
}

#[test]
fn a_day_lasts_to_the_same_local_time() {
    let calendar = new_york();
    let day = Span::new(1, Unit::Days);
    for (from, end, total) in [
        ("2025-03-07 12:00", "2025-03-08 12:00", 24),
        ("2025-03-08 12:00", "2025-03-09 12:00", 23),
        ("2025-11-01 12:00", "2025-11-02 12:00", 25),
        // 02:30 is skipped
        ("2025-03-08 02:30", "2025-03-09 03:30", 24),
    ] {
        let (from, end) = (at_in(NEW_YORK, from), at_in(NEW_YORK, end));
        assert_eq!(day.end(from, &calendar), Ok(end), "{from}");
        assert_eq!(day.total(from, &calendar), Ok(hours(total)), "{from}");
    }
    // the second 01:30 of the night
    let second: jiff::Timestamp = "2025-11-02T06:30:00Z".parse().unwrap();
    assert_eq!(Span::new(0, Unit::Days).end(second, &calendar), Ok(second));
}

#[test]
fn a_span_can_last_to_the_end_of_its_last_day() {
    for (amount, unit, from, end) in [
        (1, Unit::Days, "2024-10-14 11:30", "2024-10-16 00:00"),
        // Tuesday is one day after Monday, from its first instant on
        (1, Unit::Days, "2024-10-14 00:00", "2024-10-16 00:00"),
        (0, Unit::Days, "2024-10-14 00:00", "2024-10-15 00:00"),
        (1, Unit::Months, "2024-01-31 10:00", "2024-03-01 00:00"),
        (3, Unit::WorkingDays, "2024-02-08 15:00", "2024-02-20 00:00"),
        // a whole day ends with its day
        (1, Unit::WorkingDays, "2024-02-10 09:00", "2024-02-19 00:00"),
        (1, Unit::WorkingDays, "2024-10-14 00:00", "2024-10-15 00:00"),
        // hours that pass by closing time, and a little more
        (8, Unit::Hours, "2024-10-14 09:00", "2024-10-15 00:00"),
        (9, Unit::Hours, "2024-10-14 09:00", "2024-10-16 00:00"),
        (0, Unit::Hours, "2024-10-14 00:00", "2024-10-15 00:00"),
    ] {
        let span = Span::new(amount, unit).to_end_of_day();
        let found = span.end(at(from), &OFFICE);
        assert_eq!(found, Ok(at(end)), "{amount} {unit:?} from {from}");
    }
    let midnight = Span::new(24, Unit::Hours).to_end_of_day().end(at("2024-10-14"), &ALWAYS);
    assert_eq!(midnight, Ok(at("2024-10-15")), "24 hours from midnight are that day");
}

#[test]
fn the_end_of_a_day_is_measured_like_the_rest() {
    // Mon 11:30 to 12:30 of open time is 13:30; to the end of the day 5 h and 30 min are open
    let span = Span::new(1, Unit::Hours).to_end_of_day();
    assert_eq!(span.total(at("2024-10-14 11:30"), &OFFICE), Ok(minutes(330)));
    let span = Span::new(1, Unit::WorkingDays).to_end_of_day();
    assert_eq!(span.total(at("2024-10-12 11:00"), &OFFICE), Ok(hours(13 + 24)));
    let span = Span::new(1, Unit::Days).to_end_of_day();
    assert_eq!(span.total(at("2024-10-12 11:00"), &OFFICE), Ok(hours(13 + 24)));
}

#[test]
fn a_span_says_what_it_is_measured_on() {
    let (from, to) = (at("2024-10-11"), at("2024-10-14"));
    for (unit, name, time) in
        [(Unit::Hours, "5x8", 16), (Unit::WorkingDays, "5x8", 48), (Unit::Months, "24x7", 72)]
    {
        let measure = Span::new(1, unit).measured_on(&OFFICE);
        assert_eq!(measure.name(), name);
        assert_eq!(measure.zone(), OFFICE.zone());
        assert_eq!(measure.working(from, to), Ok(hours(time)), "{unit:?}");
    }
}

/// The midnight of 2 November 2008 came twice in Goose Bay: at 00:01 it was 23:01 again.
#[test]
fn no_instant_of_a_day_comes_after_its_end() {
    let calendar = compile(&Spec::new("test", "America/Goose_Bay", every_day("00:00-24:00")));
    let again: jiff::Timestamp = "2008-11-02T03:30:00Z".parse().unwrap();
    assert_eq!(calendar.zone().to_datetime(again).to_string(), "2008-11-01T23:30:00");
    let end = Span::new(0, Unit::Hours).to_end_of_day().end(again, &calendar).unwrap();
    assert_eq!(end.to_string(), "2008-11-02T04:00:00Z");
}

const UNITS: [Unit; 8] = [
    Unit::Seconds,
    Unit::Minutes,
    Unit::Hours,
    Unit::WorkingDays,
    Unit::Days,
    Unit::Weeks,
    Unit::Months,
    Unit::Years,
];

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn a_span_ends_after_it_begins_and_no_later_than_its_day(
        amount in 0..40_u32, unit in 0..UNITS.len(), start in 0..20 * 365 * 86_400_i64,
    ) {
        let span = Span::new(amount, UNITS[unit]);
        let from = at("2015-01-01 00:00") + jiff::SignedDuration::from_secs(start);
        for calendar in [&*OFFICE, &*ALWAYS] {
            let end = span.end(from, calendar).unwrap();
            let day_end = span.to_end_of_day().end(from, calendar).unwrap();
            prop_assert!(from <= end && end <= day_end && day_end <= end + hours(24));
            prop_assert_eq!(calendar.zone().to_datetime(day_end).time(), Time::midnight());
            let (total, measure) = (span.total(from, calendar), span.measured_on(calendar));
            prop_assert_eq!(total, measure.working(from, end));
        }
    }
}
