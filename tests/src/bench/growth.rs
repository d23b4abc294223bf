//! Real orders on the log itself: the cost of a command as the log grows, and the rate of rebuild.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use contracts::common::Sealed;
use eventlog::{Context, Log, rebuild};
use futures::future::join_all;
use jiff::Timestamp;
use ordering::order::{
    Order, Terms,
    command::{ConfirmOrder, PushOrder, When},
};

use crate::figures::{Aim, Report};

const CALLERS: u64 = 64;
/// Commands timed at each size.
const TIMED: u64 = 20_000;

pub(crate) async fn measure(report: &mut Report) {
    let folder = tempfile::tempdir().expect("a folder");
    let config = ordering::Config {
        database: format!("sqlite://{}", folder.path().join("ordering.db").display()),
        ..ordering::Config::default()
    };
    let log = Log::open(ordering::log_options(&config)).await.expect("a log");
    let mut next = 0;
    // two events an order: placed and confirmed
    fill(&log, &mut next, 10_000).await;
    let small = timed(&log, &mut next).await;
    fill(&log, &mut next, 1_000_000).await;
    let large = timed(&log, &mut next).await;
    report.add("push, cost at 10^4 events", "sqlite", small, "µs/command");
    report.add("push, cost at 10^6 events", "sqlite", large, "µs/command");
    let ratio = large / small;
    report.aimed(
        "push, cost at 10^6 over cost at 10^4",
        "sqlite",
        ratio,
        "ratio",
        Aim::AtMost(1.15),
    );

    let events = log.last_position().await.expect("a position");
    log.close().await;
    let begun = Instant::now();
    rebuild(&ordering::log_options(&config), &ordering::kinds()).await.expect("rebuilt");
    let rate = per_second(events, begun.elapsed());
    report.add("rebuild of orders, 2 events each", "sqlite", rate, "events/s");
}

async fn fill(log: &Log, next: &mut u64, events: u64) {
    while log.last_position().await.expect("a position") < events {
        let count = 10_000.min(events / 2);
        run(log, *next, count, true).await;
        *next += count;
    }
}

/// Microseconds of wall time for each command with [`CALLERS`] at once.
async fn timed(log: &Log, next: &mut u64) -> f64 {
    let took = run(log, *next, TIMED, false).await;
    *next += TIMED;
    1e6 / per_second(TIMED, took)
}

async fn run(log: &Log, first: u64, count: u64, confirm: bool) -> Duration {
    let begun = Instant::now();
    let callers = (0..CALLERS).map(|caller| {
        let log = log.clone();
        tokio::spawn(async move {
            for number in (first + caller..first + count).step_by(64) {
                push(&log, number, confirm).await;
            }
        })
    });
    for caller in join_all(callers).await {
        caller.expect("a caller");
    }
    begun.elapsed()
}

async fn push(log: &Log, number: u64, confirm: bool) {
    let now = Timestamp::from_second(e2e::orders::MONDAY + 30).expect("a moment");
    let context = Context {
        actor: "bench".to_owned(),
        platform: "mall-a".to_owned(),
        causation: String::new(),
        traceparent: String::new(),
        now,
    };
    let id = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, &number.to_be_bytes()).to_string();
    let mut draft = e2e::orders::draft("mall-a", &format!("G-{number}"));
    // orders come one after the other, as in life
    for at in [&mut draft.placed_at, &mut draft.deliver_by].into_iter().flatten() {
        at.nanos = i32::try_from(number % 1_000_000).unwrap_or(0) * 1_000;
    }
    let recipient = Sealed {
        person: "p".to_owned(),
        nonce: vec![1; 24],
        ciphertext: vec![2; 96],
        fingerprint: vec![3; 16],
    };
    let terms = Terms::try_new(id.clone(), draft, recipient).expect("an order");
    let command = Arc::new(PushOrder { terms, now });
    log.transact(&id, &context, |order: &Order| order.push(&command)).await.expect("pushed");
    if confirm {
        let confirm = ConfirmOrder { when: When::now(now) };
        let policy = ordering::config::Policy::default();
        log.transact(&id, &context, |order: &Order| order.confirm(&confirm, &policy))
            .await
            .expect("confirmed");
    }
}

#[allow(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
fn per_second(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}
