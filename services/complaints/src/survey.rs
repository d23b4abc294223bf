//! What users answer to surveys of satisfaction, one answer at a time (OPS-24).
//!
//! Absent ─record─▶ Given

use chassis::{
    When,
    facets::{self, sortable},
    repeat::{Differs, same, same_time},
};
use contracts::common::EventMetadata;
pub use contracts::complaints::survey_answer_event::Event;
use contracts::complaints::{SurveyAnswer as Row, SurveyAnswered, SurveyWay};
use decider::{Aggregate, Decision, emit, unchanged};
use eventlog::{Key, Listing, Recorded, time::to_proto};

/// One answer.
#[derive(Debug, Default, Clone, PartialEq)]
pub enum Survey {
    /// There is none.
    #[default]
    Absent,
    /// It was given.
    Given(SurveyAnswered),
}

/// What a user answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answer {
    /// The caller's id.
    pub answer_id: String,
    /// The survey.
    pub survey_id: String,
    /// Platform, empty for none.
    pub platform: String,
    /// Order, optional.
    pub order_id: String,
    /// How.
    pub way: SurveyWay,
    /// 1, not satisfied at all, to 5, satisfied.
    pub score: u32,
    /// In the user's words.
    pub opinion: String,
}

impl Aggregate for Survey {
    type Event = Event;

    fn evolve(self, event: &Event) -> Self {
        let Event::SurveyAnswered(event) = event;
        Self::Given(event.clone())
    }
}

impl Survey {
    /// The platform, empty for none; `None` when there is no answer.
    #[must_use]
    pub fn platform(&self) -> Option<&str> {
        match self {
            Self::Absent => None,
            Self::Given(given) => Some(&given.platform),
        }
    }

    /// It is given.
    ///
    /// # Errors
    /// The id was used for another one.
    pub fn record(&self, answer: &Answer, by: &str, when: When) -> Decision<Event, Rejection> {
        let now = SurveyAnswered {
            answer_id: answer.answer_id.clone(),
            survey_id: answer.survey_id.clone(),
            platform: answer.platform.clone(),
            order_id: answer.order_id.clone(),
            way: answer.way.into(),
            score: answer.score,
            opinion: answer.opinion.clone(),
            surveyed_by: by.to_owned(),
            answered_at: Some(to_proto(when.time())),
        };
        let Self::Given(before) = self else { return emit(now) };
        same("survey_id", &before.survey_id, &now.survey_id)?;
        same("platform", &before.platform, &now.platform)?;
        same("order_id", &before.order_id, &now.order_id)?;
        same("way", &before.way, &now.way)?;
        same("score", &before.score, &now.score)?;
        same("opinion", &before.opinion, &now.opinion)?;
        same_time(before.answered_at.as_ref(), when)?;
        unchanged()
    }
}

/// Why an answer is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// No answer has this id.
    #[error("there is no such answer")]
    NotFound,
    /// The id was used before, with another content.
    #[error(transparent)]
    Differs(#[from] Differs),
}

impl Recorded for Survey {
    const KIND: &'static str = "survey_answer";

    type Row = Row;

    fn apply(row: &mut Row, event: &Event, _meta: &EventMetadata, _version: u64) {
        let Event::SurveyAnswered(event) = event;
        *row = Row {
            answer_id: event.answer_id.clone(),
            survey_id: event.survey_id.clone(),
            platform: event.platform.clone(),
            order_id: event.order_id.clone(),
            way: event.way,
            score: event.score,
            opinion: event.opinion.clone(),
            surveyed_by: event.surveyed_by.clone(),
            answered_at: event.answered_at,
        };
    }

    fn keys(row: &Row) -> Vec<Key> {
        facets::keys(&[&row.platform, &row.survey_id], &sortable(row.answered_at.as_ref()))
    }
}

/// Lists answers, the newest first.
#[must_use]
pub fn listing(platform: Option<&str>, survey: Option<&str>) -> Listing {
    facets::listing(Survey::KIND, &[platform, survey]).descending()
}
