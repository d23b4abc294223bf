//! The product as a user starts it: `emall up`, with the API keys that the tests need.

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
};

use contracts::ordering::order_service_client::OrderServiceClient;
use tempfile::TempDir;
use tonic::{
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};

pub use crate::program::binary;
use crate::program::{Program, Told, run};

/// Key of the platform `mall-a`.
pub const MALL_A: &str = "key-of-mall-a-0123456789";
/// Key of the platform `mall-b`.
pub const MALL_B: &str = "key-of-mall-b-0123456789";
/// Key of an operator who may also do what finance does.
pub const OPERATOR: &str = "key-of-the-operator-0123456789";
/// Key of an auditor.
pub const AUDITOR: &str = "key-of-the-auditor-0123456789";

/// A client with a key.
pub type Orders = OrderServiceClient<InterceptedService<Channel, Key>>;

/// An API key, put into each request.
#[derive(Debug, Clone)]
pub struct Key(MetadataValue<Ascii>);

impl Key {
    /// The key as a bearer token.
    ///
    /// # Panics
    /// The key cannot stand in a header.
    #[must_use]
    pub fn new(key: &str) -> Self {
        Self(format!("Bearer {key}").parse().expect("a key of letters and digits"))
    }
}

impl Interceptor for Key {
    fn call(
        &mut self,
        mut request: tonic::Request<()>,
    ) -> Result<tonic::Request<()>, tonic::Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// A running `emall up` and its data.
#[derive(Debug)]
pub struct Stack {
    program: Program,
    /// Where its gateway listens.
    pub address: SocketAddr,
    /// Where its bus listens.
    pub bus: SocketAddr,
    bus_is_own: bool,
    speed: u32,
    folder: TempDir,
}

impl Stack {
    /// Starts on an empty folder, and waits until it serves.
    pub async fn start() -> Self {
        Self::start_with("").await
    }

    /// The same, with more configuration.
    pub async fn start_with(config: &str) -> Self {
        Self::up(&format!("{}\n{config}", keys()), None, 1).await
    }

    /// The same, with time so many times as fast.
    pub async fn start_fast(speed: u32) -> Self {
        Self::up(&keys(), None, speed).await
    }

    /// The same, on a bus that is there already.
    pub async fn start_on(bus: SocketAddr) -> Self {
        Self::up(&keys(), Some(bus), 1).await
    }

    /// As a new user starts it: without keys of one's own.
    pub async fn start_bare() -> Self {
        Self::up("", None, 1).await
    }

    async fn up(config: &str, bus: Option<SocketAddr>, speed: u32) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let address = free_address();
        let config = format!("[gateway]\nlisten = \"{address}\"\n\n{config}");
        std::fs::write(folder.path().join("emall.toml"), config).expect("a configuration");
        let bus_is_own = bus.is_none();
        let bus = bus.unwrap_or_else(free_address);
        let program = spawn(folder.path(), bus, bus_is_own, speed);
        let mut stack = Self { program, address, bus, bus_is_own, speed, folder };
        stack.await_ready().await;
        stack
    }

    /// Its folder, which holds `emall.toml` and `data`.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its data folder.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A client with a key.
    ///
    /// # Panics
    /// The gateway cannot be reached.
    pub async fn orders(&self, key: &str) -> Orders {
        orders(self.address, key).await
    }

    /// A connection to the gateway.
    ///
    /// # Panics
    /// The gateway cannot be reached.
    pub async fn channel(&self) -> Channel {
        channel(self.address).await
    }

    async fn await_ready(&mut self) {
        let running = self.data().join("running.json");
        self.program
            .await_ready(|id| {
                // one that was killed has left its own behind
                let told = std::fs::read(&running).unwrap_or_default();
                let told: serde_json::Value = serde_json::from_slice(&told).unwrap_or_default();
                std::future::ready(told["pid"] == id)
            })
            .await;
    }

    /// What it has logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.program.log()
    }

    /// Process id of `emall up`.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.program.id()
    }

    /// `kill -9`, and nothing else: whatever it left behind stays.
    pub fn kill(&mut self) {
        self.program.kill();
    }

    /// Starts again on the same folder and the same ports.
    pub async fn restart(&mut self) {
        self.program = spawn(self.folder.path(), self.bus, self.bus_is_own, self.speed);
        self.await_ready().await;
    }

    /// Asks it to stop, and waits until it has.
    pub async fn stop(&mut self) -> ExitStatus {
        self.program.ask_to_stop();
        self.program.end().await
    }

    /// Waits until it ends by itself.
    pub async fn end(&mut self) -> ExitStatus {
        self.program.end().await
    }

    /// Runs `emall` on this stack's configuration and data.
    ///
    /// # Panics
    /// The binary cannot be run.
    pub async fn emall(&self, arguments: &[&str]) -> Told {
        let mut all = arguments.to_vec();
        all.extend(["--data", "data"]);
        // these speak to a gateway: they read no configuration
        if !matches!(arguments.first(), Some(&"push" | &"sla" | &"complaints")) {
            all.extend(["--config", "emall.toml"]);
        }
        run("emall", &all, self.folder()).await
    }

    /// One of the keys that `emall up` has made: `EMALL_KEY_OPERATOR`.
    ///
    /// # Panics
    /// There is no such key.
    #[must_use]
    pub fn made_key(&self, name: &str) -> String {
        let keys = std::fs::read_to_string(self.data().join("keys.env")).expect("keys.env");
        let key = keys.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        key.unwrap_or_else(|| panic!("no {name} in {keys}")).to_owned()
    }

    /// Runs `sqlite.py` on the log of `ordering`, behind the product's back.
    ///
    /// # Panics
    /// It does not succeed.
    #[must_use]
    pub fn sqlite(&self, what: &str) -> String {
        let output = Command::new("python3")
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sqlite.py"))
            .arg(self.data().join("ordering.db"))
            .arg(what)
            .output()
            .expect("python3");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8").trim_end().to_owned()
    }

    /// `emall verify`: log, rows and stream against each other.
    ///
    /// # Panics
    /// It finds a difference.
    pub async fn verify(&self) {
        let told = self.emall(&["verify"]).await;
        assert_eq!(told.code, Some(0), "{told:?}\n{}", self.log());
    }
}

/// A client of a gateway, with a key.
///
/// # Panics
/// The gateway cannot be reached.
pub async fn orders(gateway: SocketAddr, key: &str) -> Orders {
    OrderServiceClient::with_interceptor(channel(gateway).await, Key::new(key))
}

/// A connection.
///
/// # Panics
/// Nobody answers there.
pub async fn channel(address: SocketAddr) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).expect("an address");
    endpoint.connect().await.expect("a connection")
}

/// An address on this machine that is free now.
///
/// # Panics
/// There is none.
#[must_use]
pub fn free_address() -> SocketAddr {
    TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr()).expect("a port")
}

fn spawn(folder: &Path, bus: SocketAddr, bus_is_own: bool, speed: u32) -> Program {
    let (port, url) = (bus.port().to_string(), format!("nats://{bus}"));
    let bus = if bus_is_own { ["--nats-port", &port] } else { ["--nats-url", &url] };
    let speed = speed.to_string();
    let up = ["up", "--config", "emall.toml", "--data", "data", "--speed", &speed, bus[0], bus[1]];
    Program::start("emall", &up, folder, "up")
}

/// The keys that the tests come with, as the gateway is configured with them.
#[must_use]
pub fn keys() -> String {
    [
        ("mall-a", MALL_A, "platform = \"mall-a\""),
        ("mall-b", MALL_B, "platform = \"mall-b\""),
        ("operator", OPERATOR, "roles = [\"operator\", \"finance\"]"),
        ("auditor", AUDITOR, "roles = [\"auditor\"]"),
    ]
    .into_iter()
    .map(|(name, key, rights)| {
        let sha256 = gateway::hash_key(key);
        format!("[[gateway.keys]]\nname = \"{name}\"\nsha256 = \"{sha256}\"\n{rights}\n\n")
    })
    .collect()
}
