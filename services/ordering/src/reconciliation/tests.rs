use std::collections::{BTreeMap, BTreeSet};

use contracts::common::EventMetadata;
use contracts::ordering::{
    DifferenceKind as Kind, Order, OrderPhase as Phase, ReconciliationList as List,
};
use decider::fold;
use decider::scenario::given;
use eventlog::Recorded as _;
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use proptest::prelude::*;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

/// As a caller says it that names no time.
fn when(second: i64) -> When {
    When::now(at(second))
}

fn yuan(minor: i64) -> Amount {
    Amount::new(minor, "CNY")
}

fn ours(number: &str, minor: i64, stand: Stand) -> Ours {
    Ours { platform_order_no: number.into(), amount: yuan(minor), phase: Phase::Confirmed, stand }
}

fn theirs(number: &str, minor: i64) -> Theirs {
    Theirs { platform_order_no: number.into(), amount: yuan(minor) }
}

fn kinds(comparison: &Comparison) -> Vec<(&str, Kind)> {
    comparison.differences.iter().map(|it| (it.platform_order_no.as_str(), it.kind())).collect()
}

#[test]
fn each_way_to_differ_has_its_kind() {
    let comparison = compare(
        &[
            ours("agrees", 10, Stand::Listed),
            ours("amount", 20, Stand::Listed),
            ours("behind", 30, Stand::NotYet),
            ours("day", 40, Stand::OtherDay),
            ours("missing", 50, Stand::Listed),
            ours("neither", 60, Stand::OtherDay),
            ours("twice", 70, Stand::Listed),
        ],
        &[
            theirs("unknown", 5),
            theirs("twice", 71),
            theirs("twice", 70),
            theirs("day", 40),
            theirs("behind", 30),
            theirs("amount", 21),
            theirs("agrees", 10),
        ],
    )
    .unwrap();
    assert_eq!(
        kinds(&comparison),
        [
            ("amount", Kind::Amount),
            ("behind", Kind::BehindHere),
            ("day", Kind::Day),
            ("missing", Kind::MissingThere),
            ("twice", Kind::ListedTwice),
            ("unknown", Kind::UnknownHere),
        ]
    );
    assert_eq!((comparison.their_count, comparison.our_count, comparison.matched), (7, 4, 2));
    assert_eq!(comparison.their_total, Some(yuan(247)));
    assert_eq!(comparison.our_total, Some(yuan(150)));
    let twice = &comparison.differences[4];
    assert_eq!(twice.difference_no, 5);
    assert_eq!(twice.their_amount, Some(yuan(71).money()), "the entry that agrees is matched");
    let unknown = &comparison.differences[5];
    assert_eq!((unknown.our_amount.clone(), unknown.our_phase()), (None, Phase::Unspecified));
    assert_eq!(comparison.differences[3].their_amount, None);
}

#[test]
fn a_list_without_a_sum_is_refused() {
    let dollars = Theirs { amount: Amount::new(1, "USD"), ..theirs("b", 0) };
    assert_eq!(
        compare(&[], &[theirs("a", 1), dollars]),
        Err(Rejection::MixedCurrencies { side: "their" })
    );
    assert_eq!(
        compare(&[], &[theirs("a", i64::MAX), theirs("b", 1)]),
        Err(Rejection::Overflow { side: "their" })
    );
    let listed = [ours("a", i64::MAX, Stand::Listed), ours("b", 1, Stand::Listed)];
    assert_eq!(compare(&listed, &[]), Err(Rejection::Overflow { side: "our" }));
    let other_day = [ours("a", i64::MAX, Stand::Listed), ours("b", 1, Stand::OtherDay)];
    assert!(compare(&other_day, &[]).is_ok(), "only our list is summed");
}

#[test]
fn another_currency_is_another_amount() {
    let dollars = Theirs { amount: Amount::new(10, "USD"), ..theirs("a", 0) };
    let comparison = compare(&[ours("a", 10, Stand::Listed)], &[dollars]).unwrap();
    assert_eq!(kinds(&comparison), [("a", Kind::Amount)]);
}

#[test]
fn two_empty_lists_agree() {
    assert_eq!(compare(&[], &[]), Ok(Comparison::default()));
}

#[test]
fn lists_with_hardly_anything_in_common_are_refused() {
    let entries: Vec<_> = (0..=MOST_DIFFERENCES).map(|no| theirs(&no.to_string(), 1)).collect();
    assert_eq!(compare(&[], &entries), Err(Rejection::TooManyDifferences));
    let comparison = compare(&[], &entries[1..]).unwrap();
    assert_eq!(comparison.differences.len(), MOST_DIFFERENCES);
    // the longest numbers and amounts fit into an event of one MiB
    let longest: Vec<_> =
        (0..MOST_DIFFERENCES).map(|no| theirs(&format!("{no:0>64}"), i64::MAX / 10_000)).collect();
    let ours: Vec<_> = (0..MOST_DIFFERENCES)
        .map(|no| ours(&format!("{no:0>64}"), i64::MAX / 10_001, Stand::Listed))
        .collect();
    let made = made(&subject(&longest), &compare(&ours, &longest).unwrap());
    assert!(contracts::Event::encode_body(&made).len() < 1 << 20);
}

fn subject(entries: &[Theirs]) -> Subject {
    Subject::new("r-1", "mall", "2026-03-01".parse().unwrap(), List::New, entries)
}

fn made(subject: &Subject, comparison: &Comparison) -> Event {
    Reconciliation::default().make(subject, comparison, when(0)).unwrap().remove(0)
}

fn two_differences() -> (Subject, Comparison) {
    let entries = [theirs("a", 1), theirs("b", 2)];
    (subject(&entries), compare(&[], &entries).unwrap())
}

fn resolved(difference_no: u32) -> Event {
    DifferenceResolved {
        reconciliation_id: "r-1".into(),
        difference_no,
        resolution: "补录".into(),
        resolved_by: "财务".into(),
        resolved_at: Some(to_proto(at(1))),
    }
    .into()
}

#[test]
fn a_comparison_is_made_once_whatever_has_changed_on_our_side() {
    let (subject, comparison) = two_differences();
    given::<Reconciliation>([])
        .when(|it| it.make(&subject, &comparison, when(0)))
        .then([made(&subject, &comparison)])
        .repeated();
    given::<Reconciliation>([made(&subject, &comparison)])
        .when(|it| it.make(&subject, &Comparison::default(), when(9)))
        .then_nothing();
}

#[test]
fn another_list_under_the_same_id_is_refused_with_the_field() {
    let (subject, comparison) = two_differences();
    for (other, field) in [
        (Subject { platform: "other".into(), ..subject.clone() }, "platform"),
        (Subject { day: "2026-03-02".into(), ..subject.clone() }, "day"),
        (Subject { list: List::Finished, ..subject.clone() }, "list"),
        (Subject { list_sha256: list_sha256(&[]), ..subject.clone() }, "entries"),
    ] {
        given::<Reconciliation>([made(&subject, &comparison)])
            .when(|it| it.make(&other, &comparison, when(0)))
            .then_refused(Differs { field }.into());
    }
}

#[test]
fn a_repeat_may_leave_the_time_out_but_not_name_another() {
    let named = |second| When { now: at(900), at: Some(at(second)) };
    let (subject, comparison) = two_differences();
    let told = || given::<Reconciliation>([made(&subject, &comparison), resolved(1)]);
    told().when(|it| it.make(&subject, &comparison, named(0))).then_nothing();
    told().when(|it| it.resolve(1, "补录", "财务", named(1))).then_nothing();
    told()
        .when(|it| it.make(&subject, &comparison, named(1)))
        .then_refused(Differs { field: "at" }.into());
    told()
        .when(|it| it.resolve(1, "补录", "财务", named(2)))
        .then_refused(Differs { field: "at" }.into());
}

#[test]
fn the_digest_of_a_list_tells_lists_apart_and_not_their_order() {
    let digest = list_sha256(&[theirs("a", 1), theirs("b", 2)]);
    assert_eq!(digest, list_sha256(&[theirs("b", 2), theirs("a", 1)]));
    assert_eq!(digest.len(), 64);
    for other in [
        vec![theirs("a", 1)],
        vec![theirs("a", 1), theirs("b", 3)],
        vec![theirs("a", 2), theirs("b", 1)],
        vec![theirs("a", 1), theirs("b", 2), theirs("b", 2)],
        vec![theirs("a", 1), Theirs { amount: Amount::new(2, "USD"), ..theirs("b", 2) }],
    ] {
        assert_ne!(digest, list_sha256(&other), "{other:?}");
    }
}

#[test]
fn it_is_closed_when_no_difference_is_open() {
    let (subject, comparison) = two_differences();
    let made = made(&subject, &comparison);
    let mut row = contracts::ordering::Reconciliation::default();
    let mut open = Vec::new();
    for event in [&made, &resolved(2), &resolved(1)] {
        Reconciliation::apply(&mut row, event, &EventMetadata::default(), 0);
        let from = listing(Some("mall"), true).from;
        let listed = Reconciliation::keys(&row).iter().any(|key| key.value.starts_with(&from));
        open.push((row.open_differences, listed));
    }
    assert_eq!(open, [(2, true), (1, true), (0, false)]);
    let state: Reconciliation = fold(&[made.clone(), resolved(2)]);
    assert!(matches!(state, Reconciliation::Open(..)));
    let state: Reconciliation = fold(&[made, resolved(2), resolved(1)]);
    assert!(matches!(state, Reconciliation::Closed(..)));
    let agreed = subject_made_with(&Comparison::default());
    assert!(matches!(fold::<Reconciliation>(&[agreed]), Reconciliation::Closed(..)));
}

fn subject_made_with(comparison: &Comparison) -> Event {
    made(&subject(&[]), comparison)
}

#[test]
fn every_state_answers_every_command() {
    let (subject, comparison) = two_differences();
    let made = made(&subject, &comparison);
    let resolve = |no: u32, text: &'static str| {
        move |it: &Reconciliation| it.resolve(no, text, "财务", when(1))
    };
    given::<Reconciliation>([]).when(resolve(1, "补录")).then_refused(Rejection::NotFound);
    given::<Reconciliation>([made.clone()]).when(resolve(1, "补录")).then([resolved(1)]).repeated();
    given::<Reconciliation>([made.clone()])
        .when(resolve(3, "补录"))
        .then_refused(Rejection::DifferenceNotFound);
    for history in [vec![made.clone(), resolved(1)], vec![made, resolved(1), resolved(2)]] {
        given::<Reconciliation>(history.clone()).when(resolve(1, "补录")).then_nothing();
        given::<Reconciliation>(history.clone())
            .when(resolve(1, "退款"))
            .then_refused(Differs { field: "resolution" }.into());
        given::<Reconciliation>(history)
            .when(|it| it.make(&subject, &comparison, when(9)))
            .then_nothing();
    }
}

#[test]
fn a_day_begins_at_midnight_of_the_platform() {
    let zone = TimeZone::fixed(Offset::constant(8));
    let day = Day::of("2026-03-01".parse().unwrap(), &zone).unwrap();
    assert_eq!(day.from.to_string(), "2026-02-28T16:00:00Z");
    assert_eq!(day.until.to_string(), "2026-03-01T16:00:00Z");
    assert_eq!(Day::of(Date::MAX, &zone), None);
}

#[test]
fn an_order_stands_on_a_list_from_the_moment_it_came_that_far() {
    let day = Day { from: at(0), until: at(100) };
    let money = |minor| Some(yuan(minor).money());
    let order = Order {
        platform_order_no: "a".into(),
        phase: Phase::Settled.into(),
        placed_at: Some(to_proto(at(-1))),
        fulfilled_at: Some(to_proto(at(0))),
        settled_at: Some(to_proto(at(100))),
        total: money(10),
        payable: money(8),
        ..Order::default()
    };
    let stand = |order: &Order, list| {
        let ours = Ours::of(order, list, day);
        (ours.stand, ours.amount.minor())
    };
    assert_eq!(stand(&order, List::New), (Stand::OtherDay, 10));
    assert_eq!(stand(&order, List::Delivered), (Stand::Listed, 8));
    assert_eq!(
        stand(&order, List::Finished),
        (Stand::OtherDay, 8),
        "the day's end is the next day"
    );
    assert_eq!(stand(&order, List::Refused), (Stand::NotYet, 10));
    let refused = Order {
        phase: Phase::Refused.into(),
        ended_at: Some(to_proto(at(50))),
        fulfilled_at: None,
        settled_at: None,
        ..order.clone()
    };
    assert_eq!(stand(&refused, List::Refused), (Stand::Listed, 10));
    assert_eq!(stand(&refused, List::Delivered), (Stand::NotYet, 10));
    let cancelled = Order { phase: Phase::Cancelled.into(), ..refused };
    assert_eq!(stand(&cancelled, List::Refused), (Stand::NotYet, 10));
    for phase in [Phase::Reserved, Phase::Released, Phase::Expired] {
        let order = Order { phase: phase.into(), ..cancelled.clone() };
        assert_eq!(stand(&order, List::New), (Stand::NotYet, 10), "{phase:?} was never placed");
    }
}

fn any_ours() -> impl Strategy<Value = Vec<Ours>> {
    let stand = prop_oneof![Just(Stand::Listed), Just(Stand::OtherDay), Just(Stand::NotYet)];
    prop::collection::btree_map(0_u8..12, (1_i64..4, stand), 0..12).prop_map(|orders| {
        orders
            .into_iter()
            .map(|(number, (minor, stand))| ours(&number.to_string(), minor, stand))
            .collect()
    })
}

fn any_theirs() -> impl Strategy<Value = Vec<Theirs>> {
    prop::collection::vec((0_u8..12, 1_i64..4), 0..20).prop_map(|entries| {
        entries.into_iter().map(|(number, minor)| theirs(&number.to_string(), minor)).collect()
    })
}

proptest! {
    /// Each entry of both lists is matched, or in exactly one difference.
    #[test]
    fn matched_and_different_cover_both_lists_once(ours in any_ours(), theirs in any_theirs()) {
        let result = compare(&ours, &theirs).unwrap();
        let mut counts: BTreeMap<i32, u32> = BTreeMap::new();
        for difference in &result.differences {
            *counts.entry(difference.kind).or_default() += 1;
        }
        let of = |kind: Kind| counts.get(&i32::from(kind)).copied().unwrap_or(0);
        let in_both = result.matched + of(Kind::Amount);
        prop_assert_eq!(result.our_count, in_both + of(Kind::MissingThere));
        prop_assert_eq!(
            result.their_count,
            in_both + of(Kind::UnknownHere) + of(Kind::BehindHere) + of(Kind::Day)
                + of(Kind::ListedTwice)
        );
        prop_assert_eq!(result.their_count as usize, theirs.len());
        let listed = ours.iter().filter(|order| order.stand == Stand::Listed).count();
        prop_assert_eq!(result.our_count as usize, listed);
        let numbers: Vec<u32> = result.differences.iter().map(|it| it.difference_no).collect();
        let expected: Vec<u32> = (1..).take(numbers.len()).collect();
        prop_assert_eq!(numbers, expected);
    }

    /// The other way round, what is missing there is unknown here, and the rest is the same.
    #[test]
    fn the_comparison_is_the_same_from_both_sides(
        left in prop::collection::btree_map(0_u8..12, 1_i64..4, 0..12),
        right in prop::collection::btree_map(0_u8..12, 1_i64..4, 0..12),
    ) {
        type List = BTreeMap<u8, i64>;
        let as_ours = |list: &List| -> Vec<Ours> {
            list.iter().map(|(no, minor)| ours(&no.to_string(), *minor, Stand::Listed)).collect()
        };
        let as_theirs = |list: &List| -> Vec<Theirs> {
            list.iter().map(|(no, minor)| theirs(&no.to_string(), *minor)).collect()
        };
        let there = compare(&as_ours(&left), &as_theirs(&right)).unwrap();
        let back = compare(&as_ours(&right), &as_theirs(&left)).unwrap();
        let numbers = |of: &Comparison, kind: Kind| -> BTreeSet<String> {
            let chosen = of.differences.iter().filter(|it| it.kind() == kind);
            chosen.map(|it| it.platform_order_no.clone()).collect()
        };
        prop_assert_eq!(there.matched, back.matched);
        prop_assert_eq!(numbers(&there, Kind::Amount), numbers(&back, Kind::Amount));
        prop_assert_eq!(numbers(&there, Kind::UnknownHere), numbers(&back, Kind::MissingThere));
        prop_assert_eq!(numbers(&there, Kind::MissingThere), numbers(&back, Kind::UnknownHere));
        prop_assert_eq!(there.their_total, back.our_total);
    }

    /// The order of the entries, of either list, changes nothing.
    #[test]
    fn the_order_of_the_lists_makes_no_difference(
        (ours, shuffled_ours) in any_ours().prop_flat_map(|it| (Just(it.clone()), Just(it).prop_shuffle())),
        (theirs, shuffled) in any_theirs().prop_flat_map(|it| (Just(it.clone()), Just(it).prop_shuffle())),
    ) {
        prop_assert_eq!(compare(&ours, &theirs), compare(&shuffled_ours, &shuffled));
        prop_assert_eq!(list_sha256(&theirs), list_sha256(&shuffled));
    }
}
