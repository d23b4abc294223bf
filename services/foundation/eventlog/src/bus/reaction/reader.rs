//! Reads the source of a reaction from its cursor, for as long as it takes.

use std::{error::Error, time::Duration};

use futures::FutureExt as _;
use tokio::time::Instant;

use super::{ReactError, Reacting, Reaction, context};
use crate::{
    Commit, CommitError, Log, LogError, Stage,
    bus::{
        Bus, Incoming, Subscription, SubscriptionError,
        backoff::{Backoff, jittered},
        metrics::ReactionMetrics,
    },
};

/// Events taken in one commit, at most, while there are many to catch up with.
const BATCH: usize = 64;
/// How long the cursor may lag behind events that changed nothing.
const LAZY: Duration = Duration::from_secs(1);
/// Events that changed nothing after which the cursor is moved at once.
const LAZY_EVENTS: u64 = 1_000;

pub(super) struct Reader<R> {
    pub(super) log: Log,
    pub(super) bus: Bus,
    pub(super) reaction: R,
    /// Name of the cursor.
    pub(super) source: String,
    pub(super) metrics: ReactionMetrics,
    /// Where the cursor is in the log.
    pub(super) persisted: u64,
    /// The last event that is dealt with; later than `persisted` by events that changed nothing.
    pub(super) seen: u64,
}

/// Why reading has to begin again at the cursor.
pub(super) enum Again {
    /// Somebody else has moved the cursor.
    Moved,
    /// The log failed, or it is not known whether the last commit happened.
    Broken(LogError),
}

impl From<LogError> for Again {
    fn from(error: LogError) -> Self {
        Self::Broken(error)
    }
}

/// How an attempt at some events ended.
#[derive(Clone, Copy)]
enum Attempt {
    /// All that they change is recorded, and the cursor with it.
    Recorded,
    /// The refusal is recorded, and the cursor with it.
    Parked,
    /// They change nothing.
    Nothing,
    /// It is of a type that this release does not know.
    Unknown,
}

enum Failed {
    React(ReactError),
    Again(Again),
}

impl<R: Reaction> Reader<R> {
    /// Never ends but by an error of the source, or with the log.
    pub(super) async fn run(&mut self) -> Result<(), SubscriptionError> {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(30));
        loop {
            let before = self.persisted;
            let again = match self.read_from_cursor().await {
                Ok(again) => again,
                Err(error) => return Err(error),
            };
            if self.persisted > before {
                backoff.reset();
            }
            match again {
                Again::Moved => self.stand_by().await,
                Again::Broken(LogError::Closed) => return Ok(()),
                Again::Broken(error) => {
                    self.metrics.stopped(true);
                    tracing::error!(
                        reaction = self.reaction.name(),
                        error = &error as &dyn Error,
                        "stopped: the log is broken; trying again"
                    );
                    backoff.wait().await;
                }
            }
        }
    }

    /// Leaves the work to another replica for as long as it moves the cursor.
    async fn stand_by(&mut self) {
        tracing::debug!(reaction = self.reaction.name(), "another replica is at work; standing by");
        loop {
            let Ok(before) = self.log.cursor(&self.source).await else { return };
            tokio::time::sleep(jittered(Duration::from_secs(1))).await;
            let Ok(now) = self.log.cursor(&self.source).await else { return };
            if now == before {
                return;
            }
        }
    }

    async fn read_from_cursor(&mut self) -> Result<Again, SubscriptionError> {
        self.persisted = match self.log.cursor(&self.source).await {
            Ok(position) => position,
            Err(error) => return Ok(error.into()),
        };
        self.seen = self.persisted;
        self.metrics.stopped(false);
        let stream = self.reaction.source().to_owned();
        let mut events = Subscription::open(&self.bus, &stream, self.seen, &[]).await?;
        let mut lazy = Instant::now() + LAZY;
        loop {
            let first = tokio::select! {
                biased;
                event = events.next() => event?,
                () = tokio::time::sleep_until(lazy), if self.seen > self.persisted => {
                    match self.persist().await {
                        Ok(()) => continue,
                        Err(again) => return Ok(again),
                    }
                }
            };
            let mut batch = vec![first];
            // An error here is for the next call, which gives it again.
            while batch.len() < BATCH
                && let Some(Ok(event)) = events.next().now_or_never()
            {
                batch.push(event);
            }
            if self.seen == self.persisted {
                lazy = Instant::now() + LAZY;
            }
            if let Err(again) = self.take(&batch).await {
                return Ok(again);
            }
            if self.seen - self.persisted >= LAZY_EVENTS
                && let Err(again) = self.persist().await
            {
                return Ok(again);
            }
        }
    }

    /// Deals with the events: all in one commit if nothing is in the way, else one by one.
    async fn take(&mut self, batch: &[Incoming]) -> Result<(), Again> {
        if batch.len() > 1 {
            match self.attempt(batch).await {
                Ok(attempt) => {
                    self.done(batch, attempt);
                    return Ok(());
                }
                Err(Failed::Again(again)) => return Err(again),
                // Which event it was, and what becomes of it, is found out one by one.
                Err(Failed::React(_)) => {}
            }
        }
        for event in batch {
            self.take_one(std::slice::from_ref(event)).await?;
        }
        Ok(())
    }

    fn done(&mut self, batch: &[Incoming], attempt: Attempt) {
        let Some(last) = batch.last() else { return };
        self.seen = last.position;
        let outcome = match attempt {
            Attempt::Recorded => "handled",
            Attempt::Parked => "parked",
            Attempt::Nothing => "ignored",
            Attempt::Unknown => "unknown",
        };
        if matches!(attempt, Attempt::Recorded | Attempt::Parked) {
            self.persisted = self.seen;
        }
        self.metrics.handled(outcome, batch.len(), self.seen);
    }

    async fn take_one(&mut self, event: &[Incoming]) -> Result<(), Again> {
        let [incoming] = event else { return Ok(()) };
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(30));
        let mut conflicts = Backoff::new(Duration::from_millis(1), Duration::from_millis(100));
        let mut stopped = false;
        loop {
            let error = match self.attempt(event).await {
                Ok(attempt) => {
                    if stopped {
                        self.metrics.stopped(false);
                        tracing::info!(reaction = self.reaction.name(), "going on");
                    }
                    self.done(event, attempt);
                    return Ok(());
                }
                Err(Failed::Again(again)) => return Err(again),
                Err(Failed::React(error)) => error,
            };
            match error {
                ReactError::Refused(reason) => {
                    let empty = self.log.stage();
                    match self.park(empty, incoming, &reason).await {
                        Ok(attempt) => self.done(event, attempt),
                        Err(Failed::Again(again)) => return Err(again),
                        Err(Failed::React(_)) => {
                            conflicts.wait().await;
                            continue;
                        }
                    }
                    return Ok(());
                }
                ReactError::Unknown(name) => {
                    tracing::debug!(
                        reaction = self.reaction.name(),
                        event = incoming.id(),
                        r#type = name,
                        "passed over: unknown type"
                    );
                    self.done(event, Attempt::Unknown);
                    return Ok(());
                }
                ReactError::Conflict => conflicts.wait().await,
                ReactError::Broken(error) => {
                    stopped = true;
                    self.metrics.stopped(true);
                    tracing::error!(
                        reaction = self.reaction.name(),
                        event = incoming.id(),
                        error = &*error as &dyn Error,
                        "stopped at this event; trying again"
                    );
                    backoff.wait().await;
                }
            }
        }
    }

    /// Reacts to the events and commits what they change together with the cursor.
    async fn attempt(&self, batch: &[Incoming]) -> Result<Attempt, Failed> {
        let mut stage = self.log.stage();
        let mut touched = false;
        for event in batch {
            fail::fail_point!("react::before");
            let context = context(&self.log, &self.reaction, event);
            let mut tx = Reacting { stage: &mut stage, context, touched: &mut touched };
            match self.reaction.react(event, &mut tx).await {
                Ok(()) => {}
                Err(ReactError::Refused(reason)) if batch.len() == 1 => {
                    return self.park(stage, event, &reason).await;
                }
                Err(error) => return Err(Failed::React(error)),
            }
        }
        let Some(last) = batch.last().filter(|_| touched) else { return Ok(Attempt::Nothing) };
        stage.move_cursor(&self.source, self.persisted, last.position);
        self.commit(stage).await?;
        Ok(Attempt::Recorded)
    }

    /// Records the refusal instead of the changes, if what it rests on is still so.
    async fn park(
        &self,
        mut stage: Stage,
        event: &Incoming,
        reason: &str,
    ) -> Result<Attempt, Failed> {
        stage.give_up_changes();
        stage.park(&self.source, event.event.clone(), reason);
        stage.move_cursor(&self.source, self.persisted, event.position);
        self.commit(stage).await?;
        tracing::warn!(
            reaction = self.reaction.name(),
            event = event.id(),
            reason,
            "parked: what follows from this event was refused"
        );
        Ok(Attempt::Parked)
    }

    async fn commit(&self, stage: Stage) -> Result<(), Failed> {
        fail::fail_point!("react::before-commit");
        let committed = stage.commit().await;
        fail::fail_point!("react::after-commit");
        match committed {
            Ok(_) => Ok(()),
            Err(CommitError::Conflict { .. }) => Err(Failed::React(ReactError::Conflict)),
            Err(CommitError::Broken(error)) if error.is_malformed() => {
                Err(Failed::React(error.into()))
            }
            Err(error) => Err(Failed::Again(again(error))),
        }
    }

    /// Moves the cursor past events that changed nothing.
    pub(super) async fn persist(&mut self) -> Result<(), Again> {
        let commit = Commit::new().move_cursor(&self.source, self.persisted, self.seen);
        self.log.commit(commit).await.map_err(again)?;
        self.persisted = self.seen;
        Ok(())
    }
}

fn again(error: CommitError) -> Again {
    match error {
        CommitError::Broken(error) => Again::Broken(error),
        CommitError::Conflict { .. }
        | CommitError::CursorMoved { .. }
        | CommitError::NotParked { .. } => Again::Moved,
    }
}
