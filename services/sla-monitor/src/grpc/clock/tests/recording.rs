//! Facts that a person tells.

use super::*;
use crate::clock::MOST_FACTS;

fn record(id: &str, kind: FactKind) -> api::RecordFactRequest {
    api::RecordFactRequest {
        clock_id: id.into(),
        fact_id: "fact-1".into(),
        kind: kind.into(),
        reason: "told by telephone".into(),
        at: None,
        holder: 0,
    }
}

fn pause(id: &str) -> api::RecordFactRequest {
    api::RecordFactRequest { holder: Party::User.into(), ..record(id, FactKind::Pause) }
}

async fn with_an_order() -> (Bench, Clocks, String) {
    let bench = bench_with([confirm()]).await;
    let order = bench.placed("mall", "o-1").await;
    let service = service_of(&bench);
    bench.clock.set(at("2026-03-02 11:00"));
    (bench, service, order.clock_id)
}

#[tokio::test]
async fn a_fact_that_is_recorded_by_hand_counts_once() {
    for (request, state) in [
        (pause as fn(&str) -> _, ClockState::Paused),
        (|id| record(id, FactKind::Stop), ClockState::Stopped),
        (|id| record(id, FactKind::Cancel), ClockState::Cancelled),
        (|id| record(id, FactKind::Exempt), ClockState::Paused),
    ] {
        let (bench, service, id) = with_an_order().await;
        for repeated in [false, true] {
            let reply = service.record_fact(by_li(request(&id))).await.unwrap().into_inner();
            let clock = reply.clock.unwrap();
            assert_eq!((clock.state(), reply.repeated), (state, repeated));
            let fact = clock.facts.last().unwrap();
            assert_eq!((fact.evidence.as_str(), fact.event.as_str()), ("fact-1", ""));
            assert_eq!(fact.reason, "told by telephone");
            assert_eq!(fact.at, Some(to_proto(at("2026-03-02 11:00"))));
            bench.clock.advance(SignedDuration::from_mins(1));
        }
        let ends = matches!(state, ClockState::Stopped | ClockState::Cancelled);
        let said = bench.log.history(&format!("clock.{id}")).await.unwrap().len();
        assert_eq!(said, 2 + usize::from(ends), "a result comes with the end");
    }
}

#[tokio::test]
async fn a_halt_and_its_end_can_both_be_recorded_by_hand() {
    let (bench, service, id) = with_an_order().await;
    let clock = service.record_fact(by_li(pause(&id))).await.unwrap().into_inner().clock.unwrap();
    assert_eq!((clock.holder(), due(&clock)), (Party::User, None));
    bench.clock.set(at("2026-03-02 15:00"));
    let resume =
        api::RecordFactRequest { fact_id: "fact-2".into(), ..record(&id, FactKind::Resume) };
    let clock = service.record_fact(by_li(resume)).await.unwrap().into_inner().clock.unwrap();
    assert_eq!((clock.holder(), due(&clock)), (Party::Supplier, Some(at("2026-03-02 16:00"))));
    let exempt =
        api::RecordFactRequest { fact_id: "fact-3".into(), ..record(&id, FactKind::Exempt) };
    let clock = service.record_fact(by_li(exempt)).await.unwrap().into_inner().clock.unwrap();
    assert_eq!(clock.holder(), Party::ForceMajeure);
    bench.clock.set(at("2026-03-02 20:00"));
    let end =
        api::RecordFactRequest { fact_id: "fact-4".into(), ..record(&id, FactKind::ExemptEnd) };
    let clock = service.record_fact(by_li(end)).await.unwrap().into_inner().clock.unwrap();
    assert_eq!(due(&clock), Some(at("2026-03-02 21:00")));
}

#[tokio::test]
async fn a_fact_without_effect_is_refused_and_not_kept() {
    let (bench, service, id) = with_an_order().await;
    let before = bench.log.last_position().await.unwrap();
    for kind in [FactKind::Resume, FactKind::ExemptEnd] {
        let idle = service.record_fact(by_li(record(&id, kind))).await;
        refused(idle, Code::FailedPrecondition, "WITHOUT_EFFECT");
    }
    assert_eq!(bench.log.last_position().await.unwrap(), before);
    service.record_fact(by_li(record(&id, FactKind::Stop))).await.unwrap();
    for kind in [FactKind::Stop, FactKind::Cancel, FactKind::Exempt] {
        let again = api::RecordFactRequest { fact_id: "fact-2".into(), ..record(&id, kind) };
        let ended = service.record_fact(by_li(again)).await;
        refused(ended, Code::FailedPrecondition, "WITHOUT_EFFECT");
    }
}

#[tokio::test]
async fn some_kinds_are_for_events_only() {
    let (_bench, service, id) = with_an_order().await;
    for kind in [FactKind::Start, FactKind::Reset, FactKind::Extend, FactKind::Unspecified] {
        let status = service.record_fact(by_li(record(&id, kind))).await.unwrap_err();
        assert_eq!(fields(&status), ["kind"], "{kind:?}");
    }
    for kind in [-1, 10, i32::MAX] {
        let unknown = api::RecordFactRequest { kind, ..record(&id, FactKind::Stop) };
        assert_eq!(fields(&service.record_fact(by_li(unknown)).await.unwrap_err()), ["kind"]);
    }
}

#[tokio::test]
async fn a_pause_names_who_holds_the_case() {
    let (_bench, service, id) = with_an_order().await;
    for holder in [0, 8, -1] {
        let nobody = api::RecordFactRequest { holder, ..pause(&id) };
        assert_eq!(fields(&service.record_fact(by_li(nobody)).await.unwrap_err()), ["holder"]);
    }
    let stop = api::RecordFactRequest { holder: Party::User.into(), ..record(&id, FactKind::Stop) };
    let clock = service.record_fact(by_li(stop)).await.unwrap().into_inner().clock.unwrap();
    assert_eq!(clock.facts.last().unwrap().holder(), Party::Unspecified, "it means nothing there");
}

#[tokio::test]
async fn a_repeat_says_the_same_or_is_refused_with_the_field() {
    let (_bench, service, id) = with_an_order().await;
    let named = Some(to_proto(at("2026-03-02 10:30")));
    let first = api::RecordFactRequest { at: named, ..pause(&id) };
    service.record_fact(by_li(first.clone())).await.unwrap();
    for (other, field) in [
        (api::RecordFactRequest { kind: FactKind::Stop.into(), ..pause(&id) }, "kind"),
        (api::RecordFactRequest { reason: "another".into(), ..pause(&id) }, "reason"),
        (api::RecordFactRequest { holder: Party::Dealer.into(), ..pause(&id) }, "holder"),
        (api::RecordFactRequest { at: Some(to_proto(at("2026-03-02 10:31"))), ..pause(&id) }, "at"),
    ] {
        let status = service.record_fact(by_li(other)).await.unwrap_err();
        assert_eq!(
            (status.code(), reason(&status).as_str()),
            (Code::AlreadyExists, "DIFFERENT_CONTENT")
        );
        assert!(status.message().contains(field), "{}", status.message());
    }
    for same in [first, pause(&id)] {
        assert!(service.record_fact(by_li(same)).await.unwrap().into_inner().repeated);
    }
}

#[tokio::test]
async fn a_fact_lies_in_the_past() {
    let (_bench, service, id) = with_an_order().await;
    let of = |local: &str| api::RecordFactRequest {
        at: Some(to_proto(at(local))),
        ..record(&id, FactKind::Stop)
    };
    let future = service.record_fact(by_li(of("2026-03-02 11:01"))).await.unwrap_err();
    assert_eq!(fields(&future), ["at"]);
    let clock = service.record_fact(by_li(of("2026-03-02 10:10"))).await.unwrap().into_inner();
    assert_eq!(clock.clock.unwrap().ended_at, Some(to_proto(at("2026-03-02 10:10"))));
}

#[tokio::test]
async fn a_stop_that_is_recorded_late_withdraws_the_breach() {
    let (bench, service, id) = with_an_order().await;
    let order = about("care", "confirm", ("order_id", "o-1"), "mall");
    bench.advance(&order, "2026-03-02 13:00").await;
    let stop = api::RecordFactRequest {
        at: Some(to_proto(at("2026-03-02 11:50"))),
        ..record(&id, FactKind::Stop)
    };
    let clock = service.record_fact(by_li(stop)).await.unwrap().into_inner().clock.unwrap();
    assert_eq!(clock.committed.as_ref().unwrap().breach(), BreachState::Withdrawn);
    assert_eq!((clock.cycles_met, clock.cycles_breached), (1, 0));
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let (_bench, service, id) = with_an_order().await;
    let nothing = api::RecordFactRequest::default();
    let status = service.record_fact(by_li(nothing)).await.unwrap_err();
    assert_eq!(fields(&status), ["clock_id", "fact_id", "kind", "reason"]);
    let hostile = api::RecordFactRequest {
        clock_id: "x".repeat(1_000_000),
        fact_id: "a b".into(),
        kind: FactKind::Pause.into(),
        reason: "\u{0}".into(),
        at: Some(prost_types::Timestamp { seconds: i64::MAX, nanos: -1 }),
        holder: i32::MIN,
    };
    let status = service.record_fact(by_li(hostile)).await.unwrap_err();
    assert_eq!(fields(&status), ["at", "clock_id", "fact_id", "holder", "reason"]);
    refused(service.record_fact(by_li(pause("nothing"))).await, Code::NotFound, "UNKNOWN_CLOCK");
    let nobody = service.record_fact(Request::new(pause(&id))).await.unwrap_err();
    assert_eq!(nobody.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn that_a_duty_was_done_is_recorded_by_hand() {
    let bench = crate::grpc::testing::bench().await;
    let duty = api::DutyPolicy {
        name: "report".into(),
        title: "Monthly report".into(),
        period: api::DutyPeriod::Month.into(),
        calendar: "workdays".into(),
        owner: "clerk".into(),
        ..api::DutyPolicy::default()
    };
    bench.publish(&api::Profile { duties: vec![duty], ..profile("duties", []) }).await;
    let plan = bench.book.rules().plan("duties", 1, "report").unwrap();
    let march = crate::duty::period(start(), api::DutyPeriod::Month, &plan).unwrap();
    let duty = plan.policy.duty.as_ref().unwrap();
    let owed = crate::duty::owed_in(&march, api::DutyPeriod::Month, duty, &plan).unwrap();
    let id = crate::hear::clock_id("duties", "report", &[], "2026-03");
    let period = About {
        clock_id: id.clone(),
        profile: "duties".into(),
        clock: "report".into(),
        period: "2026-03".into(),
        ..About::default()
    };
    bench.note(&period, &owed[0].start).await;
    let service = service_of(&bench);
    let clock = service.get_clock(by_li(get(&id))).await.unwrap().into_inner().clock.unwrap();
    assert_eq!((clock.period.as_str(), clock.owner.as_str()), ("2026-03", "clerk"));
    assert_eq!(due(&clock), Some(at("2026-04-01 00:00")));
    bench.clock.set(at("2026-03-31 17:00"));
    let done = service.record_fact(by_li(record(&id, FactKind::Stop))).await.unwrap().into_inner();
    let done = done.clock.unwrap();
    assert_eq!((done.state(), done.cycles_met), (ClockState::Stopped, 1));
}

#[tokio::test]
async fn a_clock_does_not_grow_without_end() {
    let (bench, service, id) = with_an_order().await;
    let order = about("care", "confirm", ("order_id", "o-1"), "mall");
    for number in 1..MOST_FACTS {
        let kind = if number % 2 == 1 { FactKind::Pause } else { FactKind::Resume };
        let fact =
            Fact { evidence: format!("ORDERING/{number}"), ..fact(kind, "2026-03-02 10:30") };
        bench.note(&order, &fact).await;
    }
    assert_eq!(bench.row(&id).await.unwrap().facts.len(), MOST_FACTS);
    let one_more = service.record_fact(by_li(record(&id, FactKind::Stop))).await;
    refused(one_more, Code::FailedPrecondition, "TOO_MANY_FACTS");
}
