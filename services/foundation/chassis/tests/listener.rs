//! A listener that cannot be held: silence, trickle, nonsense, a stop under load.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking; its helpers too"
)]

use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use chassis::{Listener, settings::Server};
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;
use tower::service_fn;

const SOON: Duration = Duration::from_secs(10);

struct Running {
    address: SocketAddr,
    closing: CancellationToken,
    served: JoinHandle<()>,
    entered: Arc<Notify>,
    release: Arc<Notify>,
}

/// Answers `/slow` once it is released, everything else at once.
async fn running(limits: Server) -> Running {
    let listener = Listener::bind(([127, 0, 0, 1], 0).into(), &limits).await.unwrap().with_http1();
    let (address, closing) = (listener.address(), CancellationToken::new());
    let (entered, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (enter, wait) = (entered.clone(), release.clone());
    let service = service_fn(move |request: Request<Incoming>| {
        let (enter, wait) = (enter.clone(), wait.clone());
        Box::pin(async move {
            if request.uri().path() == "/slow" {
                enter.notify_one();
                wait.notified().await;
            }
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"done"))))
        })
    });
    let served = tokio::spawn(listener.serve(service, closing.clone()));
    Running { address, closing, served, entered, release }
}

fn limits() -> Server {
    Server { handshake_seconds: 1, idle_seconds: 1, ..Server::default() }
}

/// What the peer sends until it closes; fails when it keeps the connection.
async fn until_closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A reset is a way of closing too.
    let _ = timeout(SOON, stream.read_to_end(&mut bytes)).await.expect("still open");
    bytes
}

#[tokio::test]
async fn a_peer_that_says_nothing_is_let_go() {
    let running = running(limits()).await;
    // Not a word; and the whole greeting of HTTP/2, but never a request.
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    for greeting in [Vec::new(), [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &settings[..]].concat()] {
        let mut silent = TcpStream::connect(running.address).await.unwrap();
        silent.write_all(&greeting).await.unwrap();
        until_closed(&mut silent).await;
    }
}

#[tokio::test]
async fn a_peer_that_trickles_its_headers_is_let_go() {
    let running = running(limits()).await;
    for beginning in ["GET / HTTP/1.1\r\n", "PRI * HT"] {
        let stream = TcpStream::connect(running.address).await.unwrap();
        let (mut reader, mut writer) = stream.into_split();
        writer.write_all(beginning.as_bytes()).await.unwrap();
        let trickle = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(Duration::from_millis(50));
            while writer.write_all(b"x").await.is_ok() {
                ticks.tick().await;
            }
        });
        let mut bytes = Vec::new();
        let _ = timeout(SOON, reader.read_to_end(&mut bytes)).await.expect("still open");
        trickle.abort();
    }
}

#[tokio::test]
async fn nonsense_ends_its_own_connection_only() {
    let running = running(limits()).await;
    let mut seed = 1_u64;
    for length in [1, 24, 300, 20_000] {
        let noise: Vec<u8> = (0..length)
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                u8::try_from(seed >> 56).unwrap()
            })
            .collect();
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        let _ = stream.write_all(&noise).await;
        until_closed(&mut stream).await;
    }
    let mut good = TcpStream::connect(running.address).await.unwrap();
    good.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let answer = until_closed(&mut good).await;
    assert!(String::from_utf8_lossy(&answer).ends_with("done"));
}

#[tokio::test]
async fn a_connection_that_is_used_is_kept_and_an_idle_one_let_go() {
    let running = running(limits()).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    // A call in work holds the connection beyond both limits.
    stream.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    timeout(SOON, running.entered.notified()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    running.release.notify_one();
    let answer = until_closed(&mut stream).await;
    assert!(String::from_utf8_lossy(&answer).ends_with("done"));
}

#[tokio::test]
async fn beyond_the_limit_a_connection_waits_for_room() {
    let running =
        running(Server { max_connections: 1, handshake_seconds: 1, ..Server::default() }).await;
    let mut holding = TcpStream::connect(running.address).await.unwrap();
    let mut waiting = TcpStream::connect(running.address).await.unwrap();
    waiting.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut byte = [0];
    assert!(timeout(Duration::from_millis(200), waiting.read(&mut byte)).await.is_err());
    // The silent one is let go, and the other has its turn.
    until_closed(&mut holding).await;
    assert!(String::from_utf8_lossy(&until_closed(&mut waiting).await).ends_with("done"));
}

#[tokio::test]
async fn a_stop_lets_the_call_in_work_finish_and_takes_no_new_one() {
    let running = running(limits()).await;
    let mut silent = TcpStream::connect(running.address).await.unwrap();
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    timeout(SOON, running.entered.notified()).await.unwrap();
    running.closing.cancel();
    until_closed(&mut silent).await;
    assert!(!running.served.is_finished());
    running.release.notify_one();
    assert!(String::from_utf8_lossy(&until_closed(&mut stream).await).ends_with("done"));
    timeout(SOON, running.served).await.unwrap().unwrap();
    assert!(TcpStream::connect(running.address).await.is_err());
}

#[tokio::test]
async fn dropping_the_server_cuts_off_what_is_left() {
    let running = running(Server::default()).await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    stream.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    timeout(SOON, running.entered.notified()).await.unwrap();
    let cut = Instant::now();
    running.served.abort();
    assert!(until_closed(&mut stream).await.is_empty());
    assert!(cut.elapsed() < SOON);
}

#[tokio::test]
async fn the_last_answer_reaches_a_peer_that_is_still_sending() {
    let running = running(limits()).await;
    let mut peer = TcpStream::connect(running.address).await.unwrap();
    peer.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    running.entered.notified().await;
    running.closing.cancel();
    running.release.notify_one();
    // a reset would fail the second of these at the latest
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        peer.write_all(b"GET /next HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    }
    let mut answer = Vec::new();
    timeout(SOON, peer.read_to_end(&mut answer)).await.expect("still open").unwrap();
    assert!(answer.ends_with(b"done"), "{}", String::from_utf8_lossy(&answer));
    // it does not go away, and holds nobody by that
    timeout(SOON, running.served).await.expect("still serving").unwrap();
}
