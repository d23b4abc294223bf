//! Rows that are computed: projections, rebuild, verify.

use std::time::Duration;

use eventlog::{Difference, Log, RebuildError, projection_source, rebuild, verify};
use futures::future::join_all;
use prost::Message as _;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::account::{Totals, TotalsRow, kinds};
use crate::world::{World, clean_with_totals, open_and_shift};

/// Waits until the projection has taken in everything.
async fn caught_up(log: &Log) {
    let wait = async {
        while log.cursor(&projection_source("totals")).await.unwrap()
            < log.last_position().await.unwrap()
        {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.expect("the projection catches up");
}

fn project(log: &Log, shutdown: &CancellationToken) -> JoinHandle<()> {
    let (log, shutdown) = (log.clone(), shutdown.clone());
    tokio::spawn(async move { log.project::<Totals>(shutdown).await.unwrap() })
}

async fn fill(log: &Log, accounts: usize, times: usize) {
    let tasks = (0..accounts).map(|account| {
        let log = log.clone();
        tokio::spawn(async move {
            for n in 0..times {
                let amount = i64::try_from(account * 7 + n).unwrap();
                open_and_shift(&log, &account.to_string(), &format!("{account}-{n}"), amount)
                    .await
                    .unwrap();
            }
        })
    });
    for task in join_all(tasks).await {
        task.unwrap();
    }
}

async fn counted(log: &Log) -> u64 {
    let mut count = 0;
    for digit in 0..10 {
        if let Some(row) = log.get_row("totals", &digit.to_string()).await.unwrap() {
            count += TotalsRow::decode(row.body).unwrap().count;
        }
    }
    count
}

pub async fn a_projection_follows_the_log(world: World) {
    let log = world.open().await;
    let shutdown = CancellationToken::new();
    fill(&log, 5, 4).await; // some before it begins, some while it runs
    let running = project(&log, &shutdown);
    fill(&log, 10, 6).await;
    caught_up(&log).await;
    assert_eq!(counted(&log).await, 60);
    shutdown.cancel();
    running.await.unwrap();
    // it goes on where it stopped
    fill(&log, 10, 8).await;
    let shutdown = CancellationToken::new();
    let running = project(&log, &shutdown);
    caught_up(&log).await;
    assert_eq!(counted(&log).await, 80);
    shutdown.cancel();
    running.await.unwrap();
    clean_with_totals(&world).await;
}

pub async fn two_projectors_count_each_event_once(world: World) {
    let logs = [world.open().await, world.open().await];
    let shutdown = CancellationToken::new();
    let running: Vec<_> = logs.iter().map(|log| project(log, &shutdown)).collect();
    fill(&logs[0], 16, 20).await;
    caught_up(&logs[0]).await;
    assert_eq!(counted(&logs[0]).await, 320);
    shutdown.cancel();
    for task in join_all(running).await {
        task.unwrap();
    }
    clean_with_totals(&world).await;
}

pub async fn a_rebuild_is_equal_byte_for_byte(world: World) {
    let log = world.open().await;
    let shutdown = CancellationToken::new();
    let running = project(&log, &shutdown);
    fill(&log, 300, 5).await;
    caught_up(&log).await;
    shutdown.cancel();
    running.await.unwrap();
    let before = world.rows().await;
    let report = rebuild(&world.options, &kinds()).await.unwrap();
    assert_eq!((report.events, report.position, report.unknown), (1_800, 1_800, 0));
    assert_eq!(report.rows, 305);
    assert!(world.rows().await == before, "the rows are not the same");
    clean_with_totals(&world).await;
    // and once more, on what it has made itself
    rebuild(&world.options, &kinds()).await.unwrap();
    assert!(world.rows().await == before, "the rows are not the same");
    // the service goes on with it
    open_and_shift(&log, "1", "after", 5).await.unwrap();
    let shutdown = CancellationToken::new();
    let running = project(&log, &shutdown);
    caught_up(&log).await;
    shutdown.cancel();
    running.await.unwrap();
    clean_with_totals(&world).await;
}

pub async fn a_rebuild_mends_what_verify_finds(world: World) {
    let log = world.open().await;
    fill(&log, 20, 3).await;
    for damage in [
        "DELETE FROM rows WHERE number = (SELECT number FROM ids WHERE id = '3')",
        "UPDATE rows SET version = 1 WHERE number = (SELECT number FROM ids WHERE id = '4')",
        "DELETE FROM row_keys \
         WHERE key = 'owner' AND number = (SELECT number FROM ids WHERE id = '5')",
        "UPDATE row_keys SET value = 'nobody' \
         WHERE key = 'owner' AND number = (SELECT number FROM ids WHERE id = '6')",
        "UPDATE rows SET number = 1000000 \
         WHERE number = (SELECT number FROM ids WHERE id = '7')",
        "INSERT INTO ids (number, kind, id) VALUES (1000000, 'ghost', '7')",
    ] {
        world.sql(damage).await;
    }
    let report = verify(&world.options, &kinds()).await.unwrap();
    let mut found: Vec<String> = report.differences.iter().map(ToString::to_string).collect();
    found.sort();
    let expected = [
        "key owner = \"nobody\" leads to row 6 of account, which does not have it",
        "row 3 of account is missing",
        "row 4 of account differs from its events",
        "row 5 of account lacks key owner = \"somebody\"",
        "row 6 of account lacks key owner = \"somebody\"",
        "row 7 of account is missing",
        "row 7 of ghost has no events",
    ];
    assert_eq!(found, expected);
    assert!(!report.is_clean() && report.differs == 7);

    rebuild(&world.options, &kinds()).await.unwrap();
    clean_with_totals(&world).await;

    // what no rebuild mends
    world.sql("DELETE FROM events WHERE position = 10").await;
    world.sql("UPDATE events SET recorded_at = 1 WHERE position = 20").await;
    let report = verify(&world.options, &kinds()).await.unwrap();
    assert!(report.differences.contains(&Difference::Position { expected: 10, found: 11 }));
    assert!(report.differences.contains(&Difference::Time { position: 20 }));
    let lost = |difference: &Difference| matches!(difference, Difference::Version { .. });
    assert!(report.differences.iter().any(lost), "{report:?}");
}

pub async fn a_rebuild_is_safe_while_the_service_runs(world: World) {
    let log = world.open().await;
    let shutdown = CancellationToken::new();
    let running = project(&log, &shutdown);
    fill(&log, 100, 5).await;
    let writing = CancellationToken::new();
    let writers: Vec<_> = (0..8)
        .map(|caller| {
            let (log, writing) = (log.clone(), writing.clone());
            tokio::spawn(async move {
                let mut n = 0;
                while !writing.is_cancelled() {
                    let id = ((caller * 13 + n) % 120).to_string();
                    let done =
                        open_and_shift(&log, &id, &format!("{caller}-live-{n}"), 1).await.unwrap();
                    // what was acknowledged is in the row, whichever table it is in
                    let row = log.get_row("account", &id).await.unwrap().unwrap();
                    assert!(row.version >= done.version, "{} < {}", row.version, done.version);
                    n += 1;
                }
                n
            })
        })
        .collect();
    for _ in 0..3 {
        rebuild(&world.options, &kinds()).await.unwrap();
    }
    writing.cancel();
    let mut written = 0;
    for writer in writers {
        written += writer.await.unwrap();
    }
    assert!(written > 0, "nothing was written meanwhile");
    caught_up(&log).await;
    shutdown.cancel();
    running.await.unwrap();
    assert_eq!(counted(&log).await, 500 + written);
    clean_with_totals(&world).await;
}

pub async fn rebuilds_at_the_same_time_do_no_harm(world: World) {
    let log = world.open().await;
    fill(&log, 50, 3).await;
    rebuild(&world.options, &kinds()).await.unwrap();
    let before = world.rows().await;
    let results = join_all((0..4).map(|_| {
        let options = world.options.clone();
        tokio::spawn(async move { rebuild(&options, &kinds()).await })
    }))
    .await;
    let results: Vec<_> = results.into_iter().map(Result::unwrap).collect();
    assert!(results.iter().any(Result::is_ok), "{results:?}");
    for result in results {
        assert!(matches!(result, Ok(_) | Err(RebuildError::Busy)), "{result:?}");
    }
    assert!(world.rows().await == before, "the rows are not the same");
}
