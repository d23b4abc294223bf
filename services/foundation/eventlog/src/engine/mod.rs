//! The two databases behind one face. All SQL of the product is here.
//!
//! Invariants: every statement is a constant text (or repeats one a constant number of times), and
//! values are bound; whoever writes events holds the log's lock for the whole transaction.

mod fresh;
mod packed;
mod postgres;
mod read;
mod scan;
mod schema;
mod sqlite;

use std::collections::HashMap;
use std::sync::Arc;

use contracts::common::RecordedEvent;

use crate::{
    Listing, LogError, LogOptions, OpenError, Parked, StoredRow,
    listing::Place,
    plan::{Batch, Heads, Wanted},
    writer::Failure,
};

pub(crate) use fresh::Fresh;
pub(crate) use packed::{Packed, PackedStream};
pub(crate) use scan::{NumberedRow, Range, Scan, StoredKey};

/// An open database.
#[derive(Clone)]
pub(crate) enum Engine {
    Sqlite(sqlite::Database),
    Postgres(postgres::Database),
}

/// Calls the engine that is there.
macro_rules! either {
    ($engine:expr, $database:ident => $call:expr) => {
        match $engine {
            Engine::Sqlite($database) => $call,
            Engine::Postgres($database) => $call,
        }
    };
}

/// Whether a log could lie at this URL; asks no database.
///
/// # Errors
/// It is the URL of neither engine, or cannot be read.
pub fn check_url(url: &str) -> Result<(), OpenError> {
    use std::str::FromStr as _;
    let read = if url.starts_with("sqlite:") {
        sqlx::sqlite::SqliteConnectOptions::from_str(url).map(drop)
    } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        sqlx::postgres::PgConnectOptions::from_str(url).map(drop)
    } else {
        return Err(OpenError::Url);
    };
    read.map_err(OpenError::UrlDetails)
}

impl Engine {
    pub(crate) async fn open(options: &LogOptions) -> Result<Self, OpenError> {
        let url = options.url.as_str();
        if url.starts_with("sqlite:") {
            Ok(Self::Sqlite(sqlite::Database::open(options).await?))
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Ok(Self::Postgres(postgres::Database::open(options).await?))
        } else {
            Err(OpenError::Url)
        }
    }

    /// A connection that may write.
    pub(crate) async fn writer(&self) -> Result<WriterConnection, sqlx::Error> {
        Ok(match self {
            Self::Sqlite(database) => WriterConnection::Sqlite(database.writer().await?),
            Self::Postgres(database) => WriterConnection::Postgres(database.writer().await?),
        })
    }

    pub(crate) async fn close(&self) {
        either!(self, database => database.readers.close().await);
    }

    pub(crate) async fn last_position(&self) -> Result<u64, LogError> {
        either!(self, database => database.last_position().await)
    }

    pub(crate) async fn read_after(
        &self,
        position: u64,
        limit: usize,
    ) -> Result<Vec<Arc<RecordedEvent>>, LogError> {
        either!(self, database => database.read_after(position, limit).await)
    }

    /// Up to `limit` streams and rows with numbers after this one, by number.
    pub(crate) async fn names_after(
        &self,
        number: u64,
        limit: usize,
    ) -> Result<Vec<(u64, String)>, LogError> {
        either!(self, database => database.names_after(number, limit).await)
    }

    pub(crate) async fn history(&self, stream: &str) -> Result<Vec<RecordedEvent>, LogError> {
        either!(self, database => database.history(stream).await)
    }

    /// The events of several streams, each in order; a list for each name, in their order.
    pub(crate) async fn histories(
        &self,
        streams: &[String],
    ) -> Result<Vec<Vec<RecordedEvent>>, LogError> {
        if let [stream] = streams {
            return Ok(vec![self.history(stream).await?]);
        }
        let events = match self {
            Self::Sqlite(database) => database.histories(streams).await?,
            Self::Postgres(database) => database.histories(streams).await?,
        };
        let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
        for (place, stream) in streams.iter().enumerate() {
            places.entry(stream).or_default().push(place);
        }
        let mut histories = vec![Vec::new(); streams.len()];
        for event in events {
            // asked for twice: answered twice
            let Some((last, others)) =
                places.get(event.stream.as_str()).and_then(|places| places.split_last())
            else {
                continue;
            };
            for place in others {
                histories[*place].push(event.clone());
            }
            histories[*last].push(event);
        }
        Ok(histories)
    }

    pub(crate) async fn get_row(
        &self,
        kind: &str,
        id: &str,
    ) -> Result<Option<StoredRow>, LogError> {
        either!(self, database => database.get_row(kind, id).await)
    }

    pub(crate) async fn list(
        &self,
        query: &Listing,
        low: &Place,
        high: Option<&Place>,
        limit: usize,
    ) -> Result<Vec<(Place, StoredRow)>, LogError> {
        either!(self, database => database.list(query, low, high, limit).await)
    }

    pub(crate) async fn cursor(&self, source: &str) -> Result<u64, LogError> {
        either!(self, database => database.cursor(source).await)
    }

    pub(crate) async fn parked(
        &self,
        source: Option<&str>,
        after: &(String, u64),
        limit: usize,
    ) -> Result<Vec<Parked>, LogError> {
        either!(self, database => database.parked(source, after, limit).await)
    }

    /// A person's key, and whether it was erased; `None` when there has never been one.
    pub(crate) async fn person_key(&self, person: &str) -> Result<Option<PersonKey>, LogError> {
        either!(self, database => database.person_key(person).await)
    }

    /// Wipes what an erased key leaves behind in the database's own files, as far as it can.
    pub(crate) async fn scrub(&self) -> Result<(), LogError> {
        either!(self, database => database.scrub().await)
    }
}

/// What the database knows of a person's key.
pub(crate) enum PersonKey {
    Present(Vec<u8>),
    Erased,
}

/// The writer's own connection.
pub(crate) enum WriterConnection {
    Sqlite(sqlite::Writer),
    Postgres(postgres::Writer),
}

macro_rules! either_writer {
    ($engine:expr, $writer:ident => $call:expr) => {
        match $engine {
            WriterConnection::Sqlite($writer) => $call,
            WriterConnection::Postgres($writer) => $call,
        }
    };
}

impl WriterConnection {
    /// Begins a transaction, takes the log's lock, and reads what is on disk.
    pub(crate) async fn begin(&mut self, wanted: &Wanted) -> Result<Heads, Failure> {
        either_writer!(self, writer => writer.begin(wanted).await)
    }

    /// Reads what is on disk once more, in the transaction that is open.
    pub(crate) async fn heads(&mut self, wanted: &Wanted) -> Result<Heads, Failure> {
        either_writer!(self, writer => writer.heads(wanted).await)
    }

    pub(crate) async fn write_events(&mut self, batch: &Batch<'_>) -> Result<(), Failure> {
        either_writer!(self, writer => writer.write_events(batch).await)
    }

    pub(crate) async fn write_rest(&mut self, batch: &Batch<'_>) -> Result<(), Failure> {
        either_writer!(self, writer => writer.write_rest(batch).await)
    }

    /// Makes it last.
    pub(crate) async fn commit(&mut self) -> Result<(), Failure> {
        either_writer!(self, writer => writer.commit().await)
    }

    /// Ends the transaction without a trace; none need be open.
    pub(crate) async fn rollback(&mut self) -> Result<(), Failure> {
        either_writer!(self, writer => writer.rollback().await)
    }

    pub(crate) async fn close(self) {
        either_writer!(self, writer => writer.close().await);
    }
}

/// The database's signed numbers; counts of ours never come near the end.
pub(crate) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Back from the database's signed numbers.
pub(crate) fn uint(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
