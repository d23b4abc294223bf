//! What holds for every calendar, instant and duration; and a slow calendar that agrees.

use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use proptest::prelude::*;

use super::*;

const NANOSECOND: SignedDuration = SignedDuration::from_nanos(1);

/// Hours that begin and end within every change of the clocks.
const JAGGED: &str = "00:10-00:50 01:45-02:15 02:20-02:40 02:55-03:10 23:00-24:00";

/// Specs of all sorts; the first six do not begin or end a stretch where clocks change.
static SPECS: LazyLock<Vec<Spec>> = LazyLock::new(|| {
    let two_breaks = "08:30-10:15 10:30-12:00 14:00-17:45";
    let two_breaks = week([two_breaks, two_breaks, two_breaks, "", two_breaks, "09:00-12:00", ""]);
    let night = "00:00-06:00 22:00-24:00";
    let night = week([night, night, night, night, night, "00:00-06:00", "22:00-24:00"]);
    let new_york = week(["09:00-17:00", "", "09:00-17:00", "", "12:00-24:00", "", "00:00-06:00"]);
    vec![
        Spec::round_the_clock(),
        Spec::office_hours(),
        Spec::working_days(),
        Spec::new("two breaks", "Asia/Shanghai", two_breaks).with_holidays("CN"),
        Spec::new("night", "Europe/Berlin", night),
        Spec::new("new york", "America/New_York", new_york).with_holidays("CN"),
        // clocks change at 00:01
        Spec::new("goose bay", "America/Goose_Bay", every_day(JAGGED)),
        // clocks change by half an hour
        Spec::new("lord howe", "Australia/Lord_Howe", every_day(JAGGED)).with_holidays("CN"),
        // 2011-12-30 never was
        Spec::new("apia", "Pacific/Apia", week(["", "", "", "", JAGGED, "", "00:00-24:00"])),
    ]
});

static CALENDARS: LazyLock<Vec<Calendar>> = LazyLock::new(|| SPECS.iter().map(compile).collect());

fn any_calendar() -> impl Strategy<Value = &'static Calendar> {
    (0..SPECS.len(), any::<bool>()).prop_map(|(number, open)| {
        static WHOLE: LazyLock<Vec<Calendar>> =
            LazyLock::new(|| CALENDARS.iter().map(Calendar::whole_days).collect());
        if open { &CALENDARS[number] } else { &WHOLE[number] }
    })
}

/// Days on which something happens: festivals, working weekends, changes of the clocks.
const NOTABLE: [&str; 15] = [
    "2010-03-14",
    "2010-11-07",
    "2011-12-30",
    "2023-12-31",
    "2024-02-08",
    "2024-02-18",
    "2024-09-29",
    "2025-01-26",
    "2025-03-09",
    "2025-04-06",
    "2025-10-05",
    "2025-10-26",
    "2025-11-02",
    "2026-02-14",
    "2026-12-31",
];

/// An instant, to the nanosecond, often near a notable day, or the minute.
fn any_instant() -> impl Strategy<Value = Timestamp> {
    let day = 24 * 60_i64;
    let start = "2001-01-01T00:00:00Z".parse::<Timestamp>().unwrap();
    let notable = (0..NOTABLE.len(), -2 * day..4 * day).prop_map(|(number, minute)| {
        at_in("UTC", NOTABLE[number]) + SignedDuration::from_mins(minute)
    });
    // early enough for a thousand days of the calendar with the shortest hours
    let century = (0..74 * 365 * day).prop_map(move |minute| start + minutes(minute));
    let within = prop_oneof![Just(0), 0..60_000_000_000_i64];
    (prop_oneof![3 => notable, 1 => century], within)
        .prop_map(|(minute, within)| minute + SignedDuration::from_nanos(within))
}

/// Open time, from nothing to five hundred days of 24 hours.
fn any_open_time() -> impl Strategy<Value = SignedDuration> {
    let nanoseconds = (0..500 * 86_400_000_000_000_i64).prop_map(SignedDuration::from_nanos);
    prop_oneof![
        1 => Just(SignedDuration::ZERO),
        1 => Just(NANOSECOND),
        4 => (0..100_i64).prop_map(hours),
        4 => (0..10_000_i64).prop_map(minutes),
        2 => nanoseconds,
    ]
}

proptest! {
    #![proptest_config(cases(1024))]

    /// What was added is what has passed, and it has not passed any earlier.
    #[test]
    fn added_time_has_just_passed(
        calendar in any_calendar(), from in any_instant(), time in any_open_time(),
    ) {
        let end = calendar.add(from, time).unwrap();
        prop_assert!(end >= from);
        prop_assert_eq!(calendar.working(from, end).unwrap(), time);
        if time.is_zero() {
            prop_assert_eq!(end, from);
        } else {
            prop_assert!(calendar.working(from, end - NANOSECOND).unwrap() < time);
            prop_assert!(calendar.is_open(end - NANOSECOND));
        }
    }

    #[test]
    fn a_later_start_or_more_time_ends_no_earlier(
        calendar in any_calendar(),
        (one, other) in (any_instant(), any_instant()),
        (time, more) in (any_open_time(), any_open_time()),
    ) {
        let (early, late) = (one.min(other), one.max(other));
        prop_assert!(calendar.add(early, time).unwrap() <= calendar.add(late, time).unwrap());
        let (short, long) = (time.min(more), time.max(more));
        prop_assert!(calendar.add(one, short).unwrap() <= calendar.add(one, long).unwrap());
    }

    #[test]
    fn adding_twice_is_adding_the_sum(
        calendar in any_calendar(), from in any_instant(),
        one in any_open_time(), other in any_open_time(),
    ) {
        let twice = calendar.add(calendar.add(from, one).unwrap(), other).unwrap();
        prop_assert_eq!(twice, calendar.add(from, one + other).unwrap());
    }

    #[test]
    fn the_parts_of_a_span_sum_up_to_it(
        calendar in any_calendar(),
        mut instants in [any_instant(), any_instant(), any_instant()],
    ) {
        instants.sort_unstable();
        let [from, middle, to] = instants;
        let working = |from, to| calendar.working(from, to).unwrap();
        prop_assert_eq!(working(from, to), working(from, middle) + working(middle, to));
    }

    #[test]
    fn open_time_is_no_more_than_all_time(
        calendar in any_calendar(), from in any_instant(), to in any_instant(),
    ) {
        let working = calendar.working(from, to).unwrap();
        let all = from.duration_until(to).max(SignedDuration::ZERO);
        prop_assert!(!working.is_negative() && working <= all);
        prop_assert!(working <= calendar.whole_days().working(from, to).unwrap());
        prop_assert_eq!(calendar.round_the_clock().working(from, to).unwrap(), all);
    }

    #[test]
    fn time_counts_when_it_is_open(calendar in any_calendar(), at in any_instant()) {
        let passed = calendar.working(at, at + NANOSECOND).unwrap();
        prop_assert_eq!(calendar.is_open(at), passed == NANOSECOND);
    }
}

/// Looks at the clock on the wall and at the lists of the notices.
fn is_open_by_sight(spec: &Spec, zone: &TimeZone, notices: &[Notice], at: Timestamp) -> bool {
    let local = zone.to_datetime(at);
    let mut weekday = local.weekday();
    if spec.holidays.is_some() {
        if notices.iter().any(|notice| notice.holidays().contains_key(&local.date())) {
            return false;
        }
        if notices.iter().any(|notice| notice.working_weekends().contains(&local.date())) {
            weekday = spec.make_up;
        }
    }
    let minute = u32::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).unwrap();
    spec.week.on(weekday).iter().any(|hours| (hours.from..hours.to).contains(&minute))
}

/// Walks from minute to minute.
fn working_by_sight(spec: &Spec, from: Timestamp, to: Timestamp) -> SignedDuration {
    let (zone, notices) = (TimeZone::get(&spec.zone).unwrap(), official());
    let mut sum = SignedDuration::ZERO;
    let mut at = from;
    while at < to {
        let next_minute = Timestamp::from_second((at.as_second() / 60 + 1) * 60).unwrap();
        let next = next_minute.min(to);
        if is_open_by_sight(spec, &zone, &notices, at) {
            sum += at.duration_until(next);
        }
        at = next;
    }
    sum
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn a_walk_from_minute_to_minute_sums_up_to_the_same(
        number in 0..6_usize, from in any_instant(), length in 0..5 * 86_400_000_000_000_i64,
    ) {
        let to = from + SignedDuration::from_nanos(length);
        let working = CALENDARS[number].working(from, to).unwrap();
        prop_assert_eq!(working, working_by_sight(&SPECS[number], from, to));
    }
}
