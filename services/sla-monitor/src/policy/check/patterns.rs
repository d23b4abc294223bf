//! Patterns: their events and fields are looked up in the contracts.

use chassis::Fields;
use contracts::sla::{self as api, FactKind, Party};
use prost_reflect::MessageDescriptor;

use super::{MOST_PATTERNS, MOST_VALUES, Reader};
use crate::policy::{
    field::{self, Field, Named},
    pattern::{self, Condition, Pattern, Test},
};

impl Reader<'_> {
    /// Reads a pattern. One that was published and is no longer understood is left out alone: the
    /// other patterns of its profile go on counting.
    pub(super) fn pattern(
        &mut self,
        fields: &mut Fields,
        given: &api::Pattern,
        role: FactKind,
        subject: &[String],
        start: &Starting<'_>,
    ) -> Pattern {
        if !self.recorded {
            return self.pattern_in(fields, given, role, subject, start);
        }
        let mut apart = Fields::new();
        let pattern = self.pattern_in(&mut apart, given, role, subject, start);
        match apart.finish(()) {
            Ok(()) => pattern,
            Err(violations) => {
                tracing::error!(
                    profile = self.profile,
                    version = self.version,
                    event = given.event,
                    %violations,
                    "a pattern of a published profile is not understood by this release"
                );
                Pattern { fields: None, ..pattern }
            }
        }
    }

    fn pattern_in(
        &mut self,
        fields: &mut Fields,
        given: &api::Pattern,
        role: FactKind,
        subject: &[String],
        start: &Starting<'_>,
    ) -> Pattern {
        let holder = match (role, given.holder) {
            (FactKind::Pause, 0) => {
                fields.refuse("holder", "is missing: who holds the case while it is halted?");
                Party::Unspecified
            }
            (_, 0) => Party::Unspecified,
            (_, holder) => fields.choice("holder", holder),
        };
        fields.text("reason", &given.reason, 0..=500);
        let event = fields.text("event", &given.event, 1..=200);
        let read = match field::event(&event) {
            // it is said already
            _ if event.is_empty() => None,
            Named::Defined(message) => reads(fields, given, role, subject, start, Some(&message)),
            Named::Later => {
                self.unbound.insert(given.event.clone());
                reads(fields, given, role, subject, start, None)
            }
            Named::Unknown => {
                fields.refuse("event", format!("the contracts define no event {}", given.event));
                None
            }
        };
        Pattern {
            event: given.event.clone(),
            role,
            holder,
            reason: given.reason.clone(),
            fields: read,
        }
    }
}

/// The fields that a pattern reads; of an event to come it is found out only whether they could be
/// names of fields.
fn reads(
    fields: &mut Fields,
    given: &api::Pattern,
    role: FactKind,
    subject: &[String],
    start: &Starting<'_>,
    message: Option<&MessageDescriptor>,
) -> Option<pattern::Fields> {
    let mut named = if given.subject.is_empty() { subject } else { &given.subject };
    if named.len() != subject.len() {
        fields.refuse("subject", format!("has {} paths, not {}", named.len(), subject.len()));
        named = &[];
    }
    let mut time = |name: &str, path: &str| {
        let path = fields.text(name, path, 0..=200);
        let message = message.filter(|_| !path.is_empty())?;
        fields.parsed(name, Field::find_time(message, &path))
    };
    let at = time("at", &given.at);
    let (until, contractual_until) = match role == FactKind::Start {
        true => (deadline(start.committed, message), deadline(start.contractual, message)),
        false => (time("until", &given.until), None),
    };
    if role == FactKind::Extend && given.until.is_empty() {
        fields.refuse("until", "is missing: where is the new deadline?");
    }
    let subject: Vec<Field> = named
        .iter()
        .enumerate()
        .filter_map(|(index, path)| {
            let place = format!("subject[{index}]");
            let path = fields.text(&place, path, 1..=200);
            let message = message.filter(|_| !path.is_empty())?;
            fields.parsed(&place, Field::find_value(message, &path))
        })
        .collect();
    let conditions =
        fields.repeated("where", &given.r#where, 0..=MOST_PATTERNS, |fields, given| {
            condition(fields, given, message)
        });
    message?;
    let conditions = conditions.into_iter().flatten().collect();
    Some(pattern::Fields { subject, at, until, contractual_until, conditions })
}

/// Where the starting events hold the deadlines.
pub(super) struct Starting<'a> {
    pub(super) committed: &'a Option<api::Target>,
    pub(super) contractual: &'a Option<api::Target>,
}

/// Where an event holds a deadline; what is wrong with it is said once, where it is named.
fn deadline(target: &Option<api::Target>, message: Option<&MessageDescriptor>) -> Option<Field> {
    let path = &target.as_ref()?.field;
    Field::find_time(message?, path).ok()
}

fn condition(
    fields: &mut Fields,
    given: &api::Condition,
    message: Option<&MessageDescriptor>,
) -> Option<Condition> {
    let path = fields.text("field", &given.field, 1..=200);
    let tests = usize::from(!given.equals.is_empty())
        + usize::from(given.present.is_some())
        + usize::from(given.above.is_some());
    if tests != 1 {
        fields.refuse("", "needs exactly one of equals, present and above");
        return None;
    }
    let message = message.filter(|_| !path.is_empty());
    let field = message.and_then(|message| {
        let find = if given.present.is_some() { Field::find } else { Field::find_value };
        fields.parsed("field", find(message, &path))
    });
    let test = match (given.present, given.above) {
        (Some(present), _) => Test::Present(present),
        (None, Some(bound)) => {
            if let Some(field) = field.as_ref().filter(|field| !field.is_number()) {
                fields.refuse("above", format!("{} is no number", field.path()));
            }
            Test::Above(bound)
        }
        (None, None) => {
            let choices = field.as_ref().and_then(Field::choices);
            let known =
                |value: &String| choices.as_ref().is_none_or(|choices| choices.contains(value));
            Test::Equals(fields.repeated(
                "equals",
                &given.equals,
                1..=MOST_VALUES,
                |fields, value| {
                    if !known(value) {
                        fields.refuse("", format!("is no value of {path}"));
                        return String::new();
                    }
                    fields.text("", value, 0..=200)
                },
            ))
        }
    };
    Some(Condition { field: field?, test, negate: given.negate })
}
