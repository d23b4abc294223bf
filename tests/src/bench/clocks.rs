//! A million open clocks in one process: how long a start takes, and how late what is due is said
//! while orders come in.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use contracts::{
    Event as _,
    common::EventMetadata,
    ordering::{OrderPlaced, OrderTerms, order_event},
    sla::{Fact, FactKind, SubjectPart, clock_event},
};
use eventlog::{
    Clock as _, Commit, Context, Log, NewEvent, SystemClock,
    bus::{
        Bus, BusOptions, StreamOptions, relay, serve_horizon,
        server::{Server, ServerOptions},
    },
    time::{from_proto, to_proto},
};
use jiff::{SignedDuration, Timestamp};
use sla_monitor::{
    Config,
    clock::{About, Clock},
    first,
    hear::clock_id,
    monitor::{Monitor, watch},
    rules::RuleBook,
    timeline::Plan,
};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::figures::{Aim, Report, percentile};

const OPEN: u64 = 1_000_000;
/// Clocks that come due in each second that is measured.
const DUE_PER_SECOND: u64 = 500;
const SECONDS: u64 = 20;
/// Orders that come in each second meanwhile, each of which starts clocks.
const ORDERS_PER_SECOND: u64 = 200;
/// Clocks made in one commit.
const BATCH: u64 = 250;
const CLOCK: &str = "deliver";
const PROFILE: &str = "emall-default";

pub(crate) async fn measure(report: &mut Report) {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Server::start(ServerOptions::new(folder.path().join("nats"))).await;
    let server = server.expect("a nats-server");
    let file = |name: &str| format!("sqlite://{}", folder.path().join(name).display());
    let config = Config { database: file("sla.db"), ..Config::default() };

    let mut orders = Orders::open(&server.url(), &file("ordering.db")).await;
    let log = Log::open(sla_monitor::log_options(&config)).await.expect("a log");
    first::publish(&log, &config, SystemClock.now()).await.expect("profiles");
    let book = RuleBook::open(log.clone()).await.expect("rules");
    let plan = plan(&book);
    let begun = Instant::now();
    open_clocks(&log, &plan, OPEN, |number| {
        // far from now, a second between two of them
        SystemClock.now()
            + SignedDuration::from_hours(24)
            + SignedDuration::from_secs(number.cast_signed())
    })
    .await;
    report.add("clocks opened", "sqlite", per_second(OPEN, begun.elapsed()), "clocks/s");
    log.close().await;

    // a start, until the first breach of a clock that was due meanwhile is said
    let log = Log::open(sla_monitor::log_options(&config)).await.expect("a log");
    open_clocks(&log, &plan, 1, |_| SystemClock.now()).await;
    log.close().await;
    let begun = Instant::now();
    let log = Log::open(sla_monitor::log_options(&config)).await.expect("a log");
    let before = log.last_position().await.expect("a position");
    let token = CancellationToken::new();
    let book = RuleBook::open(log.clone()).await.expect("rules");
    let monitor = Monitor {
        log: log.clone(),
        bus: Bus::connect(BusOptions::new("sla", server.url())).await.expect("a bus"),
        book,
        config: Arc::new(config),
        clock: Arc::new(SystemClock),
    };
    let watching = tokio::spawn(watch(monitor, token.clone()));
    while log.last_position().await.expect("a position") == before {
        sleep(Duration::from_millis(5)).await;
    }
    let took = begun.elapsed().as_secs_f64();
    report.aimed("start with 10^6 open clocks", "sqlite", took, "s", Aim::AtMost(30.0));

    let from = log.last_position().await.expect("a position");
    let soon = SystemClock.now() + SignedDuration::from_secs(5);
    let apart = 1_000_000_000 / DUE_PER_SECOND;
    open_clocks(&log, &plan, DUE_PER_SECOND * SECONDS, |number| {
        soon + SignedDuration::from_nanos((number * apart).cast_signed())
    })
    .await;
    let end = soon + SignedDuration::from_secs(SECONDS.cast_signed() + 5);
    while SystemClock.now() < end {
        orders.place(ORDERS_PER_SECOND / 10).await;
        sleep(Duration::from_millis(100)).await;
    }
    let late = lateness(&log, from, soon).await;
    assert!(
        late.len() as u64 >= DUE_PER_SECOND * SECONDS - DUE_PER_SECOND,
        "{} breaches only",
        late.len()
    );
    report.add("breaches said, of clocks due each second", "sqlite", late.len() as f64, "breaches");
    report.aimed(
        "lateness of a breach, p99",
        "sqlite",
        percentile(&late, 0.99),
        "ms",
        Aim::AtMost(250.0),
    );
    report.add("lateness of a breach, p50", "sqlite", percentile(&late, 0.50), "ms");
    token.cancel();
    watching.await.expect("the watch").expect("the watch");
    log.close().await;
}

#[allow(clippy::cast_precision_loss, reason = "a count far below 2^52")]
fn per_second(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

fn plan(book: &RuleBook) -> Plan {
    let rules = book.rules();
    let profile = rules.newest(PROFILE).expect("the default profile");
    rules.plan_of(profile.policy(CLOCK).expect("its clock")).expect("its calendar")
}

/// Makes clocks as the watch would, each with a deadline of its own.
async fn open_clocks(log: &Log, plan: &Plan, count: u64, due: impl Fn(u64) -> Timestamp) {
    let now = SystemClock.now();
    let run = format!("{}", now.as_nanosecond());
    let context = Context {
        actor: "bench".into(),
        platform: "mall".into(),
        causation: "bench".into(),
        traceparent: String::new(),
        now,
    };
    let mut number = 0;
    while number < count {
        let mut stage = log.stage();
        for number in number..count.min(number + BATCH) {
            let order = format!("{run}-{number}");
            let about = About {
                clock_id: clock_id(PROFILE, CLOCK, std::slice::from_ref(&order), ""),
                profile: PROFILE.into(),
                clock: CLOCK.into(),
                subject: vec![SubjectPart { name: "order_id".into(), value: order }],
                platform: "mall".into(),
                ..About::default()
            };
            let fact = Fact {
                kind: FactKind::Start.into(),
                at: Some(to_proto(now)),
                evidence: "ORDERING/1".into(),
                recorded_at: Some(to_proto(now)),
                until: Some(to_proto(due(number))),
                ..Fact::default()
            };
            stage
                .transact(&about.clock_id, &context, |clock: &Clock| {
                    clock.note(&about, &fact, plan)
                })
                .await
                .expect("a clock");
        }
        stage.commit().await.expect("clocks");
        number += BATCH;
    }
}

/// Milliseconds between deadline and record of each breach from a position on, sorted.
#[allow(clippy::cast_precision_loss, reason = "a few milliseconds")]
async fn lateness(log: &Log, from: u64, since: Timestamp) -> Vec<f64> {
    let mut late = Vec::new();
    let mut at = from;
    loop {
        let batch = log.read_after(at, 10_000).await.expect("events");
        let Some(last) = batch.last() else { break };
        at = last.position;
        for event in &batch {
            let Ok(clock_event::Event::DeadlineBreached(breach)) =
                clock_event::Event::decode_body(&event.r#type, &event.body)
            else {
                continue;
            };
            let due = breach.due_at.as_ref().and_then(from_proto).expect("a deadline");
            let said = event.recorded_at.as_ref().and_then(from_proto).expect("a time");
            if due >= since {
                late.push(said.duration_since(due).as_micros() as f64 / 1_000.0);
            }
        }
    }
    late.sort_by(f64::total_cmp);
    late
}

/// A log of orders whose events reach the bus.
struct Orders {
    log: Log,
    next: u64,
}

impl Orders {
    async fn open(bus: &str, file: &str) -> Self {
        let log = Log::open(ordering::log_options(&ordering::Config {
            database: file.to_owned(),
            ..ordering::Config::default()
        }))
        .await
        .expect("a log");
        let bus = Bus::connect(BusOptions::new("ordering", bus)).await.expect("a bus");
        let token = CancellationToken::new();
        tokio::spawn(relay(log.clone(), bus.clone(), StreamOptions::of("ordering"), token.clone()));
        tokio::spawn(serve_horizon(log.clone(), bus, token));
        Self { log, next: 0 }
    }

    async fn place(&mut self, count: u64) {
        let now = Some(to_proto(SystemClock.now()));
        for _ in 0..count {
            let order_id = format!("order-{}", self.next);
            let terms = OrderTerms {
                order_id: order_id.clone(),
                platform: "mall".into(),
                placed_at: now,
                ..OrderTerms::default()
            };
            let event: order_event::Event =
                OrderPlaced { terms: Some(terms), ..OrderPlaced::default() }.into();
            let event = NewEvent {
                type_name: event.type_name().into(),
                body: event.encode_body().into(),
                metadata: EventMetadata { platform: "mall".into(), ..EventMetadata::default() },
            };
            let commit = Commit::new().append(format!("order.{order_id}"), 0, vec![event]);
            self.log.commit(commit).await.expect("an order");
            self.next += 1;
        }
    }
}
