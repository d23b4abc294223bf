//! The operator's command line: what it shows, what it finds, what it refuses.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking; its helpers too"
)]

use std::{
    path::Path,
    time::{Duration, Instant},
};

use contracts::ordering::{GetOrderRequest, ListOrdersRequest, OrderPhase};
use e2e::{
    eventually, life,
    load::{Load, Numbers},
    stack::{MALL_A, MALL_B, OPERATOR, Stack},
};
use prost::Message;
use serde_json::Value;

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn watch_shows_every_event_once_and_only_what_is_asked_for() {
    let stack = Stack::start().await;
    let (mut a, mut b) = (stack.orders(MALL_A).await, stack.orders(MALL_B).await);
    let order_id = life::push(&mut a, "A-1").await;
    life::push(&mut b, "B-1").await;
    life::deliver(&mut stack.orders(OPERATOR).await, &order_id).await;
    life::push(&mut b, "B-2").await;
    let last = log_position(&stack).await;

    let all = watch(&stack, last, &[]).await;
    let positions: Vec<_> = all.iter().map(|event| event["position"].as_u64().unwrap()).collect();
    assert_eq!(positions, (1..=last).collect::<Vec<_>>());

    let named = |wanted: &'static str| move |event: &Value| text(event, "type").ends_with(wanted);
    let of_order = |event: &Value| text(event, "stream").ends_with(&order_id);
    expect(&stack, &["--type", "*Dispatched"], &all, named("Dispatched")).await;
    expect(&stack, &["--type", "emall.ordering.v1.orderPlaced"], &all, named("OrderPlaced")).await;
    // what our own people did to an order of the platform is the platform's too
    expect(&stack, &["--platform", "mall-a"], &all, of_order).await;
    expect(&stack, &["--platform", "mall-b"], &all, |event| !of_order(event)).await;
    expect(&stack, &["--id", "A-1"], &all, of_order).await;

    let wrong = stack.emall(&["watch", "weather"]).await;
    assert!(wrong.refusal(64).contains("ordering"), "{wrong:?}");
}

#[tokio::test]
async fn status_is_well_while_all_is_well_and_says_what_is_not() {
    let mut stack = Stack::start().await;
    life::push(&mut stack.orders(MALL_A).await, "A-1").await;
    // the relay and the projections may be a moment behind
    eventually("all is well", SOON, || async {
        let told = stack.emall(&["status", "--json"]).await.json();
        let items = told["items"].as_array().unwrap();
        let orders = items.iter().find(|item| item["name"] == "orders placed");
        told["well"] == true && orders.is_some_and(|orders| orders["value"] == 1)
    })
    .await;
    let stopped = stack.stop().await;
    assert!(stopped.success(), "{stopped}: {}", stack.log());
    let told = stack.emall(&["status"]).await;
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.out.contains("not running; start `emall up`"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rebuilt_rows_are_the_same_byte_for_byte() {
    let mut stack = Stack::start().await;
    let (mut mall, mut operator) = (stack.orders(MALL_A).await, stack.orders(OPERATOR).await);
    let order_id = life::push(&mut mall, "A-1").await;
    life::push(&mut mall, "A-2").await;
    life::deliver(&mut operator, &order_id).await;
    life::accept_and_settle(&mut mall, &mut operator, &order_id).await;
    stack.verify().await;
    let answers = answers(&stack, &order_id).await;

    // while orders come in
    let load = Load::one_by_one(vec![mall.clone(), mall], &Numbers::default());
    for _ in 0..3 {
        let told = stack.emall(&["rebuild", "ordering"]).await;
        assert_eq!(told.code, Some(0), "{told:?}");
        let more = load.taken() + 20;
        eventually("orders are taken", SOON, || async { load.taken() > more }).await;
    }
    let failed = load.stop().await.failed;
    assert!(failed.is_empty(), "{failed:?}");
    assert_eq!(self::answers(&stack, &order_id).await, answers);
    stack.verify().await;

    // and while nothing runs
    assert!(stack.stop().await.success());
    let rows = stack.sqlite("rows");
    let told = stack.emall(&["rebuild", "ordering"]).await;
    assert_eq!(told.code, Some(0), "{told:?}");
    assert_eq!(stack.sqlite("rows"), rows);
    stack.restart().await;
    assert_eq!(self::answers(&stack, &order_id).await, answers);
    stack.verify().await;
}

#[tokio::test]
async fn verify_names_what_was_tampered_with() {
    for what in ["spoil-row", "lose-key", "spoil-event", "lose-event"] {
        let stack = stopped_with_a_life().await;
        let clean = stack.emall(&["verify", "--no-stream"]).await;
        assert_eq!(clean.code, Some(0), "{clean:?}");
        let order_id = stack.sqlite(what);
        let found = stack.emall(&["verify", "--no-stream", "--json"]).await;
        assert_eq!(found.code, Some(1), "{what}: {found:?}");
        let found: Value = serde_json::from_str(&found.out).unwrap();
        let told = found["services"][0]["differences"].to_string();
        let named = match what {
            "spoil-row" => format!("row {order_id} of order differs from its events"),
            "lose-key" => format!("row {order_id} of order lacks key buyer"),
            "spoil-event" => "differs from its events".to_owned(),
            _ => "position 2 is missing".to_owned(),
        };
        assert!(told.contains(&named), "{what}: {told}");
    }
}

#[tokio::test]
async fn verify_tells_an_event_that_was_changed_after_it_was_published() {
    let mut stack = stopped_with_a_life().await;
    let _ = stack.sqlite("spoil-event");
    stack.restart().await;
    let told = stack.emall(&["verify"]).await;
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.out.contains("the message at 1 is not the event of the log"), "{told:?}");
}

#[tokio::test]
async fn a_second_one_on_the_same_folder_is_refused_with_the_first_ones_process_id() {
    let stack = Stack::start().await;
    let second = stack.emall(&["up", "--listen", "127.0.0.1:0"]).await;
    let sentence = second.refusal(2);
    assert!(sentence.contains(&format!("process {}", stack.pid())), "{sentence}");
    // the first one is none the worse for it
    life::push(&mut stack.orders(MALL_A).await, "A-1").await;
    stack.verify().await;
}

#[tokio::test]
async fn after_kill_9_it_starts_cleanly_and_ends_the_bus_left_behind() {
    let mut stack = Stack::start().await;
    life::push(&mut stack.orders(MALL_A).await, "A-1").await;
    let pid = stack.data().join("nats/nats-server.pid");
    let left_behind = std::fs::read_to_string(&pid).unwrap();
    stack.kill();
    assert!(runs(&left_behind), "kill -9 leaves the nats-server behind");

    stack.restart().await;
    assert!(!runs(&left_behind), "the one left behind still runs");
    life::push(&mut stack.orders(MALL_A).await, "A-2").await;
    stack.verify().await;
    let own = std::fs::read_to_string(&pid).unwrap();
    assert!(runs(&own));
    assert!(stack.stop().await.success());
    assert!(!runs(&own), "its own nats-server still runs");
}

/// Whether there is a process of this number that has not ended.
fn runs(process: &str) -> bool {
    let line = Path::new("/proc").join(process.trim()).join("cmdline");
    // of one that has ended and that nobody has asked about, nothing is left but the number
    std::fs::read(line).is_ok_and(|line| !line.is_empty())
}

#[tokio::test(flavor = "multi_thread")]
async fn it_stops_cleanly_in_the_middle_of_a_load() {
    let mut stack = Stack::start().await;
    let mut clients = Vec::new();
    for _ in 0..8 {
        clients.push(stack.orders(MALL_A).await);
    }
    let numbers = Numbers::default();
    let mall = stack.orders(MALL_A).await;
    let load = Load::one_by_one(clients, &numbers).and_a_stream(mall, &numbers);
    eventually("orders are taken", SOON, || async { load.taken() > 200 }).await;
    let told = Instant::now();
    let stopped = stack.stop().await;
    assert_eq!(stopped.code(), Some(0), "{}", stack.log());
    assert!(told.elapsed() < Duration::from_secs(10), "{:?}", told.elapsed());
    let taken = load.end().await.taken;
    stack.restart().await;
    let mut operator = stack.orders(OPERATOR).await;
    for (number, order_id) in taken {
        let get = GetOrderRequest { order_id, ..Default::default() };
        assert!(operator.get_order(get).await.is_ok(), "K-{number} was acknowledged");
    }
    stack.verify().await;
}

async fn stopped_with_a_life() -> Stack {
    let mut stack = Stack::start().await;
    let order_id = life::push(&mut stack.orders(MALL_A).await, "V-0").await;
    life::deliver(&mut stack.orders(OPERATOR).await, &order_id).await;
    stack.verify().await;
    assert!(stack.stop().await.success());
    stack
}

/// One order and all settled ones, as bytes.
async fn answers(stack: &Stack, order_id: &str) -> (Vec<u8>, Vec<u8>) {
    let mut operator = stack.orders(OPERATOR).await;
    let get = GetOrderRequest { order_id: order_id.to_owned(), ..Default::default() };
    let list = ListOrdersRequest { phase: OrderPhase::Settled.into(), ..Default::default() };
    let one = operator.get_order(get).await.unwrap().into_inner().encode_to_vec();
    let all = operator.list_orders(list).await.unwrap().into_inner();
    assert_eq!(all.orders.len(), 1);
    (one, all.encode_to_vec())
}

async fn log_position(stack: &Stack) -> u64 {
    let status = stack.emall(&["status", "--json"]).await.json();
    let mut items = status["items"].as_array().unwrap().iter();
    items.find(|item| item["name"] == "ordering log").unwrap()["value"].as_u64().unwrap()
}

/// The first events that are shown, from the beginning.
async fn watch(stack: &Stack, events: u64, filter: &[&str]) -> Vec<Value> {
    let events = events.to_string();
    let watch = ["watch", "ordering", "--json", "--from", "start", "--limit", &events];
    let told = stack.emall(&[&watch, filter].concat()).await;
    assert_eq!(told.code, Some(0), "{told:?}");
    told.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// With this filter, exactly those of all events are shown.
async fn expect(stack: &Stack, filter: &[&str], all: &[Value], fits: impl Fn(&Value) -> bool) {
    let expected: Vec<_> = all.iter().filter(|event| fits(event)).cloned().collect();
    assert!(!expected.is_empty() && expected.len() < all.len(), "{filter:?}");
    assert_eq!(watch(stack, expected.len() as u64, filter).await, expected, "{filter:?}");
}

fn text<'a>(event: &'a Value, name: &str) -> &'a str {
    event[name].as_str().unwrap()
}
