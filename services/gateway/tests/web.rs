//! gRPC-Web and other HTTP/1 on the same port, written by hand.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking; its helpers too"
)]

mod support;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use support::{OPERATOR, PLACES, Place, Running, SOON, running, running_with, settings};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

fn frame(message: &[u8]) -> Bytes {
    let mut frame = vec![0];
    frame.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    frame.extend(message);
    frame.into()
}

fn post(running: &Running, method: &str, message: &[u8]) -> Request<Full<Bytes>> {
    Request::post(format!("/test.v1.Echo/{method}"))
        .header("host", running.address.to_string())
        .header("content-type", "application/grpc-web+proto")
        .header("x-api-key", OPERATOR)
        .body(Full::new(frame(message)))
        .unwrap()
}

/// One HTTP/1.1 exchange.
async fn exchange(running: &Running, request: Request<Full<Bytes>>) -> Response<Bytes> {
    let stream = TcpStream::connect(running.address).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    let driver = tokio::spawn(connection);
    let response = timeout(SOON, sender.send_request(request)).await.unwrap().unwrap();
    let (parts, body) = response.into_parts();
    let bytes = timeout(SOON, body.collect()).await.unwrap().unwrap().to_bytes();
    driver.abort();
    Response::from_parts(parts, bytes)
}

fn status_of(response: &Response<Bytes>) -> Option<&str> {
    response.headers().get("grpc-status")?.to_str().ok()
}

#[tokio::test]
async fn a_web_page_calls_over_http1() {
    for place in PLACES {
        let running = running(place).await;
        let response = exchange(&running, post(&running, "Unary", b"hello")).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "application/grpc-web+proto");
        let (data, trailers) = response.body().split_at(frame(b"hello").len());
        assert_eq!(data, frame(b"hello"));
        assert_eq!(trailers[0], 0x80, "the trailers come as the last frame");
        assert!(String::from_utf8_lossy(trailers).contains("grpc-status:0"), "{trailers:?}");
    }
}

#[tokio::test]
async fn refusals_reach_a_web_page_too() {
    let running = running(Place::InProcess).await;
    let mut stranger = post(&running, "Unary", b"");
    stranger.headers_mut().remove("x-api-key");
    assert_eq!(status_of(&exchange(&running, stranger).await), Some("16"));
    let closed = exchange(&running, post(&running, "Closed", b"")).await;
    assert_eq!(status_of(&closed), Some("7"));
    let large = exchange(&running, post(&running, "Unary", &vec![0; 100_001])).await;
    assert_eq!(status_of(&large), Some("8"));
}

#[tokio::test]
async fn the_deadline_of_the_caller_is_kept_by_the_gateway() {
    for place in PLACES {
        let running = running(place).await;
        let mut request = post(&running, "Hang", b"");
        request.headers_mut().insert("grpc-timeout", "100m".parse().unwrap());
        assert_eq!(status_of(&exchange(&running, request).await), Some("4"), "{place:?}");
        let idle = || running.echo.in_work.load(std::sync::atomic::Ordering::SeqCst) == 0;
        support::eventually("the service hears of it", idle).await;
    }
}

#[tokio::test]
async fn only_listed_origins_may_call_from_a_page() {
    let running = running_with(Place::InProcess, settings(), |config| {
        config.allowed_origins = vec!["https://desk.example.com".to_owned()];
    })
    .await;
    let allowed = async |origin: &'static str| {
        let ask = Request::options("/test.v1.Echo/Unary")
            .header("host", "x")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .body(Full::default())
            .unwrap();
        let answer = exchange(&running, ask).await;
        answer.headers().get("access-control-allow-origin").is_some()
    };
    assert!(allowed("https://desk.example.com").await);
    assert!(!allowed("https://evil.example.com").await);
}

#[tokio::test]
async fn other_http_is_answered_and_not_served() {
    let running = running(Place::InProcess).await;
    for method in ["GET", "PUT", "DELETE"] {
        let page = Request::builder()
            .method(method)
            .uri("/")
            .header("host", "x")
            .body(Full::default())
            .unwrap();
        assert!(exchange(&running, page).await.status().is_client_error());
    }
}

#[tokio::test]
async fn nonsense_and_silence_on_the_port_disturb_nobody() {
    let mut settings = settings();
    settings.server.handshake_seconds = 1;
    let running = running_with(Place::InProcess, settings, |_| {}).await;
    let mut wire = vec![
        vec![0xff; 10_000],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff".to_vec(),
        b"POST /test.v1.Echo/Unary HTTP/1.1\r\ncontent-length: -1\r\n\r\n".to_vec(),
        b"POST / HTTP/1.1\r\nx: ".to_vec(),
    ];
    wire.push([&b"GET / HTTP/1.1\r\nx: "[..], &vec![b'a'; 1_000_000]].concat());
    let mut streams = Vec::new();
    for bytes in wire {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        let _ = stream.write_all(&bytes).await;
        streams.push(stream);
    }
    assert_eq!(running.client().unary("Unary", b"hello").await.unwrap(), "hello");
    for mut stream in streams {
        let mut answer = Vec::new();
        let _ = timeout(SOON, stream.read_to_end(&mut answer)).await.expect("let go in time");
    }
}
