//! What the passing of time does: reservations end, parcels stand still.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking; its helpers too"
)]

use std::time::Duration;

use contracts::ordering::{
    ConfirmPreOrderRequest, GetOrderRequest, GetOrderTimelineRequest, ListOrdersRequest,
    ListParcelsRequest, Order, OrderException, OrderPhase, Parcel, PreOrderRequest,
    PushOrderRequest, RecordTrackingRequest, ReleasePreOrderRequest, TrackingScan, TrackingStatus,
};
use e2e::{
    eventually, life, orders,
    stack::{MALL_A, MALL_B, OPERATOR, Orders, Stack},
};
use eventlog::{Clock, SystemClock};
use tonic::Code;
use tonic_types::StatusExt;

const OFTEN: &str = "[ordering]\nwatch_seconds = 1\n";
const SOON: Duration = Duration::from_secs(20);
const HOUR: i64 = 3_600;

#[tokio::test]
async fn a_reservation_is_confirmed_released_or_ends_by_itself() {
    let stack = Stack::start_with(OFTEN).await;
    let mut mall = stack.orders(MALL_A).await;
    let (kept, dropped) =
        (reserve(&mut mall, "R-1", HOUR).await, reserve(&mut mall, "R-2", HOUR).await);
    let forgotten = reserve(&mut mall, "R-3", 2).await;
    // we take on orders, not reservations
    let confirm = contracts::ordering::ConfirmOrderRequest { order_id: kept.clone(), at: None };
    let early = stack.orders(OPERATOR).await.confirm_order(confirm.clone()).await.unwrap_err();
    assert_eq!(early.code(), Code::FailedPrecondition, "{early:?}");

    let turned = mall.confirm_pre_order(into_order(&kept)).await.unwrap().into_inner();
    assert_eq!((turned.order.unwrap().phase(), turned.repeated), (OrderPhase::Placed, false));
    assert!(mall.confirm_pre_order(into_order(&kept)).await.unwrap().into_inner().repeated);
    stack.orders(OPERATOR).await.confirm_order(confirm).await.unwrap();

    let release = ReleasePreOrderRequest {
        order_id: dropped.clone(),
        reason: "预算未批".to_owned(),
        at: None,
    };
    let released = mall.release_pre_order(release).await.unwrap().into_inner().order.unwrap();
    assert_eq!(released.phase(), OrderPhase::Released);
    let refused = mall.confirm_pre_order(into_order(&dropped)).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");

    eventually("the reservation ends", SOON, || {
        let (mut mall, order_id) = (mall.clone(), forgotten.clone());
        async move { get(&mut mall, &order_id).await.phase() == OrderPhase::Expired }
    })
    .await;
    let refused = mall.confirm_pre_order(into_order(&forgotten)).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");
    assert_eq!(refused.get_details_error_info().unwrap().reason, "RESERVATION_EXPIRED");
    assert_eq!(get(&mut mall, &kept).await.phase(), OrderPhase::Confirmed);
    stack.verify().await;
}

#[tokio::test]
async fn a_parcel_that_stands_still_is_warned_of_once_until_it_moves_again() {
    let stack = Stack::start_with(OFTEN).await;
    let (mut mall, mut operator) = (stack.orders(MALL_A).await, stack.orders(OPERATOR).await);
    let now = SystemClock.now().as_second();
    let placed = now - 4 * 24 * HOUR;
    let (still, moving) =
        (push(&mut mall, "P-1", placed).await, push(&mut mall, "P-2", placed).await);
    for order_id in [&still, &moving] {
        life::dispatch(&mut operator, order_id, placed).await;
    }
    // the other one is not seen again after its dispatch: a scan now, however old, might come after
    // a round that has already warned, and would end that standstill
    scan(&mut operator, &moving, "1", now - HOUR).await;

    eventually("it is found", SOON, || {
        let mut mall = mall.clone();
        async move { !parcels(&mut mall, true).await.is_empty() }
    })
    .await;
    let found = parcels(&mut mall, true).await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0].order_id, found[0].platform_order_no.as_str()), (&still, "P-1"));
    assert_eq!(parcels(&mut mall, false).await.len(), 2);
    assert_eq!(exceptions(&mut mall).await, std::slice::from_ref(&still));
    let mut other = stack.orders(MALL_B).await;
    assert!(parcels(&mut other, false).await.is_empty() && exceptions(&mut other).await.is_empty());

    // a sign of life: no warning any more
    scan(&mut operator, &still, "1", now - HOUR).await;
    assert!(parcels(&mut mall, true).await.is_empty() && exceptions(&mut mall).await.is_empty());
    // rounds that came after a reservation ended have looked at the parcels again
    let reserved = reserve(&mut mall, "R-1", 1).await;
    eventually("a round passes", SOON, || {
        let (mut mall, order_id) = (mall.clone(), reserved.clone());
        async move { get(&mut mall, &order_id).await.phase() == OrderPhase::Expired }
    })
    .await;
    let timeline = GetOrderTimelineRequest { order_id: still };
    let timeline = mall.get_order_timeline(timeline).await.unwrap().into_inner().entries;
    let stalled = timeline.iter().filter(|entry| entry.r#type.ends_with(".ParcelStalled"));
    assert_eq!(stalled.count(), 1);
    stack.verify().await;
}

async fn reserve(mall: &mut Orders, number: &str, seconds: i64) -> String {
    let now = SystemClock.now().as_second();
    let order = Some(orders::draft("", number));
    let request = PreOrderRequest { order, reserved_until: orders::after(now, seconds) };
    let reserved = mall.pre_order(request).await.unwrap().into_inner();
    assert_eq!(reserved.reserved_until, orders::after(now, seconds));
    let order = get(mall, &reserved.order_id).await;
    assert_eq!(order.phase(), OrderPhase::Reserved);
    reserved.order_id
}

fn into_order(order_id: &str) -> ConfirmPreOrderRequest {
    ConfirmPreOrderRequest { order_id: order_id.to_owned(), at: None }
}

async fn get(mall: &mut Orders, order_id: &str) -> Order {
    let request = GetOrderRequest { order_id: order_id.to_owned(), ..Default::default() };
    mall.get_order(request).await.unwrap().into_inner().order.unwrap()
}

async fn push(mall: &mut Orders, number: &str, placed: i64) -> String {
    let mut order = orders::draft("", number);
    order.placed_at = orders::after(placed, 0);
    order.deliver_by = orders::after(placed, 7 * 24 * HOUR);
    let request = PushOrderRequest { order: Some(order) };
    mall.push_order(request).await.unwrap().into_inner().order_id
}

async fn scan(operator: &mut Orders, order_id: &str, scan_id: &str, at: i64) {
    let scan = TrackingScan {
        scan_id: scan_id.to_owned(),
        status: TrackingStatus::InTransit.into(),
        scanned_at: orders::after(at, 0),
        place: "成都".to_owned(),
        remark: String::new(),
    };
    let request = RecordTrackingRequest {
        order_id: order_id.to_owned(),
        shipment_id: "s1".to_owned(),
        scans: vec![scan],
    };
    operator.record_tracking(request).await.unwrap();
}

async fn parcels(mall: &mut Orders, stalled_only: bool) -> Vec<Parcel> {
    let request = ListParcelsRequest { stalled_only, ..Default::default() };
    mall.list_parcels(request).await.unwrap().into_inner().parcels
}

/// Ids of the orders with a parcel that stands still.
async fn exceptions(mall: &mut Orders) -> Vec<String> {
    let exception = OrderException::ParcelStalled.into();
    let request = ListOrdersRequest { exception, ..Default::default() };
    let orders = mall.list_orders(request).await.unwrap().into_inner().orders;
    orders.into_iter().map(|order| order.order_id).collect()
}
