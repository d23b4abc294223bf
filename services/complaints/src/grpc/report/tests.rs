use std::sync::Arc;

use chassis::testing::{by_platform, by_us, fields};
use contracts::common::Role;
use eventlog::{Context, LogOptions, ManualClock, projection_source};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    complaint::{
        Complaint,
        tests::{at, commands::NORMAL, minute},
    },
    statistics::Statistics,
};

/// A log on which one complaint of `mall` went its way, and was counted.
async fn counted() -> (Reports, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(at(0)));
    let url = format!("sqlite://{}", folder.path().join("complaints.db").display());
    let log =
        Log::open(LogOptions::new("complaints", url).with_clock(clock.clone())).await.unwrap();
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
    assert_eq!((counts.received, counts.closed, counts.closing_seconds), (1, 1, 12 * 60));
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
