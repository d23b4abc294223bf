//! From an agreed solution to the end: carried out, followed up, analysed, told in writing, closed.

use chassis::When;
use contracts::complaints::{
    CauseAnalysed, CauseClass, ChangeNoticeSent, ClosingNoticeSent, ComplaintCancelled,
    ComplaintClosed, ComplaintItem, ComplaintKind, ComplaintLevel, ComplaintPhase,
    ComplaintReopened, ComplaintVisited, Department, ExecutionStarted, HandlingChanged,
    ItemAnswered, RemedyDone, RemedyOrdered, SolutionImplemented,
};
use decider::{Decision, emit, unchanged};
use eventlog::time::to_proto;
use jiff::Timestamp;

use super::{
    Case, Complaint, Event, Rejection,
    money::{granted, yuan},
    visit_id,
};

/// A visit or a call after the solution (CMP-19, SM-30).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Visit {
    /// The caller's id.
    pub visit_id: String,
    /// Whether the user is satisfied.
    pub satisfied: bool,
    /// What the user says.
    pub opinion: String,
}

/// Why it came to this, and what keeps it from coming back (CMP-21, CMP-29).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Analysis {
    /// Class.
    pub cause: CauseClass,
    /// Root cause.
    pub root_cause: String,
    /// What is done about it.
    pub corrective_action: String,
    /// Whether the solution becomes the standard one (CMP-29, CMP-43).
    pub becomes_standard: bool,
    /// Department that the cause lies with (OPS-07).
    pub department: Department,
    /// Who sees to the corrective action and by when; `None` when nothing is left to do.
    pub action: Option<(String, Timestamp)>,
}

impl Complaint {
    /// The solution is being carried out (CMP-35).
    ///
    /// # Errors
    /// None was agreed to.
    pub fn start_execution(&self, by: &str, when: When) -> Decision<Event, Rejection> {
        let case = self.case()?;
        let event = said!(
            case,
            ExecutionStarted { started_by: by.to_owned(), started_at: Some(to_proto(when.time())) }
        );
        case.step(&[ComplaintPhase::Agreed], event, when)
    }

    /// The solution was carried out (CMP-18).
    ///
    /// # Errors
    /// It was not begun.
    pub fn implement(&self, evidence: &str, by: &str, when: When) -> Decision<Event, Rejection> {
        let case = self.case()?;
        let event = said!(
            case,
            SolutionImplemented {
                escalated: case.escalated,
                evidence: evidence.to_owned(),
                implemented_by: by.to_owned(),
                implemented_at: Some(to_proto(when.time())),
            }
        );
        case.step(&[ComplaintPhase::Executing], event, when)
    }

    /// Something is another than the user was told (CMP-37).
    ///
    /// # Errors
    /// There is none, or it has ended.
    pub fn change(&self, change: &str, when: When) -> Decision<Event, Rejection> {
        let case = self.case()?;
        let event = said!(
            case,
            HandlingChanged { change: change.to_owned(), changed_at: Some(to_proto(when.time())) }
        );
        case.note(event, when)
    }

    /// The user is told of the change (CMP-37).
    ///
    /// # Errors
    /// Nothing has changed since the user was told last.
    pub fn tell_change(&self, when: When) -> Decision<Event, Rejection> {
        let case = self.case()?;
        let event = said!(case, ChangeNoticeSent { sent_at: Some(to_proto(when.time())) });
        if case.untold_change {
            return emit(event);
        }
        case.repeated(&event.into(), when)
    }

    /// The user is visited (CMP-19).
    ///
    /// # Errors
    /// The solution is not carried out yet.
    pub fn visit(&self, visit: &Visit, by: &str, when: When) -> Decision<Event, Rejection> {
        let case = self.case()?;
        let event = Event::from(said!(
            case,
            ComplaintVisited {
                visit_id: visit.visit_id.clone(),
                satisfied: visit.satisfied,
                opinion: visit.opinion.clone(),
                visited_by: by.to_owned(),
                visited_at: Some(to_proto(when.time())),
            }
        ));
        if case.said_before(&visit_id(&visit.visit_id), &event, when)? {
            return unchanged();
        }
        case.step(&[ComplaintPhase::FollowUp], event, when)
    }

    /// What the user is not satisfied with is to be made up for (CMP-20).
    ///
    /// # Errors
    /// The user is not known to be dissatisfied.
    pub fn order_remedy(
        &self,
        responsible: &str,
        action: &str,
        when: When,
    ) -> Decision<Event, Rejection> {
        let case = self.case()?;
        let event = said!(
            case,
            RemedyOrdered {
                responsible: responsible.to_owned(),
                action: action.to_owned(),
                ordered_at: Some(to_proto(when.time())),
            }
        );
        let events = case.step(&[ComplaintPhase::FollowUp], event, when)?;
        if !events.is_empty() && !case.dissatisfied {
            return Err(Rejection::NothingToRemedy);
        }
        Ok(events)
    }

    /// It was made up for; the user is visited again.
    ///
    /// # Errors
    /// Nothing was ordered.
    pub fn remedy(&self, evidence: &str, when: When) -> Decision<Event, Rejection> {
        let case = self.case()?;
        let event = said!(
            case,
            RemedyDone { evidence: evidence.to_owned(), done_at: Some(to_proto(when.time())) }
        );
        case.step(&[ComplaintPhase::Remedying], event, when)
    }

    /// Cause and correction are known (CMP-21).
    ///
    /// What is no complaint is analysed while it is looked into (SM-36).
    ///
    /// # Errors
    /// The user is not satisfied yet, nothing was agreed to that could become standard, or the time for
    /// the corrective action has passed.
    pub fn analyse(&self, analysis: &Analysis, by: &str, when: When) -> Decision<Event, Rejection> {
        let case = self.case()?;
        let event = said!(
            case,
            CauseAnalysed {
                cause: analysis.cause.into(),
                root_cause: analysis.root_cause.clone(),
                corrective_action: analysis.corrective_action.clone(),
                becomes_standard: analysis.becomes_standard,
                analysed_by: by.to_owned(),
                analysed_at: Some(to_proto(when.time())),
                department: analysis.department.into(),
                solution: case.solution.clone(),
                action_owner: analysis
                    .action
                    .as_ref()
                    .map(|(owner, _)| owner.clone())
                    .unwrap_or_default(),
                action_due_by: analysis.action.as_ref().map(|(_, due_by)| to_proto(*due_by)),
            }
        );
        let allowed: &[ComplaintPhase] = if case.is_complaint() {
            &[ComplaintPhase::Satisfied]
        } else {
            &[ComplaintPhase::Satisfied, ComplaintPhase::Investigating]
        };
        let events = case.step(allowed, event, when)?;
        if !events.is_empty() && analysis.becomes_standard && case.solution.is_none() {
            return Err(Rejection::NothingAgreed);
        }
        if !events.is_empty() && analysis.action.as_ref().is_some_and(|(_, by)| *by <= when.time())
        {
            return Err(Rejection::Passed("action_due_by"));
        }
        Ok(events)
    }

    /// One item is answered (CMP-39). Another answer replaces it as long as the user was not told.
    ///
    /// # Errors
    /// There is no such item, nobody has accepted the complaint, or the user was told already.
    pub fn answer_item(&self, number: u32, answer: &str, when: When) -> Decision<Event, Rejection> {
        let case = self.case()?;
        let known = case.answers.get(&number).ok_or(Rejection::NoItem(number))?;
        if known.as_deref() == Some(answer) {
            return unchanged();
        }
        match case.phase {
            ComplaintPhase::Unspecified
            | ComplaintPhase::Received
            | ComplaintPhase::Noticed
            | ComplaintPhase::Closed
            | ComplaintPhase::Cancelled => Err(Rejection::NotNow { phase: case.phase }),
            ComplaintPhase::Investigating
            | ComplaintPhase::AwaitingUser
            | ComplaintPhase::Offered
            | ComplaintPhase::Coordinating
            | ComplaintPhase::ExternalReview
            | ComplaintPhase::Agreed
            | ComplaintPhase::Executing
            | ComplaintPhase::FollowUp
            | ComplaintPhase::Remedying
            | ComplaintPhase::Satisfied
            | ComplaintPhase::Analysed => emit(said!(
                case,
                ItemAnswered {
                    number,
                    answer: answer.to_owned(),
                    answered_at: Some(to_proto(when.time())),
                }
            )),
        }
    }

    /// The user is told in writing that everything is solved and answered (CMP-39). What is no
    /// complaint needs no solution, only answers.
    ///
    /// # Errors
    /// Its cause is not analysed, or an item is not answered.
    pub fn send_notice(&self, by: &str, when: When) -> Decision<Event, Rejection> {
        let case = self.case()?;
        let answered = |item: &ComplaintItem| ComplaintItem {
            answer: case.answers.get(&item.number).cloned().flatten().unwrap_or_default(),
            ..item.clone()
        };
        let event = said!(
            case,
            ClosingNoticeSent {
                items: case.items.iter().map(answered).collect(),
                sent_by: by.to_owned(),
                sent_at: Some(to_proto(when.time())),
            }
        );
        let allowed: &[ComplaintPhase] = if case.is_complaint() {
            &[ComplaintPhase::Analysed]
        } else {
            &[ComplaintPhase::Analysed, ComplaintPhase::Investigating]
        };
        let events = case.step(allowed, event, when)?;
        let unanswered = case.unanswered();
        if !events.is_empty() && !unanswered.is_empty() {
            return Err(Rejection::Unanswered(unanswered));
        }
        Ok(events)
    }

    /// It is closed (CMP-39, CMP-42).
    ///
    /// # Errors
    /// The user was not told in writing.
    pub fn close(&self, when: When) -> Decision<Event, Rejection> {
        let case = self.case()?;
        let granted = case.solution.as_ref().map_or(Ok(0), granted)?;
        let level = if case.major { ComplaintLevel::Major } else { ComplaintLevel::General };
        let event = said!(
            case,
            ComplaintClosed {
                level: level.into(),
                escalated: case.escalated,
                granted: yuan(granted),
                closed_at: Some(to_proto(when.time())),
            }
        );
        case.step(&[ComplaintPhase::Noticed], event, when)
    }

    /// It is opened again, with a new deadline; every item is to be answered anew.
    ///
    /// # Errors
    /// It is not closed, or the deadline has passed.
    pub fn reopen(
        &self,
        reason: &str,
        close_by: Timestamp,
        when: When,
    ) -> Decision<Event, Rejection> {
        let case = self.case()?;
        let event = said!(
            case,
            ComplaintReopened {
                reason: reason.to_owned(),
                close_by: Some(to_proto(close_by)),
                reopened_at: Some(to_proto(when.time())),
            }
        );
        let events = case.step(&[ComplaintPhase::Closed], event, when)?;
        if !events.is_empty() && close_by <= when.time() {
            return Err(Rejection::Passed("close_by"));
        }
        Ok(events)
    }

    /// The user withdraws it, or it is none of ours.
    ///
    /// # Errors
    /// It has ended, or a solution was agreed to, which is to be carried out.
    pub fn cancel(&self, reason: &str, by: &str, when: When) -> Decision<Event, Rejection> {
        let case = self.case()?;
        let event = said!(
            case,
            ComplaintCancelled {
                reason: reason.to_owned(),
                cancelled_by: by.to_owned(),
                cancelled_at: Some(to_proto(when.time())),
            }
        );
        let allowed = [
            ComplaintPhase::Received,
            ComplaintPhase::Investigating,
            ComplaintPhase::AwaitingUser,
            ComplaintPhase::Offered,
            ComplaintPhase::Coordinating,
            ComplaintPhase::ExternalReview,
        ];
        case.step(&allowed, event, when)
    }
}

impl Case {
    /// Dissatisfaction with us: only then a solution is needed.
    fn is_complaint(&self) -> bool {
        match self.kind {
            ComplaintKind::Complaint | ComplaintKind::Unspecified => true,
            ComplaintKind::Enquiry
            | ComplaintKind::Suggestion
            | ComplaintKind::ImproperDemand
            | ComplaintKind::NotOurs => false,
        }
    }
}
