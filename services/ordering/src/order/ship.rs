//! The hand-over to the carrier, and the arrival.

use contracts::ordering::{ShipmentArrived, ShipmentDispatched, TrackingStatus};
use decider::{Decision, emit};
use eventlog::time::to_proto;
use jiff::SignedDuration;

use super::{
    Event, Order, Rejection,
    book::{Book, later, moment, shift},
    command::{DispatchShipment, ReportArrival},
    repeat::Repeat,
    shipment::{Arrival, Dispatch},
    value::Name,
};
use crate::config::Policy;

impl Order {
    /// A packed shipment is handed to the carrier; from now it is monitored for the policy's days
    /// (ORD-20).
    ///
    /// # Errors
    /// The order is not in delivery, has no such shipment, it was given up, or is not packed.
    pub fn dispatch_shipment(
        &self,
        cmd: &DispatchShipment,
        policy: &Policy,
    ) -> Decision<Event, Rejection> {
        let book = self.book()?;
        let id = cmd.shipment_id.as_str();
        if let Some(before) = book.shipment(id).and_then(|shipment| shipment.dispatched.as_ref()) {
            return before.repeated_by(cmd);
        }
        self.must_be_confirmed()?;
        let shipment = book.known_shipment(id)?;
        shipment.must_be_here()?;
        if shipment.packed.is_none() {
            return Err(Rejection::NotPacked);
        }
        let at = book.time("at", &cmd.when)?;
        let window =
            SignedDuration::from_hours(i64::from(policy.parcel_window_days).saturating_mul(24));
        emit(ShipmentDispatched {
            order_id: book.order_id(),
            platform: book.platform(),
            contract_id: book.contract_id(),
            shipment_id: id.to_owned(),
            carrier: shipment.carrier_name(),
            waybill_no: (&cmd.waybill_no).into(),
            lines: shipment.units(),
            released_by: (&cmd.released_by).into(),
            loading_supervisor: Name::or_empty(cmd.loading_supervisor.as_ref()),
            dispatched_at: Some(to_proto(at)),
            deliver_by: Some(to_proto(book.deliver_by)),
            monitored_until: Some(to_proto(later(at, window))),
            carrier_freight: shipment.carrier.as_ref().and_then(|carrier| carrier.freight.clone()),
        })
    }

    /// A shipment reached the user. A carrier's word (a scan) is none: somebody must say so.
    ///
    /// # Errors
    /// The order is not in delivery, has no such shipment, or it has not left.
    pub fn report_arrival(
        &self,
        cmd: &ReportArrival,
        policy: &Policy,
    ) -> Decision<Event, Rejection> {
        let book = self.book()?;
        let id = cmd.shipment_id.as_str();
        if let Some(before) = book.shipment(id).and_then(|shipment| shipment.arrived.as_ref()) {
            return Repeat::new().at("at", before.at, &cmd.when).answer();
        }
        self.must_be_confirmed()?;
        let shipment = book.known_shipment(id)?;
        shipment.must_have_left()?;
        let at = book.time("at", &cmd.when)?;
        let wait = SignedDuration::from_mins(policy.inspection_wait_minutes.into());
        emit(ShipmentArrived {
            order_id: book.order_id(),
            platform: book.platform(),
            contract_id: book.contract_id(),
            shipment_id: id.to_owned(),
            arrived_at: Some(to_proto(at)),
            deliver_by: Some(to_proto(book.deliver_by)),
            representative_due_at: Some(to_proto(later(at, wait))),
            carrier: shipment.carrier_name(),
        })
    }
}

impl Dispatch {
    fn repeated_by(&self, cmd: &DispatchShipment) -> Decision<Event, Rejection> {
        let supervisor = Name::or_empty(cmd.loading_supervisor.as_ref());
        Repeat::new()
            .same("waybill_no", self.waybill_no.as_str(), cmd.waybill_no.as_str())
            .same("released_by", self.released_by.as_str(), cmd.released_by.as_str())
            .same("loading_supervisor", &self.loading_supervisor, &supervisor)
            .at("at", self.at, &cmd.when)
            .answer()
    }
}

impl Book {
    pub(super) fn shipment_dispatched(&mut self, event: &ShipmentDispatched) {
        let Some(shipment) = self.shipment_mut(&event.shipment_id) else { return };
        let at = moment(event.dispatched_at.as_ref());
        shipment.dispatched = Some(Dispatch {
            waybill_no: event.waybill_no.clone(),
            released_by: event.released_by.clone(),
            loading_supervisor: event.loading_supervisor.clone(),
            at,
            monitored_until: moment(event.monitored_until.as_ref()),
        });
        shipment.last_seen = at;
        shipment.last_status = TrackingStatus::Unspecified;
        for units in &event.lines {
            if let Some(line) = self.line_mut(units.line_no) {
                shift(&mut line.allocated, &mut line.in_transit, units.quantity);
            }
        }
    }

    pub(super) fn shipment_arrived(&mut self, event: &ShipmentArrived) {
        let Some(shipment) = self.shipment_mut(&event.shipment_id) else { return };
        shipment.arrived = Some(Arrival {
            at: moment(event.arrived_at.as_ref()),
            representative_due_at: moment(event.representative_due_at.as_ref()),
        });
        shipment.stalled = false;
        for load in &mut shipment.lines {
            load.waiting = load.quantity;
        }
        for units in shipment.units() {
            if let Some(line) = self.line_mut(units.line_no) {
                shift(&mut line.in_transit, &mut line.arrived, units.quantity);
            }
        }
    }
}
