//! How promises were kept, by day, profile, clock, platform and party (SLA-14).
//!
//! A cycle counts once: as breached on the day of the deadline that it missed, else as met or
//! cancelled on the day on which it ended. What it counts for the clock itself says; the figures are
//! the sum of what was recorded less what was retracted.

use chassis::days::day;
use contracts::{
    common::RecordedEvent,
    sla::{ClockKind, ClockRef, ComplianceFigures, ComplianceLine, CycleResult, Party, ResultKind},
};
use eventlog::{Key, Listing, Projection};
use jiff::Timestamp;
use prost_types::Duration;

use crate::{
    clock::Event,
    ledger::{add, from_duration, hold},
    timeline::time,
};

const DAY: &str = "day";

/// The projection.
#[derive(Debug)]
pub struct Compliance;

/// What an event adds to the figures of its group, or takes back.
#[derive(Debug)]
pub struct Added {
    group: ComplianceFigures,
    what: What,
}

#[derive(Debug)]
enum What {
    Recorded(CycleResult),
    Retracted(CycleResult),
    /// A breach that had been declared was withdrawn.
    Withdrawn,
}

impl Compliance {
    fn added(clock: &ClockRef, at: Timestamp, party: Party, what: What) -> (String, Added) {
        let day = day(at);
        let id =
            [&day, &clock.profile, &clock.clock, &clock.platform, party.as_str_name()].join("/");
        let group = ComplianceFigures {
            day,
            profile: clock.profile.clone(),
            clock: clock.clock.clone(),
            platform: clock.platform.clone(),
            party: party.into(),
            figures: None,
        };
        (id, Added { group, what })
    }
}

impl Projection for Compliance {
    const NAME: &'static str = "compliance";

    type Row = ComplianceFigures;

    type Fact = Added;

    type Facts = Option<(String, Added)>;

    fn facts(event: &RecordedEvent) -> Self::Facts {
        if !event.stream.starts_with("clock.") {
            return None;
        }
        let event = <Event as contracts::Event>::decode_body(&event.r#type, &event.body).ok()?;
        let clock = crate::clock::reference(&event)?.clone();
        let of = |result: CycleResult, what: fn(CycleResult) -> What| {
            let (at, party) = (time(&result.at)?, result.party());
            Some(Self::added(&clock, at, party, what(result)))
        };
        match event {
            Event::ResultRecorded(recorded) => of(recorded.result?, What::Recorded),
            Event::ResultRetracted(retracted) => of(retracted.result?, What::Retracted),
            Event::BreachWithdrawn(withdrawn)
                if withdrawn.declared
                    && !withdrawn.contractual
                    && clock.kind() == ClockKind::Promise =>
            {
                let (at, party) = (time(&withdrawn.due_at)?, withdrawn.blamed());
                Some(Self::added(&clock, at, party, What::Withdrawn))
            }
            Event::BreachWithdrawn(_)
            | Event::FactNoted(_)
            | Event::ClockStarted(_)
            | Event::ClockPaused(_)
            | Event::ClockResumed(_)
            | Event::ClockStopped(_)
            | Event::ClockCancelled(_)
            | Event::ClockReset(_)
            | Event::DeadlineExtended(_)
            | Event::ClockReplanned(_)
            | Event::WarningRaised(_)
            | Event::BreachAnnounced(_)
            | Event::DeadlineBreached(_)
            | Event::BreachEscalated(_)
            | Event::ConsequenceRaised(_)
            | Event::PeriodEnded(_) => None,
        }
    }

    fn apply(row: &mut ComplianceFigures, added: Added) {
        let mut line = row.figures.take().unwrap_or_default();
        match &added.what {
            What::Recorded(result) => count(&mut line, result, 1),
            What::Retracted(result) => count(&mut line, result, -1),
            What::Withdrawn => line.withdrawn += 1,
        }
        *row = ComplianceFigures { figures: Some(line), ..added.group };
    }

    fn keys(row: &ComplianceFigures) -> Vec<Key> {
        vec![Key::new(DAY, row.day.clone())]
    }
}

/// Adds a result so many times: once, or less once.
fn count(line: &mut ComplianceLine, result: &CycleResult, times: i32) {
    let counter = match result.kind() {
        ResultKind::Met => Some(&mut line.met),
        ResultKind::Breached => Some(&mut line.breached),
        ResultKind::ContractualBreached => Some(&mut line.contractual_breached),
        ResultKind::Cancelled => Some(&mut line.cancelled),
        ResultKind::Late | ResultKind::Unspecified => None,
    };
    if let Some(counter) = counter {
        *counter = counter.saturating_add_signed(times.into());
    }
    let time = |span: &Option<Duration>| {
        span.as_ref().map(from_duration).unwrap_or_default().saturating_mul(times)
    };
    for (sum, of_it) in [(&mut line.overrun, &result.overrun), (&mut line.paused, &result.paused)] {
        if of_it.is_some() {
            add(sum, time(of_it));
        }
    }
    for held in &result.held {
        hold(&mut line.held, held.party, time(&held.time));
    }
    line.held.retain(|held| held.time.as_ref().is_some_and(|time| *time != Duration::default()));
}

/// Lists figures by day, both days included.
#[must_use]
pub fn by_day(from: &str, to: &str) -> Listing {
    Listing::by(Compliance::NAME, DAY).range(from, format!("{to}\u{1}"))
}

#[cfg(test)]
mod tests;
