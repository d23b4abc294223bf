//! What operators learn from complaints, over gRPC.

use chassis::testing::{by_us, fields, reason};
use contracts::{common::Role, complaints::ActionPhase};
use eventlog::{Clock as _, time::to_proto};
use jiff::SignedDuration;
use tonic::Code;

use super::*;
use crate::grpc::testing;

async fn bench() -> (Improvements, jiff::Timestamp, tempfile::TempDir) {
    let (log, clock, folder) = testing::log().await;
    let now = clock.now();
    (Improvements { desk: Desk::new(log, clock, CONTEXT) }, now, folder)
}

fn by_li<T>(message: T) -> Request<T> {
    by_us("李", Role::Operator, message)
}

fn adopt(id: &str, topic: &str) -> api::AdoptStandardSolutionRequest {
    api::AdoptStandardSolutionRequest {
        standard_solution_id: id.into(),
        cause: CauseClass::ServiceProcess.into(),
        topic: topic.into(),
        text: "致歉并补偿".into(),
        feasibility: "可行".into(),
        fairness: "公平".into(),
        measures: vec![MeasureKind::Apology.into(), MeasureKind::Compensation.into()],
        at: None,
    }
}

fn open(id: &str) -> api::OpenCorrectiveActionRequest {
    api::OpenCorrectiveActionRequest {
        action_id: id.into(),
        kind: api::ActionKind::Preventive.into(),
        subject: "包装不足".into(),
        ..Default::default()
    }
}

#[tokio::test]
async fn standard_solutions_are_adopted_found_by_type_and_retired() {
    let (service, _, _folder) = bench().await;
    for (id, topic) in [("n-1", "late-delivery"), ("n-2", ""), ("n-3", "damaged")] {
        for repeated in [false, true] {
            let reply = service.adopt_standard_solution(by_li(adopt(id, topic))).await.unwrap();
            assert_eq!(reply.into_inner().repeated, repeated);
        }
    }
    let found = |topic: &str, with_retired| {
        let request = api::ListStandardSolutionsRequest {
            cause: CauseClass::ServiceProcess.into(),
            topic: topic.into(),
            with_retired,
            ..Default::default()
        };
        let service = service.clone();
        async move {
            let reply = service.list_standard_solutions(by_li(request)).await.unwrap();
            let standards = reply.into_inner().standard_solutions;
            let mut ids: Vec<_> = standards.into_iter().map(|it| it.standard_solution_id).collect();
            ids.sort();
            ids
        }
    };
    assert_eq!(found("late-delivery", false).await, ["n-1", "n-2"]);
    let retire = api::RetireStandardSolutionRequest {
        standard_solution_id: "n-2".into(),
        reason: "过时".into(),
        at: None,
    };
    service.retire_standard_solution(by_li(retire)).await.unwrap();
    assert_eq!(found("late-delivery", false).await, ["n-1"]);
    assert_eq!(found("late-delivery", true).await, ["n-1", "n-2"]);
    assert_eq!(found("", false).await, ["n-1", "n-3"]);
    let changed = api::AdoptStandardSolutionRequest {
        text: "退货".into(),
        ..adopt("n-1", "late-delivery")
    };
    let refused = service.adopt_standard_solution(by_li(changed)).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::AlreadyExists, "DIFFERENT_CONTENT")
    );
}

#[tokio::test]
async fn an_action_goes_from_its_opening_to_a_check_of_its_effect() {
    let (service, now, _folder) = bench().await;
    service.open_corrective_action(by_li(open("a-1"))).await.unwrap();
    let plan = api::PlanCorrectiveActionRequest {
        action_id: "a-1".into(),
        department: Department::Quality.into(),
        owner: "钱".into(),
        measure: "加固包装".into(),
        due_by: Some(to_proto(now + SignedDuration::from_hours(24))),
        at: None,
    };
    service.plan_corrective_action(by_li(plan)).await.unwrap();
    let done = api::RecordCorrectiveActionDoneRequest {
        action_id: "a-1".into(),
        evidence: "照片".into(),
        at: None,
    };
    service.record_corrective_action_done(by_li(done)).await.unwrap();
    let check = |by: &str| api::CheckCorrectiveActionRequest {
        action_id: "a-1".into(),
        effective: true,
        finding: "不再破损".into(),
        checked_by: by.into(),
        at: None,
    };
    let refused = service.check_corrective_action(by_li(check("钱"))).await.unwrap_err();
    assert_eq!(reason(&refused), "OWN_ACTION");
    let checked = service.check_corrective_action(by_li(check("赵"))).await.unwrap().into_inner();
    assert_eq!(checked.action.unwrap().phase(), ActionPhase::Effective);
    let get = api::GetCorrectiveActionRequest { action_id: "a-1".into() };
    let got = service.get_corrective_action(by_li(get)).await.unwrap().into_inner();
    assert_eq!(got.action.unwrap().finding, "不再破损");
    let cancel = api::CancelCorrectiveActionRequest {
        action_id: "a-1".into(),
        reason: "不必".into(),
        approved_by: "赵".into(),
        at: None,
    };
    let refused = service.cancel_corrective_action(by_li(cancel)).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "NOT_NOW"));
}

#[tokio::test]
async fn actions_are_listed_by_state_owner_and_department() {
    let (service, now, _folder) = bench().await;
    for (id, owner) in [("a-1", ""), ("a-2", "钱"), ("a-3", "吴")] {
        service.open_corrective_action(by_li(open(id))).await.unwrap();
        if owner.is_empty() {
            continue;
        }
        let plan = api::PlanCorrectiveActionRequest {
            action_id: id.into(),
            department: Department::Quality.into(),
            owner: owner.into(),
            measure: "加固包装".into(),
            due_by: Some(to_proto(now + SignedDuration::from_hours(24))),
            at: None,
        };
        service.plan_corrective_action(by_li(plan)).await.unwrap();
    }
    let listed = |request: api::ListCorrectiveActionsRequest| {
        let service = service.clone();
        async move {
            let reply = service.list_corrective_actions(by_li(request)).await.unwrap();
            let actions = reply.into_inner().actions;
            actions.into_iter().map(|action| action.action_id).collect::<Vec<_>>()
        }
    };
    let all = api::ListCorrectiveActionsRequest { open_only: true, ..Default::default() };
    assert_eq!(listed(all.clone()).await, ["a-1", "a-2", "a-3"], "the unplanned one is first");
    let of_qian = api::ListCorrectiveActionsRequest { owner: "钱".into(), ..all.clone() };
    assert_eq!(listed(of_qian.clone()).await, ["a-2"]);
    let of_quality =
        api::ListCorrectiveActionsRequest { department: Department::Quality.into(), ..all };
    assert_eq!(listed(of_quality).await, ["a-2", "a-3"]);
    let both = api::ListCorrectiveActionsRequest { department: 3, ..of_qian };
    let refused = service.list_corrective_actions(by_li(both)).await.unwrap_err();
    assert_eq!(fields(&refused), ["owner"]);
}

#[tokio::test]
async fn what_is_malformed_is_named_field_by_field_and_changes_nothing() {
    let (service, _, _folder) = bench().await;
    let empty = api::AdoptStandardSolutionRequest::default();
    let refused = service.adopt_standard_solution(by_li(empty)).await.unwrap_err();
    assert_eq!(
        fields(&refused),
        ["cause", "fairness", "feasibility", "measures", "standard_solution_id", "text"]
    );
    let empty = api::OpenCorrectiveActionRequest::default();
    let refused = service.open_corrective_action(by_li(empty)).await.unwrap_err();
    assert_eq!(fields(&refused), ["action_id", "kind", "subject"]);
    let empty = api::PlanCorrectiveActionRequest::default();
    let refused = service.plan_corrective_action(by_li(empty)).await.unwrap_err();
    assert_eq!(fields(&refused), ["action_id", "department", "due_by", "measure", "owner"]);
    let topic = api::ListStandardSolutionsRequest { topic: "x".into(), ..Default::default() };
    let refused = service.list_standard_solutions(by_li(topic)).await.unwrap_err();
    assert_eq!(fields(&refused), ["cause"]);
    let unknown = api::GetCorrectiveActionRequest { action_id: "a-9".into() };
    let refused = service.get_corrective_action(by_li(unknown)).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "UNKNOWN_ACTION"));
    assert_eq!(service.desk.log().last_position().await.unwrap(), 0);
}
