//! What can go wrong with a log. A refusal by the domain is none of these.

use std::sync::Arc;

use contracts::EventError;

/// The log cannot be opened; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is neither `sqlite://path` nor `postgres://…`.
    #[error("the log's URL must begin with sqlite:// or postgres://, and name a file or a server")]
    Url,
    /// The URL cannot be read by the driver.
    #[error("the log's URL cannot be understood")]
    UrlDetails(#[source] sqlx::Error),
    /// A log in memory would lose acknowledged commands.
    #[error("a log in memory is not durable: name a file")]
    InMemory,
    /// The name is not usable as a schema name.
    #[error("a log's name is 1 to 48 of a-z, 0-9, '-' and '_', beginning with a letter; got {0:?}")]
    Name(String),
    /// A setting is out of range.
    #[error("setting {setting} of the log is out of range: {why}")]
    Setting {
        /// The field of [`crate::LogOptions`].
        setting: &'static str,
        /// What is asked of it.
        why: &'static str,
    },
    /// Another, newer release has written this database.
    #[error(
        "the database has schema version {found}, this release knows up to {known}: \
         run the newer release, or restore a backup made before the upgrade"
    )]
    NewerSchema {
        /// Version in the database.
        found: i64,
        /// Newest version this release knows.
        known: i64,
    },
    /// The database does not answer, or refuses.
    #[error("the log's database cannot be opened")]
    Database(#[from] sqlx::Error),
    /// What is in the database cannot be read.
    #[error("the log cannot be read")]
    Log(#[from] LogError),
}

/// The log is broken, or asked for something it cannot hold.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LogError {
    /// The database failed; what was asked for did not happen.
    #[error("the log's database failed")]
    Database(#[source] Arc<sqlx::Error>),
    /// The connection broke while a commit was on its way: it may or may not have happened.
    #[error("whether the commit happened is not known")]
    OutcomeUnknown,
    /// The log was closed, or its writer has stopped.
    #[error("the log is closed")]
    Closed,
    /// A stored event cannot be read by this release.
    #[error("event {version} of stream {stream} cannot be read")]
    Damaged {
        /// Its stream.
        stream: String,
        /// Its version.
        version: u64,
        /// Why.
        #[source]
        source: Arc<EventError>,
    },
    /// A stored row or its metadata is no longer what was written.
    #[error("the database holds a damaged record: {0}")]
    Corrupt(String),
    /// A position or version is missing: the log has been tampered with.
    #[error("{what} has a gap: expected {expected}, found {found}")]
    Gap {
        /// Which series.
        what: String,
        /// The next number of the series.
        expected: u64,
        /// The number found in its place.
        found: u64,
    },
    /// Something is larger than the log takes.
    #[error("{what} has {size} bytes, the limit is {limit}")]
    TooLarge {
        /// What is too large.
        what: String,
        /// Its size in bytes.
        size: usize,
        /// The most that is taken, in bytes.
        limit: usize,
    },
    /// A name or key cannot be stored.
    #[error("{what} {why}")]
    Invalid {
        /// What is wrong.
        what: String,
        /// Why.
        why: &'static str,
    },
    /// The page token was not made by this listing.
    #[error("the page token does not belong to this listing")]
    PageToken,
}

impl From<sqlx::Error> for LogError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(Arc::new(error))
    }
}

impl LogError {
    /// The caller asked for something that will never work, whatever the state of the database.
    #[must_use]
    pub fn is_malformed(&self) -> bool {
        matches!(self, Self::TooLarge { .. } | Self::Invalid { .. } | Self::PageToken)
    }
}

/// Why a command did not happen.
#[derive(Debug, thiserror::Error)]
pub enum TransactError<R> {
    /// The domain says no.
    #[error("the command was refused")]
    Refused(R),
    /// Others changed the aggregate each time before this command could; try again later.
    #[error("the aggregate is changing too fast")]
    Conflict,
    /// The log failed.
    #[error("the log failed")]
    Broken(#[from] LogError),
}

impl<R> TransactError<R> {
    /// The same error with the refusal turned into another type.
    pub fn map_refused<S>(self, map: impl FnOnce(R) -> S) -> TransactError<S> {
        match self {
            Self::Refused(refusal) => TransactError::Refused(map(refusal)),
            Self::Conflict => TransactError::Conflict,
            Self::Broken(error) => TransactError::Broken(error),
        }
    }
}

/// Why a commit did not happen. All of it did not happen, unless the outcome is unknown.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CommitError {
    /// A stream is not at the expected version, or what this commit builds on fell.
    #[error("a stream has moved on: {stream}")]
    Conflict {
        /// The stream.
        stream: String,
    },
    /// A cursor is not where the commit expects it: another process has moved it.
    #[error("cursor {source_name} is at {actual}, expected {expected}")]
    CursorMoved {
        /// The cursor's source.
        source_name: String,
        /// Where the commit expects it.
        expected: u64,
        /// Where it is.
        actual: u64,
    },
    /// The parked entry to take away is no longer there.
    #[error("nothing is parked for {source_name} at {position}")]
    NotParked {
        /// Source of the entry.
        source_name: String,
        /// Position of the entry.
        position: u64,
    },
    /// The log failed.
    #[error("the log failed")]
    Broken(#[from] LogError),
}
