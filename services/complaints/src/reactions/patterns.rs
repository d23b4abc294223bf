//! Complaints that are too frequent to be chance are found as they come, and open an action by themselves
//! (CMP-43). Patterns of batches are events that after-sales reads.

use std::convert::Infallible;

use chassis::When;
use contracts::complaints::{ActionKind, Complaint as Row, ComplaintKind, complaint_event};
use eventlog::{
    Log, LogError, Outcome,
    bus::{Incoming, ReactError, Reacting, Reaction},
    time::from_proto,
};

use super::{only, rows};
use crate::{
    action::{Action, Need},
    complaint_row::with_trait,
    config,
    pattern::{Pattern, Rule, Sighting, Trait, traits},
};

/// Complaints that are looked at around one, at most: a pattern is found long before.
const NEAR: usize = 500;

/// Looks for patterns.
pub struct Patterns {
    log: Log,
    rules: config::Patterns,
}

impl Patterns {
    /// On the log that the complaints are in.
    #[must_use]
    pub fn new(log: Log, rules: config::Patterns) -> Self {
        Self { log, rules }
    }

    /// Complaints with the property that came a window before it or after it.
    async fn near(
        &self,
        property: &Trait,
        sighting: &Sighting,
        rule: Rule,
    ) -> Result<Vec<Sighting>, LogError> {
        let at = sighting.received_at;
        let from = at.checked_sub(rule.window()).unwrap_or(jiff::Timestamp::MIN);
        let to = at.checked_add(rule.window()).unwrap_or(jiff::Timestamp::MAX);
        let listing = with_trait(property, from, to).descending().limit(NEAR);
        let near: Vec<Row> = rows(&self.log, &listing).await?;
        let sighting = |row: Row| {
            let received_at = row.received_at.as_ref().and_then(from_proto)?;
            Some(Sighting { complaint_id: row.complaint_id, received_at })
        };
        Ok(near.into_iter().filter_map(sighting).collect())
    }
}

impl Reaction for Patterns {
    fn name(&self) -> &'static str {
        "complaints-patterns"
    }

    fn source(&self) -> &'static str {
        "COMPLAINTS"
    }

    async fn react<'a>(
        &'a self,
        event: &'a Incoming,
        tx: &'a mut Reacting<'_>,
    ) -> Result<(), ReactError> {
        let received = only(event, "emall.complaints.v1.ComplaintReceived")?;
        let Some(complaint_event::Event::ComplaintReceived(received)) = received else {
            return Ok(());
        };
        let Some(received_at) = received.received_at.as_ref().and_then(from_proto) else {
            return Ok(());
        };
        if received.kind() != ComplaintKind::Complaint {
            return Ok(());
        }
        let row = Row {
            told_cause: received.cause,
            topic: received.topic.clone(),
            items: received.items.clone(),
            region: received.region.clone(),
            ..Row::default()
        };
        let sighting = Sighting { complaint_id: received.complaint_id.clone(), received_at };
        for property in traits(&row) {
            let Some(rule) = self.rules.of(property.dimension) else { continue };
            let pattern_id = property.pattern_id();
            let pattern: Pattern = tx.read(&pattern_id).await?;
            let action_ended = match pattern.action_id() {
                Some(action) => tx.read::<Action>(action).await?.ended_at(),
                None => None,
            };
            let near = self.near(&property, &sighting, rule).await?;
            let sight = |pattern: &Pattern| {
                let said = pattern.sight(&property, &sighting, &near, action_ended, rule);
                Ok::<_, Infallible>(said)
            };
            let staged = tx.transact(&pattern_id, sight).await?;
            if staged.outcome == Outcome::AlreadyApplied {
                continue;
            }
            let need = Need {
                action_id: staged.row.action_id.clone(),
                kind: ActionKind::Preventive,
                subject: property.words(),
                complaint_id: String::new(),
                pattern_id: pattern_id.clone(),
                cause: received.cause(),
                topic: received.topic.clone(),
            };
            let when = When { now: tx.context().now, at: None };
            let by = self.name();
            let open =
                |action: &Action| Ok::<_, Infallible>(action.open_for_pattern(&need, by, when));
            let opened = tx.transact(&need.action_id, open).await?;
            if opened.outcome == Outcome::Executed {
                tracing::info!(action = need.action_id, "{}: an action is open", need.subject);
            }
        }
        Ok(())
    }
}
