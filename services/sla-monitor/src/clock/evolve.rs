//! History as it is taken in: no rule, no error, no clock.

use std::collections::BTreeMap;

use contracts::sla::{ClockRef, Deadlines, Fact};
use decider::Aggregate;

use super::{About, Clock, Event, Life, Missed, Said, insert};
use crate::timeline::time;

impl Aggregate for Clock {
    type Event = Event;

    fn evolve(self, event: &Event) -> Self {
        match (self, event) {
            (Self::Absent, Event::FactNoted(event)) => {
                Self::Expected(event.fact.iter().cloned().collect())
            }
            (Self::Expected(mut facts), Event::FactNoted(event)) => {
                event.fact.iter().cloned().for_each(|fact| insert(&mut facts, fact));
                Self::Expected(facts)
            }
            (Self::Absent | Self::Expected(_), Event::ClockStarted(event)) => {
                let clock = event.clock.clone().unwrap_or_default();
                let about = About {
                    clock_id: clock.clock_id,
                    profile: clock.profile,
                    clock: clock.clock,
                    subject: clock.subject,
                    platform: clock.platform,
                    contract_id: clock.contract_id,
                    period: event.period.clone(),
                };
                Self::Running(Box::new(Life {
                    about,
                    version: event.profile_version,
                    facts: event.fact.iter().cloned().collect(),
                    said: Said { cycle: clock.cycle, ..Said::default() },
                    deadlines: event.deadlines.unwrap_or_default(),
                    counted: BTreeMap::new(),
                }))
            }
            (Self::Running(life), event) => Self::Running(Box::new(life.evolve(event))),
            // a clock that has not started says nothing else
            (unstarted @ (Self::Absent | Self::Expected(_)), _) => unstarted,
        }
    }
}

impl Life {
    fn evolve(mut self, event: &Event) -> Self {
        let cycle = reference(event).map_or(self.said.cycle, |clock| clock.cycle);
        if cycle != self.said.cycle {
            self.said = Said { cycle, ..Said::default() };
        }
        if let Some(fact) = fact(event) {
            insert(&mut self.facts, fact.clone());
        }
        if let Some(deadlines) = deadlines(event) {
            self.deadlines = *deadlines;
        }
        match event {
            Event::ClockReplanned(event) => {
                self.version = event.profile_version;
                // what they warn of is another moment now
                self.said.warnings.clear();
            }
            Event::WarningRaised(event) => {
                self.said.warnings.insert(event.warning);
            }
            Event::BreachAnnounced(event) => {
                *self.said.missed(event.contractual) =
                    time(&event.due_at).map(|due| Missed { due, certain: false });
            }
            Event::DeadlineBreached(event) => {
                *self.said.missed(event.contractual) =
                    time(&event.due_at).map(|due| Missed { due, certain: true });
            }
            Event::BreachWithdrawn(event) => {
                *self.said.missed(event.contractual) = None;
                if !event.contractual {
                    self.said.steps.clear();
                }
            }
            Event::BreachEscalated(event) => {
                self.said.steps.insert((event.step, event.count));
            }
            Event::PeriodEnded(_) => self.said.over = true,
            Event::ResultRecorded(event) => {
                self.counted.entry(event.cycle).or_default().extend(event.result.clone());
            }
            Event::ResultRetracted(event) => {
                if let Some(results) = self.counted.get_mut(&event.cycle) {
                    results.retain(|result| Some(result) != event.result.as_ref());
                }
            }
            Event::FactNoted(_)
            | Event::ClockStarted(_)
            | Event::ClockPaused(_)
            | Event::ClockResumed(_)
            | Event::ClockStopped(_)
            | Event::ClockCancelled(_)
            | Event::ClockReset(_)
            | Event::DeadlineExtended(_)
            | Event::ConsequenceRaised(_) => {}
        }
        self
    }
}

impl Said {
    fn missed(&mut self, contractual: bool) -> &mut Option<Missed> {
        if contractual { &mut self.contractual } else { &mut self.committed }
    }
}

macro_rules! clock_of {
    ($event:expr, $as:ident) => {
        match $event {
            Event::FactNoted(event) => event.clock.$as(),
            Event::ClockStarted(event) => event.clock.$as(),
            Event::ClockPaused(event) => event.clock.$as(),
            Event::ClockResumed(event) => event.clock.$as(),
            Event::ClockStopped(event) => event.clock.$as(),
            Event::ClockCancelled(event) => event.clock.$as(),
            Event::ClockReset(event) => event.clock.$as(),
            Event::DeadlineExtended(event) => event.clock.$as(),
            Event::ClockReplanned(event) => event.clock.$as(),
            Event::WarningRaised(event) => event.clock.$as(),
            Event::BreachAnnounced(event) => event.clock.$as(),
            Event::DeadlineBreached(event) => event.clock.$as(),
            Event::BreachWithdrawn(event) => event.clock.$as(),
            Event::BreachEscalated(event) => event.clock.$as(),
            Event::ConsequenceRaised(event) => event.clock.$as(),
            Event::PeriodEnded(event) => event.clock.$as(),
            Event::ResultRecorded(event) => event.clock.$as(),
            Event::ResultRetracted(event) => event.clock.$as(),
        }
    };
}

/// What an event says of its clock.
#[must_use]
pub(crate) fn reference(event: &Event) -> Option<&ClockRef> {
    clock_of!(event, as_ref)
}

pub(super) fn reference_mut(event: &mut Event) -> Option<&mut ClockRef> {
    clock_of!(event, as_mut)
}

/// The fact that an event records.
#[must_use]
pub(crate) fn fact(event: &Event) -> Option<&Fact> {
    match event {
        Event::FactNoted(event) => event.fact.as_ref(),
        Event::ClockStarted(event) => event.fact.as_ref(),
        Event::ClockPaused(event) => event.fact.as_ref(),
        Event::ClockResumed(event) => event.fact.as_ref(),
        Event::ClockStopped(event) => event.fact.as_ref(),
        Event::ClockCancelled(event) => event.fact.as_ref(),
        Event::ClockReset(event) => event.fact.as_ref(),
        Event::DeadlineExtended(event) => event.fact.as_ref(),
        Event::ClockReplanned(_)
        | Event::WarningRaised(_)
        | Event::BreachAnnounced(_)
        | Event::DeadlineBreached(_)
        | Event::BreachWithdrawn(_)
        | Event::BreachEscalated(_)
        | Event::ConsequenceRaised(_)
        | Event::PeriodEnded(_)
        | Event::ResultRecorded(_)
        | Event::ResultRetracted(_) => None,
    }
}

/// The deadlines that an event tells anew.
fn deadlines(event: &Event) -> Option<&Deadlines> {
    match event {
        Event::ClockStarted(event) => event.deadlines.as_ref(),
        Event::ClockPaused(event) => event.deadlines.as_ref(),
        Event::ClockResumed(event) => event.deadlines.as_ref(),
        Event::ClockStopped(event) => event.deadlines.as_ref(),
        Event::ClockCancelled(event) => event.deadlines.as_ref(),
        Event::ClockReset(event) => event.deadlines.as_ref(),
        Event::DeadlineExtended(event) => event.deadlines.as_ref(),
        Event::ClockReplanned(event) => event.deadlines.as_ref(),
        Event::FactNoted(_)
        | Event::WarningRaised(_)
        | Event::BreachAnnounced(_)
        | Event::DeadlineBreached(_)
        | Event::BreachWithdrawn(_)
        | Event::BreachEscalated(_)
        | Event::ConsequenceRaised(_)
        | Event::PeriodEnded(_)
        | Event::ResultRecorded(_)
        | Event::ResultRetracted(_) => None,
    }
}
