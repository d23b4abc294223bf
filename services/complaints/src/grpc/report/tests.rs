use chassis::testing::{by_platform, by_us, fields};
use contracts::common::Role;
use eventlog::{Context, projection_source};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    action::{Action, Need},
    complaint::{
        Complaint,
        tests::{at, commands::NORMAL, minute},
    },
    grpc::testing::{self, tell},
    statistics::Statistics,
};

/// A log on which one complaint of `mall` went its way, and was counted.
async fn counted() -> (Reports, tempfile::TempDir) {
    let (log, clock, folder) = testing::log().await;
    for (number, command) in (0..).zip(NORMAL) {
        let context = Context {
            actor: "teller".into(),
            platform: String::new(),
            causation: "test".into(),
            traceparent: String::new(),
            now: at(number),
        };
        let decide = |complaint: &Complaint| command.decide(complaint, minute(number));
        log.transact("c-1", &context, decide).await.unwrap();
    }
    let (stop, last) = (CancellationToken::new(), log.last_position().await.unwrap());
    let (reader, token) = (log.clone(), stop.clone());
    let task = tokio::spawn(async move { reader.project::<Statistics>(token).await });
    while log.cursor(&projection_source("statistics")).await.unwrap() < last {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    stop.cancel();
    task.await.unwrap().unwrap();
    (Reports { desk: Desk::new(log, clock, CONTEXT) }, folder)
}

fn asked(group_by: &[ComplaintGrouping]) -> api::GetComplaintStatisticsRequest {
    api::GetComplaintStatisticsRequest {
        from: "2026-03-01".into(),
        to: "2026-03-31".into(),
        platform: String::new(),
        group_by: group_by.iter().map(|by| (*by).into()).collect(),
    }
}

#[tokio::test]
async fn figures_are_summed_up_by_what_they_are_asked_by() {
    let (reports, _folder) = counted().await;
    let told = |request| async {
        let request = by_us("审计", Role::Auditor, request);
        reports.get_complaint_statistics(request).await.unwrap().into_inner().lines
    };
    let all = told(asked(&[])).await;
    assert_eq!(all.len(), 1);
    let counts = all[0].counts.as_ref().unwrap();
    assert_eq!((counts.received, counts.closed, counts.closing_seconds), (1, 1, 13 * 60));
    for (by, expected) in [
        (ComplaintGrouping::Platform, vec!["mall"]),
        (ComplaintGrouping::Kind, vec!["COMPLAINT_KIND_COMPLAINT"]),
        (ComplaintGrouping::Channel, vec!["COMPLAINT_CHANNEL_PHONE"]),
        (
            ComplaintGrouping::Cause,
            vec!["CAUSE_CLASS_PRODUCT_QUALITY", "CAUSE_CLASS_SERVICE_PROCESS"],
        ),
        (ComplaintGrouping::Level, vec!["COMPLAINT_LEVEL_GENERAL"]),
        (ComplaintGrouping::Handler, vec!["", "李"]),
        (ComplaintGrouping::Month, vec!["2026-03"]),
        (ComplaintGrouping::Day, vec!["2026-03-02"]),
        (ComplaintGrouping::Topic, vec!["damaged"]),
        (ComplaintGrouping::Product, vec!["A"]),
        (ComplaintGrouping::Department, vec!["DEPARTMENT_QUALITY", "DEPARTMENT_UNSPECIFIED"]),
    ] {
        let lines = told(asked(&[by])).await;
        let groups: Vec<_> = lines.iter().map(|line| line.group[0].as_str()).collect();
        assert_eq!(groups, expected, "{by:?}");
        let received: u64 = lines.iter().map(|line| line.counts.as_ref().unwrap().received).sum();
        assert_eq!(received, 1, "{by:?}");
    }
    let both = told(asked(&[ComplaintGrouping::Month, ComplaintGrouping::Handler])).await;
    assert_eq!(both[0].group, ["2026-03", ""]);
    let before = api::GetComplaintStatisticsRequest { to: "2026-03-01".into(), ..asked(&[]) };
    assert!(told(before).await.is_empty());
}

#[tokio::test]
async fn a_platform_sees_its_own_figures_alone() {
    let (reports, _folder) = counted().await;
    let lines = |platform: &str| {
        let (reports, request) = (reports.clone(), by_platform(platform, asked(&[])));
        async move { reports.get_complaint_statistics(request).await.unwrap().into_inner().lines }
    };
    assert_eq!(lines("mall").await.len(), 1);
    assert!(lines("other").await.is_empty());
}

#[tokio::test]
async fn wrong_days_and_groups_are_named() {
    let (reports, _folder) = counted().await;
    for (from, to, named) in [
        ("2026-3-1", "2026-03-31", "from"),
        ("2026-03-01", "tomorrow", "to"),
        ("2026-03-02", "2026-03-01", "to"),
        ("2000-01-01", "2026-03-01", "to"),
    ] {
        let request =
            api::GetComplaintStatisticsRequest { from: from.into(), to: to.into(), ..asked(&[]) };
        let request = by_us("李", Role::Operator, request);
        let refused = reports.get_complaint_statistics(request).await.unwrap_err();
        assert_eq!(fields(&refused), [named], "{from} to {to}");
    }
    let wrong = api::GetComplaintStatisticsRequest { group_by: vec![99], ..asked(&[]) };
    let refused = reports.get_complaint_statistics(by_us("李", Role::Operator, wrong)).await;
    assert_eq!(fields(&refused.unwrap_err()), ["group_by[0]"]);
}

#[tokio::test]
async fn the_quality_feedback_of_a_month_tells_complaints_and_what_is_done_about_them() {
    let (reports, _folder) = counted().await;
    let need = |id: &str| Need {
        action_id: id.into(),
        kind: api::ActionKind::Corrective,
        complaint_id: "c-1".into(),
        ..Need::default()
    };
    let log = reports.desk.log();
    for id in ["a-1", "a-2"] {
        tell(log, id, |action: &Action, when| action.open(&need(id), "李", when)).await;
    }
    tell(log, "a-2", |action: &Action, when| action.cancel("不必", "赵", when)).await;
    let table = |month: &str, department: Department| {
        let request =
            api::GetQualityFeedbackRequest { month: month.into(), department: department.into() };
        let (reports, request) = (reports.clone(), by_us("审计", Role::Auditor, request));
        async move { reports.get_quality_feedback(request).await.unwrap().into_inner() }
    };
    let told = table("2026-03", Department::Unspecified).await;
    assert_eq!(told.lines.len(), 1);
    let line = &told.lines[0];
    assert_eq!((line.department(), line.sku.as_str()), (Department::Quality, "A"));
    assert_eq!((line.complaints, line.closed), (1, 1));
    assert_eq!(line.root_causes, ["包装不足"]);
    let ids: Vec<_> = told.actions.iter().map(|action| action.action_id.as_str()).collect();
    assert_eq!(ids, ["a-1", "a-2"], "also the one that has ended");
    let later = table("2026-04", Department::Unspecified).await;
    assert_eq!((later.lines.len(), later.actions.len()), (0, 1), "what is open is told again");
    let before = table("2026-02", Department::Unspecified).await;
    assert_eq!((before.lines.len(), before.actions.len()), (0, 0));
    assert_eq!(table("2026-03", Department::Quality).await.lines.len(), 1);
    assert_eq!(table("2026-03", Department::Marketing).await.lines.len(), 0);
    for month in ["2026-3", "2026-13", "", "2026-03-01"] {
        let request = api::GetQualityFeedbackRequest { month: month.into(), department: 0 };
        let refused = reports.get_quality_feedback(by_us("李", Role::Operator, request)).await;
        assert_eq!(fields(&refused.unwrap_err()), ["month"], "{month}");
    }
}

#[tokio::test]
async fn calls_of_some_days_are_analysed_with_the_actions_that_came_of_them() {
    let (reports, _folder) = counted().await;
    let need = |id: &str, complaint: &str| Need {
        action_id: id.into(),
        kind: api::ActionKind::Corrective,
        complaint_id: complaint.into(),
        ..Need::default()
    };
    let log = reports.desk.log();
    for (id, complaint) in [("a-1", "c-1"), ("a-2", "c-9")] {
        tell(log, id, |action: &Action, when| action.open(&need(id, complaint), "李", when)).await;
    }
    let analysis = |from: &str, to: &str| {
        let request = api::GetCallAnalysisRequest { from: from.into(), to: to.into() };
        let (reports, request) = (reports.clone(), by_us("李", Role::Operator, request));
        async move { reports.get_call_analysis(request).await.unwrap().into_inner() }
    };
    let told = analysis("2026-03-02", "2026-03-02").await;
    assert_eq!((told.calls, told.closed), (1, 1));
    assert_eq!((told.by_hour[0].value.as_str(), told.by_hour[0].calls), ("10", 1));
    assert_eq!(told.actions.len(), 1);
    assert_eq!(told.actions[0].action_id, "a-1");
    assert_eq!(analysis("2026-03-03", "2026-03-31").await.calls, 0);
}
