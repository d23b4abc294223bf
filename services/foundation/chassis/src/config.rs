//! Configuration: defaults < TOML file < environment. A key that nobody reads is an error, because
//! it is a wish that would silently not come true.
//!
//! A file may serve several services: each reads the common sections and its own; sections of other
//! services are let be, any other name is refused. In the environment a key is
//! `EMALL_<SECTION>__<KEY>`, nested keys with further `__`.

use std::{collections::BTreeSet, path::Path};

use figment::{
    Figment, Provider,
    error::Kind,
    providers::{Env, Format, Serialized, Toml},
    value::{Dict, Value},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Settings, settings};

/// Sections that every service reads.
const COMMON: [&str; 4] = ["telemetry", "bus", "server", "identity"];

/// Sections that belong to one service each.
const SERVICES: [&str; 7] =
    ["catalog_sync", "ordering", "after_sales", "complaints", "sla_monitor", "gateway", "emall"];

/// Why the configuration cannot be used: one sentence that says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl ConfigError {
    /// A sentence that names the key, what is wrong with it, and what to do.
    #[must_use]
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

/// The configuration of one service: its own section.
///
/// Derive serde's traits with `#[serde(default, deny_unknown_fields)]` and document every field.
pub trait Section: Serialize + DeserializeOwned + Default + Send + 'static {
    /// What is wrong with the values taken together, as a sentence that says what to do.
    ///
    /// # Errors
    /// The values cannot be used.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// Where configuration comes from.
#[derive(Debug, Clone)]
pub struct Sources {
    figment: Figment,
}

impl Sources {
    /// The file, if one is named, and the environment above it.
    ///
    /// # Errors
    /// The file cannot be read, or a section or variable has a name that no service reads.
    pub fn read(file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut figment = Figment::new();
        if let Some(file) = file {
            let text = std::fs::read_to_string(file).map_err(|error| {
                ConfigError(format!(
                    "cannot read the configuration file {}: {error}; name a readable file with \
                     --config or EMALL_CONFIG",
                    file.display()
                ))
            })?;
            // Parsed once on its own, because its errors carry line and column.
            text.parse::<toml::Table>().map_err(|error| {
                ConfigError(format!(
                    "{} is no valid TOML ({}); correct the file",
                    file.display(),
                    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
                ))
            })?;
            figment = figment.merge(Toml::file_exact(file));
        }
        let sources = Self { figment: figment.merge(environment()?) };
        sources.refuse_unknown_sections()?;
        Ok(sources)
    }

    /// Only what the code says: for tests.
    #[must_use]
    pub fn none() -> Self {
        Self { figment: Figment::new() }
    }

    /// Defaults of one section that differ from those of its type; file and environment go above.
    #[must_use]
    pub fn with_defaults(mut self, section: &str, defaults: impl Serialize) -> Self {
        self.figment = self.figment.join(Serialized::default(&section_key(section), defaults));
        self
    }

    /// The common sections.
    ///
    /// # Errors
    /// An unknown key, a value of the wrong type or out of range.
    pub fn settings(&self) -> Result<Settings, ConfigError> {
        let settings = Settings {
            telemetry: self.extract("telemetry")?,
            bus: self.extract("bus")?,
            server: self.extract("server")?,
            identity: self.extract("identity")?,
        };
        settings::check(&settings).map_err(ConfigError)?;
        Ok(settings)
    }

    /// The section of one service, by the service's name.
    ///
    /// # Errors
    /// An unknown key, a value of the wrong type, or what [`Section::check`] says.
    pub fn section<C: Section>(&self, service: &str) -> Result<C, ConfigError> {
        let section: C = self.extract(&section_key(service))?;
        section.check().map_err(ConfigError)?;
        Ok(section)
    }

    fn extract<T: Serialize + DeserializeOwned + Default>(
        &self,
        key: &str,
    ) -> Result<T, ConfigError> {
        let Ok(given) = self.figment.find_value(key) else { return Ok(T::default()) };
        let extracted: T = self.figment.extract_inner(key).map_err(|error| sentence(error, key))?;
        // A section type that forgot `deny_unknown_fields` must not swallow a key either.
        if let (Value::Dict(_, given), Ok(Value::Dict(_, known))) =
            (&given, Value::serialize(&extracted))
            && let Some(unread) = unread_key(given, &known, key)
        {
            return Err(ConfigError(format!(
                "unknown key {unread} in {}; correct its spelling or remove it",
                self.origin(&unread)
            )));
        }
        Ok(extracted)
    }

    fn refuse_unknown_sections(&self) -> Result<(), ConfigError> {
        let top = self
            .figment
            .data()
            .map_err(|error| ConfigError(format!("{error}; correct it")))?
            .into_values()
            .flat_map(Dict::into_keys)
            .collect::<BTreeSet<_>>();
        match top.iter().find(|name| !is_section(name)) {
            None => Ok(()),
            Some(unknown) => Err(ConfigError(format!(
                "unknown section {unknown} in {}; the sections are {} and one per service",
                self.origin(unknown),
                COMMON.join(", ")
            ))),
        }
    }

    fn origin(&self, key: &str) -> String {
        self.figment.find_metadata(key).map_or_else(
            || "the configuration".to_owned(),
            |metadata| {
                metadata
                    .source
                    .as_ref()
                    .map_or_else(|| metadata.name.to_string(), std::string::ToString::to_string)
            },
        )
    }
}

/// What a process runs with, as TOML; secrets are hidden by their type.
///
/// # Errors
/// A section cannot be written as TOML.
pub fn effective<C: Section>(
    settings: &Settings,
    service: &str,
    section: &C,
) -> Result<String, ConfigError> {
    let unprintable =
        |error: toml::ser::Error| ConfigError(format!("cannot print the configuration: {error}"));
    let mut all = toml::Table::try_from(settings).map_err(unprintable)?;
    let own = toml::Table::try_from(section).map_err(unprintable)?;
    all.insert(section_key(service), toml::Value::Table(own));
    toml::to_string_pretty(&all).map_err(unprintable)
}

/// `catalog-sync` has the section `[catalog_sync]`: variables cannot hold a hyphen.
fn section_key(service: &str) -> String {
    service.replace('-', "_")
}

fn is_section(name: &str) -> bool {
    COMMON.contains(&name) || SERVICES.contains(&name)
}

/// Variables with `__` are configuration. One that names a section but lacks the double underscore
/// is a mistake that would otherwise go unnoticed.
fn environment() -> Result<Env, ConfigError> {
    for (name, _) in std::env::vars_os() {
        let Some(name) = name.to_str() else { continue };
        let Some(rest) = name.strip_prefix("EMALL_") else { continue };
        let rest = rest.to_ascii_lowercase();
        if rest.contains("__") {
            continue;
        }
        if let Some(section) = COMMON
            .iter()
            .chain(&SERVICES)
            .find(|section| rest.strip_prefix(**section).is_some_and(|key| key.starts_with('_')))
        {
            return Err(ConfigError(format!(
                "the variable {name} has one underscore after its section; write EMALL_{}__{}",
                section.to_ascii_uppercase(),
                rest[section.len() + 1..].to_ascii_uppercase()
            )));
        }
    }
    Ok(Env::prefixed("EMALL_").filter(|key| key.as_str().contains("__")).split("__"))
}

/// The first key that was given and is not in what was understood.
fn unread_key(given: &Dict, known: &Dict, path: &str) -> Option<String> {
    given.iter().find_map(|(key, value)| {
        let path = format!("{path}.{key}");
        match (value, known.get(key)) {
            (_, None) => Some(path),
            (Value::Dict(_, given), Some(Value::Dict(_, known))) => unread_key(given, known, &path),
            (_, Some(_)) => None,
        }
    })
}

fn sentence(error: figment::Error, section: &str) -> ConfigError {
    let mut key = section.to_owned();
    for part in error.path.iter().filter(|part| *part != section) {
        key.push('.');
        key.push_str(part);
    }
    let origin = error.metadata.as_ref().map_or_else(
        || "the configuration".to_owned(),
        |metadata| {
            metadata
                .source
                .as_ref()
                .map_or_else(|| metadata.name.to_string(), std::string::ToString::to_string)
        },
    );
    if let Kind::UnknownField(field, known) = &error.kind {
        let key = if key.ends_with(&format!(".{field}")) { key } else { format!("{key}.{field}") };
        return ConfigError(format!(
            "unknown key {key} in {origin}; correct its spelling or remove it (known: {})",
            known.join(", ")
        ));
    }
    if let Kind::MissingField(field) = &error.kind {
        return ConfigError(format!("the key {key}.{field} is missing in {origin}; add it"));
    }
    ConfigError(format!("{key} in {origin} cannot be used ({}); correct it", error.kind))
}

#[cfg(test)]
mod tests;
