//! The watch on a real bus: several sources, outages, restarts, clocks that jump.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking; its helpers too"
)]
#![allow(clippy::wildcard_enum_match_arm, reason = "a test looks at a few events of many")]

mod histories;
mod model;
mod scene;
mod sources;
mod world;
