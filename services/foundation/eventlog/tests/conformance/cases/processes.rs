//! Two handles on one log, as two processes have them.

use eventlog::{Log, OpenError, Outcome, TransactError};
use futures::future::join_all;

use crate::account::{Account, Rejection};
use crate::world::{World, clean, everything, open_account, open_and_shift, shift};

pub async fn a_lost_race_is_decided_again(world: World) {
    let (ours, theirs) = (world.open().await, world.open().await);
    open_account(&ours, "a").await.unwrap();
    for n in 0..10 {
        // each finds the other's event where it expected its own
        let done = shift(&theirs, "a", &format!("theirs-{n}"), 1).await.unwrap();
        assert_eq!(done.version, 2 * n + 2);
        let done = shift(&ours, "a", &format!("ours-{n}"), 1).await.unwrap();
        assert_eq!(
            (done.version, done.row.balance),
            (2 * n + 3, 2 * i64::try_from(n).unwrap() + 2)
        );
    }
    clean(&world).await;
}

pub async fn a_refusal_rests_on_what_is_on_disk(world: World) {
    let (ours, theirs) = (world.open().await, world.open().await);
    let refused = shift(&ours, "a", "x", 1).await;
    assert!(matches!(refused, Err(TransactError::Refused(Rejection::NotOpen))));
    open_account(&theirs, "a").await.unwrap();
    // what we have in memory says that there is no such account
    shift(&ours, "a", "x", 1).await.unwrap();
    // and a repeat is found, though we have not seen the first one
    shift(&theirs, "a", "y", 5).await.unwrap();
    let repeat = shift(&ours, "a", "y", 5).await.unwrap();
    assert_eq!((repeat.outcome, repeat.row.balance), (Outcome::AlreadyApplied, 6));
    assert!(matches!(
        shift(&ours, "a", "z", -7).await,
        Err(TransactError::Refused(Rejection::Overdrawn))
    ));
}

pub async fn two_processes_write_to_the_same_streams(world: World) {
    let logs = [world.open().await, world.open().await];
    let tasks = (0..16).map(|caller| {
        let log = logs[caller % 2].clone();
        tokio::spawn(async move {
            for n in 0..10 {
                let id = ((caller / 2 + n) % 3).to_string();
                let operation = format!("{caller}-{n}");
                // a caller repeats what was lost in the rush, as a client would
                while let Err(error) = open_and_shift(&log, &id, &operation, 1).await {
                    assert!(matches!(error, TransactError::Conflict), "{error:?}");
                }
            }
        })
    });
    for task in join_all(tasks).await {
        task.unwrap();
    }
    let mut sum = 0;
    for id in 0..3 {
        sum += logs[0].load::<Account>(&id.to_string()).await.unwrap().row.balance;
    }
    assert_eq!(sum, 160);
    assert_eq!(everything(&logs[1]).await.len(), 163);
    clean(&world).await;
}

pub async fn a_newer_schema_is_refused(world: World) {
    world.open().await.close().await;
    world.sql("UPDATE schema_version SET version = 999").await;
    match Log::open(world.options.clone()).await {
        Err(error @ OpenError::NewerSchema { found: 999, .. }) => {
            assert!(error.to_string().contains("run the newer release"));
        }
        other => panic!("{other:?}"),
    }
}

pub async fn many_processes_open_a_new_log_at_once(world: World) {
    let logs = join_all((0..8).map(|_| {
        let options = world.options.clone();
        tokio::spawn(Log::open(options))
    }))
    .await;
    for (n, log) in logs.into_iter().enumerate() {
        open_account(&log.unwrap().unwrap(), &n.to_string()).await.unwrap();
    }
    assert_eq!(everything(&world.open().await).await.len(), 8);
}
