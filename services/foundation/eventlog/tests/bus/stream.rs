use std::time::Duration;

use eventlog::bus::{StreamError, StreamOptions};
use serde_json::{Value, json};

use crate::support::*;

fn good() -> Value {
    json!({
        "name": "ORDERING", "subjects": ["emall.ordering.>"], "retention": "limits",
        "storage": "file", "discard": "new", "max_msgs": -1, "max_bytes": -1, "max_age": 0,
        "max_msgs_per_subject": -1, "max_msg_size": -1, "max_consumers": -1, "num_replicas": 1,
        "deny_delete": true, "deny_purge": true, "allow_direct": true,
    })
}

async fn ask(world: &World, subject: &str, request: &Value) -> Value {
    let subject = format!("$JS.API.{subject}");
    let answer = world.bus.client().request(subject, request.to_string().into()).await.unwrap();
    serde_json::from_slice(&answer.payload).unwrap()
}

async fn create(world: &World, config: &Value) {
    let name = config["name"].as_str().unwrap();
    let mut answer = Value::Null;
    until("the server is done with what was deleted before", async || {
        answer = ask(world, &format!("STREAM.CREATE.{name}"), config).await;
        answer["error"]["err_code"] != 10049
    })
    .await;
    assert!(answer.get("error").is_none(), "{config}: {answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_created_is_then_accepted() {
    let world = World::new().await;
    for _ in 0..2 {
        let state = world.bus.ensure_stream(&world.stream, 1).await.unwrap();
        assert_eq!((state.first, state.last, state.messages), (1, 0, 0));
    }
    world.delete_stream().await;
    create(&world, &good()).await;
    world.bus.ensure_stream(&world.stream, 1).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_may_begin_where_the_log_begins() {
    let world = World::new().await;
    let state = world.bus.ensure_stream(&world.stream, 42).await.unwrap();
    assert_eq!((state.first, state.last, state.messages), (42, 41, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_setting_that_could_lose_events_is_refused() {
    let world = World::new().await;
    let mut cases = vec![
        ("storage", json!({"storage": "memory"})),
        ("retention", json!({"retention": "workqueue"})),
        ("retention", json!({"retention": "interest"})),
        ("discard", json!({"discard": "old"})),
        ("subjects", json!({"subjects": ["emall.ordering.order.*"]})),
        ("subjects", json!({"subjects": ["emall.ordering.>", "emall.catalog.>"]})),
        ("max_msgs", json!({"max_msgs": 1_000_000})),
        ("max_msgs_per_subject", json!({"max_msgs_per_subject": 5})),
        ("max_msg_size", json!({"max_msg_size": 1_000})),
        ("max_bytes", json!({"max_bytes": 1_000_000})),
        ("max_age", json!({"max_age": 1_000_000_000_u64, "duplicate_window": 1_000_000_000_u64})),
        ("max_consumers", json!({"max_consumers": 1})),
        ("deny_delete", json!({"deny_delete": false})),
        ("deny_purge", json!({"deny_purge": false})),
        ("allow_direct", json!({"allow_direct": false})),
        ("no_ack", json!({"no_ack": true})),
        ("allow_rollup_hdrs", json!({"allow_rollup_hdrs": true, "deny_purge": false})),
        ("sources", json!({"sources": [{"name": "ELSEWHERE"}]})),
        (
            "subject_transform",
            json!({"subject_transform": {"src": "emall.ordering.>", "dest": "x.>"}}),
        ),
        ("mirror", json!({"mirror": {"name": "ELSEWHERE"}, "subjects": []})),
    ];
    // Settings that a server of 2.10 does not know.
    let version: Vec<u64> =
        world.server.version().split('.').filter_map(|part| part.parse().ok()).collect();
    if version >= vec![2, 12] {
        cases.extend([
            ("allow_msg_ttl", json!({"allow_msg_ttl": true})),
            (
                "subject_delete_marker_ttl",
                json!({"subject_delete_marker_ttl": 1_000_000_000_u64, "allow_msg_ttl": true, "deny_purge": false, "allow_rollup_hdrs": true}),
            ),
            ("allow_msg_counter", json!({"allow_msg_counter": true, "discard": "old"})),
            ("allow_msg_schedules", json!({"allow_msg_schedules": true, "discard": "old"})),
            ("persist_mode", json!({"persist_mode": "async"})),
        ]);
    }
    for (setting, change) in cases {
        let mut config = good();
        for (name, value) in change.as_object().unwrap() {
            config[name] = value.clone();
        }
        create(&world, &config).await;
        let refused = world.bus.ensure_stream(&world.stream, 1).await.unwrap_err();
        let StreamError::Unsafe { faults, .. } = &refused else { panic!("{setting}: {refused:?}") };
        assert!(faults.iter().any(|fault| fault.setting == setting), "{setting}: {refused}");
        assert!(!refused.is_transient());
        let sentence = refused.to_string();
        assert!(
            sentence.contains(&format!("{setting} is "))
                && sentence.contains("because")
                && sentence.contains("delete the stream"),
            "{sentence}"
        );
        world.delete_stream().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_stream_is_refused() {
    let world = World::new().await;
    create(&world, &good()).await;
    let mut config = good();
    config["sealed"] = true.into();
    let answer = ask(&world, "STREAM.UPDATE.ORDERING", &config).await;
    assert!(answer.get("error").is_none(), "{answer}");
    let refused = world.bus.ensure_stream(&world.stream, 1).await.unwrap_err();
    assert!(refused.to_string().contains("sealed is true"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_that_were_asked_for_are_accepted_and_tighter_ones_refused() {
    let world = World::new().await;
    let options = |age, bytes| StreamOptions {
        max_age: Some(Duration::from_secs(age)),
        max_bytes: Some(bytes),
        ..StreamOptions::of("ordering")
    };
    world.bus.ensure_stream(&options(3_600, 1_000_000), 1).await.unwrap();
    world.bus.ensure_stream(&options(3_600, 1_000_000), 1).await.unwrap();
    world.bus.ensure_stream(&options(60, 1_000), 1).await.unwrap();
    let refused = world.bus.ensure_stream(&options(7_200, 1_000_000), 1).await.unwrap_err();
    assert!(refused.to_string().contains("max_age is"), "{refused}");
    let refused = world.bus.ensure_stream(&options(3_600, 2_000_000), 1).await.unwrap_err();
    assert!(refused.to_string().contains("max_bytes is"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_with_holes_is_refused() {
    let world = World::new().await;
    let mut config = good();
    config["deny_delete"] = false.into();
    create(&world, &config).await;
    for _ in 0..3 {
        world.bus.client().request("emall.ordering.order.1", "".into()).await.unwrap();
    }
    ask(&world, "STREAM.MSG.DELETE.ORDERING", &json!({"seq": 2})).await;
    config["deny_delete"] = true.into();
    ask(&world, "STREAM.UPDATE.ORDERING", &config).await;
    let refused = world.bus.ensure_stream(&world.stream, 1).await.unwrap_err();
    assert!(matches!(refused, StreamError::Holed { .. }), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_cannot_have_is_said_at_once() {
    let world = World::new().await;
    let three = StreamOptions { replicas: 3, ..StreamOptions::of("ordering") };
    let refused = world.bus.ensure_stream(&three, 1).await.unwrap_err();
    assert!(matches!(refused, StreamError::Impossible { .. }), "{refused:?}");
    create(
        &world,
        &json!({"name": "OTHER", "subjects": ["emall.ordering.order.*"],
        "retention": "limits", "storage": "file", "max_msgs": -1, "max_bytes": -1, "max_age": 0,
        "max_consumers": -1, "num_replicas": 1}),
    )
    .await;
    let refused = world.bus.ensure_stream(&world.stream, 1).await.unwrap_err();
    assert!(matches!(refused, StreamError::Impossible { .. }), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bus_that_does_not_answer_may_answer_later() {
    let mut world = World::new().await;
    world.server.kill().await.unwrap();
    let options = eventlog::bus::BusOptions {
        request_timeout: Duration::from_millis(200),
        ..eventlog::bus::BusOptions::new("test", world.server.url())
    };
    let bus = eventlog::bus::Bus::connect(options).await.unwrap();
    let refused = soon("answered", bus.ensure_stream(&world.stream, 1)).await.unwrap_err();
    assert!(refused.is_transient(), "{refused:?}");
}
