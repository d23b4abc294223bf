//! The tables, and how an older database becomes a newer one.
//!
//! Invariant: a migration that was released is never changed; the next one is added below it.

use crate::OpenError;

/// Steps from an empty database to the newest: step *n* leads to version *n + 1*.
pub(super) struct Migrations(pub(super) &'static [&'static str]);

impl Migrations {
    /// The steps that a database at this version still needs, each with the version it leads to.
    pub(super) fn missing(
        &self,
        found: i64,
    ) -> Result<impl Iterator<Item = (i64, &'static str)>, OpenError> {
        let known = i64::try_from(self.0.len()).unwrap_or(i64::MAX);
        if found > known {
            return Err(OpenError::NewerSchema { found, known });
        }
        let done = usize::try_from(found).unwrap_or(0);
        Ok((1..).zip(self.0.iter().copied()).skip(done))
    }
}

/// Aggregates and rows are numbered in the order in which they are first written, and everything but
/// `ids` goes by these numbers: what is new goes to the end of every table and index. Only the index
/// of `ids` takes in names, which may come in any order, as those made of a digest do (ADR 0009).
///
/// Events are clustered by position, because followers read them in that order; keys by what they are
/// looked up with. Rows are a plain table: in a clustered one a body of a kilobyte spills into a page
/// of its own. `horizon` holds the latest time that the log has told anybody ([`crate::Horizon`]).
pub(super) const SQLITE: Migrations = Migrations(&[
    "\
CREATE TABLE ids (
  number INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  UNIQUE (kind, id)
) STRICT;
CREATE TABLE events (
  position INTEGER PRIMARY KEY,
  number INTEGER NOT NULL,
  version INTEGER NOT NULL,
  type TEXT NOT NULL,
  body BLOB NOT NULL,
  metadata BLOB NOT NULL,
  recorded_at INTEGER NOT NULL,
  UNIQUE (number, version)
) STRICT;
CREATE TABLE rows (
  number INTEGER PRIMARY KEY,
  version INTEGER NOT NULL,
  body BLOB NOT NULL
) STRICT;
CREATE TABLE row_keys (
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (kind, key, value, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE cursors (
  source TEXT PRIMARY KEY,
  position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE parked (
  source TEXT NOT NULL,
  position INTEGER NOT NULL,
  reason TEXT NOT NULL,
  body BLOB NOT NULL,
  parked_at INTEGER NOT NULL,
  PRIMARY KEY (source, position)
) STRICT;
CREATE TABLE person_keys (
  person TEXT PRIMARY KEY,
  key BLOB,
  created_at INTEGER NOT NULL,
  erased_at INTEGER
) STRICT, WITHOUT ROWID;
",
    "\
CREATE TABLE horizon (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  at INTEGER NOT NULL
) STRICT;
",
]);

/// `COLLATE \"C\"`: listings go by bytes, as on SQLite, and not by a locale that may change.
pub(super) const POSTGRES: Migrations = Migrations(&[
    "\
CREATE TABLE ids (
  number BIGINT PRIMARY KEY,
  kind TEXT COLLATE \"C\" NOT NULL,
  id TEXT COLLATE \"C\" NOT NULL,
  CONSTRAINT ids_kind_id UNIQUE (kind, id)
);
CREATE TABLE events (
  position BIGINT PRIMARY KEY,
  number BIGINT NOT NULL,
  version BIGINT NOT NULL,
  type TEXT COLLATE \"C\" NOT NULL,
  body BYTEA NOT NULL,
  metadata BYTEA NOT NULL,
  recorded_at BIGINT NOT NULL,
  CONSTRAINT events_number_version UNIQUE (number, version)
);
CREATE TABLE rows (
  number BIGINT NOT NULL,
  version BIGINT NOT NULL,
  body BYTEA NOT NULL,
  CONSTRAINT rows_pkey PRIMARY KEY (number)
) WITH (fillfactor = 80);
CREATE TABLE row_keys (
  kind TEXT COLLATE \"C\" NOT NULL,
  key TEXT COLLATE \"C\" NOT NULL,
  value TEXT COLLATE \"C\" NOT NULL,
  number BIGINT NOT NULL,
  CONSTRAINT row_keys_pkey PRIMARY KEY (kind, key, value, number)
);
CREATE TABLE cursors (
  source TEXT COLLATE \"C\" PRIMARY KEY,
  position BIGINT NOT NULL
);
CREATE TABLE parked (
  source TEXT COLLATE \"C\" NOT NULL,
  position BIGINT NOT NULL,
  reason TEXT NOT NULL,
  body BYTEA NOT NULL,
  parked_at BIGINT NOT NULL,
  PRIMARY KEY (source, position)
);
CREATE TABLE person_keys (
  person TEXT COLLATE \"C\" PRIMARY KEY,
  key BYTEA,
  created_at BIGINT NOT NULL,
  erased_at BIGINT
);
",
    "\
CREATE TABLE horizon (
  one BIGINT PRIMARY KEY CHECK (one = 1),
  at BIGINT NOT NULL
);
",
]);
