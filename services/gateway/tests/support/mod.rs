//! A service that echoes, without any contract: bytes in, bytes out. And a gateway before it, in the
//! same process or before a remote one.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

pub mod echo;
pub mod raw;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use chassis::{Host, Process, Secret, Services, Settings, TelemetryHandle};
use contracts::common::Role;
use eventlog::SystemClock;
use gateway::{Config, KeyConfig, Methods, Rate, hash_key};
use http::uri::PathAndQuery;
use tonic::{
    Request, Response, Status, Streaming,
    client::Grpc,
    transport::{Channel, Endpoint},
};

use self::{echo::Echo, raw::RawCodec};

pub const SOON: Duration = Duration::from_secs(10);
pub const OPERATOR: &str = "key-of-the-operator";
pub const PLATFORM: &str = "key-of-the-platform";
pub const LIMITED: &str = "key-with-a-rate";

/// Where the echo service is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Place {
    InProcess,
    Remote,
}

pub const PLACES: [Place; 2] = [Place::InProcess, Place::Remote];

/// A gateway with an echo service behind it.
pub struct Running {
    pub address: SocketAddr,
    pub host: Host,
    pub process: Process,
    pub echo: Echo,
    pub backend: Option<Backend>,
}

/// The process of a remote echo service.
pub struct Backend {
    pub address: SocketAddr,
    pub process: Process,
}

pub fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.server.listen = ([127, 0, 0, 1], 0).into();
    settings.server.max_message_bytes = 100_000;
    settings.server.drain_seconds = 2;
    settings.identity.internal_token = Some(Secret::new("0123456789abcdef"));
    settings
}

pub fn process(settings: Settings) -> Process {
    Process::new(settings, Arc::new(SystemClock), TelemetryHandle::default()).unwrap()
}

pub fn key(name: &str, key: &str) -> KeyConfig {
    KeyConfig {
        name: name.to_owned(),
        sha256: hash_key(key),
        platform: None,
        roles: BTreeSet::from(["operator".to_owned()]),
        rate: None,
    }
}

pub fn config(target: &str) -> Config {
    Config {
        listen: ([127, 0, 0, 1], 0).into(),
        routes: BTreeMap::from([("test".to_owned(), target.to_owned())]),
        health_interval_ms: 50,
        keys: vec![
            key("desk", OPERATOR),
            KeyConfig {
                platform: Some("mall-1".to_owned()),
                roles: BTreeSet::new(),
                ..key("mall-one", PLATFORM)
            },
            KeyConfig { rate: Some(Rate { per_second: 1, burst: 2 }), ..key("limited", LIMITED) },
        ],
        ..Config::default()
    }
}

pub fn methods() -> Methods {
    let both = || vec![Role::Operator, Role::Platform];
    Methods::new([
        ("/test.v1.Echo/Unary", both()),
        ("/test.v1.Echo/Both", both()),
        ("/test.v1.Echo/Flood", both()),
        ("/test.v1.Echo/Deaf", both()),
        ("/test.v1.Echo/Hang", both()),
        ("/test.v1.Echo/Panic", both()),
        ("/test.v1.Echo/Who", both()),
        ("/test.v1.Echo/Refuse", both()),
        ("/test.v1.Echo/ForPlatforms", vec![Role::Platform]),
        ("/test.v1.Echo/Closed", vec![]),
        ("/elsewhere.v1.Other/Unary", both()),
    ])
}

/// Starts a remote echo service; `port` 0 takes a free one.
pub async fn backend(echo: &Echo, port: u16) -> Backend {
    let mut settings = settings();
    settings.server.listen.set_port(port);
    let process = process(settings);
    let services = Services::new().with(echo.clone());
    let address = process.host("echo").serve(services).await.unwrap().unwrap();
    Backend { address, process }
}

pub async fn running(place: Place) -> Running {
    running_with(place, settings(), |_| {}).await
}

pub async fn running_with(
    place: Place,
    settings: Settings,
    change: impl FnOnce(&mut Config),
) -> Running {
    let process = process(settings);
    let echo = Echo::default();
    let (mut config, backend) = match place {
        Place::InProcess => {
            let host = process.in_process_host("echo");
            host.serve(Services::new().with(echo.clone())).await.unwrap();
            (config("in-process"), None)
        }
        Place::Remote => {
            let backend = backend(&echo, 0).await;
            (config(&format!("http://{}", backend.address)), Some(backend))
        }
    };
    change(&mut config);
    let host = process.host("gateway");
    let address = gateway::open(&config, &host, &methods()).await.unwrap();
    Running { address, host, process, echo, backend }
}

impl Running {
    pub fn client(&self) -> Client {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address)).unwrap();
        Client(Grpc::new(endpoint.connect_lazy()))
    }
}

#[derive(Clone)]
pub struct Client(pub Grpc<Channel>);

pub fn with_key<T>(message: T, key: &str) -> Request<T> {
    let mut request = Request::new(message);
    let bearer = format!("Bearer {key}").parse().unwrap();
    request.metadata_mut().insert("authorization", bearer);
    request
}

pub fn path(method: &str) -> PathAndQuery {
    let full =
        if method.starts_with('/') { method.to_owned() } else { format!("/test.v1.Echo/{method}") };
    full.parse().unwrap()
}

impl Client {
    pub async fn call(
        &mut self,
        method: &str,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, Status> {
        self.0.ready().await.map_err(|error| Status::unknown(error.to_string()))?;
        self.0.unary(request, path(method), RawCodec).await
    }

    pub async fn unary(&mut self, method: &str, message: &[u8]) -> Result<Bytes, Status> {
        let request = with_key(Bytes::copy_from_slice(message), OPERATOR);
        Ok(self.call(method, request).await?.into_inner())
    }

    pub async fn streaming(
        &mut self,
        method: &str,
        messages: impl tokio_stream::Stream<Item = Bytes> + Send + 'static,
    ) -> Result<Streaming<Bytes>, Status> {
        self.0.ready().await.map_err(|error| Status::unknown(error.to_string()))?;
        let request = with_key(messages, OPERATOR);
        Ok(self.0.streaming(request, path(method), RawCodec).await?.into_inner())
    }
}

/// Waits until a condition holds, without knowing when.
pub async fn eventually(what: &str, condition: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !condition() {
        assert!(begun.elapsed() < SOON, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
