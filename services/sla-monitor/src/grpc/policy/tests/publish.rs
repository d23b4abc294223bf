//! Profiles and their versions.

use contracts::sla::Pattern;

use super::*;
use crate::policy::span;

fn get(name: &str, version: u32) -> Request<api::GetProfileRequest> {
    by_us("审计", Role::Auditor, api::GetProfileRequest { name: name.into(), version })
}

fn retire(name: &str) -> Request<api::RetireProfileRequest> {
    by_li(api::RetireProfileRequest { name: name.into() })
}

#[tokio::test]
async fn a_profile_is_published_version_after_version() {
    let bench = bench().await;
    let service = service_of(&bench);
    for (given, seen, version, repeated) in [
        (profile("care", [confirm()]), 0, 1, false),
        (profile("care", [confirm()]), 0, 1, true),
        (profile("care", [slower()]), 1, 2, false),
        (profile("care", [slower()]), 7, 2, true),
        (profile("care", [confirm()]), 2, 3, false),
    ] {
        let reply = service.publish_profile(asked(given.clone(), seen)).await.unwrap().into_inner();
        let published = reply.published.unwrap();
        assert_eq!((published.version, reply.repeated), (version, repeated));
        assert_eq!((published.profile, published.published_by.as_str()), (Some(given), "李"));
    }
    for (wanted, version) in [(0, 3), (1, 1), (2, 2), (3, 3)] {
        let found = service.get_profile(get("care", wanted)).await.unwrap().into_inner().found;
        assert_eq!(found.unwrap().version, version);
    }
    assert_eq!(bench.book.rules().newest("care").unwrap().version, 3);
}

#[tokio::test]
async fn who_has_not_seen_the_newest_version_is_refused() {
    let bench = bench_with([confirm()]).await;
    let service = service_of(&bench);
    for seen in [0, 2, u32::MAX] {
        let slower = profile("care", [slower()]);
        let refused = service.publish_profile(asked(slower, seen)).await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition);
        assert_eq!(reason(&refused), "SEEN_ANOTHER_VERSION");
    }
    let refused = service.publish_profile(asked(profile("new", [outage()]), 1)).await.unwrap_err();
    assert_eq!(reason(&refused), "SEEN_ANOTHER_VERSION");
    assert_eq!(bench.book.rules().newest("care").unwrap().version, 1);
}

#[tokio::test]
async fn events_of_services_to_come_are_told() {
    let bench = bench().await;
    let service = service_of(&bench);
    let mut clock = confirm();
    clock.stop.push(Pattern { event: "emall.aftersales.v1.Closed".into(), ..Pattern::default() });
    clock.stop.push(Pattern { event: "emall.aftersales.v1.Asked".into(), ..Pattern::default() });
    let reply = service.publish_profile(asked(profile("care", [clock]), 0)).await.unwrap();
    assert_eq!(
        reply.into_inner().unbound_events,
        ["emall.aftersales.v1.Asked", "emall.aftersales.v1.Closed"]
    );
}

#[tokio::test]
async fn a_wrong_profile_is_refused_with_every_place_and_leaves_the_running_ones_alone() {
    let bench = bench_with([confirm()]).await;
    let service = service_of(&bench);
    let order = bench.placed("mall", "o-1").await;
    let before = (bench.row(&order.clock_id).await, bench.log.last_position().await.unwrap());
    let mut wrong = profile("care", [slower(), confirm()]);
    wrong.clocks[0].calendar = "9x9".into();
    wrong.clocks[0].stop[0].event = "emall.ordering.v1.Nothing".into();
    wrong.clocks[0].committed.as_mut().unwrap().span.as_mut().unwrap().amount = 0;
    let refused = service.publish_profile(asked(wrong, 1)).await.unwrap_err();
    assert_eq!(
        fields(&refused),
        [
            "profile.clocks[0].calendar",
            "profile.clocks[0].committed.span.amount",
            "profile.clocks[0].stop[0].event",
            "profile.clocks[1].name",
        ]
    );
    let nothing = api::PublishProfileRequest { profile: None, seen_version: 1 };
    let refused = service.publish_profile(by_li(nothing)).await.unwrap_err();
    assert_eq!(fields(&refused), ["profile"]);

    assert_eq!(bench.log.last_position().await.unwrap(), before.1, "nothing was written");
    let applied = api::ApplyProfileRequest { name: "care".into(), dry_run: false };
    let applied = service.apply_profile(by_li(applied)).await.unwrap().into_inner();
    assert_eq!((applied.looked_at, applied.changed, applied.kept), (1, 0, 0));
    assert_eq!(bench.row(&order.clock_id).await, before.0);
    let rules = bench.book.rules();
    assert!(rules.plan("care", 1, "confirm").is_some());
    assert_eq!(rules.version_at("care", start()).unwrap().version, 1);
}

#[tokio::test]
async fn hostile_profiles_are_refused() {
    let bench = bench().await;
    let service = service_of(&bench);
    let huge = "x".repeat(1_000_000);
    for hostile in [
        Profile { name: huge.clone(), ..profile("", [confirm()]) },
        profile(&huge, [ClockPolicy { name: huge.clone(), ..confirm() }]),
        profile("care", vec![ClockPolicy::default(); 10_000]),
        profile("care", [ClockPolicy { subject: vec![huge; 1_000], ..confirm() }]),
        profile("care\u{0}", [confirm()]),
        Profile::default(),
    ] {
        let refused = service.publish_profile(asked(hostile, 0)).await.unwrap_err();
        assert!(!fields(&refused).is_empty());
        assert!(refused.message().len() < 2_000, "what was given is not given back");
    }
    let mut fields = Fields::new();
    assert_eq!(span(&mut fields, &api::Span::default()), None);
}

#[tokio::test]
async fn a_version_does_not_take_the_name_of_a_clock_that_counts_in_the_same_place() {
    let bench = bench_with([confirm()]).await;
    let service = service_of(&bench);
    bench.publish(&profile("devices", [outage()])).await;
    bench.bind("devices", "").await;
    let both = profile("devices", [outage(), confirm()]);
    let refused = service.publish_profile(asked(both.clone(), 1)).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::FailedPrecondition, "PROFILES_OVERLAP")
    );
    let elsewhere = Profile { name: "elsewhere".into(), ..both };
    assert!(service.publish_profile(asked(elsewhere, 0)).await.is_ok(), "it is bound nowhere");
}

#[tokio::test]
async fn a_profile_is_retired_when_it_is_bound_nowhere() {
    let bench = bench_with([confirm()]).await;
    let service = service_of(&bench);
    let refused = service.retire_profile(retire("care")).await.unwrap_err();
    assert_eq!(
        (refused.code(), reason(&refused).as_str()),
        (Code::FailedPrecondition, "PROFILE_IS_BOUND")
    );
    let binding = Some(Binding { profile: "care".into(), ..Binding::default() });
    service.unbind_profile(by_li(api::UnbindProfileRequest { binding })).await.unwrap();
    for repeated in [false, true] {
        let reply = service.retire_profile(retire("care")).await.unwrap().into_inner();
        assert_eq!(reply.repeated, repeated);
        assert!(reply.retired.unwrap().retired_at.is_some());
    }
    let rules = bench.book.rules();
    assert!(rules.version_at("care", start()).is_none(), "no clock starts under it");
    assert!(rules.plan("care", 1, "confirm").is_some(), "those that run keep their rules");
    let back = service.publish_profile(asked(profile("care", [confirm()]), 1)).await.unwrap();
    assert_eq!(back.into_inner().published.unwrap().version, 2);
    assert!(bench.book.rules().version_at("care", start()).is_some());
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let bench = bench_with([confirm()]).await;
    let service = service_of(&bench);
    for (name, version) in [("care", 2), ("nothing", 0), ("nothing", 1)] {
        let unknown = service.get_profile(get(name, version)).await.unwrap_err();
        assert_eq!(
            (unknown.code(), reason(&unknown).as_str()),
            (Code::NotFound, "UNKNOWN_PROFILE")
        );
    }
    let unknown = service.retire_profile(retire("nothing")).await.unwrap_err();
    assert_eq!(reason(&unknown), "UNKNOWN_PROFILE");
    assert_eq!(fields(&service.get_profile(get("a b", 0)).await.unwrap_err()), ["name"]);
    assert_eq!(fields(&service.retire_profile(retire("")).await.unwrap_err()), ["name"]);
}

#[tokio::test]
async fn profiles_are_listed_by_name_with_their_newest_version() {
    let bench = bench_with([confirm()]).await;
    let service = service_of(&bench);
    bench.publish(&profile("alarm", [outage()])).await;
    bench.publish(&profile("care", [slower()])).await;
    let list = by_platform("mall", api::ListProfilesRequest {});
    let listed = service.list_profiles(list).await.unwrap().into_inner().profiles;
    let names: Vec<_> = listed
        .iter()
        .map(|version| (version.profile.as_ref().unwrap().name.as_str(), version.version))
        .collect();
    assert_eq!(names, [("alarm", 1), ("care", 2)]);
}

#[tokio::test]
async fn who_publishes_is_known() {
    let bench = bench().await;
    let service = service_of(&bench);
    let profile = Some(profile("care", [confirm()]));
    let nobody = Request::new(api::PublishProfileRequest { profile, seen_version: 0 });
    let refused = service.publish_profile(nobody).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
}
