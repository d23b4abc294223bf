//! Events that no retry will help, put aside for a person to look at.
//!
//! They are parked and taken away in commits ([`Commit::park`], [`Commit::unpark`]), together with
//! the cursor that passes over them, or with what a late retry of them records.

use crate::{Commit, CommitError, Log, LogError, Parked};

/// Entries read at once.
const PAGE: usize = 500;

impl Log {
    /// What is parked, of one source or of all, by source and position; at most `limit` entries
    /// after the given place. Begin with `("", 0)`.
    ///
    /// # Errors
    /// The database fails.
    pub async fn parked(
        &self,
        source: Option<&str>,
        after: (&str, u64),
        limit: usize,
    ) -> Result<Vec<Parked>, LogError> {
        let after = (after.0.to_owned(), after.1);
        self.shared.engine.parked(source, &after, limit.min(PAGE)).await
    }

    /// One parked entry, `None` when it is not there: for a retry of it.
    ///
    /// # Errors
    /// The database fails.
    pub async fn parked_entry(
        &self,
        source: &str,
        position: u64,
    ) -> Result<Option<Parked>, LogError> {
        let before = position.saturating_sub(1);
        let found = self.parked(Some(source), (source, before), 1).await?;
        Ok(found.into_iter().find(|entry| entry.position == position))
    }

    /// Gives a parked entry up.
    ///
    /// # Errors
    /// It is not there, or the log is broken.
    pub async fn drop_parked(&self, source: &str, position: u64) -> Result<(), CommitError> {
        self.commit(Commit::new().unpark(source, position)).await?;
        Ok(())
    }
}
