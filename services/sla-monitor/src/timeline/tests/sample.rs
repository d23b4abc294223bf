//! Plans and facts for tests. Time is told in minutes since a Monday morning.

use std::sync::Arc;

use contracts::sla::{ClockKind, ClockPolicy, Fact, FactKind, Party};
use eventlog::time::to_proto;
use jiff::{SignedDuration, Timestamp};

use crate::{
    calendar::{Calendar, Days, Span, Spec, Unit, official},
    policy::{Policy, Step, Target, Warning},
    timeline::Plan,
};

/// Monday 2026-03-02 08:00 in Shanghai.
pub(crate) fn at(minute: i64) -> Timestamp {
    let start: Timestamp = "2026-03-02T00:00:00Z".parse().unwrap();
    start + SignedDuration::from_mins(minute)
}

pub(crate) fn hours(amount: u32) -> Span {
    Span::new(amount, Unit::Hours)
}

pub(crate) fn calendar(name: &str) -> Calendar {
    thread_local! {
        static COMPILED: Vec<Calendar> = {
            let mut days = Days::new("CN");
            for notice in official() {
                days.adopt(notice).unwrap();
            }
            [Spec::round_the_clock(), Spec::office_hours(), Spec::working_days()]
                .iter()
                .map(|spec| Calendar::compile(spec, Some(&days)).unwrap())
                .collect()
        };
    }
    COMPILED
        .with(|compiled| compiled.iter().find(|calendar| calendar.name() == name).unwrap().clone())
}

/// A promise within this time.
pub(crate) fn plan(calendar: &str, limit: Span) -> Plan {
    with_limit(calendar, Target { span: Some(limit), set_by_user: false })
}

/// A promise by the moment that the user sets.
pub(crate) fn plan_set_by_user(calendar: &str) -> Plan {
    with_limit(calendar, Target { span: None, set_by_user: true })
}

fn with_limit(calendar_name: &str, committed: Target) -> Plan {
    Plan { policy: Arc::new(policy(calendar_name, committed)), calendar: calendar(calendar_name) }
}

pub(crate) fn policy(calendar: &str, committed: Target) -> Policy {
    Policy {
        profile: "test".into(),
        version: 1,
        name: "respond".into(),
        title: "Answer".into(),
        serves: vec!["SLC-01".into()],
        kind: ClockKind::Promise,
        subject: vec!["order_id".into()],
        patterns: Vec::new(),
        committed: Some(committed),
        contractual: None,
        calendar: calendar.into(),
        warnings: vec![Warning::Percent(50), Warning::Before(Span::new(10, Unit::Minutes))],
        steps: vec![
            Step { to: "first-responsible".into(), after: None, every: None, times: 1 },
            Step { to: "director".into(), after: Some(hours(1)), every: Some(hours(1)), times: 2 },
        ],
        consequences: Vec::new(),
        holder: Party::Supplier,
        repeats: false,
        availability: 0,
        duty: None,
        told: ClockPolicy::default(),
    }
}

/// A fact of a minute, proven by an event of its own.
pub(crate) fn fact(kind: FactKind, minute: i64) -> Fact {
    fact_named(kind, minute, &format!("ORDERING/{}", 1_000 + minute))
}

pub(crate) fn fact_named(kind: FactKind, minute: i64, evidence: &str) -> Fact {
    Fact { evidence: evidence.to_owned(), ..fact_at(kind, at(minute)) }
}

pub(crate) fn fact_at(kind: FactKind, at: Timestamp) -> Fact {
    Fact {
        kind: kind.into(),
        at: Some(to_proto(at)),
        evidence: "ORDERING/1".into(),
        recorded_at: Some(to_proto(at)),
        holder: Party::User.into(),
        reason: "waits for the user".into(),
        ..Fact::default()
    }
}

/// The fact with a deadline.
pub(crate) fn until(fact: Fact, minute: i64) -> Fact {
    Fact { until: Some(to_proto(at(minute))), ..fact }
}
