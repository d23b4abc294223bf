//! Solutions that worked, and are to be offered for the next complaint of the same type (CMP-29, CMP-32,
//! CMP-41, CMP-43).
//!
//! ```text
//! Absent ─adopt─▶ Standard ─retire─▶ Retired
//! ```

use chassis::{
    When,
    facets::{self, sortable},
    repeat::{Differs, same, same_time},
};
use contracts::common::EventMetadata;
pub use contracts::complaints::standard_solution_event::Event;
use contracts::complaints::{
    CauseClass, StandardSolution as Row, StandardSolutionAdopted, StandardSolutionRetired,
};
use decider::{Aggregate, Decision, emit, unchanged};
use eventlog::{Key, Listing, Recorded, time::to_proto};

const CURRENT: &str = "current";

/// A standard solution.
#[derive(Debug, Default, Clone, PartialEq)]
pub enum Standard {
    /// There is none.
    #[default]
    Absent,
    /// To be offered.
    Current(Box<StandardSolutionAdopted>),
    /// To be offered no longer.
    Retired(Box<StandardSolutionAdopted>, StandardSolutionRetired),
}

/// What is to be offered, for which complaints.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Adoption {
    /// Id.
    pub id: String,
    /// What complaints it is for.
    pub cause: CauseClass,
    /// What exactly they are about; empty for all of the cause.
    pub topic: String,
    /// In words.
    pub text: String,
    /// How it can be done.
    pub feasibility: String,
    /// Why it is fair to both sides.
    pub fairness: String,
    /// What is done, each once and in order.
    pub measures: Vec<i32>,
    /// The complaint in which it worked, if any.
    pub complaint_id: String,
}

impl Aggregate for Standard {
    type Event = Event;

    fn evolve(self, event: &Event) -> Self {
        match (self, event) {
            (_, Event::StandardSolutionAdopted(event)) => Self::Current(Box::new(event.clone())),
            (Self::Absent, Event::StandardSolutionRetired(_)) => Self::Absent,
            (
                Self::Current(adopted) | Self::Retired(adopted, _),
                Event::StandardSolutionRetired(event),
            ) => Self::Retired(adopted, event.clone()),
        }
    }
}

impl Standard {
    /// Whether there is one, whatever its state.
    #[must_use]
    pub fn exists(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    /// It is standard from now on.
    ///
    /// # Errors
    /// The id was used for another one.
    pub fn adopt(&self, adoption: &Adoption, by: &str, when: When) -> Decision<Event, Rejection> {
        let now = StandardSolutionAdopted {
            standard_solution_id: adoption.id.clone(),
            cause: adoption.cause.into(),
            topic: adoption.topic.clone(),
            text: adoption.text.clone(),
            feasibility: adoption.feasibility.clone(),
            fairness: adoption.fairness.clone(),
            measures: adoption.measures.clone(),
            complaint_id: adoption.complaint_id.clone(),
            adopted_by: by.to_owned(),
            adopted_at: Some(to_proto(when.time())),
        };
        match self {
            Self::Absent => emit(now),
            Self::Current(before) | Self::Retired(before, _) => {
                same("cause", &before.cause, &now.cause)?;
                same("topic", &before.topic, &now.topic)?;
                same("text", &before.text, &now.text)?;
                same("feasibility", &before.feasibility, &now.feasibility)?;
                same("fairness", &before.fairness, &now.fairness)?;
                same("measures", &before.measures, &now.measures)?;
                same("complaint_id", &before.complaint_id, &now.complaint_id)?;
                same_time(before.adopted_at.as_ref(), when)?;
                unchanged()
            }
        }
    }

    /// It is standard no longer.
    ///
    /// # Errors
    /// There is none, or it was retired for another reason.
    pub fn retire(&self, reason: &str, by: &str, when: When) -> Decision<Event, Rejection> {
        match self {
            Self::Absent => Err(Rejection::NotFound),
            Self::Current(adopted) => emit(StandardSolutionRetired {
                standard_solution_id: adopted.standard_solution_id.clone(),
                reason: reason.to_owned(),
                retired_by: by.to_owned(),
                retired_at: Some(to_proto(when.time())),
            }),
            Self::Retired(_, before) => {
                same("reason", before.reason.as_str(), reason)?;
                same_time(before.retired_at.as_ref(), when)?;
                unchanged()
            }
        }
    }
}

/// Why a standard solution says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// No standard solution has this id.
    #[error("there is no such standard solution")]
    NotFound,
    /// The id was used before, with another content.
    #[error(transparent)]
    Differs(#[from] Differs),
}

impl Recorded for Standard {
    const KIND: &'static str = "standard_solution";

    type Row = Row;

    fn apply(row: &mut Row, event: &Event, _meta: &EventMetadata, _version: u64) {
        match event {
            Event::StandardSolutionAdopted(event) => {
                *row = Row {
                    standard_solution_id: event.standard_solution_id.clone(),
                    cause: event.cause,
                    topic: event.topic.clone(),
                    text: event.text.clone(),
                    feasibility: event.feasibility.clone(),
                    fairness: event.fairness.clone(),
                    measures: event.measures.clone(),
                    complaint_id: event.complaint_id.clone(),
                    adopted_by: event.adopted_by.clone(),
                    adopted_at: event.adopted_at,
                    ..Row::default()
                };
            }
            Event::StandardSolutionRetired(event) => {
                row.retired_at = event.retired_at;
                row.retired_reason.clone_from(&event.reason);
            }
        }
    }

    fn keys(row: &Row) -> Vec<Key> {
        let stage = if row.retired_at.is_none() { CURRENT } else { "retired" };
        let adopted = sortable(row.adopted_at.as_ref());
        facets::keys(&[row.cause().as_str_name(), stage], &adopted)
    }
}

/// Lists standard solutions, the newest first.
#[must_use]
pub fn listing(cause: Option<CauseClass>, current_only: bool) -> Listing {
    let wanted = [cause.map(|cause| cause.as_str_name()), current_only.then_some(CURRENT)];
    facets::listing(Standard::KIND, &wanted).descending()
}

/// Whether it is meant for complaints about this: those of its own topic, and all when it names none.
#[must_use]
pub fn is_meant_for(standard: &Row, topic: &str) -> bool {
    standard.topic.is_empty() || standard.topic == topic
}

#[cfg(test)]
mod tests;
