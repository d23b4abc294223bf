//! The two directions of one call. Each moves a chunk only when the other side has room for it.
//! Dropping the answer ends both, and the peer is told.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use h2::{Reason, RecvStream, SendStream};
use http_body::{Body as _, Frame};
use tokio::task::AbortHandle;
use tonic::body::Body;

/// Sends a request's body, until it is through or the pump is dropped.
#[derive(Debug)]
pub(super) struct Pump(Option<AbortHandle>);

impl Pump {
    /// Nothing to send.
    pub(super) fn idle() -> Self {
        Self(None)
    }

    pub(super) fn start(body: Body, stream: SendStream<Bytes>) -> Self {
        Self(Some(tokio::spawn(send(body, stream)).abort_handle()))
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

async fn send(mut body: Body, mut stream: SendStream<Bytes>) {
    loop {
        let next = poll_fn(|context| {
            // A peer that wants no more is not sent the rest.
            if stream.poll_reset(context).is_ready() {
                return Poll::Ready(None);
            }
            Pin::new(&mut body).poll_frame(context).map(Some)
        });
        let sent = match next.await {
            None => return,
            Some(None) => return drop(stream.send_data(Bytes::new(), true)),
            // The caller has gone, or its message was too large.
            Some(Some(Err(_))) => return stream.send_reset(Reason::CANCEL),
            Some(Some(Ok(frame))) => match frame.into_data() {
                Ok(chunk) => {
                    let last = body.is_end_stream();
                    let sent = send_chunk(&mut stream, chunk, last).await;
                    if last {
                        return;
                    }
                    sent
                }
                Err(frame) => match frame.into_trailers() {
                    Ok(trailers) => return drop(stream.send_trailers(trailers)),
                    Err(_) => Some(()),
                },
            },
        };
        if sent.is_none() {
            return;
        }
    }
}

/// `None` when the peer takes no more.
async fn send_chunk(stream: &mut SendStream<Bytes>, mut chunk: Bytes, last: bool) -> Option<()> {
    while !chunk.is_empty() {
        stream.reserve_capacity(chunk.len());
        let mut room = stream.capacity();
        while room == 0 {
            room = poll_fn(|context| stream.poll_capacity(context)).await?.ok()?;
        }
        let part = chunk.split_to(room.min(chunk.len()));
        stream.send_data(part, last && chunk.is_empty()).ok()?;
        if chunk.is_empty() {
            return Some(());
        }
    }
    stream.send_data(chunk, last).ok()
}

/// The body of an answer. Holds the pump, because a call whose answer nobody wants is over.
#[derive(Debug)]
pub(super) struct Answer {
    stream: RecvStream,
    _pump: Pump,
    data_done: bool,
}

impl Answer {
    pub(super) fn new(stream: RecvStream, pump: Pump) -> Self {
        Self { stream, _pump: pump, data_done: false }
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = h2::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, h2::Error>>> {
        if !self.data_done {
            match ready!(self.stream.poll_data(context)) {
                Some(Ok(chunk)) => {
                    // Taken by our side of the connection only when its next has room for it.
                    let released = self.stream.flow_control().release_capacity(chunk.len());
                    return Poll::Ready(Some(released.map(|()| Frame::data(chunk))));
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => self.data_done = true,
            }
        }
        let trailers = ready!(self.stream.poll_trailers(context));
        Poll::Ready(trailers.map(|trailers| trailers.map(Frame::trailers)).transpose())
    }

    fn is_end_stream(&self) -> bool {
        self.stream.is_end_stream()
    }
}
