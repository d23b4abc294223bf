//! How promises were kept.

use super::*;

fn ask(from: &str, to: &str, group_by: &[Grouping]) -> api::GetComplianceRequest {
    api::GetComplianceRequest {
        from: from.into(),
        to: to.into(),
        group_by: group_by.iter().map(|by| i32::from(*by)).collect(),
        ..api::GetComplianceRequest::default()
    }
}

fn year(group_by: &[Grouping]) -> api::GetComplianceRequest {
    ask("2026-01-01", "2026-12-31", group_by)
}

async fn lines(
    service: &Reports,
    request: Request<api::GetComplianceRequest>,
) -> Vec<ComplianceLine> {
    service.get_compliance(request).await.unwrap().into_inner().lines
}

/// Group, met, breached, by contract, cancelled of each line.
fn told(lines: &[ComplianceLine]) -> Vec<(String, [u64; 4])> {
    let counts = |line: &ComplianceLine| {
        [line.met, line.breached, line.contractual_breached, line.cancelled]
    };
    lines.iter().map(|line| (line.group.join("|"), counts(line))).collect()
}

fn expected(lines: &[(&str, [u64; 4])]) -> Vec<(String, [u64; 4])> {
    lines.iter().map(|(group, counts)| ((*group).to_owned(), *counts)).collect()
}

#[tokio::test]
async fn figures_are_summed_up_by_what_is_asked_for() {
    let bench = figures().await;
    let service = service_of(&bench);
    for (group_by, expected_lines) in [
        (&[][..], &[("", [2, 2, 1, 1])][..]),
        (&[Grouping::Profile], &[("care", [2, 2, 1, 1])]),
        (&[Grouping::Clock], &[("care/confirm", [2, 2, 1, 1])]),
        (&[Grouping::Platform], &[("mall", [1, 1, 0, 0]), ("other", [1, 1, 1, 1])]),
        (&[Grouping::Month], &[("2026-03", [2, 1, 0, 1]), ("2026-04", [0, 1, 1, 0])]),
        (
            &[Grouping::Day],
            &[
                ("2026-03-02", [1, 1, 0, 1]),
                ("2026-03-03", [1, 0, 0, 0]),
                ("2026-04-01", [0, 1, 1, 0]),
            ],
        ),
        (&[Grouping::Party], &[("supplier", [2, 2, 1, 1])]),
        (
            &[Grouping::Platform, Grouping::Month],
            &[
                ("mall|2026-03", [1, 1, 0, 0]),
                ("other|2026-03", [1, 0, 0, 1]),
                ("other|2026-04", [0, 1, 1, 0]),
            ],
        ),
    ] {
        let lines = lines(&service, by_li(year(group_by))).await;
        assert_eq!(told(&lines), expected(expected_lines), "{group_by:?}");
    }
}

#[tokio::test]
async fn times_are_summed_up_too() {
    let bench = figures().await;
    let lines = lines(&service_of(&bench), by_li(year(&[]))).await;
    let line = &lines[0];
    assert_eq!((minutes(&line.overrun), minutes(&line.paused)), (60, 60));
    let held: Vec<_> = line.held.iter().map(|held| (held.party(), minutes(&held.time))).collect();
    assert_eq!(held, [(Party::Supplier, 60 + 180 + 60), (Party::User, 60)]);
}

#[tokio::test]
async fn figures_are_limited_to_days_a_profile_and_a_platform() {
    let bench = figures().await;
    let service = service_of(&bench);
    for (request, expected_lines) in [
        (ask("2026-03-02", "2026-03-02", &[]), &[("", [1, 1, 0, 1])][..]),
        (ask("2026-03-03", "2026-03-31", &[]), &[("", [1, 0, 0, 0])]),
        (ask("2025-01-01", "2025-12-31", &[]), &[]),
        (ask("1999-01-01", "1999-12-31", &[]), &[]),
        (api::GetComplianceRequest { platform: "mall".into(), ..year(&[]) }, &[("", [1, 1, 0, 0])]),
        (api::GetComplianceRequest { profile: "care".into(), ..year(&[]) }, &[("", [2, 2, 1, 1])]),
        (api::GetComplianceRequest { profile: "other".into(), ..year(&[]) }, &[]),
    ] {
        let lines = lines(&service, by_li(request.clone())).await;
        assert_eq!(told(&lines), expected(expected_lines), "{request:?}");
    }
}

#[tokio::test]
async fn a_platform_sees_its_own_figures_alone() {
    let bench = figures().await;
    let service = service_of(&bench);
    let own = lines(&service, by_platform("mall", year(&[Grouping::Platform]))).await;
    assert_eq!(told(&own), expected(&[("mall", [1, 1, 0, 0])]));
    assert!(lines(&service, by_platform("foreign", year(&[]))).await.is_empty());
    let of_other = api::GetComplianceRequest { platform: "other".into(), ..year(&[]) };
    let refused = service.get_compliance(by_platform("mall", of_other)).await.unwrap_err();
    assert_eq!(fields(&refused), ["platform"]);
}

#[tokio::test]
async fn a_report_names_the_place_that_is_wrong() {
    let bench = bench_with([confirm()]).await;
    let service = service_of(&bench);
    let of = |from: &str, to: &str| ask(from, to, &[]);
    for (wrong, places) in [
        (of("", ""), vec!["from", "to"]),
        (of("2026-3-1", "2026-03-31"), vec!["from"]),
        (of("2026-03-01T00:00", "2026-02-30"), vec!["from", "to"]),
        (of("20260301", "tomorrow"), vec!["from", "to"]),
        (of("2026-03-02", "2026-03-01"), vec!["to"]),
        (of("2016-01-01", "2026-03-01"), vec!["to"]),
        (of("-009999-01-01", "9999-12-31"), vec!["to"]),
        (of(&"2".repeat(1_000_000), "\u{0}"), vec!["from", "to"]),
        (
            api::GetComplianceRequest { profile: "a b".into(), platform: "*".into(), ..year(&[]) },
            vec!["platform", "profile"],
        ),
        (
            api::GetComplianceRequest { group_by: vec![1, 0, 7, -1], ..year(&[]) },
            vec!["group_by[1]", "group_by[2]", "group_by[3]"],
        ),
        (api::GetComplianceRequest { group_by: vec![1; 7], ..year(&[]) }, vec!["group_by"]),
    ] {
        assert_eq!(fields(&service.get_compliance(by_li(wrong)).await.unwrap_err()), places);
    }
    let ten_years = service.get_compliance(by_li(of("2016-03-01", "2026-03-01"))).await;
    assert!(ten_years.is_ok(), "{ten_years:?}");
    let nobody = service.get_compliance(Request::new(year(&[]))).await.unwrap_err();
    assert_eq!(nobody.code(), Code::Unauthenticated);
}
