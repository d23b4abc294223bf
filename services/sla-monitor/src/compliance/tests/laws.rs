//! Laws over random histories: the figures are those of the facts, however they became known.

#![allow(clippy::wildcard_enum_match_arm, reason = "a test looks at a few kinds of many")]

use contracts::sla::{CycleResult, ReplanReason};
use proptest::prelude::*;

use super::*;
use crate::{
    policy::Target,
    timeline::tests::{
        oracle,
        sample::{self, at, hours},
    },
};

/// What happens to a clock next: a fact is told, everything before a minute is known, a source is
/// away, other rules count.
#[derive(Debug, Clone)]
enum Then {
    Told(prop::sample::Index),
    Known(i64),
    Away(i64),
    Replanned(u32, i64),
}

fn then() -> impl Strategy<Value = Then> {
    prop_oneof![
        4 => any::<prop::sample::Index>().prop_map(Then::Told),
        2 => (0_i64..9_000).prop_map(Then::Known),
        1 => (0_i64..9_000).prop_map(Then::Away),
    ]
}

fn then_or_replanned() -> impl Strategy<Value = Then> {
    prop_oneof![
        4 => then(),
        1 => (1_u32..30, 0_i64..9_000).prop_map(|(limit, at)| Then::Replanned(limit, at)),
    ]
}

/// Promised within so many hours, which is its version too; by contract within twice as many.
fn promise(limit: u32) -> Plan {
    let mut plan = sample::plan("5x8", hours(limit));
    let policy = std::sync::Arc::make_mut(&mut plan.policy);
    policy.contractual = Some(Target { span: Some(hours(2 * limit)), set_by_user: false });
    policy.version = limit;
    plan
}

fn about_it() -> About {
    about("test", "respond", ("order_id", "o-1"), "mall")
}

fn begin(plan: Plan) -> Story {
    Story { plan, about: about_it(), clock: Clock::default(), events: Vec::new() }
}

/// Lives through it, tells what was not told yet, and lets time pass.
fn live(facts: &[Fact], all: &[Then], plan: Plan) -> Story {
    let mut story = begin(plan).note(facts[0].clone());
    for then in all {
        let events = match then {
            Then::Told(index) => {
                story.clock.note(&story.about, index.get(facts), &story.plan).unwrap()
            }
            Then::Known(minute) => story.clock.advance(at(*minute), &story.plan).unwrap(),
            Then::Away(minute) => {
                story.clock.announce(at(*minute), &["ordering".into()], &story.plan).unwrap()
            }
            Then::Replanned(limit, minute) => {
                story.plan = promise(*limit);
                story.clock.replan(ReplanReason::Policy, at(*minute), &story.plan).unwrap()
            }
        };
        story = story.record(events);
    }
    for fact in facts {
        story = story.note(fact.clone());
    }
    let events = story.clock.advance(at(20_000), &story.plan).unwrap();
    story.record(events)
}

/// The figures, without what was withdrawn on the way, and without groups in which nothing is left.
fn figures(story: &Story) -> BTreeMap<String, ComplianceLine> {
    let zero = |span: &Option<Duration>| span.filter(|span| *span != Duration::default());
    let mut rows = story.rows();
    for line in rows.values_mut() {
        line.withdrawn = 0;
        line.overrun = zero(&line.overrun);
        line.paused = zero(&line.paused);
    }
    rows.retain(|_, line| *line != ComplianceLine::default());
    rows
}

/// Nothing is recorded that counts, and nothing retracted that does not.
fn each_counts_once(events: &[Event]) {
    let mut counts: Vec<(u32, CycleResult)> = Vec::new();
    for event in events {
        match event {
            Event::ResultRecorded(event) => {
                let result = event.result.clone().unwrap();
                let is_new = counts
                    .iter()
                    .all(|(cycle, it)| (*cycle, it.kind) != (event.cycle, result.kind));
                assert!(is_new, "{result:?} counts already");
                counts.push((event.cycle, result));
            }
            Event::ResultRetracted(event) => {
                let result = (event.cycle, event.result.clone().unwrap());
                let place = counts.iter().position(|it| *it == result);
                counts.remove(place.expect("it counted"));
            }
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_figures_are_those_of_the_facts_in_whatever_order_they_became_known(
        facts in oracle::facts(), all in prop::collection::vec(then(), 0..25), limit in 1_u32..30,
    ) {
        let story = live(&facts, &all, promise(limit));
        each_counts_once(&story.events);
        prop_assert_eq!(figures(&story), figures(&live(&facts, &[], promise(limit))));
    }

    #[test]
    fn the_figures_are_those_of_the_rules_that_count_in_the_end(
        facts in oracle::facts(),
        all in prop::collection::vec(then_or_replanned(), 0..25),
        limit in 1_u32..30,
    ) {
        let story = live(&facts, &all, promise(limit));
        each_counts_once(&story.events);
        let last = promise(story.plan.policy.version);
        prop_assert_eq!(figures(&story), figures(&live(&facts, &[], last)));
    }

    #[test]
    fn what_is_withdrawn_is_told_where_it_had_counted(
        facts in oracle::facts(), all in prop::collection::vec(then(), 0..25), limit in 1_u32..30,
    ) {
        let story = live(&facts, &all, promise(limit));
        let mut counted: BTreeMap<(String, Party), u64> = BTreeMap::new();
        for event in &story.events {
            if let Event::ResultRecorded(event) = event
                && let Some(result) = &event.result
                && result.kind() == ResultKind::Breached
            {
                *counted.entry((day(time(&result.at).unwrap()), result.party())).or_default() += 1;
            }
        }
        for event in &story.events {
            let Event::BreachWithdrawn(event) = event else { continue };
            if event.declared && !event.contractual {
                let group = (day(time(&event.due_at).unwrap()), event.blamed());
                let left = counted.get(&group).copied().unwrap_or_default();
                prop_assert!(left > 0, "{:?} of {:?}", group, counted);
                counted.insert(group, left - 1);
            }
        }
    }
}
