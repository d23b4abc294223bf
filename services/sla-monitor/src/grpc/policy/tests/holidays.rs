//! Official days, and the clocks that they concern.

use contracts::sla::{Holiday, HolidayNotice};

use super::*;
use crate::grpc::testing::{about, at, fact};

/// New Year 2027, and perhaps the day after it.
fn notice(edition: u32, days: &[&str]) -> HolidayNotice {
    let holiday = |date: &&str| Holiday { date: (*date).into(), name: "元旦".into() };
    HolidayNotice {
        region: "CN".into(),
        year: 2027,
        edition,
        source: "国务院办公厅".into(),
        holidays: days.iter().map(holiday).collect(),
        working_weekends: vec!["2027-01-02".into()],
    }
}

fn publish(notice: HolidayNotice) -> Request<api::PublishHolidaysRequest> {
    by_li(api::PublishHolidaysRequest { notice: Some(notice) })
}

/// An order of 31 December 2026, 16:00, to be confirmed within 4 office hours.
async fn with_an_order() -> (Bench, Policies, String) {
    let clock =
        ClockPolicy { calendar: "5x8".into(), committed: hours(4), contractual: None, ..confirm() };
    let bench = bench_with([clock]).await;
    bench.clock.set(at("2026-12-31 16:00"));
    let order = about("care", "confirm", ("order_id", "o-1"), "mall");
    bench.note(&order, &fact(api::FactKind::Start, "2026-12-31 16:00")).await;
    let service = service_of(&bench);
    (bench, service, order.clock_id)
}

#[tokio::test]
async fn the_notice_of_a_year_moves_the_clocks_that_were_planned_without_it() {
    let (bench, service, order) = with_an_order().await;
    assert_eq!(due(&bench, &order).await, "2027-01-01 11:00");
    assert!(bench.row(&order).await.unwrap().planned);
    let reply = service.publish_holidays(publish(notice(1, &["2027-01-01"]))).await.unwrap();
    assert!(!reply.into_inner().repeated);
    // Saturday, 2 January, is worked
    assert_eq!(due(&bench, &order).await, "2027-01-02 11:00");
    let row = bench.row(&order).await.unwrap();
    assert!(!row.planned);
    assert_eq!(told(&bench, &order).await, ["ClockStarted", "ClockReplanned"]);
    let reply = service.publish_holidays(publish(notice(1, &["2027-01-01"]))).await.unwrap();
    assert!(reply.into_inner().repeated);
    assert_eq!(told(&bench, &order).await.len(), 2, "a repeat changes nothing");
}

#[tokio::test]
async fn a_later_edition_counts_and_an_earlier_one_is_refused() {
    let (bench, service, order) = with_an_order().await;
    service.publish_holidays(publish(notice(1, &["2027-01-01"]))).await.unwrap();
    let other = notice(1, &["2027-01-01", "2027-01-03"]);
    let differs = service.publish_holidays(publish(other)).await.unwrap_err();
    assert_eq!(
        (differs.code(), reason(&differs).as_str()),
        (Code::AlreadyExists, "DIFFERENT_CONTENT")
    );
    let second = HolidayNotice { working_weekends: vec![], ..notice(2, &["2027-01-01"]) };
    service.publish_holidays(publish(second)).await.unwrap();
    assert_eq!(due(&bench, &order).await, "2027-01-04 11:00", "the weekend is free after all");
    let older = service.publish_holidays(publish(notice(1, &["2027-01-01"]))).await.unwrap_err();
    assert_eq!(
        (older.code(), reason(&older).as_str()),
        (Code::FailedPrecondition, "OLDER_EDITION")
    );
    assert_eq!(due(&bench, &order).await, "2027-01-04 11:00");
}

#[tokio::test]
async fn a_notice_of_another_region_moves_nothing() {
    let (bench, service, order) = with_an_order().await;
    let abroad = HolidayNotice { region: "DE".into(), ..notice(1, &["2027-01-01"]) };
    service.publish_holidays(publish(abroad)).await.unwrap();
    assert_eq!(told(&bench, &order).await, ["ClockStarted"]);
    let list = by_li(api::ListCalendarsRequest {});
    let books = service.list_calendars(list).await.unwrap().into_inner().holidays;
    let told: Vec<_> = books.iter().map(|it| (it.region.as_str(), it.notices.len())).collect();
    assert_eq!(told, [("CN", 3), ("DE", 1)]);
}

#[tokio::test]
async fn a_notice_names_the_place_that_is_wrong() {
    let bench = bench().await;
    let service = service_of(&bench);
    let of = |change: fn(&mut HolidayNotice)| {
        let mut notice = notice(1, &["2027-01-01"]);
        change(&mut notice);
        notice
    };
    for (wrong, place) in [
        (of(|it| it.year = 1999), "notice.year"),
        (of(|it| it.region = String::new()), "notice.region"),
        (of(|it| it.source = String::new()), "notice.source"),
        (of(|it| it.edition = 0), "notice"),
        (of(|it| it.holidays[0].date = "1 January".into()), "notice.holidays[0].date"),
        (of(|it| it.holidays[0].date = "2026-01-01".into()), "notice"),
        (of(|it| it.working_weekends = vec!["2027-01-04".into()]), "notice"),
        (of(|it| it.working_weekends = vec!["2027-01-02".into(); 2]), "notice.holidays"),
    ] {
        let refused = service.publish_holidays(publish(wrong)).await.unwrap_err();
        assert_eq!(fields(&refused), [place]);
    }
    let nothing = by_li(api::PublishHolidaysRequest { notice: None });
    assert_eq!(fields(&service.publish_holidays(nothing).await.unwrap_err()), ["notice"]);
}
