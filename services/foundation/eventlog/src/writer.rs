//! The one write path.
//!
//! ```text
//! submit ─▶ channel ─▶ take all that waits ─▶ begin + lock ─▶ heads ─▶ who stands? ─▶ write
//!                              ▲                                                       │
//!                              └──── acknowledge each ◀── tell the tail ◀── commit ◀───┘
//! ```
//!
//! Invariants:
//! - commits are decided in the order in which they were submitted, under the log's lock, against
//!   what is on disk and what stands before them in the same batch;
//! - each stands or falls alone: when the database refuses a batch because of what one of them
//!   holds, they are written one by one;
//! - nothing is acknowledged before the transaction that holds it is on disk;
//! - what is built on a commit that fell, falls ([`crate::job::Lineage`]);
//! - the clock is read under the lock, and what was said of it ([`crate::Horizon`]) is on disk: no
//!   later batch, of whatever process, is stamped with an earlier time.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use crate::{
    Clock, LogError,
    engine::{Engine, WriterConnection},
    follow::Tail,
    job::Job,
    metrics::Metrics,
    names::Names,
    plan::{self, Batch, Known},
};

/// How long the writer waits at most for commands that are being decided, to take them along.
const GATHER: Duration = Duration::from_millis(1);

/// How often the writer lets others run without any of them coming, before it begins.
const QUIET: usize = 3;

/// Commands that are being decided and will be submitted in a moment. The writer waits for them, so
/// that callers who were acknowledged together are written together: one disk flush for all.
#[derive(Default)]
pub(crate) struct Deciding {
    count: AtomicUsize,
    none_left: Notify,
}

impl Deciding {
    /// One more, until the guard is dropped.
    pub(crate) fn begin(&self) -> impl Drop {
        self.count.fetch_add(1, Ordering::AcqRel);
        Decided(self)
    }

    fn is_none(&self) -> bool {
        self.count.load(Ordering::Acquire) == 0
    }
}

struct Decided<'a>(&'a Deciding);

impl Drop for Decided<'_> {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.none_left.notify_one();
        }
    }
}

/// Why a batch was not written.
pub(crate) enum Failure {
    /// Something in it is not to the database's liking: others may be.
    Data(LogError),
    /// The database failed.
    Broken(LogError),
    /// A test has stopped the writer here.
    #[cfg_attr(not(feature = "failpoints"), allow(dead_code, reason = "only tests crash"))]
    Crash,
}

/// What a writer starts with.
pub(crate) struct Setup {
    pub(crate) connection: WriterConnection,
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tail: Arc<Tail>,
    pub(crate) names: Arc<Names>,
    pub(crate) batch_limit: usize,
    pub(crate) metrics: Metrics,
    pub(crate) jobs: mpsc::Receiver<Job>,
    pub(crate) deciding: Arc<Deciding>,
}

pub(crate) fn spawn(setup: Setup) -> JoinHandle<()> {
    let writer = Writer {
        connection: Some(setup.connection),
        engine: setup.engine,
        clock: setup.clock,
        tail: setup.tail,
        names: setup.names,
        batch_limit: setup.batch_limit,
        metrics: setup.metrics,
        jobs: setup.jobs,
        deciding: setup.deciding,
        known: Known::default(),
    };
    tokio::spawn(writer.run())
}

struct Writer {
    connection: Option<WriterConnection>,
    engine: Engine,
    clock: Arc<dyn Clock>,
    tail: Arc<Tail>,
    names: Arc<Names>,
    batch_limit: usize,
    metrics: Metrics,
    jobs: mpsc::Receiver<Job>,
    deciding: Arc<Deciding>,
    known: Known,
}

impl Writer {
    async fn run(mut self) {
        let mut jobs = Vec::with_capacity(self.batch_limit);
        while self.jobs.recv_many(&mut jobs, self.batch_limit).await > 0 {
            self.gather(&mut jobs).await;
            let mut stops = Vec::new();
            jobs.retain_mut(|job| {
                if job.is_stop {
                    stops.extend(job.reply.take());
                }
                !job.is_stop
            });
            if !stops.is_empty() {
                self.jobs.close(); // what is in the channel is still written
            }
            if !jobs.is_empty() && self.write(&mut jobs).await.is_err() {
                return; // dropping the jobs tells the callers
            }
            jobs.clear();
        }
        if let Some(connection) = self.connection.take() {
            connection.close().await;
        }
    }

    /// Takes along what is being decided right now; a caller that is alone waits for nobody.
    async fn gather(&mut self, jobs: &mut Vec<Job>) {
        let all_are_here = async {
            let mut quiet = 0;
            while jobs.len() < self.batch_limit && quiet < QUIET {
                let room = self.batch_limit - jobs.len();
                if !self.deciding.is_none() {
                    tokio::select! {
                        more = self.jobs.recv_many(jobs, room) => if more == 0 { break },
                        () = self.deciding.none_left.notified() => {}
                    }
                    quiet = 0;
                    continue;
                }
                // callers that were just acknowledged have not run yet: they get their turn
                tokio::task::yield_now().await;
                let before = jobs.len();
                while jobs.len() < self.batch_limit {
                    let Ok(job) = self.jobs.try_recv() else { break };
                    jobs.push(job);
                }
                quiet = if jobs.len() > before { 0 } else { quiet + 1 };
            }
        };
        // late: they go with the next batch
        let _ = tokio::time::timeout(GATHER, all_are_here).await;
    }

    async fn write(&mut self, jobs: &mut [Job]) -> Result<(), Crashed> {
        let begun = Instant::now();
        let result = self.attempt(jobs).await;
        self.metrics.batch(jobs.len(), begun.elapsed().as_secs_f64());
        match result {
            Ok(()) => {}
            Err(Failure::Data(_)) if jobs.len() > 1 => {
                for job in jobs.iter_mut() {
                    if job.verdict.is_none() {
                        self.write_alone(job).await?;
                    }
                    job.answer();
                }
            }
            Err(failure) => fail_all(jobs, failure)?,
        }
        jobs.iter_mut().for_each(Job::answer);
        Ok(())
    }

    async fn write_alone(&mut self, job: &mut Job) -> Result<(), Crashed> {
        let alone = std::slice::from_mut(job);
        match self.attempt(alone).await {
            Ok(()) => Ok(()),
            Err(failure) => fail_all(alone, failure),
        }
    }

    /// One transaction. When it fails, no job of it has a verdict that says it stands.
    async fn attempt(&mut self, jobs: &mut [Job]) -> Result<(), Failure> {
        failpoint("writer::before-begin")?;
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.engine.writer().await.map_err(|error| Failure::Broken(error.into()))?,
        };
        let result = self.transaction(&mut connection, jobs).await;
        match result {
            Ok(()) => {
                self.connection = Some(connection);
                return Ok(());
            }
            Err(Failure::Crash) => return Err(Failure::Crash),
            // a connection that cannot be rolled back is not used again
            Err(_) => match connection.rollback().await {
                Ok(()) => self.connection = Some(connection),
                Err(_) => connection.close().await,
            },
        }
        self.known = Known::default();
        result
    }

    async fn transaction(
        &mut self,
        connection: &mut WriterConnection,
        jobs: &mut [Job],
    ) -> Result<(), Failure> {
        let mut heads = connection.begin(&plan::wanted(jobs, &self.known)).await?;
        if self.known.at != Some(heads.last_position) {
            // another process has written: under the lock, everything is read anew
            self.known = Known::from(heads.last_position);
            heads = connection.heads(&plan::wanted(jobs, &self.known)).await?;
        }
        let clock = self.clock.now().as_microsecond();
        let plan = plan::decide(jobs, &heads, &self.known, clock);
        if !plan.writes {
            connection.rollback().await?;
            plan.conclude(jobs, &self.metrics);
            return Ok(());
        }
        plan.stamp(jobs);
        {
            let batch = Batch::collect(jobs, &plan);
            connection.write_events(&batch).await?;
            failpoint("writer::after-events")?;
            connection.write_rest(&batch).await?;
        }
        failpoint("writer::before-commit")?;
        connection.commit().await?;
        failpoint("writer::after-commit")?;
        self.names.written(heads.last_position, plan.last_position, plan.new_streams(jobs));
        plan.take_heads(jobs, &mut self.known);
        self.tail.append(plan.take_events(jobs), plan.last_position);
        let last = plan.last_position;
        let stood = plan.conclude(jobs, &self.metrics);
        self.metrics.committed(stood, last);
        Ok(())
    }
}

/// A test has stopped the writer.
struct Crashed;

fn fail_all(jobs: &mut [Job], failure: Failure) -> Result<(), Crashed> {
    let error = match failure {
        Failure::Data(error) | Failure::Broken(error) => error,
        Failure::Crash => return Err(Crashed),
    };
    tracing::warn!(
        commits = jobs.len(),
        error = &error as &dyn std::error::Error,
        "a batch was not written"
    );
    for job in jobs.iter_mut().filter(|job| job.verdict.is_none()) {
        job.fail(error.clone());
    }
    Ok(())
}

/// A place where a fault test stops the writer, as if the process had been killed.
fn failpoint(name: &'static str) -> Result<(), Failure> {
    let _ = name;
    fail::fail_point!(name, |_| Err(Failure::Crash));
    Ok(())
}
