//! Shipments in the row, from plan to inspection.

use contracts::ordering::{
    ArrivalInspected, CarrierChosen, LineState, Order as Row, OrderPhase, ParcelStalled, Shipment,
    ShipmentArrived, ShipmentDispatched, ShipmentPacked, ShipmentPhase, ShipmentPlanned,
    ShipmentUnplanned, TrackingRecorded,
};

use super::line_mut;
use crate::order::shift;

/// Most scans shown of a shipment: the newest.
const SHOWN_SCANS: usize = 50;

pub(super) fn shipment_mut<'a>(row: &'a mut Row, id: &str) -> Option<&'a mut Shipment> {
    row.shipments.iter_mut().find(|shipment| shipment.shipment_id == id)
}

/// Moves all units of a shipment within their lines.
fn move_units(row: &mut Row, id: &str, figures: fn(&mut LineState) -> (&mut u32, &mut u32)) {
    let units = shipment_mut(row, id).map(|shipment| shipment.lines.clone()).unwrap_or_default();
    for units in units {
        if let Some(line) = line_mut(row, units.line_no) {
            let (from, to) = figures(line);
            shift(from, to, units.quantity);
        }
    }
}

pub(super) fn planned(row: &mut Row, event: &ShipmentPlanned) {
    row.shipments.push(Shipment {
        shipment_id: event.shipment_id.clone(),
        phase: ShipmentPhase::Planned.into(),
        lines: event.lines.clone(),
        dispatch_by: event.dispatch_by,
        ..Shipment::default()
    });
    move_units(row, &event.shipment_id, |line| (&mut line.open, &mut line.allocated));
}

pub(super) fn unplanned(row: &mut Row, event: &ShipmentUnplanned) {
    move_units(row, &event.shipment_id, |line| (&mut line.allocated, &mut line.open));
    if let Some(shipment) = shipment_mut(row, &event.shipment_id) {
        shipment.set_phase(ShipmentPhase::Cancelled);
    }
}

pub(super) fn carrier_chosen(row: &mut Row, event: &CarrierChosen) {
    let Some(shipment) = shipment_mut(row, &event.shipment_id) else { return };
    shipment.set_phase(ShipmentPhase::CarrierChosen);
    shipment.carrier.clone_from(&event.carrier);
    shipment.carrier_freight.clone_from(&event.freight);
    shipment.carrier_scores = event.scores;
}

pub(super) fn packed(row: &mut Row, event: &ShipmentPacked) {
    let Some(shipment) = shipment_mut(row, &event.shipment_id) else { return };
    shipment.set_phase(ShipmentPhase::Packed);
    shipment.packages.clone_from(&event.packages);
}

pub(super) fn dispatched(row: &mut Row, event: &ShipmentDispatched) {
    if row.phase() == OrderPhase::Confirmed {
        row.set_phase(OrderPhase::InDelivery);
    }
    if let Some(shipment) = shipment_mut(row, &event.shipment_id) {
        shipment.set_phase(ShipmentPhase::InTransit);
        shipment.waybill_no.clone_from(&event.waybill_no);
        shipment.dispatched_at = event.dispatched_at;
        shipment.monitored_until = event.monitored_until;
    }
    move_units(row, &event.shipment_id, |line| (&mut line.allocated, &mut line.in_transit));
}

pub(super) fn tracked(row: &mut Row, event: &TrackingRecorded) {
    let Some(shipment) = shipment_mut(row, &event.shipment_id) else { return };
    let Some(scan) = &event.scan else { return };
    let scanned = scan.scanned_at.as_ref().map(moment);
    let seen = shipment.last_scan_at.as_ref().or(shipment.dispatched_at.as_ref()).map(moment);
    let seen = seen.max(shipment.dispatched_at.as_ref().map(moment));
    if scanned > seen {
        // it moves again; an older scan that comes late says nothing about that
        shipment.stalled_at = None;
    }
    if scanned >= shipment.last_scan_at.as_ref().map(moment) {
        shipment.last_scan_at = scan.scanned_at;
    }
    let place =
        shipment.scans.partition_point(|other| other.scanned_at.as_ref().map(moment) <= scanned);
    shipment.scans.insert(place, scan.clone());
    if shipment.scans.len() > SHOWN_SCANS {
        shipment.scans.remove(0);
    }
}

pub(super) fn stalled(row: &mut Row, event: &ParcelStalled) {
    if let Some(shipment) = shipment_mut(row, &event.shipment_id) {
        shipment.stalled_at = event.stalled_at;
    }
}

pub(super) fn arrived(row: &mut Row, event: &ShipmentArrived) {
    if let Some(shipment) = shipment_mut(row, &event.shipment_id) {
        shipment.set_phase(ShipmentPhase::Arrived);
        shipment.arrived_at = event.arrived_at;
        shipment.stalled_at = None;
        shipment.unjudged.clone_from(&shipment.lines);
    }
    move_units(row, &event.shipment_id, |line| (&mut line.in_transit, &mut line.arrived));
}

pub(super) fn inspected(row: &mut Row, event: &ArrivalInspected) {
    if let Some(shipment) = shipment_mut(row, &event.shipment_id) {
        shipment.set_phase(ShipmentPhase::Inspected);
        shipment.inspection.clone_from(&event.inspection);
    }
}

fn moment(at: &prost_types::Timestamp) -> (i64, i32) {
    (at.seconds, at.nanos)
}
