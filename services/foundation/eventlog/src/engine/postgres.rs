//! PostgreSQL: a schema for each log, any number of processes.
//!
//! The lock of the log is an advisory transaction lock whose number follows from the schema's name.
//! It is taken in a statement of its own: the statements after it see all that was committed under
//! it before. Rows are written as arrays (`UNNEST`), one statement for any number of them.

mod fresh;
mod scan;
mod writer;

use std::str::FromStr;
use std::sync::Arc;

use contracts::common::{EventMetadata, RecordedEvent};
use prost::Message as _;
use sqlx::{
    ConnectOptions as _, Connection as _, PgConnection, PgPool, Row as _,
    postgres::{PgConnectOptions, PgPoolOptions, PgRow},
};

use super::{PersonKey, int, read, schema, uint};
use crate::{
    Listing, LogError, LogOptions, OpenError, Order, Parked, StoredRow,
    aggregate::kind_and_id as names, listing::Place, time::micros_to_proto, writer::Failure,
};

pub(crate) use fresh::Fresh;
pub(crate) use scan::Scan;
pub(crate) use writer::Writer;

/// An open PostgreSQL schema.
#[derive(Clone)]
pub(crate) struct Database {
    pub(super) readers: PgPool,
    options: PgConnectOptions,
    schema: Arc<str>,
}

read::reads!(Database, PgRow);

const SET_SCHEMA: &str = "SELECT set_config('search_path', quote_ident($1), false)";

const LOCK_OPENING: &str = "SELECT pg_advisory_xact_lock(hashtextextended($1, 1))";

/// The name goes in as a setting, so that nothing is pasted into the statement.
const NAME_SCHEMA: &str = "SELECT set_config('eventlog.schema', $1, true)";
const CREATE_SCHEMA: &str = "\
DO $$ BEGIN
  IF to_regnamespace(quote_ident(current_setting('eventlog.schema'))) IS NULL THEN
    EXECUTE format('CREATE SCHEMA %I', current_setting('eventlog.schema'));
  END IF;
END $$";

impl Database {
    pub(super) async fn open(options: &LogOptions) -> Result<Self, OpenError> {
        let connect = PgConnectOptions::from_str(&options.url)
            .map_err(OpenError::UrlDetails)?
            .application_name("emall-eventlog")
            .options([
                // what is acknowledged is on disk, whatever the server's default is
                ("synchronous_commit", "on"),
                // All statements here go by an index. Without this the planner may choose a scan
                // while a table is new and small, and keep that plan when it has grown.
                ("enable_seqscan", "off"),
                ("enable_hashjoin", "off"),
                ("enable_mergejoin", "off"),
                ("jit", "off"),
                // and with one plan for each there is nothing to plan again for every batch
                ("plan_cache_mode", "force_generic_plan"),
            ])
            .statement_cache_capacity(128)
            .disable_statement_logging();
        let schema: Arc<str> = options.name.as_str().into();
        migrate(&connect, &schema).await?;
        let for_readers = Arc::clone(&schema);
        let readers = PgPoolOptions::new()
            .min_connections(1)
            .max_connections(options.readers)
            .acquire_timeout(options.busy_timeout)
            .after_connect(move |connection, _| {
                let schema = Arc::clone(&for_readers);
                Box::pin(async move {
                    sqlx::query(SET_SCHEMA).bind(&*schema).execute(connection).await?;
                    Ok(())
                })
            })
            .connect_with(connect.clone())
            .await?;
        Ok(Self { readers, options: connect, schema })
    }

    pub(super) async fn writer(&self) -> Result<Writer, sqlx::Error> {
        Ok(Writer { connection: self.connect().await? })
    }

    async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        let mut connection = self.options.connect().await?;
        sqlx::query(SET_SCHEMA).bind(&*self.schema).execute(&mut connection).await?;
        Ok(connection)
    }

    /// The events of several streams, those of each in order. The names need not be different.
    pub(super) async fn histories(
        &self,
        streams: &[String],
    ) -> Result<Vec<RecordedEvent>, LogError> {
        let (kinds, ids): (Vec<&str>, Vec<&str>) =
            streams.iter().map(|stream| names(stream)).unzip();
        let rows = sqlx::query(HISTORIES).bind(kinds).bind(ids).fetch_all(&self.readers).await?;
        rows.iter().map(event).collect()
    }

    /// Lets the server reuse, and so overwrite, the place where an erased key stood.
    pub(crate) async fn scrub(&self) -> Result<(), LogError> {
        let mut connection = self.connect().await?;
        sqlx::query("VACUUM person_keys").execute(&mut connection).await?;
        connection.close().await?;
        Ok(())
    }
}

const HISTORIES: &str = "\
    SELECT e.position, i.kind || '.' || i.id, e.version, e.type, e.body, e.metadata, e.recorded_at \
    FROM (SELECT DISTINCT kind, id FROM unnest($1::text[], $2::text[]) w(kind, id)) w \
    JOIN ids i ON i.kind = w.kind AND i.id = w.id JOIN events e ON e.number = i.number \
    ORDER BY e.number, e.version";

async fn migrate(options: &PgConnectOptions, schema: &str) -> Result<(), OpenError> {
    let mut connection = options.connect().await?;
    let mut transaction = connection.begin().await?;
    sqlx::query(LOCK_OPENING).bind(schema).execute(&mut *transaction).await?;
    sqlx::query(NAME_SCHEMA).bind(schema).execute(&mut *transaction).await?;
    sqlx::raw_sql(CREATE_SCHEMA).execute(&mut *transaction).await?;
    sqlx::query(SET_SCHEMA).bind(schema).execute(&mut *transaction).await?;
    sqlx::raw_sql("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")
        .execute(&mut *transaction)
        .await?;
    let found: i64 = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM schema_version")
        .fetch_one(&mut *transaction)
        .await?;
    for (version, step) in schema::POSTGRES.missing(found)? {
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

/// Errors that are the fault of a value: wrong data, a violated constraint, a limit.
fn failure(error: sqlx::Error) -> Failure {
    let code = error.as_database_error().and_then(|error| error.code());
    let is_data =
        code.is_some_and(|code| ["22", "23", "54"].iter().any(|class| code.starts_with(class)));
    if is_data { Failure::Data(error.into()) } else { Failure::Broken(error.into()) }
}
