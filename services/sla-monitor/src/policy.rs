//! What is promised about time, checked and ready to be applied (SLA-01, SLA-02, SLA-09).
//!
//! ```text
//! api::Profile ──check──▶ Profile ─▶ Policy: patterns · targets · calendar · warnings · ladder
//! ```
//!
//! Invariant: whatever a [`Profile`] holds can be applied to any event without an error; a profile
//! that could not is refused as a whole, with each wrong place named.

mod check;
mod field;
mod pattern;

use std::{collections::BTreeSet, sync::Arc};

use contracts::sla::{self as api, ClockKind, DutyPeriod, Party};

use crate::calendar::Span;

pub use check::{check, read, recorded, span};
pub use field::{Field, FieldError, context};
pub use pattern::{Pattern, Said};

/// A version of a profile, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Name.
    pub name: String,
    /// Version, from 1; 0 for a draft.
    pub version: u32,
    /// Its clocks and duties, in their order.
    pub policies: Vec<Arc<Policy>>,
    /// Events that the contracts do not define yet.
    pub unbound: BTreeSet<String>,
}

impl Profile {
    /// The policy of a clock or duty.
    #[must_use]
    pub fn policy(&self, name: &str) -> Option<&Arc<Policy>> {
        self.policies.iter().find(|policy| policy.name == name)
    }
}

/// The rules of one kind of clock.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Name of the profile.
    pub profile: String,
    /// Version of the profile.
    pub version: u32,
    /// Name, unique in the profile.
    pub name: String,
    /// In words.
    pub title: String,
    /// Ids of the requirements.
    pub serves: Vec<String>,
    /// What its end means.
    pub kind: ClockKind,
    /// Names of the parts of a case.
    pub subject: Vec<String>,
    /// Which events do what.
    pub patterns: Vec<Pattern>,
    /// The limit that we promise.
    pub committed: Option<Target>,
    /// The limit of the contract.
    pub contractual: Option<Target>,
    /// Name of the calendar.
    pub calendar: String,
    /// Before the limit that we promise.
    pub warnings: Vec<Warning>,
    /// After a breach.
    pub steps: Vec<Step>,
    /// What a breach brings about.
    pub consequences: Vec<api::Consequence>,
    /// Who holds the case while the clock runs.
    pub holder: Party,
    /// Whether a start after its end begins it anew.
    pub repeats: bool,
    /// The share of time that is promised, in hundredths of a percent.
    pub availability: u32,
    /// For a duty: how it comes round.
    pub duty: Option<Duty>,
    /// The same as it is told to others.
    pub told: api::ClockPolicy,
}

/// A deadline.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// So long after the start.
    pub span: Option<Span>,
    /// The starting event holds it, and the user sets it (SLA-04).
    pub set_by_user: bool,
}

/// When a warning is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warning {
    /// When so many percent of the time are used up.
    Percent(u32),
    /// So long before the deadline.
    Before(Span),
}

/// A step of the ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Who is told.
    pub to: String,
    /// How long after the deadline.
    pub after: Option<Span>,
    /// Again after each of these.
    pub every: Option<Span>,
    /// How often in all, from 1.
    pub times: u32,
}

/// How a duty comes round (SLA-16).
#[derive(Debug, Clone, PartialEq)]
pub struct Duty {
    /// The post that owes it.
    pub owner: String,
    /// How often in each period, from 1.
    pub times_per_period: u32,
    /// How long after its period it may be done.
    pub grace: Option<Span>,
    /// When.
    pub schedule: Schedule,
}

/// When a duty is owed.
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    /// By the calendar, for as long as the profile is bound.
    Calendar(DutyPeriod),
    /// So many periods after an event.
    Anchored {
        /// Length of each.
        every: Span,
        /// How many.
        times: u32,
    },
}

impl Policy {
    /// The contexts whose events it goes by: `ordering`.
    #[must_use]
    pub fn contexts(&self) -> BTreeSet<&str> {
        self.patterns
            .iter()
            .filter(|pattern| pattern.fields.is_some())
            .map(|pattern| context(&pattern.event))
            .collect()
    }

    /// Whether events of several contexts meet in it, so that one may come before its cause.
    #[must_use]
    pub fn spans_contexts(&self) -> bool {
        self.contexts().len() > 1
    }
}

#[cfg(test)]
mod tests;
