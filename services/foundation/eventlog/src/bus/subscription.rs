//! Reads the stream of another service, each event once and in order, for as long as it takes.
//!
//! ```text
//!      ┌── gap · silence · consumer or stream gone · new connection ──┐
//!      ▼                                                              │
//!  make a consumer that begins at cursor+1 ──▶ pull ──▶ hand out ─────┘
//! ```
//!
//! The invariant: after the event at *p* the one at *p + 1* is handed out, or an error. The server
//! keeps nothing that matters: the consumer lives in its memory, acknowledges nothing, and is made
//! anew from the cursor whenever anything is odd.

mod feed;

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use self::feed::{Feed, Place};
use super::{
    backoff::Backoff,
    connection::{ApiError, Bus},
    message::{Incoming, NotAnEvent},
    stream::StreamState,
};

/// Why a subscription cannot hand out the next event.
#[derive(Debug, thiserror::Error)]
pub enum SubscriptionError {
    /// The events in between have left the stream.
    #[error(
        "stream {stream} begins at {first}, but {wanted} is to be read next: the events in between have left it. Read them from the log of their service, or rebuild the reader from that log, and move its cursor to {}",
        .first - 1
    )]
    Retired {
        /// The stream.
        stream: String,
        /// The position that is to be read next.
        wanted: u64,
        /// The oldest that the stream has.
        first: u64,
    },
    /// The message at this position was published by no relay.
    #[error("the message at {position} of stream {stream} cannot be read")]
    Unreadable {
        /// The stream.
        stream: String,
        /// Its sequence.
        position: u64,
        /// What is wrong with it.
        source: NotAnEvent,
    },
    /// The name of the stream or a filter is none that the bus knows.
    #[error("stream {stream} cannot be read as asked")]
    Impossible {
        /// The stream.
        stream: String,
        /// In the server's words.
        source: ApiError,
    },
}

/// Why the consumer has to be made anew.
#[derive(Debug, thiserror::Error)]
pub(super) enum Doubt {
    #[error("the connection was lost or made anew")]
    Connection,
    #[error("the server is silent")]
    Silent,
    #[error("messages are missing")]
    Gap,
    #[error("the server ended the consumer: {0}")]
    Ended(String),
    #[error("the stream cannot be asked")]
    Api(#[source] ApiError),
}

pub(super) enum Trouble {
    Doubt(Doubt),
    Failed(SubscriptionError),
}

impl From<Doubt> for Trouble {
    fn from(doubt: Doubt) -> Self {
        Self::Doubt(doubt)
    }
}

/// A reader of one stream.
///
/// Dropping it in the middle of [`Subscription::next`] or between two calls loses nothing but the
/// place, which is [`Subscription::position`].
#[derive(Debug)]
pub struct Subscription {
    bus: Bus,
    stream: String,
    filters: Vec<String>,
    /// Beyond this position no event may have left the stream, whether a filter shows it or not.
    whole_after: Option<u64>,
    position: u64,
    feed: Option<Feed>,
    backoff: Backoff,
    troubled: bool,
}

#[derive(Debug, Deserialize)]
struct Created {
    name: String,
    #[serde(default)]
    num_pending: u64,
}

impl Subscription {
    /// Reads `stream` from the event after `after`. With `filters`, subjects such as
    /// `emall.ordering.order.*`, it hands out only what they match, still in order.
    ///
    /// Waits until the bus answers and the stream is there: drop the future to give up.
    ///
    /// # Errors
    /// The event that is to come next has left the stream, or the request is impossible.
    pub async fn open(
        bus: &Bus,
        stream: &str,
        after: u64,
        filters: &[String],
    ) -> Result<Self, SubscriptionError> {
        let mut subscription = Self::new(bus, stream, after, filters);
        while subscription.feed.is_none() {
            match subscription.make_feed().await {
                Ok(feed) => subscription.feed = Some(feed),
                Err(trouble) => subscription.wait_out(trouble).await?,
            }
        }
        Ok(subscription)
    }

    fn new(bus: &Bus, stream: &str, after: u64, filters: &[String]) -> Self {
        Self {
            bus: bus.clone(),
            stream: stream.to_owned(),
            filters: filters.to_vec(),
            whole_after: None,
            position: after,
            feed: None,
            backoff: Backoff::new(Duration::from_millis(50), Duration::from_secs(2)),
            troubled: false,
        }
    }

    /// As [`Subscription::open`], but asks nobody yet, and will not pass over events that have left
    /// the stream, whatever the filters.
    pub(super) fn of_all(bus: &Bus, stream: &str, after: u64, filters: &[String]) -> Self {
        Self { whole_after: Some(after), ..Self::new(bus, stream, after, filters) }
    }

    /// Position of the last event handed out or passed over: where to go on.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The next event; waits for it, through whatever may pass. Dropping the future loses nothing.
    ///
    /// # Errors
    /// The next event has left the stream, or is unreadable; asking again gives the same answer.
    pub async fn next(&mut self) -> Result<Incoming, SubscriptionError> {
        loop {
            if let Some(event) = self.step().await? {
                return Ok(event);
            }
        }
    }

    /// The next event, or `None` when something else has come to pass.
    pub(super) async fn step(&mut self) -> Result<Option<Incoming>, SubscriptionError> {
        let taken = match self.feed.as_mut() {
            Some(feed) => match feed.receive(&self.bus).await {
                Ok(Some(message)) => self.accept(&message),
                Ok(None) => Ok(None),
                Err(trouble) => Err(trouble),
            },
            None => self.make_feed().await.map(|feed| {
                self.feed = Some(feed);
                None
            }),
        };
        match taken {
            Ok(Some(event)) => {
                self.backoff.reset();
                if std::mem::take(&mut self.troubled) {
                    tracing::info!(stream = self.stream, at = self.position, "reading again");
                }
                Ok(Some(event))
            }
            Ok(None) => Ok(None),
            Err(trouble) => self.wait_out(trouble).await.map(|()| None),
        }
    }

    /// Reads no more: the server need not keep the consumer until it notices.
    pub(super) async fn end(&mut self) {
        if let Some(feed) = self.feed.take() {
            feed.end(&self.bus).await;
        }
    }

    /// Whether the server seems to have nothing more for now.
    pub(super) fn seems_drained(&self) -> bool {
        self.feed.as_ref().is_some_and(|feed| feed.seems_drained)
    }

    /// Passes over the event that [`Subscription::next`] calls unreadable, for readers that would
    /// rather miss one than stop.
    pub fn pass_over(&mut self) {
        self.position += 1;
        self.feed = None;
    }

    /// Waits out a doubt; hands on what no wait helps.
    pub(super) async fn wait_out(&mut self, trouble: Trouble) -> Result<(), SubscriptionError> {
        self.feed = None;
        match trouble {
            Trouble::Failed(error) => Err(error),
            Trouble::Doubt(doubt) => {
                // Once per trouble: a bus that is down for an hour is one line.
                if std::mem::replace(&mut self.troubled, true) {
                    tracing::debug!(stream = self.stream, %doubt, "still not reading");
                } else {
                    tracing::info!(
                        stream = self.stream,
                        after = self.position,
                        doubt = &doubt as &dyn std::error::Error,
                        "making the consumer anew"
                    );
                }
                self.backoff.wait().await;
                Ok(())
            }
        }
    }

    /// A consumer that begins after the position.
    async fn make_feed(&self) -> Result<Feed, Trouble> {
        let link = self.bus.up().await;
        let state = self.bus.stream_state(&self.stream).await.map_err(Doubt::Api)?;
        let state = state.ok_or_else(|| Doubt::Ended("the stream is not there".to_owned()))?;
        self.check_whole(state)?;
        let mut config = json!({
            "deliver_policy": "by_start_sequence",
            "opt_start_seq": self.position + 1,
            "ack_policy": "none",
            "max_deliver": 1,
            "replay_policy": "instant",
            "mem_storage": true,
            "num_replicas": 1,
            // The server removes it when nobody has asked it for so long.
            "inactive_threshold": 60_000_000_000_u64,
        });
        if !self.filters.is_empty() {
            config["filter_subjects"] = json!(self.filters);
        }
        let request = json!({ "stream_name": self.stream, "config": config });
        let created: Created = self
            .bus
            .ask(&format!("CONSUMER.CREATE.{}", self.stream), &request)
            .await
            .map_err(|source| self.unmade(source))?;
        let inbox = self.bus.client().new_inbox();
        let messages =
            self.bus.client().subscribe(inbox.clone()).await.map_err(|_| Doubt::Connection)?;
        let consumer = format!("{}.{}", self.stream, created.name);
        Ok(Feed::new(link, consumer, inbox, messages, created.num_pending))
    }

    /// Whether the stream still holds what is to be read.
    pub(super) fn check_whole(&self, state: StreamState) -> Result<(), Trouble> {
        let after = if self.filters.is_empty() { Some(self.position) } else { self.whole_after };
        match after {
            Some(after) if state.first > after + 1 => {
                let (stream, wanted, first) = (self.stream.clone(), after + 1, state.first);
                Err(Trouble::Failed(SubscriptionError::Retired { stream, wanted, first }))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn unmade(&self, source: ApiError) -> Trouble {
        // Filters that are empty, overlap, or are no subjects; everything else may pass.
        const HOPELESS: [u64; 5] = [10093, 10136, 10137, 10138, 10139];
        const INVALID: u64 = 10052;
        let is_hopeless = HOPELESS.iter().any(|code| source.is(*code))
            || (source.is(INVALID) && !self.filters.is_empty());
        if is_hopeless {
            let stream = self.stream.clone();
            return Trouble::Failed(SubscriptionError::Impossible { stream, source });
        }
        Doubt::Api(source).into()
    }

    /// Checks that the message is the next one. `None` when it has been handed out before.
    fn accept(&mut self, message: &async_nats::Message) -> Result<Option<Incoming>, Trouble> {
        let place = message.reply.as_deref().and_then(Place::parse).ok_or(Doubt::Gap)?;
        if let Some(feed) = &mut self.feed {
            feed.count(&place)?;
        }
        if place.sequence <= self.position {
            // A stream that is being filled again begins with what has been read before.
            return Ok(None);
        }
        if self.filters.is_empty() && place.sequence != self.position + 1 {
            return Err(Doubt::Gap.into());
        }
        let position = place.sequence;
        let unreadable = |source| {
            let stream = self.stream.clone();
            Trouble::Failed(SubscriptionError::Unreadable { stream, position, source })
        };
        let event = Incoming::parse(message).map_err(unreadable)?;
        if event.position != position {
            return Err(unreadable(NotAnEvent { header: "emall-position" }));
        }
        self.position = position;
        Ok(Some(event))
    }
}
