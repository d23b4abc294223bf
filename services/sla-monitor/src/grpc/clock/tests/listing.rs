//! Clocks one by one and in lists.

use super::*;

fn list() -> api::ListClocksRequest {
    api::ListClocksRequest::default()
}

/// Cases on all pages, in their order.
async fn pages(service: &Clocks, request: Request<api::ListClocksRequest>) -> Vec<String> {
    let (metadata, extensions, mut message) = request.into_parts();
    let mut cases = Vec::new();
    loop {
        let request = Request::from_parts(metadata.clone(), extensions.clone(), message.clone());
        let page = service.list_clocks(request).await.unwrap().into_inner();
        if message.page_size > 0 {
            assert!(page.clocks.len() <= message.page_size as usize);
        }
        cases.extend(page.clocks.into_iter().map(|clock| clock.subject[0].value.clone()));
        if page.next_page_token.is_empty() {
            return cases;
        }
        message.page_token = page.next_page_token;
    }
}

/// Seven orders, a minute apart: o-0 to o-3 of `mall`, o-4 and o-5 of `other`, o-6 of nobody. Then
/// o-1 is done, o-2 is halted, o-0 and o-4 are late; a parcel of `mall` stands still.
async fn orders() -> Bench {
    let bench = bench_with([confirm(), outage()]).await;
    let mut orders = Vec::new();
    for (number, platform) in
        ["mall", "mall", "mall", "mall", "other", "other", ""].iter().enumerate()
    {
        orders.push(bench.placed(platform, &format!("o-{number}")).await);
        bench.clock.advance(SignedDuration::from_mins(1));
    }
    bench.note(&orders[1], &fact(FactKind::Stop, "2026-03-02 11:00")).await;
    let asked = Fact { holder: Party::User.into(), ..fact(FactKind::Pause, "2026-03-02 11:00") };
    bench.note(&orders[2], &asked).await;
    for late in [0, 4] {
        bench.advance(&orders[late], "2026-03-02 12:30").await;
    }
    let parcel = about("care", "outage", ("shipment_id", "s-1"), "mall");
    bench.note(&parcel, &fact(FactKind::Start, "2026-03-02 10:00")).await;
    bench
}

#[tokio::test]
async fn a_clock_is_read_by_its_id() {
    let bench = bench_with([confirm()]).await;
    let service = service_of(&bench);
    let order = bench.placed("mall", "o-1").await;
    for request in [
        by_platform("mall", get(&order.clock_id)),
        by_us("审计", Role::Auditor, get(&order.clock_id)),
    ] {
        let clock = service.get_clock(request).await.unwrap().into_inner().clock.unwrap();
        assert_eq!(clock.clock_id, order.clock_id);
        assert_eq!((clock.profile.as_str(), clock.profile_version), ("care", 1));
        assert_eq!((clock.state(), clock.holder()), (ClockState::Running, Party::Supplier));
        assert_eq!(due(&clock), Some(at("2026-03-02 12:00")));
        assert_eq!(clock.facts.len(), 1);
    }
}

#[tokio::test]
async fn another_platform_sees_nothing() {
    let bench = orders().await;
    let service = service_of(&bench);
    let ids = ["o-0", "o-6", "o-9"]
        .map(|order| about("care", "confirm", ("order_id", order), "").clock_id);
    for id in &ids {
        let read = service.get_clock(by_platform("foreign", get(id))).await;
        refused(read, Code::NotFound, "UNKNOWN_CLOCK");
        let explained = api::ExplainClockRequest { clock_id: id.clone() };
        let explained = service.explain_clock(by_platform("foreign", explained)).await;
        refused(explained, Code::NotFound, "UNKNOWN_CLOCK");
    }
    assert!(pages(&service, by_platform("foreign", list())).await.is_empty());
    let of_case = api::ListClocksRequest { subject: "o-0".into(), ..list() };
    assert!(pages(&service, by_platform("foreign", of_case)).await.is_empty());
    let named = api::ListClocksRequest { platform: "mall".into(), ..list() };
    let foreign = service.list_clocks(by_platform("foreign", named)).await.unwrap_err();
    assert_eq!(fields(&foreign), ["platform"]);
}

#[tokio::test]
async fn what_is_no_id_is_refused_and_what_is_not_there_is_not_found() {
    let bench = bench_with([confirm()]).await;
    let service = service_of(&bench);
    for id in ["", "a b", "\u{0}", &"x".repeat(100_000)] {
        assert_eq!(fields(&service.get_clock(by_li(get(id))).await.unwrap_err()), ["clock_id"]);
    }
    refused(service.get_clock(by_li(get("nothing"))).await, Code::NotFound, "UNKNOWN_CLOCK");
    let nobody = service.get_clock(Request::new(get("nothing"))).await.unwrap_err();
    assert_eq!(nobody.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn facts_that_came_before_the_start_are_no_clock_yet() {
    let mut clock = confirm();
    // events of two services meet in it
    clock.cancel.push(contracts::sla::Pattern {
        event: "emall.sla.v1.ProfileRetired".into(),
        subject: vec!["name".into()],
        ..Default::default()
    });
    let bench = bench_with([clock]).await;
    let service = service_of(&bench);
    let order = about("care", "confirm", ("order_id", "o-1"), "mall");
    bench.note(&order, &fact(FactKind::Stop, "2026-03-02 09:00")).await;
    refused(service.get_clock(by_li(get(&order.clock_id))).await, Code::NotFound, "UNKNOWN_CLOCK");
    let explain = api::ExplainClockRequest { clock_id: order.clock_id.clone() };
    refused(service.explain_clock(by_li(explain)).await, Code::NotFound, "UNKNOWN_CLOCK");
    assert!(pages(&service, by_li(list())).await.is_empty());
    let of_case = api::ListClocksRequest { subject: "o-1".into(), ..list() };
    assert!(pages(&service, by_li(of_case)).await.is_empty());
}

#[tokio::test]
async fn clocks_are_listed_by_due_time_and_what_is_not_due_comes_last() {
    let bench = orders().await;
    let service = service_of(&bench);
    let all = pages(&service, by_li(list())).await;
    assert_eq!(all[..6], ["o-0", "o-1", "o-3", "o-4", "o-5", "o-6"]);
    let mut last = all[6..].to_vec();
    last.sort();
    assert_eq!(last, ["o-2", "s-1"]);
    let open = api::ListClocksRequest { filter: ClockFilter::Open.into(), ..list() };
    let open = pages(&service, by_li(open)).await;
    assert_eq!(open[..5], ["o-0", "o-3", "o-4", "o-5", "o-6"]);
    assert_eq!(open.len(), 7);
    let breached = api::ListClocksRequest { filter: ClockFilter::Breached.into(), ..list() };
    assert_eq!(pages(&service, by_li(breached)).await, ["o-0", "o-4"]);
}

#[tokio::test]
async fn lists_are_limited_to_a_platform_and_a_profile() {
    let bench = orders().await;
    let service = service_of(&bench);
    bench.publish(&profile("second", [confirm()])).await;
    let other = about("second", "confirm", ("order_id", "o-7"), "mall");
    bench.note(&other, &fact(FactKind::Start, "2026-03-02 11:00")).await;
    let of = |platform: &str, profile: &str, filter: ClockFilter| api::ListClocksRequest {
        platform: platform.into(),
        profile: profile.into(),
        filter: filter.into(),
        ..list()
    };
    for (platform, profile, filter, expected) in [
        ("other", "", ClockFilter::Unspecified, vec!["o-4", "o-5"]),
        ("other", "", ClockFilter::Breached, vec!["o-4"]),
        ("mall", "second", ClockFilter::Open, vec!["o-7"]),
        ("", "second", ClockFilter::Unspecified, vec!["o-7"]),
        ("mall", "care", ClockFilter::Breached, vec!["o-0"]),
        ("nowhere", "", ClockFilter::Unspecified, vec![]),
        ("", "nothing", ClockFilter::Unspecified, vec![]),
    ] {
        let found = pages(&service, by_li(of(platform, profile, filter))).await;
        assert_eq!(found, expected, "{platform} {profile} {filter:?}");
    }
    let own = pages(&service, by_platform("other", of("", "", ClockFilter::Open))).await;
    assert_eq!(own, ["o-4", "o-5"]);
}

#[tokio::test]
async fn lists_come_page_by_page() {
    let bench = orders().await;
    let service = service_of(&bench);
    let whole = pages(&service, by_li(list())).await;
    assert_eq!(whole.len(), 8);
    for page_size in [1, 3, 7, 8, 500] {
        let paged = api::ListClocksRequest { page_size, ..list() };
        assert_eq!(pages(&service, by_li(paged)).await, whole, "{page_size}");
    }
}

#[tokio::test]
async fn the_clocks_of_a_case_are_found_by_any_part_of_it() {
    let two_parts = ClockPolicy {
        name: "arrive".into(),
        subject: vec!["order_id".into(), "shipment_id".into()],
        start: vec![crate::grpc::testing::pattern("ShipmentDispatched", "dispatched_at")],
        stop: vec![crate::grpc::testing::pattern("ShipmentArrived", "arrived_at")],
        pause: vec![],
        resume: vec![],
        cancel: vec![],
        extend: vec![],
        exempt: vec![],
        exempt_end: vec![],
        ..confirm()
    };
    let bench = bench_with([confirm(), two_parts]).await;
    let service = service_of(&bench);
    bench.placed("mall", "o-1").await;
    bench.placed("mall", "o-10").await;
    let mut parcel = about("care", "arrive", ("order_id", "o-1"), "mall");
    parcel.subject.push(api::SubjectPart { name: "shipment_id".into(), value: "s-1".into() });
    bench.note(&parcel, &fact(FactKind::Start, "2026-03-02 10:00")).await;
    let of = |subject: &str| api::ListClocksRequest { subject: subject.into(), ..list() };
    for (subject, count) in [("o-1", 2), ("s-1", 1), ("o-10", 1), ("o-", 0), ("o", 0), ("o-1\\", 0)]
    {
        assert_eq!(pages(&service, by_li(of(subject))).await.len(), count, "{subject}");
        assert_eq!(pages(&service, by_platform("mall", of(subject))).await.len(), count);
        assert!(pages(&service, by_platform("other", of(subject))).await.is_empty());
    }
    let of_other = api::ListClocksRequest { platform: "other".into(), ..of("o-1") };
    assert!(pages(&service, by_li(of_other)).await.is_empty());
}

#[tokio::test]
async fn a_list_names_the_place_that_is_wrong() {
    let bench = bench_with([confirm()]).await;
    let service = service_of(&bench);
    for (wrong, places) in [
        (api::ListClocksRequest { filter: 3, ..list() }, vec!["filter"]),
        (api::ListClocksRequest { filter: -1, ..list() }, vec!["filter"]),
        (api::ListClocksRequest { platform: "a b".into(), ..list() }, vec!["platform"]),
        (api::ListClocksRequest { profile: "a b".into(), ..list() }, vec!["profile"]),
        (api::ListClocksRequest { subject: "x".repeat(201), ..list() }, vec!["subject"]),
        (api::ListClocksRequest { subject: "a\u{1f}".into(), ..list() }, vec!["subject"]),
        (api::ListClocksRequest { page_size: 501, ..list() }, vec!["page_size"]),
        (api::ListClocksRequest { page_token: "zz".into(), ..list() }, vec!["page_token"]),
        (api::ListClocksRequest { page_token: "\u{0}".into(), ..list() }, vec!["page_token"]),
        (
            api::ListClocksRequest { subject: "o-1".into(), profile: "care".into(), ..list() },
            vec!["subject"],
        ),
        (api::ListClocksRequest { subject: "o-1".into(), filter: 1, ..list() }, vec!["subject"]),
        (
            api::ListClocksRequest { filter: 9, page_size: 999, platform: "*".into(), ..list() },
            vec!["filter", "page_size", "platform"],
        ),
    ] {
        assert_eq!(fields(&service.list_clocks(by_li(wrong)).await.unwrap_err()), places);
    }
}
