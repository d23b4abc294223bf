//! What a cycle has to say, and when.

use jiff::{SignedDuration, Timestamp};

use super::{Cycle, Plan};
use crate::{
    calendar::{Span, Unit},
    policy::Warning,
};

/// Which of the two limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// That which we promise.
    Committed,
    /// That of the contract.
    Contractual,
}

/// Something that is due at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    /// A warning of the policy, by number.
    Warning(u32),
    /// A limit passes.
    Limit(Side),
    /// A step of the ladder, by number, for the time of this number, from 1.
    Step(u32, u32),
}

impl Cycle {
    /// All that is due as long as the cycle goes on as it is, in the order of moments, and only
    /// before its end.
    #[must_use]
    pub fn signals(&self, plan: &Plan) -> Vec<(Timestamp, Signal)> {
        let mut signals = Vec::new();
        for side in [Side::Committed, Side::Contractual] {
            signals.extend(self.due(side).map(|due| (due, Signal::Limit(side))));
        }
        for (index, warning) in (0..).zip(&plan.policy.warnings) {
            let at = self.warning(*warning).filter(|at| *at > self.started);
            signals.extend(at.map(|at| (at, Signal::Warning(index))));
        }
        if plan.policy.kind == contracts::sla::ClockKind::Promise
            && let Some(due) = self.due(Side::Committed)
        {
            for (index, step) in (0..).zip(&plan.policy.steps) {
                let mut at = step.after.map_or(Ok(due), |after| after.end(due, &plan.calendar));
                for count in 1..=step.times {
                    // beyond the calendar there is nothing to do any more
                    let Ok(moment) = at else { break };
                    signals.push((moment, Signal::Step(index, count)));
                    at = step.every.map_or(Ok(moment), |every| every.end(moment, &plan.calendar));
                }
            }
        }
        if let Some(end) = &self.end {
            signals.retain(|(at, _)| *at < end.at);
        }
        // a warning at the moment of the limit says nothing new, but stays before it
        signals.sort_unstable();
        signals
    }

    fn warning(&self, warning: Warning) -> Option<Timestamp> {
        let limit = self.committed.as_ref()?;
        match warning {
            Warning::Percent(percent) => limit.when(share(limit.total(), percent), &self.stretches),
            Warning::Before(span) => match counted(span) {
                Some(before) if !limit.is_set() => {
                    let used =
                        limit.total().checked_sub(before).filter(|used| used.is_positive())?;
                    limit.when(used, &self.stretches)
                }
                _ => limit.due(&self.stretches)?.checked_sub(wall(span)).ok(),
            },
        }
    }
}

/// So many percent of it, rounded down.
fn share(total: SignedDuration, percent: u32) -> SignedDuration {
    let nanos = total.as_nanos() * i128::from(percent) / 100;
    i64::try_from(nanos).map_or(total, SignedDuration::from_nanos)
}

/// The span as open time, where it is some.
fn counted(span: Span) -> Option<SignedDuration> {
    match span.unit {
        Unit::Seconds | Unit::Minutes | Unit::Hours => Some(wall(span)),
        Unit::WorkingDays | Unit::Days | Unit::Weeks | Unit::Months | Unit::Years => None,
    }
}

/// The span by the wall clock; a month has 30 days and a year 365.
fn wall(span: Span) -> SignedDuration {
    let amount = i64::from(span.amount);
    let days = |days: i64| SignedDuration::from_hours(24 * days * amount);
    match span.unit {
        Unit::Seconds => SignedDuration::from_secs(amount),
        Unit::Minutes => SignedDuration::from_mins(amount),
        Unit::Hours => SignedDuration::from_hours(amount),
        Unit::WorkingDays | Unit::Days => days(1),
        Unit::Weeks => days(7),
        Unit::Months => days(30),
        Unit::Years => days(365),
    }
}
