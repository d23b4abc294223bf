//! Compares a stream with its log, event by event.

use contracts::common::RecordedEvent;

use super::{
    connection::{ApiError, Bus},
    subscription::{Subscription, SubscriptionError},
};
use crate::{Log, LogError};

/// Differing positions that are listed; more are only counted.
const LISTED: usize = 100;

/// What a comparison found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// The oldest position on the stream.
    pub first: u64,
    /// The newest position on the stream.
    pub last: u64,
    /// Events that are the same on both.
    pub same: u64,
    /// Positions that differ, the first hundred of them.
    pub different: Vec<u64>,
    /// Events in the log that the stream does not have yet.
    pub unpublished: u64,
    /// Positions that only the stream has.
    pub unknown: u64,
}

impl Comparison {
    /// Whether the stream holds the log, the whole log and nothing but the log.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        self.first <= 1 && self.different.is_empty() && self.unpublished == 0 && self.unknown == 0
    }
}

/// Why a comparison was not finished.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// The stream is not there.
    #[error("there is no stream {0}")]
    NoStream(String),
    /// The bus does not answer.
    #[error("the stream cannot be asked")]
    Bus(#[from] ApiError),
    /// The stream cannot be read.
    #[error("the stream cannot be read")]
    Stream(#[from] SubscriptionError),
    /// The log cannot be read.
    #[error("the log cannot be read")]
    Log(#[from] LogError),
}

/// Reads the whole stream and the whole log side by side. `until` is a position of the log that the
/// stream should have reached; both may go on meanwhile.
///
/// # Errors
/// One of them cannot be read.
pub async fn compare(
    log: &Log,
    bus: &Bus,
    stream: &str,
    until: u64,
) -> Result<Comparison, CompareError> {
    let state =
        bus.stream_state(stream).await?.ok_or_else(|| CompareError::NoStream(stream.to_owned()))?;
    // asked after the stream: what that has by now, the log has
    let log_last = log.last_position().await?;
    let both = state.last.min(log_last);
    let mut found = Comparison {
        first: state.first,
        last: state.last,
        unpublished: until.saturating_sub(state.last),
        unknown: state.last.saturating_sub(log_last),
        ..Comparison::default()
    };
    let mut position = state.first.saturating_sub(1);
    let mut published = Subscription::open(bus, stream, position, &[]).await?;
    while position < both {
        let recorded = log.read_after(position, 1_000).await?;
        if recorded.is_empty() {
            break;
        }
        for event in recorded.iter().take_while(|event| event.position <= both) {
            let same = match published.next().await {
                Ok(incoming) => equal(&incoming.event, event),
                Err(SubscriptionError::Unreadable { .. }) => {
                    published.pass_over();
                    false
                }
                Err(error) => return Err(error.into()),
            };
            if same {
                found.same += 1;
            } else if found.different.len() < LISTED {
                found.different.push(event.position);
            }
            position = event.position;
        }
    }
    Ok(found)
}

/// Metadata that were never given and empty metadata are the same thing.
fn equal(published: &RecordedEvent, recorded: &RecordedEvent) -> bool {
    let given = |event: &RecordedEvent| event.metadata.clone().unwrap_or_default();
    published.position == recorded.position
        && published.stream == recorded.stream
        && published.version == recorded.version
        && published.r#type == recorded.r#type
        && published.body == recorded.body
        && published.recorded_at == recorded.recorded_at
        && given(published) == given(recorded)
}
