//! What the row shows along an order's life, and which listings find it.

use contracts::ordering::{
    DiscrepancyKind, DiscrepancyPhase, Order as Row, OrderException, OrderPhase, ShipmentPhase,
    SubstitutionPhase, TrackingStatus, Treatment, Urgency,
};
use eventlog::{Listing, Recorded, time::to_proto};

use super::{
    Milestone, all, apply, at_milestone, expired_by, in_phase, keys, of_buyer, parcels_in_transit,
    parcels_of, with_exception, with_urgency, with_waybill,
};
use crate::order::{
    Order,
    command::{AcceptGoods, FindStalled, RejectGoods},
    tests::sample::*,
};

fn row(story: &Story) -> Row {
    let mut row = Row::default();
    for (index, event) in story.events.iter().enumerate() {
        apply(&mut row, event, index as u64 + 1);
    }
    row
}

fn exceptions(story: &Story) -> Vec<OrderException> {
    row(story).exceptions().collect()
}

/// Whether a listing finds the row, by the key it goes by.
fn finds(listing: &Listing, row: &Row) -> bool {
    assert_eq!(listing.kind, Order::KIND);
    keys(row).iter().any(|key| {
        key.key == listing.key
            && key.value >= listing.from
            && listing.to.as_ref().is_none_or(|to| key.value < *to)
    })
}

fn names(row: &Row) -> Vec<&'static str> {
    let mut names: Vec<_> = keys(row).iter().map(|key| key.key).collect();
    names.sort_unstable();
    names
}

#[test]
fn a_placed_order_shows_its_terms_and_owes_nothing() {
    let row = row(&placed());
    let terms = push().terms.get().clone();
    assert_eq!(row.order_id, "order-1");
    assert_eq!(row.phase(), OrderPhase::Placed);
    assert_eq!(row.sealed_recipient, terms.recipient);
    assert_eq!(row.recipient, None);
    assert_eq!(row.payable, Some(cny(0)));
    assert_eq!(row.total, Some(cny(7_500)));
    assert_eq!(row.version, 1);
    let open: Vec<_> = row.lines.iter().map(|line| line.open).collect();
    assert_eq!(open, [6, 4]);
    assert_eq!(names(&row), ["buyer", "milestone", "phase"]);
}

#[test]
fn a_reservation_shows_its_end_and_becomes_an_order() {
    let reserved = reserved();
    assert_eq!(row(&reserved).phase(), OrderPhase::Reserved);
    assert_eq!(row(&reserved).reserved_until, Some(to_proto(hour(24))));
    assert_eq!(names(&row(&reserved)), ["buyer", "expiry", "phase"]);
    assert!(finds(&expired_by(hour(24)), &row(&reserved)));
    assert!(!finds(&expired_by(hour(23)), &row(&reserved)));
    let placed = reserved.clone().then(|order| order.push(&push()));
    assert_eq!(row(&placed).phase(), OrderPhase::Placed);
    assert!(!finds(&expired_by(hour(24)), &row(&placed)));
    let released = reserved.then(|order| order.release_pre_order(&release()));
    assert_eq!(row(&released).phase(), OrderPhase::Released);
    assert_eq!(row(&released).end_reason, "budget");
    assert_eq!(row(&released).ended_at, Some(to_proto(hour(3))));
    assert_eq!(names(&row(&released)), ["buyer", "phase"]);
}

#[test]
fn a_shipment_is_shown_from_plan_to_close() {
    let phase = |story: &Story| row(story).shipments[0].phase();
    assert_eq!(phase(&planned(None)), ShipmentPhase::Planned);
    let carrier = planned(None).then(|order| order.choose_carrier(&choose_carrier("s1")));
    assert_eq!(phase(&carrier), ShipmentPhase::CarrierChosen);
    assert_eq!(row(&carrier).phase(), OrderPhase::Confirmed);
    let packed = carrier.then(|order| order.pack_shipment(&pack("s1")));
    assert_eq!(phase(&packed), ShipmentPhase::Packed);
    assert_eq!(phase(&in_transit(None)), ShipmentPhase::InTransit);
    assert_eq!(row(&in_transit(None)).phase(), OrderPhase::InDelivery);
    assert_eq!(phase(&arrived(None)), ShipmentPhase::Arrived);
    assert_eq!(row(&arrived(None)).shipments[0].unjudged, quantities(&[(1, 6), (2, 4)]));
    assert_eq!(phase(&inspected()), ShipmentPhase::Inspected);
    let part =
        inspected().then(|order| order.accept_goods(&accept("s1", "slip-1", &[(1, 6), (2, 1)])));
    assert_eq!(phase(&part), ShipmentPhase::Inspected);
    assert_eq!(row(&part).shipments[0].unjudged, quantities(&[(2, 3)]));
    assert_eq!(phase(&fulfilled()), ShipmentPhase::Closed);
    let given_up = planned(None).then(|order| order.unplan_shipment(&unplan("s1")));
    assert_eq!(phase(&given_up), ShipmentPhase::Cancelled);
    assert_eq!(row(&given_up).lines[0].open, 6);
}

#[test]
fn a_fulfilled_and_paid_order_shows_what_was_owed_and_when() {
    let fulfilled = row(&fulfilled());
    assert_eq!(fulfilled.phase(), OrderPhase::Fulfilled);
    assert_eq!(fulfilled.payable, Some(cny(7_500)));
    assert_eq!(fulfilled.lines[0].warranty_starts_at, Some(to_proto(hour(62))));
    assert_eq!(fulfilled.lines[1].warranty_starts_at, None);
    assert_eq!(fulfilled.shipments[0].slip_no, "slip-1");
    let settled = row(&settled());
    assert_eq!(settled.phase(), OrderPhase::Settled);
    assert_eq!(settled.payment_ref, "bank-1");
    assert_eq!(names(&settled), ["buyer", "milestone", "milestone", "milestone", "phase"]);
    let installed = fulfilled_and_installed();
    assert_eq!(row(&installed).lines[1].warranty_starts_at, Some(to_proto(hour(70))));
}

#[test]
fn the_buyers_stock_entry_is_shown_with_the_shipment() {
    let entered = AcceptGoods {
        stock_entry_no: Some(id("RK-7")),
        ..accept("s1", "slip-1", &[(1, 6), (2, 4)])
    };
    let story = inspected().then(|order| order.accept_goods(&entered));
    assert_eq!(row(&story).shipments[0].stock_entry_no, "RK-7");
}

fn fulfilled_and_installed() -> Story {
    fulfilled().then(|order| order.record_installation(&install("s1")))
}

#[test]
fn what_the_user_owes_grows_with_each_acceptance() {
    let part = inspected().then(|order| order.accept_goods(&accept("s1", "slip-1", &[(1, 2)])));
    assert_eq!(row(&part).payable, Some(cny(2_500)));
    let kept = handling(Treatment::AcceptAsIs).then(|order| order.resolve_discrepancy(&resolve()));
    assert_eq!(row(&kept).payable, Some(cny(2_500)));
    assert_eq!(row(&kept).discrepancies[0].phase(), DiscrepancyPhase::Resolved);
}

#[test]
fn a_substitute_takes_the_place_and_the_first_stock_keeping_unit_is_remembered() {
    let story = placed()
        .then(|order| order.propose_substitution(&propose_substitution()))
        .then(|order| order.answer_substitution(&answer_substitution(true)));
    let row = row(&story);
    assert_eq!(row.substitutions[0].phase(), SubstitutionPhase::Accepted);
    assert_eq!(row.lines[0].substituted_for, "sku-1");
    assert_eq!(row.lines[0].line.as_ref().unwrap().listing, Some(substitute(900)));
    assert_eq!(row.total, Some(cny(7_500)), "as placed");
}

#[test]
fn scans_are_shown_by_their_time_the_newest_fifty() {
    let scans = (0..60)
        .rev()
        .map(|index| scan(&format!("scan-{index:02}"), TrackingStatus::InTransit, 15 + index));
    let story =
        in_transit(None).then(|order| order.record_tracking(&track("s1", scans.clone().collect())));
    let row = row(&story);
    let shown: Vec<_> = row.shipments[0].scans.iter().map(|scan| scan.scan_id.as_str()).collect();
    let newest: Vec<_> = (10..60).map(|index| format!("scan-{index:02}")).collect();
    assert_eq!(shown, newest);
    assert_eq!(row.shipments[0].last_scan_at, Some(to_proto(hour(15 + 59))));
}

#[test]
fn an_order_needs_eyes_on_it_while_a_parcel_stands_still() {
    let stalled = in_transit(None).then(|order| order.find_stalled(&find_stalled(), &policy()));
    assert_eq!(exceptions(&stalled), [OrderException::ParcelStalled]);
    let found = with_exception(OrderException::ParcelStalled, None, None);
    assert!(finds(&found, &row(&stalled)));
    let late = track("s1", vec![scan("scan-0", TrackingStatus::PickedUp, 13)]);
    let still = stalled.clone().then(|order| order.record_tracking(&late));
    assert_eq!(exceptions(&still), [OrderException::ParcelStalled]);
    let new = track("s1", vec![scan("scan-1", TrackingStatus::InTransit, 63)]);
    let moves = stalled.clone().then(|order| order.record_tracking(&new));
    assert_eq!(exceptions(&moves), []);
    assert!(!finds(&found, &row(&moves)));
    let again = FindStalled { now: hour(63 + 48) };
    let again = moves.then(|order| order.find_stalled(&again, &policy()));
    assert_eq!(exceptions(&again), [OrderException::ParcelStalled]);
    let arrived = stalled.then(|order| order.report_arrival(&arrive("s1"), &policy()));
    assert_eq!(exceptions(&arrived), []);
}

#[test]
fn an_order_needs_eyes_on_it_while_the_carriers_newest_word_is_bad() {
    let word = |status, hours| {
        let scans =
            vec![scan("scan-1", status, hours), scan("scan-2", TrackingStatus::InTransit, 20)];
        exceptions(
            &in_transit(None).then(|order| order.record_tracking(&track("s1", scans.clone()))),
        )
    };
    for bad in [TrackingStatus::Exception, TrackingStatus::AttemptFailed, TrackingStatus::Refused] {
        assert_eq!(word(bad, 21), [OrderException::Carrier]);
        assert_eq!(word(bad, 19), []);
    }
    assert_eq!(word(TrackingStatus::Delivered, 21), []);
}

#[test]
fn an_order_needs_eyes_on_it_for_each_other_reason_until_it_is_over() {
    assert_eq!(exceptions(&disputed()), [OrderException::Discrepancy]);
    let resolved = handling(Treatment::Credit).then(|order| order.resolve_discrepancy(&resolve()));
    assert_eq!(exceptions(&resolved), []);
    let held_up = confirmed().then(|order| order.declare_force_majeure(&declare_force_majeure()));
    assert_eq!(exceptions(&held_up), [OrderException::ForceMajeure]);
    let cancelled = held_up.clone().then(|order| order.cancel(&cancel(None)));
    assert_eq!(exceptions(&cancelled), []);
    let over = held_up.then(|order| order.lift_force_majeure(&lift_force_majeure()));
    assert_eq!(exceptions(&over), []);
    let failed = confirmed().then(|order| order.record_inspection(&inspect_goods(false)));
    assert_eq!(exceptions(&failed), [OrderException::InspectionFailed]);
    let mut second = inspect_goods(true);
    second.certificate_no = id("certificate-2");
    let passed = failed.then(|order| order.record_inspection(&second));
    assert_eq!(exceptions(&passed), []);
}

#[test]
fn a_refused_treatment_leaves_its_reason_until_the_next_proposal() {
    let refused = disputed()
        .then(|order| order.propose_treatment(&propose(Treatment::Credit)))
        .then(|order| order.answer_treatment(&answer(1, false)));
    let shown = row(&refused).discrepancies[0].clone();
    assert_eq!(shown.phase(), DiscrepancyPhase::Reported);
    assert_eq!(
        (shown.refusal.as_str(), shown.treatment()),
        ("we want another", Treatment::Unspecified)
    );
    let next = refused.then(|order| order.propose_treatment(&propose(Treatment::Redeliver)));
    let shown = row(&next).discrepancies[0].clone();
    assert_eq!((shown.refusal.as_str(), shown.treatment()), ("", Treatment::Redeliver));
    assert_eq!(shown.proposals, 2);
}

#[test]
fn surplus_units_are_in_no_figure() {
    let story = arrived(None)
        .then(|order| {
            order.inspect_arrival(&inspect("s1", vec![finding(1, 7, 0), finding(2, 4, 0)]))
        })
        .then(|order| order.report_discrepancy(&report(DiscrepancyKind::Over, 1, 1)))
        .then(|order| order.propose_treatment(&propose(Treatment::Credit)))
        .then(|order| order.answer_treatment(&answer(1, true)))
        .then(|order| order.resolve_discrepancy(&resolve()));
    assert_eq!(row(&story).lines[0].arrived, 6);
    assert_eq!(row(&story).lines[0].rejected, 0);
    assert_eq!(row(&story).shipments[0].phase(), ShipmentPhase::Inspected);
}

#[test]
fn listings_find_an_order_by_what_it_is_and_when() {
    let row = row(&confirmed());
    let due = hour(14 * 24);
    assert!(finds(&all(), &row));
    assert!(finds(&in_phase(OrderPhase::Confirmed, None, None), &row));
    assert!(finds(&in_phase(OrderPhase::Confirmed, Some(due), None), &row));
    assert!(!finds(&in_phase(OrderPhase::Confirmed, None, Some(due)), &row));
    assert!(finds(&in_phase(OrderPhase::Confirmed, None, Some(hour(14 * 24 + 1))), &row));
    assert!(!finds(&in_phase(OrderPhase::Placed, None, None), &row));
    assert!(!finds(&in_phase(OrderPhase::Expired, None, None), &row));
    let new = |platform| at_milestone(platform, Milestone::New, Some(placed_at()), Some(hour(1)));
    assert!(finds(&new("mall"), &row));
    assert!(!finds(&new("mal"), &row) && !finds(&new("mall2"), &row));
    assert!(!finds(&at_milestone("mall", Milestone::New, Some(hour(1)), None), &row));
    for other in [Milestone::Delivered, Milestone::Refused, Milestone::Finished] {
        assert!(!finds(&at_milestone("mall", other, None, None), &row));
    }
    assert!(finds(&of_buyer("mall", "school-7", None, None), &row));
    assert!(!finds(&of_buyer("mall", "school-70", None, None), &row));
    assert!(!finds(&of_buyer("mall", "school", None, None), &row));
    assert!(!finds(&parcels_in_transit(), &row));
}

#[test]
fn what_is_urgent_is_found_by_it_while_it_is_open() {
    let due = hour(14 * 24);
    let stories = [
        (reserved(), true),
        (placed(), true),
        (confirmed(), true),
        (in_transit(None), true),
        (fulfilled(), false),
        (settled(), false),
        (refused(), false),
    ];
    for (story, open) in stories {
        let mut row = row(&story);
        assert!(!names(&row).contains(&"urgency"), "most orders are normal");
        for (urgency, other) in
            [(Urgency::Urgent, Urgency::Emergency), (Urgency::Emergency, Urgency::Urgent)]
        {
            row.set_urgency(urgency);
            assert_eq!(finds(&with_urgency(urgency, None, None), &row), open, "{:?}", row.phase());
            assert_eq!(finds(&with_urgency(urgency, Some(due), None), &row), open);
            assert!(!finds(&with_urgency(urgency, None, Some(due)), &row));
            assert!(!finds(&with_urgency(other, None, None), &row));
        }
    }
}

#[test]
fn parcels_are_found_while_they_are_on_their_way() {
    let sent = row(&in_transit(None));
    assert!(finds(&parcels_in_transit(), &sent));
    assert!(finds(&parcels_of("mall", Some(hour(14)), None), &sent));
    assert!(!finds(&parcels_of("mall", Some(hour(15)), None), &sent));
    assert!(!finds(&parcels_of("other", None, None), &sent));
    assert!(finds(&with_waybill("waybill-s1"), &sent));
    assert!(!finds(&with_waybill("waybill-s"), &sent));
    let there = row(&arrived(None));
    assert!(!finds(&parcels_in_transit(), &there));
    assert!(finds(&with_waybill("waybill-s1"), &there));
    assert!(!finds(&with_waybill("waybill-s1"), &row(&settled())));
}

#[test]
fn milestones_stay_for_reconciliation() {
    let paid = row(&settled());
    for milestone in [Milestone::New, Milestone::Delivered, Milestone::Finished] {
        assert!(finds(&at_milestone("mall", milestone, None, None), &paid), "{milestone:?}");
    }
    assert!(!finds(&at_milestone("mall", Milestone::Refused, None, None), &paid));
    let back = row(&refused());
    assert_eq!(back.phase(), OrderPhase::Refused);
    assert!(finds(&at_milestone("mall", Milestone::Refused, Some(hour(63)), None), &back));
    assert!(!finds(&at_milestone("mall", Milestone::Delivered, None, None), &back));
    let part = RejectGoods { lines: units(&[(1, 2)]), ..reject("s1", &[(1, 2)]) };
    let part = damaged()
        .then(|order| order.reject_goods(&part))
        .then(|order| order.accept_goods(&accept("s1", "slip-1", &[(1, 4), (2, 4)])));
    assert_eq!(row(&part).payable, Some(cny(5_500)));
    assert!(finds(&at_milestone("mall", Milestone::Delivered, None, None), &row(&part)));
}
