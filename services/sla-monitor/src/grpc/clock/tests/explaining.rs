//! Why a clock is due when it is.

use super::*;

fn explain(id: &str) -> Request<api::ExplainClockRequest> {
    by_platform("mall", api::ExplainClockRequest { clock_id: id.into() })
}

#[tokio::test]
async fn a_clock_is_explained_as_committed_and_as_the_rules_are_now() {
    let bench = bench_with([confirm()]).await;
    let service = service_of(&bench);
    let order = bench.placed("mall", "o-1").await;
    bench.advance(&order, "2026-03-02 12:30").await;
    let same = service.explain_clock(explain(&order.clock_id)).await.unwrap().into_inner();
    assert_eq!(same.as_committed, same.as_restated);
    assert_eq!(same.as_of, Some(to_proto(at("2026-03-02 12:30"))));
    assert_eq!(same.clock, bench.row(&order.clock_id).await);

    let slower = ClockPolicy { committed: hours(3), title: "Slower".into(), ..confirm() };
    bench.publish(&profile("care", [slower])).await;
    let told = service.explain_clock(explain(&order.clock_id)).await.unwrap().into_inner();
    let (committed, restated) = (told.as_committed.unwrap(), told.as_restated.unwrap());
    assert_eq!((committed.profile_version, committed.breached), (1, true));
    assert_eq!((restated.profile_version, restated.breached), (2, false));
    assert!(committed.sentences.iter().any(|it| it == "Late by 30m."), "{committed:?}");
    assert!(restated.sentences.iter().any(|it| it == "Left: 30m."), "{restated:?}");
    let alone = "By the facts of the clock alone: ";
    assert!(restated.sentences.iter().any(|it| it.starts_with(alone)), "{restated:?}");
    assert!(!committed.sentences.iter().any(|it| it.starts_with(alone)), "{committed:?}");
    assert_eq!(told.clock.unwrap().profile_version, 1, "nothing was changed by asking");
}

#[tokio::test]
async fn a_clock_that_the_newest_version_no_longer_has_is_explained_as_committed_alone() {
    let bench = bench_with([confirm()]).await;
    let service = service_of(&bench);
    let order = bench.placed("mall", "o-1").await;
    bench.publish(&profile("care", [outage()])).await;
    let told = service.explain_clock(explain(&order.clock_id)).await.unwrap().into_inner();
    assert!(told.as_committed.is_some() && told.as_restated.is_none());
}

#[tokio::test]
async fn the_explanation_goes_with_the_time() {
    let bench = bench_with([confirm()]).await;
    let service = service_of(&bench);
    let order = bench.placed("mall", "o-1").await;
    let mut left = Vec::new();
    for now in ["2026-03-02 10:00", "2026-03-02 11:00", "2026-03-02 12:00", "2026-03-02 13:00"] {
        bench.clock.set(at(now));
        let told = service.explain_clock(explain(&order.clock_id)).await.unwrap().into_inner();
        left.push(told.as_committed.unwrap().remaining.unwrap().seconds / 60);
    }
    assert_eq!(left, [120, 60, 0, -60]);
}

#[tokio::test]
async fn what_is_not_there_is_not_explained() {
    let bench = bench_with([confirm()]).await;
    let service = service_of(&bench);
    refused(service.explain_clock(explain("nothing")).await, Code::NotFound, "UNKNOWN_CLOCK");
    assert_eq!(fields(&service.explain_clock(explain("a b")).await.unwrap_err()), ["clock_id"]);
}

#[tokio::test]
async fn beyond_the_calendar_there_is_no_explanation() {
    let bench = bench_with([confirm()]).await;
    let service = service_of(&bench);
    let order = bench.placed("mall", "o-1").await;
    bench.clock.set(at("2100-06-01 10:00"));
    let told = service.explain_clock(explain(&order.clock_id)).await;
    refused(told, Code::FailedPrecondition, "BEYOND_THE_CALENDAR");
}
