//! Given a history, when a command comes, then this happens.
//!
//! Each step is a type of its own, so that a test in a wrong order does not compile:
//!
//! ```
//! # use decider::{Aggregate, Decision, emit, unchanged, scenario::given};
//! # #[derive(Default, Debug, PartialEq)] enum Lamp { #[default] Off, On }
//! # #[derive(Debug, PartialEq, Clone)] enum Event { Lit }
//! # #[derive(Debug, PartialEq)] struct Never;
//! # impl Aggregate for Lamp { type Event = Event; fn evolve(self, _: &Event) -> Self { Lamp::On } }
//! # impl Lamp { fn light(&self) -> Decision<Event, Never> {
//! #   match self { Lamp::Off => emit(Event::Lit), Lamp::On => unchanged() } } }
//! given::<Lamp>([]).when(|lamp| lamp.light()).then([Event::Lit]).repeated();
//! ```
//!
//! ```compile_fail
//! # use decider::{Aggregate, Decision, emit, scenario::given};
//! # #[derive(Default, Debug, PartialEq)] enum Lamp { #[default] Off }
//! # #[derive(Debug, PartialEq, Clone)] enum Event { Lit }
//! # impl Aggregate for Lamp { type Event = Event; fn evolve(self, _: &Event) -> Self { Lamp::Off } }
//! // No outcome before a command: `Given` has no `then`.
//! given::<Lamp>([]).then([Event::Lit]);
//! ```

use std::fmt::Debug;

use crate::{Aggregate, Decision, fold};

/// A history, waiting for a command.
#[derive(Debug)]
#[must_use = "a history alone proves nothing: say `when`"]
pub struct Given<A: Aggregate> {
    history: Vec<A::Event>,
}

/// A history and what a command decided on it, waiting to be judged.
#[must_use = "a decision alone proves nothing: say `then`, `then_nothing` or `then_refused`"]
pub struct When<A: Aggregate, R, F> {
    history: Vec<A::Event>,
    command: F,
    decision: Decision<A::Event, R>,
}

/// A judged outcome; the command can be given once more.
pub struct Then<A: Aggregate, F> {
    history: Vec<A::Event>,
    command: F,
}

/// Starts a scenario from a history.
pub fn given<A: Aggregate>(history: impl IntoIterator<Item = A::Event>) -> Given<A> {
    Given { history: history.into_iter().collect() }
}

impl<A: Aggregate> Given<A> {
    /// Gives the command to the state that the history leads to.
    pub fn when<R, F>(self, command: F) -> When<A, R, F>
    where
        F: Fn(&A) -> Decision<A::Event, R>,
    {
        let decision = command(&fold(&self.history));
        When { history: self.history, command, decision }
    }

    /// The state that the history leads to, for assertions on it.
    pub fn state(&self) -> A {
        fold(&self.history)
    }
}

#[allow(clippy::panic, reason = "an assertion of the test harness")]
impl<A, R, F> When<A, R, F>
where
    A: Aggregate,
    A::Event: Debug + PartialEq,
    R: Debug + PartialEq,
    F: Fn(&A) -> Decision<A::Event, R>,
{
    /// Exactly these events.
    pub fn then(mut self, expected: impl IntoIterator<Item = A::Event>) -> Then<A, F> {
        let expected: Vec<_> = expected.into_iter().collect();
        match self.decision {
            Ok(events) => {
                assert_eq!(events, expected, "other events than expected");
                self.history.extend(events);
                Then { history: self.history, command: self.command }
            }
            Err(rejection) => panic!("refused: {rejection:?}, expected {expected:?}"),
        }
    }

    /// Events for which this holds, at least one.
    pub fn then_events(mut self, holds: impl FnOnce(&[A::Event]) -> bool) -> Then<A, F> {
        match self.decision {
            Ok(events) => {
                assert!(!events.is_empty() && holds(&events), "unexpected events: {events:?}");
                self.history.extend(events);
                Then { history: self.history, command: self.command }
            }
            Err(rejection) => panic!("refused: {rejection:?}"),
        }
    }

    /// Nothing, because it has been done.
    pub fn then_nothing(self) {
        match self.decision {
            Ok(events) => assert!(events.is_empty(), "expected nothing, got {events:?}"),
            Err(rejection) => panic!("refused: {rejection:?}, expected nothing"),
        }
    }

    /// Exactly this rejection.
    pub fn then_refused(self, expected: R) {
        match self.decision {
            Ok(events) => panic!("accepted with {events:?}, expected {expected:?}"),
            Err(rejection) => assert_eq!(rejection, expected, "another rejection than expected"),
        }
    }

    /// A rejection for which this holds.
    pub fn then_refused_as(self, holds: impl FnOnce(&R) -> bool) {
        match self.decision {
            Ok(events) => panic!("accepted with {events:?}, expected a rejection"),
            Err(rejection) => assert!(holds(&rejection), "another rejection: {rejection:?}"),
        }
    }
}

#[allow(clippy::panic, reason = "an assertion of the test harness")]
impl<A, F> Then<A, F>
where
    A: Aggregate,
    A::Event: Debug + PartialEq,
{
    /// The same command once more yields nothing: a repeat is no second fact.
    pub fn repeated<R: Debug>(self)
    where
        F: Fn(&A) -> Decision<A::Event, R>,
    {
        match (self.command)(&fold(&self.history)) {
            Ok(events) => assert!(events.is_empty(), "a repeat yields {events:?}"),
            Err(rejection) => panic!("a repeat is refused: {rejection:?}"),
        }
    }

    /// The state after it all, for assertions on it.
    pub fn state(&self) -> A {
        fold(&self.history)
    }
}
