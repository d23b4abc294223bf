//! Limits and what comes before and after them: targets, warnings, ladders, consequences, schedules.

use chassis::Fields;
use contracts::sla::{self as api, ClockKind, ConsequenceKind, DutyPeriod, SpanUnit};

use crate::{
    calendar::{Span, Unit},
    policy::{
        Schedule, Step, Target, Warning,
        field::{self, Field, Named},
    },
};

const LARGEST_PENALTY: i64 = 100_000_000;

pub(super) fn limit(
    fields: &mut Fields,
    field: &str,
    target: &Option<api::Target>,
    starts: &[api::Pattern],
) -> Option<Target> {
    let target = target.as_ref()?;
    fields.nested(field, |fields| {
        let given = target.span.as_ref();
        let span = given.and_then(|given| fields.nested("span", |fields| span(fields, given)));
        if target.span.is_none() && target.field.is_empty() {
            fields.refuse("span", "is missing, and so is field");
        }
        let path = fields.text("field", &target.field, 0..=200);
        if !path.is_empty() {
            let wrong = starts.iter().find_map(|start| match field::event(&start.event) {
                Named::Defined(message) => Field::find_time(&message, &path).err(),
                Named::Later | Named::Unknown => None,
            });
            if let Some(error) = wrong {
                fields.refuse("field", error.to_string());
            }
        }
        Some(Target { span, set_by_user: !target.field.is_empty() })
    })
}

pub(super) fn limits(
    fields: &mut Fields,
    kind: ClockKind,
    clock: &api::ClockPolicy,
    committed: Option<&Target>,
    contractual: Option<&Target>,
) {
    match kind {
        ClockKind::Unspecified => {}
        ClockKind::Promise | ClockKind::Period => {
            if committed.is_none() {
                fields.refuse("committed", "is missing");
            }
            if clock.availability > 0 {
                fields.refuse("availability", "is for outages only");
            }
        }
        ClockKind::Outage => {
            if committed.is_some() || contractual.is_some() {
                fields.refuse("committed", "and contractual are for promises: an outage has none");
            }
            fields.number("availability", clock.availability, 0..=10_000);
        }
    }
    if kind == ClockKind::Period && contractual.is_some() {
        fields.refuse("contractual", "is for promises only");
    }
    let length = |target: Option<&Target>| target.and_then(|target| target.span).map(length);
    if let (Some((unit, ours)), Some((of, theirs))) = (length(committed), length(contractual))
        && unit == of
        && theirs < ours
    {
        fields.refuse("contractual", "is earlier than the committed limit");
    }
}

/// How long a span is, among those that can be compared without a calendar.
fn length(span: Span) -> (Unit, (u64, bool)) {
    let (unit, times) = match span.unit {
        Unit::Seconds => (Unit::Seconds, 1),
        Unit::Minutes => (Unit::Seconds, 60),
        Unit::Hours => (Unit::Seconds, 3_600),
        Unit::WorkingDays => (Unit::WorkingDays, 1),
        Unit::Days => (Unit::Days, 1),
        Unit::Weeks => (Unit::Days, 7),
        Unit::Months => (Unit::Months, 1),
        Unit::Years => (Unit::Months, 12),
    };
    (unit, (u64::from(span.amount) * times, span.end_of_day))
}

pub(super) fn warnings(fields: &mut Fields, given: &[api::Warning]) -> Vec<Warning> {
    fields
        .repeated("warnings", given, 0..=10, |fields, warning| match &warning.before {
            Some(before) if warning.percent == 0 => {
                let before = fields.nested("before", |fields| span(fields, before))?;
                Some(Warning::Before(before))
            }
            Some(_) => {
                fields.refuse("", "needs percent or before, not both");
                None
            }
            None => Some(Warning::Percent(fields.number("percent", warning.percent, 1..=99))),
        })
        .into_iter()
        .flatten()
        .collect()
}

pub(super) fn ladder(fields: &mut Fields, given: &[api::EscalationStep]) -> Vec<Step> {
    fields.repeated("escalation", given, 0..=10, |fields, step| {
        let mut optional = |field: &str, given: &Option<api::Span>| {
            let given = given.as_ref()?;
            fields.nested(field, |fields| span(fields, given))
        };
        let (after, every) = (optional("after", &step.after), optional("every", &step.every));
        if step.every.is_some() && step.times == 0 {
            fields.refuse("times", "is missing: the ladder would have no end");
        }
        if step.every.is_none() && step.times > 1 {
            fields.refuse("every", "is missing: after which time again?");
        }
        Step {
            to: fields.identifier("to", &step.to),
            after,
            every,
            times: fields.number("times", step.times, 0..=100).max(1),
        }
    })
}

pub(super) fn consequences(
    fields: &mut Fields,
    given: &[api::Consequence],
) -> Vec<api::Consequence> {
    fields.repeated("consequences", given, 0..=10, |fields, consequence| {
        let kind: ConsequenceKind = fields.choice("kind", consequence.kind);
        fields.text("detail", &consequence.detail, 0..=500);
        match (&consequence.minimum, &consequence.maximum) {
            (None, None) if kind != ConsequenceKind::Penalty => {}
            (Some(least), Some(most)) if kind == ConsequenceKind::Penalty => {
                let bounds = 1..=LARGEST_PENALTY;
                fields.number("minimum.minor_units", least.minor_units, bounds.clone());
                fields.number("maximum.minor_units", most.minor_units, bounds);
                let code = least.currency.as_bytes();
                if code.len() != 3 || !code.iter().all(u8::is_ascii_uppercase) {
                    fields.refuse("minimum.currency", "is no ISO 4217 code such as CNY");
                }
                if least.currency != most.currency || least.minor_units > most.minor_units {
                    fields.refuse("maximum", "is below the minimum, or in another currency");
                }
            }
            _ => fields.refuse("minimum", "and maximum belong to a penalty, and to nothing else"),
        }
        consequence.clone()
    })
}

pub(super) fn schedule(fields: &mut Fields, duty: &api::DutyPolicy) -> Schedule {
    if duty.anchor.is_none() {
        if duty.every.is_some() || duty.times > 0 {
            fields.refuse("every", "and times belong to a series that an anchor begins");
        }
        return Schedule::Calendar(fields.choice::<DutyPeriod>("period", duty.period));
    }
    if duty.period != 0 {
        fields.refuse("period", "and anchor exclude each other");
    }
    let every = fields.message("every", &duty.every, span).flatten();
    let times = fields.number("times", duty.times, 1..=100);
    match every {
        Some(every) => Schedule::Anchored { every, times },
        None => Schedule::Calendar(DutyPeriod::Unspecified),
    }
}

/// Reads a span.
pub fn span(fields: &mut Fields, given: &api::Span) -> Option<Span> {
    let amount = fields.number("amount", given.amount, 1..=100_000);
    let unit = match fields.choice("unit", given.unit) {
        SpanUnit::Unspecified => return None,
        SpanUnit::Seconds => Unit::Seconds,
        SpanUnit::Minutes => Unit::Minutes,
        SpanUnit::Hours => Unit::Hours,
        SpanUnit::WorkingDays => Unit::WorkingDays,
        SpanUnit::Days => Unit::Days,
        SpanUnit::Weeks => Unit::Weeks,
        SpanUnit::Months => Unit::Months,
        SpanUnit::Years => Unit::Years,
    };
    Some(Span { amount, unit, end_of_day: given.end_of_day })
}
