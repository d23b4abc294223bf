//! An event as a message on the bus: CloudEvents in binary mode, and the way back.
//!
//! ```text
//! RecordedEvent ──encode──▶ subject, headers, body ──parse──▶ Incoming
//! ```
//!
//! The invariant: whatever stands in an event's metadata, the message is well-formed and gives the
//! same values back. Header values are percent-encoded as CloudEvents asks for, so that neither a
//! line break nor a letter outside ASCII reaches the wire.

use std::fmt::Write as _;

use async_nats::{HeaderMap, HeaderName};
use bytes::Bytes;
use contracts::common::{EventMetadata, RecordedEvent};
use jiff::Timestamp;

use crate::{
    aggregate::kind_and_id,
    time::{from_proto, to_proto},
};

const CE_ID: HeaderName = HeaderName::from_static("ce-id");
const CE_TYPE: HeaderName = HeaderName::from_static("ce-type");
const CE_SOURCE: HeaderName = HeaderName::from_static("ce-source");
const CE_SUBJECT: HeaderName = HeaderName::from_static("ce-subject");
const CE_TIME: HeaderName = HeaderName::from_static("ce-time");
const CE_SPECVERSION: HeaderName = HeaderName::from_static("ce-specversion");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const POSITION: HeaderName = HeaderName::from_static("emall-position");
const VERSION: HeaderName = HeaderName::from_static("emall-version");
const PLATFORM: HeaderName = HeaderName::from_static("emall-platform");
const ACTOR: HeaderName = HeaderName::from_static("emall-actor");
const CAUSATION: HeaderName = HeaderName::from_static("emall-causation");
const COMMANDED_AT: HeaderName = HeaderName::from_static("emall-commanded-at");

/// An event that came over the bus.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    /// Name of the context, which is that of its stream on the bus: `ORDERING`.
    pub context: String,
    /// The event, as the log of its service recorded it.
    pub event: RecordedEvent,
}

impl std::ops::Deref for Incoming {
    type Target = RecordedEvent;

    fn deref(&self) -> &RecordedEvent {
        &self.event
    }
}

impl Incoming {
    /// What names this event anywhere, and what a reaction to it gives as its cause: `ORDERING/42`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}/{}", self.context, self.event.position)
    }

    /// The kind and the id of its aggregate: `order` and `7f3c…`.
    #[must_use]
    pub fn aggregate(&self) -> (&str, &str) {
        kind_and_id(&self.event.stream)
    }

    /// The event itself, when it is one of those that `E` knows.
    ///
    /// # Errors
    /// Another type of event, or a damaged body.
    pub fn decode<E: contracts::Event>(&self) -> Result<E, contracts::EventError> {
        E::decode_body(&self.event.r#type, &self.event.body)
    }

    /// Reads a message back.
    ///
    /// # Errors
    /// The message is none that a relay publishes.
    pub fn parse(message: &async_nats::Message) -> Result<Self, NotAnEvent> {
        let headers = message.headers.as_ref().ok_or(NotAnEvent { header: "ce-id" })?;
        let text = |name: HeaderName, header: &'static str| {
            let value = headers.get(name).ok_or(NotAnEvent { header })?;
            decoded(value.as_str()).ok_or(NotAnEvent { header })
        };
        let or_empty = |name: HeaderName, header: &'static str| match headers.get(name) {
            Some(value) => decoded(value.as_str()).ok_or(NotAnEvent { header }),
            None => Ok(String::new()),
        };
        let number = |name: HeaderName, header: &'static str| {
            let value = headers.get(name).ok_or(NotAnEvent { header })?;
            value.as_str().parse::<u64>().map_err(|_| NotAnEvent { header })
        };
        let id = text(CE_ID, "ce-id")?;
        let (context, _) = id.rsplit_once('/').ok_or(NotAnEvent { header: "ce-id" })?;
        let recorded_at = time(&text(CE_TIME, "ce-time")?, "ce-time")?;
        let commanded_at = match headers.get(COMMANDED_AT) {
            Some(value) => Some(time(value.as_str(), "emall-commanded-at")?),
            None => None,
        };
        Ok(Self {
            context: context.to_owned(),
            event: RecordedEvent {
                position: number(POSITION, "emall-position")?,
                stream: text(CE_SUBJECT, "ce-subject")?,
                version: number(VERSION, "emall-version")?,
                r#type: text(CE_TYPE, "ce-type")?,
                body: message.payload.clone(),
                metadata: Some(EventMetadata {
                    actor: or_empty(ACTOR, "emall-actor")?,
                    platform: or_empty(PLATFORM, "emall-platform")?,
                    causation: or_empty(CAUSATION, "emall-causation")?,
                    traceparent: or_empty(TRACEPARENT, "traceparent")?,
                    commanded_at,
                }),
                recorded_at: Some(recorded_at),
            },
        })
    }
}

/// A message that no relay published: a header is missing or makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the message is no event: its header {header} is missing or unreadable")]
pub struct NotAnEvent {
    /// The first header that is wrong.
    pub header: &'static str,
}

/// The headers of an event, without those that steer the server.
pub(crate) fn headers(context: &str, event: &RecordedEvent) -> HeaderMap {
    let mut headers = HeaderMap::new();
    // What is encoded has no line break, the only thing that a header value refuses.
    let mut put = |name: HeaderName, value: &str| headers.insert(name, encoded(value));
    put(CE_ID, &format!("{context}/{}", event.position));
    put(CE_TYPE, &event.r#type);
    put(CE_SOURCE, &format!("/emall/{}", context.to_ascii_lowercase()));
    put(CE_SUBJECT, &event.stream);
    put(CE_TIME, &rfc3339(event.recorded_at.as_ref()));
    put(CE_SPECVERSION, "1.0");
    put(POSITION, &event.position.to_string());
    put(VERSION, &event.version.to_string());
    if let Some(metadata) = &event.metadata {
        for (name, value) in [
            (TRACEPARENT, &metadata.traceparent),
            (PLATFORM, &metadata.platform),
            (ACTOR, &metadata.actor),
            (CAUSATION, &metadata.causation),
        ] {
            if !value.is_empty() {
                put(name, value);
            }
        }
        if metadata.commanded_at.is_some() {
            put(COMMANDED_AT, &rfc3339(metadata.commanded_at.as_ref()));
        }
    }
    headers
}

/// The body of an event.
pub(crate) fn body(event: &RecordedEvent) -> Bytes {
    event.body.clone()
}

/// `emall.ordering` and `order.7f3c…` as `emall.ordering.order.7f3c…`: always four tokens, whatever
/// the id holds.
pub(crate) fn subject(prefix: &str, stream: &str) -> String {
    let (kind, id) = stream.split_once('.').unwrap_or((stream, ""));
    let mut subject = String::with_capacity(prefix.len() + stream.len() + 2);
    subject.push_str(prefix);
    for token in [kind, id] {
        subject.push('.');
        push_token(&mut subject, token);
    }
    subject
}

/// The filter of all that happened to whatever has this id, of any kind: `emall.ordering.*.7f3c…`.
#[must_use]
pub fn filter_by_id(context: &str, id: &str) -> String {
    let mut filter = format!("emall.{context}.*.");
    push_token(&mut filter, id);
    filter
}

fn push_token(subject: &mut String, token: &str) {
    if token.is_empty() {
        subject.push('%');
    }
    for byte in token.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':' | b'/' | b'=') {
            subject.push(char::from(byte));
        } else {
            escape(subject, byte);
        }
    }
}

/// Percent-encoding as in the header bindings of CloudEvents: everything but visible ASCII, and the
/// quote and the percent sign.
fn encoded(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for byte in text.bytes() {
        if matches!(byte, b'!'..=b'~') && byte != b'"' && byte != b'%' {
            safe.push(char::from(byte));
        } else {
            escape(&mut safe, byte);
        }
    }
    safe
}

fn escape(text: &mut String, byte: u8) {
    // Writing to a String cannot fail.
    let _ = write!(text, "%{byte:02X}");
}

fn decoded(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            let (high, low) = (digit()?, digit()?);
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// A moment outside of what can be written becomes the epoch: the log only holds moments of its own
/// clock, so that this is for damaged data alone.
fn rfc3339(moment: Option<&prost_types::Timestamp>) -> String {
    moment.and_then(from_proto).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

fn time(text: &str, header: &'static str) -> Result<prost_types::Timestamp, NotAnEvent> {
    text.parse::<Timestamp>().map(to_proto).map_err(|_| NotAnEvent { header })
}

#[cfg(test)]
mod tests;
