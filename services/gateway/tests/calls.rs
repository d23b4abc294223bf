//! What the door lets through, what it refuses, and what a service sees of a call.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking; its helpers too"
)]

mod support;

use bytes::Bytes;
use support::{
    LIMITED, OPERATOR, PLACES, PLATFORM, Place, SOON, running, running_with, settings, with_key,
};
use tonic::{Code, Request};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_types::StatusExt;

#[tokio::test]
async fn a_call_with_a_key_goes_through_and_comes_back() {
    for place in PLACES {
        let running = running(place).await;
        let mut client = running.client();
        let answer = client.call("Unary", with_key("hello".into(), OPERATOR)).await.unwrap();
        assert_eq!(answer.metadata().get("x-answer").unwrap(), "42");
        assert_eq!(answer.metadata().get("x-request-id").unwrap().len(), 36);
        assert_eq!(answer.into_inner(), "hello");
        // The other header, and an empty message.
        let mut request = Request::new(Bytes::new());
        request.metadata_mut().insert("x-api-key", PLATFORM.parse().unwrap());
        assert_eq!(client.call("Unary", request).await.unwrap().into_inner(), "");
    }
}

#[tokio::test]
async fn without_a_valid_key_nothing_goes_through() {
    let running = running(Place::InProcess).await;
    let mut client = running.client();
    let refused = client.call("Unary", Request::new(Bytes::new())).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    for key in ["", "wrong", &OPERATOR[1..], &"x".repeat(5000)] {
        let refused = client.call("Unary", with_key(Bytes::new(), key)).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "{key}");
    }
    // Whether a method exists is not told to strangers either.
    let refused = client.call("NoSuch", Request::new(Bytes::new())).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn a_method_is_open_to_its_roles_only() {
    let running = running(Place::InProcess).await;
    let mut client = running.client();
    let mut code = async |method: &str, key: &str| {
        client
            .call(method, with_key(Bytes::new(), key))
            .await
            .map_or_else(|s| s.code(), |_| Code::Ok)
    };
    assert_eq!(code("ForPlatforms", PLATFORM).await, Code::Ok);
    assert_eq!(code("ForPlatforms", OPERATOR).await, Code::PermissionDenied);
    assert_eq!(code("Closed", OPERATOR).await, Code::PermissionDenied);
    assert_eq!(code("Closed", PLATFORM).await, Code::PermissionDenied);
    assert_eq!(code("NoSuch", OPERATOR).await, Code::Unimplemented);
    assert_eq!(code("/no.such.Service/Do", OPERATOR).await, Code::Unimplemented);
    assert_eq!(code("/elsewhere.v1.Other/Unary", OPERATOR).await, Code::Unimplemented);
    assert_eq!(code("Unary/", OPERATOR).await, Code::Unimplemented);
}

#[tokio::test]
async fn what_the_outside_says_about_identity_never_reaches_a_service() {
    for place in PLACES {
        let running = running(place).await;
        let mut request = with_key(Bytes::new(), PLATFORM);
        for (name, value) in [
            ("emall-roles", "ROLE_OPERATOR,ROLE_FINANCE"),
            ("emall-actor", "root"),
            ("emall-platform", "mall-2"),
            ("emall-internal-token", "0123456789abcdef"),
            ("emall-invented", "x"),
        ] {
            request.metadata_mut().append(name, value.parse().unwrap());
        }
        let answer = running.client().call("Who", request).await.unwrap().into_inner();
        let seen = String::from_utf8_lossy(&answer);
        let caller = r#"Caller { name: "mall-one", platform: Some("mall-1"), roles: {Platform} }"#;
        assert!(seen.starts_with(caller), "{seen}");
        for gone in ["authorization", "emall-internal-token", "emall-invented"] {
            assert!(!seen.contains(gone), "{gone} in {seen}");
        }
    }
}

#[tokio::test]
async fn a_person_who_is_no_platform_has_none_whatever_is_claimed() {
    let running = running(Place::InProcess).await;
    let mut request = with_key(Bytes::new(), OPERATOR);
    request.metadata_mut().insert("emall-platform", "mall-2".parse().unwrap());
    let answer = running.client().call("Who", request).await.unwrap().into_inner();
    assert!(String::from_utf8_lossy(&answer).contains("platform: None"));
}

#[tokio::test]
async fn the_request_id_of_the_caller_is_kept_and_told() {
    let running = running(Place::Remote).await;
    let mut request = with_key(Bytes::new(), OPERATOR);
    request.metadata_mut().insert("x-request-id", "push-4711".parse().unwrap());
    let answer = running.client().call("Unary", request).await.unwrap();
    assert_eq!(answer.metadata().get("x-request-id").unwrap(), "push-4711");
}

#[tokio::test]
async fn a_refusal_of_the_service_arrives_with_all_its_details() {
    for place in PLACES {
        let running = running(place).await;
        let refused = running.client().unary("Refuse", b"").await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition);
        assert_eq!(refused.message(), "订单 is on its way");
        let info = refused.get_details_error_info().unwrap();
        assert_eq!(info.reason, "ALREADY_SHIPPED");
        assert_eq!(info.metadata.get("shipment").map(String::as_str), Some("7"));
        // The request id comes with refusals too.
        assert_eq!(refused.metadata().get("x-request-id").unwrap().len(), 36);
    }
}

#[tokio::test]
async fn a_panic_of_the_service_is_internal_and_the_next_call_works() {
    for place in PLACES {
        let running = running(place).await;
        let mut client = running.client();
        let told = client.unary("Panic", b"").await.unwrap_err();
        assert_eq!(told.code(), Code::Internal);
        assert!(!told.message().contains("secret"));
        assert_eq!(client.unary("Unary", b"still here").await.unwrap(), "still here");
    }
}

#[tokio::test]
async fn a_key_that_calls_too_often_is_told_when_to_come_back() {
    let running = running(Place::InProcess).await;
    let mut client = running.client();
    for _ in 0..2 {
        client.call("Unary", with_key(Bytes::new(), LIMITED)).await.unwrap();
    }
    let refused = client.call("Unary", with_key(Bytes::new(), LIMITED)).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(refused.get_details_error_info().unwrap().reason, "RATE_LIMIT");
    let wait = refused.get_details_retry_info().unwrap().retry_delay.unwrap();
    assert!(wait.as_millis() > 0 && wait.as_secs() <= 1, "{wait:?}");
    // Another key is not concerned.
    client.unary("Unary", b"").await.unwrap();
}

#[tokio::test]
async fn beyond_the_limit_of_calls_in_work_one_is_refused_at_once() {
    let mut settings = settings();
    settings.server.max_in_flight = 1;
    let running = running_with(Place::Remote, settings, |_| {}).await;
    let mut client = running.client();
    let mut other = running.client();
    let hung = tokio::spawn(async move { other.unary("Hang", b"").await });
    let in_work = running.echo.in_work.clone();
    let busy = || in_work.load(std::sync::atomic::Ordering::SeqCst) == 1;
    support::eventually("the first call is in work", busy).await;
    let refused = client.unary("Unary", b"").await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert!(refused.get_details_retry_info().is_some());
    // A caller who gives up makes room, and the service hears of it.
    hung.abort();
    let idle = || in_work.load(std::sync::atomic::Ordering::SeqCst) == 0;
    support::eventually("the call is given up", idle).await;
    client.unary("Unary", b"").await.unwrap();
}

#[tokio::test]
async fn a_message_that_is_too_large_is_refused_before_the_service_sees_it() {
    for place in PLACES {
        let running = running(place).await;
        let mut client = running.client();
        let fits = vec![1; 100_000];
        assert_eq!(client.unary("Unary", &fits).await.unwrap(), fits);
        for size in [100_001, 3_000_000] {
            let refused = client.unary("Unary", &vec![1; size]).await.unwrap_err();
            assert_eq!(refused.code(), Code::ResourceExhausted, "{place:?} {size} {refused:?}");
            assert_eq!(refused.get_details_error_info().unwrap().reason, "MESSAGE_TOO_LARGE");
        }
        client.unary("Unary", b"still here").await.unwrap();
    }
}

#[tokio::test]
async fn health_and_reflection_need_no_key() {
    let running = running(Place::InProcess).await;
    let channel = tonic::transport::Endpoint::from_shared(format!("http://{}", running.address))
        .unwrap()
        .connect_lazy();
    let mut health = HealthClient::new(channel.clone());
    let healthy = async |health: &mut HealthClient<_>, service: &str| {
        let asked = HealthCheckRequest { service: service.to_owned() };
        health.check(asked).await.map(|answer| answer.into_inner().status())
    };
    tokio::time::timeout(SOON, async {
        while healthy(&mut health, "").await.unwrap() != ServingStatus::Serving {}
    })
    .await
    .unwrap();
    assert_eq!(healthy(&mut health, "test.v1.Echo").await.unwrap(), ServingStatus::Serving);
    assert_eq!(healthy(&mut health, "no.such").await.unwrap_err().code(), Code::NotFound);

    use tonic_reflection::pb::v1::{
        ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };
    let asked = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::FileContainingSymbol(
            "emall.common.v1.RecordedEvent".to_owned(),
        )),
    };
    let mut answers = ServerReflectionClient::new(channel)
        .server_reflection_info(tokio_stream::once(asked))
        .await
        .unwrap()
        .into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    assert!(matches!(answer, MessageResponse::FileDescriptorResponse(_)), "{answer:?}");
}
