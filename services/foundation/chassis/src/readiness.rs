//! Whether the process can do its work now: `/readyz` and the gRPC health service.
//!
//! Each part that can be away has a name and a mark. The process is ready when no part says that it
//! is not.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::watch;

/// All parts of a process.
#[derive(Debug, Clone)]
pub struct Readiness {
    parts: Arc<Mutex<BTreeMap<String, Result<(), String>>>>,
    ready: Arc<watch::Sender<bool>>,
}

impl Default for Readiness {
    fn default() -> Self {
        Self { parts: Arc::default(), ready: Arc::new(watch::Sender::new(true)) }
    }
}

impl Readiness {
    /// Names a part. It is not ready until it says so.
    #[must_use]
    pub fn part(&self, name: impl Into<String>) -> Part {
        let part = Part { name: name.into(), readiness: self.clone() };
        part.not_ready("starting");
        part
    }

    /// Whether all parts are ready.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        *self.ready.borrow()
    }

    /// Follows whether all parts are ready.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<bool> {
        self.ready.subscribe()
    }

    /// What is not ready, and why, one line each.
    #[must_use]
    pub fn report(&self) -> String {
        let parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        parts
            .iter()
            .filter_map(|(name, state)| state.as_ref().err().map(|why| format!("{name}: {why}\n")))
            .collect()
    }

    fn set(&self, name: &str, state: Result<(), String>) {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        if parts.get(name) == Some(&state) {
            return;
        }
        match &state {
            Ok(()) => tracing::info!(part = name, "ready"),
            Err(why) => tracing::info!(part = name, why, "not ready"),
        }
        parts.insert(name.to_owned(), state);
        self.ready.send_replace(parts.values().all(Result::is_ok));
    }
}

/// One part of a process that can be away.
#[derive(Debug, Clone)]
pub struct Part {
    name: String,
    readiness: Readiness,
}

impl Part {
    /// The part works.
    pub fn ready(&self) {
        self.readiness.set(&self.name, Ok(()));
    }

    /// The part does not work, and why.
    pub fn not_ready(&self, why: impl Into<String>) {
        self.readiness.set(&self.name, Err(why.into()));
    }
}
