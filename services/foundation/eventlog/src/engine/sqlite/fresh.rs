//! Fresh tables for a rebuild.
//!
//! They are filled in transactions of their own, so that commands get their turn in between. Until
//! the swap nothing depends on them: they are written without waiting for the disk, and the swap
//! then waits for all of it.

use std::fs::File;
use std::sync::LazyLock;
use std::time::Duration;

use sqlx::{ConnectOptions as _, SqliteConnection, sqlite::SqliteArguments};

use super::{Database, writer::MultiRow};
use crate::{
    LogError,
    engine::{fresh::CURSORS_OF_PROJECTIONS, int, read, uint},
    kinds::RowChange,
    plan::KeyLine,
    writer::Failure,
};

/// The tables of a rebuild.
pub(crate) struct Fresh {
    connection: SqliteConnection,
    is_locked: bool,
    /// Held while the rebuild runs; the system lets go of it when the process dies.
    _only_one: File,
}

const DROP: &str = "DROP TABLE IF EXISTS rows_next; DROP TABLE IF EXISTS row_keys_next;";

const CREATE: &str = "\
CREATE TABLE rows_next (
  number INTEGER PRIMARY KEY,
  version INTEGER NOT NULL,
  body BLOB NOT NULL
) STRICT;
CREATE TABLE row_keys_next (
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (kind, key, value, number)
) STRICT, WITHOUT ROWID;";

const SWAP: &str = "\
DROP TABLE rows; ALTER TABLE rows_next RENAME TO rows;
DROP TABLE row_keys; ALTER TABLE row_keys_next RENAME TO row_keys;";

const SET_CURSOR: &str = "INSERT INTO cursors (source, position) VALUES ($1, $2)";

static ROWS: LazyLock<MultiRow> = LazyLock::new(|| {
    MultiRow::new(
        "INSERT INTO rows_next (number, version, body) SELECT * FROM (VALUES ",
        "(?,?,?)",
        ") WHERE column1 IS NOT NULL \
          ON CONFLICT (number) DO UPDATE SET version = excluded.version, body = excluded.body",
    )
});

static KEYS_REMOVED: LazyLock<MultiRow> = LazyLock::new(|| {
    MultiRow::new(
        "DELETE FROM row_keys_next WHERE (kind, key, value, number) IN (VALUES ",
        "(?,?,?,?)",
        ")",
    )
});

static KEYS_ADDED: LazyLock<MultiRow> = LazyLock::new(|| {
    MultiRow::new(
        "INSERT INTO row_keys_next (kind, key, value, number) SELECT * FROM (VALUES ",
        "(?,?,?,?)",
        ") WHERE column1 IS NOT NULL ON CONFLICT DO NOTHING",
    )
});

static NUMBER_NEW: LazyLock<MultiRow> = LazyLock::new(|| {
    MultiRow::new(
        "INSERT INTO ids (kind, id) SELECT * FROM (VALUES ",
        "(?,?)",
        ") WHERE column1 IS NOT NULL ON CONFLICT DO NOTHING",
    )
});

const NUMBER: &str = "SELECT number FROM ids WHERE kind = $1 AND id = $2";

impl Fresh {
    pub(in crate::engine) async fn create(database: &Database) -> Result<Option<Self>, LogError> {
        let mut name = database.options.get_filename().as_os_str().to_owned();
        name.push(".rebuild");
        let lock = File::create(&name).map_err(sqlx::Error::Io)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Ok(None),
            Err(std::fs::TryLockError::Error(error)) => return Err(sqlx::Error::Io(error).into()),
        }
        let connection = database.options.clone().pragma("synchronous", "NORMAL").connect().await?;
        let mut fresh = Self { connection, is_locked: false, _only_one: lock };
        fresh.run("BEGIN IMMEDIATE").await?;
        fresh.run(DROP).await?;
        fresh.run(CREATE).await?;
        fresh.run("COMMIT").await?;
        Ok(Some(fresh))
    }

    async fn run(&mut self, sql: &'static str) -> Result<(), LogError> {
        sqlx::raw_sql(sql).execute(&mut self.connection).await?;
        Ok(())
    }

    pub(in crate::engine) async fn numbers(
        &mut self,
        changes: &[RowChange],
    ) -> Result<Vec<u64>, LogError> {
        use sqlx::Arguments as _;
        NUMBER_NEW
            .execute(&mut self.connection, changes, |arguments, change| {
                arguments.add(change.kind)?;
                arguments.add(change.row.id.as_str())
            })
            .await
            .map_err(error_of)?;
        let mut numbers = Vec::with_capacity(changes.len());
        for change in changes {
            let number: i64 = sqlx::query_scalar(NUMBER)
                .bind(change.kind)
                .bind(change.row.id.as_str())
                .fetch_one(&mut self.connection)
                .await?;
            numbers.push(uint(number));
        }
        Ok(numbers)
    }

    pub(in crate::engine) async fn write(&mut self, changes: &[RowChange]) -> Result<(), LogError> {
        if self.is_locked {
            return self.write_lines(changes).await.map_err(error_of);
        }
        self.run("BEGIN IMMEDIATE").await?;
        let written = self.write_lines(changes).await.map_err(error_of);
        let end = if written.is_ok() { "COMMIT" } else { "ROLLBACK" };
        self.run(end).await?;
        // SQLite's lock is not fair: whoever waits looks only now and then
        tokio::time::sleep(Duration::from_millis(1)).await;
        written
    }

    async fn write_lines(&mut self, changes: &[RowChange]) -> Result<(), Failure> {
        use sqlx::Arguments as _;
        let connection = &mut self.connection;
        ROWS.execute(connection, changes, |arguments, change| {
            arguments.add(int(change.number))?;
            arguments.add(int(change.row.version))?;
            arguments.add(change.row.body.as_slice())
        })
        .await?;
        let line = |arguments: &mut SqliteArguments, line: &KeyLine<'_>| {
            arguments.add(line.kind)?;
            arguments.add(line.key)?;
            arguments.add(line.value)?;
            arguments.add(int(line.number))
        };
        KEYS_REMOVED.execute(connection, &RowChange::lines_removed(changes), line).await?;
        KEYS_ADDED.execute(connection, &RowChange::lines_added(changes), line).await
    }

    /// The tables have had their order from the beginning.
    #[allow(clippy::unused_async, reason = "the other engine has to wait here")]
    pub(in crate::engine) async fn end_bulk(&mut self) -> Result<(), LogError> {
        Ok(())
    }

    pub(in crate::engine) async fn lock(&mut self) -> Result<u64, LogError> {
        // the swap waits for the disk, and with it for everything that was written before
        self.run("PRAGMA synchronous = FULL").await?;
        self.run("BEGIN IMMEDIATE").await?;
        self.is_locked = true;
        let last: i64 =
            sqlx::query_scalar(read::LAST_POSITION).fetch_one(&mut self.connection).await?;
        Ok(uint(last))
    }

    pub(in crate::engine) async fn swap(
        mut self,
        cursors: &[(String, u64)],
    ) -> Result<(), LogError> {
        self.run(CURSORS_OF_PROJECTIONS).await?;
        for (source, position) in cursors {
            sqlx::query(SET_CURSOR)
                .bind(source)
                .bind(int(*position))
                .execute(&mut self.connection)
                .await?;
        }
        self.run(SWAP).await?;
        self.run("COMMIT").await
    }

    pub(in crate::engine) async fn discard(mut self) -> Result<(), LogError> {
        if self.is_locked {
            self.run("ROLLBACK").await?;
        }
        self.run(DROP).await
    }
}

fn error_of(failure: Failure) -> LogError {
    match failure {
        Failure::Data(error) | Failure::Broken(error) => error,
        Failure::Crash => LogError::Closed,
    }
}
