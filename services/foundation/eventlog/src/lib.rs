//! The event log: what happened, in order, on SQLite or PostgreSQL.
//!
//! ```text
//! transact ─┐
//! stage    ─┼─▶ writer ──one transaction per batch──▶ ids · events · rows · row_keys · cursors
//! project  ─┘      │
//!                  └─▶ tail ──▶ followers, the relay to the bus
//! ```
//!
//! Where to look:
//! - [`Log`], [`LogOptions`]: open, read, write; [`Recorded`]: what an aggregate says about itself;
//! - [`Commit`] and the writer: the one write path; [`Stage`]: several aggregates in one commit;
//!   [`Horizon`]: until when the log is certainly complete;
//! - [`Follower`]: every event once, in order; [`Listing`]: pages over look-up keys;
//! - [`Projection`], [`Kinds`], [`rebuild`], [`verify`]: rows that are computed from the log;
//! - [`Vault`]: personal data that can be forgotten; [`bus`]: to and from the other services.
//!
//! The invariants:
//! - positions run from 1 without gaps, and their order is the order of commits;
//! - what was acknowledged is on disk, whole; what was not is there whole, or not at all;
//! - `recorded_at` never goes back, nor behind what a [`Horizon`] has told;
//! - a row is the fold of its stream, byte for byte;
//! - all SQL of the product is under `engine`; values are bound, never pasted into it.

mod aggregate;
pub mod bus;
mod cache;
mod clock;
mod commit;
mod engine;
mod error;
mod follow;
mod job;
mod kinds;
mod listing;
mod loader;
mod log;
mod metrics;
mod names;
mod parked;
mod plan;
mod projection;
mod rebuild;
mod stage;
pub mod time;
mod transact;
mod vault;
mod verify;
mod writer;

pub use aggregate::{Context, Key, Loaded, Outcome, Recorded, Transacted, stream_name};
pub use clock::{Clock, ManualClock, SystemClock};
pub use commit::{Commit, Committed, Horizon, NewEvent, Parked, RowWrite};
pub use contracts::common::{EventMetadata, RecordedEvent};
pub use engine::check_url;
pub use error::{CommitError, LogError, OpenError, TransactError};
pub use follow::Follower;
pub use kinds::Kinds;
pub use listing::{Listing, Order, Page, StoredRow};
pub use log::{Log, LogOptions};
pub use projection::{Projection, projection_source};
pub use rebuild::{RebuildError, RebuildReport, rebuild};
pub use stage::{Stage, Staged};
pub use transact::ATTEMPTS;
pub use vault::{Opened, Vault, VaultError};
pub use verify::{Difference, Report, VerifyError, verify};

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks; a panic elsewhere does not make these small critical sections wrong.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
