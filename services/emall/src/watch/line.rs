//! One event as one line that a person can read.

use std::collections::HashMap;

use contracts::common::RecordedEvent;
use jiff::{Timestamp, tz::TimeZone};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, ReflectMessage as _, Value};

use crate::{
    amount::yuan,
    table::{clip, columns},
    terminal::Paint,
};

/// Orders whose numbers are remembered.
const REMEMBERED: usize = 100_000;
/// Columns of what an event tells.
const TOLD: usize = 110;
/// Longest text of one field.
const WORDS: usize = 32;

/// Turns events into lines. Remembers the platform's number of each order it has seen placed,
/// because later events of the order carry only our id.
pub(crate) struct Lines {
    paint: Paint,
    zone: TimeZone,
    numbers: HashMap<String, String>,
}

impl Lines {
    pub(crate) fn new(paint: Paint, zone: TimeZone) -> Self {
        Self { paint, zone, numbers: HashMap::new() }
    }

    /// Takes note of the number of an order; to be called with every event, shown or not.
    pub(crate) fn learn(&mut self, id: &str, message: Option<&DynamicMessage>) {
        let Some(number) = message.and_then(|message| text_of(message, "platform_order_no")) else {
            return;
        };
        if self.numbers.len() >= REMEMBERED {
            self.numbers.clear();
        }
        self.numbers.insert(id.to_owned(), number);
    }

    /// The number of the order, when it was seen placed.
    pub(crate) fn number(&self, id: &str) -> Option<&str> {
        self.numbers.get(id).map(String::as_str)
    }

    pub(crate) fn line(
        &self,
        context: &str,
        event: &RecordedEvent,
        message: Option<&DynamicMessage>,
    ) -> String {
        let recorded = event
            .recorded_at
            .as_ref()
            .and_then(|at| Timestamp::new(at.seconds, at.nanos).ok())
            .unwrap_or_default();
        let time = recorded.to_zoned(self.zone.clone()).strftime("%H:%M:%S%.3f").to_string();
        let place = format!("{context}/{}", event.position);
        let name = short_name(&event.r#type);
        let (_, id) = event.stream.split_once('.').unwrap_or(("", &event.stream));
        let (about, said) = match message {
            Some(message) => (self.about(id, message), telling(message)),
            None => {
                (short_id(id), format!("{} bytes that this build cannot read", event.body.len()))
            }
        };
        let actor = event.metadata.as_ref().map_or("", |metadata| metadata.actor.as_str());
        let paint = self.paint;
        format!(
            "{} {} {} {} {} {}",
            paint.dim(&time),
            paint.dim(&padded(&place, 14)),
            paint.bold(&padded(name, 20)),
            paint.cyan(&padded(&about, 12)),
            paint.dim(&padded(actor, 12)),
            clip(&said, TOLD)
        )
        .trim_end()
        .to_owned()
    }

    /// What the event is about: the order's number where it is known, else the beginning of an id.
    fn about(&self, id: &str, message: &DynamicMessage) -> String {
        let order = text_of(message, "order_id");
        let known = self.number(id).or_else(|| self.number(order.as_deref()?));
        known.map_or_else(|| short_id(id), |number| clip(number, 24))
    }
}

/// `emall.ordering.v1.OrderPlaced` as `OrderPlaced`.
pub(crate) fn short_name(type_name: &str) -> &str {
    type_name.rsplit('.').next().unwrap_or(type_name)
}

/// The first group of a UUID; another id whole.
fn short_id(id: &str) -> String {
    match id.split_once('-') {
        Some((first, _)) if id.len() == 36 && first.len() == 8 => first.to_owned(),
        _ => clip(id, 24),
    }
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// The stored event as a message; `None` when this build does not know its type.
pub(crate) fn message(event: &RecordedEvent) -> Option<DynamicMessage> {
    let descriptor = contracts::pool().get_message_by_name(&event.r#type)?;
    DynamicMessage::decode(descriptor, event.body.clone()).ok()
}

/// The text of a field: of the event itself, of the terms inside it, or of the clock that it is about
/// and of that one's case.
pub(crate) fn text_of(message: &DynamicMessage, field: &str) -> Option<String> {
    let text = |message: &DynamicMessage, field: &str| {
        let value = message.get_field_by_name(field)?.into_owned();
        Some(value.as_str()?.to_owned()).filter(|text| !text.is_empty())
    };
    let inside = |part: &str| {
        let part = message.get_field_by_name(part)?.into_owned();
        part.as_message().cloned()
    };
    text(message, field).or_else(|| text(&inside("terms")?, field)).or_else(|| {
        let clock = inside("clock")?;
        let case = clock.get_field_by_name("subject")?.into_owned();
        let of_case =
            case.as_list()?.iter().filter_map(Value::as_message).find_map(|part| {
                (text(part, "name")? == field).then(|| text(part, "value")).flatten()
            });
        of_case.or_else(|| text(&clock, field))
    })
}

/// The fields that tell what happened: money first, then quantities, then everything else, each in
/// its own order.
fn telling(message: &DynamicMessage) -> String {
    let mut told = Vec::new();
    collect(message, &mut told);
    told.sort_by_key(|(weight, _)| *weight);
    told.into_iter().map(|(_, said)| said).collect::<Vec<_>>().join(" · ")
}

/// How much a reader wants to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    Money,
    Quantity,
    Other,
}

type Told = Vec<(Weight, String)>;

fn collect(message: &DynamicMessage, told: &mut Told) {
    for (field, value) in message.fields() {
        let name = field.name();
        let silent = matches!(name, "order_id" | "platform" | "platform_order_no")
            || name.ends_with("sha256");
        if silent {
            continue;
        }
        if let Some(said) = said(&field, value, told) {
            told.push(said);
        }
    }
}

/// What one field says; nothing for times and for what only programs read.
fn said(field: &FieldDescriptor, value: &Value, told: &mut Told) -> Option<(Weight, String)> {
    let label = field.name().replace('_', " ");
    let label = label.trim_end_matches(" id").trim_end_matches(" no");
    let other = |said: String| Some((Weight::Other, said));
    match value {
        Value::Bool(true) => other(label.to_owned()),
        Value::I32(number) => other(format!("{label} {number}")),
        Value::U32(number) => other(format!("{label} {number}")),
        Value::U64(number) => other(format!("{label} {number}")),
        Value::String(text) => other(format!("{label} {}", clip(text.trim(), WORDS))),
        Value::EnumNumber(number) => other(format!("{label} {}", choice(field, *number)?)),
        Value::List(items) => Some((Weight::Quantity, listed(label, items)?)),
        Value::Message(inner) => match inner.descriptor().full_name() {
            "google.protobuf.Timestamp" | "emall.common.v1.Sealed" => None,
            "emall.common.v1.Money" => Some((Weight::Money, format!("{label} {}", amount(inner)))),
            "emall.ordering.v1.OrderTerms"
            | "emall.ordering.v1.TrackingScan"
            | "emall.ordering.v1.PreDeliveryInspection"
            | "emall.ordering.v1.ArrivalInspection" => {
                collect(inner, told);
                None
            }
            "emall.ordering.v1.Buyer" => other(format!("buyer {}", text_of(inner, "buyer_id")?)),
            "emall.ordering.v1.FrozenListing" => {
                other(format!("{label} {}", text_of(inner, "sku")?))
            }
            "emall.sla.v1.ClockRef" => {
                other(format!("{}/{}", text_of(inner, "profile")?, text_of(inner, "clock")?))
            }
            "emall.sla.v1.Fact" => other(format!("by {}", text_of(inner, "evidence")?)),
            "emall.ordering.v1.LineQuantity" => {
                let number = |name: &str| inner.get_field_by_name(name)?.as_u32();
                let said = format!("line {} × {}", number("line_no")?, number("quantity")?);
                Some((Weight::Quantity, said))
            }
            _ => None,
        },
        Value::Bool(false)
        | Value::I64(_)
        | Value::F32(_)
        | Value::F64(_)
        | Value::Bytes(_)
        | Value::Map(_) => None,
    }
}

/// How many there are and, where they have quantities, how many units.
fn listed(label: &str, items: &[Value]) -> Option<String> {
    let units = items
        .iter()
        .map(|item| item.as_message()?.get_field_by_name("quantity")?.as_u32().map(u64::from));
    let label = if items.len() == 1 { label.trim_end_matches('s') } else { label };
    match units.sum::<Option<u64>>() {
        _ if items.is_empty() => None,
        Some(1) => Some(format!("{} {label}, 1 unit", items.len())),
        Some(units) => Some(format!("{} {label}, {units} units", items.len())),
        None => Some(format!("{} {label}", items.len())),
    }
}

/// `DISCREPANCY_KIND_SHORT` of `DiscrepancyKind` as `short`.
fn choice(field: &FieldDescriptor, number: i32) -> Option<String> {
    let Kind::Enum(kind) = field.kind() else { return None };
    let value = kind.get_value(number)?;
    let mut prefix = String::new();
    for letter in kind.name().chars() {
        if letter.is_uppercase() && !prefix.is_empty() {
            prefix.push('_');
        }
        prefix.extend(letter.to_uppercase());
    }
    prefix.push('_');
    let name = value.name();
    Some(name.strip_prefix(&prefix).unwrap_or(name).to_lowercase().replace('_', " "))
}

fn amount(money: &DynamicMessage) -> String {
    let minor = money.get_field_by_name("minor_units").and_then(|value| value.as_i64());
    let currency = money.get_field_by_name("currency").map(|value| value.into_owned());
    let currency = currency.as_ref().and_then(Value::as_str).unwrap_or_default();
    format!("{} {currency}", yuan(minor.unwrap_or_default())).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use contracts::{
        common::{EventMetadata, Money, RecordedEvent, Sealed},
        ordering::{
            Buyer, DiscrepancyKind, DiscrepancyReported, LineQuantity, OrderLine, OrderPlaced,
            OrderTerms,
        },
        sla::{ClockRef, SubjectPart, WarningRaised},
    };
    use jiff::tz::TimeZone;
    use prost::Message;

    use super::{Lines, message, text_of};
    use crate::terminal::Paint;

    const ID: &str = "0198c6f4-0000-7000-8000-000000000001";

    fn recorded(type_name: &str, body: &impl Message, position: u64) -> RecordedEvent {
        RecordedEvent {
            position,
            stream: format!("order.{ID}"),
            version: position,
            r#type: format!("emall.ordering.v1.{type_name}"),
            body: body.encode_to_vec().into(),
            metadata: Some(EventMetadata { actor: "mall-key".to_owned(), ..Default::default() }),
            recorded_at: Some(prost_types::Timestamp { seconds: 3_600, nanos: 7_000_000 }),
        }
    }

    fn placed() -> RecordedEvent {
        let line = |line_no, quantity| OrderLine { line_no, quantity, listing: None };
        let terms = OrderTerms {
            order_id: ID.to_owned(),
            platform: "mall".to_owned(),
            platform_order_no: "536365".to_owned(),
            buyer: Some(Buyer { buyer_id: "17850".to_owned(), ..Default::default() }),
            recipient: Some(Sealed { person: "p".to_owned(), ..Default::default() }),
            lines: vec![line(1, 6), line(2, 34)],
            total: Some(Money { minor_units: 13_912, currency: "CNY".to_owned() }),
            ..Default::default()
        };
        recorded("OrderPlaced", &OrderPlaced { terms: Some(terms), from_pre_order: false }, 1)
    }

    fn show(lines: &mut Lines, event: &RecordedEvent) -> String {
        let message = message(event);
        lines.learn(ID, message.as_ref());
        lines.line("ORDERING", event, message.as_ref())
    }

    #[test]
    fn a_line_tells_time_place_name_order_actor_and_what_happened() {
        let mut lines = Lines::new(Paint::none(), TimeZone::UTC);
        assert_eq!(
            show(&mut lines, &placed()),
            "01:00:00.007 ORDERING/1     OrderPlaced          536365       mall-key     \
             total 139.12 CNY · 2 lines, 40 units · buyer 17850"
        );
    }

    #[test]
    fn later_events_of_an_order_are_shown_under_its_number() {
        let mut lines = Lines::new(Paint::none(), TimeZone::UTC);
        let reported = DiscrepancyReported {
            order_id: ID.to_owned(),
            discrepancy_id: "d-1".to_owned(),
            line: Some(LineQuantity { line_no: 2, quantity: 1 }),
            kind: DiscrepancyKind::Short.into(),
            ..Default::default()
        };
        let reported = recorded("DiscrepancyReported", &reported, 2);
        let unknown = show(&mut lines, &reported);
        assert!(unknown.contains(" 0198c6f4 "), "{unknown}");
        show(&mut lines, &placed());
        let known = show(&mut lines, &reported);
        assert!(known.contains(" 536365 "), "{known}");
        assert!(known.ends_with("line 2 × 1 · discrepancy d-1 · kind short"), "{known}");
    }

    #[test]
    fn an_event_of_a_clock_tells_the_clock_and_is_shown_under_its_order() {
        let part = |name: &str, value: &str| SubjectPart { name: name.into(), value: value.into() };
        let warning = WarningRaised {
            clock: Some(ClockRef {
                profile: "emall-default".to_owned(),
                clock: "confirm".to_owned(),
                subject: vec![part("order_id", ID)],
                platform: "mall".to_owned(),
                ..Default::default()
            }),
            warning: 1,
            ..Default::default()
        };
        let event = RecordedEvent {
            stream: "clock.c-1".to_owned(),
            r#type: "emall.sla.v1.WarningRaised".to_owned(),
            ..recorded("", &warning, 3)
        };
        let mut lines = Lines::new(Paint::none(), TimeZone::UTC);
        show(&mut lines, &placed());
        let line = show(&mut lines, &event);
        assert!(line.contains(" 536365 ") && line.contains("emall-default/confirm"), "{line}");
        let message = message(&event).unwrap();
        assert_eq!(text_of(&message, "platform").as_deref(), Some("mall"));
        assert_eq!(text_of(&message, "order_id").as_deref(), Some(ID));
        assert_eq!(text_of(&message, "shipment_id"), None);
    }

    #[test]
    fn an_event_that_this_build_does_not_know_is_shown_as_such() {
        let mut lines = Lines::new(Paint::none(), TimeZone::UTC);
        let event = recorded("FromTheFuture", &Money::default(), 9);
        assert!(show(&mut lines, &event).contains("0 bytes that this build cannot read"));
    }
}
