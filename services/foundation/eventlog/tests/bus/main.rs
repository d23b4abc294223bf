//! The bus with a real nats-server: relay, subscriptions, reactions, and what goes wrong with them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod horizon;
mod reaction;
mod relay;
mod replay;
mod server;
mod stream;
mod subscription;
mod support;
