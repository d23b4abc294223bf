//! Reports that were given to departments: that it was done, and what came of it (OPS-07, OPS-08, OPS-10,
//! CMP-22, CMP-43, CMP-44). The event ends the duty of its period, which sla-monitor watches.
//!
//! Absent ─submit─▶ Submitted

use chassis::{
    When,
    facets::{self, sortable},
    repeat::{Differs, same, same_time},
};
use contracts::common::EventMetadata;
pub use contracts::complaints::report_submission_event::Event;
use contracts::complaints::{Department, ReportKind, ReportSubmission as Row, ReportSubmitted};
use decider::{Aggregate, Decision, emit, unchanged};
use eventlog::{Key, Listing, Recorded, time::to_proto};

/// All departments that the quality feedback table goes to.
pub const DEPARTMENTS: [Department; 5] = [
    Department::Marketing,
    Department::Production,
    Department::Quality,
    Department::Purchasing,
    Department::Technology,
];

/// One submission.
#[derive(Debug, Default, Clone, PartialEq)]
pub enum Submission {
    /// There is none.
    #[default]
    Absent,
    /// It was made.
    Made(ReportSubmitted),
}

/// What is given to whom.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The caller's id.
    pub submission_id: String,
    /// Which.
    pub report: ReportKind,
    /// Of which days.
    pub period: String,
    /// To whom.
    pub departments: Vec<Department>,
    /// Digest of what is given, optional.
    pub sha256: String,
    /// What came of it, optional.
    pub note: String,
}

impl Aggregate for Submission {
    type Event = Event;

    fn evolve(self, event: &Event) -> Self {
        let Event::ReportSubmitted(event) = event;
        Self::Made(event.clone())
    }
}

impl Submission {
    /// Whether there is one.
    #[must_use]
    pub fn exists(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    /// It is made.
    ///
    /// # Errors
    /// The id was used for another one, or the quality feedback table does not go to all five.
    pub fn submit(&self, report: &Report, by: &str, when: When) -> Decision<Event, Rejection> {
        let mut departments = report.departments.clone();
        departments.sort_unstable_by_key(|department| i32::from(*department));
        departments.dedup();
        let now = ReportSubmitted {
            submission_id: report.submission_id.clone(),
            report: report.report.into(),
            period: report.period.clone(),
            departments: departments.iter().map(|it| (*it).into()).collect(),
            sha256: report.sha256.clone(),
            note: report.note.clone(),
            submitted_by: by.to_owned(),
            submitted_at: Some(to_proto(when.time())),
        };
        let Self::Made(before) = self else {
            if report.report == ReportKind::QualityFeedback && departments != DEPARTMENTS {
                return Err(Rejection::NotAll);
            }
            return emit(now);
        };
        same("report", &before.report, &now.report)?;
        same("period", &before.period, &now.period)?;
        same("departments", &before.departments, &now.departments)?;
        same("sha256", &before.sha256, &now.sha256)?;
        same("note", &before.note, &now.note)?;
        same_time(before.submitted_at.as_ref(), when)?;
        unchanged()
    }
}

/// Why a submission is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// No submission has this id.
    #[error("there is no such submission")]
    NotFound,
    /// The id was used before, with another content.
    #[error(transparent)]
    Differs(#[from] Differs),
    /// The quality feedback table goes to all five departments.
    #[error(
        "the quality feedback table goes to marketing, production, quality, purchasing and technology: name all five"
    )]
    NotAll,
}

impl Recorded for Submission {
    const KIND: &'static str = "report_submission";

    type Row = Row;

    fn apply(row: &mut Row, event: &Event, _meta: &EventMetadata, _version: u64) {
        let Event::ReportSubmitted(event) = event;
        *row = Row {
            submission_id: event.submission_id.clone(),
            report: event.report,
            period: event.period.clone(),
            departments: event.departments.clone(),
            sha256: event.sha256.clone(),
            note: event.note.clone(),
            submitted_by: event.submitted_by.clone(),
            submitted_at: event.submitted_at,
        };
    }

    fn keys(row: &Row) -> Vec<Key> {
        facets::keys(&[row.report().as_str_name()], &sortable(row.submitted_at.as_ref()))
    }
}

/// Lists submissions, the newest first.
#[must_use]
pub fn listing(report: Option<ReportKind>) -> Listing {
    facets::listing(Submission::KIND, &[report.map(|report| report.as_str_name())]).descending()
}
