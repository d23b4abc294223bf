//! Every promise about time, watched.
//!
//! [`run`] is the table of contents: the log, its relay, the watch, the projection, the gRPC services.
//! What is promised is data ([`policy`], [`rules`]); when time counts is in [`calendar`]; what the
//! facts about one promise amount to in [`timeline`]; what is said about it in [`clock`]; how events
//! of other services come in, in [`hear`] and [`monitor`].

use std::sync::Arc;

use chassis::{BoxError, Host};
use eventlog::{
    Kinds, Log, LogOptions,
    bus::{Bus, StreamOptions, relay, serve_horizon},
};

pub mod bindings;
pub mod calendar;
pub mod calendars;
pub mod clock;
pub mod clock_row;
pub mod compliance;
pub mod config;
pub mod csv;
pub mod duty;
pub mod explain;
pub mod first;
pub mod grpc;
pub mod hear;
pub mod ledger;
pub mod monitor;
pub mod policy;
pub mod profile;
pub mod publishing;
pub mod replay;
pub mod restate;
pub mod rules;
pub mod timeline;
pub mod written;

pub use config::Config;

/// Name of the service, and of its section in the configuration.
pub const NAME: &str = "sla-monitor";

/// Name of its log, its stream and its context.
pub const CONTEXT: &str = "sla";

/// What the log holds: for rebuild and verify.
#[must_use]
pub fn kinds() -> Kinds {
    Kinds::new()
        .aggregate::<clock::Clock>()
        .aggregate::<profile::ProfileSeries>()
        .aggregate::<bindings::Bindings>()
        .aggregate::<calendars::CalendarSeries>()
        .aggregate::<calendars::Holidays>()
        .projection::<compliance::Compliance>()
}

/// How the service opens its log.
#[must_use]
pub fn log_options(config: &Config) -> LogOptions {
    LogOptions {
        cache_capacity: config.cache_capacity,
        ..LogOptions::new(CONTEXT, config.database.as_str())
    }
}

/// Runs the service until its process ends.
///
/// # Errors
/// The log or the bus cannot be used, a profile of the first start is wrong, or the address is taken.
pub async fn run(config: Config, host: Host) -> Result<(), BoxError> {
    let log = Log::open(log_options(&config).with_clock(host.clock.clone())).await?;
    let bus = Bus::connect(host.settings.bus.options(CONTEXT)).await?;
    let stream =
        StreamOptions { replicas: host.settings.bus.replicas, ..StreamOptions::of(CONTEXT) };
    first::publish(&log, &config, host.clock.now()).await?;
    let book = rules::RuleBook::open(log.clone()).await?;

    host.spawn("relay", relay(log.clone(), bus.clone(), stream, host.shutdown.clone()));
    host.spawn("horizon", serve_horizon(log.clone(), bus.clone(), host.shutdown.clone()));
    host.project::<compliance::Compliance>("compliance", &log);
    host.spawn("rules", keep_up(book.clone(), host.shutdown.clone()));
    let monitor = monitor::Monitor {
        log: log.clone(),
        bus: bus.clone(),
        book: book.clone(),
        config: Arc::new(config),
        clock: host.clock.clone(),
    };
    host.spawn("watch", monitor::watch(monitor, host.shutdown.clone()));

    host.serve(grpc::services(&log, &bus, &book, &host)).await?;
    host.shutdown.cancelled().await;
    log.close().await;
    Ok(())
}

async fn keep_up(
    book: rules::RuleBook,
    shutdown: tokio_util::sync::CancellationToken,
) -> Result<(), eventlog::LogError> {
    shutdown.run_until_cancelled(book.keep_up()).await.unwrap_or(Ok(()))
}
