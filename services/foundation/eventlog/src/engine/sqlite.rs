//! SQLite: one file, one writer at a time, any number of readers.
//!
//! WAL with `synchronous=FULL`: a commit is on disk when it returns, and readers see the state
//! before it until then. The lock of the log is SQLite's own writer lock (`BEGIN IMMEDIATE`), so it
//! also holds between processes.

mod fresh;
mod scan;
mod writer;

use std::str::FromStr;
use std::sync::Arc;

use contracts::common::{EventMetadata, RecordedEvent};
use prost::Message as _;
use sqlx::{
    ConnectOptions as _, Connection as _, Row as _, SqlitePool,
    sqlite::{
        SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
    },
};

use super::{PersonKey, int, read, schema, uint};
use crate::{
    Listing, LogError, LogOptions, OpenError, Order, Parked, StoredRow,
    aggregate::kind_and_id as names, listing::Place, time::micros_to_proto, writer::Failure,
};

pub(crate) use fresh::Fresh;
pub(crate) use scan::Scan;
pub(crate) use writer::Writer;

/// SQLite's default, said aloud because limits are counted in it.
const PAGE_BYTES: u32 = 4_096;

/// An open SQLite file.
#[derive(Clone)]
pub(crate) struct Database {
    pub(super) readers: SqlitePool,
    options: SqliteConnectOptions,
}

read::reads!(Database, SqliteRow);

impl Database {
    pub(super) async fn open(options: &LogOptions) -> Result<Self, OpenError> {
        if options.url.contains(":memory:") || options.url.contains("mode=memory") {
            return Err(OpenError::InMemory);
        }
        let connect = SqliteConnectOptions::from_str(&options.url)
            .map_err(OpenError::UrlDetails)?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(options.busy_timeout)
            // When a commit has split a page, SQLite walks through all of its cache: a larger one
            // makes commits slower than it makes look-ups faster.
            .pragma("cache_size", "-16384")
            .pragma("journal_size_limit", "134217728")
            // 128 MiB: the longer it grows, the more writes of one page become one write to its place
            .pragma("wal_autocheckpoint", "32000")
            // a statement with several rows keeps a journal of its own: not in a file
            .pragma("temp_store", "MEMORY")
            .page_size(PAGE_BYTES)
            .statement_cache_capacity(128)
            .disable_statement_logging();
        if let Some(folder) = connect.get_filename().parent() {
            std::fs::create_dir_all(folder).map_err(sqlx::Error::Io)?;
        }
        let connect = match options.max_file_bytes {
            Some(bytes) => {
                connect.pragma("max_page_count", (bytes / u64::from(PAGE_BYTES)).to_string())
            }
            None => connect,
        };
        migrate(&connect).await?;
        let readers = SqlitePoolOptions::new()
            .min_connections(1)
            .max_connections(options.readers)
            .acquire_timeout(options.busy_timeout)
            .connect_with(
                connect
                    .clone()
                    .pragma("query_only", "ON")
                    // A reader forgets its pages whenever something was written since: a large cache
                    // costs more to empty than it saves.
                    .pragma("cache_size", "-2048")
                    .pragma("mmap_size", "268435456"),
            )
            .await?;
        Ok(Self { readers, options: connect })
    }

    pub(super) async fn writer(&self) -> Result<Writer, sqlx::Error> {
        Ok(Writer { connection: self.options.connect().await? })
    }

    /// The events of several streams, those of each in order. The names need not be different.
    pub(super) async fn histories(
        &self,
        streams: &[String],
    ) -> Result<Vec<RecordedEvent>, LogError> {
        let names: Vec<_> = streams.iter().map(|stream| names(stream)).collect();
        let names =
            serde_json::to_string(&names).map_err(|error| LogError::Corrupt(error.to_string()))?;
        let rows = sqlx::query(HISTORIES).bind(names).fetch_all(&self.readers).await?;
        rows.iter().map(event).collect()
    }

    /// Moves everything out of the write-ahead log, where an erased key may still stand.
    pub(crate) async fn scrub(&self) -> Result<(), LogError> {
        let mut connection = self.options.connect().await?;
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut connection).await?;
        connection.close().await?;
        Ok(())
    }
}

/// `CROSS JOIN`: the names first, then each by the indexes.
const HISTORIES: &str = "\
    SELECT e.position, i.kind || '.' || i.id, e.version, e.type, e.body, e.metadata, e.recorded_at \
    FROM (SELECT DISTINCT value FROM json_each($1)) wanted \
    CROSS JOIN ids i ON i.kind = wanted.value ->> 0 AND i.id = wanted.value ->> 1 \
    CROSS JOIN events e ON e.number = i.number ORDER BY e.number, e.version";

async fn migrate(options: &SqliteConnectOptions) -> Result<(), OpenError> {
    let mut connection = options.connect().await?;
    // IMMEDIATE: two processes that open a new file do it one after the other
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::query("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT")
        .execute(&mut *transaction)
        .await?;
    let found: i64 = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM schema_version")
        .fetch_one(&mut *transaction)
        .await?;
    for (version, step) in schema::SQLITE.missing(found)? {
        sqlx::raw_sql(step).execute(&mut *transaction).await?;
        sqlx::query("DELETE FROM schema_version").execute(&mut *transaction).await?;
        sqlx::query("INSERT INTO schema_version VALUES ($1)")
            .bind(version)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    connection.close().await?;
    Ok(())
}

const ERROR: u32 = 1;
const FULL: u32 = 13;
const TOO_BIG: u32 = 18;
const CONSTRAINT: u32 = 19;
const MISMATCH: u32 = 20;

/// SQLite's result code without its extension.
fn primary_code(error: &sqlx::Error) -> Option<u32> {
    let code: u32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(code & 0xff)
}

fn failure(error: sqlx::Error) -> Failure {
    match primary_code(&error) {
        Some(TOO_BIG | CONSTRAINT | MISMATCH) => Failure::Data(error.into()),
        Some(_) | None => Failure::Broken(error.into()),
    }
}
