//! The door of the service: each rpc is parsed, decided on, answered. No rule is here.

use chassis::{Host, Services};
use eventlog::{Log, bus::Bus};

use crate::rules::RuleBook;

pub mod clock;
pub mod policy;
pub mod report;
#[cfg(test)]
pub(crate) mod testing;
mod watch;

/// Context in the domain of errors: `emall.sla`.
const CONTEXT: &str = "sla";

/// All services of this context.
#[must_use]
pub fn services(log: &Log, bus: &Bus, book: &RuleBook, host: &Host) -> Services {
    Services::new()
        .with(policy::service(log.clone(), bus.clone(), book.clone(), host))
        .with(clock::service(log.clone(), bus.clone(), book.clone(), host))
        .with(report::service(log.clone(), book.clone(), host))
}
