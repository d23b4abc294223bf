//! What is kept of a case beside its way: recordings of calls, which departments know of it, penalties.

use chassis::When;
use contracts::complaints::{
    Department, DepartmentsInformed, PenaltyImposed, Recording, RecordingArchived,
};
use decider::{Decision, emit, unchanged};
use eventlog::time::to_proto;

use super::{
    Complaint, Event, Policy, Rejection, is_repeat, money::yuan, penalty_id, recording_id,
};

/// A fine of the first responsible person (CMP-50, MON-07).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Penalty {
    /// The caller's id.
    pub penalty_id: String,
    /// How much, in fen.
    pub amount: i64,
    /// Why.
    pub reason: String,
    /// Who approves.
    pub approved_by: String,
}

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

    /// The first responsible person is fined, by approval of somebody else (CMP-50).
    ///
    /// # Errors
    /// Nobody is first responsible, the amount is not within its limits, or he approves it himself.
    pub fn penalise(
        &self,
        penalty: &Penalty,
        policy: &Policy,
        when: When,
    ) -> Decision<Event, Rejection> {
        let case = self.case()?;
        let event = Event::from(said!(
            case,
            PenaltyImposed {
                penalty_id: penalty.penalty_id.clone(),
                person: case.first_responsible.clone(),
                amount: yuan(penalty.amount),
                reason: penalty.reason.clone(),
                approved_by: penalty.approved_by.clone(),
                imposed_at: Some(to_proto(when.time())),
            }
        ));
        if case.said_before(&penalty_id(&penalty.penalty_id), &event, when)? {
            return unchanged();
        }
        if case.first_responsible.is_empty() {
            return Err(Rejection::NobodyResponsible);
        }
        let (least, most) = (policy.least_penalty, policy.most_penalty);
        if !(least..=most).contains(&penalty.amount) {
            return Err(Rejection::Penalty { least, most });
        }
        if penalty.approved_by == case.first_responsible {
            return Err(Rejection::OwnApproval(penalty.approved_by.clone()));
        }
        Ok(vec![event])
    }
}
