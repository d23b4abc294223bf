//! What is counted, where, and that a rebuild counts the same.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use contracts::complaints::{CauseClass, ComplaintChannel, ComplaintKind};
use eventlog::{Context, Log, LogOptions, ManualClock, StoredRow, projection_source};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::complaint::{
    Complaint,
    tests::{
        after, at,
        commands::{ACCEPTED, Command::*, NORMAL},
    },
};

fn recorded(event: &Event) -> RecordedEvent {
    RecordedEvent {
        stream: "complaint.c-1".into(),
        r#type: event.type_name().into(),
        body: event.encode_body().into(),
        ..RecordedEvent::default()
    }
}

/// The rows that events add up to, by id.
fn rows(events: &[Event]) -> BTreeMap<String, ComplaintFigures> {
    let mut rows: BTreeMap<String, ComplaintFigures> = BTreeMap::new();
    for event in events {
        for (id, added) in Statistics::facts(&recorded(event)) {
            Statistics::apply(rows.entry(id).or_default(), added);
        }
    }
    rows
}

fn total(events: &[Event]) -> ComplaintCounts {
    let mut total = ComplaintCounts::default();
    for row in rows(events).values().filter(|row| row.sku.is_empty()) {
        add(&mut total, row.counts.as_ref().unwrap());
    }
    total
}

#[test]
fn a_complaint_is_counted_from_its_receipt_to_its_end() {
    let told = total(&after(&NORMAL));
    let expected = ComplaintCounts {
        received: 1,
        accepted: 1,
        answered: 1,
        agreed: 1,
        satisfied: 1,
        closed: 1,
        // one command a minute: the seventh is the offer, the last one closes
        response_seconds: 6 * 60,
        closing_seconds: 13 * 60,
        granted_minor_units: 20_000,
        ..ComplaintCounts::default()
    };
    assert_eq!(told, expected);
}

#[test]
fn trouble_is_counted_too() {
    let way = [
        &ACCEPTED[..],
        &[Overdue, Offer, Refuse, Penalise, Escalate, EscalateMore, OfferMore, AgreeMore],
        &[Start, Implement, VisitUnhappy, OrderRemedy],
    ];
    let told = total(&after(&way.concat()));
    assert_eq!((told.raised, told.refused, told.agreed, told.dissatisfied), (1, 1, 1, 1));
    assert_eq!((told.escalated, told.answered, told.penalties_minor_units), (2, 1, 2_000));
    let cancelled = total(&after(&[&ACCEPTED[..], &[Cancel]].concat()));
    assert_eq!((cancelled.received, cancelled.cancelled, cancelled.closed), (1, 1, 0));
    let again = total(&after(&[&NORMAL[..], &[Reopen]].concat()));
    assert_eq!((again.closed, again.reopened), (1, 1));
}

#[test]
fn figures_are_told_apart_by_what_the_complaint_was_then() {
    let rows = rows(&after(&NORMAL));
    let of = |want: fn(&ComplaintCounts) -> u64| {
        rows.values().find(|row| want(row.counts.as_ref().unwrap()) > 0).unwrap()
    };
    let received = of(|counts| counts.received);
    assert_eq!((received.platform.as_str(), received.handler.as_str()), ("mall", ""));
    assert_eq!(received.kind(), ComplaintKind::Complaint);
    assert_eq!(received.channel(), ComplaintChannel::Phone);
    assert_eq!(received.cause(), CauseClass::ProductQuality);
    let closed = of(|counts| counts.closed);
    assert_eq!((closed.day.as_str(), closed.handler.as_str()), ("2026-03-02", "李"));
    assert_eq!(closed.cause(), CauseClass::ServiceProcess, "as it was found out");
}

#[test]
fn each_product_has_the_same_figures_for_itself() {
    let rows = rows(&after(&NORMAL));
    let of = |sku: &str| {
        let mut sum = ComplaintCounts::default();
        for row in rows.values().filter(|row| row.sku == sku) {
            add(&mut sum, row.counts.as_ref().unwrap());
        }
        sum
    };
    assert_eq!(of("A"), of(""));
    assert_eq!(of("B"), ComplaintCounts::default());
}

#[test]
fn a_survey_and_a_complaint_that_comes_again_are_counted() {
    let answered = survey::Event::from(SurveyAnswered {
        platform: "mall".into(),
        score: 4,
        answered_at: Some(eventlog::time::to_proto(at(0))),
        ..SurveyAnswered::default()
    });
    let event = RecordedEvent {
        stream: "survey_answer.q-1".into(),
        r#type: answered.type_name().into(),
        body: answered.encode_body().into(),
        ..RecordedEvent::default()
    };
    let facts = Statistics::facts(&event);
    assert_eq!(facts.len(), 1);
    assert_eq!((facts[0].1.counts.surveyed, facts[0].1.counts.score_sum), (1, 4));
    let mut received = after(&[Receive]);
    if let Event::ComplaintReceived(event) = &mut received[0] {
        event.repeat_of = "c-0".into();
    }
    assert_eq!((total(&received).received, total(&received).repeats), (1, 1));
}

#[test]
fn what_is_no_event_of_a_complaint_says_nothing() {
    let event = &after(&[Receive])[0];
    assert_eq!(Statistics::facts(&recorded(event)).len(), 2, "of all, and of product A");
    let other = RecordedEvent { stream: "other.c-1".into(), ..recorded(event) };
    assert!(Statistics::facts(&other).is_empty());
    let damaged = RecordedEvent { body: vec![0xff].into(), ..recorded(event) };
    assert!(Statistics::facts(&damaged).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_gives_the_same_figures_as_the_projection_while_it_ran() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(at(0)));
    let url = format!("sqlite://{}", folder.path().join("complaints.db").display());
    let options = LogOptions::new("complaints", url).with_clock(clock.clone());
    let log = Log::open(options.clone()).await.unwrap();
    for (minute, command) in (0..).zip(NORMAL) {
        let context = Context {
            actor: "teller".into(),
            platform: String::new(),
            causation: "test".into(),
            traceparent: String::new(),
            now: at(minute),
        };
        let decide = |complaint: &Complaint| {
            command.decide(complaint, crate::complaint::tests::minute(minute))
        };
        log.transact("c-1", &context, decide).await.unwrap();
    }
    let (stop, last) = (CancellationToken::new(), log.last_position().await.unwrap());
    let (reader, token) = (log.clone(), stop.clone());
    let task = tokio::spawn(async move { reader.project::<Statistics>(token).await });
    let caught_up = async {
        while log.cursor(&projection_source("statistics")).await.unwrap() < last {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(30), caught_up).await.expect("the projection catches up");
    stop.cancel();
    task.await.unwrap().unwrap();
    let told = |rows: Vec<StoredRow>| -> Vec<_> {
        rows.into_iter().map(|row| (row.id, row.version, row.body)).collect()
    };
    let listing = by_day("2026-01-01", "2026-12-31", false).limit(500);
    let live = told(log.list(&listing).await.unwrap().rows);
    assert!(live.len() > 1);
    eventlog::rebuild(&options, &crate::kinds()).await.unwrap();
    assert_eq!(told(log.list(&listing).await.unwrap().rows), live);
    let found = eventlog::verify(&options, &crate::kinds()).await.unwrap();
    assert!(found.differences.is_empty(), "{found:?}");
}
