//! Fields of events, by path.

use std::{collections::BTreeSet, sync::LazyLock};

use contracts::pool;
use eventlog::time::from_proto;
use jiff::Timestamp;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};

/// A field that the contract has: `terms.deliver_by`.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    path: String,
    steps: Vec<FieldDescriptor>,
}

/// Why a path names no field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// No such field.
    #[error("{message} has no field {field}")]
    Unknown {
        /// The message.
        message: String,
        /// The field that it lacks.
        field: String,
    },
    /// A list or a map on the way.
    #[error("{0} is a list: a path leads through single fields")]
    List(String),
    /// A field that has no fields, with a path that goes on.
    #[error("{0} has no fields of its own")]
    Scalar(String),
    /// Not a moment.
    #[error("{0} is no google.protobuf.Timestamp")]
    NoTime(String),
    /// Not a value that can be compared or name a case.
    #[error("{0} is no single value")]
    NoValue(String),
}

const TIMESTAMP: &str = "google.protobuf.Timestamp";

impl Field {
    /// Finds a field of a message.
    ///
    /// # Errors
    /// The message has no such field.
    pub fn find(message: &MessageDescriptor, path: &str) -> Result<Self, FieldError> {
        let mut steps: Vec<FieldDescriptor> = Vec::new();
        let mut at = Some(message.clone());
        for name in path.split('.') {
            let Some(message) = at else {
                let before = steps.last().map(|field| field.name().to_owned());
                return Err(FieldError::Scalar(before.unwrap_or_default()));
            };
            let field = message.get_field_by_name(name).ok_or_else(|| FieldError::Unknown {
                message: message.full_name().to_owned(),
                field: name.to_owned(),
            })?;
            if field.is_list() || field.is_map() {
                return Err(FieldError::List(name.to_owned()));
            }
            at = field.kind().as_message().cloned();
            steps.push(field);
        }
        Ok(Self { path: path.to_owned(), steps })
    }

    /// The same, of a field that holds a moment.
    ///
    /// # Errors
    /// There is no such field, or it holds something else.
    pub fn find_time(message: &MessageDescriptor, path: &str) -> Result<Self, FieldError> {
        let field = Self::find(message, path)?;
        match field.kind() {
            Some(Kind::Message(message)) if message.full_name() == TIMESTAMP => Ok(field),
            Some(_) | None => Err(FieldError::NoTime(path.to_owned())),
        }
    }

    /// The same, of a field that holds one value: text, a number, a truth value, an enum.
    ///
    /// # Errors
    /// There is no such field, or it holds a message.
    pub fn find_value(message: &MessageDescriptor, path: &str) -> Result<Self, FieldError> {
        let field = Self::find(message, path)?;
        match field.kind() {
            Some(Kind::Message(_) | Kind::Bytes) | None => {
                Err(FieldError::NoValue(path.to_owned()))
            }
            Some(_) => Ok(field),
        }
    }

    /// What kind of value it holds.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        self.steps.last().map(FieldDescriptor::kind)
    }

    /// Names of the values, when it holds an enum.
    #[must_use]
    pub fn choices(&self) -> Option<Vec<String>> {
        let kind = self.kind()?;
        let choices = kind.as_enum()?;
        Some(choices.values().map(|value| value.name().to_owned()).collect())
    }

    /// Whether it holds a whole number.
    #[must_use]
    pub fn is_number(&self) -> bool {
        matches!(
            self.kind(),
            Some(
                Kind::Int32
                    | Kind::Int64
                    | Kind::Uint32
                    | Kind::Uint64
                    | Kind::Sint32
                    | Kind::Sint64
                    | Kind::Fixed32
                    | Kind::Fixed64
                    | Kind::Sfixed32
                    | Kind::Sfixed64
            )
        )
    }

    fn value(&self, event: &DynamicMessage) -> Option<Value> {
        let mut message = event.clone();
        let (last, before) = self.steps.split_last()?;
        for step in before {
            if !message.has_field(step) {
                return None;
            }
            message = message.get_field(step).as_message()?.clone();
        }
        message.has_field(last).then(|| message.get_field(last).into_owned())
    }

    /// The moment in an event; `None` when the field is empty or out of range.
    #[must_use]
    pub fn time(&self, event: &DynamicMessage) -> Option<Timestamp> {
        let value = self.value(event)?;
        let message = value.as_message()?;
        let seconds = message.get_field_by_name("seconds")?.as_i64()?;
        let nanos = message.get_field_by_name("nanos")?.as_i32()?;
        from_proto(&prost_types::Timestamp { seconds, nanos })
    }

    /// The value in an event as text: enums by name. Empty when the field is.
    #[must_use]
    pub fn text(&self, event: &DynamicMessage) -> String {
        let Some(value) = self.value(event) else {
            // the zero of an enum or a truth value has a name too
            return self.zero();
        };
        match (&value, self.kind()) {
            (Value::EnumNumber(number), Some(Kind::Enum(choices))) => choices
                .get_value(*number)
                .map_or_else(|| number.to_string(), |value| value.name().to_owned()),
            (Value::String(text), _) => text.clone(),
            (Value::Bool(value), _) => value.to_string(),
            (Value::I32(number), _) => number.to_string(),
            (Value::I64(number), _) => number.to_string(),
            (Value::U32(number), _) => number.to_string(),
            (Value::U64(number), _) => number.to_string(),
            _ => String::new(),
        }
    }

    fn zero(&self) -> String {
        match self.kind() {
            Some(Kind::Enum(choices)) => choices.default_value().name().to_owned(),
            Some(Kind::Bool) => "false".to_owned(),
            _ if self.is_number() => "0".to_owned(),
            _ => String::new(),
        }
    }

    /// Whether the field has anything in it.
    #[must_use]
    pub fn is_present(&self, event: &DynamicMessage) -> bool {
        self.value(event).is_some()
    }

    /// The path as written.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

/// What an event's name means to the contracts of this release.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Named {
    /// An event that they define.
    Defined(MessageDescriptor),
    /// One of a package that they do not define yet.
    Later,
    /// None at all.
    Unknown,
}

/// Names of all events: what a message `XEvent { oneof event { … } }` can hold.
static EVENTS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let oneofs = pool().all_messages().flat_map(|message| message.oneofs().collect::<Vec<_>>());
    let fields = oneofs
        .filter(|oneof| oneof.name() == "event")
        .flat_map(|oneof| oneof.fields().collect::<Vec<_>>());
    fields.filter_map(|field| Some(field.kind().as_message()?.full_name().to_owned())).collect()
});

/// Looks an event up by its full name, `emall.ordering.v1.OrderPlaced`.
#[must_use]
pub(super) fn event(name: &str) -> Named {
    if let Some(message) = pool().get_message_by_name(name) {
        let is_event = EVENTS.contains(name);
        return if is_event { Named::Defined(message) } else { Named::Unknown };
    }
    let mut parts = name.split('.');
    let is_ours = parts.next() == Some("emall");
    let named = parts.clone().count() == 3
        && parts.all(|part| {
            !part.is_empty() && part.chars().all(|letter| letter.is_ascii_alphanumeric())
        });
    let package = name.rsplit_once('.').map_or("", |(package, _)| package);
    let defined = pool().all_messages().any(|message| message.package_name() == package);
    if is_ours && named && !defined { Named::Later } else { Named::Unknown }
}

/// The context that publishes an event: `ordering`.
#[must_use]
pub fn context(name: &str) -> &str {
    name.split('.').nth(1).unwrap_or_default()
}
