//! Limits, spans, warnings.

use contracts::sla::{ClockKind, Span, SpanUnit, Target, Warning};

use super::*;
use crate::{
    calendar::Unit,
    grpc::testing::{hours, outage, span},
};

fn target(amount: u32, unit: SpanUnit) -> Option<Target> {
    Some(Target { span: span(amount, unit), field: String::new() })
}

fn of_outage(change: impl FnOnce(&mut ClockPolicy)) -> Vec<String> {
    let mut clock = outage();
    change(&mut clock);
    places(&profile("care", [clock]))
}

#[test]
fn a_promise_has_a_limit_and_no_availability() {
    assert_eq!(
        of_clock(|it| {
            it.committed = None;
            it.warnings.clear();
        }),
        ["committed"]
    );
    assert_eq!(of_clock(|it| it.availability = 1), ["availability"]);
    assert_eq!(
        of_clock(|it| it.committed = Some(Target::default())),
        ["committed.span"],
        "neither a span nor a field"
    );
}

#[test]
fn an_outage_has_no_limits_and_an_availability() {
    assert!(of_outage(|_| {}).is_empty());
    assert!(of_outage(|it| it.availability = 0).is_empty(), "none is promised");
    assert!(of_outage(|it| it.availability = 10_000).is_empty());
    assert_eq!(of_outage(|it| it.availability = 10_001), ["clocks[0].availability"]);
    assert_eq!(of_outage(|it| it.committed = hours(1)), ["clocks[0].committed"]);
    assert_eq!(of_outage(|it| it.contractual = hours(1)), ["clocks[0].committed"]);
    let warned = of_outage(|it| it.warnings = vec![Warning { percent: 50, before: None }]);
    assert_eq!(warned, ["clocks[0].warnings"], "there is no limit to come before");
}

#[test]
fn a_period_has_an_end_and_no_contract() {
    let of_period = |change: fn(&mut ClockPolicy)| {
        of_clock(|it| {
            it.kind = ClockKind::Period.into();
            it.contractual = None;
            change(it);
        })
    };
    assert!(of_period(|_| {}).is_empty());
    assert_eq!(of_period(|it| it.contractual = hours(9)), ["contractual"]);
    assert_eq!(of_period(|it| it.availability = 1), ["availability"]);
    assert_eq!(of_period(|it| (it.committed, it.warnings) = (None, vec![])), ["committed"]);
}

#[test]
fn the_contract_allows_no_less_than_we_promise() {
    for ((ours, unit), (theirs, of), is_right) in [
        ((2, SpanUnit::Hours), (2, SpanUnit::Hours), true),
        ((2, SpanUnit::Hours), (1, SpanUnit::Hours), false),
        ((2, SpanUnit::Hours), (120, SpanUnit::Minutes), true),
        ((2, SpanUnit::Hours), (119, SpanUnit::Minutes), false),
        ((1, SpanUnit::Minutes), (59, SpanUnit::Seconds), false),
        ((1, SpanUnit::Weeks), (7, SpanUnit::Days), true),
        ((1, SpanUnit::Weeks), (6, SpanUnit::Days), false),
        ((2, SpanUnit::Years), (23, SpanUnit::Months), false),
        ((2, SpanUnit::WorkingDays), (1, SpanUnit::WorkingDays), false),
        // which of them is longer depends on the calendar
        ((1, SpanUnit::WorkingDays), (1, SpanUnit::Hours), true),
        ((30, SpanUnit::Days), (1, SpanUnit::Months), true),
        ((100_000, SpanUnit::Hours), (99_999, SpanUnit::Hours), false),
    ] {
        let places = of_clock(|it| {
            it.committed = target(ours, unit);
            it.contractual = target(theirs, of);
        });
        let expected: &[&str] = if is_right { &[] } else { &["contractual"] };
        assert_eq!(places, expected, "{ours} {unit:?}, {theirs} {of:?}");
    }
    let to_the_end = |end_of_day| {
        let span = Some(Span { amount: 2, unit: SpanUnit::Days.into(), end_of_day });
        Some(Target { span, field: String::new() })
    };
    assert_eq!(
        of_clock(|it| (it.committed, it.contractual) = (to_the_end(true), to_the_end(false))),
        ["contractual"]
    );
}

#[test]
fn a_span_has_an_amount_and_a_unit() {
    let of_span = |given: Span| {
        of_clock(|it| {
            it.committed = Some(Target { span: Some(given), field: String::new() });
            it.contractual = None;
        })
    };
    let unit = SpanUnit::Hours.into();
    assert_eq!(of_span(Span { amount: 0, unit, end_of_day: false }), ["committed.span.amount"]);
    let huge = Span { amount: 100_001, unit, end_of_day: true };
    assert_eq!(of_span(huge), ["committed.span.amount"]);
    for unit in [0, 9, i32::MIN] {
        assert_eq!(of_span(Span { amount: 1, unit, end_of_day: false }), ["committed.span.unit"]);
    }
    assert_eq!(of_span(Span::default()), ["committed.span.amount", "committed.span.unit"]);
    let worst = of_clock(|it| {
        it.contractual = Some(Target { span: Some(Span::default()), ..Target::default() })
    });
    assert_eq!(worst, ["contractual.span.amount", "contractual.span.unit"]);
}

#[test]
fn a_span_is_read_unit_by_unit() {
    for (given, unit) in [
        (SpanUnit::Seconds, Unit::Seconds),
        (SpanUnit::Minutes, Unit::Minutes),
        (SpanUnit::Hours, Unit::Hours),
        (SpanUnit::WorkingDays, Unit::WorkingDays),
        (SpanUnit::Days, Unit::Days),
        (SpanUnit::Weeks, Unit::Weeks),
        (SpanUnit::Months, Unit::Months),
        (SpanUnit::Years, Unit::Years),
    ] {
        let mut fields = chassis::Fields::new();
        let given = Span { amount: 3, unit: given.into(), end_of_day: true };
        let read = crate::policy::span(&mut fields, &given);
        assert_eq!(read, Some(crate::calendar::Span::new(3, unit).to_end_of_day()));
        assert!(fields.is_fine());
    }
}

#[test]
fn a_warning_comes_before_the_limit_by_share_or_by_time() {
    let of_warning = |warning: Warning| of_clock(|it| it.warnings = vec![warning]);
    let before = || span(30, SpanUnit::Minutes);
    for percent in [1, 99] {
        assert!(of_warning(Warning { percent, before: None }).is_empty());
    }
    assert!(of_warning(Warning { percent: 0, before: before() }).is_empty());
    for percent in [0, 100, u32::MAX] {
        assert_eq!(of_warning(Warning { percent, before: None }), ["warnings[0].percent"]);
    }
    assert_eq!(of_warning(Warning { percent: 50, before: before() }), ["warnings[0]"]);
    let no_time = Warning { percent: 0, before: span(0, SpanUnit::Minutes) };
    assert_eq!(of_warning(no_time), ["warnings[0].before.amount"]);
    assert_eq!(
        of_clock(|it| it.warnings = vec![Warning { percent: 50, before: None }; 11]),
        ["warnings"]
    );
}

#[test]
fn warnings_keep_their_numbers() {
    let clock = ClockPolicy {
        warnings: vec![
            Warning { percent: 80, before: None },
            Warning { percent: 0, before: span(5, SpanUnit::Minutes) },
        ],
        ..confirm()
    };
    let checked = checked(&profile("care", [clock])).unwrap();
    assert_eq!(
        checked.policies[0].warnings,
        [
            crate::policy::Warning::Percent(80),
            crate::policy::Warning::Before(crate::calendar::Span::new(5, Unit::Minutes)),
        ]
    );
}
