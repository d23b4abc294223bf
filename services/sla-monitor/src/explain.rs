//! Why a clock is due when it is, for a person and for a program.

use contracts::sla::{ClockKind, Deadlines, Explanation, Fact};
use eventlog::time::to_proto;
use jiff::{SignedDuration, Timestamp};

use crate::{
    calendar::{OutOfRange, Span, Unit},
    ledger::{duration, segments, word},
    policy::Target,
    timeline::{Cycle, EndedBy, Plan, Side, Timeline},
};

/// Explains the facts of a clock by these rules, as of a moment.
///
/// # Errors
/// A deadline lies beyond the calendar.
pub fn explain(facts: &[Fact], plan: &Plan, now: Timestamp) -> Result<Explanation, OutOfRange> {
    let timeline = Timeline::lay(facts, plan)?;
    let mut told = Explanation {
        profile_version: plan.policy.version,
        policy: Some(plan.policy.told.clone()),
        segments: segments(&timeline, plan)?,
        ..Explanation::default()
    };
    let Some(cycle) = timeline.current() else {
        told.sentences.push("By these rules it has not started.".to_owned());
        return Ok(told);
    };
    let until = cycle.end.as_ref().map_or(now, |end| end.at).max(cycle.started);
    let elapsed = cycle.elapsed(until, plan)?;
    let is_over = plan.policy.kind == ClockKind::Period
        && cycle.end.is_none()
        && cycle.due(Side::Committed).is_some_and(|due| due <= now);
    told.state = cycle.state(is_over).into();
    told.deadlines = Some(deadlines(cycle, plan));
    told.elapsed = Some(duration(elapsed));
    told.remaining = remaining(cycle, until)?.map(duration);
    told.breached = plan.policy.kind == ClockKind::Promise && cycle.is_missed(Side::Committed, now);
    told.sentences = sentences(cycle, plan, until, elapsed)?;
    Ok(told)
}

/// The deadlines of a cycle as they stand.
#[must_use]
pub fn deadlines(cycle: &Cycle, plan: &Plan) -> Deadlines {
    let due = |side| cycle.due(side).map(to_proto);
    let total = |side| cycle.deadline(side).map(|limit| duration(limit.total()));
    let sides = [Side::Committed, Side::Contractual];
    let latest = sides.into_iter().filter_map(|side| cycle.due(side)).max();
    Deadlines {
        due_at: due(Side::Committed),
        contractual_due_at: due(Side::Contractual),
        total: total(Side::Committed),
        contractual_total: total(Side::Contractual),
        planned: latest.is_some_and(|latest| plan.calendar.is_planned(cycle.started, latest)),
    }
}

/// Open time that is left; negative when late, `None` while the clock is halted or has no limit.
fn remaining(cycle: &Cycle, until: Timestamp) -> Result<Option<SignedDuration>, OutOfRange> {
    let (Some(due), Some(limit)) = (cycle.due(Side::Committed), &cycle.committed) else {
        return Ok(None);
    };
    let measure = limit.measure();
    Ok(Some(match until <= due {
        true => measure.working(until, due)?,
        false => -measure.working(due, until)?,
    }))
}

fn sentences(
    cycle: &Cycle,
    plan: &Plan,
    until: Timestamp,
    elapsed: SignedDuration,
) -> Result<Vec<String>, OutOfRange> {
    let at = |moment: Timestamp| {
        moment.to_zoned(plan.calendar.zone().clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
    };
    let policy = &plan.policy;
    let mut told = vec![format!("{}: started {}.", policy.title, at(cycle.started))];
    if let Some(limit) = &cycle.committed {
        let promised =
            match (limit.is_set(), policy.committed.as_ref().and_then(|target| target.span)) {
                (false, Some(span)) => format!("{} after the start", words(span)),
                _ => "as the user set or agreed to it".to_owned(),
            };
        told.push(format!("Promised: {promised}, by calendar {}.", limit.measure().name()));
    }
    if let Some(Target { span: Some(span), .. }) = &policy.contractual {
        told.push(format!("The contract allows {}.", words(*span)));
    }
    for stretch in cycle.stretches.iter().filter(|stretch| !stretch.counts()) {
        let why = if stretch.exempt { "force majeure" } else { &stretch.reason };
        let to = stretch.to.map_or_else(|| "now".to_owned(), at);
        let (from, who) = (at(stretch.from), word(stretch.party()));
        told.push(format!(
            "Not counted: {from} to {to}, held by {who}: {why} ({}).",
            stretch.evidence
        ));
    }
    told.push(format!("Counted so far: {}.", rounded(elapsed)));
    match cycle.due(Side::Committed) {
        Some(due) => {
            told.push(format!("Due {}.", at(due)));
            if plan.calendar.is_planned(cycle.started, due) {
                told.push(
                    "The official days of a year on the way are not known yet: it may move."
                        .to_owned(),
                );
            }
        }
        None if cycle.committed.is_some() => {
            told.push("It is halted: when it is due shows when it goes on.".to_owned());
        }
        None => {}
    }
    if let Some(end) = &cycle.end {
        let how = match end.by {
            EndedBy::Stop => "Done",
            EndedBy::Cancel => "Cancelled",
            EndedBy::Reset => "Begun anew",
            EndedBy::Over => "Over",
        };
        told.push(format!("{how} {} ({}).", at(end.at), end.evidence));
    }
    match (policy.kind, remaining(cycle, until)?) {
        (ClockKind::Promise, Some(left)) if left.is_negative() => {
            told.push(format!("Late by {}.", rounded(-left)));
        }
        (ClockKind::Promise, Some(left)) if cycle.end.is_none() => {
            told.push(format!("Left: {}.", rounded(left)));
        }
        _ => {}
    }
    Ok(told)
}

/// A time in words, without parts of a second: `1h 30m`.
fn rounded(time: SignedDuration) -> String {
    format!("{:#}", SignedDuration::from_secs(time.as_secs()))
}

/// A span in words: `2 hours`.
#[must_use]
pub fn words(span: Span) -> String {
    let unit = match span.unit {
        Unit::Seconds => "second",
        Unit::Minutes => "minute",
        Unit::Hours => "hour",
        Unit::WorkingDays => "working day",
        Unit::Days => "day",
        Unit::Weeks => "week",
        Unit::Months => "month",
        Unit::Years => "year",
    };
    let plural = if span.amount == 1 { "" } else { "s" };
    let end = if span.end_of_day { ", to the end of the day" } else { "" };
    format!("{} {unit}{plural}{end}", span.amount)
}

#[cfg(test)]
mod tests;
