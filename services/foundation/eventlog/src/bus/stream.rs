//! The stream of one log: created so that it loses nothing, refused when it could.
//!
//! The invariant: an event leaves a stream only by an age that was configured, or by hand. Hence
//! storage on disk, no limit that discards the old, and `discard: new` where there is a limit at
//! all: a full stream refuses the relay, which then lags, visibly, instead of losing silently.

mod settings;

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

pub use self::settings::Fault;
use self::settings::{Config, faults};

use super::connection::{ApiError, Bus};

const NO_SUCH_STREAM: u64 = 10059;
const NO_SUCH_MESSAGE: u64 = 10037;
/// Answers to a creation that no retry helps: the subjects belong to another stream, the server is
/// no cluster, the settings or the name are invalid.
const HOPELESS: [u64; 4] = [10065, 10074, 10052, 10056];

/// The stream that carries a log.
#[derive(Debug, Clone)]
pub struct StreamOptions {
    /// Name of the context in capitals: `ORDERING`.
    pub name: String,
    /// What its subjects begin with: `emall.ordering`.
    pub prefix: String,
    /// Servers that keep a copy: 1, or 3 in a cluster.
    pub replicas: usize,
    /// Age at which events leave the stream, never by default. A subscriber that was away for
    /// longer cannot go on by itself.
    pub max_age: Option<Duration>,
    /// Bytes at which the stream refuses more, unlimited by default.
    pub max_bytes: Option<u64>,
}

impl StreamOptions {
    /// The stream of a service: `ordering` gives `ORDERING` with subjects `emall.ordering.>`.
    #[must_use]
    pub fn of(service: &str) -> Self {
        let context = context(service);
        Self {
            name: context.to_uppercase(),
            prefix: format!("emall.{context}"),
            replicas: 1,
            max_age: None,
            max_bytes: None,
        }
    }

    fn subjects(&self) -> String {
        format!("{}.>", self.prefix)
    }
}

/// `after-sales` and `AFTERSALES` as one token of a subject: `aftersales`.
pub(crate) fn context(service: &str) -> String {
    let letters = service.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

/// What a stream holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamState {
    /// The oldest sequence still there; one more than `last` when there is none.
    pub first: u64,
    /// The newest sequence ever, 0 when there was none.
    pub last: u64,
    /// How many messages there are.
    pub messages: u64,
}

/// Why a stream cannot carry a log.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The stream that is there could lose or spoil events.
    #[error("stream {stream} is refused: {}", settings::sentence(.faults))]
    Unsafe {
        /// Its name.
        stream: String,
        /// Everything that is wrong with it.
        faults: Vec<Fault>,
    },
    /// The stream has holes that no relay can fill.
    #[error(
        "stream {stream} is refused: it holds {} messages between {} and {}, so some were deleted; delete the stream, and the relay fills it again from the log",
        .state.messages, .state.first, .state.last
    )]
    Holed {
        /// Its name.
        stream: String,
        /// What it holds.
        state: StreamState,
    },
    /// The server will not have such a stream.
    #[error("stream {stream} cannot be created as configured")]
    Impossible {
        /// Its name.
        stream: String,
        /// In the server's words.
        source: ApiError,
    },
    /// The bus does not answer now; a later try may succeed.
    #[error("stream {stream} cannot be reached")]
    Unavailable {
        /// Its name.
        stream: String,
        /// Why not.
        source: ApiError,
    },
}

impl StreamError {
    /// Whether trying again may help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

#[derive(Debug, Deserialize)]
struct Info {
    config: Config,
    state: InfoState,
}

#[derive(Debug, Deserialize)]
struct InfoState {
    messages: u64,
    first_seq: u64,
    last_seq: u64,
}

#[derive(Debug, Deserialize)]
struct Found {
    message: FoundMessage,
}

#[derive(Debug, Deserialize)]
struct FoundMessage {
    seq: u64,
}

impl From<InfoState> for StreamState {
    fn from(state: InfoState) -> Self {
        Self { first: state.first_seq.max(1), last: state.last_seq, messages: state.messages }
    }
}

impl Bus {
    /// Makes sure that the stream is there and loses nothing: creates it if absent, with `first`
    /// as its first sequence (the oldest position that the log still holds), else verifies it.
    ///
    /// # Errors
    /// The stream is refused, cannot be created, or cannot be reached now.
    pub async fn ensure_stream(
        &self,
        options: &StreamOptions,
        first: u64,
    ) -> Result<StreamState, StreamError> {
        let stream = || options.name.clone();
        let unavailable = |source| StreamError::Unavailable { stream: stream(), source };
        let asked = self.info(&options.name).await;
        let info = match asked {
            Ok(info) => info,
            Err(error) if error.is(NO_SUCH_STREAM) => {
                let created: Result<Info, ApiError> = self
                    .ask(&format!("STREAM.CREATE.{}", options.name), &options.config(first))
                    .await;
                match created {
                    Ok(info) => {
                        tracing::info!(stream = options.name, first, "stream created");
                        info
                    }
                    Err(source) if HOPELESS.iter().any(|code| source.is(*code)) => {
                        return Err(StreamError::Impossible { stream: stream(), source });
                    }
                    // Another process may have been faster; the next try verifies what it made.
                    Err(source) => return Err(unavailable(source)),
                }
            }
            Err(source) => return Err(unavailable(source)),
        };
        let faults = faults(options, &info.config);
        if !faults.is_empty() {
            return Err(StreamError::Unsafe { stream: stream(), faults });
        }
        let state = StreamState::from(info.state);
        if state.messages > 0 && state.messages != state.last + 1 - state.first {
            return Err(StreamError::Holed { stream: stream(), state });
        }
        Ok(state)
    }

    /// What the stream holds; `None` when it is not there.
    ///
    /// # Errors
    /// The bus does not answer.
    pub async fn stream_state(&self, stream: &str) -> Result<Option<StreamState>, ApiError> {
        match self.info(stream).await {
            Ok(info) => Ok(Some(info.state.into())),
            Err(error) if error.is(NO_SUCH_STREAM) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn info(&self, stream: &str) -> Result<Info, ApiError> {
        self.ask(&format!("STREAM.INFO.{stream}"), &Value::Null).await
    }

    /// The sequence of the first message from this one on whose subject matches, as the stream's
    /// leader knows it; `None` when there is none.
    pub(crate) async fn next_match(
        &self,
        stream: &str,
        from: u64,
        filter: &str,
    ) -> Result<Option<u64>, ApiError> {
        let request = json!({ "seq": from, "next_by_subj": filter });
        let found: Result<Found, _> = self.ask(&format!("STREAM.MSG.GET.{stream}"), &request).await;
        match found {
            Ok(found) => Ok(Some(found.message.seq)),
            Err(error) if error.is(NO_SUCH_MESSAGE) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// One message as stored: subject, headers, body. `None` when it is not there.
    pub(crate) async fn stored_message(
        &self,
        stream: &str,
        sequence: u64,
    ) -> Result<Option<async_nats::Message>, ApiError> {
        let body = json!({ "seq": sequence }).to_string();
        let subject = format!("$JS.API.DIRECT.GET.{stream}");
        let message = self.request(subject, body.into()).await?;
        match message.status.map(|status| status.as_u16()) {
            None => Ok(Some(message)),
            Some(404) => Ok(None),
            Some(code) => Err(ApiError::Refused {
                code: code.into(),
                description: message.description.unwrap_or_default(),
            }),
        }
    }
}
