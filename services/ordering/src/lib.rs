//! Orders from push to settlement, and what goes wrong on the way.
//!
//! [`run`] is the table of contents: the log, its relay to the bus, its projections, the watch over
//! time, and the gRPC services. The rules are in the aggregates: [`order`], [`damage_claim`],
//! [`contract`], [`enquiry`], [`reconciliation`].

use std::sync::Arc;

use chassis::{BoxError, Host};
use eventlog::{
    Kinds, Log, LogOptions,
    bus::{Bus, StreamOptions, relay, serve_horizon},
};

pub mod amount;
pub mod carrier_record;
pub mod config;
pub mod contract;
pub mod daily_figures;
pub mod damage_claim;
pub mod enquiry;
pub mod grpc;
pub mod order;
pub mod order_row;
pub mod reconciliation;
pub mod watch;

pub use config::Config;

/// Name of the service, of its log, and of its section in the configuration.
pub const NAME: &str = "ordering";

/// What the log holds: for rebuild and verify.
#[must_use]
pub fn kinds() -> Kinds {
    Kinds::new()
        .aggregate::<order::Order>()
        .aggregate::<damage_claim::DamageClaim>()
        .aggregate::<enquiry::Enquiry>()
        .aggregate::<contract::Contract>()
        .aggregate::<reconciliation::Reconciliation>()
        .projection::<daily_figures::DailyFigures>()
        .projection::<carrier_record::CarrierRecord>()
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
    host.spawn("horizon", serve_horizon(log.clone(), bus, host.shutdown.clone()));
    host.project::<daily_figures::DailyFigures>("daily-figures", &log);
    host.project::<carrier_record::CarrierRecord>("carrier-record", &log);
    host.spawn("watch", watch::watch(log.clone(), config.clone(), host.clone()));

    let services = grpc::services(&log, &config, &host);
    host.serve(services).await?;
    host.shutdown.cancelled().await;
    log.close().await;
    Ok(())
}

#[cfg(test)]
mod tests;
