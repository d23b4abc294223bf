//! Crashes between any two steps of the relay and of a reaction: the result is the one without.
//!
//! A crash is a panic at a failpoint, which ends the task with whatever it had in memory.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "../bus/support.rs"]
mod support;

use eventlog::bus::RelayError;
use fail::FailScenario;
use support::*;

/// Events in flight at most: so few that a relay hears of no more than these at once, and a step
/// is passed often enough to crash at, however fast the server answers.
const WINDOW: u64 = 4;

fn start_relay(world: &World) -> Running<Result<(), RelayError>> {
    let mut relay = world.relay();
    relay.window = WINDOW;
    Running::start(|shutdown| relay.run(shutdown))
}

/// Runs a task again whenever it has crashed, until its work is done; tells how often it crashed.
/// A task that has done its work may still crash on its way out: that counts as well.
async fn crashes_until<E: std::fmt::Debug>(
    mut start: impl FnMut() -> Running<Result<(), E>>,
    mut done: impl AsyncFnMut(),
) -> usize {
    let mut crashes = 0;
    loop {
        let mut running = start();
        tokio::select! {
            biased;
            () = done() => running.shutdown.cancel(),
            ended = &mut running.task => {
                assert!(ended.is_err_and(|error| error.is_panic()));
                crashes += 1;
                continue;
            }
        }
        match soon("the task ends", running.task).await {
            Ok(ended) => {
                ended.unwrap();
                return crashes;
            }
            Err(error) => {
                assert!(error.is_panic());
                crashes += 1;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_crashes_at_any_step_changes_nothing() {
    let scenario = FailScenario::setup();
    for step in ["relay::before-publish", "relay::after-publish", "relay::after-ack"] {
        for after in [0, 1, 7, 40] {
            let world = World::new().await;
            world.add(400).await;
            fail::cfg(step, &format!("{after}*off->1*panic->{after}*off->1*panic->off")).unwrap();
            let crashes =
                crashes_until(|| start_relay(&world), async || world.until_published().await).await;
            fail::remove(step);
            assert_eq!(crashes, 2, "{step} after {after}");
            let compared = world.compared().await;
            assert!(compared.is_equal() && compared.same == 400, "{step}: {compared:?}");
        }
    }
    scenario.teardown();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_crashes_while_the_server_does_changes_nothing() {
    let scenario = FailScenario::setup();
    let mut world = World::new().await;
    world.add(500).await;
    for step in ["relay::before-publish", "relay::after-publish", "relay::after-ack"] {
        world.add(100).await;
        fail::cfg(step, "2*off->1*panic->off").unwrap();
        let relay = start_relay(&world);
        let crashed = soon("the relay crashes", relay.task).await;
        assert!(crashed.is_err_and(|error| error.is_panic()));
        fail::remove(step);
        world.server.restart().await.unwrap();
    }
    crashes_until(|| start_relay(&world), async || world.until_published().await).await;
    let compared = world.compared().await;
    assert!(compared.is_equal() && compared.same == 800, "{compared:?}");
    scenario.teardown();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reaction_that_crashes_at_any_step_changes_nothing() {
    let scenario = FailScenario::setup();
    for step in ["react::before", "react::before-commit", "react::after-commit"] {
        for after in [0, 1, 3, 9] {
            let world = World::new().await;
            let target = Target::new(&world).await;
            let relay = world.start_relay();
            world.add(100).await;
            world.until_published().await;
            fail::cfg(step, &format!("{after}*off->1*panic->1*off->1*panic->off")).unwrap();
            let crashes = crashes_until(
                || target.start(&world, Count),
                async || target.until_read(100).await,
            )
            .await;
            fail::remove(step);
            match step {
                "react::before" => assert_eq!(crashes, 2, "{step} after {after}"),
                // commits take in many events at a time: how many, the reader's speed decides
                _ if after == 0 => assert!(crashes > 0, "{step} was not reached"),
                _ => {}
            }
            relay.stop().await.unwrap();
            assert_eq!(target.result().await, expected(&world.log).await, "{step} after {after}");
        }
    }
    scenario.teardown();
}
