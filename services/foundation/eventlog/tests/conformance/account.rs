//! A tiny aggregate: an account that remembers which operations it has seen.
//!
//! Absent ─open─▶ Open ─deposit, withdraw─▶ Open

use std::collections::BTreeSet;

use contracts::{Event as _, EventError};
use decider::{Aggregate, Decision, emit, unchanged};
use eventlog::{Context, EventMetadata, Key, Kinds, Projection, Recorded, RecordedEvent};
use jiff::Timestamp;
use prost::Message;

/// The account was opened.
#[derive(Clone, PartialEq, Message)]
pub struct Opened {
    #[prost(string, tag = "1")]
    pub owner: String,
}

/// Money came in, or went out when the amount is negative.
#[derive(Clone, PartialEq, Message)]
pub struct Moved {
    #[prost(string, tag = "1")]
    pub operation: String,
    #[prost(int64, tag = "2")]
    pub amount: i64,
    #[prost(bytes = "vec", tag = "3")]
    pub ballast: Vec<u8>,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    Opened(Opened),
    Moved(Moved),
}

impl contracts::Event for Event {
    const TYPES: &'static [&'static str] = &["test.Opened", "test.Moved"];

    fn type_name(&self) -> &'static str {
        match self {
            Self::Opened(_) => "test.Opened",
            Self::Moved(_) => "test.Moved",
        }
    }

    fn encode_body(&self) -> Vec<u8> {
        match self {
            Self::Opened(event) => event.encode_to_vec(),
            Self::Moved(event) => event.encode_to_vec(),
        }
    }

    fn decode_body(type_name: &str, body: &[u8]) -> Result<Self, EventError> {
        match type_name {
            "test.Opened" => Ok(Self::Opened(Message::decode(body)?)),
            "test.Moved" => Ok(Self::Moved(Message::decode(body)?)),
            other => Err(EventError::UnknownType(other.to_owned())),
        }
    }
}

#[derive(Default, Clone, Debug, PartialEq)]
pub enum Account {
    #[default]
    Absent,
    Open {
        balance: i64,
        seen: BTreeSet<String>,
    },
}

impl Aggregate for Account {
    type Event = Event;

    fn evolve(self, event: &Event) -> Self {
        match (self, event) {
            (Self::Absent, Event::Opened(_)) => Self::Open { balance: 0, seen: BTreeSet::new() },
            (Self::Open { balance, mut seen }, Event::Moved(moved)) => {
                seen.insert(moved.operation.clone());
                Self::Open { balance: balance + moved.amount, seen }
            }
            (state, _) => state,
        }
    }
}

#[derive(Debug, PartialEq, Eq, Clone)]
pub enum Rejection {
    NotOpen,
    Overdrawn,
}

impl Account {
    pub fn open(&self, owner: &str) -> Decision<Event, Rejection> {
        match self {
            Self::Absent => emit(Event::Opened(Opened { owner: owner.to_owned() })),
            Self::Open { .. } => unchanged(),
        }
    }

    pub fn shift(&self, operation: &str, amount: i64) -> Decision<Event, Rejection> {
        self.shift_with(operation, amount, Vec::new())
    }

    pub fn shift_with(
        &self,
        operation: &str,
        amount: i64,
        ballast: Vec<u8>,
    ) -> Decision<Event, Rejection> {
        match self {
            Self::Absent => Err(Rejection::NotOpen),
            Self::Open { seen, .. } if seen.contains(operation) => unchanged(),
            Self::Open { balance, .. } if balance + amount < 0 => Err(Rejection::Overdrawn),
            Self::Open { .. } => {
                emit(Event::Moved(Moved { operation: operation.to_owned(), amount, ballast }))
            }
        }
    }

    /// Opens where needed, and moves, in one command.
    pub fn open_and_shift(&self, operation: &str, amount: i64) -> Decision<Event, Rejection> {
        let mut events = self.open("somebody")?;
        let mut state = self.clone();
        for event in &events {
            state = state.evolve(event);
        }
        events.extend(state.shift(operation, amount)?);
        Ok(events)
    }
}

/// What the "API" shows.
#[derive(Clone, PartialEq, Message)]
pub struct AccountRow {
    #[prost(string, tag = "1")]
    pub owner: String,
    #[prost(int64, tag = "2")]
    pub balance: i64,
    #[prost(uint64, tag = "3")]
    pub version: u64,
    #[prost(string, tag = "4")]
    pub last_actor: String,
    #[prost(string, tag = "5")]
    pub last_operation: String,
}

impl Recorded for Account {
    const KIND: &'static str = "account";
    type Row = AccountRow;

    fn apply(row: &mut AccountRow, event: &Event, meta: &EventMetadata, version: u64) {
        match event {
            Event::Opened(opened) => row.owner.clone_from(&opened.owner),
            Event::Moved(moved) => {
                row.balance += moved.amount;
                row.last_operation.clone_from(&moved.operation);
            }
        }
        row.version = version;
        row.last_actor.clone_from(&meta.actor);
    }

    fn keys(row: &AccountRow) -> Vec<Key> {
        vec![
            Key::new("owner", row.owner.clone()),
            Key::new("balance", format!("{:012}", row.balance)),
        ]
    }
}

/// Sum of all movements by the last letter of the operation.
pub struct Totals;

#[derive(Clone, PartialEq, Message)]
pub struct TotalsRow {
    #[prost(int64, tag = "1")]
    pub sum: i64,
    #[prost(uint64, tag = "2")]
    pub count: u64,
}

impl Projection for Totals {
    const NAME: &'static str = "totals";
    type Row = TotalsRow;

    type Fact = i64;

    type Facts = Option<(String, i64)>;

    fn facts(event: &RecordedEvent) -> Self::Facts {
        match Event::decode_body(&event.r#type, &event.body) {
            Ok(Event::Moved(moved)) => Some((moved.operation.chars().last()?.into(), moved.amount)),
            Ok(Event::Opened(_)) | Err(_) => None,
        }
    }

    fn apply(row: &mut TotalsRow, amount: i64) {
        row.sum += amount;
        row.count += 1;
    }

    fn keys(row: &TotalsRow) -> Vec<Key> {
        vec![Key::new("count", format!("{:012}", row.count))]
    }
}

pub fn kinds() -> Kinds {
    Kinds::new().aggregate::<Account>().projection::<Totals>()
}

pub fn context() -> Context {
    Context {
        actor: "tester".to_owned(),
        platform: "platform".to_owned(),
        causation: "request".to_owned(),
        traceparent: String::new(),
        now: Timestamp::UNIX_EPOCH,
    }
}

/// For logs that nobody projects.
pub fn kinds_without_totals() -> Kinds {
    Kinds::new().aggregate::<Account>()
}
