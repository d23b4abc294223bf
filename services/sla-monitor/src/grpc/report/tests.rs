//! Figures, and the tables that they are exported as.

use std::time::Duration;

use chassis::testing::{by_platform, by_us, fields, reason};
use contracts::{
    common::Role,
    sla::{Fact, FactKind, Party},
};
use eventlog::projection_source;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tonic::Code;

use super::*;
use crate::{
    compliance::Compliance,
    grpc::testing::{Bench, about, at, bench_with, confirm, fact, outage},
};

mod availability;
mod compliance;
mod exports;

fn service_of(bench: &Bench) -> Reports {
    Reports { desk: bench.desk(), book: bench.book.clone() }
}

fn by_li<T>(message: T) -> Request<T> {
    by_us("李", Role::Operator, message)
}

/// Waits until the figures are those of the whole log.
async fn projected(bench: &Bench) {
    let (stop, last) = (CancellationToken::new(), bench.log.last_position().await.unwrap());
    let (reader, token) = (bench.log.clone(), stop.clone());
    let task = tokio::spawn(async move { reader.project::<Compliance>(token).await });
    let caught_up = async {
        while bench.log.cursor(&projection_source("compliance")).await.unwrap() < last {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(60), caught_up).await.expect("the projection catches up");
    stop.cancel();
    task.await.unwrap().unwrap();
}

/// Orders of two platforms: one kept, one late by an hour, one cancelled, one kept on the next day
/// after the user had it for an hour, one late in the next month.
async fn figures() -> Bench {
    let bench = bench_with([confirm(), outage()]).await;
    let mut orders = Vec::new();
    for (number, platform) in ["mall", "mall", "other"].into_iter().enumerate() {
        orders.push(bench.placed(platform, &format!("o-{number}")).await);
    }
    bench.note(&orders[0], &fact(FactKind::Stop, "2026-03-02 11:00")).await;
    bench.note(&orders[2], &fact(FactKind::Cancel, "2026-03-02 11:10")).await;
    bench.advance(&orders[1], "2026-03-02 13:00").await;
    bench.note(&orders[1], &fact(FactKind::Stop, "2026-03-02 13:00")).await;
    bench.clock.set(at("2026-03-03 09:00"));
    let asked = bench.placed("other", "o-3").await;
    let pause = fact(FactKind::Pause, "2026-03-03 09:30");
    bench.note(&asked, &Fact { holder: Party::User.into(), ..pause }).await;
    bench.note(&asked, &fact(FactKind::Resume, "2026-03-03 10:30")).await;
    bench.note(&asked, &fact(FactKind::Stop, "2026-03-03 11:00")).await;
    bench.clock.set(at("2026-04-01 09:00"));
    let late = bench.placed("other", "o-4").await;
    bench.advance(&late, "2026-04-01 14:00").await;
    projected(&bench).await;
    bench
}

fn minutes(span: &Option<prost_types::Duration>) -> i64 {
    span.as_ref().map_or(0, |span| span.seconds / 60)
}
