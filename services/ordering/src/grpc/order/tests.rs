//! Orders through their rpcs: what comes in, who sees what, what is refused and how.

use chassis::{
    When,
    testing::{by_platform, by_us, call, fields, reason},
};
use contracts::{
    common::{Contact, Role},
    ordering::{ContractTerms, OrderDraft, order_service_client::OrderServiceClient},
};
use eventlog::{Vault, time::to_proto};
use jiff::SignedDuration;
use tonic::Code;
use tonic_types::StatusExt as _;

use super::*;
use crate::{
    config::PolicyOverride,
    contract::{self, Contract, Signatures},
    grpc::testing::{Bench, bench},
    order::tests::sample::{draft, hour, substitute},
};

mod listing;

/// An hour after the orders of these tests were placed.
async fn orders() -> (Bench, Orders) {
    orders_with(Config::default()).await
}

async fn orders_with(config: Config) -> (Bench, Orders) {
    let bench = bench().await;
    bench.clock.set(hour(1));
    let orders = Orders {
        desk: bench.desk(),
        personal: Personal::new(bench.log.clone(), CONTEXT),
        config: Arc::new(config),
        closing: CancellationToken::new(),
    };
    (bench, orders)
}

/// The order of the samples under a number of its own, under no contract.
fn a_draft(number: &str) -> OrderDraft {
    OrderDraft {
        platform_order_no: number.into(),
        contract_id: String::new(),
        platform: String::new(),
        ..draft()
    }
}

async fn push(service: &Orders, draft: OrderDraft) -> Result<api::PushOrderResponse, Status> {
    let request = by_platform("mall", api::PushOrderRequest { order: Some(draft) });
    Ok(service.push_order(request).await?.into_inner())
}

async fn get(service: &Orders, role: Role, order_id: &str) -> api::Order {
    let request = api::GetOrderRequest { order_id: order_id.into(), ..Default::default() };
    let reply = service.get_order(by_us("审计", role, request)).await.unwrap();
    reply.into_inner().order.unwrap()
}

/// A contract, drafted and perhaps signed.
async fn contract(bench: &Bench, id: &str, platform: &str, signed: bool) {
    let draft = contract::Draft {
        contract_id: id.into(),
        platform: platform.into(),
        terms: ContractTerms::default(),
    };
    let both =
        Signatures { buyer: "甲方".into(), supplier: "乙方".into(), ..Default::default() };
    bench.tell(id, |it: &Contract| it.draft(&draft, When::now(hour(0)))).await;
    if signed {
        bench.tell(id, |it: &Contract| it.sign(&both, When::now(hour(0)))).await;
    }
}

#[tokio::test]
async fn an_order_is_placed_only_under_a_contract_that_both_sides_signed() {
    let (bench, service) = orders().await;
    contract(&bench, "k-drafted", "mall", false).await;
    contract(&bench, "k-foreign", "other", true).await;
    contract(&bench, "k-signed", "mall", true).await;
    contract(&bench, "k-of-all", "", true).await;
    let under = |id: &str| OrderDraft { contract_id: id.into(), ..a_draft(id) };
    for id in ["k-unknown", "k-drafted", "k-foreign"] {
        let refused = push(&service, under(id)).await.unwrap_err();
        let info = refused.get_details_error_info().unwrap();
        assert_eq!(refused.code(), Code::FailedPrecondition);
        assert_eq!(
            (info.reason.as_str(), info.metadata["field"].as_str()),
            ("CONTRACT_NOT_SIGNED", "order.contract_id")
        );
    }
    for id in ["k-signed", "k-of-all"] {
        let order_id = push(&service, under(id)).await.unwrap().order_id;
        assert_eq!(get(&service, Role::Auditor, &order_id).await.contract_id, id);
    }
}

#[tokio::test]
async fn the_order_as_it_was_placed_can_be_read_after_a_substitution() {
    let (_bench, service) = orders().await;
    let order_id = push(&service, a_draft("M-1")).await.unwrap().order_id;
    let propose = api::ProposeSubstitutionRequest {
        order_id: order_id.clone(),
        substitution_id: "x-1".into(),
        line_no: 1,
        substitute: Some(substitute(900)),
        reason: "out of production".into(),
        at: None,
    };
    service.propose_substitution(by_us("李", Role::Operator, propose)).await.unwrap();
    let accept = api::AnswerSubstitutionRequest {
        order_id: order_id.clone(),
        substitution_id: "x-1".into(),
        accepted: true,
        ..Default::default()
    };
    service.answer_substitution(by_platform("mall", accept)).await.unwrap();
    let now = get(&service, Role::Auditor, &order_id).await;
    let listing = now.lines[0].line.as_ref().unwrap().listing.as_ref().unwrap();
    assert_eq!((listing.sku.as_str(), now.lines[0].substituted_for.as_str()), ("sku-1b", "sku-1"));

    let request = || api::GetOrderTimelineRequest { order_id: order_id.clone() };
    let seen = service.get_order_timeline(by_us("审计", Role::Auditor, request())).await.unwrap();
    let entries = seen.into_inner().entries;
    let told: Vec<_> = entries.iter().map(|it| (it.version, it.actor.as_str())).collect();
    assert_eq!(told, [(1, "mall-key"), (2, "李"), (3, "mall-key")]);
    let first = &entries[0];
    assert!(first.r#type.ends_with("OrderPlaced"), "{}", first.r#type);
    assert!(first.json.contains("\"sku\":\"sku-1\""), "{}", first.json);
    assert!(!first.json.contains("sku-1b"));
    assert_eq!(first.recorded_at, Some(to_proto(hour(1))));
    let foreign = service.get_order_timeline(by_platform("other", request())).await.unwrap_err();
    assert_eq!((foreign.code(), reason(&foreign).as_str()), (Code::NotFound, "UNKNOWN_ORDER"));
}

#[tokio::test]
async fn a_bad_order_of_a_stream_is_refused_alone_with_its_field() {
    let (_bench, service) = orders().await;
    push(&service, a_draft("M-1")).await.unwrap();
    let mut other = a_draft("M-1");
    other.lines[1].quantity = 8;
    other.total.as_mut().unwrap().minor_units += 1_000;
    let mut wrong = a_draft("M-2");
    wrong.lines[0].quantity = 0;
    let sent = [
        ("same", Some(a_draft("M-1"))),
        ("differs", Some(other)),
        ("wrong", Some(wrong)),
        ("nothing", None),
        ("foreign", Some(OrderDraft { platform: "other".into(), ..a_draft("M-3") })),
        ("unsigned", Some(OrderDraft { contract_id: "k-1".into(), ..a_draft("M-4") })),
        ("good", Some(a_draft("M-5"))),
    ];
    let server = OrderServiceServer::with_interceptor(service, |mut request: Request<()>| {
        request.extensions_mut().insert(call("mall-key", Some("mall"), Role::Platform));
        Ok(request)
    });
    let requests = sent.map(|(name, order)| api::PushOrdersRequest { r#ref: name.into(), order });
    let replies =
        OrderServiceClient::new(server).push_orders(futures::stream::iter(requests)).await;
    let mut replies = replies.unwrap().into_inner();
    let mut answers = std::collections::BTreeMap::new();
    while let Some(reply) = replies.message().await.unwrap() {
        answers.insert(reply.r#ref.clone(), reply);
    }
    assert_eq!(answers.len(), 7);
    for (name, repeated) in [("same", true), ("good", false)] {
        let taken = &answers[name];
        assert_eq!((taken.refusal.as_ref(), taken.repeated), (None, repeated), "{name}");
        assert!(!taken.order_id.is_empty());
    }
    for (name, code, reason, field) in [
        ("differs", Code::AlreadyExists, "DIFFERENT_CONTENT", "lines[1].quantity"),
        ("wrong", Code::InvalidArgument, "", "order.lines[0].quantity"),
        ("nothing", Code::InvalidArgument, "", "order"),
        ("foreign", Code::InvalidArgument, "", "order.platform"),
        ("unsigned", Code::FailedPrecondition, "CONTRACT_NOT_SIGNED", "order.contract_id"),
    ] {
        let refused = &answers[name];
        let refusal = refused.refusal.as_ref().unwrap();
        assert_eq!((refused.order_id.as_str(), refused.repeated), ("", false), "{name}");
        assert_eq!((refusal.code, refusal.field.as_str()), (i32::from(code), field), "{name}");
        if !reason.is_empty() {
            assert_eq!(refusal.reason, reason);
        }
        assert!(!refusal.message.is_empty());
    }
}

#[tokio::test]
async fn a_reservation_lasts_as_long_as_the_platforms_policy_says() {
    let an_hour = PolicyOverride { reservation_minutes: Some(60), ..PolicyOverride::default() };
    let config =
        Config { platform_policies: [("other".to_owned(), an_hour)].into(), ..Config::default() };
    let (bench, service) = orders_with(config).await;
    for (platform, until) in [("mall", hour(25)), ("other", hour(2))] {
        bench.clock.set(hour(1));
        for repeated in [false, true] {
            let order = Some(a_draft("M-1"));
            let reserve = api::PreOrderRequest { order, reserved_until: None };
            let reply = service.pre_order(by_platform(platform, reserve)).await.unwrap();
            let reply = reply.into_inner();
            assert_eq!(reply.repeated, repeated);
            assert_eq!(reply.reserved_until, Some(to_proto(until)), "{platform}");
            bench.clock.advance(SignedDuration::from_mins(10));
        }
    }
    let named = api::PreOrderRequest {
        order: Some(a_draft("M-2")),
        reserved_until: Some(to_proto(hour(1))),
    };
    let over = service.pre_order(by_platform("mall", named)).await.unwrap_err();
    assert_eq!((over.code(), reason(&over).as_str()), (Code::InvalidArgument, "TIME_OUT_OF_RANGE"));
}

#[tokio::test]
async fn a_discrepancy_is_reported_in_words() {
    let (_bench, service) = orders().await;
    let order_id = push(&service, a_draft("M-1")).await.unwrap().order_id;
    let report = |description: &str| api::ReportDiscrepancyRequest {
        order_id: order_id.clone(),
        shipment_id: "s1".into(),
        discrepancy_id: "d-1".into(),
        line: Some(api::LineQuantity { line_no: 1, quantity: 1 }),
        kind: api::DiscrepancyKind::Damaged.into(),
        description: description.into(),
        ..Default::default()
    };
    for mute in ["", " \n "] {
        let refused = service.report_discrepancy(by_platform("mall", report(mute))).await;
        assert_eq!(fields(&refused.unwrap_err()), ["description"]);
    }
    let told = service.report_discrepancy(by_platform("mall", report("dents"))).await.unwrap_err();
    assert_ne!(told.code(), Code::InvalidArgument, "{told:?}");
}

#[tokio::test]
async fn an_auditor_sees_a_mask_of_the_recipient() {
    let (_bench, service) = orders().await;
    let order_id = push(&service, a_draft("M-1")).await.unwrap().order_id;
    let seen = get(&service, Role::Operator, &order_id).await.recipient;
    assert_eq!(seen, draft().recipient);
    let masked = Contact { name: "L*".into(), phone: "*0000".into(), ..Contact::default() };
    assert_eq!(get(&service, Role::Auditor, &order_id).await.recipient, Some(masked.clone()));
    let list = by_us("审计", Role::Auditor, api::ListOrdersRequest::default());
    let listed = service.list_orders(list).await.unwrap().into_inner().orders;
    assert_eq!(listed[0].recipient, Some(masked));
}

#[tokio::test]
async fn an_erased_person_returns_under_a_new_key() {
    let (bench, mut service) = orders().await;
    let first = push(&service, a_draft("M-1")).await.unwrap().order_id;
    let person = |order: &api::Order| order.sealed_recipient.clone().unwrap().person;
    let erased = person(&get(&service, Role::Operator, &first).await);
    Vault::new(bench.log.clone()).erase(&erased).await.unwrap();
    // as after a start: a running process believes a key it has seen for a few seconds
    service.personal = Personal::new(bench.log.clone(), CONTEXT);
    let second = push(&service, a_draft("M-2")).await.unwrap().order_id;
    let back = get(&service, Role::Operator, &second).await;
    assert_ne!(person(&back), erased);
    assert_eq!(back.recipient, draft().recipient);
    let gone = get(&service, Role::Operator, &first).await.recipient.unwrap();
    assert_eq!(gone, Contact { erased: true, ..Contact::default() });
}
