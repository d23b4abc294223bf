//! A draft over history: what it would have breached.

use contracts::{
    Event as _,
    common::{EventMetadata, RecordedEvent},
    ordering::{OrderCancelled, OrderConfirmed, OrderPlaced, OrderTerms, order_event},
    sla::{BindingHistory, CalendarRecord},
};
use eventlog::{bus::Incoming, time::to_proto};

use super::{Asked, Replay};
use crate::{
    first, policy,
    rules::{Rules, first_calendars},
    timeline::tests::sample::at,
};

fn draft(hours: u32) -> policy::Profile {
    let text = r#"{ "name": "draft", "title": "Draft", "clocks": [
        { "name": "respond", "title": "Answer", "kind": "CLOCK_KIND_PROMISE",
          "subject": ["order_id"],
          "start": [{ "event": "emall.ordering.v1.OrderPlaced", "subject": ["terms.order_id"] }],
          "stop": [{ "event": "emall.ordering.v1.OrderConfirmed" }],
          "cancel": [{ "event": "emall.ordering.v1.OrderCancelled" }],
          "committed": { "span": { "amount": LIMIT, "unit": "SPAN_UNIT_HOURS" } },
          "calendar": "24x7" } ] }"#;
    let profile = first::parse(&text.replace("LIMIT", &hours.to_string())).unwrap();
    policy::check(&profile, 0, |_| true).unwrap()
}

fn rules() -> Rules {
    let calendars: Vec<_> = first_calendars()
        .into_iter()
        .map(|calendar| CalendarRecord { calendar: Some(calendar), version: 1 })
        .collect();
    Rules::new(&[], &BindingHistory::default(), &calendars, &[])
}

fn event(position: u64, platform: &str, event: order_event::Event, minute: i64) -> Incoming {
    Incoming {
        context: "ORDERING".into(),
        event: RecordedEvent {
            position,
            stream: "order.x".into(),
            version: 1,
            r#type: event.type_name().into(),
            body: event.encode_body().into(),
            metadata: Some(EventMetadata { platform: platform.into(), ..EventMetadata::default() }),
            recorded_at: Some(to_proto(at(minute))),
        },
    }
}

fn placed(order: &str) -> order_event::Event {
    let terms = OrderTerms { order_id: order.into(), ..OrderTerms::default() };
    OrderPlaced { terms: Some(terms), ..OrderPlaced::default() }.into()
}

fn confirmed(order: &str) -> order_event::Event {
    OrderConfirmed { order_id: order.into(), ..OrderConfirmed::default() }.into()
}

/// Four orders: kept, late, cancelled, open; and one of another platform.
fn history() -> Vec<Incoming> {
    let cancelled = OrderCancelled { order_id: "c".into(), ..OrderCancelled::default() };
    vec![
        event(1, "mall", placed("a"), 0),
        event(2, "mall", placed("b"), 0),
        event(3, "mall", placed("c"), 10),
        event(4, "other", placed("z"), 10),
        event(5, "mall", confirmed("a"), 60),
        event(6, "mall", cancelled.into(), 70),
        event(7, "mall", confirmed("b"), 300),
        event(8, "mall", placed("d"), 400),
    ]
}

fn asked() -> Asked {
    Asked { platform: Some("mall".into()), from: None, to: at(450), examples: 10 }
}

fn tested(hours: u32, asked: Asked) -> contracts::sla::BackTestResponse {
    let draft = draft(hours);
    let mut replay = Replay::new(draft.clone(), &rules(), asked);
    history().iter().for_each(|event| replay.take(event));
    replay.finish(&draft)
}

#[test]
fn a_back_test_counts_what_was_kept_missed_cancelled_and_is_open() {
    let answer = tested(2, asked());
    let line = &answer.lines[0];
    let counts = (line.started, line.met, line.breached, line.cancelled, line.running);
    assert_eq!(counts, (4, 1, 1, 1, 1));
    assert_eq!(line.overrun.as_ref().unwrap().seconds, 180 * 60);
    assert_eq!(answer.events_read, 8);
    assert_eq!(answer.breached.len(), 1);
    assert_eq!(answer.breached[0].subject[0].value, "b");
}

#[test]
fn a_looser_draft_breaches_nothing_and_a_tighter_one_more() {
    assert_eq!(tested(6, asked()).lines[0].breached, 0);
    let mut tight = asked();
    tight.to = at(1_000);
    assert_eq!(tested(1, tight).lines[0].breached, 2);
}

#[test]
fn a_back_test_keeps_to_its_time_and_its_platform() {
    let later = Asked { from: Some(at(100)), ..asked() };
    assert_eq!(tested(2, later).lines[0].started, 1);
    let early = Asked { to: at(5), ..asked() };
    assert_eq!(tested(2, early).lines[0].started, 2);
    let all = Asked { platform: None, ..asked() };
    assert_eq!(tested(2, all).lines[0].started, 5);
}

#[test]
fn no_more_examples_are_told_than_are_asked_for() {
    let answer = tested(1, Asked { examples: 0, to: at(1_000), ..asked() });
    assert_eq!((answer.lines[0].breached, answer.breached.len()), (2, 0));
}
