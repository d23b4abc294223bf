//! Dates that were counted by hand from the notices.

use super::*;

#[test]
fn working_days_leave_out_festivals_and_count_working_weekends() {
    for (days, from, end) in [
        // Thu 9 h, Fri 24 h, festival from Sat 10 to Sat 17, working Sun 18 24 h, Mon 15 h
        (3, "2024-02-08 15:00", "2024-02-19 15:00"),
        // from a working Sunday: 14 h, Mon, Tue, Wed 10 h
        (3, "2024-02-04 10:00", "2024-02-07 10:00"),
        // from within the festival: the first day after it, whole, and to its end
        (1, "2024-02-10 09:00", "2024-02-19 00:00"),
        // Fri 15 h, working Sun 29, Mon 30, festival from Tue 1 to Mon 7, Tue 8, Wed 9, Thu 9 h
        (5, "2024-09-27 09:00", "2024-10-10 09:00"),
        // Fri 6 h, working Sat 12, Mon 18 h
        (2, "2024-10-11 18:00", "2024-10-14 18:00"),
        // on the working Saturday itself: 13 h, Mon 11 h
        (1, "2024-10-12 11:00", "2024-10-14 11:00"),
        // Fri 12 h, working Sun 26, Mon 27, festival from Tue 28 to Tue 4, Wed 12 h
        (3, "2025-01-24 12:00", "2025-02-05 12:00"),
        // Fri 16 h, working Sat 8, Mon 8 h
        (2, "2025-02-07 08:00", "2025-02-10 08:00"),
        // a working Sunday from its start to its end
        (1, "2025-09-28 00:00", "2025-09-29 00:00"),
        // Tue 7 h, festival from Wed 1 to Wed 8, Thu 9, Fri 10, working Sat 11, Mon 17 h
        (4, "2025-09-30 17:00", "2025-10-13 17:00"),
        // Wed 12 h, New Year from Thu 1 to Sat 3, working Sun 4, Mon 5, Tue 12 h
        (3, "2025-12-31 12:00", "2026-01-06 12:00"),
        // Fri 8 h, working Sat 14, festival from Sun 15 to Mon 23, Tue 16 h
        (2, "2026-02-13 16:00", "2026-02-24 16:00"),
        // Fri 14 h, working Sat 28, Mon 10 h
        (2, "2026-02-27 10:00", "2026-03-02 10:00"),
        // a plain Saturday, then a working Sunday
        (1, "2026-09-19 11:00", "2026-09-21 00:00"),
        // Wed 15 h, festival from Thu 1 to Wed 7, Thu 8, Fri 9, working Sat 9 h
        (3, "2026-09-30 09:00", "2026-10-10 09:00"),
    ] {
        let span = Span::new(days, Unit::WorkingDays);
        for calendar in [&*OFFICE, &*WORKDAYS] {
            let found = span.end(at(from), calendar).unwrap();
            assert_eq!(found, at(end), "{days} working days from {from}");
            assert_eq!(span.total(at(from), calendar).unwrap(), hours(24 * i64::from(days)));
        }
    }
}

#[test]
fn office_hours_leave_out_breaks_nights_and_festivals() {
    for (time, from, end) in [
        // what ends with the day is due at closing time, and what ends with the morning at noon
        (8, "2024-09-30 09:00", "2024-09-30 18:00"),
        (3, "2024-10-14 09:00", "2024-10-14 12:00"),
        (1, "2024-10-14 11:30", "2024-10-14 13:30"),
        // 7 h before National Day, 1 h after it
        (8, "2024-09-30 10:00", "2024-10-08 10:00"),
        // a working Sunday
        (8, "2024-09-29 09:00", "2024-09-29 18:00"),
        // Fri 2 h, working Saturday 2 h
        (4, "2024-10-11 16:00", "2024-10-12 11:00"),
        // from within the festival: working Sun 18, 3 h and 1 h
        (4, "2024-02-10 20:00", "2024-02-18 14:00"),
        // Tue 1 h, Thu 9 8 h, Fri 1 h
        (10, "2025-09-30 17:00", "2025-10-10 10:00"),
        // working Sat 5 h, Mon 3 h
        (8, "2025-10-11 13:00", "2025-10-13 12:00"),
        // Fri 1 h, working Sat 3 h and 2 h
        (6, "2026-02-13 17:00", "2026-02-14 15:00"),
        // working Sat 1 h, Tue 24 8 h
        (9, "2026-02-14 17:00", "2026-02-24 18:00"),
        // no time passes at once, even on a Sunday
        (0, "2024-10-13 10:00", "2024-10-13 10:00"),
    ] {
        let found = OFFICE.add(at(from), hours(time)).unwrap();
        assert_eq!(found, at(end), "{time} h from {from}");
    }
}

#[test]
fn working_time_between_two_dates() {
    for (from, to, days) in [
        // Sun 29, Mon 30, and from Tue 8 to Sat 12
        ("2024-09-28", "2024-10-13", 7),
        // Sun 26, Mon 27, and from Wed 5 to Sat 8
        ("2025-01-26", "2025-02-09", 6),
        // from Mon 9 to Sat 14, and from Tue 24 to Sat 28
        ("2026-02-09", "2026-03-02", 11),
        // weekdays, less holidays on weekdays, and working weekends
        ("2024-01-01", "2025-01-01", 262 - 19 + 8),
        ("2025-01-01", "2026-01-01", 261 - 18 + 5),
        ("2026-01-01", "2027-01-01", 261 - 19 + 6),
        // backwards
        ("2026-01-01", "2024-01-01", 0),
    ] {
        assert_eq!(OFFICE.working(at(from), at(to)), Ok(hours(8 * days)), "{from} to {to}");
        assert_eq!(WORKDAYS.working(at(from), at(to)), Ok(hours(24 * days)), "{from} to {to}");
    }
}

#[test]
fn open_from_the_first_instant_to_before_the_last() {
    for (local, open) in [
        ("2024-10-12 08:59:59.999999999", false),
        ("2024-10-12 09:00", true),
        ("2024-10-12 11:59:59.999999999", true),
        ("2024-10-12 12:00", false),
        ("2024-10-12 13:00", true),
        ("2024-10-12 18:00", false),
        ("2024-10-13 10:00", false),
        ("2024-10-01 10:00", false),
    ] {
        assert_eq!(OFFICE.is_open(at(local)), open, "{local}");
        assert!(ALWAYS.is_open(at(local)), "{local}");
    }
}

#[test]
fn a_year_without_a_notice_is_planned_until_it_comes() {
    let mut days = china();
    let spec = Spec::office_hours();
    let planned = Calendar::compile(&spec, Some(&days)).unwrap();
    let eve = at("2026-12-31 17:00");

    // 1 h on Thursday, 1 h on Friday 1 January, which may well be a holiday
    let due = planned.add(eve, hours(2)).unwrap();
    assert_eq!(due, at("2027-01-01 10:00"));
    assert!(planned.is_planned(eve, due) && planned.whole_days().is_planned(eve, due));
    assert!(!planned.is_planned(eve, planned.add(eve, hours(1)).unwrap()));
    assert!(!planned.is_planned(eve, at("2027-01-01 00:00")), "a year that is only touched");
    assert!(planned.is_planned(eve, at("2027-01-01 00:00:00.000000001")));
    assert!(!planned.is_planned(due, due) && !planned.is_planned(due, eve), "no span");
    assert!(planned.is_planned(at("2023-12-31 23:59"), at("2024-01-02 00:00")));

    let notice = r#"{ "region": "CN", "year": 2027, "edition": 1, "source": "test",
        "holidays": { "2027-01-01": "New Year's Day" }, "working_weekends": ["2027-01-03"] }"#;
    assert!(days.is_planned(2027));
    days.adopt(Notice::parse(notice).unwrap()).unwrap();
    assert!(!days.is_planned(2027));
    let announced = Calendar::compile(&spec, Some(&days)).unwrap();
    let due = announced.add(eve, hours(2)).unwrap();
    assert_eq!(due, at("2027-01-03 10:00"), "the working Sunday");
    assert!(!announced.is_planned(eve, due));

    assert_eq!(planned.add(eve, hours(2)), Ok(at("2027-01-01 10:00")), "compiled before");
}

#[test]
fn a_calendar_that_follows_no_holidays_is_never_planned() {
    let (from, to) = (at("2026-12-31 17:00"), at("2040-01-01 00:00"));
    assert!(!ALWAYS.is_planned(from, to));
    assert!(!OFFICE.round_the_clock().is_planned(from, to));
    let plain = Spec { holidays: None, ..Spec::office_hours() };
    let plain = Calendar::compile(&plain, None).unwrap();
    assert!(!plain.is_planned(from, to));
    assert_eq!(plain.working(at("2024-10-01"), at("2024-10-02")), Ok(hours(8)));
}

#[test]
fn a_working_weekend_has_the_hours_of_the_weekday_of_the_spec() {
    let friday = "08:00-10:00";
    let hours_of = |make_up| {
        let week = week(["09:00-12:00", "", "", "", friday, "10:00-11:00", ""]);
        let spec = Spec { make_up, ..Spec::new("test", "Asia/Shanghai", week) };
        compile(&spec.with_holidays("CN")).working(at("2024-10-12"), at("2024-10-13")).unwrap()
    };
    assert_eq!(hours_of(jiff::civil::Weekday::Monday), hours(3));
    assert_eq!(hours_of(jiff::civil::Weekday::Friday), hours(2));
    assert_eq!(hours_of(jiff::civil::Weekday::Saturday), hours(1));
}
