//! Walks over whole tables.

use contracts::common::RecordedEvent;
use sqlx::{ConnectOptions as _, Row as _, SqliteConnection};

use super::{Database, event, int, uint};
use crate::{
    LogError, StoredRow,
    engine::{
        read,
        scan::{self, NumberedRow, Range, StoredKey},
    },
};

/// A connection that walks.
pub(crate) struct Scan {
    connection: SqliteConnection,
}

scan::scans!(Scan);

/// See [`crate::engine::Packed`] for the form.
const PACKED: &str = "\
SELECT CAST(group_concat(packed, '') AS BLOB) FROM (
  SELECT unhex(printf('%016x%016x%08x%08x%08x%08x', e.number, e.version,
                      octet_length(i.kind) + octet_length(i.id) + 1, octet_length(e.type),
                      octet_length(e.body), octet_length(e.metadata)))
         || CAST(i.kind || '.' || i.id AS BLOB) || CAST(e.type AS BLOB) || e.body || e.metadata
         AS packed
  FROM events e JOIN ids i ON i.number = e.number
  WHERE (e.number, e.version) > ($1, $2) AND e.position <= $3
  ORDER BY e.number, e.version LIMIT $4)";

impl Database {
    pub(in crate::engine) async fn scan(&self) -> Result<Scan, LogError> {
        let options =
            self.options.clone().pragma("query_only", "ON").pragma("mmap_size", "268435456");
        Ok(Scan { connection: options.connect().await? })
    }
}

impl Scan {
    pub(in crate::engine) async fn freeze(&mut self) -> Result<(), LogError> {
        sqlx::query("BEGIN").execute(&mut self.connection).await?;
        // SQLite takes its picture with the first read
        self.last_position().await?;
        Ok(())
    }
}
