//! One operating-system process: its supervised tasks, its listeners, its end.
//!
//! ```text
//! signal, or a task that ended
//!   ▸ closing    listeners stop accepting, calls in work finish
//!   ▸ shutdown   tasks stop
//!   ▸ flush      telemetry is handed out
//! ```
//!
//! All of it within one bound; what is not done by then is dropped. The invariant: a task with a
//! name either runs or the process ends and says which one did not.

use std::{
    any::Any,
    error::Error,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use eventlog::Clock;
use futures::FutureExt;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument;

use crate::{
    ConfigError, Host, Listener, Readiness, Registry, Secret, Settings, TelemetryHandle,
    admin::Admin, errors, identity::Trust,
};

/// An error of any kind, as tasks and services end with.
pub type BoxError = Box<dyn Error + Send + Sync + 'static>;

/// Why a process ends before it was told to.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// A task came to its end although nobody asked it to.
    #[error("the task {task} ended although nothing asked it to")]
    Ended {
        /// `<service>/<task>`.
        task: String,
    },
    /// A task gave up.
    #[error("the task {task} failed")]
    Failed {
        /// `<service>/<task>`.
        task: String,
        /// Why.
        source: BoxError,
    },
    /// A task panicked.
    #[error("the task {task} panicked: {message}")]
    Panicked {
        /// `<service>/<task>`.
        task: String,
        /// What it said.
        message: String,
    },
}

impl Fault {
    /// Whether the cause lies in the configuration: exit code 64 rather than 70.
    #[must_use]
    pub fn is_config(&self) -> bool {
        match self {
            Self::Failed { source, .. } => source.downcast_ref::<ConfigError>().is_some(),
            Self::Ended { .. } | Self::Panicked { .. } => false,
        }
    }
}

/// What the hosts of one process share.
pub(crate) struct Shared {
    pub(crate) settings: Arc<Settings>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) trust: Trust,
    pub(crate) closing: CancellationToken,
    pub(crate) shutdown: CancellationToken,
    pub(crate) registry: Registry,
    pub(crate) readiness: Readiness,
    servers: TaskTracker,
    tasks: TaskTracker,
    /// Ends whatever is left when the bound is reached.
    abandoned: CancellationToken,
    faults: mpsc::UnboundedSender<Fault>,
}

impl Shared {
    /// Runs a listener: it may end only once the process is closing.
    pub(crate) fn spawn_server<F>(self: &Arc<Self>, name: String, server: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let shared = self.clone();
        self.servers.spawn(async move {
            let served = AssertUnwindSafe(server).catch_unwind();
            let fault = match shared.abandoned.run_until_cancelled(served).await {
                None => {
                    return tracing::warn!(name, "calls were cut off by the end of the process");
                }
                Some(Ok(())) if shared.closing.is_cancelled() => return,
                Some(Ok(())) => Fault::Ended { task: name },
                Some(Err(panic)) => Fault::Panicked { task: name, message: panic_message(&*panic) },
            };
            let _ = shared.faults.send(fault);
        });
    }

    /// Runs a task. `may_finish` says whether a good end before the shutdown is one.
    pub(crate) fn spawn_task<F, E>(self: &Arc<Self>, task: String, may_finish: bool, future: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        let shared = self.clone();
        let span = tracing::info_span!("task", name = task);
        let supervised = async move {
            let future = AssertUnwindSafe(future).catch_unwind();
            let fault = match shared.abandoned.run_until_cancelled(future).await {
                None => return tracing::warn!("cut off by the end of the process"),
                Some(Ok(Ok(()))) if may_finish || shared.closing.is_cancelled() => return,
                Some(Ok(Ok(()))) => Fault::Ended { task },
                Some(Ok(Err(source))) => Fault::Failed { task, source: source.into() },
                Some(Err(panic)) => Fault::Panicked { task, message: panic_message(&*panic) },
            };
            let _ = shared.faults.send(fault);
        };
        self.tasks.spawn(supervised.instrument(span));
    }
}

/// One operating-system process.
pub struct Process {
    shared: Arc<Shared>,
    faults: mpsc::UnboundedReceiver<Fault>,
    telemetry: TelemetryHandle,
    names: Mutex<Vec<String>>,
}

impl std::fmt::Debug for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Process").field("names", &self.names).finish_non_exhaustive()
    }
}

impl Process {
    /// A process without services yet. Where no internal token is configured it makes one that only
    /// it knows, which suits a process that holds the gateway and all services.
    ///
    /// # Errors
    /// The settings cannot be used.
    pub fn new(
        settings: Settings,
        clock: Arc<dyn Clock>,
        telemetry: TelemetryHandle,
    ) -> Result<Self, ConfigError> {
        let token = settings.identity.internal_token.clone().unwrap_or_else(Secret::random);
        let (faults, received) = mpsc::unbounded_channel();
        let shared = Shared {
            trust: Trust::by(&token)?,
            settings: Arc::new(settings),
            clock,
            closing: CancellationToken::new(),
            shutdown: CancellationToken::new(),
            registry: Registry::default(),
            readiness: Readiness::default(),
            servers: TaskTracker::new(),
            tasks: TaskTracker::new(),
            abandoned: CancellationToken::new(),
            faults,
        };
        let names = Mutex::default();
        Ok(Self { shared: Arc::new(shared), faults: received, telemetry, names })
    }

    /// A host for a service with a listener of its own.
    #[must_use]
    pub fn host(&self, name: &str) -> Host {
        self.remember(name);
        Host::new(name, self.shared.clone(), false)
    }

    /// A host for a service that only the gateway of this process calls.
    #[must_use]
    pub fn in_process_host(&self, name: &str) -> Host {
        self.remember(name);
        Host::new(name, self.shared.clone(), true)
    }

    /// Runs a service: `run` wires it up and may return once it is wired, or stay until the
    /// shutdown. If it fails, the process ends.
    pub fn start<F, E>(&self, name: &str, run: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        self.shared.spawn_task(name.to_owned(), true, run);
    }

    /// Opens the operators' port, where one is configured.
    ///
    /// # Errors
    /// The address cannot be had.
    pub async fn open_admin(&self) -> Result<(), ConfigError> {
        let Some(address) = self.shared.settings.telemetry.listen else { return Ok(()) };
        let listener =
            Listener::bind(address, &self.shared.settings.server).await.map_err(|error| {
                ConfigError::new(format!(
                    "telemetry.listen cannot be used ({}); name a free address of this machine",
                    errors::chain(&error)
                ))
            })?;
        let admin =
            Admin { telemetry: self.telemetry.clone(), readiness: self.shared.readiness.clone() };
        // Open to the very end, so that the last figures and the drain can be seen.
        let served = listener.with_http1().serve(admin, self.shared.shutdown.clone());
        self.shared.spawn_task("admin".to_owned(), true, async {
            served.await;
            Ok::<(), BoxError>(())
        });
        Ok(())
    }

    /// Begins the stop, as a signal does.
    #[must_use]
    pub fn stopper(&self) -> CancellationToken {
        self.shared.closing.clone()
    }

    /// Lives until `stop` is done or a task ends, then stops everything within the bound.
    ///
    /// # Errors
    /// A task ended before it was told to, or failed while stopping.
    pub async fn run(mut self, stop: impl Future<Output = ()>) -> Result<(), Fault> {
        let fault = tokio::select! {
            () = stop => None,
            () = self.shared.closing.cancelled() => None,
            fault = self.faults.recv() => fault,
        };
        if let Some(fault) = &fault {
            tracing::error!(error = errors::chain(fault), "the process ends");
        }
        let late = self.drain().await.err();
        fault.or(late).map_or(Ok(()), Err)
    }

    async fn drain(&mut self) -> Result<(), Fault> {
        let (shared, bound) = (self.shared.clone(), self.shared.settings.server.drain());
        let started = Instant::now();
        tracing::info!("stopping");
        shared.closing.cancel();
        shared.servers.close();
        // Calls get the larger part of the bound: they are what was promised to others.
        let calls_done = timeout_at(started + bound * 3 / 5, shared.servers.wait()).await;
        shared.shutdown.cancel();
        shared.tasks.close();
        let tasks_done = timeout_at(started + bound * 9 / 10, shared.tasks.wait()).await;
        if calls_done.is_err() || tasks_done.is_err() {
            tracing::warn!("not everything stopped in time");
            shared.abandoned.cancel();
            // Futures are dropped at their next step, which is at once unless one blocks.
            let dropped = async {
                shared.servers.wait().await;
                shared.tasks.wait().await;
            };
            let _ = timeout_at(started + bound * 19 / 20, dropped).await;
        }
        self.telemetry.flush(bound.saturating_sub(started.elapsed()).max(bound / 20)).await;
        tracing::info!(ms = millis(started.elapsed()), "stopped");
        match self.faults.try_recv() {
            Ok(late) => {
                tracing::error!(error = errors::chain(&late), "failed while stopping");
                Err(late)
            }
            Err(_) => Ok(()),
        }
    }

    fn remember(&self, name: &str) {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).push(name.to_owned());
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// What a panic said.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|message| (*message).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without words".to_owned())
}
