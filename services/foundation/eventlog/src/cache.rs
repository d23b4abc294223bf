//! Aggregates kept in memory, folded and ready to decide.
//!
//! Invariants:
//! - an entry is the fold of its stream up to its version, as of commits that are on disk or on
//!   their way to it; those on their way belong to the entry's [`Lineage`];
//! - when one commit of a lineage falls, all that were built on it fall, and the entry is not used
//!   again;
//! - whoever works on an entry takes it out and puts the result back: a future that is dropped in
//!   between leaves nothing behind, and the next one folds the stream again.

use std::any::Any;
use std::sync::{Arc, Mutex};

use lru::LruCache;

use crate::{Key, Recorded, job::Lineage, lock};

/// How many busy aggregates are passed over to find one that can be thrown out.
const PASSED_OVER: usize = 16;

/// One aggregate in memory.
pub(crate) struct Entry<A: Recorded> {
    pub(crate) state: A,
    pub(crate) row: Arc<A::Row>,
    pub(crate) version: u64,
    /// Sorted, without repeats.
    pub(crate) keys: Vec<Key>,
    pub(crate) lineage: Lineage,
    /// Set until the first change: see [`crate::commit::Append`].
    pub(crate) as_of: Option<u64>,
}

impl<A: Recorded> Clone for Entry<A> {
    fn clone(&self) -> Self {
        Self {
            state: self.state.clone(),
            row: Arc::clone(&self.row),
            version: self.version,
            keys: self.keys.clone(),
            lineage: self.lineage.clone(),
            as_of: self.as_of,
        }
    }
}

/// Place of one aggregate; its lock puts the commands on it in order.
pub(crate) type Slot<A> = tokio::sync::Mutex<Option<Entry<A>>>;

/// All places.
pub(crate) struct Cache {
    slots: Mutex<LruCache<String, Arc<dyn Any + Send + Sync>>>,
    capacity: usize,
}

impl Cache {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { slots: Mutex::new(LruCache::unbounded()), capacity }
    }

    /// The place of a stream; makes one, and room for it.
    pub(crate) fn slot<A: Recorded>(&self, stream: &str) -> Arc<Slot<A>> {
        let mut slots = lock(&self.slots);
        if let Some(found) = slots.get(stream)
            && let Ok(slot) = Arc::clone(found).downcast::<Slot<A>>()
        {
            return slot;
        }
        let slot = Arc::new(Slot::<A>::new(None));
        slots.put(stream.to_owned(), Arc::clone(&slot) as _);
        // Busy places stay: two places for one stream would make its callers fight. So there may
        // be a few more than the capacity, never more than there are callers.
        for _ in 0..PASSED_OVER {
            if slots.len() <= self.capacity {
                break;
            }
            let Some((name, oldest)) = slots.pop_lru() else { break };
            if Arc::strong_count(&oldest) > 1 {
                slots.put(name, oldest);
            }
        }
        slot
    }
}
