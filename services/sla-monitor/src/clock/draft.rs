//! A clock while a decision is made: each event is taken in at once, and the next one rests on it.

use contracts::sla::{
    BreachAnnounced, BreachEscalated, BreachWithdrawn, ClockCancelled, ClockKind, ClockPaused,
    ClockRef, ClockReplanned, ClockReset, ClockResumed, ClockStarted, ClockState, ClockStopped,
    ConsequenceRaised, DeadlineBreached, DeadlineExtended, Deadlines, Fact, FactKind, FactNoted,
    Party, PeriodEnded, ReplanReason, WarningRaised,
};
use decider::Aggregate as _;
use eventlog::time::to_proto;
use jiff::Timestamp;

use std::collections::BTreeMap;

use super::{About, Clock, Event, Life, Missed, Rejection, Said, insert, results::overrun};
use crate::{
    calendar::OutOfRange,
    explain::deadlines,
    ledger,
    timeline::{Cycle, EndedBy, Plan, Side, Signal, Timeline},
};

pub(super) struct Draft<'a> {
    pub(super) life: Life,
    pub(super) plan: &'a Plan,
    pub(super) timeline: Timeline,
    pub(super) events: Vec<Event>,
}

/// A fact that came before the start of its clock.
pub(super) fn noted(about: &About, plan: &Plan, fact: &Fact) -> Event {
    let clock = ClockRef { kind: plan.policy.kind.into(), ..reference(about) };
    FactNoted { clock: Some(clock), fact: Some(fact.clone()) }.into()
}

fn reference(about: &About) -> ClockRef {
    ClockRef {
        clock_id: about.clock_id.clone(),
        profile: about.profile.clone(),
        clock: about.clock.clone(),
        subject: about.subject.clone(),
        platform: about.platform.clone(),
        contract_id: about.contract_id.clone(),
        ..ClockRef::default()
    }
}

impl<'a> Draft<'a> {
    pub(super) fn of(life: &Life, plan: &'a Plan) -> Result<Self, OutOfRange> {
        let timeline = Timeline::lay(&life.facts, plan)?;
        Ok(Self { life: life.clone(), plan, timeline, events: Vec::new() })
    }

    /// A clock starts.
    pub(super) fn begin(about: &About, fact: &Fact, plan: &'a Plan) -> Result<Self, OutOfRange> {
        let facts = vec![fact.clone()];
        let timeline = Timeline::lay(&facts, plan)?;
        let life = Life {
            about: about.clone(),
            version: plan.policy.version,
            facts,
            said: Said { cycle: 1, ..Said::default() },
            deadlines: Deadlines::default(),
            counted: BTreeMap::new(),
        };
        let mut draft = Self { life, plan, timeline, events: Vec::new() };
        if draft.timeline.cycles.is_empty() {
            return Ok(draft);
        }
        let deadlines = draft.deadlines();
        let policy = &plan.policy;
        draft.push(|clock| ClockStarted {
            clock,
            fact: Some(fact.clone()),
            profile_version: policy.version,
            title: policy.title.clone(),
            calendar: policy.calendar.clone(),
            deadlines: Some(deadlines),
            serves: policy.serves.clone(),
            period: about.period.clone(),
            owner: policy.duty.as_ref().map(|duty| duty.owner.clone()).unwrap_or_default(),
        });
        Ok(draft)
    }

    /// Takes in one more fact, and withdraws what it undoes.
    pub(super) fn take(&mut self, fact: &Fact) -> Result<(), Rejection> {
        let mut facts = self.life.facts.clone();
        insert(&mut facts, fact.clone());
        let timeline = Timeline::lay(&facts, self.plan)?;
        let before = std::mem::replace(&mut self.timeline, timeline);
        let begun = self.timeline.cycles.len() > before.cycles.len();
        let (deadlines, fact_told) = (Some(self.deadlines()), Some(fact.clone()));
        if before == self.timeline {
            self.push(|clock| FactNoted { clock, fact: fact_told });
            return Ok(());
        }
        match fact.kind() {
            FactKind::Start if !begun => {
                let policy = &self.plan.policy;
                let (version, title) = (policy.version, policy.title.clone());
                let (calendar, serves) = (policy.calendar.clone(), policy.serves.clone());
                let period = self.life.about.period.clone();
                let owner = policy.duty.as_ref().map(|duty| duty.owner.clone());
                self.push(|clock| ClockStarted {
                    clock,
                    fact: fact_told,
                    profile_version: version,
                    title,
                    calendar,
                    deadlines,
                    serves,
                    period,
                    owner: owner.unwrap_or_default(),
                });
            }
            FactKind::Start | FactKind::Reset => {
                self.push(|clock| ClockReset { clock, fact: fact_told, deadlines });
            }
            FactKind::Pause | FactKind::Exempt => {
                self.push(|clock| ClockPaused { clock, fact: fact_told, deadlines });
            }
            FactKind::Resume | FactKind::ExemptEnd => {
                self.push(|clock| ClockResumed { clock, fact: fact_told, deadlines });
            }
            FactKind::Extend => {
                self.push(|clock| DeadlineExtended { clock, fact: fact_told, deadlines });
            }
            FactKind::Cancel => {
                self.push(|clock| ClockCancelled { clock, fact: fact_told, deadlines });
            }
            FactKind::Stop => {
                let stopped = self.stopped(fact)?;
                self.push(|clock| ClockStopped { clock, ..stopped });
            }
            FactKind::Unspecified => {
                self.push(|clock| FactNoted { clock, fact: fact_told });
            }
        }
        self.withdraw(&fact.evidence);
        Ok(self.settle()?)
    }

    fn stopped(&self, fact: &Fact) -> Result<ClockStopped, OutOfRange> {
        let mut stopped = ClockStopped {
            fact: Some(fact.clone()),
            deadlines: Some(self.deadlines()),
            met: true,
            contractual_met: true,
            ..ClockStopped::default()
        };
        // a stop closes one cycle, and most often the present one
        let ended = self.timeline.cycles.iter().rev().find_map(|cycle| {
            let end = cycle.end.as_ref()?;
            (end.evidence == fact.evidence && end.by == EndedBy::Stop).then_some((cycle, end.at))
        });
        let Some((cycle, at)) = ended else { return Ok(stopped) };
        stopped.met = !cycle.is_missed(Side::Committed, at);
        stopped.contractual_met = !cycle.is_missed(Side::Contractual, at);
        stopped.elapsed = Some(ledger::duration(cycle.elapsed(at, self.plan)?));
        stopped.overrun = Some(ledger::duration(overrun(cycle, at)?));
        stopped.segments = ledger::segments(&self.timeline, self.plan)?;
        Ok(stopped)
    }

    /// Says all that was due before `to`, in the order of moments.
    pub(super) fn advance(&mut self, to: Timestamp) -> Result<(), OutOfRange> {
        while let Some((at, signal)) = self.next().filter(|(at, _)| *at < to) {
            self.say(at, signal)?;
        }
        Ok(())
    }

    /// The same, provisionally. Steps wait until it is certain.
    pub(super) fn announce(&mut self, to: Timestamp, unheard: &[String]) -> Result<(), OutOfRange> {
        let due: Vec<_> = self.unsaid().into_iter().filter(|(at, _)| *at < to).collect();
        for (at, signal) in due {
            match signal {
                Signal::Warning(_) => self.say(at, signal)?,
                Signal::Limit(side) if self.missed(side).is_none() => {
                    self.push(|clock| BreachAnnounced {
                        clock,
                        due_at: Some(to_proto(at)),
                        contractual: side == Side::Contractual,
                        unheard: unheard.to_vec(),
                    });
                }
                Signal::Limit(_) | Signal::Step(..) => {}
            }
        }
        Ok(())
    }

    /// Other rules or days count; what they undo is withdrawn.
    pub(super) fn replan(&mut self, reason: ReplanReason, at: Timestamp) -> Result<(), OutOfRange> {
        let (deadlines, version) = (self.deadlines(), self.plan.policy.version);
        if (deadlines, version) != (self.life.deadlines, self.life.version) {
            self.push(|clock| ClockReplanned {
                clock,
                reason: reason.into(),
                profile_version: version,
                at: Some(to_proto(at)),
                deadlines: Some(deadlines),
            });
            self.withdraw(&format!("replanned at {at}"));
        }
        self.settle()
    }

    fn say(&mut self, at: Timestamp, signal: Signal) -> Result<(), OutOfRange> {
        let due_at = Some(to_proto(at));
        let is_period = self.plan.policy.kind == ClockKind::Period;
        match signal {
            Signal::Warning(warning) => {
                let limit = self.cycle().and_then(|cycle| cycle.due(Side::Committed));
                self.push(|clock| WarningRaised {
                    clock,
                    warning,
                    at: due_at,
                    due_at: limit.map(to_proto),
                });
            }
            Signal::Limit(Side::Committed) if is_period => {
                self.push(|clock| PeriodEnded { clock, ended_at: due_at });
                self.raise(due_at, false);
            }
            Signal::Limit(side) => {
                let contractual = side == Side::Contractual;
                let proof = self.life.facts.clone();
                self.push(|clock| DeadlineBreached { clock, due_at, contractual, proof });
                self.raise(due_at, contractual);
                self.settle()?;
            }
            Signal::Step(step, count) => {
                let to = self.plan.policy.steps.get(step as usize).map(|step| step.to.clone());
                let missed = self.missed(Side::Committed).map(|missed| to_proto(missed.due));
                self.push(|clock| BreachEscalated {
                    clock,
                    step,
                    count,
                    to: to.unwrap_or_default(),
                    at: due_at,
                    due_at: missed,
                });
            }
        }
        Ok(())
    }

    fn raise(&mut self, due_at: Option<prost_types::Timestamp>, contractual: bool) {
        let plan = self.plan;
        for consequence in &plan.policy.consequences {
            if consequence.on_contractual_limit == contractual {
                self.push(|clock| ConsequenceRaised {
                    clock,
                    kind: consequence.kind,
                    detail: consequence.detail.clone(),
                    minimum: consequence.minimum.clone(),
                    maximum: consequence.maximum.clone(),
                    due_at,
                });
            }
        }
    }

    /// Withdraws what was said to be missed and no longer is.
    fn withdraw(&mut self, evidence: &str) {
        for side in [Side::Committed, Side::Contractual] {
            let Some(missed) = self.missed(side) else { continue };
            let Some(cycle) = self.cycle() else { continue };
            let end = cycle.end.as_ref().map(|end| end.at);
            let stands =
                cycle.due(side) == Some(missed.due) && end.is_none_or(|end| missed.due < end);
            if stands {
                continue;
            }
            let blamed = self.blamed(side).into();
            self.push(|clock| BreachWithdrawn {
                clock,
                due_at: Some(to_proto(missed.due)),
                contractual: side == Side::Contractual,
                evidence: evidence.to_owned(),
                declared: missed.certain,
                blamed,
            });
        }
    }

    fn cycle(&self) -> Option<&Cycle> {
        self.timeline.current()
    }

    pub(super) fn missed(&self, side: Side) -> Option<Missed> {
        match side {
            Side::Committed => self.life.said.committed,
            Side::Contractual => self.life.said.contractual,
        }
    }

    /// What is due and was not said yet.
    fn unsaid(&self) -> Vec<(Timestamp, Signal)> {
        let Some(cycle) = self.cycle().filter(|_| !self.life.said.over) else { return Vec::new() };
        let said = &self.life.said;
        let mut signals = cycle.signals(self.plan);
        signals.retain(|(_, signal)| match signal {
            Signal::Warning(warning) => !said.warnings.contains(warning),
            Signal::Limit(side) => self.missed(*side).is_none_or(|missed| !missed.certain),
            Signal::Step(step, count) => !said.steps.contains(&(*step, *count)),
        });
        signals
    }

    fn next(&self) -> Option<(Timestamp, Signal)> {
        self.unsaid().into_iter().next()
    }

    /// The deadlines as the timeline shows them.
    pub(super) fn deadlines(&self) -> Deadlines {
        self.cycle().map(|cycle| deadlines(cycle, self.plan)).unwrap_or_default()
    }

    fn state(&self) -> ClockState {
        let is_over = self.life.said.over;
        self.cycle().map_or(ClockState::Unspecified, |cycle| cycle.state(is_over))
    }

    /// Records an event and takes it in; then its reference tells how the clock stands after it.
    pub(super) fn push<E: Into<Event>>(&mut self, event: impl FnOnce(Option<ClockRef>) -> E) {
        let cycle = u32::try_from(self.timeline.cycles.len()).unwrap_or(u32::MAX);
        let holder =
            self.cycle().and_then(Cycle::last).map_or(Party::Unspecified, |last| last.party());
        let about = ClockRef {
            cycle,
            kind: self.plan.policy.kind.into(),
            holder: holder.into(),
            ..reference(&self.life.about)
        };
        let mut event: Event = event(Some(about)).into();
        let after = Clock::Running(Box::new(self.life.clone())).evolve(&event);
        if let Clock::Running(life) = after {
            self.life = *life;
        }
        let (state, next_at) = (self.state(), self.next().map(|(at, _)| to_proto(at)));
        let started_at = self.cycle().map(|cycle| to_proto(cycle.started));
        let ended_at = self.cycle().and_then(|cycle| match &cycle.end {
            Some(end) => Some(end.at),
            None if self.life.said.over => cycle.due(Side::Committed),
            None => None,
        });
        if let Some(clock) = super::evolve::reference_mut(&mut event) {
            clock.state = state.into();
            clock.next_at = next_at;
            clock.started_at = started_at;
            clock.ended_at = ended_at.map(to_proto);
        }
        self.events.push(event);
    }
}
