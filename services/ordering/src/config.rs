//! The section `[ordering]`: every field with its unit, every default visible.

use std::collections::BTreeMap;

use chassis::{Section, errors::chain};
use serde::{Deserialize, Serialize};

/// Configuration of this service.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the log lies: `sqlite://path/to/ordering.db` or `postgres://user@host/database`.
    #[serde(serialize_with = "chassis::without_password")]
    pub database: String,
    /// Aggregates held in memory between two commands.
    pub cache_capacity: usize,
    /// Time zone in which a day of a reconciliation begins; daily figures go by Asia/Shanghai.
    pub time_zone: String,
    /// Seconds between two rounds that look for expired reservations and parcels that stand still.
    pub watch_seconds: u64,
    /// Numbers that a contract may set, where neither platform nor contract says otherwise.
    pub policy: Policy,
    /// Numbers that differ for a platform, by platform id.
    pub platform_policies: BTreeMap<String, PolicyOverride>,
    /// Numbers that differ for a contract, by contract id; they win over the platform's.
    pub contract_policies: BTreeMap<String, PolicyOverride>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            database: "sqlite://run/data/ordering.db".to_owned(),
            cache_capacity: 10_000,
            time_zone: "Asia/Shanghai".to_owned(),
            watch_seconds: 30,
            policy: Policy::default(),
            platform_policies: BTreeMap::new(),
            contract_policies: BTreeMap::new(),
        }
    }
}

/// Numbers that sources disagree on or leave open: a policy per contract, never a constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Minutes a pre-order holds its reservation when the platform names no end.
    pub reservation_minutes: u32,
    /// Hours from our confirmation to the hand-over to the carrier (ORD-23).
    pub dispatch_hours: u32,
    /// Days for which a parcel is monitored after its hand-over (ORD-20).
    pub parcel_window_days: u32,
    /// Hours without a scan after which a parcel stands still (ORD-20).
    pub stall_hours: u32,
    /// Minutes from arrival after which the user may inspect alone (ORD-28).
    pub inspection_wait_minutes: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            reservation_minutes: 24 * 60,
            dispatch_hours: 48,
            parcel_window_days: 15,
            stall_hours: 48,
            inspection_wait_minutes: 120,
        }
    }
}

/// The numbers of a policy that differ; the others stay as they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PolicyOverride {
    /// See [`Policy::reservation_minutes`].
    pub reservation_minutes: Option<u32>,
    /// See [`Policy::dispatch_hours`].
    pub dispatch_hours: Option<u32>,
    /// See [`Policy::parcel_window_days`].
    pub parcel_window_days: Option<u32>,
    /// See [`Policy::stall_hours`].
    pub stall_hours: Option<u32>,
    /// See [`Policy::inspection_wait_minutes`].
    pub inspection_wait_minutes: Option<u32>,
}

impl Config {
    /// The numbers that hold for an order: the contract's, else the platform's, else the default's.
    #[must_use]
    pub fn policy_for(&self, platform: &str, contract: &str) -> Policy {
        let mut policy = self.policy;
        let overrides =
            [self.platform_policies.get(platform), self.contract_policies.get(contract)];
        for other in overrides.into_iter().flatten() {
            policy = Policy {
                reservation_minutes: other
                    .reservation_minutes
                    .unwrap_or(policy.reservation_minutes),
                dispatch_hours: other.dispatch_hours.unwrap_or(policy.dispatch_hours),
                parcel_window_days: other.parcel_window_days.unwrap_or(policy.parcel_window_days),
                stall_hours: other.stall_hours.unwrap_or(policy.stall_hours),
                inspection_wait_minutes: other
                    .inspection_wait_minutes
                    .unwrap_or(policy.inspection_wait_minutes),
            };
        }
        policy
    }
}

impl Section for Config {
    fn check(&self) -> Result<(), String> {
        if let Err(error) = eventlog::check_url(&self.database) {
            return Err(format!("ordering.database cannot be used: {}", chain(&error)));
        }
        if jiff::tz::TimeZone::get(&self.time_zone).is_err() {
            return Err(format!(
                "ordering.time_zone {:?} is no IANA time zone; use a name such as Asia/Shanghai",
                self.time_zone
            ));
        }
        if self.cache_capacity == 0 {
            return Err("ordering.cache_capacity is 0; at least 1 aggregate is kept".to_owned());
        }
        if self.watch_seconds == 0 {
            return Err(
                "ordering.watch_seconds is 0; say how long to rest between rounds".to_owned()
            );
        }
        let all = std::iter::once(("ordering.policy".to_owned(), self.policy))
            .chain(self.platform_policies.keys().map(|platform| {
                (format!("ordering.platform_policies.{platform}"), self.policy_for(platform, ""))
            }))
            .chain(self.contract_policies.keys().map(|contract| {
                (format!("ordering.contract_policies.{contract}"), self.policy_for("", contract))
            }));
        for (place, policy) in all {
            policy.check().map_err(|problem| format!("{place}.{problem}"))?;
        }
        Ok(())
    }
}

impl Policy {
    /// Ten years: longer is a slip of the pen, and dates stay far from the ends of time.
    const LONGEST_HOURS: u32 = 10 * 366 * 24;

    fn check(&self) -> Result<(), String> {
        let hours = [
            ("reservation_minutes", self.reservation_minutes / 60),
            ("dispatch_hours", self.dispatch_hours),
            ("parcel_window_days", self.parcel_window_days.saturating_mul(24)),
            ("stall_hours", self.stall_hours),
            ("inspection_wait_minutes", self.inspection_wait_minutes / 60),
        ];
        match hours.into_iter().find(|(_, hours)| *hours > Self::LONGEST_HOURS) {
            Some((field, _)) => Err(format!("{field} is longer than ten years; correct it")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contract_wins_over_the_platform_and_both_over_the_default() {
        let mut config = Config::default();
        config.platform_policies.insert(
            "mall".to_owned(),
            PolicyOverride {
                stall_hours: Some(24),
                dispatch_hours: Some(10),
                ..Default::default()
            },
        );
        config.contract_policies.insert(
            "c-1".to_owned(),
            PolicyOverride { dispatch_hours: Some(4), ..PolicyOverride::default() },
        );
        let policy = config.policy_for("mall", "c-1");
        assert_eq!((policy.stall_hours, policy.dispatch_hours), (24, 4));
        assert_eq!(config.policy_for("other", ""), Policy::default());
    }

    #[test]
    fn a_policy_beyond_reason_is_refused_with_its_place() {
        let mut config = Config::default();
        config.platform_policies.insert(
            "mall".to_owned(),
            PolicyOverride { parcel_window_days: Some(u32::MAX), ..PolicyOverride::default() },
        );
        let problem = config.check().unwrap_err();
        assert!(problem.contains("platform_policies.mall.parcel_window_days"), "{problem}");
    }
}
