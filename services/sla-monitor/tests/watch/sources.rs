//! Certain before declared: what a source may do, and what is said of it.

use eventlog::Clock as _;

use crate::{
    scene::{Then, clock, one_source, placed, profile, settled},
    world::World,
};

const MISSED: [&str; 5] =
    ["ClockStarted", "WarningRaised", "DeadlineBreached", "ConsequenceRaised", "ResultRecorded"];

#[tokio::test(flavor = "multi_thread")]
async fn a_promise_that_is_kept_is_said_to_be_kept() {
    let mut world = World::new(&["ordering"], &one_source()).await;
    world.watch().await;
    let now = world.clock.now();
    world.service("ordering").record("order.o-1", &placed("o-1", now)).await;
    let id = clock("respond", "o-1");
    world.eventually(&id, &["ClockStarted"]).await;
    world.pass(70);
    world.eventually(&id, &["ClockStarted", "WarningRaised"]).await;
    let confirmed = Then::Confirmed.event("o-1", world.clock.now());
    world.service("ordering").record("order.o-1", &confirmed).await;
    let kept = ["ClockStarted", "WarningRaised", "ClockStopped", "ResultRecorded"];
    world.eventually(&id, &kept).await;
    world.pass(10_000);
    world.still(&id, &kept).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promise_that_is_not_kept_is_a_breach_with_all_that_follows() {
    let mut world = World::new(&["ordering"], &one_source()).await;
    world.watch().await;
    let now = world.clock.now();
    world.service("ordering").record("order.o-1", &placed("o-1", now)).await;
    let id = clock("respond", "o-1");
    world.eventually(&id, &["ClockStarted"]).await;
    world.pass(24 * 60);
    let all = [
        "ClockStarted",
        "WarningRaised",
        "DeadlineBreached",
        "ConsequenceRaised",
        "ResultRecorded",
        "BreachEscalated",
        "DeadlineBreached",
        "ResultRecorded",
    ];
    world.eventually(&id, &all).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_recorded_in_time_and_read_late_is_no_breach() {
    let mut world = World::new(&["ordering"], &one_source()).await;
    world.watch().await;
    let now = world.clock.now();
    world.service("ordering").record("order.o-1", &placed("o-1", now)).await;
    let id = clock("respond", "o-1");
    world.eventually(&id, &["ClockStarted"]).await;
    // from here on the bus is behind the log
    world.service("ordering").stop_relaying();
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    world.pass(30);
    let confirmed = Then::Confirmed.event("o-1", world.clock.now());
    world.service("ordering").record("order.o-1", &confirmed).await;
    world.pass(600);
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(world.names(&id).await, ["ClockStarted"]);
    world.service("ordering").relay();
    world.eventually(&id, &["ClockStarted", "ClockStopped", "ResultRecorded"]).await;
    world.pass(600);
    world.still(&id, &["ClockStarted", "ClockStopped", "ResultRecorded"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_source_is_away_a_breach_is_provisional_and_then_withdrawn() {
    let mut world = World::new(&["ordering", "sla"], &profile()).await;
    world.lose_patience();
    world.watch().await;
    let now = world.clock.now();
    world.service("ordering").record("order.o-1", &placed("o-1", now)).await;
    world.pass(1);
    let id = clock("settle", "o-1");
    world.eventually(&id, &["ClockStarted"]).await;
    world.service("sla").stop_answering();
    world.service("sla").stop_relaying();
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    world.pass(30);
    let done = settled("o-1", world.clock.now());
    world.service("sla").record("clock.o-1", &done).await;
    world.pass(600);
    world.eventually(&id, &["ClockStarted", "BreachAnnounced"]).await;
    world.service("sla").relay();
    world.service("sla").answer();
    let settled =
        ["ClockStarted", "BreachAnnounced", "ClockStopped", "BreachWithdrawn", "ResultRecorded"];
    world.eventually(&id, &settled).await;
    world.still(&id, &settled).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_source_is_away_a_breach_is_provisional_and_then_confirmed() {
    let mut world = World::new(&["ordering", "sla"], &profile()).await;
    world.lose_patience();
    world.watch().await;
    let now = world.clock.now();
    world.service("ordering").record("order.o-1", &placed("o-1", now)).await;
    world.pass(1);
    let id = clock("settle", "o-1");
    world.eventually(&id, &["ClockStarted"]).await;
    world.service("sla").stop_answering();
    world.pass(600);
    world.eventually(&id, &["ClockStarted", "BreachAnnounced"]).await;
    world.service("sla").answer();
    let missed = ["ClockStarted", "BreachAnnounced", "DeadlineBreached", "ResultRecorded"];
    world.eventually(&id, &missed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_another_service_cannot_touch_does_not_wait_for_it() {
    let mut world = World::new(&["ordering", "sla"], &profile()).await;
    world.watch().await;
    let now = world.clock.now();
    world.service("ordering").record("order.o-1", &placed("o-1", now)).await;
    world.pass(1);
    let id = clock("respond", "o-1");
    world.eventually(&id, &["ClockStarted"]).await;
    world.service("sla").stop_answering();
    world.pass(130);
    world.eventually(&id, &MISSED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_comes_before_its_cause_is_kept_for_it() {
    let mut world = World::new(&["ordering", "sla"], &profile()).await;
    world.watch().await;
    let now = world.clock.now();
    world.service("sla").record("clock.o-1", &settled("o-1", now)).await;
    world.pass(5);
    let id = clock("settle", "o-1");
    world.eventually(&id, &["FactNoted"]).await;
    // the order was placed before, and is told late
    let told = placed("o-1", now - jiff::SignedDuration::from_mins(10));
    world.service("ordering").record("order.o-1", &told).await;
    world.pass(5);
    world.eventually(&id, &["FactNoted", "ClockStarted", "ClockStopped", "ResultRecorded"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_breaches_nothing_early() {
    let mut world = World::new(&["ordering"], &one_source()).await;
    world.watch().await;
    world.pass(300);
    let now = world.clock.now();
    world.service("ordering").record("order.o-1", &placed("o-1", now)).await;
    let id = clock("respond", "o-1");
    world.eventually(&id, &["ClockStarted"]).await;
    world.pass(-290);
    world.pass(100);
    world.still(&id, &["ClockStarted"]).await;
    world.pass(190 + 119);
    world.eventually(&id, &["ClockStarted", "WarningRaised"]).await;
    world.pass(2);
    world.eventually(&id, &MISSED).await;
}
