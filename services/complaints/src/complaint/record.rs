//! What is kept of a case beside its way: recordings of calls, and which departments know of it.

use chassis::When;
use contracts::complaints::{Department, DepartmentsInformed, Recording, RecordingArchived};
use decider::{Decision, emit, unchanged};
use eventlog::time::to_proto;

use super::{Complaint, Event, Rejection, is_repeat, recording_id};

impl Complaint {
    /// The recording of a call is archived, at any time (CMP-10, SM-42, SEC-09). The event holds its digest
    /// and where it lies, never what was said.
    ///
    /// # Errors
    /// There is no such complaint, or the recording was archived elsewhere before.
    pub fn archive(
        &self,
        recording: &Recording,
        by: &str,
        when: When,
    ) -> Decision<Event, Rejection> {
        let case = self.case()?;
        let event = Event::from(said!(
            case,
            RecordingArchived {
                recording: Some(recording.clone()),
                archived_by: by.to_owned(),
                archived_at: Some(to_proto(when.time())),
            }
        ));
        if case.said_before(&recording_id(&recording.sha256), &event, when)? {
            return unchanged();
        }
        Ok(vec![event])
    }

    /// Departments are told of it, at any time: what users think of goods and service reaches those who can
    /// do something about it (CMP-44, CMP-52, CMP-56).
    ///
    /// # Errors
    /// There is no such complaint.
    pub fn inform(
        &self,
        departments: &[Department],
        note: &str,
        by: &str,
        when: When,
    ) -> Decision<Event, Rejection> {
        let case = self.case()?;
        let event = Event::from(said!(
            case,
            DepartmentsInformed {
                departments: departments.iter().map(|it| (*it).into()).collect(),
                note: note.to_owned(),
                informed_by: by.to_owned(),
                informed_at: Some(to_proto(when.time())),
            }
        ));
        match case.before(&event) {
            Some(before) if is_repeat(before, &event, when) => unchanged(),
            Some(_) | None => emit(event),
        }
    }
}
