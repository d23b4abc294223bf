use eventlog::bus::{Subscription, SubscriptionError};

use crate::support::*;

impl World {
    /// Waits until the relay has made the stream.
    pub(crate) async fn subscribe_when_there(&self) -> Subscription {
        self.subscribe(0).await
    }

    async fn delete_consumers(&self) {
        let subject = format!("$JS.API.CONSUMER.NAMES.{}", self.stream.name);
        let answer = self.bus.client().request(subject, "".into()).await.unwrap();
        let answer: serde_json::Value = serde_json::from_slice(&answer.payload).unwrap();
        for name in answer["consumers"].as_array().into_iter().flatten() {
            let name = name.as_str().unwrap();
            let subject = format!("$JS.API.CONSUMER.DELETE.{}.{name}", self.stream.name);
            self.bus.client().request(subject, "".into()).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_begins_after_its_cursor() {
    let world = World::new().await;
    let relay = world.start_relay();
    world.add(100).await;
    world.until_published().await;
    for after in [0, 1, 99] {
        let mut subscription = world.subscribe(after).await;
        let events = next_events(&mut subscription, 100 - after).await;
        assert_eq!(events.last().unwrap().position, 100);
    }
    let mut subscription = world.subscribe(100).await;
    world.add(1).await;
    assert_eq!(next_events(&mut subscription, 1).await[0].position, 101);
    relay.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_may_come_before_its_stream() {
    let world = World::new().await;
    let (bus, name) = (world.bus.clone(), world.stream.name.clone());
    let reader = tokio::spawn(async move {
        let mut subscription = Subscription::open(&bus, &name, 0, &[]).await.unwrap();
        next_events(&mut subscription, 10).await
    });
    world.add(10).await;
    let relay = world.start_relay();
    assert_eq!(soon("read", reader).await.unwrap().len(), 10);
    relay.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_is_deleted_is_made_anew() {
    let world = World::new().await;
    let relay = world.start_relay();
    let mut subscription = world.subscribe_when_there().await;
    for round in 1..=5 {
        world.add(500).await;
        next_events(&mut subscription, 250).await;
        world.delete_consumers().await;
        next_events(&mut subscription, 250).await;
        assert_eq!(subscription.position(), round * 500);
    }
    relay.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_is_deleted_while_nothing_happens_is_made_anew() {
    let world = World::new().await;
    let relay = world.start_relay();
    let mut subscription = world.subscribe_when_there().await;
    world.add(1).await;
    next_events(&mut subscription, 1).await;
    let reader = tokio::spawn(async move { next_events(&mut subscription, 1).await });
    world.delete_consumers().await;
    world.add(1).await;
    soon("read", reader).await.unwrap();
    relay.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_filled_again_is_not_read_again() {
    let mut world = World::new().await;
    let relay = world.start_relay();
    let mut subscription = world.subscribe_when_there().await;
    world.add(600).await;
    next_events(&mut subscription, 600).await;
    world.delete_stream().await;
    world.add(50).await;
    next_events(&mut subscription, 50).await;
    world.server.kill().await.unwrap();
    std::fs::remove_dir_all(world.server.store()).unwrap();
    world.server.restart().await.unwrap();
    world.add(50).await;
    next_events(&mut subscription, 50).await;
    assert_eq!(subscription.position(), 700);
    relay.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_next_loses_nothing() {
    let world = World::new().await;
    let relay = world.start_relay();
    let mut subscription = world.subscribe_when_there().await;
    let load = tokio::spawn({
        let log = world.log.clone();
        async move { add(&log, 1_000).await }
    });
    let mut seen = 0;
    while seen < 1_000 {
        let patience = std::time::Duration::from_micros(seen % 300);
        if let Ok(event) = tokio::time::timeout(patience, subscription.next()).await {
            seen += 1;
            assert_eq!(event.unwrap().position, seen);
        }
    }
    load.await.unwrap();
    relay.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_have_left_the_stream_are_missed_loudly() {
    let world = World::new().await;
    world.bus.ensure_stream(&world.stream, 10).await.unwrap();
    let missed = Subscription::open(&world.bus, "ORDERING", 3, &[]).await.unwrap_err();
    assert!(
        matches!(missed, SubscriptionError::Retired { wanted: 4, first: 10, .. }),
        "{missed:?}"
    );
    assert!(missed.to_string().contains("begins at 10, but 4 is to be read next"), "{missed}");
    assert!(missed.to_string().contains("move its cursor to 9"), "{missed}");
    Subscription::open(&world.bus, "ORDERING", 9, &[]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_shows_what_it_matches_in_order() {
    let world = World::new().await;
    let relay = world.start_relay();
    world.add(400).await;
    world.until_published().await;
    let filters = ["emall.ordering.counter.3".to_owned(), "emall.ordering.counter.5".to_owned()];
    let mut subscription =
        soon("subscribed", Subscription::open(&world.bus, "ORDERING", 0, &filters)).await.unwrap();
    let recorded = all(&world.log).await;
    let wanted =
        recorded.iter().filter(|event| ["counter.3", "counter.5"].contains(&&*event.stream));
    for event in wanted {
        let read = soon("read", subscription.next()).await.unwrap();
        assert_eq!(read.event, **event);
        if read.position > 200 && read.position < 240 {
            world.delete_consumers().await;
        }
    }
    relay.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strange_message_is_not_passed_over_silently() {
    let world = World::new().await;
    world.bus.ensure_stream(&world.stream, 1).await.unwrap();
    world.bus.client().request("emall.ordering.x.y", "strange".into()).await.unwrap();
    let mut subscription = world.subscribe(0).await;
    for _ in 0..2 {
        let strange = soon("read", subscription.next()).await.unwrap_err();
        assert!(
            matches!(strange, SubscriptionError::Unreadable { position: 1, .. }),
            "{strange:?}"
        );
    }
    subscription.pass_over();
    assert_eq!(subscription.position(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_ahead_of_a_stream_that_is_being_filled_waits_for_its_place() {
    let world = World::new().await;
    world.add(100).await;
    world.bus.ensure_stream(&world.stream, 1).await.unwrap();
    let mut subscription = world.subscribe(50).await;
    let relay = world.start_relay();
    let events = next_events(&mut subscription, 50).await;
    assert_eq!((events[0].position, events[49].position), (51, 100));
    relay.stop().await.unwrap();
}
