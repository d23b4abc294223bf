//! A consumer on the server, and what it sends.

use std::time::Duration;

use async_nats::{Message, StatusCode, Subscriber};
use futures::StreamExt as _;
use serde_json::json;
use tokio::time::{Instant, sleep_until};

use super::{Doubt, Trouble};
use crate::bus::connection::{Bus, Link};

/// Messages asked for at a time; half as many again may be on their way.
const BATCH: u64 = 256;
/// How long the server keeps a request open.
const EXPIRES: Duration = Duration::from_secs(30);
/// How often the server says that it is there when it has no message.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long a silence may be.
const SILENCE: Duration = Duration::from_millis(2_500);

#[derive(Debug)]
pub(super) struct Feed {
    link: Link,
    /// `<stream>.<consumer>`, as subjects of the API end.
    consumer: String,
    inbox: String,
    messages: Subscriber,
    /// Messages asked for that have not come.
    owed: u64,
    /// The consumer's own count of what it has delivered.
    delivered: u64,
    /// When the server was last heard of, or was last asked.
    heard: Instant,
    /// Whether the server has said, or shown by its silence, that nothing more waits. Only a hint:
    /// where a stream has replicas, the consumer may read one that is behind.
    pub(super) seems_drained: bool,
}

impl Feed {
    pub(super) fn new(
        link: Link,
        consumer: String,
        inbox: String,
        messages: Subscriber,
        pending: u64,
    ) -> Self {
        Self {
            link,
            consumer,
            inbox,
            messages,
            owed: 0,
            delivered: 0,
            heard: Instant::now(),
            seems_drained: pending == 0,
        }
    }

    /// The next message; `None` for one that only concerns the feed itself.
    pub(super) async fn receive(&mut self, bus: &Bus) -> Result<Option<Message>, Trouble> {
        if self.owed <= BATCH / 2 {
            self.pull(bus).await?;
        }
        let message = tokio::select! {
            biased;
            () = bus.changed_from(self.link) => return Err(Doubt::Connection.into()),
            message = self.messages.next() => message.ok_or(Doubt::Connection)?,
            () = sleep_until(self.heard + SILENCE) => return Err(Doubt::Silent.into()),
        };
        self.heard = Instant::now();
        match message.status {
            None => {
                self.owed = self.owed.saturating_sub(1);
                Ok(Some(message))
            }
            Some(StatusCode::IDLE_HEARTBEAT) => {
                self.seems_drained = true;
                Ok(None)
            }
            // The request has ended: by its time, or because there was nothing to wait for.
            Some(StatusCode::TIMEOUT | StatusCode::NOT_FOUND) => {
                self.owed = self.owed.saturating_sub(unsent(&message));
                Ok(None)
            }
            Some(status) => {
                let why = message.description.unwrap_or_default();
                Err(Doubt::Ended(format!("{status} {why}")).into())
            }
        }
    }

    async fn pull(&mut self, bus: &Bus) -> Result<(), Trouble> {
        let request = json!({
            "batch": BATCH,
            "expires": u64::try_from(EXPIRES.as_nanos()).unwrap_or(u64::MAX),
            "idle_heartbeat": u64::try_from(HEARTBEAT.as_nanos()).unwrap_or(u64::MAX),
        });
        let subject = format!("$JS.API.CONSUMER.MSG.NEXT.{}", self.consumer);
        bus.client()
            .publish_with_reply(subject, self.inbox.clone(), request.to_string().into())
            .await
            .map_err(|_| Doubt::Connection)?;
        self.owed += BATCH;
        self.heard = Instant::now();
        Ok(())
    }

    /// Takes the consumer away, if the server hears of it: else it goes by itself.
    pub(super) async fn end(self, bus: &Bus) {
        let subject = format!("$JS.API.CONSUMER.DELETE.{}", self.consumer);
        let _ = bus.client().publish(subject, bytes::Bytes::new()).await;
    }

    /// Checks that no message of the consumer is missing before this one.
    pub(super) fn count(&mut self, place: &Place) -> Result<(), Doubt> {
        if place.delivered != self.delivered + 1 {
            return Err(Doubt::Gap);
        }
        self.delivered = place.delivered;
        self.seems_drained = place.pending == 0;
        Ok(())
    }
}

/// How many messages of a request will not come any more.
fn unsent(message: &Message) -> u64 {
    message
        .headers
        .as_ref()
        .and_then(|headers| headers.get("Nats-Pending-Messages"))
        .and_then(|count| count.as_str().parse().ok())
        .unwrap_or(BATCH)
}

/// Where a message stands, as its reply subject tells.
pub(super) struct Place {
    pub(super) sequence: u64,
    delivered: u64,
    /// How many more the consumer has.
    pending: u64,
}

impl Place {
    /// `$JS.ACK.<stream>.<consumer>.<tries>.<sequence>.<delivered>.<time>.<pending>`, with the
    /// domain and the account's hash after `ACK` where servers add them.
    pub(super) fn parse(reply: &str) -> Option<Self> {
        let tokens: Vec<&str> = reply.split('.').collect();
        let at = match tokens.len() {
            9 => 5,
            11.. => 7,
            _ => return None,
        };
        if tokens.first() != Some(&"$JS") || tokens.get(1) != Some(&"ACK") {
            return None;
        }
        let number = |at: usize| tokens.get(at)?.parse().ok();
        Some(Self { sequence: number(at)?, delivered: number(at + 1)?, pending: number(at + 3)? })
    }
}
