//! What the watch should end in: the whole history told to clocks in memory, in one order, by the
//! rules alone; and for each order, whether its answer was late, found naïvely.

use std::collections::BTreeMap;

use contracts::{Event as _, ordering::order_event, sla::clock_event};
use decider::Aggregate as _;
use eventlog::{RecordedEvent, time::from_proto};
use jiff::{SignedDuration, Timestamp};
use sla_monitor::{clock::Clock, hear::Opened, rules::Rules};

use crate::world::World;

/// The events of all sources, in the order in which they were recorded.
pub(crate) async fn history(world: &World) -> Vec<(String, RecordedEvent)> {
    let mut all = Vec::new();
    for (name, service) in &world.services {
        for event in service.log.read_after(0, 100_000).await.unwrap() {
            all.push((
                format!("{}/{}", name.to_ascii_uppercase(), event.position),
                (*event).clone(),
            ));
        }
    }
    all.sort_by_key(|(id, event)| {
        let at = event.recorded_at.as_ref().and_then(from_proto);
        (at, id.split('/').next().unwrap().to_owned(), event.position)
    });
    all
}

/// What every clock says in the end.
pub(crate) fn expected(
    history: &[(String, RecordedEvent)],
    rules: &Rules,
    now: Timestamp,
) -> BTreeMap<String, Vec<clock_event::Event>> {
    let mut clocks: BTreeMap<String, (Clock, Vec<clock_event::Event>)> = BTreeMap::new();
    for (id, event) in history {
        let Some(opened) = Opened::open(id, event, rules) else { continue };
        for heard in opened.hear(rules) {
            for told in &heard.clocks {
                let (clock, said) = clocks.entry(told.about.clock_id.clone()).or_default();
                let events = opened.decide(clock, told, rules, opened.recorded_at()).unwrap();
                *clock = events.iter().fold(std::mem::take(clock), Clock::evolve);
                said.extend(events);
            }
        }
    }
    for (clock, said) in clocks.values_mut() {
        let Some((profile, version, name)) = clock.pinned() else { continue };
        let plan = rules.plan(profile, version, name).unwrap();
        said.extend(clock.advance(now, &plan).unwrap());
    }
    clocks.retain(|_, (_, said)| !said.is_empty());
    clocks.into_iter().map(|(id, (_, said))| (id, said)).collect()
}

/// Whether the answer to an order was late by the rules in words: two hours from when it was placed,
/// without the time for which the user decided or force majeure ruled, until confirmed or cancelled.
/// Walks minute by minute over everything that is known of the order in the end.
pub(crate) fn is_late(
    history: &[(String, RecordedEvent)],
    order: &str,
    now: Timestamp,
) -> Option<bool> {
    let mut facts: Vec<(Timestamp, u8, order_event::Event)> = Vec::new();
    for (_, event) in history {
        if event.stream != format!("order.{order}") {
            continue;
        }
        let Ok(event) = order_event::Event::decode_body(&event.r#type, &event.body) else {
            continue;
        };
        let (at, rank) = match &event {
            order_event::Event::OrderPlaced(event) => (event.terms.as_ref()?.placed_at, 0),
            order_event::Event::OrderConfirmed(event) => (event.confirmed_at, 1),
            order_event::Event::OrderCancelled(event) => (event.cancelled_at, 2),
            order_event::Event::ForceMajeureDeclared(event) => (event.since, 3),
            order_event::Event::SubstitutionProposed(event) => (event.proposed_at, 4),
            order_event::Event::ForceMajeureLifted(event) => (event.until, 5),
            order_event::Event::SubstitutionRefused(event) => (event.refused_at, 6),
            _ => continue,
        };
        facts.push((from_proto(&at?)?, rank, event));
    }
    facts.sort_by_key(|(at, rank, _)| (*at, *rank));
    let placed = facts.iter().find(|(_, rank, _)| *rank == 0)?.0;
    let (mut at, mut left, mut paused, mut hindered) = (placed, 120, false, false);
    let mut missed = None;
    while at < now {
        for (_, _, event) in facts.iter().filter(|(moment, _, _)| *moment == at) {
            match event {
                order_event::Event::OrderConfirmed(_) | order_event::Event::OrderCancelled(_) => {
                    return Some(missed.is_some_and(|missed| missed < at));
                }
                order_event::Event::SubstitutionProposed(_) => paused = true,
                order_event::Event::SubstitutionRefused(_) => paused = false,
                order_event::Event::ForceMajeureDeclared(_) => hindered = true,
                order_event::Event::ForceMajeureLifted(_) => hindered = false,
                _ => {}
            }
        }
        at += SignedDuration::from_mins(1);
        if !paused && !hindered && missed.is_none() {
            left -= 1;
            if left == 0 {
                missed = Some(at);
            }
        }
    }
    Some(missed.is_some_and(|missed| missed < now))
}
