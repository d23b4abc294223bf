//! Listings of orders and parcels: which key drives them, what the other filters leave.

use contracts::ordering::{
    Buyer, ListOrdersRequest, Order as Row, OrderException, OrderPhase as Phase, Urgency,
};

use super::*;
use crate::{
    grpc::testing::an_order,
    order::tests::sample::{in_transit, now},
    order_row::keys,
};

type Filter = fn(&mut ListOrdersRequest);

/// One order on a page, with these filters.
fn request(filters: &[Filter]) -> ListOrdersRequest {
    let mut request = ListOrdersRequest { page_size: 1, ..Default::default() };
    filters.iter().for_each(|filter| filter(&mut request));
    request
}

/// Six orders: `a` to `d` of `mall`, placed one hour after the other, `e` and `f` of `other`.
async fn six(bench: &Bench) {
    let order = |name: &str, phase: Phase, urgency: Urgency, buyer: &str, due: i64| Row {
        phase: phase.into(),
        urgency: urgency.into(),
        buyer: Some(Buyer { buyer_id: buyer.into(), ..Buyer::default() }),
        placed_at: Some(to_proto(hour(i64::from(name.as_bytes()[0] - b'a')))),
        deliver_by: Some(to_proto(hour(due))),
        ..an_order(if name < "e" { "mall" } else { "other" }, name)
    };
    let mut stalled = order("e", Phase::InDelivery, Urgency::Urgent, "b-1", 30);
    stalled.exceptions = vec![OrderException::ParcelStalled.into()];
    for row in [
        order("a", Phase::Placed, Urgency::Normal, "b-1", 100),
        order("b", Phase::Placed, Urgency::Emergency, "b-2", 50),
        order("c", Phase::Confirmed, Urgency::Emergency, "b-1", 40),
        order("d", Phase::Settled, Urgency::Emergency, "b-1", 10),
        stalled,
        order("f", Phase::Reserved, Urgency::Emergency, "b-1", 60),
    ] {
        bench.order(&row, keys(&row)).await;
    }
}

/// The numbers of all pages, in order.
async fn walk(service: &Orders, mut request: ListOrdersRequest) -> String {
    let mut numbers = String::new();
    loop {
        let list = by_us("李", Role::Operator, request.clone());
        let page = service.list_orders(list).await.unwrap().into_inner();
        assert!(page.orders.len() <= 1);
        page.orders.iter().for_each(|order| numbers.push_str(&order.platform_order_no));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            return numbers;
        }
    }
}

#[tokio::test]
async fn each_key_drives_a_listing_and_the_other_filters_narrow_it() {
    let (bench, service) = orders().await;
    six(&bench).await;
    let mall: Filter = |it| it.platform = "mall".into();
    let buyer: Filter = |it| it.buyer_id = "b-1".into();
    let emergency: Filter = |it| it.set_urgency(Urgency::Emergency);
    let placed: Filter = |it| it.set_phase(Phase::Placed);
    let stalled: Filter = |it| it.set_exception(OrderException::ParcelStalled);
    let last_first: Filter = |it| it.descending = true;
    let cases: [(&str, &[Filter]); 18] = [
        // what is urgent first: open orders by deadline, whatever the platform
        ("cbf", &[emergency]),
        ("fbc", &[emergency, last_first]),
        ("cb", &[emergency, mall]),
        ("c", &[emergency, |it| it.deliver_until = Some(to_proto(hour(50)))]),
        ("b", &[emergency, placed]),
        ("d", &[emergency, |it| it.set_phase(Phase::Settled)]),
        ("", &[emergency, stalled]),
        ("e", &[|it| it.set_urgency(Urgency::Urgent)]),
        ("a", &[|it| it.set_urgency(Urgency::Normal)]),
        // the other keys
        ("ba", &[placed]),
        ("e", &[stalled]),
        ("abcd", &[mall]),
        ("dcba", &[mall, last_first]),
        ("acd", &[mall, buyer]),
        ("c", &[mall, buyer, |it| it.set_phase(Phase::Confirmed)]),
        (
            "bc",
            &[
                mall,
                |it| it.placed_from = Some(to_proto(hour(1))),
                |it| {
                    it.placed_until = Some(to_proto(hour(3)));
                },
            ],
        ),
        (
            "bc",
            &[
                |it| it.deliver_from = Some(to_proto(hour(40))),
                |it| {
                    it.deliver_until = Some(to_proto(hour(60)));
                },
            ],
        ),
        ("fbaced", &[]),
    ];
    for (expected, filters) in cases {
        let request = request(filters);
        assert_eq!(walk(&service, request.clone()).await, expected, "{request:?}");
    }
    let own = by_platform("mall", request(&[emergency, |it| it.page_size = 9]));
    let own = service.list_orders(own).await.unwrap().into_inner().orders;
    assert!(own.len() == 2 && own.iter().all(|order| order.platform == "mall"));
}

#[tokio::test]
async fn a_page_token_of_another_listing_is_refused() {
    let (bench, service) = orders().await;
    six(&bench).await;
    let placed = request(&[|it| it.set_phase(Phase::Placed)]);
    let first = service.list_orders(by_us("李", Role::Operator, placed.clone())).await.unwrap();
    let token = first.into_inner().next_page_token;
    assert!(!token.is_empty());
    for (token, mut other) in [
        (token.as_str(), request(&[|it| it.set_phase(Phase::Settled)])),
        (&token, request(&[|it| it.set_urgency(Urgency::Emergency)])),
        (&token, request(&[|it| it.set_exception(OrderException::ParcelStalled)])),
        (&token, request(&[|it| it.platform = "mall".into()])),
        (&token, ListOrdersRequest { descending: true, ..placed.clone() }),
        (&token, request(&[])),
        ("zz", placed.clone()),
        ("0.zz", placed.clone()),
        ("1.", placed.clone()),
        ("-1.", placed.clone()),
    ] {
        other.page_token = token.into();
        let refused = service.list_orders(by_us("李", Role::Operator, other.clone())).await;
        assert_eq!(fields(&refused.expect_err("refused")), ["page_token"], "{other:?}");
    }
    let wrong = ListOrdersRequest {
        page_size: 501,
        urgency: 99,
        phase: -1,
        buyer_id: "b-1".into(),
        ..Default::default()
    };
    let refused = service.list_orders(by_us("李", Role::Operator, wrong)).await.unwrap_err();
    assert_eq!(fields(&refused), ["page_size", "phase", "platform", "urgency"]);
}

#[tokio::test]
async fn a_parcel_is_listed_for_fifteen_days_and_found_by_its_waybill_after() {
    let (bench, service) = orders().await;
    bench.clock.set(now());
    let sent = in_transit(None); // handed over 14 hours after placement
    bench.tell("order-1", |_: &Order| Ok::<_, Rejection>(sent.events.clone())).await;
    let parcels = async |platform: &str, waybill_no: &str| {
        let request = api::ListParcelsRequest {
            platform: platform.into(),
            waybill_no: waybill_no.into(),
            ..Default::default()
        };
        let reply = service.list_parcels(by_us("李", Role::Operator, request)).await.unwrap();
        let parcels = reply.into_inner().parcels.into_iter();
        parcels.map(|it| it.shipment.unwrap().shipment_id).collect::<Vec<_>>()
    };
    for (at, shown) in [(14 + 24, 1), (14 + 15 * 24, 1), (14 + 16 * 24, 0)] {
        bench.clock.set(hour(at));
        assert_eq!(parcels("", "").await.len(), shown, "{at} hours after placement");
        assert_eq!(parcels("mall", "").await.len(), shown);
        assert_eq!(parcels("other", "").await.len(), 0);
        assert_eq!(parcels("", "waybill-s1").await, ["s1"]);
        assert_eq!(parcels("", "waybill-s2").await.len(), 0);
    }
}
