//! The read row of an action, and what it can be found by.

use chassis::facets::{self, SEPARATOR, sortable};
use contracts::{
    common::EventMetadata,
    complaints::{ActionPhase, CorrectiveAction as Row, Department},
};
use eventlog::{Key, Listing, Recorded, time::to_proto};
use jiff::Timestamp;

use super::{Action, Event};

const OPEN: &str = "open";
const BY_OWNER: &str = "owner";
const ENDED: &str = "ended";

impl Recorded for Action {
    const KIND: &'static str = "corrective_action";

    type Row = Row;

    fn apply(row: &mut Row, event: &Event, _meta: &EventMetadata, _version: u64) {
        match event {
            Event::CorrectiveActionOpened(event) => {
                *row = Row {
                    action_id: event.action_id.clone(),
                    kind: event.kind,
                    subject: event.subject.clone(),
                    complaint_id: event.complaint_id.clone(),
                    pattern_id: event.pattern_id.clone(),
                    cause: event.cause,
                    topic: event.topic.clone(),
                    phase: ActionPhase::Open.into(),
                    opened_at: event.opened_at,
                    ..Row::default()
                };
            }
            Event::CorrectiveActionPlanned(event) => {
                row.phase = ActionPhase::Planned.into();
                row.department = event.department;
                row.owner.clone_from(&event.owner);
                row.measure.clone_from(&event.measure);
                row.due_by = event.due_by;
            }
            Event::CorrectiveActionDone(event) => {
                row.phase = ActionPhase::Done.into();
                row.evidence.clone_from(&event.evidence);
                row.done_at = event.done_at;
            }
            Event::CorrectiveActionChecked(event) => {
                row.finding.clone_from(&event.finding);
                if event.effective {
                    row.phase = ActionPhase::Effective.into();
                    row.ended_at = event.checked_at;
                } else {
                    row.phase = ActionPhase::Open.into();
                    row.failures += 1;
                    row.due_by = None;
                }
            }
            Event::CorrectiveActionCancelled(event) => {
                row.phase = ActionPhase::Cancelled.into();
                row.ended_at = event.cancelled_at;
            }
        }
    }

    fn keys(row: &Row) -> Vec<Key> {
        let stage = if row.ended_at.is_none() { OPEN } else { "ended" };
        // what nobody has planned has no date: it comes first
        let due = sortable(row.due_by.as_ref());
        let mut keys = facets::keys(&[row.department().as_str_name(), stage], &due);
        keys.extend([format!("*{SEPARATOR}"), format!("={stage}{SEPARATOR}")].map(|stage| {
            Key::new(BY_OWNER, [row.owner.as_str(), &stage, &due].join(&SEPARATOR.to_string()))
        }));
        if row.ended_at.is_some() {
            keys.push(Key::new(ENDED, sortable(row.ended_at.as_ref())));
        }
        keys
    }
}

/// Lists actions by due date; those that nobody has planned come first. Of one person, or of one
/// department, or all.
#[must_use]
pub fn listing(owner: Option<&str>, department: Option<Department>, open_only: bool) -> Listing {
    match owner {
        Some(owner) => {
            let stage = if open_only { format!("={OPEN}") } else { "*".to_owned() };
            Listing::by(Action::KIND, BY_OWNER)
                .prefix(format!("{owner}{SEPARATOR}{stage}{SEPARATOR}{SEPARATOR}"))
        }
        None => {
            let department = department.map(|department| department.as_str_name());
            facets::listing(Action::KIND, &[department, open_only.then_some(OPEN)])
        }
    }
}

/// Lists actions that ended in a span of time, both ends included.
#[must_use]
pub fn ended(from: Timestamp, to: Timestamp) -> Listing {
    let edge = |at| sortable(Some(&to_proto(at)));
    Listing::by(Action::KIND, ENDED).range(edge(from), format!("{}\u{1}", edge(to)))
}
