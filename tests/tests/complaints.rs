//! Complaints through the gateway, with the watch over their deadlines: in one process with time turned
//! fast.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking; its helpers too"
)]

use std::time::Duration;

use contracts::{
    common::{Contact, Money},
    complaints::{
        AcceptComplaintRequest, AgreeSolutionRequest, AnalyseCauseRequest, AnswerItemRequest,
        AssessFactsRequest, CauseClass, CloseComplaintRequest, Complaint, ComplaintChannel,
        ComplaintItem, ComplaintKind, ComplaintLevel, ComplaintPhase, ConfirmFormRequest,
        Department, EscalateComplaintRequest, GetComplaintRequest, GetComplaintStatisticsRequest,
        Handover, MajorReason, Measure, MeasureKind, OfferSolutionRequest, ReceiveComplaintRequest,
        RecordImplementationRequest, RecordVisitRequest, RefuseSolutionRequest,
        SendClosingNoticeRequest, Solution, StartExecutionRequest,
        complaint_report_service_client::ComplaintReportServiceClient,
        complaint_service_client::ComplaintServiceClient,
    },
};
use e2e::{
    eventually,
    stack::{Key, MALL_A, MALL_B, OPERATOR, Stack},
};
use eventlog::{Clock as _, SystemClock};
use jiff::SignedDuration;
use serde_json::Value;
use tonic::{Code, service::interceptor::InterceptedService, transport::Channel};

const SOON: Duration = Duration::from_secs(60);
/// An hour in half a second.
const FAST: u32 = 7_200;

type Complaints = ComplaintServiceClient<InterceptedService<Channel, Key>>;

async fn complaints(stack: &Stack, key: &str) -> Complaints {
    ComplaintServiceClient::with_interceptor(stack.channel().await, Key::new(key))
}

fn case(id: &str) -> ReceiveComplaintRequest {
    let item = |text: &str| ComplaintItem { text: text.into(), ..ComplaintItem::default() };
    ReceiveComplaintRequest {
        complaint_id: id.into(),
        channel: ComplaintChannel::Platform.into(),
        kind: ComplaintKind::Complaint.into(),
        cause: CauseClass::ServiceProcess.into(),
        complainant: Some(Contact {
            name: "张三".into(),
            phone: "13800138000".into(),
            ..Contact::default()
        }),
        items: vec![item("晚到一天"), item("外箱破损")],
        first_responsible: "王".into(),
        ..ReceiveComplaintRequest::default()
    }
}

/// Received from a platform, confirmed, and accepted with so much time, in hours.
async fn accepted(mall: &mut Complaints, us: &mut Complaints, id: &str, hours: i64) -> Complaint {
    let received = mall.receive_complaint(case(id)).await.unwrap().into_inner();
    let received_at = received.complaint.unwrap().received_at.unwrap();
    let read_back_by = "李".to_owned();
    let complaint_id = id.to_owned();
    us.confirm_form(ConfirmFormRequest { complaint_id, read_back_by, ..Default::default() })
        .await
        .unwrap();
    let close_by =
        prost_types::Timestamp { seconds: received_at.seconds + hours * 3_600, nanos: 0 };
    let accept = AcceptComplaintRequest {
        complaint_id: id.to_owned(),
        handler: "李".to_owned(),
        tier: 0,
        close_by: Some(close_by),
        at: None,
    };
    us.accept_complaint(accept).await.unwrap();
    let assess = AssessFactsRequest {
        complaint_id: id.to_owned(),
        severity: "一般".to_owned(),
        expectation: "赔偿".to_owned(),
        ..AssessFactsRequest::default()
    };
    us.assess_facts(assess).await.unwrap().into_inner().complaint.unwrap()
}

fn offer(id: &str, solution_id: &str, fen: i64) -> OfferSolutionRequest {
    let solution = Solution {
        solution_id: solution_id.into(),
        text: "赔偿".into(),
        feasibility: "可行".into(),
        fairness: "公平".into(),
        measures: vec![Measure {
            kind: MeasureKind::Compensation.into(),
            amount: Some(Money { minor_units: fen, currency: "CNY".into() }),
            ..Measure::default()
        }],
        ..Solution::default()
    };
    OfferSolutionRequest {
        complaint_id: id.into(),
        solution: Some(solution),
        ..OfferSolutionRequest::default()
    }
}

async fn get(client: &Complaints, id: &str) -> Complaint {
    let request = GetComplaintRequest { complaint_id: id.to_owned() };
    client.clone().get_complaint(request).await.unwrap().into_inner().complaint.unwrap()
}

#[tokio::test]
async fn a_complaint_whose_deadline_is_missed_becomes_major_and_is_closed_all_the_same() {
    let stack = Stack::start_fast(FAST).await;
    let (mut mall, mut us) = (complaints(&stack, MALL_A).await, complaints(&stack, OPERATOR).await);
    let begun = accepted(&mut mall, &mut us, "c-1", 20).await;
    assert_eq!(
        (begun.level(), begun.phase()),
        (ComplaintLevel::General, ComplaintPhase::Investigating)
    );
    // nobody offers anything in twenty hours, which pass in ten seconds
    eventually("it is major", SOON, || {
        let us = us.clone();
        async move { get(&us, "c-1").await.level() == ComplaintLevel::Major }
    })
    .await;
    let major = get(&us, "c-1").await;
    assert_eq!(major.major_reasons().collect::<Vec<_>>(), [MajorReason::Overdue]);

    // beyond the first post: handed upwards, refused once, agreed to
    let beyond = us.offer_solution(offer("c-1", "s-0", 90_000)).await.unwrap_err();
    assert_eq!(beyond.code(), Code::FailedPrecondition);
    let escalate = EscalateComplaintRequest {
        complaint_id: "c-1".into(),
        handler: "孙".into(),
        tier: 1,
        mandate: "五千元以内".into(),
        handover: Some(Handover {
            history: "逾期".into(),
            demands: "赔偿".into(),
            progress: "已查明".into(),
            documents: Vec::new(),
        }),
        reason: "超出权限".into(),
        ..EscalateComplaintRequest::default()
    };
    us.escalate_complaint(escalate).await.unwrap();
    us.offer_solution(offer("c-1", "s-1", 60_000)).await.unwrap();
    let refuse = RefuseSolutionRequest {
        complaint_id: "c-1".into(),
        solution_id: "s-1".into(),
        reason: "太少".into(),
        at: None,
    };
    mall.refuse_solution(refuse).await.unwrap();
    us.offer_solution(offer("c-1", "s-2", 90_000)).await.unwrap();
    let agree =
        AgreeSolutionRequest { complaint_id: "c-1".into(), solution_id: "s-2".into(), at: None };
    mall.agree_solution(agree).await.unwrap();

    // carried out, visited, analysed, answered, told, closed
    let complaint_id = || "c-1".to_owned();
    us.start_execution(StartExecutionRequest { complaint_id: complaint_id(), at: None })
        .await
        .unwrap();
    let done = RecordImplementationRequest {
        complaint_id: complaint_id(),
        evidence: "转账单".into(),
        at: None,
    };
    us.record_implementation(done).await.unwrap();
    let visit = RecordVisitRequest {
        complaint_id: complaint_id(),
        visit_id: "v-1".into(),
        satisfied: true,
        opinion: "满意".into(),
        at: None,
    };
    us.record_visit(visit).await.unwrap();
    let analysis = AnalyseCauseRequest {
        complaint_id: complaint_id(),
        cause: CauseClass::ServiceProcess.into(),
        root_cause: "未及时跟催".into(),
        corrective_action: "每日检查".into(),
        department: Department::Marketing.into(),
        ..AnalyseCauseRequest::default()
    };
    us.analyse_cause(analysis).await.unwrap();
    let notice = SendClosingNoticeRequest { complaint_id: complaint_id(), at: None };
    let early = us.send_closing_notice(notice.clone()).await.unwrap_err();
    assert_eq!(early.code(), Code::FailedPrecondition, "{early:?}");
    for number in [1, 2] {
        let answer = AnswerItemRequest {
            complaint_id: complaint_id(),
            number,
            answer: "已赔偿".into(),
            at: None,
        };
        us.answer_item(answer).await.unwrap();
    }
    us.send_closing_notice(notice).await.unwrap();
    us.close_complaint(CloseComplaintRequest { complaint_id: complaint_id(), at: None })
        .await
        .unwrap();
    let closed = get(&mall, "c-1").await;
    assert_eq!(
        (closed.phase(), closed.level(), closed.escalated),
        (ComplaintPhase::Closed, ComplaintLevel::Major, true)
    );
    assert_eq!(closed.granted.unwrap().minor_units, 90_000);

    // it is counted, for its own platform
    let day = |days: i64| {
        let at = SystemClock.now() + SignedDuration::from_hours(24 * days);
        at.to_string()[..10].to_owned()
    };
    let asked = GetComplaintStatisticsRequest { from: day(-1), to: day(9), ..Default::default() };
    eventually("it is counted", SOON, || async {
        let mut counted = [0, 0];
        for (key, counted) in [MALL_A, MALL_B].into_iter().zip(&mut counted) {
            let reports = ComplaintReportServiceClient::with_interceptor(
                stack.channel().await,
                Key::new(key),
            );
            let lines = reports.clone().get_complaint_statistics(asked.clone()).await.unwrap();
            *counted =
                lines.into_inner().lines.iter().filter_map(|it| Some(it.counts?.closed)).sum();
        }
        counted == [1, 0]
    })
    .await;

    // other platforms see nothing of it, and the stream tells it without a name
    let other = complaints(&stack, MALL_B).await;
    let request = GetComplaintRequest { complaint_id: complaint_id() };
    assert_eq!(other.clone().get_complaint(request).await.unwrap_err().code(), Code::NotFound);
    let watch = ["watch", "complaints", "--from", "start", "--limit", "18", "--json"];
    let watched = stack.emall(&watch).await;
    let types: Vec<String> = watched
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["type"].as_str().unwrap().into())
        .collect();
    assert_eq!(types.first().unwrap(), "emall.complaints.v1.ComplaintReceived");
    assert_eq!(types.last().unwrap(), "emall.complaints.v1.ComplaintClosed");
    assert!(!watched.out.contains("13800138000") && !watched.out.contains("张三"));
    stack.verify().await;
}

#[tokio::test]
async fn a_complaint_that_is_solved_in_time_stays_general() {
    let stack = Stack::start_fast(FAST).await;
    let (mut mall, mut us) = (complaints(&stack, MALL_A).await, complaints(&stack, OPERATOR).await);
    accepted(&mut mall, &mut us, "c-1", 400).await;
    us.offer_solution(offer("c-1", "s-1", 1_000)).await.unwrap();
    let agree =
        AgreeSolutionRequest { complaint_id: "c-1".into(), solution_id: "s-1".into(), at: None };
    mall.agree_solution(agree).await.unwrap();
    // the clock of its deadline has ended, and one for carrying it out runs
    eventually("its clocks know", SOON, || async {
        let told = stack.emall(&["sla", "explain", "c-1", "--json", "--key", OPERATOR]).await;
        let states: Vec<(String, String)> = told
            .out
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["clock"].clone())
            .map(|clock| {
                let text = |field: &str| clock[field].as_str().unwrap_or_default().to_owned();
                (text("clock"), text("state"))
            })
            .collect();
        let stands =
            |name: &str, state: &str| states.iter().any(|(clock, is)| clock == name && is == state);
        stands("complaint-close", "CLOCK_STATE_STOPPED")
            && stands("execution", "CLOCK_STATE_RUNNING")
    })
    .await;
    assert_eq!(get(&us, "c-1").await.level(), ComplaintLevel::General);
    stack.verify().await;
}
