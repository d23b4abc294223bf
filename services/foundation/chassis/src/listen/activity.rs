//! Whether anything goes on in a connection.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use tokio::{sync::Notify, time::sleep};
use tower::Service;

/// The calls of one connection.
#[derive(Debug, Default)]
pub(super) struct Activity {
    in_work: AtomicUsize,
    /// A call came since somebody last looked.
    stirred: AtomicBool,
    calm: Notify,
}

impl Activity {
    pub(super) fn is_idle(&self) -> bool {
        self.in_work.load(Ordering::Acquire) == 0
    }

    /// Returns once no call is in work.
    pub(super) async fn none_in_work(&self) {
        loop {
            let calm = self.calm.notified();
            if self.is_idle() {
                return;
            }
            calm.await;
        }
    }

    /// Returns once the connection had no call for `first` from its beginning, or later for
    /// `later`, give or take as much again.
    pub(super) async fn idle_longer_than(&self, first: Duration, later: Duration) {
        sleep(first).await;
        if !self.stirred.load(Ordering::Acquire) {
            return;
        }
        loop {
            self.none_in_work().await;
            self.stirred.store(false, Ordering::Release);
            sleep(later).await;
            if !self.stirred.load(Ordering::Acquire) && self.is_idle() {
                return;
            }
        }
    }

    fn begin(self: &Arc<Self>) -> InWork {
        self.in_work.fetch_add(1, Ordering::AcqRel);
        self.stirred.store(true, Ordering::Release);
        InWork(self.clone())
    }
}

/// One call, until its reply is through or given up.
struct InWork(Arc<Activity>);

impl Drop for InWork {
    fn drop(&mut self) {
        if self.0.in_work.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.calm.notify_waiters();
        }
    }
}

/// A service whose calls are counted.
#[derive(Clone)]
pub(super) struct Watched<S> {
    inner: S,
    activity: Arc<Activity>,
}

impl<S> Watched<S> {
    pub(super) fn new(inner: S, activity: Arc<Activity>) -> Self {
        Self { inner, activity }
    }
}

impl<S, T, B> Service<Request<T>> for Watched<S>
where
    S: Service<Request<T>, Response = Response<B>>,
    S::Future: Unpin,
{
    type Response = Response<WatchedBody<B>>;
    type Error = S::Error;
    type Future = WatchedFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<T>) -> Self::Future {
        let in_work = Some(self.activity.begin());
        WatchedFuture { inner: self.inner.call(request), in_work }
    }
}

pub(super) struct WatchedFuture<F> {
    inner: F,
    in_work: Option<InWork>,
}

impl<F, B, E> Future for WatchedFuture<F>
where
    F: Future<Output = Result<Response<B>, E>> + Unpin,
{
    type Output = Result<Response<WatchedBody<B>>, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let response = ready!(Pin::new(&mut self.inner).poll(context))?;
        let in_work = self.in_work.take();
        Poll::Ready(Ok(response.map(|inner| WatchedBody { inner, _in_work: in_work })))
    }
}

pub(super) struct WatchedBody<B> {
    inner: B,
    _in_work: Option<InWork>,
}

impl<B: Body + Unpin> Body for WatchedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.inner).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
