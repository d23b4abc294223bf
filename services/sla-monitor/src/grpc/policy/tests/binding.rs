//! What counts where.

use std::{sync::Arc, time::Duration};

use super::*;

fn place(platform: &str, contract_id: &str, profile: &str) -> Binding {
    Binding { platform: platform.into(), contract_id: contract_id.into(), profile: profile.into() }
}

fn bind(binding: Binding) -> Request<api::BindProfileRequest> {
    by_li(api::BindProfileRequest { binding: Some(binding) })
}

fn unbind(binding: Binding) -> Request<api::UnbindProfileRequest> {
    by_li(api::UnbindProfileRequest { binding: Some(binding) })
}

async fn listed(service: &Policies) -> Vec<Binding> {
    let list = by_us("审计", Role::Auditor, api::ListBindingsRequest {});
    service.list_bindings(list).await.unwrap().into_inner().bindings
}

#[tokio::test]
async fn a_profile_is_bound_and_unbound_once() {
    let bench = bench().await;
    let service = service_of(&bench);
    assert!(listed(&service).await.is_empty());
    bench.publish(&profile("care", [confirm()])).await;
    for repeated in [false, true] {
        let reply = service.bind_profile(bind(place("mall", "", "care"))).await.unwrap();
        assert_eq!(reply.into_inner().repeated, repeated);
    }
    assert_eq!(bench.book.rules().bound("mall", "k-1", start()), ["care"].into());
    assert!(bench.book.rules().bound("other", "", start()).is_empty());
    for repeated in [false, true] {
        let reply = service.unbind_profile(unbind(place("mall", "", "care"))).await.unwrap();
        assert_eq!(reply.into_inner().repeated, repeated);
    }
    assert!(bench.book.rules().bound("mall", "k-1", start()).is_empty());
    assert!(listed(&service).await.is_empty());
}

#[tokio::test]
async fn what_counts_is_listed_by_platform_and_contract() {
    let bench = bench().await;
    let service = service_of(&bench);
    bench.publish(&profile("care", [confirm()])).await;
    let places = [("mall", "k-2"), ("", ""), ("mall", ""), ("big", ""), ("mall", "k-1")];
    for (platform, contract) in places {
        service.bind_profile(bind(place(platform, contract, "care"))).await.unwrap();
    }
    service.unbind_profile(unbind(place("big", "", "care"))).await.unwrap();
    let listed = listed(&service).await;
    let told: Vec<_> =
        listed.iter().map(|it| (it.platform.as_str(), it.contract_id.as_str())).collect();
    assert_eq!(told, [("", ""), ("mall", ""), ("mall", "k-1"), ("mall", "k-2")]);
}

#[tokio::test]
async fn the_nearest_place_counts() {
    let bench = bench_with([confirm()]).await;
    let service = service_of(&bench);
    bench.publish(&profile("mall", [slower()])).await;
    bench.publish(&profile("contract", [slower()])).await;
    service.bind_profile(bind(place("mall", "", "mall"))).await.unwrap();
    service.bind_profile(bind(place("mall", "k-1", "contract"))).await.unwrap();
    let rules = bench.book.rules();
    for (platform, contract, profile) in [
        ("mall", "k-1", "contract"),
        ("mall", "k-2", "mall"),
        ("big", "k-1", "care"),
        ("", "", "care"),
    ] {
        assert_eq!(rules.bound(platform, contract, start()), [profile].into());
    }
}

#[tokio::test]
async fn two_profiles_with_a_clock_of_one_name_do_not_count_in_one_place() {
    let bench = bench_with([confirm()]).await;
    let service = service_of(&bench);
    bench.publish(&profile("rival", [slower()])).await;
    bench.publish(&profile("devices", [outage()])).await;
    let refused = service.bind_profile(bind(place("", "", "rival"))).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert_eq!(reason(&refused), "PROFILES_OVERLAP");
    assert!(refused.message().contains("care"), "it is said which one: {}", refused.message());
    service.bind_profile(bind(place("", "", "devices"))).await.unwrap();
    service.bind_profile(bind(place("mall", "", "rival"))).await.unwrap();
    service.unbind_profile(unbind(place("", "", "care"))).await.unwrap();
    service.bind_profile(bind(place("", "", "rival"))).await.unwrap();
}

#[tokio::test]
async fn a_binding_names_the_place_that_is_wrong() {
    let bench = bench_with([confirm()]).await;
    let service = service_of(&bench);
    for (wrong, expected) in [
        (place("", "k-1", "care"), vec!["binding.platform"]),
        (place("a b", "", "care"), vec!["binding.platform"]),
        (place("mall", "k 1", "care"), vec!["binding.contract_id"]),
        (place("mall", "", "nothing"), vec!["binding.profile"]),
        (place("mall", "", ""), vec!["binding.profile"]),
        (
            place("*", "\u{0}", &"p".repeat(100_000)),
            vec!["binding.contract_id", "binding.platform", "binding.profile"],
        ),
    ] {
        assert_eq!(fields(&service.bind_profile(bind(wrong.clone())).await.unwrap_err()), expected);
        assert_eq!(fields(&service.unbind_profile(unbind(wrong)).await.unwrap_err()), expected);
    }
    let nothing = api::BindProfileRequest { binding: None };
    assert_eq!(fields(&service.bind_profile(by_li(nothing)).await.unwrap_err()), ["binding"]);
    let nobody = Request::new(api::BindProfileRequest { binding: Some(place("", "", "care")) });
    assert_eq!(service.bind_profile(nobody).await.unwrap_err().code(), Code::Unauthenticated);
}

#[tokio::test]
async fn rules_that_were_read_earlier_never_replace_those_that_were_read_later() {
    let bench = bench_with([confirm()]).await;
    bench.publish(&profile("mine", [confirm()])).await;
    let context = by_li(()).extensions().get::<Arc<Call>>().unwrap().context(start());
    // wherever the one that began earlier stands when something is bound
    for steps in 1..=6 {
        let mut earlier = Box::pin(bench.book.reload());
        let mut read = false;
        for _ in 0..steps {
            read = read || futures::poll!(&mut earlier).is_ready();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let platform = format!("mall-{steps}");
        publishing::bind(&bench.log, &context, &place(&platform, "", "mine"), "李").await.unwrap();
        let mut later = Box::pin(bench.book.reload());
        let waited = tokio::time::timeout(Duration::from_millis(100), &mut later).await;
        let earlier = async {
            if !read {
                earlier.await.unwrap();
            }
        };
        let later = async {
            match waited {
                Ok(read) => read.unwrap(),
                Err(_) => later.await.unwrap(),
            }
        };
        tokio::join!(earlier, later);
        assert_eq!(bench.book.rules().bound(&platform, "", start()), ["mine"].into(), "{steps}");
    }
}
