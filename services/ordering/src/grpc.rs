//! The door of the service: each rpc is parsed, decided on, answered. No rule is here.

use std::sync::Arc;

use chassis::{Host, Services};
use eventlog::Log;

use crate::config::Config;

mod amount;
pub mod contract;
pub mod damage_claim;
pub mod enquiry;
pub mod order;
mod personal;
pub mod reconciliation;
#[cfg(test)]
pub(crate) mod testing;

/// Context in the domain of errors: `emall.ordering`.
const CONTEXT: &str = "ordering";

/// All services of this context.
#[must_use]
pub fn services(log: &Log, config: &Arc<Config>, host: &Host) -> Services {
    Services::new()
        .with(order::service(log.clone(), config.clone(), host))
        .with(damage_claim::service(log.clone(), host))
        .with(enquiry::service(log.clone(), host))
        .with(contract::service(log.clone(), host))
        .with(reconciliation::service(log.clone(), config.clone(), host))
}
