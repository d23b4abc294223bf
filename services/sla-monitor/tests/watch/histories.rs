//! Random histories, with the watch killed and started, sources that lag, facts that are told late,
//! told twice, told in another order, and clocks that jump: the end is that of the model and of the
//! oracle, event for event.

use std::{collections::BTreeMap, time::Duration};

use contracts::sla::clock_event::Event;
use eventlog::Clock as _;
use jiff::SignedDuration;
use tokio::time::Instant;

use crate::{
    model::{expected, history, is_late},
    scene::{Then, clock, placed, profile, settled},
    world::{World, short},
};

/// A small generator of its own: a seed tells the whole history.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }

    fn minutes(&mut self, bound: u64) -> SignedDuration {
        SignedDuration::from_mins(i64::try_from(self.below(bound)).unwrap())
    }
}

async fn live_through(seed: u64) {
    let mut world = World::new(&["ordering", "sla"], &profile()).await;
    world.watch().await;
    let (mut dice, mut orders) = (Dice(seed), 0_u64);
    for _ in 0..80 {
        let now = world.clock.now();
        let order = format!("o-{}", if orders == 0 { 0 } else { dice.below(orders) });
        match dice.below(16) {
            0..=2 => {
                let order = format!("o-{orders}");
                orders += 1;
                // some are told late
                let at =
                    now - if dice.below(3) == 0 { dice.minutes(90) } else { SignedDuration::ZERO };
                world
                    .service("ordering")
                    .record(&format!("order.{order}"), &placed(&order, at))
                    .await;
            }
            3..=7 if orders > 0 => {
                let then = Then::ALL[usize::try_from(dice.below(6)).unwrap()];
                let at =
                    now - if dice.below(3) == 0 { dice.minutes(60) } else { SignedDuration::ZERO };
                let event = then.event(&order, at);
                world.service("ordering").record(&format!("order.{order}"), &event).await;
                if dice.below(4) == 0 {
                    // told twice
                    world.service("ordering").record(&format!("order.{order}"), &event).await;
                }
            }
            8 if orders > 0 => {
                let at = now - dice.minutes(60);
                world.service("sla").record(&format!("clock.{order}"), &settled(&order, at)).await;
            }
            9 => world.watch().await,
            10 => world.leave().await,
            11 => {
                let lagging = if dice.below(2) == 0 { "sla" } else { "ordering" };
                world.service(lagging).stop_relaying();
            }
            12 => {
                world.service("sla").relay();
                world.service("ordering").relay();
            }
            13 => {
                // a clock that is set back, and right again
                world.pass(-20);
                tokio::time::sleep(Duration::from_millis(2)).await;
                world.pass(20);
            }
            _ => world.pass(i64::try_from(dice.below(50)).unwrap()),
        }
    }
    world.service("sla").relay();
    world.service("ordering").relay();
    world.pass(1_000);
    world.watch().await;

    let (now, rules) = (world.clock.now(), world.book.rules());
    let history = history(&world).await;
    let expected = expected(&history, &rules, now);
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let mut said = BTreeMap::new();
        for id in expected.keys() {
            said.insert(id.clone(), world.said(id).await);
        }
        if said == expected {
            break;
        }
        let names = |all: &BTreeMap<String, Vec<Event>>| -> Vec<Vec<&str>> {
            use contracts::Event as _;
            all.values()
                .map(|said| said.iter().map(|event| short(event.type_name())).collect())
                .collect()
        };
        assert!(
            Instant::now() < end,
            "seed {seed}: it said\n{:#?}\nnot\n{:#?}",
            names(&said),
            names(&expected)
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for order in 0..orders {
        let order = format!("o-{order}");
        let Some(late) = is_late(&history, &order, now) else { continue };
        let row = world.log.get_row("clock", &clock("respond", &order)).await.unwrap().unwrap();
        let row = <contracts::sla::Clock as prost::Message>::decode(row.body).unwrap();
        let breach = row.committed.as_ref().unwrap().breach();
        let said = breach == contracts::sla::BreachState::Declared;
        assert_eq!(said, late, "seed {seed}, order {order}: {row:#?}");
        assert_eq!(row.cycles_breached, u32::from(late), "seed {seed}, order {order}: {row:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_random_history_ends_as_the_model_and_the_oracle_say() {
    for seed in 0..4 {
        live_through(seed).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_random_history_ends_as_the_model_and_the_oracle_say() {
    for seed in 100..104 {
        live_through(seed).await;
    }
}
