//! What happens to every call before and after its handler, the same for a listener of its own, for
//! the all-in-one process and for the gateway:
//!
//! ```text
//! count and time ▸ request id, trace ▸ limit of calls ▸ identity ▸ deadline ▸ size of messages
//!                ▸ handler (panics caught) ▸ status, log line, metrics
//! ```
//!
//! It is one service rather than a stack of layers, because the parts share state: the reply's body
//! holds the permit, watches the deadline and the size alarm, and records the outcome. Messages are
//! never decoded here; their sizes are read from the gRPC frames.

mod answer;
mod frames;
mod record;
mod timeout;

use std::{
    convert::Infallible,
    panic::AssertUnwindSafe,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures::{FutureExt, future::BoxFuture};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header, request};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Status, body::Body};
use tower::{Service, ServiceExt};
use tracing::Instrument;
use uuid::Uuid;

pub use self::record::AccessName;
use self::{
    answer::{Answer, Guards},
    frames::{Alarm, Measured},
    record::{Meters, Record},
};
use crate::{
    errors,
    identity::{self, Call, REQUEST_ID, Trust},
    parse::is_identifier,
    settings::Server,
    trace,
};

/// Paths that need no caller: they say nothing about anybody.
const OPEN: [&str; 2] = ["/grpc.health.v1.Health/", "/grpc.reflection."];

/// After this long a call that found no room is worth another try.
const SHED_RETRY: Duration = Duration::from_millis(100);

/// Whether a path needs no caller: health and reflection.
#[must_use]
pub fn is_open(path: &str) -> bool {
    OPEN.iter().any(|open| path.starts_with(open))
}

/// The id of the request, in the extensions of every request that a handler sees.
#[derive(Debug, Clone)]
pub struct RequestId(pub Arc<str>);

/// On which side of the door the calls arrive.
#[derive(Debug, Clone)]
enum Side {
    /// From the gateway, which vouches for the caller.
    Inside(Trust),
    /// From outside: nothing that it says about identity counts.
    Outside,
}

#[derive(Debug)]
struct Shared {
    side: Side,
    in_flight: Arc<Semaphore>,
    largest_message: usize,
    first_answer_within: Duration,
    meters: Meters,
}

/// A handler with everything around it. Cloning it shares the limits.
#[derive(Debug, Clone)]
pub struct Rpc<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> Rpc<S> {
    /// Calls from the gateway to a service.
    #[must_use]
    pub fn inside(name: &str, limits: &Server, trust: Trust, inner: S) -> Self {
        Self::new(name, limits, Side::Inside(trust), inner)
    }

    /// Calls from outside to the gateway.
    #[must_use]
    pub fn outside(name: &str, limits: &Server, inner: S) -> Self {
        Self::new(name, limits, Side::Outside, inner)
    }

    fn new(name: &str, limits: &Server, side: Side, inner: S) -> Self {
        let in_flight = Arc::new(Semaphore::new(limits.max_in_flight));
        let meters = Meters::new(name, &in_flight, limits.max_in_flight);
        let shared = Shared {
            side,
            in_flight,
            largest_message: limits.max_message_bytes,
            first_answer_within: Duration::from_secs(limits.request_timeout_seconds),
            meters,
        };
        Self { inner, shared: Arc::new(shared) }
    }
}

impl<S, B> Service<Request<B>> for Rpc<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<tonic::codegen::StdError>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    /// Always ready: a call without room is refused, not kept waiting.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (inner, shared) = (self.inner.clone(), self.shared.clone());
        Box::pin(async move { Ok(shared.handle(inner, request.map(Body::new)).await) })
    }
}

impl Shared {
    async fn handle<S>(self: Arc<Self>, inner: S, request: Request<Body>) -> Response<Body>
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Send,
        S::Future: Send,
    {
        if !is_grpc(&request) {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return response;
        }
        let (mut parts, body) = request.into_parts();
        let outside = matches!(self.side, Side::Outside);
        if outside {
            identity::strip_reserved(&mut parts.headers);
        }
        let (id, id_header) = request_id(&parts.headers);
        let record = Record::begin(&self, &parts, id.clone());

        let (request, guards) = match self.admit(parts, body, &id, &id_header, &record) {
            Ok(admitted) => admitted,
            Err(status) => return record.refused(status, outside.then_some(id_header)),
        };
        let mut deadline = guards.deadline;
        let span = record.span().clone();
        let handler = AssertUnwindSafe(inner.oneshot(request)).catch_unwind().instrument(span);
        let largest = self.largest_message;
        let response = tokio::select! {
            biased;
            done = handler => match done {
                // A backend that saw its request cut off says so in its own way; ours is the cause.
                Ok(Ok(response)) => match guards.alarm.heard() {
                    None => Ok(response),
                    Some(size) => Err(frames::too_large(size, largest)),
                },
                Err(panic) => Err(record.panicked(&*panic)),
            },
            size = guards.alarm.rung() => Err(frames::too_large(size, largest)),
            () = &mut deadline.sleep => Err(deadline.exceeded()),
        };
        let mut response = match response {
            Ok(response) => Answer::wrap(
                response,
                record,
                Guards { deadline, alarm: guards.alarm, permit: guards.permit },
                largest,
            ),
            Err(status) => record.refused(status, None),
        };
        if outside {
            response.headers_mut().insert(REQUEST_ID, id_header);
        }
        response
    }

    /// Everything that may turn a call away before its handler sees it.
    fn admit(
        &self,
        mut parts: request::Parts,
        body: Body,
        id: &Arc<str>,
        id_header: &HeaderValue,
        record: &Record,
    ) -> Result<(Request<Body>, Guards), Status> {
        let permit: OwnedSemaphorePermit =
            self.in_flight.clone().try_acquire_owned().map_err(|_| {
                errors::exhausted("OVERLOADED", "too many calls are in work", Some(SHED_RETRY))
            })?;
        let span = record.span();
        if let Side::Inside(trust) = &self.side {
            match trust.caller(&parts.headers) {
                Some(caller) => {
                    let traceparent = trace::carried(span, &parts.headers);
                    let call = Call { caller, request_id: id.clone(), traceparent };
                    parts.extensions.insert(Arc::new(call));
                }
                None if is_open(parts.uri.path()) => {}
                None => return Err(identity::unauthenticated()),
            }
            parts.headers.remove(identity::INTERNAL_TOKEN);
        } else {
            parts.headers.insert(REQUEST_ID, id_header.clone());
            trace::inject(span, &mut parts.headers);
        }
        let deadline = timeout::Deadline::of(&parts.headers, self.first_answer_within)?;
        parts.extensions.insert(RequestId(id.clone()));
        let alarm = Arc::new(Alarm::default());
        let body = Body::new(Measured::new(body, self.largest_message, alarm.clone()));
        Ok((Request::from_parts(parts, body), Guards { deadline, alarm, permit }))
    }
}

fn is_grpc<B>(request: &Request<B>) -> bool {
    request.method() == Method::POST
        && request.headers().get(header::CONTENT_TYPE).is_some_and(|kind| {
            kind.as_bytes()
                .strip_prefix(b"application/grpc")
                .is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
        })
}

/// The caller's id where it is a valid one, else a new one.
fn request_id(headers: &HeaderMap) -> (Arc<str>, HeaderValue) {
    if let Some(value) = headers.get(REQUEST_ID)
        && let Ok(text) = value.to_str()
        && is_identifier(text)
    {
        return (text.into(), value.clone());
    }
    let mut buffer = Uuid::encode_buffer();
    let text: &str = Uuid::now_v7().hyphenated().encode_lower(&mut buffer);
    // A UUID can always stand in a header.
    let value = HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("none"));
    (text.into(), value)
}

#[cfg(test)]
mod tests;
