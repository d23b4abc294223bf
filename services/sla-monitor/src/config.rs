//! The section `[sla_monitor]`: every field with its unit, every default visible.

use chassis::{Section, errors::chain};
use serde::{Deserialize, Serialize};

/// Configuration of this service.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the log lies: `sqlite://path/to/sla-monitor.db` or `postgres://user@host/database`.
    #[serde(serialize_with = "chassis::without_password")]
    pub database: String,
    /// Clocks held in memory between two events.
    pub cache_capacity: usize,
    /// Services whose events the clocks go by, by context.
    pub sources: Vec<String>,
    /// Folder with the profiles of a first start; empty for those that come with the product.
    pub policies: String,
    /// Profiles that count for everybody at a first start.
    pub default_profiles: Vec<String>,
    /// Milliseconds between two looks at what is due.
    pub tick_ms: u64,
    /// Seconds for which a service may be away before breaches are announced provisionally.
    pub provisional_after_seconds: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            database: "sqlite://run/data/sla-monitor.db".to_owned(),
            cache_capacity: 50_000,
            sources: vec!["ordering".to_owned()],
            policies: String::new(),
            default_profiles: vec!["emall-default".to_owned(), "supplier-duties".to_owned()],
            tick_ms: 25,
            provisional_after_seconds: 300,
        }
    }
}

impl Section for Config {
    fn check(&self) -> Result<(), String> {
        if let Err(error) = eventlog::check_url(&self.database) {
            return Err(format!("sla_monitor.database cannot be used: {}", chain(&error)));
        }
        if self.cache_capacity == 0 {
            return Err("sla_monitor.cache_capacity is 0; at least 1 clock is kept".to_owned());
        }
        if !(1..=10_000).contains(&self.tick_ms) {
            return Err("sla_monitor.tick_ms is not 1 to 10000; 25 is usual".to_owned());
        }
        if self.provisional_after_seconds == 0 {
            return Err(
                "sla_monitor.provisional_after_seconds is 0; say how long a service may be \
                        away before its clocks are judged without it"
                    .to_owned(),
            );
        }
        for (index, source) in self.sources.iter().enumerate() {
            let known = ["ordering", "catalog", "aftersales", "complaints"];
            if !known.contains(&source.as_str()) {
                return Err(format!(
                    "sla_monitor.sources[{index}] is {source:?}; use one of {}",
                    known.join(", ")
                ));
            }
            if self.sources[..index].contains(source) {
                return Err(format!("sla_monitor.sources names {source} twice"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_is_none_is_refused_by_its_place() {
        let config =
            Config { sources: vec!["ordering".into(), "orders".into()], ..Config::default() };
        assert!(config.check().unwrap_err().contains("sources[1]"));
        let config =
            Config { sources: vec!["ordering".into(), "ordering".into()], ..Config::default() };
        assert!(config.check().unwrap_err().contains("twice"));
        assert_eq!(Config::default().check(), Ok(()));
    }
}
