//! Deadlines: counted from a start, set by the user, or agreed with him.

use jiff::{SignedDuration, Timestamp};

use super::{Plan, Stretch};
use crate::calendar::{Calendar, OutOfRange, Span};

/// A deadline of a cycle.
#[derive(Debug, Clone)]
pub struct Deadline {
    measure: Calendar,
    total: SignedDuration,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// So much counted time.
    Counted,
    /// A moment, that only force majeure since then moves.
    Set { until: Timestamp, since: Timestamp },
}

impl PartialEq for Deadline {
    fn eq(&self, other: &Self) -> bool {
        (self.measure.name(), self.total, self.kind)
            == (other.measure.name(), other.total, other.kind)
    }
}

impl Deadline {
    /// So long after the start.
    pub(super) fn after(
        started: Timestamp,
        span: Span,
        calendar: &Calendar,
    ) -> Result<Self, OutOfRange> {
        let total = span.total(started, calendar)?;
        Ok(Self { measure: span.measured_on(calendar), total, kind: Kind::Counted })
    }

    /// A moment that the starting event holds.
    pub(super) fn set(
        started: Timestamp,
        until: Timestamp,
        plan: &Plan,
    ) -> Result<Self, OutOfRange> {
        Self::agreed(started, started, until, plan)
    }

    /// A moment that was agreed on later.
    pub(super) fn agreed(
        started: Timestamp,
        since: Timestamp,
        until: Timestamp,
        plan: &Plan,
    ) -> Result<Self, OutOfRange> {
        let measure = plan.calendar.clone();
        let total = measure.working(started, until.max(started))?;
        Ok(Self { measure, total, kind: Kind::Set { until, since } })
    }

    /// The calendar on which its time is measured.
    #[must_use]
    pub fn measure(&self) -> &Calendar {
        &self.measure
    }

    /// Open time from start to deadline.
    #[must_use]
    pub fn total(&self) -> SignedDuration {
        self.total
    }

    /// Whether it is a moment that the user set or agreed to.
    #[must_use]
    pub fn is_set(&self) -> bool {
        matches!(self.kind, Kind::Set { .. })
    }

    /// When it passes, with these stretches, the last of which goes on; `None` while it is halted.
    #[must_use]
    pub fn due(&self, stretches: &[Stretch]) -> Option<Timestamp> {
        match self.kind {
            Kind::Counted => self.when(self.total, stretches),
            Kind::Set { until, since } => self.moved(until, since, stretches),
        }
    }

    /// When so much of its time has been used up.
    #[must_use]
    pub fn when(&self, used: SignedDuration, stretches: &[Stretch]) -> Option<Timestamp> {
        let counts = |stretch: &Stretch| match self.kind {
            Kind::Counted => stretch.counts(),
            Kind::Set { .. } => !stretch.exempt,
        };
        let mut left = used;
        for (index, stretch) in stretches.iter().enumerate() {
            if !counts(stretch) {
                continue;
            }
            let lasts = index + 1 == stretches.len();
            let here = match stretch.to.filter(|_| !lasts) {
                None => return self.measure.add(stretch.from, left).ok(),
                Some(to) => self.measure.working(stretch.from, to).ok()?,
            };
            if here >= left {
                return self.measure.add(stretch.from, left).ok();
            }
            left -= here;
        }
        None
    }

    /// A moment moved by the force majeure that came before it passed.
    fn moved(
        &self,
        until: Timestamp,
        since: Timestamp,
        stretches: &[Stretch],
    ) -> Option<Timestamp> {
        let mut due = until;
        for (index, stretch) in stretches.iter().enumerate() {
            if !stretch.exempt || stretch.from >= due {
                continue;
            }
            let lasts = index + 1 == stretches.len();
            let to = stretch.to.filter(|_| !lasts)?;
            let lost = self.measure.working(stretch.from.max(since), to).ok()?;
            due = self.measure.add(due, lost).ok()?;
        }
        Some(due)
    }
}
