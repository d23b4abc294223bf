use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use eventlog::bus::{
    Incoming, ReactError, Reacting, Reaction, ReactionError, Retried, RetryError, reaction_source,
    retry_parked,
};
use tokio::sync::Notify;

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_reacted_to_once() {
    let world = World::new().await;
    let target = Target::new(&world).await;
    let (relay, reaction) = (world.start_relay(), target.start(&world, Count));
    world.add(1_000).await;
    target.until_read(1_000).await;
    reaction.stop().await.unwrap();
    relay.stop().await.unwrap();
    assert_eq!(target.result().await, expected(&world.log).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_says_where_it_comes_from() {
    let world = World::new().await;
    let target = Target::new(&world).await;
    let (relay, reaction) = (world.start_relay(), target.start(&world, Count));
    add_one(&world.log, "7f3c", 5).await;
    target.until_read(1).await;
    reaction.stop().await.unwrap();
    relay.stop().await.unwrap();
    let events = all(&target.log).await;
    let metadata = events[0].metadata.clone().unwrap();
    assert_eq!(metadata.actor, COUNT);
    assert_eq!(metadata.platform, "zcy");
    assert_eq!(metadata.causation, "ORDERING/1");
    assert_eq!(metadata.traceparent, context("test").traceparent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_parked_and_the_stream_goes_on() {
    let world = World::new().await;
    let target = Target::new(&world).await;
    let (relay, reaction) = (world.start_relay(), target.start(&world, Count));
    for amount in [1, UNLUCKY, 2, UNLUCKY, 3] {
        add_one(&world.log, "a", amount).await;
    }
    target.until_read(5).await;
    reaction.stop().await.unwrap();
    relay.stop().await.unwrap();
    assert_eq!(target.result().await, expected(&world.log).await);
    let parked = target.log.parked(Some(&reaction_source(COUNT)), ("", 0), 100).await.unwrap();
    let parked: Vec<_> = parked.iter().map(|entry| (entry.position, &*entry.reason)).collect();
    assert_eq!(parked, [(2, "thirteen is not counted"), (4, "thirteen is not counted")]);
}

/// Knows nothing of the events that it gets.
struct Stranger;

impl Reaction for Stranger {
    fn name(&self) -> &str {
        COUNT
    }
    fn source(&self) -> &str {
        "ORDERING"
    }
    async fn react<'a>(
        &'a self,
        event: &'a Incoming,
        _: &'a mut Reacting<'_>,
    ) -> Result<(), ReactError> {
        event.decode::<TallyEvent>()?;
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_events_are_passed_over_and_the_cursor_follows() {
    let world = World::new().await;
    let target = Target::new(&world).await;
    let (relay, reaction) = (world.start_relay(), target.start(&world, Stranger));
    world.add(1_500).await;
    target.until_read(1_500).await;
    reaction.stop().await.unwrap();
    relay.stop().await.unwrap();
    assert!(all(&target.log).await.is_empty());
    assert!(
        target.log.parked(Some(&reaction_source(COUNT)), ("", 0), 100).await.unwrap().is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_keeps_the_cursor_of_events_that_changed_nothing() {
    let world = World::new().await;
    let target = Target::new(&world).await;
    let (relay, reaction) = (world.start_relay(), target.start(&world, Count));
    add_one(&world.log, "a", 1).await;
    target.until_read(1).await;
    for _ in 0..20 {
        add_one(&world.log, "a", 0).await;
    }
    add_one(&world.log, "a", 2).await;
    target.until_read(22).await;
    reaction.stop().await.unwrap();
    relay.stop().await.unwrap();
    assert_eq!(target.result().await, expected(&world.log).await);
}

/// Needs something that is not there for a while.
#[derive(Clone)]
struct Needy {
    broken: Arc<AtomicBool>,
    tries: Arc<AtomicU64>,
}

impl Reaction for Needy {
    fn name(&self) -> &str {
        COUNT
    }
    fn source(&self) -> &str {
        "ORDERING"
    }
    async fn react<'a>(
        &'a self,
        event: &'a Incoming,
        tx: &'a mut Reacting<'_>,
    ) -> Result<(), ReactError> {
        Count.react(event, tx).await?;
        if event.position == 3 && self.broken.load(Ordering::SeqCst) {
            self.tries.fetch_add(1, Ordering::SeqCst);
            return Err(ReactError::broken("the pricing service is away"));
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_dependency_stops_the_stream_until_it_is_back() {
    let world = World::new().await;
    let target = Target::new(&world).await;
    let needy = Needy { broken: Arc::new(true.into()), tries: Arc::default() };
    let relay = world.start_relay();
    for amount in 1..=10 {
        add_one(&world.log, "a", amount).await;
    }
    let reaction = target.start(&world, needy.clone());
    until("it has been tried again", || async { needy.tries.load(Ordering::SeqCst) >= 3 }).await;
    assert_eq!(target.cursor().await, 2);
    needy.broken.store(false, Ordering::SeqCst);
    target.until_read(10).await;
    reaction.stop().await.unwrap();
    relay.stop().await.unwrap();
    assert_eq!(target.result().await, expected(&world.log).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_do_not_do_it_twice() {
    let world = World::new().await;
    let target = Target::new(&world).await;
    let relay = world.start_relay();
    let replicas = [(); 3].map(|()| target.start(&world, Count));
    // Little by little, so that all of them see events for themselves.
    for _ in 0..30 {
        world.add(40).await;
    }
    target.until_read(1_200).await;
    for replica in replicas {
        replica.stop().await.unwrap();
    }
    relay.stop().await.unwrap();
    assert_eq!(target.result().await, expected(&world.log).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_takes_over_from_one_that_dies() {
    let world = World::new().await;
    let target = Target::new(&world).await;
    let relay = world.start_relay();
    let (first, second) = (target.start(&world, Count), target.start(&world, Count));
    world.add(200).await;
    target.until_read(200).await;
    first.kill().await;
    world.add(200).await;
    target.until_read(400).await;
    second.stop().await.unwrap();
    relay.stop().await.unwrap();
    assert_eq!(target.result().await, expected(&world.log).await);
}

/// Holds one event back until it is let go: a delivery that comes late.
#[derive(Clone, Default)]
struct Slow {
    reached: Arc<Notify>,
    go: Arc<Notify>,
    held: Arc<AtomicBool>,
}

impl Reaction for Slow {
    fn name(&self) -> &str {
        COUNT
    }
    fn source(&self) -> &str {
        "ORDERING"
    }
    async fn react<'a>(
        &'a self,
        event: &'a Incoming,
        tx: &'a mut Reacting<'_>,
    ) -> Result<(), ReactError> {
        Count.react(event, tx).await?;
        if !self.held.swap(true, Ordering::SeqCst) {
            self.reached.notify_one();
            self.go.notified().await;
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_comes_late_changes_nothing() {
    let world = World::new().await;
    let target = Target::new(&world).await;
    let relay = world.start_relay();
    let slow = Slow::default();
    let late = target.start(&world, slow.clone());
    world.add(5).await;
    soon("held", slow.reached.notified()).await;
    // Another replica overtakes the one that holds the event.
    let other = target.start(&world, Count);
    world.add(100).await;
    target.until_read(105).await;
    let before = target.result().await;
    slow.go.notify_one();
    world.add(100).await;
    target.until_read(205).await;
    late.stop().await.unwrap();
    other.stop().await.unwrap();
    relay.stop().await.unwrap();
    let result = target.result().await;
    assert!(before["tally.all"].iter().zip(&result["tally.all"]).all(|(a, b)| a == b));
    assert_eq!(result, expected(&world.log).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_killed_readers_nor_lost_streams_show_in_the_result() {
    let mut world = World::new().await;
    let target = Target::new(&world).await;
    let relay = world.start_relay();
    let load = tokio::spawn({
        let log = world.log.clone();
        async move { add(&log, 3_000).await }
    });
    for round in 1..=6 {
        let reaction = target.start(&world, Count);
        until("some are read", || async { target.cursor().await >= round * 300 }).await;
        match round % 3 {
            0 => world.delete_stream().await,
            1 => world.server.restart().await.unwrap(),
            _ => {}
        }
        reaction.kill().await;
    }
    let reaction = target.start(&world, Count);
    load.await.unwrap();
    target.until_read(3_000).await;
    reaction.stop().await.unwrap();
    relay.stop().await.unwrap();
    assert_eq!(target.result().await, expected(&world.log).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_has_lost_the_next_event_stops_the_reaction() {
    let world = World::new().await;
    let target = Target::new(&world).await;
    world.bus.ensure_stream(&world.stream, 10).await.unwrap();
    let reaction = target.start(&world, Count);
    let stopped = soon("stopped", reaction.task).await.unwrap().unwrap_err();
    let ReactionError::Source { source, .. } = stopped;
    assert!(source.to_string().contains("begins at 10"), "{source}");
}

/// Refuses nothing any more.
struct Lenient;

impl Reaction for Lenient {
    fn name(&self) -> &str {
        COUNT
    }
    fn source(&self) -> &str {
        "ORDERING"
    }
    async fn react<'a>(
        &'a self,
        event: &'a Incoming,
        tx: &'a mut Reacting<'_>,
    ) -> Result<(), ReactError> {
        let taken = Taken { position: event.position, amount: 1 };
        tx.transact::<Tally, String>("late", |_| decider::emit(taken)).await?;
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_event_can_be_tried_again_once() {
    let world = World::new().await;
    let target = Target::new(&world).await;
    let (relay, reaction) = (world.start_relay(), target.start(&world, Count));
    add_one(&world.log, "a", UNLUCKY).await;
    target.until_read(1).await;
    reaction.stop().await.unwrap();
    relay.stop().await.unwrap();
    let still = retry_parked(&target.log, &Count, 1).await.unwrap();
    assert_eq!(still, Retried::Refused("thirteen is not counted".to_owned()));
    assert!(all(&target.log).await.is_empty());
    assert_eq!(retry_parked(&target.log, &Lenient, 1).await.unwrap(), Retried::Done);
    let events = all(&target.log).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].metadata.as_ref().unwrap().causation, "ORDERING/1");
    let gone = retry_parked(&target.log, &Lenient, 1).await;
    assert!(matches!(gone, Err(RetryError::NotParked(1))), "{gone:?}");
    assert_eq!(target.cursor().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_of_two_processes_on_one_postgres_log_do_not_do_it_twice() {
    let world = World::new().await;
    let schema = Schema::new();
    let (one, two) = (Target { log: schema.open().await }, Target { log: schema.open().await });
    let relay = world.start_relay();
    let (first, second) = (one.start(&world, Count), two.start(&world, Count));
    for _ in 0..10 {
        world.add(40).await;
    }
    one.until_read(400).await;
    first.kill().await;
    for _ in 0..10 {
        world.add(40).await;
    }
    two.until_read(800).await;
    second.stop().await.unwrap();
    relay.stop().await.unwrap();
    assert_eq!(two.result().await, expected(&world.log).await);
    one.log.close().await;
    two.log.close().await;
    schema.remove().await;
}
