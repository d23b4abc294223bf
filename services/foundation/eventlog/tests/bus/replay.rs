use std::time::Duration;

use eventlog::bus::{Incoming, Replay, SubscriptionError};

use crate::support::*;

fn of(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| format!("emall.ordering.counter.{id}")).collect()
}

impl World {
    async fn read(
        &self,
        after: u64,
        until: u64,
        filters: &[String],
    ) -> Result<Vec<Incoming>, SubscriptionError> {
        let mut read = Vec::new();
        let reading =
            self.bus.read_stream("ORDERING", after, until, filters, |event| read.push(event));
        let count = soon("the stretch is read", reading).await?;
        assert_eq!(count, read.len() as u64);
        Ok(read)
    }

    /// What has to come, from the log alone.
    async fn expected(&self, after: u64, until: u64, ids: &[&str]) -> Vec<u64> {
        let all = all(&self.log).await;
        let matches =
            |stream: &str| ids.is_empty() || ids.iter().any(|id| stream == format!("counter.{id}"));
        all.iter()
            .filter(|event| event.position > after && event.position <= until)
            .filter(|event| matches(&event.stream))
            .map(|event| event.position)
            .collect()
    }

    async fn assert_read(&self, after: u64, until: u64, ids: &[&str]) -> usize {
        let read = self.read(after, until, &of(ids)).await.unwrap();
        let positions: Vec<_> = read.iter().map(|event| event.position).collect();
        let expected = self.expected(after, until, ids).await;
        assert_eq!(positions, expected, "{ids:?} in ({after}, {until}]");
        positions.len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stretch_is_read_to_its_end_whatever_matches() {
    let world = World::new().await;
    let relay = world.start_relay();
    world.add(1_000).await;
    add_one(&world.log, "rare", 1).await;
    world.add(1_000).await;
    world.until_published().await;
    for (after, until) in [(0, 2_001), (0, 1), (1_999, 2_001), (700, 1_300), (5, 5), (9, 3)] {
        for ids in [&[][..], &["nobody"], &["3"], &["3", "5", "nobody"], &["rare"], &["*"]] {
            if ids == ["*"] {
                let read = world.read(after, until, &of(ids)).await.unwrap();
                assert_eq!(read.len() as u64, until.saturating_sub(after));
            } else {
                world.assert_read(after, until, ids).await;
            }
        }
    }
    assert_eq!(world.assert_read(0, 2_001, &["rare"]).await, 1);
    let whole = world.read(0, 2_001, &[]).await.unwrap();
    let recorded = all(&world.log).await;
    assert!(whole.iter().zip(&recorded).all(|(read, recorded)| read.event == **recorded));
    relay.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stretch_ends_though_the_stream_grows() {
    let world = World::new().await;
    let relay = world.start_relay();
    let load = Running::start({
        let log = world.log.clone();
        |shutdown| async move {
            while !shutdown.is_cancelled() {
                add(&log, 80).await;
            }
        }
    });
    for round in 1..=5 {
        until("it has grown", async || world.stream_last().await > round * 300).await;
        let end = world.stream_last().await;
        for ids in [&[][..], &["nobody"], &["3"]] {
            world.assert_read(round * 50, end, ids).await;
        }
    }
    load.stop().await;
    relay.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stretch_that_is_not_there_yet_is_waited_for() {
    let world = World::new().await;
    for ids in [&[][..], &["3"], &["nobody"]] {
        let (bus, filters) = (world.bus.clone(), of(ids));
        let last = world.log.last_position().await.unwrap() + 100;
        let reading = tokio::spawn(async move {
            bus.read_stream("ORDERING", 0, last, &filters, |_| {}).await.unwrap()
        });
        world.add(60).await;
        let relay = world.start_relay();
        world.until_published().await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(!reading.is_finished(), "{ids:?}");
        world.add(60).await;
        let count = soon("the rest is read", reading).await.unwrap();
        assert_eq!(count, world.expected(0, last, ids).await.len() as u64);
        relay.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_deleted_in_between_is_read_on_when_it_is_filled_again() {
    let mut world = World::new().await;
    let relay = world.start_relay();
    world.add(2_000).await;
    world.until_published().await;
    for ids in [&[][..], &["3", "5"]] {
        let expected = world.expected(0, 2_000, ids).await;
        let mut replay = Replay::new(&world.bus, "ORDERING", 0, 2_000, &of(ids));
        for (number, position) in expected.iter().enumerate() {
            match number * 10 / expected.len() {
                2 if number % 50 == 0 => world.delete_stream().await,
                5 if number % 100 == 0 => {
                    world.server.kill().await.unwrap();
                    world.server.restart().await.unwrap();
                }
                _ => {}
            }
            let event = soon("read", replay.next()).await.unwrap().unwrap();
            assert_eq!(event.position, *position);
        }
        world.delete_stream().await;
        // the end is told, and told again
        for _ in 0..2 {
            assert_eq!(soon("ended", replay.next()).await.unwrap(), None);
        }
    }
    relay.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stretch_whose_beginning_has_left_the_stream_is_refused() {
    let world = World::new().await;
    world.bus.ensure_stream(&world.stream, 10).await.unwrap();
    for ids in [&[][..], &["3"]] {
        let missed = world.read(3, 20, &of(ids)).await.unwrap_err();
        assert!(
            matches!(missed, SubscriptionError::Retired { wanted: 4, first: 10, .. }),
            "{ids:?}: {missed:?}"
        );
        assert!(missed.to_string().contains("begins at 10, but 4 is to be read"), "{missed}");
    }
    // nothing is asked where nothing can be
    assert_eq!(world.read(3, 3, &[]).await.unwrap(), []);
    // what is there is there
    assert_eq!(world.read(9, 9, &of(&["3"])).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_leave_while_they_are_read_are_missed_loudly() {
    let world = World::new().await;
    let relay = world.start_relay();
    world.add(800).await;
    world.until_published().await;
    relay.stop().await.unwrap();
    for ids in [&[][..], &["3"]] {
        let mut replay = Replay::new(&world.bus, "ORDERING", 0, 800, &of(ids));
        let first = soon("read", replay.next()).await.unwrap().unwrap();
        world.delete_stream().await;
        until("it begins later", async || {
            world.bus.ensure_stream(&world.stream, 700).await.is_ok()
        })
        .await;
        let missed = loop {
            match soon("read", replay.next()).await {
                Ok(event) => assert!(event.is_some(), "{ids:?}: it ended"),
                Err(error) => break error,
            }
        };
        assert!(
            matches!(missed, SubscriptionError::Retired { first: 700, .. }),
            "{ids:?} after {}: {missed:?}",
            first.position
        );
        world.delete_stream().await;
        let relay = world.start_relay();
        world.until_published().await;
        relay.stop().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_the_next_of_a_replay_loses_nothing() {
    let world = World::new().await;
    let relay = world.start_relay();
    world.add(1_000).await;
    world.until_published().await;
    for ids in [&[][..], &["3", "5"]] {
        let mut replay = Replay::new(&world.bus, "ORDERING", 100, 900, &of(ids));
        let mut read = Vec::new();
        let mut tries = 0;
        loop {
            let patience = Duration::from_micros(tries % 400 * 5);
            tries += 1;
            match tokio::time::timeout(patience, replay.next()).await {
                Ok(Ok(Some(event))) => read.push(event.position),
                Ok(Ok(None)) => break,
                Ok(Err(error)) => panic!("{error}"),
                Err(_) => {}
            }
        }
        assert_eq!(read, world.expected(100, 900, ids).await);
    }
    relay.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_that_the_server_will_not_have_are_refused() {
    let world = World::new().await;
    world.bus.ensure_stream(&world.stream, 1).await.unwrap();
    for filters in [&["3", "*"][..], &["3", "3"], &["3..x"], &["3 4", "5"], &[">.3"]] {
        let refused = world.read(0, 5, &of(filters)).await.unwrap_err();
        assert!(matches!(refused, SubscriptionError::Impossible { .. }), "{refused:?}");
    }
}
