//! The configuration as the all-in-one process and the operator's commands use it: that of the
//! services, with defaults that put everything into one data folder.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use chassis::{ConfigError, Settings, Sources};
use clap::Args;
use eventlog::{
    Kinds, Log, LogOptions, Projection,
    bus::{Bus, StreamOptions},
};
use serde_json::json;

use crate::{
    end::Failure,
    place::{self, DATA},
};

/// The services that keep a log, by the name of their log.
pub(crate) const SERVICES: [&str; 3] = [ordering::NAME, complaints::NAME, sla_monitor::CONTEXT];

/// The log of a service, which is named by its own name or that of its log.
pub(crate) fn log_of(name: &str) -> Option<&'static str> {
    let name =
        if name.eq_ignore_ascii_case(sla_monitor::NAME) { sla_monitor::CONTEXT } else { name };
    SERVICES.into_iter().find(|log| log.eq_ignore_ascii_case(name))
}

/// Where the gateway listens when nobody says.
pub(crate) const LISTEN: &str = "127.0.0.1:7400";

/// Stands in `bus.urls` for the nats-server that `emall up` starts itself.
const OWN_BUS: &str = "own";

/// Which installation a command is about.
#[derive(Debug, Clone, Args)]
pub(crate) struct Place {
    /// Configuration file (TOML); the environment goes above it
    #[arg(long, env = "EMALL_CONFIG", value_name = "FILE", global = true)]
    pub(crate) config: Option<PathBuf>,
    /// Data folder
    #[arg(long, value_name = "DIR", default_value = DATA, global = true)]
    pub(crate) data: PathBuf,
}

/// What is configured.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) data: PathBuf,
    pub(crate) settings: Settings,
    pub(crate) ordering: ordering::Config,
    pub(crate) complaints: complaints::Config,
    pub(crate) sla_monitor: sla_monitor::Config,
    pub(crate) gateway: gateway::Config,
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::usage(error.to_string())
    }
}

impl Place {
    pub(crate) fn read(&self) -> Result<Setup, Failure> {
        let sources = Sources::read(self.config.as_deref())?
            .with_defaults("bus", json!({ "urls": [OWN_BUS] }))
            // Log lines would drown what the process itself has to say.
            .with_defaults("telemetry", json!({ "level": "warn" }))
            // A stop takes ten seconds at most, the bus included.
            .with_defaults("server", json!({ "drain_seconds": 7 }))
            .with_defaults("gateway", json!({ "listen": LISTEN }))
            .with_defaults(
                "ordering",
                json!({ "database": sqlite(&self.data.join("ordering.db")) }),
            )
            .with_defaults(
                "complaints",
                json!({ "database": sqlite(&self.data.join("complaints.db")) }),
            )
            .with_defaults(
                "sla-monitor",
                json!({
                    "database": sqlite(&self.data.join("sla-monitor.db")),
                    "sources": [ordering::NAME, complaints::NAME],
                }),
            );
        Ok(Setup {
            data: self.data.clone(),
            settings: sources.settings()?,
            ordering: sources.section(ordering::NAME)?,
            complaints: sources.section(complaints::NAME)?,
            sla_monitor: sources.section(sla_monitor::NAME)?,
            gateway: sources.section("gateway")?,
        })
    }
}

/// The URL of a file: what means something in a URL is escaped.
fn sqlite(file: &Path) -> String {
    let file = file.display().to_string();
    format!("sqlite://{}", file.replace('%', "%25").replace('?', "%3F").replace('#', "%23"))
}

impl Setup {
    /// Whether the nats-server is one that `emall up` starts.
    pub(crate) fn has_own_bus(&self) -> bool {
        self.settings.bus.urls == [OWN_BUS]
    }

    /// From now on the bus is there.
    pub(crate) fn use_bus(&mut self, url: String) {
        self.settings.bus.urls = vec![url];
    }

    /// Where the bus is, for messages: as given, else that of a running `emall up`, else as
    /// configured.
    pub(crate) fn bus_url(&self, given: Option<&str>) -> String {
        match given {
            Some(url) => url.to_owned(),
            None if self.has_own_bus() => place::bus(&self.data)
                .unwrap_or_else(|| format!("(nothing runs on {})", self.data.display())),
            None => self.settings.bus.urls.join(","),
        }
    }

    /// Begins to connect to the bus; whether it answers is another question.
    pub(crate) async fn bus(&self, name: &str, given: Option<&str>) -> Result<Bus, Failure> {
        let mut options = self.settings.bus.options(name);
        if let Some(url) = given {
            options.urls = vec![url.to_owned()];
        } else if self.has_own_bus() {
            let running = place::bus(&self.data).ok_or_else(|| {
                Failure::broken(format!(
                    "nothing runs on {}; start `emall up`, or name its folder with --data",
                    self.data.display()
                ))
            })?;
            options.urls = vec![running];
        }
        Bus::connect(options)
            .await
            .map_err(|error| Failure::because("the bus cannot be used; correct [bus]", error))
    }

    /// One service by its own name or that of its log.
    pub(crate) fn service(&self, name: &str) -> Result<Service, Failure> {
        match log_of(name) {
            Some(ordering::NAME) => Ok(Service {
                name: ordering::NAME,
                options: ordering::log_options(&self.ordering),
                database: self.ordering.database.clone(),
                kinds: ordering::kinds(),
                projections: vec![
                    ordering::daily_figures::DailyFigures::NAME,
                    ordering::carrier_record::CarrierRecord::NAME,
                ],
            }),
            Some(complaints::NAME) => Ok(Service {
                name: complaints::NAME,
                options: complaints::log_options(&self.complaints),
                database: self.complaints.database.clone(),
                kinds: complaints::kinds(),
                projections: vec![complaints::statistics::Statistics::NAME],
            }),
            Some(sla_monitor::CONTEXT) => Ok(Service {
                name: sla_monitor::CONTEXT,
                options: sla_monitor::log_options(&self.sla_monitor),
                database: self.sla_monitor.database.clone(),
                kinds: sla_monitor::kinds(),
                projections: vec![sla_monitor::compliance::Compliance::NAME],
            }),
            Some(_) | None => Err(Failure::usage(format!(
                "there is no service {name}; choose from {}",
                SERVICES.join(", ")
            ))),
        }
    }

    /// One service by name, or all of them.
    pub(crate) fn services(&self, name: Option<&str>) -> Result<Vec<Service>, Failure> {
        match name {
            Some(name) => Ok(vec![self.service(name)?]),
            None => SERVICES.iter().map(|name| self.service(name)).collect(),
        }
    }

    /// The address that a client on this machine reaches a listener at.
    pub(crate) fn reachable(listening: SocketAddr) -> String {
        let host = match listening.ip() {
            ip if ip.is_unspecified() && ip.is_ipv4() => "127.0.0.1".to_owned(),
            ip if ip.is_unspecified() => "[::1]".to_owned(),
            std::net::IpAddr::V4(ip) => ip.to_string(),
            std::net::IpAddr::V6(ip) => format!("[{ip}]"),
        };
        format!("{host}:{}", listening.port())
    }
}

/// A service as the operator's commands need it.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    /// Name of its log.
    pub(crate) name: &'static str,
    pub(crate) options: LogOptions,
    database: String,
    pub(crate) kinds: Kinds,
    pub(crate) projections: Vec<&'static str>,
}

impl Service {
    /// Name of its stream on the bus.
    pub(crate) fn stream(&self) -> String {
        StreamOptions::of(self.name).name
    }

    /// Refuses a database that is not there: opening would make an empty one.
    pub(crate) fn must_exist(&self) -> Result<(), Failure> {
        let Some(path) = self.database.strip_prefix("sqlite://") else { return Ok(()) };
        let path = path.split('?').next().unwrap_or(path);
        let path = path.replace("%3F", "?").replace("%23", "#").replace("%25", "%");
        if Path::new(&path).exists() {
            return Ok(());
        }
        Err(Failure::broken(format!(
            "there is no database {path}; start `emall up` once, or name the folder with --data",
        )))
    }

    /// The log, beside whoever else has it open.
    pub(crate) async fn open(&self) -> Result<Log, Failure> {
        self.must_exist()?;
        Log::open(self.options.clone()).await.map_err(|error| {
            let sentence = format!("the log of {} cannot be opened; check its database", self.name);
            Failure::because(sentence, error)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{Place, SERVICES, Setup, sqlite};

    fn setup(data: &str) -> Setup {
        Place { config: None, data: PathBuf::from(data) }.read().unwrap()
    }

    #[test]
    fn everything_lies_in_the_data_folder_unless_configured() {
        let setup = setup("/srv/emall");
        assert_eq!(setup.ordering.database, "sqlite:///srv/emall/ordering.db");
        assert_eq!(setup.complaints.database, "sqlite:///srv/emall/complaints.db");
        assert_eq!(setup.sla_monitor.database, "sqlite:///srv/emall/sla-monitor.db");
        assert_eq!(setup.gateway.listen.to_string(), super::LISTEN);
        assert!(setup.has_own_bus());
    }

    #[test]
    fn a_file_goes_above_the_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("emall.toml");
        std::fs::write(
            &file,
            "[bus]\nurls = [\"nats://a:1\"]\n[gateway]\nlisten = \"0.0.0.0:9\"\n",
        )
        .unwrap();
        let place = Place { config: Some(file), data: folder.path().to_owned() };
        let setup = place.read().unwrap();
        assert!(!setup.has_own_bus());
        assert_eq!(setup.bus_url(None), "nats://a:1");
        assert_eq!(Setup::reachable(setup.gateway.listen), "127.0.0.1:9");
    }

    #[test]
    fn a_path_survives_the_way_through_a_url() {
        assert_eq!(sqlite(Path::new("a b/50%/x?.db")), "sqlite://a b/50%25/x%3F.db");
    }

    #[test]
    fn every_service_is_known_and_no_other() {
        let setup = setup("nowhere-at-all");
        for name in SERVICES {
            assert_eq!(setup.service(name).unwrap().name, name);
        }
        assert_eq!(setup.service("sla-monitor").unwrap().name, "sla");
        assert_eq!(setup.service("ORDERING").unwrap().stream(), "ORDERING");
        let unknown = setup.service("weather").unwrap_err().to_string();
        assert!(unknown.contains("ordering"), "{unknown}");
        let lost = setup.service("ordering").unwrap().must_exist().unwrap_err().to_string();
        assert!(lost.contains("emall up"), "{lost}");
    }
}
