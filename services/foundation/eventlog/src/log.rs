//! The handle of an open log.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use std::time::Duration;

use contracts::common::RecordedEvent;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::{
    Clock, Commit, CommitError, Committed, Horizon, Listing, LogError, OpenError, Page, StoredRow,
    SystemClock,
    cache::Cache,
    engine::Engine,
    follow::{Follower, Tail},
    job::{Ack, Job, Limits, Lineage},
    listing,
    loader::Loader,
    metrics::Metrics,
    names::Names,
    writer,
};

/// How to open a log. `LogOptions::new(name, url)` has the defaults.
#[derive(Clone)]
pub struct LogOptions {
    /// Name of the log; on PostgreSQL the schema that holds it. `"ordering"`.
    pub name: String,
    /// `sqlite://path/to/file.db` or `postgres://user:password@host/database`.
    pub url: String,
    /// The clock that stamps `recorded_at`.
    pub clock: Arc<dyn Clock>,
    /// Aggregates kept in memory. Default 10,000.
    pub cache_capacity: usize,
    /// Commits written in one transaction, at most. Default 256.
    pub batch_limit: usize,
    /// Recent events kept in memory for followers. Default 16,384, and never more than 64 MiB.
    pub tail_capacity: usize,
    /// Connections for reading. Default 4.
    pub readers: u32,
    /// How often to look for the commits of other processes. Default 25 ms.
    pub poll_interval: Duration,
    /// Largest serialized event, in bytes. Default 1 MiB.
    pub max_event_bytes: usize,
    /// SQLite only: the file never grows past so many bytes; commands then fail until there is
    /// room again. Default: no limit but the disk's.
    pub max_file_bytes: Option<u64>,
    /// How long to wait for another process that is writing (SQLite), or for a connection.
    /// Default 10 s.
    pub busy_timeout: Duration,
}

impl LogOptions {
    /// The defaults, with the machine's clock.
    #[must_use]
    pub fn new(name: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            url: url.into(),
            clock: Arc::new(SystemClock),
            cache_capacity: 10_000,
            batch_limit: 256,
            tail_capacity: 16_384,
            readers: 4,
            poll_interval: Duration::from_millis(25),
            max_event_bytes: 1 << 20,
            max_file_bytes: None,
            busy_timeout: Duration::from_secs(10),
        }
    }

    /// The same with another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    pub(crate) fn check(&self) -> Result<(), OpenError> {
        let mut letters = self.name.bytes();
        let named = self.name.len() <= 48
            && letters.next().is_some_and(|first| first.is_ascii_lowercase())
            && letters.all(|l| matches!(l, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'));
        if !named {
            return Err(OpenError::Name(self.name.clone()));
        }
        let positive = [
            ("cache_capacity", self.cache_capacity),
            ("batch_limit", self.batch_limit),
            ("tail_capacity", self.tail_capacity),
            ("readers", self.readers as usize),
            ("max_event_bytes", self.max_event_bytes),
        ];
        for (setting, value) in positive {
            if value == 0 {
                return Err(OpenError::Setting { setting, why: "it must be at least 1" });
            }
        }
        if self.batch_limit > 4_096 {
            return Err(OpenError::Setting {
                setting: "batch_limit",
                why: "it must be at most 4096",
            });
        }
        if self.max_event_bytes > 64 << 20 {
            return Err(OpenError::Setting {
                setting: "max_event_bytes",
                why: "it must be at most 64 MiB",
            });
        }
        if self.poll_interval.is_zero() {
            return Err(OpenError::Setting {
                setting: "poll_interval",
                why: "it must not be zero",
            });
        }
        Ok(())
    }
}

impl std::fmt::Debug for LogOptions {
    /// Without the URL: it may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogOptions").field("name", &self.name).finish_non_exhaustive()
    }
}

/// An open log. Cheap to clone; all clones are the same log.
#[derive(Clone)]
pub struct Log {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) name: String,
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) cache: Cache,
    pub(crate) loader: Loader,
    pub(crate) deciding: Arc<writer::Deciding>,
    pub(crate) tail: Arc<Tail>,
    pub(crate) names: Arc<Names>,
    pub(crate) jobs: mpsc::Sender<Job>,
    pub(crate) limits: Limits,
    closing: AtomicBool,
    writer: tokio::sync::Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.tail.close();
    }
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").field("name", &self.shared.name).finish_non_exhaustive()
    }
}

impl Log {
    /// Opens the log, creates what is missing, and brings an older schema up to date.
    ///
    /// # Errors
    /// The options are wrong, the schema is newer than this release, or the database fails.
    pub async fn open(options: LogOptions) -> Result<Self, OpenError> {
        options.check()?;
        let engine = Engine::open(&options).await?;
        let last = engine.last_position().await?;
        let metrics = Metrics::new(&options.name);
        let tail = Arc::new(Tail::new(last, options.tail_capacity, options.poll_interval));
        let names = Arc::new(Names::new(last));
        let deciding = Arc::new(writer::Deciding::default());
        let (jobs, waiting) = mpsc::channel(options.batch_limit.max(64) * 4);
        let writer = writer::spawn(writer::Setup {
            connection: engine.writer().await?,
            engine: engine.clone(),
            clock: Arc::clone(&options.clock),
            tail: Arc::clone(&tail),
            names: Arc::clone(&names),
            batch_limit: options.batch_limit,
            metrics,
            jobs: waiting,
            deciding: Arc::clone(&deciding),
        });
        tail.poll_others(engine.clone());
        tail.until_closed({
            let (names, engine) = (Arc::clone(&names), engine.clone());
            async move { names.keep(&engine).await }
        });
        Ok(Self {
            shared: Arc::new(Shared {
                name: options.name,
                loader: Loader::spawn(&engine),
                deciding,
                engine,
                clock: options.clock,
                cache: Cache::new(options.cache_capacity),
                tail,
                names,
                jobs,
                limits: Limits { max_event_bytes: options.max_event_bytes },
                closing: AtomicBool::new(false),
                writer: tokio::sync::Mutex::new(Some(writer)),
            }),
        })
    }

    /// Name of the log.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// The clock that stamps this log.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.shared.clock
    }

    /// Writes all of the commit or none of it; it is on disk when this returns.
    ///
    /// # Errors
    /// A stream or a cursor is not where the commit expects it, or the log is broken.
    pub async fn commit(&self, commit: Commit) -> Result<Committed, CommitError> {
        self.submit(commit, Vec::new()).await?.await.unwrap_or(Err(LogError::Closed.into()))
    }

    /// How far the log is now, and until when that is certain: see [`Horizon`].
    ///
    /// It passes through the writer, behind everything that was submitted before. On a log at rest
    /// it costs a flush to disk, under load nothing.
    ///
    /// # Errors
    /// The log is broken or closed.
    pub async fn horizon(&self) -> Result<Horizon, CommitError> {
        let (job, ack) = Job::horizon();
        self.send(job).await?;
        let told = ack.await.unwrap_or(Err(LogError::Closed.into()))?;
        let at = Timestamp::from_microsecond(told.at)
            .map_err(|_| LogError::Corrupt("the time of the last event".to_owned()))?;
        Ok(Horizon { position: told.last_position, at })
    }

    /// Hands a commit to the writer; the receiver tells how it ended. Commits are written in the
    /// order in which this is called.
    pub(crate) async fn submit(
        &self,
        commit: Commit,
        lineages: Vec<Lineage>,
    ) -> Result<Ack, CommitError> {
        self.shared.limits.check(&commit)?;
        let (job, ack) = Job::new(commit, lineages);
        self.send(job).await?;
        Ok(ack)
    }

    async fn send(&self, job: Job) -> Result<(), LogError> {
        if self.shared.closing.load(Ordering::Acquire) {
            return Err(LogError::Closed);
        }
        self.shared.jobs.send(job).await.map_err(|_| LogError::Closed)
    }

    /// The stored row, bytes as written; `None` when there is none.
    ///
    /// # Errors
    /// The database fails.
    pub async fn get_row(&self, kind: &str, id: &str) -> Result<Option<StoredRow>, LogError> {
        self.shared.engine.get_row(kind, id).await
    }

    /// One page of a listing.
    ///
    /// # Errors
    /// The page token is not of this listing, or the database fails.
    pub async fn list(&self, query: &Listing) -> Result<Page, LogError> {
        listing::list(&self.shared.engine, query).await
    }

    /// All events of one stream, oldest first; empty when there is no such stream.
    ///
    /// # Errors
    /// The database fails.
    pub async fn history(&self, stream: &str) -> Result<Vec<RecordedEvent>, LogError> {
        self.shared.engine.history(stream).await
    }

    /// Up to `limit` events after a position, in order, without gaps.
    ///
    /// # Errors
    /// The database fails.
    pub async fn read_after(
        &self,
        position: u64,
        limit: usize,
    ) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        self.shared.tail.read_after(&self.shared.engine, position, limit).await
    }

    /// Follows the log from the event after `position`.
    #[must_use]
    pub fn follow(&self, after: u64) -> Follower {
        Follower::new(Arc::clone(&self.shared.tail), self.shared.engine.clone(), after)
    }

    /// Position of the last event on disk, 0 when there is none; asks the database.
    ///
    /// # Errors
    /// The database fails.
    pub async fn last_position(&self) -> Result<u64, LogError> {
        let last = self.shared.engine.last_position().await?;
        self.shared.tail.advance(last);
        Ok(last)
    }

    /// Where a cursor stands; 0 when it has never moved.
    ///
    /// # Errors
    /// The database fails.
    pub async fn cursor(&self, source: &str) -> Result<u64, LogError> {
        self.shared.engine.cursor(source).await
    }

    /// Writes what has been submitted, then stops the writer and the followers. Commands given
    /// from now on fail with [`LogError::Closed`].
    pub async fn close(self) {
        self.shared.closing.store(true, Ordering::Release);
        let (job, stopped) = Job::stop();
        if self.shared.jobs.send(job).await.is_ok() {
            // an error here means that the writer has stopped, which is what is waited for
            let _ = stopped.await;
        }
        if let Some(writer) = self.shared.writer.lock().await.take() {
            let _ = writer.await;
        }
        self.shared.tail.close();
        self.shared.engine.close().await;
    }
}
