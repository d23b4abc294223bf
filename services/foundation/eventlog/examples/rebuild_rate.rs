//! How many events a second a rebuild folds, on a log of small events, six for each aggregate.
//!
//! `cargo run --release -p eventlog --example rebuild_rate -- sqlite:///tmp/x.db [events]`

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a measuring tool that stops at the first surprise"
)]

use std::time::Instant;

use account::{Event, Moved, Opened, context};
use eventlog::{Commit, Log, LogOptions, NewEvent, rebuild, verify};

#[path = "../tests/conformance/account.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the tests")]
mod account;

const PER_AGGREGATE: u64 = 6;

/// As in the processes of the product.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap_or_else(|| "sqlite://rebuild_rate.db".to_owned());
    let events: u64 = arguments.next().map_or(600_000, |n| n.parse().unwrap());
    let run = uuid::Uuid::now_v7().simple().to_string();
    let options = LogOptions::new(format!("rebuild-{}", &run[20..]), url);

    let log = Log::open(options.clone()).await.unwrap();
    let aggregates = events / PER_AGGREGATE;
    let begun = Instant::now();
    for first in (0..aggregates).step_by(500) {
        let mut commit = Commit::new();
        for aggregate in first..(first + 500).min(aggregates) {
            // ids as they come in life: not in the order of the log
            let id = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, &aggregate.to_be_bytes());
            commit = commit.append(format!("account.{id}"), 0, history(aggregate));
        }
        log.commit(commit).await.unwrap();
    }
    report("append in large commits, small events", events, begun);
    log.close().await;

    let begun = Instant::now();
    let done = rebuild(&options, &account::kinds_without_totals()).await.unwrap();
    assert_eq!((done.events, done.rows), (aggregates * PER_AGGREGATE, aggregates));
    report("rebuild, small events", done.events, begun);
    let begun = Instant::now();
    let found = verify(&options, &account::kinds_without_totals()).await.unwrap();
    assert!(found.is_clean(), "{found:?}");
    report("verify, small events", found.events, begun);
}

fn history(aggregate: u64) -> Vec<NewEvent> {
    let opened = Event::Opened(Opened { owner: format!("owner-{}", aggregate % 5_000) });
    let moves = (1..PER_AGGREGATE).map(|n| {
        let amount = i64::try_from((aggregate * 31 + n) % 1_000).unwrap();
        Event::Moved(Moved { operation: format!("operation-{n}"), amount, ballast: Vec::new() })
    });
    std::iter::once(opened)
        .chain(moves)
        .map(|event| NewEvent {
            type_name: contracts::Event::type_name(&event).into(),
            body: contracts::Event::encode_body(&event).into(),
            metadata: context().metadata(),
        })
        .collect()
}

fn report(what: &str, events: u64, begun: Instant) {
    let value = events as f64 / begun.elapsed().as_secs_f64();
    println!("{}", serde_json::json!({ "name": what, "value": value, "unit": "events/s" }));
}
