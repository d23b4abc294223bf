//! Walks over whole tables, for rebuild and verify: one connection, page after page.

use contracts::common::RecordedEvent;

use super::{Engine, postgres, sqlite};
use crate::{LogError, StoredRow};

/// A connection that reads from the beginning to the end.
pub(crate) enum Scan {
    Sqlite(sqlite::Scan),
    Postgres(postgres::Scan),
}

macro_rules! either_scan {
    ($scan:expr, $inner:ident => $call:expr) => {
        match $scan {
            Scan::Sqlite($inner) => $call,
            Scan::Postgres($inner) => $call,
        }
    };
}

/// A place in the streams, and how far to go.
#[derive(Debug, Clone)]
pub(crate) struct Range {
    /// After this version of the stream with this number.
    pub(crate) after: (u64, u64),
    /// Positions up to this one.
    pub(crate) to: u64,
}

/// A stored row and what tells it apart.
pub(crate) struct NumberedRow {
    pub(crate) number: u64,
    pub(crate) kind: String,
    pub(crate) row: StoredRow,
}

/// A stored look-up key.
#[derive(Default)]
pub(crate) struct StoredKey {
    pub(crate) kind: String,
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) number: u64,
    /// Id of the row it leads to.
    pub(crate) id: String,
}

impl Engine {
    /// A connection for walking.
    pub(crate) async fn scan(&self) -> Result<Scan, LogError> {
        Ok(match self {
            Self::Sqlite(database) => Scan::Sqlite(database.scan().await?),
            Self::Postgres(database) => Scan::Postgres(database.scan().await?),
        })
    }
}

impl Scan {
    /// From now on everything is seen as it is at this moment.
    pub(crate) async fn freeze(&mut self) -> Result<(), LogError> {
        either_scan!(self, scan => scan.freeze().await)
    }

    pub(crate) async fn last_position(&mut self) -> Result<u64, LogError> {
        either_scan!(self, scan => scan.last_position().await)
    }

    /// Up to `limit` events by number and version, packed.
    pub(crate) async fn packed(
        &mut self,
        range: &Range,
        limit: usize,
    ) -> Result<Vec<u8>, LogError> {
        either_scan!(self, scan => scan.packed(range, limit).await)
    }

    /// Up to `limit` events by position.
    pub(crate) async fn events(
        &mut self,
        after: u64,
        to: u64,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, LogError> {
        either_scan!(self, scan => scan.events(after, to, limit).await)
    }

    /// Streams that have events at positions after `from`, up to `to`, with their numbers.
    pub(crate) async fn touched(
        &mut self,
        from: u64,
        to: u64,
    ) -> Result<Vec<(u64, String)>, LogError> {
        either_scan!(self, scan => scan.touched(from, to).await)
    }

    pub(crate) async fn cursor(&mut self, source: &str) -> Result<u64, LogError> {
        either_scan!(self, scan => scan.cursor(source).await)
    }

    /// All rows by number.
    pub(crate) async fn rows(
        &mut self,
        after: u64,
        limit: usize,
    ) -> Result<Vec<NumberedRow>, LogError> {
        either_scan!(self, scan => scan.rows(after, limit).await)
    }

    /// All look-up keys after this one: by kind, key, value and number.
    pub(crate) async fn keys(
        &mut self,
        after: &StoredKey,
        limit: usize,
    ) -> Result<Vec<StoredKey>, LogError> {
        either_scan!(self, scan => scan.keys(after, limit).await)
    }
}

pub(super) const EVENTS: &str = "\
    SELECT e.position, i.kind || '.' || i.id, e.version, e.type, e.body, e.metadata, e.recorded_at \
    FROM events e JOIN ids i ON i.number = e.number \
    WHERE e.position > $1 AND e.position <= $2 ORDER BY e.position LIMIT $3";

pub(super) const TOUCHED: &str = "\
    SELECT i.number, i.kind || '.' || i.id \
    FROM (SELECT DISTINCT number FROM events WHERE position > $1 AND position <= $2) e \
    JOIN ids i ON i.number = e.number ORDER BY i.number";

/// What has a number that stands for nothing shows as something of no kind.
pub(super) const ROWS: &str = "\
    SELECT r.number, coalesce(i.kind, ''), coalesce(i.id, ''), r.version, r.body \
    FROM rows r LEFT JOIN ids i ON i.number = r.number \
    WHERE r.number > $1 ORDER BY r.number LIMIT $2";

pub(super) const KEYS: &str = "\
    SELECT k.kind, k.key, k.value, k.number, coalesce(i.id, '') \
    FROM row_keys k LEFT JOIN ids i ON i.number = k.number \
    WHERE (k.kind, k.key, k.value, k.number) > ($1, $2, $3, $4) \
    ORDER BY k.kind, k.key, k.value, k.number LIMIT $5";

/// The methods of a `Scan` that has a `connection`; the texts are the same on both databases.
macro_rules! scans {
    ($scan:ty) => {
        impl $scan {
            pub(crate) async fn last_position(&mut self) -> Result<u64, LogError> {
                let last: i64 =
                    sqlx::query_scalar(read::LAST_POSITION).fetch_one(&mut self.connection).await?;
                Ok(uint(last))
            }

            pub(crate) async fn packed(
                &mut self,
                range: &Range,
                limit: usize,
            ) -> Result<Vec<u8>, LogError> {
                let page: Option<Vec<u8>> = sqlx::query_scalar(PACKED)
                    .bind(int(range.after.0))
                    .bind(int(range.after.1))
                    .bind(int(range.to))
                    .bind(int(limit as u64))
                    .fetch_one(&mut self.connection)
                    .await?;
                Ok(page.unwrap_or_default())
            }

            pub(crate) async fn events(
                &mut self,
                after: u64,
                to: u64,
                limit: usize,
            ) -> Result<Vec<RecordedEvent>, LogError> {
                let rows = sqlx::query(scan::EVENTS)
                    .bind(int(after))
                    .bind(int(to))
                    .bind(int(limit as u64))
                    .fetch_all(&mut self.connection)
                    .await?;
                rows.iter().map(event).collect()
            }

            pub(crate) async fn touched(
                &mut self,
                from: u64,
                to: u64,
            ) -> Result<Vec<(u64, String)>, LogError> {
                let rows = sqlx::query(scan::TOUCHED)
                    .bind(int(from))
                    .bind(int(to))
                    .fetch_all(&mut self.connection)
                    .await?;
                rows.iter().map(|row| Ok((uint(row.try_get(0)?), row.try_get(1)?))).collect()
            }

            pub(crate) async fn cursor(&mut self, source: &str) -> Result<u64, LogError> {
                let position: Option<i64> = sqlx::query_scalar(read::CURSOR)
                    .bind(source)
                    .fetch_optional(&mut self.connection)
                    .await?;
                Ok(position.map_or(0, uint))
            }

            pub(crate) async fn rows(
                &mut self,
                after: u64,
                limit: usize,
            ) -> Result<Vec<NumberedRow>, LogError> {
                let rows = sqlx::query(scan::ROWS)
                    .bind(int(after))
                    .bind(int(limit as u64))
                    .fetch_all(&mut self.connection)
                    .await?;
                rows.iter()
                    .map(|row| {
                        Ok(NumberedRow {
                            number: uint(row.try_get(0)?),
                            kind: row.try_get(1)?,
                            row: StoredRow {
                                id: row.try_get(2)?,
                                version: uint(row.try_get(3)?),
                                body: row.try_get::<Vec<u8>, _>(4)?.into(),
                            },
                        })
                    })
                    .collect()
            }

            pub(crate) async fn keys(
                &mut self,
                after: &StoredKey,
                limit: usize,
            ) -> Result<Vec<StoredKey>, LogError> {
                let rows = sqlx::query(scan::KEYS)
                    .bind(after.kind.as_str())
                    .bind(after.key.as_str())
                    .bind(after.value.as_str())
                    .bind(int(after.number))
                    .bind(int(limit as u64))
                    .fetch_all(&mut self.connection)
                    .await?;
                rows.iter()
                    .map(|row| {
                        Ok(StoredKey {
                            kind: row.try_get(0)?,
                            key: row.try_get(1)?,
                            value: row.try_get(2)?,
                            number: uint(row.try_get(3)?),
                            id: row.try_get(4)?,
                        })
                    })
                    .collect()
            }
        }
    };
}

pub(super) use scans;
