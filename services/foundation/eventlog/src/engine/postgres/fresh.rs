//! Fresh tables for a rebuild.

use sqlx::PgConnection;

use super::{Database, writer::BEGIN};
use crate::{
    LogError,
    engine::{fresh::CURSORS_OF_PROJECTIONS, int, read, uint},
    kinds::RowChange,
};

/// The tables of a rebuild.
pub(crate) struct Fresh {
    connection: PgConnection,
    is_locked: bool,
    is_bulk: bool,
}

/// Held by the session: the server lets go of it when the process dies.
const ONLY_ONE: &str = "SELECT pg_try_advisory_lock(hashtextextended(current_schema(), 2))";

const DROP: &str = "DROP TABLE IF EXISTS rows_next, row_keys_next";

const CREATE: &str = "\
CREATE TABLE rows_next (
  number BIGINT NOT NULL,
  version BIGINT NOT NULL,
  body BYTEA NOT NULL
) WITH (fillfactor = 80);
CREATE TABLE row_keys_next (
  kind TEXT COLLATE \"C\" NOT NULL,
  key TEXT COLLATE \"C\" NOT NULL,
  value TEXT COLLATE \"C\" NOT NULL,
  number BIGINT NOT NULL
);";

/// Sorting all lines once is much faster than finding the place of each.
const INDEX: &str = "\
ALTER TABLE rows_next ADD CONSTRAINT rows_next_pkey PRIMARY KEY (number);
ALTER TABLE row_keys_next ADD CONSTRAINT row_keys_next_pkey
  PRIMARY KEY (kind, key, value, number);";

const WRITE_ONCE: &str = "\
WITH written AS (
  INSERT INTO rows_next (number, version, body)
  SELECT * FROM unnest($1::int8[], $2::int8[], $3::bytea[])
)
INSERT INTO row_keys_next (kind, key, value, number)
SELECT * FROM unnest($4::text[], $5::text[], $6::text[], $7::int8[])";

/// Keys before rows, the order in which a listing locks them: otherwise the two could wait for
/// each other.
const SWAP: &str = "\
LOCK TABLE row_keys IN ACCESS EXCLUSIVE MODE;
LOCK TABLE rows IN ACCESS EXCLUSIVE MODE;
DROP TABLE row_keys, rows;
ALTER TABLE row_keys_next RENAME TO row_keys;
ALTER TABLE rows_next RENAME TO rows;
ALTER TABLE row_keys RENAME CONSTRAINT row_keys_next_pkey TO row_keys_pkey;
ALTER TABLE rows RENAME CONSTRAINT rows_next_pkey TO rows_pkey;";

const WRITE: &str = "\
WITH written AS (
  INSERT INTO rows_next (number, version, body)
  SELECT * FROM unnest($1::int8[], $2::int8[], $3::bytea[])
  ON CONFLICT (number) DO UPDATE SET version = excluded.version, body = excluded.body
), removed AS (
  DELETE FROM row_keys_next k
  USING unnest($4::text[], $5::text[], $6::text[], $7::int8[]) n(kind, key, value, number)
  WHERE k.kind = n.kind AND k.key = n.key AND k.value = n.value AND k.number = n.number
)
INSERT INTO row_keys_next (kind, key, value, number)
SELECT * FROM unnest($8::text[], $9::text[], $10::text[], $11::int8[])
ON CONFLICT DO NOTHING";

/// Under the log's lock: the writers give numbers as well.
const NUMBER_NEW: &str = "\
INSERT INTO ids (number, kind, id)
SELECT coalesce((SELECT number FROM ids ORDER BY number DESC LIMIT 1), 0)
         + row_number() OVER (ORDER BY w.n), w.kind, w.id
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY w(kind, id, n)
WHERE NOT EXISTS (SELECT FROM ids i WHERE i.kind = w.kind AND i.id = w.id)";

const NUMBERS: &str = "\
SELECT i.number FROM unnest($1::text[], $2::text[]) WITH ORDINALITY w(kind, id, n)
JOIN ids i ON i.kind = w.kind AND i.id = w.id ORDER BY w.n";

const SET_CURSOR: &str = "INSERT INTO cursors (source, position) VALUES ($1, $2)";

impl Fresh {
    pub(in crate::engine) async fn create(database: &Database) -> Result<Option<Self>, LogError> {
        let mut connection = database.connect().await?;
        let is_ours: bool = sqlx::query_scalar(ONLY_ONE).fetch_one(&mut connection).await?;
        if !is_ours {
            return Ok(None);
        }
        let mut fresh = Self { connection, is_locked: false, is_bulk: true };
        // nothing depends on these tables before the swap, and its commit waits for all of them
        fresh.run("SET synchronous_commit = off").await?;
        fresh.run(DROP).await?;
        fresh.run(CREATE).await?;
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
        let kinds: Vec<_> = changes.iter().map(|change| change.kind).collect();
        let ids: Vec<_> = changes.iter().map(|change| change.row.id.as_str()).collect();
        if !self.is_locked {
            self.run(BEGIN).await?;
        }
        sqlx::query(NUMBER_NEW).bind(&kinds).bind(&ids).execute(&mut self.connection).await?;
        let numbers: Vec<i64> = sqlx::query_scalar(NUMBERS)
            .bind(&kinds)
            .bind(&ids)
            .fetch_all(&mut self.connection)
            .await?;
        if !self.is_locked {
            self.run("COMMIT").await?;
        }
        Ok(numbers.into_iter().map(uint).collect())
    }

    pub(in crate::engine) async fn write(&mut self, changes: &[RowChange]) -> Result<(), LogError> {
        let (gone, new) = (RowChange::lines_removed(changes), RowChange::lines_added(changes));
        let mut statement = sqlx::query(if self.is_bulk { WRITE_ONCE } else { WRITE })
            .bind(changes.iter().map(|change| int(change.number)).collect::<Vec<_>>())
            .bind(changes.iter().map(|change| int(change.row.version)).collect::<Vec<_>>())
            .bind(changes.iter().map(|change| change.row.body.as_slice()).collect::<Vec<_>>());
        if !self.is_bulk {
            statement = statement
                .bind(gone.iter().map(|line| line.kind).collect::<Vec<_>>())
                .bind(gone.iter().map(|line| line.key).collect::<Vec<_>>())
                .bind(gone.iter().map(|line| line.value).collect::<Vec<_>>())
                .bind(gone.iter().map(|line| int(line.number)).collect::<Vec<_>>());
        }
        statement
            .bind(new.iter().map(|line| line.kind).collect::<Vec<_>>())
            .bind(new.iter().map(|line| line.key).collect::<Vec<_>>())
            .bind(new.iter().map(|line| line.value).collect::<Vec<_>>())
            .bind(new.iter().map(|line| int(line.number)).collect::<Vec<_>>())
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }

    pub(in crate::engine) async fn end_bulk(&mut self) -> Result<(), LogError> {
        self.run("SET maintenance_work_mem = '256MB'").await?;
        self.run(INDEX).await?;
        self.is_bulk = false;
        Ok(())
    }

    pub(in crate::engine) async fn lock(&mut self) -> Result<u64, LogError> {
        self.run("SET synchronous_commit = on").await?;
        self.run(BEGIN).await?;
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
