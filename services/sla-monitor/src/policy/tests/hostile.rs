//! Whatever comes in, the answer is a profile or a list of wrong places, never a panic.

use contracts::{
    common::Money,
    sla::{Condition, Consequence, EscalationStep, Pattern, Span, Target, Warning},
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use prost_reflect::DynamicMessage;

use super::*;

fn huge() -> String {
    "é".repeat(1_000_000)
}

#[test]
fn huge_texts_are_refused_wherever_they_stand() {
    let huge = huge();
    for (places, expected) in [
        (of_clock(|it| it.name.clone_from(&huge)), "name"),
        (of_clock(|it| it.title.clone_from(&huge)), "title"),
        (of_clock(|it| it.serves = vec![huge.clone()]), "serves[0]"),
        (of_clock(|it| it.calendar.clone_from(&huge)), "calendar"),
        (of_clock(|it| it.stop[0].event.clone_from(&huge)), "stop[0].event"),
        (of_clock(|it| it.stop[0].at.clone_from(&huge)), "stop[0].at"),
        (of_clock(|it| it.stop[0].reason.clone_from(&huge)), "stop[0].reason"),
        (of_clock(|it| it.stop[0].until.clone_from(&huge)), "stop[0].until"),
        (of_clock(|it| it.stop[0].subject = vec![huge.clone()]), "stop[0].subject[0]"),
        (of_clock(|it| it.committed.as_mut().unwrap().field.clone_from(&huge)), "committed.field"),
        (of_clock(|it| it.escalation[0].to.clone_from(&huge)), "escalation[0].to"),
        (of_clock(|it| it.consequences[0].detail.clone_from(&huge)), "consequences[0].detail"),
        (of_duty(report(), |it| it.owner.clone_from(&huge)), "owner"),
    ] {
        assert_eq!(places, [expected]);
    }
    let condition =
        Condition { field: huge.clone(), equals: vec![huge.clone()], ..Condition::default() };
    let places = of_clock(|it| it.stop[0].r#where = vec![condition]);
    assert_eq!(places, ["stop[0].where[0].field", "stop[0].where[0].equals[0]"]);
    let named = api::Profile { name: huge.clone(), title: huge, ..profile("", [confirm()]) };
    assert_eq!(super::places(&named), ["name", "title"]);
}

#[test]
fn thousands_of_items_are_counted_and_not_read() {
    let names = vec!["x".to_owned(); 100_000];
    assert!(of_clock(|it| it.subject.clone_from(&names)).contains(&"subject".to_owned()));
    assert_eq!(of_clock(|it| it.serves.clone_from(&names)), ["serves"]);
    let many = vec![Pattern::default(); 100_000];
    assert_eq!(of_clock(|it| it.stop.clone_from(&many)), ["stop"]);
    let where_ = vec![Condition::default(); 100_000];
    assert_eq!(of_clock(|it| it.stop[0].r#where = where_), ["stop[0].where"]);
    let condition = Condition { field: "order_id".into(), equals: names, ..Condition::default() };
    let places = of_clock(|it| it.stop[0].r#where = vec![condition]);
    assert_eq!(places, ["stop[0].where[0].equals"]);
    let clocks = vec![ClockPolicy::default(); 100_000];
    assert_eq!(super::places(&profile("care", clocks)), ["clocks"]);
    let wrong = vec![ClockPolicy::default(); 200];
    assert_eq!(super::places(&profile("care", wrong)).len(), 24, "a reply has room for so many");
}

#[test]
fn a_path_through_many_messages_comes_to_an_end() {
    for path in ["terms".to_owned() + &".terms".repeat(30), ".".repeat(200), "terms.".repeat(33)] {
        assert_eq!(of_clock(|it| it.start[0].at.clone_from(&path)), ["start[0].at"], "{path}");
    }
}

/// Words that mean something somewhere, and words that mean nothing anywhere.
fn word() -> impl Strategy<Value = String> {
    let words = [
        "",
        " ",
        "care",
        "confirm",
        "order_id",
        "terms.order_id",
        "terms.placed_at",
        "terms",
        "terms.lines",
        "terms.lines.line_no",
        "terms.total.minor_units",
        "from_pre_order",
        "confirmed_at",
        "reason",
        "REJECTION_REASON_BRAND",
        "true",
        "24x7",
        "5x8",
        "CNY",
        "a.b.c",
        "..",
        "\u{0}",
        "订单",
        "-1",
        "9223372036854775808",
    ];
    prop_oneof![9 => select(words.to_vec()).prop_map(str::to_owned), 1 => "\\PC{0,80}"]
}

fn event() -> impl Strategy<Value = String> {
    let events = [
        "emall.ordering.v1.OrderPlaced",
        "emall.ordering.v1.OrderConfirmed",
        "emall.ordering.v1.GoodsRejected",
        "emall.ordering.v1.TrackingRecorded",
        "emall.ordering.v1.OrderTerms",
        "emall.ordering.v1.Nothing",
        "emall.aftersales.v1.Asked",
        "emall.sla.v1.ClockStarted",
        "google.protobuf.Timestamp",
        "emall",
        "",
    ];
    prop_oneof![9 => select(events.to_vec()).prop_map(str::to_owned), 1 => "\\PC{0,40}"]
}

/// Numbers of enums, most of them in range.
fn number() -> impl Strategy<Value = i32> {
    prop_oneof![8 => 0_i32..10, 1 => any::<i32>()]
}

fn amount() -> impl Strategy<Value = u32> {
    prop_oneof![8 => 0_u32..110, 1 => any::<u32>()]
}

fn spans() -> impl Strategy<Value = Option<Span>> {
    option::of((amount(), number(), any::<bool>()).prop_map(|(amount, unit, end_of_day)| Span {
        amount,
        unit,
        end_of_day,
    }))
}

fn target() -> impl Strategy<Value = Option<Target>> {
    option::of((spans(), word()).prop_map(|(span, field)| Target { span, field }))
}

prop_compose! {
    fn condition()(
        field in word(),
        equals in vec(word(), 0..3),
        present in option::weighted(0.3, any::<bool>()),
        above in option::weighted(0.3, any::<i64>()),
        negate in any::<bool>(),
    ) -> Condition {
        Condition { field, equals, present, above, negate }
    }
}

prop_compose! {
    fn a_pattern()(
        event in event(),
        r#where in vec(condition(), 0..2),
        subject in vec(word(), 0..3),
        at in word(),
        holder in number(),
        reason in word(),
        until in word(),
    ) -> Pattern {
        Pattern { event, r#where, subject, at, holder, reason, until }
    }
}

fn patterns(most: usize) -> impl Strategy<Value = Vec<Pattern>> {
    vec(a_pattern(), 0..=most)
}

fn warnings() -> impl Strategy<Value = Vec<Warning>> {
    vec((amount(), spans()).prop_map(|(percent, before)| Warning { percent, before }), 0..3)
}

fn ladder() -> impl Strategy<Value = Vec<EscalationStep>> {
    let step = (word(), spans(), spans(), amount());
    vec(step.prop_map(|(to, after, every, times)| EscalationStep { to, after, every, times }), 0..3)
}

fn money() -> impl Strategy<Value = Option<Money>> {
    let money = (any::<i64>(), word());
    option::of(money.prop_map(|(minor_units, currency)| Money { minor_units, currency }))
}

fn consequences() -> impl Strategy<Value = Vec<Consequence>> {
    let one = (number(), word(), money(), money(), any::<bool>());
    vec(
        one.prop_map(|(kind, detail, minimum, maximum, on_contractual_limit)| Consequence {
            kind,
            detail,
            minimum,
            maximum,
            on_contractual_limit,
        }),
        0..3,
    )
}

prop_compose! {
    fn clock()(
        (name, title, serves, kind) in (word(), word(), vec(word(), 0..2), number()),
        subject in vec(word(), 0..4),
        (start, pause, resume, stop) in (patterns(2), patterns(1), patterns(1), patterns(2)),
        (cancel, reset, extend) in (patterns(1), patterns(1), patterns(1)),
        (exempt, exempt_end) in (patterns(1), patterns(1)),
        (committed, contractual, calendar) in (target(), target(), word()),
        (warnings, escalation, consequences) in (warnings(), ladder(), consequences()),
        (holder, repeats, availability) in (number(), any::<bool>(), any::<u32>()),
    ) -> ClockPolicy {
        ClockPolicy {
            name, title, serves, kind, subject, start, pause, resume, stop, cancel, reset, extend,
            exempt, exempt_end, committed, contractual, calendar, warnings, escalation,
            consequences, holder, repeats, availability,
        }
    }
}

prop_compose! {
    fn duty()(
        (name, title, serves, period) in (word(), word(), vec(word(), 0..2), number()),
        (anchor, subject) in (option::of(a_pattern()), vec(word(), 0..3)),
        (every, times, grace) in (spans(), amount(), spans()),
        (fulfilled, calendar, owner) in (patterns(2), word(), word()),
        (warnings, escalation, consequences) in (warnings(), ladder(), consequences()),
        times_per_period in amount(),
    ) -> DutyPolicy {
        DutyPolicy {
            name, title, serves, period, anchor, subject, every, times, grace, fulfilled, calendar,
            owner, warnings, escalation, consequences, times_per_period,
        }
    }
}

/// A clock that is right but for a few of its fields.
fn nearly_right() -> impl Strategy<Value = ClockPolicy> {
    (clock(), any::<[bool; 12]>()).prop_map(|(wild, from_it)| {
        let mut clock = confirm();
        let mut take = from_it.map(|of_two| of_two && wild.repeats).into_iter();
        let mut from = || take.next().unwrap_or_default();
        if from() {
            clock.stop = wild.stop
        }
        if from() {
            clock.start = wild.start
        }
        if from() {
            clock.pause = wild.pause
        }
        if from() {
            clock.extend = wild.extend
        }
        if from() {
            clock.committed = wild.committed
        }
        if from() {
            clock.contractual = wild.contractual
        }
        if from() {
            clock.warnings = wild.warnings
        }
        if from() {
            clock.escalation = wild.escalation
        }
        if from() {
            clock.consequences = wild.consequences
        }
        if from() {
            clock.holder = wild.holder
        }
        if from() {
            clock.kind = wild.kind
        }
        if from() {
            clock.subject = wild.subject
        }
        clock
    })
}

/// What was found right can be applied to any event.
fn apply(profile: &Profile, body: &[u8]) {
    for pattern in profile.policies.iter().flat_map(|policy| &policy.patterns) {
        let Some(descriptor) = contracts::pool().get_message_by_name(&pattern.event) else {
            assert!(profile.unbound.contains(&pattern.event));
            continue;
        };
        let _ = pattern.read(&DynamicMessage::new(descriptor.clone()));
        if let Ok(message) = DynamicMessage::decode(descriptor, body) {
            let _ = pattern.read(&message);
        }
    }
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn any_profile_is_right_or_wrong_in_a_place(
        (name, title) in (word(), word()),
        clocks in vec(clock(), 0..3),
        duties in vec(duty(), 0..3),
        body in vec(any::<u8>(), 0..60),
    ) {
        match checked(&api::Profile { name, title, clocks, duties }) {
            Ok(profile) => apply(&profile, &body),
            Err(violations) => {
                prop_assert!((1..=24).contains(&violations.iter().count()));
                prop_assert!(violations.iter().all(|it| it.field.len() <= 120));
                prop_assert!(violations.iter().all(|it| it.description.len() < 600));
            }
        }
    }

    #[test]
    fn a_clock_that_is_right_can_be_applied(
        clock in nearly_right(),
        body in vec(any::<u8>(), 0..60),
    ) {
        if let Ok(profile) = checked(&profile("care", [clock])) {
            apply(&profile, &body);
            for policy in &profile.policies {
                prop_assert!(!policy.subject.is_empty() && !policy.name.is_empty());
                prop_assert!(policy.steps.iter().all(|step| (1..=100).contains(&step.times)));
                let bound = policy.patterns.iter().filter_map(|it| it.fields.as_ref());
                prop_assert!(bound.clone().all(|it| it.subject.len() == policy.subject.len()));
            }
        }
    }
}
