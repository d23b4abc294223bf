//! What one all-or-nothing write holds.

use std::borrow::Cow;

use bytes::Bytes;
use contracts::common::{EventMetadata, RecordedEvent};
use jiff::Timestamp;

use crate::aggregate::Key;

/// One event to record. The log gives it its version, its position and its time.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// Full protobuf name.
    pub type_name: Cow<'static, str>,
    /// The serialized event.
    pub body: Bytes,
    /// Who and why.
    pub metadata: EventMetadata,
}

/// Events to add to one stream. With no events it only demands the version.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Append {
    pub(crate) stream: String,
    pub(crate) expected: u64,
    pub(crate) events: Vec<NewEvent>,
    /// The stream was found at `expected` when the log had reached this position, or later: if it
    /// was not there, the writer, which knows what it has written since, need not look for it.
    pub(crate) as_of: Option<u64>,
}

/// A row to store in the place of the one before, and what that changes in the look-up keys.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RowWrite {
    /// Kind of the row: an aggregate's `KIND`, or a projection's `NAME`.
    pub kind: Cow<'static, str>,
    /// Id within the kind.
    pub id: String,
    /// Version of the row.
    pub version: u64,
    /// The serialized row.
    pub body: Bytes,
    /// Keys that the row no longer has.
    pub keys_removed: Vec<Key>,
    /// Keys that the row has from now on.
    pub keys_added: Vec<Key>,
}

/// A cursor to move, if it is still where it is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CursorMove {
    pub(crate) source: String,
    pub(crate) from: u64,
    pub(crate) to: u64,
}

/// An event that no retry will help, kept for a person to look at.
#[derive(Debug, Clone, PartialEq)]
pub struct Parked {
    /// Who could not take it: the cursor's source.
    pub source: String,
    /// Its position in the log it came from.
    pub position: u64,
    /// Why.
    pub reason: String,
    /// The event itself.
    pub event: RecordedEvent,
    /// When it was parked: stamped by the log, like `recorded_at`.
    pub parked_at: Timestamp,
}

/// An entry to park; the log stamps the time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ParkedWrite {
    pub(crate) source: String,
    pub(crate) position: u64,
    pub(crate) reason: String,
    pub(crate) event: RecordedEvent,
}

/// What happens to a person's key.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum PersonKeyWrite {
    /// Store this key, unless the person has one, or had one that was erased.
    Create { person: String, key: Vec<u8> },
    /// Forget the key for ever.
    Erase { person: String },
}

impl std::fmt::Debug for PersonKeyWrite {
    /// Without the key: it must not reach a log file.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Create { person, .. } => write!(f, "Create({person})"),
            Self::Erase { person } => write!(f, "Erase({person})"),
        }
    }
}

/// Everything that is to happen at once, or not at all.
#[derive(Debug, Clone, PartialEq, Default)]
#[must_use = "a commit does nothing until it is given to `Log::commit`"]
pub struct Commit {
    pub(crate) appends: Vec<Append>,
    pub(crate) rows: Vec<RowWrite>,
    pub(crate) cursors: Vec<CursorMove>,
    pub(crate) parked: Vec<ParkedWrite>,
    pub(crate) unparked: Vec<(String, u64)>,
    pub(crate) person_keys: Vec<PersonKeyWrite>,
}

impl Commit {
    /// An empty commit.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds events to a stream that must be at version `expected` (0: must not exist). With no
    /// events it demands the version and adds nothing.
    pub fn append(
        mut self,
        stream: impl Into<String>,
        expected: u64,
        events: Vec<NewEvent>,
    ) -> Self {
        self.appends.push(Append { stream: stream.into(), expected, events, as_of: None });
        self
    }

    /// Stores a row.
    pub fn row(mut self, row: RowWrite) -> Self {
        self.rows.push(row);
        self
    }

    /// Moves a cursor that must be at `from` (0: must not exist, or stand at 0).
    pub fn move_cursor(mut self, source: impl Into<String>, from: u64, to: u64) -> Self {
        self.cursors.push(CursorMove { source: source.into(), from, to });
        self
    }

    /// Parks an event of `source` with the reason; one that is parked already gets the new reason.
    pub fn park(
        mut self,
        source: impl Into<String>,
        event: RecordedEvent,
        reason: impl Into<String>,
    ) -> Self {
        self.parked.push(ParkedWrite {
            source: source.into(),
            position: event.position,
            reason: reason.into(),
            event,
        });
        self
    }

    /// Takes away a parked entry, which must still be there.
    pub fn unpark(mut self, source: impl Into<String>, position: u64) -> Self {
        self.unparked.push((source.into(), position));
        self
    }
}

/// A commit that happened; it is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// Position of its last event; `None` when it recorded none.
    pub position: Option<u64>,
    /// Last position of the log right after it, at least.
    pub last_position: u64,
    /// The time of the log, in microseconds: `recorded_at` of its events.
    pub(crate) at: i64,
}

/// How far a log is, and until when that is certain.
///
/// Every event of the log that was recorded before `at` has a position of at most `position`, and
/// every event after `position` is recorded at `at` or later. This holds for ever: whatever the
/// clock does, whoever writes to the log, and over every restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Horizon {
    /// Position of the last event, 0 when there is none.
    pub position: u64,
    /// The log's time, in whole microseconds as `recorded_at` is.
    pub at: Timestamp,
}
