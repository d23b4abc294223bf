//! One process per service, as in production: `ordering`, `complaints` and `sla-monitor` on PostgreSQL,
//! `gateway` with routes to them, a nats-server, and the token that they share.

use std::net::SocketAddr;

use eventlog::bus::server::{Server, ServerOptions};
use tempfile::TempDir;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::{
    postgres::Database,
    program::{Program, Told, run},
    stack::{self, Orders, free_address},
};

/// What the gateway and the services share.
pub const TOKEN: &str = "token-between-the-services-0123456789";

/// What the parts stand on: a bus, a database, a folder.
#[derive(Debug)]
pub struct Ground {
    bus: Server,
    database: Database,
    complaints: Database,
    clocks: Database,
    folder: TempDir,
}

/// One service as a process.
#[derive(Debug)]
pub struct Part {
    /// The process.
    pub program: Program,
    /// Where it listens.
    pub address: SocketAddr,
    service: &'static str,
    /// Its configuration file.
    pub config: String,
}

impl Ground {
    /// Empty databases and an empty bus.
    ///
    /// # Panics
    /// One of them cannot be had.
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let bus = Server::start(ServerOptions::new(folder.path().join("nats"))).await;
        let bus = bus.expect("a nats-server: run `make test`");
        let [database, complaints, clocks] = [(); 3].map(|()| Database::create());
        Self { bus, database, complaints, clocks, folder }
    }

    /// Starts `ordering` on the one log.
    pub async fn ordering(&self) -> Part {
        self.service("ordering", "ordering", &self.database).await
    }

    /// Starts `complaints` on a log of its own.
    pub async fn complaints(&self) -> Part {
        self.service("complaints", "complaints", &self.complaints).await
    }

    /// Starts `sla-monitor` on the log of the clocks.
    pub async fn sla_monitor(&self) -> Part {
        self.service("sla-monitor", "sla_monitor", &self.clocks).await
    }

    async fn service(&self, name: &'static str, section: &str, database: &Database) -> Part {
        let (address, bus, database) = (free_address(), self.bus.url(), database.url());
        let config = format!(
            "[identity]\ninternal_token = \"{TOKEN}\"\n[bus]\nurls = [\"{bus}\"]\n\
             [server]\nlisten = \"{address}\"\n[{section}]\ndatabase = \"{database}\"\n"
        );
        self.part(name, address, &config).await
    }

    /// Starts a gateway that leads to `ordering`.
    pub async fn gateway(&self, ordering: &Part) -> Part {
        self.gateway_to(&[("emall.ordering", ordering)]).await
    }

    /// Starts a gateway that leads to these, by the beginning of their services' names.
    pub async fn gateway_to(&self, parts: &[(&str, &Part)]) -> Part {
        let (address, keys) = (free_address(), stack::keys());
        let routes: Vec<_> = parts
            .iter()
            .map(|(prefix, part)| format!("\"{prefix}\" = \"http://{}\"", part.address))
            .collect();
        let routes = routes.join(", ");
        let config = format!(
            "[identity]\ninternal_token = \"{TOKEN}\"\n[gateway]\nlisten = \"{address}\"\n\
             health_interval_ms = 50\nroutes = {{ {routes} }}\n{keys}"
        );
        self.part("gateway", address, &config).await
    }

    async fn part(&self, service: &'static str, address: SocketAddr, config: &str) -> Part {
        let name = format!("{service}-{}.toml", address.port());
        let path = self.folder.path().join(&name);
        std::fs::write(&path, config).expect("a configuration");
        let config = path.display().to_string();
        let program = self.spawn(service, &config, address);
        let mut part = Part { program, address, service, config };
        part.await_ready().await;
        part
    }

    fn spawn(&self, service: &str, config: &str, address: SocketAddr) -> Program {
        let log = format!("{service}-{}", address.port());
        Program::start(service, &["--config", config], self.folder.path(), &log)
    }

    /// Starts a part that has ended again, as it was.
    pub async fn restart(&self, part: &mut Part) {
        part.program = self.spawn(part.service, &part.config, part.address);
        part.await_ready().await;
    }

    /// Runs `emall` with the configuration of a part.
    pub async fn emall(&self, arguments: &[&str], part: &Part) -> Told {
        let arguments = [arguments, &["--config", &part.config]].concat();
        run("emall", &arguments, self.folder.path()).await
    }

    /// `emall verify`: log, rows and stream of a service against each other.
    ///
    /// # Panics
    /// It finds a difference.
    pub async fn verify(&self, part: &Part) {
        let told = self.emall(&["verify", part.service], part).await;
        assert_eq!(told.code, Some(0), "{told:?}\n{}", part.program.log());
    }

    /// Address of the bus.
    #[must_use]
    pub fn bus(&self) -> String {
        self.bus.url()
    }
}

impl Part {
    /// A client with a key, when this is a gateway.
    pub async fn orders(&self, key: &str) -> Orders {
        stack::orders(self.address, key).await
    }

    async fn await_ready(&mut self) {
        let url = format!("http://{}", self.address);
        self.program.await_ready(|_| serves(url.clone())).await;
    }
}

async fn serves(url: String) -> bool {
    let Ok(endpoint) = Endpoint::from_shared(url) else { return false };
    match endpoint.connect().await {
        Ok(channel) => is_serving(channel).await,
        Err(_) => false,
    }
}

/// What the health service says of the whole process.
pub async fn is_serving(channel: Channel) -> bool {
    let asked = HealthClient::new(channel).check(HealthCheckRequest::default()).await;
    asked.is_ok_and(|answer| answer.into_inner().status() == ServingStatus::Serving)
}
