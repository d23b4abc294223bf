//! What is kept of a call: its span, its log line, its metrics. Written once, when the call is over,
//! whichever way it ends.

use std::{
    any::Any,
    collections::HashSet,
    sync::{Arc, LazyLock},
    time::Instant,
};

use http::{HeaderValue, Response, request};
use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Histogram},
};
use tokio::sync::Semaphore;
use tonic::{Code, Status, body::Body};
use tracing::{Span, field};

use super::{Shared, Side};
use crate::{errors, identity::REQUEST_ID, trace};

/// The gateway leaves the name of the key here, in the extensions of its responses, for the access
/// line.
#[derive(Debug, Clone)]
pub struct AccessName(pub Arc<str>);

/// Upper bounds of the duration buckets, in seconds.
const BUCKETS: [f64; 14] =
    [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The methods that have a name in metrics. A path from outside never makes a new one.
static KNOWN: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    contracts::methods()
        .chain([
            "/grpc.health.v1.Health/Check",
            "/grpc.health.v1.Health/Watch",
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        ])
        .collect()
});

/// Instruments of one server.
#[derive(Debug)]
pub(super) struct Meters {
    server: KeyValue,
    calls: Counter<u64>,
    seconds: Histogram<f64>,
    panics: Counter<u64>,
}

impl Meters {
    pub(super) fn new(name: &str, in_flight: &Arc<Semaphore>, most: usize) -> Self {
        let meter = global::meter("emall");
        let server = KeyValue::new("server", name.to_owned());
        let (permits, label) = (in_flight.clone(), server.clone());
        let _gauge = meter
            .u64_observable_gauge("rpc.server.in_flight")
            .with_description("Calls in work")
            .with_callback(move |gauge| {
                let used = most.saturating_sub(permits.available_permits());
                gauge.observe(used as u64, std::slice::from_ref(&label));
            })
            .build();
        Self {
            server,
            calls: meter
                .u64_counter("rpc.server.calls")
                .with_description("Calls that are over, by method and code")
                .build(),
            seconds: meter
                .f64_histogram("rpc.server.duration")
                .with_unit("s")
                .with_description("Time from the call's headers to the end of its answer")
                .with_boundaries(BUCKETS.to_vec())
                .build(),
            panics: meter
                .u64_counter("rpc.server.panics")
                .with_description("Handlers that panicked")
                .build(),
        }
    }
}

/// One call. When dropped before its end was told, the caller has gone: `CANCELLED`.
#[derive(Debug)]
pub(super) struct Record {
    shared: Arc<Shared>,
    method: &'static str,
    id: Arc<str>,
    started: Instant,
    span: Span,
    name: Option<AccessName>,
    told: bool,
}

impl Record {
    pub(super) fn begin(shared: &Arc<Shared>, parts: &request::Parts, id: Arc<str>) -> Self {
        let method = KNOWN.get(parts.uri.path()).copied().unwrap_or("other");
        let span = tracing::info_span!(
            target: "rpc",
            "rpc",
            otel.name = method,
            otel.kind = "server",
            request_id = &*id,
            code = field::Empty,
        );
        if let Some(parent) = parts.headers.get(trace::TRACEPARENT)
            && let Ok(parent) = parent.to_str()
        {
            trace::continue_from(&span, parent);
        }
        let started = Instant::now();
        Self { shared: shared.clone(), method, id, started, span, name: None, told: false }
    }

    pub(super) fn span(&self) -> &Span {
        &self.span
    }

    pub(super) fn named(&mut self, name: Option<AccessName>) {
        self.name = name;
    }

    /// The call is over.
    pub(super) fn tell(&mut self, code: Code) {
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        let taken = self.started.elapsed();
        let text = code_name(code);
        let labels =
            [KeyValue::new("method", self.method), KeyValue::new("code", text), self.server()];
        self.shared.meters.calls.add(1, &labels);
        self.shared.meters.seconds.record(taken.as_secs_f64(), &labels);
        self.span.record("code", text);

        let (method, request_id) = (self.method, &*self.id);
        let ms = u64::try_from(taken.as_micros()).unwrap_or(u64::MAX) as f64 / 1000.0;
        match self.shared.side {
            Side::Outside => {
                let key = self.name.as_ref().map_or("-", |name| &*name.0);
                tracing::info!(target: "access", key, method, code = text, ms, request_id);
            }
            Side::Inside(_) => {
                tracing::debug!(target: "rpc", method, code = text, ms, request_id);
            }
        }
    }

    /// The call is over with this status, as it came from a handler: its cause is logged here, and
    /// only here.
    pub(super) fn tell_status(&mut self, status: &Status) {
        let _in_span = self.span.clone().entered();
        let (method, request_id) = (self.method, &*self.id);
        let error = || errors::chain(status);
        match status.code() {
            Code::Internal | Code::Unknown | Code::DataLoss => {
                tracing::error!(method, request_id, error = error(), "a call failed");
            }
            Code::Unavailable => {
                tracing::warn!(method, request_id, error = error(), "a call failed");
            }
            Code::Ok
            | Code::Cancelled
            | Code::InvalidArgument
            | Code::DeadlineExceeded
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::ResourceExhausted
            | Code::FailedPrecondition
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unimplemented
            | Code::Unauthenticated => {}
        }
        self.tell(status.code());
    }

    /// The answer to a call that goes no further.
    pub(super) fn refused(mut self, status: Status, id: Option<HeaderValue>) -> Response<Body> {
        self.tell_status(&status);
        let mut response = status.into_http::<Body>();
        // Told already: nobody further out logs it again.
        response.extensions_mut().remove::<Status>();
        if let Some(id) = id {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        response
    }

    /// The status for a panic; the panic's message stays here.
    pub(super) fn panicked(&self, panic: &(dyn Any + Send)) -> Status {
        self.shared.meters.panics.add(1, &[self.server()]);
        errors::internal("the call met a fault of ours", crate::process::panic_message(panic))
    }

    fn server(&self) -> KeyValue {
        self.shared.meters.server.clone()
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.tell(Code::Cancelled);
    }
}

fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
