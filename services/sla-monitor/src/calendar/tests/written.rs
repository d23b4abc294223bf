//! Notices, books, weeks and specs as they are written down, and what is said when they are wrong.

use std::error::Error;

use serde_json::{Value, json};

use super::*;

/// An error and its causes, as the log has them.
fn told(error: &dyn Error) -> String {
    let cause = error.source().map(|cause| format!(": {}", told(cause)));
    format!("{error}{}", cause.unwrap_or_default())
}

/// A notice that is good, with one thing changed.
fn notice(field: &str, value: Value) -> Result<Notice, NoticeError> {
    let mut notice = json!({
        "region": "CN", "year": 2025, "edition": 1, "source": "test",
        "holidays": { "2025-01-01": "New Year's Day" }, "working_weekends": ["2025-01-26"],
    });
    notice[field] = value;
    Notice::parse(&notice.to_string())
}

#[test]
fn the_official_notices_are_read_in_full() {
    let figures: Vec<_> = official()
        .iter()
        .map(|it| (it.year(), it.edition(), it.holidays().len(), it.working_weekends().len()))
        .collect();
    assert_eq!(figures, [(2024, 1, 28, 8), (2025, 1, 28, 5), (2026, 1, 33, 6)]);
    for notice in official() {
        assert_eq!(notice.region(), "CN");
        assert!(notice.source().contains("chinesecalendar"), "{}", notice.source());
    }
    let book = china();
    assert_eq!(book.years().collect::<Vec<_>>(), [2024, 2025, 2026]);
    assert_eq!(book.day("2025-10-06".parse().unwrap()), Day::Holiday("Mid-autumn Festival"));
    assert_eq!(book.day("2025-10-11".parse().unwrap()), Day::MakeUp);
    assert_eq!(book.day("2025-10-12".parse().unwrap()), Day::Plain);
    assert_eq!(book.day("2027-10-01".parse().unwrap()), Day::Plain);
    assert_eq!(book.notice(2025), official().get(1));
}

#[test]
fn a_notice_that_is_wrong_says_where() {
    for (field, value, text) in [
        ("region", json!(" "), "region: it is empty"),
        ("source", json!(""), "source: it is empty"),
        ("year", json!(1999), "year: 1999 is not one of 2000 to 2099"),
        ("year", json!(2100), "year: 2100 is not one of 2000 to 2099"),
        ("year", json!(2024), "holidays: 2025-01-01 is not in 2024"),
        ("edition", json!(0), "edition: the first is 1"),
        (
            "holidays",
            json!({ "2026-01-01": "New Year's Day" }),
            "holidays: 2026-01-01 is not in 2025",
        ),
        (
            "holidays",
            json!({ "2025-02-30": "none" }),
            "holidays: \"2025-02-30\" is no date such as 2026-02-17",
        ),
        (
            "holidays",
            json!({ "2025-1-1": "none" }),
            "holidays: \"2025-1-1\" is no date such as 2026-02-17",
        ),
        (
            "holidays",
            json!({ "2025-01-26": "Spring Festival" }),
            "working_weekends: 2025-01-26 is a holiday as well",
        ),
        ("working_weekends", json!(["2024-02-04"]), "working_weekends: 2024-02-04 is not in 2025"),
        ("working_weekends", json!(["2025-10-10"]), "working_weekends: 2025-10-10 is a Friday"),
        (
            "working_weekends",
            json!(["2025-01-26", "2025-01-26"]),
            "working_weekends: 2025-01-26 is listed twice",
        ),
        (
            "working_weekends",
            json!(["2025-01-26T10:00"]),
            "working_weekends: \"2025-01-26T10:00\" is no date such as 2026-02-17",
        ),
    ] {
        assert_eq!(told(&notice(field, value).unwrap_err()), text);
    }
    for (field, value, text) in [
        ("holiday", json!({}), "unknown field `holiday`"),
        ("year", json!(70_000), "expected i16"),
        ("edition", json!(-1), "expected u32"),
        ("working_weekends", json!(null), "expected a sequence"),
    ] {
        let told = told(&notice(field, value).unwrap_err());
        assert!(told.contains(text) && told.contains("at line 1 column"), "{told}");
    }
    let told = told(&Notice::parse("{}").unwrap_err());
    assert!(told.starts_with("missing field `region`"), "{told}");
}

#[test]
fn the_latest_edition_counts_in_whatever_order_they_come() {
    let edition = |number: u32| notice("edition", json!(number)).unwrap();
    let mut rising = Days::new("CN");
    assert_eq!(rising.adopt(edition(1)), Ok(Adoption::Adopted));
    assert_eq!(rising.adopt(edition(1)), Ok(Adoption::Repeated));
    assert_eq!(rising.adopt(edition(3)), Ok(Adoption::Adopted));
    let mut falling = Days::new("CN");
    assert_eq!(falling.adopt(edition(3)), Ok(Adoption::Adopted));
    assert_eq!(falling.adopt(edition(1)), Ok(Adoption::Outdated));
    assert_eq!(rising, falling);
    assert_eq!(falling.notice(2025).map(Notice::edition), Some(3));
}

#[test]
fn a_book_refuses_what_contradicts_it() {
    let mut book = Days::new("CN");
    book.adopt(notice("edition", json!(1)).unwrap()).unwrap();
    let before = book.clone();
    let other = book.adopt(notice("holidays", json!({})).unwrap()).unwrap_err();
    assert_eq!(told(&other), "edition 1 of 2025 is known with another content");
    let abroad = book.adopt(notice("region", json!("SG")).unwrap()).unwrap_err();
    assert_eq!(told(&abroad), "a notice of the region \"SG\" is not for the book of \"CN\"");
    assert_eq!(book, before);
}

#[test]
fn a_week_that_is_wrong_says_where() {
    for (tuesday, text) in [
        ("12:00-09:00", "Tuesday 12:00-09:00: it does not end after it begins"),
        ("09:00-09:00", "Tuesday 09:00-09:00: it does not end after it begins"),
        ("22:00-24:01", "Tuesday 22:00-24:01: the day ends at 24:00"),
        (
            "09:00-12:00 11:00-13:00",
            "Tuesday 11:00-13:00: there is no break between 09:00-12:00 and it",
        ),
        (
            "09:00-12:00 12:00-13:00",
            "Tuesday 12:00-13:00: there is no break between 09:00-12:00 and it",
        ),
        (
            "13:00-18:00 09:00-12:00",
            "Tuesday 09:00-12:00: there is no break between 13:00-18:00 and it",
        ),
        (
            "01:00-02:00 03:00-04:00 05:00-06:00 07:00-08:00 09:00-10:00 11:00-12:00",
            "Tuesday: more than 5 stretches",
        ),
        ("", "no day is open"),
    ] {
        let week = Week::try_new(["", tuesday, "", "", "", "", ""].map(day));
        assert_eq!(told(&week.unwrap_err()), text);
    }
}

#[test]
fn a_spec_that_is_wrong_says_what() {
    let office = Spec::office_hours;
    let unknown_zone = Spec { zone: "Asia/Atlantis".to_owned(), ..office() };
    let text = told(&Calendar::compile(&unknown_zone, Some(&china())).unwrap_err());
    assert!(
        text.starts_with("calendar \"5x8\": the time zone \"Asia/Atlantis\" cannot be used: "),
        "{text}"
    );
    let no_book = "calendar \"5x8\": there is no day book of the region \"CN\"";
    for book in [None, Some(&Days::new("SG"))] {
        assert_eq!(told(&Calendar::compile(&office(), book).unwrap_err()), no_book);
    }
    let closed = Spec { make_up: jiff::civil::Weekday::Sunday, ..office() };
    assert_eq!(
        told(&Calendar::compile(&closed, Some(&china())).unwrap_err()),
        "calendar \"5x8\": working weekends have the hours of Sunday, which is closed"
    );
}

#[test]
fn a_calendar_knows_one_century() {
    let (first, last) = (at("2000-01-01 00:00"), at("2100-01-01 00:00"));
    let nanosecond = jiff::SignedDuration::from_nanos(1);
    for calendar in [&*ALWAYS, &*OFFICE, &*WORKDAYS] {
        assert!(calendar.working(first, last).is_ok());
        let too_early = calendar.working(first - nanosecond, last).unwrap_err();
        assert_eq!(
            told(&too_early),
            "1999-12-31T15:59:59.999999999Z lies outside the years 2000 to 2099"
        );
        assert_eq!(calendar.add(first - nanosecond, hours(1)), Err(too_early));
        let too_late = calendar.working(first, last + nanosecond).unwrap_err();
        assert_eq!(
            told(&too_late),
            "2099-12-31T16:00:00.000000001Z lies outside the years 2000 to 2099"
        );
        assert!(!calendar.is_open(first - nanosecond) && !calendar.is_open(last));

        let text =
            "counted from 2099-12-30T16:00:00Z, it does not end within the years 2000 to 2099";
        let eve = last - hours(24);
        for too_long in [hours(25), jiff::SignedDuration::MAX] {
            assert_eq!(told(&calendar.add(eve, too_long).unwrap_err()), text);
        }
        for span in [
            Span::new(u32::MAX, Unit::Hours),
            Span::new(2, Unit::WorkingDays),
            Span::new(2, Unit::Days),
            Span::new(1, Unit::Days).to_end_of_day(),
            Span::new(u32::MAX, Unit::Days),
            Span::new(u32::MAX, Unit::Years),
        ] {
            assert_eq!(told(&span.end(eve, calendar).unwrap_err()), text, "{span:?}");
        }
        assert_eq!(Span::new(0, Unit::Days).end(first - nanosecond, calendar), Err(too_early));
        assert_eq!(Span::new(1, Unit::Days).end(eve, calendar), Ok(last));
    }
    assert_eq!(OFFICE.add(last, jiff::SignedDuration::ZERO), Ok(last));
    // all open time there is: the last office day ends on Thursday 2099-12-31 at 18:00
    let all = OFFICE.working(first, last).unwrap();
    assert_eq!(OFFICE.add(first, all), Ok(at("2099-12-31 18:00")));
    assert!(OFFICE.add(first, all + nanosecond).is_err());

    let backwards = OFFICE.add(first, hours(-8)).unwrap_err();
    assert_eq!(told(&backwards), "-PT8H of open time cannot be added: it is negative");
}

#[test]
fn what_touches_is_one_run_and_debug_leaves_the_table_out() {
    // two a day; one for each row of working days; one for the century
    for (calendar, runs) in [(&*OFFICE, 52_104), (&*WORKDAYS, 5_217), (&*ALWAYS, 1)] {
        let told = format!("{:?}", calendar.clone());
        assert!(told.contains(&format!(" {runs} runs")), "{told}");
        assert!(told.len() < 1000, "{told}");
    }
}
