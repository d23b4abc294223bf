//! Asks a service how far its log is, and until when that is certain.
//!
//! ```text
//! asker ──▶ emall-horizon.<context> ──▶ Log::horizon ──▶ {position, at}
//! ```
//!
//! So a reader of its events knows when it has read everything that was recorded before a moment: it
//! asks, and when it has read up to `position`, it has read all that was recorded before `at`.
//!
//! The invariant: whatever is answered is a [`Horizon`], which holds for ever. So it does not matter
//! which replica answers first, how old an answer is, or how far the relay is behind: no stream is
//! asked. The subject lies outside of `emall.>`, which belongs to the streams.

use std::{convert::Infallible, error::Error, time::Duration};

use async_nats::{Message, Request, RequestErrorKind};
use futures::{FutureExt as _, StreamExt as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{backoff::Backoff, connection::Bus, stream};
use crate::{CommitError, Horizon, Log, LogError};

/// Why a service did not tell how far its log is. A later try may succeed.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// There is no connection to the bus, or it was lost meanwhile.
    #[error("{context} cannot be asked: there is no connection to the bus")]
    Disconnected {
        /// Who was asked.
        context: String,
    },
    /// No process of the service is connected to the bus.
    #[error("{context} cannot be asked: nobody serves it")]
    Nobody {
        /// Who was asked.
        context: String,
    },
    /// The service is there, but its log gave no answer in time.
    #[error("{context} has not answered within {} ms", .timeout.as_millis())]
    Silent {
        /// Who was asked.
        context: String,
        /// How long the answer was waited for.
        timeout: Duration,
    },
    /// The answer is none that this release knows.
    #[error("the answer of {context} cannot be read")]
    Unreadable {
        /// Who was asked.
        context: String,
    },
}

/// What goes over the wire: numbers alone.
#[derive(Serialize, Deserialize)]
struct Answer {
    position: u64,
    at_us: i64,
}

fn subject(context: &str) -> String {
    format!("emall-horizon.{}", stream::context(context))
}

impl Bus {
    /// Asks a service, `ordering` or `ORDERING`, how far its log is.
    ///
    /// # Errors
    /// Nobody answers, or not in time; nobody connected is told at once.
    pub async fn ask_horizon(&self, context: &str, timeout: Duration) -> Result<Horizon, AskError> {
        let who = || context.to_owned();
        let link = self.link();
        if !link.up {
            return Err(AskError::Disconnected { context: who() });
        }
        let request = Request::new().timeout(Some(timeout));
        let answer = tokio::select! {
            biased;
            answer = self.client().send_request(subject(context), request) => answer,
            () = self.changed_from(link) => return Err(AskError::Disconnected { context: who() }),
        };
        let message = answer.map_err(|error| match error.kind() {
            RequestErrorKind::NoResponders => AskError::Nobody { context: who() },
            RequestErrorKind::TimedOut => AskError::Silent { context: who(), timeout },
            RequestErrorKind::InvalidSubject
            | RequestErrorKind::MaxPayloadExceeded
            | RequestErrorKind::Other => AskError::Disconnected { context: who() },
        })?;
        read(&message.payload).ok_or_else(|| AskError::Unreadable { context: who() })
    }
}

fn read(payload: &[u8]) -> Option<Horizon> {
    let answer: Answer = serde_json::from_slice(payload).ok()?;
    let at = Timestamp::from_microsecond(answer.at_us).ok()?;
    Some(Horizon { position: answer.position, at })
}

/// Answers whoever asks how far `log` is, until `shutdown` or until the log is closed.
///
/// Waits out whatever may pass. While the log is broken nobody is answered: another replica may, and
/// an asker's time runs out.
///
/// # Errors
/// None: as with other tasks of a service, its end is an answer.
pub async fn serve_horizon(
    log: Log,
    bus: Bus,
    shutdown: CancellationToken,
) -> Result<(), Infallible> {
    let _ = shutdown.run_until_cancelled(serve(&log, &bus)).await;
    Ok(())
}

async fn serve(log: &Log, bus: &Bus) {
    let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(5));
    let mut troubled = false;
    loop {
        // With every new connection the client subscribes again by itself.
        if let Ok(mut requests) = bus.client().subscribe(subject(log.name())).await {
            backoff.reset();
            while let Some(first) = requests.next().await {
                let mut askers = vec![first];
                while let Some(Some(next)) = requests.next().now_or_never() {
                    askers.push(next);
                }
                match log.horizon().await {
                    Ok(horizon) => {
                        if std::mem::take(&mut troubled) {
                            tracing::info!(log = log.name(), "telling again how far the log is");
                        }
                        answer(bus, askers, horizon).await;
                    }
                    Err(CommitError::Broken(LogError::Closed)) => return,
                    Err(error) if !std::mem::replace(&mut troubled, true) => tracing::warn!(
                        log = log.name(),
                        error = &error as &dyn Error,
                        "cannot tell how far the log is"
                    ),
                    Err(_) => {}
                }
            }
        }
        backoff.wait().await;
    }
}

/// One pass through the log answers all who asked before it.
async fn answer(bus: &Bus, askers: Vec<Message>, horizon: Horizon) {
    let answer = Answer { position: horizon.position, at_us: horizon.at.as_microsecond() };
    let Ok(payload) = serde_json::to_vec(&answer).map(bytes::Bytes::from) else { return };
    for inbox in askers.into_iter().filter_map(|asker| asker.reply) {
        // One that is not reached asks again.
        let _ = bus.client().publish(inbox, payload.clone()).await;
    }
}

#[cfg(test)]
mod tests;
