use contracts::{common::EventMetadata, sla::Holiday};
use decider::scenario::given;
use eventlog::{Recorded as _, time::to_proto};

use super::*;
use crate::{calendar::Spec, grpc::testing::start, written};

fn office() -> Calendar {
    written::told(&Spec::office_hours())
}

fn longer() -> Calendar {
    Calendar { make_up_weekday: 5, ..office() }
}

fn published(calendar: Calendar, version: u32) -> calendar_event::Event {
    CalendarPublished {
        calendar: Some(calendar),
        version,
        published_at: Some(to_proto(start())),
        published_by: "李".into(),
    }
    .into()
}

fn notice(year: i32, edition: u32, holiday: &str) -> HolidayNotice {
    HolidayNotice {
        region: "CN".into(),
        year,
        edition,
        source: "国务院办公厅".into(),
        holidays: vec![Holiday { date: holiday.into(), name: "元旦".into() }],
        working_weekends: Vec::new(),
    }
}

fn announced(notice: HolidayNotice) -> holidays_event::Event {
    HolidaysPublished {
        notice: Some(notice),
        published_at: Some(to_proto(start())),
        published_by: "李".into(),
    }
    .into()
}

#[test]
fn a_calendar_goes_from_version_to_version() {
    given::<CalendarSeries>([])
        .when(|it| it.publish(&office(), "李", start()))
        .then([published(office(), 1)])
        .repeated();
    given::<CalendarSeries>([published(office(), 1)])
        .when(|it| it.publish(&longer(), "李", start()))
        .then([published(longer(), 2)])
        .repeated();
    given::<CalendarSeries>([published(office(), 1), published(longer(), 2)])
        .when(|it| it.publish(&office(), "李", start()))
        .then([published(office(), 3)])
        .repeated();
}

#[test]
fn the_row_of_a_calendar_is_its_newest_version() {
    let mut row = CalendarRecord::default();
    assert!(CalendarSeries::keys(&row).is_empty());
    for (number, event) in (1..).zip([published(office(), 1), published(longer(), 2)]) {
        CalendarSeries::apply(&mut row, &event, &EventMetadata::default(), number);
    }
    assert_eq!(row, CalendarRecord { calendar: Some(longer()), version: 2 });
    assert_eq!(CalendarSeries::keys(&row), [Key::new("name", "5x8")]);
}

#[test]
fn a_notice_is_taken_in_once() {
    let first = || notice(2027, 1, "2027-01-01");
    given::<Holidays>([])
        .when(|it| it.publish(&first(), "李", start()))
        .then([announced(first())])
        .repeated();
    given::<Holidays>([announced(first())])
        .when(|it| it.publish(&notice(2028, 1, "2028-01-01"), "李", start()))
        .then([announced(notice(2028, 1, "2028-01-01"))])
        .repeated();
}

#[test]
fn a_later_edition_takes_the_place_of_an_earlier_one_and_not_the_other_way_round() {
    let known = || [announced(notice(2027, 2, "2027-01-01"))];
    let third = || notice(2027, 3, "2027-01-02");
    given::<Holidays>(known())
        .when(|it| it.publish(&third(), "李", start()))
        .then([announced(third())])
        .repeated();
    given::<Holidays>(known())
        .when(|it| it.publish(&notice(2027, 1, "2027-01-01"), "李", start()))
        .then_refused(Rejection::Older(2));
    given::<Holidays>(known())
        .when(|it| it.publish(&notice(2027, 2, "2027-01-02"), "李", start()))
        .then_refused(Rejection::Differs(2));
    let both = [announced(notice(2027, 2, "2027-01-01")), announced(third())];
    given::<Holidays>(both)
        .when(|it| it.publish(&notice(2027, 2, "2027-01-01"), "李", start()))
        .then_refused(Rejection::Older(3));
}

#[test]
fn the_row_of_a_region_has_one_notice_a_year_by_year() {
    let mut row = HolidayBook::default();
    let history = [
        notice(2028, 1, "2028-01-01"),
        notice(2026, 1, "2026-01-01"),
        notice(2027, 1, "2027-01-01"),
        notice(2027, 2, "2027-01-02"),
    ];
    for (number, notice) in (1..).zip(history) {
        Holidays::apply(&mut row, &announced(notice), &EventMetadata::default(), number);
    }
    let told: Vec<_> = row.notices.iter().map(|it| (it.year, it.edition)).collect();
    assert_eq!(told, [(2026, 1), (2027, 2), (2028, 1)]);
    assert_eq!(Holidays::keys(&row), [Key::new("name", "CN")]);
}
