//! What the door and the services say to input that wants to break them: a status, with the field
//! where there is one. Never a panic, and the next order is served.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where something goes wrong"
)]

use bytes::{Buf, BufMut};
use contracts::{
    common::Money,
    ordering::{OrderDraft, PushOrderRequest, PushOrdersRequest},
};
use e2e::{
    life, orders,
    stack::{Key, MALL_A, Stack},
};
use futures::StreamExt;
use proptest::{
    prelude::{Just, Strategy, any},
    strategy::ValueTree,
    test_runner::TestRunner,
};
use prost::Message;
use tonic::{
    Code, Status,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
    service::interceptor::InterceptedService,
    transport::Channel,
};
use tonic_types::StatusExt;

/// Makes an order one that cannot be.
type Spoil = fn(&mut OrderDraft);

type Wire = tonic::client::Grpc<InterceptedService<Channel, Key>>;

async fn wire(stack: &Stack) -> Wire {
    let channel = stack.channel().await;
    tonic::client::Grpc::new(InterceptedService::new(channel, Key::new(MALL_A)))
        .max_encoding_message_size(64 << 20)
}

/// Sends bytes as they are to a method.
async fn send(wire: &mut Wire, method: &'static str, body: Vec<u8>) -> Result<Vec<u8>, Status> {
    wire.ready().await.unwrap();
    let path = PathAndQuery::from_static(method);
    wire.unary(tonic::Request::new(body), path, Raw).await.map(tonic::Response::into_inner)
}

const PUSH: &str = "/emall.ordering.v1.OrderService/PushOrder";

#[tokio::test]
async fn malformed_bytes_are_refused_and_the_next_order_is_served() {
    let stack = Stack::start().await;
    let mut wire = wire(&stack).await;
    let good = PushOrderRequest { order: Some(orders::draft("", "A-1")) }.encode_to_vec();

    let mut cases: Vec<(&str, Vec<u8>)> = vec![
        ("a length beyond the end", vec![0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f]),
        ("an endless varint", vec![0xff; 64]),
        ("an unknown wire type", vec![0x0f]),
        ("a field number of zero", vec![0x00, 0x00]),
        ("invalid UTF-8", {
            let mut order = vec![0x12, 0x02, 0xc3, 0x28];
            let mut request = vec![0x0a, u8::try_from(order.len()).unwrap()];
            request.append(&mut order);
            request
        }),
        (
            "nesting without an end",
            (0..20_000).fold(Vec::new(), |inner, _| {
                let mut outer = vec![0x0b];
                outer.extend(inner);
                outer
            }),
        ),
    ];
    for cut in [1, good.len() / 3, good.len() - 1] {
        cases.push(("a truncated order", good[..cut].to_vec()));
    }
    for (what, body) in cases {
        let refused = send(&mut wire, PUSH, body).await.expect_err(what);
        assert!(
            matches!(refused.code(), Code::InvalidArgument | Code::Internal),
            "{what}: {refused:?}"
        );
    }
    send(&mut wire, PUSH, good).await.unwrap();
    assert!(!stack.log().contains("panic"), "{}", stack.log());
}

#[tokio::test]
async fn random_bytes_never_break_anything() {
    let stack = Stack::start().await;
    let mut wire = wire(&stack).await;
    let mut runner = TestRunner::deterministic();
    let good = PushOrderRequest { order: Some(orders::draft("", "A-1")) }.encode_to_vec();
    // noise, and good orders with a few bytes changed
    let length = good.len();
    let changed = proptest::collection::vec((0..length, any::<u8>()), 1..8).prop_map(move |by| {
        let mut bytes = good.clone();
        for (at, byte) in by {
            bytes[at] = byte;
        }
        bytes
    });
    let noise = proptest::collection::vec(any::<u8>(), 0..400);
    let bodies = proptest::prop_oneof![noise, changed];
    let methods: Vec<&'static str> = contracts::methods()
        .filter(|method| {
            method.starts_with("/emall.ordering.v1.") && !method.ends_with("PushOrders")
        })
        .collect();
    let methods = (0..methods.len(), Just(methods)).prop_map(|(at, methods)| methods[at]);
    for _ in 0..2_000 {
        let body = bodies.new_tree(&mut runner).unwrap().current();
        let method = methods.new_tree(&mut runner).unwrap().current();
        if let Err(refused) = send(&mut wire, method, body).await {
            assert!(
                !matches!(refused.code(), Code::Unknown | Code::Unavailable | Code::DataLoss),
                "{method}: {refused:?}"
            );
        }
    }
    assert!(!stack.log().contains("panic"), "{}", stack.log());
    life::push(&mut stack.orders(MALL_A).await, "A-2").await;
    stack.verify().await;
}

#[tokio::test]
async fn what_cannot_be_an_order_is_refused_with_its_field() {
    let stack = Stack::start().await;
    let mut mall = stack.orders(MALL_A).await;
    let cases: Vec<(&str, Spoil)> = vec![
        ("order.buyer", |order| order.buyer = None),
        ("order.buyer.buyer_id", |order| order.buyer.as_mut().unwrap().buyer_id.clear()),
        ("order.recipient", |order| order.recipient = None),
        ("order.placed_at", |order| order.placed_at.as_mut().unwrap().seconds = i64::MAX),
        ("order.deliver_by", |order| order.deliver_by.as_mut().unwrap().nanos = -1),
        ("order.lines", |order| order.lines.clear()),
        ("order.lines", |order| order.lines = vec![order.lines[0].clone(); 50_000]),
        ("order.lines[1].line_no", |order| order.lines[1].line_no = 1),
        ("order.lines[0].quantity", |order| order.lines[0].quantity = 0),
        ("order.lines[0].listing", |order| order.lines[0].listing = None),
        ("order.lines[0].listing.unit_price.minor_units", |order| price(order, 0)),
        ("order.lines[0].listing.unit_price.minor_units", |order| price(order, -1)),
        ("order.lines[0].listing.unit_price.minor_units", |order| price(order, i64::MIN)),
        ("order.total", |order| order.total = orders::yuan(671)),
        ("order.total", |order| {
            // three of these overflow 64 bits
            price(order, i64::MAX);
            order.lines[0].quantity = u32::MAX;
        }),
        ("order.total.currency", |order| order.total.as_mut().unwrap().currency = "USD".to_owned()),
        ("order.lines[1].listing.unit_price.currency", |order| {
            let listing = order.lines[1].listing.as_mut().unwrap();
            listing.unit_price.as_mut().unwrap().currency = "USD".to_owned();
        }),
        ("order.freight.minor_units", |order| {
            order.freight = Some(Money { minor_units: -5, currency: "CNY".to_owned() });
        }),
        ("order.remarks", |order| order.remarks = "长".repeat(2_001)),
        ("order.platform_order_no", |order| order.platform_order_no = "A\u{1f}1".to_owned()),
        ("order.platform_order_no", |order| order.platform_order_no = "9".repeat(65)),
        ("order.platform", |order| order.platform = "mall-b".to_owned()),
        ("order.urgency", |order| order.urgency = 99),
    ];
    for (index, (field, spoil)) in cases.into_iter().enumerate() {
        let mut order = orders::draft("", &format!("H-{index}"));
        spoil(&mut order);
        let refused = mall.push_order(PushOrderRequest { order: Some(order) }).await;
        let refused = refused.expect_err(field);
        assert_eq!(refused.code(), Code::InvalidArgument, "{field}: {refused:?}");
        let details = refused.get_error_details();
        let fields: Vec<_> = details
            .bad_request()
            .map(|wrong| wrong.field_violations.iter().map(|one| one.field.clone()).collect())
            .unwrap_or_default();
        assert!(fields.iter().any(|one| one == field), "{field} is not among {fields:?}");
        assert!(details.error_info().is_some(), "{field}: no ErrorInfo");
    }
    let missing = mall.push_order(PushOrderRequest { order: None }).await.unwrap_err();
    assert_eq!(missing.code(), Code::InvalidArgument);
    assert!(!stack.log().contains("panic"), "{}", stack.log());
}

#[tokio::test]
async fn an_oversized_order_is_refused_before_it_is_read() {
    let stack = Stack::start().await;
    let mut wire = wire(&stack).await;
    let mut order = orders::draft("", "A-1");
    order.remarks = "x".repeat(8 << 20);
    let body = PushOrderRequest { order: Some(order) }.encode_to_vec();
    let refused = send(&mut wire, PUSH, body).await.unwrap_err();
    assert!(matches!(refused.code(), Code::ResourceExhausted | Code::OutOfRange), "{refused:?}");
    life::push(&mut stack.orders(MALL_A).await, "A-2").await;
}

#[tokio::test]
async fn a_stream_that_turns_to_noise_keeps_what_came_before() {
    let stack = Stack::start().await;
    let mut wire = wire(&stack).await;
    let good = |number: u32| {
        let order = Some(orders::draft("", &format!("N-{number}")));
        PushOrdersRequest { r#ref: number.to_string(), order }.encode_to_vec()
    };
    let bodies = vec![good(1), good(2), vec![0xff; 9], good(3)];
    wire.ready().await.unwrap();
    let path = PathAndQuery::from_static("/emall.ordering.v1.OrderService/PushOrders");
    let request = tonic::Request::new(futures::stream::iter(bodies));
    let mut answers = wire.streaming(request, path, Raw).await.unwrap().into_inner();
    let (mut accepted, mut refused) = (0, None);
    while let Some(answer) = answers.next().await {
        match answer {
            Ok(_) => accepted += 1,
            Err(status) => refused = Some(status),
        }
    }
    let refused = refused.expect("noise is refused");
    assert!(matches!(refused.code(), Code::InvalidArgument | Code::Internal), "{refused:?}");
    assert!(accepted <= 2);
    stack.verify().await;
}

fn price(order: &mut OrderDraft, minor_units: i64) {
    let listing = order.lines[0].listing.as_mut().unwrap();
    listing.unit_price.as_mut().unwrap().minor_units = minor_units;
}

/// Bytes as they are.
#[derive(Debug, Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut item = vec![0; buffer.remaining()];
        buffer.copy_to_slice(&mut item);
        Ok(Some(item))
    }
}
