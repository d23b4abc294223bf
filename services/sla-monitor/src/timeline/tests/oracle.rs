//! What a clock should show, found by walking through time minute by minute.
//!
//! It shares nothing with the timeline but the calendar's answer to whether a minute is open.

#![allow(clippy::wildcard_enum_match_arm, reason = "a test looks at a few kinds of many")]

use contracts::sla::{Fact, FactKind};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::sample::{at, fact_named};
use crate::timeline::{Plan, moment};

#[derive(Debug, PartialEq)]
pub(crate) struct Walked {
    pub(crate) started: Timestamp,
    pub(crate) ended: Option<Timestamp>,
    pub(crate) due: Option<Timestamp>,
    pub(crate) missed: bool,
    pub(crate) counted: SignedDuration,
}

/// Random facts, a start among them, in any order.
pub(crate) fn facts() -> impl Strategy<Value = Vec<Fact>> {
    let kinds = prop_oneof![
        3 => Just(FactKind::Pause),
        3 => Just(FactKind::Resume),
        1 => Just(FactKind::Stop),
        1 => Just(FactKind::Cancel),
        1 => Just(FactKind::Reset),
        1 => Just(FactKind::Exempt),
        1 => Just(FactKind::ExemptEnd),
        1 => Just(FactKind::Start),
    ];
    let others = prop::collection::vec((kinds, 0_i64..6_000), 0..10);
    (0_i64..2_000, others).prop_map(|(start, others)| {
        let mut facts = vec![fact_named(FactKind::Start, start, "ORDERING/0")];
        facts.extend((1..).zip(others).map(|(number, (kind, minute)): (u32, _)| {
            fact_named(kind, minute, &format!("ORDERING/{number}"))
        }));
        facts
    })
}

/// Which of the facts of one moment comes first: a stop beats a pause, a start comes before all.
const RANKS: [FactKind; 9] = [
    FactKind::Start,
    FactKind::Stop,
    FactKind::Cancel,
    FactKind::Reset,
    FactKind::Exempt,
    FactKind::Pause,
    FactKind::Extend,
    FactKind::ExemptEnd,
    FactKind::Resume,
];

pub(crate) fn walk(facts: &[Fact], plan: &Plan, now: i64) -> Vec<Walked> {
    let limit = plan.policy.committed.as_ref().unwrap().span.unwrap();
    let total = i64::from(limit.amount) * 60;
    let mut cycles: Vec<Walked> = Vec::new();
    let (mut halted, mut exempt, mut open) = (false, false, false);
    let mut used = 0;
    // beyond all facts, so that ends that lie after `now` are met too
    for minute in 0..10_000 {
        let now_known: Vec<&Fact> =
            facts.iter().filter(|fact| moment(fact) == at(minute)).collect();
        for kind in RANKS {
            for fact in now_known.iter().filter(|fact| fact.kind() == kind) {
                let begins = match kind {
                    FactKind::Start => cycles.is_empty(),
                    FactKind::Reset => !cycles.is_empty(),
                    _ => false,
                };
                let ends = matches!(kind, FactKind::Stop | FactKind::Cancel | FactKind::Reset);
                if ends && open {
                    cycles.last_mut().unwrap().ended = Some(moment(fact));
                    open = false;
                }
                if begins {
                    (halted, exempt, open, used) = (false, false, true, 0);
                    cycles.push(Walked {
                        started: moment(fact),
                        ended: None,
                        due: None,
                        missed: false,
                        counted: SignedDuration::ZERO,
                    });
                }
                match kind {
                    FactKind::Pause if open => halted = true,
                    FactKind::Resume if open => halted = false,
                    FactKind::Exempt if open => exempt = true,
                    FactKind::ExemptEnd if open => exempt = false,
                    _ => {}
                }
            }
        }
        let Some(cycle) = cycles.last_mut().filter(|_| open) else { continue };
        if halted || exempt || !plan.calendar.is_open(at(minute)) {
            continue;
        }
        used += 1;
        if used == total {
            cycle.due = Some(at(minute + 1));
        }
        // time that counts is asked for up to `now`, unless the cycle has ended by then
        cycle.counted += SignedDuration::from_mins(1);
    }
    for cycle in &mut cycles {
        let until = cycle.ended.unwrap_or(at(now));
        cycle.missed = cycle.due.is_some_and(|due| due < until);
        if cycle.ended.is_none() {
            cycle.counted = counted_until(facts, plan, cycle.started, at(now));
        }
    }
    cycles
}

/// Counts again, up to a moment, for the one cycle that is still open.
fn counted_until(
    facts: &[Fact],
    plan: &Plan,
    started: Timestamp,
    now: Timestamp,
) -> SignedDuration {
    let mut counted = SignedDuration::ZERO;
    let mut minute = started;
    let (mut halted, mut exempt) = (false, false);
    while minute < now {
        let now_known: Vec<&Fact> = facts.iter().filter(|fact| moment(fact) == minute).collect();
        for kind in RANKS {
            for _ in now_known.iter().filter(|fact| fact.kind() == kind) {
                match kind {
                    FactKind::Pause => halted = true,
                    FactKind::Resume => halted = false,
                    FactKind::Exempt => exempt = true,
                    FactKind::ExemptEnd => exempt = false,
                    // at the same moment as the start these came before it
                    FactKind::Reset => (halted, exempt) = (false, false),
                    _ => {}
                }
            }
        }
        if !halted && !exempt && plan.calendar.is_open(minute) {
            counted += SignedDuration::from_mins(1);
        }
        minute += SignedDuration::from_mins(1);
    }
    counted
}
