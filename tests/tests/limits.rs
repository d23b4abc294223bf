//! What the door lets through, how much of it, and for how long.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking; its helpers too"
)]

use std::time::Duration;

use bytes::Bytes;
use contracts::ordering::{
    GetOrderRequest, PushOrderRequest, PushOrderResponse, order_service_client::OrderServiceClient,
};
use e2e::{
    life, orders,
    parts::is_serving,
    stack::{Key, MALL_A, Stack},
};
use futures::StreamExt;
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use prost::Message;
use tokio::net::TcpStream;
use tonic::{
    Code, Request,
    codegen::http::{self, uri::PathAndQuery},
    service::interceptor::InterceptedService,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};
use tonic_types::StatusExt;

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_key_that_calls_too_often_is_told_when_to_come_back() {
    const SLOW: &str = "key-of-the-slow-mall-0123456789";
    let sha256 = gateway::hash_key(SLOW);
    let stack = Stack::start_with(&format!(
        "[[gateway.keys]]\nname = \"slow\"\nsha256 = \"{sha256}\"\nplatform = \"slow\"\n\
         rate = {{ per_second = 1, burst = 3 }}\n"
    ))
    .await;
    let mut slow = stack.orders(SLOW).await;
    for number in 0..3 {
        life::push(&mut slow, &format!("A-{number}")).await;
    }
    let order = PushOrderRequest { order: Some(orders::draft("", "A-3")) };
    let refused = slow.push_order(order.clone()).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused:?}");
    assert_eq!(refused.get_details_error_info().unwrap().reason, "RATE_LIMIT");
    let wait = refused.get_details_retry_info().unwrap().retry_delay.unwrap();
    assert!(!wait.is_zero() && wait <= Duration::from_secs(1), "{wait:?}");

    // another key has its own measure
    life::push(&mut stack.orders(MALL_A).await, "A-0").await;
    tokio::time::sleep(wait).await;
    slow.push_order(order).await.unwrap();
}

#[tokio::test]
async fn a_message_beyond_the_configured_size_is_refused() {
    let stack = Stack::start_with("[server]\nmax_message_bytes = 4000\n").await;
    let mut mall = stack.orders(MALL_A).await;
    let order = |remarks: usize| {
        let mut order = orders::draft("", "A-1");
        order.remarks = "x".repeat(remarks);
        PushOrderRequest { order: Some(order) }
    };
    assert!(order(0).encoded_len() < 2_000 && order(1_900).encoded_len() < 4_000);
    let mut large = order(1_900);
    large.order.as_mut().unwrap().lines = (1..40).map(|no| orders::line(no, 1, 1)).collect();
    let refused = mall.push_order(large).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused:?}");
    // no waiting makes it smaller
    let retry = refused.get_details_retry_info().and_then(|info| info.retry_delay);
    assert_eq!(retry, None, "{refused:?}");
    mall.push_order(order(1_900)).await.unwrap();
}

#[tokio::test]
async fn a_callers_deadline_ends_its_call() {
    let stack = Stack::start().await;
    let order = PushOrderRequest { order: Some(orders::draft("", "A-1")) };
    let late = web_call(&stack, "PushOrder", &order, &[("grpc-timeout", "1n")]).await;
    assert_eq!(late.status, Code::DeadlineExceeded as i32, "{late:?}");

    // a stream that is open longer than its caller wanted
    let mut mall = stack.orders(MALL_A).await;
    let mut request = Request::new(futures::stream::pending());
    request.set_timeout(Duration::from_millis(200));
    let refused = match mall.push_orders(request).await {
        Ok(answers) => answers.into_inner().next().await.unwrap().unwrap_err(),
        Err(refused) => refused,
    };
    // our own side may be the one that gives up first
    assert!(matches!(refused.code(), Code::DeadlineExceeded | Code::Cancelled), "{refused:?}");

    let wrong = web_call(&stack, "PushOrder", &order, &[("grpc-timeout", "soon")]).await;
    assert_eq!(wrong.status, Code::InvalidArgument as i32, "{wrong:?}");
}

#[tokio::test]
async fn a_web_page_pushes_an_order_over_http_1() {
    let stack = Stack::start().await;
    let order = PushOrderRequest { order: Some(orders::draft("", "W-1")) };
    let pushed = web_call(&stack, "PushOrder", &order, &[]).await;
    assert_eq!(pushed.status, 0, "{pushed:?}");
    let pushed = PushOrderResponse::decode(pushed.message.unwrap()).unwrap();
    let get = GetOrderRequest { order_id: pushed.order_id, ..Default::default() };
    let order = stack.orders(MALL_A).await.get_order(get).await.unwrap().into_inner().order;
    assert_eq!(order.unwrap().platform_order_no, "W-1");

    let mut bad = orders::draft("", "W-2");
    bad.lines.clear();
    let refused = web_call(&stack, "PushOrder", &PushOrderRequest { order: Some(bad) }, &[]).await;
    assert_eq!(refused.status, Code::InvalidArgument as i32, "{refused:?}");
}

#[tokio::test]
async fn nobody_comes_in_without_a_key() {
    let stack = Stack::start().await;
    let channel = stack.channel().await;
    let push = || PushOrderRequest { order: Some(orders::draft("mall-a", "A-1")) };
    let refused = OrderServiceClient::new(channel).push_order(push()).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated, "{refused:?}");
    for key in ["", "no-such-key-0123456789", "Bearer"] {
        let refused = stack.orders(key).await.push_order(push()).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "{key:?}: {refused:?}");
    }
    // nor by saying who one is
    let mut request = Request::new(push());
    request.metadata_mut().insert("emall-actor", "operator".parse().unwrap());
    request.metadata_mut().insert("emall-roles", "ROLE_OPERATOR".parse().unwrap());
    let mut bare = OrderServiceClient::new(stack.channel().await);
    assert_eq!(bare.push_order(request).await.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test]
async fn what_is_not_served_is_unimplemented() {
    let stack = Stack::start().await;
    let service = InterceptedService::new(stack.channel().await, Key::new(MALL_A));
    for path in [
        "/emall.ordering.v1.OrderService/EatOrder",
        "/emall.cooking.v1.OrderService/PushOrder",
        "/nothing",
    ] {
        let mut wire = tonic::client::Grpc::new(service.clone());
        wire.ready().await.unwrap();
        let codec = tonic_prost::ProstCodec::<GetOrderRequest, GetOrderRequest>::default();
        let request = Request::new(GetOrderRequest::default());
        let refused = wire.unary(request, PathAndQuery::from_static(path), codec).await;
        assert_eq!(refused.unwrap_err().code(), Code::Unimplemented, "{path}");
    }
}

#[tokio::test]
async fn health_and_reflection_are_open_to_tools() {
    let stack = Stack::start().await;
    assert!(is_serving(stack.channel().await).await);
    let ask = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut answers = ServerReflectionClient::new(stack.channel().await)
        .server_reflection_info(futures::stream::iter([ask]))
        .await
        .unwrap()
        .into_inner();
    let answer = answers.next().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(services) = answer else { panic!("{answer:?}") };
    let names: Vec<_> = services.service.into_iter().map(|service| service.name).collect();
    assert!(names.iter().any(|name| name == "emall.ordering.v1.OrderService"), "{names:?}");
}

/// What a web page gets.
#[derive(Debug)]
struct WebAnswer {
    status: i32,
    message: Option<Bytes>,
}

/// One call by gRPC-Web over HTTP/1.1, as a platform.
async fn web_call(
    stack: &Stack,
    method: &str,
    message: &impl Message,
    headers: &[(&'static str, &'static str)],
) -> WebAnswer {
    let stream = TcpStream::connect(stack.address).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    let driver = tokio::spawn(connection);
    let mut request = http::Request::post(format!("/emall.ordering.v1.OrderService/{method}"))
        .header("host", stack.address.to_string())
        .header("content-type", "application/grpc-web+proto")
        .header("x-api-key", MALL_A);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let message = message.encode_to_vec();
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    let body = Full::new(Bytes::from([&[0], &length[..], &message].concat()));
    let response = sender.send_request(request.body(body).unwrap());
    let response = tokio::time::timeout(SOON, response).await.unwrap().unwrap();
    let head = response.headers().get("grpc-status").map(|code| code.to_str().unwrap().to_owned());
    let mut body = response.into_body().collect().await.unwrap().to_bytes();
    driver.abort();

    let mut answer = WebAnswer { status: -1, message: None };
    answer.status = head.map_or(-1, |code| code.parse().unwrap());
    while !body.is_empty() {
        let head = body.split_to(5);
        let length = u32::from_be_bytes(head[1..].try_into().unwrap());
        let frame = body.split_to(length as usize);
        if head[0] & 0x80 == 0 {
            answer.message = Some(frame);
            continue;
        }
        let trailers = String::from_utf8(frame.to_vec()).unwrap();
        let code = trailers.lines().find_map(|line| line.strip_prefix("grpc-status:"));
        answer.status = code.unwrap().trim().parse().unwrap();
    }
    answer
}
