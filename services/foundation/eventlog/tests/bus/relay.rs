use std::time::Duration;

use eventlog::{
    Context,
    bus::{Relay, RelayError, StreamError},
};

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn events_reach_the_stream_at_their_positions() {
    let world = World::new().await;
    let relay = world.start_relay();
    world.add(1_000).await;
    world.until_published().await;
    relay.stop().await.unwrap();
    let compared = world.compared().await;
    assert!(compared.is_equal(), "{compared:?}");
    assert_eq!((compared.first, compared.last, compared.same), (1, 1_000, 1_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_a_cloudevent_that_any_client_can_read() {
    let world = World::new().await;
    let relay = world.start_relay();
    add_one(&world.log, "7f3c", 5).await;
    world.until_published().await;
    relay.stop().await.unwrap();
    let message = world
        .bus
        .client()
        .request("$JS.API.DIRECT.GET.ORDERING", r#"{"seq":1}"#.into())
        .await
        .unwrap();
    let headers = message.headers.unwrap();
    let header = |name: &str| headers.get(name).map(|value| value.as_str().to_owned()).unwrap();
    assert_eq!(header("Nats-Subject"), "emall.ordering.counter.7f3c");
    assert_eq!(header("ce-id"), "ORDERING/1");
    assert_eq!(header("ce-type"), "test.source.v1.Added");
    assert_eq!(header("ce-subject"), "counter.7f3c");
    assert_eq!(header("emall-platform"), "zcy");
    assert_eq!(header("emall-actor"), "test");
    assert_eq!(header("emall-causation"), "request-1");
    assert_eq!(header("traceparent"), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    assert_eq!(&*message.payload, [8, 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_metadata_and_ids_go_through_unharmed() {
    let world = World::new().await;
    let relay = world.start_relay();
    for hostile in
        ["a\r\nNats-Rollup: all\r\n\r\n", "\r", "操作员", " ", "*.>", "a.b", "%0A", "\u{1}"]
    {
        let hostile_context = Context {
            actor: hostile.to_owned(),
            platform: hostile.to_owned(),
            causation: hostile.to_owned(),
            traceparent: hostile.to_owned(),
            ..context("test")
        };
        let id = format!("id{hostile}");
        world
            .log
            .transact::<Counter, String>(&id, &hostile_context, |_| {
                decider::emit(Change { amount: 1 })
            })
            .await
            .unwrap();
    }
    world.until_published().await;
    relay.stop().await.unwrap();
    let compared = world.compared().await;
    assert!(compared.is_equal() && compared.same == 8, "{compared:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_are_accepted_while_the_bus_is_down() {
    let mut world = World::new().await;
    world.server.kill().await.unwrap();
    let relay = world.start_relay();
    world.add(300).await;
    world.server.restart().await.unwrap();
    world.until_published().await;
    world.server.stop(Duration::from_secs(5)).await.unwrap();
    world.add(300).await;
    world.server.restart().await.unwrap();
    world.until_published().await;
    relay.stop().await.unwrap();
    let compared = world.compared().await;
    assert!(compared.is_equal() && compared.same == 600, "{compared:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_under_load_costs_nothing() {
    let mut world = World::new().await;
    let relay = world.start_relay();
    let mut subscription = world.subscribe_when_there().await;
    let load = tokio::spawn({
        let log = world.log.clone();
        async move { add(&log, 4_000).await }
    });
    let reader = tokio::spawn(async move { next_events(&mut subscription, 4_000).await });
    for mark in [500, 1_500, 2_500] {
        until("some are published", || async { world.stream_last().await >= mark }).await;
        world.server.kill().await.unwrap();
        world.server.restart().await.unwrap();
    }
    load.await.unwrap();
    world.until_published().await;
    let read = soon("all are read", reader).await.unwrap();
    relay.stop().await.unwrap();
    let compared = world.compared().await;
    assert!(compared.is_equal() && compared.same == 4_000, "{compared:?}");
    let recorded = all(&world.log).await;
    assert!(read.iter().zip(&recorded).all(|(read, recorded)| read.event == **recorded));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_deleted_while_nothing_happens_is_filled_again() {
    let world = World::new().await;
    let relay = world.start_relay();
    world.add(700).await;
    world.until_published().await;
    world.delete_stream().await;
    world.until_published().await;
    relay.stop().await.unwrap();
    let compared = world.compared().await;
    assert!(compared.is_equal() && compared.same == 700, "{compared:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_deleted_under_load_is_filled_again() {
    let world = World::new().await;
    let relay = world.start_relay();
    let load = tokio::spawn({
        let log = world.log.clone();
        async move { add(&log, 3_000).await }
    });
    for mark in [300, 900, 1_500] {
        until("some are published", || async { world.stream_last().await >= mark }).await;
        world.delete_stream().await;
    }
    load.await.unwrap();
    world.until_published().await;
    relay.stop().await.unwrap();
    let compared = world.compared().await;
    assert!(compared.is_equal() && compared.same == 3_000, "{compared:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_stream_takes_the_rest_once_it_has_room() {
    let mut world = World::new().await;
    world.stream.max_bytes = Some(100_000);
    let relay = world.start_relay();
    world.add(1_000).await;
    until("the stream is full", || async {
        let before = world.stream_last().await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        before > 0 && world.stream_last().await == before
    })
    .await;
    assert!(world.stream_last().await < 1_000);
    let ask = async |subject: &str, request: String| {
        let answer = world.bus.client().request(subject.to_owned(), request.into()).await.unwrap();
        serde_json::from_slice::<serde_json::Value>(&answer.payload).unwrap()
    };
    let mut config = ask("$JS.API.STREAM.INFO.ORDERING", String::new()).await["config"].take();
    config["max_bytes"] = (-1).into();
    let answer = ask("$JS.API.STREAM.UPDATE.ORDERING", config.to_string()).await;
    assert!(answer.get("error").is_none(), "{answer}");
    world.until_published().await;
    relay.stop().await.unwrap();
    let compared = world.compared().await;
    assert!(compared.is_equal() && compared.same == 1_000, "{compared:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_disk_is_filled_again() {
    let mut world = World::new().await;
    let relay = world.start_relay();
    world.add(700).await;
    world.until_published().await;
    world.server.kill().await.unwrap();
    std::fs::remove_dir_all(world.server.store()).unwrap();
    world.add(100).await;
    world.server.restart().await.unwrap();
    world.until_published().await;
    relay.stop().await.unwrap();
    let compared = world.compared().await;
    assert!(compared.is_equal() && compared.same == 800, "{compared:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_relays_at_once_do_no_harm() {
    let world = World::new().await;
    let relays = [world.start_relay(), world.start_relay(), world.start_relay()];
    world.add(3_000).await;
    world.until_published().await;
    for relay in relays {
        relay.stop().await.unwrap();
    }
    let compared = world.compared().await;
    assert!(compared.is_equal() && compared.same == 3_000, "{compared:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_relay_takes_over_from_one_that_dies() {
    let world = World::new().await;
    let (first, second) = (world.start_relay(), world.start_relay());
    world.add(500).await;
    world.until_published().await;
    first.kill().await;
    world.add(500).await;
    world.until_published().await;
    second.stop().await.unwrap();
    assert!(world.compared().await.is_equal());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_is_restarted_goes_on_where_the_stream_ends() {
    let world = World::new().await;
    for _ in 0..5 {
        let relay = world.start_relay();
        world.add(200).await;
        until("some are published", || async { world.stream_last().await > 0 }).await;
        relay.kill().await;
    }
    let relay = world.start_relay();
    world.until_published().await;
    relay.stop().await.unwrap();
    let compared = world.compared().await;
    assert!(compared.is_equal() && compared.same == 1_000, "{compared:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_takes_in_the_acknowledgements_first() {
    let world = World::new().await;
    world.add(500).await;
    let relay = world.start_relay();
    until("some are published", || async { world.stream_last().await > 0 }).await;
    relay.stop().await.unwrap();
    let last = world.stream_last().await;
    // Nothing is on its way any more: what was published before the shutdown is all there is.
    world.bus.client().flush().await.unwrap();
    assert_eq!(world.stream_last().await, last);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ahead_of_its_log_is_refused() {
    let world = World::new().await;
    let relay = world.start_relay();
    world.add(50).await;
    world.until_published().await;
    relay.stop().await.unwrap();
    let older = log(world.folder.path(), "older").await;
    add(&older, 49).await;
    let relay = Relay::new(older.clone(), world.bus.clone(), world.stream.clone());
    let refused = soon("refused", relay.run(Default::default())).await.unwrap_err();
    assert!(
        matches!(refused, RelayError::Ahead { stream_last: 50, log_last: 49, .. }),
        "{refused:?}"
    );
    assert!(refused.to_string().contains("ahead of its log at 49"), "{refused}");
    assert_eq!(world.stream_last().await, 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_with_another_history_is_refused() {
    let world = World::new().await;
    let relay = world.start_relay();
    world.add(50).await;
    world.until_published().await;
    relay.stop().await.unwrap();
    let other = log(world.folder.path(), "other").await;
    for _ in 0..60 {
        add_one(&other, "elsewhere", 1).await;
    }
    let relay = Relay::new(other.clone(), world.bus.clone(), world.stream.clone());
    let refused = soon("refused", relay.run(Default::default())).await.unwrap_err();
    assert!(matches!(refused, RelayError::Diverged { position: 50, .. }), "{refused:?}");
    assert_eq!(world.stream_last().await, 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_who_publishes_stops_the_relay() {
    let world = World::new().await;
    let relay = world.start_relay();
    world.add(10).await;
    world.until_published().await;
    world.bus.client().publish("emall.ordering.counter.x", "strange".into()).await.unwrap();
    let stopped = soon("stopped", relay.task).await.unwrap().unwrap_err();
    assert!(matches!(stopped, RelayError::Ahead { stream_last: 11, log_last: 10, .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_refuses_a_stream_that_could_lose_events() {
    let world = World::new().await;
    let request = r#"{"name":"ORDERING","subjects":["emall.ordering.>"],"storage":"memory","retention":"limits","max_msgs":-1,"max_bytes":-1,"max_age":0,"max_consumers":-1,"num_replicas":1,"discard":"old"}"#;
    world.bus.client().request("$JS.API.STREAM.CREATE.ORDERING", request.into()).await.unwrap();
    let refused = soon("refused", world.relay().run(Default::default())).await.unwrap_err();
    let RelayError::Stream(StreamError::Unsafe { faults, .. }) = refused else {
        panic!("{refused:?}")
    };
    let settings: Vec<_> = faults.iter().map(|fault| fault.setting).collect();
    assert_eq!(settings, ["storage", "discard", "deny_delete", "deny_purge", "allow_direct"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn relays_of_two_processes_on_one_postgres_log_do_no_harm() {
    let mut world = World::new().await;
    let schema = Schema::new();
    let (one, two) = (schema.open().await, schema.open().await);
    world.log = one.clone();
    let first = world.start_relay();
    world.log = two.clone();
    let second = world.start_relay();
    let (log, other) = (one.clone(), two.clone());
    let load = tokio::spawn(async move { add(&log, 1_000).await });
    let more = tokio::spawn(async move {
        for _ in 0..500 {
            add_one(&other, "elsewhere", 1).await;
        }
    });
    until("some are published", || async { world.stream_last().await > 400 }).await;
    first.kill().await;
    load.await.unwrap();
    more.await.unwrap();
    world.until_published().await;
    second.stop().await.unwrap();
    let compared = world.compared().await;
    assert!(compared.is_equal() && compared.same == 1_500, "{compared:?}");
    one.close().await;
    two.close().await;
    schema.remove().await;
}
