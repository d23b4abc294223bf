//! What is learned from complaints, through the gateway: reactions to orders and to complaints themselves,
//! also when the product is killed in between.

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
        AcceptComplaintRequest, ActionKind, ActionPhase, AgreeSolutionRequest, AnalyseCauseRequest,
        AnswerItemRequest, AssessFactsRequest, AssignSalespersonRequest, CauseClass,
        ComplaintChannel, ComplaintItem, ComplaintKind, ConfirmFormRequest, CorrectiveAction,
        Department, GetComplaintStatisticsRequest, ListCorrectiveActionsRequest,
        ListPatternsRequest, ListStandardSolutionsRequest, Measure, MeasureKind,
        OfferSolutionRequest, Pattern, PatternDimension, ReceiveComplaintRequest,
        RecordImplementationRequest, RecordVisitRequest, Solution, StartExecutionRequest,
        complaint_report_service_client::ComplaintReportServiceClient,
        complaint_service_client::ComplaintServiceClient,
        feedback_service_client::FeedbackServiceClient,
        improvement_service_client::ImprovementServiceClient,
    },
    ordering::PushOrderRequest,
};
use e2e::{
    eventually, orders,
    parts::Ground,
    stack::{Key, MALL_A, OPERATOR, Stack, channel},
};
use eventlog::{Clock as _, SystemClock, time::to_proto};
use jiff::SignedDuration;
use serde_json::Value;
use tonic::{Code, service::interceptor::InterceptedService, transport::Channel};
use tonic_types::StatusExt as _;

const SOON: Duration = Duration::from_secs(60);
/// Kills of the whole product.
const ROUNDS: u32 = 5;
/// Complaints between two kills.
const PER_ROUND: u32 = 12;

type Complaints = ComplaintServiceClient<InterceptedService<Channel, Key>>;
type Improvements = ImprovementServiceClient<InterceptedService<Channel, Key>>;

async fn complaints(stack: &Stack, key: &str) -> Complaints {
    ComplaintServiceClient::with_interceptor(stack.channel().await, Key::new(key))
}

async fn improvements(stack: &Stack) -> Improvements {
    ImprovementServiceClient::with_interceptor(stack.channel().await, Key::new(OPERATOR))
}

fn case(id: &str, batch: &str) -> ReceiveComplaintRequest {
    ReceiveComplaintRequest {
        complaint_id: id.into(),
        channel: ComplaintChannel::Platform.into(),
        kind: ComplaintKind::Complaint.into(),
        cause: CauseClass::ProductQuality.into(),
        topic: "damaged".into(),
        complainant: Some(Contact {
            name: "张三".into(),
            phone: "13800138000".into(),
            ..Contact::default()
        }),
        items: vec![ComplaintItem {
            text: "送来时已损坏".into(),
            sku: "SKU-1".into(),
            batch: batch.into(),
            ..ComplaintItem::default()
        }],
        ..ReceiveComplaintRequest::default()
    }
}

fn reason(status: &tonic::Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

async fn accept(us: &mut Complaints, id: &str) {
    let complaint_id = || id.to_owned();
    let confirm = ConfirmFormRequest {
        complaint_id: complaint_id(),
        read_back_by: "李".into(),
        ..Default::default()
    };
    us.confirm_form(confirm).await.unwrap();
    let accept = AcceptComplaintRequest {
        complaint_id: complaint_id(),
        handler: "李".into(),
        close_by: Some(to_proto(SystemClock.now() + SignedDuration::from_hours(48))),
        ..Default::default()
    };
    us.accept_complaint(accept).await.unwrap();
    let assess = AssessFactsRequest {
        complaint_id: complaint_id(),
        severity: "一般".into(),
        expectation: "赔偿五十元".into(),
        ..Default::default()
    };
    us.assess_facts(assess).await.unwrap();
}

fn offer(id: &str, standard: &str) -> OfferSolutionRequest {
    let solution = Solution {
        solution_id: format!("s-{id}"),
        text: "赔偿".into(),
        feasibility: "可行".into(),
        fairness: "公平".into(),
        measures: vec![Measure {
            kind: MeasureKind::Compensation.into(),
            amount: Some(Money { minor_units: 5_000, currency: "CNY".into() }),
            ..Measure::default()
        }],
        ..Solution::default()
    };
    OfferSolutionRequest {
        complaint_id: id.into(),
        solution: Some(solution),
        standard_solution_id: standard.into(),
        ..Default::default()
    }
}

/// From an offered solution to the analysis of the cause.
async fn solve(mall: &mut Complaints, us: &mut Complaints, id: &str) {
    let complaint_id = || id.to_owned();
    let agree = AgreeSolutionRequest {
        complaint_id: complaint_id(),
        solution_id: format!("s-{id}"),
        ..Default::default()
    };
    mall.agree_solution(agree).await.unwrap();
    let start = StartExecutionRequest { complaint_id: complaint_id(), ..Default::default() };
    us.start_execution(start).await.unwrap();
    let done = RecordImplementationRequest {
        complaint_id: complaint_id(),
        evidence: "转账单".into(),
        ..Default::default()
    };
    us.record_implementation(done).await.unwrap();
    let visit = RecordVisitRequest {
        complaint_id: complaint_id(),
        visit_id: "v-1".into(),
        satisfied: true,
        ..Default::default()
    };
    us.record_visit(visit).await.unwrap();
    let answer = AnswerItemRequest {
        complaint_id: complaint_id(),
        number: 1,
        answer: "已赔偿".into(),
        ..Default::default()
    };
    us.answer_item(answer).await.unwrap();
    let analysis = AnalyseCauseRequest {
        complaint_id: complaint_id(),
        // another one than the user told: the next one of its type comes in as this one did
        cause: CauseClass::ServiceProcess.into(),
        root_cause: "包装不足".into(),
        corrective_action: "加固包装".into(),
        becomes_standard: true,
        department: Department::Quality.into(),
        action_owner: "钱".into(),
        action_due_by: Some(to_proto(SystemClock.now() + SignedDuration::from_hours(240))),
        ..Default::default()
    };
    us.analyse_cause(analysis).await.unwrap();
}

async fn actions(mut client: Improvements) -> Vec<CorrectiveAction> {
    let request = ListCorrectiveActionsRequest { open_only: true, ..Default::default() };
    client.list_corrective_actions(request).await.unwrap().into_inner().actions
}

async fn patterns(mut client: Improvements, dimension: PatternDimension) -> Vec<Pattern> {
    let request = ListPatternsRequest { dimension: dimension.into(), ..Default::default() };
    client.list_patterns(request).await.unwrap().into_inner().patterns
}

#[tokio::test]
async fn what_is_learned_from_a_complaint_reaches_the_next_one() {
    let stack = Stack::start().await;
    let (mut mall, mut us) = (complaints(&stack, MALL_A).await, complaints(&stack, OPERATOR).await);
    let order = Some(orders::draft("", "L-1"));
    let pushed = stack.orders(MALL_A).await.push_order(PushOrderRequest { order }).await.unwrap();
    let order_id = pushed.into_inner().order_id;
    let mut accounts =
        FeedbackServiceClient::with_interceptor(stack.channel().await, Key::new(OPERATOR));
    let assign = AssignSalespersonRequest {
        platform: "mall-a".into(),
        buyer_id: "unit-17".into(),
        salesperson: "孙".into(),
        ..Default::default()
    };
    accounts.assign_salesperson(assign).await.unwrap();

    // an order that nobody has placed cannot be complained of; one that was, as soon as it is heard of
    let unknown = ReceiveComplaintRequest { order_id: "no-such-order".into(), ..case("c-0", "") };
    let refused = mall.receive_complaint(unknown).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "UNKNOWN_ORDER"));
    let about = ReceiveComplaintRequest { order_id: order_id.clone(), ..case("c-1", "B-1") };
    eventually("the order is known", SOON, || async {
        mall.clone().receive_complaint(about.clone()).await.is_ok()
    })
    .await;
    let received = mall.receive_complaint(about).await.unwrap().into_inner();
    assert!(received.repeated);
    let received = received.complaint.unwrap();
    assert_eq!(
        (received.buyer_id.as_str(), received.first_responsible.as_str()),
        ("unit-17", "孙")
    );
    accept(&mut us, "c-1").await;
    us.offer_solution(offer("c-1", "")).await.unwrap();
    solve(&mut mall, &mut us, "c-1").await;

    // its solution is standard, and somebody sees to the cause, with a clock of his own
    let client = improvements(&stack).await;
    let standards = ListStandardSolutionsRequest {
        cause: CauseClass::ProductQuality.into(),
        topic: "damaged".into(),
        ..Default::default()
    };
    let listed = || {
        let (mut client, standards) = (client.clone(), standards.clone());
        async move {
            client.list_standard_solutions(standards).await.unwrap().into_inner().standard_solutions
        }
    };
    eventually("its solution is standard", SOON, || async { !listed().await.is_empty() }).await;
    let standard = listed().await.remove(0).standard_solution_id;
    eventually("its action is open", SOON, || async { actions(client.clone()).await.len() == 1 })
        .await;
    let action = actions(client.clone()).await.remove(0);
    assert_eq!((action.kind(), action.phase()), (ActionKind::Corrective, ActionPhase::Planned));
    assert_eq!((action.owner.as_str(), action.complaint_id.as_str()), ("钱", "c-1"));
    eventually("its clock runs", SOON, || async {
        let told = ["sla", "explain", &action.action_id, "--json", "--key", OPERATOR];
        let told = stack.emall(&told).await;
        told.out.lines().any(|line| {
            let clock = &serde_json::from_str::<Value>(line).unwrap()["clock"];
            clock["clock"] == "corrective-action" && clock["state"] == "CLOCK_STATE_RUNNING"
        })
    })
    .await;

    // the next one of its type is solved the same way; it is of the same batch, which is a pattern
    mall.receive_complaint(case("c-2", "B-1")).await.unwrap();
    accept(&mut us, "c-2").await;
    let refused = us.offer_solution(offer("c-2", "")).await.unwrap_err();
    assert_eq!(reason(&refused), "HAS_STANDARD_SOLUTION");
    us.offer_solution(offer("c-2", &standard)).await.unwrap();
    solve(&mut mall, &mut us, "c-2").await;
    let open = |all: &[CorrectiveAction]| {
        all.iter().filter(|it| it.kind() == ActionKind::Corrective).count()
    };
    eventually("its action is open too", SOON, || async {
        open(&actions(client.clone()).await) == 2
    })
    .await;
    assert_eq!(listed().await.len(), 1, "the same is standard once");
    eventually("the batch is a pattern", SOON, || async {
        patterns(client.clone(), PatternDimension::Batch).await.len() == 1
    })
    .await;
    let pattern = patterns(client.clone(), PatternDimension::Batch).await.remove(0);
    assert_eq!((pattern.value.as_str(), pattern.complaints, pattern.episode), ("B-1", 2, 1));
    let opened = actions(client.clone()).await;
    let opened: Vec<_> = opened.iter().filter(|it| it.pattern_id == pattern.pattern_id).collect();
    assert_eq!(opened.len(), 1);
    assert_eq!(opened[0].action_id, pattern.action_id);
    assert_eq!((opened[0].kind(), opened[0].phase()), (ActionKind::Preventive, ActionPhase::Open));
    stack.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn patterns_and_figures_outlive_kill_9_and_count_each_complaint_once() {
    let mut stack = Stack::start().await;
    let mut sent = 0;
    for round in 0..ROUNDS {
        let mut mall = complaints(&stack, MALL_A).await;
        let first = sent;
        sent += PER_ROUND;
        let load = tokio::spawn(async move {
            for number in first..first + PER_ROUND {
                // the answer may be lost; it is asked again below
                let _ = mall.receive_complaint(case(&format!("c-{number}"), "B-1")).await;
            }
        });
        tokio::time::sleep(Duration::from_millis(u64::from(20 + round * 37 % 90))).await;
        stack.kill();
        let _ = load.await;
        stack.restart().await;
        let mut mall = complaints(&stack, MALL_A).await;
        for number in first..sent {
            mall.receive_complaint(case(&format!("c-{number}"), "B-1")).await.unwrap();
        }
    }
    let client = improvements(&stack).await;
    eventually("each complaint is counted", SOON, || async {
        let found = patterns(client.clone(), PatternDimension::Batch).await;
        found.iter().map(|it| it.complaints).collect::<Vec<_>>() == [u64::from(sent)]
    })
    .await;
    let found = patterns(client.clone(), PatternDimension::Unspecified).await;
    let told: Vec<_> = found.iter().map(|it| (it.dimension(), it.complaints)).collect();
    for dimension in [PatternDimension::Cause, PatternDimension::Sku, PatternDimension::Batch] {
        assert!(told.contains(&(dimension, u64::from(sent))), "{told:?}");
    }
    let opened = actions(client.clone()).await;
    assert_eq!(opened.len(), found.len(), "one action for each pattern: {opened:?}");
    let reports =
        ComplaintReportServiceClient::with_interceptor(stack.channel().await, Key::new(OPERATOR));
    let day = |days: i64| {
        let at = SystemClock.now() + SignedDuration::from_hours(24 * days);
        at.to_string()[..10].to_owned()
    };
    let asked = GetComplaintStatisticsRequest { from: day(-1), to: day(1), ..Default::default() };
    eventually("the figures agree", SOON, || async {
        let lines = reports.clone().get_complaint_statistics(asked.clone()).await.unwrap();
        let received: u64 =
            lines.into_inner().lines.iter().filter_map(|it| Some(it.counts?.received)).sum();
        received == u64::from(sent)
    })
    .await;
    stack.verify().await;
    assert!(stack.stop().await.success());
}

#[tokio::test]
async fn complaints_as_a_process_of_its_own_learns_on_postgres_and_after_a_kill() {
    let ground = Ground::new().await;
    let (ordering, mut service) = (ground.ordering().await, ground.complaints().await);
    let routes = [("emall.ordering", &ordering), ("emall.complaints", &service)];
    let gateway = ground.gateway_to(&routes).await;
    let (mall, us) = (Key::new(MALL_A), Key::new(OPERATOR));
    let door = channel(gateway.address).await;
    let complaints = ComplaintServiceClient::with_interceptor(door.clone(), mall);
    let client = ImprovementServiceClient::with_interceptor(door, us);
    let order = Some(orders::draft("", "L-1"));
    let pushed = gateway.orders(MALL_A).await.push_order(PushOrderRequest { order }).await.unwrap();
    let order_id = pushed.into_inner().order_id;
    // while the service is away the gateway says so, and a caller tries again
    let taken = |case: ReceiveComplaintRequest| {
        let mut complaints = complaints.clone();
        async move { complaints.receive_complaint(case).await.is_ok() }
    };
    let first = ReceiveComplaintRequest { order_id, ..case("c-1", "B-1") };
    eventually("the order is known", SOON, || taken(first.clone())).await;
    service.program.kill();
    ground.restart(&mut service).await;
    eventually("it answers again", SOON, || taken(case("c-2", "B-1"))).await;
    let batches =
        ListPatternsRequest { dimension: PatternDimension::Batch.into(), ..Default::default() };
    eventually("the batch is a pattern", SOON, || async {
        let found = client.clone().list_patterns(batches.clone()).await;
        found.is_ok_and(|found| {
            let found = found.into_inner().patterns;
            found.iter().map(|it| it.complaints).collect::<Vec<_>>() == [2]
        })
    })
    .await;
    let open = ListCorrectiveActionsRequest { open_only: true, ..Default::default() };
    eventually("its action is open", SOON, || async {
        let found = client.clone().list_corrective_actions(open.clone()).await;
        found.is_ok_and(|found| found.into_inner().actions.len() == 1)
    })
    .await;
    ground.verify(&service).await;
    ground.verify(&ordering).await;
}
