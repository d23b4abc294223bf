//! What a verification has found.

/// Differences listed in full; after so many only their number is told.
const LISTED: usize = 1_000;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Last position of the log when it was read.
    pub position: u64,
    /// Events read.
    pub events: u64,
    /// Rows compared.
    pub rows: u64,
    /// Look-up keys compared.
    pub keys: u64,
    /// What is not as it should be, at most 1,000 of them.
    pub differences: Vec<Difference>,
    /// Number of all differences.
    pub differs: u64,
}

impl Report {
    /// Nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.differs == 0
    }

    pub(super) fn add(&mut self, difference: Difference) {
        self.differs += 1;
        if self.differences.len() < LISTED {
            self.differences.push(difference);
        }
    }
}

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// Positions are missing.
    #[error("position {expected} is missing, {found} comes next")]
    Position {
        /// The next position.
        expected: u64,
        /// The one in its place.
        found: u64,
    },
    /// The time of an event lies before that of the event before.
    #[error("the time of position {position} goes back")]
    Time {
        /// Position of the event.
        position: u64,
    },
    /// A stream misses a version.
    #[error("stream {stream} misses version {expected}, {found} comes next")]
    Version {
        /// The stream.
        stream: String,
        /// The next version.
        expected: u64,
        /// The one in its place.
        found: u64,
    },
    /// Events of a kind that is not listed.
    #[error("{events} events of kind {kind}, which this service does not know")]
    UnknownKind {
        /// First part of the streams' names.
        kind: String,
        /// How many.
        events: u64,
    },
    /// A stream cannot be folded.
    #[error("kind {kind} cannot be folded: {why}")]
    Unreadable {
        /// Kind of the stream.
        kind: String,
        /// The error and its causes.
        why: String,
    },
    /// An aggregate or a projection has no row.
    #[error("row {id} of {kind} is missing")]
    RowMissing {
        /// Kind of the row.
        kind: String,
        /// Its id.
        id: String,
    },
    /// A row that nothing in the log leads to.
    #[error("row {id} of {kind} has no events")]
    RowExtra {
        /// Kind of the row.
        kind: String,
        /// Its id.
        id: String,
    },
    /// A row is not what the log leads to.
    #[error("row {id} of {kind} differs from its events")]
    RowDiffers {
        /// Kind of the row.
        kind: String,
        /// Its id.
        id: String,
    },
    /// A row lacks a look-up key.
    #[error("row {id} of {kind} lacks key {key} = {value:?}")]
    KeyMissing {
        /// Kind of the row.
        kind: String,
        /// Its id.
        id: String,
        /// Name of the key.
        key: String,
        /// Its value.
        value: String,
    },
    /// A look-up key that no row has.
    #[error("key {key} = {value:?} leads to row {id} of {kind}, which does not have it")]
    KeyExtra {
        /// Kind of the row.
        kind: String,
        /// Its id.
        id: String,
        /// Name of the key.
        key: String,
        /// Its value.
        value: String,
    },
}
