//! Followers: every event once, in order.

use std::time::Duration;

use eventlog::{Log, LogError};
use futures::future::join_all;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::world::{World, open_account, open_and_shift};

const LONG: Duration = Duration::from_secs(30);

/// Follows until `count` events were seen; checks that none is missing and none comes twice.
fn follower(log: &Log, after: u64, count: u64) -> JoinHandle<()> {
    let mut follower = log.follow(after);
    tokio::spawn(async move {
        let mut position = after;
        while position < count {
            let batch = timeout(LONG, follower.next_batch()).await.expect("news").unwrap();
            assert!(!batch.is_empty());
            for event in batch {
                position += 1;
                assert_eq!(event.position, position);
            }
            assert_eq!(follower.position(), position);
        }
    })
}

fn writers(log: &Log, name: &'static str, callers: usize, times: usize) -> Vec<JoinHandle<()>> {
    (0..callers)
        .map(|caller| {
            let log = log.clone();
            tokio::spawn(async move {
                for n in 0..times {
                    open_and_shift(&log, &format!("{name}-{caller}"), &n.to_string(), 1)
                        .await
                        .unwrap();
                }
            })
        })
        .collect()
}

pub async fn a_follower_sees_every_event_once_and_in_order(world: World) {
    // a ring so small that slow followers have to read the database
    let log = world.open_with(|options| options.tail_capacity = 16).await;
    let count = 64 * 11;
    let mut tasks: Vec<_> = (0..4).map(|_| follower(&log, 0, count)).collect();
    tasks.extend(writers(&log, "w", 64, 10));
    tasks.push(follower(&log, 100, count)); // waits for a position that is not there yet
    for task in join_all(tasks).await {
        task.unwrap();
    }
    follower(&log, 0, count).await.unwrap(); // comes late, reads it all
}

pub async fn followers_of_two_processes_see_the_same(world: World) {
    let logs = [
        world.open_with(|options| options.tail_capacity = 32).await,
        world.open_with(|options| options.tail_capacity = 32).await,
    ];
    let count = 2 * 16 * 11;
    let mut tasks: Vec<_> = logs.iter().map(|log| follower(log, 0, count)).collect();
    tasks.extend(writers(&logs[0], "ours", 16, 10));
    tasks.extend(writers(&logs[1], "theirs", 16, 10));
    for task in join_all(tasks).await {
        task.unwrap();
    }
}

pub async fn a_local_commit_wakes_a_follower_without_a_poll(world: World) {
    let log = world.open_with(|options| options.poll_interval = Duration::from_secs(3_600)).await;
    let mut follower = log.follow(0);
    let waiting = tokio::spawn(async move { follower.next_batch().await.unwrap().len() });
    tokio::task::yield_now().await;
    open_account(&log, "a").await.unwrap();
    assert_eq!(timeout(LONG, waiting).await.expect("woken").unwrap(), 1);
}

pub async fn closing_ends_the_followers(world: World) {
    let log = world.open().await;
    let mut follower = log.follow(0);
    let waiting = tokio::spawn(async move { follower.next_batch().await });
    tokio::task::yield_now().await;
    log.close().await;
    let ended = timeout(LONG, waiting).await.expect("ended").unwrap();
    assert!(matches!(ended, Err(LogError::Closed)));
}
