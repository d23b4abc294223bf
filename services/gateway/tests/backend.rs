//! A remote service that is down, restarts, or never answers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking; its helpers too"
)]

mod support;

use std::time::{Duration, Instant};

use support::{Place, SOON, backend, eventually, process, running, running_with, settings};
use tokio::{net::TcpListener, time::timeout};
use tonic::Code;
use tonic_types::StatusExt;

#[tokio::test]
async fn a_service_that_restarts_is_reported_and_found_again() {
    let mut running = running(Place::Remote).await;
    let ready = running.host.readiness().clone();
    let mut client = running.client();
    eventually("ready", || ready.is_ready()).await;
    client.unary("Unary", b"1").await.unwrap();

    let gone = running.backend.take().unwrap();
    timeout(SOON, gone.process.run(async {})).await.unwrap().unwrap();
    let begun = Instant::now();
    let refused = client.unary("Unary", b"2").await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable, "{refused:?}");
    assert!(refused.get_details_retry_info().is_some());
    assert!(begun.elapsed() < Duration::from_secs(5));
    eventually("not ready", || !ready.is_ready()).await;
    assert!(ready.report().contains("cannot be reached"), "{}", ready.report());

    let _again = backend(&running.echo, gone.address.port()).await;
    eventually("ready again", || ready.is_ready()).await;
    // one of the connections that failed just now may be believed to fail a moment longer
    let found = async {
        loop {
            match client.unary("Unary", b"3").await {
                Ok(answer) => return answer,
                Err(status) => assert_eq!(status.code(), Code::Unavailable, "{status:?}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert_eq!(timeout(SOON, found).await.unwrap(), "3");
}

#[tokio::test]
async fn a_service_that_dies_in_the_middle_ends_the_stream_with_a_status() {
    let mut running = running(Place::Remote).await;
    let mut answers = running.client().streaming("Both", tokio_stream::pending()).await.unwrap();
    let gone = running.backend.take().unwrap();
    // The stream never ends by itself, so the stop cuts it off.
    timeout(SOON, gone.process.run(async {})).await.unwrap().unwrap();
    let told = timeout(SOON, answers.message()).await.unwrap().unwrap_err();
    assert_eq!(told.code(), Code::Unavailable, "{told:?}");
}

#[tokio::test]
async fn a_service_that_never_answers_does_not_hang_the_caller() {
    // Accepts, and never says a word.
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("http://{}", mute.local_addr().unwrap());
    let mut settings = settings();
    settings.server.request_timeout_seconds = 1;
    let running = running_with(Place::InProcess, settings, |config| {
        config.routes.insert("test".to_owned(), target);
    })
    .await;
    let begun = Instant::now();
    let told = running.client().unary("Unary", b"").await.unwrap_err();
    assert_eq!(told.code(), Code::DeadlineExceeded);
    assert!(begun.elapsed() < Duration::from_secs(5));
    let ready = running.host.readiness();
    eventually("not ready", || ready.report().contains("does not answer")).await;
}

#[tokio::test]
async fn a_service_of_the_same_process_that_still_starts_is_unavailable() {
    let process = process(settings());
    let host = process.host("gateway");
    let config = support::config("in-process");
    let address = gateway::open(&config, &host, &support::methods()).await.unwrap();
    let echo = support::echo::Echo::default();
    let running = support::Running { address, host, process, echo, backend: None };
    let refused = running.client().unary("Unary", b"").await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(refused.get_details_retry_info().is_some());
    let late = running.process.in_process_host("echo");
    late.serve(chassis::Services::new().with(running.echo.clone())).await.unwrap();
    running.client().unary("Unary", b"").await.unwrap();
}

#[tokio::test]
async fn a_service_with_another_token_believes_nothing() {
    let mut settings = settings();
    settings.identity.internal_token = Some(chassis::Secret::new("another-token-here"));
    let running = running_with(Place::Remote, settings, |_| {}).await;
    let refused = running.client().unary("Who", b"").await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
}
