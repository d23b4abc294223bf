//! How fast events get over the bus on this machine: relay, subscription, replay, reaction, and the
//! times from a commit to a subscriber and from a question for the horizon to its answer.
//!
//! ```text
//! NATS_SERVER=… cargo run --release -p eventlog --example relay_rate [events]
//! ```
//!
//! Prints one line of JSON for each figure: name, value, unit.

#![allow(clippy::print_stdout, reason = "an example prints its figures")]
#![allow(clippy::unwrap_used, reason = "an example ends where something goes wrong")]

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use contracts::EventError;
use decider::{Aggregate, emit};
use eventlog::{
    Commit, Context, EventMetadata, Key, Log, LogOptions, NewEvent, Recorded,
    bus::{
        Bus, BusOptions, Incoming, ReactError, Reacting, Reaction, Relay, StreamOptions,
        Subscription, compare, react, reaction_source, serve_horizon,
        server::{Server, ServerOptions},
    },
};
use prost::Message as _;
use serde_json::json;
use tokio_util::sync::CancellationToken;

/// As in the processes of the product.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() {
    let count: u64 = std::env::args().nth(1).map_or(200_000, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let log = open(folder.path(), "ordering").await;
    fill(&log, count).await;
    for window in [256, 512] {
        relay_rate(folder.path(), &log, count, window).await;
    }
    let server = Server::start(ServerOptions::new(folder.path().join("nats"))).await.unwrap();
    let bus = connect(&server).await;
    let shutdown = CancellationToken::new();
    let relay = Relay::new(log.clone(), bus.clone(), StreamOptions::of("ordering"));
    let relay = tokio::spawn(relay.run(shutdown.clone()));
    published(&bus, count).await;
    read_rate(&bus, count).await;
    replay_rate(&bus, count).await;
    horizons(&log, &bus).await;
    reaction_rate(folder.path(), &bus, count.min(50_000)).await;
    for rate in [1_000, 5_000] {
        latency(&log, &bus, rate, Duration::from_secs(8)).await;
    }
    let last = log.last_position().await.unwrap();
    assert!(compare(&log, &bus, "ORDERING", last).await.unwrap().is_equal());
    shutdown.cancel();
    relay.await.unwrap().unwrap();
}

async fn open(folder: &Path, name: &str) -> Log {
    let url = format!("sqlite://{}", folder.join(format!("{name}.db")).display());
    Log::open(LogOptions::new(name, url)).await.unwrap()
}

async fn connect(server: &Server) -> Bus {
    let bus = Bus::connect(BusOptions::new("relay_rate", server.url())).await.unwrap();
    bus.connected().await;
    bus
}

async fn published(bus: &Bus, last: u64) {
    while bus.stream_state("ORDERING").await.unwrap().is_none_or(|state| state.last < last) {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn say(name: &str, value: f64, unit: &str) {
    println!("{}", json!({ "name": name, "value": value, "unit": unit }));
}

fn say_rate(name: &str, events: u64, took: Duration) {
    say(name, events as f64 / took.as_secs_f64(), "events/s");
}

/// Many events in few commits: filling the log is not what is measured. They go round a hundred
/// aggregates.
async fn fill(log: &Log, count: u64) {
    assert!(count.is_multiple_of(1_000), "a number of events in whole thousands");
    for round in 0..count / 1_000 {
        let event = NewEvent {
            type_name: Added::TYPE.into(),
            body: Added { amount: 1, note: "x".repeat(180) }.encode_to_vec().into(),
            metadata: context().metadata(),
        };
        let mut commit = Commit::new();
        for turn in 0..1_000 {
            let (lane, version) = (turn % 100, round * 10 + turn / 100);
            commit = commit.append(format!("counter.filled-{lane}"), version, vec![event.clone()]);
        }
        log.commit(commit).await.unwrap();
    }
}

async fn relay_rate(folder: &Path, log: &Log, count: u64, window: u64) {
    let folder = folder.join(format!("nats-{window}"));
    let server = Server::start(ServerOptions::new(&folder)).await.unwrap();
    let bus = connect(&server).await;
    let shutdown = CancellationToken::new();
    let mut relay = Relay::new(log.clone(), bus.clone(), StreamOptions::of("ordering"));
    relay.window = window;
    let begun = Instant::now();
    let relay = tokio::spawn(relay.run(shutdown.clone()));
    published(&bus, count).await;
    say_rate(&format!("relay, window of {window}"), count, begun.elapsed());
    shutdown.cancel();
    relay.await.unwrap().unwrap();
}

async fn read_rate(bus: &Bus, count: u64) {
    let begun = Instant::now();
    let mut subscription = Subscription::open(bus, "ORDERING", 0, &[]).await.unwrap();
    while subscription.position() < count {
        subscription.next().await.unwrap();
    }
    say_rate("subscription", count, begun.elapsed());
}

/// All events, those of one aggregate in a hundred, and those of one that has none.
async fn replay_rate(bus: &Bus, count: u64) {
    let lane = |name: &str| vec![format!("emall.ordering.counter.{name}")];
    for (name, filters, matches) in [
        ("replay, all", vec![], count),
        ("replay, all by a filter", lane("*"), count),
        ("replay, events of one aggregate in a hundred", lane("filled-7"), count / 100),
    ] {
        let begun = Instant::now();
        let read = bus.read_stream("ORDERING", 0, count, &filters, |_| {}).await.unwrap();
        assert_eq!(read, matches);
        say_rate(name, read, begun.elapsed());
    }
    let mut waits = Vec::new();
    for _ in 0..200 {
        let begun = Instant::now();
        bus.read_stream("ORDERING", 0, count, &lane("nobody"), |_| {}).await.unwrap();
        waits.push(begun.elapsed());
    }
    say_waits("replay of an aggregate without events", waits);
}

/// How long the answer takes that a log is complete until now: at rest, and under load.
async fn horizons(log: &Log, bus: &Bus) {
    let shutdown = CancellationToken::new();
    let served = tokio::spawn(serve_horizon(log.clone(), bus.clone(), shutdown.clone()));
    while bus.ask_horizon("ordering", Duration::from_secs(1)).await.is_err() {}
    let ask = async || {
        let mut waits = Vec::new();
        for _ in 0..200 {
            let begun = Instant::now();
            bus.ask_horizon("ordering", Duration::from_secs(5)).await.unwrap();
            waits.push(begun.elapsed());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        waits
    };
    say_waits("horizon of a log at rest", ask().await);
    let load = CancellationToken::new();
    let mut writers = tokio::task::JoinSet::new();
    for lane in 0..32 {
        let (log, load) = (log.clone(), load.clone());
        writers.spawn(async move {
            let id = format!("loaded-{lane}");
            while !load.is_cancelled() {
                log.transact::<Counter, String>(&id, &context(), |_| {
                    emit(Added { amount: 1, note: "x".repeat(180) })
                })
                .await
                .unwrap();
            }
        });
    }
    say_waits("horizon while 32 write", ask().await);
    load.cancel();
    writers.join_all().await;
    shutdown.cancel();
    served.await.unwrap().unwrap();
}

fn say_waits(name: &str, mut waits: Vec<Duration>) {
    waits.sort_unstable();
    for (percentile, share) in [("p50", 500), ("p99", 990)] {
        let wait = waits[(waits.len() - 1) * share / 1_000];
        say(&format!("{name}, {percentile}"), wait.as_secs_f64() * 1e3, "ms");
    }
}

async fn reaction_rate(folder: &Path, bus: &Bus, count: u64) {
    let target = open(folder, "target").await;
    let shutdown = CancellationToken::new();
    let begun = Instant::now();
    let task = tokio::spawn(react(target.clone(), bus.clone(), Count, shutdown.clone()));
    while target.cursor(&reaction_source("count")).await.unwrap() < count {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let reached = target.cursor(&reaction_source("count")).await.unwrap();
    say_rate("reaction, events and cursor durable", reached, begun.elapsed());
    shutdown.cancel();
    task.await.unwrap().unwrap();
}

/// From the moment that a commit is acknowledged to the moment that a subscriber has its event.
async fn latency(log: &Log, bus: &Bus, rate: u32, length: Duration) {
    let first = log.last_position().await.unwrap();
    let mut subscription = Subscription::open(bus, "ORDERING", first, &[]).await.unwrap();
    let total = rate * u32::try_from(length.as_secs()).unwrap();
    let times = Arc::new(Mutex::new(vec![(None, None); usize::try_from(total).unwrap()]));
    let at = move |position: u64| usize::try_from(position - first - 1).unwrap();
    let reader = tokio::spawn({
        let times = Arc::clone(&times);
        async move {
            for _ in 0..total {
                let event = subscription.next().await.unwrap();
                times.lock().unwrap()[at(event.position)].1 = Some(Instant::now());
            }
        }
    });
    let mut commands = tokio::task::JoinSet::new();
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / rate);
    for number in 0..total {
        ticks.tick().await;
        let (log, times) = (log.clone(), Arc::clone(&times));
        commands.spawn(async move {
            let id = format!("lane-{}", number % 1_000);
            let done = log
                .transact::<Counter, String>(&id, &context(), |_| {
                    emit(Added { amount: 1, note: "x".repeat(180) })
                })
                .await
                .unwrap();
            times.lock().unwrap()[at(done.position.unwrap())].0 = Some(Instant::now());
        });
    }
    commands.join_all().await;
    reader.await.unwrap();
    let waits: Vec<Duration> = times
        .lock()
        .unwrap()
        .iter()
        .map(|(done, read)| read.unwrap().saturating_duration_since(done.unwrap()))
        .collect();
    say_waits(&format!("log to subscriber at {rate} events/s"), waits);
}

fn context() -> Context {
    Context {
        actor: "zcy-key-1".to_owned(),
        platform: "zcy".to_owned(),
        causation: "0198c0de-0000-7000-8000-000000000001".to_owned(),
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
        now: "2026-01-02T03:04:05Z".parse().unwrap(),
    }
}

/// The one event of this example, some 200 bytes long.
#[derive(Clone, PartialEq, prost::Message)]
struct Added {
    #[prost(uint64, tag = "1")]
    amount: u64,
    #[prost(string, tag = "2")]
    note: String,
}

impl Added {
    const TYPE: &'static str = "example.v1.Added";
}

#[derive(Debug, Clone, PartialEq)]
struct Event(Added);

impl From<Added> for Event {
    fn from(added: Added) -> Self {
        Self(added)
    }
}

impl contracts::Event for Event {
    const TYPES: &'static [&'static str] = &[Added::TYPE];
    fn type_name(&self) -> &'static str {
        Added::TYPE
    }
    fn encode_body(&self) -> Vec<u8> {
        self.0.encode_to_vec()
    }
    fn decode_body(type_name: &str, body: &[u8]) -> Result<Self, EventError> {
        match type_name {
            Added::TYPE => Ok(Self(Added::decode(body)?)),
            other => Err(EventError::UnknownType(other.to_owned())),
        }
    }
}

#[derive(Debug, Default, Clone)]
struct Counter;

impl Aggregate for Counter {
    type Event = Event;
    fn evolve(self, _: &Event) -> Self {
        self
    }
}

impl Recorded for Counter {
    const KIND: &'static str = "counter";
    type Row = Added;
    fn apply(row: &mut Added, event: &Event, _: &EventMetadata, _: u64) {
        row.amount += event.0.amount;
    }
    fn keys(_: &Added) -> Vec<Key> {
        Vec::new()
    }
}

struct Count;

impl Reaction for Count {
    fn name(&self) -> &str {
        "count"
    }
    fn source(&self) -> &str {
        "ORDERING"
    }
    async fn react<'a>(
        &'a self,
        event: &'a Incoming,
        tx: &'a mut Reacting<'_>,
    ) -> Result<(), ReactError> {
        let added: Event = event.decode()?;
        let id = format!("{}", event.position % 100);
        tx.transact::<Counter, String>(&id, |_| emit(added.0)).await?;
        Ok(())
    }
}
