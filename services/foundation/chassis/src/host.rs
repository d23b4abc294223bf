//! What a service is given by the process it runs in.

use std::{convert::Infallible, error::Error, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use eventlog::{Clock, Context, Log, Projection};
use http::{Request, Response};
use hyper::body::Incoming;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tonic_health::ServingStatus;
use tower::{Service, util::BoxCloneSyncService};

use crate::{
    BoxError, ListenError, Listener, Readiness, Registry, Services, Settings,
    identity::{Call, Trust},
    process::Shared,
    readiness::Part,
    rpc::Rpc,
};

/// The place of one service in its process. Cheap to clone.
#[derive(Clone)]
pub struct Host {
    /// Name of the service.
    pub name: Arc<str>,
    /// The one clock of the process.
    pub clock: Arc<dyn Clock>,
    /// Tells tasks to stop. Calls in work have finished by then.
    pub shutdown: CancellationToken,
    /// Tells long answers to come to their end, because the listener is closing.
    pub closing: CancellationToken,
    /// The common sections of the configuration.
    pub settings: Arc<Settings>,
    shared: Arc<Shared>,
    in_process: bool,
    serving: Part,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Why a service cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The listener cannot be had.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The contracts cannot be reflected.
    #[error("the descriptors of the contracts cannot be read")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// Two services of one process have the same name.
    #[error("the service {0} is served twice in this process")]
    Twice(&'static str),
}

impl Host {
    pub(crate) fn new(name: &str, shared: Arc<Shared>, in_process: bool) -> Self {
        Self {
            name: name.into(),
            clock: shared.clock.clone(),
            shutdown: shared.shutdown.clone(),
            closing: shared.closing.clone(),
            settings: shared.settings.clone(),
            serving: shared.readiness.part(name),
            shared,
            in_process,
        }
    }

    /// Runs a named task until the shutdown. If it ends before, well or badly, the process ends and
    /// says so.
    pub fn spawn<F, E>(&self, name: &str, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        self.shared.spawn_task(format!("{}/{name}", self.name), false, task);
    }

    /// Keeps the rows of a projection up with its log: a task of this name, as with [`Self::spawn`].
    pub fn project<P: Projection>(&self, name: &str, log: &Log) {
        let (log, shutdown) = (log.clone(), self.shutdown.clone());
        self.spawn(name, async move { log.project::<P>(shutdown).await });
    }

    /// Names a part of this service that can be away; the process is ready when all parts are.
    #[must_use]
    pub fn part(&self, name: &str) -> Part {
        self.shared.readiness.part(format!("{}/{name}", self.name))
    }

    /// The readiness of the whole process.
    #[must_use]
    pub fn readiness(&self) -> &Readiness {
        &self.shared.readiness
    }

    /// The services of this process that have no listener: for the gateway.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.shared.registry
    }

    /// What makes services of this process, or of others with the same token, believe the gateway.
    #[must_use]
    pub fn trust(&self) -> &Trust {
        &self.shared.trust
    }

    /// What the log keeps beside the events of this request: who, under which id, in which trace,
    /// when.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` when nobody vouches for the caller.
    pub fn context<T>(&self, request: &tonic::Request<T>) -> Result<Context, Status> {
        Ok(Call::of(request)?.context(self.clock.now()))
    }

    /// Serves gRPC: on the configured listener, with health and reflection, or, in the all-in-one
    /// process, to its gateway. What is around the handlers is the same in both.
    ///
    /// # Errors
    /// The address cannot be had, or the certificate cannot be used.
    pub async fn serve(&self, services: Services) -> Result<Option<SocketAddr>, ServeError> {
        let names = services.names().to_vec();
        let trust = self.shared.trust.clone();
        let limits = &self.settings.server;
        if self.in_process {
            let rpc = Rpc::inside(&self.name, limits, trust, services.into_routes());
            let backend = BoxCloneSyncService::new(rpc);
            for name in names {
                if !self.shared.registry.fill(name, backend.clone()) {
                    return Err(ServeError::Twice(name));
                }
            }
            self.serving.ready();
            return Ok(None);
        }
        let services = if limits.reflection { services.with_reflection()? } else { services };
        let services = self.with_health(services, &names);
        let rpc = Rpc::inside(&self.name, limits, trust, services.into_routes());
        let listener =
            Listener::bind(limits.listen, limits).await?.with_tls(limits.tls.as_ref())?;
        Ok(Some(self.listen(listener, rpc)))
    }

    /// Serves anything on a listener until the process is closing, and marks this service ready.
    pub fn listen<S, B>(&self, listener: Listener, service: S) -> SocketAddr
    where
        S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send + Unpin + 'static,
        B: http_body::Body<Data = Bytes> + Send + Unpin + 'static,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let address = listener.address();
        tracing::info!(%address, service = &*self.name, "listening");
        let served = listener.serve(service, self.closing.clone());
        self.shared.spawn_server(format!("{}/listener", self.name), served);
        self.serving.ready();
        address
    }

    /// Adds the gRPC health service; it follows the readiness of the process and turns unhealthy as
    /// soon as a stop begins.
    #[must_use]
    pub fn with_health(&self, services: Services, names: &[&'static str]) -> Services {
        let (reporter, health) = tonic_health::server::health_reporter();
        let mut ready = self.shared.readiness.watch();
        let closing = self.closing.clone();
        let names: Vec<&'static str> = std::iter::once("").chain(names.iter().copied()).collect();
        self.spawn("health", async move {
            loop {
                let serving = *ready.borrow_and_update() && !closing.is_cancelled();
                let status =
                    if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
                for name in &names {
                    reporter.set_service_status(*name, status).await;
                }
                tokio::select! {
                    changed = ready.changed() => if changed.is_err() { break },
                    () = closing.cancelled(), if serving => {}
                    () = closing.cancelled(), if !serving => break,
                }
            }
            Ok::<(), Infallible>(())
        });
        services.with(health)
    }
}
