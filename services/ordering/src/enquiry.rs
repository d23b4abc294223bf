//! One pre-sales enquiry and its answer (ORD-02, ORD-03).
//!
//! Absent ─record─▶ Recorded ─answer─▶ Answered
//!
//! Invariant: who asked is sealed before it comes here.

use chassis::{
    When,
    facets::{self, sortable},
    repeat::{Differs, same, same_time},
};
use contracts::common::{EventMetadata, Sealed};
pub use contracts::ordering::enquiry_event::Event;
use contracts::ordering::{Enquiry as Row, EnquiryAnswered, EnquiryKind, EnquiryRecorded};
use decider::{Aggregate, Decision, emit, unchanged};
use eventlog::{Key, Listing, Recorded, time::to_proto};
use prost_types::Timestamp;

/// The time of a fact, as history tells it.
type At = Option<Timestamp>;

/// Where an enquiry stands.
#[derive(Debug, Default, Clone, PartialEq)]
pub enum Enquiry {
    /// Nobody asked.
    #[default]
    Absent,
    /// Waiting for an answer.
    Recorded(Question, At),
    /// Answered.
    Answered(Question, At, Answer),
}

/// What was asked, and by whom.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The caller's id.
    pub enquiry_id: String,
    /// Platform, empty when it did not come through one.
    pub platform: String,
    /// What it is about.
    pub kind: EnquiryKind,
    /// Who asks, sealed.
    pub customer: Sealed,
    /// In words.
    pub text: String,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    text: String,
    at: At,
}

impl Aggregate for Enquiry {
    type Event = Event;

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::EnquiryRecorded(event) => {
                let question = Question {
                    enquiry_id: event.enquiry_id.clone(),
                    platform: event.platform.clone(),
                    kind: event.kind(),
                    customer: event.customer.clone().unwrap_or_default(),
                    text: event.question.clone(),
                };
                Self::Recorded(question, event.asked_at)
            }
            Event::EnquiryAnswered(event) => match self {
                Self::Absent => Self::Absent,
                Self::Recorded(question, asked_at) | Self::Answered(question, asked_at, _) => {
                    let answer = Answer { text: event.answer.clone(), at: event.answered_at };
                    Self::Answered(question, asked_at, answer)
                }
            },
        }
    }
}

impl Enquiry {
    /// The platform that the enquiry came through, empty when through none; `None` when there is no
    /// enquiry.
    #[must_use]
    pub fn platform(&self) -> Option<&str> {
        match self {
            Self::Absent => None,
            Self::Recorded(question, _) | Self::Answered(question, _, _) => {
                Some(&question.platform)
            }
        }
    }

    /// Somebody asks.
    ///
    /// # Errors
    /// The id was used for another question.
    pub fn record(&self, question: &Question, when: When) -> Decision<Event, Rejection> {
        match self {
            Self::Absent => emit(EnquiryRecorded {
                enquiry_id: question.enquiry_id.clone(),
                platform: question.platform.clone(),
                kind: question.kind.into(),
                customer: Some(question.customer.clone()),
                question: question.text.clone(),
                asked_at: Some(to_proto(when.time())),
            }),
            Self::Recorded(before, at) | Self::Answered(before, at, _) => {
                same("platform", &before.platform, &question.platform)?;
                same("kind", &before.kind, &question.kind)?;
                same("customer", &identity(&before.customer), &identity(&question.customer))?;
                same("question", &before.text, &question.text)?;
                same_time(at.as_ref(), when)?;
                unchanged()
            }
        }
    }

    /// Somebody of ours answers.
    ///
    /// # Errors
    /// There is no enquiry, or it has another answer.
    pub fn answer(&self, answer: &str, by: &str, when: When) -> Decision<Event, Rejection> {
        match self {
            Self::Absent => Err(Rejection::NotFound),
            Self::Recorded(question, _) => emit(EnquiryAnswered {
                enquiry_id: question.enquiry_id.clone(),
                answer: answer.to_owned(),
                answered_by: by.to_owned(),
                answered_at: Some(to_proto(when.time())),
            }),
            Self::Answered(_, _, given) => {
                same("answer", given.text.as_str(), answer)?;
                same_time(given.at.as_ref(), when)?;
                unchanged()
            }
        }
    }
}

/// Equal data of one person have equal fingerprints; the ciphertext is another one each time.
fn identity(sealed: &Sealed) -> (&str, &[u8]) {
    (&sealed.person, &sealed.fingerprint)
}

/// Why an enquiry says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// No enquiry has this id.
    #[error("there is no such enquiry")]
    NotFound,
    /// The id was used before, with another content.
    #[error(transparent)]
    Differs(#[from] Differs),
}

impl Recorded for Enquiry {
    const KIND: &'static str = "enquiry";

    type Row = Row;

    fn apply(row: &mut Row, event: &Event, _meta: &EventMetadata, _version: u64) {
        match event {
            Event::EnquiryRecorded(event) => {
                *row = Row {
                    enquiry_id: event.enquiry_id.clone(),
                    platform: event.platform.clone(),
                    kind: event.kind,
                    sealed_customer: event.customer.clone(),
                    question: event.question.clone(),
                    asked_at: event.asked_at,
                    ..Row::default()
                };
            }
            Event::EnquiryAnswered(event) => {
                row.answer.clone_from(&event.answer);
                row.answered_by.clone_from(&event.answered_by);
                row.answered_at = event.answered_at;
            }
        }
    }

    fn keys(row: &Row) -> Vec<Key> {
        let stage = if row.answered_at.is_some() { "answered" } else { UNANSWERED };
        facets::keys(&[&row.platform, stage], &sortable(row.asked_at.as_ref()))
    }
}

const UNANSWERED: &str = "unanswered";

/// Lists enquiries, the oldest first.
#[must_use]
pub fn listing(platform: Option<&str>, unanswered_only: bool) -> Listing {
    facets::listing(Enquiry::KIND, &[platform, unanswered_only.then_some(UNANSWERED)])
}

#[cfg(test)]
mod tests;
