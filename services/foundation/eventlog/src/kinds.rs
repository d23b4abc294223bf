//! What a service keeps in its log, listed once: for rebuild and verify.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::marker::PhantomData;
use std::sync::Arc;

use contracts::Event as _;
use contracts::common::{EventMetadata, RecordedEvent};
use prost::Message as _;

use crate::{
    Key, LogError, Projection, Recorded,
    plan::KeyLine,
    projection::ProjectedRow,
    transact::{damaged, key_changes, sorted_keys},
};

/// The aggregates and projections of one service.
///
/// ```ignore
/// Kinds::new().aggregate::<Order>().projection::<Daily>()
/// ```
#[derive(Clone, Default)]
pub struct Kinds {
    pub(crate) aggregates: BTreeMap<&'static str, Arc<dyn AggregateKind>>,
    pub(crate) projections: BTreeMap<&'static str, Arc<dyn ProjectionKind>>,
}

impl Kinds {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an aggregate.
    #[must_use]
    pub fn aggregate<A: Recorded>(mut self) -> Self {
        self.aggregates.insert(A::KIND, Arc::new(OfAggregate::<A>(PhantomData)));
        self
    }

    /// Adds a projection.
    #[must_use]
    pub fn projection<P: Projection>(mut self) -> Self {
        self.projections.insert(P::NAME, Arc::new(OfProjection::<P>(PhantomData)));
        self
    }
}

impl std::fmt::Debug for Kinds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kinds")
            .field("aggregates", &self.aggregates.keys())
            .field("projections", &self.projections.keys())
            .finish()
    }
}

/// A row as a fold of the log gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoldedRow {
    pub(crate) id: String,
    pub(crate) version: u64,
    pub(crate) body: Vec<u8>,
    /// Sorted, without repeats.
    pub(crate) keys: Vec<Key>,
}

/// A folded row to store, and the keys that an earlier fold of it had stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowChange {
    pub(crate) kind: &'static str,
    /// 0 for a row of a projection, until it is looked up.
    pub(crate) number: u64,
    pub(crate) row: FoldedRow,
    /// Sorted; those that the row has no more.
    pub(crate) keys_removed: Vec<Key>,
}

/// An event as its stream holds it: what a row is folded from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StreamEvent<'a> {
    pub(crate) version: u64,
    pub(crate) type_name: &'a str,
    pub(crate) body: &'a [u8],
    pub(crate) metadata: &'a [u8],
}

/// An aggregate whose type the caller need not know.
pub(crate) trait AggregateKind: Send + Sync {
    /// The row that a whole stream leads to.
    fn fold(&self, id: &str, events: &[StreamEvent<'_>]) -> Result<FoldedRow, LogError>;
}

struct OfAggregate<A>(PhantomData<fn() -> A>);

impl<A: Recorded> AggregateKind for OfAggregate<A> {
    fn fold(&self, id: &str, events: &[StreamEvent<'_>]) -> Result<FoldedRow, LogError> {
        let stream = || crate::stream_name(A::KIND, id);
        let mut row = A::Row::default();
        let mut version = 0;
        for recorded in events {
            version += 1;
            if recorded.version != version {
                return Err(LogError::Gap {
                    what: format!("stream {}", stream()),
                    expected: version,
                    found: recorded.version,
                });
            }
            let event = A::Event::decode_body(recorded.type_name, recorded.body)
                .map_err(|source| damaged(&stream(), version, source))?;
            let metadata = EventMetadata::decode(recorded.metadata).map_err(|_| {
                LogError::Corrupt(format!("the metadata of event {version} of {}", stream()))
            })?;
            A::apply(&mut row, &event, &metadata, version);
        }
        let keys = if version == 0 { Vec::new() } else { sorted_keys::<A>(&row) };
        Ok(FoldedRow { id: id.to_owned(), version, body: row.encode_to_vec(), keys })
    }
}

/// A projection whose type the caller need not know.
pub(crate) trait ProjectionKind: Send + Sync {
    /// Begins with no rows.
    fn begin(&self) -> Box<dyn ProjectionFold>;
}

/// A projection on its way through the log, all of its rows in memory.
pub(crate) trait ProjectionFold: Send {
    /// Takes in the next event of the log.
    fn take_in(&mut self, event: &RecordedEvent);
    /// The rows that have changed since this was called last, by id.
    fn take_changes(&mut self) -> Vec<RowChange>;
    /// How many rows there are.
    fn count(&self) -> u64;
}

struct OfProjection<P>(PhantomData<fn() -> P>);

impl<P: Projection> ProjectionKind for OfProjection<P> {
    fn begin(&self) -> Box<dyn ProjectionFold> {
        Box::new(Folding::<P> {
            rows: HashMap::new(),
            taken: HashMap::new(),
            dirty: BTreeSet::new(),
        })
    }
}

struct Folding<P: Projection> {
    rows: HashMap<String, ProjectedRow<P>>,
    /// The keys of each row when it was taken last.
    taken: HashMap<String, Vec<Key>>,
    dirty: BTreeSet<String>,
}

impl<P: Projection> ProjectionFold for Folding<P> {
    fn take_in(&mut self, event: &RecordedEvent) {
        for (id, fact) in P::facts(event) {
            if !self.dirty.contains(&id) {
                self.dirty.insert(id.clone());
            }
            self.rows.entry(id).or_default().take_in(fact, event.position);
        }
    }

    fn take_changes(&mut self) -> Vec<RowChange> {
        let mut changes = Vec::with_capacity(self.dirty.len());
        for id in std::mem::take(&mut self.dirty) {
            let Some(row) = self.rows.get(&id) else { continue };
            let keys = row.keys();
            let before = self.taken.insert(id.clone(), keys.clone()).unwrap_or_default();
            let (keys_removed, _) = key_changes(&before, &keys);
            let body = row.row.encode_to_vec();
            let row = FoldedRow { id, version: row.version, body, keys };
            changes.push(RowChange { kind: P::NAME, number: 0, row, keys_removed });
        }
        changes
    }

    fn count(&self) -> u64 {
        self.rows.len() as u64
    }
}

impl RowChange {
    /// All keys that go, as table lines.
    pub(crate) fn lines_removed(changes: &[Self]) -> Vec<KeyLine<'_>> {
        changes.iter().flat_map(|change| change.lines(&change.keys_removed)).collect()
    }

    /// All keys that are there from now on, as table lines.
    pub(crate) fn lines_added(changes: &[Self]) -> Vec<KeyLine<'_>> {
        let mut lines: Vec<_> =
            changes.iter().flat_map(|change| change.lines(&change.row.keys)).collect();
        // neighbours in the table, so that a page is found once for many of them
        lines.sort_unstable();
        lines
    }

    fn lines<'a>(&'a self, keys: &'a [Key]) -> impl Iterator<Item = KeyLine<'a>> {
        keys.iter().map(|key| KeyLine {
            kind: self.kind,
            key: key.key,
            value: &key.value,
            number: self.number,
        })
    }
}
