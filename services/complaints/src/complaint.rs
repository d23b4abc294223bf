//! One complaint, from the first word to a solution that the user accepts.
//!
//! ```text
//! Absent ─receive─▶ Received ─accept─▶ Investigating ⇄ AwaitingUser
//!                                        │ offer   ▲ escalate (only upwards)
//!                                        ▼         │
//!           ExternalReview ◀─review─ Coordinating ◀─refuse─ Offered
//!                  │ decide              │ offer ─────────────▲ │ agree
//!                  └──────────────▶ Agreed ◀──────────────────┘
//! Agreed ─▶ Executing ─▶ FollowUp ⇄ Remedying;  FollowUp ─satisfied─▶ Satisfied ─analyse─▶ Analysed
//! Analysed ─notice─▶ Noticed ─close─▶ Closed ─reopen─▶ Investigating;  open ─cancel─▶ Cancelled
//! ```
//!
//! How serious it is, whether it left the normal way, and who is in charge are three things (CON-17).
//!
//! Invariants: a major complaint stays major until somebody above approves otherwise; it is handed
//! upwards only; it closes only when every item is answered and the user was told so in writing.

use std::collections::{BTreeMap, BTreeSet};

use chassis::When;
pub use contracts::complaints::complaint_event::Event;
use contracts::{
    Event as _,
    complaints::{
        About, CauseClass, ComplaintChannel, ComplaintItem, ComplaintKind, ComplaintLevel,
        ComplaintPhase, Department, MajorReason, Measure, Solution,
    },
};
use decider::{Aggregate, Decision, emit, unchanged};
use prost_types::Timestamp;

/// An event of a case: which one, and how it stood.
macro_rules! said {
    ($case:expr, $event:ident { $($told:tt)* }) => {
        $event {
            complaint_id: $case.id.clone(),
            platform: $case.platform.clone(),
            contract_id: $case.contract_id.clone(),
            about: $case.about(),
            $($told)*
        }
    };
}

mod facts;
mod finish;
mod intake;
mod level;
mod money;
mod policy;
mod record;
mod rejection;
mod solve;

pub use facts::{Assessment, Facts};
pub use finish::{Analysis, Visit};
pub use intake::{Intake, Known};
pub use policy::{Policy, Post};
pub use record::Penalty;
pub use rejection::Rejection;
pub(crate) use solve::kinds;
pub use solve::{Escalation, Offer, Verdict};

/// Offers, visits, penalties and recordings of one complaint, in all.
const MOST_BY_ID: usize = 500;

/// A complaint.
#[derive(Debug, Default, Clone, PartialEq)]
pub enum Complaint {
    /// Nobody has complained.
    #[default]
    Absent,
    /// Somebody has; where it stands, its phase tells.
    Known(Box<Case>),
}

/// What decisions about a complaint read.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    id: String,
    platform: String,
    contract_id: String,
    kind: ComplaintKind,
    order_id: String,
    case_id: String,
    channel: ComplaintChannel,
    /// As the user told it.
    told_cause: CauseClass,
    /// The same, until it is found out.
    cause: CauseClass,
    topic: String,
    buyer_id: String,
    department: Department,
    region: String,
    received_at: Option<Timestamp>,
    close_by: Option<Timestamp>,
    /// Solutions that were offered.
    offers: u32,
    phase: ComplaintPhase,
    confirmed: bool,
    has_phone: bool,
    /// It is known how serious it is, and what the user expects.
    assessed: bool,
    major: bool,
    /// Its deadline passed without a solution.
    overdue: bool,
    facts: Facts,
    escalated: bool,
    tier: u32,
    handler: String,
    first_responsible: String,
    /// The solution on the table, or agreed to.
    solution: Option<Solution>,
    /// The user was not satisfied at the last visit.
    dissatisfied: bool,
    /// Something has changed and the user was not told.
    untold_change: bool,
    /// Answers by the numbers of the items.
    answers: BTreeMap<u32, Option<String>>,
    items: Vec<ComplaintItem>,
    /// The last event of each type: what a repeat is compared with.
    last: BTreeMap<&'static str, Event>,
    /// Events whose command carries an id of its own, by that id.
    by_id: BTreeMap<String, Event>,
}

impl Aggregate for Complaint {
    type Event = Event;

    fn evolve(self, event: &Event) -> Self {
        match (self, event) {
            (Self::Absent, Event::ComplaintReceived(received)) => {
                let mut case = Case::received(received);
                case.remember(event);
                Self::Known(Box::new(case))
            }
            (Self::Absent, _) => Self::Absent,
            (Self::Known(mut case), event) => {
                case.remember(event);
                case.take_in(event);
                Self::Known(case)
            }
        }
    }
}

impl Complaint {
    /// The platform that it came through, empty when through none; `None` when there is none.
    #[must_use]
    pub fn platform(&self) -> Option<&str> {
        match self {
            Self::Absent => None,
            Self::Known(case) => Some(&case.platform),
        }
    }

    /// The contract, if any.
    #[must_use]
    pub fn contract_id(&self) -> Option<&str> {
        match self {
            Self::Absent => None,
            Self::Known(case) => Some(&case.contract_id),
        }
    }

    fn case(&self) -> Result<&Case, Rejection> {
        match self {
            Self::Absent => Err(Rejection::NotFound),
            Self::Known(case) => Ok(case),
        }
    }
}

impl Case {
    /// History as it is taken in: no rule, no error, no clock.
    fn take_in(&mut self, event: &Event) {
        use ComplaintPhase as Phase;
        match event {
            Event::ComplaintReceived(_)
            | Event::ReceiptAcknowledged(_)
            | Event::AuthorityExceeded(_)
            | Event::PenaltyImposed(_)
            | Event::RecordingArchived(_)
            | Event::DepartmentsInformed(_) => {}
            Event::HandlingChanged(_) => self.untold_change = true,
            Event::ChangeNoticeSent(_) => self.untold_change = false,
            Event::FormConfirmed(_) => self.confirmed = true,
            Event::ComplaintAccepted(event) => {
                self.phase = Phase::Investigating;
                self.handler.clone_from(&event.handler);
                self.tier = event.tier;
                self.close_by = event.close_by;
            }
            Event::FactsAssessed(event) => {
                self.facts.assess(event);
                self.assessed = true;
            }
            Event::FormCorrected(event) => {
                self.has_phone = event.has_phone;
                if self.phase == Phase::Received {
                    self.confirmed = false;
                    self.answers = event.items.iter().map(|item| (item.number, None)).collect();
                    self.items.clone_from(&event.items);
                }
            }
            Event::LevelRaised(event) => {
                self.major = true;
                self.overdue |= event.reasons().any(|reason| reason == MajorReason::Overdue);
            }
            Event::LevelLowered(_) => self.major = false,
            Event::UserAsked(_) => self.phase = Phase::AwaitingUser,
            Event::UserAnswered(_) => self.phase = Phase::Investigating,
            Event::SolutionOffered(event) => {
                self.phase = Phase::Offered;
                self.solution.clone_from(&event.solution);
                self.offers = event.attempt;
            }
            Event::SolutionAgreed(event) => {
                self.phase = Phase::Agreed;
                self.solution.clone_from(&event.solution);
            }
            Event::SolutionRefused(_) => self.phase = Phase::Coordinating,
            Event::ComplaintEscalated(event) => {
                self.phase = Phase::Investigating;
                self.escalated = true;
                self.handler.clone_from(&event.handler);
                self.tier = event.tier;
            }
            Event::ReviewBegun(_) => self.phase = Phase::ExternalReview,
            Event::ReviewDecided(event) => {
                // when nothing is to be done, what led to it is analysed all the same
                self.phase = if event.for_user { Phase::Agreed } else { Phase::Satisfied };
                self.solution.clone_from(&event.solution);
            }
            Event::ExecutionStarted(_) => self.phase = Phase::Executing,
            Event::SolutionImplemented(_) | Event::RemedyDone(_) => {
                self.phase = Phase::FollowUp;
                self.dissatisfied = false;
            }
            Event::ComplaintVisited(event) if event.satisfied => self.phase = Phase::Satisfied,
            Event::ComplaintVisited(_) => self.dissatisfied = true,
            Event::RemedyOrdered(_) => self.phase = Phase::Remedying,
            Event::CauseAnalysed(event) => {
                self.phase = Phase::Analysed;
                self.cause = event.cause();
                self.department = event.department();
            }
            Event::ItemAnswered(event) => {
                self.answers.insert(event.number, Some(event.answer.clone()));
            }
            Event::ClosingNoticeSent(_) => self.phase = Phase::Noticed,
            Event::ComplaintClosed(_) => self.phase = Phase::Closed,
            Event::ComplaintReopened(event) => {
                self.close_by = event.close_by;
                self.phase = Phase::Investigating;
                self.solution = None;
                self.dissatisfied = false;
                self.overdue = false;
                self.answers.values_mut().for_each(|answer| *answer = None);
            }
            Event::ComplaintCancelled(_) => self.phase = Phase::Cancelled,
        }
    }

    fn remember(&mut self, event: &Event) {
        self.last.insert(event.type_name(), event.clone());
        if let Some(id) = own_id(event) {
            self.by_id.insert(id, event.clone());
        }
    }

    /// A step of its way: made where it is allowed; elsewhere the same step again is a repeat.
    fn step(
        &self,
        allowed: &[ComplaintPhase],
        event: impl Into<Event>,
        when: When,
    ) -> Decision<Event, Rejection> {
        let event = event.into();
        if allowed.contains(&self.phase) {
            return emit(event);
        }
        self.repeated(&event, when)
    }

    /// What is not allowed now may have been done before.
    fn repeated(&self, event: &Event, when: When) -> Decision<Event, Rejection> {
        match self.before(event) {
            Some(before) if is_repeat(before, event, when) => unchanged(),
            Some(_) | None => Err(Rejection::NotNow { phase: self.phase }),
        }
    }

    /// The last event of the same type.
    fn before(&self, event: &Event) -> Option<&Event> {
        self.last.get(event.type_name())
    }

    /// Something told beside its way: the same again is a repeat wherever it stands.
    fn note(&self, event: impl Into<Event>, when: When) -> Decision<Event, Rejection> {
        let event = event.into();
        match self.before(&event) {
            Some(before) if is_repeat(before, &event, when) => unchanged(),
            Some(_) | None if !self.is_open() => Err(Rejection::NotNow { phase: self.phase }),
            Some(_) | None => emit(event),
        }
    }

    /// What was said under this id before: the same is a repeat, another is refused.
    ///
    /// # Errors
    /// Another content, or more of all kinds than anybody has use for.
    fn said_before(&self, id: &str, event: &Event, when: When) -> Result<bool, Rejection> {
        match self.by_id.get(id) {
            None if self.by_id.len() >= MOST_BY_ID => Err(Rejection::TooMany(MOST_BY_ID)),
            None => Ok(false),
            Some(before) if is_repeat(before, event, when) => Ok(true),
            Some(_) => Err(Rejection::Differs(id.to_owned())),
        }
    }

    /// How it stands, for those who hear of it.
    fn about(&self) -> Option<About> {
        let level = if self.major { ComplaintLevel::Major } else { ComplaintLevel::General };
        Some(About {
            order_id: self.order_id.clone(),
            case_id: self.case_id.clone(),
            kind: self.kind.into(),
            channel: self.channel.into(),
            cause: self.cause.into(),
            level: level.into(),
            escalated: self.escalated,
            handler: self.handler.clone(),
            tier: self.tier,
            region: self.region.clone(),
            received_at: self.received_at,
            close_by: self.close_by,
            topic: self.topic.clone(),
            skus: skus(&self.items),
            department: self.department.into(),
            buyer_id: self.buyer_id.clone(),
            first_responsible: self.first_responsible.clone(),
            told_cause: self.told_cause.into(),
        })
    }

    fn is_open(&self) -> bool {
        !matches!(self.phase, ComplaintPhase::Closed | ComplaintPhase::Cancelled)
    }

    fn unanswered(&self) -> Vec<u32> {
        let open = self.answers.iter().filter(|(_, answer)| answer.is_none());
        open.map(|(number, _)| *number).collect()
    }

    fn major_reasons(&self, policy: &Policy, granted: i64) -> BTreeSet<MajorReason> {
        let mut reasons = self.facts.major_reasons(policy, granted);
        reasons.extend(self.overdue.then_some(MajorReason::Overdue));
        reasons
    }
}

/// The id that a command carries of its own, with its kind.
fn own_id(event: &Event) -> Option<String> {
    if let Event::SolutionOffered(event) = event {
        return Some(offer_id(&event.solution.as_ref()?.solution_id));
    }
    if let Event::ComplaintVisited(event) = event {
        return Some(visit_id(&event.visit_id));
    }
    if let Event::PenaltyImposed(event) = event {
        return Some(penalty_id(&event.penalty_id));
    }
    if let Event::RecordingArchived(event) = event {
        return Some(recording_id(&event.recording.as_ref()?.sha256));
    }
    None
}

fn offer_id(id: &str) -> String {
    format!("solution {id}")
}

fn visit_id(id: &str) -> String {
    format!("visit {id}")
}

fn penalty_id(id: &str) -> String {
    format!("penalty {id}")
}

fn recording_id(sha256: &str) -> String {
    format!("recording {sha256}")
}

/// The products that items name, in order and without repeats.
pub(crate) fn skus(items: &[ComplaintItem]) -> Vec<String> {
    let named = items.iter().map(|item| &item.sku).filter(|sku| !sku.is_empty());
    named.collect::<BTreeSet<_>>().into_iter().cloned().collect()
}

/// Whether goods are to move.
fn moves_goods(measure: &Measure) -> bool {
    measure.quantity > 0
}

/// Whether an event says what one said before, however the complaint stood; a time that the caller
/// leaves out is not compared.
fn is_repeat(before: &Event, now: &Event, when: When) -> bool {
    let (mut before, mut now) = (before.clone(), now.clone());
    for event in [&mut before, &mut now] {
        let (at, about, attempt) = circumstances(event);
        if let Some(about) = about {
            *about = None;
        }
        if let Some(attempt) = attempt {
            *attempt = 0;
        }
        if when.at.is_none() {
            *at = None;
        }
    }
    before == now
}

/// When it happened, how the complaint stood, and the number of an offer.
fn circumstances(
    event: &mut Event,
) -> (&mut Option<Timestamp>, Option<&mut Option<About>>, Option<&mut u32>) {
    macro_rules! all_but_special {
        ($($variant:ident.$at:ident,)*) => {
            match event {
                Event::ComplaintReceived(event) => (&mut event.received_at, None, None),
                Event::SolutionOffered(event) => {
                    (&mut event.offered_at, Some(&mut event.about), Some(&mut event.attempt))
                }
                $(Event::$variant(event) => (&mut event.$at, Some(&mut event.about), None),)*
            }
        };
    }
    all_but_special! {
        ReceiptAcknowledged.acknowledged_at,
        FormConfirmed.confirmed_at,
        ComplaintAccepted.accepted_at,
        FactsAssessed.assessed_at,
        LevelRaised.raised_at,
        LevelLowered.lowered_at,
        UserAsked.asked_at,
        UserAnswered.answered_at,
        SolutionAgreed.agreed_at,
        SolutionRefused.refused_at,
        AuthorityExceeded.exceeded_at,
        ComplaintEscalated.escalated_at,
        ReviewBegun.told_at,
        ReviewDecided.decided_at,
        ExecutionStarted.started_at,
        SolutionImplemented.implemented_at,
        HandlingChanged.changed_at,
        ChangeNoticeSent.sent_at,
        ComplaintVisited.visited_at,
        RemedyOrdered.ordered_at,
        RemedyDone.done_at,
        CauseAnalysed.analysed_at,
        ItemAnswered.answered_at,
        ClosingNoticeSent.sent_at,
        ComplaintClosed.closed_at,
        ComplaintReopened.reopened_at,
        ComplaintCancelled.cancelled_at,
        PenaltyImposed.imposed_at,
        RecordingArchived.archived_at,
        DepartmentsInformed.informed_at,
        FormCorrected.corrected_at,
    }
}

#[cfg(test)]
pub(crate) mod tests;
