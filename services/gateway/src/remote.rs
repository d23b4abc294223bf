//! A remote service: a few HTTP/2 connections, made when needed, made again when lost.
//!
//! hyper's client (and so tonic's channel) keeps a stream open after its answer was dropped, as long
//! as the request still has something to send that the peer does not take. A caller who leaves in the
//! middle of a stream would then hold the service for ever. Hence h2 itself, where dropping both
//! halves resets the stream.

mod link;
mod pump;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use chassis::{ConfigError, errors};
use futures::future::BoxFuture;
use h2::client::SendRequest;
use http::{Request, Response, Uri, uri};
use http_body::Body as _;
use tonic::{Status, body::Body};
use tower::Service;

use self::{
    link::{Link, Target},
    pump::{Answer, Pump},
};
use crate::config::Config;

/// The connections to one address.
#[derive(Debug)]
pub(crate) struct Remote {
    target: Arc<Target>,
    links: Vec<Link>,
    next: AtomicUsize,
}

impl Remote {
    pub(crate) fn new(url: &str, config: &Config) -> Result<Self, ConfigError> {
        let target = Arc::new(Target::parse(url, config)?);
        let links = (0..config.connections.max(1)).map(|_| Link::new(target.clone())).collect();
        Ok(Self { target, links, next: AtomicUsize::new(0) })
    }

    /// Hands the request on and the answer back, as they are.
    pub(crate) async fn forward(&self, request: Request<Body>) -> Result<Response<Body>, Status> {
        let link = &self.links[self.next.fetch_add(1, Ordering::Relaxed) % self.links.len()];
        let sender = link
            .sender()
            .await
            .map_err(|error| errors::unavailable("the service cannot be reached", error))?;
        self.exchange(sender, request)
            .await
            .map_err(|error| errors::unavailable("the connection to the service broke", error))
    }

    async fn exchange(
        &self,
        mut sender: SendRequest<Bytes>,
        request: Request<Body>,
    ) -> Result<Response<Body>, h2::Error> {
        let (mut parts, body) = request.into_parts();
        parts.uri = self.absolute(parts.uri);
        // The extensions are for this process only.
        parts.extensions.clear();
        let ended = body.is_end_stream();
        let (response, stream) = sender.send_request(Request::from_parts(parts, ()), ended)?;
        let pump = if ended { Pump::idle() } else { Pump::start(body, stream) };
        let (parts, received) = response.await?.into_parts();
        Ok(Response::from_parts(parts, Body::new(Answer::new(received, pump))))
    }

    fn absolute(&self, uri: Uri) -> Uri {
        let mut parts = uri::Parts::default();
        parts.scheme = Some(self.target.scheme.clone());
        parts.authority = Some(self.target.authority.clone());
        parts.path_and_query = uri.into_parts().path_and_query;
        // A path of a request that came in can go out again.
        Uri::from_parts(parts).unwrap_or_default()
    }
}

/// For generated clients, such as that of the health service.
#[derive(Debug, Clone)]
pub(crate) struct Via(pub(crate) Arc<Remote>);

impl Service<Request<Body>> for Via {
    type Response = Response<Body>;
    type Error = Status;
    type Future = BoxFuture<'static, Result<Response<Body>, Status>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let remote = self.0.clone();
        Box::pin(async move { remote.forward(request).await })
    }
}
