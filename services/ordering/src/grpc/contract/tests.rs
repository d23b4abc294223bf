use chassis::testing::{by_platform, by_us, fields, reason};
use contracts::{
    common::{Money, Role},
    ordering::{ContractPhase as Phase, Order},
};
use eventlog::time::to_proto;
use tonic::Code;

use super::*;
use crate::grpc::testing::{Bench, an_order, bench, start};

fn service_of(bench: &Bench) -> Contracts {
    Contracts { desk: bench.desk() }
}

fn draft(id: &str, platform: &str) -> api::DraftContractRequest {
    api::DraftContractRequest {
        contract_id: id.into(),
        platform: platform.into(),
        terms: Some(ContractTerms {
            buyer_id: "b-1".into(),
            price_terms: "固定价".into(),
            service_content: "送货安装".into(),
            guarantee: "三年".into(),
            valid_from: Some(to_proto(start())),
            valid_until: Some(to_proto(start() + jiff::SignedDuration::from_hours(24))),
            performance_bond: Some(Money { minor_units: 10_000, currency: "CNY".into() }),
            risks: vec!["雨季: 提前发货".into()],
        }),
        at: None,
    }
}

fn sign(id: &str) -> api::SignContractRequest {
    api::SignContractRequest {
        contract_id: id.into(),
        signed_by_buyer: "甲方".into(),
        signed_by_supplier: "乙方".into(),
        archive_sha256: "a".repeat(64),
        at: None,
    }
}

fn change(id: &str) -> api::RequestContractChangeRequest {
    api::RequestContractChangeRequest {
        contract_id: id.into(),
        change_id: "x-1".into(),
        requested_by: "buyer".into(),
        description: "延长质保".into(),
        at: None,
    }
}

fn review(id: &str) -> api::ReviewContractChangeRequest {
    api::ReviewContractChangeRequest {
        contract_id: id.into(),
        change_id: "x-1".into(),
        added: true,
        reason: "双方同意".into(),
        at: None,
    }
}

fn draw(minor_units: i64) -> api::DrawPerformanceBondRequest {
    api::DrawPerformanceBondRequest {
        contract_id: "k-1".into(),
        draw_id: "d-1".into(),
        order_id: an_order("mall", "PO-1").order_id,
        amount: Some(Money { minor_units, currency: "CNY".into() }),
        reason: "质量问题".into(),
        at: None,
    }
}

async fn signed(service: &Contracts, id: &str, platform: &str) {
    service.draft_contract(by_us("李", Role::Operator, draft(id, platform))).await.unwrap();
    service.sign_contract(by_us("李", Role::Operator, sign(id))).await.unwrap();
}

#[tokio::test]
async fn a_contract_lives_from_draft_to_draw_and_each_step_can_be_repeated() {
    let bench = bench().await;
    let service = service_of(&bench);
    bench.order(&an_order("mall", "PO-1"), Vec::new()).await;
    for repeated in [false, true] {
        let reply = service.draft_contract(by_us("李", Role::Operator, draft("k-1", "mall"))).await;
        assert_eq!(reply.unwrap().into_inner().repeated, repeated);
    }
    for repeated in [false, true] {
        let reply = service.sign_contract(by_us("李", Role::Operator, sign("k-1"))).await.unwrap();
        let reply = reply.into_inner();
        assert_eq!((reply.repeated, reply.contract.unwrap().phase()), (repeated, Phase::Signed));
    }
    for repeated in [false, true] {
        let reply = service.request_contract_change(by_platform("mall", change("k-1"))).await;
        assert_eq!(reply.unwrap().into_inner().repeated, repeated);
    }
    for repeated in [false, true] {
        let reply =
            service.review_contract_change(by_us("王", Role::Operator, review("k-1"))).await;
        let reply = reply.unwrap().into_inner();
        assert_eq!((reply.repeated, reply.contract.unwrap().changes[0].added), (repeated, true));
    }
    for repeated in [false, true] {
        let reply = service.draw_performance_bond(by_us("财务", Role::Finance, draw(4_000))).await;
        let reply = reply.unwrap().into_inner();
        let left = reply.contract.unwrap().bond_left.unwrap().minor_units;
        assert_eq!((reply.repeated, left), (repeated, 6_000));
    }
}

#[tokio::test]
async fn who_recorded_a_change_cannot_review_it_whatever_party_is_named() {
    let bench = bench().await;
    let service = service_of(&bench);
    signed(&service, "k-1", "mall").await;
    service.request_contract_change(by_us("李", Role::Operator, change("k-1"))).await.unwrap();
    let own = service.review_contract_change(by_us("李", Role::Operator, review("k-1"))).await;
    let own = own.unwrap_err();
    assert_eq!((own.code(), reason(&own).as_str()), (Code::FailedPrecondition, "OWN_CHANGE"));
    assert!(
        service.review_contract_change(by_us("王", Role::Operator, review("k-1"))).await.is_ok()
    );
}

#[tokio::test]
async fn a_draw_is_for_an_order_that_is_there_and_not_of_another_contract() {
    let bench = bench().await;
    let service = service_of(&bench);
    signed(&service, "k-1", "mall").await;
    let unknown = service.draw_performance_bond(by_us("财务", Role::Finance, draw(1))).await;
    assert_eq!(reason(&unknown.unwrap_err()), "UNKNOWN_ORDER");
    let order = Order { contract_id: "k-2".into(), ..an_order("mall", "PO-1") };
    bench.order(&order, Vec::new()).await;
    let other = service.draw_performance_bond(by_us("财务", Role::Finance, draw(1))).await;
    assert_eq!(reason(&other.unwrap_err()), "ORDER_OF_ANOTHER_CONTRACT");
}

#[tokio::test]
async fn another_platform_neither_sees_nor_changes_a_contract() {
    let bench = bench().await;
    let service = service_of(&bench);
    signed(&service, "k-1", "mall").await;
    signed(&service, "k-2", "").await;
    for id in ["k-1", "k-2", "k-3"] {
        let get = api::GetContractRequest { contract_id: id.into() };
        let unseen = service.get_contract(by_platform("other", get)).await.unwrap_err();
        assert_eq!(unseen.code(), Code::NotFound);
        let refused = service.request_contract_change(by_platform("other", change(id))).await;
        assert_eq!(reason(&refused.unwrap_err()), "UNKNOWN_CONTRACT");
    }
    let list = |platform: &str, phase: Phase| api::ListContractsRequest {
        platform: platform.into(),
        phase: phase.into(),
        ..Default::default()
    };
    for (request, expected) in [
        (by_platform("other", list("", Phase::Unspecified)), vec![]),
        (by_platform("mall", list("", Phase::Unspecified)), vec!["k-1"]),
        (by_us("审计", Role::Auditor, list("", Phase::Signed)), vec!["k-1", "k-2"]),
        (by_us("审计", Role::Auditor, list("", Phase::Drafted)), vec![]),
    ] {
        let page = service.list_contracts(request).await.unwrap().into_inner();
        let ids: Vec<_> = page.contracts.iter().map(|it| it.contract_id.as_str()).collect();
        assert_eq!(ids, expected);
    }
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let bench = bench().await;
    let service = service_of(&bench);
    let good = draft("k-1", "mall");
    let terms = ContractTerms {
        buyer_id: String::new(),
        price_terms: String::new(),
        service_content: "x".repeat(2_001),
        guarantee: String::new(),
        valid_from: Some(to_proto(start())),
        valid_until: Some(to_proto(start())),
        performance_bond: Some(Money { minor_units: -1, currency: String::new() }),
        risks: vec![String::new()],
    };
    let hostile = api::DraftContractRequest { terms: Some(terms), ..good.clone() };
    let refused = service.draft_contract(by_us("李", Role::Operator, hostile)).await.unwrap_err();
    assert_eq!(
        fields(&refused),
        [
            "terms.buyer_id",
            "terms.guarantee",
            "terms.performance_bond.currency",
            "terms.performance_bond.minor_units",
            "terms.price_terms",
            "terms.risks[0]",
            "terms.service_content",
            "terms.valid_until",
        ]
    );
    let empty = api::DraftContractRequest { terms: None, ..good };
    let refused = service.draft_contract(by_us("李", Role::Operator, empty)).await.unwrap_err();
    assert_eq!(fields(&refused), ["terms"]);
    let unsigned = api::SignContractRequest { contract_id: "k-1".into(), ..Default::default() };
    let refused = service.sign_contract(by_us("李", Role::Operator, unsigned)).await.unwrap_err();
    assert_eq!(fields(&refused), ["archive_sha256", "signed_by_buyer", "signed_by_supplier"]);
}
