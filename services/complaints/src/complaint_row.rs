//! The read row of a complaint, and what it can be found by.
//!
//! Complaints are few: a row has a look-up key for each combination of filters (`facets`), once for
//! all of them and once each for its phase, the one in charge and its cause.

use chassis::facets::{self, SEPARATOR, sortable};
use contracts::{
    common::{EventMetadata, Money},
    complaints::{CauseClass, Complaint as Row, ComplaintKind, ComplaintLevel, ComplaintPhase},
};
use eventlog::{Key, Listing, Recorded, time::to_proto};
use jiff::Timestamp;

use crate::{
    complaint::{Complaint, Event},
    pattern::{self, Trait},
};

const NARROW: &str = "narrow";
const OPEN: &str = "open";
const ALIKE: &str = "alike";
const RECEIVED: &str = "received";

impl Recorded for Complaint {
    const KIND: &'static str = "complaint";

    type Row = Row;

    fn apply(row: &mut Row, event: &Event, _meta: &EventMetadata, _version: u64) {
        use ComplaintPhase as Phase;
        let mut stands = |phase: Phase| row.phase = phase.into();
        match event {
            Event::RecordingArchived(event) => row.recordings.extend(event.recording.clone()),
            Event::DepartmentsInformed(event) => {
                row.informed.extend(&event.departments);
                row.informed.sort_unstable();
                row.informed.dedup();
            }
            Event::ReceiptAcknowledged(_)
            | Event::AuthorityExceeded(_)
            | Event::HandlingChanged(_)
            | Event::ChangeNoticeSent(_) => {}
            Event::ComplaintReceived(event) => {
                *row = Row {
                    complaint_id: event.complaint_id.clone(),
                    platform: event.platform.clone(),
                    contract_id: event.contract_id.clone(),
                    order_id: event.order_id.clone(),
                    case_id: event.case_id.clone(),
                    channel: event.channel,
                    kind: event.kind,
                    cause: event.cause,
                    told_cause: event.cause,
                    sealed_complainant: event.complainant.clone(),
                    items: event.items.clone(),
                    region: event.region.clone(),
                    recording_sha256: event.recording_sha256.clone(),
                    expectation: event.expectation.clone(),
                    phase: Phase::Received.into(),
                    level: ComplaintLevel::General.into(),
                    first_responsible: event.first_responsible.clone(),
                    claimed: event.claimed.clone(),
                    received_at: event.received_at,
                    topic: event.topic.clone(),
                    buyer_id: event.buyer_id.clone(),
                    repeat_of: event.repeat_of.clone(),
                    ..Row::default()
                };
            }
            Event::FormConfirmed(_) => row.confirmed = true,
            Event::ComplaintAccepted(event) => {
                stands(Phase::Investigating);
                row.handler.clone_from(&event.handler);
                row.tier = event.tier;
                row.close_by = event.close_by;
                row.accepted_at = event.accepted_at;
            }
            Event::FactsAssessed(event) => {
                row.claimed.clone_from(&event.amount);
                row.expectation.clone_from(&event.expectation);
            }
            Event::FormCorrected(event) => {
                row.sealed_complainant.clone_from(&event.complainant);
                if row.phase() == Phase::Received {
                    row.confirmed = false;
                    row.items.clone_from(&event.items);
                }
            }
            Event::LevelRaised(event) => {
                row.level = ComplaintLevel::Major.into();
                row.major_reasons.clone_from(&event.reasons);
            }
            Event::LevelLowered(_) => {
                row.level = ComplaintLevel::General.into();
                row.major_reasons.clear();
            }
            Event::UserAsked(_) => stands(Phase::AwaitingUser),
            Event::UserAnswered(_) => stands(Phase::Investigating),
            Event::SolutionOffered(event) => {
                stands(Phase::Offered);
                row.solution.clone_from(&event.solution);
                row.standard_solution_id.clone_from(&event.standard_solution_id);
                row.offered_at = row.offered_at.or(event.offered_at);
            }
            Event::SolutionAgreed(event) => {
                stands(Phase::Agreed);
                row.granted.clone_from(&event.granted);
                row.agreed_at = event.agreed_at;
            }
            Event::SolutionRefused(_) => stands(Phase::Coordinating),
            Event::ComplaintEscalated(event) => {
                stands(Phase::Investigating);
                row.escalated = true;
                row.handler.clone_from(&event.handler);
                row.tier = event.tier;
            }
            Event::ReviewBegun(_) => stands(Phase::ExternalReview),
            Event::ReviewDecided(event) => {
                stands(if event.for_user { Phase::Agreed } else { Phase::Satisfied });
                row.solution.clone_from(&event.solution);
                row.standard_solution_id.clear();
                row.granted.clone_from(&event.granted);
            }
            Event::ExecutionStarted(_) => stands(Phase::Executing),
            Event::SolutionImplemented(_) | Event::RemedyDone(_) => stands(Phase::FollowUp),
            Event::ComplaintVisited(event) => {
                if event.satisfied {
                    stands(Phase::Satisfied);
                }
                row.satisfied = event.satisfied;
                row.visits += 1;
            }
            Event::RemedyOrdered(_) => stands(Phase::Remedying),
            Event::CauseAnalysed(event) => {
                stands(Phase::Analysed);
                row.cause = event.cause;
                row.root_cause.clone_from(&event.root_cause);
                row.department = event.department;
            }
            Event::ItemAnswered(event) => {
                let item = row.items.iter_mut().find(|item| item.number == event.number);
                if let Some(item) = item {
                    item.answer.clone_from(&event.answer);
                }
            }
            Event::ClosingNoticeSent(_) => stands(Phase::Noticed),
            Event::ComplaintClosed(event) => {
                stands(Phase::Closed);
                row.ended_at = event.closed_at;
            }
            Event::ComplaintReopened(event) => {
                stands(Phase::Investigating);
                row.close_by = event.close_by;
                row.ended_at = None;
                row.solution = None;
                row.standard_solution_id.clear();
                row.granted = None;
                row.reopenings += 1;
                row.items.iter_mut().for_each(|item| item.answer.clear());
            }
            Event::ComplaintCancelled(event) => {
                stands(Phase::Cancelled);
                row.ended_at = event.cancelled_at;
            }
            Event::PenaltyImposed(event) => add(&mut row.penalties, event.amount.as_ref()),
        }
    }

    fn keys(row: &Row) -> Vec<Key> {
        let stage = if row.ended_at.is_none() { OPEN } else { "ended" };
        // what has no deadline yet waits for somebody to set one: it comes first
        let sort = sortable(row.close_by.as_ref());
        let keys = facets::keys(&[&row.platform, level(row.level()), stage], &sort);
        let narrow = [by_phase(row.phase()), by_cause(row.cause()), by_handler(&row.handler)];
        let narrowed = keys.iter().flat_map(|key| {
            narrow
                .iter()
                .map(|narrow| Key::new(NARROW, format!("{narrow}{SEPARATOR}{}", key.value)))
        });
        let narrowed: Vec<Key> = narrowed.collect();
        let received = sortable(row.received_at.as_ref());
        let alike = alike(row).into_iter().map(|value| Key::new(ALIKE, within(&value, &received)));
        keys.into_iter()
            .chain(narrowed)
            .chain(alike)
            .chain([Key::new(RECEIVED, received.clone())])
            .collect()
    }
}

/// What other complaints are looked for by: of the same person about the same, and with the same property.
/// What is no complaint with us, or was cancelled, is like no other.
fn alike(row: &Row) -> Vec<String> {
    if row.kind() != ComplaintKind::Complaint || row.phase() == ComplaintPhase::Cancelled {
        return Vec::new();
    }
    let person = row.sealed_complainant.as_ref().map(|sealed| sealed.person.as_str());
    let person = person.filter(|person| !person.is_empty());
    let person = person.map(|person| by_person(person, row.told_cause(), &row.topic));
    person.into_iter().chain(pattern::traits(row).iter().map(Trait::text)).collect()
}

fn by_person(person: &str, cause: CauseClass, topic: &str) -> String {
    ["person", person, cause.as_str_name(), topic].join(&SEPARATOR.to_string())
}

fn within(value: &str, received: &str) -> String {
    format!("{value}{SEPARATOR}{SEPARATOR}{received}")
}

/// Complaints received from a moment up to another one, that one included, the oldest first.
fn between(start: &str, from: Timestamp, to: Timestamp) -> (String, String) {
    let edge = |at| sortable(Some(&to_proto(at)));
    (format!("{start}{}", edge(from)), format!("{start}{}\u{1}", edge(to)))
}

/// Lists the complaints of one person about the same, received in a span of time.
#[must_use]
pub fn of_person(
    person: &str,
    cause: CauseClass,
    topic: &str,
    from: Timestamp,
    to: Timestamp,
) -> Listing {
    let (from, to) = between(&within(&by_person(person, cause, topic), ""), from, to);
    Listing::by(Complaint::KIND, ALIKE).range(from, to)
}

/// Lists the complaints with a property, received in a span of time; cancelled ones left out.
#[must_use]
pub fn with_trait(wanted: &Trait, from: Timestamp, to: Timestamp) -> Listing {
    let (from, to) = between(&within(&wanted.text(), ""), from, to);
    Listing::by(Complaint::KIND, ALIKE).range(from, to)
}

/// Lists all cases received in a span of time.
#[must_use]
pub fn received(from: Timestamp, to: Timestamp) -> Listing {
    let (from, to) = between("", from, to);
    Listing::by(Complaint::KIND, RECEIVED).range(from, to)
}

fn add(sum: &mut Option<Money>, more: Option<&Money>) {
    let Some(more) = more else { return };
    let before = sum.as_ref().map_or(0, |sum| sum.minor_units);
    let total = before.saturating_add(more.minor_units);
    *sum = Some(Money { minor_units: total, currency: more.currency.clone() });
}

fn level(level: ComplaintLevel) -> &'static str {
    level.as_str_name()
}

fn by_phase(phase: ComplaintPhase) -> String {
    format!("phase {}", phase.as_str_name())
}

fn by_cause(cause: CauseClass) -> String {
    format!("cause {}", cause.as_str_name())
}

fn by_handler(handler: &str) -> String {
    format!("handler {handler}")
}

/// What complaints are listed by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Only of this platform.
    pub platform: Option<String>,
    /// Only of this level.
    pub level: Option<ComplaintLevel>,
    /// Only those that have not ended.
    pub open_only: bool,
    /// One more property.
    pub narrow: Narrow,
}

/// One more property by which complaints are listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Narrow {
    /// None.
    #[default]
    Any,
    /// Where they stand.
    Phase(ComplaintPhase),
    /// Who is in charge.
    Handler(String),
    /// What they are about.
    Cause(CauseClass),
}

/// Lists complaints by deadline, the earliest first.
#[must_use]
pub fn listing(wanted: &Wanted) -> Listing {
    let facets = facets::listing(
        Complaint::KIND,
        &[wanted.platform.as_deref(), wanted.level.map(level), wanted.open_only.then_some(OPEN)],
    );
    let narrow = match &wanted.narrow {
        Narrow::Any => return facets,
        Narrow::Phase(phase) => by_phase(*phase),
        Narrow::Handler(handler) => by_handler(handler),
        Narrow::Cause(cause) => by_cause(*cause),
    };
    Listing::by(Complaint::KIND, NARROW).prefix(format!("{narrow}{SEPARATOR}{}", facets.from))
}

#[cfg(test)]
mod tests;
