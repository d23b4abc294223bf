//! The ladder, and what a breach brings about.

use contracts::{
    common::Money,
    sla::{Consequence, ConsequenceKind, EscalationStep, Span, SpanUnit},
};

use super::*;
use crate::grpc::testing::span;

fn yuan(minor_units: i64) -> Option<Money> {
    Some(Money { minor_units, currency: "CNY".into() })
}

fn of_step(step: EscalationStep) -> Vec<String> {
    let places = of_clock(|it| it.escalation = vec![step]);
    places.iter().map(|place| place.replacen("escalation[0].", "", 1)).collect()
}

fn of_consequence(consequence: Consequence) -> Vec<String> {
    let places = of_clock(|it| it.consequences = vec![consequence]);
    places.iter().map(|place| place.replacen("consequences[0].", "", 1)).collect()
}

#[test]
fn a_ladder_has_an_end() {
    let every = || span(1, SpanUnit::Hours);
    let step = || EscalationStep { to: "head".into(), ..EscalationStep::default() };
    assert!(of_step(step()).is_empty());
    assert!(of_step(EscalationStep { times: 1, ..step() }).is_empty());
    assert!(of_step(EscalationStep { every: every(), times: 100, ..step() }).is_empty());
    assert_eq!(of_step(EscalationStep { every: every(), times: 0, ..step() }), ["times"]);
    assert_eq!(of_step(EscalationStep { every: every(), times: 101, ..step() }), ["times"]);
    assert_eq!(of_step(EscalationStep { times: 2, ..step() }), ["every"]);
    assert_eq!(of_step(EscalationStep { times: u32::MAX, ..step() }), ["every", "times"]);
    assert_eq!(of_step(EscalationStep { to: String::new(), ..step() }), ["to"]);
    assert_eq!(of_step(EscalationStep { to: "the head".into(), ..step() }), ["to"]);
    let after = Some(Span { amount: 0, unit: SpanUnit::Days.into(), end_of_day: false });
    assert_eq!(of_step(EscalationStep { after, ..step() }), ["after.amount"]);
    let every = Some(Span { amount: 1, unit: 77, end_of_day: false });
    assert_eq!(of_step(EscalationStep { every, times: 2, ..step() }), ["every.unit"]);
    assert_eq!(of_clock(|it| it.escalation = vec![step(); 11]), ["escalation"]);
}

#[test]
fn a_step_without_a_count_is_taken_once() {
    let checked = checked(&profile("care", [confirm()])).unwrap();
    let times: Vec<_> = checked.policies[0].steps.iter().map(|step| step.times).collect();
    assert_eq!(times, [1, 2]);
}

#[test]
fn a_penalty_has_two_amounts_of_one_currency_and_nothing_else_has_any() {
    let penalty = |minimum: Option<Money>, maximum: Option<Money>| {
        of_consequence(Consequence {
            kind: ConsequenceKind::Penalty.into(),
            minimum,
            maximum,
            ..Consequence::default()
        })
    };
    assert!(penalty(yuan(1_000), yuan(5_000)).is_empty());
    assert!(penalty(yuan(5_000), yuan(5_000)).is_empty());
    assert_eq!(penalty(None, None), ["minimum"]);
    assert_eq!(penalty(yuan(1_000), None), ["minimum"]);
    assert_eq!(penalty(None, yuan(1_000)), ["minimum"]);
    assert_eq!(penalty(yuan(5_001), yuan(5_000)), ["maximum"]);
    let euro = Some(Money { minor_units: 5_000, currency: "EUR".into() });
    assert_eq!(penalty(yuan(1_000), euro), ["maximum"]);
    for (minor_units, place) in [(0, "minimum"), (-1, "minimum"), (i64::MIN, "minimum")] {
        assert_eq!(penalty(yuan(minor_units), yuan(5_000)), [format!("{place}.minor_units")]);
    }
    assert_eq!(penalty(yuan(1), yuan(i64::MAX)), ["maximum.minor_units"]);
    for currency in ["", "cny", "Yuan", "元", &"C".repeat(1_000_000)] {
        let of = |minor_units| Some(Money { minor_units, currency: currency.to_owned() });
        assert_eq!(penalty(of(1), of(2)), ["minimum.currency"]);
    }
    let priced = Consequence {
        kind: ConsequenceKind::CostsBorne.into(),
        minimum: yuan(1),
        maximum: yuan(2),
        ..Consequence::default()
    };
    assert_eq!(of_consequence(priced), ["minimum"]);
}

#[test]
fn a_consequence_is_one_of_those_there_are() {
    for kind in [0, 15, -7] {
        assert_eq!(of_consequence(Consequence { kind, ..Consequence::default() }), ["kind"]);
    }
    let wordy = Consequence {
        kind: ConsequenceKind::CostsBorne.into(),
        detail: "d".repeat(501),
        ..Consequence::default()
    };
    assert_eq!(of_consequence(wordy), ["detail"]);
    let one = Consequence { kind: ConsequenceKind::CostsBorne.into(), ..Consequence::default() };
    assert_eq!(of_clock(|it| it.consequences = vec![one; 11]), ["consequences"]);
}
