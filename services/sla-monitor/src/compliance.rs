//! How promises were kept, by day, profile, clock, platform and party (SLA-14).
//!
//! A cycle counts once: as breached on the day of the deadline that it missed, else as met or
//! cancelled on the day on which it ended. A breach that is withdrawn is taken back from its day.

use contracts::{
    common::RecordedEvent,
    sla::{ClockKind, ClockRef, ComplianceFigures, ComplianceLine, HeldTime, Segment},
};
use eventlog::{Key, Listing, Projection};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use prost_types::Duration;

use crate::{
    clock::Event,
    ledger::{duration, from_duration},
    timeline::time,
};

const DAY: &str = "day";

/// Days are those of the supplier.
pub(crate) fn zone() -> TimeZone {
    TimeZone::fixed(jiff::tz::offset(8))
}

pub(crate) fn day(at: Timestamp) -> String {
    zone().to_datetime(at).date().to_string()
}

/// The projection.
#[derive(Debug)]
pub struct Compliance;

/// What an event adds to the figures of its group.
#[derive(Debug)]
pub struct Added {
    group: ComplianceFigures,
    what: What,
}

#[derive(Debug)]
enum What {
    Stopped { met: bool, overrun: SignedDuration, segments: Vec<Segment> },
    Cancelled,
    Breached { contractual: bool },
    Withdrawn { contractual: bool },
    Kept,
}

impl Compliance {
    fn added(clock: &ClockRef, at: Option<Timestamp>, what: What) -> Option<(String, Added)> {
        if clock.kind() != ClockKind::Promise {
            return None;
        }
        let day = day(at?);
        let id =
            [&day, &clock.profile, &clock.clock, &clock.platform, clock.holder().as_str_name()]
                .join("/");
        let group = ComplianceFigures {
            day,
            profile: clock.profile.clone(),
            clock: clock.clock.clone(),
            platform: clock.platform.clone(),
            party: clock.holder,
            figures: None,
        };
        Some((id, Added { group, what }))
    }
}

impl Projection for Compliance {
    const NAME: &'static str = "compliance";

    type Row = ComplianceFigures;

    type Fact = Added;

    fn fact(event: &RecordedEvent) -> Option<(String, Added)> {
        if !event.stream.starts_with("clock.") {
            return None;
        }
        let event = <Event as contracts::Event>::decode_body(&event.r#type, &event.body).ok()?;
        let clock = crate::clock::reference(&event)?;
        match &event {
            Event::ClockStopped(stopped) => {
                let at = stopped.fact.as_ref().and_then(|fact| time(&fact.at));
                let overrun = stopped.overrun.as_ref().map(from_duration).unwrap_or_default();
                let segments = stopped
                    .segments
                    .iter()
                    .filter(|segment| segment.cycle == clock.cycle)
                    .cloned()
                    .collect();
                Self::added(clock, at, What::Stopped { met: stopped.met, overrun, segments })
            }
            Event::ClockCancelled(cancelled) => {
                let at = cancelled.fact.as_ref().and_then(|fact| time(&fact.at));
                let due =
                    cancelled.deadlines.as_ref().and_then(|deadlines| time(&deadlines.due_at));
                // one that was missed before counts as that
                let missed = due.is_some_and(|due| at.is_some_and(|at| due < at));
                if missed { None } else { Self::added(clock, at, What::Cancelled) }
            }
            Event::DeadlineBreached(breached) => {
                let contractual = breached.contractual;
                Self::added(clock, time(&breached.due_at), What::Breached { contractual })
            }
            Event::BreachWithdrawn(withdrawn) if withdrawn.declared => {
                let contractual = withdrawn.contractual;
                let what = match withdrawn.kept && !contractual {
                    true => What::Kept,
                    false => What::Withdrawn { contractual },
                };
                // taken back from where it was counted
                let clock = ClockRef { holder: withdrawn.blamed, ..clock.clone() };
                Self::added(&clock, time(&withdrawn.due_at), what)
            }
            // it was only announced
            Event::BreachWithdrawn(_)
            | Event::FactNoted(_)
            | Event::ClockStarted(_)
            | Event::ClockPaused(_)
            | Event::ClockResumed(_)
            | Event::ClockReset(_)
            | Event::DeadlineExtended(_)
            | Event::ClockReplanned(_)
            | Event::WarningRaised(_)
            | Event::BreachAnnounced(_)
            | Event::BreachEscalated(_)
            | Event::ConsequenceRaised(_)
            | Event::PeriodEnded(_) => None,
        }
    }

    fn apply(row: &mut ComplianceFigures, added: Added) {
        let figures = row.figures.take().unwrap_or_default();
        *row = ComplianceFigures { figures: Some(sum(figures, &added.what)), ..added.group };
    }

    fn keys(row: &ComplianceFigures) -> Vec<Key> {
        vec![Key::new(DAY, row.day.clone())]
    }
}

fn sum(mut line: ComplianceLine, what: &What) -> ComplianceLine {
    match what {
        What::Stopped { met, overrun, segments } => {
            line.met += u64::from(*met);
            add(&mut line.overrun, *overrun);
            for segment in segments {
                let time = segment.working.as_ref().map(from_duration).unwrap_or_default();
                if !segment.counted {
                    add(&mut line.paused, time);
                }
                hold(&mut line.held, segment.holder, time);
            }
        }
        What::Cancelled => line.cancelled += 1,
        What::Breached { contractual: false } => line.breached += 1,
        What::Breached { contractual: true } => line.contractual_breached += 1,
        What::Withdrawn { contractual } => {
            let count =
                if *contractual { &mut line.contractual_breached } else { &mut line.breached };
            *count = count.saturating_sub(1);
            line.withdrawn += u64::from(!contractual);
        }
        What::Kept => {
            line.breached = line.breached.saturating_sub(1);
            line.withdrawn += 1;
            line.met += 1;
        }
    }
    line
}

pub(crate) fn add(sum: &mut Option<Duration>, time: SignedDuration) {
    let before = sum.as_ref().map(from_duration).unwrap_or_default();
    *sum = Some(duration(before.saturating_add(time)));
}

pub(crate) fn hold(held: &mut Vec<HeldTime>, party: i32, time: SignedDuration) {
    match held.iter_mut().find(|held| held.party == party) {
        Some(held) => add(&mut held.time, time),
        None => {
            held.push(HeldTime { party, time: Some(duration(time)) });
            held.sort_by_key(|held| held.party);
        }
    }
}

/// Lists figures by day, both days included.
#[must_use]
pub fn by_day(from: &str, to: &str) -> Listing {
    Listing::by(Compliance::NAME, DAY).range(from, format!("{to}\u{1}"))
}

#[cfg(test)]
mod tests;
