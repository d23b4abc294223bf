//! One process per service, as in production: `ordering` on PostgreSQL, and the gateway before it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking; its helpers too"
)]

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use contracts::ordering::{
    GetOrderRequest, OrderPhase, PushOrderRequest, order_service_client::OrderServiceClient,
};
use e2e::{
    eventually, life,
    load::{Load, Numbers, name},
    orders,
    parts::{Ground, Part, TOKEN, is_serving},
    program::run,
    stack::{MALL_A, OPERATOR, channel},
};
use eventlog::bus::{Bus, BusOptions, Subscription};
use futures::{StreamExt, stream};
use tonic::{Code, Request};
use tonic_types::StatusExt;

const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn an_order_lives_its_whole_life_between_processes() {
    let ground = Ground::new().await;
    let mut ordering = ground.ordering().await;
    let mut gateway = ground.gateway(&ordering).await;
    let (mut mall, mut operator) = (gateway.orders(MALL_A).await, gateway.orders(OPERATOR).await);

    let order_id = life::push(&mut mall, "A-1").await;
    life::deliver(&mut operator, &order_id).await;
    let settled = life::accept_and_settle(&mut mall, &mut operator, &order_id).await;
    assert_eq!(settled.phase(), OrderPhase::Settled);
    ground.verify(&ordering).await;

    for part in [&mut gateway, &mut ordering] {
        part.program.ask_to_stop();
        assert_eq!(part.program.end().await.code(), Some(0), "{}", part.program.log());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_on_one_log_take_each_order_once_and_publish_it_once() {
    const ORDERS: u32 = 300;
    let ground = Ground::new().await;
    let (one, two) = (ground.ordering().await, ground.ordering().await);
    let doors = [ground.gateway(&one).await, ground.gateway(&two).await];
    let malls = [doors[0].orders(MALL_A).await, doors[1].orders(MALL_A).await];

    // every order goes to both at once: a race for each
    let answers: Vec<_> = stream::iter(0..ORDERS)
        .map(|number| {
            let malls = malls.clone();
            let order = Some(orders::draft("", &format!("T-{number}")));
            let request = PushOrderRequest { order };
            async move {
                let [mut left, mut right] = malls;
                tokio::join!(left.push_order(request.clone()), right.push_order(request))
            }
        })
        .buffer_unordered(32)
        .collect()
        .await;
    let mut ids = BTreeSet::new();
    for (left, right) in answers {
        let (left, right) = (left.unwrap().into_inner(), right.unwrap().into_inner());
        assert_eq!(left.order_id, right.order_id);
        assert!(left.repeated != right.repeated, "{left:?} {right:?}");
        assert!(ids.insert(left.order_id));
    }
    // what one process has in memory is what the other has written
    let order_id = ids.first().unwrap();
    let (mut mall, mut left) = (malls[0].clone(), doors[0].orders(OPERATOR).await);
    life::deliver(&mut doors[1].orders(OPERATOR).await, order_id).await;
    let settled = life::accept_and_settle(&mut mall, &mut left, order_id).await;
    assert_eq!(settled.phase(), OrderPhase::Settled);

    ground.verify(&one).await;
    assert_eq!(placed_on(&ground).await, ids);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_one_of_two_is_killed_the_other_goes_on_and_nothing_is_lost() {
    let ground = Ground::new().await;
    let mut parts = [ground.ordering().await, ground.ordering().await];
    let doors = [ground.gateway(&parts[0]).await, ground.gateway(&parts[1]).await];
    let numbers = Numbers::default();
    let mut taken = Vec::new();
    // each in turn: one of them is the one whose relay is at work
    for killed in [0, 1] {
        let mut loads = Vec::new();
        for door in &doors {
            let (one, stream) = (door.orders(MALL_A).await, door.orders(MALL_A).await);
            loads.push(Load::one_by_one(vec![one], &numbers).and_a_stream(stream, &numbers));
        }
        eventually("both take orders", SOON, || async {
            loads.iter().all(|load| load.taken() > 30)
        })
        .await;
        parts[killed].program.kill();
        let goes_on = &loads[1 - killed];
        let more = goes_on.taken() + 50;
        eventually("the other goes on", SOON, || async { goes_on.taken() > more }).await;
        for load in loads {
            taken.extend(load.stop().await.taken);
        }
        // its relay publishes what both have written
        eventually_published(&ground, &parts[1 - killed]).await;
        ground.restart(&mut parts[killed]).await;
        eventually("the gateway finds it again", SOON, || async {
            is_serving(channel(doors[killed].address).await).await
                && get(&doors[killed], &taken[0].1).await.is_ok()
        })
        .await;
    }
    let acknowledged: BTreeSet<_> = taken.into_iter().map(|(_, order_id)| order_id).collect();
    ground.verify(&parts[0]).await;
    // what was under way in the moment of a kill may be there too
    let placed = placed_on(&ground).await;
    assert!(placed.is_superset(&acknowledged), "an acknowledged order is gone");
}

#[tokio::test]
async fn while_ordering_is_away_callers_are_told_when_to_try_again() {
    let ground = Ground::new().await;
    let mut ordering = ground.ordering().await;
    let gateway = ground.gateway(&ordering).await;
    let mut mall = gateway.orders(MALL_A).await;
    let order_id = life::push(&mut mall, "A-1").await;

    ordering.program.kill();
    let away = get(&gateway, &order_id).await.unwrap_err();
    assert_eq!(away.code(), Code::Unavailable, "{away:?}");
    let again = away.get_details_retry_info().and_then(|info| info.retry_delay);
    assert!(
        again.is_some_and(|wait| !wait.is_zero() && wait <= Duration::from_secs(60)),
        "{away:?}"
    );
    let connection = channel(gateway.address).await;
    eventually("the gateway says that it cannot serve", SOON, || async {
        !is_serving(connection.clone()).await
    })
    .await;

    ground.restart(&mut ordering).await;
    eventually("the gateway finds it again", SOON, || async {
        is_serving(connection.clone()).await
    })
    .await;
    // a connection that failed just now may be believed to fail a moment longer
    eventually("calls go through again", SOON, || async {
        get(&gateway, &order_id).await.is_ok_and(|number| number == "A-1")
    })
    .await;
    // and so may the other connections: each forgets a failure after 100 ms
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(life::push(&mut mall, "A-1").await, order_id);
    ground.verify(&ordering).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_told_to_stop_first_answers_what_it_has_taken() {
    let ground = Ground::new().await;
    let mut ordering = ground.ordering().await;
    let gateway = ground.gateway(&ordering).await;
    let numbers = Numbers::default();
    let mut clients = Vec::new();
    for _ in 0..32 {
        clients.push(gateway.orders(MALL_A).await);
    }
    let load =
        Load::one_by_one(clients, &numbers).and_a_stream(gateway.orders(MALL_A).await, &numbers);
    eventually("orders are taken", SOON, || async { load.taken() > 300 }).await;

    let told = Instant::now();
    ordering.program.ask_to_stop();
    let status = ordering.program.end().await;
    assert_eq!(status.code(), Some(0), "{}", ordering.program.log());
    assert!(told.elapsed() < Duration::from_secs(10), "{:?}", told.elapsed());
    let outcome = load.end().await;

    // acknowledged: it is there; no answer but an error: it was never taken
    ground.restart(&mut ordering).await;
    let taken: BTreeSet<_> = outcome.taken.into_iter().map(|(_, order_id)| order_id).collect();
    ground.verify(&ordering).await;
    let placed = placed_on(&ground).await;
    let unanswered: Vec<_> = placed.difference(&taken).collect();
    let lost: Vec<_> = taken.difference(&placed).collect();
    assert!(unanswered.is_empty() && lost.is_empty(), "unanswered {unanswered:?}, lost {lost:?}");
    for (number, status) in outcome.failed {
        assert_eq!(status.code(), Code::Unavailable, "{}: {status:?}", name(number));
    }
}

#[tokio::test]
async fn a_service_believes_only_the_gateway() {
    let ground = Ground::new().await;
    let ordering = ground.ordering().await;
    let mut direct = OrderServiceClient::new(channel(ordering.address).await);
    let order = Some(orders::draft("mall-a", "A-1"));
    let forged = [
        vec![],
        vec![("authorization", format!("Bearer {OPERATOR}"))],
        vec![("emall-actor", "operator".to_owned()), ("emall-roles", "ROLE_OPERATOR".to_owned())],
        vec![
            ("emall-actor", "operator".to_owned()),
            ("emall-roles", "ROLE_OPERATOR".to_owned()),
            ("emall-internal-token", format!("{TOKEN}0")),
        ],
    ];
    for headers in forged {
        let mut request = Request::new(PushOrderRequest { order: order.clone() });
        for (name, value) in &headers {
            request.metadata_mut().insert(*name, value.parse().unwrap());
        }
        let refused = direct.push_order(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "{headers:?}: {refused:?}");
    }
}

#[tokio::test]
async fn what_is_printed_of_a_configuration_holds_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    let config = "[identity]\ninternal_token = \"secret-1-0123456789\"\n[bus]\nuser = \"u\"\n\
                  password = \"secret-2\"\n[ordering]\nwatch_seconds = 7\n\
                  database = \"postgres://emall:secret-3@db/emall\"\n";
    std::fs::write(folder.path().join("emall.toml"), config).unwrap();
    for program in ["ordering", "gateway"] {
        let arguments = ["--config", "emall.toml", "--print-config"];
        let told = run(program, &arguments, folder.path()).await;
        assert_eq!(told.code, Some(0), "{told:?}");
        assert!(!told.out.contains("secret-"), "{}", told.out);
        assert_eq!(told.out.contains("watch_seconds = 7"), program == "ordering", "{}", told.out);
    }
    let told = run("emall", &["print-config", "--config", "emall.toml"], folder.path()).await;
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(!told.out.contains("secret-"), "{}", told.out);
}

#[tokio::test]
async fn a_configuration_that_cannot_be_used_is_refused_with_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let token = format!("[identity]\ninternal_token = \"{TOKEN}\"\n");
    let cases = [
        ("", "identity.internal_token"),
        ("[identity]\ninternal_token = \"short\"", "16 random characters"),
        ("[ordering]\nwatch_secconds = 7", "ordering.watch_secconds"),
        ("[ordering]\nwatch_seconds = 0", "ordering.watch_seconds"),
        ("[ordering]\nwatch_seconds = \"often\"", "ordering.watch_seconds"),
        ("[ordering]\ntime_zone = \"Mars\"", "ordering.time_zone"),
        ("[ordering]\ndatabase = \"nonsense\"", "ordering.database"),
        ("[ordering]\ndatabase = \"mysql://x/y\"", "ordering.database"),
        ("[bus]\nurls = [\"ftp://x\"]", "bus.urls"),
        ("[ordring]\n", "ordring"),
        ("[ordering\n", "line 1"),
        ("[server]\nmax_message_bytes = 0", "server.max_message_bytes"),
    ];
    for (config, named) in cases {
        let needs_token = !config.is_empty() && !config.contains("identity");
        let config = format!("{config}\n{}", if needs_token { &token } else { "" });
        std::fs::write(folder.path().join("emall.toml"), &config).unwrap();
        let told = run("ordering", &["--config", "emall.toml"], folder.path()).await;
        let sentence = told.refusal(64);
        assert!(sentence.starts_with("ordering: ") && sentence.contains(named), "{sentence}");
    }
}

/// The order's number on its platform, as the auditor's door shows it.
async fn get(gateway: &Part, order_id: &str) -> Result<String, tonic::Status> {
    let request = GetOrderRequest { order_id: order_id.to_owned(), ..Default::default() };
    let order = gateway.orders(OPERATOR).await.get_order(request).await?.into_inner().order;
    Ok(order.unwrap().platform_order_no)
}

async fn eventually_published(ground: &Ground, ordering: &Part) {
    eventually("the relay takes over", SOON, || async {
        ground.emall(&["verify", "ordering"], ordering).await.code == Some(0)
    })
    .await;
}

/// Ids of all orders placed, from the stream as it is now; each must be there once.
async fn placed_on(ground: &Ground) -> BTreeSet<String> {
    let bus = Bus::connect(BusOptions::new("processes", ground.bus())).await.unwrap();
    bus.connected().await;
    let last = bus.stream_state("ORDERING").await.unwrap().unwrap().last;
    let mut events = Subscription::open(&bus, "ORDERING", 0, &[]).await.unwrap();
    let mut placed = BTreeSet::new();
    while events.position() < last {
        let event = tokio::time::timeout(SOON, events.next()).await;
        let event = event.expect("all events come over the bus").unwrap();
        if event.r#type == "emall.ordering.v1.OrderPlaced" {
            let id = event.stream.strip_prefix("order.").unwrap().to_owned();
            assert!(placed.insert(id), "placed twice: {}", event.stream);
        }
    }
    placed
}
