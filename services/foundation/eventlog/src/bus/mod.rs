//! To and from the other services, over NATS JetStream.
//!
//! ```text
//!  our log ──relay──▶ our stream ══▶ subscription ──reaction──▶ their log
//! ```
//!
//! Where to look:
//! - [`Bus`]: the connection; [`StreamOptions`]: what a stream must be like;
//! - [`relay`]: a log onto its stream; [`Incoming`]: an event that came over the bus;
//! - [`Subscription`]: reads a stream; [`Reaction`] and [`react`]: acts on what it reads;
//! - [`Bus::read_stream`], [`Replay`]: reads a stretch of a stream, and ends;
//! - [`serve_horizon`] and [`Bus::ask_horizon`]: until when a service's events are all recorded;
//! - [`server`]: a nats-server as a child process.
//!
//! The invariants:
//! - the sequence on the stream is the position in the log;
//! - only the relay publishes events, and it keeps no state;
//! - nothing that the server holds is needed: a stream is filled again from its log, a reader goes
//!   on from its own cursor.

mod backoff;
mod compare;
mod connection;
mod horizon;
mod message;
mod metrics;
mod reaction;
mod relay;
mod replay;
pub mod server;
mod stream;
mod subscription;

pub use compare::{CompareError, Comparison, compare};
pub use connection::{ApiError, Bus, BusOptions, ConnectError, Login};
pub use horizon::{AskError, serve_horizon};
pub use message::{Incoming, NotAnEvent, filter_by_id};
pub use reaction::{
    ReactError, Reacting, Reaction, ReactionError, Retried, RetryError, react, reaction_source,
    retry_parked,
};
pub use relay::{Relay, RelayError, relay};
pub use replay::Replay;
pub use stream::{Fault, StreamError, StreamOptions, StreamState};
pub use subscription::{Subscription, SubscriptionError};
