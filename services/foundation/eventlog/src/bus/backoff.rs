//! Waiting longer after each failure, and not in step with others who failed at the same moment.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};

/// Grows from `first` to `most`, doubling, with a random quarter on top.
#[derive(Debug)]
pub(crate) struct Backoff {
    first: Duration,
    most: Duration,
    next: Duration,
}

impl Backoff {
    pub(crate) fn new(first: Duration, most: Duration) -> Self {
        Self { first, most, next: first }
    }

    /// What was wrong is over: the next failure waits the first time again.
    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }

    /// Waits; the wait of the next failure is twice as long.
    pub(crate) async fn wait(&mut self) {
        let now = self.next;
        self.next = (now * 2).min(self.most);
        tokio::time::sleep(jittered(now)).await;
    }
}

/// The duration with a random quarter on top.
pub(crate) fn jittered(duration: Duration) -> Duration {
    // A `RandomState` is keyed at random: enough to keep replicas out of step, and no dependency.
    let random = RandomState::new().hash_one(0_u8) % 1_000;
    duration + duration * u32::try_from(random).unwrap_or(0) / 4_000
}
