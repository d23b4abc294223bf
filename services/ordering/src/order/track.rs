//! Where parcels are, by the carrier's scans, and which of them stand still (ORD-20).

use std::sync::Arc;

use contracts::ordering::{ParcelStalled, TrackingRecorded, TrackingScan, TrackingStatus};
use decider::{Decision, emit_all, unchanged};
use eventlog::time::to_proto;
use jiff::{SignedDuration, Timestamp};

use super::{
    Event, Order, Rejection,
    book::{Book, check_time, later, moment},
    command::{FindStalled, RecordTracking},
    repeat::Repeat,
    shipment::Shipment,
};
use crate::config::Policy;

impl Order {
    /// The carrier scanned a shipment: each scan is recorded once, in whatever order they come,
    /// also after the arrival.
    ///
    /// # Errors
    /// The order is not in delivery, has no such shipment, it has not left, or the id of a scan is
    /// taken by another one.
    pub fn record_tracking(&self, cmd: &RecordTracking) -> Decision<Event, Rejection> {
        let book = self.book()?;
        let id = cmd.shipment_id.as_str();
        let known = book.shipment(id).map_or(&[][..], |shipment| &shipment.scans);
        let mut new: Vec<(usize, &TrackingScan)> = Vec::with_capacity(cmd.scans.len());
        for (index, scan) in cmd.scans.iter().map(|scan| &scan.0).enumerate() {
            let before = known
                .iter()
                .map(Arc::as_ref)
                .chain(new.iter().map(|(_, scan)| *scan))
                .find(|before| before.scan_id == scan.scan_id);
            match before {
                Some(before) => {
                    same_scan(index, before, scan).answer()?;
                }
                None => new.push((index, scan)),
            }
        }
        if new.is_empty() {
            return unchanged();
        }
        self.must_be_unsettled()?;
        book.known_shipment(id)?.must_have_left()?;
        for (index, scan) in &new {
            let at = moment(scan.scanned_at.as_ref());
            check_time(|| format!("scans[{index}].scanned_at"), book.placed_at, at, cmd.now)?;
        }
        emit_all(new.into_iter().map(|(_, scan)| {
            Event::from(TrackingRecorded {
                order_id: book.order_id(),
                platform: book.platform(),
                contract_id: book.contract_id(),
                shipment_id: id.to_owned(),
                scan: Some(scan.clone()),
            })
        }))
    }

    /// Parcels that stand still are found, each standstill once: in the monitoring window, without
    /// a sign of life for longer than the policy allows.
    ///
    /// # Errors
    /// There is no order.
    pub fn find_stalled(&self, cmd: &FindStalled, policy: &Policy) -> Decision<Event, Rejection> {
        let book = match self {
            Self::Absent => return Err(Rejection::UnknownOrder),
            Self::Confirmed(book) => book,
            // nothing is on its way
            Self::Reserved(_)
            | Self::Placed(_)
            | Self::Fulfilled(_)
            | Self::Settled(_)
            | Self::Ended(..) => return unchanged(),
        };
        let silence = SignedDuration::from_hours(policy.stall_hours.into());
        let stalled = book.shipments.iter().filter(|shipment| {
            shipment.stalls_at(silence).is_some_and(|stalls_at| stalls_at <= cmd.now)
        });
        emit_all(stalled.map(|shipment| {
            Event::from(ParcelStalled {
                order_id: book.order_id(),
                platform: book.platform(),
                contract_id: book.contract_id(),
                shipment_id: shipment.id.clone(),
                carrier: shipment.carrier_name(),
                waybill_no: shipment
                    .dispatched
                    .as_ref()
                    .map_or_else(String::new, |dispatch| dispatch.waybill_no.clone()),
                last_seen_at: Some(to_proto(shipment.last_seen)),
                stalled_at: Some(to_proto(cmd.now)),
                deliver_by: Some(to_proto(book.deliver_by)),
            })
        }))
    }
}

impl Shipment {
    /// When it will have stood still for so long; `None` when nobody needs to be warned: it is not
    /// on its way, known to stand still, delivered by the carrier's word, or out of the window.
    fn stalls_at(&self, silence: SignedDuration) -> Option<Timestamp> {
        let dispatch = self.in_transit()?;
        if self.stalled || self.last_status == TrackingStatus::Delivered {
            return None;
        }
        Some(later(self.last_seen, silence)).filter(|at| *at <= dispatch.monitored_until)
    }
}

fn same_scan(index: usize, before: &TrackingScan, now: &TrackingScan) -> Repeat {
    let field = |name: &'static str| move || format!("scans[{index}].{name}");
    Repeat::new()
        .same_at(field("status"), before.status().as_str_name(), now.status().as_str_name())
        .same_at(field("scanned_at"), &before.scanned_at, &now.scanned_at)
        .same_at(field("place"), &before.place, &now.place)
        .same_at(field("remark"), &before.remark, &now.remark)
}

impl Book {
    pub(super) fn tracking_recorded(&mut self, event: &TrackingRecorded) {
        let Some(shipment) = self.shipment_mut(&event.shipment_id) else { return };
        let Some(scan) = &event.scan else { return };
        let at = moment(scan.scanned_at.as_ref());
        if at > shipment.last_seen {
            // it moves again; an older scan that comes late says nothing about that
            shipment.stalled = false;
        }
        if at >= shipment.last_seen {
            shipment.last_seen = at;
            shipment.last_status = scan.status();
        }
        shipment.scans.push(Arc::new(scan.clone()));
    }

    pub(super) fn parcel_stalled(&mut self, event: &ParcelStalled) {
        if let Some(shipment) = self.shipment_mut(&event.shipment_id) {
            shipment.stalled = true;
        }
    }
}
