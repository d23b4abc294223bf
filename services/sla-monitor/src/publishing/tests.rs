use contracts::sla::ClockPolicy;
use eventlog::Outcome;

use super::*;
use crate::grpc::testing::{Bench, bench, bench_with, confirm, hours, outage, profile, start};

fn context() -> Context {
    Context {
        actor: "李".into(),
        platform: String::new(),
        causation: "test".into(),
        traceparent: String::new(),
        now: start(),
    }
}

fn everywhere(profile: &str) -> Binding {
    Binding { profile: profile.into(), ..Binding::default() }
}

fn slower() -> ClockPolicy {
    ClockPolicy { committed: hours(3), ..confirm() }
}

async fn bindings(bench: &Bench) -> Bindings {
    bench.log.load(bindings::ID).await.unwrap().state
}

fn refusal<T>(outcome: Result<T, TransactError<Rejection>>) -> Rejection {
    match outcome {
        Err(TransactError::Refused(rejection)) => rejection,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was not refused"),
    }
}

#[tokio::test]
async fn a_retired_profile_is_not_bound_before_it_is_published_again() {
    let bench = bench().await;
    bench.publish(&profile("care", [confirm()])).await;
    retire(&bench.log, &context(), "care", "李").await.unwrap();
    let refused = refusal(bind(&bench.log, &context(), &everywhere("care"), "李").await);
    assert_eq!(refused, profile::Rejection::IsRetired.into());
    publish(&bench.log, &context(), &profile("care", [slower()]), 1, "李").await.unwrap();
    let bound = bind(&bench.log, &context(), &everywhere("care"), "李").await.unwrap();
    assert_eq!(bound.outcome, Outcome::Executed);
    let refused = refusal(retire(&bench.log, &context(), "care", "李").await);
    assert_eq!(refused, profile::Rejection::IsBound.into());
}

#[tokio::test]
async fn a_version_takes_no_name_of_a_clock_that_counts_in_the_same_place() {
    let bench = bench_with([confirm()]).await;
    bench.publish(&profile("devices", [outage()])).await;
    bind(&bench.log, &context(), &everywhere("devices"), "李").await.unwrap();
    let both = profile("devices", [outage(), slower()]);
    let refused = refusal(publish(&bench.log, &context(), &both, 1, "李").await);
    assert_eq!(refused, bindings::Rejection::Overlaps("care".into()).into());
}

/// Whoever comes first, one of the two must be refused: nobody has the other's change in view.
#[tokio::test]
async fn of_two_changes_at_once_that_exclude_each_other_one_is_refused() {
    for round in 0..20 {
        let bench = bench_with([confirm()]).await;
        bench.publish(&profile("devices", [outage()])).await;
        let (log, context) = (&bench.log, context());
        let (devices, both) = (everywhere("devices"), profile("devices", [outage(), slower()]));
        let (bound, published) = tokio::join!(
            bind(log, &context, &devices, "李"),
            publish(log, &context, &both, 1, "王"),
        );
        let fine = [bound.is_ok(), published.is_ok()];
        assert_ne!(fine, [true, true], "round {round}: a name counts twice");
        assert_ne!(fine, [false, false], "round {round}: the first one had every right");

        let elsewhere = Binding { platform: "mall".into(), ..everywhere("devices") };
        let (bound, retired) = tokio::join!(
            bind(log, &context, &elsewhere, "李"),
            retire(log, &context, "devices", "王"),
        );
        let is_bound = bindings(&bench).await.binds("devices");
        let is_retired = retired.is_ok();
        assert!(!(is_bound && is_retired), "round {round}: {bound:?}");
        assert!(is_bound || is_retired, "round {round}: {bound:?}");
    }
}
