use std::{collections::BTreeSet, convert::Infallible, future::pending, pin::pin};

use contracts::common::Role;
use futures::{StreamExt, stream};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, Full, StreamBody};
use tonic::Code;
use tonic_types::StatusExt;
use tower::service_fn;

use super::*;
use crate::{Caller, Secret};

fn trust() -> Trust {
    Trust::by(&Secret::new("0123456789abcdef")).unwrap()
}

fn limits() -> Server {
    Server { max_message_bytes: 10, max_in_flight: 2, ..Server::default() }
}

fn request(message: &[u8]) -> Request<Full<Bytes>> {
    let mut frame = vec![0];
    frame.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    frame.extend(message);
    let mut request = Request::post("http://x/test.v1.Test/Do")
        .header("content-type", "application/grpc")
        .body(Full::from(frame))
        .unwrap();
    let caller = Caller {
        name: "tester".to_owned(),
        platform: None,
        roles: BTreeSet::from([Role::Operator]),
    };
    trust().vouch(&caller).unwrap().apply(request.headers_mut());
    request
}

/// Calls a handler with everything around it.
async fn call<F, Fut>(request: Request<Full<Bytes>>, handler: F) -> Response<Body>
where
    F: Fn(Request<Body>) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Response<Body>> + Send,
{
    rpc(handler).oneshot(request).await.unwrap()
}

fn rpc<F, Fut>(
    handler: F,
) -> impl Service<
    Request<Full<Bytes>>,
    Response = Response<Body>,
    Error = Infallible,
    Future = BoxFuture<'static, Result<Response<Body>, Infallible>>,
> + Clone
where
    F: Fn(Request<Body>) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = Response<Body>> + Send,
{
    let handler = service_fn(move |request| {
        let answer = handler(request);
        async { Ok::<_, Infallible>(answer.await) }
    });
    Rpc::inside("test", &limits(), trust(), handler)
}

/// The status of an answer, from its headers or its trailers.
async fn status(response: Response<Body>) -> Status {
    if let Some(status) = Status::from_header_map(response.headers()) {
        return status;
    }
    let collected = response.into_body().collect().await.unwrap();
    Status::from_header_map(collected.trailers().unwrap()).unwrap()
}

fn trailers(code: Code) -> Frame<Bytes> {
    let mut trailers = HeaderMap::new();
    Status::new(code, "").add_header(&mut trailers).unwrap();
    Frame::trailers(trailers)
}

fn answer(
    frames: impl futures::Stream<Item = Result<Frame<Bytes>, Status>> + Send + 'static,
) -> Response<Body> {
    Response::new(Body::new(StreamBody::new(frames)))
}

async fn swallow(request: Request<Body>) -> Response<Body> {
    match request.into_body().collect().await {
        Ok(_) => answer(stream::iter([Ok(trailers(Code::Ok))])),
        Err(status) => status.into_http(),
    }
}

#[tokio::test]
async fn a_call_with_the_gateways_word_reaches_its_handler_and_knows_its_caller() {
    let response = call(request(b"hello"), |request| async move {
        let (parts, body) = request.into_parts();
        assert!(!parts.headers.contains_key(identity::INTERNAL_TOKEN));
        let request =
            tonic::Request::from_parts(tonic::metadata::MetadataMap::new(), parts.extensions, ());
        let call = Call::of(&request).unwrap();
        assert_eq!(Caller::of(&request).unwrap().name, "tester");
        assert_eq!(call.request_id.len(), 36);
        swallow(Request::new(body)).await
    })
    .await;
    assert_eq!(status(response).await.code(), Code::Ok);
}

#[tokio::test]
async fn a_call_without_the_gateways_word_is_refused_unless_it_is_for_health() {
    let mut bare = request(b"");
    identity::strip_reserved(bare.headers_mut());
    assert_eq!(status(call(bare, swallow).await).await.code(), Code::Unauthenticated);
    let mut health = request(b"");
    identity::strip_reserved(health.headers_mut());
    *health.uri_mut() = "http://x/grpc.health.v1.Health/Check".parse().unwrap();
    assert_eq!(status(call(health, swallow).await).await.code(), Code::Ok);
}

#[tokio::test]
async fn a_message_that_is_too_large_is_refused_at_its_header() {
    assert_eq!(status(call(request(b"0123456789"), swallow).await).await.code(), Code::Ok);
    let refused = status(call(request(b"0123456789a"), swallow).await).await;
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(refused.get_details_error_info().unwrap().reason, "MESSAGE_TOO_LARGE");
}

#[tokio::test]
async fn a_handler_that_tells_a_cut_request_in_its_own_way_is_corrected() {
    let response = call(request(b"0123456789a"), |request| async {
        let _ = request.into_body().collect().await;
        Status::unavailable("reset").into_http()
    });
    assert_eq!(status(response.await).await.code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn a_panic_is_internal_and_says_nothing() {
    let panicked = call(request(b""), |_| async { panic!("secret of the house") }).await;
    let told = status(panicked).await;
    assert_eq!(told.code(), Code::Internal);
    assert!(!told.message().contains("secret"));
    let later = call(request(b""), |_| async {
        answer(stream::poll_fn(|_| -> Poll<Option<_>> { panic!("secret of the house") }))
    });
    assert_eq!(status(later.await).await.code(), Code::Internal);
}

#[tokio::test]
async fn one_call_too_many_is_refused_at_once_with_a_time_to_come_back() {
    let mut rpc = rpc(|_| async { answer(stream::pending()) });
    let first = rpc.call(request(b"")).await.unwrap();
    let second = rpc.call(request(b"")).await.unwrap();
    let refused = status(rpc.call(request(b"")).await.unwrap()).await;
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert!(refused.get_details_retry_info().is_some());
    // An answer holds its room until it is over or given up.
    drop(first);
    let third = rpc.call(request(b"")).await.unwrap();
    assert!(third.headers().get(Status::GRPC_STATUS).is_none());
    drop((second, third));
}

#[tokio::test(start_paused = true)]
async fn the_callers_deadline_bounds_the_handler_and_the_stream() {
    let with_timeout = || {
        let mut request = request(b"");
        request.headers_mut().insert("grpc-timeout", HeaderValue::from_static("50m"));
        request
    };
    let hung = call(with_timeout(), |_| pending()).await;
    assert_eq!(status(hung).await.code(), Code::DeadlineExceeded);
    let streaming = call(with_timeout(), |_| async { answer(stream::pending()) }).await;
    assert_eq!(status(streaming).await.code(), Code::DeadlineExceeded);
    // A handler that is always ready does not outlast it either.
    let eager = call(with_timeout(), |_| async {
        answer(stream::repeat_with(|| Ok(Frame::data(Bytes::from_static(b"x")))))
    });
    let mut body = pin!(eager.await.into_body());
    let mut frames = 0;
    loop {
        let frame = std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await;
        let frame = frame.unwrap().unwrap();
        if let Some(trailers) = frame.trailers_ref() {
            let told = Status::from_header_map(trailers).unwrap();
            assert_eq!(told.code(), Code::DeadlineExceeded);
            break;
        }
        frames += 1;
        tokio::time::advance(Duration::from_millis(10)).await;
    }
    assert!((1..=6).contains(&frames), "{frames}");
}

#[tokio::test(start_paused = true)]
async fn a_call_without_a_deadline_must_begin_to_be_answered_in_time() {
    let hung = status(call(request(b""), |_| pending()).await).await;
    assert_eq!(hung.code(), Code::DeadlineExceeded);
    assert_eq!(hung.get_details_error_info().unwrap().reason, "SERVER_TIMEOUT");
    // Once it is being answered it may last.
    let mut long = call(request(b""), |_| async {
        let late = stream::once(async {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            Ok(trailers(Code::Ok))
        });
        answer(late)
    })
    .await
    .into_body();
    assert!(long.frame().await.unwrap().unwrap().is_trailers());
}

#[tokio::test]
async fn a_malformed_deadline_is_refused() {
    let mut request = request(b"");
    request.headers_mut().insert("grpc-timeout", HeaderValue::from_static("soon"));
    assert_eq!(status(call(request, swallow).await).await.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn an_answer_that_breaks_off_ends_with_a_status() {
    let broken = call(request(b""), |_| async {
        let frames = [Ok(Frame::data(Bytes::from_static(b"x"))), Err(Status::unknown("reset"))];
        answer(stream::iter(frames).chain(stream::pending()))
    });
    let told = status(broken.await).await;
    assert_eq!(told.code(), Code::Unavailable);
    assert!(told.get_details_retry_info().is_some());
}

#[tokio::test]
async fn what_is_no_grpc_is_told_so_by_http() {
    let mut page = request(b"");
    page.headers_mut().insert("content-type", HeaderValue::from_static("text/html"));
    assert_eq!(call(page, swallow).await.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let mut close = request(b"");
    close.headers_mut().insert("content-type", HeaderValue::from_static("application/grpcx"));
    assert_eq!(call(close, swallow).await.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn outside_a_request_id_is_kept_if_it_is_one_and_told_in_the_answer() {
    let outside = |id: &'static str| {
        let handler = service_fn(|request: Request<Body>| async move {
            assert!(!request.headers().keys().any(|name| name.as_str().starts_with("emall-")));
            Ok::<_, Infallible>(swallow(request).await)
        });
        let mut request = request(b"");
        request.headers_mut().insert(REQUEST_ID, HeaderValue::from_static(id));
        async move {
            let rpc = Rpc::outside("gateway", &limits(), handler);
            let response = rpc.oneshot(request).await.unwrap();
            response.headers().get(REQUEST_ID).unwrap().to_str().unwrap().to_owned()
        }
    };
    assert_eq!(outside("my-request:1").await, "my-request:1");
    assert_eq!(outside("a bad one").await.len(), 36);
    assert_eq!(outside("").await.len(), 36);
}
