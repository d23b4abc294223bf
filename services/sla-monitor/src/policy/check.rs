//! Checks a profile and makes it ready. Every wrong place is named: `clocks[2].stop[0].where[1].field`.

use std::{collections::BTreeSet, sync::Arc};

use chassis::{Fields, Violations};
use contracts::sla::{
    self as api, ClockKind, ConsequenceKind, DutyPeriod, FactKind, Party, SpanUnit,
};
use prost_reflect::MessageDescriptor;

use super::{
    Duty, Policy, Profile, Schedule, Step, Target, Warning,
    field::{self, Field, Named},
    pattern::{self, Condition, Pattern, Test},
};
use crate::calendar::{Span, Unit};

const MOST_POLICIES: usize = 200;
const MOST_PATTERNS: usize = 20;
const MOST_VALUES: usize = 50;
const WORDS: std::ops::RangeInclusive<usize> = 1..=500;
const LARGEST_PENALTY: i64 = 100_000_000;

/// Checks a profile against the contracts and the calendars that there are.
///
/// # Errors
/// Each wrong place, by its path from the profile.
pub fn check(
    profile: &api::Profile,
    version: u32,
    has_calendar: impl Fn(&str) -> bool,
) -> Result<Profile, Violations> {
    let mut fields = Fields::new();
    let checked = read(&mut fields, profile, version, has_calendar);
    fields.finish(checked)
}

/// The same, for a profile inside a request. What it returns counts only when nothing is wrong.
pub fn read(
    fields: &mut Fields,
    profile: &api::Profile,
    version: u32,
    has_calendar: impl Fn(&str) -> bool,
) -> Profile {
    let name = fields.identifier("name", &profile.name);
    fields.text("title", &profile.title, WORDS);
    let mut reader = Reader {
        profile: &name,
        version,
        has_calendar: &has_calendar,
        names: BTreeSet::new(),
        unbound: BTreeSet::new(),
    };
    let clocks = fields.repeated("clocks", &profile.clocks, 0..=MOST_POLICIES, |fields, clock| {
        reader.clock(fields, clock)
    });
    let duties = fields.repeated("duties", &profile.duties, 0..=MOST_POLICIES, |fields, duty| {
        reader.duty(fields, duty)
    });
    if profile.clocks.is_empty() && profile.duties.is_empty() {
        fields.refuse("clocks", "is empty, and so is duties: nothing is promised");
    }
    let unbound = std::mem::take(&mut reader.unbound);
    let policies = clocks.into_iter().chain(duties).map(Arc::new).collect();
    Profile { name, version, policies, unbound }
}

struct Reader<'a> {
    profile: &'a str,
    version: u32,
    has_calendar: &'a dyn Fn(&str) -> bool,
    names: BTreeSet<String>,
    unbound: BTreeSet<String>,
}

impl Reader<'_> {
    fn clock(&mut self, fields: &mut Fields, clock: &api::ClockPolicy) -> Policy {
        let name = self.name(fields, &clock.name);
        fields.text("title", &clock.title, WORDS);
        let kind: ClockKind = fields.choice("kind", clock.kind);
        let subject = subject(fields, &clock.subject);
        let start = Starting { committed: &clock.committed, contractual: &clock.contractual };
        let mut patterns = Vec::new();
        for (list, role, given) in pattern::lists(clock) {
            let count = if role == FactKind::Start { 1..=MOST_PATTERNS } else { 0..=MOST_PATTERNS };
            patterns.extend(fields.repeated(list, given, count, |fields, pattern| {
                self.pattern(fields, pattern, role, &subject, &start)
            }));
        }
        if clock.pause.is_empty() != clock.resume.is_empty() {
            fields.refuse("resume", "and pause belong together: give both or neither");
        }
        if clock.stop.is_empty() && matches!(kind, ClockKind::Promise | ClockKind::Outage) {
            fields.refuse("stop", "is empty: only a period comes to its end by itself");
        }
        if clock.exempt.is_empty() != clock.exempt_end.is_empty() {
            fields.refuse("exempt_end", "and exempt belong together: give both or neither");
        }
        let committed = limit(fields, "committed", &clock.committed, &clock.start);
        let contractual = limit(fields, "contractual", &clock.contractual, &clock.start);
        limits(fields, kind, clock, committed.as_ref(), contractual.as_ref());
        let warnings = warnings(fields, &clock.warnings);
        if committed.is_none() && !warnings.is_empty() {
            fields.refuse("warnings", "need a committed limit to come before");
        }
        let holder = match clock.holder {
            0 => Party::Supplier,
            given => fields.choice("holder", given),
        };
        Policy {
            profile: self.profile.to_owned(),
            version: self.version,
            name,
            title: clock.title.clone(),
            serves: serves(fields, &clock.serves),
            kind,
            subject,
            patterns,
            committed,
            contractual,
            calendar: self.calendar(fields, &clock.calendar),
            warnings,
            steps: ladder(fields, &clock.escalation),
            consequences: consequences(fields, &clock.consequences),
            holder,
            repeats: clock.repeats,
            availability: clock.availability,
            duty: None,
            told: clock.clone(),
        }
    }

    fn duty(&mut self, fields: &mut Fields, duty: &api::DutyPolicy) -> Policy {
        let name = self.name(fields, &duty.name);
        fields.text("title", &duty.title, WORDS);
        let anchored = duty.anchor.is_some();
        let subject = if anchored { subject(fields, &duty.subject) } else { Vec::new() };
        if !anchored && !duty.subject.is_empty() {
            fields.refuse("subject", "needs an anchor: a duty by the calendar is owed once");
        }
        let none = Starting { committed: &None, contractual: &None };
        let mut patterns = Vec::new();
        if let Some(anchor) = &duty.anchor {
            patterns.push(fields.nested("anchor", |fields| {
                self.pattern(fields, anchor, FactKind::Start, &subject, &none)
            }));
        }
        patterns.extend(fields.repeated(
            "fulfilled",
            &duty.fulfilled,
            0..=MOST_PATTERNS,
            |fields, pattern| self.pattern(fields, pattern, FactKind::Stop, &subject, &none),
        ));
        let schedule = schedule(fields, duty);
        let grace = duty
            .grace
            .as_ref()
            .and_then(|grace| fields.nested("grace", |fields| span(fields, grace)));
        let times_per_period = fields.number("times_per_period", duty.times_per_period, 0..=31);
        let owner = fields.identifier("owner", &duty.owner);
        let told = api::ClockPolicy {
            name: name.clone(),
            title: duty.title.clone(),
            serves: duty.serves.clone(),
            kind: ClockKind::Promise.into(),
            subject: subject.clone(),
            stop: duty.fulfilled.clone(),
            calendar: duty.calendar.clone(),
            warnings: duty.warnings.clone(),
            escalation: duty.escalation.clone(),
            consequences: duty.consequences.clone(),
            holder: Party::Supplier.into(),
            ..api::ClockPolicy::default()
        };
        Policy {
            profile: self.profile.to_owned(),
            version: self.version,
            name,
            title: duty.title.clone(),
            serves: serves(fields, &duty.serves),
            kind: ClockKind::Promise,
            subject,
            patterns,
            // each period brings its own
            committed: Some(Target { span: None, set_by_user: true }),
            contractual: None,
            calendar: self.calendar(fields, &duty.calendar),
            warnings: warnings(fields, &duty.warnings),
            steps: ladder(fields, &duty.escalation),
            consequences: consequences(fields, &duty.consequences),
            holder: Party::Supplier,
            repeats: false,
            availability: 0,
            duty: Some(Duty { owner, times_per_period: times_per_period.max(1), grace, schedule }),
            told,
        }
    }

    fn name(&mut self, fields: &mut Fields, name: &str) -> String {
        let name = fields.identifier("name", name);
        if !name.is_empty() && !self.names.insert(name.clone()) {
            fields.refuse("name", format!("{name} is taken by another clock or duty"));
        }
        name
    }

    fn calendar(&self, fields: &mut Fields, name: &str) -> String {
        let name = fields.identifier("calendar", name);
        if !name.is_empty() && !(self.has_calendar)(&name) {
            fields.refuse("calendar", format!("there is no calendar {name}; publish it first"));
        }
        name
    }

    fn pattern(
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
struct Starting<'a> {
    committed: &'a Option<api::Target>,
    contractual: &'a Option<api::Target>,
}

/// Where an event holds a deadline; what is wrong with it is said once, where it is named.
fn deadline(target: &Option<api::Target>, message: Option<&MessageDescriptor>) -> Option<Field> {
    let path = &target.as_ref()?.field;
    Field::find_time(message?, path).ok()
}

fn limit(
    fields: &mut Fields,
    field: &str,
    target: &Option<api::Target>,
    starts: &[api::Pattern],
) -> Option<Target> {
    let target = target.as_ref()?;
    fields.nested(field, |fields| {
        let given = target.span.as_ref();
        let span = given.and_then(|given| fields.nested("span", |fields| span(fields, given)));
        if target.span.is_none() && target.field.is_empty() {
            fields.refuse("span", "is missing, and so is field");
        }
        let path = fields.text("field", &target.field, 0..=200);
        if !path.is_empty() {
            let wrong = starts.iter().find_map(|start| match field::event(&start.event) {
                Named::Defined(message) => Field::find_time(&message, &path).err(),
                Named::Later | Named::Unknown => None,
            });
            if let Some(error) = wrong {
                fields.refuse("field", error.to_string());
            }
        }
        Some(Target { span, set_by_user: !target.field.is_empty() })
    })
}

fn subject(fields: &mut Fields, given: &[String]) -> Vec<String> {
    let names =
        fields.repeated("subject", given, 1..=4, |fields, name| fields.identifier("", name));
    if names.iter().collect::<BTreeSet<_>>().len() < names.len() {
        fields.refuse("subject", "names a part twice");
    }
    names
}

fn serves(fields: &mut Fields, given: &[String]) -> Vec<String> {
    fields.repeated("serves", given, 0..=20, |fields, id| fields.identifier("", id))
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

fn limits(
    fields: &mut Fields,
    kind: ClockKind,
    clock: &api::ClockPolicy,
    committed: Option<&Target>,
    contractual: Option<&Target>,
) {
    match kind {
        ClockKind::Unspecified => {}
        ClockKind::Promise | ClockKind::Period => {
            if committed.is_none() {
                fields.refuse("committed", "is missing");
            }
            if clock.availability > 0 {
                fields.refuse("availability", "is for outages only");
            }
        }
        ClockKind::Outage => {
            if committed.is_some() || contractual.is_some() {
                fields.refuse("committed", "and contractual are for promises: an outage has none");
            }
            fields.number("availability", clock.availability, 0..=10_000);
        }
    }
    if kind == ClockKind::Period && contractual.is_some() {
        fields.refuse("contractual", "is for promises only");
    }
    let length = |target: Option<&Target>| target.and_then(|target| target.span).map(length);
    if let (Some((unit, ours)), Some((of, theirs))) = (length(committed), length(contractual))
        && unit == of
        && theirs < ours
    {
        fields.refuse("contractual", "is earlier than the committed limit");
    }
}

/// How long a span is, among those that can be compared without a calendar.
fn length(span: Span) -> (Unit, (u64, bool)) {
    let (unit, times) = match span.unit {
        Unit::Seconds => (Unit::Seconds, 1),
        Unit::Minutes => (Unit::Seconds, 60),
        Unit::Hours => (Unit::Seconds, 3_600),
        Unit::WorkingDays => (Unit::WorkingDays, 1),
        Unit::Days => (Unit::Days, 1),
        Unit::Weeks => (Unit::Days, 7),
        Unit::Months => (Unit::Months, 1),
        Unit::Years => (Unit::Months, 12),
    };
    (unit, (u64::from(span.amount) * times, span.end_of_day))
}

fn warnings(fields: &mut Fields, given: &[api::Warning]) -> Vec<Warning> {
    fields
        .repeated("warnings", given, 0..=10, |fields, warning| match &warning.before {
            Some(before) if warning.percent == 0 => {
                let before = fields.nested("before", |fields| span(fields, before))?;
                Some(Warning::Before(before))
            }
            Some(_) => {
                fields.refuse("", "needs percent or before, not both");
                None
            }
            None => Some(Warning::Percent(fields.number("percent", warning.percent, 1..=99))),
        })
        .into_iter()
        .flatten()
        .collect()
}

fn ladder(fields: &mut Fields, given: &[api::EscalationStep]) -> Vec<Step> {
    fields.repeated("escalation", given, 0..=10, |fields, step| {
        let mut optional = |field: &str, given: &Option<api::Span>| {
            let given = given.as_ref()?;
            fields.nested(field, |fields| span(fields, given))
        };
        let (after, every) = (optional("after", &step.after), optional("every", &step.every));
        if step.every.is_some() && step.times == 0 {
            fields.refuse("times", "is missing: the ladder would have no end");
        }
        if step.every.is_none() && step.times > 1 {
            fields.refuse("every", "is missing: after which time again?");
        }
        Step {
            to: fields.identifier("to", &step.to),
            after,
            every,
            times: fields.number("times", step.times, 0..=100).max(1),
        }
    })
}

fn consequences(fields: &mut Fields, given: &[api::Consequence]) -> Vec<api::Consequence> {
    fields.repeated("consequences", given, 0..=10, |fields, consequence| {
        let kind: ConsequenceKind = fields.choice("kind", consequence.kind);
        fields.text("detail", &consequence.detail, 0..=500);
        match (&consequence.minimum, &consequence.maximum) {
            (None, None) if kind != ConsequenceKind::Penalty => {}
            (Some(least), Some(most)) if kind == ConsequenceKind::Penalty => {
                let bounds = 1..=LARGEST_PENALTY;
                fields.number("minimum.minor_units", least.minor_units, bounds.clone());
                fields.number("maximum.minor_units", most.minor_units, bounds);
                let code = least.currency.as_bytes();
                if code.len() != 3 || !code.iter().all(u8::is_ascii_uppercase) {
                    fields.refuse("minimum.currency", "is no ISO 4217 code such as CNY");
                }
                if least.currency != most.currency || least.minor_units > most.minor_units {
                    fields.refuse("maximum", "is below the minimum, or in another currency");
                }
            }
            _ => fields.refuse("minimum", "and maximum belong to a penalty, and to nothing else"),
        }
        consequence.clone()
    })
}

fn schedule(fields: &mut Fields, duty: &api::DutyPolicy) -> Schedule {
    if duty.anchor.is_none() {
        if duty.every.is_some() || duty.times > 0 {
            fields.refuse("every", "and times belong to a series that an anchor begins");
        }
        return Schedule::Calendar(fields.choice::<DutyPeriod>("period", duty.period));
    }
    if duty.period != 0 {
        fields.refuse("period", "and anchor exclude each other");
    }
    let every = fields.message("every", &duty.every, span).flatten();
    let times = fields.number("times", duty.times, 1..=100);
    match every {
        Some(every) => Schedule::Anchored { every, times },
        None => Schedule::Calendar(DutyPeriod::Unspecified),
    }
}

/// Reads a span.
pub fn span(fields: &mut Fields, given: &api::Span) -> Option<Span> {
    let amount = fields.number("amount", given.amount, 1..=100_000);
    let unit = match fields.choice("unit", given.unit) {
        SpanUnit::Unspecified => return None,
        SpanUnit::Seconds => Unit::Seconds,
        SpanUnit::Minutes => Unit::Minutes,
        SpanUnit::Hours => Unit::Hours,
        SpanUnit::WorkingDays => Unit::WorkingDays,
        SpanUnit::Days => Unit::Days,
        SpanUnit::Weeks => Unit::Weeks,
        SpanUnit::Months => Unit::Months,
        SpanUnit::Years => Unit::Years,
    };
    Some(Span { amount, unit, end_of_day: given.end_of_day })
}
