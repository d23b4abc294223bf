//! The gRPC services that a process offers.

use std::convert::Infallible;

use http::Request;
use tonic::{
    body::Body,
    server::NamedService,
    service::{Routes, RoutesBuilder},
};
use tower::Service;

/// A list of gRPC services with their names.
#[derive(Debug, Clone, Default)]
pub struct Services {
    routes: RoutesBuilder,
    names: Vec<&'static str>,
}

impl Services {
    /// No service yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a generated server.
    #[must_use]
    pub fn with<S>(mut self, service: S) -> Self
    where
        S: Service<Request<Body>, Response = http::Response<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.routes.add_service(service);
        self.names.push(S::NAME);
        self
    }

    /// Full names of the services.
    #[must_use]
    pub fn names(&self) -> &[&'static str] {
        &self.names
    }

    /// The routes to them, without anything around.
    #[must_use]
    pub fn into_routes(self) -> Routes {
        self.routes.routes().prepare()
    }

    /// Adds reflection of all contracts, in both versions of the protocol.
    ///
    /// # Errors
    /// The descriptors cannot be read.
    pub fn with_reflection(self) -> Result<Self, tonic_reflection::server::Error> {
        let builder = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(contracts::DESCRIPTORS)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        Ok(self.with(builder().build_v1()?).with(builder().build_v1alpha()?))
    }
}
