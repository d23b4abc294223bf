//! Several aggregates changed in one commit: what a reaction does.
//!
//! ```text
//! stage ─transact─▶ … ─transact─▶ … ─move_cursor─▶ commit ─▶ all of it, or Conflict: begin anew
//! ```
//!
//! Nothing is seen by others before `commit`; a stage that is dropped has done nothing.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use decider::Decision;
use futures::future::BoxFuture;
use tokio::sync::OwnedMutexGuard;

use crate::{
    Commit, CommitError, Committed, Context, Log, LogError, Outcome, Recorded, RecordedEvent,
    TransactError,
    cache::{Entry, Slot},
    job::Lineage,
    stream_name,
    transact::key_changes,
};

/// What one `transact` of a stage has prepared.
#[derive(Debug, Clone)]
pub struct Staged<A: Recorded> {
    /// Whether it prepared events, or there was nothing to do.
    pub outcome: Outcome,
    /// Version of the aggregate once the stage is committed.
    pub version: u64,
    /// The row once the stage is committed.
    pub row: Arc<A::Row>,
}

/// Changes that wait to be committed together.
pub struct Stage {
    log: Log,
    /// By stream: everybody locks the slots in this order.
    aggregates: BTreeMap<String, Box<dyn Prepared>>,
    commit: Commit,
}

impl Log {
    /// Begins a commit that may change several aggregates.
    #[must_use]
    pub fn stage(&self) -> Stage {
        Stage { log: self.clone(), aggregates: BTreeMap::new(), commit: Commit::new() }
    }
}

impl Stage {
    /// Decides on one aggregate, on top of what this stage has prepared for it. A refusal leaves
    /// the stage as it was.
    ///
    /// # Errors
    /// The domain refuses, or the log is broken.
    pub async fn transact<A: Recorded, R>(
        &mut self,
        id: &str,
        context: &Context,
        decide: impl FnOnce(&A) -> Decision<A::Event, R> + Send,
    ) -> Result<Staged<A>, TransactError<R>> {
        let stream = stream_name(A::KIND, id);
        let working = self.working::<A>(id, &stream).await?;
        let events = decide(&working.entry.state).map_err(TransactError::Refused)?;
        let outcome = if events.is_empty() { Outcome::AlreadyApplied } else { Outcome::Executed };
        if !events.is_empty() {
            let change = working.entry.take_in(id, &stream, events, &context.metadata());
            working.change(change);
        }
        Ok(Staged { outcome, version: working.entry.version, row: Arc::clone(&working.entry.row) })
    }

    /// Reads one aggregate as this stage has prepared it. The commit demands that nobody has changed
    /// it meanwhile, so that other changes of the stage may rest on it.
    ///
    /// # Errors
    /// The log is broken.
    pub async fn read<A: Recorded>(&mut self, id: &str) -> Result<A, LogError> {
        let working = self.working::<A>(id, &stream_name(A::KIND, id)).await?;
        Ok(working.entry.state.clone())
    }

    async fn working<A: Recorded>(
        &mut self,
        id: &str,
        stream: &str,
    ) -> Result<&mut Working<A>, LogError> {
        let working = match self.aggregates.entry(stream.to_owned()) {
            std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::btree_map::Entry::Vacant(free) => {
                let slot = self.log.shared.cache.slot::<A>(stream);
                let entry = self.log.entry::<A>(&slot, id, stream).await?;
                free.insert(Box::new(Working::new(slot, entry)))
            }
        };
        working.as_any().downcast_mut::<Working<A>>().ok_or_else(|| LogError::Invalid {
            what: format!("kind {}", A::KIND),
            why: "names two aggregates",
        })
    }

    /// Moves a cursor in the same commit; it must be at `from` then.
    pub fn move_cursor(&mut self, source: impl Into<String>, from: u64, to: u64) {
        self.commit = std::mem::take(&mut self.commit).move_cursor(source, from, to);
    }

    /// Parks an event in the same commit.
    pub fn park(
        &mut self,
        source: impl Into<String>,
        event: RecordedEvent,
        reason: impl Into<String>,
    ) {
        self.commit = std::mem::take(&mut self.commit).park(source, event, reason);
    }

    /// Takes away a parked event in the same commit; it must still be there then.
    pub fn unpark(&mut self, source: impl Into<String>, position: u64) {
        self.commit = std::mem::take(&mut self.commit).unpark(source, position);
    }

    /// Gives up what was prepared, and keeps the demand that what was read has not changed: a
    /// refusal that is recorded rests on what was read.
    pub(crate) fn give_up_changes(&mut self) {
        for prepared in self.aggregates.values_mut() {
            prepared.give_up();
        }
    }

    /// Writes all of it or none. After a [`CommitError::Conflict`] the caller begins a new stage
    /// and decides everything again.
    ///
    /// # Errors
    /// An aggregate that the stage has read was changed meanwhile, the cursor has moved, or the
    /// log is broken.
    pub async fn commit(self) -> Result<Committed, CommitError> {
        let Self { log, aggregates, mut commit } = self;
        // always in the order of the streams' names, so that two stages cannot wait for each other
        let mut held = Vec::with_capacity(aggregates.len());
        for (stream, prepared) in &aggregates {
            let place = prepared.hold().await;
            if place.has_moved() {
                return Err(CommitError::Conflict { stream: stream.clone() });
            }
            held.push(place);
        }
        let mut lineages = Vec::with_capacity(held.len());
        for (stream, prepared) in aggregates {
            lineages.push(prepared.write(stream, &mut commit));
        }
        let ack = log.submit(commit, lineages.clone()).await?;
        for place in held {
            place.install();
        }
        let outcome = ack.await.unwrap_or(Err(LogError::Closed.into()));
        if outcome.is_err() {
            lineages.iter().for_each(Lineage::fall);
        }
        outcome
    }
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage").field("streams", &self.aggregates.keys()).finish_non_exhaustive()
    }
}

/// A staged aggregate whose type the stage need not know.
trait Prepared: Send + Sync {
    fn as_any(&mut self) -> &mut dyn Any;
    /// Keeps everybody else off the aggregate.
    fn hold(&self) -> BoxFuture<'_, Box<dyn Held>>;
    /// Forgets the change.
    fn give_up(&mut self);
    /// Adds the change to the commit, or the demand that nothing has changed.
    fn write(self: Box<Self>, stream: String, commit: &mut Commit) -> Lineage;
}

/// The place of a staged aggregate, locked.
trait Held: Send {
    /// Another commit was submitted on the same lineage: this stage would fall for certain.
    fn has_moved(&self) -> bool;
    /// Puts the staged entry in its place.
    fn install(self: Box<Self>);
}

struct Working<A: Recorded> {
    slot: Arc<Slot<A>>,
    base: Entry<A>,
    entry: Entry<A>,
    change: Option<Commit>,
}

impl<A: Recorded> Working<A> {
    fn new(slot: Arc<Slot<A>>, base: Entry<A>) -> Self {
        Self { slot, entry: base.clone(), base, change: None }
    }

    /// Joins a change with the ones before: one append, one row, keys compared with the base.
    fn change(&mut self, mut next: Commit) {
        if let Some(before) = self.change.take() {
            let earlier = before.appends.into_iter().flat_map(|append| append.events);
            if let Some(append) = next.appends.first_mut() {
                append.events.splice(0..0, earlier);
                append.expected = self.base.version;
            }
            if let Some(row) = next.rows.first_mut() {
                (row.keys_removed, row.keys_added) = key_changes(&self.base.keys, &self.entry.keys);
            }
        }
        self.change = Some(next);
    }
}

impl<A: Recorded> Prepared for Working<A> {
    fn as_any(&mut self) -> &mut dyn Any {
        self
    }

    fn hold(&self) -> BoxFuture<'_, Box<dyn Held>> {
        Box::pin(async {
            Box::new(Place {
                place: Arc::clone(&self.slot).lock_owned().await,
                lineage: self.base.lineage.clone(),
                version: self.base.version,
                next: self.entry.clone(),
            }) as Box<dyn Held>
        })
    }

    fn give_up(&mut self) {
        self.entry = self.base.clone();
        self.change = None;
    }

    fn write(self: Box<Self>, stream: String, commit: &mut Commit) -> Lineage {
        match self.change {
            Some(mut change) => {
                commit.appends.append(&mut change.appends);
                commit.rows.append(&mut change.rows);
            }
            None => {
                *commit = std::mem::take(commit).append(stream, self.base.version, Vec::new());
            }
        }
        self.base.lineage
    }
}

struct Place<A: Recorded> {
    place: OwnedMutexGuard<Option<Entry<A>>>,
    lineage: Lineage,
    version: u64,
    next: Entry<A>,
}

impl<A: Recorded> Place<A> {
    fn is_of_this_lineage(&self) -> bool {
        self.place.as_ref().is_some_and(|entry| entry.lineage.is(&self.lineage))
    }
}

impl<A: Recorded> Held for Place<A> {
    fn has_moved(&self) -> bool {
        self.lineage.has_fallen()
            || (self.is_of_this_lineage()
                && self.place.as_ref().is_some_and(|entry| entry.version != self.version))
    }

    fn install(mut self: Box<Self>) {
        if self.is_of_this_lineage() {
            *self.place = Some(self.next);
        }
    }
}
