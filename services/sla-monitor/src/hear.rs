//! What an event says to which clocks.
//!
//! ```text
//! event ──hear──▶ for each clock that may care: a case, a fact ──decide(clock)──▶ its events
//! ```
//!
//! Invariant: what follows from an event depends on the event, on the rules that counted when it was
//! recorded, and on the clock; not on when it is read. A clock hears an event of a moment only after
//! it has said all that was due before that moment.

use contracts::sla::{Fact, FactKind, SubjectPart};
use decider::{Aggregate as _, Decision, unchanged};
use eventlog::{RecordedEvent, time::to_proto};
use jiff::Timestamp;
use prost_reflect::DynamicMessage;
use uuid::Uuid;

use crate::{
    clock::{About, Clock, Event, Rejection},
    duty::owed_after,
    policy::{Field, Pattern, Policy, Said},
    rules::Rules,
    timeline::{Plan, time},
};

/// Names clocks by profile, clock, case and period.
const NAMESPACE: Uuid = Uuid::from_u128(0x6c0f_39a4_55e3_4f1b_8f0e_7f3d_51c2_a9b7);

/// Separates the parts of a name; no identifier contains it.
const SEPARATOR: &str = "\u{1f}";

/// The id of a clock.
#[must_use]
pub fn clock_id(profile: &str, clock: &str, subject: &[String], period: &str) -> String {
    let mut parts = vec![profile, clock, period];
    parts.extend(subject.iter().map(String::as_str));
    Uuid::new_v5(&NAMESPACE, parts.join(SEPARATOR).as_bytes()).to_string()
}

/// What an event says to clocks of one policy about one case.
#[derive(Debug, Clone)]
pub struct Heard {
    /// The clocks it may be for: one, or the periods of a duty, of which the first open one takes it.
    pub clocks: Vec<Told>,
}

/// A clock, and what it is told.
#[derive(Debug, Clone)]
pub struct Told {
    /// Which clock.
    pub about: About,
    /// What starts it, under the rules that counted then.
    pub start: Option<(Fact, Plan)>,
}

/// An event, opened.
#[derive(Debug)]
pub struct Opened<'a> {
    id: &'a str,
    event: &'a RecordedEvent,
    message: DynamicMessage,
    platform: String,
    contract_id: String,
    recorded_at: Timestamp,
}

impl<'a> Opened<'a> {
    /// Opens an event; `None` when no clock goes by its type, the contracts do not know it, or its
    /// body is damaged. `id` names it: `ORDERING/42`.
    #[must_use]
    pub fn open(id: &'a str, event: &'a RecordedEvent, rules: &Rules) -> Option<Self> {
        if !rules.heeds(&event.r#type) {
            return None;
        }
        let descriptor = contracts::pool().get_message_by_name(&event.r#type)?;
        let message = DynamicMessage::decode(descriptor.clone(), event.body.clone()).ok()?;
        let contract_id = ["contract_id", "terms.contract_id"].into_iter().find_map(|path| {
            let field = Field::find_value(&descriptor, path).ok()?;
            Some(field.text(&message)).filter(|text| !text.is_empty())
        });
        let platform = event.metadata.as_ref().map(|metadata| metadata.platform.clone());
        let own = Field::find_value(&descriptor, "platform").map(|field| field.text(&message));
        let own = own.or_else(|_| {
            Field::find_value(&descriptor, "terms.platform").map(|field| field.text(&message))
        });
        Some(Self {
            id,
            event,
            message,
            platform: own.ok().filter(|own| !own.is_empty()).or(platform).unwrap_or_default(),
            contract_id: contract_id.unwrap_or_default(),
            recorded_at: time(&event.recorded_at).unwrap_or_default(),
        })
    }

    /// When it was recorded.
    #[must_use]
    pub fn recorded_at(&self) -> Timestamp {
        self.recorded_at
    }

    /// To which clocks it says something.
    #[must_use]
    pub fn hear(&self, rules: &Rules) -> Vec<Heard> {
        let mut heard = Vec::new();
        let bound = rules.bound(&self.platform, &self.contract_id, self.recorded_at);
        let counting =
            bound.into_iter().filter_map(|profile| rules.version_at(profile, self.recorded_at));
        for policy in counting.flat_map(|profile| &profile.policies) {
            self.starts(policy, rules, &mut heard);
        }
        for profile in rules.ever_bound(&self.platform) {
            let mut asked: Vec<(&str, Vec<String>)> = Vec::new();
            for policy in rules.versions(profile).flat_map(|version| &version.policies) {
                for (_, said) in self.said(policy, |role| role != FactKind::Start) {
                    let case = (policy.name.as_str(), said.subject);
                    if !asked.contains(&case) {
                        heard.push(self.others(policy, &case.1, rules));
                        asked.push(case);
                    }
                }
            }
        }
        heard
    }

    fn said<'p>(
        &'p self,
        policy: &'p Policy,
        wanted: impl Fn(FactKind) -> bool + 'p,
    ) -> impl Iterator<Item = (&'p Pattern, Said)> + 'p {
        policy
            .patterns
            .iter()
            .filter(move |pattern| pattern.event == self.event.r#type && wanted(pattern.role))
            .filter_map(|pattern| Some((pattern, pattern.read(&self.message)?)))
    }

    /// What it says to the clock of one policy and case, whichever version of the profile counts.
    pub(crate) fn facts_for(&self, policy: &Policy, subject: &[String]) -> Vec<Fact> {
        self.said(policy, |_| true)
            .filter(|(_, said)| said.subject == subject)
            .map(|(pattern, said)| self.fact(pattern, &said))
            .collect()
    }

    fn starts(&self, policy: &std::sync::Arc<Policy>, rules: &Rules, heard: &mut Vec<Heard>) {
        let Some(plan) = rules.plan_of(policy) else { return };
        let mut cases: Vec<Vec<String>> = Vec::new();
        for (pattern, said) in self.said(policy, |role| role == FactKind::Start) {
            if cases.contains(&said.subject) {
                continue;
            }
            cases.push(said.subject.clone());
            let fact = self.fact(pattern, &said);
            // without a deadline of the user's or a span there is nothing to watch
            let promised = policy.committed.as_ref().is_none_or(|target| {
                target.span.is_some() || fact.until.is_some() || policy.duty.is_some()
            });
            if !promised {
                continue;
            }
            let at = time(&fact.at).unwrap_or(self.recorded_at);
            match &policy.duty {
                None => {
                    let about = self.about(policy, &said.subject, "");
                    heard.push(Heard::one(about, Some((fact, plan.clone()))));
                }
                Some(_) => match owed_after(&fact, at, &plan) {
                    Ok(series) => heard.extend(series.into_iter().map(|owed| {
                        let about = self.about(policy, &said.subject, &owed.period);
                        Heard::one(about, Some((owed.start, plan.clone())))
                    })),
                    Err(error) => {
                        tracing::warn!(event = self.id, policy = policy.name, %error, "a series is not begun");
                    }
                },
            }
        }
    }

    /// The clocks of a policy for a case, which exist or not.
    fn others(&self, policy: &std::sync::Arc<Policy>, subject: &[String], rules: &Rules) -> Heard {
        let told = |period: &str| Told { about: self.about(policy, subject, period), start: None };
        let Some(duty) = &policy.duty else { return Heard { clocks: vec![told("")] } };
        Heard {
            clocks: self.periods(policy, duty, rules).iter().map(|period| told(period)).collect(),
        }
    }

    fn periods(
        &self,
        policy: &std::sync::Arc<Policy>,
        duty: &crate::policy::Duty,
        rules: &Rules,
    ) -> Vec<String> {
        use crate::{duty::period, policy::Schedule};
        let names = match duty.schedule {
            Schedule::Anchored { times, .. } => {
                (1..=times).map(|number| format!("#{number}")).collect()
            }
            Schedule::Calendar(length) => {
                let Some(plan) = rules.plan_of(policy) else { return Vec::new() };
                let now = period(self.recorded_at, length, &plan);
                let before = now.as_ref().ok().and_then(|now| {
                    let at = now.from.checked_sub(jiff::SignedDuration::from_nanos(1)).ok()?;
                    period(at, length, &plan).ok()
                });
                before.into_iter().chain(now.ok()).map(|period| period.name).collect::<Vec<_>>()
            }
        };
        names
            .into_iter()
            .flat_map(|name| {
                (1..=duty.times_per_period).map(move |time| match time {
                    1 => name.clone(),
                    time => format!("{name}/{time}"),
                })
            })
            .collect()
    }

    fn about(&self, policy: &Policy, subject: &[String], period: &str) -> About {
        About {
            clock_id: clock_id(&policy.profile, &policy.name, subject, period),
            profile: policy.profile.clone(),
            clock: policy.name.clone(),
            subject: policy
                .subject
                .iter()
                .zip(subject)
                .map(|(name, value)| SubjectPart { name: name.clone(), value: value.clone() })
                .collect(),
            platform: self.platform.clone(),
            contract_id: self.contract_id.clone(),
            period: period.to_owned(),
        }
    }

    fn fact(&self, pattern: &Pattern, said: &Said) -> Fact {
        Fact {
            kind: pattern.role.into(),
            at: Some(to_proto(said.at.unwrap_or(self.recorded_at))),
            evidence: self.id.to_owned(),
            event: self.event.r#type.clone(),
            recorded_at: Some(to_proto(self.recorded_at)),
            holder: pattern.holder.into(),
            reason: pattern.reason.clone(),
            until: said.until.map(to_proto),
            contractual_until: said.contractual_until.map(to_proto),
        }
    }

    /// What a clock decides on hearing this: first it says what was due before, up to `known`, then
    /// it takes in the facts.
    ///
    /// # Errors
    /// The clock says no.
    pub fn decide(
        &self,
        clock: &Clock,
        told: &Told,
        rules: &Rules,
        known: Timestamp,
    ) -> Decision<Event, Rejection> {
        if told.is_period() && clock.pinned().is_none() {
            return unchanged(); // a period that is not owed yet
        }
        let pinned =
            clock.pinned().and_then(|(profile, version, name)| rules.plan(profile, version, name));
        let plan = match (&pinned, &told.start) {
            (Some(plan), _) | (None, Some((_, plan))) => plan.clone(),
            (None, None) => {
                // it has not started: by the rules that would count if it did
                let at = rules.version_at(&told.about.profile, self.recorded_at);
                let Some(policy) = at.and_then(|profile| profile.policy(&told.about.clock)) else {
                    return unchanged();
                };
                let Some(plan) = rules.plan_of(policy) else { return unchanged() };
                plan
            }
        };
        let mut all = clock.advance(known.min(self.recorded_at), &plan)?;
        let mut clock = all.iter().fold(clock.clone(), Clock::evolve);
        let mut note = |fact: &Fact| {
            let events = clock.note(&told.about, fact, &plan)?;
            clock = events.iter().fold(std::mem::take(&mut clock), Clock::evolve);
            all.extend(events);
            Ok::<_, Rejection>(())
        };
        match &told.start {
            Some((fact, _)) => note(fact)?,
            None => {
                let subject = told.about.subject.iter().map(|part| &part.value);
                for (pattern, said) in self.said(&plan.policy, |role| role != FactKind::Start) {
                    if said.subject.iter().eq(subject.clone()) {
                        note(&self.fact(pattern, &said))?;
                    }
                }
            }
        }
        Ok(all)
    }

    /// The platform that it belongs to.
    #[must_use]
    pub fn platform(&self) -> &str {
        &self.platform
    }
}

impl Told {
    /// Whether it is for one of the periods of a duty, and may be for another one.
    #[must_use]
    pub fn is_period(&self) -> bool {
        self.start.is_none() && !self.about.period.is_empty()
    }
}

impl Heard {
    fn one(about: About, start: Option<(Fact, Plan)>) -> Self {
        Self { clocks: vec![Told { about, start }] }
    }
}

#[cfg(test)]
mod tests;
