//! The end of the log: recent events in memory, and followers that see every event once, in order.
//!
//! Invariant: a follower hands out position *p* only after *p − 1*. It reads the ring or the
//! database, and both hold a gap-free run; what tells it that there is more (a local commit, or the
//! poll for other processes) is only a hint and carries no events.

use std::collections::VecDeque;
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};
use std::time::Duration;

use contracts::common::RecordedEvent;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{LogError, engine::Engine, lock};

/// Most bytes of event bodies that the ring keeps.
const RING_BYTES: usize = 64 << 20;

/// Most events in one batch of a follower.
const BATCH: usize = 1_024;

/// What is known of the end of the log.
pub(crate) struct Tail {
    ring: Mutex<Ring>,
    last: watch::Sender<u64>,
    waiting: AtomicUsize,
    poll_interval: Duration,
    closed: CancellationToken,
}

struct Ring {
    /// Contiguous positions.
    events: VecDeque<Arc<RecordedEvent>>,
    bytes: usize,
    capacity: usize,
}

impl Ring {
    fn push(&mut self, event: Arc<RecordedEvent>) {
        if self.events.back().is_some_and(|last| last.position + 1 != event.position) {
            // another process wrote in between: what is here no longer reaches the end
            self.events.clear();
            self.bytes = 0;
        }
        self.bytes += event.body.len();
        self.events.push_back(event);
        while self.events.len() > self.capacity || self.bytes > RING_BYTES {
            let Some(oldest) = self.events.pop_front() else { break };
            self.bytes -= oldest.body.len();
        }
    }

    fn read_after(&self, position: u64, limit: usize) -> Option<Vec<Arc<RecordedEvent>>> {
        let (first, last) = (self.events.front()?.position, self.events.back()?.position);
        if position + 1 < first || position >= last {
            return None;
        }
        let skip = usize::try_from(position + 1 - first).ok()?;
        Some(self.events.range(skip..).take(limit).cloned().collect())
    }
}

impl Tail {
    pub(crate) fn new(last: u64, capacity: usize, poll_interval: Duration) -> Self {
        Self {
            ring: Mutex::new(Ring { events: VecDeque::new(), bytes: 0, capacity }),
            last: watch::Sender::new(last),
            waiting: AtomicUsize::new(0),
            poll_interval,
            closed: CancellationToken::new(),
        }
    }

    /// Takes in what this process has committed.
    pub(crate) fn append(&self, events: impl IntoIterator<Item = Arc<RecordedEvent>>, last: u64) {
        {
            let mut ring = lock(&self.ring);
            for event in events {
                ring.push(event);
            }
        }
        self.advance(last);
    }

    /// The log reaches at least to this position.
    pub(crate) fn last(&self) -> u64 {
        *self.last.borrow()
    }

    /// Learns that the log reaches this position.
    pub(crate) fn advance(&self, last: u64) {
        self.last.send_if_modified(|known| {
            let news = last > *known;
            *known = last.max(*known);
            news
        });
    }

    pub(crate) fn close(&self) {
        self.closed.cancel();
    }

    /// From memory where possible.
    pub(crate) async fn read_after(
        &self,
        engine: &Engine,
        position: u64,
        limit: usize,
    ) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        let recent = lock(&self.ring).read_after(position, limit);
        match recent {
            Some(events) => Ok(events),
            None => engine.read_after(position, limit).await,
        }
    }

    /// Looks for commits of other processes for as long as somebody waits for news.
    pub(crate) fn poll_others(self: &Arc<Self>, engine: Engine) {
        let tail = Arc::clone(self);
        self.until_closed(async move {
            loop {
                tokio::time::sleep(tail.poll_interval).await;
                if tail.waiting.load(Ordering::Relaxed) == 0 {
                    continue;
                }
                match engine.last_position().await {
                    Ok(last) => tail.advance(last),
                    Err(error) => {
                        tracing::debug!(error = &error as &dyn std::error::Error, "poll failed");
                    }
                }
            }
        });
    }

    /// Runs a task that ends with the log.
    pub(crate) fn until_closed(&self, task: impl Future<Output = ()> + Send + 'static) {
        let closed = self.closed.clone();
        tokio::spawn(async move { closed.run_until_cancelled(task).await });
    }
}

/// Counts those who wait, so that nobody polls for nobody.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Reads the log from a position on, and waits at its end.
pub struct Follower {
    tail: Arc<Tail>,
    engine: Engine,
    news: watch::Receiver<u64>,
    position: u64,
}

impl Follower {
    pub(crate) fn new(tail: Arc<Tail>, engine: Engine, after: u64) -> Self {
        let news = tail.last.subscribe();
        Self { tail, engine, news, position: after }
    }

    /// Position of the last event handed out.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The next events, at least one; waits until there are some. Dropping the future loses
    /// nothing.
    ///
    /// # Errors
    /// The log was closed, the database fails, or an event is missing.
    pub async fn next_batch(&mut self) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        let closed = self.tail.closed.clone();
        closed.run_until_cancelled(self.wait()).await.unwrap_or(Err(LogError::Closed))
    }

    async fn wait(&mut self) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        loop {
            let last = *self.news.borrow_and_update();
            if last > self.position {
                let batch = self.tail.read_after(&self.engine, self.position, BATCH).await?;
                if let Some(end) = batch.last() {
                    contiguous(self.position, &batch)?;
                    self.position = end.position;
                    return Ok(batch);
                }
                // the hint was ahead of what can be read: look again soon
                tokio::time::sleep(self.tail.poll_interval).await;
                continue;
            }
            let _waiting = Waiting::new(&self.tail.waiting);
            self.news.changed().await.map_err(|_| LogError::Closed)?;
        }
    }
}

fn contiguous(after: u64, batch: &[Arc<RecordedEvent>]) -> Result<(), LogError> {
    for (expected, event) in (after + 1..).zip(batch) {
        if event.position != expected {
            return Err(LogError::Gap {
                what: "the log".to_owned(),
                expected,
                found: event.position,
            });
        }
    }
    Ok(())
}
