//! Why an order needs eyes on it: computed anew from its row after each event.

use contracts::ordering::{
    DiscrepancyPhase, LineState, Order as Row, OrderException, OrderPhase, Shipment, ShipmentPhase,
    TrackingStatus,
};

/// Notes the exceptions, each once, in the order of their numbers.
pub(super) fn note(row: &mut Row) {
    row.exceptions.clear();
    if !needs_eyes(row.phase()) {
        return;
    }
    let on_their_way =
        || row.shipments.iter().filter(|shipment| shipment.phase() == ShipmentPhase::InTransit);
    let stalled = on_their_way().any(|shipment| shipment.stalled_at.is_some());
    let carrier = on_their_way().any(carrier_reports);
    let mut discrepancies = row.discrepancies.iter();
    let disputed = discrepancies.any(|one| one.phase() != DiscrepancyPhase::Resolved);
    let held_up = row.force_majeure.as_ref().is_some_and(|held_up| held_up.until.is_none());
    let failed = row.lines.iter().any(|line| inspection_failed(row, line));
    let found = [
        (stalled, OrderException::ParcelStalled),
        (disputed, OrderException::Discrepancy),
        (carrier, OrderException::Carrier),
        (held_up, OrderException::ForceMajeure),
        (failed, OrderException::InspectionFailed),
    ];
    row.exceptions = found.iter().filter(|(is, _)| *is).map(|(_, one)| (*one).into()).collect();
}

fn needs_eyes(phase: OrderPhase) -> bool {
    match phase {
        OrderPhase::Reserved
        | OrderPhase::Placed
        | OrderPhase::Confirmed
        | OrderPhase::InDelivery
        | OrderPhase::Fulfilled => true,
        OrderPhase::Unspecified
        | OrderPhase::Settled
        | OrderPhase::Declined
        | OrderPhase::Cancelled
        | OrderPhase::Released
        | OrderPhase::Expired
        | OrderPhase::Refused => false,
    }
}

/// The newest scan reports an exception, a failed attempt or a refusal.
fn carrier_reports(shipment: &Shipment) -> bool {
    shipment.scans.last().is_some_and(|scan| match scan.status() {
        TrackingStatus::Exception | TrackingStatus::AttemptFailed | TrackingStatus::Refused => true,
        TrackingStatus::Unspecified
        | TrackingStatus::PickedUp
        | TrackingStatus::InTransit
        | TrackingStatus::OutForDelivery
        | TrackingStatus::AvailableForPickup
        | TrackingStatus::Delivered
        | TrackingStatus::Returning => false,
    })
}

/// The latest inspection of the line failed, and some of its units have not left.
fn inspection_failed(row: &Row, line: &LineState) -> bool {
    let Some(ordered) = line.line.as_ref().filter(|_| line.open + line.allocated > 0) else {
        return false;
    };
    let mut latest_first = row.inspections.iter().rev();
    latest_first
        .find(|inspection| inspection.lines.iter().any(|units| units.line_no == ordered.line_no))
        .is_some_and(|inspection| !inspection.passed)
}
