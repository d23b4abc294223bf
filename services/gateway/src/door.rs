//! The door itself: who, what, how often; then on to the service.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use chassis::{
    errors,
    rpc::{AccessName, is_open},
};
use futures::future::BoxFuture;
use http::{HeaderMap, HeaderName, Request, Response, Version, header};
use tonic::{Status, body::Body, service::Routes};
use tower::{Service, ServiceExt};

use crate::{
    keys::{API_KEY, Key, Keyring},
    methods::Method,
};

/// Headers that end here: those of one HTTP/1 connection, and the caller's credentials.
const ENDING: [HeaderName; 9] = [
    header::AUTHORIZATION,
    API_KEY,
    header::HOST,
    header::CONNECTION,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::CONTENT_LENGTH,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// See the module. Stands inside [`chassis::rpc::Rpc`], which has removed all reserved metadata.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    inside: Arc<Inside>,
    own: Routes,
}

#[derive(Debug)]
struct Inside {
    keys: Keyring,
    methods: HashMap<&'static str, Method>,
}

impl Door {
    pub(crate) fn new(keys: Keyring, methods: HashMap<&'static str, Method>, own: Routes) -> Self {
        Self { inside: Arc::new(Inside { keys, methods }), own }
    }
}

impl Service<Request<Body>> for Door {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        if is_open(request.uri().path()) {
            return Box::pin(self.own.clone().oneshot(request));
        }
        let inside = self.inside.clone();
        Box::pin(async move { Ok(inside.pass(request).await) })
    }
}

impl Inside {
    async fn pass(&self, request: Request<Body>) -> Response<Body> {
        let Some(key) = self.keys.find(request.headers()) else {
            return errors::unauthenticated(
                "no valid API key: send authorization: Bearer <key>, or x-api-key",
            )
            .into_http();
        };
        let passed = match self.admit(key, request.uri().path()) {
            Ok(method) => forward(key, method, request).await,
            Err(status) => Err(status),
        };
        let mut response = passed.unwrap_or_else(Status::into_http);
        response.extensions_mut().insert(AccessName(key.name.clone()));
        response
    }

    fn admit(&self, key: &Key, path: &str) -> Result<&Method, Status> {
        let method = self
            .methods
            .get(path)
            .ok_or_else(|| errors::unimplemented("there is no such method"))?;
        if method.roles.is_empty() {
            return Err(errors::forbidden("METHOD_CLOSED", "the method is closed to everybody"));
        }
        if !method.roles.meets(key.roles) {
            return Err(errors::forbidden("ROLE_MISSING", "the key has no role for this method"));
        }
        if let Some(bucket) = &key.bucket {
            bucket.take().map_err(|wait| {
                errors::exhausted("RATE_LIMIT", "the key calls too often", Some(wait))
            })?;
        }
        Ok(method)
    }
}

async fn forward(
    key: &Key,
    method: &Method,
    mut request: Request<Body>,
) -> Result<Response<Body>, Status> {
    let Some(backend) = &method.backend else {
        return Err(errors::unimplemented("the service is not served here"));
    };
    let headers: &mut HeaderMap = request.headers_mut();
    for name in &ENDING {
        headers.remove(name);
    }
    key.voucher.apply(headers);
    *request.version_mut() = Version::HTTP_2;
    backend.forward(request).await
}
