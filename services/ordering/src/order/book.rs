//! What decisions read of an order's history, and the ledger of its lines.

use std::sync::{Arc, LazyLock};

use chassis::When;
use contracts::ordering::{
    FrozenListing, LineQuantity, OrderConfirmed, OrderDeclined, OrderTerms, PreDeliveryInspection,
    PreOrderReleased, PreOrderReserved,
};
use eventlog::time::from_proto;
use jiff::{SignedDuration, Timestamp};

use super::{
    Currency, Rejection, cancel::Cancellation, discrepancy::Discrepancy, hold::ForceMajeure,
    invoice::Invoice, reject::Refusal, settle::Settlement, shipment::Shipment,
    substitute::Substitution,
};

/// A fact may be dated back, but not to long before the order: the platform's clock is not ours.
const BEFORE_PLACEMENT: SignedDuration = SignedDuration::from_hours(24);

/// A fact may be dated ahead of our clock by as much as clocks differ.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);

/// Stands in for a listing that history lacks; terms from outside never do.
static NO_LISTING: LazyLock<FrozenListing> = LazyLock::new(FrozenListing::default);

/// Everything recorded about an order that a decision reads, also to know a repeat.
#[derive(Debug, Clone, PartialEq)]
pub struct Book {
    pub(super) terms: Arc<OrderTerms>,
    pub(super) placed_at: Timestamp,
    pub(super) deliver_by: Timestamp,
    pub(super) currency: Currency,
    pub(super) lines: Vec<Line>,
    pub(super) reserved_until: Option<Timestamp>,
    /// Why and when it was released or declined.
    pub(super) end_note: Option<Note>,
    pub(super) confirmed_at: Option<Timestamp>,
    pub(super) dispatch_by: Timestamp,
    pub(super) follower: Option<Note>,
    pub(super) force_majeure: Option<ForceMajeure>,
    pub(super) cancellations: Vec<Arc<Cancellation>>,
    pub(super) substitutions: Vec<Arc<Substitution>>,
    pub(super) inspections: Vec<Arc<PreDeliveryInspection>>,
    pub(super) shipments: Vec<Arc<Shipment>>,
    pub(super) refusals: Vec<Arc<Refusal>>,
    pub(super) discrepancies: Vec<Arc<Discrepancy>>,
    pub(super) invoices: Vec<Arc<Invoice>>,
    pub(super) settlement: Option<Arc<Settlement>>,
}

/// Words and a time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Note {
    pub(super) text: String,
    pub(super) at: Timestamp,
}

/// The ledger of one line. Units only move from one figure to another.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) no: u32,
    /// Minor units for one unit.
    pub(super) price: i64,
    pub(super) ordered: u32,
    pub(super) open: u32,
    pub(super) allocated: u32,
    pub(super) in_transit: u32,
    pub(super) arrived: u32,
    pub(super) accepted: u32,
    pub(super) rejected: u32,
    pub(super) cancelled: u32,
    /// Units inspected and passed that are not packed yet (ORD-16).
    pub(super) passed: u32,
    /// What took the place of the listing that was ordered.
    pub(super) substitute: Option<Arc<FrozenListing>>,
}

impl Line {
    /// Nothing of it has been planned, shipped or judged.
    pub(super) fn is_untouched(&self) -> bool {
        self.allocated == 0
            && self.in_transit == 0
            && self.arrived == 0
            && self.accepted == 0
            && self.rejected == 0
    }

    /// Value of some of its units.
    pub(super) fn value(&self, units: u32) -> Result<i64, Rejection> {
        self.price.checked_mul(i64::from(units)).ok_or(Rejection::Overflow)
    }
}

/// Moves units within a line; history moves no more than there are.
pub(crate) fn shift(from: &mut u32, to: &mut u32, units: u32) {
    let moved = units.min(*from);
    *from -= moved;
    *to = to.saturating_add(moved);
}

/// A moment as history tells it: commands put it there, so it is there.
pub(super) fn moment(at: Option<&prost_types::Timestamp>) -> Timestamp {
    at.and_then(from_proto).unwrap_or_default()
}

/// A moment some time later; the end of time is late enough for any deadline.
pub(super) fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// A time of a fact must lie between a day before the placement and now.
pub(super) fn check_time(
    field: impl FnOnce() -> String,
    placed_at: Timestamp,
    at: Timestamp,
    now: Timestamp,
) -> Result<(), Rejection> {
    let earliest = placed_at.checked_sub(BEFORE_PLACEMENT).unwrap_or(Timestamp::MIN);
    let latest = later(now, CLOCKS_DIFFER);
    if (earliest..=latest).contains(&at) {
        Ok(())
    } else {
        Err(Rejection::TimeOutOfRange { field: field(), at, earliest, latest })
    }
}

impl Book {
    pub(super) fn new(terms: &OrderTerms) -> Self {
        let currency = terms.total.as_ref().map_or("", |total| total.currency.as_str());
        let lines = terms.lines.iter().map(|line| {
            let listing = line.listing.as_ref();
            let price = listing.and_then(|listing| listing.unit_price.as_ref());
            Line {
                no: line.line_no,
                price: price.map_or(0, |price| price.minor_units),
                ordered: line.quantity,
                open: line.quantity,
                allocated: 0,
                in_transit: 0,
                arrived: 0,
                accepted: 0,
                rejected: 0,
                cancelled: 0,
                passed: 0,
                substitute: None,
            }
        });
        Self {
            placed_at: moment(terms.placed_at.as_ref()),
            deliver_by: moment(terms.deliver_by.as_ref()),
            currency: Currency::recorded(currency),
            lines: lines.collect(),
            terms: Arc::new(terms.clone()),
            reserved_until: None,
            end_note: None,
            confirmed_at: None,
            dispatch_by: Timestamp::UNIX_EPOCH,
            follower: None,
            force_majeure: None,
            cancellations: Vec::new(),
            substitutions: Vec::new(),
            inspections: Vec::new(),
            shipments: Vec::new(),
            refusals: Vec::new(),
            discrepancies: Vec::new(),
            invoices: Vec::new(),
            settlement: None,
        }
    }

    pub(super) fn reserved(event: &PreOrderReserved) -> Self {
        let terms = event.terms.as_ref();
        let mut book = terms.map_or_else(|| Self::new(&OrderTerms::default()), Self::new);
        book.reserved_until = Some(moment(event.reserved_until.as_ref()));
        book
    }

    pub(super) fn released(&mut self, event: &PreOrderReleased) {
        self.end_note =
            Some(Note { text: event.reason.clone(), at: moment(event.released_at.as_ref()) });
    }

    pub(super) fn declined(&mut self, event: &OrderDeclined) {
        self.end_note =
            Some(Note { text: event.reason.clone(), at: moment(event.declined_at.as_ref()) });
    }

    pub(super) fn confirmed(&mut self, event: &OrderConfirmed) {
        self.confirmed_at = Some(moment(event.confirmed_at.as_ref()));
        self.dispatch_by = moment(event.dispatch_by.as_ref());
    }

    pub(super) fn order_id(&self) -> String {
        self.terms.order_id.clone()
    }

    pub(super) fn platform(&self) -> String {
        self.terms.platform.clone()
    }

    /// Empty when the order belongs to no contract.
    pub(super) fn contract_id(&self) -> String {
        self.terms.contract_id.clone()
    }

    /// The time of a fact, if it can be true.
    pub(super) fn time(&self, field: &str, when: &When) -> Result<Timestamp, Rejection> {
        let at = when.time();
        check_time(|| field.to_owned(), self.placed_at, at, when.now).map(|()| at)
    }

    pub(super) fn line(&self, no: u32) -> Option<&Line> {
        self.lines.iter().find(|line| line.no == no)
    }

    pub(super) fn line_mut(&mut self, no: u32) -> Option<&mut Line> {
        self.lines.iter_mut().find(|line| line.no == no)
    }

    /// The line, if the order has it; `field` names where the caller says so.
    pub(super) fn known_line(
        &self,
        no: u32,
        field: impl FnOnce() -> String,
    ) -> Result<&Line, Rejection> {
        self.line(no).ok_or_else(|| Rejection::UnknownLine { field: field(), line_no: no })
    }

    /// What the units of a line were sold as.
    pub(super) fn listing(&self, no: u32) -> &FrozenListing {
        self.lines
            .iter()
            .zip(&self.terms.lines)
            .find(|(line, _)| line.no == no)
            .and_then(|(line, ordered)| line.substitute.as_deref().or(ordered.listing.as_ref()))
            .unwrap_or_else(|| &NO_LISTING)
    }

    /// All open units.
    pub(super) fn open_units(&self) -> Vec<LineQuantity> {
        let open = self.lines.iter().filter(|line| line.open > 0);
        open.map(|line| LineQuantity { line_no: line.no, quantity: line.open }).collect()
    }

    /// Value of units of several lines.
    pub(super) fn value(&self, units: &[LineQuantity]) -> Result<i64, Rejection> {
        units.iter().try_fold(0_i64, |sum, wanted| {
            let value = match self.line(wanted.line_no) {
                Some(line) => line.value(wanted.quantity)?,
                None => 0,
            };
            sum.checked_add(value).ok_or(Rejection::Overflow)
        })
    }

    /// What the user owes: everything accepted, and the freight once anything is.
    pub(super) fn payable(&self) -> Result<i64, Rejection> {
        let goods = self.lines.iter().try_fold(0_i64, |sum, line| {
            sum.checked_add(line.value(line.accepted)?).ok_or(Rejection::Overflow)
        })?;
        if self.lines.iter().all(|line| line.accepted == 0) {
            return Ok(0);
        }
        let freight = self.terms.freight.as_ref().map_or(0, |freight| freight.minor_units);
        goods.checked_add(freight).ok_or(Rejection::Overflow)
    }

    pub(super) fn shipment(&self, id: &str) -> Option<&Shipment> {
        self.shipments.iter().map(Arc::as_ref).find(|shipment| shipment.id == id)
    }

    pub(super) fn known_shipment(&self, id: &str) -> Result<&Shipment, Rejection> {
        self.shipment(id).ok_or_else(|| Rejection::UnknownShipment(id.to_owned()))
    }

    /// Changes a shipment; copied only while somebody else holds it.
    pub(super) fn shipment_mut(&mut self, id: &str) -> Option<&mut Shipment> {
        self.shipments.iter_mut().find(|shipment| shipment.id == id).map(Arc::make_mut)
    }
}
