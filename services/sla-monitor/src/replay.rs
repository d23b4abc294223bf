//! History again, under other rules, without writing anything: back-tests and restatements.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use contracts::common::EventMetadata;
use contracts::sla::{BackTestLine, BackTestResponse, Clock as Row, ClockKind, ClockState};
use decider::Aggregate as _;
use eventlog::{
    Recorded as _,
    bus::{self, AskError, Bus, Incoming, SubscriptionError},
};
use jiff::Timestamp;

use crate::{
    clock::Clock,
    hear::Opened,
    ledger::{add, from_duration},
    policy::Profile,
    rules::Rules,
    timeline::{Plan, Side, Timeline, time},
};

/// What a back-test asks for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Only cases of this platform.
    pub platform: Option<String>,
    /// Only clocks that started from then on.
    pub from: Option<Timestamp>,
    /// History up to then.
    pub to: Timestamp,
    /// Most clocks told one by one.
    pub examples: usize,
}

/// Why history cannot be read again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// A stream cannot be read.
    #[error("the events of {context} cannot be read again")]
    Stream {
        /// The service.
        context: String,
        /// Why not.
        source: SubscriptionError,
    },
    /// A service does not say how far its log is.
    #[error(transparent)]
    Away(#[from] AskError),
}

/// Clocks in memory, told event after event.
#[derive(Debug)]
pub struct Replay {
    rules: Rules,
    clocks: HashMap<String, (Clock, Row)>,
    asked: Asked,
    events: u64,
}

impl Replay {
    /// Nothing has happened yet. The draft counts for everybody, and always has.
    #[must_use]
    pub fn new(draft: Profile, rules: &Rules, asked: Asked) -> Self {
        Self { rules: rules.with_draft(draft), clocks: HashMap::new(), asked, events: 0 }
    }

    /// Tells the clocks an event; those after the end of the asked time are passed over.
    pub fn take(&mut self, incoming: &Incoming) {
        self.events += 1;
        let id = incoming.id();
        let Some(opened) = Opened::open(&id, &incoming.event, &self.rules) else { return };
        if opened.recorded_at() > self.asked.to
            || self.asked.platform.as_ref().is_some_and(|platform| opened.platform() != platform)
        {
            return;
        }
        for heard in opened.hear(&self.rules) {
            for told in &heard.clocks {
                let known = self.clocks.get(&told.about.clock_id);
                if known.is_none() && told.start.is_none() && heard.clocks.len() > 1 {
                    continue;
                }
                let (clock, row) = known.cloned().unwrap_or_default();
                let Ok(events) = opened.decide(&clock, told, &self.rules, opened.recorded_at())
                else {
                    continue;
                };
                self.keep(&told.about.clock_id, clock, row, &events);
            }
        }
    }

    fn keep(&mut self, id: &str, clock: Clock, mut row: Row, events: &[crate::clock::Event]) {
        if events.is_empty() {
            return;
        }
        let mut clock = clock;
        for event in events {
            Clock::apply(&mut row, event, &EventMetadata::default(), 0);
            clock = clock.evolve(event);
        }
        self.clocks.insert(id.to_owned(), (clock, row));
    }

    /// Time passes to the end of what was asked; what became of the clocks of the draft.
    #[must_use]
    pub fn finish(mut self, draft: &Profile) -> BackTestResponse {
        let to = self.asked.to;
        let ids: Vec<String> = self.clocks.keys().cloned().collect();
        for id in ids {
            let Some((clock, row)) = self.clocks.get(&id).cloned() else { continue };
            let Some(plan) = crate::monitor::plan_of(&clock, &self.rules) else { continue };
            if let Ok(events) = clock.advance(to, &plan) {
                self.keep(&id, clock, row, &events);
            }
        }
        let mut lines: BTreeMap<&str, BackTestLine> = BTreeMap::new();
        let mut breached = Vec::new();
        let started_late = |row: &Row| {
            self.asked.from.is_none_or(|from| time(&row.started_at).is_some_and(|at| at >= from))
        };
        for (clock, row) in self.clocks.values() {
            let Some(plan) = crate::monitor::plan_of(clock, &self.rules) else { continue };
            if !started_late(row) {
                continue;
            }
            let line = lines.entry(row.clock.as_str()).or_default();
            if count(line, clock, row, &plan, to) {
                breached.push(row.clone());
            }
        }
        breached.sort_by_key(|row| {
            let due = row.committed.as_ref().and_then(|limit| time(&limit.breached_at));
            (due, row.clock_id.clone())
        });
        breached.truncate(self.asked.examples);
        let lines = draft
            .policies
            .iter()
            .map(|policy| {
                let line = lines.remove(policy.name.as_str()).unwrap_or_default();
                BackTestLine { clock: policy.name.clone(), ..line }
            })
            .collect();
        BackTestResponse { lines, breached, events_read: self.events }
    }
}

/// Counts the cycles of a clock; whether its present one was missed.
fn count(line: &mut BackTestLine, clock: &Clock, row: &Row, plan: &Plan, to: Timestamp) -> bool {
    let Ok(timeline) = Timeline::lay(clock.facts(), plan) else { return false };
    let is_promise = plan.policy.kind == ClockKind::Promise;
    let mut last = false;
    for cycle in &timeline.cycles {
        line.started += 1;
        let missed = is_promise && cycle.is_missed(Side::Committed, to);
        last = missed;
        line.contractual_breached +=
            u64::from(is_promise && cycle.is_missed(Side::Contractual, to));
        if missed {
            line.breached += 1;
        } else {
            match cycle.end.as_ref().map(|end| end.by) {
                None => line.running += u64::from(row.state() != ClockState::Ended),
                Some(crate::timeline::EndedBy::Cancel) => line.cancelled += 1,
                Some(_) => line.met += u64::from(is_promise),
            }
        }
    }
    if let Some(overrun) = row.committed.as_ref().and_then(|limit| limit.overrun.as_ref()) {
        add(&mut line.overrun, from_duration(overrun));
    }
    last
}

/// Reads the whole history of the services that a draft goes by, in the order in which it was
/// recorded, up to where each of them is now.
///
/// # Errors
/// A stream cannot be read, or its oldest events have left it.
pub async fn back_test(
    bus: &Bus,
    draft: &Profile,
    rules: &Rules,
    asked: Asked,
) -> Result<BackTestResponse, ReplayError> {
    let mut contexts: Vec<&str> =
        draft.policies.iter().flat_map(|policy| policy.contexts()).collect();
    contexts.sort_unstable();
    contexts.dedup();
    let mut replay = Replay::new(draft.clone(), rules, asked);
    let mut streams = Vec::new();
    for context in contexts {
        let until = bus.ask_horizon(context, ANSWER).await?.position;
        let stream = bus::Replay::new(bus, &context.to_ascii_uppercase(), 0, until, &[]);
        streams.push(Stream { context, stream, head: None });
    }
    for stream in &mut streams {
        stream.advance().await?;
    }
    // one order of all events, as they were recorded
    let place = |stream: &Stream<'_>| {
        let head = stream.head.as_ref()?;
        Some((time(&head.recorded_at), stream.context.to_owned()))
    };
    while let Some(first) =
        streams.iter_mut().filter(|stream| stream.head.is_some()).min_by_key(|stream| place(stream))
    {
        if let Some(event) = first.head.take() {
            replay.take(&event);
        }
        first.advance().await?;
    }
    Ok(replay.finish(draft))
}

/// How long a service may take to say how far its log is.
const ANSWER: Duration = Duration::from_secs(5);

/// The history of one service, with its next event.
struct Stream<'a> {
    context: &'a str,
    stream: bus::Replay,
    head: Option<Incoming>,
}

impl Stream<'_> {
    async fn advance(&mut self) -> Result<(), ReplayError> {
        let next = self.stream.next().await;
        self.head = next
            .map_err(|source| ReplayError::Stream { context: self.context.to_owned(), source })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
