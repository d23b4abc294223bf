//! What an aggregate must say about itself to live in the log.

use std::sync::Arc;

use contracts::common::EventMetadata;
use jiff::Timestamp;

/// One look-up key of a row: listings go by it, in the order of its bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Name of the key: `"status"`, `"placed_at"`.
    pub key: &'static str,
    /// Value, compared byte by byte; at most 1,024 bytes, without NUL.
    pub value: String,
}

impl Key {
    /// A key and its value.
    #[must_use]
    pub fn new(key: &'static str, value: impl Into<String>) -> Self {
        Self { key, value: value.into() }
    }
}

/// An aggregate that the log can hold, with the row that the API shows of it.
///
/// `apply` and `keys` are functions of their arguments alone: a rebuild must give the same bytes.
pub trait Recorded:
    decider::Aggregate<Event: contracts::Event> + Clone + Send + Sync + 'static
{
    /// First part of the stream's name, `"order"`: the stream is `<KIND>.<id>`. No dot in it.
    const KIND: &'static str;

    /// The API's own message; its encoding must not depend on a hash map's order.
    type Row: prost::Message + Default + Clone + 'static;

    /// Takes one event into the row. `version` is that of the aggregate after the event.
    fn apply(row: &mut Self::Row, event: &Self::Event, meta: &EventMetadata, version: u64);

    /// The look-up keys of a row; order and repeats do not matter.
    fn keys(row: &Self::Row) -> Vec<Key>;
}

/// Name of an aggregate's stream.
#[must_use]
pub fn stream_name(kind: &str, id: &str) -> String {
    let mut name = String::with_capacity(kind.len() + id.len() + 1);
    name.push_str(kind);
    name.push('.');
    name.push_str(id);
    name
}

/// Kind and id of a stream; a kind has no dot in it.
pub(crate) fn kind_and_id(stream: &str) -> (&str, &str) {
    stream.split_once('.').unwrap_or((stream, ""))
}

/// Who acts, for whom, because of what, and when: what a command carries into the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Who acts: a platform key's name, an operator's name, or a service's name.
    pub actor: String,
    /// Platform on whose behalf; empty for the supplier's own acts.
    pub platform: String,
    /// The request's id, or `<stream>/<position>` of the event reacted to.
    pub causation: String,
    /// W3C trace context.
    pub traceparent: String,
    /// The moment the command was taken in.
    pub now: Timestamp,
}

impl Context {
    /// The same, as events carry it.
    #[must_use]
    pub fn metadata(&self) -> EventMetadata {
        EventMetadata {
            actor: self.actor.clone(),
            platform: self.platform.clone(),
            causation: self.causation.clone(),
            traceparent: self.traceparent.clone(),
            commanded_at: Some(crate::time::to_proto(self.now)),
        }
    }
}

/// Whether a command did something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It recorded events.
    Executed,
    /// It had happened before.
    AlreadyApplied,
}

/// A command that happened; it is on disk.
#[derive(Debug, Clone)]
pub struct Transacted<A: Recorded> {
    /// Whether this call did it, or an earlier one.
    pub outcome: Outcome,
    /// Version of the aggregate after the command.
    pub version: u64,
    /// Position of the last event recorded by this call.
    pub position: Option<u64>,
    /// The aggregate's row after the command.
    pub row: Arc<A::Row>,
}

/// An aggregate as its stream tells it.
#[derive(Debug, Clone)]
pub struct Loaded<A: Recorded> {
    /// What decisions read.
    pub state: A,
    /// What the API shows.
    pub row: Arc<A::Row>,
    /// Number of events; 0 when there is no such aggregate.
    pub version: u64,
}
