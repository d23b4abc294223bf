//! `kill -9` of the whole product under load, again and again: every acknowledged order is there,
//! once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends where something goes wrong"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use contracts::ordering::{GetOrderRequest, ListOrdersRequest, PushOrderRequest};
use e2e::{
    eventually,
    load::{Load, Numbers, name},
    orders,
    stack::{MALL_A, OPERATOR, Stack},
};
use eventlog::bus::{Bus, BusOptions, Subscription};
use futures::{StreamExt, stream};

/// How long the first order of a round may take.
const SOON: Duration = Duration::from_secs(20);
/// Kills without `EMALL_SOAK_ROUNDS`.
const ROUNDS: u64 = 10;
/// Platforms that push one order after the other; one more pushes a stream.
const PUSHERS: usize = 7;
/// Orders looked up, or pushed again, at once.
const AT_ONCE: usize = 64;

#[tokio::test(flavor = "multi_thread")]
async fn every_acknowledged_order_outlives_kill_9_once() {
    let rounds = std::env::var("EMALL_SOAK_ROUNDS")
        .map_or(ROUNDS, |rounds| rounds.parse().expect("EMALL_SOAK_ROUNDS is a number"));
    let mut stack = Stack::start().await;
    let numbers = Numbers::default();
    // number of the order → our id, for every order whose acknowledgement arrived
    let mut acknowledged = BTreeMap::new();

    for round in 0..rounds {
        let load = load(&stack, &numbers).await;
        eventually("orders are taken", SOON, || async { load.taken() > 0 }).await;
        // long enough that orders are in every stage, and another length each time
        tokio::time::sleep(Duration::from_millis(300 + round * 137 % 500)).await;
        stack.kill();
        let this_round = load.stop().await.taken;
        println!(
            "round {}/{rounds}: killed with {} orders acknowledged",
            round + 1,
            this_round.len()
        );
        assert!(!this_round.is_empty(), "nothing was pushed before the kill");
        stack.restart().await;
        each_can_be_read(&stack, &this_round).await;
        acknowledged.extend(this_round);
        all_are_listed(&stack, &acknowledged).await;
    }

    // whoever got no answer pushes again: accepted or repeated, never twice
    let mall = stack.orders(MALL_A).await;
    let pushed = numbers.given();
    let mut again = stream::iter(0..pushed)
        .map(|number| {
            let mut mall = mall.clone();
            let order = Some(orders::draft("", &name(number)));
            async move { (number, mall.push_order(PushOrderRequest { order }).await.unwrap()) }
        })
        .buffer_unordered(AT_ONCE);
    while let Some((number, answer)) = again.next().await {
        let answer = answer.into_inner();
        if let Some(order_id) = acknowledged.insert(number, answer.order_id.clone()) {
            assert!(answer.repeated, "K-{number} was acknowledged and is new");
            assert_eq!(order_id, answer.order_id);
        }
    }
    assert_eq!(placed_on_the_bus(&stack, pushed).await, acknowledged.values().cloned().collect());
    stack.verify().await;
    assert!(stack.stop().await.success());
}

async fn load(stack: &Stack, numbers: &Numbers) -> Load {
    let mut clients = Vec::new();
    for _ in 0..PUSHERS {
        clients.push(stack.orders(MALL_A).await);
    }
    Load::one_by_one(clients, numbers).and_a_stream(stack.orders(MALL_A).await, numbers)
}

async fn each_can_be_read(stack: &Stack, orders: &[(u64, String)]) {
    let operator = stack.orders(OPERATOR).await;
    let mut read = stream::iter(orders)
        .map(|(number, order_id)| {
            let mut operator = operator.clone();
            let request = GetOrderRequest { order_id: order_id.clone(), ..Default::default() };
            async move { (number, operator.get_order(request).await) }
        })
        .buffer_unordered(AT_ONCE);
    while let Some((number, order)) = read.next().await {
        let order = order.unwrap_or_else(|gone| panic!("K-{number} was acknowledged: {gone}"));
        assert_eq!(order.into_inner().order.unwrap().platform_order_no, name(*number));
    }
}

/// Every order acknowledged since the beginning, by the listings: a row and its keys.
async fn all_are_listed(stack: &Stack, acknowledged: &BTreeMap<u64, String>) {
    let mut operator = stack.orders(OPERATOR).await;
    let mut listed = BTreeMap::new();
    let platform = "mall-a".to_owned();
    let mut request = ListOrdersRequest { platform, page_size: 500, ..Default::default() };
    loop {
        let page = operator.list_orders(request.clone()).await.unwrap().into_inner();
        for order in page.orders {
            let number = order.platform_order_no.clone();
            assert_eq!(listed.insert(order.platform_order_no, order.order_id), None, "{number}");
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    for (number, order_id) in acknowledged {
        assert_eq!(listed.get(&name(*number)), Some(order_id), "K-{number} was acknowledged");
    }
}

/// Ids of all orders placed, from the stream; each must be there once.
async fn placed_on_the_bus(stack: &Stack, orders: u64) -> BTreeSet<String> {
    let bus = Bus::connect(BusOptions::new("kill", format!("nats://{}", stack.bus))).await.unwrap();
    let mut events = Subscription::open(&bus, "ORDERING", 0, &[]).await.unwrap();
    let mut placed = BTreeSet::new();
    while (placed.len() as u64) < orders {
        let event = tokio::time::timeout(Duration::from_secs(30), events.next()).await;
        let event = event.expect("all orders come over the bus").unwrap();
        if event.r#type == "emall.ordering.v1.OrderPlaced" {
            let id = event.stream.strip_prefix("order.").unwrap().to_owned();
            assert!(placed.insert(id), "placed twice: {}", event.stream);
        }
    }
    placed
}
