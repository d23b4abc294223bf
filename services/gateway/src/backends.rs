//! Where calls go: a service in the same process, or connections to a remote one. Both take the same
//! request and give the same answer, so that nothing else in the gateway knows the difference.

use std::{
    collections::{BTreeMap, HashMap, btree_map::Entry},
    sync::Arc,
    time::Duration,
};

use chassis::{BoxError, ConfigError, Host, Part, Registry, Slot, errors};
use http::{Request, Response};
use tokio::time::{interval, timeout};
use tonic::{Code, Status, body::Body};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tower::ServiceExt;

use crate::{
    config::{Config, IN_PROCESS},
    methods::Methods,
    remote::{Remote, Via},
};

/// After this long a call to a service that is away is worth another try.
const RETRY: Duration = Duration::from_secs(1);

/// Where the calls of one service go. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) enum Backend {
    /// A service of this process, once it serves.
    InProcess(Slot),
    /// A remote service.
    Remote(Arc<Remote>),
}

impl Backend {
    /// Hands the request on and the answer back, as they are.
    pub(crate) async fn forward(&self, request: Request<Body>) -> Result<Response<Body>, Status> {
        match self {
            Self::InProcess(slot) => {
                let service = slot
                    .get()
                    .ok_or_else(|| errors::unavailable_for("the service is starting", RETRY))?;
                match service.clone().oneshot(request).await {
                    Ok(response) => Ok(response),
                    Err(never) => match never {},
                }
            }
            Self::Remote(remote) => remote.forward(request).await,
        }
    }
}

/// All backends.
#[derive(Debug)]
pub(crate) struct Backends {
    by_service: HashMap<&'static str, Backend>,
    remotes: BTreeMap<String, Arc<Remote>>,
    health_interval: Duration,
}

impl Backends {
    pub(crate) fn new(
        config: &Config,
        registry: &Registry,
        methods: &Methods,
    ) -> Result<Self, ConfigError> {
        let mut remotes = BTreeMap::new();
        let mut by_service = HashMap::new();
        for service in methods.services() {
            let Some(target) = target(&config.routes, service) else { continue };
            let backend = if target == IN_PROCESS {
                Backend::InProcess(registry.slot(service))
            } else {
                let remote: &mut Arc<Remote> = match remotes.entry(target.to_owned()) {
                    Entry::Occupied(entry) => entry.into_mut(),
                    Entry::Vacant(entry) => entry.insert(Arc::new(Remote::new(target, config)?)),
                };
                Backend::Remote(remote.clone())
            };
            by_service.insert(service, backend);
        }
        let health_interval = Duration::from_millis(config.health_interval_ms);
        Ok(Self { by_service, remotes, health_interval })
    }

    pub(crate) fn of(&self, service: &str) -> Option<Backend> {
        self.by_service.get(service).cloned()
    }

    /// Keeps the process's readiness in step with the remote services.
    pub(crate) fn watch(&self, host: &Host) {
        for (url, remote) in &self.remotes {
            let part = host.part(url);
            let watching = watch_one(remote.clone(), part, self.health_interval);
            let shutdown = host.shutdown.clone();
            host.spawn(&format!("health of {url}"), async move {
                shutdown.run_until_cancelled(watching).await;
                Ok::<(), BoxError>(())
            });
        }
    }
}

async fn watch_one(remote: Arc<Remote>, part: Part, every: Duration) {
    let mut turn = interval(every);
    loop {
        turn.tick().await;
        let mut client = HealthClient::new(Via(remote.clone()));
        let asked = client.check(HealthCheckRequest { service: String::new() });
        match timeout(every.max(Duration::from_secs(1)), asked).await {
            Ok(Ok(answer)) => match answer.into_inner().status() {
                ServingStatus::Serving => part.ready(),
                ServingStatus::Unknown
                | ServingStatus::NotServing
                | ServingStatus::ServiceUnknown => part.not_ready("says that it is not serving"),
            },
            // It answers, and has no health service: that is an answer.
            Ok(Err(status)) if status.code() == Code::Unimplemented => part.ready(),
            Ok(Err(_)) => part.not_ready("cannot be reached"),
            Err(_) => part.not_ready("does not answer"),
        }
    }
}

/// The target of the longest prefix that ends where a name ends.
fn target<'a>(routes: &'a BTreeMap<String, String>, service: &str) -> Option<&'a str> {
    routes
        .iter()
        .filter(|(prefix, _)| {
            service
                .strip_prefix(prefix.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || prefix.is_empty())
        })
        .max_by_key(|(prefix, _)| prefix.len())
        .map(|(_, target)| target.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_route_counts_and_ends_where_a_name_ends() {
        let routes = BTreeMap::from(
            [("emall", "a"), ("emall.ordering.v1", "b"), ("emall.ordering.v1.Special", "c")]
                .map(|(prefix, target)| (prefix.to_owned(), target.to_owned())),
        );
        assert_eq!(target(&routes, "emall.ordering.v1.Special"), Some("c"));
        assert_eq!(target(&routes, "emall.ordering.v1.OrderService"), Some("b"));
        assert_eq!(target(&routes, "emall.ordering.v12.OrderService"), Some("a"));
        assert_eq!(target(&routes, "emallx.Service"), None);
    }
}
