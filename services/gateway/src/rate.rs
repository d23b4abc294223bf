//! A token bucket without a lock: the generic cell rate algorithm. One number says when the bucket
//! would be full again.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::time::Instant;

use crate::config;

/// One bucket.
#[derive(Debug)]
pub(crate) struct Bucket {
    start: Instant,
    /// Nanoseconds that one call takes out.
    cost: u64,
    /// Nanoseconds that fit in.
    room: u64,
    /// When the bucket is full again, in nanoseconds since the start.
    full_at: AtomicU64,
}

impl Bucket {
    pub(crate) fn new(rate: config::Rate) -> Self {
        let cost = (1_000_000_000 / u64::from(rate.per_second.max(1))).max(1);
        let room = cost * u64::from(rate.burst.max(1));
        Self { start: Instant::now(), cost, room, full_at: AtomicU64::new(0) }
    }

    /// Takes one call out, or says how long to wait for it.
    pub(crate) fn take(&self) -> Result<(), Duration> {
        let now = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX / 2);
        let taken = self.full_at.fetch_update(Ordering::AcqRel, Ordering::Acquire, |full_at| {
            let next = full_at.max(now) + self.cost;
            (next - now <= self.room).then_some(next)
        });
        taken.map(|_| ()).map_err(|full_at| {
            Duration::from_nanos((full_at + self.cost).saturating_sub(now + self.room))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_burst_passes_at_once_and_then_the_rate_holds() {
        let bucket = Bucket::new(config::Rate { per_second: 10, burst: 3 });
        for _ in 0..3 {
            assert_eq!(bucket.take(), Ok(()));
        }
        assert_eq!(bucket.take(), Err(Duration::from_millis(100)));
        tokio::time::advance(Duration::from_millis(60)).await;
        assert_eq!(bucket.take(), Err(Duration::from_millis(40)));
        tokio::time::advance(Duration::from_millis(40)).await;
        assert_eq!(bucket.take(), Ok(()));
        assert!(bucket.take().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_long_pause_fills_the_bucket_and_no_more() {
        let bucket = Bucket::new(config::Rate { per_second: 10, burst: 3 });
        tokio::time::advance(Duration::from_secs(3600)).await;
        let passed = (0..10).filter(|_| bucket.take().is_ok()).count();
        assert_eq!(passed, 3);
    }
}
