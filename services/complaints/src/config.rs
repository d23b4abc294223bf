//! The section `[complaints]`: every field with its unit, every default visible.

use std::collections::BTreeMap;

use chassis::{Section, errors::chain};
use contracts::complaints::PatternDimension;
use serde::{Deserialize, Serialize};

use crate::{
    complaint::{self, Post},
    pattern::Rule,
};

/// Configuration of this service.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the log lies: `sqlite://path/to/complaints.db` or `postgres://user@host/database`.
    #[serde(serialize_with = "chassis::without_password")]
    pub database: String,
    /// Aggregates held in memory between two commands.
    pub cache_capacity: usize,
    /// Numbers that a contract may set, where neither platform nor contract says otherwise.
    pub policy: Policy,
    /// Policies of platforms, by platform id: each replaces the one above as a whole.
    pub platform_policies: BTreeMap<String, Policy>,
    /// Policies of contracts, by contract id; they win over the platform's.
    pub contract_policies: BTreeMap<String, Policy>,
    /// Which complaints are too frequent to be chance, over all platforms.
    pub patterns: Patterns,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            database: "sqlite://run/data/complaints.db".to_owned(),
            cache_capacity: 10_000,
            policy: Policy::default(),
            platform_policies: BTreeMap::new(),
            contract_policies: BTreeMap::new(),
            patterns: Patterns::default(),
        }
    }
}

/// Numbers that sources disagree on or leave open: a policy per contract, never a constant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Sums in fen from which on a complaint is major, this one included (MON-06).
    pub major_from_fen: i64,
    /// Smallest penalty of the first responsible person, in fen (MON-07).
    pub least_penalty_fen: i64,
    /// Largest penalty, in fen.
    pub most_penalty_fen: i64,
    /// A complaint of the same person about the same is a repeat for so many days.
    pub repeat_days: u32,
    /// Posts that decide, the lowest first (CMP-33).
    pub posts: Vec<PostLimit>,
}

/// A post, and what it may decide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostLimit {
    /// Name.
    pub name: String,
    /// Sums in fen that it may grant and spend on one complaint; left out: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_fen: Option<i64>,
    /// Who holds it; left out: whoever is named (CMP-06, CMP-07, CMP-53).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<String>,
}

/// How many complaints with one property in so many days are too many to be chance (CMP-43); 0 looks for
/// none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Patterns {
    /// Days, 1 to 366.
    pub window_days: u32,
    /// Of the same cause and topic.
    pub cause: u32,
    /// About the same product.
    pub sku: u32,
    /// About the same batch.
    pub batch: u32,
    /// About the same carrier.
    pub carrier: u32,
    /// From the same region.
    pub region: u32,
}

impl Default for Patterns {
    fn default() -> Self {
        Self { window_days: 30, cause: 5, sku: 3, batch: 2, carrier: 5, region: 10 }
    }
}

impl Patterns {
    /// The rule of a property; `None` when it is not looked for.
    #[must_use]
    pub fn of(&self, dimension: PatternDimension) -> Option<Rule> {
        let threshold = match dimension {
            PatternDimension::Unspecified => 0,
            PatternDimension::Cause => self.cause,
            PatternDimension::Sku => self.sku,
            PatternDimension::Batch => self.batch,
            PatternDimension::Carrier => self.carrier,
            PatternDimension::Region => self.region,
        };
        (threshold > 0).then_some(Rule { threshold, window_days: self.window_days })
    }

    fn check(&self) -> Result<(), String> {
        if !(1..=366).contains(&self.window_days) {
            return Err("window_days is not 1 to 366".to_owned());
        }
        let all = [
            ("cause", self.cause),
            ("sku", self.sku),
            ("batch", self.batch),
            ("carrier", self.carrier),
            ("region", self.region),
        ];
        match all.into_iter().find(|(_, threshold)| *threshold == 1 || *threshold > 200) {
            Some((name, _)) => {
                Err(format!("{name} is not 2 to 200: one is no pattern; 0 looks for none"))
            }
            None => Ok(()),
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        let default = complaint::Policy::default();
        Self {
            major_from_fen: default.major_from,
            least_penalty_fen: default.least_penalty,
            most_penalty_fen: default.most_penalty,
            repeat_days: default.repeat_days,
            posts: default
                .posts
                .into_iter()
                .map(|post| PostLimit {
                    name: post.name,
                    limit_fen: post.limit,
                    people: post.people,
                })
                .collect(),
        }
    }
}

impl Policy {
    /// As decisions take it.
    fn rules(&self) -> complaint::Policy {
        let post = |post: &PostLimit| Post {
            name: post.name.clone(),
            limit: post.limit_fen,
            people: post.people.clone(),
        };
        complaint::Policy {
            major_from: self.major_from_fen,
            posts: self.posts.iter().map(post).collect(),
            least_penalty: self.least_penalty_fen,
            most_penalty: self.most_penalty_fen,
            repeat_days: self.repeat_days,
        }
    }

    fn check(&self) -> Result<(), String> {
        if self.major_from_fen < 1 {
            return Err("major_from_fen is below 1; 200000 is usual".to_owned());
        }
        if self.least_penalty_fen < 1 || self.most_penalty_fen < self.least_penalty_fen {
            return Err("most_penalty_fen is below least_penalty_fen, or that below 1".to_owned());
        }
        if self.repeat_days > 3_660 {
            return Err("repeat_days is above 3660, which is ten years".to_owned());
        }
        if self.posts.is_empty() {
            return Err("posts is empty; name at least one that may decide".to_owned());
        }
        let rises =
            self.posts.windows(2).all(|pair| match (pair[0].limit_fen, pair[1].limit_fen) {
                (Some(lower), Some(upper)) => lower <= upper,
                (Some(_), None) => true,
                (None, _) => false,
            });
        if !rises || self.posts.iter().any(|post| post.limit_fen.is_some_and(|limit| limit < 0)) {
            return Err("posts: limit_fen must rise from post to post; leave it out for the last"
                .to_owned());
        }
        Ok(())
    }
}

impl Config {
    /// The numbers that hold for a complaint: the contract's, else the platform's, else the default's.
    #[must_use]
    pub fn policy_for(&self, platform: &str, contract: &str) -> complaint::Policy {
        self.contract_policies
            .get(contract)
            .or_else(|| self.platform_policies.get(platform))
            .unwrap_or(&self.policy)
            .rules()
    }
}

impl Section for Config {
    fn check(&self) -> Result<(), String> {
        if let Err(error) = eventlog::check_url(&self.database) {
            return Err(format!("complaints.database cannot be used: {}", chain(&error)));
        }
        if self.cache_capacity == 0 {
            return Err("complaints.cache_capacity is 0; at least 1 aggregate is kept".to_owned());
        }
        let all = std::iter::once(("complaints.policy".to_owned(), &self.policy))
            .chain(self.platform_policies.iter().map(|(platform, policy)| {
                (format!("complaints.platform_policies.{platform}"), policy)
            }))
            .chain(self.contract_policies.iter().map(|(contract, policy)| {
                (format!("complaints.contract_policies.{contract}"), policy)
            }));
        if let Err(problem) = self.patterns.check() {
            return Err(format!("complaints.patterns.{problem}"));
        }
        for (place, policy) in all {
            policy.check().map_err(|problem| format!("{place}.{problem}"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_can_be_used() {
        Config::default().check().unwrap();
        assert_eq!(Config::default().policy_for("mall", "c"), complaint::Policy::default());
    }

    #[test]
    fn the_contract_comes_before_the_platform_and_that_before_the_default() {
        let with = |major_from_fen| Policy { major_from_fen, ..Policy::default() };
        let config = Config {
            platform_policies: [("mall".to_owned(), with(7))].into(),
            contract_policies: [("c-1".to_owned(), with(9))].into(),
            ..Config::default()
        };
        let from = |platform, contract| config.policy_for(platform, contract).major_from;
        assert_eq!((from("mall", "c-1"), from("mall", ""), from("", "")), (9, 7, 200_000));
    }

    #[test]
    fn a_pattern_is_looked_for_unless_it_is_switched_off() {
        let patterns = Patterns { batch: 0, sku: 4, window_days: 7, ..Patterns::default() };
        assert_eq!(patterns.of(PatternDimension::Batch), None);
        let rule = Rule { threshold: 4, window_days: 7 };
        assert_eq!(patterns.of(PatternDimension::Sku), Some(rule));
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let post = |limit_fen| PostLimit { name: "p".into(), limit_fen, people: vec![] };
        for (wrong, place) in [
            (Policy { major_from_fen: 0, ..Policy::default() }, "major_from_fen"),
            (Policy { least_penalty_fen: 0, ..Policy::default() }, "least_penalty_fen"),
            (Policy { most_penalty_fen: 1, ..Policy::default() }, "most_penalty_fen"),
            (Policy { repeat_days: 3_661, ..Policy::default() }, "repeat_days"),
            (Policy { posts: vec![], ..Policy::default() }, "posts"),
            (Policy { posts: vec![post(Some(5)), post(Some(4))], ..Policy::default() }, "posts"),
            (Policy { posts: vec![post(None), post(None)], ..Policy::default() }, "posts"),
            (Policy { posts: vec![post(Some(-1))], ..Policy::default() }, "posts"),
        ] {
            let config = Config {
                contract_policies: [("c-1".to_owned(), wrong)].into(),
                ..Config::default()
            };
            let problem = config.check().unwrap_err();
            assert!(problem.starts_with("complaints.contract_policies.c-1."), "{problem}");
            assert!(problem.contains(place), "{problem}");
        }
        for (wrong, place) in [
            (Patterns { window_days: 0, ..Patterns::default() }, "window_days"),
            (Patterns { window_days: 367, ..Patterns::default() }, "window_days"),
            (Patterns { sku: 1, ..Patterns::default() }, "sku"),
            (Patterns { region: 201, ..Patterns::default() }, "region"),
        ] {
            let config = Config { patterns: wrong, ..Config::default() };
            let problem = config.check().unwrap_err();
            assert!(problem.starts_with(&format!("complaints.patterns.{place} ")), "{problem}");
        }
        let config = Config { database: "mysql://x".to_owned(), ..Config::default() };
        assert!(config.check().unwrap_err().contains("complaints.database"));
    }
}
