//! Reports as tables.

use super::*;

fn ask(report: Report) -> api::ExportReportRequest {
    api::ExportReportRequest {
        report: report.into(),
        from: "2026-03-01".into(),
        to: "2026-03-31".into(),
        ..api::ExportReportRequest::default()
    }
}

async fn table(service: &Reports, request: api::ExportReportRequest) -> Vec<String> {
    let request = by_us("审计", Role::Auditor, request);
    let csv = service.export_report(request).await.unwrap().into_inner().csv;
    assert!(csv.ends_with("\r\n"));
    csv.split_terminator("\r\n").map(str::to_owned).collect()
}

#[tokio::test]
async fn compliance_is_exported_with_its_groups() {
    let bench = figures().await;
    let group_by = vec![Grouping::Platform.into(), Grouping::Day.into()];
    let asked = api::ExportReportRequest { group_by, ..ask(Report::Compliance) };
    assert_eq!(
        table(&service_of(&bench), asked).await,
        [
            "platform,day,met,breached,contractual_breached,cancelled,withdrawn,overrun_seconds,\
             paused_seconds,held",
            "mall,2026-03-02,1,1,0,0,0,3600,0,supplier=14400",
            "other,2026-03-02,0,0,0,1,0,0,0,",
            "other,2026-03-03,1,0,0,0,0,0,3600,supplier=3600 user=3600",
        ]
    );
}

#[tokio::test]
async fn open_clocks_are_exported_by_due_time_whatever_the_days() {
    let bench = bench_with([confirm()]).await;
    let service = service_of(&bench);
    let late = bench.placed("mall", "o-1").await;
    bench.clock.set(at("2026-03-02 11:00"));
    bench.placed("other", "o-2").await;
    let done = bench.placed("mall", "o-3").await;
    bench.note(&done, &fact(FactKind::Stop, "2026-03-02 11:30")).await;
    bench.advance(&late, "2026-03-02 12:30").await;
    let asked = api::ExportReportRequest {
        from: String::new(),
        to: "never".into(),
        ..ask(Report::OpenClocks)
    };
    let lines = table(&service, asked.clone()).await;
    assert!(lines[0].starts_with("due_at,contractual_due_at,state,breach,holder,"));
    assert_eq!(lines.len(), 3);
    assert!(lines[1].starts_with("2026-03-02T04:00:00Z,2026-03-02T06:00:00Z,running,declared,supplier,care,confirm,order_id=o-1,mall,"));
    assert!(lines[2].starts_with("2026-03-02T05:00:00Z,2026-03-02T07:00:00Z,running,,supplier,care,confirm,order_id=o-2,other,"));
    let of_other = api::ExportReportRequest { platform: "other".into(), ..asked };
    assert_eq!(table(&service, of_other).await.len(), 2);
}

#[tokio::test]
async fn breaches_are_exported_by_the_day_of_the_deadline_with_their_proof() {
    let bench = figures().await;
    let service = service_of(&bench);
    let march = table(&service, ask(Report::Breaches)).await;
    assert_eq!(march.len(), 2);
    assert!(
        march[1].starts_with("2026-03-02T04:00:00Z,declared,,3600,care,confirm,order_id=o-1,mall,")
    );
    assert!(
        march[1].contains(
            "start 2026-03-02T02:00:00Z ORDERING/o-1; stop 2026-03-02T05:00:00Z ORDERING/"
        )
    );
    let on = async |from: &str, to: &str| {
        let days =
            api::ExportReportRequest { from: from.into(), to: to.into(), ..ask(Report::Breaches) };
        table(&service, days).await.len() - 1
    };
    assert_eq!(on("2026-03-02", "2026-03-02").await, 1);
    assert_eq!(on("2026-03-03", "2026-03-31").await, 0);
    assert_eq!(on("2026-03-01", "2026-04-30").await, 2);
    let of_other = api::ExportReportRequest { platform: "other".into(), ..ask(Report::Breaches) };
    assert_eq!(table(&service, of_other).await.len(), 1);
}

#[tokio::test]
async fn availability_is_exported_in_percent() {
    let bench = bench_with([outage()]).await;
    let parcel = about("care", "outage", ("shipment_id", "s-1"), "mall");
    bench.note(&parcel, &fact(FactKind::Start, "2026-03-02 12:00")).await;
    bench.note(&parcel, &fact(FactKind::Stop, "2026-03-02 18:00")).await;
    bench.clock.set(at("2026-03-05 00:00"));
    assert_eq!(
        table(&service_of(&bench), ask(Report::Availability)).await,
        [
            "profile,clock,thing,platform,promised_seconds,away_seconds,availability_percent,\
             wanted_percent",
            "care,outage,shipment_id=s-1,mall,345600,21600,93.75,99.00",
        ]
    );
}

#[tokio::test]
async fn a_report_without_lines_has_its_headings() {
    let bench = bench_with([confirm()]).await;
    let service = service_of(&bench);
    for report in [Report::Compliance, Report::OpenClocks, Report::Breaches, Report::Availability] {
        assert_eq!(table(&service, ask(report)).await.len(), 1, "{report:?}");
    }
}

#[tokio::test]
async fn an_export_names_the_place_that_is_wrong() {
    let bench = bench_with([confirm()]).await;
    let service = service_of(&bench);
    for (wrong, places) in [
        (ask(Report::Unspecified), vec!["report"]),
        (api::ExportReportRequest { report: 99, ..ask(Report::Breaches) }, vec!["report"]),
        (api::ExportReportRequest { from: "x".into(), ..ask(Report::Breaches) }, vec!["from"]),
        (
            api::ExportReportRequest { to: "2026-02-01".into(), ..ask(Report::Compliance) },
            vec!["to"],
        ),
        (
            api::ExportReportRequest { group_by: vec![0], ..ask(Report::Compliance) },
            vec!["group_by[0]"],
        ),
        (
            api::ExportReportRequest { profile: "a b".into(), ..ask(Report::OpenClocks) },
            vec!["profile"],
        ),
        (api::ExportReportRequest::default(), vec!["from", "report", "to"]),
    ] {
        assert_eq!(fields(&service.export_report(by_li(wrong)).await.unwrap_err()), places);
    }
    let nobody = service.export_report(Request::new(ask(Report::Breaches))).await.unwrap_err();
    assert_eq!(nobody.code(), Code::Unauthenticated);
}
