//! A bus, services whose events are watched, and the watch itself, which can be stopped and started.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use contracts::{
    Event as _,
    common::EventMetadata,
    sla::{Binding, Profile, clock_event},
};
use eventlog::{
    Clock as _, Commit, Context, Log, LogOptions, ManualClock, NewEvent,
    bus::{
        Bus, BusOptions, StreamOptions, relay, serve_horizon,
        server::{Server, ServerOptions},
    },
};
use jiff::{SignedDuration, Timestamp};
use sla_monitor::{
    Config,
    bindings::{self, Bindings},
    first,
    monitor::{Monitor, watch},
    profile::ProfileSeries,
    rules::RuleBook,
};
use tempfile::TempDir;
use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::{CancellationToken, DropGuard};

const PATIENCE: Duration = Duration::from_secs(60);

/// Monday 2026-03-02 08:00 in Shanghai.
pub(crate) fn start() -> Timestamp {
    "2026-03-02T00:00:00Z".parse().unwrap()
}

/// A service whose events are watched.
pub(crate) struct Service {
    pub(crate) log: Log,
    bus: Bus,
    versions: BTreeMap<String, u64>,
    relaying: Option<DropGuard>,
    answering: Option<DropGuard>,
}

impl Service {
    async fn open(name: &str, url: &str, folder: &TempDir, clock: Arc<ManualClock>) -> Self {
        let file = format!("sqlite://{}", folder.path().join(format!("{name}.db")).display());
        let log = Log::open(LogOptions::new(name, file).with_clock(clock)).await.unwrap();
        let bus = Bus::connect(BusOptions::new(name, url)).await.unwrap();
        let mut service =
            Self { log, bus, versions: BTreeMap::new(), relaying: None, answering: None };
        service.relay();
        service.answer();
        service
    }

    /// Its events reach the bus.
    pub(crate) fn relay(&mut self) {
        let token = CancellationToken::new();
        let stream = StreamOptions::of(self.log.name());
        tokio::spawn(relay(self.log.clone(), self.bus.clone(), stream, token.clone()));
        self.relaying = Some(token.drop_guard());
    }

    /// They do not.
    pub(crate) fn stop_relaying(&mut self) {
        self.relaying = None;
    }

    /// It says how far its log is.
    pub(crate) fn answer(&mut self) {
        let token = CancellationToken::new();
        tokio::spawn(serve_horizon(self.log.clone(), self.bus.clone(), token.clone()));
        self.answering = Some(token.drop_guard());
    }

    /// It does not.
    pub(crate) fn stop_answering(&mut self) {
        self.answering = None;
    }

    /// Records an event.
    pub(crate) async fn record<E: contracts::Event>(&mut self, stream: &str, event: &E) {
        let version = self.versions.entry(stream.to_owned()).or_default();
        let event = NewEvent {
            type_name: event.type_name().into(),
            body: event.encode_body().into(),
            metadata: EventMetadata { platform: "mall".into(), ..EventMetadata::default() },
        };
        self.log.commit(Commit::new().append(stream, *version, vec![event])).await.unwrap();
        *version += 1;
    }
}

/// Everything.
pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) services: BTreeMap<&'static str, Service>,
    pub(crate) log: Log,
    pub(crate) book: RuleBook,
    bus: Bus,
    config: Config,
    watching: Option<(CancellationToken, JoinHandle<()>)>,
    _server: Server,
    _folder: TempDir,
}

impl World {
    /// These services are watched, under this profile, which counts for all.
    pub(crate) async fn new(sources: &[&'static str], profile: &Profile) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(ServerOptions::new(folder.path().join("nats"))).await;
        let server = server.expect("a nats-server: run `make test`");
        let clock = Arc::new(ManualClock::new(start()));
        let mut services = BTreeMap::new();
        for name in sources {
            let service = Service::open(name, &server.url(), &folder, clock.clone()).await;
            services.insert(*name, service);
        }
        let file = format!("sqlite://{}", folder.path().join("watch.db").display());
        let log =
            Log::open(LogOptions::new("watch", file).with_clock(clock.clone())).await.unwrap();
        let config = Config {
            sources: sources.iter().map(|name| (*name).to_owned()).collect(),
            default_profiles: Vec::new(),
            tick_ms: 5,
            provisional_after_seconds: 3_600,
            ..Config::default()
        };
        first::publish(&log, &config, clock.now()).await.unwrap();
        let context = Context {
            actor: "test".into(),
            platform: String::new(),
            causation: "test".into(),
            traceparent: String::new(),
            now: clock.now(),
        };
        let now = clock.now();
        log.transact(&profile.name, &context, |series: &ProfileSeries| {
            series.publish(profile, 0, "test", now)
        })
        .await
        .unwrap();
        let binding = Binding { profile: profile.name.clone(), ..Binding::default() };
        log.transact(bindings::ID, &context, |bindings: &Bindings| {
            bindings.bind(&binding, &Default::default(), "test", now)
        })
        .await
        .unwrap();
        let book = RuleBook::open(log.clone()).await.unwrap();
        let bus = Bus::connect(BusOptions::new("watch", server.url())).await.unwrap();
        Self {
            clock,
            services,
            log,
            book,
            bus,
            config,
            watching: None,
            _server: server,
            _folder: folder,
        }
    }

    /// From the next start of the watch on, a source that is away for a second is not waited for.
    pub(crate) fn lose_patience(&mut self) {
        self.config.provisional_after_seconds = 1;
    }

    /// Starts the watch, or starts it again.
    pub(crate) async fn watch(&mut self) {
        self.leave().await;
        let token = CancellationToken::new();
        let monitor = Monitor {
            log: self.log.clone(),
            bus: self.bus.clone(),
            book: self.book.clone(),
            config: Arc::new(self.config.clone()),
            clock: self.clock.clone(),
        };
        let stop = token.clone();
        let task = tokio::spawn(async move { watch(monitor, stop).await.unwrap() });
        self.watching = Some((token, task));
    }

    /// Stops it in the middle of whatever it does.
    pub(crate) async fn leave(&mut self) {
        if let Some((_, task)) = self.watching.take() {
            task.abort();
            let _ = task.await;
        }
    }

    pub(crate) fn service(&mut self, name: &str) -> &mut Service {
        self.services.get_mut(name).unwrap()
    }

    /// Turns the clock on, or back.
    pub(crate) fn pass(&self, minutes: i64) {
        self.clock.advance(SignedDuration::from_mins(minutes));
    }

    /// What a clock has said so far.
    pub(crate) async fn said(&self, clock_id: &str) -> Vec<clock_event::Event> {
        let history = self.log.history(&format!("clock.{clock_id}")).await.unwrap();
        history
            .iter()
            .map(|event| clock_event::Event::decode_body(&event.r#type, &event.body).unwrap())
            .collect()
    }

    /// The names of what a clock has said so far.
    pub(crate) async fn names(&self, clock_id: &str) -> Vec<&'static str> {
        self.said(clock_id).await.iter().map(|event| short(event.type_name())).collect()
    }

    /// Waits until a clock has said this.
    pub(crate) async fn eventually(&self, clock_id: &str, expected: &[&str]) {
        let end = Instant::now() + PATIENCE;
        loop {
            let said = self.names(clock_id).await;
            if said == expected {
                return;
            }
            assert!(Instant::now() < end, "it said {said:?}, not {expected:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// What a clock says stays as it is, for some looks of the watch.
    pub(crate) async fn still(&self, clock_id: &str, expected: &[&str]) {
        for _ in 0..20 {
            assert_eq!(self.names(clock_id).await, expected);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// A type's name without its package.
pub(crate) fn short(name: &'static str) -> &'static str {
    name.rsplit('.').next().unwrap_or(name)
}
