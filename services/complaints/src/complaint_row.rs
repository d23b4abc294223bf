//! The read row of a complaint, and what it can be found by.
//!
//! Complaints are few: a row has a look-up key for each combination of filters (`facets`), once for
//! all of them and once each for its phase, the one in charge and its cause.

use chassis::facets::{self, SEPARATOR, sortable};
use contracts::{
    common::{EventMetadata, Money},
    complaints::{CauseClass, Complaint as Row, ComplaintLevel, ComplaintPhase},
};
use eventlog::{Key, Listing, Recorded};

use crate::complaint::{Complaint, Event};

const NARROW: &str = "narrow";
const OPEN: &str = "open";

impl Recorded for Complaint {
    const KIND: &'static str = "complaint";

    type Row = Row;

    fn apply(row: &mut Row, event: &Event, _meta: &EventMetadata, _version: u64) {
        use ComplaintPhase as Phase;
        let mut stands = |phase: Phase| row.phase = phase.into();
        match event {
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
            Event::FactsAssessed(event) => row.claimed.clone_from(&event.amount),
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
        keys.into_iter().chain(narrowed).collect()
    }
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
