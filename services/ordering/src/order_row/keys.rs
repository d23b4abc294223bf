//! The look-up keys of orders, and the listings that go by them: the one place that knows both.
//!
//! Each key is a row that is written with its order: there are three at placement, more only while
//! something is urgent, on its way, stands still or is disputed, and one more for each of delivery
//! and payment. Parts of a value are separated by U+001F, which no text that is let in contains; times
//! are microseconds since 1970 in 18 digits, so that they sort.

use contracts::ordering::{Order as Row, OrderException, OrderPhase, ShipmentPhase, Urgency};
use eventlog::{Key, Listing, Recorded as _};
use jiff::Timestamp;

use crate::order::Order;

/// By phase and deadline of delivery: every order once.
const PHASE: &str = "phase";
/// By platform, milestone and its time.
const MILESTONE: &str = "milestone";
/// By platform, buying unit and time of placement: every order once.
const BUYER: &str = "buyer";
/// By exception and deadline of delivery.
const EXCEPTION: &str = "exception";
/// By urgency and deadline of delivery, while it is open and more urgent than usual.
const URGENCY: &str = "urgency";
/// By platform and the newest hand-over among its parcels on their way: an order once.
const PARCEL: &str = "parcel";
/// By waybill number, from the hand-over until the order is settled or ended.
const WAYBILL: &str = "waybill";
/// By end of the reservation, while it is one.
const EXPIRY: &str = "expiry";

/// Phases in which an order is open: the user waits for goods.
pub const OPEN: [OrderPhase; 4] =
    [OrderPhase::Reserved, OrderPhase::Placed, OrderPhase::Confirmed, OrderPhase::InDelivery];

const SEPARATOR: char = '\u{1f}';

/// What platforms reconcile their orders by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Milestone {
    /// Placed, at the time of placement; whatever has become of it.
    New,
    /// Every line resolved and something accepted, at the time of fulfilment.
    Delivered,
    /// Everything refused by the user, at that time.
    Refused,
    /// Paid, at the time of settlement.
    Finished,
}

impl Milestone {
    fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Finished => "finished",
        }
    }
}

/// The keys of an order's row.
#[must_use]
pub fn keys(row: &Row) -> Vec<Key> {
    let phase = row.phase();
    let mut keys = Vec::with_capacity(4);
    keys.push(Key::new(PHASE, joined(&[&number(row.phase), &time(row.deliver_by.as_ref())])));
    let buyer = row.buyer.as_ref().map_or("", |buyer| buyer.buyer_id.as_str());
    keys.push(Key::new(BUYER, joined(&[&row.platform, buyer, &time(row.placed_at.as_ref())])));
    let milestone = |milestone: Milestone, at: Option<&prost_types::Timestamp>| {
        Key::new(MILESTONE, joined(&[&row.platform, milestone.name(), &time(at)]))
    };
    match phase {
        OrderPhase::Reserved => {
            keys.push(Key::new(EXPIRY, time(row.reserved_until.as_ref())));
        }
        OrderPhase::Unspecified | OrderPhase::Released | OrderPhase::Expired => {}
        OrderPhase::Placed
        | OrderPhase::Confirmed
        | OrderPhase::InDelivery
        | OrderPhase::Fulfilled
        | OrderPhase::Settled
        | OrderPhase::Declined
        | OrderPhase::Cancelled
        | OrderPhase::Refused => keys.push(milestone(Milestone::New, row.placed_at.as_ref())),
    }
    if row.fulfilled_at.is_some() {
        keys.push(milestone(Milestone::Delivered, row.fulfilled_at.as_ref()));
    }
    if phase == OrderPhase::Refused {
        keys.push(milestone(Milestone::Refused, row.ended_at.as_ref()));
    }
    if row.settled_at.is_some() {
        keys.push(milestone(Milestone::Finished, row.settled_at.as_ref()));
    }
    let due = time(row.deliver_by.as_ref());
    for exception in &row.exceptions {
        keys.push(Key::new(EXCEPTION, joined(&[&number(*exception), &due])));
    }
    if OPEN.contains(&phase) && is_urgent(row.urgency()) {
        keys.push(Key::new(URGENCY, joined(&[&number(row.urgency), &due])));
    }
    if matches!(phase, OrderPhase::InDelivery | OrderPhase::Fulfilled) {
        parcel_keys(row, &mut keys);
    }
    keys
}

/// Whether an order of this urgency has a key of its own: most are normal.
#[must_use]
pub fn is_urgent(urgency: Urgency) -> bool {
    match urgency {
        Urgency::Urgent | Urgency::Emergency => true,
        Urgency::Unspecified | Urgency::Normal => false,
    }
}

fn parcel_keys(row: &Row, keys: &mut Vec<Key>) {
    let left = row.shipments.iter().filter(|shipment| shipment.dispatched_at.is_some());
    for shipment in left.clone() {
        keys.push(Key::new(WAYBILL, shipment.waybill_no.as_str()));
    }
    let newest = left
        .filter(|shipment| shipment.phase() == ShipmentPhase::InTransit)
        .map(|shipment| time(shipment.dispatched_at.as_ref()))
        .max();
    if let Some(newest) = newest {
        keys.push(Key::new(PARCEL, joined(&[&row.platform, &newest])));
    }
}

/// All orders, by phase and deadline of delivery.
#[must_use]
pub fn all() -> Listing {
    by(PHASE)
}

/// Orders in a phase, by deadline of delivery from one moment to before another.
#[must_use]
pub fn in_phase(phase: OrderPhase, from: Option<Timestamp>, until: Option<Timestamp>) -> Listing {
    between(PHASE, &number(phase.into()), from, until)
}

/// Orders with an exception, by deadline of delivery from one moment to before another.
#[must_use]
pub fn with_exception(
    exception: OrderException,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
) -> Listing {
    between(EXCEPTION, &number(exception.into()), from, until)
}

/// Open orders of an urgency above normal, by deadline of delivery from one moment to before
/// another (ORD-25).
#[must_use]
pub fn with_urgency(
    urgency: Urgency,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
) -> Listing {
    between(URGENCY, &number(urgency.into()), from, until)
}

/// Orders of a buying unit, by placement from one moment to before another; reservations too.
#[must_use]
pub fn of_buyer(
    platform: &str,
    buyer_id: &str,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
) -> Listing {
    between(BUYER, &joined(&[platform, buyer_id]), from, until)
}

/// Orders of a platform that reached a milestone, by its time from one moment to before another.
/// All of its orders are those that are [`Milestone::New`]; reservations are not among them.
#[must_use]
pub fn at_milestone(
    platform: &str,
    milestone: Milestone,
    from: Option<Timestamp>,
    until: Option<Timestamp>,
) -> Listing {
    between(MILESTONE, &joined(&[platform, milestone.name()]), from, until)
}

/// Orders of a platform with parcels on their way, by their newest hand-over. Parcels of an order
/// that left earlier come with it.
#[must_use]
pub fn parcels_of(platform: &str, from: Option<Timestamp>, until: Option<Timestamp>) -> Listing {
    between(PARCEL, platform, from, until)
}

/// Orders with parcels on their way, by platform and newest hand-over.
#[must_use]
pub fn parcels_in_transit() -> Listing {
    by(PARCEL)
}

/// Orders with a parcel of this waybill number, until they are settled.
#[must_use]
pub fn with_waybill(waybill_no: &str) -> Listing {
    by(WAYBILL).equal(waybill_no)
}

/// Reservations that have ended by a moment.
#[must_use]
pub fn expired_by(now: Timestamp) -> Listing {
    // a text with something after it is above that text, and below every later time
    by(EXPIRY).range("", micros(now.as_microsecond()) + "\u{1}")
}

fn by(key: &str) -> Listing {
    Listing::by(Order::KIND, key)
}

/// Values that are this prefix and a time in a half-open range.
fn between(key: &str, prefix: &str, from: Option<Timestamp>, until: Option<Timestamp>) -> Listing {
    let bound = |at: Timestamp| joined(&[prefix, &micros(at.as_microsecond())]);
    // the separator is below every letter that a value can have
    let from = from.map_or_else(|| joined(&[prefix, ""]), bound);
    let to = until.map_or_else(|| joined(&[prefix, ":"]), bound);
    by(key).range(from, to)
}

fn joined(parts: &[&str]) -> String {
    let mut value = String::with_capacity(parts.iter().map(|part| part.len() + 1).sum());
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            value.push(SEPARATOR);
        }
        value.push_str(part);
    }
    value
}

fn number(number: i32) -> String {
    format!("{number:02}")
}

fn time(at: Option<&prost_types::Timestamp>) -> String {
    at.map_or_else(
        || micros(0),
        |at| {
            micros(at.seconds.saturating_mul(1_000_000).saturating_add(i64::from(at.nanos / 1_000)))
        },
    )
}

/// Times before 1970 sort as 1970: no order is that old.
fn micros(micros: i64) -> String {
    format!("{:018}", micros.max(0))
}
