//! Turns the events of another service into changes of one's own, each event exactly once.
//!
//! ```text
//! event ──react──▶ staged changes ┐
//!                  cursor from→to ┴─ one commit ─▶ next event
//! ```
//!
//! The invariant: what a reaction changes and the cursor that says so are one commit, and the
//! cursor moves only from where this reader believes it to be. A redelivery, a crash between any
//! two steps or a second replica therefore cannot apply an event twice, nor pass one over.

mod reader;

use std::error::Error;

use decider::Decision;
use tokio_util::sync::CancellationToken;

use self::reader::Reader;
use super::{Bus, Incoming, SubscriptionError, metrics::ReactionMetrics};
use crate::{CommitError, Context, Log, LogError, Recorded, Stage, Staged, TransactError};

/// What a service does about another service's events.
pub trait Reaction: Send + Sync + 'static {
    /// Names the cursor, for ever: another name begins with the first event again.
    fn name(&self) -> &str;

    /// The stream it reads: `ORDERING`.
    fn source(&self) -> &str;

    /// Stages what follows from the event, on the present state of one's own aggregates; nothing
    /// else, because it may be called again for the same event until its commit has happened.
    /// Staging nothing passes the event over.
    fn react<'a>(
        &'a self,
        event: &'a Incoming,
        tx: &'a mut Reacting<'_>,
    ) -> impl Future<Output = Result<(), ReactError>> + Send + 'a;
}

/// Why a reaction has not dealt with an event.
#[derive(Debug, thiserror::Error)]
pub enum ReactError {
    /// The domain says no; asking again would not change that. The event is parked with the
    /// reason, and the stream goes on.
    #[error("refused: {0}")]
    Refused(String),
    /// An event of a later release. It is counted and passed over.
    #[error("unknown event type {0}")]
    Unknown(String),
    /// Somebody else changed the aggregate; the reaction is called again.
    #[error("the aggregate is changing too fast")]
    Conflict,
    /// Something that is needed is not there. The stream stops, visibly, and the reaction is called
    /// again until it is.
    #[error("the reaction cannot go on")]
    Broken(#[source] Box<dyn Error + Send + Sync>),
}

impl ReactError {
    /// Something that is needed is not there.
    pub fn broken(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Broken(source.into())
    }
}

impl From<contracts::EventError> for ReactError {
    fn from(error: contracts::EventError) -> Self {
        match error {
            contracts::EventError::UnknownType(name) => Self::Unknown(name),
            damaged @ contracts::EventError::Damaged(_) => Self::Refused(damaged.to_string()),
        }
    }
}

impl From<LogError> for ReactError {
    fn from(error: LogError) -> Self {
        // What the log will never take, such as an id that is too long, no retry will help.
        if error.is_malformed() { Self::Refused(error.to_string()) } else { Self::broken(error) }
    }
}

impl<R: std::fmt::Display> From<TransactError<R>> for ReactError {
    fn from(error: TransactError<R>) -> Self {
        match error {
            TransactError::Refused(rejection) => Self::Refused(rejection.to_string()),
            TransactError::Conflict => Self::Conflict,
            TransactError::Broken(error) => error.into(),
        }
    }
}

/// Where a reaction stages its changes.
pub struct Reacting<'a> {
    stage: &'a mut Stage,
    context: Context,
    touched: &'a mut bool,
}

impl Reacting<'_> {
    /// Decides on the present state of one of one's own aggregates, earlier decisions of this
    /// reaction included. Nothing is recorded before the whole reaction is.
    ///
    /// # Errors
    /// The domain refuses (with `?` the event is parked; or match on it), or the log is broken.
    pub async fn transact<A: Recorded, R: Send>(
        &mut self,
        id: &str,
        decide: impl FnOnce(&A) -> Decision<A::Event, R> + Send,
    ) -> Result<Staged<A>, TransactError<R>> {
        *self.touched = true;
        self.stage.transact(id, &self.context, decide).await
    }

    /// Reads one of one's own aggregates, earlier decisions of this reaction included. What is recorded
    /// rests on it: if somebody changes it meanwhile, the reaction is called again.
    ///
    /// # Errors
    /// The log is broken.
    pub async fn read<A: Recorded>(&mut self, id: &str) -> Result<A, LogError> {
        *self.touched = true;
        self.stage.read(id).await
    }

    /// Who acts, for whom and why: the reaction, for the event's platform, because of the event.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }
}

/// Why a reaction has stopped for good.
#[derive(Debug, thiserror::Error)]
pub enum ReactionError {
    /// Its source cannot be read on.
    #[error("reaction {reaction} cannot read its source")]
    Source {
        /// Its name.
        reaction: String,
        /// Why not.
        source: SubscriptionError,
    },
}

/// Name of a reaction's cursor, and of the entries it parks.
#[must_use]
pub fn reaction_source(name: &str) -> String {
    format!("reaction:{name}")
}

/// Runs a reaction until `shutdown`.
///
/// Any number of replicas may run it: one does the work, the others stand by.
///
/// # Errors
/// Its source lacks the next event, or holds one that cannot be read.
pub async fn react<R: Reaction>(
    log: Log,
    bus: Bus,
    reaction: R,
    shutdown: CancellationToken,
) -> Result<(), ReactionError> {
    let source = reaction_source(reaction.name());
    let metrics = ReactionMetrics::new(reaction.name());
    let mut reader = Reader { log, bus, reaction, source, metrics, persisted: 0, seen: 0 };
    let ended = shutdown.run_until_cancelled(reader.run()).await;
    // What was passed over need not be read again; if this fails, it is, and nothing else happens.
    if reader.seen > reader.persisted {
        let _ = reader.persist().await;
    }
    match ended {
        None | Some(Ok(())) => Ok(()),
        Some(Err(source)) => {
            let error =
                ReactionError::Source { reaction: reader.reaction.name().to_owned(), source };
            reader.metrics.stopped(true);
            tracing::error!(error = &error as &dyn Error, "the reaction has stopped");
            Err(error)
        }
    }
}

/// How a parked event fared when it was tried again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Retried {
    /// What follows from it is recorded, and it is no longer parked.
    Done,
    /// It is still refused, and still parked.
    Refused(String),
}

/// Why a parked event could not be tried again.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    /// There is none.
    #[error("nothing is parked at {0}")]
    NotParked(u64),
    /// The reaction cannot go on.
    #[error("the reaction cannot be tried again now")]
    React(#[source] ReactError),
    /// The log is broken, or somebody else was faster.
    #[error("what follows cannot be recorded now")]
    Commit(#[from] CommitError),
    /// The log is broken.
    #[error("the parked event cannot be read")]
    Log(#[from] LogError),
}

/// Tries a parked event again, for an operator who has removed what was in the way. What follows
/// and the end of the parking are one commit.
///
/// # Errors
/// Nothing is parked there, or the attempt failed; the event stays parked.
pub async fn retry_parked<R: Reaction>(
    log: &Log,
    reaction: &R,
    position: u64,
) -> Result<Retried, RetryError> {
    let source = reaction_source(reaction.name());
    let parked =
        log.parked_entry(&source, position).await?.ok_or(RetryError::NotParked(position))?;
    let event = Incoming { context: reaction.source().to_owned(), event: parked.event };
    let (mut stage, mut touched) = (log.stage(), false);
    let context = context(log, reaction, &event);
    let mut tx = Reacting { stage: &mut stage, context, touched: &mut touched };
    match reaction.react(&event, &mut tx).await {
        Ok(()) => {}
        Err(ReactError::Refused(reason)) => return Ok(Retried::Refused(reason)),
        Err(error) => return Err(RetryError::React(error)),
    }
    stage.unpark(source, position);
    stage.commit().await?;
    Ok(Retried::Done)
}

fn context<R: Reaction>(log: &Log, reaction: &R, event: &Incoming) -> Context {
    let metadata = event.metadata.clone().unwrap_or_default();
    Context {
        actor: reaction.name().to_owned(),
        platform: metadata.platform,
        causation: event.id(),
        traceparent: metadata.traceparent,
        now: log.clock().now(),
    }
}
