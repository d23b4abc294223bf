//! Publishes a log to its stream on the bus, each event once and in order.
//!
//! ```text
//!        ┌──────────── any doubt ◀───────────────┐
//!        ▼                                       │
//!  ask the stream for its last sequence ──▶ publish last+1, last+2, … each expecting the one before
//! ```
//!
//! The invariant: position *p* is only ever published as "store this if your last sequence is
//! *p − 1*". So the server itself refuses gaps, repeats and reordering, the relay keeps no state,
//! and a second relay, a late duplicate or a lost stream can do no harm.

mod session;

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use contracts::common::RecordedEvent;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::{
    backoff::{Backoff, jittered},
    connection::{ApiError, Bus},
    message::Incoming,
    metrics::RelayMetrics,
    stream::{StreamError, StreamOptions},
};
use crate::{Log, LogError};

/// Publishes `log` to its stream until `shutdown`.
///
/// Waits out whatever may pass: a bus that is down, a stream that was lost (it is created and
/// filled again), another relay that is faster.
///
/// # Errors
/// What needs a person: the stream holds something that the log does not, or has settings that
/// could lose events.
pub async fn relay(
    log: Log,
    bus: Bus,
    stream: StreamOptions,
    shutdown: CancellationToken,
) -> Result<(), RelayError> {
    Relay::new(log, bus, stream).run(shutdown).await
}

/// Why the relay stopped for good.
#[derive(Debug, thiserror::Error)]
pub enum RelayError {
    /// The stream holds more than the log.
    #[error(
        "stream {stream} is at {stream_last}, ahead of its log at {log_last}: the log was restored from an older copy, or this is another system's stream. Nothing is published. Restore the newer log, or give up what only the stream holds: delete the stream, and it is filled again from the log"
    )]
    Ahead {
        /// The stream.
        stream: String,
        /// Its last sequence.
        stream_last: u64,
        /// The log's last position.
        log_last: u64,
    },
    /// The stream holds another history than the log.
    #[error(
        "stream {stream} holds something else at {position} than its log: the log was replaced, or a stranger published. Nothing more is published. Find out which one is right; if it is the log, delete the stream, and it is filled again"
    )]
    Diverged {
        /// The stream.
        stream: String,
        /// Where they differ.
        position: u64,
    },
    /// The stream cannot carry a log.
    #[error("the relay cannot use its stream")]
    Stream(#[source] StreamError),
}

/// A relay and what may be tuned about it.
#[derive(Debug, Clone)]
pub struct Relay {
    log: Log,
    bus: Bus,
    stream: StreamOptions,
    /// Events published and not yet acknowledged, at most.
    pub window: u64,
    /// How long an acknowledgement may take.
    pub ack_timeout: Duration,
    /// How often an idle relay looks whether the stream is still as it left it.
    pub idle_check: Duration,
    /// How long a shutdown waits for acknowledgements.
    pub grace: Duration,
}

/// Why a session ended that was not told to.
#[derive(Debug, thiserror::Error)]
enum Doubt {
    #[error("the connection was lost")]
    Disconnected,
    #[error("an acknowledgement is missing")]
    Silent,
    #[error("the stream is not where it was: another relay is at work, or the stream lost its end")]
    OutOfStep,
    #[error("the stream is gone")]
    Missing,
    #[error("the bus refused event {position}")]
    Refused { position: u64, source: ApiError },
    #[error(
        "event {position} is larger than the {limit} bytes that the bus takes: raise max_payload"
    )]
    TooLarge { position: u64, limit: usize },
    #[error("the stream cannot be reached")]
    Stream(#[source] StreamError),
    #[error("JetStream cannot be asked")]
    Api(#[source] ApiError),
    #[error("the log cannot be read")]
    Log(#[source] LogError),
}

impl Doubt {
    fn label(&self) -> &'static str {
        match self {
            Self::Disconnected => "disconnected",
            Self::Silent => "silent",
            Self::OutOfStep => "out-of-step",
            Self::Missing => "missing",
            Self::Refused { .. } => "refused",
            Self::TooLarge { .. } => "too-large",
            Self::Stream(_) => "stream",
            Self::Api(_) => "api",
            Self::Log(_) => "log",
        }
    }
}

/// How a session ends.
enum End {
    Shutdown,
    Doubt(Doubt),
    Failed(RelayError),
}

impl From<Doubt> for End {
    fn from(doubt: Doubt) -> Self {
        Self::Doubt(doubt)
    }
}

impl From<LogError> for End {
    fn from(error: LogError) -> Self {
        // A log is closed by its own process, on the way out.
        if matches!(error, LogError::Closed) { Self::Shutdown } else { Doubt::Log(error).into() }
    }
}

impl Relay {
    /// A relay with a window of 512 events.
    #[must_use]
    pub fn new(log: Log, bus: Bus, stream: StreamOptions) -> Self {
        Self {
            log,
            bus,
            stream,
            window: 512,
            ack_timeout: Duration::from_secs(5),
            idle_check: Duration::from_secs(3),
            grace: Duration::from_secs(3),
        }
    }

    /// As [`relay`].
    ///
    /// # Errors
    /// As [`relay`].
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), RelayError> {
        let metrics = RelayMetrics::new(&self.stream.name);
        let published = AtomicU64::new(0);
        let ended = tokio::select! {
            ended = self.sessions(&published, &metrics, &shutdown) => ended,
            () = self.report_lag(&published, &metrics) => Ok(()),
        };
        if let Err(error) = &ended {
            tracing::error!(
                stream = self.stream.name,
                error = error as &dyn std::error::Error,
                "the relay has stopped"
            );
        }
        ended
    }

    async fn sessions(
        &self,
        published: &AtomicU64,
        metrics: &RelayMetrics,
        shutdown: &CancellationToken,
    ) -> Result<(), RelayError> {
        let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(5));
        let mut said = "";
        let mut out_of_step: Option<Instant> = None;
        loop {
            let before = published.load(Ordering::Relaxed);
            let session = session::Session { relay: self, published, metrics, shutdown };
            let doubt = match session.run().await {
                End::Shutdown => return Ok(()),
                End::Failed(error) => return Err(error),
                End::Doubt(doubt) => doubt,
            };
            metrics.doubt(doubt.label());
            if published.load(Ordering::Relaxed) > before {
                backoff.reset();
                said = "";
            }
            if said == doubt.label() {
                tracing::debug!(stream = self.stream.name, %doubt, "still in doubt");
            } else {
                said = doubt.label();
                tracing::warn!(
                    stream = self.stream.name,
                    doubt = &doubt as &dyn std::error::Error,
                    "asking the stream where to go on"
                );
            }
            let again = |at: &Instant| at.elapsed() < Duration::from_secs(5);
            if matches!(doubt, Doubt::OutOfStep) && out_of_step.as_ref().is_some_and(again) {
                out_of_step = None;
                self.stand_by(shutdown).await;
            } else {
                if matches!(doubt, Doubt::OutOfStep) {
                    out_of_step = Some(Instant::now());
                }
                tokio::select! {
                    () = shutdown.cancelled() => {}
                    () = backoff.wait() => {}
                }
            }
        }
    }

    /// Leaves the work to another relay for as long as that one does it.
    async fn stand_by(&self, shutdown: &CancellationToken) {
        tracing::info!(stream = self.stream.name, "another relay is at work; standing by");
        let mut seen = 0;
        let mut stalled = 0;
        while stalled < 2 {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(jittered(Duration::from_secs(1))) => {}
            }
            let Ok(Some(state)) = self.bus.stream_state(&self.stream.name).await else { return };
            let Ok(last) = self.log.last_position().await else { return };
            if state.last < seen {
                return;
            }
            let at_work = state.last > seen || state.last >= last;
            stalled = if at_work { 0 } else { stalled + 1 };
            seen = state.last;
        }
        tracing::info!(stream = self.stream.name, "the other relay has stopped; taking over");
    }

    async fn report_lag(&self, published: &AtomicU64, metrics: &RelayMetrics) {
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            ticks.tick().await;
            if let Ok(last) = self.log.last_position().await {
                metrics.lag(last.saturating_sub(published.load(Ordering::Relaxed)));
            }
        }
    }

    /// Where the stream stands, once it is certain that it holds this log and nothing else.
    async fn verified_last(&self) -> Result<u64, End> {
        let stream = &self.stream.name;
        let first = self.log.read_after(0, 1).await?.first().map_or(1, |event| event.position);
        let state = match self.bus.ensure_stream(&self.stream, first).await {
            Ok(state) => state,
            Err(error) if error.is_transient() => return Err(Doubt::Stream(error).into()),
            Err(error) => return Err(End::Failed(RelayError::Stream(error))),
        };
        // Read after the stream: what another relay published in between is in the log by now.
        let log_last = self.log.last_position().await?;
        if state.last > log_last {
            return Err(End::Failed(RelayError::Ahead {
                stream: stream.clone(),
                stream_last: state.last,
                log_last,
            }));
        }
        if state.messages > 0
            && let Some(stored) =
                self.bus.stored_message(stream, state.last).await.map_err(Doubt::Api)?
            && let Some(event) = self.log.read_after(state.last - 1, 1).await?.first()
            && !Incoming::parse(&stored).is_ok_and(|stored| same_event(&stored, event))
        {
            let position = state.last;
            return Err(End::Failed(RelayError::Diverged { stream: stream.clone(), position }));
        }
        Ok(state.last)
    }
}

fn same_event(stored: &RecordedEvent, event: &RecordedEvent) -> bool {
    stored.position == event.position
        && stored.stream == event.stream
        && stored.version == event.version
        && stored.r#type == event.r#type
        && stored.body == event.body
}
