use chassis::testing::{by_platform, by_us, fields, reason};
use contracts::{
    common::{Contact, Role},
    ordering::EnquiryKind,
};
use tonic::Code;

use super::*;
use crate::grpc::testing::{Bench, bench, start};

fn service_of(bench: &Bench) -> Enquiries {
    Enquiries { desk: bench.desk(), personal: Personal::new(bench.log.clone(), CONTEXT) }
}

fn zhang() -> Contact {
    Contact { name: "张三".into(), phone: "13800138000".into(), ..Contact::default() }
}

fn ask(id: &str) -> api::RecordEnquiryRequest {
    api::RecordEnquiryRequest {
        enquiry_id: id.into(),
        platform: String::new(),
        kind: EnquiryKind::Product.into(),
        customer: Some(zhang()),
        question: "有货吗?\n急!".into(),
        at: None,
    }
}

fn answer(id: &str) -> api::AnswerEnquiryRequest {
    api::AnswerEnquiryRequest { enquiry_id: id.into(), answer: "有".into(), at: None }
}

fn get(id: &str) -> api::GetEnquiryRequest {
    api::GetEnquiryRequest { enquiry_id: id.into() }
}

#[tokio::test]
async fn an_enquiry_is_recorded_answered_and_read_once() {
    let bench = bench().await;
    let service = service_of(&bench);
    for repeated in [false, true] {
        let reply = service.record_enquiry(by_platform("mall", ask("q-1"))).await.unwrap();
        let reply = reply.into_inner();
        assert_eq!(reply.repeated, repeated);
        let enquiry = reply.enquiry.unwrap();
        assert_eq!(enquiry.platform, "mall", "a platform speaks for itself");
        assert_eq!(enquiry.customer, Some(zhang()));
        assert_eq!(enquiry.asked_at, Some(eventlog::time::to_proto(start())));
        bench.clock.advance(jiff::SignedDuration::from_secs(60));
    }
    for repeated in [false, true] {
        let reply = service.answer_enquiry(by_us("李", Role::Operator, answer("q-1"))).await;
        let reply = reply.unwrap().into_inner();
        assert_eq!((reply.repeated, reply.enquiry.unwrap().answered_by.as_str()), (repeated, "李"));
    }
    let seen = service.get_enquiry(by_us("审计", Role::Auditor, get("q-1"))).await.unwrap();
    let customer = seen.into_inner().enquiry.unwrap().customer.unwrap();
    assert_eq!((customer.name.as_str(), customer.phone.as_str()), ("张*", "*8000"));
}

#[tokio::test]
async fn an_enquiry_is_about_a_product_logistics_or_service() {
    let bench = bench().await;
    let service = service_of(&bench);
    for kind in [EnquiryKind::Product, EnquiryKind::Logistics, EnquiryKind::Service] {
        let id = format!("q-{}", i32::from(kind));
        let ask = api::RecordEnquiryRequest { kind: kind.into(), ..ask(&id) };
        service.record_enquiry(by_platform("mall", ask)).await.unwrap();
        let seen = service.get_enquiry(by_us("李", Role::Operator, get(&id))).await.unwrap();
        assert_eq!(seen.into_inner().enquiry.unwrap().kind(), kind);
    }
}

#[tokio::test]
async fn nothing_personal_is_in_the_log_in_the_clear() {
    let bench = bench().await;
    let service = service_of(&bench);
    service.record_enquiry(by_platform("mall", ask("q-1"))).await.unwrap();
    let row = bench.log.get_row("enquiry", "q-1").await.unwrap().unwrap();
    let history = bench.log.history("enquiry.q-1").await.unwrap();
    for bytes in [&row.body, &history[0].body] {
        for secret in ["张三", "13800138000"] {
            assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()));
        }
    }
}

#[tokio::test]
async fn other_content_under_the_same_id_is_refused_with_the_field() {
    let bench = bench().await;
    let service = service_of(&bench);
    service.record_enquiry(by_platform("mall", ask("q-1"))).await.unwrap();
    let other = api::RecordEnquiryRequest {
        customer: Some(Contact { name: "李四".into(), ..zhang() }),
        ..ask("q-1")
    };
    let refused = service.record_enquiry(by_platform("mall", other)).await.unwrap_err();
    assert_eq!(refused.code(), Code::AlreadyExists);
    assert_eq!(reason(&refused), "DIFFERENT_CONTENT");
    assert!(refused.message().contains("customer"));
}

#[tokio::test]
async fn another_platform_neither_sees_nor_changes_it() {
    let bench = bench().await;
    let service = service_of(&bench);
    service.record_enquiry(by_platform("mall", ask("q-1"))).await.unwrap();
    service.record_enquiry(by_us("李", Role::Operator, ask("q-2"))).await.unwrap();
    for id in ["q-1", "q-2", "q-3"] {
        let unseen = service.get_enquiry(by_platform("other", get(id))).await.unwrap_err();
        assert_eq!((unseen.code(), reason(&unseen).as_str()), (Code::NotFound, "UNKNOWN_ENQUIRY"));
    }
    for id in ["q-1", "q-2"] {
        let refused = service.record_enquiry(by_platform("other", ask(id))).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotFound);
    }
    let list = |platform: &str| api::ListEnquiriesRequest {
        platform: platform.into(),
        ..Default::default()
    };
    let own = service.list_enquiries(by_platform("other", list(""))).await.unwrap();
    assert!(own.into_inner().enquiries.is_empty());
    let foreign = service.list_enquiries(by_platform("other", list("mall"))).await.unwrap_err();
    assert_eq!(fields(&foreign), ["platform"]);
    let foreign = api::RecordEnquiryRequest { platform: "mall".into(), ..ask("q-9") };
    let foreign = service.record_enquiry(by_platform("other", foreign)).await.unwrap_err();
    assert_eq!(fields(&foreign), ["platform"]);
}

#[tokio::test]
async fn listings_go_page_by_page_and_by_what_is_open() {
    let bench = bench().await;
    let service = service_of(&bench);
    for number in 0..7 {
        let ask = ask(&format!("q-{number}"));
        service.record_enquiry(by_platform("mall", ask)).await.unwrap();
        bench.clock.advance(jiff::SignedDuration::from_secs(1));
    }
    for id in ["q-0", "q-3"] {
        service.answer_enquiry(by_us("李", Role::Operator, answer(id))).await.unwrap();
    }
    let mut ids = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = api::ListEnquiriesRequest {
            platform: "mall".into(),
            unanswered_only: true,
            page_size: 2,
            page_token,
        };
        let page = service.list_enquiries(by_us("李", Role::Operator, request)).await.unwrap();
        let page = page.into_inner();
        assert!(page.enquiries.len() <= 2);
        ids.extend(page.enquiries.into_iter().map(|enquiry| enquiry.enquiry_id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(ids, ["q-1", "q-2", "q-4", "q-5", "q-6"]);
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let bench = bench().await;
    let service = service_of(&bench);
    let nothing = api::RecordEnquiryRequest::default();
    let refused = service.record_enquiry(by_us("李", Role::Operator, nothing)).await.unwrap_err();
    assert_eq!(fields(&refused), ["customer", "enquiry_id", "kind", "question"]);
    let hostile = api::RecordEnquiryRequest {
        enquiry_id: "q 1\u{0}".into(),
        platform: "*\u{1f}".into(),
        kind: 999,
        customer: Some(Contact {
            name: "张\u{0}三".into(),
            phone: "1".repeat(1_000_000),
            ..Contact::default()
        }),
        question: " \n ".into(),
        at: Some(prost_types::Timestamp { seconds: i64::MAX, nanos: -1 }),
    };
    let refused = service.record_enquiry(by_us("李", Role::Operator, hostile)).await.unwrap_err();
    assert_eq!(
        fields(&refused),
        ["at", "customer.name", "customer.phone", "enquiry_id", "kind", "platform", "question"]
    );
    for (page_size, page_token, field) in
        [(501, "", "page_size"), (1, "zz", "page_token"), (1, "\u{0}", "page_token")]
    {
        let list = api::ListEnquiriesRequest {
            page_size,
            page_token: page_token.into(),
            ..Default::default()
        };
        let refused = service.list_enquiries(by_us("李", Role::Operator, list)).await.unwrap_err();
        assert_eq!(fields(&refused), [field]);
    }
}

#[tokio::test]
async fn a_call_without_a_caller_is_refused() {
    let bench = bench().await;
    let refused = service_of(&bench).get_enquiry(Request::new(get("q-1"))).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
}
