//! The service behind the gateway. Each method does one thing that a gateway could get wrong.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use chassis::{Caller, Refusal};
use futures::future::BoxFuture;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming, body::Body, server::NamedService};
use tower::{Service, service_fn};

use super::raw::RawCodec;

type Answers = Pin<Box<dyn Stream<Item = Result<Bytes, Status>> + Send>>;

#[derive(Debug, Clone, Default)]
pub struct Echo {
    /// Messages that `Flood` has made.
    pub made: Arc<AtomicUsize>,
    /// Calls that are in work.
    pub in_work: Arc<AtomicUsize>,
}

impl NamedService for Echo {
    const NAME: &'static str = "test.v1.Echo";
}

struct InWork(Arc<AtomicUsize>);

impl InWork {
    fn begin(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::SeqCst);
        Self(count.clone())
    }
}

impl Drop for InWork {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Service<http::Request<Body>> for Echo {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<http::Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let echo = self.clone();
        Box::pin(async move {
            let method = request.uri().path().rsplit('/').next().unwrap().to_owned();
            let mut grpc = tonic::server::Grpc::new(RawCodec);
            Ok(match method.as_str() {
                "Both" | "Flood" | "Deaf" => {
                    let many =
                        service_fn(move |request| many(echo.clone(), method.clone(), request));
                    grpc.streaming(many, request).await
                }
                _ => {
                    let one = service_fn(move |request| one(echo.clone(), method.clone(), request));
                    grpc.unary(one, request).await
                }
            })
        })
    }
}

async fn one(
    echo: Echo,
    method: String,
    request: Request<Bytes>,
) -> Result<Response<Bytes>, Status> {
    let _in_work = InWork::begin(&echo.in_work);
    match method.as_str() {
        "Hang" => std::future::pending().await,
        "Panic" => panic!("a secret of the backend"),
        "Refuse" => Err(Refusal::not_now("ALREADY_SHIPPED", "订单 is on its way")
            .with("shipment", 7)
            .status("ordering")),
        "Who" => {
            let caller = Caller::of(&request)?;
            let names: Vec<_> = request.metadata().keys().map(|name| format!("{name:?}")).collect();
            Ok(Response::new(format!("{caller:?} {}", names.join(" ")).into()))
        }
        _ => {
            let mut response = Response::new(request.into_inner());
            response.metadata_mut().insert("x-answer", "42".parse().unwrap());
            Ok(response)
        }
    }
}

async fn many(
    echo: Echo,
    method: String,
    request: Request<Streaming<Bytes>>,
) -> Result<Response<Answers>, Status> {
    let in_work = InWork::begin(&echo.in_work);
    let mut incoming = request.into_inner();
    let answers: Answers = match method.as_str() {
        "Flood" => {
            let made = echo.made.clone();
            let message = Bytes::from(vec![7; 1024]);
            Box::pin(tokio_stream::iter(std::iter::repeat_with(move || {
                let _held = &in_work;
                made.fetch_add(1, Ordering::SeqCst);
                Ok(message.clone())
            })))
        }
        "Deaf" => {
            // Takes one message and then no more, but keeps the stream.
            incoming.message().await?;
            Box::pin(tokio_stream::pending().map(move |never: Result<Bytes, Status>| {
                let _held = (&in_work, &incoming);
                never
            }))
        }
        _ => Box::pin(incoming.map(move |message| {
            let _held = &in_work;
            message
        })),
    };
    Ok(Response::new(answers))
}
