//! The timeline against an oracle that walks minute by minute, and against rules stated one by one.

pub(crate) mod oracle;
pub(crate) mod sample;

use contracts::sla::{FactKind, Party};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use self::sample::{at, fact, hours, plan, plan_set_by_user, until};
use super::{EndedBy, Side, Timeline, order};

fn lay(facts: &[contracts::sla::Fact], plan: &super::Plan) -> Timeline {
    let mut facts = facts.to_vec();
    facts.sort_by(|one, other| order(one).cmp(&order(other)));
    Timeline::lay(&facts, plan).unwrap()
}

fn due(timeline: &Timeline) -> Option<Timestamp> {
    timeline.current().unwrap().due(Side::Committed)
}

#[test]
fn a_deadline_is_so_long_after_the_start() {
    let timeline = lay(&[fact(FactKind::Start, 0)], &plan("24x7", hours(2)));
    assert_eq!(due(&timeline), Some(at(120)));
}

#[test]
fn a_pause_moves_the_deadline_by_its_length() {
    let facts = [fact(FactKind::Start, 0), fact(FactKind::Pause, 30), fact(FactKind::Resume, 90)];
    let timeline = lay(&facts, &plan("24x7", hours(2)));
    assert_eq!(due(&timeline), Some(at(180)));
}

#[test]
fn a_halted_clock_is_not_due() {
    let facts = [fact(FactKind::Start, 0), fact(FactKind::Pause, 30)];
    let timeline = lay(&facts, &plan("24x7", hours(2)));
    assert_eq!(due(&timeline), None);
    assert!(!timeline.current().unwrap().is_missed(Side::Committed, at(100_000)));
}

#[test]
fn a_pause_after_the_deadline_does_not_undo_it() {
    let facts = [fact(FactKind::Start, 0), fact(FactKind::Pause, 121)];
    let timeline = lay(&facts, &plan("24x7", hours(2)));
    assert_eq!(due(&timeline), Some(at(120)));
    assert!(timeline.current().unwrap().is_missed(Side::Committed, at(122)));
}

#[test]
fn a_stop_at_the_very_deadline_is_in_time() {
    let facts = [fact(FactKind::Start, 0), fact(FactKind::Stop, 120)];
    let timeline = lay(&facts, &plan("24x7", hours(2)));
    assert!(!timeline.current().unwrap().is_missed(Side::Committed, at(500)));
}

#[test]
fn a_stop_beats_a_pause_at_the_same_moment() {
    let facts = [fact(FactKind::Start, 0), fact(FactKind::Pause, 10), fact(FactKind::Stop, 10)];
    let timeline = lay(&facts, &plan("24x7", hours(2)));
    let cycle = timeline.current().unwrap();
    assert_eq!(cycle.end.as_ref().map(|end| (end.at, end.by)), Some((at(10), EndedBy::Stop)));
    assert!(cycle.stretches.iter().all(|stretch| !stretch.halted));
}

#[test]
fn a_deadline_that_the_user_set_does_not_move_on_a_pause_but_with_force_majeure() {
    let plan = plan_set_by_user("24x7");
    let start = until(fact(FactKind::Start, 0), 600);
    let paused = [start.clone(), fact(FactKind::Pause, 100), fact(FactKind::Resume, 200)];
    assert_eq!(due(&lay(&paused, &plan)), Some(at(600)));
    let exempt = [start.clone(), fact(FactKind::Exempt, 100), fact(FactKind::ExemptEnd, 200)];
    assert_eq!(due(&lay(&exempt, &plan)), Some(at(700)));
    let going_on = [start, fact(FactKind::Exempt, 100)];
    assert_eq!(due(&lay(&going_on, &plan)), None);
}

#[test]
fn consent_moves_the_deadline_and_comes_too_late_after_it() {
    let plan = plan("24x7", hours(2));
    let early = [fact(FactKind::Start, 0), until(fact(FactKind::Extend, 60), 400)];
    assert_eq!(due(&lay(&early, &plan)), Some(at(400)));
    let late = [fact(FactKind::Start, 0), until(fact(FactKind::Extend, 121), 400)];
    assert_eq!(due(&lay(&late, &plan)), Some(at(120)));
}

#[test]
fn a_reset_begins_another_cycle_with_the_whole_time() {
    let facts = [fact(FactKind::Start, 0), fact(FactKind::Stop, 30), fact(FactKind::Reset, 1_000)];
    let timeline = lay(&facts, &plan("24x7", hours(2)));
    assert_eq!(timeline.cycles.len(), 2);
    assert_eq!(due(&timeline), Some(at(1_120)));
}

#[test]
fn an_earlier_start_that_becomes_known_later_counts() {
    let mut late = fact(FactKind::Start, -60);
    late.evidence = "ORDERING/999".into();
    let timeline = lay(&[fact(FactKind::Start, 0), late], &plan("24x7", hours(2)));
    assert_eq!(timeline.cycles.len(), 1);
    assert_eq!(due(&timeline), Some(at(60)));
}

#[test]
fn each_stretch_belongs_to_the_party_that_held_the_case() {
    let mut pause = fact(FactKind::Pause, 30);
    pause.holder = Party::User.into();
    let facts = [
        fact(FactKind::Start, 0),
        pause,
        fact(FactKind::Resume, 60),
        fact(FactKind::Exempt, 80),
        fact(FactKind::ExemptEnd, 90),
        fact(FactKind::Stop, 100),
    ];
    let timeline = lay(&facts, &plan("24x7", hours(2)));
    let held: Vec<_> =
        timeline.current().unwrap().stretches.iter().map(|stretch| stretch.party()).collect();
    let expected =
        [Party::Supplier, Party::User, Party::Supplier, Party::ForceMajeure, Party::Supplier];
    assert_eq!(held, expected);
}

#[test]
fn open_time_alone_counts_in_office_hours() {
    // Thursday 2026-02-12 17:00 in Shanghai; the 14th is a working Saturday, the 15th a holiday
    let start = "2026-02-12T09:00:00Z".parse::<Timestamp>().unwrap();
    let begun = sample::fact_at(FactKind::Start, start);
    let timeline = lay(&[begun], &plan("5x8", hours(18)));
    // 1 h on Thursday, 8 h on Friday, 8 h on Saturday, 1 h on the first day after the holidays
    assert_eq!(due(&timeline), Some("2026-02-24T02:00:00Z".parse().unwrap()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn the_timeline_agrees_with_an_oracle_that_walks_minute_by_minute(
        calendar in prop_oneof![Just("24x7"), Just("5x8"), Just("workdays")],
        limit in 1_u32..40,
        facts in oracle::facts(),
        now in 0_i64..9_000,
    ) {
        let plan = plan(calendar, hours(limit));
        let walked = oracle::walk(&facts, &plan, now);
        let timeline = lay(&facts, &plan);
        prop_assert_eq!(timeline.cycles.len(), walked.len());
        for (cycle, walked) in timeline.cycles.iter().zip(&walked) {
            prop_assert_eq!(cycle.started, walked.started);
            prop_assert_eq!(cycle.end.as_ref().map(|end| end.at), walked.ended);
            prop_assert_eq!(cycle.is_missed(Side::Committed, at(now)), walked.missed, "{:?}", cycle);
            if let Some(due) = walked.due {
                prop_assert_eq!(cycle.due(Side::Committed), Some(due));
            }
            let until = walked.ended.unwrap_or(at(now)).max(cycle.started);
            prop_assert_eq!(cycle.elapsed(until, &plan).unwrap(), walked.counted);
        }
    }

    #[test]
    fn no_force_majeure_ever_shortens_a_deadline(
        facts in oracle::facts(), from in 0_i64..3_000, length in 1_i64..2_000,
    ) {
        let plan = plan("5x8", hours(9));
        // one that ruled already would be ended by the end of the other
        let rules = [FactKind::Exempt, FactKind::ExemptEnd];
        let facts: Vec<_> = facts.into_iter().filter(|fact| !rules.contains(&fact.kind())).collect();
        let before = lay(&facts, &plan);
        let mut more = facts.clone();
        more.push(sample::fact_named(FactKind::Exempt, from, "extra/1"));
        more.push(sample::fact_named(FactKind::ExemptEnd, from + length, "extra/2"));
        let after = lay(&more, &plan);
        prop_assert_eq!(before.cycles.len(), after.cycles.len());
        for (before, after) in before.cycles.iter().zip(&after.cycles) {
            let due = |cycle: &super::Cycle| cycle.due(Side::Committed);
            if let (Some(before), Some(after)) = (due(before), due(after)) {
                prop_assert!(after >= before);
            }
        }
    }

    #[test]
    fn every_moment_of_a_cycle_lies_in_exactly_one_stretch(facts in oracle::facts()) {
        let timeline = lay(&facts, &plan("24x7", hours(5)));
        for cycle in &timeline.cycles {
            let mut at = cycle.started;
            for (index, stretch) in cycle.stretches.iter().enumerate() {
                prop_assert_eq!(stretch.from, at);
                match stretch.to {
                    Some(to) => { prop_assert!(to >= at); at = to; }
                    None => prop_assert!(index + 1 == cycle.stretches.len() && cycle.end.is_none()),
                }
            }
            if let Some(end) = &cycle.end {
                prop_assert_eq!(at, end.at);
            }
        }
    }

    #[test]
    fn elapsed_and_not_counted_and_closed_time_are_the_whole(facts in oracle::facts(), now in 0_i64..9_000) {
        let plan = plan("24x7", hours(5));
        for cycle in &lay(&facts, &plan).cycles {
            let until = cycle.end.as_ref().map_or(at(now), |end| end.at).max(cycle.started);
            let counted = cycle.elapsed(until, &plan).unwrap();
            let halted = cycle.stretches.iter().filter(|stretch| !stretch.counts()).fold(
                SignedDuration::ZERO,
                |sum, stretch| sum + until.min(stretch.to.unwrap_or(until)).max(stretch.from).duration_since(stretch.from),
            );
            if cycle.stretches.iter().all(|stretch| stretch.from <= until) {
                prop_assert_eq!(counted + halted, until.duration_since(cycle.started));
            }
        }
    }
}
