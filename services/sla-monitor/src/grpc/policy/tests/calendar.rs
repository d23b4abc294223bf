//! Calendars, and the clocks that go by them.

use contracts::sla::{BreachState, DayHours, OpenHours, SpanUnit, Target};

use super::*;
use crate::grpc::testing::{at, span};

/// A shop that is open each day between these hours.
fn shop(from: u32, to: u32) -> api::Calendar {
    let day = DayHours { open: vec![OpenHours { from: from * 60, to: to * 60 }] };
    api::Calendar {
        name: "shop".into(),
        zone: "Asia/Shanghai".into(),
        week: vec![day; 7],
        region: String::new(),
        make_up_weekday: 1,
    }
}

fn publish(calendar: api::Calendar) -> Request<api::PublishCalendarRequest> {
    by_li(api::PublishCalendarRequest { calendar: Some(calendar) })
}

/// A bench on which orders are confirmed within 2 hours of the shop, open from 9 to 18.
async fn with_shop() -> (Bench, Policies) {
    let bench = bench().await;
    let service = service_of(&bench);
    service.publish_calendar(publish(shop(9, 18))).await.unwrap();
    bench.publish(&profile("care", [ClockPolicy { calendar: "shop".into(), ..confirm() }])).await;
    (bench, service)
}

#[tokio::test]
async fn a_calendar_is_published_version_after_version() {
    let bench = bench().await;
    let service = service_of(&bench);
    for (given, version, repeated) in
        [(shop(9, 18), 1, false), (shop(9, 18), 1, true), (shop(9, 20), 2, false)]
    {
        let reply = service.publish_calendar(publish(given.clone())).await.unwrap().into_inner();
        let published = reply.published.unwrap();
        assert_eq!((published.version, reply.repeated), (version, repeated));
        assert_eq!(published.calendar, Some(given));
    }
    let late = at("2026-03-02 19:00");
    assert!(bench.book.rules().calendar("shop").unwrap().is_open(late));
    let list = by_platform("mall", api::ListCalendarsRequest {});
    let listed = service.list_calendars(list).await.unwrap().into_inner();
    let names: Vec<_> =
        listed.calendars.iter().map(|it| it.calendar.as_ref().unwrap().name.as_str()).collect();
    assert_eq!(names, ["24x7", "5x8", "shop", "workdays"]);
    assert_eq!(listed.holidays.len(), 1);
    assert_eq!(listed.holidays[0].region, "CN");
}

#[tokio::test]
async fn a_calendar_that_cannot_be_is_refused_with_the_place() {
    let bench = bench().await;
    let service = service_of(&bench);
    let of = |change: fn(&mut api::Calendar)| {
        let mut calendar = shop(9, 18);
        change(&mut calendar);
        calendar
    };
    for (wrong, place) in [
        (of(|it| it.name = "the shop".into()), "calendar.name"),
        (of(|it| it.zone = "Asia/Atlantis".into()), "calendar.zone"),
        (of(|it| it.week.truncate(6)), "calendar.week"),
        (of(|it| it.week = vec![DayHours::default(); 7]), "calendar.week"),
        (of(|it| it.week[2].open[0].to = 1), "calendar.week"),
        (of(|it| it.week[2].open = vec![OpenHours { from: 0, to: 1 }; 6]), "calendar.week[2].open"),
        (of(|it| it.make_up_weekday = 9), "calendar.make_up_weekday"),
        (
            of(|it| {
                it.region = "CN".into();
                it.week[0] = DayHours::default();
            }),
            "calendar.make_up_weekday",
        ),
    ] {
        let refused = service.publish_calendar(publish(wrong)).await.unwrap_err();
        assert_eq!(fields(&refused), [place]);
    }
    let nothing = by_li(api::PublishCalendarRequest { calendar: None });
    assert_eq!(fields(&service.publish_calendar(nothing).await.unwrap_err()), ["calendar"]);
    let nobody = Request::new(api::PublishCalendarRequest { calendar: Some(shop(9, 18)) });
    assert_eq!(service.publish_calendar(nobody).await.unwrap_err().code(), Code::Unauthenticated);
    assert!(bench.book.rules().calendar("shop").is_none());
}

#[tokio::test]
async fn clocks_that_go_by_a_calendar_are_planned_anew() {
    let (bench, service) = with_shop().await;
    let order = bench.placed("mall", "o-1").await;
    assert_eq!(due(&bench, &order.clock_id).await, "2026-03-02 12:00");
    service.publish_calendar(publish(shop(9, 11))).await.unwrap();
    assert_eq!(due(&bench, &order.clock_id).await, "2026-03-03 10:00");
    assert_eq!(told(&bench, &order.clock_id).await, ["ClockStarted", "ClockReplanned"]);
    let row = bench.row(&order.clock_id).await.unwrap();
    assert_eq!(row.profile_version, 1, "its rules are those of its start");
}

#[tokio::test]
async fn clocks_that_go_by_another_calendar_or_have_ended_stay_as_they_are() {
    let (bench, service) = with_shop().await;
    bench.publish(&profile("always", [confirm()])).await;
    let always = crate::grpc::testing::about("always", "confirm", ("order_id", "o-1"), "mall");
    let begun = crate::grpc::testing::fact(api::FactKind::Start, "2026-03-02 10:00");
    bench.note(&always, &begun).await;
    let ended = bench.placed("mall", "o-2").await;
    bench.note(&ended, &crate::grpc::testing::fact(api::FactKind::Stop, "2026-03-02 10:30")).await;
    service.publish_calendar(publish(shop(9, 11))).await.unwrap();
    assert_eq!(told(&bench, &always.clock_id).await, ["ClockStarted"]);
    assert_eq!(
        told(&bench, &ended.clock_id).await,
        ["ClockStarted", "ClockStopped", "ResultRecorded"]
    );
}

#[tokio::test]
async fn a_breach_that_another_calendar_undoes_is_withdrawn() {
    let (bench, service) = with_shop().await;
    let order = bench.placed("mall", "o-1").await;
    bench.advance(&order, "2026-03-02 13:00").await;
    let breach = async || bench.row(&order.clock_id).await.unwrap().committed.unwrap().breach();
    assert_eq!(breach().await, BreachState::Declared);
    service.publish_calendar(publish(shop(9, 11))).await.unwrap();
    assert_eq!(breach().await, BreachState::Withdrawn);
    let told = told(&bench, &order.clock_id).await;
    assert_eq!(told[told.len() - 2..], ["BreachWithdrawn", "ResultRetracted"]);
}

#[tokio::test]
async fn a_repeat_plans_what_the_first_call_was_kept_from_planning() {
    let (bench, service) = with_shop().await;
    let order = bench.placed("mall", "o-1").await;
    // the process was killed between the two
    let call = chassis::testing::call("李", None, Role::Operator);
    let shorter = shop(9, 11);
    let publish_it = |series: &CalendarSeries| series.publish(&shorter, "李", start());
    bench.log.transact("shop", &call.context(start()), publish_it).await.unwrap();
    bench.book.reload().await.unwrap();
    assert_eq!(due(&bench, &order.clock_id).await, "2026-03-02 12:00");
    let reply = service.publish_calendar(publish(shorter.clone())).await.unwrap().into_inner();
    assert!(reply.repeated);
    assert_eq!(due(&bench, &order.clock_id).await, "2026-03-03 10:00");
    service.publish_calendar(publish(shorter.clone())).await.unwrap();
    assert_eq!(told(&bench, &order.clock_id).await, ["ClockStarted", "ClockReplanned"], "once");
}

#[tokio::test]
async fn a_clock_that_cannot_be_planned_anew_does_not_keep_the_others_from_it() {
    let bench = bench().await;
    let service = service_of(&bench);
    service.publish_calendar(publish(shop(9, 18))).await.unwrap();
    let of = |name: &str, committed: Option<Target>| ClockPolicy {
        name: name.into(),
        calendar: "shop".into(),
        committed,
        contractual: None,
        ..confirm()
    };
    // ten thousand hours of a shop that is open for an hour a day are more than there will be
    let long = Target { span: span(100_000, SpanUnit::Hours), field: String::new() };
    let clocks = [of("confirm", hours(2)), of("never", Some(long))];
    bench.publish(&profile("care", clocks)).await;
    let order = bench.placed("mall", "o-1").await;
    let never = crate::grpc::testing::about("care", "never", ("order_id", "o-1"), "mall");
    let begun = crate::grpc::testing::fact(api::FactKind::Start, "2026-03-02 10:00");
    bench.note(&never, &begun).await;
    let before = due(&bench, &never.clock_id).await;
    service.publish_calendar(publish(shop(9, 10))).await.unwrap();
    assert_eq!(due(&bench, &never.clock_id).await, before);
    assert_eq!(due(&bench, &order.clock_id).await, "2026-03-04 10:00");
}
