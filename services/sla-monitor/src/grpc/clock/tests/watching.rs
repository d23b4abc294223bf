//! Warnings, breaches and what follows, as they come.

use std::time::Duration;

use contracts::sla::{
    WatchClocksRequest, WatchClocksResponse, watch_clocks_response::Announcement,
};
use futures::StreamExt as _;
use tokio::time::timeout;

use super::*;

type Stream = <Clocks as ClockService>::WatchClocksStream;

fn watch(platform: &str, profile: &str, after: Option<u64>) -> WatchClocksRequest {
    WatchClocksRequest { platform: platform.into(), profile: profile.into(), after_position: after }
}

async fn next(stream: &mut Stream) -> Option<WatchClocksResponse> {
    let next = timeout(Duration::from_secs(30), stream.next()).await.expect("it comes soon");
    next.map(Result::unwrap)
}

fn name(answer: &WatchClocksResponse) -> (&'static str, String) {
    let (name, clock) = match answer.announcement.as_ref().unwrap() {
        Announcement::WarningRaised(it) => ("warning", it.clock.as_ref()),
        Announcement::BreachAnnounced(it) => ("announced", it.clock.as_ref()),
        Announcement::DeadlineBreached(it) if it.contractual => ("exposed", it.clock.as_ref()),
        Announcement::DeadlineBreached(it) => ("breach", it.clock.as_ref()),
        Announcement::BreachWithdrawn(it) => ("withdrawn", it.clock.as_ref()),
        Announcement::BreachEscalated(it) => ("step", it.clock.as_ref()),
        Announcement::ConsequenceRaised(it) => ("consequence", it.clock.as_ref()),
        Announcement::PeriodEnded(it) => ("over", it.clock.as_ref()),
        Announcement::Heartbeat(_) => ("heartbeat", None),
    };
    (name, clock.map(|clock| clock.subject[0].value.clone()).unwrap_or_default())
}

/// So many announcements, by what they say and of which case.
async fn told(stream: &mut Stream, count: usize) -> Vec<(&'static str, String)> {
    let mut told = Vec::new();
    while told.len() < count {
        told.push(name(&next(stream).await.unwrap()));
    }
    told
}

fn of(case: &str, names: &[&'static str]) -> Vec<(&'static str, String)> {
    names.iter().map(|&name| (name, case.to_owned())).collect()
}

#[tokio::test]
async fn a_warning_and_a_breach_come_to_whoever_watches() {
    let bench = bench_with([confirm()]).await;
    let service = service_of(&bench);
    let order = bench.placed("mall", "o-1").await;
    let mut stream = service.watch_clocks(by_li(watch("", "", None))).await.unwrap().into_inner();
    bench.advance(&order, "2026-03-02 11:30").await;
    let warning = next(&mut stream).await.unwrap();
    assert_eq!(name(&warning), ("warning", "o-1".into()));
    assert!(warning.position > 0 && warning.recorded_at.is_some());
    bench.advance(&order, "2026-03-02 12:30").await;
    assert_eq!(told(&mut stream, 3).await, of("o-1", &["breach", "consequence", "step"]));
    bench.note(&order, &fact(FactKind::Stop, "2026-03-02 11:45")).await;
    assert_eq!(
        told(&mut stream, 1).await,
        of("o-1", &["withdrawn"]),
        "starts and stops are not told"
    );
}

#[tokio::test]
async fn what_was_announced_and_the_end_of_a_period_come_too() {
    let window = ClockPolicy {
        name: "window".into(),
        kind: api::ClockKind::Period.into(),
        contractual: None,
        consequences: vec![],
        warnings: vec![],
        ..confirm()
    };
    let bench = bench_with([confirm(), window]).await;
    let service = service_of(&bench);
    let order = bench.placed("mall", "o-1").await;
    let right = about("care", "window", ("order_id", "o-2"), "mall");
    bench.note(&right, &fact(FactKind::Start, "2026-03-02 10:00")).await;
    let mut stream = service.watch_clocks(by_li(watch("", "", None))).await.unwrap().into_inner();
    bench.advance(&right, "2026-03-02 12:30").await;
    assert_eq!(told(&mut stream, 1).await, of("o-2", &["over"]));
    let rules = bench.book.rules();
    let plan = rules.plan("care", 1, "confirm").unwrap();
    let call = chassis::testing::call("李", None, Role::Operator);
    let unheard = ["ordering".to_owned()];
    let announce = |clock: &Clock| clock.announce(at("2026-03-02 12:30"), &unheard, &plan);
    bench.log.transact(&order.clock_id, &call.context(start()), announce).await.unwrap();
    assert_eq!(told(&mut stream, 2).await, of("o-1", &["warning", "announced"]));
}

#[tokio::test]
async fn only_what_is_wanted_comes() {
    let bench = bench_with([confirm()]).await;
    let service = service_of(&bench);
    bench.publish(&profile("second", [confirm()])).await;
    let ours = bench.placed("mall", "o-1").await;
    let theirs = bench.placed("other", "o-2").await;
    let second = about("second", "confirm", ("order_id", "o-3"), "mall");
    bench.note(&second, &fact(FactKind::Start, "2026-03-02 10:00")).await;
    let open = async |request| service.watch_clocks(request).await.unwrap().into_inner();
    let mut all = open(by_li(watch("", "", None))).await;
    let mut of_other = open(by_li(watch("other", "", None))).await;
    let mut own = open(by_platform("other", watch("", "", None))).await;
    let mut of_second = open(by_li(watch("", "second", None))).await;
    for clock in [&ours, &theirs, &second] {
        bench.advance(clock, "2026-03-02 11:30").await;
    }
    let three = [("warning", "o-1"), ("warning", "o-2"), ("warning", "o-3")];
    let three: Vec<_> = three.into_iter().map(|(what, case)| (what, case.to_owned())).collect();
    assert_eq!(told(&mut all, 3).await, three);
    assert_eq!(told(&mut of_other, 1).await, of("o-2", &["warning"]));
    assert_eq!(told(&mut own, 1).await, of("o-2", &["warning"]));
    assert_eq!(told(&mut of_second, 1).await, of("o-3", &["warning"]));
    bench.advance(&theirs, "2026-03-02 12:00:01").await;
    assert_eq!(told(&mut own, 1).await, of("o-2", &["breach"]), "nothing of others came between");
}

#[tokio::test]
async fn a_watch_goes_on_from_where_the_last_one_was_cut_off() {
    let bench = bench_with([confirm()]).await;
    let service = service_of(&bench);
    let order = bench.placed("mall", "o-1").await;
    bench.advance(&order, "2026-03-02 12:30").await;
    let all = watch("", "", Some(0));
    let mut stream = service.watch_clocks(by_li(all)).await.unwrap().into_inner();
    let first = next(&mut stream).await.unwrap();
    assert_eq!(name(&first).0, "warning");
    let on = watch("", "", Some(first.position));
    let mut stream = service.watch_clocks(by_li(on)).await.unwrap().into_inner();
    assert_eq!(told(&mut stream, 3).await, of("o-1", &["breach", "consequence", "step"]));
    let beyond = watch("", "", Some(u64::MAX));
    let mut stream = service.watch_clocks(by_li(beyond)).await.unwrap().into_inner();
    bench.advance(&order, "2026-03-02 13:30").await;
    assert_eq!(told(&mut stream, 1).await, of("o-1", &["step"]), "what does not exist yet is now");
}

#[tokio::test]
async fn a_watch_ends_with_the_process() {
    let bench = bench_with([confirm()]).await;
    let service = service_of(&bench);
    let mut stream = service.watch_clocks(by_li(watch("", "", None))).await.unwrap().into_inner();
    service.closing.cancel();
    assert_eq!(next(&mut stream).await, None);
}

#[tokio::test]
async fn a_watch_that_cannot_be_is_refused() {
    let bench = bench_with([confirm()]).await;
    let service = service_of(&bench);
    let wrong = async |request| match service.watch_clocks(request).await {
        Ok(_) => panic!("it is let through"),
        Err(status) => status,
    };
    assert_eq!(fields(&wrong(by_platform("other", watch("mall", "", None))).await), ["platform"]);
    assert_eq!(fields(&wrong(by_li(watch("a b", "c d", None))).await), ["platform", "profile"]);
    let nobody = wrong(Request::new(watch("", "", None))).await;
    assert_eq!(nobody.code(), Code::Unauthenticated);
}

#[tokio::test]
async fn a_quiet_watch_says_that_it_is_alive() {
    let bench = bench_with([confirm()]).await;
    let service = service_of(&bench);
    let mut stream = service.watch_clocks(by_li(watch("", "", None))).await.unwrap().into_inner();
    tokio::time::pause();
    let alive = next(&mut stream).await.unwrap();
    tokio::time::resume();
    assert_eq!(name(&alive).0, "heartbeat");
    assert_eq!(alive.position, bench.log.last_position().await.unwrap());
}
