//! Missed deadlines.

use chassis::When;
use contracts::sla::{ConsequenceKind, clock_event};
use eventlog::{
    Outcome,
    bus::{Incoming, ReactError, Reacting, Reaction},
    time::from_proto,
};

use super::only;
use crate::complaint::Complaint;

/// A complaint whose deadline was missed becomes major (CMP-05, SLA-06).
#[derive(Debug, Default)]
pub struct Overdue;

impl Reaction for Overdue {
    fn name(&self) -> &'static str {
        "complaints-overdue"
    }

    fn source(&self) -> &'static str {
        "SLA"
    }

    async fn react<'a>(
        &'a self,
        event: &'a Incoming,
        tx: &'a mut Reacting<'_>,
    ) -> Result<(), ReactError> {
        let raised = only(event, "emall.sla.v1.ConsequenceRaised")?;
        let Some(clock_event::Event::ConsequenceRaised(raised)) = raised else { return Ok(()) };
        if raised.kind() != ConsequenceKind::ComplaintUpgrade {
            return Ok(());
        }
        let clock = raised.clock.unwrap_or_default();
        let subject = clock.subject.iter().find(|part| part.name == "complaint_id");
        let Some(id) = subject.map(|part| part.value.as_str()) else { return Ok(()) };
        let when = When { now: tx.context().now, at: raised.due_at.as_ref().and_then(from_proto) };
        let staged = tx.transact(id, |complaint: &Complaint| complaint.overdue(when)).await?;
        if staged.outcome == Outcome::Executed {
            tracing::info!(complaint = id, "its deadline was missed: it is major now");
        }
        Ok(())
    }
}
