//! Where the services of one process meet the gateway.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use http::{Request, Response};
use tonic::body::Body;
use tower::util::BoxCloneSyncService;

/// A gRPC service as the gateway calls it in the same process.
pub type Backend = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// The place of one gRPC service, filled once it serves.
#[derive(Debug, Clone, Default)]
pub struct Slot(Arc<OnceLock<Backend>>);

impl Slot {
    /// The service, once it serves.
    #[must_use]
    pub fn get(&self) -> Option<&Backend> {
        self.0.get()
    }
}

/// The gRPC services of one process, by their full names.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    slots: Arc<Mutex<HashMap<String, Slot>>>,
}

impl Registry {
    /// The place of a service, whether or not it serves yet.
    #[must_use]
    pub fn slot(&self, service: &str) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.entry(service.to_owned()).or_default().clone()
    }

    /// Fills the place of a service; `false` when it is taken.
    pub(crate) fn fill(&self, service: &str, backend: Backend) -> bool {
        self.slot(service).0.set(backend).is_ok()
    }
}
