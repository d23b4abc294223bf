//! One set of instruments, and a trace that goes through.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking; its helpers too"
)]

use std::{collections::BTreeSet, convert::Infallible, sync::Arc};

use chassis::{
    Call, Caller, Secret, TelemetryHandle,
    identity::Trust,
    rpc::Rpc,
    settings::{Server, Telemetry},
};
use contracts::common::Role;
use http::{HeaderValue, Request, Response};
use tonic::{Status, body::Body};
use tower::{ServiceExt, service_fn};

fn request(trust: &Trust) -> Request<Body> {
    let mut request = Request::post("http://x/grpc.health.v1.Health/Check")
        .header("content-type", "application/grpc")
        .body(Body::empty())
        .unwrap();
    let roles = BTreeSet::from([Role::Operator]);
    let caller = Caller { name: "tester".to_owned(), platform: None, roles };
    trust.vouch(&caller).unwrap().apply(request.headers_mut());
    request
}

#[tokio::test]
async fn calls_are_counted_by_method_and_code_in_the_prometheus_text() {
    let telemetry = TelemetryHandle::metrics_only("test").unwrap();
    let trust = Trust::by(&Secret::random()).unwrap();
    let handler = service_fn(|_: Request<Body>| async {
        Ok::<_, Infallible>(Status::not_found("").into_http::<Body>())
    });
    let rpc = Rpc::inside("ordering", &Server::default(), trust.clone(), handler);
    for _ in 0..3 {
        rpc.clone().oneshot(request(&trust)).await.unwrap();
    }
    let mut other = request(&trust);
    *other.uri_mut() = "http://x/made.up/Path".parse().unwrap();
    rpc.clone().oneshot(other).await.unwrap();

    let text = String::from_utf8(telemetry.prometheus()).unwrap();
    let line = |parts: &[&str]| {
        text.lines()
            .find(|line| parts.iter().all(|part| line.contains(part)))
            .unwrap_or_else(|| panic!("no line with {parts:?} in\n{text}"))
    };
    let method = "method=\"/grpc.health.v1.Health/Check\"";
    let labels = [method, "code=\"NOT_FOUND\"", "server=\"ordering\""];
    assert!(line(&[&["rpc_server_calls_total{"], &labels[..]].concat()).ends_with(" 3"));
    assert!(line(&[&["rpc_server_duration_seconds_count{"], &labels[..]].concat()).ends_with(" 3"));
    // A path from outside makes no label of its own.
    assert!(line(&["rpc_server_calls_total{", "method=\"other\""]).ends_with(" 1"));
    assert!(line(&["rpc_server_in_flight{"]).ends_with(" 0"));
}

#[tokio::test]
async fn a_trace_of_the_caller_goes_on_in_the_call() {
    // Nobody listens there: traces are made, and dropped when they are handed out.
    let config =
        Telemetry { otlp_endpoint: Some("http://127.0.0.1:9".to_owned()), ..Telemetry::default() };
    let telemetry = TelemetryHandle::start("test", &config).unwrap();
    let trust = Trust::by(&Secret::random()).unwrap();
    let handler = service_fn(|request: Request<Body>| async move {
        let call = request.extensions().get::<Arc<Call>>().unwrap();
        let answer = HeaderValue::from_str(&call.traceparent).unwrap();
        let current = HeaderValue::from_str(&chassis::trace::traceparent()).unwrap();
        let mut response: Response<Body> = Status::ok("").into_http();
        response.headers_mut().insert("of-call", answer);
        response.headers_mut().insert("of-span", current);
        Ok::<_, Infallible>(response)
    });
    let rpc = Rpc::inside("ordering", &Server::default(), trust.clone(), handler);
    let given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let mut traced = request(&trust);
    traced.headers_mut().insert("traceparent", HeaderValue::from_static(given));
    let response = rpc.oneshot(traced).await.unwrap();
    let of = |name| response.headers().get(name).unwrap().to_str().unwrap();
    assert_eq!(of("of-call"), of("of-span"));
    assert_eq!(of("of-call")[..36], given[..36], "the same trace");
    assert_ne!(of("of-call")[36..52], given[36..52], "a span of its own");
    assert!(of("of-call").ends_with("-01"), "the caller's decision to keep it");
    telemetry.flush(std::time::Duration::from_millis(300)).await;
}
