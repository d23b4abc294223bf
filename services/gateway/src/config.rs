//! `[gateway]`: where to listen, where calls go, who may come in.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::PathBuf,
};

use chassis::{Section, parse::is_identifier, settings::TlsFiles};
use contracts::common::Role;
use serde::{Deserialize, Serialize};

/// The section of the gateway. Sizes, concurrency and time-outs are those of `[server]`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address of the listener: gRPC and gRPC-Web on one port.
    pub listen: SocketAddr,
    /// Certificate and key; without them the listener speaks plain text.
    pub tls: Option<TlsFiles>,
    /// Where calls go, by the beginning of the service's full name; the longest that fits counts.
    /// `in-process`, or the URL of a remote service: `http://ordering:50051`.
    pub routes: BTreeMap<String, String>,
    /// Root certificates in PEM for remote services with `https://`.
    pub backend_roots: Option<PathBuf>,
    /// Connections to each remote service.
    pub connections: usize,
    /// Milliseconds that a connection to a remote service may take.
    pub connect_timeout_ms: u64,
    /// Milliseconds between two looks at the health of a remote service.
    pub health_interval_ms: u64,
    /// Origins of web pages that may call by gRPC-Web: `https://desk.example.com`; none by default.
    pub allowed_origins: Vec<String>,
    /// Who may come in.
    pub keys: Vec<KeyConfig>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8443)),
            tls: None,
            routes: BTreeMap::from([("emall".to_owned(), IN_PROCESS.to_owned())]),
            backend_roots: None,
            connections: 2,
            connect_timeout_ms: 2_000,
            health_interval_ms: 1_000,
            allowed_origins: Vec::new(),
            keys: Vec::new(),
        }
    }
}

/// The target of a route to a service in the same process.
pub(crate) const IN_PROCESS: &str = "in-process";

/// One API key. The key itself is nowhere, only its SHA-256.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyConfig {
    /// Name of the key's owner: the actor of everything that is done with it.
    pub name: String,
    /// SHA-256 of the key, 64 hexadecimal digits.
    pub sha256: String,
    /// The e-mall platform, when the owner is one. It sees only its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Roles of an owner that is no platform: `operator`, `finance`, `service`, `auditor`.
    #[serde(default)]
    pub roles: BTreeSet<String>,
    /// How many calls are let through; unlimited by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
}

/// A token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Calls per second in the long run.
    pub per_second: u32,
    /// Calls at once after a pause.
    pub burst: u32,
}

impl KeyConfig {
    /// What the key may do.
    pub(crate) fn granted(&self) -> Result<BTreeSet<Role>, String> {
        let name = &self.name;
        if let Some(platform) = &self.platform {
            if !self.roles.is_empty() {
                return Err(format!("the key {name} has platform and roles; keep one of them"));
            }
            if !is_identifier(platform) {
                return Err(format!(
                    "the platform of the key {name} is no identifier; use 1 to 64 of A-Z a-z 0-9 . _ : -"
                ));
            }
            return Ok(BTreeSet::from([Role::Platform]));
        }
        if self.roles.is_empty() {
            return Err(format!("the key {name} may do nothing; give it platform or roles"));
        }
        self.roles
            .iter()
            .map(|role| match role.as_str() {
                "operator" => Ok(Role::Operator),
                "finance" => Ok(Role::Finance),
                "service" => Ok(Role::Service),
                "auditor" => Ok(Role::Auditor),
                unknown => Err(format!(
                    "the key {name} has the unknown role {unknown}; use operator, finance, service \
                     or auditor"
                )),
            })
            .collect()
    }

    /// The hash, as bytes.
    pub(crate) fn digest(&self) -> Result<[u8; 32], String> {
        let wrong = || {
            format!("the sha256 of the key {} is not 64 hexadecimal digits; correct it", self.name)
        };
        let hex = self.sha256.as_bytes();
        if hex.len() != 64 {
            return Err(wrong());
        }
        let mut digest = [0; 32];
        for (byte, pair) in digest.iter_mut().zip(hex.chunks_exact(2)) {
            let digit = |digit: u8| char::from(digit).to_digit(16);
            let value = pair.iter().try_fold(0, |sum, d| Some(sum * 16 + digit(*d)?));
            *byte = value.and_then(|value| u8::try_from(value).ok()).ok_or_else(wrong)?;
        }
        Ok(digest)
    }
}

impl Section for Config {
    fn check(&self) -> Result<(), String> {
        let (mut names, mut digests) = (BTreeSet::new(), BTreeSet::new());
        for key in &self.keys {
            let name = &key.name;
            if !is_identifier(name) {
                return Err(
                    "gateway.keys has a name that is no identifier; use 1 to 64 of A-Z a-z \
                            0-9 . _ : -"
                        .to_owned(),
                );
            }
            key.granted()?;
            if !names.insert(name) {
                return Err(format!("gateway.keys has the name {name} twice; give each its own"));
            }
            if !digests.insert(key.digest()?) {
                return Err(format!("the key {name} is that of another; give each its own"));
            }
            if key.rate.is_some_and(|rate| rate.per_second == 0 || rate.burst == 0) {
                return Err(format!("the rate of the key {name} has a zero; set 1 or more"));
            }
        }
        for (prefix, target) in &self.routes {
            let url = target.starts_with("http://") || target.starts_with("https://");
            if target != IN_PROCESS && !url {
                return Err(format!(
                    "the route {prefix} leads to {target}; write in-process or a URL such as \
                     http://ordering:50051"
                ));
            }
        }
        if !(1..=64).contains(&self.connections) {
            return Err("gateway.connections is out of range; set it to 1 to 64".to_owned());
        }
        let times = [self.connect_timeout_ms, self.health_interval_ms];
        if times.iter().any(|ms| !(10..=60_000).contains(ms)) {
            return Err("gateway.connect_timeout_ms and health_interval_ms are out of range; set \
                        them to 10 to 60000"
                .to_owned());
        }
        Ok(())
    }
}
