//! Reads a stretch of a stream once, to its end: the history of an aggregate, a test on the past.
//!
//! ```text
//!                   ┌─────────── no ────────────┐
//!                   ▼                           │
//! subscription: next match ──▶ seems drained? ──▶ nothing more up to the end? ──▶ done
//!                                                 (the stream's leader is asked)
//! ```
//!
//! The invariant: it ends when the stream has reached the end of the stretch and every event of the
//! stretch that matches was handed out, each once and in order; or with an error. That it has all of
//! them is never concluded from silence or from a consumer's count. Without filters the sequences
//! show it; with filters the leader of the stream is asked for the next match, and has none.

use super::{
    Bus, Incoming, SubscriptionError,
    subscription::{Doubt, Subscription, Trouble},
};

impl Bus {
    /// Reads `stream` from the event after `after` up to the one at `until`, and hands out those
    /// that match one of `filters`, or all when there are none; tells how many that were.
    ///
    /// Waits until the stream is there and has reached `until`, through whatever may pass, also
    /// while it is filled again: drop the future to give up.
    ///
    /// # Errors
    /// An event between `after` and `until` has left the stream, whether a filter shows it or not;
    /// it is unreadable; or the request is impossible.
    pub async fn read_stream(
        &self,
        stream: &str,
        after: u64,
        until: u64,
        filters: &[String],
        mut on_event: impl FnMut(Incoming),
    ) -> Result<u64, SubscriptionError> {
        let mut replay = Replay::new(self, stream, after, until, filters);
        let mut count = 0;
        while let Some(event) = replay.next().await? {
            on_event(event);
            count += 1;
        }
        Ok(count)
    }
}

/// A reader of a stretch of one stream, as [`Bus::read_stream`], for whoever wants to take the
/// events at their own pace.
#[derive(Debug)]
pub struct Replay {
    bus: Bus,
    stream: String,
    filters: Vec<String>,
    until: u64,
    events: Subscription,
    /// Whether a match beyond the end was seen: then all before it were.
    is_passed: bool,
    is_done: bool,
}

impl Replay {
    /// Nothing is asked before the first [`Replay::next`].
    #[must_use]
    pub fn new(bus: &Bus, stream: &str, after: u64, until: u64, filters: &[String]) -> Self {
        Self {
            bus: bus.clone(),
            stream: stream.to_owned(),
            filters: filters.to_vec(),
            until,
            events: Subscription::of_all(bus, stream, after, filters),
            is_passed: false,
            is_done: after >= until,
        }
    }

    /// The next event, `None` when there is none up to the end. Dropping the future loses nothing.
    ///
    /// # Errors
    /// As [`Bus::read_stream`]; asking again gives the same answer.
    pub async fn next(&mut self) -> Result<Option<Incoming>, SubscriptionError> {
        while !self.is_done {
            let may_be_done = self.is_passed
                || self.events.position() >= self.until
                || (!self.filters.is_empty() && self.events.seems_drained());
            if may_be_done {
                match self.is_complete().await {
                    Ok(true) => {
                        self.is_done = true;
                        self.events.end().await;
                        break;
                    }
                    Ok(false) => {}
                    Err(trouble) => self.events.wait_out(trouble).await?,
                }
            }
            match self.events.step().await? {
                Some(event) if event.position <= self.until => return Ok(Some(event)),
                Some(_) => self.is_passed = true,
                None => {}
            }
        }
        Ok(None)
    }

    /// Whether everything up to the end is on the stream, and was handed out if it matches.
    async fn is_complete(&self) -> Result<bool, Trouble> {
        if self.filters.is_empty() {
            return Ok(self.events.position() >= self.until);
        }
        let state = self.bus.stream_state(&self.stream).await.map_err(Doubt::Api)?;
        let Some(state) = state else { return Ok(false) };
        self.events.check_whole(state)?;
        if state.last < self.until {
            return Ok(false);
        }
        if self.is_passed || self.events.position() >= self.until {
            return Ok(true);
        }
        let from = self.events.position() + 1;
        for filter in &self.filters {
            let next = self.bus.next_match(&self.stream, from, filter).await.map_err(Doubt::Api)?;
            if next.is_some_and(|sequence| sequence <= self.until) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
