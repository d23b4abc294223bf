//! One promise about one case, watched.
//!
//! ```text
//! Absent ─(facts that came too early)─▶ Expected ─┐
//!    └───────────────start─────────────────────────┴─▶ Running ⇄ halted ─▶ stopped, cancelled, over
//!                                                        └──── reset: a new cycle ────┘
//! ```
//!
//! Invariants: what is said about a cycle (a warning, a breach, a step) is said once; a breach that
//! stands is one that the [`Timeline`] of all known facts shows. Time comes in as a moment up to
//! which everything is known; nothing here reads a clock.

use std::collections::{BTreeMap, BTreeSet};

pub use contracts::sla::clock_event::Event;
use contracts::sla::{CycleResult, Deadlines, Fact, FactKind, ReplanReason, SubjectPart};
use decider::{Decision, unchanged};
use jiff::Timestamp;

mod draft;
mod evolve;
mod results;

use draft::Draft;
pub(crate) use evolve::{fact, reference};

use crate::{
    calendar::OutOfRange,
    timeline::{Plan, Timeline, order},
};

/// Facts that one clock keeps, at most.
pub const MOST_FACTS: usize = 500;

/// A clock.
#[derive(Debug, Default, Clone, PartialEq)]
pub enum Clock {
    /// Nothing is known.
    #[default]
    Absent,
    /// Facts came before the start: events of several services meet in it.
    Expected(Vec<Fact>),
    /// It started; whether it runs now, its facts tell.
    Running(Box<Life>),
}

/// A clock that started.
#[derive(Debug, Clone, PartialEq)]
pub struct Life {
    /// What it is about.
    pub(crate) about: About,
    /// Version of the profile that counts.
    pub(crate) version: u32,
    /// Everything that is known, in [`order`].
    pub(crate) facts: Vec<Fact>,
    /// What was said about the present cycle.
    pub(crate) said: Said,
    /// The deadlines as they were told last.
    pub(crate) deadlines: Deadlines,
    /// What each cycle counts for.
    pub(crate) counted: BTreeMap<u32, Vec<CycleResult>>,
}

/// What a clock is about: profile, clock and case, and for whom.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct About {
    /// Id of the clock.
    pub clock_id: String,
    /// Name of the profile.
    pub profile: String,
    /// Name of the clock in it.
    pub clock: String,
    /// The case.
    pub subject: Vec<SubjectPart>,
    /// Platform, if any.
    pub platform: String,
    /// Contract, if any.
    pub contract_id: String,
    /// For a duty: the period.
    pub period: String,
}

/// What was said about a cycle.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Said {
    pub(crate) cycle: u32,
    pub(crate) warnings: BTreeSet<u32>,
    pub(crate) committed: Option<Missed>,
    pub(crate) contractual: Option<Missed>,
    pub(crate) steps: BTreeSet<(u32, u32)>,
    /// The period has ended.
    pub(crate) over: bool,
}

/// A limit that was said to be missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Missed {
    pub(crate) due: Timestamp,
    pub(crate) certain: bool,
}

/// Why a clock says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// There is no such clock.
    #[error("there is no such clock")]
    NotFound,
    /// The deadline cannot be counted.
    #[error("the deadline cannot be counted: {0}")]
    OutOfRange(#[from] OutOfRange),
    /// Its version of its profile is none that can be applied.
    #[error("the rules of this clock are not understood by this release")]
    RulesUnknown,
    /// It has more facts than a clock keeps.
    #[error("the clock has {MOST_FACTS} facts already; what is it that never ends?")]
    TooManyFacts,
    /// The fact does nothing to the clock as it stands.
    #[error("{0}")]
    Idle(&'static str),
    /// The id was used before, with another content.
    #[error("it was said before with another {0}")]
    Differs(&'static str),
}

impl Clock {
    /// The platform; empty when it belongs to none, `None` when the clock has not started.
    #[must_use]
    pub fn platform(&self) -> Option<&str> {
        match self {
            Self::Absent | Self::Expected(_) => None,
            Self::Running(life) => Some(&life.about.platform),
        }
    }

    /// Profile version that counts, when it has started.
    #[must_use]
    pub fn pinned(&self) -> Option<(&str, u32, &str)> {
        match self {
            Self::Absent | Self::Expected(_) => None,
            Self::Running(life) => Some((&life.about.profile, life.version, &life.about.clock)),
        }
    }

    /// Its facts, in the order in which they happened.
    #[must_use]
    pub fn facts(&self) -> &[Fact] {
        match self {
            Self::Absent => &[],
            Self::Expected(facts) => facts,
            Self::Running(life) => &life.facts,
        }
    }

    /// Whether the present cycle has ended, or there is none.
    #[must_use]
    pub fn is_closed(&self, plan: &Plan) -> bool {
        match self {
            Self::Absent | Self::Expected(_) => false,
            Self::Running(life) => {
                life.said.over
                    || Timeline::lay(&life.facts, plan).is_ok_and(|timeline| {
                        timeline.current().is_some_and(|cycle| cycle.end.is_some())
                    })
            }
        }
    }

    /// Takes in a fact: one of its own profile, or recorded by hand.
    ///
    /// A fact that came before is a repeat. One that changes nothing now is kept, because a fact that
    /// becomes known later may give it a meaning. One that comes before the start is kept only where
    /// events of several services meet.
    ///
    /// # Errors
    /// A deadline lies beyond the calendar, or there are too many facts.
    pub fn note(&self, about: &About, fact: &Fact, plan: &Plan) -> Decision<Event, Rejection> {
        let known = |fact: &Fact| {
            self.facts()
                .iter()
                .any(|known| (&known.evidence, known.kind) == (&fact.evidence, fact.kind))
        };
        if known(fact) {
            return unchanged();
        }
        let is_full = self.facts().len() >= MOST_FACTS;
        match self {
            Self::Running(life) => {
                let mut draft = Draft::of(life, plan)?;
                draft.take(fact)?;
                let idle = matches!(draft.events.as_slice(), [Event::FactNoted(_)]);
                match is_full {
                    true if idle => unchanged(),
                    true => Err(Rejection::TooManyFacts),
                    false => Ok(draft.events),
                }
            }
            Self::Absent | Self::Expected(_) if is_full => Err(Rejection::TooManyFacts),
            Self::Absent | Self::Expected(_) if fact.kind() == FactKind::Start => {
                let mut draft = Draft::begin(about, fact, plan)?;
                for early in self.facts() {
                    draft.take(early)?;
                }
                Ok(draft.events)
            }
            Self::Absent | Self::Expected(_) if plan.policy.spans_contexts() => {
                Ok(vec![draft::noted(about, plan, fact)])
            }
            Self::Absent | Self::Expected(_) => unchanged(),
        }
    }

    /// Takes in a fact that a person tells. Unlike one of an event it must do something.
    ///
    /// # Errors
    /// There is no such clock, the id was used for another fact, or the fact does nothing.
    pub fn record(&self, about: &About, fact: &Fact, plan: &Plan) -> Decision<Event, Rejection> {
        let Self::Running(life) = self else { return Err(Rejection::NotFound) };
        if let Some(before) = life.facts.iter().find(|known| known.evidence == fact.evidence) {
            return match () {
                () if before.kind != fact.kind => Err(Rejection::Differs("kind")),
                () if before.until != fact.until => Err(Rejection::Differs("until")),
                () if before.reason != fact.reason => Err(Rejection::Differs("reason")),
                () if before.holder != fact.holder => Err(Rejection::Differs("holder")),
                () => unchanged(),
            };
        }
        let events = self.note(about, fact, plan)?;
        if events.iter().any(|event| matches!(event, Event::FactNoted(_))) {
            let extends = fact.kind() == FactKind::Extend;
            return Err(Rejection::Idle(match extends {
                true => "the deadline has passed, or is the same already",
                false => "the clock does not stand so that this would change anything",
            }));
        }
        Ok(events)
    }

    /// Everything before `to` is known: says what is due by then.
    ///
    /// # Errors
    /// A deadline lies beyond the calendar.
    pub fn advance(&self, to: Timestamp, plan: &Plan) -> Decision<Event, Rejection> {
        let Self::Running(life) = self else { return unchanged() };
        let mut draft = Draft::of(life, plan)?;
        draft.advance(to)?;
        Ok(draft.events)
    }

    /// It is later than `to`, but these services cannot be asked: says provisionally what is due.
    ///
    /// # Errors
    /// A deadline lies beyond the calendar.
    pub fn announce(
        &self,
        to: Timestamp,
        unheard: &[String],
        plan: &Plan,
    ) -> Decision<Event, Rejection> {
        let Self::Running(life) = self else { return unchanged() };
        let mut draft = Draft::of(life, plan)?;
        draft.announce(to, unheard)?;
        Ok(draft.events)
    }

    /// Other rules or other official days count from now on. What they undo is withdrawn.
    ///
    /// # Errors
    /// A deadline lies beyond the calendar.
    pub fn replan(
        &self,
        reason: ReplanReason,
        at: Timestamp,
        plan: &Plan,
    ) -> Decision<Event, Rejection> {
        let Self::Running(life) = self else { return unchanged() };
        let mut draft = Draft::of(life, plan)?;
        draft.replan(reason, at)?;
        Ok(draft.events)
    }
}

/// Puts a fact in its place; one that is there already is not put in twice.
pub(crate) fn insert(facts: &mut Vec<Fact>, fact: Fact) {
    if facts.iter().any(|known| (&known.evidence, known.kind) == (&fact.evidence, fact.kind)) {
        return;
    }
    let place = facts.partition_point(|known| order(known) <= order(&fact));
    facts.insert(place, fact);
}

#[cfg(test)]
pub(crate) mod tests;
