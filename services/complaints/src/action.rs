//! What is done so that something does not come back, or does not happen at all: who, what, by when, and
//! whether it helped (CMP-21, CMP-22, CMP-43).
//!
//! ```text
//! Absent ─open─▶ Open ─plan─▶ Planned ⟲ plan    Planned ─done─▶ Done ─check─▶ Effective
//!                 ▲  └─cancel─▶ Cancelled ◀─cancel─┘              │
//!                 └──────────────── no effect ────────────────────┘
//! ```
//!
//! Invariant: nobody checks the effect of his own action, and none ends without a check or an approval.

use chassis::{
    When,
    repeat::{Differs, same, same_time},
};
pub use contracts::complaints::corrective_action_event::Event;
use contracts::complaints::{
    ActionKind, ActionPhase, CauseClass, CorrectiveActionCancelled, CorrectiveActionChecked,
    CorrectiveActionDone, CorrectiveActionOpened, CorrectiveActionPlanned, Department,
};
use decider::{Aggregate, Decision, emit, unchanged};
use eventlog::time::{from_proto, to_proto};
use jiff::Timestamp;

mod row;

pub use row::{ended, listing};

/// An action.
#[derive(Debug, Default, Clone, PartialEq)]
pub enum Action {
    /// There is none.
    #[default]
    Absent,
    /// There is one.
    Known(Box<State>),
}

/// What decisions about an action read.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    opened: CorrectiveActionOpened,
    phase: ActionPhase,
    ended_at: Option<Timestamp>,
    planned: Option<CorrectiveActionPlanned>,
    done: Option<CorrectiveActionDone>,
    checked: Option<CorrectiveActionChecked>,
    cancelled: Option<CorrectiveActionCancelled>,
}

/// Why an action is needed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Need {
    /// Id of the action.
    pub action_id: String,
    /// What it is to do.
    pub kind: ActionKind,
    /// In words.
    pub subject: String,
    /// The complaint that it comes of, if any.
    pub complaint_id: String,
    /// The pattern that it comes of, if any.
    pub pattern_id: String,
    /// Cause, if known.
    pub cause: CauseClass,
    /// What exactly complaints are about, if told.
    pub topic: String,
}

/// Who does what by when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Department that sees to it.
    pub department: Department,
    /// Who.
    pub owner: String,
    /// What.
    pub measure: String,
    /// By when.
    pub due_by: Timestamp,
}

impl Need {
    fn opened(&self, by: &str, when: When) -> CorrectiveActionOpened {
        CorrectiveActionOpened {
            action_id: self.action_id.clone(),
            kind: self.kind.into(),
            subject: self.subject.clone(),
            complaint_id: self.complaint_id.clone(),
            pattern_id: self.pattern_id.clone(),
            cause: self.cause.into(),
            topic: self.topic.clone(),
            opened_by: by.to_owned(),
            opened_at: Some(to_proto(when.time())),
        }
    }
}

impl Aggregate for Action {
    type Event = Event;

    fn evolve(self, event: &Event) -> Self {
        let mut state = match (self, event) {
            (Self::Absent, Event::CorrectiveActionOpened(opened)) => {
                return Self::Known(Box::new(State {
                    opened: opened.clone(),
                    phase: ActionPhase::Open,
                    ended_at: None,
                    planned: None,
                    done: None,
                    checked: None,
                    cancelled: None,
                }));
            }
            (Self::Absent, _) => return Self::Absent,
            (Self::Known(state), _) => state,
        };
        match event {
            Event::CorrectiveActionOpened(_) => {}
            Event::CorrectiveActionPlanned(event) => {
                state.phase = ActionPhase::Planned;
                state.planned = Some(event.clone());
            }
            Event::CorrectiveActionDone(event) => {
                state.phase = ActionPhase::Done;
                state.done = Some(event.clone());
            }
            Event::CorrectiveActionChecked(event) => {
                state.phase =
                    if event.effective { ActionPhase::Effective } else { ActionPhase::Open };
                if event.effective {
                    state.ended_at = event.checked_at.as_ref().and_then(from_proto);
                }
                state.checked = Some(event.clone());
            }
            Event::CorrectiveActionCancelled(event) => {
                state.phase = ActionPhase::Cancelled;
                state.ended_at = event.cancelled_at.as_ref().and_then(from_proto);
                state.cancelled = Some(event.clone());
            }
        }
        Self::Known(state)
    }
}

impl Action {
    /// Whether there is one.
    #[must_use]
    pub fn exists(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    /// When it ended: had its effect, or was given up.
    #[must_use]
    pub fn ended_at(&self) -> Option<Timestamp> {
        match self {
            Self::Absent => None,
            Self::Known(state) => state.ended_at,
        }
    }

    fn state(&self) -> Result<&State, Rejection> {
        match self {
            Self::Absent => Err(Rejection::NotFound),
            Self::Known(state) => Ok(state),
        }
    }

    /// It is needed.
    ///
    /// # Errors
    /// The id was used for another one.
    pub fn open(&self, need: &Need, by: &str, when: When) -> Decision<Event, Rejection> {
        let now = need.opened(by, when);
        let Self::Known(state) = self else { return emit(now) };
        let before = &state.opened;
        same("kind", &before.kind, &now.kind)?;
        same("subject", &before.subject, &now.subject)?;
        same("complaint_id", &before.complaint_id, &now.complaint_id)?;
        same("cause", &before.cause, &now.cause)?;
        same("topic", &before.topic, &now.topic)?;
        same_time(before.opened_at.as_ref(), when)?;
        unchanged()
    }

    /// A pattern needs one; while there is one, more complaints of the pattern need no other.
    #[must_use]
    pub fn open_for_pattern(&self, need: &Need, by: &str, when: When) -> Vec<Event> {
        match self {
            Self::Absent => vec![need.opened(by, when).into()],
            Self::Known(_) => Vec::new(),
        }
    }

    /// Somebody sees to it. It may be planned anew until it is done.
    ///
    /// # Errors
    /// There is none, it was done or has ended, or the time has passed.
    pub fn plan(&self, plan: &Plan, by: &str, when: When) -> Decision<Event, Rejection> {
        let state = self.state()?;
        let now = CorrectiveActionPlanned {
            action_id: state.opened.action_id.clone(),
            department: plan.department.into(),
            owner: plan.owner.clone(),
            measure: plan.measure.clone(),
            due_by: Some(to_proto(plan.due_by)),
            planned_by: by.to_owned(),
            planned_at: Some(to_proto(when.time())),
            complaint_id: state.opened.complaint_id.clone(),
            pattern_id: state.opened.pattern_id.clone(),
            replanned: state.phase == ActionPhase::Planned,
        };
        let is_repeat = state.planned.as_ref().is_some_and(|before| {
            let planned_at = if when.at.is_some() { now.planned_at } else { before.planned_at };
            let replanned = before.replanned;
            *before == CorrectiveActionPlanned { planned_at, replanned, ..now.clone() }
        });
        let may = matches!(state.phase, ActionPhase::Open | ActionPhase::Planned);
        // after a check without effect the same plan is one more try
        if is_repeat && state.phase != ActionPhase::Open {
            return unchanged();
        }
        if !may {
            return Err(Rejection::NotNow(state.phase));
        }
        if plan.due_by <= when.time() {
            return Err(Rejection::Passed);
        }
        emit(now)
    }

    /// It was done.
    ///
    /// # Errors
    /// Nobody sees to it, or it was done with other evidence.
    pub fn done(&self, evidence: &str, by: &str, when: When) -> Decision<Event, Rejection> {
        let state = self.state()?;
        if state.phase == ActionPhase::Planned {
            return emit(CorrectiveActionDone {
                action_id: state.opened.action_id.clone(),
                owner: state.owner().to_owned(),
                evidence: evidence.to_owned(),
                done_by: by.to_owned(),
                done_at: Some(to_proto(when.time())),
            });
        }
        let before = state.done.as_ref().ok_or(Rejection::NotNow(state.phase))?;
        same("evidence", before.evidence.as_str(), evidence)?;
        same_time(before.done_at.as_ref(), when)?;
        unchanged()
    }

    /// Its effect was checked: it has ended, or is open again.
    ///
    /// # Errors
    /// It was not done, or the one who sees to it checks it himself.
    pub fn check(
        &self,
        effective: bool,
        finding: &str,
        by: &str,
        when: When,
    ) -> Decision<Event, Rejection> {
        let state = self.state()?;
        if state.phase == ActionPhase::Done {
            if by == state.owner() {
                return Err(Rejection::OwnAction(by.to_owned()));
            }
            return emit(CorrectiveActionChecked {
                action_id: state.opened.action_id.clone(),
                owner: state.owner().to_owned(),
                effective,
                finding: finding.to_owned(),
                checked_by: by.to_owned(),
                checked_at: Some(to_proto(when.time())),
            });
        }
        let before = state.checked.as_ref().ok_or(Rejection::NotNow(state.phase))?;
        same("effective", &before.effective, &effective)?;
        same("finding", before.finding.as_str(), finding)?;
        same("checked_by", before.checked_by.as_str(), by)?;
        same_time(before.checked_at.as_ref(), when)?;
        unchanged()
    }

    /// It is given up.
    ///
    /// # Errors
    /// It was done or has ended, or the one who sees to it approves that himself.
    pub fn cancel(
        &self,
        reason: &str,
        approved_by: &str,
        when: When,
    ) -> Decision<Event, Rejection> {
        let state = self.state()?;
        if matches!(state.phase, ActionPhase::Open | ActionPhase::Planned) {
            if approved_by == state.owner() {
                return Err(Rejection::OwnAction(approved_by.to_owned()));
            }
            return emit(CorrectiveActionCancelled {
                action_id: state.opened.action_id.clone(),
                reason: reason.to_owned(),
                approved_by: approved_by.to_owned(),
                cancelled_at: Some(to_proto(when.time())),
            });
        }
        let before = state.cancelled.as_ref().ok_or(Rejection::NotNow(state.phase))?;
        same("reason", before.reason.as_str(), reason)?;
        same("approved_by", before.approved_by.as_str(), approved_by)?;
        same_time(before.cancelled_at.as_ref(), when)?;
        unchanged()
    }
}

impl State {
    fn owner(&self) -> &str {
        self.planned.as_ref().map_or("", |planned| &planned.owner)
    }
}

/// Why an action says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// No action has this id.
    #[error("there is no such action")]
    NotFound,
    /// The id was used before, or the step was taken, with another content.
    #[error(transparent)]
    Differs(#[from] Differs),
    /// It does not stand so that this could be done.
    #[error("not now: it is {}", words(*.0))]
    NotNow(ActionPhase),
    /// The date lies before the moment that sets it.
    #[error("due_by has passed already")]
    Passed,
    /// Somebody judges his own action.
    #[error("{0} sees to it: somebody else has to say so")]
    OwnAction(String),
}

fn words(phase: ActionPhase) -> &'static str {
    match phase {
        ActionPhase::Unspecified => "not there",
        ActionPhase::Open => "open, and nobody sees to it",
        ActionPhase::Planned => "planned, and not done",
        ActionPhase::Done => "done, and its effect is to be checked",
        ActionPhase::Effective => "found effective",
        ActionPhase::Cancelled => "given up",
    }
}

#[cfg(test)]
mod tests;
