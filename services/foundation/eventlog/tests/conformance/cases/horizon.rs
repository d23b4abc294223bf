//! What the log has told of its time holds, whatever happens afterwards.

use std::sync::Arc;
use std::time::Duration;

use eventlog::{Commit, CommitError, Horizon, Log, LogError, ManualClock, RecordedEvent, time};
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::world::{World, everything, moved};

pub const NOON: &str = "2026-01-01T12:00:00Z";

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub fn clock(text: &str) -> Arc<ManualClock> {
    Arc::new(ManualClock::new(at(text)))
}

pub async fn open(world: &World, clock: &Arc<ManualClock>) -> Log {
    world.open_with(|options| options.clock = clock.clone()).await
}

/// Adds an event to a stream that is not there yet.
pub async fn add(log: &Log, id: &str) -> u64 {
    let commit = Commit::new().append(format!("note.{id}"), 0, vec![moved("1")]);
    log.commit(commit).await.unwrap().last_position
}

fn recorded_at(event: &RecordedEvent) -> Timestamp {
    time::from_proto(event.recorded_at.as_ref().unwrap()).unwrap()
}

/// The statement itself, on every event of the log.
pub fn assert_holds(told: &Horizon, events: &[Arc<RecordedEvent>]) {
    for event in events {
        let (position, at) = (event.position, recorded_at(event));
        assert!(at >= told.at || position <= told.position, "{position} at {at}: {told:?}");
    }
    assert!(told.position <= events.len() as u64, "{told:?}");
}

pub async fn a_horizon_tells_the_last_position_and_the_time(world: World) {
    let clock = clock("2026-01-01T12:00:00.123456789Z");
    let log = open(&world, &clock).await;
    let moment = at("2026-01-01T12:00:00.123456Z");
    assert_eq!(log.horizon().await.unwrap(), Horizon { position: 0, at: moment });
    add(&log, "a").await;
    add(&log, "b").await;
    assert_eq!(log.horizon().await.unwrap(), Horizon { position: 2, at: moment });
    clock.set(at("2026-01-01T12:00:05Z"));
    let told = log.horizon().await.unwrap();
    assert_eq!(told, Horizon { position: 2, at: at("2026-01-01T12:00:05Z") });
    assert_holds(&told, &everything(&log).await);
    log.clone().close().await;
    let closed = log.horizon().await;
    assert!(matches!(closed, Err(CommitError::Broken(LogError::Closed))), "{closed:?}");
}

pub async fn a_time_that_was_told_holds_when_the_clock_goes_back(world: World) {
    let clock = clock(NOON);
    let log = open(&world, &clock).await;
    add(&log, "a").await;
    clock.advance(SignedDuration::from_secs(60));
    let told = log.horizon().await.unwrap();
    clock.set(at("2020-01-01T00:00:00Z"));
    add(&log, "b").await;
    assert_eq!(log.horizon().await.unwrap(), Horizon { position: 2, at: told.at });
    let all = everything(&log).await;
    assert_eq!(recorded_at(&all[1]), told.at);
    assert_holds(&told, &all);
}

pub async fn a_time_that_was_told_holds_over_a_restart(world: World) {
    let log = open(&world, &clock(NOON)).await;
    let told = log.horizon().await.unwrap();
    log.close().await;
    let log = open(&world, &clock("2026-01-01T11:00:00Z")).await;
    add(&log, "a").await;
    let all = everything(&log).await;
    assert_eq!(recorded_at(&all[0]), told.at);
    assert_holds(&told, &all);
}

pub async fn a_time_that_was_told_binds_a_process_whose_clock_is_behind(world: World) {
    let (ahead, behind) = (clock(NOON), clock("2026-01-01T11:59:00Z"));
    let (ours, theirs) = (open(&world, &ahead).await, open(&world, &behind).await);
    add(&theirs, "a").await;
    let told = ours.horizon().await.unwrap();
    add(&theirs, "b").await;
    let later = theirs.horizon().await.unwrap();
    assert_eq!(later, Horizon { position: 2, at: told.at });
    behind.set(at("2026-01-01T12:00:01Z"));
    add(&theirs, "c").await;
    let all = everything(&ours).await;
    assert_eq!(recorded_at(&all[1]), told.at);
    assert_eq!(recorded_at(&all[2]), at("2026-01-01T12:00:01Z"));
    for told in [told, later] {
        assert_holds(&told, &all);
    }
}

/// Writers in two processes, each with a clock of its own that jumps, and askers of both.
pub async fn horizons_hold_under_load_while_clocks_jump(world: World) {
    let clocks = [clock(NOON), clock(NOON)];
    let logs = [open(&world, &clocks[0]).await, open(&world, &clocks[1]).await];
    let stop = CancellationToken::new();
    let writers = (0..32_usize).map(|writer| {
        let (log, stop) = (logs[writer % 2].clone(), stop.clone());
        tokio::spawn(async move {
            let mut version = 0;
            while !stop.is_cancelled() {
                let stream = format!("note.{writer}");
                let commit = Commit::new().append(stream, version, vec![moved("1")]);
                log.commit(commit).await.unwrap();
                version += 1;
                // at times all of them rest, and a horizon finds nothing that carries its time
                if version % 50 == 0 {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let askers = logs.clone().map(|log| {
        tokio::spawn(async move {
            let mut told = Vec::new();
            for _ in 0..100 {
                told.push(log.horizon().await.unwrap());
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            told
        })
    });
    for step in 0_i32.. {
        if askers.iter().all(tokio::task::JoinHandle::is_finished) {
            break;
        }
        let clock = &clocks[usize::from(step % 3 == 0)];
        let by = if step % 5 == 0 { -40_000 } else { 17_001 };
        clock.advance(SignedDuration::from_micros(by));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    stop.cancel();
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    let all = everything(&logs[0]).await;
    for told in join_all(askers).await {
        let told = told.unwrap();
        assert!(told.windows(2).all(|two| two[0].at <= two[1].at));
        told.iter().for_each(|told| assert_holds(told, &all));
    }
    assert!(all.len() > 100, "{} events", all.len());
}
