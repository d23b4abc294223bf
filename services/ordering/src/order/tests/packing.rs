//! From the inspection before delivery to the packed boxes.

use contracts::ordering::{
    CarrierChosen, CarrierScores, GoodsInspected, Package, PreDeliveryInspection, ShipmentPacked,
    ShipmentPlanned, ShipmentUnplanned,
};
use decider::scenario::given;
use eventlog::time::to_proto;

use super::sample::*;
use crate::order::{
    Event, Order, Packages, Rejection, Scores,
    command::{ChooseCarrier, PackShipment, PlanShipment, RecordInspection, UnplanShipment},
};

#[test]
fn an_inspection_is_recorded_under_its_certificate() {
    let inspection = PreDeliveryInspection {
        certificate_no: "certificate-1".into(),
        lines: quantities(&[(1, 6), (2, 4)]),
        passed: true,
        inspector: "Inspector Wang".into(),
        inspected_at: Some(to_proto(hour(10))),
        certificate_sha256: "a".repeat(64),
        remarks: String::new(),
    };
    let inspected = GoodsInspected {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        inspection: Some(inspection),
    };
    given::<Order>(confirmed().events)
        .when(|order| order.record_inspection(&inspect_goods(true)))
        .then([inspected.into()])
        .repeated();
    for (other, field) in [
        (inspect_goods(false), "inspection.passed"),
        (
            RecordInspection { lines: units(&[(1, 5), (2, 4)]), ..inspect_goods(true) },
            "inspection.lines[0].quantity",
        ),
        (RecordInspection { inspector: name("x"), ..inspect_goods(true) }, "inspection.inspector"),
        (
            RecordInspection { certificate_sha256: None, ..inspect_goods(true) },
            "inspection.certificate_sha256",
        ),
        (
            RecordInspection { remarks: Some(text("x")), ..inspect_goods(true) },
            "inspection.remarks",
        ),
        (RecordInspection { when: at(9), ..inspect_goods(true) }, "inspection.inspected_at"),
    ] {
        given::<Order>(certified().events)
            .when(|order| order.record_inspection(&other))
            .then_refused_as(|no| no.field().as_deref() == Some(field));
    }
}

#[test]
fn no_more_is_inspected_than_was_ordered() {
    let more = RecordInspection { lines: units(&[(1, 7)]), ..inspect_goods(true) };
    given::<Order>(confirmed().events)
        .when(|order| order.record_inspection(&more))
        .then_refused_as(|no| no.reason() == "MORE_THAN_ORDERED");
    let unknown = RecordInspection { lines: units(&[(9, 1)]), ..inspect_goods(true) };
    given::<Order>(confirmed().events)
        .when(|order| order.record_inspection(&unknown))
        .then_refused_as(|no| no.field().as_deref() == Some("inspection.lines[0].line_no"));
}

#[test]
fn a_shipment_takes_open_units_and_gives_them_back() {
    let planned_event = |lines: &[(u32, u32)]| {
        Event::from(ShipmentPlanned {
            order_id: "order-1".into(),
            platform: "mall".into(),
            contract_id: "contract-9".into(),
            shipment_id: "s1".into(),
            lines: quantities(lines),
            dispatch_by: Some(to_proto(hour(4 + 48))),
            deliver_by: Some(to_proto(hour(14 * 24))),
            planned_at: Some(to_proto(hour(11))),
        })
    };
    given::<Order>(confirmed().events)
        .when(|order| order.plan_shipment(&plan("s1", None)))
        .then([planned_event(&[(1, 6), (2, 4)])])
        .repeated();
    given::<Order>(confirmed().events)
        .when(|order| order.plan_shipment(&plan("s1", Some(units(&[(1, 2)])))))
        .then([planned_event(&[(1, 2)])])
        .repeated();
    let part = || planned(Some(units(&[(1, 2)])));
    for (other, field) in [
        (plan("s1", Some(units(&[(1, 3)]))), "lines[0].quantity"),
        (plan("s1", None), "lines"),
        (
            PlanShipment { dispatch_by: Some(hour(99)), ..plan("s1", Some(units(&[(1, 2)]))) },
            "dispatch_by",
        ),
        (PlanShipment { when: at(12), ..plan("s1", Some(units(&[(1, 2)]))) }, "at"),
    ] {
        given::<Order>(part().events)
            .when(|order| order.plan_shipment(&other))
            .then_refused_as(|no| no.field().as_deref() == Some(field));
    }
    given::<Order>(part().events)
        .when(|order| order.plan_shipment(&plan("s2", Some(units(&[(2, 1), (1, 5)])))))
        .then_refused_as(|no| no.field().as_deref() == Some("lines[1].quantity"));
    given::<Order>(planned(None).events)
        .when(|order| order.plan_shipment(&plan("s2", None)))
        .then_refused(Rejection::NothingOpen);
    let unplanned = ShipmentUnplanned {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        shipment_id: "s1".into(),
        reason: "split otherwise".into(),
        unplanned_at: Some(to_proto(hour(12))),
    };
    given::<Order>(planned(None).events)
        .when(|order| order.unplan_shipment(&unplan("s1")))
        .then([unplanned.into()])
        .repeated();
    let again = planned(None).then(|order| order.unplan_shipment(&unplan("s1")));
    given::<Order>(again.events.clone())
        .when(|order| order.plan_shipment(&plan("s2", None)))
        .then_events(|events| events.len() == 1);
    let otherwise = UnplanShipment { reason: None, ..unplan("s1") };
    given::<Order>(again.events)
        .when(|order| order.unplan_shipment(&otherwise))
        .then_refused_as(|no| no.field().as_deref() == Some("reason"));
}

#[test]
fn what_was_given_up_goes_nowhere_and_what_has_left_is_not_given_up() {
    let gone = || planned(None).then(|order| order.unplan_shipment(&unplan("s1"))).order;
    assert_eq!(gone().choose_carrier(&choose_carrier("s1")), Err(Rejection::ShipmentUnplanned));
    assert_eq!(gone().pack_shipment(&pack("s1")), Err(Rejection::ShipmentUnplanned));
    let dispatched = gone().dispatch_shipment(&dispatch("s1"), &policy());
    assert_eq!(dispatched, Err(Rejection::ShipmentUnplanned));
    let arrived = gone().report_arrival(&arrive("s1"), &policy());
    assert_eq!(arrived, Err(Rejection::ShipmentUnplanned));
    let left = in_transit(None).order.unplan_shipment(&unplan("s1"));
    assert_eq!(left, Err(Rejection::AlreadyDispatched));
}

#[test]
fn a_carrier_is_chosen_by_its_marks() {
    let chosen = CarrierChosen {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        shipment_id: "s1".into(),
        carrier: "Swift".into(),
        freight: Some(cny(300)),
        scores: Some(choose_carrier("s1").scores.get()),
        chosen_at: Some(to_proto(hour(12))),
    };
    given::<Order>(planned(None).events)
        .when(|order| order.choose_carrier(&choose_carrier("s1")))
        .then([chosen.into()])
        .repeated();
    let story = || planned(None).then(|order| order.choose_carrier(&choose_carrier("s1")));
    let mut marks = choose_carrier("s1").scores.get();
    marks.cost = 5;
    let marks = Scores::parse(Some(marks), "scores").unwrap();
    for (other, field) in [
        (ChooseCarrier { carrier: name("Slow"), ..choose_carrier("s1") }, "carrier"),
        (ChooseCarrier { freight: None, ..choose_carrier("s1") }, "freight"),
        (ChooseCarrier { scores: marks, ..choose_carrier("s1") }, "scores.cost"),
        (ChooseCarrier { when: at(13), ..choose_carrier("s1") }, "at"),
    ] {
        given::<Order>(story().events)
            .when(|order| order.choose_carrier(&other))
            .then_refused_as(|no| no.field().as_deref() == Some(field));
    }
    given::<Order>(confirmed().events)
        .when(|order| order.choose_carrier(&choose_carrier("s1")))
        .then_refused(Rejection::UnknownShipment("s1".into()));
}

#[test]
fn each_of_the_four_marks_is_given_and_on_the_scale() {
    let wrong = |scores: Option<CarrierScores>| -> Vec<String> {
        let violations = Scores::parse(scores, "scores").unwrap_err();
        violations.into_iter().map(|(field, _)| field).collect()
    };
    assert_eq!(wrong(None), ["scores"]);
    let marks: [Change<CarrierScores>; 4] = [
        ("scores.safety", |marks| marks.safety = 0),
        ("scores.punctuality", |marks| marks.punctuality = 6),
        ("scores.service", |marks| marks.service = 0),
        ("scores.cost", |marks| marks.cost = 6),
    ];
    for (field, change) in marks {
        let mut marks = CarrierScores { safety: 1, punctuality: 5, service: 1, cost: 5 };
        assert!(Scores::parse(Some(marks), "scores").is_ok());
        change(&mut marks);
        assert_eq!(wrong(Some(marks)), [field]);
    }
}

#[test]
fn each_box_has_a_number_of_its_own_and_a_certificate() {
    let sealed = |number: &str, certificate: &str| Package {
        package_no: number.into(),
        certificate_no: certificate.into(),
        weight_grams: 1,
    };
    let wrong = |list: Vec<Package>| -> Vec<String> {
        let violations = Packages::parse(list, "packages").unwrap_err();
        violations.into_iter().map(|(field, _)| field).collect()
    };
    assert_eq!(wrong(vec![sealed("box-1", "")]), ["packages[0].certificate_no"]);
    assert_eq!(
        wrong(vec![sealed("box-1", " "), sealed("box-2", "c")]),
        ["packages[0].certificate_no"]
    );
    assert_eq!(wrong(vec![sealed("box-1", "c"), sealed("box-1", "c")]), ["packages[1].package_no"]);
    assert_eq!(wrong(Vec::new()), ["packages"]);
    assert!(Packages::parse(vec![sealed("box-1", "c"), sealed("box-2", "c")], "packages").is_ok());
}

#[test]
fn nothing_is_packed_without_a_carrier_or_a_passed_inspection() {
    let packed = ShipmentPacked {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        shipment_id: "s1".into(),
        packages: pack("s1").packages.as_slice().to_vec(),
        packed_at: Some(to_proto(hour(13))),
    };
    let ready = || planned(None).then(|order| order.choose_carrier(&choose_carrier("s1")));
    given::<Order>(ready().events)
        .when(|order| order.pack_shipment(&pack("s1")))
        .then([packed.into()])
        .repeated();
    let mut boxes = pack("s1").packages.as_slice().to_vec();
    boxes[0].certificate_no = "certificate-2".into();
    let other =
        PackShipment { packages: Packages::parse(boxes, "packages").unwrap(), ..pack("s1") };
    given::<Order>(ready().then(|order| order.pack_shipment(&pack("s1"))).events)
        .when(|order| order.pack_shipment(&other))
        .then_refused_as(|no| no.field().as_deref() == Some("packages[0].certificate_no"));
    given::<Order>(planned(None).events)
        .when(|order| order.pack_shipment(&pack("s1")))
        .then_refused(Rejection::CarrierNotChosen);
    let failed = confirmed()
        .then(|order| order.record_inspection(&inspect_goods(false)))
        .then(|order| order.plan_shipment(&plan("s1", None)))
        .then(|order| order.choose_carrier(&choose_carrier("s1")));
    given::<Order>(failed.events)
        .when(|order| order.pack_shipment(&pack("s1")))
        .then_refused(Rejection::NotInspectedBeforePacking { line_no: 1, passed: 0, needed: 6 });
}

#[test]
fn an_inspection_covers_its_units_once() {
    let half = RecordInspection { lines: units(&[(1, 3)]), ..inspect_goods(true) };
    let two = confirmed()
        .then(|order| order.record_inspection(&half))
        .then(|order| order.plan_shipment(&plan("s1", Some(units(&[(1, 2)])))))
        .then(|order| order.plan_shipment(&plan("s2", Some(units(&[(1, 2)])))))
        .then(|order| order.choose_carrier(&choose_carrier("s1")))
        .then(|order| order.choose_carrier(&choose_carrier("s2")))
        .then(|order| order.pack_shipment(&pack("s1")));
    given::<Order>(two.events.clone())
        .when(|order| order.pack_shipment(&pack("s2")))
        .then_refused(Rejection::NotInspectedBeforePacking { line_no: 1, passed: 1, needed: 2 });
    // unpacked units are covered still
    let unpacked = two.then(|order| order.unplan_shipment(&unplan("s1")));
    given::<Order>(unpacked.events)
        .when(|order| order.pack_shipment(&pack("s2")))
        .then_events(|events| events.len() == 1);
}
