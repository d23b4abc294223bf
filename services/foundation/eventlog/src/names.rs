//! Which streams the log cannot hold: most new aggregates need no look into the database.
//!
//! A Bloom filter over the names of all streams. Of a name that was never written it may say
//! "perhaps", of one that was it never says "no".
//!
//! Invariant: when a name is absent as of a position, it has no event up to that position. The filter
//! knows what this process has written from its writer, and what others have written from the database;
//! it says nothing while others may have written what it has not read.

use std::sync::RwLock;
use std::time::Duration;

use fastbloom::BloomFilter;
use tokio::sync::Notify;

use crate::{LogError, engine::Engine};

/// Names a filter is made for, at least: 1.2 MiB.
const CAPACITY: usize = 1 << 20;

/// One name in a hundred that was never written is looked up all the same.
const FALSE_POSITIVES: f64 = 0.01;

/// Names read at once.
const PAGE: usize = 4_096;

/// How long names that others have written may wait: each of their commits brings some.
const PAUSE: Duration = Duration::from_secs(1);

/// The names that a log holds.
pub(crate) struct Names {
    known: RwLock<Known>,
    /// There are names on disk that are not known here, or too many for the filter.
    wants_reading: Notify,
}

struct Known {
    filter: BloomFilter,
    count: usize,
    capacity: usize,
    /// Names with numbers up to this one were read from the database,
    read_number: u64,
    /// when the log had reached this position.
    read_to: Option<u64>,
    /// From this position on
    ours_since: u64,
    /// to this one only this process has written.
    ours_to: u64,
}

impl Known {
    fn new(capacity: usize, last_position: u64) -> Self {
        Self {
            filter: BloomFilter::with_false_pos(FALSE_POSITIVES).expected_items(capacity),
            count: 0,
            capacity,
            read_number: 0,
            read_to: None,
            ours_since: last_position,
            ours_to: last_position,
        }
    }

    /// Every name that has an event up to this position is in the filter.
    fn complete_to(&self) -> Option<u64> {
        self.read_to.filter(|read_to| *read_to >= self.ours_since).map(|to| to.max(self.ours_to))
    }

    fn insert(&mut self, name: &str) {
        self.filter.insert(name);
        self.count += 1;
    }
}

impl Names {
    /// Of a log that has reached this position; nothing is known of it yet.
    pub(crate) fn new(last_position: u64) -> Self {
        Self::with_capacity(CAPACITY, last_position)
    }

    fn with_capacity(capacity: usize, last_position: u64) -> Self {
        Self {
            known: RwLock::new(Known::new(capacity, last_position)),
            wants_reading: Notify::new(),
        }
    }

    /// The position up to which the stream has certainly no event; `None` when it may have some.
    pub(crate) fn absent(&self, stream: &str) -> Option<u64> {
        let known = self.known.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.complete_to().filter(|_| !known.filter.contains(stream))
    }

    /// This process has written from one position to another; these names are new.
    pub(crate) fn written(&self, from: u64, to: u64, new: impl Iterator<Item = impl AsRef<str>>) {
        let mut known = self.write();
        let others_wrote = known.ours_to != from;
        if others_wrote {
            known.ours_since = from;
        }
        known.ours_to = to;
        new.for_each(|name| known.insert(name.as_ref()));
        if others_wrote || known.count > known.capacity {
            self.wants_reading.notify_one();
        }
    }

    /// Reads what is on disk and not known here, again and again.
    pub(crate) async fn keep(&self, engine: &Engine) {
        loop {
            if let Err(error) = self.read(engine).await {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "the names of the streams could not be read"
                );
                self.wants_reading.notify_one();
            }
            tokio::time::sleep(PAUSE).await;
            self.wants_reading.notified().await;
        }
    }

    async fn read(&self, engine: &Engine) -> Result<(), LogError> {
        {
            let mut known = self.write();
            if known.count > known.capacity {
                let (capacity, since, to) = (known.count * 2, known.ours_since, known.ours_to);
                *known = Known { ours_since: since, ..Known::new(capacity, to) };
            }
        }
        // before the names: those of all events up to here are among them
        let position = engine.last_position().await?;
        loop {
            let after = self.write().read_number;
            let page = engine.names_after(after, PAGE).await?;
            let mut known = self.write();
            for (number, name) in &page {
                known.insert(name);
                known.read_number = *number;
            }
            if page.len() < PAGE {
                known.read_to = Some(position);
                return Ok(());
            }
        }
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Known> {
        // names are only ever added: what a panicked holder has left is right
        self.known.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(names: &Names, to: u64) {
        names.write().read_to = Some(to);
    }

    #[test]
    fn nothing_is_absent_before_the_database_was_read() {
        let names = Names::new(10);
        assert_eq!(names.absent("order.1"), None);
        read(&names, 10);
        assert_eq!(names.absent("order.1"), Some(10));
        names.written(10, 12, ["order.1"].iter());
        assert_eq!((names.absent("order.1"), names.absent("order.2")), (None, Some(12)));
    }

    #[test]
    fn what_is_written_while_the_database_is_read_counts_as_well() {
        let names = Names::new(10);
        names.written(10, 12, ["order.1"].iter());
        read(&names, 10);
        assert_eq!((names.absent("order.1"), names.absent("order.2")), (None, Some(12)));
    }

    #[test]
    fn nothing_is_absent_while_others_may_have_written_it() {
        let names = Names::new(10);
        read(&names, 10);
        // somebody wrote 11 to 14
        names.written(14, 15, ["order.1"].iter());
        assert_eq!(names.absent("order.2"), None);
        read(&names, 13);
        assert_eq!(names.absent("order.2"), None);
        read(&names, 14);
        assert_eq!(names.absent("order.2"), Some(15));
    }

    #[tokio::test]
    async fn a_filter_that_is_full_is_made_anew_and_forgets_no_name() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("log.db").display());
        let engine = Engine::open(&crate::LogOptions::new("names", url)).await.unwrap();
        let names = Names::with_capacity(2, 0);
        names.read(&engine).await.unwrap();
        names.written(0, 3, ["order.1", "order.2", "order.3"].iter());
        names.read(&engine).await.unwrap();
        let known = names.write();
        // they were not on disk, and the new filter was read from there
        assert_eq!((known.capacity, known.count, known.complete_to()), (6, 0, Some(3)));
    }
}
