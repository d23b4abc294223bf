use chassis::testing::{by_platform, by_us, fields, reason};
use contracts::{
    common::{Money, Role},
    ordering::{DamageClaimPhase as Phase, LineQuantity, Order, Shipment},
};
use eventlog::time::to_proto;
use tonic::Code;

use super::*;
use crate::grpc::testing::{Bench, an_order, bench, start};

fn service_of(bench: &Bench) -> DamageClaims {
    DamageClaims { desk: bench.desk() }
}

fn shipped(platform: &str) -> Order {
    Order {
        follower: "李销售".into(),
        shipments: vec![Shipment {
            shipment_id: "s-1".into(),
            carrier: "顺丰".into(),
            lines: vec![LineQuantity { line_no: 1, quantity: 5 }],
            dispatched_at: Some(to_proto(start())),
            ..Shipment::default()
        }],
        ..an_order(platform, "PO-1")
    }
}

fn report(platform: &str, id: &str) -> api::ReportDamageRequest {
    api::ReportDamageRequest {
        claim_id: id.into(),
        order_id: an_order(platform, "PO-1").order_id,
        shipment_id: "s-1".into(),
        kind: DamageKind::MajorOrManMade.into(),
        lines: vec![LineQuantity { line_no: 1, quantity: 2 }],
        description: "外箱破损".into(),
        salesperson: String::new(),
        at: None,
    }
}

fn yuan(minor_units: i64) -> Option<Money> {
    Some(Money { minor_units, currency: "CNY".into() })
}

fn amount_of(minor: i64) -> crate::amount::Amount {
    crate::amount::Amount::new(minor, "CNY")
}

fn hex(digit: char) -> String {
    digit.to_string().repeat(64)
}

#[tokio::test]
async fn a_claim_goes_from_report_to_deduction_and_each_step_can_be_repeated() {
    let bench = bench().await;
    let service = service_of(&bench);
    bench.order(&shipped("mall"), Vec::new()).await;
    for repeated in [false, true] {
        let reply = service.report_damage(by_platform("mall", report("mall", "c-1"))).await;
        let reply = reply.unwrap().into_inner();
        let claim = reply.claim.unwrap();
        assert_eq!(reply.repeated, repeated);
        assert_eq!((claim.carrier.as_str(), claim.platform.as_str()), ("顺丰", "mall"));
        assert_eq!(claim.salesperson, "李销售");

        let compensate = api::CompensateUserRequest {
            claim_id: "c-1".into(),
            compensation_id: "p-1".into(),
            amount: yuan(900),
            at: None,
        };
        let reply = service.compensate_user(by_us("财务", Role::Finance, compensate)).await;
        assert_eq!(reply.unwrap().into_inner().repeated, repeated);
    }
    for repeated in [false, true] {
        let coordinate = api::CoordinateDamageRequest {
            claim_id: "c-1".into(),
            salesperson: "李销售".into(),
            at: None,
        };
        let reply = service.coordinate_damage(by_us("李", Role::Operator, coordinate)).await;
        assert_eq!(reply.unwrap().into_inner().repeated, repeated);

        let evidence = api::AddDamageEvidenceRequest {
            claim_id: "c-1".into(),
            evidence_id: "e-1".into(),
            photo_sha256: vec![hex('B'), hex('a'), hex('b')],
            carrier_signature: "承运人赵".into(),
            slip_sha256: hex('c'),
            at: None,
        };
        let reply = service.add_damage_evidence(by_platform("mall", evidence)).await.unwrap();
        let reply = reply.into_inner();
        assert_eq!(
            (reply.repeated, reply.claim.unwrap().photo_sha256),
            (repeated, vec![hex('a'), hex('b')])
        );
    }
    for repeated in [false, true] {
        let hold =
            api::HoldCarrierLiableRequest { claim_id: "c-1".into(), amount: yuan(1_000), at: None };
        let reply = service.hold_carrier_liable(by_us("李", Role::Operator, hold)).await;
        assert_eq!(reply.unwrap().into_inner().repeated, repeated);
    }
    let deduct = |minor| api::DeductFreightRequest {
        claim_id: "c-1".into(),
        deduction_id: "d-1".into(),
        amount: yuan(minor),
        at: None,
    };
    let over =
        service.deduct_freight(by_us("财务", Role::Finance, deduct(1_001))).await.unwrap_err();
    assert_eq!((over.code(), reason(&over).as_str()), (Code::FailedPrecondition, "MORE_THAN_OWED"));
    for repeated in [false, true] {
        let reply = service.deduct_freight(by_us("财务", Role::Finance, deduct(1_000))).await;
        let reply = reply.unwrap().into_inner();
        let claim = reply.claim.unwrap();
        assert_eq!((reply.repeated, claim.phase()), (repeated, Phase::Deducted));
        assert_eq!(claim.compensated, yuan(900));
    }
}

#[tokio::test]
async fn a_claim_is_about_an_order_and_a_shipment_that_are_there() {
    let bench = bench().await;
    let service = service_of(&bench);
    bench.order(&shipped("mall"), Vec::new()).await;
    let elsewhere = api::ReportDamageRequest { shipment_id: "s-9".into(), ..report("mall", "c-1") };
    for (request, expected) in [
        (by_platform("mall", report("nowhere", "c-1")), "UNKNOWN_ORDER"),
        (by_platform("other", report("mall", "c-1")), "UNKNOWN_ORDER"),
        (by_platform("mall", elsewhere), "UNKNOWN_SHIPMENT"),
    ] {
        let refused = service.report_damage(request).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, expected));
    }
}

#[tokio::test]
async fn another_platform_neither_sees_nor_changes_a_claim() {
    let bench = bench().await;
    let service = service_of(&bench);
    bench.order(&shipped("mall"), Vec::new()).await;
    bench.order(&shipped("other"), Vec::new()).await;
    service.report_damage(by_platform("mall", report("mall", "c-1"))).await.unwrap();
    let get = || api::GetDamageClaimRequest { claim_id: "c-1".into() };
    let unseen = service.get_damage_claim(by_platform("other", get())).await.unwrap_err();
    let nowhere = api::GetDamageClaimRequest { claim_id: "c-9".into() };
    let absent = service.get_damage_claim(by_platform("other", nowhere)).await.unwrap_err();
    assert_eq!(unseen.code(), Code::NotFound);
    assert_eq!((unseen.message(), unseen.details()), (absent.message(), absent.details()));
    let evidence = api::AddDamageEvidenceRequest {
        claim_id: "c-1".into(),
        evidence_id: "e-1".into(),
        slip_sha256: hex('c'),
        ..Default::default()
    };
    let refused = service.add_damage_evidence(by_platform("other", evidence)).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    let taken = service.report_damage(by_platform("other", report("other", "c-1"))).await;
    assert_eq!(taken.unwrap_err().code(), Code::NotFound);
    let list = |platform: &str| api::ListDamageClaimsRequest {
        platform: platform.into(),
        ..Default::default()
    };
    let own = service.list_damage_claims(by_platform("other", list(""))).await.unwrap();
    assert!(own.into_inner().claims.is_empty());
    let foreign = service.list_damage_claims(by_platform("other", list("mall"))).await.unwrap_err();
    assert_eq!(fields(&foreign), ["platform"]);
    assert!(service.get_damage_claim(by_platform("mall", get())).await.is_ok());
    assert!(service.get_damage_claim(by_us("服务", Role::Service, get())).await.is_ok());
}

#[tokio::test]
async fn claims_are_listed_by_any_combination_of_filters() {
    let bench = bench().await;
    let service = service_of(&bench);
    for platform in ["mall", "other"] {
        bench.order(&shipped(platform), Vec::new()).await;
        for number in 0..3 {
            let report = report(platform, &format!("{platform}-{number}"));
            service.report_damage(by_us("李", Role::Operator, report)).await.unwrap();
            bench.clock.advance(jiff::SignedDuration::from_secs(1));
        }
    }
    let clear =
        api::ClearCarrierRequest {
            claim_id: "mall-1".into(), reason: "使用不当".into(), at: None
        };
    service.clear_carrier(by_us("李", Role::Operator, clear)).await.unwrap();
    for (platform, phase, carrier, expected) in [
        ("", Phase::Unspecified, "", 6),
        ("mall", Phase::Unspecified, "", 3),
        ("mall", Phase::Reported, "", 2),
        ("", Phase::CarrierCleared, "顺丰", 1),
        ("mall", Phase::Reported, "顺丰", 2),
        ("mall", Phase::Reported, "德邦", 0),
        ("mal", Phase::Unspecified, "", 0),
    ] {
        let mut ids = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = api::ListDamageClaimsRequest {
                platform: platform.into(),
                phase: phase.into(),
                carrier: carrier.into(),
                page_size: 2,
                page_token,
            };
            let page = service.list_damage_claims(by_us("李", Role::Operator, request)).await;
            let page = page.unwrap().into_inner();
            ids.extend(page.claims.into_iter().map(|claim| claim.claim_id));
            page_token = page.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        assert_eq!(ids.len(), expected, "{platform} {phase:?} {carrier}: {ids:?}");
        assert!(ids.is_sorted(), "the oldest first: {ids:?}");
    }
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let bench = bench().await;
    let service = service_of(&bench);
    let hostile = api::ReportDamageRequest {
        claim_id: "x".repeat(65),
        order_id: "no uuid".into(),
        shipment_id: String::new(),
        kind: -1,
        lines: vec![
            LineQuantity { line_no: 1, quantity: 0 },
            LineQuantity { line_no: 1, quantity: u32::MAX },
            LineQuantity { line_no: 0, quantity: 1 },
        ],
        description: "\u{7}".into(),
        salesperson: "\n".into(),
        at: None,
    };
    let refused = service.report_damage(by_platform("mall", hostile)).await.unwrap_err();
    assert_eq!(
        fields(&refused),
        [
            "claim_id",
            "description",
            "kind",
            "lines[0].quantity",
            "lines[1].line_no",
            "lines[1].quantity",
            "lines[2].line_no",
            "order_id",
            "salesperson",
            "shipment_id",
        ]
    );
    for (amount, field) in [
        (None, "amount"),
        (yuan(0), "amount.minor_units"),
        (yuan(-1), "amount.minor_units"),
        (yuan(i64::MAX), "amount.minor_units"),
        (yuan(i64::MIN), "amount.minor_units"),
        (Some(Money { minor_units: 1, currency: "cny".into() }), "amount.currency"),
        (Some(Money { minor_units: 1, currency: "人".into() }), "amount.currency"),
    ] {
        let deduct = api::DeductFreightRequest {
            claim_id: "c-1".into(),
            deduction_id: "d-1".into(),
            amount,
            at: None,
        };
        let refused = service.deduct_freight(by_us("财务", Role::Finance, deduct)).await;
        assert_eq!(fields(&refused.unwrap_err()), [field]);
    }
    let nothing = api::AddDamageEvidenceRequest {
        claim_id: "c-1".into(),
        evidence_id: "e-1".into(),
        ..Default::default()
    };
    let refused = service.add_damage_evidence(by_platform("mall", nothing.clone())).await;
    assert_eq!(fields(&refused.unwrap_err()), ["photo_sha256"]);
    let wrong = api::AddDamageEvidenceRequest {
        photo_sha256: vec![hex('a'), hex('g')],
        slip_sha256: "abc".into(),
        ..nothing
    };
    let refused = service.add_damage_evidence(by_platform("mall", wrong)).await.unwrap_err();
    assert_eq!(fields(&refused), ["photo_sha256[1]", "slip_sha256"]);
}

#[tokio::test]
async fn damage_is_reported_in_words() {
    let bench = bench().await;
    let service = service_of(&bench);
    bench.order(&shipped("mall"), Vec::new()).await;
    for description in ["", " \n "] {
        let mute =
            api::ReportDamageRequest { description: description.into(), ..report("mall", "c-1") };
        let refused = service.report_damage(by_platform("mall", mute)).await.unwrap_err();
        assert_eq!(fields(&refused), ["description"]);
    }
}

#[tokio::test]
async fn the_user_comes_before_the_freight() {
    let bench = bench().await;
    let service = service_of(&bench);
    bench.order(&shipped("mall"), Vec::new()).await;
    service.report_damage(by_platform("mall", report("mall", "c-1"))).await.unwrap();
    let evidence =
        Evidence {
            photos: vec![hex('a')], carrier_signature: "承运人赵".into(), slip: hex('c')
        };
    let (owed, when) = (amount_of(1_000), chassis::When::now(start()));
    bench.tell("c-1", |it: &DamageClaim| it.coordinate("李销售", when)).await;
    bench.tell("c-1", |it: &DamageClaim| it.add_evidence("e-1", &evidence, when)).await;
    bench.tell("c-1", |it: &DamageClaim| it.hold_liable(&owed, when)).await;
    let deduct = || api::DeductFreightRequest {
        claim_id: "c-1".into(),
        deduction_id: "d-1".into(),
        amount: yuan(1_000),
        at: None,
    };
    let early = service.deduct_freight(by_us("财务", Role::Finance, deduct())).await.unwrap_err();
    assert_eq!(
        (early.code(), reason(&early).as_str()),
        (Code::FailedPrecondition, "USER_NOT_COMPENSATED")
    );
    bench.tell("c-1", |it: &DamageClaim| it.compensate("p-1", &owed, when)).await;
    assert!(service.deduct_freight(by_us("财务", Role::Finance, deduct())).await.is_ok());
}

#[tokio::test]
async fn a_late_delivery_needs_no_lines_and_a_breakage_does() {
    let bench = bench().await;
    let service = service_of(&bench);
    bench.order(&shipped("mall"), Vec::new()).await;
    let of = |kind: DamageKind, id: &str| api::ReportDamageRequest {
        kind: kind.into(),
        lines: Vec::new(),
        ..report("mall", id)
    };
    let late = service.report_damage(by_platform("mall", of(DamageKind::Late, "c-1"))).await;
    assert!(late.is_ok());
    let broken = of(DamageKind::MinorBreakage, "c-2");
    let broken = service.report_damage(by_platform("mall", broken)).await.unwrap_err();
    assert_eq!(fields(&broken), ["lines"]);
}
