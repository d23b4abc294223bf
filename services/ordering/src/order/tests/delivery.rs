//! From the hand-over to the arrival.

use contracts::ordering::{
    ParcelStalled, ShipmentArrived, ShipmentDispatched, TrackingRecorded, TrackingScan,
    TrackingStatus,
};
use decider::scenario::given;
use eventlog::time::to_proto;
use jiff::SignedDuration;

use super::sample::*;
use crate::order::{
    Event, Order, Rejection,
    command::{DispatchShipment, FindStalled, RecordTracking, ReportArrival},
};

#[test]
fn a_packed_shipment_leaves_and_is_monitored_for_the_window() {
    let dispatched = ShipmentDispatched {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        shipment_id: "s1".into(),
        carrier: "Swift".into(),
        waybill_no: "waybill-s1".into(),
        lines: quantities(&[(1, 6), (2, 4)]),
        released_by: "Seller Zhao".into(),
        loading_supervisor: String::new(),
        dispatched_at: Some(to_proto(hour(14))),
        deliver_by: Some(to_proto(hour(14 * 24))),
        monitored_until: Some(to_proto(hour(14 + 15 * 24))),
        carrier_freight: Some(cny(300)),
    };
    let packed = || {
        planned(None)
            .then(|order| order.choose_carrier(&choose_carrier("s1")))
            .then(|order| order.pack_shipment(&pack("s1")))
    };
    given::<Order>(packed().events)
        .when(|order| order.dispatch_shipment(&dispatch("s1"), &policy()))
        .then([dispatched.into()])
        .repeated();
    for (other, field) in [
        (DispatchShipment { waybill_no: id("x"), ..dispatch("s1") }, "waybill_no"),
        (DispatchShipment { released_by: name("x"), ..dispatch("s1") }, "released_by"),
        (
            DispatchShipment { loading_supervisor: Some(name("x")), ..dispatch("s1") },
            "loading_supervisor",
        ),
        (DispatchShipment { when: at(15), ..dispatch("s1") }, "at"),
    ] {
        given::<Order>(in_transit(None).events)
            .when(|order| order.dispatch_shipment(&other, &policy()))
            .then_refused_as(|no| no.field().as_deref() == Some(field));
    }
    given::<Order>(planned(None).events)
        .when(|order| order.dispatch_shipment(&dispatch("s1"), &policy()))
        .then_refused(Rejection::NotPacked);
}

#[test]
fn whoever_watches_the_loading_stands_on_the_hand_over() {
    let watched = DispatchShipment { loading_supervisor: Some(name("Li")), ..dispatch("s1") };
    let packed = planned(None)
        .then(|order| order.choose_carrier(&choose_carrier("s1")))
        .then(|order| order.pack_shipment(&pack("s1")));
    given::<Order>(packed.events)
        .when(|order| order.dispatch_shipment(&watched, &policy()))
        .then_events(|events| {
            matches!(events, [Event::ShipmentDispatched(it)] if it.loading_supervisor == "Li")
        })
        .repeated();
}

fn tracked(scan: TrackingScan) -> Event {
    TrackingRecorded {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        shipment_id: "s1".into(),
        scan: Some(scan),
    }
    .into()
}

#[test]
fn scans_come_in_any_order_and_each_is_recorded_once() {
    let late = scan("scan-2", TrackingStatus::InTransit, 30);
    let early = scan("scan-1", TrackingStatus::PickedUp, 15);
    let both = track("s1", vec![late.clone(), early.clone(), late.clone()]);
    given::<Order>(in_transit(None).events)
        .when(|order| order.record_tracking(&both))
        .then([tracked(late.clone()), tracked(early.clone())])
        .repeated();
    let story =
        || in_transit(None).then(|order| order.record_tracking(&track("s1", vec![late.clone()])));
    // one known, one new
    given::<Order>(story().events)
        .when(|order| order.record_tracking(&both))
        .then([tracked(early.clone())]);
    for (other, field) in [
        (TrackingScan { place: "elsewhere".into(), ..late.clone() }, "scans[1].place"),
        (TrackingScan { remark: "wet".into(), ..late.clone() }, "scans[1].remark"),
        (scan("scan-2", TrackingStatus::Delivered, 30), "scans[1].status"),
        (scan("scan-2", TrackingStatus::InTransit, 31), "scans[1].scanned_at"),
    ] {
        let ask = track("s1", vec![early.clone(), other.clone()]);
        given::<Order>(story().events)
            .when(|order| order.record_tracking(&ask))
            .then_refused_as(|no| no.field().as_deref() == Some(field));
        // nor may one request contradict itself
        let ask = track("s1", vec![late.clone(), other]);
        given::<Order>(in_transit(None).events)
            .when(|order| order.record_tracking(&ask))
            .then_refused_as(|no| no.field().as_deref() == Some(field));
    }
}

#[test]
fn a_scan_needs_a_parcel_that_has_left_and_a_time_that_can_be() {
    let picked_up = || vec![scan("scan-1", TrackingStatus::PickedUp, 15)];
    given::<Order>(planned(None).events)
        .when(|order| order.record_tracking(&track("s1", picked_up())))
        .then_refused(Rejection::NotDispatched);
    given::<Order>(in_transit(None).events)
        .when(|order| order.record_tracking(&track("s9", picked_up())))
        .then_refused(Rejection::UnknownShipment("s9".into()));
    let early = RecordTracking { now: hour(14), ..track("s1", picked_up()) };
    given::<Order>(in_transit(None).events)
        .when(|order| order.record_tracking(&early))
        .then_refused_as(|no| no.field().as_deref() == Some("scans[0].scanned_at"));
    // late scans are welcome after arrival, and after the order is fulfilled
    for story in [arrived(None), fulfilled()] {
        given::<Order>(story.events)
            .when(|order| order.record_tracking(&track("s1", picked_up())))
            .then_events(|events| events.len() == 1)
            .repeated();
    }
}

fn stalled_since(last_seen: i64, found: i64) -> Event {
    ParcelStalled {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        shipment_id: "s1".into(),
        carrier: "Swift".into(),
        waybill_no: "waybill-s1".into(),
        last_seen_at: Some(to_proto(hour(last_seen))),
        stalled_at: Some(to_proto(hour(found))),
        deliver_by: Some(to_proto(hour(14 * 24))),
    }
    .into()
}

#[test]
fn a_parcel_that_stands_still_is_found_once_for_each_standstill() {
    let look = |hours| FindStalled { now: hour(hours) };
    let early = FindStalled { now: hour(14 + 48) - SignedDuration::from_nanos(1) };
    given::<Order>(in_transit(None).events)
        .when(|order| order.find_stalled(&early, &policy()))
        .then_nothing();
    given::<Order>(in_transit(None).events)
        .when(|order| order.find_stalled(&look(14 + 48), &policy()))
        .then([stalled_since(14, 14 + 48)])
        .repeated();
    let stalled = || in_transit(None).then(|order| order.find_stalled(&look(14 + 48), &policy()));
    // an older scan that comes late does not move it
    let older = scan("scan-1", TrackingStatus::PickedUp, 13);
    let still = stalled().then(|order| order.record_tracking(&track("s1", vec![older.clone()])));
    given::<Order>(still.events)
        .when(|order| order.find_stalled(&look(200), &policy()))
        .then_nothing();
    // a newer one does, and it may stand still again
    let newer = scan("scan-2", TrackingStatus::InTransit, 70);
    let moved = || stalled().then(|order| order.record_tracking(&track("s1", vec![newer.clone()])));
    given::<Order>(moved().events)
        .when(|order| order.find_stalled(&look(70 + 47), &policy()))
        .then_nothing();
    given::<Order>(moved().events)
        .when(|order| order.find_stalled(&look(70 + 48), &policy()))
        .then([stalled_since(70, 70 + 48)])
        .repeated();
}

#[test]
fn nobody_is_warned_of_a_parcel_delivered_arrived_or_out_of_the_window() {
    let look = |hours| FindStalled { now: hour(hours) };
    let delivered = scan("scan-1", TrackingStatus::Delivered, 30);
    let story =
        in_transit(None).then(|order| order.record_tracking(&track("s1", vec![delivered.clone()])));
    given::<Order>(story.events)
        .when(|order| order.find_stalled(&look(200), &policy()))
        .then_nothing();
    given::<Order>(arrived(None).events)
        .when(|order| order.find_stalled(&look(200), &policy()))
        .then_nothing();
    let window = 14 + 15 * 24;
    let last = scan("scan-1", TrackingStatus::InTransit, window - 47);
    let story =
        in_transit(None).then(|order| order.record_tracking(&track("s1", vec![last.clone()])));
    given::<Order>(story.events)
        .when(|order| order.find_stalled(&look(window + 99), &policy()))
        .then_nothing();
    // found late, because nobody looked, it is found all the same
    given::<Order>(in_transit(None).events)
        .when(|order| order.find_stalled(&look(window + 99), &policy()))
        .then([stalled_since(14, window + 99)]);
}

#[test]
fn an_arrival_is_reported_once_and_a_scan_is_none() {
    let event = ShipmentArrived {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        shipment_id: "s1".into(),
        arrived_at: Some(to_proto(hour(60))),
        deliver_by: Some(to_proto(hour(14 * 24))),
        representative_due_at: Some(to_proto(hour(62))),
        carrier: "Swift".into(),
    };
    let delivered = scan("scan-1", TrackingStatus::Delivered, 59);
    let story =
        in_transit(None).then(|order| order.record_tracking(&track("s1", vec![delivered.clone()])));
    given::<Order>(story.events)
        .when(|order| order.report_arrival(&arrive("s1"), &policy()))
        .then([event.into()])
        .repeated();
    given::<Order>(arrived(None).events)
        .when(|order| {
            order.report_arrival(&ReportArrival { when: at(61), ..arrive("s1") }, &policy())
        })
        .then_refused_as(|no| no.field().as_deref() == Some("at"));
    given::<Order>(planned(None).events)
        .when(|order| order.report_arrival(&arrive("s1"), &policy()))
        .then_refused(Rejection::NotDispatched);
}
