//! One connection: made when a call needs it, watched by pings, made again when lost.

use std::{
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use chassis::ConfigError;
use h2::{
    Ping,
    client::{self, SendRequest},
};
use http::{
    Uri,
    uri::{Authority, Scheme},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{Instant, sleep, timeout},
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};

use crate::config::Config;

/// After a failure the same answer is given for this long, so that callers do not queue up behind
/// an address that is away.
const REMEMBERED: Duration = Duration::from_millis(100);
const PING_EVERY: Duration = Duration::from_secs(10);
const PONG_WITHIN: Duration = Duration::from_secs(5);
/// Bytes under way in one stream, and in all of one connection.
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 8 * 1024 * 1024;

/// Why there is no connection.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum LinkError {
    #[error("cannot connect to {address}")]
    Connect { address: String, source: Arc<io::Error> },
    #[error("connecting to {address} takes too long")]
    Slow { address: String },
    #[error("{address} does not speak HTTP/2")]
    Handshake { address: String, source: Arc<h2::Error> },
}

/// An address, as a URL names it.
pub(super) struct Target {
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
    address: (String, u16),
    tls: Option<(TlsConnector, ServerName<'static>)>,
    connect_within: Duration,
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

impl Target {
    pub(super) fn parse(url: &str, config: &Config) -> Result<Self, ConfigError> {
        let wrong = |why: &str| {
            ConfigError::new(format!(
                "the route to {url} cannot be used ({why}); write a URL such as http://ordering:50051"
            ))
        };
        let uri: Uri = url.parse().map_err(|_| wrong("it is no URL"))?;
        let (Some(scheme), Some(authority)) = (uri.scheme().cloned(), uri.authority().cloned())
        else {
            return Err(wrong("it has no host"));
        };
        if uri.path_and_query().is_some_and(|path| path.as_str() != "/") {
            return Err(wrong("it has a path"));
        }
        let secure = scheme == Scheme::HTTPS;
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let tls = if secure {
            let name = ServerName::try_from(host.clone())
                .map_err(|_| wrong("no certificate can be for that host"))?;
            let Some(roots) = &config.backend_roots else {
                return Err(wrong("for https, gateway.backend_roots must name a PEM file"));
            };
            Some((connector(roots)?, name))
        } else {
            None
        };
        let connect_within = Duration::from_millis(config.connect_timeout_ms);
        Ok(Self { scheme, authority, address: (host, port), tls, connect_within })
    }

    async fn connect(&self) -> Result<SendRequest<Bytes>, LinkError> {
        let address = self.authority.to_string();
        let failed =
            |error| LinkError::Connect { address: address.clone(), source: Arc::new(error) };
        let connecting = async {
            let (host, port) = &self.address;
            let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(failed)?;
            let _ = stream.set_nodelay(true);
            match &self.tls {
                None => self.shake_hands(stream).await,
                Some((connector, name)) => {
                    let stream = connector.connect(name.clone(), stream).await.map_err(failed)?;
                    self.shake_hands(stream).await
                }
            }
        };
        timeout(self.connect_within, connecting)
            .await
            .unwrap_or_else(|_| Err(LinkError::Slow { address: address.clone() }))
    }

    async fn shake_hands<I>(&self, stream: I) -> Result<SendRequest<Bytes>, LinkError>
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, mut connection) = client::Builder::new()
            .enable_push(false)
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .handshake::<_, Bytes>(stream)
            .await
            .map_err(|error| LinkError::Handshake {
                address: self.authority.to_string(),
                source: Arc::new(error),
            })?;
        let pings = connection.ping_pong();
        tokio::spawn(async move {
            let unanswered = async {
                let Some(mut pings) = pings else { return std::future::pending().await };
                loop {
                    sleep(PING_EVERY).await;
                    if !matches!(timeout(PONG_WITHIN, pings.ping(Ping::opaque())).await, Ok(Ok(_)))
                    {
                        return;
                    }
                }
            };
            tokio::select! {
                ended = connection => if let Err(error) = ended {
                    tracing::debug!(%error, "the connection to a service broke");
                },
                () = unanswered => tracing::warn!("a service no longer answers pings"),
            }
        });
        Ok(sender)
    }
}

fn connector(roots: &Path) -> Result<TlsConnector, ConfigError> {
    let unusable = |error: &dyn std::fmt::Display| {
        ConfigError::new(format!(
            "gateway.backend_roots {} cannot be used ({error}); name a readable PEM file",
            roots.display()
        ))
    };
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(roots).map_err(|error| unusable(&error))? {
        let certificate = certificate.map_err(|error| unusable(&error))?;
        store.add(certificate).map_err(|error| unusable(&error))?;
    }
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&error))?
        .with_root_certificates(store)
        .with_no_client_auth();
    config.alpn_protocols.push(b"h2".to_vec());
    Ok(TlsConnector::from(Arc::new(config)))
}

/// See the module.
#[derive(Debug)]
pub(super) struct Link {
    target: Arc<Target>,
    live: Mutex<Option<SendRequest<Bytes>>>,
    /// Held by the one that connects; remembers its last failure.
    connecting: tokio::sync::Mutex<Option<(Instant, LinkError)>>,
}

impl Link {
    pub(super) fn new(target: Arc<Target>) -> Self {
        Self { target, live: Mutex::default(), connecting: tokio::sync::Mutex::default() }
    }

    /// A connection that takes one more stream.
    pub(super) async fn sender(&self) -> Result<SendRequest<Bytes>, LinkError> {
        if let Some(sender) = self.usable().await {
            return Ok(sender);
        }
        let mut last_failure = self.connecting.lock().await;
        // Somebody else may have connected, or failed to, while we waited.
        if let Some(sender) = self.usable().await {
            return Ok(sender);
        }
        if let Some((at, error)) = &*last_failure
            && at.elapsed() < REMEMBERED
        {
            return Err(error.clone());
        }
        match self.target.connect().await {
            Ok(sender) => {
                *last_failure = None;
                *self.live() = Some(sender.clone());
                Ok(sender)
            }
            Err(error) => {
                *last_failure = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    async fn usable(&self) -> Option<SendRequest<Bytes>> {
        let sender = self.live().clone()?;
        // Waits where the peer has as many streams as it takes: that is its back-pressure.
        sender.ready().await.ok()
    }

    fn live(&self) -> std::sync::MutexGuard<'_, Option<SendRequest<Bytes>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
