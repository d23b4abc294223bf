//! Given facts and time, what a clock says.

#![allow(clippy::wildcard_enum_match_arm, reason = "a test looks at a few kinds of many")]

mod laws;

use contracts::sla::{
    Consequence, ConsequenceKind, Deadlines, Fact, FactKind, ReplanReason, ResultKind, SubjectPart,
};
use decider::{Aggregate as _, scenario::given};

use super::{About, Clock, Event, Rejection};
use crate::{
    calendar::{Span, Unit},
    timeline::{
        Plan,
        tests::sample::{at, fact, fact_named, hours, plan, until},
    },
};

pub(super) fn about() -> About {
    About {
        clock_id: "c-1".into(),
        profile: "test".into(),
        clock: "respond".into(),
        subject: vec![SubjectPart { name: "order_id".into(), value: "o-1".into() }],
        platform: "mall".into(),
        ..About::default()
    }
}

pub(super) fn note(clock: &Clock, fact: &Fact, plan: &Plan) -> Vec<Event> {
    clock.note(&about(), fact, plan).unwrap()
}

/// What the clock has said after each of these in turn.
fn told(plan: &Plan, facts: &[Fact]) -> Vec<Event> {
    let mut clock = Clock::default();
    let mut all = Vec::new();
    for fact in facts {
        let events = note(&clock, fact, plan);
        clock = events.iter().fold(clock, Clock::evolve);
        all.extend(events);
    }
    all
}

/// The events by name, without their package.
pub(crate) fn names(events: &[Event]) -> Vec<&'static str> {
    use contracts::Event as _;
    events.iter().map(|event| event.type_name().rsplit('.').next().unwrap()).collect()
}

fn promise() -> Plan {
    plan("24x7", hours(2))
}

fn started() -> Vec<Event> {
    told(&promise(), &[fact(FactKind::Start, 0)])
}

fn with_consequence(kind: ConsequenceKind) -> Plan {
    let mut policy = (*promise().policy).clone();
    policy.consequences = vec![Consequence { kind: kind.into(), ..Consequence::default() }];
    Plan { policy: policy.into(), ..promise() }
}

#[test]
fn a_start_tells_case_deadline_and_what_is_next() {
    let [Event::ClockStarted(event)] = &started()[..] else { panic!() };
    let clock = event.clock.as_ref().unwrap();
    assert_eq!((clock.platform.as_str(), clock.cycle), ("mall", 1));
    assert_eq!(event.deadlines.as_ref().unwrap().due_at, Some(eventlog::time::to_proto(at(120))));
    // half of the time is used up after an hour
    assert_eq!(clock.next_at, Some(eventlog::time::to_proto(at(60))));
}

#[test]
fn the_same_fact_again_is_a_repeat() {
    let plan = promise();
    given::<Clock>([])
        .when(|clock: &Clock| clock.note(&about(), &fact(FactKind::Start, 0), &plan))
        .then(started())
        .repeated();
}

#[test]
fn what_comes_before_the_start_is_passed_over_where_one_service_tells_all() {
    let plan = promise();
    given::<Clock>([])
        .when(|clock: &Clock| clock.note(&about(), &fact(FactKind::Stop, 0), &plan))
        .then([]);
}

#[test]
fn warnings_come_before_the_breach_and_the_ladder_after_it() {
    let plan = promise();
    let said = given::<Clock>(started()).state().advance(at(10_000), &plan).unwrap();
    let expected = [
        "WarningRaised",
        "WarningRaised",
        "DeadlineBreached",
        "ResultRecorded",
        "BreachEscalated",
        "BreachEscalated",
        "BreachEscalated",
    ];
    assert_eq!(names(&said), expected);
}

#[test]
fn nothing_is_said_before_its_time() {
    let plan = promise();
    let clock = given::<Clock>(started()).state();
    assert_eq!(clock.advance(at(60), &plan).unwrap(), []);
    assert_eq!(names(&clock.advance(at(61), &plan).unwrap()), ["WarningRaised"]);
    assert_eq!(names(&clock.advance(at(120), &plan).unwrap()), ["WarningRaised"; 2]);
    assert_eq!(names(&clock.advance(at(121), &plan).unwrap()).last(), Some(&"BreachEscalated"));
}

#[test]
fn time_that_passes_again_says_nothing_again() {
    let plan = promise();
    let said = given::<Clock>(started()).state().advance(at(500), &plan).unwrap();
    given::<Clock>(started())
        .when(|clock: &Clock| clock.advance(at(500), &plan))
        .then(said)
        .repeated();
}

#[test]
fn a_breach_carries_its_due_time_and_the_facts_that_prove_it() {
    let plan = with_consequence(ConsequenceKind::CostsBorne);
    let clock = given::<Clock>(told(&plan, &[fact(FactKind::Start, 0)])).state();
    let said = clock.advance(at(9_999), &plan).unwrap();
    let breach = said.iter().find_map(|event| match event {
        Event::DeadlineBreached(event) => Some(event),
        _ => None,
    });
    let breach = breach.unwrap();
    assert_eq!(breach.due_at, Some(eventlog::time::to_proto(at(120))));
    assert_eq!(breach.proof, [fact(FactKind::Start, 0)]);
    assert!(names(&said).contains(&"ConsequenceRaised"));
}

#[test]
fn a_late_stop_says_by_how_much() {
    let plan = promise();
    let mut events = started();
    let clock = given::<Clock>(events.clone()).state();
    events.extend(clock.advance(at(150), &plan).unwrap());
    let clock = given::<Clock>(events).state();
    let said = note(&clock, &fact(FactKind::Stop, 150), &plan);
    let [Event::ClockStopped(event), Event::ResultRecorded(late)] = &said[..] else {
        panic!("{said:?}")
    };
    assert_eq!(late.result.as_ref().unwrap().kind(), ResultKind::Late);
    assert!(!event.met);
    assert_eq!(event.overrun.as_ref().unwrap().seconds, 30 * 60);
    assert_eq!(event.elapsed.as_ref().unwrap().seconds, 150 * 60);
}

#[test]
fn a_stop_that_becomes_known_late_withdraws_the_breach() {
    let plan = promise();
    let mut events = started();
    events.extend(given::<Clock>(events.clone()).state().advance(at(500), &plan).unwrap());
    let clock = given::<Clock>(events).state();
    let said = note(&clock, &fact(FactKind::Stop, 100), &plan);
    let expected = ["ClockStopped", "BreachWithdrawn", "ResultRetracted", "ResultRecorded"];
    assert_eq!(names(&said), expected);
    let [Event::ClockStopped(stopped), Event::BreachWithdrawn(withdrawn), ..] = &said[..] else {
        panic!()
    };
    assert!(stopped.met && withdrawn.declared);
    let clock = said.iter().fold(clock, Clock::evolve);
    assert_eq!(clock.advance(at(9_000), &plan).unwrap(), []);
}

#[test]
fn a_provisional_breach_is_confirmed_or_withdrawn() {
    let plan = promise();
    let clock = given::<Clock>(started()).state();
    let unheard = ["ordering".to_owned()];
    let announced = clock.announce(at(121), &unheard, &plan).unwrap();
    assert_eq!(names(&announced), ["WarningRaised", "WarningRaised", "BreachAnnounced"]);
    let clock = announced.iter().fold(clock, Clock::evolve);
    assert_eq!(clock.announce(at(200), &unheard, &plan).unwrap(), []);

    let confirmed = clock.advance(at(121), &plan).unwrap();
    assert_eq!(names(&confirmed), ["DeadlineBreached", "ResultRecorded", "BreachEscalated"]);

    let said = note(&clock, &fact(FactKind::Stop, 90), &plan);
    assert_eq!(names(&said), ["ClockStopped", "BreachWithdrawn", "ResultRecorded"]);
    let Event::BreachWithdrawn(withdrawn) = &said[1] else { panic!() };
    assert!(!withdrawn.declared);
}

#[test]
fn a_warning_is_armed_again_by_a_pause_and_never_given_twice() {
    let plan = promise();
    let mut events = told(&plan, &[fact(FactKind::Start, 0), fact(FactKind::Pause, 30)]);
    let clock = given::<Clock>(events.clone()).state();
    assert_eq!(clock.advance(at(1_000), &plan).unwrap(), []);
    events.extend(note(&clock, &fact(FactKind::Resume, 1_000), &plan));
    let clock = given::<Clock>(events).state();
    assert_eq!(clock.advance(at(1_030), &plan).unwrap(), []);
    let said = clock.advance(at(1_031), &plan).unwrap();
    assert_eq!(names(&said), ["WarningRaised"]);
    let clock = said.iter().fold(clock, Clock::evolve);
    let paused = note(&clock, &fact(FactKind::Pause, 1_040), &plan);
    let clock = paused.iter().fold(clock, Clock::evolve);
    let resumed = note(&clock, &fact(FactKind::Resume, 1_050), &plan);
    let clock = resumed.iter().fold(clock, Clock::evolve);
    assert_eq!(clock.advance(at(1_060), &plan).unwrap(), []);
}

#[test]
fn a_reopened_clock_says_everything_anew() {
    let plan = promise();
    let facts = [fact(FactKind::Start, 0), fact(FactKind::Stop, 30), fact(FactKind::Reset, 1_000)];
    let events = told(&plan, &facts);
    assert_eq!(names(&events), ["ClockStarted", "ClockStopped", "ResultRecorded", "ClockReset"]);
    let said = given::<Clock>(events).state().advance(at(1_121), &plan).unwrap();
    assert_eq!(names(&said)[..3], ["WarningRaised", "WarningRaised", "DeadlineBreached"]);
}

#[test]
fn a_person_can_move_a_deadline_once_and_not_after_it_has_passed() {
    let plan = promise();
    let consent = until(fact_named(FactKind::Extend, 60, "consent-1"), 600);
    given::<Clock>(started())
        .when(|clock: &Clock| clock.record(&about(), &consent, &plan))
        .then(told(&plan, &[fact(FactKind::Start, 0), consent.clone()]).split_off(1))
        .repeated();
    let other = until(consent.clone(), 700);
    given::<Clock>(told(&plan, &[fact(FactKind::Start, 0), consent]))
        .when(|clock: &Clock| clock.record(&about(), &other, &plan))
        .then_refused(Rejection::Differs("until"));
    let late = until(fact_named(FactKind::Extend, 300, "consent-2"), 600);
    let clock = given::<Clock>(started()).state();
    assert!(matches!(clock.record(&about(), &late, &plan), Err(Rejection::Idle(_))));
}

#[test]
fn a_person_cannot_tell_anything_of_a_clock_that_has_not_started() {
    let plan = promise();
    given::<Clock>([])
        .when(|clock: &Clock| clock.record(&about(), &fact(FactKind::Stop, 1), &plan))
        .then_refused(Rejection::NotFound);
}

#[test]
fn another_version_moves_the_deadline_and_withdraws_what_no_longer_holds() {
    let old = promise();
    let mut events = started();
    events.extend(given::<Clock>(events.clone()).state().advance(at(500), &old).unwrap());
    let mut policy = (*plan("24x7", hours(12)).policy).clone();
    policy.version = 2;
    let new = Plan { policy: policy.into(), ..old };
    let clock = given::<Clock>(events).state();
    let said = clock.replan(ReplanReason::Policy, at(500), &new).unwrap();
    assert_eq!(names(&said), ["ClockReplanned", "BreachWithdrawn", "ResultRetracted"]);
    let clock = said.iter().fold(clock, Clock::evolve);
    assert_eq!(clock.pinned(), Some(("test", 2, "respond")));
    assert_eq!(clock.replan(ReplanReason::Policy, at(501), &new).unwrap(), []);
    assert_eq!(names(&clock.advance(at(721), &new).unwrap())[..1], ["WarningRaised"]);
}

#[test]
fn the_end_of_a_period_is_no_breach() {
    let mut policy = (*plan("24x7", Span::new(7, Unit::Days)).policy).clone();
    policy.kind = contracts::sla::ClockKind::Period;
    policy.warnings.clear();
    let plan = Plan { policy: policy.into(), ..promise() };
    let events = told(&plan, &[fact(FactKind::Start, 0)]);
    let clock = given::<Clock>(events).state();
    let said = clock.advance(at(7 * 1_440 + 1), &plan).unwrap();
    assert_eq!(names(&said), ["PeriodEnded"]);
    let clock = said.iter().fold(clock, Clock::evolve);
    assert!(clock.is_closed(&plan));
    assert_eq!(clock.advance(at(99_999), &plan).unwrap(), []);
}

#[test]
fn a_clock_tells_the_deadlines_it_was_told_last() {
    let Clock::Running(life) = given::<Clock>(started()).state() else { panic!() };
    assert_ne!(life.deadlines, Deadlines::default());
}
