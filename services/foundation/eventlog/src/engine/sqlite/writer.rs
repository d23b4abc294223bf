//! The one connection that writes commands.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use prost::Message as _;
use sqlx::{
    AssertSqlSafe, Connection as _, Row as _, SqliteConnection,
    sqlite::{SqliteArguments, SqliteRow},
};

use super::{ERROR, FULL, failure, int, primary_code, uint};
use crate::{
    LogError,
    aggregate::kind_and_id,
    commit::PersonKeyWrite,
    plan::{Batch, Head, Heads, KeyLine, Wanted},
    writer::Failure,
};

/// The connection that writes.
pub(crate) struct Writer {
    pub(super) connection: SqliteConnection,
}

/// One statement for all heads: lists go in and come out as JSON, which spares a row each.
macro_rules! heads {
    ($before:literal) => {
        concat!(
            $before,
            "SELECT
            coalesce((SELECT max(position) FROM events), 0),
            max(coalesce((SELECT recorded_at FROM events ORDER BY position DESC LIMIT 1), 0),
                coalesce((SELECT at FROM horizon), 0)),
            coalesce((SELECT max(number) FROM ids), 0),
            (SELECT json_group_array(json_array(
                coalesce(ids.number, 0),
                coalesce((SELECT max(version) FROM events WHERE events.number = ids.number), 0))
                ORDER BY wanted.key)
              FROM json_each($1) wanted
              LEFT JOIN ids ON ids.kind = wanted.value ->> 0 AND ids.id = wanted.value ->> 1),
            (SELECT json_group_array(
                coalesce((SELECT position FROM cursors WHERE source = wanted.value), 0)
                ORDER BY wanted.key)
              FROM json_each($2) wanted)"
        )
    };
}

/// Both at once: each statement is a trip to SQLite's thread and back.
const BEGIN: &str = heads!("BEGIN IMMEDIATE; ");
const HEADS: &str = heads!("");

const IS_PARKED: &str = "SELECT count(*) FROM parked WHERE source = $1 AND position = $2";

/// Rows in one statement. Few sizes, so that the prepared statements stay few; a chunk that is not
/// full leaves the last values unbound, which is NULL to SQLite, and the statement drops those rows.
const CHUNKS: [usize; 4] = [1, 8, 64, 256];

/// A statement that takes several rows, written out once for each size of chunk.
pub(super) struct MultiRow([Arc<str>; CHUNKS.len()]);

impl MultiRow {
    pub(super) fn new(before: &str, row: &str, after: &str) -> Self {
        Self(CHUNKS.map(|rows| {
            let list = vec![row; rows].join(",");
            format!("{before}{list}{after}").into()
        }))
    }

    /// Writes all items; `bind` gives the values of one.
    pub(super) async fn execute<T>(
        &self,
        connection: &mut SqliteConnection,
        mut items: &[T],
        mut bind: impl FnMut(&mut SqliteArguments, &T) -> Result<(), sqlx::error::BoxDynError>,
    ) -> Result<(), Failure> {
        use sqlx::Arguments as _;
        let largest = CHUNKS.len() - 1;
        while !items.is_empty() {
            let fits = CHUNKS.iter().position(|size| *size >= items.len()).unwrap_or(largest);
            let (chunk, rest) = items.split_at(items.len().min(CHUNKS[fits]));
            let mut arguments = SqliteArguments::default();
            arguments.reserve(chunk.len() * 8, 0);
            for item in chunk {
                bind(&mut arguments, item)
                    .map_err(|error| Failure::Data(sqlx::Error::Encode(error).into()))?;
            }
            sqlx::query_with(AssertSqlSafe(Arc::clone(&self.0[fits])), arguments)
                .execute(&mut *connection)
                .await
                .map_err(failure)?;
            items = rest;
        }
        Ok(())
    }
}

static IDS: LazyLock<MultiRow> = LazyLock::new(|| {
    MultiRow::new(
        "INSERT INTO ids (number, kind, id) SELECT * FROM (VALUES ",
        "(?,?,?)",
        ") WHERE column1 IS NOT NULL",
    )
});

static EVENTS: LazyLock<MultiRow> = LazyLock::new(|| {
    MultiRow::new(
        "INSERT INTO events (position, number, version, type, body, metadata, recorded_at) \
         SELECT * FROM (VALUES ",
        "(?,?,?,?,?,?,?)",
        ") WHERE column1 IS NOT NULL",
    )
});

static ROWS: LazyLock<MultiRow> = LazyLock::new(|| {
    MultiRow::new(
        "INSERT INTO rows (number, version, body) SELECT * FROM (VALUES ",
        "(?,?,?)",
        ") WHERE column1 IS NOT NULL \
          ON CONFLICT (number) DO UPDATE SET version = excluded.version, body = excluded.body",
    )
});

static KEYS_REMOVED: LazyLock<MultiRow> = LazyLock::new(|| {
    MultiRow::new(
        "DELETE FROM row_keys WHERE (kind, key, value, number) IN (VALUES ",
        "(?,?,?,?)",
        ")",
    )
});

static KEYS_ADDED: LazyLock<MultiRow> = LazyLock::new(|| {
    MultiRow::new(
        "INSERT INTO row_keys (kind, key, value, number) SELECT * FROM (VALUES ",
        "(?,?,?,?)",
        ") WHERE column1 IS NOT NULL ON CONFLICT DO NOTHING",
    )
});

static CURSORS: LazyLock<MultiRow> = LazyLock::new(|| {
    MultiRow::new(
        "INSERT INTO cursors (source, position) SELECT * FROM (VALUES ",
        "(?,?)",
        ") WHERE column1 IS NOT NULL ON CONFLICT (source) DO UPDATE SET position = excluded.position",
    )
});

static PARKED: LazyLock<MultiRow> = LazyLock::new(|| {
    MultiRow::new(
        "INSERT INTO parked (source, position, reason, body, parked_at) SELECT * FROM (VALUES ",
        "(?,?,?,?,?)",
        ") WHERE column1 IS NOT NULL ON CONFLICT (source, position) DO UPDATE SET reason = excluded.reason, \
          parked_at = excluded.parked_at",
    )
});

static UNPARKED: LazyLock<MultiRow> = LazyLock::new(|| {
    MultiRow::new("DELETE FROM parked WHERE (source, position) IN (VALUES ", "(?,?)", ")")
});

const PROMISE: &str = "\
    INSERT INTO horizon (one, at) VALUES (1, $1) ON CONFLICT (one) DO UPDATE SET at = excluded.at";

const CREATE_PERSON: &str = "\
    INSERT INTO person_keys (person, key, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";

const ERASE_PERSON: &str = "\
    INSERT INTO person_keys (person, key, created_at, erased_at) VALUES ($1, NULL, $2, $2) \
    ON CONFLICT (person) DO UPDATE SET key = NULL, \
      erased_at = coalesce(person_keys.erased_at, excluded.erased_at)";

fn json<T: serde::Serialize>(list: &[T]) -> Result<String, Failure> {
    serde_json::to_string(list).map_err(|error| Failure::Data(LogError::Corrupt(error.to_string())))
}

fn list<T: serde::de::DeserializeOwned>(row: &SqliteRow, column: usize) -> Result<Vec<T>, Failure> {
    let text: &str = row.try_get(column).map_err(failure)?;
    serde_json::from_str(text)
        .map_err(|error| Failure::Broken(LogError::Corrupt(error.to_string())))
}

impl Writer {
    pub(in crate::engine) async fn begin(&mut self, wanted: &Wanted) -> Result<Heads, Failure> {
        self.read_heads(BEGIN, wanted).await
    }

    pub(in crate::engine) async fn heads(&mut self, wanted: &Wanted) -> Result<Heads, Failure> {
        self.read_heads(HEADS, wanted).await
    }

    async fn read_heads(&mut self, sql: &'static str, wanted: &Wanted) -> Result<Heads, Failure> {
        let names: Vec<_> = wanted.streams.iter().map(|name| kind_and_id(name)).collect();
        let row = sqlx::query(sql)
            .bind(json(&names)?)
            .bind(json(&wanted.sources)?)
            .fetch_one(&mut self.connection)
            .await
            .map_err(failure)?;
        let streams: Vec<(u64, u64)> = list(&row, 3)?;
        let streams = streams.into_iter().map(|(number, version)| Head { number, version });
        let cursors: Vec<u64> = list(&row, 4)?;
        let mut heads = Heads {
            last_position: uint(row.try_get(0).map_err(failure)?),
            last_recorded_at: row.try_get(1).map_err(failure)?,
            last_number: uint(row.try_get(2).map_err(failure)?),
            streams: wanted.streams.iter().cloned().zip(streams).collect(),
            cursors: wanted.sources.iter().cloned().zip(cursors).collect(),
            parked: HashSet::new(),
        };
        for (source, position) in &wanted.parked {
            let found: i64 = sqlx::query_scalar(IS_PARKED)
                .bind(source)
                .bind(int(*position))
                .fetch_one(&mut self.connection)
                .await
                .map_err(failure)?;
            if found > 0 {
                heads.parked.insert((source.clone(), *position));
            }
        }
        Ok(heads)
    }

    pub(in crate::engine) async fn write_events(
        &mut self,
        batch: &Batch<'_>,
    ) -> Result<(), Failure> {
        use sqlx::Arguments as _;
        IDS.execute(&mut self.connection, &batch.ids, |arguments, line| {
            arguments.add(int(line.number))?;
            arguments.add(line.kind)?;
            arguments.add(line.id)
        })
        .await?;
        EVENTS
            .execute(&mut self.connection, &batch.events, |arguments, (number, incoming)| {
                let event = &incoming.event;
                arguments.add(int(event.position))?;
                arguments.add(int(*number))?;
                arguments.add(int(event.version))?;
                arguments.add(event.r#type.as_str())?;
                arguments.add(event.body.as_ref())?;
                arguments.add(incoming.metadata.as_slice())?;
                arguments.add(batch.recorded_at)
            })
            .await
    }

    pub(in crate::engine) async fn write_rest(&mut self, batch: &Batch<'_>) -> Result<(), Failure> {
        use sqlx::Arguments as _;
        let connection = &mut self.connection;
        ROWS.execute(connection, &batch.rows, |arguments, row| {
            arguments.add(int(row.number))?;
            arguments.add(int(row.write.version))?;
            arguments.add(row.write.body.as_ref())
        })
        .await?;
        let line = |arguments: &mut SqliteArguments, line: &KeyLine<'_>| {
            arguments.add(line.kind)?;
            arguments.add(line.key)?;
            arguments.add(line.value)?;
            arguments.add(int(line.number))
        };
        KEYS_REMOVED.execute(connection, &batch.keys_removed, line).await?;
        KEYS_ADDED.execute(connection, &batch.keys_added, line).await?;
        CURSORS
            .execute(connection, &batch.cursors, |arguments, (source, position)| {
                arguments.add(*source)?;
                arguments.add(int(*position))
            })
            .await?;
        PARKED
            .execute(connection, &batch.parked, |arguments, parked| {
                arguments.add(parked.source.as_str())?;
                arguments.add(int(parked.position))?;
                arguments.add(parked.reason.as_str())?;
                arguments.add(parked.event.encode_to_vec())?;
                arguments.add(batch.recorded_at)
            })
            .await?;
        UNPARKED
            .execute(connection, &batch.unparked, |arguments, (source, position)| {
                arguments.add(*source)?;
                arguments.add(int(*position))
            })
            .await?;
        let erases = |change: &PersonKeyWrite| matches!(change, PersonKeyWrite::Erase { .. });
        if batch.person_keys.iter().any(|change| erases(change)) {
            // an erased key is overwritten with zeros, not only unlinked
            sqlx::query("PRAGMA secure_delete = ON")
                .execute(&mut *connection)
                .await
                .map_err(failure)?;
        }
        for change in &batch.person_keys {
            let statement = match change {
                PersonKeyWrite::Create { person, key } => sqlx::query(CREATE_PERSON)
                    .bind(person.as_str())
                    .bind(key.as_slice())
                    .bind(batch.recorded_at),
                PersonKeyWrite::Erase { person } => {
                    sqlx::query(ERASE_PERSON).bind(person.as_str()).bind(batch.recorded_at)
                }
            };
            statement.execute(&mut *connection).await.map_err(failure)?;
        }
        if batch.promises {
            sqlx::query(PROMISE)
                .bind(batch.recorded_at)
                .execute(&mut *connection)
                .await
                .map_err(failure)?;
        }
        Ok(())
    }

    pub(in crate::engine) async fn commit(&mut self) -> Result<(), Failure> {
        match sqlx::query("COMMIT").execute(&mut self.connection).await {
            Ok(_) => Ok(()),
            // no room: nothing was written
            Err(error) if primary_code(&error) == Some(FULL) => Err(failure(error)),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a commit failed");
                Err(Failure::Broken(LogError::OutcomeUnknown))
            }
        }
    }

    pub(in crate::engine) async fn rollback(&mut self) -> Result<(), Failure> {
        match sqlx::query("ROLLBACK").execute(&mut self.connection).await {
            Ok(_) => Ok(()),
            // SQLite has done it by itself, as it does when the disk is full
            Err(error) if primary_code(&error) == Some(ERROR) => Ok(()),
            Err(error) => Err(failure(error)),
        }
    }

    pub(in crate::engine) async fn close(self) {
        if let Err(error) = self.connection.close().await {
            tracing::debug!(error = &error as &dyn std::error::Error, "closing the writer failed");
        }
    }
}
