//! The sections that every service has in common. Each field names its unit; its default stands in
//! the `Default` of its section.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use eventlog::bus::{BusOptions, Login};
use serde::{Deserialize, Serialize};

use crate::Secret;

/// The common sections.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// What the process tells about itself.
    pub telemetry: Telemetry,
    /// Where the bus is.
    pub bus: Bus,
    /// The gRPC listener and its limits.
    pub server: Server,
    /// How services recognise the gateway.
    pub identity: Identity,
}

/// `[telemetry]`: logs, traces, metrics.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// Form of the log lines on standard error.
    pub format: LogFormat,
    /// What is logged: `error`, `warn`, `info`, `debug`, `trace`, or per module:
    /// `info,ordering=debug,access=off`.
    pub level: String,
    /// OTLP/gRPC collector for traces and metrics, `http://host:4317`; none by default.
    pub otlp_endpoint: Option<String>,
    /// Share of traces that start here and are kept, 0 to 1; a caller's decision is followed.
    pub sample_ratio: f64,
    /// Seconds between two pushes of metrics to the collector.
    pub export_seconds: u64,
    /// Address of `/metrics`, `/healthz` and `/readyz`, for example `0.0.0.0:9464`; none by default.
    pub listen: Option<SocketAddr>,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            level: "info".to_owned(),
            otlp_endpoint: None,
            sample_ratio: 1.0,
            export_seconds: 10,
            listen: None,
        }
    }
}

/// Form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One readable line per event.
    Text,
    /// One JSON object per line.
    Json,
}

/// `[bus]`: the NATS servers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bus {
    /// Servers; the others of a cluster are learned from the first that answers.
    pub urls: Vec<String>,
    /// User name, when the servers ask for one.
    pub user: Option<String>,
    /// Password of that user.
    pub password: Option<Secret>,
    /// Token, when the servers ask for one instead.
    pub token: Option<Secret>,
    /// `.creds` file, when the servers ask for one instead.
    pub credentials: Option<PathBuf>,
    /// Root certificates in PEM, when the servers use TLS with certificates of your own.
    pub root_certificates: Option<PathBuf>,
    /// Seconds that an answer of the servers may take.
    pub request_timeout_seconds: u64,
    /// Copies that the servers keep of each stream: 1, 3 or 5.
    pub replicas: usize,
}

impl Default for Bus {
    fn default() -> Self {
        Self {
            urls: vec!["nats://127.0.0.1:4222".to_owned()],
            user: None,
            password: None,
            token: None,
            credentials: None,
            root_certificates: None,
            request_timeout_seconds: 5,
            replicas: 1,
        }
    }
}

impl Bus {
    /// The connection of one service.
    #[must_use]
    pub fn options(&self, name: &str) -> BusOptions {
        let login = match (&self.user, &self.token, &self.credentials) {
            (Some(user), _, _) => {
                let password = self.password.as_ref().map_or("", Secret::reveal).to_owned();
                Login::Password { user: user.clone(), password }
            }
            (None, Some(token), _) => Login::Token(token.reveal().to_owned()),
            (None, None, Some(file)) => Login::Credentials(file.clone()),
            (None, None, None) => Login::None,
        };
        BusOptions {
            urls: self.urls.clone(),
            name: name.to_owned(),
            login,
            root_certificates: self.root_certificates.clone(),
            request_timeout: Duration::from_secs(self.request_timeout_seconds),
        }
    }
}

/// `[server]`: the listener of a service, and its limits. The limits hold in the all-in-one process
/// too, where services have no listener.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Address of the gRPC listener.
    pub listen: SocketAddr,
    /// Certificate and key of the gRPC listener; without them it speaks plain text.
    pub tls: Option<TlsFiles>,
    /// Bytes of the largest message taken in.
    pub max_message_bytes: usize,
    /// Calls in work at once; one more is refused with `RESOURCE_EXHAUSTED`. A stream counts while
    /// it is open.
    pub max_in_flight: usize,
    /// Connections open at once; one more waits to be accepted.
    pub max_connections: usize,
    /// Streams open at once in one connection.
    pub max_streams: u32,
    /// Seconds within which a call without a deadline of its own must begin to be answered.
    pub request_timeout_seconds: u64,
    /// Seconds between two HTTP/2 pings on a connection.
    pub keepalive_seconds: u64,
    /// Seconds within which a ping must be answered.
    pub keepalive_timeout_seconds: u64,
    /// Seconds within which a new connection must bring its first whole request.
    pub handshake_seconds: u64,
    /// Seconds after which a connection without a call is closed.
    pub idle_seconds: u64,
    /// Seconds within which a stop is complete: in-flight calls, tasks, telemetry.
    pub drain_seconds: u64,
    /// Whether the contracts can be asked for by gRPC reflection.
    pub reflection: bool,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 50051)),
            tls: None,
            max_message_bytes: 4 * 1024 * 1024,
            max_in_flight: 4096,
            max_connections: 4096,
            max_streams: 1024,
            request_timeout_seconds: 30,
            keepalive_seconds: 30,
            keepalive_timeout_seconds: 10,
            handshake_seconds: 10,
            idle_seconds: 900,
            drain_seconds: 10,
            reflection: true,
        }
    }
}

impl Server {
    /// The bound on a stop.
    #[must_use]
    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.drain_seconds)
    }
}

/// `[identity]`: what makes a service believe who is calling.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Identity {
    /// Shared by the gateway and all services, 16 characters or more. The all-in-one process makes
    /// one of its own when none is given.
    pub internal_token: Option<Secret>,
}

/// PEM files of a TLS listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// Certificate chain, the server's own certificate first.
    pub cert: PathBuf,
    /// Private key.
    pub key: PathBuf,
}

/// What is wrong with a section, and what to do about it.
pub(crate) fn check(settings: &Settings) -> Result<(), String> {
    let server = &settings.server;
    let at_least_one = [
        ("server.max_message_bytes", server.max_message_bytes),
        ("server.max_in_flight", server.max_in_flight),
        ("server.max_connections", server.max_connections),
    ];
    for (key, value) in at_least_one {
        if value == 0 {
            return Err(format!("{key} is 0; set it to 1 or more"));
        }
    }
    if server.max_connections > tokio::sync::Semaphore::MAX_PERMITS
        || server.max_in_flight > tokio::sync::Semaphore::MAX_PERMITS
    {
        return Err("a limit of [server] is beyond any use; set a smaller one".to_owned());
    }
    let seconds = [
        ("server.request_timeout_seconds", server.request_timeout_seconds),
        ("server.keepalive_seconds", server.keepalive_seconds),
        ("server.keepalive_timeout_seconds", server.keepalive_timeout_seconds),
        ("server.handshake_seconds", server.handshake_seconds),
        ("server.idle_seconds", server.idle_seconds),
        ("server.drain_seconds", server.drain_seconds),
        ("bus.request_timeout_seconds", settings.bus.request_timeout_seconds),
        ("telemetry.export_seconds", settings.telemetry.export_seconds),
    ];
    for (key, value) in seconds {
        if !(1..=86_400).contains(&value) {
            return Err(format!("{key} is {value}; set it to 1 to 86400 seconds"));
        }
    }
    if !(0.0..=1.0).contains(&settings.telemetry.sample_ratio) {
        return Err("telemetry.sample_ratio is out of range; set it to 0 to 1".to_owned());
    }
    if ![1, 3, 5].contains(&settings.bus.replicas) {
        return Err("bus.replicas is not 1, 3 or 5; set it to one of these".to_owned());
    }
    if settings.bus.urls.is_empty() {
        return Err("bus.urls is empty; name a server such as nats://127.0.0.1:4222".to_owned());
    }
    let bus = &settings.bus;
    if let Err(error) = bus.options("").check() {
        return Err(format!("bus.urls cannot be used: {}", crate::errors::chain(&error)));
    }
    let logins = [bus.user.is_some(), bus.token.is_some(), bus.credentials.is_some()];
    if logins.into_iter().filter(|given| *given).count() > 1 {
        return Err("bus has more than one of user, token, credentials; keep one".to_owned());
    }
    if settings.identity.internal_token.as_ref().is_some_and(|token| token.reveal().len() < 16) {
        return Err(
            "identity.internal_token is too short; use 16 random characters or more".to_owned()
        );
    }
    Ok(())
}
