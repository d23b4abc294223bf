//! Duties.

use contracts::sla::{DutyPeriod, Pattern, Span, SpanUnit, Warning};

use super::*;
use crate::{
    calendar::{self, Unit},
    grpc::testing::span,
};

#[test]
fn a_duty_comes_round_by_the_calendar_or_after_an_event() {
    assert!(of_duty(report(), |_| {}).is_empty());
    assert!(of_duty(visits(), |_| {}).is_empty());
    assert_eq!(of_duty(visits(), |it| it.period = DutyPeriod::Month.into()), ["period"]);
    assert_eq!(of_duty(report(), |it| it.period = 0), ["period"]);
    assert_eq!(of_duty(report(), |it| it.period = 8), ["period"]);
    assert_eq!(of_duty(report(), |it| it.times = 2), ["every"]);
    assert_eq!(of_duty(report(), |it| it.every = span(1, SpanUnit::Months)), ["every"]);
    assert_eq!(of_duty(report(), |it| it.subject = vec!["order_id".into()]), ["subject"]);
}

#[test]
fn a_series_has_a_length_and_an_end() {
    assert_eq!(of_duty(visits(), |it| it.every = None), ["every"]);
    assert_eq!(
        of_duty(visits(), |it| it.every = Some(Span::default())),
        ["every.amount", "every.unit"]
    );
    for times in [0, 101, u32::MAX] {
        assert_eq!(of_duty(visits(), |it| it.times = times), ["times"], "{times}");
    }
    assert_eq!(of_duty(visits(), |it| it.subject.clear()), ["subject", "anchor.subject"]);
    assert_eq!(
        of_duty(visits(), |it| it.anchor.as_mut().unwrap().event = "emall.ordering.v1.No".into()),
        ["anchor.event"]
    );
    assert_eq!(
        of_duty(visits(), |it| it.anchor.as_mut().unwrap().at = "terms".into()),
        ["anchor.at"]
    );
}

#[test]
fn what_fulfils_a_duty_names_its_case() {
    assert_eq!(
        of_duty(visits(), |it| it.fulfilled[0].subject = vec!["nothing".into()]),
        ["fulfilled[0].subject[0]"]
    );
    assert_eq!(
        of_duty(report(), |it| it.fulfilled[0].subject = vec!["reconciliation_id".into()]),
        ["fulfilled[0].subject"],
        "a duty by the calendar has no case"
    );
    assert!(of_duty(report(), |it| it.fulfilled.clear()).is_empty(), "a person records it");
    let many = of_duty(report(), |it| it.fulfilled = vec![Pattern::default(); 21]);
    assert_eq!(many, ["fulfilled"]);
}

#[test]
fn a_duty_has_an_owner_and_lists_within_bounds() {
    assert_eq!(of_duty(report(), |it| it.owner = String::new()), ["owner"]);
    assert_eq!(of_duty(report(), |it| it.owner = "the clerk".into()), ["owner"]);
    assert_eq!(of_duty(report(), |it| it.times_per_period = 32), ["times_per_period"]);
    assert_eq!(
        of_duty(report(), |it| it.grace = Some(Span::default())),
        ["grace.amount", "grace.unit"]
    );
    let both = Warning { percent: 50, before: span(1, SpanUnit::Days) };
    assert_eq!(of_duty(report(), |it| it.warnings = vec![both]), ["warnings[0]"]);
    assert_eq!(of_duty(report(), |it| it.title = String::new()), ["title"]);
    assert_eq!(of_duty(report(), |it| it.serves = vec!["a b".into()]), ["serves[0]"]);
    let none = api::EscalationStep::default();
    assert_eq!(of_duty(report(), |it| it.escalation = vec![none]), ["escalation[0].to"]);
    let none = api::Consequence::default();
    assert_eq!(of_duty(report(), |it| it.consequences = vec![none]), ["consequences[0].kind"]);
}

#[test]
fn a_duty_is_a_promise_whose_periods_bring_their_limits() {
    let all = api::Profile {
        duties: vec![
            DutyPolicy { grace: span(2, SpanUnit::WorkingDays), times_per_period: 3, ..report() },
            visits(),
        ],
        ..profile("care", [])
    };
    let checked = checked(&all).unwrap();
    let (report, visits) = (&checked.policies[0], &checked.policies[1]);
    assert_eq!(report.kind, api::ClockKind::Promise);
    assert_eq!(report.committed, Some(Target { span: None, set_by_user: true }));
    assert_eq!(
        report.duty,
        Some(Duty {
            owner: "clerk".into(),
            times_per_period: 3,
            grace: Some(calendar::Span::new(2, Unit::WorkingDays)),
            schedule: Schedule::Calendar(DutyPeriod::Month),
        })
    );
    let visits = visits.duty.as_ref().unwrap();
    let every = calendar::Span::new(6, Unit::Months);
    assert_eq!(visits.schedule, Schedule::Anchored { every, times: 2 });
    assert_eq!(visits.times_per_period, 1, "0 means once");
}
