use chassis::repeat::Differs;
use contracts::common::EventMetadata;
use contracts::ordering::{
    CarrierCleared, CarrierHeldLiable, DamageClaimPhase as Phase, DamageCoordinated,
    DamageEvidenceAdded, DamageKind, DamageReported, FreightDeducted, LineQuantity, Order,
    Shipment, UserCompensated,
};
use decider::scenario::given;
use decider::{Aggregate as _, Decision, fold};
use eventlog::{Recorded as _, time::to_proto};
use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

mod sequences;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

/// As a caller says it that names no time.
fn when(second: i64) -> When {
    When::now(at(second))
}

fn yuan(minor: i64) -> Amount {
    Amount::new(minor, "CNY")
}

fn units(line_no: u32, quantity: u32) -> LineQuantity {
    LineQuantity { line_no, quantity }
}

fn order() -> Order {
    Order {
        order_id: "o-1".into(),
        platform: "mall".into(),
        follower: "李销售".into(),
        shipments: vec![
            Shipment {
                shipment_id: "s-1".into(),
                carrier: "顺丰".into(),
                lines: vec![units(1, 10), units(2, 4)],
                dispatched_at: Some(to_proto(at(-100))),
                ..Shipment::default()
            },
            Shipment { shipment_id: "s-2".into(), ..Shipment::default() },
        ],
        ..Order::default()
    }
}

fn consignment() -> Consignment {
    Consignment::of(&order(), "s-1").unwrap()
}

fn report(kind: DamageKind) -> ReportDamage {
    ReportDamage {
        claim_id: "c-1".into(),
        order_id: "o-1".into(),
        shipment_id: "s-1".into(),
        kind,
        lines: vec![units(1, 3), units(2, 4)],
        description: "外箱破损".into(),
        salesperson: Some("王业务".into()),
        when: when(0),
    }
}

fn reported(kind: DamageKind) -> Event {
    DamageReported {
        claim_id: "c-1".into(),
        order_id: "o-1".into(),
        platform: "mall".into(),
        shipment_id: "s-1".into(),
        carrier: "顺丰".into(),
        kind: kind.into(),
        lines: vec![units(1, 3), units(2, 4)],
        description: "外箱破损".into(),
        salesperson: "王业务".into(),
        reported_at: Some(to_proto(at(0))),
    }
    .into()
}

fn coordinated() -> Event {
    DamageCoordinated {
        claim_id: "c-1".into(),
        salesperson: "王业务".into(),
        coordinated_at: Some(to_proto(at(1))),
    }
    .into()
}

fn photos() -> Evidence {
    Evidence { photos: vec!["aa".into(), "bb".into()], ..Evidence::default() }
}

fn signature() -> Evidence {
    Evidence { carrier_signature: "承运人赵".into(), ..Evidence::default() }
}

fn slip() -> Evidence {
    Evidence { slip: "cc".into(), ..Evidence::default() }
}

fn shown(id: &str, evidence: Evidence, complete: bool) -> Event {
    DamageEvidenceAdded {
        claim_id: "c-1".into(),
        evidence_id: id.into(),
        photo_sha256: evidence.photos,
        carrier_signature: evidence.carrier_signature,
        slip_sha256: evidence.slip,
        complete,
        added_at: Some(to_proto(at(2))),
    }
    .into()
}

fn held(minor: i64) -> Event {
    CarrierHeldLiable {
        claim_id: "c-1".into(),
        carrier: "顺丰".into(),
        amount: Some(yuan(minor).money()),
        held_at: Some(to_proto(at(3))),
    }
    .into()
}

fn cleared() -> Event {
    CarrierCleared {
        claim_id: "c-1".into(),
        reason: "原材料问题".into(),
        cleared_at: Some(to_proto(at(3))),
    }
    .into()
}

fn deducted(id: &str, minor: i64) -> Event {
    FreightDeducted {
        claim_id: "c-1".into(),
        deduction_id: id.into(),
        carrier: "顺丰".into(),
        amount: Some(yuan(minor).money()),
        deducted_at: Some(to_proto(at(4))),
    }
    .into()
}

fn compensated() -> Event {
    UserCompensated {
        claim_id: "c-1".into(),
        compensation_id: "p-1".into(),
        order_id: "o-1".into(),
        platform: "mall".into(),
        amount: Some(yuan(800).money()),
        compensated_at: Some(to_proto(at(5))),
    }
    .into()
}

/// A claim of major damage with everything that holding the carrier liable needs.
fn proven() -> Vec<Event> {
    vec![
        reported(DamageKind::MajorOrManMade),
        coordinated(),
        shown("e-1", photos(), false),
        shown("e-2", signature(), false),
        shown("e-3", slip(), true),
    ]
}

/// The same, with the carrier held liable for so much.
fn liable(minor: i64) -> Vec<Event> {
    after(proven(), held(minor))
}

fn after(history: Vec<Event>, event: Event) -> Vec<Event> {
    history.into_iter().chain([event]).collect()
}

#[test]
fn a_report_names_carrier_and_platform_from_the_order() {
    given::<DamageClaim>([])
        .when(|claim| claim.report(&report(DamageKind::MinorBreakage), &consignment()))
        .then([reported(DamageKind::MinorBreakage)])
        .repeated();
}

#[test]
fn whoever_follows_the_order_is_responsible_when_nobody_is_named() {
    let cmd = ReportDamage { salesperson: None, ..report(DamageKind::Late) };
    given::<DamageClaim>([])
        .when(|claim| claim.report(&cmd, &consignment()))
        .then_events(
            |events| matches!(events, [Event::DamageReported(it)] if it.salesperson == "李销售"),
        )
        .repeated();
    let nobody = Consignment::of(&Order { follower: String::new(), ..order() }, "s-1").unwrap();
    given::<DamageClaim>([])
        .when(|claim| claim.report(&cmd, &nobody))
        .then_refused(Rejection::NobodyInCharge);
}

#[test]
fn a_claim_is_about_a_shipment_that_left_and_what_it_holds() {
    assert_eq!(Consignment::of(&order(), "s-9"), Err(Rejection::ShipmentNotFound));
    assert_eq!(Consignment::of(&order(), "s-2"), Err(Rejection::NotHandedOver));
    for (lines, rejection) in [
        (vec![units(1, 1), units(7, 1)], Rejection::NotInShipment { line_no: 7 }),
        (vec![units(2, 5)], Rejection::MoreThanShipped { line_no: 2, shipped: 4 }),
    ] {
        let cmd = ReportDamage { lines, ..report(DamageKind::Loss) };
        given::<DamageClaim>([])
            .when(|claim| claim.report(&cmd, &consignment()))
            .then_refused(rejection);
    }
}

#[test]
fn a_report_repeated_with_other_content_is_refused_with_the_field() {
    let same = report(DamageKind::MinorBreakage);
    for (cmd, field) in [
        (ReportDamage { order_id: "o-2".into(), ..same.clone() }, "order_id"),
        (ReportDamage { shipment_id: "s-2".into(), ..same.clone() }, "shipment_id"),
        (ReportDamage { kind: DamageKind::Loss, ..same.clone() }, "kind"),
        (ReportDamage { lines: vec![units(1, 2)], ..same.clone() }, "lines"),
        (ReportDamage { description: "else".into(), ..same.clone() }, "description"),
        (ReportDamage { salesperson: Some("else".into()), ..same.clone() }, "salesperson"),
    ] {
        given::<DamageClaim>([reported(DamageKind::MinorBreakage)])
            .when(|claim| claim.report(&cmd, &consignment()))
            .then_refused(Differs { field }.into());
    }
    let later = ReportDamage { when: when(999), ..same };
    given::<DamageClaim>([reported(DamageKind::MinorBreakage)])
        .when(|claim| claim.report(&later, &consignment()))
        .then_nothing();
}

#[test]
fn a_repeat_may_leave_the_time_out_but_not_name_another() {
    let named = |second| When { now: at(900), at: Some(at(second)) };
    let told = after(after(liable(1000), compensated()), deducted("d-1", 400));
    type Command = fn(&DamageClaim, When) -> Decision<Event, Rejection>;
    let repeats: [(i64, Command); 6] = [
        (0, |it, when| {
            it.report(&ReportDamage { when, ..report(DamageKind::MajorOrManMade) }, &consignment())
        }),
        (1, |it, when| it.coordinate("王业务", when)),
        (2, |it, when| it.add_evidence("e-1", &photos(), when)),
        (3, |it, when| it.hold_liable(&yuan(1000), when)),
        (4, |it, when| it.deduct("d-1", &yuan(400), when)),
        (5, |it, when| it.compensate("p-1", &yuan(800), when)),
    ];
    for (second, command) in repeats {
        for when in [when(900), named(second)] {
            given::<DamageClaim>(told.clone()).when(|it| command(it, when)).then_nothing();
        }
        given::<DamageClaim>(told.clone())
            .when(|it| command(it, named(second + 1)))
            .then_refused(Differs { field: "at" }.into());
    }
    given::<DamageClaim>([reported(DamageKind::Late), cleared()])
        .when(|it| it.clear("原材料问题", named(4)))
        .then_refused(Differs { field: "at" }.into());
}

#[test]
fn one_salesperson_takes_the_claim_on() {
    given::<DamageClaim>([reported(DamageKind::Late)])
        .when(|claim| claim.coordinate("王业务", when(1)))
        .then([coordinated()])
        .repeated();
    given::<DamageClaim>([reported(DamageKind::Late), coordinated()])
        .when(|claim| claim.coordinate("张三", when(2)))
        .then_refused(Differs { field: "salesperson" }.into());
}

#[test]
fn evidence_is_complete_when_the_kind_of_failure_is_proven() {
    let all = [("photos", photos()), ("signature", signature()), ("slip", slip())];
    for (kind, needed) in [
        (DamageKind::MinorBreakage, ["photos", "slip"].as_slice()),
        (DamageKind::MajorOrManMade, &["photos", "signature", "slip"]),
        (DamageKind::Loss, &["signature"]),
        (DamageKind::Late, &["slip"]),
        (DamageKind::Withheld, &["signature"]),
    ] {
        // every subset of the evidence, in every order of coming in
        for subset in 1_u8..8 {
            let mut pieces: Vec<_> = (0_usize..3)
                .filter(|bit| subset & (1 << bit) != 0)
                .map(|bit| all[bit].clone())
                .collect();
            for _ in 0..pieces.len() {
                pieces.rotate_left(1);
                let mut claim: DamageClaim = fold(&[reported(kind)]);
                let mut complete = false;
                for (name, evidence) in &pieces {
                    let events = claim.add_evidence(name, evidence, when(2)).unwrap();
                    for event in events {
                        if let Event::DamageEvidenceAdded(added) = &event {
                            complete = added.complete;
                        }
                        claim = claim.evolve(&event);
                    }
                }
                let proven = needed.iter().all(|name| pieces.iter().any(|(it, _)| it == name));
                assert_eq!(complete, proven, "{kind:?} with {pieces:?}");
            }
        }
    }
}

#[test]
fn evidence_is_known_by_its_id() {
    given::<DamageClaim>([reported(DamageKind::MinorBreakage)])
        .when(|claim| claim.add_evidence("e-1", &photos(), when(2)))
        .then([shown("e-1", photos(), false)])
        .repeated();
    let both = Evidence { slip: "cc".into(), ..photos() };
    given::<DamageClaim>([reported(DamageKind::MinorBreakage)])
        .when(|claim| claim.add_evidence("e-1", &both, when(2)))
        .then([shown("e-1", both.clone(), true)])
        .repeated();
    for (evidence, field) in [
        (slip(), "photo_sha256"),
        (Evidence { carrier_signature: "x".into(), ..photos() }, "carrier_signature"),
        (both.clone(), "slip_sha256"),
    ] {
        given::<DamageClaim>([reported(DamageKind::MinorBreakage), shown("e-1", photos(), false)])
            .when(|claim| claim.add_evidence("e-1", &evidence, when(2)))
            .then_refused(Differs { field }.into());
    }
}

#[test]
fn a_claim_takes_no_more_evidence_than_anybody_reads() {
    let history = (0..MOST_EVIDENCE).map(|number| shown(&format!("e-{number}"), photos(), false));
    let history: Vec<_> = std::iter::once(reported(DamageKind::Late)).chain(history).collect();
    given::<DamageClaim>(history.clone())
        .when(|claim| claim.add_evidence("one-more", &slip(), when(2)))
        .then_refused(Rejection::TooMuchEvidence);
    given::<DamageClaim>(history)
        .when(|claim| claim.add_evidence("e-0", &photos(), when(2)))
        .then_nothing();
}

#[test]
fn the_carrier_is_liable_only_by_its_own_signature() {
    let hold = |claim: &DamageClaim| claim.hold_liable(&yuan(1000), when(3));
    given::<DamageClaim>(proven()).when(hold).then([held(1000)]).repeated();
    given::<DamageClaim>(liable(1000))
        .when(|claim| claim.hold_liable(&yuan(1001), when(3)))
        .then_refused(Differs { field: "amount" }.into());
    // a minor breakage is proven without it, and still holds nobody liable
    let minor = vec![
        reported(DamageKind::MinorBreakage),
        coordinated(),
        shown("e-1", Evidence { slip: "cc".into(), ..photos() }, true),
    ];
    given::<DamageClaim>(minor.clone())
        .when(hold)
        .then_refused(Rejection::EvidenceMissing(Missing::CarrierSignature));
    given::<DamageClaim>(after(minor, shown("e-2", signature(), true)))
        .when(hold)
        .then([held(1000)])
        .repeated();
    for missing in [Missing::Photos, Missing::CarrierSignature, Missing::SignedSlip] {
        let pieces = [
            (Missing::Photos, photos()),
            (Missing::CarrierSignature, signature()),
            (Missing::SignedSlip, slip()),
        ];
        let history = pieces
            .into_iter()
            .filter(|(piece, _)| *piece != missing)
            .enumerate()
            .map(|(number, (_, evidence))| shown(&number.to_string(), evidence, false));
        let start = [reported(DamageKind::MajorOrManMade), coordinated()];
        given::<DamageClaim>(start.into_iter().chain(history))
            .when(hold)
            .then_refused(Rejection::EvidenceMissing(missing));
    }
    let uncoordinated: Vec<_> =
        proven().into_iter().filter(|event| *event != coordinated()).collect();
    given::<DamageClaim>(uncoordinated.clone()).when(hold).then_refused(Rejection::NotCoordinated);
    given::<DamageClaim>(after(uncoordinated, coordinated())).when(hold).then([held(1000)]);
}

#[test]
fn freight_is_deducted_in_parts_up_to_the_debt() {
    given::<DamageClaim>(after(liable(1000), compensated()))
        .when(|claim| claim.deduct("d-1", &yuan(400), when(4)))
        .then([deducted("d-1", 400)])
        .repeated();
    let partly = after(after(liable(1000), compensated()), deducted("d-1", 400));
    given::<DamageClaim>(partly.clone())
        .when(|claim| claim.deduct("d-2", &yuan(601), when(4)))
        .then_refused(Rejection::MoreThanOwed { left: yuan(600) });
    given::<DamageClaim>(partly.clone())
        .when(|claim| claim.deduct("d-1", &yuan(401), when(4)))
        .then_refused(Differs { field: "amount" }.into());
    given::<DamageClaim>(partly.clone())
        .when(|claim| claim.deduct("d-2", &Amount::new(1, "USD"), when(4)))
        .then_refused(Rejection::OtherCurrency { currency: "CNY".into() });
    let done = given::<DamageClaim>(partly)
        .when(|claim| claim.deduct("d-2", &yuan(600), when(4)))
        .then([deducted("d-2", 600)]);
    assert!(matches!(done.state(), DamageClaim::Deducted(..)));
    done.repeated();
}

#[test]
fn nothing_is_deducted_before_the_user_is_compensated() {
    let deduct = |claim: &DamageClaim| claim.deduct("d-1", &yuan(400), when(6));
    given::<DamageClaim>(liable(1000)).when(deduct).then_refused(Rejection::UserNotCompensated);
    given::<DamageClaim>(after(liable(1000), compensated()))
        .when(deduct)
        .then_events(|events| matches!(events, [Event::FreightDeducted(_)]));
    given::<DamageClaim>(liable(1000))
        .when(|claim| claim.deduct("d-1", &yuan(1001), when(6)))
        .then_refused(Rejection::UserNotCompensated);
    // what was deducted stays told, however it came about
    given::<DamageClaim>(after(liable(1000), deducted("d-1", 400)))
        .when(|claim| claim.deduct("d-1", &yuan(400), when(6)))
        .then_nothing();
}

#[test]
fn the_user_is_compensated_in_every_state_and_once() {
    for history in [
        vec![reported(DamageKind::Loss)],
        vec![reported(DamageKind::Loss), coordinated()],
        proven(),
        liable(1000),
        after(liable(1000), deducted("d-1", 1000)),
        vec![reported(DamageKind::Loss), cleared()],
    ] {
        let done = given::<DamageClaim>(history)
            .when(|claim| claim.compensate("p-1", &yuan(800), when(5)))
            .then([compensated()]);
        let state = done.state();
        done.repeated();
        assert_eq!(
            state.compensate("p-1", &yuan(801), when(5)),
            Err(Differs { field: "amount" }.into())
        );
        assert_eq!(
            state.compensate("p-2", &yuan(800), when(5)),
            Err(Rejection::AlreadyCompensated)
        );
    }
}
