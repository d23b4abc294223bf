//! Checks a profile and makes it ready. Every wrong place is named: `clocks[2].stop[0].where[1].field`.

use std::{collections::BTreeSet, sync::Arc};

use chassis::{Fields, Violations};
use contracts::sla::{self as api, ClockKind, FactKind, Party};

mod limits;
mod patterns;

pub use limits::span;
use limits::{consequences, ladder, limit, limits, schedule, warnings};
use patterns::Starting;

use super::{Duty, Policy, Profile, Target, pattern};

const MOST_POLICIES: usize = 200;
const MOST_PATTERNS: usize = 20;
const MOST_VALUES: usize = 50;
const WORDS: std::ops::RangeInclusive<usize> = 1..=500;

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

/// The same, for a version that was checked when it was published. A pattern that this release no
/// longer understands hears nothing; an error is logged.
///
/// # Errors
/// More than patterns is no longer understood.
pub fn recorded(
    profile: &api::Profile,
    version: u32,
    has_calendar: impl Fn(&str) -> bool,
) -> Result<Profile, Violations> {
    let mut fields = Fields::new();
    let checked = read_as(true, &mut fields, profile, version, &has_calendar);
    fields.finish(checked)
}

/// The same, for a profile inside a request. What it returns counts only when nothing is wrong.
pub fn read(
    fields: &mut Fields,
    profile: &api::Profile,
    version: u32,
    has_calendar: impl Fn(&str) -> bool,
) -> Profile {
    read_as(false, fields, profile, version, &has_calendar)
}

fn read_as(
    recorded: bool,
    fields: &mut Fields,
    profile: &api::Profile,
    version: u32,
    has_calendar: &dyn Fn(&str) -> bool,
) -> Profile {
    let name = fields.identifier("name", &profile.name);
    fields.text("title", &profile.title, WORDS);
    let mut reader = Reader {
        profile: &name,
        version,
        recorded,
        has_calendar,
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
    /// It was published, and checked then.
    recorded: bool,
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
