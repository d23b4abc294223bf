//! Several aggregates in one commit, as reactions do it.

use eventlog::{CommitError, Log, Outcome, TransactError};
use futures::future::join_all;

use crate::account::{Account, Rejection, context};
use crate::world::{World, clean, everything, open_account, open_and_shift, shift};

/// Moves money and a cursor; begins anew when others were faster.
async fn transfer(
    log: &Log,
    from: &str,
    to: &str,
    operation: &str,
    amount: i64,
) -> Result<(), CommitError> {
    loop {
        let mut stage = log.stage();
        let taken = stage
            .transact(from, &context(), |account: &Account| account.shift(operation, -amount))
            .await;
        if let Err(TransactError::Refused(Rejection::Overdrawn)) = taken {
            return Ok(());
        }
        taken.unwrap();
        stage
            .transact(to, &context(), |account: &Account| account.shift(operation, amount))
            .await
            .unwrap();
        match stage.commit().await {
            Ok(_) => return Ok(()),
            Err(CommitError::Conflict { .. }) => tokio::task::yield_now().await,
            Err(error) => return Err(error),
        }
    }
}

pub async fn several_aggregates_change_together_or_not_at_all(world: World) {
    let log = world.open().await;
    open_and_shift(&log, "a", "start", 100).await.unwrap();
    open_account(&log, "b").await.unwrap();
    let mut stage = log.stage();
    let taken =
        stage.transact("a", &context(), |account: &Account| account.shift("t", -40)).await.unwrap();
    assert_eq!((taken.outcome, taken.row.balance), (Outcome::Executed, 60));
    stage.transact("b", &context(), |account: &Account| account.shift("t", 40)).await.unwrap();
    // nothing is seen before the commit
    assert_eq!(log.load::<Account>("a").await.unwrap().row.balance, 100);
    stage.commit().await.unwrap();
    assert_eq!(log.load::<Account>("a").await.unwrap().row.balance, 60);
    assert_eq!(shift(&log, "b", "next", 1).await.unwrap().row.balance, 41);

    // somebody changes one of them in between
    let mut stage = log.stage();
    stage.transact("a", &context(), |account: &Account| account.shift("u", -40)).await.unwrap();
    stage.transact("b", &context(), |account: &Account| account.shift("u", 40)).await.unwrap();
    shift(&log, "b", "between", 1).await.unwrap();
    assert!(matches!(stage.commit().await, Err(CommitError::Conflict { .. })));
    assert_eq!(log.load::<Account>("a").await.unwrap().row.balance, 60);
    // what was only read must not have changed either
    let mut stage = log.stage();
    let refused =
        stage.transact("b", &context(), |account: &Account| account.shift("v", -1_000)).await;
    assert!(matches!(refused, Err(TransactError::Refused(Rejection::Overdrawn))));
    stage.move_cursor("source", 0, 1);
    shift(&log, "b", "rich", 1_000).await.unwrap();
    assert!(matches!(stage.commit().await, Err(CommitError::Conflict { .. })));
    assert_eq!(log.cursor("source").await.unwrap(), 0);
    // a stage that is dropped has done nothing
    let mut stage = log.stage();
    stage.transact("a", &context(), |account: &Account| account.shift("w", -1)).await.unwrap();
    drop(stage);
    assert_eq!(shift(&log, "a", "x", 1).await.unwrap().row.balance, 61);
    clean(&world).await;
}

pub async fn an_event_is_reacted_to_once_by_two_processes(world: World) {
    let logs = [world.open().await, world.open().await];
    for id in ["a", "b"] {
        open_account(&logs[0], id).await.unwrap();
    }
    let before = everything(&logs[0]).await.len();
    let react = |log: Log, who: usize| async move {
        let mut done = 0;
        loop {
            let at = log.cursor("ORDERING").await.unwrap();
            if at == 50 {
                return done;
            }
            let mut stage = log.stage();
            for id in ["a", "b"] {
                // an operation of its own each: only the cursor keeps the second one off
                let operation = format!("{at}-{who}");
                stage
                    .transact(id, &context(), |account: &Account| account.shift(&operation, 1))
                    .await
                    .unwrap();
            }
            stage.move_cursor("ORDERING", at, at + 1);
            match stage.commit().await {
                Ok(_) => done += 1,
                Err(CommitError::CursorMoved { .. } | CommitError::Conflict { .. }) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
    };
    let [ours, theirs] = logs.clone();
    let (ours, theirs) = tokio::join!(tokio::spawn(react(ours, 1)), tokio::spawn(react(theirs, 2)));
    assert_eq!(ours.unwrap() + theirs.unwrap(), 50);
    assert_eq!(everything(&logs[0]).await.len(), before + 100);
    for id in ["a", "b"] {
        assert_eq!(logs[0].load::<Account>(id).await.unwrap().row.balance, 50);
    }
    clean(&world).await;
}

pub async fn transfers_at_the_same_time_lose_no_money(world: World) {
    let log = world.open().await;
    for id in 0..4 {
        open_and_shift(&log, &id.to_string(), "start", 1_000).await.unwrap();
    }
    let tasks = (0..16).map(|n: usize| {
        let log = log.clone();
        tokio::spawn(async move {
            for step in 0..10 {
                // in both directions, so that a wrong order of locks would stand still
                let (from, to) = ((n + step) % 4, (n * 3 + step + 1) % 4);
                if from == to {
                    continue;
                }
                let operation = format!("{n}-{step}");
                transfer(&log, &from.to_string(), &to.to_string(), &operation, 7).await.unwrap();
            }
        })
    });
    let all = tokio::time::timeout(std::time::Duration::from_secs(60), join_all(tasks));
    for task in all.await.expect("nobody waits for ever") {
        task.unwrap();
    }
    let mut sum = 0;
    for id in 0..4 {
        sum += log.load::<Account>(&id.to_string()).await.unwrap().row.balance;
    }
    assert_eq!(sum, 4_000);
    clean(&world).await;
}

pub async fn one_aggregate_can_be_staged_twice(world: World) {
    let log = world.open().await;
    let mut stage = log.stage();
    stage.transact("a", &context(), |account: &Account| account.open("somebody")).await.unwrap();
    for n in 0..3 {
        let operation = n.to_string();
        let staged = stage
            .transact("a", &context(), |account: &Account| account.shift(&operation, 10))
            .await
            .unwrap();
        assert_eq!(
            (staged.version, staged.row.balance),
            (n + 2, 10 * (i64::try_from(n).unwrap() + 1))
        );
    }
    let repeat =
        stage.transact("a", &context(), |account: &Account| account.shift("0", 10)).await.unwrap();
    assert_eq!(repeat.outcome, Outcome::AlreadyApplied);
    let done = stage.commit().await.unwrap();
    assert_eq!(done.position, Some(4));
    assert_eq!(shift(&log, "a", "next", 1).await.unwrap().version, 5);
    clean(&world).await;
}
