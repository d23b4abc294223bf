//! The read row of a clock, and what it can be found by.
//!
//! A clock is found by when something is next due (that is the timer of the whole service: an index,
//! not a list in memory), by due time among the open or the breached ones, and by its case.

use contracts::{
    common::EventMetadata,
    sla::{
        BreachState, Clock as Row, ClockKind, ClockRef, ClockState, CycleResult, Deadlines,
        FactKind, Limit, ResultKind,
    },
};
use eventlog::{Key, Listing, Recorded, time::to_proto};
use jiff::Timestamp;

use chassis::facets::{self, sortable};

use crate::{
    clock::{Clock, Event, fact, insert, reference},
    timeline::time,
};

const NEXT: &str = "next";
const SUBJECT: &str = "subject";
const ALL: &str = "all";
const OPEN: &str = "open";
const BREACHED: &str = "breached";
const OUTAGE: &str = "outage";

impl Recorded for Clock {
    const KIND: &'static str = "clock";

    type Row = Row;

    fn apply(row: &mut Row, event: &Event, _meta: &EventMetadata, _version: u64) {
        if let Some(clock) = reference(event) {
            refer(row, clock);
        }
        if let Some(fact) = fact(event) {
            insert(&mut row.facts, fact.clone());
        }
        match event {
            Event::FactNoted(_) | Event::ConsequenceRaised(_) | Event::PeriodEnded(_) => {}
            Event::ClockStarted(event) => {
                row.profile_version = event.profile_version;
                row.title.clone_from(&event.title);
                row.calendar.clone_from(&event.calendar);
                row.serves.clone_from(&event.serves);
                row.period.clone_from(&event.period);
                row.owner.clone_from(&event.owner);
                plan(row, event.deadlines.as_ref());
            }
            Event::ClockPaused(event) => plan(row, event.deadlines.as_ref()),
            Event::ClockResumed(event) => plan(row, event.deadlines.as_ref()),
            Event::ClockStopped(event) => plan(row, event.deadlines.as_ref()),
            Event::ClockCancelled(event) => plan(row, event.deadlines.as_ref()),
            Event::ClockReset(event) => plan(row, event.deadlines.as_ref()),
            Event::DeadlineExtended(event) => plan(row, event.deadlines.as_ref()),
            Event::ClockReplanned(event) => {
                row.profile_version = event.profile_version;
                row.warnings_raised.clear();
                plan(row, event.deadlines.as_ref());
            }
            Event::WarningRaised(event) => row.warnings_raised.push(event.warning),
            Event::BreachAnnounced(event) => {
                missed(row, event.contractual, BreachState::Provisional, event.due_at);
            }
            Event::DeadlineBreached(event) => {
                missed(row, event.contractual, BreachState::Declared, event.due_at);
            }
            Event::BreachWithdrawn(event) => {
                missed(row, event.contractual, BreachState::Withdrawn, event.due_at);
                if !event.contractual {
                    row.steps_climbed.clear();
                }
            }
            Event::BreachEscalated(event) => row.steps_climbed.push(event.step),
            Event::ResultRecorded(event) => {
                count(row, event.result.as_ref(), |count| count.saturating_add(1));
                late(row, event.cycle, event.result.as_ref(), |result| result.overrun);
            }
            Event::ResultRetracted(event) => {
                count(row, event.result.as_ref(), |count| count.saturating_sub(1));
                late(row, event.cycle, event.result.as_ref(), |_| None);
            }
        }
    }

    fn keys(row: &Row) -> Vec<Key> {
        let state = row.state();
        if state == ClockState::Unspecified {
            return Vec::new(); // it has not started
        }
        let is_open = matches!(state, ClockState::Running | ClockState::Paused);
        let breached = row.committed.as_ref().is_some_and(|limit| {
            matches!(limit.breach(), BreachState::Declared | BreachState::Provisional)
        });
        let due = row
            .committed
            .as_ref()
            .and_then(|limit| if breached { limit.breached_at } else { limit.due_at });
        // what is halted, and so is not due at all, comes last
        let sort = due.map_or_else(|| LAST.to_owned(), |due| sortable(Some(&due)));
        let mut keys = Vec::new();
        if let Some(next) = &row.next_at {
            keys.push(Key::new(NEXT, sortable(Some(next))));
        }
        let is_outage = row.kind() == ClockKind::Outage;
        let lists = [
            Some(ALL),
            is_open.then_some(OPEN),
            breached.then_some(BREACHED),
            is_outage.then_some(OUTAGE),
        ];
        for key in lists.into_iter().flatten() {
            let found_by = facets::keys(&[&row.platform, &row.profile], &sort);
            keys.extend(found_by.into_iter().map(|facet| Key { key, ..facet }));
        }
        keys.extend(
            row.subject
                .iter()
                .map(|part| Key::new(SUBJECT, format!("{}{}", part.value, facets::SEPARATOR))),
        );
        keys
    }
}

const LAST: &str = "~";

/// The open time by which the present cycle was late.
fn late(
    row: &mut Row,
    cycle: u32,
    result: Option<&CycleResult>,
    overrun: impl Fn(&CycleResult) -> Option<prost_types::Duration>,
) {
    if let Some(result) = result.filter(|result| result.kind() == ResultKind::Late)
        && cycle == row.cycle
    {
        limit(row, false).overrun = overrun(result);
    }
}

fn count(row: &mut Row, result: Option<&CycleResult>, change: impl Fn(u32) -> u32) {
    match result.map(CycleResult::kind) {
        Some(ResultKind::Met) => row.cycles_met = change(row.cycles_met),
        Some(ResultKind::Breached) => row.cycles_breached = change(row.cycles_breached),
        Some(
            ResultKind::Unspecified
            | ResultKind::Late
            | ResultKind::Cancelled
            | ResultKind::ContractualBreached,
        )
        | None => {}
    }
}

fn refer(row: &mut Row, clock: &ClockRef) {
    if row.cycle != clock.cycle {
        // what was said was about another cycle
        row.warnings_raised.clear();
        row.steps_climbed.clear();
        for limit in [&mut row.committed, &mut row.contractual].into_iter().flatten() {
            *limit = Limit::default();
        }
    }
    row.clock_id.clone_from(&clock.clock_id);
    row.profile.clone_from(&clock.profile);
    row.clock.clone_from(&clock.clock);
    row.subject.clone_from(&clock.subject);
    row.platform.clone_from(&clock.platform);
    row.contract_id.clone_from(&clock.contract_id);
    row.kind = clock.kind;
    row.cycle = clock.cycle;
    row.state = clock.state;
    row.holder = clock.holder;
    row.next_at = clock.next_at;
    row.started_at = clock.started_at;
    row.ended_at = clock.ended_at;
}

fn plan(row: &mut Row, deadlines: Option<&Deadlines>) {
    let Some(deadlines) = deadlines else { return };
    row.planned = deadlines.planned;
    let mut set = |contractual: bool, due_at, total: Option<prost_types::Duration>| {
        if total.is_some() {
            let limit = limit(row, contractual);
            (limit.due_at, limit.total) = (due_at, total);
        }
    };
    set(false, deadlines.due_at, deadlines.total);
    set(true, deadlines.contractual_due_at, deadlines.contractual_total);
}

fn limit(row: &mut Row, contractual: bool) -> &mut Limit {
    let limit = if contractual { &mut row.contractual } else { &mut row.committed };
    limit.get_or_insert_default()
}

fn missed(
    row: &mut Row,
    contractual: bool,
    state: BreachState,
    due: Option<prost_types::Timestamp>,
) {
    let limit = limit(row, contractual);
    limit.breach = state.into();
    limit.breached_at = if state == BreachState::Withdrawn { None } else { due };
}

/// Clocks that have something to say from a moment on, or from ever, and before another one; the
/// earliest first.
#[must_use]
pub fn due_between(from: Option<Timestamp>, to: Timestamp) -> Listing {
    let sort = |at: Timestamp| sortable(Some(&to_proto(at)));
    Listing::by(Clock::KIND, NEXT).range(from.map(sort).unwrap_or_default(), sort(to))
}

/// Clocks by due time: the open ones, the breached ones, or all.
#[must_use]
pub fn by_due(breached: Option<bool>, platform: Option<&str>, profile: Option<&str>) -> Listing {
    let key = match breached {
        None => ALL,
        Some(false) => OPEN,
        Some(true) => BREACHED,
    };
    Listing { key: key.to_owned(), ..facets::listing(Clock::KIND, &[platform, profile]) }
}

/// Clocks whose limit was missed from a moment on and before another one, the earliest first.
#[must_use]
pub fn breached_between(
    from: Timestamp,
    to: Timestamp,
    platform: Option<&str>,
    profile: Option<&str>,
) -> Listing {
    let breached = by_due(Some(true), platform, profile);
    let at = |at: Timestamp| format!("{}{}", breached.from, sortable(Some(&to_proto(at))));
    let (from, to) = (at(from), at(to));
    breached.range(from, to)
}

/// Clocks that tell when something is away.
#[must_use]
pub fn outages(platform: Option<&str>, profile: Option<&str>) -> Listing {
    Listing { key: OUTAGE.to_owned(), ..facets::listing(Clock::KIND, &[platform, profile]) }
}

/// Clocks of a case.
#[must_use]
pub fn of_case(value: &str) -> Listing {
    Listing::by(Clock::KIND, SUBJECT).prefix(format!("{value}{}", facets::SEPARATOR))
}

/// Whether a fact of a kind may be recorded by hand.
#[must_use]
pub fn is_by_hand(kind: FactKind) -> bool {
    match kind {
        FactKind::Pause
        | FactKind::Resume
        | FactKind::Stop
        | FactKind::Cancel
        | FactKind::Exempt
        | FactKind::ExemptEnd => true,
        FactKind::Unspecified | FactKind::Start | FactKind::Reset | FactKind::Extend => false,
    }
}

/// When a limit passes, as the row tells.
#[must_use]
pub fn due(limit: &Option<Limit>) -> Option<Timestamp> {
    time(&limit.as_ref()?.due_at)
}
