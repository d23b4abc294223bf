//! What the end-to-end tests and benchmarks stand on: the product as a user starts it, and orders
//! as a platform pushes them.
//!
//! Nothing here reaches into the product: it is started as processes and spoken to over gRPC and
//! the bus.

#![allow(clippy::expect_used, clippy::panic, reason = "a harness for tests: a failure is a panic")]

pub mod life;
pub mod load;
pub mod orders;
pub mod parts;
pub mod postgres;
pub mod program;
pub mod stack;

use std::{future::Future, time::Duration};

use tokio::time::{Instant, sleep};

/// Waits until a condition holds.
///
/// # Panics
/// It does not hold in time; the panic names it.
pub async fn eventually<F: Future<Output = bool>>(
    what: &str,
    within: Duration,
    mut holds: impl FnMut() -> F,
) {
    let end = Instant::now() + within;
    while !holds().await {
        assert!(Instant::now() < end, "{what}: not within {within:?}");
        sleep(Duration::from_millis(20)).await;
    }
}
