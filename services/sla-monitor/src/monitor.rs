//! The watch itself: events of other services come in, clocks are told, what is due is said.
//!
//! ```text
//! source ─┐                        ┌─▶ tell clocks ─┐
//! source ─┼─▶ one order of events ─┤                ├─▶ one commit with all cursors
//! source ─┘    (by recorded time)  └─▶ say what is due┘
//! ```
//!
//! Invariants:
//! - events of all sources are taken in the order in which they were recorded, however late they are
//!   read; so an outage of ours ends in the same events as no outage;
//! - a limit is said to be missed only when every source that could tell otherwise has been read past
//!   it; a source that cannot be asked for long makes it provisional (design section 7);
//! - what follows from events and the cursors that say so are one commit.

mod duties;
mod source;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use contracts::sla::{BreachState, Clock as Row};
use eventlog::{
    CommitError, Context, Log, LogError, Stage, TransactError,
    bus::{Bus, Incoming, SubscriptionError},
};
use jiff::Timestamp;
use prost::Message as _;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use duties::Duties;
pub use source::{Known, Source, Sources};

use crate::{
    clock::{Clock, Rejection},
    clock_row,
    config::Config,
    hear::{Opened, Told},
    rules::{RuleBook, Rules},
    timeline::Plan,
};

/// Events taken in one commit, at most.
const EVENTS: usize = 128;
/// Clocks looked at in one commit, at most.
const CLOCKS: usize = 256;

/// Why the watch cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// Events have left a stream before they were read.
    #[error("the events of {context} cannot be read on")]
    Source {
        /// The service.
        context: String,
        /// Why not.
        source: SubscriptionError,
    },
    /// The log holds what no retry will help.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Why a round is begun again.
enum Again {
    /// Somebody else changed a clock or moved a cursor.
    Moved,
    /// The log failed, or it is not known whether the last commit happened.
    Broken(LogError),
    /// A source has ended.
    Ended(WatchError),
}

impl From<LogError> for Again {
    fn from(error: LogError) -> Self {
        Self::Broken(error)
    }
}

impl From<CommitError> for Again {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Broken(error) => Self::Broken(error),
            CommitError::Conflict { .. }
            | CommitError::CursorMoved { .. }
            | CommitError::NotParked { .. } => Self::Moved,
        }
    }
}

/// What the watch works with.
#[derive(Clone)]
pub struct Monitor {
    /// The log of the clocks.
    pub log: Log,
    /// Where the events of the other services come from.
    pub bus: Bus,
    /// The rules.
    pub book: RuleBook,
    /// The configuration.
    pub config: Arc<Config>,
    /// The clock of the process.
    pub clock: Arc<dyn eventlog::Clock>,
}

impl std::fmt::Debug for Monitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Monitor").field("config", &self.config).finish_non_exhaustive()
    }
}

/// Watches until the shutdown. Several processes may: one works, the others stand by.
///
/// # Errors
/// A source or the log cannot be read for reasons that no retry will help.
pub async fn watch(monitor: Monitor, shutdown: CancellationToken) -> Result<(), WatchError> {
    let mut failures = 0_u32;
    loop {
        let again = match shutdown.run_until_cancelled(monitor.run()).await {
            None => return Ok(()),
            Some(Ok(never)) => match never {},
            Some(Err(again)) => again,
        };
        match again {
            Again::Moved => failures = 0,
            Again::Broken(LogError::Closed) => return Ok(()),
            Again::Broken(error @ (LogError::Database(_) | LogError::OutcomeUnknown)) => {
                failures += 1;
                tracing::warn!(
                    error = chassis::errors::chain(&error),
                    "the watch waits for its log"
                );
            }
            Again::Broken(error) => return Err(error.into()),
            Again::Ended(error) => return Err(error),
        }
        let rest = sleep(Duration::from_millis(50 << failures.min(7)));
        if shutdown.run_until_cancelled(rest).await.is_none() {
            return Ok(());
        }
    }
}

enum Never {}

/// The last look at what is due.
#[derive(Default)]
struct Looked {
    at: Option<Timestamp>,
    heard: Vec<(Timestamp, bool)>,
    /// Something was due and waited for a source.
    waits: bool,
    /// Nothing is due before; found out when there is nothing else to do.
    next: Option<Timestamp>,
    /// When everything was last looked at.
    rested: Option<Instant>,
}

impl Looked {
    /// Now and then everything is looked at all the same.
    fn rests(&self) -> bool {
        self.rested.is_some_and(|since| since.elapsed() < Duration::from_secs(1))
    }
}

impl Monitor {
    async fn run(&self) -> Result<Never, Again> {
        let mut sources = Sources::open(&self.bus, &self.log, &self.config).await?;
        let mut duties = Duties::default();
        let mut looked = Looked::default();
        let tick = Duration::from_millis(self.config.tick_ms);
        loop {
            sources.fill().map_err(Again::Ended)?;
            let mut busy = self.take_events(&mut sources).await?;
            let now = self.clock.now();
            busy |= self.open_duties(&mut duties, now).await?;
            if busy {
                looked = Looked::default();
            }
            busy |= self.say_due(&mut sources, &mut looked, now).await?;
            if !busy {
                sources.wait(tick).await;
            }
        }
    }

    /// Takes the events that nothing earlier can come before. Whether there were any.
    async fn take_events(&self, sources: &mut Sources) -> Result<bool, Again> {
        let batch = sources.next_batch(EVENTS);
        if batch.is_empty() {
            sources.persist(&self.log).await?;
            return Ok(false);
        }
        let rules = self.book.rules();
        match self.take(&batch, sources, &rules).await {
            Ok(()) => {}
            Err(Failed::Refused(_)) => {
                // which one it was, and what becomes of it, is found out one by one
                for event in &batch {
                    let alone = std::slice::from_ref(event);
                    match self.take(alone, sources, &rules).await {
                        Ok(()) => {}
                        Err(Failed::Refused(rejection)) => {
                            self.park(event, &rejection, sources).await?;
                        }
                        Err(Failed::Again(again)) => return Err(again),
                    }
                }
            }
            Err(Failed::Again(again)) => return Err(again),
        }
        Ok(true)
    }

    async fn take(
        &self,
        batch: &[Incoming],
        sources: &mut Sources,
        rules: &Rules,
    ) -> Result<(), Failed> {
        let mut stage = self.log.stage();
        let mut touched = false;
        for incoming in batch {
            let id = incoming.id();
            let Some(opened) = Opened::open(&id, &incoming.event, rules) else { continue };
            let context = self.context(&opened, &id);
            for heard in opened.hear(rules) {
                for told in &heard.clocks {
                    touched = true;
                    let done =
                        self.tell(&mut stage, &opened, told, &context, sources, rules).await?;
                    if done && heard.clocks.len() > 1 {
                        break; // the first open period of a duty has taken it
                    }
                }
            }
        }
        sources.dealt_with(batch);
        if touched {
            sources.stage(&mut stage);
            stage.commit().await.map_err(|error| Failed::Again(error.into()))?;
            sources.persisted();
        }
        Ok(())
    }

    async fn tell(
        &self,
        stage: &mut Stage,
        opened: &Opened<'_>,
        told: &Told,
        context: &Context,
        sources: &Sources,
        rules: &Rules,
    ) -> Result<bool, Failed> {
        let mut took = false;
        let took_it = &mut took;
        let staged = stage
            .transact(&told.about.clock_id, context, |clock: &Clock| {
                if told.is_period()
                    && plan_of(clock, rules).is_some_and(|plan| clock.is_closed(&plan))
                {
                    return Ok(Vec::new());
                }
                *took_it = clock.pinned().is_some();
                let known = sources.known_for(clock, rules, opened.recorded_at());
                opened.decide(clock, told, rules, known)
            })
            .await;
        match staged {
            Ok(_) => Ok(took),
            Err(TransactError::Refused(rejection)) => Err(Failed::Refused(rejection)),
            Err(TransactError::Conflict) => Err(Failed::Again(Again::Moved)),
            Err(TransactError::Broken(error)) => Err(Failed::Again(Again::Broken(error))),
        }
    }

    async fn park(
        &self,
        event: &Incoming,
        rejection: &Rejection,
        sources: &mut Sources,
    ) -> Result<(), Again> {
        let mut stage = self.log.stage();
        sources.dealt_with(std::slice::from_ref(event));
        stage.park(source::cursor(&event.context), event.event.clone(), rejection.to_string());
        sources.stage(&mut stage);
        stage.commit().await?;
        sources.persisted();
        tracing::warn!(event = event.id(), %rejection, "parked: what follows from this event was refused");
        Ok(())
    }

    /// Says what is due. Whether anything was.
    async fn say_due(
        &self,
        sources: &mut Sources,
        looked: &mut Looked,
        now: Timestamp,
    ) -> Result<bool, Again> {
        // what waited for a source the last time waits still, unless more is known by now
        let heard = sources.heard();
        let since = looked.at.filter(|_| looked.heard == heard && looked.rests());
        if since.is_some() && looked.next.is_some_and(|next| now <= next) {
            sources.ask(looked.waits || sources.are_blocked());
            return Ok(false);
        }
        let mut listing = clock_row::due_between(since, now).limit(CLOCKS);
        let (mut said, mut waits) = (false, since.is_some() && looked.waits);
        let rules = self.book.rules();
        loop {
            let page = self.log.list(&listing).await?;
            let mut stage = self.log.stage();
            let mut touched = false;
            for stored in &page.rows {
                let row = Row::decode(stored.body.clone())
                    .map_err(|_| LogError::Corrupt(format!("row {} of clock", stored.id)))?;
                let Some(plan) = rules.plan(&row.profile, row.profile_version, &row.clock) else {
                    continue;
                };
                let known = sources.known(&plan.policy.contexts(), now);
                let next = crate::timeline::time(&row.next_at).unwrap_or(Timestamp::MAX);
                let announced = row
                    .committed
                    .as_ref()
                    .is_some_and(|limit| limit.breach() == BreachState::Provisional);
                if next >= known.until && (known.unheard.is_empty() || announced) {
                    waits |= next >= known.until;
                    continue;
                }
                touched |= self.say(&mut stage, &row, &plan, &known, now).await?;
            }
            if touched {
                stage.commit().await?;
                said = true;
            }
            match page.next {
                Some(token) if !touched => listing.page_token = token,
                // what was said has left the page
                Some(_) => listing.page_token.clear(),
                None => break,
            }
        }
        *looked = Looked {
            at: Some(now),
            heard,
            waits,
            next: match since {
                Some(_) if !said => Some(self.next_due(now).await?),
                Some(_) | None => None,
            },
            rested: looked.rested.filter(|_| since.is_some()),
        };
        looked.rested.get_or_insert_with(Instant::now);
        sources.ask(waits || sources.are_blocked());
        Ok(said)
    }

    /// When something is due next, as far as it is known now.
    async fn next_due(&self, now: Timestamp) -> Result<Timestamp, LogError> {
        let page =
            self.log.list(&clock_row::due_between(Some(now), Timestamp::MAX).limit(1)).await?;
        let Some(first) = page.rows.first() else { return Ok(Timestamp::MAX) };
        let row = Row::decode(first.body.clone())
            .map_err(|_| LogError::Corrupt(format!("row {} of clock", first.id)))?;
        Ok(crate::timeline::time(&row.next_at).unwrap_or(now))
    }

    async fn say(
        &self,
        stage: &mut Stage,
        row: &Row,
        plan: &Plan,
        known: &Known,
        now: Timestamp,
    ) -> Result<bool, Again> {
        let context = Context {
            actor: crate::NAME.to_owned(),
            platform: row.platform.clone(),
            causation: "time".to_owned(),
            traceparent: String::new(),
            now,
        };
        let staged = stage
            .transact(&row.clock_id, &context, |clock: &Clock| {
                let said = clock.advance(known.until, plan)?;
                if said.is_empty() && !known.unheard.is_empty() {
                    return clock.announce(known.beyond, &known.unheard, plan);
                }
                Ok(said)
            })
            .await;
        match staged {
            Ok(staged) => Ok(staged.outcome == eventlog::Outcome::Executed),
            // beyond the calendar: it cannot be due any more
            Err(TransactError::Refused(_)) => Ok(false),
            Err(TransactError::Conflict) => Err(Again::Moved),
            Err(TransactError::Broken(error)) => Err(error.into()),
        }
    }

    fn context(&self, opened: &Opened<'_>, id: &str) -> Context {
        Context {
            actor: crate::NAME.to_owned(),
            platform: opened.platform().to_owned(),
            causation: id.to_owned(),
            traceparent: String::new(),
            now: self.clock.now(),
        }
    }
}

/// How an attempt at some events failed.
enum Failed {
    Refused(Rejection),
    Again(Again),
}

/// The rules of a clock that has started.
pub(crate) fn plan_of(clock: &Clock, rules: &Rules) -> Option<Plan> {
    let (profile, version, name) = clock.pinned()?;
    rules.plan(profile, version, name)
}

/// Contexts whose events a clock goes by.
pub(crate) fn contexts_of(clock: &Clock, rules: &Rules) -> BTreeSet<String> {
    let plan = plan_of(clock, rules);
    let contexts = plan.as_ref().map(|plan| plan.policy.contexts()).unwrap_or_default();
    contexts.into_iter().map(str::to_owned).collect()
}
