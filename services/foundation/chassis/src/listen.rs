//! A listener whose peers cannot hold it: bounded connections, a bounded time to the first request,
//! bounded idleness, a bounded stop.
//!
//! tonic's own server has no limit on a peer that connects and then says nothing; hence this one,
//! on the same hyper connections.

mod activity;
mod linger;

use std::{
    convert::Infallible, error::Error, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration,
};

use activity::{Activity, Watched};
use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
    service::TowerToHyperService,
};
use linger::Lingering;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service;

use crate::{
    ConfigError,
    settings::{Server, TlsFiles},
};

/// A connection that is asked to close has this long after the last call.
const CLOSING: Duration = Duration::from_secs(1);

/// Bytes of all headers of one request.
const HEADER_BYTES: u32 = 16 * 1024;

/// A bound socket, ready to serve.
pub struct Listener {
    tcp: TcpListener,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    http1: bool,
    limits: Server,
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener").field("tcp", &self.tcp).finish_non_exhaustive()
    }
}

/// Why a listener cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address is taken, or not ours.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// Certificate or key cannot be used.
    #[error(transparent)]
    Tls(#[from] ConfigError),
}

impl Listener {
    /// Binds an address for HTTP/2, with the limits of a section.
    ///
    /// # Errors
    /// The address cannot be had.
    pub async fn bind(address: SocketAddr, limits: &Server) -> Result<Self, ListenError> {
        let refused = |source| ListenError::Bind { address, source };
        let tcp = TcpListener::bind(address).await.map_err(refused)?;
        let address = tcp.local_addr().map_err(refused)?;
        Ok(Self { tcp, address, tls: None, http1: false, limits: limits.clone() })
    }

    /// Takes HTTP/1.1 as well: gRPC-Web, plain pages.
    #[must_use]
    pub fn with_http1(mut self) -> Self {
        self.http1 = true;
        self
    }

    /// Speaks TLS, where files are named.
    ///
    /// # Errors
    /// Certificate or key cannot be read or do not belong together.
    pub fn with_tls(mut self, files: Option<&TlsFiles>) -> Result<Self, ListenError> {
        self.tls = files.map(|files| tls_acceptor(files, self.http1)).transpose()?;
        Ok(self)
    }

    /// The address bound, with its real port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `closing`, then lets the calls in work finish. The caller bounds that by
    /// dropping the future; connections end with it.
    pub async fn serve<S, B>(self, service: S, closing: CancellationToken)
    where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send + Unpin + 'static,
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let Self { tcp, tls, http1, limits, .. } = self;
        let slots = Arc::new(Semaphore::new(limits.max_connections));
        let connections = TaskTracker::new();
        // Ends the connections when this future is dropped.
        let abandoned = CancellationToken::new();
        let _abandon = abandoned.clone().drop_guard();
        let builder = Arc::new(http(&limits, http1));

        while let Some(stream) = accept(&tcp, &slots, &closing).await {
            let (stream, slot) = stream;
            let (service, tls, builder) = (service.clone(), tls.clone(), builder.clone());
            let (closing, limits) = (closing.clone(), limits.clone());
            let connection = async move {
                let _slot = slot;
                let handshake = Duration::from_secs(limits.handshake_seconds);
                let _ = stream.set_nodelay(true);
                let stream = Lingering::new(stream);
                match tls {
                    None => converse(stream, service, &builder, &limits, closing).await,
                    Some(tls) => match timeout(handshake, tls.accept(stream)).await {
                        Ok(Ok(stream)) => {
                            converse(stream, service, &builder, &limits, closing).await;
                        }
                        Ok(Err(error)) => tracing::debug!(%error, "TLS handshake failed"),
                        Err(_) => tracing::debug!("TLS handshake took too long"),
                    },
                }
            };
            let abandoned = abandoned.clone();
            connections.spawn(async move { abandoned.run_until_cancelled(connection).await });
        }
        drop(tcp);
        connections.close();
        connections.wait().await;
    }
}

/// The next connection; `None` once the listener is to close.
async fn accept(
    tcp: &TcpListener,
    slots: &Arc<Semaphore>,
    closing: &CancellationToken,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    loop {
        let next = async {
            let slot = slots.clone().acquire_owned().await.ok()?;
            Some((tcp.accept().await, slot))
        };
        match closing.run_until_cancelled(next).await?? {
            (Ok((stream, _)), slot) => return Some((stream, slot)),
            (Err(error), _) => {
                // Out of descriptors, or a peer that gave up: neither ends the listener.
                tracing::warn!(%error, "cannot accept a connection");
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn converse<I, S, B>(
    stream: I,
    service: S,
    builder: &auto::Builder<TokioExecutor>,
    limits: &Server,
    closing: CancellationToken,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send + Unpin + 'static,
    B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let activity = Arc::new(Activity::default());
    let service = TowerToHyperService::new(Watched::new(service, activity.clone()));
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let idle = activity.idle_longer_than(
        Duration::from_secs(limits.handshake_seconds),
        Duration::from_secs(limits.idle_seconds),
    );
    let ended = tokio::select! {
        ended = &mut connection => Some(ended),
        () = closing.cancelled() => None,
        () = idle => None,
    };
    let ended = match ended {
        Some(ended) => Some(ended),
        None => {
            connection.as_mut().graceful_shutdown();
            // A peer that never spoke does not hear the goodbye either: it has no call, and gets
            // a moment only.
            let silent = async {
                loop {
                    activity.none_in_work().await;
                    sleep(CLOSING).await;
                    if activity.is_idle() {
                        break;
                    }
                }
            };
            tokio::select! {
                ended = &mut connection => Some(ended),
                () = silent => None,
            }
        }
    };
    if let Some(Err(error)) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}

fn http(limits: &Server, http1: bool) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    if !http1 {
        builder = builder.http2_only();
    }
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(limits.handshake_seconds));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.max_streams)
        .max_header_list_size(HEADER_BYTES)
        .keep_alive_interval(Duration::from_secs(limits.keepalive_seconds))
        .keep_alive_timeout(Duration::from_secs(limits.keepalive_timeout_seconds));
    builder
}

fn tls_acceptor(files: &TlsFiles, http1: bool) -> Result<TlsAcceptor, ConfigError> {
    let unusable = |what: &str, path: &std::path::Path, error: &dyn std::fmt::Display| {
        ConfigError::new(format!(
            "the TLS {what} {} cannot be used ({error}); name a readable PEM file",
            path.display()
        ))
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&files.cert)
        .and_then(Iterator::collect)
        .map_err(|error| unusable("certificate", &files.cert, &error))?;
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|error| unusable("key", &files.key, &error))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(
        tokio_rustls::rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
    .map_err(|error| unusable("certificate", &files.cert, &error))?;
    config.alpn_protocols.push(b"h2".to_vec());
    if http1 {
        config.alpn_protocols.push(b"http/1.1".to_vec());
    }
    Ok(TlsAcceptor::from(Arc::new(config)))
}
