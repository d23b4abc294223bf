//! Commands, and commits made by hand.

use std::sync::Arc;

use eventlog::{Log, LogError, ManualClock, Outcome, TransactError};
use futures::future::join_all;
use prost::Message as _;

use crate::account::{Account, AccountRow, Rejection, context};
use crate::world::{World, clean, everything, open_account, open_and_shift, shift};

pub async fn a_command_is_recorded_and_its_row_is_there(world: World) {
    let log = world.open().await;
    let opened = open_account(&log, "a").await.unwrap();
    assert_eq!((opened.outcome, opened.version), (Outcome::Executed, 1));
    assert_eq!(opened.position, Some(1));
    let moved = shift(&log, "a", "one", 5).await.unwrap();
    assert_eq!((moved.version, moved.position, moved.row.balance), (2, Some(2), 5));

    let stored = log.get_row("account", "a").await.unwrap().unwrap();
    assert_eq!(stored.version, 2);
    assert_eq!(AccountRow::decode(stored.body).unwrap(), *moved.row);
    let history = log.history("account.a").await.unwrap();
    assert_eq!(history.iter().map(|event| event.version).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(history[0].r#type, "test.Opened");
    assert_eq!(history[0].metadata.as_ref().unwrap().actor, "tester");
    let loaded = log.load::<Account>("a").await.unwrap();
    assert_eq!((loaded.version, loaded.row), (2, moved.row));
    assert!(log.get_row("account", "b").await.unwrap().is_none());
    assert_eq!(log.load::<Account>("b").await.unwrap().version, 0);
    log.close().await;
}

pub async fn a_repeat_records_nothing_and_answers_the_same(world: World) {
    let log = world.open().await;
    open_account(&log, "a").await.unwrap();
    let first = shift(&log, "a", "one", 5).await.unwrap();
    let again = shift(&log, "a", "one", 5).await.unwrap();
    assert_eq!((again.outcome, again.position), (Outcome::AlreadyApplied, None));
    assert_eq!((again.version, again.row), (first.version, first.row));
    assert_eq!(everything(&log).await.len(), 2);
    log.close().await;
}

pub async fn a_refusal_records_nothing(world: World) {
    let log = world.open().await;
    let refused = shift(&log, "a", "one", 5).await;
    assert!(matches!(refused, Err(TransactError::Refused(Rejection::NotOpen))));
    open_account(&log, "a").await.unwrap();
    let refused = shift(&log, "a", "one", -5).await;
    assert!(matches!(refused, Err(TransactError::Refused(Rejection::Overdrawn))));
    assert_eq!(everything(&log).await.len(), 1);
    log.close().await;
}

const CALLERS: usize = 64;

/// Each caller shifts `times` times; every answer must say that it was done now.
async fn shift_from_all_sides(log: &Log, times: usize, account: impl Fn(usize) -> String) {
    let callers = (0..CALLERS).map(|caller| {
        let (log, id) = (log.clone(), account(caller));
        tokio::spawn(async move {
            for n in 0..times {
                let done = open_and_shift(&log, &id, &format!("{caller}-{n}"), 1).await.unwrap();
                assert_eq!(done.outcome, Outcome::Executed);
            }
        })
    });
    for caller in join_all(callers).await {
        caller.unwrap();
    }
}

pub async fn sixty_four_callers_on_one_stream_all_succeed(world: World) {
    let log = world.open().await;
    shift_from_all_sides(&log, 10, |_| "a".to_owned()).await;
    let account = log.load::<Account>("a").await.unwrap();
    assert_eq!(account.row.balance, 640);
    assert_eq!(everything(&log).await.len(), 641);
    clean(&world).await;
}

pub async fn sixty_four_callers_on_as_many_streams_all_succeed(world: World) {
    let log = world.open().await;
    shift_from_all_sides(&log, 10, |caller| caller.to_string()).await;
    for caller in 0..CALLERS {
        let account = log.load::<Account>(&caller.to_string()).await.unwrap();
        assert_eq!(account.row.balance, 10);
    }
    assert_eq!(everything(&log).await.len(), 11 * CALLERS);
    clean(&world).await;
}

pub async fn a_cache_that_is_too_small_changes_nothing(world: World) {
    let log = world.open_with(|options| options.cache_capacity = 1).await;
    shift_from_all_sides(&log, 10, |caller| (caller % 5).to_string()).await;
    let mut sum = 0;
    for id in 0..5 {
        sum += log.load::<Account>(&id.to_string()).await.unwrap().row.balance;
    }
    assert_eq!(sum, 640);
    clean(&world).await;
}

pub async fn a_caller_that_goes_away_leaves_the_cache_right(world: World) {
    let log = world.open().await;
    open_account(&log, "a").await.unwrap();
    for round in 0_u64..60 {
        let callers: Vec<_> = (0..8)
            .map(|caller| {
                let log = log.clone();
                tokio::spawn(async move {
                    shift(&log, "a", &format!("{round}-{caller}"), 1).await.unwrap();
                })
            })
            .collect();
        // somewhere between the first poll and the acknowledgement, different in each round
        for _ in 0..round {
            tokio::task::yield_now().await;
        }
        for (n, caller) in callers.into_iter().enumerate() {
            if n % 2 == 0 {
                caller.abort();
            }
            let _ = caller.await;
        }
        let answered = shift(&log, "a", &format!("{round}-last"), 1).await.unwrap();
        let told = log.load::<Account>("a").await.unwrap();
        assert!(told.version >= answered.version);
    }
    // every operation once: the balance is the number of operations
    let Account::Open { balance, seen } = log.load::<Account>("a").await.unwrap().state else {
        panic!("the account is gone");
    };
    assert_eq!(balance, i64::try_from(seen.len()).unwrap());
    assert_eq!(everything(&log).await.len(), seen.len() + 1);
    clean(&world).await;
}

pub async fn an_oversized_event_is_refused_before_the_writer(world: World) {
    let log = world.open_with(|options| options.max_event_bytes = 1_000).await;
    open_account(&log, "a").await.unwrap();
    let large = log
        .transact("a", &context(), |account: &Account| account.shift_with("x", 1, vec![7; 2_000]))
        .await;
    assert!(matches!(large, Err(TransactError::Broken(LogError::TooLarge { limit: 1_000, .. }))));
    // and the aggregate is as it was
    let next = shift(&log, "a", "y", 1).await.unwrap();
    assert_eq!((next.version, next.row.balance), (2, 1));
    clean(&world).await;
}

pub async fn names_that_cannot_be_stored_are_refused(world: World) {
    let log = world.open().await;
    for id in ["", "a\0b", &"x".repeat(300)] {
        match open_account(&log, id).await {
            Err(TransactError::Broken(error)) => assert!(error.is_malformed(), "{error}"),
            other => panic!("{id:?} was taken: {other:?}"),
        }
    }
    // awkward, but good names
    for id in ["ä/%_'\"; DROP TABLE events; --", "a.b", "数", " "] {
        open_account(&log, id).await.unwrap();
        assert_eq!(shift(&log, id, "x", 1).await.unwrap().row.balance, 1, "{id}");
        assert!(log.get_row("account", id).await.unwrap().is_some());
    }
    clean(&world).await;
}

pub async fn time_never_goes_back(world: World) {
    let clock = Arc::new(ManualClock::new("2026-01-01T00:00:00Z".parse().unwrap()));
    let log = world.open_with(|options| options.clock = clock.clone()).await;
    open_account(&log, "a").await.unwrap();
    clock.set("2025-01-01T00:00:00Z".parse().unwrap());
    shift(&log, "a", "x", 1).await.unwrap();
    clock.set("2026-01-01T00:00:01Z".parse().unwrap());
    shift(&log, "a", "y", 1).await.unwrap();
    let times: Vec<_> = everything(&log)
        .await
        .iter()
        .map(|event| eventlog::time::from_proto(event.recorded_at.as_ref().unwrap()).unwrap())
        .map(|at| at.to_string())
        .collect();
    let expected = ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"];
    assert_eq!(times, expected);
}

pub async fn close_writes_what_was_submitted_and_refuses_the_rest(world: World) {
    let log = world.open().await;
    let callers: Vec<_> = (0..100)
        .map(|n| {
            let log = log.clone();
            tokio::spawn(async move { open_account(&log, &n.to_string()).await.map(|_| n) })
        })
        .collect();
    tokio::task::yield_now().await;
    log.clone().close().await;
    let mut done = Vec::new();
    for caller in callers {
        match caller.await.unwrap() {
            Ok(n) => done.push(n),
            Err(TransactError::Broken(_)) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(matches!(
        open_account(&log, "late").await,
        Err(TransactError::Broken(LogError::Closed | LogError::Database(_)))
    ));
    let log = world.open().await;
    for n in done {
        assert_eq!(log.load::<Account>(&n.to_string()).await.unwrap().version, 1);
    }
    everything(&log).await;
}

/// The limit on the file stands for the disk: SQLite gives the same answer to both.
pub async fn the_log_goes_on_after_the_disk_was_full(world: World) {
    world.open().await.close().await;
    world.sql("CREATE TABLE filler AS SELECT zeroblob(1000000) AS ballast").await;
    let log = world.open_with(|options| options.max_file_bytes = Some(1_400_000)).await;
    open_account(&log, "a").await.unwrap();
    let mut done = Vec::new();
    let refused = loop {
        let operation = done.len().to_string();
        let answer = log
            .transact("a", &context(), |account: &Account| {
                account.shift_with(&operation, 1, vec![7; 20_000])
            })
            .await;
        match answer {
            Ok(_) => done.push(operation),
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, TransactError::Broken(LogError::Database(_))), "{refused:?}");
    assert!(!done.is_empty() && done.len() < 20, "{}", done.len());
    // what was acknowledged is there, and can be read while the disk is full
    let Account::Open { balance, seen } = log.load::<Account>("a").await.unwrap().state else {
        panic!("the account is gone");
    };
    assert_eq!(balance, i64::try_from(done.len()).unwrap());
    assert!(done.iter().all(|operation| seen.contains(operation)));

    world.sql("DROP TABLE filler").await;
    let next = shift(&log, "a", "after", 1).await.unwrap();
    assert_eq!(next.row.balance, balance + 1);
    clean(&world).await;
}
