//! Patterns over events: which events mean something to a clock, and what they say.

use contracts::sla::{self as api, FactKind, Party};
use jiff::Timestamp;
use prost_reflect::DynamicMessage;

use super::field::Field;

/// A pattern, found right.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    /// Full name of the event.
    pub event: String,
    /// What it does to the clock.
    pub role: FactKind,
    /// Who holds the case from then on, for a pause.
    pub holder: Party,
    /// Why, for a pause.
    pub reason: String,
    /// The fields; `None` while the contracts do not define the event.
    pub fields: Option<Fields>,
}

/// The fields that a pattern reads.
#[derive(Debug, Clone, PartialEq)]
pub struct Fields {
    pub(super) subject: Vec<Field>,
    pub(super) at: Option<Field>,
    pub(super) until: Option<Field>,
    pub(super) contractual_until: Option<Field>,
    pub(super) conditions: Vec<Condition>,
}

/// A condition on one field.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Condition {
    pub(super) field: Field,
    pub(super) test: Test,
    pub(super) negate: bool,
}

/// What is tested.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Test {
    Equals(Vec<String>),
    Present(bool),
    Above(i64),
}

/// What an event says to a clock.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// The case, one value for each part of the clock's subject.
    pub subject: Vec<String>,
    /// When it happened; `None` means when it was recorded.
    pub at: Option<Timestamp>,
    /// The deadline that it sets.
    pub until: Option<Timestamp>,
    /// The deadline of the contract that it sets.
    pub contractual_until: Option<Timestamp>,
}

impl Pattern {
    /// What an event of this pattern's name says; `None` when the pattern does not hold, or the
    /// event names no case.
    #[must_use]
    pub fn read(&self, event: &DynamicMessage) -> Option<Said> {
        let fields = self.fields.as_ref()?;
        if !fields.conditions.iter().all(|condition| condition.holds(event)) {
            return None;
        }
        let subject: Vec<String> = fields.subject.iter().map(|field| field.text(event)).collect();
        if subject.iter().any(String::is_empty) {
            return None;
        }
        let time = |field: &Option<Field>| field.as_ref().and_then(|field| field.time(event));
        Some(Said {
            subject,
            at: time(&fields.at),
            until: time(&fields.until),
            contractual_until: time(&fields.contractual_until),
        })
    }
}

impl Condition {
    fn holds(&self, event: &DynamicMessage) -> bool {
        let holds = match &self.test {
            Test::Equals(values) => values.contains(&self.field.text(event)),
            Test::Present(wanted) => self.field.is_present(event) == *wanted,
            Test::Above(bound) => self
                .field
                .text(event)
                .parse::<i128>()
                .is_ok_and(|number| number > i128::from(*bound)),
        };
        holds != self.negate
    }
}

/// The lists of patterns of a policy, with what each does.
pub(super) fn lists(policy: &api::ClockPolicy) -> [(&'static str, FactKind, &[api::Pattern]); 9] {
    [
        ("start", FactKind::Start, &policy.start),
        ("pause", FactKind::Pause, &policy.pause),
        ("resume", FactKind::Resume, &policy.resume),
        ("stop", FactKind::Stop, &policy.stop),
        ("cancel", FactKind::Cancel, &policy.cancel),
        ("reset", FactKind::Reset, &policy.reset),
        ("extend", FactKind::Extend, &policy.extend),
        ("exempt", FactKind::Exempt, &policy.exempt),
        ("exempt_end", FactKind::ExemptEnd, &policy.exempt_end),
    ]
}
