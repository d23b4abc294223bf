//! Days on which the clocks are changed, or that never were.

use jiff::{Timestamp, civil::date, tz::TimeZone};

use super::{super::local_day::LocalDay, *};

const NEW_YORK: &str = "America/New_York";

/// Open minutes of a date in New York.
fn open_minutes(calendar: &Calendar, date: &str) -> i64 {
    let day = Span::new(1, Unit::Days);
    let from = at_in(NEW_YORK, date);
    calendar.working(from, day.end(from, calendar).unwrap()).unwrap().as_mins()
}

#[test]
fn hours_with_a_change_of_the_clocks_within_are_shorter_or_longer() {
    for (hours, plain, spring, autumn) in [
        ("00:00-24:00", 1440, 1380, 1500),
        ("09:00-17:00", 480, 480, 480),
        ("01:00-04:00", 180, 120, 240),
        // an end that is skipped is as far after the change as it would have been
        ("01:30-02:30", 60, 60, 120),
        // a start that is skipped likewise: these hours vanish
        ("02:30-03:15", 45, 0, 45),
        ("01:00-02:00 02:30-03:15", 105, 60, 165),
        // pushed past each other, and then one stretch
        ("02:10-02:40 03:00-03:20", 50, 40, 50),
        ("02:10-02:20 03:00-03:30", 40, 30, 40),
        // a time that comes twice is the first one
        ("00:30-01:30", 60, 60, 60),
        ("01:15-01:45", 30, 30, 30),
        ("01:45-02:15", 30, 30, 90),
    ] {
        let calendar = compile(&Spec::new("test", NEW_YORK, every_day(hours)));
        assert_eq!(open_minutes(&calendar, "2025-03-11"), plain, "{hours} on a plain day");
        assert_eq!(open_minutes(&calendar, "2025-03-09"), spring, "{hours} in spring");
        assert_eq!(open_minutes(&calendar, "2025-11-02"), autumn, "{hours} in autumn");
        // by the rule of the zone, decades after the last change that is listed
        assert_eq!(open_minutes(&calendar, "2085-03-11"), spring, "{hours} in spring, in 2085");
    }
}

#[test]
fn a_night_shift_over_the_change_is_one_stretch() {
    let calendar = compile(&Spec::new("night", NEW_YORK, every_day("00:00-06:00 22:00-24:00")));
    let evening = at_in(NEW_YORK, "2025-03-08 22:00");
    assert_eq!(calendar.add(evening, hours(7)).unwrap(), at_in(NEW_YORK, "2025-03-09 06:00"));
    let evening = at_in(NEW_YORK, "2025-11-01 22:00");
    assert_eq!(calendar.add(evening, hours(9)).unwrap(), at_in(NEW_YORK, "2025-11-02 06:00"));
    let midnight = at_in(NEW_YORK, "2025-11-02 00:00");
    assert!(calendar.is_open(midnight) && calendar.is_open(midnight - minutes(1)));
}

#[test]
fn a_date_that_was_skipped_has_no_time() {
    // Friday 2011-12-30 never was, and its hours are not those of the Saturday
    let week = week(["", "", "", "", "08:00-10:00", "", "08:00-09:00"]);
    let calendar = compile(&Spec::new("apia", "Pacific/Apia", week));
    let from = at_in("Pacific/Apia", "2011-12-29 00:00");
    let to = at_in("Pacific/Apia", "2012-01-02 00:00");
    assert_eq!(calendar.working(from, to).unwrap(), hours(1));
    assert_eq!(calendar.whole_days().working(from, to).unwrap(), hours(24));
}

#[test]
fn the_minutes_of_a_day_are_those_that_the_zone_gives() {
    for name in [
        "Asia/Shanghai",
        NEW_YORK,
        "America/Goose_Bay",
        "Australia/Lord_Howe",
        "America/Sao_Paulo",
        "Africa/Casablanca",
        "Pacific/Apia",
        "Antarctica/Troll",
    ] {
        let zone = TimeZone::get(name).unwrap();
        let by_zone = |local| zone.to_ambiguous_timestamp(local).compatible().unwrap();
        let mut day = LocalDay::new(date(2010, 1, 1), &zone).unwrap();
        while day.date < date(2012, 1, 1) {
            for minute in (0..=1440).step_by(15) {
                let local = day.date.at(0, 0, 0, 0) + minutes(minute.into());
                let instant: Timestamp = day.minute(minute).unwrap();
                assert_eq!(instant, by_zone(local).min(day.end), "{local} in {name}");
            }
            day = day.next().unwrap();
        }
    }
}
