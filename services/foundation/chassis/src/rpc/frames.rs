//! The size of messages, read from the gRPC frames as they pass: one flag byte, four bytes of
//! length, the message. A message that is too large is stopped at its header, before it is held
//! anywhere.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures::task::AtomicWaker;
use http_body::{Frame, SizeHint};
use tonic::{Status, body::Body};

use crate::errors;

/// Rings when a message is too large. The answer waits for it, because a backend may see nothing
/// but a stream that stops.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    /// Size of the message that rang, 0 for silence.
    size: AtomicUsize,
    waiting: AtomicWaker,
}

impl Alarm {
    fn ring(&self, size: usize) {
        self.size.store(size.max(1), Ordering::Release);
        self.waiting.wake();
    }

    /// The size of the message that rang, if one did.
    pub(super) fn heard(&self) -> Option<usize> {
        Some(self.size.load(Ordering::Acquire)).filter(|size| *size > 0)
    }

    pub(super) async fn rung(&self) -> usize {
        poll_fn(|context| self.poll_rung(context)).await
    }

    pub(super) fn poll_rung(&self, context: &mut Context<'_>) -> Poll<usize> {
        self.waiting.register(context.waker());
        self.heard().map_or(Poll::Pending, Poll::Ready)
    }
}

pub(super) fn too_large(size: usize, limit: usize) -> Status {
    let message = format!("a message has {size} bytes; {limit} is the most");
    errors::exhausted("MESSAGE_TOO_LARGE", &message, None)
}

/// Follows the frames through chunks that are cut anywhere.
#[derive(Debug, Default)]
struct Meter {
    header: [u8; 5],
    header_filled: usize,
    /// Bytes of the message that are still to come.
    remaining: usize,
}

impl Meter {
    /// Takes the next chunk in.
    fn feed(&mut self, mut chunk: &[u8], limit: usize) -> Result<(), usize> {
        while !chunk.is_empty() {
            if self.remaining > 0 {
                let body = self.remaining.min(chunk.len());
                self.remaining -= body;
                chunk = &chunk[body..];
                continue;
            }
            let (head, rest) = chunk.split_at(chunk.len().min(5 - self.header_filled));
            self.header[self.header_filled..self.header_filled + head.len()].copy_from_slice(head);
            self.header_filled += head.len();
            chunk = rest;
            if self.header_filled == 5 {
                let [_, a, b, c, d] = self.header;
                let size = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
                if size > limit {
                    return Err(size);
                }
                self.remaining = size;
                self.header_filled = 0;
            }
        }
        Ok(())
    }
}

/// A request body whose messages are measured.
#[derive(Debug)]
pub(super) struct Measured {
    inner: Body,
    meter: Meter,
    limit: usize,
    alarm: Arc<Alarm>,
}

impl Measured {
    pub(super) fn new(inner: Body, limit: usize, alarm: Arc<Alarm>) -> Self {
        Self { inner, meter: Meter::default(), limit, alarm }
    }
}

impl http_body::Body for Measured {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(context));
        if let Some(Ok(frame)) = &frame
            && let Some(chunk) = frame.data_ref()
        {
            let limit = self.limit;
            if let Err(size) = self.meter.feed(chunk, limit) {
                self.alarm.ring(size);
                self.inner = Body::empty();
                return Poll::Ready(Some(Err(too_large(size, limit))));
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(size: u32) -> Vec<u8> {
        let mut frame = vec![0];
        frame.extend(size.to_be_bytes());
        frame.resize(5 + usize::try_from(size).unwrap(), 7);
        frame
    }

    #[test]
    fn messages_are_measured_however_the_chunks_are_cut() {
        let mut wire = frame(3);
        wire.extend(frame(0));
        wire.extend(frame(10));
        wire.extend(frame(11));
        for cut in 1..wire.len() {
            let mut meter = Meter::default();
            let met = wire.chunks(cut).try_for_each(|chunk| meter.feed(chunk, 10));
            assert_eq!(met, Err(11), "cut every {cut}");
            let mut meter = Meter::default();
            assert_eq!(wire.chunks(cut).try_for_each(|chunk| meter.feed(chunk, 11)), Ok(()));
            assert_eq!((meter.remaining, meter.header_filled), (0, 0));
        }
    }

    #[test]
    fn the_largest_length_that_a_frame_can_claim_is_refused() {
        let size = usize::try_from(u32::MAX).unwrap();
        assert_eq!(Meter::default().feed(&[0, 255, 255, 255, 255], 10), Err(size));
    }
}
