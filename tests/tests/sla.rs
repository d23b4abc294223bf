//! Promises about time, from the profile to the explanation: in one process with time turned fast, and
//! between processes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking; its helpers too"
)]

use std::time::Duration;

use contracts::sla::{
    BackTestRequest, BindProfileRequest, Binding, ClockFilter, ClockKind, ClockPolicy,
    ExplainClockRequest, Explanation, ListClocksRequest, Pattern, Profile, PublishProfileRequest,
    Span, SpanUnit, Target, clock_service_client::ClockServiceClient,
    policy_service_client::PolicyServiceClient,
};
use e2e::{
    eventually, life,
    parts::Ground,
    program::Told,
    stack::{Key, MALL_A, OPERATOR, Stack, channel},
};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(60);
/// An hour in half a second.
const FAST: u32 = 7_200;
const HEAD: &str =
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";

#[tokio::test]
async fn an_order_that_nobody_answers_is_warned_of_missed_and_explained() {
    let stack = Stack::start_fast(FAST).await;
    bind(&stack, "bind", "from now on").await;
    bind(&stack, "bind", "as before").await;
    let nothing = sla(&stack, &["--platform", "mall-a"]).await;
    assert!(nothing.out.ends_with("none\n"), "{nothing:?}");
    push(&stack, "A-1").await;

    let breached = ["--breached", "--platform", "mall-a", "--json"];
    eventually("the limit of the contract is missed", SOON, || async {
        let clocks = lines(&sla(&stack, &breached).await);
        clocks.iter().any(|clock| clock["contractual"]["breach"] == "BREACH_STATE_DECLARED")
    })
    .await;
    let clocks = lines(&sla(&stack, &breached).await);
    let respond = clocks.iter().find(|clock| clock["clock"] == "respond").unwrap();
    let order_id = respond["subject"][0]["value"].as_str().unwrap();

    // on the table, on the list and by filter
    let table = sla(&stack, &["--profile", "materials-1h"]).await.out;
    assert!(table.contains(order_id) && table.contains("late "), "{table}");
    assert!(table.contains("missed, contract's too"), "{table}");
    let one = sla(&stack, &["--profile", "materials-1h", "--limit", "1"]).await.out;
    assert!(one.contains("and more: --once --limit 10"), "{one}");
    let other = sla(&stack, &["--platform", "mall-b", "--once"]).await.out;
    assert!(!other.contains(order_id), "{other}");

    // by clock, by case, by the platform's number
    let by_id = sla(&stack, &["explain", respond["clockId"].as_str().unwrap()]).await.out;
    for told in ["Promised: 1 hour after the start", "Late by", "held by", "supplier", "ORDERING/"]
    {
        assert!(by_id.contains(told), "{told}: {by_id}");
    }
    let by_case = sla(&stack, &["explain", order_id]).await.out;
    let by_number = ["explain", "A-1", "--platform", "mall-a"];
    let by_number = sla(&stack, &by_number).await.out;
    for told in [&by_case, &by_number] {
        assert!(told.contains("materials-1h/respond") && told.contains("materials-1h/on-site"));
    }
    let named = ["explain", order_id, "--clock", "on-site", "--json"];
    let named = lines(&sla(&stack, &named).await);
    assert_eq!(named.len(), 1);
    assert_eq!(named[0]["asCommitted"]["breached"], true);

    // as it came
    let watch = ["watch", "--from", "start", "--profile", "materials-1h", "--limit", "8"];
    let watched = sla(&stack, &watch).await.out;
    assert_eq!(watched.lines().count(), 8, "{watched}");
    for told in ["warning", "missed", "told", "first-responsible"] {
        assert!(watched.contains(told), "{told}: {watched}");
    }
    let json = lines(&sla(&stack, &[&watch[..], &["--json"]].concat()).await);
    assert_eq!(json.len(), 8);
    assert!(json[0]["warningRaised"].is_object(), "{}", json[0]);

    bind(&stack, "unbind", "any more").await;
    bind(&stack, "unbind", "did not count").await;
    stack.verify().await;
}

#[tokio::test]
async fn what_cannot_be_shown_or_bound_is_told_with_what_to_do_next() {
    let stack = Stack::start().await;
    let unknown = stack.emall(&["sla", "explain", "X-1", "--key", OPERATOR]).await;
    assert!(unknown.refusal(64).contains("`emall sla` shows the cases"), "{unknown:?}");
    let unknown = stack.emall(&["sla", "bind", "no-such-profile", "--key", OPERATOR]).await;
    assert!(unknown.refusal(2).contains("`emall sla profiles`"), "{unknown:?}");
    let rival = ["sla", "bind", "goods-2-24", "--platform", "mall-a", "--key", OPERATOR];
    assert_eq!(stack.emall(&rival).await.code, Some(0));
    let rival = ["sla", "bind", "materials-1h", "--platform", "mall-a", "--key", OPERATOR];
    assert!(stack.emall(&rival).await.refusal(2).contains("unbind it first"));
    let denied = stack.emall(&["sla", "bind", "materials-1h", "--key", MALL_A]).await;
    assert!(denied.refusal(2).contains("use another key"), "{denied:?}");
    let profiles = sla(&stack, &["profiles"]).await.out;
    let named = |name: &str| profiles.lines().any(|line| line.contains(name));
    assert!(named("emall-default") && named("materials-1h"), "{profiles}");
    assert_eq!(lines(&sla(&stack, &["profiles", "--json"]).await).len(), 20);
}

#[tokio::test]
async fn where_time_ran_fast_it_does_not_run_at_normal_speed_again() {
    let mut stack = Stack::start_fast(60).await;
    assert!(stack.stop().await.success());
    let again = stack.emall(&["up", "--listen", "127.0.0.1:0"]).await;
    assert!(again.refusal(64).contains("start with --speed"), "{again:?}");
    for speed in ["0", "100001"] {
        let wrong = stack.emall(&["up", "--speed", speed]).await;
        assert_eq!(wrong.code, Some(64), "{wrong:?}");
        assert!(wrong.err.contains("1 to 100000"), "{wrong:?}");
    }
    stack.restart().await;
    stack.verify().await;
}

#[tokio::test]
async fn the_log_of_the_clocks_is_known_to_every_command() {
    let mut stack = Stack::start().await;
    life::push(&mut stack.orders(MALL_A).await, "A-1").await;
    eventually("its clocks are told of", SOON, || async {
        let told = stack.emall(&["status", "--json"]).await.json();
        let items = told["items"].as_array().unwrap();
        let value =
            |name: &str| items.iter().find(|item| item["name"] == name).map(|item| &item["value"]);
        // placed months ago, and not answered
        told["well"] == true
            && value("clocks breached").is_some_and(|number| number.as_u64() > Some(0))
    })
    .await;
    let watch =
        ["watch", "sla", "--type", "DeadlineBreached", "--from", "start", "--limit", "1", "--json"];
    let watched = lines(&stack.emall(&watch).await);
    assert_eq!(watched[0]["context"], "SLA");
    let config = stack.emall(&["print-config"]).await.out;
    assert!(config.contains("[sla_monitor]") && config.contains("sla-monitor.db"), "{config}");
    let parked = stack.emall(&["parked", "list", "--service", "sla"]).await;
    assert_eq!(parked.code, Some(0), "{parked:?}");
    for name in ["sla", "sla-monitor"] {
        let rebuilt = stack.emall(&["rebuild", name]).await;
        assert!(rebuilt.out.starts_with("sla: "), "{rebuilt:?}");
    }
    stack.verify().await;
    assert!(stack.stop().await.success());
}

#[tokio::test]
async fn clocks_go_by_the_events_of_another_process() {
    let ground = Ground::new().await;
    let (ordering, clocks) = (ground.ordering().await, ground.sla_monitor().await);
    let routes = [("emall.ordering", &ordering), ("emall.sla", &clocks)];
    let gateway = ground.gateway_to(&routes).await;
    // placed months ago: its first promise is missed when it comes
    life::push(&mut gateway.orders(MALL_A).await, "A-1").await;
    let client =
        ClockServiceClient::with_interceptor(channel(gateway.address).await, Key::new(OPERATOR));
    let request = ListClocksRequest {
        filter: ClockFilter::Breached.into(),
        platform: "mall-a".to_owned(),
        ..Default::default()
    };
    eventually("the promise is missed", SOON, || {
        let (mut client, request) = (client.clone(), request.clone());
        async move {
            let answer = client.list_clocks(request).await;
            answer.is_ok_and(|answer| {
                answer.into_inner().clocks.iter().any(|clock| clock.clock == "confirm")
            })
        }
    })
    .await;
    ground.verify(&ordering).await;
    ground.verify(&clocks).await;
}

#[tokio::test]
async fn other_rules_are_tried_and_explained_on_history_that_is_read_again() {
    let stack = Stack::start().await;
    let key = Key::new(OPERATOR);
    let mut policies = PolicyServiceClient::with_interceptor(stack.channel().await, key.clone());
    let mut clocks = ClockServiceClient::with_interceptor(stack.channel().await, key);
    let from_placing = care(pattern("OrderPlaced", "terms.order_id", "terms.placed_at"));
    let publish = PublishProfileRequest { profile: Some(from_placing), seen_version: 0 };
    policies.publish_profile(publish).await.unwrap();
    let binding = Some(Binding {
        platform: "mall-a".to_owned(),
        profile: "care".to_owned(),
        ..Binding::default()
    });
    policies.bind_profile(BindProfileRequest { binding }).await.unwrap();

    let order_id = life::push(&mut stack.orders(MALL_A).await, "A-1").await;
    life::deliver(&mut stack.orders(OPERATOR).await, &order_id).await;
    let case = ListClocksRequest { subject: order_id.clone(), ..Default::default() };
    eventually("the goods have arrived", SOON, || {
        let (mut clocks, case) = (clocks.clone(), case.clone());
        async move {
            let clocks = clocks.list_clocks(case).await.unwrap().into_inner().clocks;
            clocks.iter().any(|clock| clock.clock == "arrive" && clock.ended_at.is_some())
        }
    })
    .await;
    let of_case = clocks.list_clocks(case).await.unwrap().into_inner().clocks;
    let clock_id = of_case.iter().find(|it| it.clock == "arrive").unwrap().clock_id.clone();

    // as if it had been promised from the hand-over to the carrier on: the clock never heard of that
    let draft = care(pattern("ShipmentDispatched", "order_id", "dispatched_at"));
    let test = BackTestRequest { draft: Some(draft.clone()), ..Default::default() };
    let tested = policies.back_test(test).await.unwrap().into_inner();
    assert_eq!(tested.lines.len(), 1);
    assert_eq!((tested.lines[0].started, tested.lines[0].met), (1, 1), "{tested:?}");
    assert!(tested.events_read > 5, "{tested:?}");

    let publish = PublishProfileRequest { profile: Some(draft), seen_version: 1 };
    policies.publish_profile(publish).await.unwrap();
    let told = clocks.explain_clock(ExplainClockRequest { clock_id }).await.unwrap().into_inner();
    let (committed, restated) = (told.as_committed.unwrap(), told.as_restated.unwrap());
    let seconds = |it: &Explanation| it.elapsed.as_ref().unwrap().seconds;
    assert_eq!((committed.profile_version, restated.profile_version), (1, 2));
    assert!(0 < seconds(&restated) && seconds(&restated) < seconds(&committed), "{restated:?}");
    stack.verify().await;
}

/// A profile of one clock, `arrive`, that runs from an event to the arrival of a shipment.
fn care(start: Pattern) -> Profile {
    let span = Some(Span { amount: 10, unit: SpanUnit::Days.into(), end_of_day: false });
    let clock = ClockPolicy {
        name: "arrive".to_owned(),
        title: "Arrival".to_owned(),
        kind: ClockKind::Promise.into(),
        subject: vec!["order_id".to_owned()],
        start: vec![start],
        stop: vec![pattern("ShipmentArrived", "order_id", "arrived_at")],
        committed: Some(Target { span, field: String::new() }),
        calendar: "24x7".to_owned(),
        ..ClockPolicy::default()
    };
    Profile {
        name: "care".to_owned(),
        title: "Care".to_owned(),
        clocks: vec![clock],
        ..Profile::default()
    }
}

fn pattern(event: &str, order_id: &str, at: &str) -> Pattern {
    Pattern {
        event: format!("emall.ordering.v1.{event}"),
        subject: vec![order_id.to_owned()],
        at: at.to_owned(),
        ..Pattern::default()
    }
}

/// `emall sla` as an operator.
async fn sla(stack: &Stack, arguments: &[&str]) -> Told {
    let told = stack.emall(&[&["sla"], arguments, &["--key", OPERATOR]].concat()).await;
    assert_eq!(told.code, Some(0), "{told:?}");
    told
}

async fn bind(stack: &Stack, what: &str, told: &str) {
    let bound = sla(stack, &[what, "materials-1h", "--platform", "mall-a"]).await.out;
    assert!(bound.contains("mall-a") && bound.contains(told), "{bound}");
}

/// Pushes an order that is placed now.
async fn push(stack: &Stack, number: &str) {
    let file = stack.folder().join("order.csv");
    let row = format!("{number},A,LANTERN,6,2010-12-01 08:26:00,2.55,17850,United Kingdom\n");
    std::fs::write(&file, format!("{HEAD}{row}")).unwrap();
    let file = file.display().to_string();
    let push = ["push", &file, "--from-now", "--platform", "mall-a", "--key", MALL_A, "--json"];
    assert_eq!(stack.emall(&push).await.json()["accepted"], 1);
}

fn lines(told: &Told) -> Vec<Value> {
    assert_eq!(told.code, Some(0), "{told:?}");
    told.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
