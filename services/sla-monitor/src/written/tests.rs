use contracts::sla::{Holiday, HolidayBook};

use super::*;
use crate::grpc::testing::at;

/// Each wrong place of a calendar that was right before this change.
fn of_calendar(change: impl FnOnce(&mut api::Calendar)) -> Vec<String> {
    let mut given = told(&Spec::office_hours());
    change(&mut given);
    let mut fields = Fields::new();
    let read = calendar(&mut fields, &given);
    let violations = fields.finish_some(read).err();
    let all = violations.iter().flat_map(|violations| violations.iter());
    all.map(|violation| violation.field.clone()).collect()
}

fn of_notice(change: impl FnOnce(&mut HolidayNotice)) -> Vec<String> {
    let mut given = first_notices().pop().unwrap();
    change(&mut given);
    let mut fields = Fields::new();
    let read = notice(&mut fields, &given);
    let violations = fields.finish_some(read).err();
    let all = violations.iter().flat_map(|violations| violations.iter());
    all.map(|violation| violation.field.clone()).collect()
}

fn open(from: u32, to: u32) -> DayHours {
    DayHours { open: vec![OpenHours { from, to }] }
}

#[test]
fn the_calendars_of_the_product_are_told_and_read_back() {
    for spec in [Spec::round_the_clock(), Spec::office_hours(), Spec::working_days()] {
        let mut fields = Fields::new();
        assert_eq!(calendar(&mut fields, &told(&spec)), Some(spec));
        assert!(fields.is_fine());
    }
}

#[test]
fn the_notices_of_the_product_are_told_and_read_back() {
    for given in first_notices() {
        let mut fields = Fields::new();
        let read = notice(&mut fields, &given).unwrap();
        assert!(fields.is_fine());
        assert_eq!(told_notice(&read), given);
    }
}

#[test]
fn a_weekday_that_is_left_out_is_monday() {
    let given = api::Calendar { make_up_weekday: 0, ..told(&Spec::office_hours()) };
    let mut fields = Fields::new();
    assert_eq!(calendar(&mut fields, &given), Some(Spec::office_hours()));
}

#[test]
fn a_calendar_names_the_place_that_is_wrong() {
    assert!(of_calendar(|_| {}).is_empty());
    assert_eq!(of_calendar(|it| it.name = "five by eight".into()), ["name"]);
    assert_eq!(of_calendar(|it| it.region = "C N".into()), ["region"]);
    assert_eq!(of_calendar(|it| it.make_up_weekday = 8), ["make_up_weekday"]);
    assert_eq!(of_calendar(|it| it.make_up_weekday = 7), ["make_up_weekday"], "it is closed");
    for zone in ["Asia/Atlantis", "../../etc/passwd", "/etc/localtime", "\u{0}", "", "+08:00"] {
        let places = of_calendar(|it| it.zone = zone.into());
        assert!(
            !places.is_empty() && places.iter().all(|place| place == "zone"),
            "{zone}: {places:?}"
        );
    }
}

#[test]
fn a_week_has_seven_days_of_hours_that_can_be() {
    assert_eq!(of_calendar(|it| it.week.truncate(6)), ["week"]);
    assert_eq!(of_calendar(|it| it.week = vec![DayHours::default(); 100_000]), ["week"]);
    assert_eq!(of_calendar(|it| it.week = vec![DayHours::default(); 7]), ["week"], "never open");
    assert_eq!(of_calendar(|it| it.week[0] = open(600, 600)), ["week"]);
    assert_eq!(of_calendar(|it| it.week[0] = open(600, 540)), ["week"]);
    assert_eq!(of_calendar(|it| it.week[6] = open(0, 1_441)), ["week"]);
    assert_eq!(of_calendar(|it| it.week[6] = open(u32::MAX, u32::MAX)), ["week"]);
    let touching =
        DayHours { open: vec![OpenHours { from: 0, to: 9 }, OpenHours { from: 9, to: 10 }] };
    assert_eq!(of_calendar(|it| it.week[3] = touching), ["week"]);
    let many = DayHours {
        open: (0..6).map(|hour| OpenHours { from: hour * 60, to: hour * 60 + 1 }).collect(),
    };
    assert_eq!(of_calendar(|it| it.week[2] = many), ["week[2].open"]);
}

#[test]
fn a_notice_names_the_place_that_is_wrong() {
    assert!(of_notice(|_| {}).is_empty());
    assert_eq!(of_notice(|it| it.region = String::new()), ["region"]);
    assert_eq!(of_notice(|it| it.source = " ".into()), ["source"]);
    assert_eq!(of_notice(|it| it.source = "s".repeat(1_000_000)), ["source"]);
    for year in [1999, 2100, i32::MIN, 70_000] {
        assert_eq!(of_notice(|it| it.year = year), ["year"]);
    }
    assert_eq!(of_notice(|it| it.edition = 0), [""]);
    assert_eq!(of_notice(|it| it.year = 2030), [""], "its days are of another year");
    let mut dates =
        ["2026-13-01", "2026-1-1", "20260101", "2026-01-01T00:00", "", "\u{0}"].into_iter();
    for date in &mut dates {
        assert_eq!(of_notice(|it| it.holidays[0].date = date.into()), ["holidays[0].date"]);
        assert_eq!(
            of_notice(|it| it.working_weekends = vec!["2026-02-14".into(), date.into()]),
            ["working_weekends[1]"]
        );
    }
    assert_eq!(of_notice(|it| it.holidays[1].name = String::new()), ["holidays[1].name"]);
    assert_eq!(of_notice(|it| it.holidays = vec![Holiday::default(); 101]), ["holidays"]);
    assert_eq!(
        of_notice(|it| it.working_weekends = vec![String::new(); 101]),
        ["working_weekends"]
    );
}

#[test]
fn a_day_is_named_once() {
    assert_eq!(of_notice(|it| it.holidays.push(it.holidays[0].clone())), ["holidays"]);
    assert_eq!(
        of_notice(|it| it.working_weekends.push(it.working_weekends[0].clone())),
        ["holidays"]
    );
    assert_eq!(of_notice(|it| it.working_weekends.push(it.holidays[0].date.clone())), [""]);
    assert_eq!(of_notice(|it| it.working_weekends.push("2026-03-04".into())), [""], "a Wednesday");
}

#[test]
fn a_calendar_counts_with_the_official_days_of_its_region() {
    let notices = first_notices();
    let china = book(&HolidayBook { region: "CN".into(), notices: notices.clone() });
    let office = told(&Spec::office_hours());
    let noon = at("2026-01-01 11:00");
    let with = compile(&office, std::slice::from_ref(&china)).unwrap();
    assert!(!with.is_open(noon), "New Year");
    assert!(!with.is_planned(noon, at("2026-01-02 11:00")));
    let without = compile(&office, &[]).unwrap();
    assert!(without.is_open(noon) && without.is_planned(noon, at("2026-01-02 11:00")));
    let elsewhere = compile(&api::Calendar { region: "DE".into(), ..office }, &[china]).unwrap();
    assert!(elsewhere.is_open(noon));
}

#[test]
fn a_notice_that_cannot_be_used_leaves_the_others() {
    let mut notices = first_notices();
    let count = notices.len();
    notices[0].edition = 0;
    let known = book(&HolidayBook { region: "CN".into(), notices });
    assert_eq!(known.years().count(), count - 1);
    let broken = api::Calendar { zone: "Asia/Atlantis".into(), ..told(&Spec::office_hours()) };
    assert!(compile(&broken, &[known]).unwrap_err().contains("zone"));
}
