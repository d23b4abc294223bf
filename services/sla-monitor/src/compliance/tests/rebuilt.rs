//! The figures are a function of the log.

use std::time::Duration as Time;

use eventlog::{Log, StoredRow, projection_source};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    compliance::{Compliance, by_day},
    grpc::testing::{Bench, bench_with, confirm, fact},
};
use contracts::sla::{Fact, FactKind, Party};

async fn rows(log: &Log) -> Vec<StoredRow> {
    log.list(&by_day("2026-01-01", "2026-12-31").limit(500)).await.unwrap().rows
}

/// Projects all events that there are.
async fn project(log: &Log) {
    let (stop, last) = (CancellationToken::new(), log.last_position().await.unwrap());
    let (reader, token) = (log.clone(), stop.clone());
    let task = tokio::spawn(async move { reader.project::<Compliance>(token).await });
    let caught_up = async {
        while log.cursor(&projection_source("compliance")).await.unwrap() < last {
            sleep(Time::from_millis(5)).await;
        }
    };
    timeout(Time::from_secs(30), caught_up).await.expect("the projection catches up");
    stop.cancel();
    task.await.unwrap().unwrap();
}

/// Five orders: kept, and earlier than known first; late; cancelled; taken back; still open.
async fn happen(bench: &Bench) {
    let mut orders = Vec::new();
    for (number, platform) in ["mall", "mall", "other", "other", ""].into_iter().enumerate() {
        orders.push(bench.placed(platform, &format!("o-{number}")).await);
    }
    bench.note(&orders[0], &fact(FactKind::Stop, "2026-03-02 11:00")).await;
    bench.note(&orders[0], &fact(FactKind::Stop, "2026-03-02 10:30")).await;
    bench.note(&orders[2], &fact(FactKind::Cancel, "2026-03-02 11:10")).await;
    bench.advance(&orders[1], "2026-03-02 13:00").await;
    bench.note(&orders[1], &fact(FactKind::Stop, "2026-03-02 13:00")).await;
    bench.advance(&orders[3], "2026-03-02 15:00").await;
    let asked = fact(FactKind::Pause, "2026-03-02 11:00");
    bench.note(&orders[3], &Fact { holder: Party::User.into(), ..asked }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_gives_the_same_rows_as_the_projection_while_it_ran() {
    let bench = bench_with([confirm()]).await;
    happen(&bench).await;
    project(&bench.log).await;
    let live = rows(&bench.log).await;
    assert_eq!(live.len(), 2, "one for each platform that has a result: {live:?}");
    let clocks = bench.log.list(&crate::clock_row::by_due(None, None, None)).await.unwrap().rows;
    assert_eq!(clocks.len(), 5);

    let report = eventlog::rebuild(&bench.options(), &crate::kinds()).await.unwrap();
    assert_eq!(report.unknown, 0, "the log holds nothing that has no kind");
    let again = rows(&bench.log).await;
    let told = |rows: &[StoredRow]| -> Vec<_> {
        rows.iter().map(|row| (row.id.clone(), row.version, row.body.clone())).collect()
    };
    assert_eq!(told(&live), told(&again));
    let rebuilt = bench.log.list(&crate::clock_row::by_due(None, None, None)).await.unwrap().rows;
    assert_eq!(told(&clocks), told(&rebuilt));

    let found = eventlog::verify(&bench.options(), &crate::kinds()).await.unwrap();
    assert!(found.differences.is_empty(), "{found:?}");
}
