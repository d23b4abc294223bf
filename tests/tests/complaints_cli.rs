//! `emall complaints` and the complaints of `emall push`: in one process with time turned fast.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::needless_update,
    reason = "a test fails by panicking; a message that gains a field is not spelled out anew"
)]

use std::time::Duration;

use contracts::{
    common::{Contact, Money},
    complaints::{
        AcceptComplaintRequest, AssessFactsRequest, CauseClass, ComplaintChannel, ComplaintItem,
        ComplaintKind, ConfirmFormRequest, Measure, MeasureKind, OfferSolutionRequest,
        ReceiveComplaintRequest, Solution, complaint_service_client::ComplaintServiceClient,
    },
};
use e2e::{
    eventually,
    program::Told,
    stack::{Key, MALL_A, MALL_B, OPERATOR, Stack},
};
use jiff::Timestamp;
use serde_json::{Value, json};
use tonic::{service::interceptor::InterceptedService, transport::Channel};

const SOON: Duration = Duration::from_secs(60);
/// An hour in half a second.
const FAST: u32 = 7_200;
/// An hour in a tenth of a second: a week in seventeen.
const FASTER: u32 = 36_000;

type Complaints = ComplaintServiceClient<InterceptedService<Channel, Key>>;

async fn complaints(stack: &Stack, key: &str) -> Complaints {
    ComplaintServiceClient::with_interceptor(stack.channel().await, Key::new(key))
}

/// Received, confirmed, and accepted by somebody with so much time, in hours.
async fn accepted(stack: &Stack, id: &str, handler: &str, hours: i64) {
    let (mut mall, mut us) = (complaints(stack, MALL_A).await, complaints(stack, OPERATOR).await);
    let item = |text: &str, sku: &str| ComplaintItem {
        text: text.to_owned(),
        sku: sku.to_owned(),
        ..Default::default()
    };
    let receive = ReceiveComplaintRequest {
        complaint_id: id.to_owned(),
        channel: ComplaintChannel::Platform.into(),
        kind: ComplaintKind::Complaint.into(),
        cause: CauseClass::ServiceProcess.into(),
        complainant: Some(Contact {
            name: "张三".to_owned(),
            phone: "000-0000-0001".to_owned(),
            ..Default::default()
        }),
        // an override of the direction is no control character, and comes through the door
        items: vec![item("晚到一天", "85123A"), item("\u{202e}外箱\n破损", "")],
        claimed: Some(Money { minor_units: 12_345, currency: "CNY".to_owned() }),
        ..Default::default()
    };
    let received = mall.receive_complaint(receive).await.unwrap().into_inner();
    let received_at = received.complaint.unwrap().received_at.unwrap();
    let confirm = ConfirmFormRequest {
        complaint_id: id.to_owned(),
        read_back_by: "李".to_owned(),
        ..Default::default()
    };
    us.confirm_form(confirm).await.unwrap();
    let close_by =
        prost_types::Timestamp { seconds: received_at.seconds + hours * 3_600, nanos: 0 };
    let accept = AcceptComplaintRequest {
        complaint_id: id.to_owned(),
        handler: handler.to_owned(),
        close_by: Some(close_by),
        ..Default::default()
    };
    us.accept_complaint(accept).await.unwrap();
    let assess = AssessFactsRequest {
        complaint_id: id.to_owned(),
        amount: Some(Money { minor_units: 12_345, currency: "CNY".to_owned() }),
        severity: "一般".to_owned(),
        expectation: "赔偿".to_owned(),
        ..Default::default()
    };
    us.assess_facts(assess).await.unwrap();
}

async fn offered(stack: &Stack, id: &str, fen: i64) {
    let offer = OfferSolutionRequest {
        complaint_id: id.to_owned(),
        solution: Some(Solution {
            solution_id: "s-1".to_owned(),
            text: "赔偿".to_owned(),
            feasibility: "可行".to_owned(),
            fairness: "公平".to_owned(),
            measures: vec![Measure {
                kind: MeasureKind::Compensation.into(),
                amount: Some(Money { minor_units: fen, currency: "CNY".to_owned() }),
                ..Default::default()
            }],
            ..Default::default()
        }),
        ..Default::default()
    };
    complaints(stack, OPERATOR).await.offer_solution(offer).await.unwrap();
}

/// `emall complaints` as an operator.
async fn shown(stack: &Stack, arguments: &[&str]) -> Told {
    let told = stack.emall(&[&["complaints"], arguments, &["--key", OPERATOR]].concat()).await;
    assert_eq!(told.code, Some(0), "{told:?}");
    told
}

fn lines(told: &Told) -> Vec<Value> {
    told.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn ids(told: &Told) -> Vec<String> {
    lines(told).iter().map(|one| one["complaintId"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn complaints_are_listed_by_deadline_shown_with_all_that_happened_and_counted() {
    let stack = Stack::start_fast(FAST).await;
    let nothing = shown(&stack, &[]).await.out;
    assert!(nothing.starts_with("Open complaints, ") && nothing.ends_with("none\n"), "{nothing}");
    accepted(&stack, "c-late", "=1+1", 20).await;
    accepted(&stack, "c-long", "李", 2_000).await;
    offered(&stack, "c-long", 1_000).await;

    // by deadline, and by each filter
    assert_eq!(ids(&shown(&stack, &["--json"]).await), ["c-late", "c-long"]);
    for (filter, wanted) in [
        (["--platform", "mall-a"], &["c-late", "c-long"][..]),
        (["--platform", "mall-b"], &[]),
        (["--phase", "offered"], &["c-long"]),
        (["--phase", "closed"], &[]),
        (["--handler", "李"], &["c-long"]),
        (["--cause", "service-process"], &["c-late", "c-long"]),
        (["--cause", "product-quality"], &[]),
        (["--limit", "1"], &["c-late"]),
    ] {
        let found = ids(&shown(&stack, &[&filter[..], &["--json"]].concat()).await);
        assert_eq!(found, wanted, "{filter:?}");
    }
    let table = shown(&stack, &["--once", "--limit", "1"]).await.out;
    assert!(table.contains("c-late") && !table.contains("c-long"), "{table}");
    assert!(table.contains("and more: --once --limit 10"), "{table}");
    eventually("its deadline is missed", SOON, || async {
        ids(&shown(&stack, &["--level", "major", "--json"]).await) == ["c-late"]
    })
    .await;
    let table = shown(&stack, &["--level", "major"]).await.out;
    assert!(table.contains("level major\n") && table.contains("late "), "{table}");

    // the record, without anything that steers the terminal
    let record = shown(&stack, &["show", "c-late"]).await.out;
    for told in [
        "Complaint c-late",
        "张三, 000-0000-0001",
        "major: overdue",
        "123.45 CNY",
        "晚到一天 (SKU 85123A)",
        "外箱 破损",
        "complaint received by platform, 2 items",
        "read back by 李",
        "accepted: =1+1, post 0",
        "assessed: 一般; sums involved 123.45 CNY; expected: 赔偿",
        "major from now on: overdue",
    ] {
        assert!(record.contains(told), "{told}: {record}");
    }
    assert!(!record.contains('\u{202e}'), "{record}");
    let at = |told: &str| record.find(told).unwrap();
    assert!(at("received by platform") < at("accepted: ") && at("accepted: ") < at("major from"));
    let offered = shown(&stack, &["show", "c-long"]).await.out;
    assert!(offered.contains("Solution s-1:") && offered.contains("compensation"), "{offered}");
    let json = lines(&shown(&stack, &["show", "c-late", "--json"]).await);
    assert_eq!(json[0]["complaint"]["complaintId"], "c-late");
    assert_eq!(json[0]["entries"].as_array().unwrap().len(), 5);

    // figures, once the projection has read all of it
    let days = ["--from", "2024-01-01", "--until", "2033-12-31"];
    let csv = [&["statistics"], &days[..], &["--by", "platform,handler", "--csv"]].concat();
    let heading = "platform,handler,received,accepted,";
    eventually("it is counted", SOON, || async {
        let told = shown(&stack, &csv).await.out;
        let counted = told.lines().any(|line| line.starts_with("mall-a,\"'=1+1\",0,0,0,1,"));
        told.starts_with(heading) && counted && told.contains("\r\nmall-a,,2,2,")
    })
    .await;
    let table = shown(&stack, &[&["statistics"], &days[..]].concat()).await.out;
    assert!(table.contains("received") && table.contains("satisfied"), "{table}");
    let other = [&["statistics"], &days[..], &["--platform", "mall-b"]].concat();
    assert!(shown(&stack, &other).await.out.ends_with("nothing happened\n"));
    stack.verify().await;
}

#[tokio::test]
async fn what_cannot_be_shown_is_told_with_what_to_do_next() {
    let stack = Stack::start().await;
    accepted(&stack, "c-1", "李", 20).await;
    let emall = async |arguments: &[&str], key: &str| {
        stack.emall(&[&["complaints"], arguments, &["--key", key]].concat()).await
    };
    let unknown = emall(&["show", "c-2"], OPERATOR).await;
    assert!(unknown.refusal(64).contains("`emall complaints --all`"), "{unknown:?}");
    let foreign = emall(&["show", "c-1"], MALL_B).await;
    assert!(foreign.refusal(64).contains("there is no complaint c-1"), "{foreign:?}");
    let wrong = emall(&[], "no-such-key-0123456789").await;
    assert!(wrong.refusal(2).contains("use another key"), "{wrong:?}");
    let month = emall(&["feedback", "2026-13"], OPERATOR).await;
    assert!(month.refusal(2).contains("2026-11"), "{month:?}");
    let reversed = ["statistics", "--from", "2026-02-01", "--until", "2026-01-01"];
    let reversed = emall(&reversed, OPERATOR).await;
    assert!(reversed.refusal(64).contains("exchange them"), "{reversed:?}");
    for (arguments, told) in [
        (&["--level", "urgent"][..], "general, major"),
        (&["--phase", "offered", "--cause", "product-quality"], "cannot be used with"),
        (&["statistics", "--from", "2026-01-1", "--until", "2026-02-01"], "2026-11-01"),
        (&["statistics", "--from", "2026-01-01"], "--until"),
        (&["standards", "--topic", "late-delivery"], "--cause"),
        (&["patterns", "--of", "weather"], "batch"),
        (
            &["statistics", "--from", "2026-01-01", "--until", "2026-02-01", "--by", "weather"],
            "platform",
        ),
    ] {
        let wrong = emall(arguments, OPERATOR).await;
        assert_eq!(wrong.code, Some(64), "{wrong:?}");
        assert!(wrong.err.contains(told), "{told}: {wrong:?}");
    }
}

#[tokio::test]
async fn late_and_damaged_deliveries_of_the_sample_lead_to_complaints_that_are_closed() {
    let stack = Stack::start_fast(FASTER).await;
    let keys = stack.folder().join("keys.env");
    let text = format!(
        "EMALL_KEY_PLATFORM={MALL_A}\nEMALL_KEY_OPERATOR={OPERATOR}\nEMALL_KEY_FINANCE={OPERATOR}\n"
    );
    std::fs::write(&keys, text).unwrap();
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/samples/online_retail.csv");
    let push = [
        &["push", sample, "--platform", "mall-a", "--keys-file", "keys.env"],
        &["--limit", "24", "--life", "--from-now", "--complaints", "--json"][..],
    ]
    .concat();
    let told = stack.emall(&push).await.json();
    assert_eq!(
        told["life"]["complaints"],
        json!({ "received": 2, "escalated": 1, "major_by_deadline": 1, "closed": 2, "stopped": [] }),
        "{told}"
    );
    assert_eq!(told["life"]["stopped"], json!([]));

    let all = lines(&shown(&stack, &["--all", "--json"]).await);
    assert_eq!(all.len(), 2);
    for complaint in &all {
        assert_eq!(complaint["phase"], "COMPLAINT_PHASE_CLOSED", "{complaint}");
        let order_id = complaint["orderId"].as_str().unwrap();
        let sla = stack.emall(&["sla", "explain", order_id, "--json", "--key", OPERATOR]).await;
        assert_eq!(sla.code, Some(0), "its order is a real one: {sla:?}");
        let item = &complaint["items"][0];
        assert!(item["sku"].is_string() && item["carrier"].is_string(), "{complaint}");
    }
    let escalated = all.iter().find(|one| one["escalated"] == true).unwrap();
    assert_eq!(escalated["level"], "COMPLAINT_LEVEL_GENERAL");
    let major = all.iter().find(|one| one["level"] == "COMPLAINT_LEVEL_MAJOR").unwrap();
    assert_eq!(major["majorReasons"], json!(["MAJOR_REASON_OVERDUE"]));
    let record = shown(&stack, &["show", escalated["complaintId"].as_str().unwrap()]).await.out;
    for told in ["the user refused", "handed upwards from", "offer 2, ", "closed as general"] {
        assert!(record.contains(told), "{told}: {record}");
    }
    assert!(shown(&stack, &["--once"]).await.out.ends_with("none\n"));

    // what is learned from them: what worked is standard, and somebody sees to what went wrong
    eventually("it is learned", SOON, || async {
        lines(&shown(&stack, &["actions", "--all", "--json"]).await).len() == 2
    })
    .await;
    let actions = shown(&stack, &["actions", "--owner", "logistics-manager-01"]).await.out;
    assert!(actions.contains("the follower calls the user the day before"), "{actions}");
    let standards = lines(&shown(&stack, &["standards", "--json"]).await);
    assert!(!standards.is_empty() && standards.len() <= 2, "{standards:?}");
    let received: Timestamp = all[0]["receivedAt"].as_str().unwrap().parse().unwrap();
    let supplier = jiff::tz::TimeZone::fixed(jiff::tz::offset(8));
    let month = received.to_zoned(supplier.clone()).strftime("%Y-%m").to_string();
    let feedback = shown(&stack, &["feedback", &month]).await.out;
    let told = [format!("Quality feedback of {month}"), "marketing".into(), "planned".into()];
    assert!(told.iter().all(|told| feedback.contains(told)), "{feedback}");
    let csv = shown(&stack, &["feedback", &month, "--department", "marketing", "--csv"]).await.out;
    assert!(csv.starts_with("department,cause,topic,product,complaints,"), "{csv}");
    assert!(csv.contains("\r\nmarketing,"), "{csv}");
    assert!(shown(&stack, &["patterns"]).await.out.ends_with("none\n"), "two are no pattern");
    let day = received.to_zoned(supplier).date().to_string();
    let calls = shown(&stack, &["calls", "--from", &day, "--until", &day]).await.out;
    assert!(calls.contains(": 0, 0 recorded, 0 closed"), "none came by telephone: {calls}");
    stack.verify().await;
}

#[tokio::test]
async fn complaints_need_a_life_that_begins_now() {
    let folder = tempfile::tempdir().unwrap();
    for flags in
        [&["--complaints"][..], &["--complaints", "--life"], &["--complaints", "--from-now"]]
    {
        let push = [&["push", "orders.csv"], flags].concat();
        let refused = e2e::program::run("emall", &push, folder.path()).await;
        assert_eq!(refused.code, Some(64), "{refused:?}");
        assert!(refused.err.contains("required arguments were not provided"), "{refused:?}");
    }
}
