//! The door of the service: each rpc is parsed, decided on, answered. No rule is here.

use std::sync::Arc;

use chassis::{Fields, Host, Services, When, reading::when};
use eventlog::Log;
use jiff::Timestamp;

use crate::config::Config;

pub mod complaint;
pub mod feedback;
pub mod improvement;
pub mod report;
#[cfg(test)]
pub(crate) mod testing;

/// Context in the domain of errors: `emall.complaints`.
const CONTEXT: &str = "complaints";

/// All services of this context.
#[must_use]
pub fn services(log: &Log, config: &Arc<Config>, host: &Host) -> Services {
    Services::new()
        .with(complaint::service(log.clone(), config.clone(), host))
        .with(improvement::service(log.clone(), host))
        .with(feedback::service(log.clone(), host))
        .with(report::service(log.clone(), host))
}

/// When it happened: not later than now.
fn happened(fields: &mut Fields, at: &Option<prost_types::Timestamp>, now: Timestamp) -> When {
    let when = when(fields, at, now);
    if when.at.is_some_and(|at| at > now) {
        fields.refuse("at", "lies in the future");
    }
    when
}
