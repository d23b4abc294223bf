//! A new version, and the clocks that run under the one before.

use contracts::sla::BreachState;

use super::*;
use crate::grpc::testing::{about, fact};

fn apply(dry_run: bool) -> Request<api::ApplyProfileRequest> {
    by_li(api::ApplyProfileRequest { name: "care".into(), dry_run })
}

async fn counts(service: &Policies, dry_run: bool) -> [u64; 3] {
    let done = service.apply_profile(apply(dry_run)).await.unwrap().into_inner();
    [done.looked_at, done.changed, done.kept]
}

/// Two orders and a parcel that stands still, all under version 1.
async fn running() -> (Bench, Policies, [String; 3]) {
    let bench = bench_with([confirm(), outage()]).await;
    let first = bench.placed("mall", "o-1").await;
    let second = bench.placed("other", "o-2").await;
    let parcel = about("care", "outage", ("shipment_id", "s-1"), "mall");
    bench.note(&parcel, &fact(api::FactKind::Start, "2026-03-02 10:00")).await;
    let service = service_of(&bench);
    (bench, service, [first.clock_id, second.clock_id, parcel.clock_id])
}

#[tokio::test]
async fn clocks_keep_the_version_of_their_start_until_the_next_one_is_applied() {
    let (bench, service, [first, second, parcel]) = running().await;
    assert_eq!(counts(&service, false).await, [3, 0, 0], "there is nothing new");
    bench.publish(&profile("care", [slower()])).await;
    assert_eq!(due(&bench, &first).await, "2026-03-02 12:00");

    assert_eq!(counts(&service, true).await, [3, 2, 1]);
    assert_eq!(due(&bench, &first).await, "2026-03-02 12:00", "it was only asked");
    assert_eq!(told(&bench, &first).await, ["ClockStarted"]);

    assert_eq!(counts(&service, false).await, [3, 2, 1]);
    for order in [&first, &second] {
        assert_eq!(due(&bench, order).await, "2026-03-02 13:00");
        assert_eq!(told(&bench, order).await, ["ClockStarted", "ClockReplanned"]);
        assert_eq!(bench.row(order).await.unwrap().profile_version, 2);
    }
    let kept = bench.row(&parcel).await.unwrap();
    assert_eq!((kept.profile_version, told(&bench, &parcel).await.len()), (1, 1));

    for dry_run in [true, false] {
        assert_eq!(counts(&service, dry_run).await, [3, 0, 1], "a repeat changes nothing");
    }
    assert_eq!(told(&bench, &first).await.len(), 2);
}

#[tokio::test]
async fn only_open_clocks_of_the_profile_are_looked_at() {
    let (bench, service, [first, ..]) = running().await;
    let ended = about("care", "confirm", ("order_id", "o-1"), "mall");
    bench.note(&ended, &fact(api::FactKind::Stop, "2026-03-02 10:30")).await;
    bench.publish(&profile("elsewhere", [confirm()])).await;
    let other = about("elsewhere", "confirm", ("order_id", "o-1"), "mall");
    bench.note(&other, &fact(api::FactKind::Start, "2026-03-02 10:00")).await;
    bench.publish(&profile("care", [slower(), outage()])).await;
    assert_eq!(counts(&service, false).await, [2, 2, 0]);
    assert_eq!(bench.row(&first).await.unwrap().profile_version, 1);
    assert_eq!(bench.row(&other.clock_id).await.unwrap().profile_version, 1);
}

#[tokio::test]
async fn a_breach_that_the_new_rules_undo_is_withdrawn_and_one_that_they_make_is_said_later() {
    let (bench, service, [first, ..]) = running().await;
    let order = about("care", "confirm", ("order_id", "o-1"), "mall");
    bench.advance(&order, "2026-03-02 12:30").await;
    let breach = async || bench.row(&first).await.unwrap().committed.unwrap().breach();
    assert_eq!(breach().await, BreachState::Declared);
    bench.publish(&profile("care", [slower(), outage()])).await;
    service.apply_profile(apply(false)).await.unwrap();
    assert_eq!(breach().await, BreachState::Withdrawn);
    let faster = ClockPolicy { committed: hours(1), ..confirm() };
    bench.publish(&profile("care", [faster, outage()])).await;
    service.apply_profile(apply(false)).await.unwrap();
    bench.advance(&order, "2026-03-02 12:40").await;
    assert_eq!(breach().await, BreachState::Declared);
    assert_eq!(bench.row(&first).await.unwrap().cycles_breached, 1);
}

#[tokio::test]
async fn hundreds_of_clocks_are_planned_page_by_page() {
    let bench = bench_with([confirm()]).await;
    let service = service_of(&bench);
    for number in 0..520 {
        bench.placed("mall", &format!("o-{number}")).await;
    }
    bench.publish(&profile("care", [slower()])).await;
    assert_eq!(counts(&service, true).await, [520, 520, 0]);
    assert_eq!(counts(&service, false).await, [520, 520, 0]);
    assert_eq!(counts(&service, false).await, [520, 0, 0]);
}

#[tokio::test]
async fn a_profile_that_is_not_there_cannot_be_applied() {
    let bench = bench_with([confirm()]).await;
    let service = service_of(&bench);
    let of = |name: &str| by_li(api::ApplyProfileRequest { name: name.into(), dry_run: true });
    let unknown = service.apply_profile(of("nothing")).await.unwrap_err();
    assert_eq!((unknown.code(), reason(&unknown).as_str()), (Code::NotFound, "UNKNOWN_PROFILE"));
    assert_eq!(fields(&service.apply_profile(of("a b")).await.unwrap_err()), ["name"]);
}
