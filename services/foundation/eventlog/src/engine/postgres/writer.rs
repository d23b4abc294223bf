//! The one connection that writes commands.

use std::collections::{HashMap, HashSet};

use prost::Message as _;
use sqlx::{Connection as _, PgConnection, Row as _};

use super::{failure, int, uint};
use crate::{
    LogError,
    aggregate::kind_and_id,
    commit::PersonKeyWrite,
    plan::{Batch, Head, Heads, Wanted},
    writer::Failure,
};

/// The connection that writes.
pub(crate) struct Writer {
    pub(super) connection: PgConnection,
}

/// One message, two statements: the second waits for whoever writes.
pub(super) const BEGIN: &str = "\
BEGIN; SELECT pg_advisory_xact_lock(hashtextextended(current_schema(), 0))";

const HEADS: &str = "\
SELECT
  coalesce((SELECT position FROM events ORDER BY position DESC LIMIT 1), 0),
  coalesce(greatest((SELECT recorded_at FROM events ORDER BY position DESC LIMIT 1),
                    (SELECT at FROM horizon WHERE one = 1)), 0),
  coalesce((SELECT number FROM ids ORDER BY number DESC LIMIT 1), 0),
  ARRAY(SELECT coalesce((SELECT i.number FROM ids i WHERE i.kind = w.kind AND i.id = w.id), 0)
        FROM unnest($1::text[], $2::text[]) WITH ORDINALITY w(kind, id, n) ORDER BY n),
  ARRAY(SELECT coalesce((SELECT e.version FROM ids i JOIN events e ON e.number = i.number
                         WHERE i.kind = w.kind AND i.id = w.id
                         ORDER BY e.number DESC, e.version DESC LIMIT 1), 0)
        FROM unnest($1::text[], $2::text[]) WITH ORDINALITY w(kind, id, n) ORDER BY n),
  ARRAY(SELECT coalesce((SELECT c.position FROM cursors c WHERE c.source = w.source), 0)
        FROM unnest($3::text[]) WITH ORDINALITY w(source, n) ORDER BY n)";

/// When nothing but the end of the log is wanted, all of it is one message. Each statement of it
/// sees what was committed before it began, so the last one sees what the lock has waited for.
const BEGIN_AT_END: &str = "\
BEGIN; SELECT pg_advisory_xact_lock(hashtextextended(current_schema(), 0));
SELECT
  coalesce((SELECT position FROM events ORDER BY position DESC LIMIT 1), 0),
  coalesce(greatest((SELECT recorded_at FROM events ORDER BY position DESC LIMIT 1),
                    (SELECT at FROM horizon WHERE one = 1)), 0),
  coalesce((SELECT number FROM ids ORDER BY number DESC LIMIT 1), 0)";

const IS_PARKED: &str = "SELECT count(*) FROM parked WHERE source = $1 AND position = $2";

const EVENTS: &str = "\
WITH new AS (
  INSERT INTO ids (number, kind, id) SELECT * FROM unnest($8::int8[], $9::text[], $10::text[])
)
INSERT INTO events (position, number, version, type, body, metadata, recorded_at)
SELECT position, number, version, type, body, metadata, $7
FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::text[], $5::bytea[], $6::bytea[])
  n(position, number, version, type, body, metadata)";

/// Rows and keys in one statement: its parts touch different lines, so their order is no matter.
const ROWS: &str = "\
WITH written AS (
  INSERT INTO rows (number, version, body)
  SELECT * FROM unnest($1::int8[], $2::int8[], $3::bytea[])
  ON CONFLICT (number) DO UPDATE SET version = excluded.version, body = excluded.body
), removed AS (
  DELETE FROM row_keys k
  USING unnest($4::text[], $5::text[], $6::text[], $7::int8[]) n(kind, key, value, number)
  WHERE k.kind = n.kind AND k.key = n.key AND k.value = n.value AND k.number = n.number
)
INSERT INTO row_keys (kind, key, value, number)
SELECT * FROM unnest($8::text[], $9::text[], $10::text[], $11::int8[])
ON CONFLICT DO NOTHING";

const CURSORS: &str = "\
INSERT INTO cursors (source, position) SELECT * FROM unnest($1::text[], $2::int8[])
ON CONFLICT (source) DO UPDATE SET position = excluded.position";

const PARK: &str = "\
INSERT INTO parked (source, position, reason, body, parked_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (source, position) DO UPDATE SET reason = excluded.reason,
  parked_at = excluded.parked_at";

const UNPARK: &str = "DELETE FROM parked WHERE source = $1 AND position = $2";

const PROMISE: &str = "\
INSERT INTO horizon (one, at) VALUES (1, $1) ON CONFLICT (one) DO UPDATE SET at = excluded.at";

const CREATE_PERSON: &str = "\
INSERT INTO person_keys (person, key, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";

const ERASE_PERSON: &str = "\
INSERT INTO person_keys (person, key, created_at, erased_at) VALUES ($1, NULL, $2, $2)
ON CONFLICT (person) DO UPDATE SET key = NULL,
  erased_at = coalesce(person_keys.erased_at, excluded.erased_at)";

impl Writer {
    pub(in crate::engine) async fn begin(&mut self, wanted: &Wanted) -> Result<Heads, Failure> {
        if !wanted.is_empty() {
            sqlx::raw_sql(BEGIN).execute(&mut self.connection).await.map_err(failure)?;
            return self.heads(wanted).await;
        }
        let rows =
            sqlx::raw_sql(BEGIN_AT_END).fetch_all(&mut self.connection).await.map_err(failure)?;
        let end = rows.last().ok_or(Failure::Broken(sqlx::Error::RowNotFound.into()))?;
        Ok(Heads {
            last_position: uint(end.try_get(0).map_err(failure)?),
            last_recorded_at: end.try_get(1).map_err(failure)?,
            last_number: uint(end.try_get(2).map_err(failure)?),
            streams: HashMap::new(),
            cursors: HashMap::new(),
            parked: HashSet::new(),
        })
    }

    pub(in crate::engine) async fn heads(&mut self, wanted: &Wanted) -> Result<Heads, Failure> {
        let (kinds, ids): (Vec<&str>, Vec<&str>) =
            wanted.streams.iter().map(|name| kind_and_id(name)).unzip();
        let row = sqlx::query(HEADS)
            .bind(kinds)
            .bind(ids)
            .bind(&wanted.sources)
            .fetch_one(&mut self.connection)
            .await
            .map_err(failure)?;
        let list = |column: usize| {
            let numbers: Vec<i64> = row.try_get(column).map_err(failure)?;
            Ok(numbers.into_iter().map(uint))
        };
        let streams = list(3)?.zip(list(4)?).map(|(number, version)| Head { number, version });
        let mut heads = Heads {
            last_position: uint(row.try_get(0).map_err(failure)?),
            last_recorded_at: row.try_get(1).map_err(failure)?,
            last_number: uint(row.try_get(2).map_err(failure)?),
            streams: wanted.streams.iter().cloned().zip(streams).collect(),
            cursors: wanted.sources.iter().cloned().zip(list(5)?).collect(),
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
        if batch.events.is_empty() && batch.ids.is_empty() {
            return Ok(());
        }
        let events = || batch.events.iter().map(|(_, incoming)| &incoming.event);
        sqlx::query(EVENTS)
            .bind(events().map(|event| int(event.position)).collect::<Vec<_>>())
            .bind(batch.events.iter().map(|(number, _)| int(*number)).collect::<Vec<_>>())
            .bind(events().map(|event| int(event.version)).collect::<Vec<_>>())
            .bind(events().map(|event| event.r#type.as_str()).collect::<Vec<_>>())
            .bind(events().map(|event| event.body.as_ref()).collect::<Vec<&[u8]>>())
            .bind(batch.events.iter().map(|(_, new)| new.metadata.as_slice()).collect::<Vec<_>>())
            .bind(batch.recorded_at)
            .bind(batch.ids.iter().map(|line| int(line.number)).collect::<Vec<_>>())
            .bind(batch.ids.iter().map(|line| line.kind).collect::<Vec<_>>())
            .bind(batch.ids.iter().map(|line| line.id).collect::<Vec<_>>())
            .execute(&mut self.connection)
            .await
            .map_err(failure)?;
        Ok(())
    }

    pub(in crate::engine) async fn write_rest(&mut self, batch: &Batch<'_>) -> Result<(), Failure> {
        let connection = &mut self.connection;
        let rows = &batch.rows;
        let (gone, new) = (&batch.keys_removed, &batch.keys_added);
        if !(rows.is_empty() && gone.is_empty() && new.is_empty()) {
            sqlx::query(ROWS)
                .bind(rows.iter().map(|row| int(row.number)).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| int(row.write.version)).collect::<Vec<_>>())
                .bind(rows.iter().map(|row| row.write.body.as_ref()).collect::<Vec<&[u8]>>())
                .bind(gone.iter().map(|line| line.kind).collect::<Vec<_>>())
                .bind(gone.iter().map(|line| line.key).collect::<Vec<_>>())
                .bind(gone.iter().map(|line| line.value).collect::<Vec<_>>())
                .bind(gone.iter().map(|line| int(line.number)).collect::<Vec<_>>())
                .bind(new.iter().map(|line| line.kind).collect::<Vec<_>>())
                .bind(new.iter().map(|line| line.key).collect::<Vec<_>>())
                .bind(new.iter().map(|line| line.value).collect::<Vec<_>>())
                .bind(new.iter().map(|line| int(line.number)).collect::<Vec<_>>())
                .execute(&mut *connection)
                .await
                .map_err(failure)?;
        }
        if !batch.cursors.is_empty() {
            let (sources, positions): (Vec<&str>, Vec<i64>) =
                batch.cursors.iter().map(|(source, position)| (*source, int(*position))).unzip();
            sqlx::query(CURSORS)
                .bind(sources)
                .bind(positions)
                .execute(&mut *connection)
                .await
                .map_err(failure)?;
        }
        for parked in &batch.parked {
            sqlx::query(PARK)
                .bind(parked.source.as_str())
                .bind(int(parked.position))
                .bind(parked.reason.as_str())
                .bind(parked.event.encode_to_vec())
                .bind(batch.recorded_at)
                .execute(&mut *connection)
                .await
                .map_err(failure)?;
        }
        for (source, position) in &batch.unparked {
            sqlx::query(UNPARK)
                .bind(source)
                .bind(int(*position))
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
        match sqlx::raw_sql("COMMIT").execute(&mut self.connection).await {
            Ok(_) => Ok(()),
            // the server has answered: it did not commit, unless it was told to stop meanwhile
            Err(error) if answered(&error) => Err(Failure::Broken(error.into())),
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a commit was cut off");
                Err(Failure::Broken(LogError::OutcomeUnknown))
            }
        }
    }

    pub(in crate::engine) async fn rollback(&mut self) -> Result<(), Failure> {
        sqlx::raw_sql("ROLLBACK").execute(&mut self.connection).await.map_err(failure)?;
        Ok(())
    }

    pub(in crate::engine) async fn close(self) {
        if let Err(error) = self.connection.close().await {
            tracing::debug!(error = &error as &dyn std::error::Error, "closing the writer failed");
        }
    }
}

fn answered(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| !code.starts_with("57") && !code.starts_with("08"))
}
