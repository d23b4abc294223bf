//! Laws over random histories: order of arrival, outages, repeats.

use contracts::{
    common::EventMetadata,
    sla::{Clock as Row, Fact, ResultKind},
};
use decider::Aggregate as _;
use eventlog::Recorded as _;
use jiff::Timestamp;
use proptest::prelude::*;

use super::{about, names};
use crate::{
    clock::{Clock, Event, Life},
    timeline::{
        EndedBy, Plan, Side, Timeline, moment,
        tests::{
            oracle,
            sample::{at, hours, plan},
        },
        time,
    },
};

/// A history as a monitor lives through it: each fact comes when it happened, and between the facts
/// it looks at the clock at these minutes. Without them it was away, and only catches up.
fn live(facts: &[Fact], looks: &[i64], end: i64, plan: &Plan) -> (Clock, Vec<Event>) {
    let mut clock = Clock::default();
    let mut all = Vec::new();
    let mut take = |clock: &mut Clock, events: Vec<Event>| {
        *clock = events.iter().fold(std::mem::take(clock), Clock::evolve);
        all.extend(events);
    };
    let mut looks: Vec<i64> = looks.to_vec();
    looks.sort_unstable();
    let mut looks = looks.into_iter().peekable();
    for fact in facts {
        while let Some(look) = looks.next_if(|look| at(*look) < moment(fact)) {
            let said = clock.advance(at(look), plan).unwrap();
            take(&mut clock, said);
        }
        let said = clock.advance(moment(fact), plan).unwrap();
        take(&mut clock, said);
        let said = clock.note(&about(), fact, plan).unwrap();
        take(&mut clock, said);
    }
    for look in looks.chain([end]) {
        let said = clock.advance(at(look), plan).unwrap();
        take(&mut clock, said);
    }
    (clock, all)
}

fn in_order(mut facts: Vec<Fact>) -> Vec<Fact> {
    facts.sort_by_key(moment);
    facts
}

/// What each cycle counts for, as it was recorded.
fn counted(life: &Life) -> Vec<(u32, ResultKind, Timestamp)> {
    let mut counted: Vec<_> = life
        .counted
        .iter()
        .flat_map(|(cycle, results)| results.iter().map(move |it| (*cycle, it)))
        .map(|(cycle, it)| (cycle, it.kind(), time(&it.at).unwrap()))
        .collect();
    counted.sort_unstable();
    counted
}

/// What each cycle counts for, as its end and its limit have it.
fn owed(timeline: &Timeline) -> Vec<(u32, ResultKind, Timestamp)> {
    let mut owed = Vec::new();
    for (number, cycle) in (1..).zip(&timeline.cycles) {
        let is_missed = cycle.is_missed(Side::Committed, at(9_000));
        if is_missed {
            owed.push((number, ResultKind::Breached, cycle.due(Side::Committed).unwrap()));
        }
        let Some(end) = &cycle.end else { continue };
        match end.by {
            EndedBy::Stop if is_missed => owed.push((number, ResultKind::Late, end.at)),
            EndedBy::Stop => owed.push((number, ResultKind::Met, end.at)),
            EndedBy::Cancel if !is_missed => owed.push((number, ResultKind::Cancelled, end.at)),
            EndedBy::Cancel | EndedBy::Reset | EndedBy::Over => {}
        }
    }
    owed.sort_unstable();
    owed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn an_outage_of_any_length_ends_in_the_same_events_as_none(
        facts in oracle::facts(),
        looks in prop::collection::vec(0_i64..9_000, 0..40),
        limit in 1_u32..30,
    ) {
        let plan = plan("24x7", hours(limit));
        let facts = in_order(facts);
        let (_, watched) = live(&facts, &looks, 9_000, &plan);
        let (_, away) = live(&facts, &[], 9_000, &plan);
        prop_assert_eq!(names(&watched), names(&away));
        prop_assert_eq!(watched, away);
    }

    #[test]
    fn facts_in_any_order_and_twice_lead_to_the_same_breach(
        facts in oracle::facts(),
        order in prop::collection::vec(any::<prop::sample::Index>(), 30),
        limit in 1_u32..30,
    ) {
        let plan = plan("5x8", hours(limit));
        let mut shuffled: Vec<Fact> = Vec::new();
        for index in &order {
            shuffled.push(index.get(&facts).clone());
        }
        shuffled.extend(facts.iter().cloned());
        // a clock is told nothing before its start where one service tells all
        shuffled.sort_by_key(|fact| fact.evidence != "ORDERING/0");
        let (mut clock, mut row) = (Clock::default(), Row::default());
        let mut take = |clock: &mut Clock, events: Vec<Event>| {
            for event in &events {
                Clock::apply(&mut row, event, &EventMetadata::default(), 0);
                *clock = std::mem::take(clock).evolve(event);
            }
        };
        for fact in &shuffled {
            let events = clock.advance(at(9_000), &plan).unwrap();
            take(&mut clock, events);
            let events = clock.note(&about(), fact, &plan).unwrap();
            take(&mut clock, events);
        }
        let events = clock.advance(at(9_000), &plan).unwrap();
        take(&mut clock, events);
        let Clock::Running(life) = &clock else { panic!("it has started") };

        let timeline = Timeline::lay(&life.facts, &plan).unwrap();
        let walked = oracle::walk(&facts, &plan, 9_000);
        let last = walked.last().unwrap();
        prop_assert_eq!(life.said.committed.is_some(), last.missed);
        prop_assert_eq!(life.said.committed.map(|missed| missed.due), last.due.filter(|_| last.missed));
        prop_assert_eq!(timeline.cycles.len(), walked.len());
        prop_assert!(life.said.committed.is_none_or(|missed| missed.certain));
        prop_assert_eq!(timeline.current().unwrap().is_missed(Side::Committed, at(9_000)), last.missed);
        prop_assert_eq!(counted(life), owed(&timeline));

        let present = timeline.current().unwrap();
        prop_assert_eq!(time(&row.started_at), Some(present.started));
        prop_assert_eq!(time(&row.ended_at), present.end.as_ref().map(|end| end.at));
        prop_assert_eq!(row.state(), present.state(false));
        let late = present.end.as_ref().is_some_and(|end| end.by == EndedBy::Stop) && last.missed;
        prop_assert_eq!(row.committed.unwrap().overrun.is_some(), late);
    }

    #[test]
    fn nothing_is_said_twice_in_a_cycle(
        facts in oracle::facts(),
        looks in prop::collection::vec(0_i64..9_000, 0..40),
    ) {
        let plan = plan("24x7", hours(3));
        let (_, said) = live(&in_order(facts), &looks, 9_000, &plan);
        let mut seen = Vec::new();
        for event in &said {
            let cycle = crate::clock::reference(event).unwrap().cycle;
            let what = match event {
                Event::WarningRaised(event) => ("warning", cycle, event.warning, 0),
                Event::DeadlineBreached(event) => ("breach", cycle, u32::from(event.contractual), 0),
                Event::BreachEscalated(event) => ("step", cycle, event.step, event.count),
                _ => continue,
            };
            prop_assert!(!seen.contains(&what), "{:?}", what);
            seen.push(what);
        }
    }

    #[test]
    fn every_event_tells_when_something_is_next_due(
        facts in oracle::facts(), limit in 1_u32..30,
    ) {
        let plan = plan("24x7", hours(limit));
        let (clock, said) = live(&in_order(facts), &[], 4_000, &plan);
        let next = said.last().and_then(crate::clock::reference).and_then(|clock| clock.next_at);
        let rest = clock.advance(at(1_000_000), &plan).unwrap();
        match next {
            None => prop_assert_eq!(rest, []),
            Some(next) => {
                let next = eventlog::time::from_proto(&next).unwrap();
                prop_assert_eq!(clock.advance(next, &plan).unwrap(), []);
                let just_after = next + jiff::SignedDuration::from_nanos(1);
                prop_assert!(!clock.advance(just_after, &plan).unwrap().is_empty());
            }
        }
    }
}
