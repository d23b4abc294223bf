//! One session of the relay: from one look at the stream to the next doubt.

use std::{
    collections::VecDeque,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_nats::{PublishErrorKind, Subscriber, header::NATS_EXPECTED_LAST_SEQUENCE};
use contracts::common::RecordedEvent;
use futures::{FutureExt as _, StreamExt as _, stream};
use serde::Deserialize;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::{Doubt, End, Relay};
use crate::{
    LogError,
    bus::{
        connection::{ApiError, refused},
        message,
        metrics::RelayMetrics,
    },
};

const WRONG_LAST_SEQUENCE: u64 = 10071;
/// Of so many events one is answered by the server, besides the first of a session, whose answer
/// tells what the server has against it, and the last one before a pause. An answer costs server and
/// relay about as much as an event.
const ANSWERED: u64 = 16;
/// Events read ahead of what is published.
const ENOUGH: usize = 512;

/// From one look at the stream to the next doubt.
pub(super) struct Session<'a> {
    pub(super) relay: &'a Relay,
    /// Last position that is known to be on the stream.
    pub(super) published: &'a AtomicU64,
    pub(super) metrics: &'a RelayMetrics,
    pub(super) shutdown: &'a CancellationToken,
}

/// What is on its way to the stream.
struct Flight {
    inbox: String,
    acks: Subscriber,
    /// Last position published.
    sent: u64,
    /// Last position acknowledged.
    acked: u64,
    /// When the stream was last heard of while something was in flight.
    heard: Instant,
}

impl Flight {
    fn is_empty(&self) -> bool {
        self.sent == self.acked
    }
}

impl Session<'_> {
    /// Publishes until something is in doubt.
    pub(super) async fn run(&self) -> End {
        let link = tokio::select! {
            () = self.shutdown.cancelled() => return End::Shutdown,
            link = self.relay.bus.up() => link,
        };
        let mut broken = pin!(self.relay.bus.changed_from(link));
        let begun = tokio::select! {
            () = self.shutdown.cancelled() => return End::Shutdown,
            () = &mut broken => return Doubt::Disconnected.into(),
            begun = self.begin() => begun,
        };
        let ended = match begun {
            Ok(mut flight) => self.publish_all(&mut flight, broken.as_mut()).await,
            Err(end) => Err(end),
        };
        match ended {
            Ok(()) => End::Shutdown,
            Err(end) => end,
        }
    }

    async fn begin(&self) -> Result<Flight, End> {
        let client = self.relay.bus.client();
        let last = self.relay.verified_last().await?;
        self.published.store(last, Ordering::Relaxed);
        // A new inbox for each session: what the last one still hears concerns nobody.
        let inbox = client.new_inbox();
        let acks = client.subscribe(format!("{inbox}.*")).await.map_err(|_| Doubt::Disconnected)?;
        tracing::debug!(stream = self.relay.stream.name, after = last, "publishing");
        Ok(Flight { inbox, acks, sent: last, acked: last, heard: Instant::now() })
    }

    async fn publish_all<B: Future<Output = ()>>(
        &self,
        flight: &mut Flight,
        mut broken: Pin<&mut B>,
    ) -> Result<(), End> {
        let relay = self.relay;
        let begins = flight.sent + 1;
        let mut queue: VecDeque<Arc<RecordedEvent>> = VecDeque::new();
        // As a stream, a read of the log goes on while acknowledgements come in between.
        let mut batches =
            pin!(stream::unfold(relay.log.follow(flight.sent), |mut follower| async {
                Some((follower.next_batch().await, follower))
            }));
        let mut idle =
            tokio::time::interval_at(Instant::now() + relay.idle_check, relay.idle_check);
        idle.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            while flight.sent - flight.acked < relay.window
                && let Some(event) = queue.pop_front()
            {
                // The last one before a pause is always answered: so an empty flight is one that is
                // wholly acknowledged.
                let pauses = queue.is_empty() || event.position - flight.acked == relay.window;
                let is_first = event.position == begins;
                let answered = is_first || pauses || event.position.is_multiple_of(ANSWERED);
                tokio::select! {
                    biased;
                    published = self.publish(flight, &event, answered) => published?,
                    () = &mut broken => return Err(Doubt::Disconnected.into()),
                }
            }
            tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return self.drain(flight, broken).await,
                () = &mut broken => return Err(Doubt::Disconnected.into()),
                ack = flight.acks.next() => self.hear_all(flight, ack)?,
                Some(batch) = batches.next(), if queue.len() < ENOUGH => queue.extend(batch?),
                () = tokio::time::sleep_until(flight.heard + relay.ack_timeout),
                    if !flight.is_empty() => return Err(Doubt::Silent.into()),
                _ = idle.tick(), if flight.is_empty() && queue.is_empty() => {
                    self.look_around(flight.sent).await?;
                }
            }
        }
    }

    /// What is published gets its acknowledgement, if that comes soon.
    async fn drain<B: Future<Output = ()>>(
        &self,
        flight: &mut Flight,
        mut broken: Pin<&mut B>,
    ) -> Result<(), End> {
        let until = Instant::now() + self.relay.grace;
        while !flight.is_empty() {
            tokio::select! {
                () = &mut broken => break,
                () = tokio::time::sleep_until(until) => break,
                ack = flight.acks.next() => self.hear_all(flight, ack)?,
            }
        }
        Ok(())
    }

    /// An event that is not answered is vouched for by the next one that is: the server takes that
    /// only if it has this one.
    async fn publish(
        &self,
        flight: &mut Flight,
        event: &RecordedEvent,
        answered: bool,
    ) -> Result<(), End> {
        let stream = &self.relay.stream;
        let position = event.position;
        if position != flight.sent + 1 {
            let (expected, found) = (flight.sent + 1, position);
            return Err(LogError::Gap { what: "the log".to_owned(), expected, found }.into());
        }
        fail::fail_point!("relay::before-publish");
        let mut headers = message::headers(&stream.name, event);
        headers.insert(NATS_EXPECTED_LAST_SEQUENCE, (position - 1).to_string());
        let client = self.relay.bus.client();
        let (subject, body) =
            (message::subject(&stream.prefix, &event.stream), message::body(event));
        let sent = if answered {
            let reply = format!("{}.{position}", flight.inbox);
            client.publish_with_reply_and_headers(subject, reply, headers, body).await
        } else {
            client.publish_with_headers(subject, headers, body).await
        };
        fail::fail_point!("relay::after-publish");
        match sent.map_err(|error| error.kind()) {
            Ok(()) => {
                if flight.is_empty() {
                    flight.heard = Instant::now();
                }
                flight.sent = position;
                Ok(())
            }
            Err(PublishErrorKind::MaxPayloadExceeded) => {
                let limit = client.server_info().max_payload;
                Err(Doubt::TooLarge { position, limit }.into())
            }
            Err(PublishErrorKind::Send | PublishErrorKind::InvalidSubject) => {
                Err(Doubt::Disconnected.into())
            }
        }
    }

    /// Takes an acknowledgement and all others that have come with it.
    fn hear_all(&self, flight: &mut Flight, first: Option<async_nats::Message>) -> Result<(), End> {
        let before = flight.acked;
        let mut next = Some(first);
        let mut heard = Ok(());
        while let Some(message) = next
            && heard.is_ok()
        {
            heard = message.ok_or(Doubt::Disconnected).and_then(|ack| hear(flight, &ack));
            next = flight.acks.next().now_or_never();
        }
        if flight.acked > before {
            flight.heard = Instant::now();
            self.published.store(flight.acked, Ordering::Relaxed);
            self.metrics.published(flight.acked - before);
            fail::fail_point!("relay::after-ack");
        }
        Ok(heard?)
    }

    /// While there is nothing to publish: is the stream still there, and as it was left?
    async fn look_around(&self, sent: u64) -> Result<(), End> {
        let state = self.relay.bus.stream_state(&self.relay.stream.name).await;
        match state.map_err(Doubt::Api)? {
            None => Err(Doubt::Missing.into()),
            Some(state) if state.last != sent => Err(Doubt::OutOfStep.into()),
            Some(_) => Ok(()),
        }
    }
}

/// The server's answer to a publication.
#[derive(Deserialize)]
struct Ack {
    #[serde(default)]
    seq: u64,
    #[serde(default)]
    error: Option<serde_json::Value>,
}

fn hear(flight: &mut Flight, message: &async_nats::Message) -> Result<(), Doubt> {
    // 503: no stream takes the subject, or JetStream is not there.
    if message.status.is_some() {
        return Err(Doubt::Missing);
    }
    let position = message.subject.rsplit('.').next().and_then(|text| text.parse().ok());
    let position: u64 = position.ok_or(Doubt::Silent)?;
    let ack: Ack = serde_json::from_slice(&message.payload)
        .map_err(|error| Doubt::Api(ApiError::Unreadable(error)))?;
    match ack.error {
        Some(fault) => {
            let source = refused(&fault);
            if source.is(WRONG_LAST_SEQUENCE) {
                Err(Doubt::OutOfStep)
            } else {
                Err(Doubt::Refused { position, source })
            }
        }
        None if ack.seq == position => {
            // It speaks for all events before it.
            flight.acked = flight.acked.max(position);
            Ok(())
        }
        None => Err(Doubt::OutOfStep),
    }
}
