//! What every service process stands on: configuration, telemetry, gRPC, identity, supervision.
//!
//! ```text
//! main ─▶ config ─▶ telemetry ─▶ Process ─▶ run(config, Host) ─▶ signal ─▶ drain ─▶ exit code
//!                                             │
//!                       spawn(task) · part(readiness) · serve(Services)
//!
//! call ─▶ rpc ─▶ handler: Fields ─▶ Desk ─▶ the aggregate decides ─▶ reply, Refusal or Violations
//! ```
//!
//! Where to look:
//! - the process: [`main`], [`Process`], [`Host`]; [`config`], [`settings`]; [`Readiness`];
//!   [`ScaledClock`], with which time runs fast for a demonstration;
//! - around a call: [`rpc`], [`identity`], [`trace`], [`errors`];
//! - inside a handler: [`parse`] and [`reading`] for what comes in, [`desk`] for whose record it is
//!   and how a command or a listing is run; [`personal`] for data about people;
//! - for aggregates and their rows: [`When`], [`repeat`]; [`facets`], the keys of listings with
//!   several filters;
//! - for reports: [`days`], and [`csv`] for what is handed on as a file;
//! - for tests of handlers: [`testing`].
//!
//! The invariant: nothing here knows any business. A service hands in its section of the
//! configuration, its tasks and its gRPC services; its aggregates say whose they are.

mod admin;
mod clock;
pub mod config;
pub mod csv;
pub mod days;
pub mod desk;
pub mod errors;
pub mod facets;
mod host;
pub mod identity;
mod listen;
pub mod parse;
pub mod personal;
mod process;
mod readiness;
pub mod reading;
mod registry;
pub mod repeat;
pub mod rpc;
mod run;
mod secret;
mod services;
pub mod settings;
mod telemetry;
pub mod testing;
pub mod trace;
mod when;

/// Orders are many small strings on their way between a few threads; glibc's allocator spends a
/// quarter of a push on them, this one next to nothing.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub use clock::{SPEEDS, ScaledClock};
pub use config::{ConfigError, Section, Sources};
pub use desk::{Desk, Owned};
pub use errors::Refusal;
pub use host::{Host, ServeError};
pub use identity::{Call, Caller};
pub use listen::{ListenError, Listener};
pub use parse::{Fields, Violations};
pub use personal::Personal;
pub use process::{BoxError, Fault, Process};
pub use readiness::{Part, Readiness};
pub use registry::{Backend, Registry, Slot};
pub use run::{EXIT_CONFIG, EXIT_FAULT, log_panics, main, stop_signal};
pub use secret::{Secret, without_password};
pub use services::Services;
pub use settings::Settings;
pub use telemetry::TelemetryHandle;
pub use when::When;
