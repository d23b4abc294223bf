//! What is learned from a complaint whose cause is known: its solution becomes standard, and a corrective
//! action is opened and planned (CMP-21, CMP-29, CMP-43).

use chassis::When;
use contracts::complaints::{ActionKind, CauseAnalysed, StandardSolution, complaint_event};
use eventlog::{
    Log, LogError, Outcome,
    bus::{Incoming, ReactError, Reacting, Reaction},
    time::from_proto,
};
use jiff::Timestamp;
use uuid::Uuid;

use super::{only, rows};
use crate::{
    action::{Action, Need, Plan},
    complaint::kinds,
    standard::{Adoption, Standard, listing},
};

/// Under which the ids of what is learned are made, each from the event that it is learned from.
const LESSONS: Uuid = Uuid::from_u128(0xa0f3_6d21_94be_5c08_b7d2_5e19_c46a_f083);

/// Standard solutions of one cause that are looked at, at most.
const LOOKED_AT: usize = 500;

/// Keeps what was learned.
pub struct Lessons {
    log: Log,
}

impl Lessons {
    /// On the log that the complaints are in.
    #[must_use]
    pub fn new(log: Log) -> Self {
        Self { log }
    }

    /// Whether the same is standard for the same type already: once is enough.
    async fn is_standard(&self, adoption: &Adoption) -> Result<bool, LogError> {
        let listing = listing(Some(adoption.cause), true).limit(LOOKED_AT);
        let current: Vec<StandardSolution> = rows(&self.log, &listing).await?;
        Ok(current
            .iter()
            .any(|row| row.topic == adoption.topic && row.measures == adoption.measures))
    }
}

impl Reaction for Lessons {
    fn name(&self) -> &'static str {
        "complaints-lessons"
    }

    fn source(&self) -> &'static str {
        "COMPLAINTS"
    }

    async fn react<'a>(
        &'a self,
        event: &'a Incoming,
        tx: &'a mut Reacting<'_>,
    ) -> Result<(), ReactError> {
        let analysed = only(event, "emall.complaints.v1.CauseAnalysed")?;
        let Some(complaint_event::Event::CauseAnalysed(analysed)) = analysed else {
            return Ok(());
        };
        let id = Uuid::new_v5(&LESSONS, event.id().as_bytes()).to_string();
        let at = analysed.analysed_at.as_ref().and_then(from_proto);
        let when = When { now: tx.context().now, at };
        if let Some(adoption) = adoption(&id, &analysed)
            && !self.is_standard(&adoption).await?
        {
            let by = &analysed.analysed_by;
            let adopt = |standard: &Standard| standard.adopt(&adoption, by, when);
            if tx.transact(&id, adopt).await?.outcome == Outcome::Executed {
                tracing::info!(complaint = analysed.complaint_id, "its solution is standard now");
            }
        }
        let due_by = analysed.action_due_by.as_ref().and_then(from_proto);
        if let Some(due_by) = due_by {
            open(tx, &id, &analysed, due_by, when).await?;
        }
        Ok(())
    }
}

/// The solution as a standard one, if it is to become that: for complaints of the cause that the user told,
/// because that is how the next one of its type comes in.
fn adoption(id: &str, analysed: &CauseAnalysed) -> Option<Adoption> {
    let solution = analysed.solution.as_ref().filter(|_| analysed.becomes_standard)?;
    let about = analysed.about.as_ref()?;
    Some(Adoption {
        id: id.to_owned(),
        cause: about.told_cause(),
        topic: about.topic.clone(),
        text: solution.text.clone(),
        feasibility: solution.feasibility.clone(),
        fairness: solution.fairness.clone(),
        measures: kinds(solution),
        complaint_id: analysed.complaint_id.clone(),
    })
}

async fn open(
    tx: &mut Reacting<'_>,
    id: &str,
    analysed: &CauseAnalysed,
    due_by: Timestamp,
    when: When,
) -> Result<(), ReactError> {
    let need = Need {
        action_id: id.to_owned(),
        kind: ActionKind::Corrective,
        subject: analysed.root_cause.clone(),
        complaint_id: analysed.complaint_id.clone(),
        pattern_id: String::new(),
        cause: analysed.cause(),
        topic: analysed.about.as_ref().map(|about| about.topic.clone()).unwrap_or_default(),
    };
    let plan = Plan {
        department: analysed.department(),
        owner: analysed.action_owner.clone(),
        measure: analysed.corrective_action.clone(),
        due_by,
    };
    let by = &analysed.analysed_by;
    tx.transact(id, |action: &Action| action.open(&need, by, when)).await?;
    tx.transact(id, |action: &Action| action.plan(&plan, by, when)).await?;
    Ok(())
}
