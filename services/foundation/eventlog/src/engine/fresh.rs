//! The tables that a rebuild fills, and the moment they take the place of the old ones.

use super::{Engine, postgres, sqlite};
use crate::{LogError, kinds::RowChange};

/// Fresh tables, and the only connection that writes to them.
pub(crate) enum Fresh {
    Sqlite(sqlite::Fresh),
    Postgres(postgres::Fresh),
}

macro_rules! either_fresh {
    ($fresh:expr, $inner:ident => $call:expr) => {
        match $fresh {
            Fresh::Sqlite($inner) => $call,
            Fresh::Postgres($inner) => $call,
        }
    };
}

impl Engine {
    /// Makes the fresh tables; `None` while another rebuild of this log is under way.
    pub(crate) async fn fresh(&self) -> Result<Option<Fresh>, LogError> {
        Ok(match self {
            Self::Sqlite(database) => sqlite::Fresh::create(database).await?.map(Fresh::Sqlite),
            Self::Postgres(database) => {
                postgres::Fresh::create(database).await?.map(Fresh::Postgres)
            }
        })
    }
}

impl Fresh {
    /// Gives rows of projections their numbers, new ones if need be.
    pub(crate) async fn number(&mut self, changes: &mut [RowChange]) -> Result<(), LogError> {
        for some in changes.chunks_mut(4_096) {
            let numbers = either_fresh!(self, fresh => fresh.numbers(some).await)?;
            for (change, number) in some.iter_mut().zip(numbers) {
                change.number = number;
            }
        }
        Ok(())
    }

    /// Writes rows in a transaction of their own, or in that of [`Fresh::lock`].
    pub(crate) async fn write(&mut self, changes: &[RowChange]) -> Result<(), LogError> {
        either_fresh!(self, fresh => fresh.write(changes).await)
    }

    /// From now on a row may be written once more; before, each is written once.
    pub(crate) async fn end_bulk(&mut self) -> Result<(), LogError> {
        either_fresh!(self, fresh => fresh.end_bulk().await)
    }

    /// Stops all writers of the log until [`Fresh::swap`]; tells the last position.
    pub(crate) async fn lock(&mut self) -> Result<u64, LogError> {
        either_fresh!(self, fresh => fresh.lock().await)
    }

    /// Puts the fresh tables in the place of the old ones, sets the cursors of the projections,
    /// and lets the writers go on.
    pub(crate) async fn swap(self, cursors: &[(String, u64)]) -> Result<(), LogError> {
        either_fresh!(self, fresh => fresh.swap(cursors).await)
    }

    /// Throws the fresh tables away.
    pub(crate) async fn discard(self) {
        let result = either_fresh!(self, fresh => fresh.discard().await);
        if let Err(error) = result {
            // the next rebuild begins with throwing them away
            tracing::debug!(error = &error as &dyn std::error::Error, "fresh tables were left");
        }
    }
}

pub(super) const CURSORS_OF_PROJECTIONS: &str =
    "DELETE FROM cursors WHERE source >= 'projection/' AND source < 'projection0'";
