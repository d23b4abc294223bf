//! Rows computed from the whole log: statistics, reports, lists across aggregates.
//!
//! Invariant: rows and cursor move in one commit, and the cursor only from where this projector
//! read it. So each event is taken in exactly once, also when two processes project at once: the
//! second one's commit falls, and it goes on from where the first one got to.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use prost::Message as _;
use tokio_util::sync::CancellationToken;

use crate::{
    Commit, CommitError, Key, Log, LogError, RecordedEvent, RowWrite,
    transact::{back_off, key_changes, sorted},
};

/// Rows kept in memory between batches.
const CACHED_ROWS: usize = 10_000;

/// A view over the events of a log, kept as rows of kind [`Projection::NAME`].
///
/// `fact`, `apply` and `keys` are functions of their arguments alone: a rebuild must give the same
/// bytes.
pub trait Projection: Send + Sync + 'static {
    /// Kind of the rows; no aggregate of the service has the same.
    const NAME: &'static str;

    /// One row.
    type Row: prost::Message + Default + Clone + 'static;

    /// What an event says to one row.
    type Fact: Send;

    /// What an event says to all rows: an `Option` where that is one row at most, else a `Vec`.
    type Facts: IntoIterator<Item = (String, Self::Fact)>;

    /// What the event says, and the ids of the rows that it says it to.
    fn facts(event: &RecordedEvent) -> Self::Facts;

    /// Takes what an event says into its row.
    fn apply(row: &mut Self::Row, fact: Self::Fact);

    /// The look-up keys of a row; order and repeats do not matter.
    fn keys(row: &Self::Row) -> Vec<Key>;
}

/// Name of the cursor of a projection.
#[must_use]
pub fn projection_source(name: &str) -> String {
    format!("projection/{name}")
}

/// A row of a projection in memory. Its version is the position of the last event it took in.
#[derive(Clone)]
pub(crate) struct ProjectedRow<P: Projection> {
    pub(crate) row: P::Row,
    pub(crate) version: u64,
}

impl<P: Projection> Default for ProjectedRow<P> {
    fn default() -> Self {
        Self { row: P::Row::default(), version: 0 }
    }
}

impl<P: Projection> ProjectedRow<P> {
    pub(crate) fn take_in(&mut self, fact: P::Fact, position: u64) {
        P::apply(&mut self.row, fact);
        self.version = position;
    }

    /// The keys as a sorted set; a row that took in nothing has none.
    pub(crate) fn keys(&self) -> Vec<Key> {
        if self.version == 0 { Vec::new() } else { sorted(P::keys(&self.row)) }
    }
}

impl Log {
    /// Keeps the rows of a projection up to date, until `shutdown`.
    ///
    /// Failures of the database are retried, with a warning each time.
    ///
    /// It ends as well when the log is closed.
    ///
    /// # Errors
    /// The log holds something that no retry will help.
    pub async fn project<P: Projection>(
        &self,
        shutdown: CancellationToken,
    ) -> Result<(), LogError> {
        shutdown.run_until_cancelled(self.project_on::<P>()).await.unwrap_or(Ok(()))
    }

    async fn project_on<P: Projection>(&self) -> Result<(), LogError> {
        let mut failures = 0;
        loop {
            match self.project_from_cursor::<P>(&mut failures).await {
                Ok(()) => failures = 0,
                Err(LogError::Database(error)) => {
                    failures += 1;
                    tracing::warn!(
                        projection = P::NAME,
                        error = &error as &dyn std::error::Error,
                        "a projection waits for its database"
                    );
                }
                Err(LogError::OutcomeUnknown) => failures += 1,
                Err(LogError::Closed) => return Ok(()),
                Err(error) => return Err(error),
            }
            back_off(7 + failures.min(5)).await;
        }
    }

    /// Returns when another process has moved the cursor.
    async fn project_from_cursor<P: Projection>(&self, failures: &mut u32) -> Result<(), LogError> {
        let source = projection_source(P::NAME);
        let mut at = self.cursor(&source).await?;
        let mut follower = self.follow(at);
        let mut rows: HashMap<String, ProjectedRow<P>> = HashMap::new();
        loop {
            let batch = follower.next_batch().await?;
            let end = follower.position();
            let commit = self.project_batch::<P>(&mut rows, &batch).await?;
            match self.commit(commit.move_cursor(source.as_str(), at, end)).await {
                Ok(_) => {
                    at = end;
                    *failures = 0;
                }
                Err(CommitError::Broken(error)) => return Err(error),
                Err(
                    CommitError::CursorMoved { .. }
                    | CommitError::Conflict { .. }
                    | CommitError::NotParked { .. },
                ) => return Ok(()),
            }
            if rows.len() > CACHED_ROWS {
                rows.clear();
            }
        }
    }

    async fn project_batch<P: Projection>(
        &self,
        rows: &mut HashMap<String, ProjectedRow<P>>,
        batch: &[Arc<RecordedEvent>],
    ) -> Result<Commit, LogError> {
        // in the order of ids: the same batch makes the same commit
        let mut facts: BTreeMap<String, Vec<(P::Fact, u64)>> = BTreeMap::new();
        for event in batch {
            for (id, fact) in P::facts(event) {
                facts.entry(id).or_default().push((fact, event.position));
            }
        }
        let mut commit = Commit::new();
        for (id, facts) in facts {
            let row = match rows.entry(id.clone()) {
                std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::hash_map::Entry::Vacant(free) => {
                    free.insert(self.projected_row::<P>(&id).await?)
                }
            };
            let before = row.keys();
            for (fact, position) in facts {
                row.take_in(fact, position);
            }
            let (keys_removed, keys_added) = key_changes(&before, &row.keys());
            commit = commit.row(RowWrite {
                kind: P::NAME.into(),
                id,
                version: row.version,
                body: row.row.encode_to_vec().into(),
                keys_removed,
                keys_added,
            });
        }
        Ok(commit)
    }

    async fn projected_row<P: Projection>(&self, id: &str) -> Result<ProjectedRow<P>, LogError> {
        let Some(stored) = self.get_row(P::NAME, id).await? else {
            return Ok(ProjectedRow::default());
        };
        let row = P::Row::decode(stored.body)
            .map_err(|_| LogError::Corrupt(format!("row {id} of {}", P::NAME)))?;
        Ok(ProjectedRow { row, version: stored.version })
    }
}
