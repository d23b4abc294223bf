//! A deadline moves by consent.

use super::*;

fn extend(id: &str) -> api::ExtendDeadlineRequest {
    api::ExtendDeadlineRequest {
        clock_id: id.into(),
        consent_id: "consent-1".into(),
        until: Some(to_proto(at("2026-03-03 18:00"))),
        reason: "the user needs it on Tuesday".into(),
        at: None,
    }
}

async fn with_an_order() -> (Bench, Clocks, String) {
    let bench = bench_with([confirm()]).await;
    let order = bench.placed("mall", "o-1").await;
    let service = service_of(&bench);
    bench.clock.set(at("2026-03-02 11:00"));
    (bench, service, order.clock_id)
}

#[tokio::test]
async fn consent_moves_the_deadline_once() {
    let (bench, service, id) = with_an_order().await;
    for repeated in [false, true] {
        let reply = service.extend_deadline(by_platform("mall", extend(&id))).await.unwrap();
        let reply = reply.into_inner();
        assert_eq!(reply.repeated, repeated);
        let clock = reply.clock.unwrap();
        assert_eq!(due(&clock), Some(at("2026-03-03 18:00")));
        assert_eq!(clock_row::due(&clock.contractual), Some(at("2026-03-03 18:00")));
        let consent = clock.facts.last().unwrap();
        assert_eq!(consent.kind(), FactKind::Extend);
        assert_eq!(consent.evidence, "consent-1");
        assert_eq!(consent.at, Some(to_proto(at("2026-03-02 11:00"))));
        bench.clock.advance(SignedDuration::from_mins(1));
    }
    assert_eq!(bench.log.history(&format!("clock.{id}")).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_repeat_says_the_same_or_is_refused_with_the_field() {
    let (_bench, service, id) = with_an_order().await;
    let named = Some(to_proto(at("2026-03-02 10:30")));
    let first = api::ExtendDeadlineRequest { at: named, ..extend(&id) };
    service.extend_deadline(by_li(first.clone())).await.unwrap();
    for (other, field) in [
        (
            api::ExtendDeadlineRequest {
                until: Some(to_proto(at("2026-03-04 18:00"))),
                ..extend(&id)
            },
            "until",
        ),
        (api::ExtendDeadlineRequest { reason: "another".into(), ..extend(&id) }, "reason"),
        (
            api::ExtendDeadlineRequest {
                at: Some(to_proto(at("2026-03-02 10:31"))),
                ..extend(&id)
            },
            "at",
        ),
    ] {
        let status = service.extend_deadline(by_li(other)).await.unwrap_err();
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::AlreadyExists, "DIFFERENT_CONTENT")
        );
        assert!(status.message().contains(field), "{}", status.message());
    }
    for same in [first, extend(&id)] {
        assert!(service.extend_deadline(by_li(same)).await.unwrap().into_inner().repeated);
    }
}

#[tokio::test]
async fn consent_to_less_time_takes_it_from_our_promise_and_not_from_the_contract() {
    let (_bench, service, id) = with_an_order().await;
    let earlier = Some(to_proto(at("2026-03-02 11:30")));
    let earlier = api::ExtendDeadlineRequest { until: earlier, ..extend(&id) };
    let clock = service.extend_deadline(by_li(earlier)).await.unwrap().into_inner().clock.unwrap();
    assert_eq!(due(&clock), Some(at("2026-03-02 11:30")));
    assert_eq!(clock_row::due(&clock.contractual), Some(at("2026-03-02 14:00")));
}

#[tokio::test]
async fn consent_that_comes_too_late_undoes_nothing() {
    let (bench, service, id) = with_an_order().await;
    bench.clock.set(at("2026-03-02 12:30"));
    let late = service.extend_deadline(by_li(extend(&id))).await;
    // the contract allows until 14:00, and is extended
    let clock = late.unwrap().into_inner().clock.unwrap();
    assert_eq!(due(&clock), Some(at("2026-03-02 12:00")));
    assert_eq!(clock_row::due(&clock.contractual), Some(at("2026-03-03 18:00")));
    let (bench, service, id) = with_an_order().await;
    bench.clock.set(at("2026-03-02 14:30"));
    let later = service.extend_deadline(by_li(extend(&id))).await;
    refused(later, Code::FailedPrecondition, "WITHOUT_EFFECT");
    let in_time = Some(to_proto(at("2026-03-02 11:59")));
    let told_late = api::ExtendDeadlineRequest { at: in_time, ..extend(&id) };
    let told_late = service.extend_deadline(by_li(told_late)).await.unwrap().into_inner();
    assert_eq!(due(&told_late.clock.unwrap()), Some(at("2026-03-03 18:00")));
}

#[tokio::test]
async fn consent_that_is_told_late_withdraws_the_breach() {
    let (bench, service, id) = with_an_order().await;
    let order = about("care", "confirm", ("order_id", "o-1"), "mall");
    bench.advance(&order, "2026-03-02 13:00").await;
    let given = Some(to_proto(at("2026-03-02 11:30")));
    let told = api::ExtendDeadlineRequest { at: given, ..extend(&id) };
    let clock = service.extend_deadline(by_li(told)).await.unwrap().into_inner().clock.unwrap();
    assert_eq!(clock.committed.unwrap().breach(), BreachState::Withdrawn);
    assert_eq!(clock.cycles_breached, 0);
}

#[tokio::test]
async fn a_clock_that_has_ended_is_not_extended() {
    let (bench, service, id) = with_an_order().await;
    let order = about("care", "confirm", ("order_id", "o-1"), "mall");
    bench.note(&order, &fact(FactKind::Stop, "2026-03-02 10:45")).await;
    let ended = service.extend_deadline(by_li(extend(&id))).await;
    refused(ended, Code::FailedPrecondition, "WITHOUT_EFFECT");
}

#[tokio::test]
async fn another_platform_cannot_extend() {
    let (bench, service, id) = with_an_order().await;
    let before = bench.row(&id).await;
    let foreign = service.extend_deadline(by_platform("other", extend(&id))).await;
    refused(foreign, Code::NotFound, "UNKNOWN_CLOCK");
    refused(
        service.extend_deadline(by_li(extend("nothing"))).await,
        Code::NotFound,
        "UNKNOWN_CLOCK",
    );
    assert_eq!(bench.row(&id).await, before);
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let (_bench, service, id) = with_an_order().await;
    let nothing = api::ExtendDeadlineRequest::default();
    let status = service.extend_deadline(by_li(nothing)).await.unwrap_err();
    assert_eq!(fields(&status), ["clock_id", "consent_id", "reason", "until"]);
    let hostile = api::ExtendDeadlineRequest {
        clock_id: "\u{0}".into(),
        consent_id: "ORDERING/42".into(),
        until: Some(prost_types::Timestamp { seconds: i64::MAX, nanos: -1 }),
        reason: "r".repeat(1_000_000),
        at: Some(prost_types::Timestamp { seconds: i64::MIN, nanos: i32::MAX }),
    };
    let status = service.extend_deadline(by_li(hostile)).await.unwrap_err();
    assert_eq!(fields(&status), ["at", "clock_id", "consent_id", "reason", "until"]);
    let future = Some(to_proto(at("2026-03-02 11:01")));
    let future = api::ExtendDeadlineRequest { at: future, ..extend(&id) };
    assert_eq!(fields(&service.extend_deadline(by_li(future)).await.unwrap_err()), ["at"]);
    for past in ["2026-03-02 11:00", "2026-03-02 10:30", "2025-03-02 10:30"] {
        let past = api::ExtendDeadlineRequest { until: Some(to_proto(at(past))), ..extend(&id) };
        assert_eq!(fields(&service.extend_deadline(by_li(past)).await.unwrap_err()), ["until"]);
    }
    let beyond = Some(to_proto(at("2099-12-31 23:59")));
    let beyond = api::ExtendDeadlineRequest { until: beyond, ..extend(&id) };
    assert!(service.extend_deadline(by_li(beyond)).await.is_ok(), "the century has not ended yet");
}
