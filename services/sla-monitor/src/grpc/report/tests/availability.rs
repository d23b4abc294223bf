//! How much of the time what is promised to be available was.

use super::*;

fn ask(from: &str, to: &str) -> api::GetAvailabilityRequest {
    api::GetAvailabilityRequest { from: from.into(), to: to.into(), ..Default::default() }
}

async fn lines(
    service: &Reports,
    request: Request<api::GetAvailabilityRequest>,
) -> Vec<AvailabilityLine> {
    service.get_availability(request).await.unwrap().into_inner().lines
}

/// One parcel stood still on Monday from 12 to 18 and on Tuesday from 22 to Wednesday, 2 o'clock;
/// one of another platform since Tuesday, 18:00. It is Friday.
async fn parcels() -> Bench {
    let bench = bench_with([confirm(), outage()]).await;
    bench.placed("mall", "o-1").await;
    let first = about("care", "outage", ("shipment_id", "s-1"), "mall");
    for (kind, local) in [
        (FactKind::Start, "2026-03-02 12:00"),
        (FactKind::Stop, "2026-03-02 18:00"),
        (FactKind::Start, "2026-03-03 22:00"),
        (FactKind::Stop, "2026-03-04 02:00"),
    ] {
        bench.note(&first, &fact(kind, local)).await;
    }
    let second = about("care", "outage", ("shipment_id", "s-2"), "other");
    bench.note(&second, &fact(FactKind::Start, "2026-03-03 18:00")).await;
    bench.clock.set(at("2026-03-06 00:00"));
    bench
}

#[tokio::test]
async fn what_was_away_is_summed_up_thing_by_thing() {
    let bench = parcels().await;
    let lines = lines(&service_of(&bench), by_li(ask("2026-03-02", "2026-03-04"))).await;
    let told: Vec<_> = lines
        .iter()
        .map(|line| {
            let thing = line.subject[0].value.as_str();
            (thing, minutes(&line.promised) / 60, minutes(&line.away) / 60, line.availability)
        })
        .collect();
    assert_eq!(told, [("s-1", 72, 10, 8_611), ("s-2", 72, 30, 5_833)]);
    assert!(lines.iter().all(|line| (line.clock.as_str(), line.wanted) == ("outage", 9_900)));
    assert_eq!(lines[0].platform, "mall");
}

#[tokio::test]
async fn only_the_days_that_are_asked_for_count() {
    let bench = parcels().await;
    let service = service_of(&bench);
    let away = async |from: &str, to: &str| {
        let lines = lines(&service, by_li(ask(from, to))).await;
        lines.iter().map(|line| minutes(&line.away) / 60).collect::<Vec<_>>()
    };
    assert_eq!(away("2026-03-02", "2026-03-02").await, [6, 0]);
    assert_eq!(away("2026-03-03", "2026-03-03").await, [2, 6]);
    assert_eq!(away("2026-03-04", "2026-03-04").await, [2, 24]);
    assert_eq!(away("2026-03-01", "2026-03-31").await, [10, 54], "up to now");
}

#[tokio::test]
async fn what_has_not_passed_yet_is_not_promised_yet() {
    let bench = parcels().await;
    let service = service_of(&bench);
    let month = lines(&service, by_li(ask("2026-03-05", "2026-03-31"))).await;
    assert_eq!(minutes(&month[0].promised) / 60, 24);
    let future = lines(&service, by_li(ask("2026-05-01", "2026-05-31"))).await;
    for line in future {
        assert_eq!((minutes(&line.promised), minutes(&line.away)), (0, 0));
        assert_eq!(line.availability, 10_000);
    }
}

#[tokio::test]
async fn only_open_hours_are_promised() {
    let office = contracts::sla::ClockPolicy { calendar: "5x8".into(), ..outage() };
    let bench = bench_with([office]).await;
    let parcel = about("care", "outage", ("shipment_id", "s-1"), "mall");
    bench.note(&parcel, &fact(FactKind::Start, "2026-03-02 17:00")).await;
    bench.note(&parcel, &fact(FactKind::Stop, "2026-03-03 10:00")).await;
    bench.clock.set(at("2026-03-09 00:00"));
    let lines = lines(&service_of(&bench), by_li(ask("2026-03-02", "2026-03-08"))).await;
    assert_eq!((minutes(&lines[0].promised), minutes(&lines[0].away)), (40 * 60, 120));
    assert_eq!(lines[0].availability, 9_500);
}

#[tokio::test]
async fn force_majeure_is_not_held_against_it() {
    let exempt = contracts::sla::ClockPolicy {
        subject: vec!["order_id".into()],
        exempt: confirm().exempt,
        exempt_end: confirm().exempt_end,
        ..outage()
    };
    let bench = bench_with([exempt]).await;
    let parcel = about("care", "outage", ("order_id", "o-1"), "mall");
    for (kind, local) in [
        (FactKind::Start, "2026-03-02 12:00"),
        (FactKind::Exempt, "2026-03-02 13:00"),
        (FactKind::ExemptEnd, "2026-03-02 17:00"),
        (FactKind::Stop, "2026-03-02 18:00"),
    ] {
        bench.note(&parcel, &fact(kind, local)).await;
    }
    bench.clock.set(at("2026-03-03 00:00"));
    let lines = lines(&service_of(&bench), by_li(ask("2026-03-02", "2026-03-02"))).await;
    assert_eq!(minutes(&lines[0].away), 120);
}

#[tokio::test]
async fn a_share_is_rounded_down() {
    let bench = bench_with([outage()]).await;
    let parcel = about("care", "outage", ("shipment_id", "s-1"), "mall");
    bench.note(&parcel, &fact(FactKind::Start, "2026-03-02 12:00:00")).await;
    bench.note(&parcel, &fact(FactKind::Stop, "2026-03-02 12:00:01")).await;
    bench.clock.set(at("2027-03-01 00:00"));
    let year = lines(&service_of(&bench), by_li(ask("2026-03-01", "2027-02-28"))).await;
    assert_eq!(year[0].availability, 9_999, "a second of a year is no 100 %");
}

#[tokio::test]
async fn a_platform_sees_its_own_things_alone() {
    let bench = parcels().await;
    let service = service_of(&bench);
    let own = lines(&service, by_platform("other", ask("2026-03-02", "2026-03-04"))).await;
    assert_eq!(own.iter().map(|line| line.platform.as_str()).collect::<Vec<_>>(), ["other"]);
    assert!(
        lines(&service, by_platform("foreign", ask("2026-03-02", "2026-03-04"))).await.is_empty()
    );
    let of_mall =
        api::GetAvailabilityRequest { platform: "mall".into(), ..ask("2026-03-02", "2026-03-04") };
    assert_eq!(lines(&service, by_li(of_mall.clone())).await.len(), 1);
    let refused = service.get_availability(by_platform("other", of_mall)).await.unwrap_err();
    assert_eq!(fields(&refused), ["platform"]);
    let of_profile =
        api::GetAvailabilityRequest { profile: "else".into(), ..ask("2026-03-02", "2026-03-04") };
    assert!(lines(&service, by_li(of_profile)).await.is_empty());
}

#[tokio::test]
async fn days_that_cannot_be_are_refused() {
    let bench = parcels().await;
    let service = service_of(&bench);
    for (from, to, places) in [
        ("", "", vec!["from", "to"]),
        ("2026-03-04", "2026-03-02", vec!["to"]),
        ("2000-01-01", "2026-03-02", vec!["to"]),
    ] {
        let refused = service.get_availability(by_li(ask(from, to))).await.unwrap_err();
        assert_eq!(fields(&refused), places);
    }
    for year in ["1995", "9999", "-009999"] {
        let ask = ask(&format!("{year}-01-01"), &format!("{year}-12-31"));
        let beyond = service.get_availability(by_li(ask)).await.unwrap_err();
        assert_eq!(beyond.code(), Code::FailedPrecondition);
        assert_eq!(reason(&beyond), "BEYOND_THE_CALENDAR");
    }
}
