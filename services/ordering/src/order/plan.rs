//! Shipments are planned of open units, partial and split as we like, and given up.

use std::sync::Arc;

use contracts::ordering::{LineQuantity, ShipmentPlanned, ShipmentUnplanned, TrackingStatus};
use decider::{Decision, emit};
use eventlog::time::to_proto;
use jiff::Timestamp;

use super::{
    Event, Order, Rejection,
    book::{Book, Note, moment, shift},
    command::{PlanShipment, UnplanShipment},
    repeat::Repeat,
    shipment::{Load, Shipment},
    value::Text,
};

impl Order {
    /// Open units are planned into a shipment: those named, or all.
    ///
    /// # Errors
    /// The order is not in delivery, or so many units are not open.
    pub fn plan_shipment(&self, cmd: &PlanShipment) -> Decision<Event, Rejection> {
        let book = self.book()?;
        let id = cmd.shipment_id.as_str();
        if let Some(before) = book.shipment(id) {
            return before.replanned_by(cmd, book.dispatch_by);
        }
        self.must_be_confirmed()?;
        let at = book.time("at", &cmd.when)?;
        let lines = match &cmd.lines {
            Some(lines) => {
                book.must_be_open(lines.as_slice())?;
                lines.as_slice().to_vec()
            }
            None => book.open_units(),
        };
        if lines.is_empty() {
            return Err(Rejection::NothingOpen);
        }
        emit(ShipmentPlanned {
            order_id: book.order_id(),
            platform: book.platform(),
            contract_id: book.contract_id(),
            shipment_id: id.to_owned(),
            lines,
            dispatch_by: Some(to_proto(cmd.dispatch_by.unwrap_or(book.dispatch_by))),
            deliver_by: Some(to_proto(book.deliver_by)),
            planned_at: Some(to_proto(at)),
        })
    }

    /// A shipment is given up before it leaves; its units are open again.
    ///
    /// # Errors
    /// The order is not in delivery, has no such shipment, or it has left.
    pub fn unplan_shipment(&self, cmd: &UnplanShipment) -> Decision<Event, Rejection> {
        let book = self.book()?;
        let id = cmd.shipment_id.as_str();
        if let Some(before) = book.shipment(id).and_then(|shipment| shipment.unplanned.as_ref()) {
            return Repeat::new()
                .same("reason", &before.text, &Text::or_empty(cmd.reason.as_ref()))
                .at("at", before.at, &cmd.when)
                .answer();
        }
        self.must_be_confirmed()?;
        book.known_shipment(id)?.must_be_here()?;
        emit(ShipmentUnplanned {
            order_id: book.order_id(),
            platform: book.platform(),
            contract_id: book.contract_id(),
            shipment_id: id.to_owned(),
            reason: Text::or_empty(cmd.reason.as_ref()),
            unplanned_at: Some(to_proto(book.time("at", &cmd.when)?)),
        })
    }
}

impl Shipment {
    fn replanned_by(&self, cmd: &PlanShipment, by_order: Timestamp) -> Decision<Event, Rejection> {
        let repeat = match &cmd.lines {
            Some(lines) => Repeat::new().lines("lines", &self.units(), lines.as_slice()),
            None if self.took_all => Repeat::new(),
            None => Repeat::new().same("lines", &self.lines.len(), &0),
        };
        repeat
            .same("dispatch_by", &self.dispatch_by, &cmd.dispatch_by.unwrap_or(by_order))
            .at("at", self.planned_at, &cmd.when)
            .answer()
    }

    fn planned(event: &ShipmentPlanned, took_all: bool) -> Self {
        let load = |units: &LineQuantity| Load {
            line_no: units.line_no,
            quantity: units.quantity,
            waiting: 0,
            disputed: 0,
            accepted: 0,
            signed: 0,
        };
        Self {
            id: event.shipment_id.clone(),
            lines: event.lines.iter().map(load).collect(),
            took_all,
            dispatch_by: moment(event.dispatch_by.as_ref()),
            planned_at: moment(event.planned_at.as_ref()),
            unplanned: None,
            carrier: None,
            packed: None,
            dispatched: None,
            scans: Vec::new(),
            last_seen: Timestamp::UNIX_EPOCH,
            last_status: TrackingStatus::Unspecified,
            stalled: false,
            arrived: None,
            inspection: None,
            slips: Vec::new(),
            installed: None,
        }
    }
}

impl Book {
    pub(super) fn shipment_planned(&mut self, event: &ShipmentPlanned) {
        for units in &event.lines {
            if let Some(line) = self.line_mut(units.line_no) {
                shift(&mut line.open, &mut line.allocated, units.quantity);
            }
        }
        let took_all = self.lines.iter().all(|line| line.open == 0);
        self.shipments.push(Arc::new(Shipment::planned(event, took_all)));
    }

    pub(super) fn shipment_unplanned(&mut self, event: &ShipmentUnplanned) {
        let Some(shipment) = self.shipment_mut(&event.shipment_id) else { return };
        let at = moment(event.unplanned_at.as_ref());
        shipment.unplanned = Some(Note { text: event.reason.clone(), at });
        let packed = shipment.packed.is_some();
        for units in shipment.units() {
            if let Some(line) = self.line_mut(units.line_no) {
                shift(&mut line.allocated, &mut line.open, units.quantity);
                if packed {
                    line.passed = line.passed.saturating_add(units.quantity);
                }
            }
        }
    }
}
