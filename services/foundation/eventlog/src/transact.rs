//! One command on one aggregate: load, decide, append, answer.
//!
//! Callers on the same aggregate decide one after the other, but do not wait for each other's
//! disk: the next one decides on what the one before has submitted. If that falls, all that was
//! built on it falls with it and is decided again. A decision that records nothing, and a refusal,
//! are therefore checked by the writer like any other commit, unless they were made on a state
//! that was just read from disk.

use std::sync::Arc;
use std::time::Duration;

use contracts::Event as _;
use contracts::common::EventMetadata;
use decider::Decision;

use crate::{
    Commit, CommitError, Context, Key, Loaded, Log, LogError, NewEvent, Outcome, Recorded,
    RowWrite, TransactError, Transacted,
    cache::{Entry, Slot},
    commit::Append,
    job::Lineage,
    stream_name,
};

/// How often a command is decided again when others change its aggregate under it.
pub const ATTEMPTS: u32 = 8;

impl Log {
    /// Decides on the aggregate's state, and records what was decided.
    ///
    /// `decide` may be called several times: its answer must follow from the state it is given.
    /// An answer means that everything it rests on is on disk. When the future is dropped, the
    /// command may have happened or not.
    ///
    /// # Errors
    /// The domain refuses, the aggregate changes too fast, or the log is broken.
    pub async fn transact<A: Recorded, R>(
        &self,
        id: &str,
        context: &Context,
        mut decide: impl FnMut(&A) -> Decision<A::Event, R> + Send,
    ) -> Result<Transacted<A>, TransactError<R>> {
        let stream = stream_name(A::KIND, id);
        let slot = self.shared.cache.slot::<A>(&stream);
        let metadata = context.metadata();
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                back_off(attempt).await;
            }
            let deciding = self.shared.deciding.begin();
            let mut place = slot.lock().await;
            // taken out: if this future is dropped from here on, the entry is gone, not wrong
            let (mut entry, fresh) = match place.take() {
                Some(entry) if !entry.lineage.has_fallen() => (entry, false),
                Some(_) | None => match self.shared.names.absent(&stream) {
                    // not looked up, so that others may have written it just now
                    Some(as_of) if attempt == 0 => (new_entry(id, as_of)?, false),
                    Some(_) | None => (self.fold::<A>(id, &stream).await?, true),
                },
            };
            let (commit, verdict) = match decide(&entry.state) {
                Ok(events) if events.is_empty() => (
                    Commit::new().append(stream.clone(), entry.version, Vec::new()),
                    Verdict::Nothing,
                ),
                Ok(events) => {
                    let change = entry.take_in(id, &stream, events, &metadata);
                    (change, Verdict::Events)
                }
                Err(refusal) => (
                    Commit::new().append(stream.clone(), entry.version, Vec::new()),
                    Verdict::Refusal(refusal),
                ),
            };
            let (row, version) = (Arc::clone(&entry.row), entry.version);
            let lineage = entry.lineage.clone();
            let ack = if fresh && !matches!(verdict, Verdict::Events) {
                None // read from disk a moment ago: nothing to check
            } else {
                match self.submit(commit, vec![lineage.clone()]).await {
                    Ok(ack) => Some(ack),
                    // refused before the writer: the entry may hold events that will never be
                    Err(error) => return Err(broken(error)),
                }
            };
            *place = Some(entry);
            drop(place);
            drop(deciding);
            let position = match ack {
                None => None,
                Some(ack) => match ack.await.unwrap_or(Err(LogError::Closed.into())) {
                    Ok(committed) => committed.position,
                    Err(CommitError::Conflict { .. }) => continue,
                    Err(error) => {
                        lineage.fall();
                        return Err(broken(error));
                    }
                },
            };
            let outcome = match verdict {
                Verdict::Events => Outcome::Executed,
                Verdict::Nothing => Outcome::AlreadyApplied,
                Verdict::Refusal(refusal) => return Err(TransactError::Refused(refusal)),
            };
            return Ok(Transacted { outcome, version, position, row });
        }
        Err(TransactError::Conflict)
    }

    /// The aggregate as its stream tells it now.
    ///
    /// # Errors
    /// The database fails, or an event cannot be read.
    pub async fn load<A: Recorded>(&self, id: &str) -> Result<Loaded<A>, LogError> {
        let entry = self.fold::<A>(id, &stream_name(A::KIND, id)).await?;
        Ok(Loaded { state: entry.state, row: entry.row, version: entry.version })
    }

    /// The entry as it is in memory, or else as the stream tells it; leaves it where it is.
    pub(crate) async fn entry<A: Recorded>(
        &self,
        slot: &Slot<A>,
        id: &str,
        stream: &str,
    ) -> Result<Entry<A>, LogError> {
        let mut place = slot.lock().await;
        if let Some(entry) = place.as_ref().filter(|entry| !entry.lineage.has_fallen()) {
            return Ok(entry.clone());
        }
        let entry = self.fold::<A>(id, stream).await?;
        *place = Some(entry.clone());
        Ok(entry)
    }

    async fn fold<A: Recorded>(&self, id: &str, stream: &str) -> Result<Entry<A>, LogError> {
        // before the stream is read: what is read is at least as new
        let mut entry = new_entry::<A>(id, self.shared.tail.last())?;
        let row = Arc::make_mut(&mut entry.row);
        for recorded in self.shared.loader.load(stream).await? {
            entry.version += 1;
            if recorded.version != entry.version {
                return Err(LogError::Gap {
                    what: format!("stream {stream}"),
                    expected: entry.version,
                    found: recorded.version,
                });
            }
            let event = A::Event::decode_body(&recorded.r#type, &recorded.body)
                .map_err(|source| damaged(stream, recorded.version, source))?;
            let metadata = recorded.metadata.unwrap_or_default();
            A::apply(row, &event, &metadata, entry.version);
            entry.state = entry.state.evolve(&event);
        }
        entry.keys = if entry.version == 0 { Vec::new() } else { sorted_keys::<A>(row) };
        Ok(entry)
    }
}

/// An aggregate that has not happened, as of a position.
fn new_entry<A: Recorded>(id: &str, as_of: u64) -> Result<Entry<A>, LogError> {
    check_id(A::KIND, id)?;
    Ok(Entry {
        state: A::default(),
        row: Arc::new(A::Row::default()),
        version: 0,
        keys: Vec::new(),
        lineage: Lineage::new(),
        as_of: Some(as_of),
    })
}

enum Verdict<R> {
    Events,
    Nothing,
    Refusal(R),
}

impl<A: Recorded> Entry<A> {
    /// Takes the events in, and says what to write for them.
    pub(crate) fn take_in(
        &mut self,
        id: &str,
        stream: &str,
        events: Vec<A::Event>,
        metadata: &EventMetadata,
    ) -> Commit {
        let before = self.version;
        let mut new = Vec::with_capacity(events.len());
        let mut state = std::mem::take(&mut self.state);
        let row = Arc::make_mut(&mut self.row);
        for event in &events {
            self.version += 1;
            A::apply(row, event, metadata, self.version);
            state = state.evolve(event);
            new.push(NewEvent {
                type_name: event.type_name().into(),
                body: event.encode_body().into(),
                metadata: metadata.clone(),
            });
        }
        self.state = state;
        let keys = sorted_keys::<A>(row);
        let (keys_removed, keys_added) = key_changes(&self.keys, &keys);
        self.keys = keys;
        let row = RowWrite {
            kind: A::KIND.into(),
            id: id.to_owned(),
            version: self.version,
            body: prost::Message::encode_to_vec(&*self.row).into(),
            keys_removed,
            keys_added,
        };
        let as_of = self.as_of.take();
        let append = Append { stream: stream.to_owned(), expected: before, events: new, as_of };
        Commit { appends: vec![append], rows: vec![row], ..Commit::default() }
    }
}

/// The keys of a row as a sorted set.
pub(crate) fn sorted_keys<A: Recorded>(row: &A::Row) -> Vec<Key> {
    sorted(A::keys(row))
}

pub(crate) fn sorted(mut keys: Vec<Key>) -> Vec<Key> {
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// What leaves and what comes, between two sorted sets.
pub(crate) fn key_changes(old: &[Key], new: &[Key]) -> (Vec<Key>, Vec<Key>) {
    let leaves = old.iter().filter(|key| new.binary_search(key).is_err()).cloned().collect();
    let comes = new.iter().filter(|key| old.binary_search(key).is_err()).cloned().collect();
    (leaves, comes)
}

fn check_id(kind: &'static str, id: &str) -> Result<(), LogError> {
    let why = if id.is_empty() {
        "is empty"
    } else if id.len() > 256 {
        "is longer than 256 bytes"
    } else if id.contains('\0') {
        "contains NUL"
    } else {
        return Ok(());
    };
    Err(LogError::Invalid { what: format!("the id of the {kind}"), why })
}

pub(crate) fn damaged(stream: &str, version: u64, source: contracts::EventError) -> LogError {
    LogError::Damaged { stream: stream.to_owned(), version, source: Arc::new(source) }
}

fn broken<R>(error: CommitError) -> TransactError<R> {
    match error {
        CommitError::Broken(error) => TransactError::Broken(error),
        // this commit moves no cursor and unparks nothing
        CommitError::Conflict { .. }
        | CommitError::CursorMoved { .. }
        | CommitError::NotParked { .. } => TransactError::Conflict,
    }
}

/// A short wait, longer each time, and not the same for two who collide.
pub(crate) async fn back_off(attempt: u32) {
    let spread = u64::from(uuid::Uuid::now_v7().as_bytes()[15]);
    let most = 200_u64 << attempt.min(7);
    tokio::time::sleep(Duration::from_micros(most * (64 + spread) / 319)).await;
}
