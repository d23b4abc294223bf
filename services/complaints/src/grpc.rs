//! The door of the service: each rpc is parsed, decided on, answered. No rule is here.

use std::sync::Arc;

use chassis::{Host, Services};
use eventlog::Log;

use crate::config::Config;

pub mod complaint;
pub mod report;

/// Context in the domain of errors: `emall.complaints`.
const CONTEXT: &str = "complaints";

/// All services of this context.
#[must_use]
pub fn services(log: &Log, config: &Arc<Config>, host: &Host) -> Services {
    Services::new()
        .with(complaint::service(log.clone(), config.clone(), host))
        .with(report::service(log.clone(), host))
}
