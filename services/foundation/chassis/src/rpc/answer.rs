//! The body of an answer: it holds what the call holds, ends it when time or size is up, and tells
//! the outcome.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use http_body::Frame;
use tokio::sync::OwnedSemaphorePermit;
use tonic::{Code, Status, body::Body};

use super::{
    frames::{self, Alarm},
    record::{AccessName, Record},
    timeout::Deadline,
};
use crate::errors;

/// What a call holds and heeds until it is over.
#[derive(Debug)]
pub(super) struct Guards {
    pub(super) deadline: Deadline,
    pub(super) alarm: Arc<Alarm>,
    pub(super) permit: OwnedSemaphorePermit,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Answer {
    inner: Body,
    record: Record,
    guards: Guards,
    limit: usize,
    over: bool,
}

impl Answer {
    /// Wraps a handler's answer, unless it is complete with its headers.
    pub(super) fn wrap(
        mut response: Response<Body>,
        mut record: Record,
        guards: Guards,
        limit: usize,
    ) -> Response<Body> {
        record.named(response.extensions_mut().remove::<AccessName>());
        // A status that came as a whole: tonic leaves it here, with its cause.
        if let Some(status) = response.extensions_mut().remove::<Status>() {
            record.tell_status(&status);
            return response;
        }
        if let Some(code) = code_of(response.headers()) {
            record.tell(code);
            return response;
        }
        if response.status() != StatusCode::OK {
            record.tell(Code::Unknown);
            return response;
        }
        response.map(|inner| Body::new(Self { inner, record, guards, limit, over: false }))
    }

    /// Ends the answer with this status in its trailers.
    fn end(&mut self, status: Status) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        self.over = true;
        self.inner = Body::empty();
        self.record.tell_status(&status);
        let mut trailers = HeaderMap::with_capacity(4);
        Poll::Ready(Some(status.add_header(&mut trailers).map(|()| Frame::trailers(trailers))))
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = &mut *self;
        if this.over {
            return Poll::Ready(None);
        }
        let polled = {
            let _in_span = this.record.span().clone().entered();
            let inner = Pin::new(&mut this.inner);
            catch_unwind(AssertUnwindSafe(|| inner.poll_frame(context)))
        };
        match polled {
            Ok(Poll::Ready(Some(Ok(frame)))) => {
                if let Some(trailers) = frame.trailers_ref() {
                    this.over = true;
                    this.record.tell(code_of(trailers).unwrap_or(Code::Unknown));
                } else if this.guards.deadline.has_passed() {
                    // A handler that never pauses would outlast every deadline.
                    return this.end(this.guards.deadline.exceeded());
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Ok(Poll::Ready(Some(Err(broken)))) => match this.guards.alarm.heard() {
                Some(size) => this.end(frames::too_large(size, this.limit)),
                None => this.end(errors::unavailable("the answer was cut off", broken)),
            },
            Ok(Poll::Ready(None)) => {
                this.over = true;
                this.record.tell(Code::Unknown);
                Poll::Ready(None)
            }
            Ok(Poll::Pending) => {
                if let Poll::Ready(size) = this.guards.alarm.poll_rung(context) {
                    return this.end(frames::too_large(size, this.limit));
                }
                if this.guards.deadline.of_caller
                    && this.guards.deadline.sleep.as_mut().poll(context).is_ready()
                {
                    return this.end(this.guards.deadline.exceeded());
                }
                Poll::Pending
            }
            Err(panic) => {
                let status = this.record.panicked(&*panic);
                this.end(status)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.over
    }
}

/// The code in headers or trailers, where there is one.
fn code_of(headers: &HeaderMap) -> Option<Code> {
    headers.get(Status::GRPC_STATUS).map(|code| Code::from_bytes(code.as_bytes()))
}
