//! What an installation begins with: calendars, official days, profiles, one binding for all.
//!
//! Each is published only where nothing of its name is known: what operators have changed since stays
//! as it is, and a start that was cut off is gone on with.

use std::path::Path;

use chassis::errors::chain;
use contracts::sla::{Binding, Profile};
use decider::Decision;
use eventlog::{CommitError, Context, Log, LogError, Recorded, TransactError};
use jiff::Timestamp;
use prost_reflect::{DynamicMessage, SerializeOptions};

use crate::{
    bindings::{self, Bindings},
    calendars::{CalendarSeries, Holidays},
    config::Config,
    policy,
    profile::ProfileSeries,
    publishing,
    rules::{Rules, first_calendars},
    written::first_notices,
};

/// The profiles that come with the product, by name.
pub const PROFILES: [(&str, &str); 20] = [
    ("clothing-return", include_str!("../../../deploy/policies/clothing-return.json")),
    ("dealer-3bao", include_str!("../../../deploy/policies/dealer-3bao.json")),
    ("doors-2y", include_str!("../../../deploy/policies/doors-2y.json")),
    ("emall-default", include_str!("../../../deploy/policies/emall-default.json")),
    ("engineering-2y", include_str!("../../../deploy/policies/engineering-2y.json")),
    ("equipment-24-6-48", include_str!("../../../deploy/policies/equipment-24-6-48.json")),
    ("food-delivery", include_str!("../../../deploy/policies/food-delivery.json")),
    ("generic-24h", include_str!("../../../deploy/policies/generic-24h.json")),
    ("goods-2-24", include_str!("../../../deploy/policies/goods-2-24.json")),
    ("landscape", include_str!("../../../deploy/policies/landscape.json")),
    ("local-3y", include_str!("../../../deploy/policies/local-3y.json")),
    ("luminaire-24-48-72", include_str!("../../../deploy/policies/luminaire-24-48-72.json")),
    ("luminaire-30min", include_str!("../../../deploy/policies/luminaire-30min.json")),
    ("materials-1h", include_str!("../../../deploy/policies/materials-1h.json")),
    ("network-levels", include_str!("../../../deploy/policies/network-levels.json")),
    ("purchase-service", include_str!("../../../deploy/policies/purchase-service.json")),
    ("software-4level", include_str!("../../../deploy/policies/software-4level.json")),
    ("supplier-duties", include_str!("../../../deploy/policies/supplier-duties.json")),
    ("system-half-hour", include_str!("../../../deploy/policies/system-half-hour.json")),
    ("ticket-generic", include_str!("../../../deploy/policies/ticket-generic.json")),
];

const BY: &str = "first start";

/// Why a first start fails.
#[derive(Debug, thiserror::Error)]
pub enum FirstError {
    /// A profile cannot be used.
    #[error("{file} cannot be used: {why}; correct it, or leave sla_monitor.policies empty")]
    Profile {
        /// Its file.
        file: String,
        /// What is wrong, and where.
        why: String,
    },
    /// The folder cannot be read.
    #[error("sla_monitor.policies {folder} cannot be read: {why}; name a folder of .json files")]
    Folder {
        /// The folder.
        folder: String,
        /// Why.
        why: String,
    },
    /// A default profile is none of them.
    #[error("sla_monitor.default_profiles names {0}, which is none of the profiles")]
    NoDefault(String),
    /// Two default profiles have a clock of one name.
    #[error("sla_monitor.default_profiles: {profile} cannot count beside the others ({why})")]
    Overlap {
        /// The second one.
        profile: String,
        /// Which one is in its way.
        why: String,
    },
    /// The log is broken.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Reads a profile as it is written: protobuf JSON.
///
/// # Errors
/// It is no JSON, or has an unknown field or value; with line and column.
pub fn parse(json: &str) -> Result<Profile, String> {
    let descriptor = contracts::pool()
        .get_message_by_name("emall.sla.v1.Profile")
        .ok_or("the contracts have no Profile")?;
    let mut reader = serde_json::Deserializer::from_str(json);
    let read =
        DynamicMessage::deserialize(descriptor, &mut reader).map_err(|error| error.to_string())?;
    reader.end().map_err(|error| error.to_string())?;
    read.transcode_to().map_err(|error| error.to_string())
}

/// A profile as it is written.
#[must_use]
pub fn write(profile: &Profile) -> String {
    let mut text = Vec::new();
    let mut writer = serde_json::Serializer::pretty(&mut text);
    let mut message =
        contracts::pool().get_message_by_name("emall.sla.v1.Profile").map(DynamicMessage::new);
    if let Some(message) = &mut message
        && message.transcode_from(profile).is_ok()
    {
        // a message that was just made can be written
        let _ = message.serialize_with_options(&mut writer, &SerializeOptions::new());
    }
    String::from_utf8(text).unwrap_or_default()
}

/// Publishes what is missing.
///
/// # Errors
/// A profile cannot be used, or the log cannot be written.
pub async fn publish(log: &Log, config: &Config, now: Timestamp) -> Result<(), FirstError> {
    for calendar in first_calendars() {
        transact(log, &calendar.name, now, |known: &CalendarSeries| match known {
            CalendarSeries::Absent => known.publish(&calendar, BY, now),
            CalendarSeries::Published(..) => Ok(Vec::new()),
        })
        .await?;
    }
    for notice in first_notices() {
        let region = notice.region.clone();
        transact(log, &region, now, |known: &Holidays| known.publish(&notice, BY, now)).await?;
    }
    let rules = Rules::load(log).await?;
    let mut names = Vec::new();
    for (file, text) in files(config)? {
        let wrong = |why| FirstError::Profile { file: file.clone(), why };
        let profile = parse(&text).map_err(wrong)?;
        policy::check(&profile, 1, |name| rules.calendar(name).is_some())
            .map_err(|violations| wrong(violations.to_string()))?;
        transact(log, &profile.name, now, |known: &ProfileSeries| match known {
            ProfileSeries::Absent => known.publish(&profile, 0, BY, now),
            ProfileSeries::Published(..) | ProfileSeries::Retired(..) => Ok(Vec::new()),
        })
        .await?;
        names.push(profile.name);
    }
    if log.get_row(Bindings::KIND, bindings::ID).await?.is_some() {
        return Ok(());
    }
    // all in one commit: a start that is cut off leaves none of them
    let mut stage = log.stage();
    for name in &config.default_profiles {
        if !names.contains(name) {
            return Err(FirstError::NoDefault(name.clone()));
        }
        let binding = Binding { profile: name.clone(), ..Binding::default() };
        match publishing::stage_binding(&mut stage, &context(now), &binding, BY).await {
            Ok(_) => {}
            Err(TransactError::Refused(rejection)) => {
                return Err(FirstError::Overlap {
                    profile: name.clone(),
                    why: rejection.to_string(),
                });
            }
            Err(TransactError::Conflict) => return Err(LogError::OutcomeUnknown.into()),
            Err(TransactError::Broken(error)) => return Err(error.into()),
        }
    }
    match stage.commit().await {
        Ok(_) => Ok(()),
        Err(CommitError::Broken(error)) => Err(error.into()),
        // another process was first
        Err(
            CommitError::Conflict { .. }
            | CommitError::CursorMoved { .. }
            | CommitError::NotParked { .. },
        ) => Ok(()),
    }
}

fn files(config: &Config) -> Result<Vec<(String, String)>, FirstError> {
    if config.policies.is_empty() {
        return Ok(PROFILES
            .iter()
            .map(|(name, text)| (format!("{name}.json"), (*text).to_owned()))
            .collect());
    }
    let folder = Path::new(&config.policies);
    let wrong = |error: std::io::Error| FirstError::Folder {
        folder: config.policies.clone(),
        why: chain(&error),
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            files
                .push((path.display().to_string(), std::fs::read_to_string(&path).map_err(wrong)?));
        }
    }
    files.sort();
    Ok(files)
}

fn context(now: Timestamp) -> Context {
    Context {
        actor: crate::NAME.to_owned(),
        platform: String::new(),
        causation: BY.to_owned(),
        traceparent: String::new(),
        now,
    }
}

async fn transact<A: Recorded, R: std::fmt::Display>(
    log: &Log,
    id: &str,
    now: Timestamp,
    decide: impl FnMut(&A) -> Decision<A::Event, R> + Send,
) -> Result<(), FirstError> {
    match log.transact(id, &context(now), decide).await {
        Ok(_) => Ok(()),
        // operators know better by now
        Err(TransactError::Refused(_)) => Ok(()),
        Err(TransactError::Conflict) => Err(LogError::OutcomeUnknown.into()),
        Err(TransactError::Broken(error)) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
