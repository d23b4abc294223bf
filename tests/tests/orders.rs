//! Orders through the door: what a platform and an operator live through.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where something goes wrong"
)]

use std::time::Duration;

use contracts::ordering::{
    ConfirmOrderRequest, GetOrderRequest, GetOrderTimelineRequest, ListOrdersRequest, OrderPhase,
    PushOrderRequest, PushOrdersRequest,
};
use e2e::{
    eventually, life, orders,
    stack::{AUDITOR, MALL_A, MALL_B, OPERATOR, Stack},
};
use eventlog::bus::{Bus, BusOptions, Subscription};
use futures::StreamExt;
use tonic::Code;
use tonic_types::StatusExt;

#[tokio::test]
async fn an_order_goes_from_push_to_settlement_and_every_step_is_seen_once() {
    let mut stack = Stack::start().await;
    let (mut mall, mut operator) = (stack.orders(MALL_A).await, stack.orders(OPERATOR).await);

    let order_id = life::push(&mut mall, "A-1").await;
    let delivered = life::deliver(&mut operator, &order_id).await;
    assert_eq!(delivered.phase(), OrderPhase::InDelivery);
    let settled = life::accept_and_settle(&mut mall, &mut operator, &order_id).await;
    assert_eq!(settled.phase(), OrderPhase::Settled);
    assert_eq!(settled.payable.unwrap().minor_units, 67_000);
    assert!(settled.lines.iter().all(|line| line.warranty_starts_at.is_some()));

    let request = GetOrderTimelineRequest { order_id: order_id.clone() };
    let timeline = mall.get_order_timeline(request).await.unwrap().into_inner().entries;
    let types: Vec<_> =
        timeline.iter().map(|entry| entry.r#type.rsplit('.').next().unwrap()).collect();
    assert_eq!(
        types,
        [
            "OrderPlaced",
            "OrderConfirmed",
            "GoodsInspected",
            "ShipmentPlanned",
            "CarrierChosen",
            "ShipmentPacked",
            "ShipmentDispatched",
            "TrackingRecorded",
            "TrackingRecorded",
            "ShipmentArrived",
            "ArrivalInspected",
            "GoodsAccepted",
            "OrderFulfilled",
            "OrderSettled",
        ]
    );

    let bus = Bus::connect(BusOptions::new("test", format!("nats://{}", stack.bus))).await.unwrap();
    let mut events = Subscription::open(&bus, "ORDERING", 0, &[]).await.unwrap();
    for (index, entry) in timeline.iter().enumerate() {
        let event = tokio::time::timeout(Duration::from_secs(10), events.next()).await;
        let event = event.expect("in time").unwrap();
        assert_eq!((event.position, &event.r#type), (index as u64 + 1, &entry.r#type));
    }
    assert!(stack.stop().await.success());
}

#[tokio::test]
async fn a_push_is_idempotent_and_other_content_is_refused_with_the_difference_named() {
    let stack = Stack::start().await;
    let mut mall = stack.orders(MALL_A).await;
    let draft = orders::draft("mall-a", "A-1");
    let push = |order| PushOrderRequest { order: Some(order) };

    let first = mall.push_order(push(draft.clone())).await.unwrap().into_inner();
    let again = mall.push_order(push(draft.clone())).await.unwrap().into_inner();
    assert!(!first.repeated && again.repeated);
    assert_eq!(first.order_id, again.order_id);

    let mut other = draft;
    other.lines[1].quantity = 3;
    other.total = orders::yuan(705);
    let refused = mall.push_order(push(other)).await.unwrap_err();
    assert_eq!(refused.code(), Code::AlreadyExists);
    let info = refused.get_details_error_info().unwrap();
    assert_eq!(info.reason, "DIFFERENT_CONTENT");
    assert_eq!(info.metadata["field"], "lines[1].quantity");
    assert!(refused.message().contains('2') && refused.message().contains('3'), "{refused}");
}

#[tokio::test]
async fn of_a_stream_a_bad_order_is_refused_alone() {
    let stack = Stack::start().await;
    let mut mall = stack.orders(MALL_A).await;
    let requests: Vec<_> = (0..1_000)
        .map(|number| {
            let mut order = orders::draft("", &format!("S-{number}"));
            if number % 10 == 3 {
                order.lines[0].quantity = 0;
            }
            PushOrdersRequest { r#ref: number.to_string(), order: Some(order) }
        })
        .collect();
    let answers = mall.push_orders(futures::stream::iter(requests)).await.unwrap().into_inner();
    let answers: Vec<_> = answers.map(Result::unwrap).collect().await;
    assert_eq!(answers.len(), 1_000);
    for answer in answers {
        let bad = answer.r#ref.parse::<u32>().unwrap() % 10 == 3;
        assert_eq!(answer.refusal.is_some(), bad, "{answer:?}");
        if let Some(refusal) = answer.refusal {
            assert_eq!(refusal.field, "order.lines[0].quantity");
            assert_eq!(refusal.code, i32::from(Code::InvalidArgument));
        }
    }
    stack.verify().await;
}

#[tokio::test]
async fn a_platform_sees_and_changes_only_its_own_orders() {
    let stack = Stack::start().await;
    let (mut a, mut b) = (stack.orders(MALL_A).await, stack.orders(MALL_B).await);
    let order_id = life::push(&mut a, "A-1").await;

    let get = |order_id: &str| GetOrderRequest { order_id: order_id.into(), ..Default::default() };
    assert!(a.get_order(get(&order_id)).await.is_ok());
    assert_eq!(b.get_order(get(&order_id)).await.unwrap_err().code(), Code::NotFound);
    let by_number = GetOrderRequest {
        platform: "mall-a".to_owned(),
        platform_order_no: "A-1".to_owned(),
        ..Default::default()
    };
    assert_eq!(b.get_order(by_number).await.unwrap_err().code(), Code::InvalidArgument);
    let same_number = GetOrderRequest { platform_order_no: "A-1".to_owned(), ..Default::default() };
    assert_eq!(b.get_order(same_number).await.unwrap_err().code(), Code::NotFound);
    let timeline = GetOrderTimelineRequest { order_id: order_id.clone() };
    assert_eq!(b.get_order_timeline(timeline).await.unwrap_err().code(), Code::NotFound);
    let cancel = contracts::ordering::CancelOrderRequest {
        order_id: order_id.clone(),
        cancellation_id: "x".to_owned(),
        ..Default::default()
    };
    assert_eq!(b.cancel_order(cancel).await.unwrap_err().code(), Code::NotFound);

    let list = ListOrdersRequest { phase: OrderPhase::Placed.into(), ..Default::default() };
    assert_eq!(a.list_orders(list.clone()).await.unwrap().into_inner().orders.len(), 1);
    assert_eq!(b.list_orders(list.clone()).await.unwrap().into_inner().orders.len(), 0);
    let foreign = ListOrdersRequest { platform: "mall-a".to_owned(), ..list };
    let foreign = b.list_orders(foreign).await;
    assert!(foreign.is_err() || foreign.unwrap().into_inner().orders.is_empty());

    // what a platform may not do, it may not do on its own orders either
    let confirm = ConfirmOrderRequest { order_id, at: None };
    assert_eq!(a.confirm_order(confirm.clone()).await.unwrap_err().code(), Code::PermissionDenied);
    let mut auditor = stack.orders(AUDITOR).await;
    assert_eq!(auditor.confirm_order(confirm).await.unwrap_err().code(), Code::PermissionDenied);
}

#[tokio::test]
async fn listings_walk_through_everything_once() {
    let stack = Stack::start().await;
    let mut mall = stack.orders(MALL_A).await;
    for number in 0..25 {
        life::push(&mut mall, &format!("L-{number}")).await;
    }
    let base = ListOrdersRequest { page_size: 7, ..Default::default() };
    let platform = || ListOrdersRequest { platform: "mall-a".to_owned(), ..base.clone() };
    for listing in [
        platform(),
        ListOrdersRequest { descending: true, ..platform() },
        ListOrdersRequest { phase: OrderPhase::Placed.into(), ..base.clone() },
        ListOrdersRequest { buyer_id: "unit-17".to_owned(), ..platform() },
        ListOrdersRequest { deliver_until: orders::at(30 * 86_400), ..base.clone() },
        ListOrdersRequest {
            placed_from: orders::at(-1),
            placed_until: orders::at(1),
            ..platform()
        },
    ] {
        let mut seen = std::collections::BTreeSet::new();
        let mut request = listing.clone();
        loop {
            let page = mall.list_orders(request.clone()).await.unwrap().into_inner();
            assert!(page.orders.len() <= 7);
            for order in page.orders {
                assert!(seen.insert(order.order_id), "shown twice: {listing:?}");
            }
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        assert_eq!(seen.len(), 25, "{listing:?}");
    }
    let bad = ListOrdersRequest { page_token: "zz".to_owned(), ..platform() };
    let refused = mall.list_orders(bad).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn an_erased_person_is_gone_and_everything_still_works() {
    let stack = Stack::start().await;
    let (mut mall, mut operator) = (stack.orders(MALL_A).await, stack.orders(OPERATOR).await);
    let order_id = life::push(&mut mall, "A-1").await;
    let get = GetOrderRequest { order_id: order_id.clone(), ..Default::default() };

    let order = mall.get_order(get.clone()).await.unwrap().into_inner().order.unwrap();
    assert_eq!(order.recipient.unwrap().name, "王小明");
    let person = order.sealed_recipient.unwrap().person;
    let masked = stack.orders(AUDITOR).await.get_order(get.clone()).await.unwrap().into_inner();
    assert_ne!(masked.order.unwrap().recipient.unwrap_or_default().name, "王小明");

    let erased = stack.emall(&["erase-person", "--service", "ordering", "--person", &person]).await;
    assert_eq!(erased.code, Some(0), "{erased:?}");

    // a running process believes a key it has seen for a few seconds
    eventually("the person is gone", Duration::from_secs(15), || {
        let (mut mall, get) = (mall.clone(), get.clone());
        async move {
            let order = mall.get_order(get).await.unwrap().into_inner().order.unwrap();
            order.recipient.unwrap().erased
        }
    })
    .await;
    life::deliver(&mut operator, &order_id).await;
    life::accept_and_settle(&mut mall, &mut operator, &order_id).await;
    // the same person may order again, under a new key
    life::push(&mut mall, "A-2").await;
    stack.verify().await;
}
