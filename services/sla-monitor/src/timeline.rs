//! What the facts about one clock amount to: the one place where time is counted.
//!
//! ```text
//! facts, in the order in which they happened ──lay──▶ cycles ─▶ stretches, deadlines, signals
//! ```
//!
//! Invariant: a timeline is a function of the facts, the policy and the calendar. Facts may come in
//! any order and any number of times; the timeline is the same.
//!
//! A stop beats whatever happens at the same moment. A deadline that the user set, or agreed to,
//! does not move when the clock is halted, only by force majeure; any other one does. Consent that
//! comes after the deadline does not undo that it was missed.

mod deadline;
mod signal;

use contracts::sla::{ClockState, Fact, FactKind, Party};
use eventlog::time::from_proto;
use jiff::{SignedDuration, Timestamp};

pub use deadline::Deadline;
pub use signal::{Side, Signal};

use crate::{
    calendar::{Calendar, OutOfRange},
    policy::{Policy, Target},
};

/// A policy with the calendar that it names.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The rules.
    pub policy: std::sync::Arc<Policy>,
    /// When time counts.
    pub calendar: Calendar,
}

/// The life of a clock.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Timeline {
    /// In order; empty when it never started.
    pub cycles: Vec<Cycle>,
}

/// From a start to its end.
#[derive(Debug, Clone, PartialEq)]
pub struct Cycle {
    /// When it started.
    pub started: Timestamp,
    /// Its stretches, without gaps; the last one is open while the cycle is.
    pub stretches: Vec<Stretch>,
    /// How it ended.
    pub end: Option<End>,
    /// The limit that we promise.
    pub committed: Option<Deadline>,
    /// The limit of the contract.
    pub contractual: Option<Deadline>,
}

/// A stretch of time in which nothing changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretch {
    /// From.
    pub from: Timestamp,
    /// To; `None` while it lasts.
    pub to: Option<Timestamp>,
    /// Who holds the case.
    pub holder: Party,
    /// Whether the clock is halted.
    pub halted: bool,
    /// Whether force majeure exempts.
    pub exempt: bool,
    /// Why time does not count.
    pub reason: String,
    /// What began it.
    pub evidence: String,
}

/// How a cycle ended.
#[derive(Debug, Clone, PartialEq)]
pub struct End {
    /// When.
    pub at: Timestamp,
    /// By what.
    pub by: EndedBy,
    /// The event.
    pub evidence: String,
}

/// What ended a cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndedBy {
    /// The promise was kept, in time or late.
    Stop,
    /// It no longer matters.
    Cancel,
    /// It began anew.
    Reset,
    /// The period was over.
    Over,
}

/// The moment of a fact.
#[must_use]
pub fn moment(fact: &Fact) -> Timestamp {
    time(&fact.at).unwrap_or_default()
}

/// A moment of a message; what is none counts as not given.
pub(crate) fn time(at: &Option<prost_types::Timestamp>) -> Option<Timestamp> {
    at.as_ref().and_then(from_proto)
}

/// The order in which facts count.
#[must_use]
pub fn order(fact: &Fact) -> (Timestamp, u8, &str) {
    let rank = match fact.kind() {
        FactKind::Unspecified => 0,
        // a start that lies at the same moment is the first there was
        FactKind::Start => 1,
        FactKind::Stop => 2,
        FactKind::Cancel => 3,
        FactKind::Reset => 4,
        FactKind::Exempt => 5,
        FactKind::Pause => 6,
        FactKind::Extend => 7,
        FactKind::ExemptEnd => 8,
        FactKind::Resume => 9,
    };
    (moment(fact), rank, &fact.evidence)
}

impl Timeline {
    /// Lays out the facts, which are in [`order`].
    ///
    /// # Errors
    /// A deadline lies beyond the calendar.
    pub fn lay(facts: &[Fact], plan: &Plan) -> Result<Self, OutOfRange> {
        let mut timeline = Self::default();
        for fact in facts {
            timeline.take(fact, plan)?;
        }
        Ok(timeline)
    }

    /// The cycle that counts now.
    #[must_use]
    pub fn current(&self) -> Option<&Cycle> {
        self.cycles.last()
    }

    fn take(&mut self, fact: &Fact, plan: &Plan) -> Result<(), OutOfRange> {
        let (at, is_first) = (moment(fact), self.cycles.is_empty());
        let open = self.cycles.last_mut().filter(|cycle| cycle.is_open_at(at, plan));
        match (fact.kind(), open) {
            (FactKind::Start, None) if is_first || plan.policy.repeats => {
                self.begin(fact, plan)?;
            }
            (FactKind::Reset, None) if !is_first => self.begin(fact, plan)?,
            (FactKind::Reset, Some(cycle)) => {
                cycle.close(fact, EndedBy::Reset);
                self.begin(fact, plan)?;
            }
            (FactKind::Stop, Some(cycle)) => cycle.close(fact, EndedBy::Stop),
            (FactKind::Cancel, Some(cycle)) => cycle.close(fact, EndedBy::Cancel),
            (FactKind::Pause, Some(cycle)) => cycle.change(fact, |last| {
                last.halted = true;
                last.holder = fact.holder();
                last.reason.clone_from(&fact.reason);
            }),
            (FactKind::Resume, Some(cycle)) => cycle.change(fact, |last| {
                last.halted = false;
                last.holder = plan.policy.holder;
                last.reason.clear();
            }),
            (FactKind::Exempt, Some(cycle)) => cycle.change(fact, |last| last.exempt = true),
            (FactKind::ExemptEnd, Some(cycle)) => cycle.change(fact, |last| last.exempt = false),
            (FactKind::Extend, Some(cycle)) => cycle.extend(fact, plan)?,
            // it finds nothing that it could change
            (
                FactKind::Unspecified
                | FactKind::Start
                | FactKind::Reset
                | FactKind::Stop
                | FactKind::Cancel
                | FactKind::Pause
                | FactKind::Resume
                | FactKind::Exempt
                | FactKind::ExemptEnd
                | FactKind::Extend,
                _,
            ) => {}
        }
        Ok(())
    }

    fn begin(&mut self, fact: &Fact, plan: &Plan) -> Result<(), OutOfRange> {
        let started = moment(fact);
        let policy = &plan.policy;
        // a cycle that is begun anew has the deadline of its policy, not the user's of before
        let deadline = |target: &Option<Target>, until: Option<Timestamp>| match target {
            None => Ok(None),
            Some(target) => match until.filter(|_| target.set_by_user) {
                Some(until) => Deadline::set(started, until, plan).map(Some),
                None => target
                    .span
                    .map(|span| Deadline::after(started, span, &plan.calendar))
                    .transpose(),
            },
        };
        let committed = deadline(&policy.committed, time(&fact.until))?;
        let contractual = deadline(&policy.contractual, time(&fact.contractual_until))?;
        self.cycles.push(Cycle {
            started,
            stretches: vec![Stretch {
                from: started,
                to: None,
                holder: policy.holder,
                halted: false,
                exempt: false,
                reason: String::new(),
                evidence: fact.evidence.clone(),
            }],
            end: None,
            committed,
            contractual,
        });
        Ok(())
    }
}

impl Cycle {
    /// Whether a fact of this moment finds it open.
    fn is_open_at(&self, at: Timestamp, plan: &Plan) -> bool {
        let is_over = plan.policy.kind == contracts::sla::ClockKind::Period
            && self.due(Side::Committed).is_some_and(|due| due <= at);
        self.end.is_none() && !is_over
    }

    fn close(&mut self, fact: &Fact, by: EndedBy) {
        let at = moment(fact).max(self.started);
        if let Some(last) = self.stretches.last_mut() {
            last.to = Some(at);
        }
        self.end = Some(End { at, by, evidence: fact.evidence.clone() });
    }

    /// Begins another stretch, if that changes anything.
    fn change(&mut self, fact: &Fact, change: impl FnOnce(&mut Stretch)) {
        let Some(last) = self.stretches.last_mut() else { return };
        let mut next = last.clone();
        change(&mut next);
        if next == *last {
            return;
        }
        let at = moment(fact).max(last.from);
        next.from = at;
        next.evidence.clone_from(&fact.evidence);
        last.to = Some(at);
        if last.from == at {
            *last = next;
        } else {
            self.stretches.push(next);
        }
    }

    fn extend(&mut self, fact: &Fact, plan: &Plan) -> Result<(), OutOfRange> {
        let (at, Some(until)) = (moment(fact), time(&fact.until)) else {
            return Ok(());
        };
        for side in [Side::Committed, Side::Contractual] {
            let is_missed = self.due(side).is_some_and(|due| due < at);
            let earlier = self.due(side).is_some_and(|due| until < due);
            // consent to more time for us never takes time from us under the contract
            let keeps = side == Side::Contractual && earlier;
            if is_missed || keeps || self.deadline(side).is_none() {
                continue;
            }
            let moved = Deadline::agreed(self.started, at, until, plan)?;
            match side {
                Side::Committed => self.committed = Some(moved),
                Side::Contractual => self.contractual = Some(moved),
            }
        }
        Ok(())
    }

    /// One of the two limits.
    #[must_use]
    pub fn deadline(&self, side: Side) -> Option<&Deadline> {
        match side {
            Side::Committed => self.committed.as_ref(),
            Side::Contractual => self.contractual.as_ref(),
        }
    }

    /// When a limit passes, or would pass if the cycle went on as it is; `None` while it is halted.
    #[must_use]
    pub fn due(&self, side: Side) -> Option<Timestamp> {
        self.deadline(side)?.due(&self.stretches)
    }

    /// Whether a limit passed before the cycle ended, or before `now`.
    #[must_use]
    pub fn is_missed(&self, side: Side, now: Timestamp) -> bool {
        let until = self.end.as_ref().map_or(now, |end| end.at);
        self.due(side).is_some_and(|due| due < until)
    }

    /// Where a clock stands in this cycle. `is_over`: its period has ended.
    #[must_use]
    pub fn state(&self, is_over: bool) -> ClockState {
        match &self.end {
            _ if is_over => ClockState::Ended,
            Some(end) if end.by == EndedBy::Cancel => ClockState::Cancelled,
            Some(_) => ClockState::Stopped,
            None if self.last().is_some_and(Stretch::counts) => ClockState::Running,
            None => ClockState::Paused,
        }
    }

    /// The last stretch.
    #[must_use]
    pub fn last(&self) -> Option<&Stretch> {
        self.stretches.last()
    }

    /// The calendar on which its limit is measured.
    #[must_use]
    pub fn measure<'a>(&'a self, plan: &'a Plan) -> &'a Calendar {
        self.committed.as_ref().map_or(&plan.calendar, |limit| limit.measure())
    }

    /// Open time that counted until a moment.
    ///
    /// # Errors
    /// The moment lies beyond the calendar.
    pub fn elapsed(&self, now: Timestamp, plan: &Plan) -> Result<SignedDuration, OutOfRange> {
        let measure = self.measure(plan);
        let mut sum = SignedDuration::ZERO;
        for stretch in self.stretches.iter().filter(|stretch| stretch.counts()) {
            sum += measure.working(stretch.from, stretch.to.unwrap_or(now).min(now))?;
        }
        Ok(sum)
    }
}

impl Stretch {
    /// Whether its time counts towards a deadline that is counted.
    #[must_use]
    pub fn counts(&self) -> bool {
        !self.halted && !self.exempt
    }

    /// Whose time it is.
    #[must_use]
    pub fn party(&self) -> Party {
        if self.exempt { Party::ForceMajeure } else { self.holder }
    }
}

#[cfg(test)]
pub(crate) mod tests;
