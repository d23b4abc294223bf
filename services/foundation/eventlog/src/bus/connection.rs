//! The connection to NATS: made in the background, made again for ever.
//!
//! The invariant: nothing here gives up. A bus that is down is a state to wait out, never an error
//! that ends a service.

use std::{path::PathBuf, sync::Mutex, time::Duration};

use async_nats::{Client, ConnectOptions, Event};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::watch;

/// Where the bus is and who connects to it.
#[derive(Debug, Clone)]
pub struct BusOptions {
    /// Servers, such as `nats://nats-0:4222`; the others of a cluster are learned from the first.
    pub urls: Vec<String>,
    /// Shown in the server's list of connections: the service's name.
    pub name: String,
    /// How to prove who connects.
    pub login: Login,
    /// Root certificates in PEM, where the servers ask for TLS with certificates of one's own.
    pub root_certificates: Option<PathBuf>,
    /// How long an answer of the server may take.
    pub request_timeout: Duration,
}

impl BusOptions {
    /// A connection without a login.
    pub fn new(name: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            urls: vec![url.into()],
            name: name.into(),
            login: Login::None,
            root_certificates: None,
            request_timeout: Duration::from_secs(5),
        }
    }
}

/// How a service proves who it is.
#[derive(Clone, Default)]
pub enum Login {
    /// Not at all.
    #[default]
    None,
    /// By name and password.
    Password {
        /// The user's name.
        user: String,
        /// The user's password.
        password: String,
    },
    /// By a shared token.
    Token(String),
    /// By a `.creds` file.
    Credentials(PathBuf),
}

impl std::fmt::Debug for Login {
    /// Secrets stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Password { user, .. } => write!(f, "Password {{ user: {user:?} }}"),
            Self::Token(_) => f.write_str("Token"),
            Self::Credentials(path) => write!(f, "Credentials({})", path.display()),
        }
    }
}

/// Why a connection cannot even be tried.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A server's address is not one.
    #[error("{url:?} is no NATS address; write it as nats://host:4222")]
    Address {
        /// As given.
        url: String,
        /// What is wrong with it.
        source: std::io::Error,
    },
    /// The credentials cannot be read.
    #[error("cannot read the NATS credentials {}", .path.display())]
    Credentials {
        /// As given.
        path: PathBuf,
        /// What is wrong with it.
        source: std::io::Error,
    },
    /// The client refuses its options.
    #[error("cannot set up the NATS connection")]
    Setup(#[source] async_nats::ConnectError),
}

impl BusOptions {
    /// Whether the servers' addresses are addresses; asks no server.
    ///
    /// # Errors
    /// The first that is none.
    pub fn check(&self) -> Result<(), ConnectError> {
        self.addresses().map(drop)
    }

    fn addresses(&self) -> Result<Vec<async_nats::ServerAddr>, ConnectError> {
        let address = |url: &String| {
            url.parse::<async_nats::ServerAddr>()
                .map_err(|source| ConnectError::Address { url: url.clone(), source })
        };
        self.urls.iter().map(address).collect()
    }
}

/// Why the JetStream API gave no answer to a request.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// Nobody answered; a later try may succeed.
    #[error("JetStream does not answer")]
    Silent(#[source] async_nats::RequestError),
    /// The connection was lost or made anew in between; a later try may succeed.
    #[error("the connection changed before JetStream answered")]
    Disconnected,
    /// The server said no.
    #[error("JetStream says: {description} ({code})")]
    Refused {
        /// JetStream's own error code, such as 10059 for a stream that is not there.
        code: u64,
        /// In the server's words.
        description: String,
    },
    /// The answer makes no sense.
    #[error("JetStream's answer cannot be read")]
    Unreadable(#[source] serde_json::Error),
}

impl ApiError {
    pub(crate) fn is(&self, wanted: u64) -> bool {
        matches!(self, Self::Refused { code, .. } if *code == wanted)
    }
}

/// What the connection is like now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Link {
    pub(crate) up: bool,
    /// Grows with every connection that is made: what was in flight over an older one is in doubt.
    pub(crate) generation: u64,
}

/// A connection to the bus; clones share it.
#[derive(Debug, Clone)]
pub struct Bus {
    client: Client,
    link: watch::Receiver<Link>,
}

impl Bus {
    /// Starts connecting, in the background and for as long as it takes.
    ///
    /// # Errors
    /// Options that no retry would help.
    pub async fn connect(options: BusOptions) -> Result<Self, ConnectError> {
        let servers = options.addresses()?;
        let (changes, link) = watch::channel(Link::default());
        let name = options.name.clone();
        let said = Mutex::new(String::new());
        let mut connect = ConnectOptions::new()
            .name(&options.name)
            .retry_on_initial_connect()
            .max_reconnects(None)
            .connection_timeout(Duration::from_secs(5))
            .ping_interval(Duration::from_secs(10))
            .request_timeout(Some(options.request_timeout))
            .reconnect_delay_callback(|attempt| {
                let doublings = u32::try_from(attempt.min(6)).unwrap_or(6);
                super::backoff::jittered(Duration::from_millis(25) * 2_u32.pow(doublings))
            })
            .event_callback(move |event| {
                note(&name, &changes, &said, &event);
                std::future::ready(())
            });
        connect = match options.login {
            Login::None => connect,
            Login::Password { user, password } => connect.user_and_password(user, password),
            Login::Token(token) => connect.token(token),
            Login::Credentials(path) => {
                let text = std::fs::read_to_string(&path)
                    .map_err(|source| ConnectError::Credentials { path: path.clone(), source })?;
                connect
                    .credentials(&text)
                    .map_err(|source| ConnectError::Credentials { path, source })?
            }
        };
        if let Some(path) = options.root_certificates {
            connect = connect.add_root_certificates(path);
        }
        let client = connect.connect(servers).await.map_err(ConnectError::Setup)?;
        Ok(Self { client, link })
    }

    /// The client underneath, for requests between services.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Whether the bus is reachable now, for a service's readiness.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.link.borrow().up
    }

    /// What the connection is like now.
    pub(crate) fn link(&self) -> Link {
        *self.link.borrow()
    }

    /// Waits until the bus is reachable.
    pub async fn connected(&self) {
        self.up().await;
    }

    /// Waits until the bus is reachable, and says which connection it is.
    pub(crate) async fn up(&self) -> Link {
        let mut link = self.link.clone();
        let up = link.wait_for(|link| link.up).await.map(|link| *link).ok();
        match up {
            Some(link) => link,
            // The client is gone, and with it every hope: whoever waits is about to be dropped.
            None => std::future::pending().await,
        }
    }

    /// Waits until the connection is another one than `known`, or none.
    pub(crate) async fn changed_from(&self, known: Link) {
        let mut link = self.link.clone();
        let changed = link.wait_for(|now| *now != known).await.is_ok();
        if !changed {
            std::future::pending().await
        }
    }

    /// A request that does not wait for an answer over a connection that is no more.
    pub(crate) async fn request(
        &self,
        subject: String,
        body: bytes::Bytes,
    ) -> Result<async_nats::Message, ApiError> {
        let link = self.link();
        tokio::select! {
            biased;
            answer = self.client.request(subject, body) => answer.map_err(ApiError::Silent),
            () = self.changed_from(link) => Err(ApiError::Disconnected),
        }
    }

    /// Asks the JetStream API.
    pub(crate) async fn ask<Q, A>(&self, subject: &str, request: &Q) -> Result<A, ApiError>
    where
        Q: Serialize + ?Sized,
        A: DeserializeOwned,
    {
        let body = serde_json::to_vec(request).map_err(ApiError::Unreadable)?;
        let answer = self.request(format!("$JS.API.{subject}"), body.into()).await?;
        let value: serde_json::Value =
            serde_json::from_slice(&answer.payload).map_err(ApiError::Unreadable)?;
        if let Some(fault) = value.get("error") {
            return Err(refused(fault));
        }
        serde_json::from_value(value).map_err(ApiError::Unreadable)
    }
}

/// The error object of a JetStream answer.
pub(crate) fn refused(fault: &serde_json::Value) -> ApiError {
    let number = |name| fault.get(name).and_then(serde_json::Value::as_u64);
    ApiError::Refused {
        code: number("err_code").or_else(|| number("code")).unwrap_or_default(),
        description: fault
            .get("description")
            .and_then(serde_json::Value::as_str)
            .unwrap_or("no reason")
            .to_owned(),
    }
}

fn note(name: &str, changes: &watch::Sender<Link>, said: &Mutex<String>, event: &Event) {
    match event {
        Event::Connected => {
            crate::lock(said).clear();
            changes.send_modify(|link| {
                link.up = true;
                link.generation += 1;
            });
            tracing::info!(connection = name, "connected to the bus");
        }
        Event::Disconnected | Event::Closed => {
            changes.send_modify(|link| link.up = false);
            tracing::warn!(connection = name, "disconnected from the bus; connecting again");
        }
        Event::SlowConsumer(subscription) => {
            tracing::warn!(connection = name, subscription, "messages dropped: reader too slow");
        }
        Event::ServerError(error) => {
            tracing::warn!(connection = name, %error, "the bus reports an error");
        }
        Event::ClientError(error) => {
            // Each try says it; once is enough until something else is wrong.
            let (error, mut said) = (error.to_string(), crate::lock(said));
            if *said != error {
                tracing::warn!(connection = name, error, "the bus cannot be reached; trying again");
                *said = error;
            }
        }
        Event::LameDuckMode | Event::Draining => {
            tracing::info!(connection = name, %event, "the bus is about to leave");
        }
    }
}
