//! Walks over whole tables.

use contracts::common::RecordedEvent;
use sqlx::{PgConnection, Row as _};

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
    connection: PgConnection,
}

scan::scans!(Scan);

/// See [`crate::engine::Packed`] for the form.
const PACKED: &str = "\
SELECT string_agg(packed, ''::bytea ORDER BY number, version) FROM (
  SELECT e.number, e.version,
         int8send(e.number) || int8send(e.version)
         || int4send(octet_length(i.kind) + octet_length(i.id) + 1)
         || int4send(octet_length(e.type)) || int4send(octet_length(e.body))
         || int4send(octet_length(e.metadata))
         || convert_to(i.kind || '.' || i.id, 'UTF8') || convert_to(e.type, 'UTF8')
         || e.body || e.metadata AS packed
  FROM events e JOIN ids i ON i.number = e.number
  WHERE (e.number, e.version) > ($1, $2) AND e.position <= $3
  ORDER BY e.number, e.version LIMIT $4) page";

impl Database {
    pub(in crate::engine) async fn scan(&self) -> Result<Scan, LogError> {
        Ok(Scan { connection: self.connect().await? })
    }
}

impl Scan {
    pub(in crate::engine) async fn freeze(&mut self) -> Result<(), LogError> {
        sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            .execute(&mut self.connection)
            .await?;
        self.last_position().await?;
        Ok(())
    }
}
