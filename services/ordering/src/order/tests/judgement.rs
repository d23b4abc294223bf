//! Inspection on arrival, acceptance, refusal, installation, the signed slip.

use contracts::ordering::{
    ArrivalChecklist, ArrivalInspected, ArrivalInspection, GoodsRejected, InspectionMode,
    InstallationRecorded, LineFinding, RejectionReason, SignedSlipFiled,
};
use decider::scenario::given;
use eventlog::time::to_proto;

use super::sample::*;
use crate::order::{
    Event, Findings, Order, Rejection,
    command::{FileSignedSlip, InspectArrival, Presence, RecordInstallation, RejectGoods},
};

fn good() -> Vec<LineFinding> {
    vec![finding(1, 6, 0), finding(2, 4, 0)]
}

fn inspection(conforms: bool, findings: Vec<LineFinding>) -> Event {
    ArrivalInspected {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        shipment_id: "s1".into(),
        inspection: Some(ArrivalInspection {
            mode: InspectionMode::Joint.into(),
            inspected_at: Some(to_proto(hour(61))),
            representative_due_at: Some(to_proto(hour(62))),
            user_representative: "Teacher Qian".into(),
            supplier_representative: "Driver Sun".into(),
            procurement_supervisor: String::new(),
            checklist: Some(ArrivalChecklist {
                packaging_met: true,
                undamaged: true,
                list_matches: true,
            }),
            findings,
            conforms,
        }),
    }
    .into()
}

#[test]
fn a_joint_inspection_conforms_when_everything_is_as_sent_and_sold() {
    given::<Order>(arrived(None).events)
        .when(|order| order.inspect_arrival(&inspect("s1", good())))
        .then([inspection(true, good())])
        .repeated();
}

#[test]
fn an_inspection_does_not_conform_when_anything_is_wrong() {
    let other = |change: fn(&mut LineFinding)| {
        let mut findings = good();
        change(&mut findings[1]);
        findings
    };
    for findings in [
        other(|found| found.counted = 3),
        other(|found| found.counted = 5),
        other(|found| found.damaged = 1),
        other(|found| found.brand = "imitation".into()),
        other(|found| found.model = "older".into()),
        other(|found| found.specification = "smaller".into()),
    ] {
        given::<Order>(arrived(None).events)
            .when(|order| order.inspect_arrival(&inspect("s1", findings.clone())))
            .then([inspection(false, findings.clone())]);
    }
    let as_listed = other(|found| found.brand = "brand 2".into());
    given::<Order>(arrived(None).events)
        .when(|order| order.inspect_arrival(&inspect("s1", as_listed.clone())))
        .then([inspection(true, as_listed.clone())]);
    let checks: [fn(&mut InspectArrival); 3] = [
        |ask| ask.packaging_met = false,
        |ask| ask.undamaged = false,
        |ask| ask.list_matches = false,
    ];
    for change in checks {
        let mut ask = inspect("s1", good());
        change(&mut ask);
        given::<Order>(arrived(None).events).when(|order| order.inspect_arrival(&ask)).then_events(
            |events| {
                matches!(events, [Event::ArrivalInspected(event)]
                    if !event.inspection.as_ref().unwrap().conforms)
            },
        );
    }
}

#[test]
fn the_user_inspects_alone_only_when_our_representative_is_late() {
    let alone = |hours| InspectArrival {
        presence: Presence::Unilateral,
        when: at(hours),
        ..inspect("s1", good())
    };
    given::<Order>(arrived(None).events)
        .when(|order| order.inspect_arrival(&alone(61)))
        .then_refused(Rejection::RepresentativeNotLate { due: hour(62) });
    given::<Order>(arrived(None).events)
        .when(|order| order.inspect_arrival(&alone(62)))
        .then_events(|events| events.len() == 1)
        .repeated();
}

#[test]
fn findings_are_about_exactly_the_lines_of_the_shipment() {
    given::<Order>(arrived(None).events)
        .when(|order| order.inspect_arrival(&inspect("s1", vec![finding(1, 6, 0)])))
        .then_refused(Rejection::FindingMissing { line_no: 2 });
    given::<Order>(arrived(Some(units(&[(1, 6)]))).events)
        .when(|order| order.inspect_arrival(&inspect("s1", good())))
        .then_refused(Rejection::NotInShipment {
            field: "inspection.findings[1].line_no".into(),
            line_no: 2,
        });
}

#[test]
fn an_inspection_needs_an_arrival_and_something_to_inspect() {
    given::<Order>(in_transit(None).events)
        .when(|order| order.inspect_arrival(&inspect("s1", good())))
        .then_refused(Rejection::NotArrived);
    let refused = RejectGoods {
        reason: RejectionReason::Other,
        description: Some(text("no")),
        ..reject("s1", &[(1, 6)])
    };
    let story = arrived(Some(units(&[(1, 6)]))).then(|order| order.reject_goods(&refused));
    given::<Order>(story.events)
        .when(|order| order.inspect_arrival(&inspect("s1", vec![finding(1, 6, 0)])))
        .then_refused(Rejection::AlreadyJudged);
}

#[test]
fn another_inspection_of_the_same_arrival_is_refused_with_its_difference() {
    let changes: [Change<InspectArrival>; 10] = [
        ("inspection.mode", |ask| ask.presence = Presence::Unilateral),
        ("inspection.inspected_at", |ask| ask.when = at(60)),
        ("inspection.user_representative", |ask| ask.user_representative = name("x")),
        ("inspection.supplier_representative", |ask| {
            ask.presence = Presence::Joint { supplier_representative: name("x") };
        }),
        ("inspection.procurement_supervisor", |ask| ask.procurement_supervisor = Some(name("x"))),
        ("inspection.checklist.packaging_met", |ask| ask.packaging_met = false),
        ("inspection.checklist.undamaged", |ask| ask.undamaged = false),
        ("inspection.checklist.list_matches", |ask| ask.list_matches = false),
        ("inspection.findings", |ask| {
            ask.findings = Findings::parse(vec![finding(1, 6, 0)], "").unwrap();
        }),
        ("inspection.findings[1].damaged", |ask| {
            ask.findings = Findings::parse(vec![finding(1, 6, 0), finding(2, 4, 1)], "").unwrap();
        }),
    ];
    for (field, change) in changes {
        let mut other = inspect("s1", good());
        change(&mut other);
        given::<Order>(inspected().events)
            .when(|order| order.inspect_arrival(&other))
            .then_refused_as(|no| no.field().as_deref() == Some(field));
    }
}

fn rejected(lines: &[(u32, u32)], reason: RejectionReason, words: &str, amount: i64) -> Event {
    GoodsRejected {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        shipment_id: "s1".into(),
        rejection_id: "rejection-1".into(),
        lines: quantities(lines),
        reason: reason.into(),
        description: words.into(),
        rejected_at: Some(to_proto(hour(63))),
        amount: Some(cny(amount)),
    }
    .into()
}

#[test]
fn goods_that_are_not_what_was_sold_are_refused() {
    given::<Order>(damaged().events)
        .when(|order| order.reject_goods(&reject("s1", &[(1, 2)])))
        .then([rejected(&[(1, 2)], RejectionReason::Damaged, "", 2_000)])
        .repeated();
    // nothing wrong was found with line 2
    given::<Order>(damaged().events)
        .when(|order| order.reject_goods(&reject("s1", &[(1, 2), (2, 1)])))
        .then_refused(Rejection::NothingWrongFound {
            field: "lines[1].line_no".into(),
            line_no: 2,
        });
    // unless the delivery as a whole is not in order
    let badly_packed = InspectArrival { packaging_met: false, ..inspect("s1", good()) };
    let story = arrived(None).then(|order| order.inspect_arrival(&badly_packed));
    given::<Order>(story.events)
        .when(|order| order.reject_goods(&reject("s1", &[(2, 1)])))
        .then_events(|events| events.len() == 1);
    given::<Order>(arrived(None).events)
        .when(|order| order.reject_goods(&reject("s1", &[(1, 2)])))
        .then_refused(Rejection::NotInspected);
    given::<Order>(in_transit(None).events)
        .when(|order| order.reject_goods(&reject("s1", &[(1, 2)])))
        .then_refused(Rejection::NotArrived);
    given::<Order>(damaged().events)
        .when(|order| order.reject_goods(&reject("s1", &[(1, 7)])))
        .then_refused_as(|no| no.reason() == "NOT_ENOUGH_UNJUDGED");
    for (other, field) in [
        (reject("s1", &[(1, 1)]), "lines[0].quantity"),
        (reject("s2", &[(1, 2)]), "shipment_id"),
        (RejectGoods { reason: RejectionReason::Brand, ..reject("s1", &[(1, 2)]) }, "reason"),
        (RejectGoods { description: Some(text("x")), ..reject("s1", &[(1, 2)]) }, "description"),
        (RejectGoods { when: at(64), ..reject("s1", &[(1, 2)]) }, "at"),
    ] {
        let story = damaged().then(|order| order.reject_goods(&reject("s1", &[(1, 2)])));
        given::<Order>(story.events)
            .when(|order| order.reject_goods(&other))
            .then_refused_as(|no| no.field().as_deref() == Some(field));
    }
}

#[test]
fn a_refusal_for_another_reason_needs_words_and_no_inspection() {
    let other = |words: Option<&str>| RejectGoods {
        reason: RejectionReason::Other,
        description: words.map(text),
        ..reject("s1", &[(1, 6), (2, 4)])
    };
    given::<Order>(arrived(None).events)
        .when(|order| order.reject_goods(&other(None)))
        .then_refused(Rejection::DescriptionMissing);
    given::<Order>(arrived(None).events)
        .when(|order| order.reject_goods(&other(Some("smells"))))
        .then_events(|events| matches!(events, [Event::GoodsRejected(_), Event::OrderRefused(_)]))
        .repeated();
}

#[test]
fn installation_waits_for_main_materials_and_starts_their_warranty() {
    let recorded = |lines: Vec<u32>| {
        Event::from(InstallationRecorded {
            order_id: "order-1".into(),
            platform: "mall".into(),
            contract_id: "contract-9".into(),
            shipment_id: "s1".into(),
            technician: "Fitter Zhou".into(),
            installed_at: Some(to_proto(hour(70))),
            warranty_line_nos: lines,
        })
    };
    given::<Order>(inspected().events)
        .when(|order| order.record_installation(&install("s1")))
        .then_refused(Rejection::MaterialNotAccepted { line_no: 2 });
    let second = inspected().then(|order| order.accept_goods(&accept("s1", "slip-1", &[(2, 4)])));
    for story in [second, fulfilled()] {
        given::<Order>(story.events)
            .when(|order| order.record_installation(&install("s1")))
            .then([recorded(vec![2])])
            .repeated();
    }
    let first = arrived(Some(units(&[(1, 6)])));
    given::<Order>(first.events)
        .when(|order| order.record_installation(&install("s1")))
        .then([recorded(vec![])]);
    given::<Order>(in_transit(None).events)
        .when(|order| order.record_installation(&install("s1")))
        .then_refused(Rejection::NotArrived);
    let refused = RejectGoods {
        reason: RejectionReason::Other,
        description: Some(text("no")),
        ..reject("s1", &[(1, 6)])
    };
    let nothing = arrived(Some(units(&[(1, 6)]))).then(|order| order.reject_goods(&refused));
    given::<Order>(nothing.events)
        .when(|order| order.record_installation(&install("s1")))
        .then_refused(Rejection::NothingToInstall);
    let installed = fulfilled().then(|order| order.record_installation(&install("s1")));
    let other = RecordInstallation { technician: name("x"), ..install("s1") };
    given::<Order>(installed.events)
        .when(|order| order.record_installation(&other))
        .then_refused_as(|no| no.field().as_deref() == Some("technician"));
}

#[test]
fn the_signed_slip_is_filed_after_acceptance() {
    let filed = SignedSlipFiled {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        shipment_id: "s1".into(),
        slip_no: "slip-1".into(),
        sha256: "c".repeat(64),
        filed_at: Some(to_proto(hour(71))),
    };
    given::<Order>(fulfilled().events)
        .when(|order| order.file_signed_slip(&file_slip("s1", "slip-1")))
        .then([filed.into()])
        .repeated();
    given::<Order>(inspected().events)
        .when(|order| order.file_signed_slip(&file_slip("s1", "slip-1")))
        .then_refused(Rejection::UnknownSlip("slip-1".into()));
    let story = fulfilled().then(|order| order.file_signed_slip(&file_slip("s1", "slip-1")));
    let other = FileSignedSlip { sha256: digest('d'), ..file_slip("s1", "slip-1") };
    given::<Order>(story.events)
        .when(|order| order.file_signed_slip(&other))
        .then_refused_as(|no| no.field().as_deref() == Some("sha256"));
}
