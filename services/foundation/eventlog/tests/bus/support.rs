//! A world for each test: its own nats-server, its own log, and aggregates to fill it with.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use contracts::EventError;
use decider::{Aggregate, Decision, emit, unchanged};
use eventlog::{
    Context, EventMetadata, Key, Log, LogOptions, Recorded, RecordedEvent, Transacted,
    bus::{
        Bus, BusOptions, Comparison, Incoming, ReactError, Reacting, Reaction, Relay, RelayError,
        StreamOptions, Subscription, compare, react, reaction_source,
        server::{Server, ServerOptions},
    },
};
use prost::Message as _;
use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

pub const DEADLINE: Duration = Duration::from_secs(60);

/// Waits until the condition holds; fails the test when it does not within the deadline.
pub async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !condition().await {
        assert!(Instant::now() < end, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits for a future, but not for ever.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future)
        .await
        .unwrap_or_else(|_| panic!("waited in vain: {what}"))
}

pub struct World {
    pub folder: tempfile::TempDir,
    pub server: Server,
    pub bus: Bus,
    pub log: Log,
    pub stream: StreamOptions,
}

pub fn server_options(folder: &std::path::Path) -> ServerOptions {
    assert!(
        std::env::var_os("NATS_SERVER").is_some(),
        "NATS_SERVER does not name a nats-server: run `make test`"
    );
    ServerOptions::new(folder)
}

pub async fn bus(server: &Server) -> Bus {
    let bus = Bus::connect(BusOptions::new("test", server.url())).await.unwrap();
    soon("connected", bus.connected()).await;
    bus
}

pub async fn log(folder: &std::path::Path, name: &str) -> Log {
    let url = format!("sqlite://{}", folder.join(format!("{name}.db")).display());
    Log::open(LogOptions::new(name, url)).await.unwrap()
}

impl World {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(server_options(&folder.path().join("nats"))).await.unwrap();
        let bus = bus(&server).await;
        let log = log(folder.path(), "ordering").await;
        Self { folder, server, bus, log, stream: StreamOptions::of("ordering") }
    }

    /// A relay that looks around often.
    pub fn relay(&self) -> Relay {
        let mut relay = Relay::new(self.log.clone(), self.bus.clone(), self.stream.clone());
        relay.idle_check = Duration::from_millis(100);
        relay.ack_timeout = Duration::from_secs(1);
        relay
    }

    pub fn start_relay(&self) -> Running<Result<(), RelayError>> {
        let relay = self.relay();
        Running::start(|shutdown| relay.run(shutdown))
    }

    pub async fn stream_last(&self) -> u64 {
        self.bus.stream_state(&self.stream.name).await.ok().flatten().map_or(0, |state| state.last)
    }

    pub async fn until_published(&self) {
        let last = self.log.last_position().await.unwrap();
        until("everything is published", || async { self.stream_last().await == last }).await;
    }

    pub async fn compared(&self) -> Comparison {
        let last = self.log.last_position().await.unwrap();
        soon("compared", compare(&self.log, &self.bus, &self.stream.name, last)).await.unwrap()
    }

    /// Deletes the stream, as an operator could.
    pub async fn delete_stream(&self) {
        let subject = format!("$JS.API.STREAM.DELETE.{}", self.stream.name);
        self.bus.client().request(subject, "".into()).await.unwrap();
    }

    /// Adds `count` events, several at a time as concurrent commands would, over a few aggregates.
    pub async fn add(&self, count: u64) {
        add(&self.log, count).await;
    }

    pub async fn subscribe(&self, after: u64) -> Subscription {
        soon("subscribed", Subscription::open(&self.bus, &self.stream.name, after, &[]))
            .await
            .unwrap()
    }
}

/// A log on PostgreSQL that lasts as long as this does; several handles are several processes.
pub struct Schema {
    name: String,
    url: String,
}

impl Schema {
    pub fn new() -> Self {
        let url = std::env::var("EMALL_TEST_POSTGRES_URL")
            .expect("EMALL_TEST_POSTGRES_URL is not set: run `make test`");
        Self { name: format!("bus_{}", uuid::Uuid::now_v7().simple()), url }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub async fn open(&self) -> Log {
        Log::open(LogOptions::new(&self.name, &self.url)).await.unwrap()
    }

    /// The server is shared by all tests: the schema goes too.
    pub async fn remove(self) {
        use sqlx::{Connection as _, Executor as _};
        let mut connection = sqlx::PgConnection::connect(&self.url).await.unwrap();
        let sql = format!("DROP SCHEMA \"{}\" CASCADE", self.name);
        connection.execute(sqlx::AssertSqlSafe(sql)).await.unwrap();
    }
}

pub async fn add(log: &Log, count: u64) {
    let mut tasks = tokio::task::JoinSet::new();
    for lane in 0..8 {
        let log = log.clone();
        let share = count / 8 + u64::from(lane < count % 8);
        tasks.spawn(async move {
            for number in 0..share {
                add_one(&log, &format!("{lane}"), number % 100).await;
            }
        });
    }
    tasks.join_all().await;
}

pub async fn add_one(log: &Log, id: &str, amount: u64) -> Transacted<Counter> {
    log.transact::<Counter, String>(id, &context("test"), |_| emit(Change { amount }))
        .await
        .unwrap()
}

pub fn context(actor: &str) -> Context {
    Context {
        actor: actor.to_owned(),
        platform: "zcy".to_owned(),
        causation: "request-1".to_owned(),
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
        now: "2026-01-02T03:04:05.678Z".parse().unwrap(),
    }
}

/// The next `count` events of a subscription: contiguous positions, or the test fails.
pub async fn next_events(subscription: &mut Subscription, count: u64) -> Vec<Incoming> {
    let mut events = Vec::new();
    for _ in 0..count {
        let position = subscription.position() + 1;
        let event = soon("an event comes", subscription.next()).await.unwrap();
        assert_eq!(event.position, position);
        events.push(event);
    }
    events
}

/// A task that ends when it is told to.
pub struct Running<T> {
    pub shutdown: CancellationToken,
    pub task: JoinHandle<T>,
}

impl<T: Send + 'static> Running<T> {
    pub fn start<F: Future<Output = T> + Send + 'static>(
        run: impl FnOnce(CancellationToken) -> F,
    ) -> Self {
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(run(shutdown.clone()));
        Self { shutdown, task }
    }

    pub async fn stop(self) -> T {
        self.shutdown.cancel();
        soon("the task stops", self.task).await.unwrap()
    }

    /// As a crash would: no clean-up of its own.
    pub async fn kill(self) {
        self.task.abort();
        let _ = soon("the task dies", self.task).await;
    }
}

/// What happens on the source's side: an amount is added.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Change {
    #[prost(uint64, tag = "1")]
    pub amount: u64,
}

/// Only an [`Change`], as a `oneof` of one would be.
#[derive(Debug, Clone, PartialEq)]
pub enum CounterEvent {
    Added(Change),
}

impl From<Change> for CounterEvent {
    fn from(change: Change) -> Self {
        Self::Added(change)
    }
}

impl contracts::Event for CounterEvent {
    const TYPES: &'static [&'static str] = &["test.source.v1.Added"];
    fn type_name(&self) -> &'static str {
        "test.source.v1.Added"
    }
    fn encode_body(&self) -> Vec<u8> {
        let Self::Added(change) = self;
        change.encode_to_vec()
    }
    fn decode_body(type_name: &str, body: &[u8]) -> Result<Self, EventError> {
        match type_name {
            "test.source.v1.Added" => Ok(Self::Added(Change::decode(body)?)),
            other => Err(EventError::UnknownType(other.to_owned())),
        }
    }
}

#[derive(Debug, Default, Clone, PartialEq)]
pub struct Counter {
    pub total: u64,
}

impl Aggregate for Counter {
    type Event = CounterEvent;
    fn evolve(self, event: &CounterEvent) -> Self {
        let CounterEvent::Added(change) = event;
        Self { total: self.total + change.amount }
    }
}

impl Recorded for Counter {
    const KIND: &'static str = "counter";
    type Row = Change;
    fn apply(row: &mut Change, event: &CounterEvent, _: &EventMetadata, _: u64) {
        let CounterEvent::Added(change) = event;
        row.amount += change.amount;
    }
    fn keys(_: &Change) -> Vec<Key> {
        Vec::new()
    }
}

/// What follows on the other side: the change, and the position it came from.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Taken {
    #[prost(uint64, tag = "1")]
    pub position: u64,
    #[prost(uint64, tag = "2")]
    pub amount: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub enum TallyEvent {
    Counted(Taken),
}

impl From<Taken> for TallyEvent {
    fn from(taken: Taken) -> Self {
        Self::Counted(taken)
    }
}

impl contracts::Event for TallyEvent {
    const TYPES: &'static [&'static str] = &["test.target.v1.Counted"];
    fn type_name(&self) -> &'static str {
        "test.target.v1.Counted"
    }
    fn encode_body(&self) -> Vec<u8> {
        let Self::Counted(taken) = self;
        taken.encode_to_vec()
    }
    fn decode_body(type_name: &str, body: &[u8]) -> Result<Self, EventError> {
        match type_name {
            "test.target.v1.Counted" => Ok(Self::Counted(Taken::decode(body)?)),
            other => Err(EventError::UnknownType(other.to_owned())),
        }
    }
}

/// Counts whatever it is told, also what it was told before: it would show an event taken twice.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Tally {
    pub total: u64,
}

impl Aggregate for Tally {
    type Event = TallyEvent;
    fn evolve(self, event: &TallyEvent) -> Self {
        let TallyEvent::Counted(taken) = event;
        Self { total: self.total + taken.amount }
    }
}

impl Recorded for Tally {
    const KIND: &'static str = "tally";
    type Row = Taken;
    fn apply(row: &mut Taken, event: &TallyEvent, _: &EventMetadata, _: u64) {
        let TallyEvent::Counted(taken) = event;
        row.amount += taken.amount;
        row.position = taken.position;
    }
    fn keys(_: &Taken) -> Vec<Key> {
        Vec::new()
    }
}

/// Refused by the domain of the tests.
pub const UNLUCKY: u64 = 13;

impl Tally {
    pub fn count(&self, position: u64, amount: u64) -> Decision<TallyEvent, String> {
        match amount {
            UNLUCKY => Err("thirteen is not counted".to_owned()),
            0 => unchanged(),
            amount => emit(Taken { position, amount }),
        }
    }
}

/// Counts every change into the tally `all` and into that of the same id, or into neither.
#[derive(Clone)]
pub struct Count;

pub const COUNT: &str = "tally/ordering";

impl Reaction for Count {
    fn name(&self) -> &str {
        COUNT
    }
    fn source(&self) -> &str {
        "ORDERING"
    }
    async fn react<'a>(
        &'a self,
        event: &'a Incoming,
        tx: &'a mut Reacting<'_>,
    ) -> Result<(), ReactError> {
        let CounterEvent::Added(change) = event.decode()?;
        let (position, amount) = (event.position, change.amount);
        if amount == 0 {
            return Ok(());
        }
        let (_, id) = event.aggregate();
        // The first never refuses: a refusal by the second must undo it.
        tx.transact::<Tally, String>("all", |_| emit(Taken { position, amount })).await?;
        tx.transact::<Tally, _>(id, |tally| tally.count(position, amount)).await?;
        Ok(())
    }
}

/// The other service: its own log.
pub struct Target {
    pub log: Log,
}

impl Target {
    pub async fn new(world: &World) -> Self {
        Self { log: log(world.folder.path(), "target").await }
    }

    pub fn start<R: Reaction>(
        &self,
        world: &World,
        reaction: R,
    ) -> Running<Result<(), eventlog::bus::ReactionError>> {
        let (log, bus) = (self.log.clone(), world.bus.clone());
        Running::start(|shutdown| react(log, bus, reaction, shutdown))
    }

    pub async fn cursor(&self) -> u64 {
        self.log.cursor(&reaction_source(COUNT)).await.unwrap()
    }

    pub async fn until_read(&self, position: u64) {
        until("the reaction has read everything", || async { self.cursor().await == position })
            .await;
    }

    /// What the reaction has recorded, by stream: positions and amounts in order.
    pub async fn result(&self) -> BTreeMap<String, Vec<(u64, u64)>> {
        let mut result = BTreeMap::<String, Vec<(u64, u64)>>::new();
        for event in all(&self.log).await {
            let taken = Taken::decode(&*event.body).unwrap();
            result.entry(event.stream.clone()).or_default().push((taken.position, taken.amount));
        }
        result
    }
}

/// What the reaction has to record, from the source's log alone.
pub async fn expected(source: &Log) -> BTreeMap<String, Vec<(u64, u64)>> {
    let mut result = BTreeMap::<String, Vec<(u64, u64)>>::new();
    for event in all(source).await {
        if event.r#type != "test.source.v1.Added" {
            continue;
        }
        let amount = Change::decode(&*event.body).unwrap().amount;
        if amount == 0 || amount == UNLUCKY {
            continue;
        }
        let (_, id) = event.stream.split_once('.').unwrap();
        for id in ["all", id] {
            result.entry(format!("tally.{id}")).or_default().push((event.position, amount));
        }
    }
    result
}

/// Everything that is on disk. What is in memory may be a moment behind that.
pub async fn all(log: &Log) -> Vec<Arc<RecordedEvent>> {
    let last = log.last_position().await.unwrap();
    let mut all = Vec::new();
    while (all.len() as u64) < last {
        all.extend(log.read_after(all.len() as u64, 1_000).await.unwrap());
    }
    all
}
