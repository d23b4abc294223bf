//! What the history of one case says by other rules than those that its clock goes by.

use std::{collections::BTreeSet, time::Duration};

use contracts::sla::{Clock as Row, Fact};
use eventlog::bus::{Bus, filter_by_id};

use crate::{
    clock::{MOST_FACTS, insert},
    hear::Opened,
    replay::ReplayError,
    rules::Rules,
    timeline::Plan,
};

/// How long a service may take to say how far its log is.
const ANSWER: Duration = Duration::from_secs(2);

/// The facts that a clock would have if these rules had counted from its start: what happened to the
/// case is read again, because other rules may go by events that its own ones do not.
///
/// What is told by hand stays, and so does what came from records that are not named by the case.
///
/// # Errors
/// A stream cannot be read, or a service does not answer.
pub async fn facts(
    bus: &Bus,
    rules: &Rules,
    row: &Row,
    plan: &Plan,
) -> Result<Vec<Fact>, ReplayError> {
    let policy = &plan.policy;
    let named = |name: &String| row.subject.iter().find(|part| part.name == *name);
    let subject: Option<Vec<String>> =
        policy.subject.iter().map(|name| Some(named(name)?.value.clone())).collect();
    // the periods of a duty and a case of other parts are no others by other rules
    let Some(subject) = subject.filter(|_| policy.duty.is_none()) else {
        return Ok(row.facts.clone());
    };
    let (mut read, mut facts) = (BTreeSet::new(), Vec::new());
    for context in policy.contexts() {
        let until = bus.ask_horizon(context, ANSWER).await?.position;
        let filters: Vec<String> = subject.iter().map(|id| filter_by_id(context, id)).collect();
        let stream = context.to_ascii_uppercase();
        bus.read_stream(&stream, 0, until, &filters, |event| {
            let id = event.id();
            if let Some(opened) = Opened::open(&id, &event.event, rules)
                && facts.len() < MOST_FACTS
            {
                for fact in opened.facts_for(policy, &subject) {
                    insert(&mut facts, fact);
                }
            }
            read.insert(id);
        })
        .await
        .map_err(|source| ReplayError::Stream { context: context.to_owned(), source })?;
    }
    let counts = |fact: &&Fact| {
        let heard = |fact: &Fact| {
            policy.patterns.iter().any(|it| (&it.event, it.role) == (&fact.event, fact.kind()))
        };
        fact.event.is_empty() || (!read.contains(&fact.evidence) && heard(fact))
    };
    for fact in row.facts.iter().filter(counts) {
        insert(&mut facts, fact.clone());
    }
    Ok(facts)
}
