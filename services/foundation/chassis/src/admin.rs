//! The port of the operators: `/metrics`, `/healthz`, `/readyz`.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::Full;
use tower::Service;

use crate::{Readiness, telemetry::TelemetryHandle};

/// Answers from memory; nothing here waits.
#[derive(Debug, Clone)]
pub(crate) struct Admin {
    pub(crate) telemetry: TelemetryHandle,
    pub(crate) readiness: Readiness,
}

impl<B> Service<Request<B>> for Admin {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (status, text) = match request.uri().path() {
            "/metrics" => (StatusCode::OK, Bytes::from(self.telemetry.prometheus())),
            "/healthz" => (StatusCode::OK, Bytes::from_static(b"alive\n")),
            "/readyz" if self.readiness.is_ready() => {
                (StatusCode::OK, Bytes::from_static(b"ready\n"))
            }
            "/readyz" => (StatusCode::SERVICE_UNAVAILABLE, Bytes::from(self.readiness.report())),
            _ => (
                StatusCode::NOT_FOUND,
                Bytes::from_static(b"there are /metrics, /healthz and /readyz\n"),
            ),
        };
        let mut response = Response::new(Full::new(text));
        *response.status_mut() = status;
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"),
        );
        ready(Ok(response))
    }
}
