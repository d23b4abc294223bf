//! The writer is stopped between two steps, as a killed process would be; then the log is opened
//! again. What was acknowledged is there once, what was not is there once or not at all.

use std::collections::{HashMap, HashSet};

use eventlog::{CommitError, LogError, TransactError};
use fail::FailScenario;
use futures::future::join_all;
use jiff::SignedDuration;

use super::horizon::{NOON, add, assert_holds, at, clock, open};
use crate::account::{Account, Event};
use crate::world::{World, clean, everything, open_and_shift};

pub async fn a_crash_before_begin_loses_nothing(world: World) {
    crash_at(world, "writer::before-begin").await;
}

pub async fn a_crash_after_the_events_loses_nothing(world: World) {
    crash_at(world, "writer::after-events").await;
}

pub async fn a_crash_before_the_commit_loses_nothing(world: World) {
    crash_at(world, "writer::before-commit").await;
}

pub async fn a_crash_before_the_acknowledgements_loses_nothing(world: World) {
    crash_at(world, "writer::after-commit").await;
}

pub async fn a_time_that_was_told_holds_after_a_crash(world: World) {
    let scenario = fail::FailScenario::setup();
    let clock = clock(NOON);
    let (mut told, mut written) = (Vec::new(), 0);
    for place in ["before-begin", "after-events", "before-commit", "after-commit"] {
        let log = open(&world, &clock).await;
        clock.advance(SignedDuration::from_secs(60));
        told.push(log.horizon().await.unwrap());
        clock.advance(SignedDuration::from_secs(60));
        fail::cfg(format!("writer::{place}"), "1*return->off").unwrap();
        let crashed = log.horizon().await;
        assert!(matches!(crashed, Err(CommitError::Broken(LogError::Closed))), "{crashed:?}");
        fail::remove(format!("writer::{place}"));
        drop(log);

        clock.set(at(NOON));
        let log = open(&world, &clock).await;
        written += 1;
        assert_eq!(add(&log, place).await, written);
        told.push(log.horizon().await.unwrap());
        let all = everything(&log).await;
        told.iter().for_each(|told| assert_holds(told, &all));
        clock.set(told.last().unwrap().at);
        log.close().await;
    }
    scenario.teardown();
}

async fn crash_at(world: World, place: &str) {
    let scenario = FailScenario::setup();
    let mut acknowledged: HashSet<String> = HashSet::new();
    for batches in [0, 1, 2, 5] {
        let log = world.open().await;
        fail::cfg(place, &format!("{batches}*off->1*return->off")).unwrap();
        let tasks = (0..24).map(|caller| {
            let log = log.clone();
            tokio::spawn(async move {
                let mut done = Vec::new();
                for n in 0..20 {
                    let operation = format!("{batches}-{caller}-{n}");
                    match open_and_shift(&log, &(caller % 7).to_string(), &operation, 1).await {
                        Ok(_) => done.push(operation),
                        Err(TransactError::Broken(_)) => return (done, true),
                        Err(error) => panic!("{error:?}"),
                    }
                }
                (done, false)
            })
        });
        let mut crashed = false;
        for task in join_all(tasks).await {
            let (done, broken) = task.unwrap();
            acknowledged.extend(done);
            crashed |= broken;
        }
        assert!(crashed, "{place} was not reached");
        drop(log);
        fail::remove(place);

        let log = world.open().await;
        let mut recorded: HashMap<String, usize> = HashMap::new();
        for event in everything(&log).await {
            let event = <Event as contracts::Event>::decode_body(&event.r#type, &event.body);
            if let Event::Moved(moved) = event.unwrap() {
                *recorded.entry(moved.operation).or_default() += 1;
            }
        }
        for operation in &acknowledged {
            assert_eq!(recorded.get(operation), Some(&1), "{operation} after {place}");
        }
        assert!(recorded.values().all(|times| *times == 1));
        clean(&world).await;
        // the callers try again: nothing happens twice
        for caller in 0..24 {
            for n in 0..20 {
                let operation = format!("{batches}-{caller}-{n}");
                open_and_shift(&log, &(caller % 7).to_string(), &operation, 1).await.unwrap();
                acknowledged.insert(operation);
            }
        }
        let mut sum = 0;
        for account in 0..7 {
            sum += log.load::<Account>(&account.to_string()).await.unwrap().row.balance;
        }
        assert_eq!(sum, i64::try_from(acknowledged.len()).unwrap());
        log.close().await;
    }
    scenario.teardown();
}
