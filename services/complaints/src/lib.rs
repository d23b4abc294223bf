//! Complaints, from the first word to a solution that the user accepts.
//!
//! [`run`] is the table of contents: the log, its relay to the bus, the statistics, the reactions, and the
//! gRPC services. The rules are in the aggregates: [`complaint`] above all; [`standard`], [`action`] and
//! [`pattern`] are what is learned from complaints.

use std::sync::Arc;

use chassis::{BoxError, Host};
use eventlog::{
    Kinds, Log, LogOptions,
    bus::{Bus, StreamOptions, react, relay, serve_horizon},
};

pub mod action;
pub mod complaint;
pub mod complaint_row;
pub mod config;
pub mod grpc;
pub mod pattern;
pub mod reactions;
pub mod review;
pub mod sale;
pub mod standard;
pub mod statistics;
pub mod submission;
pub mod survey;

pub use config::Config;

/// Name of the service, of its log, and of its section in the configuration.
pub const NAME: &str = "complaints";

/// What the log holds: for rebuild and verify.
#[must_use]
pub fn kinds() -> Kinds {
    Kinds::new()
        .aggregate::<complaint::Complaint>()
        .aggregate::<standard::Standard>()
        .aggregate::<action::Action>()
        .aggregate::<pattern::Pattern>()
        .aggregate::<survey::Survey>()
        .aggregate::<submission::Submission>()
        .aggregate::<sale::Sale>()
        .aggregate::<sale::Account>()
        .projection::<statistics::Statistics>()
}

/// How the service opens its log.
#[must_use]
pub fn log_options(config: &Config) -> LogOptions {
    LogOptions {
        cache_capacity: config.cache_capacity,
        ..LogOptions::new(NAME, config.database.as_str())
    }
}

/// Runs the service until its process ends.
///
/// # Errors
/// The log or the bus cannot be used, or the address is taken.
pub async fn run(config: Config, host: Host) -> Result<(), BoxError> {
    let log = Log::open(log_options(&config).with_clock(host.clock.clone())).await?;
    let bus = Bus::connect(host.settings.bus.options(NAME)).await?;
    let stream = StreamOptions { replicas: host.settings.bus.replicas, ..StreamOptions::of(NAME) };
    let config = Arc::new(config);

    host.spawn("relay", relay(log.clone(), bus.clone(), stream, host.shutdown.clone()));
    host.spawn("horizon", serve_horizon(log.clone(), bus.clone(), host.shutdown.clone()));
    host.project::<statistics::Statistics>("statistics", &log);
    let (overdue, sales) = (reactions::Overdue, reactions::Sales);
    let lessons = reactions::Lessons::new(log.clone());
    let patterns = reactions::Patterns::new(log.clone(), config.patterns.clone());
    host.spawn("overdue", react(log.clone(), bus.clone(), overdue, host.shutdown.clone()));
    host.spawn("lessons", react(log.clone(), bus.clone(), lessons, host.shutdown.clone()));
    host.spawn("patterns", react(log.clone(), bus.clone(), patterns, host.shutdown.clone()));
    host.spawn("sales", react(log.clone(), bus, sales, host.shutdown.clone()));

    host.serve(grpc::services(&log, &config, &host)).await?;
    host.shutdown.cancelled().await;
    log.close().await;
    Ok(())
}
