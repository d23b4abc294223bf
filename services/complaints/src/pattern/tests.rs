use contracts::complaints::{CauseClass, ComplaintItem};
use decider::scenario::given;
use proptest::prelude::*;

use super::*;

const RULE: Rule = Rule { threshold: 3, window_days: 30 };

fn day(day: i64) -> Timestamp {
    let begin: Timestamp = "2026-03-02T02:00:00Z".parse().unwrap();
    begin + SignedDuration::from_hours(24 * day)
}

fn seen(id: &str, on: i64) -> Sighting {
    Sighting { complaint_id: id.into(), received_at: day(on) }
}

fn batch() -> Trait {
    Trait { dimension: PatternDimension::Batch, value: "B-7".into() }
}

/// What is said of the last one, when all were heard of in their order.
fn lived(all: &[Sighting], ended: Option<Timestamp>) -> (Pattern, Vec<Event>) {
    let (mut pattern, mut events) = (Pattern::default(), Vec::new());
    for (count, sighting) in (1..).zip(all) {
        let said = pattern.sight(&batch(), sighting, &all[..count], ended, RULE);
        pattern = said.iter().fold(pattern, Pattern::evolve);
        events.extend(said);
    }
    (pattern, events)
}

fn found(event: &Event) -> &PatternFound {
    let Event::PatternFound(found) = event else { panic!("{event:?}") };
    found
}

#[test]
fn so_many_in_so_many_days_make_a_pattern_and_one_fewer_or_later_does_not() {
    let near = [seen("a", 0), seen("b", 10), seen("c", 30)];
    let (_, said) = lived(&near, None);
    assert_eq!(said.len(), 1);
    let told = found(&said[0]);
    assert_eq!(told.complaint_ids, ["a", "b", "c"]);
    assert_eq!((told.episode, told.threshold, told.window_days), (1, 3, 30));
    assert_eq!(told.action_id, format!("{}.1", batch().pattern_id()));
    assert!(told.action_id.len() <= 64 && chassis::parse::is_identifier(&told.action_id));
    assert!(lived(&near[..2], None).1.is_empty());
    assert!(lived(&[seen("a", 0), seen("b", 10), seen("c", 31)], None).1.is_empty());
}

#[test]
fn one_more_is_told_as_one_more_and_the_same_one_not_again() {
    let all = [seen("a", 0), seen("b", 1), seen("c", 2), seen("d", 20), seen("d", 20)];
    let (pattern, said) = lived(&all, None);
    assert_eq!(said.len(), 2);
    let Event::PatternGrown(grown) = &said[1] else { panic!() };
    assert_eq!((grown.complaint_id.as_str(), grown.complaints, grown.episode), ("d", 4, 1));
    assert!(pattern.sight(&batch(), &seen("a", 0), &all, None, RULE).is_empty());
}

#[test]
fn a_complaint_that_the_finding_has_counted_is_not_counted_again_when_it_is_heard_of() {
    // all three are on record when the first of them is heard of
    let all = [seen("a", 0), seen("b", 1), seen("c", 2)];
    let said = Pattern::Absent.sight(&batch(), &all[0], &all, None, RULE);
    let pattern = said.iter().fold(Pattern::Absent, Pattern::evolve);
    for sighting in &all {
        assert!(pattern.sight(&batch(), sighting, &all, None, RULE).is_empty());
    }
}

#[test]
fn what_comes_back_after_a_whole_window_is_another_episode_and_needs_as_many_again() {
    let first = [seen("a", 0), seen("b", 1), seen("c", 2)];
    let later = [seen("d", 40), seen("e", 41), seen("f", 42)];
    let (pattern, said) = lived(&[&first[..], &later[..]].concat(), None);
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(found(&said[1]).episode, 2);
    assert_eq!(found(&said[1]).complaint_ids, ["d", "e", "f"]);
    assert_eq!(pattern.action_id(), Some(format!("{}.2", batch().pattern_id()).as_str()));
}

#[test]
fn what_comes_after_the_action_has_ended_tells_whether_it_helped() {
    let (pattern, _) = lived(&[seen("a", 0), seen("b", 1), seen("c", 2)], None);
    let ended = Some(day(3));
    let all = [seen("a", 0), seen("b", 1), seen("c", 2), seen("d", 4), seen("e", 5), seen("f", 6)];
    // those before it ended do not count again
    assert!(pattern.sight(&batch(), &all[3], &all[..4], ended, RULE).is_empty());
    let said = pattern.sight(&batch(), &all[5], &all, ended, RULE);
    assert_eq!(found(&said[0]).complaint_ids, ["d", "e", "f"]);
    // one of before that is heard of late belongs to the first episode
    let late = pattern.sight(&batch(), &seen("z", 2), &all, ended, RULE);
    assert!(matches!(&late[..], [Event::PatternGrown(grown)] if grown.episode == 1));
}

#[test]
fn a_complaint_has_each_property_once_and_none_without_a_value() {
    let item = |sku: &str, batch: &str, carrier: &str| ComplaintItem {
        sku: sku.into(),
        batch: batch.into(),
        carrier: carrier.into(),
        ..ComplaintItem::default()
    };
    let row = ComplaintRow {
        told_cause: CauseClass::ProductQuality.into(),
        cause: CauseClass::ServiceProcess.into(),
        topic: "damaged".into(),
        items: vec![item("A", "B-7", "顺丰"), item("A", "", "顺丰"), item("", "", "")],
        ..ComplaintRow::default()
    };
    let told: Vec<(PatternDimension, String)> =
        traits(&row).into_iter().map(|property| (property.dimension, property.value)).collect();
    let expected = [
        (PatternDimension::Cause, "PRODUCT_QUALITY/damaged"),
        (PatternDimension::Sku, "A"),
        (PatternDimension::Batch, "B-7"),
        (PatternDimension::Carrier, "顺丰"),
    ]
    .map(|(dimension, value)| (dimension, value.to_owned()));
    assert_eq!(told, expected);
}

#[test]
fn a_pattern_that_was_never_found_does_not_grow() {
    given::<Pattern>([PatternGrown::default().into()])
        .when(|it| {
            Ok::<_, std::convert::Infallible>(it.sight(&batch(), &seen("a", 0), &[], None, RULE))
        })
        .then_nothing();
}

/// As many as make a pattern, in some window: the plainest way to tell.
fn is_frequent(all: &[Sighting]) -> bool {
    all.iter().any(|first| {
        let within = all.iter().filter(|it| {
            let apart = it.received_at.duration_since(first.received_at);
            !apart.is_negative() && apart <= RULE.window()
        });
        within.count() >= 3
    })
}

proptest! {
    #[test]
    fn whatever_the_order_a_pattern_is_found_when_there_is_one_and_each_complaint_counts_once(
        days in prop::collection::vec(0_i64..120, 0..12),
        order in any::<prop::sample::Index>(),
    ) {
        let mut all: Vec<Sighting> =
            (0..).zip(days).map(|(number, day)| seen(&format!("c-{number}"), day)).collect();
        let turn = if all.is_empty() { 0 } else { order.index(all.len()) };
        all.rotate_left(turn);
        let (_, said) = lived(&all, None);
        prop_assert_eq!(!said.is_empty(), is_frequent(&all));
        let mut counted: BTreeSet<(u32, String)> = BTreeSet::new();
        for event in &said {
            let (episode, ids) = match event {
                Event::PatternFound(it) => (it.episode, it.complaint_ids.clone()),
                Event::PatternGrown(it) => (it.episode, vec![it.complaint_id.clone()]),
            };
            for id in ids {
                prop_assert!(counted.insert((episode, id)), "{:?}", said);
            }
        }
    }
}
