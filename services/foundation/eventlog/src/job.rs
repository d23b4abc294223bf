//! A commit on its way to the writer: checked, prepared, waiting for its verdict.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use contracts::common::RecordedEvent;
use prost::Message as _;
use tokio::sync::oneshot;

use crate::{
    Commit, CommitError, Committed, LogError,
    aggregate::{kind_and_id, stream_name},
    commit::{CursorMove, ParkedWrite, PersonKeyWrite, RowWrite},
};

/// Tells how a commit ended; its end without a word means that the writer has stopped.
pub(crate) type Ack = oneshot::Receiver<Result<Committed, CommitError>>;

/// Commits that are built on each other before they are on disk. Once one falls, all fall.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lineage(Arc<AtomicBool>);

impl Lineage {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn fall(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub(crate) fn has_fallen(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// What a commit may hold.
pub(crate) struct Limits {
    pub(crate) max_event_bytes: usize,
}

impl Limits {
    /// Finds out before the writer what no database would take.
    pub(crate) fn check(&self, commit: &Commit) -> Result<(), LogError> {
        let size = |what: &dyn Fn() -> String, size: usize, limit: usize| {
            if size <= limit {
                Ok(())
            } else {
                Err(LogError::TooLarge { what: what(), size, limit })
            }
        };
        let text = |what: &dyn Fn() -> String, text: &str, limit: usize| {
            if text.contains('\0') {
                return Err(LogError::Invalid { what: what(), why: "contains NUL" });
            }
            size(what, text.len(), limit)
        };
        for append in &commit.appends {
            text(&|| "the name of a stream".to_owned(), &append.stream, 512)?;
            if !append.stream.contains('.') {
                let what = format!("stream {}", append.stream);
                return Err(LogError::Invalid {
                    what,
                    why: "has no kind: it is named <kind>.<id>",
                });
            }
            for event in &append.events {
                let what = || format!("event {} of {}", event.type_name, append.stream);
                size(&what, event.body.len(), self.max_event_bytes)?;
                text(&what, &event.type_name, 512)?;
            }
        }
        for row in &commit.rows {
            let name = || format!("the id of a {}", row.kind);
            text(&name, &row.kind, 128)?;
            if row.kind.contains('.') {
                return Err(LogError::Invalid { what: name(), why: "has a dot in its kind" });
            }
            text(&name, &row.id, 512)?;
            // PostgreSQL cannot index more than about 2,700 bytes
            for key in row.keys_added.iter().chain(&row.keys_removed) {
                text(&|| format!("key {} of {} {}", key.key, row.kind, row.id), &key.value, 1_024)?;
            }
        }
        let sources = commit.cursors.iter().map(|cursor| &cursor.source);
        for source in sources.chain(commit.parked.iter().map(|parked| &parked.source)) {
            text(&|| "the name of a cursor".to_owned(), source, 512)?;
        }
        for parked in &commit.parked {
            text(&|| "the reason for parking".to_owned(), &parked.reason, 64 << 10)?;
        }
        for person in &commit.person_keys {
            let (PersonKeyWrite::Create { person, .. } | PersonKeyWrite::Erase { person }) = person;
            text(&|| "the name of a person".to_owned(), person, 512)?;
        }
        Ok(())
    }
}

/// An event on its way in; the writer fills in position and time.
pub(crate) struct Incoming {
    pub(crate) event: RecordedEvent,
    pub(crate) metadata: Vec<u8>,
}

pub(crate) struct JobAppend {
    pub(crate) stream: String,
    /// The stream's number; the writer fills it in.
    pub(crate) number: u64,
    pub(crate) expected: u64,
    pub(crate) events: Vec<Incoming>,
    pub(crate) as_of: Option<u64>,
}

pub(crate) struct JobRow {
    pub(crate) write: RowWrite,
    /// The row's number; the writer fills it in.
    pub(crate) number: u64,
}

impl JobRow {
    /// Kind and id as one text, like the name of a stream.
    pub(crate) fn name(&self) -> String {
        stream_name(&self.write.kind, &self.write.id)
    }

    /// Whether it is the row of the stream's aggregate.
    pub(crate) fn is_of(&self, stream: &str) -> bool {
        let (kind, id) = kind_and_id(stream);
        self.write.id == id && self.write.kind == kind
    }
}

/// A commit in the writer's queue.
pub(crate) struct Job {
    pub(crate) appends: Vec<JobAppend>,
    pub(crate) rows: Vec<JobRow>,
    pub(crate) cursors: Vec<CursorMove>,
    pub(crate) parked: Vec<ParkedWrite>,
    pub(crate) unparked: Vec<(String, u64)>,
    pub(crate) person_keys: Vec<PersonKeyWrite>,
    pub(crate) lineages: Vec<Lineage>,
    /// Wants the log's time to bind whatever is recorded later.
    pub(crate) is_horizon: bool,
    /// Decided; `None` while it waits to be.
    pub(crate) verdict: Option<Result<Committed, CommitError>>,
    pub(crate) reply: Option<oneshot::Sender<Result<Committed, CommitError>>>,
    pub(crate) is_stop: bool,
}

impl Job {
    /// Rows that come without events of theirs: those of projections.
    pub(crate) fn rows_alone(&self) -> impl Iterator<Item = &JobRow> {
        let alone = |row: &&JobRow| {
            !self
                .appends
                .iter()
                .any(|append| !append.events.is_empty() && row.is_of(&append.stream))
        };
        self.rows.iter().filter(alone)
    }

    /// Everything that can be computed without the lock is computed here, by the caller.
    pub(crate) fn new(commit: Commit, lineages: Vec<Lineage>) -> (Self, Ack) {
        let (reply, ack) = oneshot::channel();
        let appends = commit.appends.into_iter().map(|append| {
            let events =
                (append.expected + 1..).zip(append.events).map(|(version, new)| Incoming {
                    metadata: new.metadata.encode_to_vec(),
                    event: RecordedEvent {
                        position: 0,
                        stream: append.stream.clone(),
                        version,
                        r#type: new.type_name.into_owned(),
                        body: new.body,
                        metadata: Some(new.metadata),
                        recorded_at: None,
                    },
                });
            let events = events.collect();
            JobAppend {
                stream: append.stream,
                number: 0,
                expected: append.expected,
                events,
                as_of: append.as_of,
            }
        });
        let job = Self {
            appends: appends.collect(),
            rows: commit.rows.into_iter().map(|write| JobRow { write, number: 0 }).collect(),
            cursors: commit.cursors,
            parked: commit.parked,
            unparked: commit.unparked,
            person_keys: commit.person_keys,
            lineages,
            is_horizon: false,
            verdict: None,
            reply: Some(reply),
            is_stop: false,
        };
        (job, ack)
    }

    /// Writes nothing of its own, but passes through the writer like everything else.
    pub(crate) fn horizon() -> (Self, Ack) {
        let (mut job, ack) = Self::new(Commit::new(), Vec::new());
        job.is_horizon = true;
        (job, ack)
    }

    /// The last job of a log.
    pub(crate) fn stop() -> (Self, Ack) {
        let (mut job, ack) = Self::new(Commit::new(), Vec::new());
        job.is_stop = true;
        (job, ack)
    }

    /// Ends the job; what was built on it ends with it.
    pub(crate) fn fail(&mut self, error: impl Into<CommitError>) {
        self.lineages.iter().for_each(Lineage::fall);
        self.verdict = Some(Err(error.into()));
    }

    /// Tells the caller.
    pub(crate) fn answer(&mut self) {
        let verdict = self.verdict.take().unwrap_or(Err(LogError::Closed.into()));
        if let Some(reply) = self.reply.take() {
            // nobody there: the caller went away, the commit stands all the same
            let _ = reply.send(verdict);
        }
    }
}

impl Drop for Job {
    /// A job that is dropped unanswered did not happen, as far as this process knows.
    fn drop(&mut self) {
        if self.reply.is_some() {
            self.lineages.iter().for_each(Lineage::fall);
        }
    }
}
