//! Working time: how much of it lies between two instants, and when some of it has passed (SLA-09,
//! IMP-05).
//!
//! Notice ─adopt─▶ Days ┐
//!                      ├─compile─▶ Calendar ─▶ working, add, Span::end
//!          Week ─▶ Spec ┘
//!
//! Invariant: `working(s, add(s, d)) == d`, to the nanosecond and in every time zone. Nothing here
//! knows what time it is.

use std::{collections::BTreeSet, sync::Arc};

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, date},
    tz::TimeZone,
};

mod days;
mod local_day;
mod notice;
mod runs;
mod span;
mod spec;
mod week;

pub use days::{Adoption, AdoptionError, Day, Days};
pub use notice::{Notice, NoticeError, official};
pub use span::{Span, Unit};
pub use spec::{Spec, SpecError};
pub use week::{Hours, Week, WeekError};

use local_day::LocalDay;
use runs::Runs;

/// The first day that calendars know.
const FIRST: Date = date(2000, 1, 1);

/// The first day that they do not know any more.
const BEYOND: Date = date(2100, 1, 1);

/// When time counts, from 2000-01-01 to 2099-12-31 in its time zone (SLA-09).
///
/// A clone shares its tables; each question is a binary search.
#[derive(Debug, Clone)]
pub struct Calendar {
    name: Arc<str>,
    zone: TimeZone,
    /// Years with a notice; `None` when it follows no holidays.
    noticed: Option<Arc<BTreeSet<i16>>>,
    open: Runs,
    /// The days on which it is open at all, whole.
    open_days: Runs,
}

impl Calendar {
    /// Works out all open time of the century. `days` is the book of the region whose holidays the
    /// spec follows; a spec that follows none ignores it.
    ///
    /// On a holiday it is closed; a working weekend has the hours of [`Spec::make_up`], whatever
    /// else the weekday would have. Local times that a change of the clocks skips or repeats are
    /// read as jiff's "compatible" does.
    ///
    /// # Errors
    /// The time zone is unknown, the book is missing or of another region, or the weekday of
    /// making up is closed.
    pub fn compile(spec: &Spec, days: Option<&Days>) -> Result<Self, SpecError> {
        let days = spec.book(days)?;
        let zone = spec.zone()?;
        let (open, open_days) =
            tables(spec, &zone, days).map_err(|source| spec.zone_error(source))?;
        Ok(Self {
            name: spec.name.as_str().into(),
            zone,
            noticed: days.map(|days| Arc::new(days.years().collect())),
            open,
            open_days,
        })
    }

    /// The name that its spec gives it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its time zone.
    #[must_use]
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The same days, each open day from its 00:00 to its 24:00: what working days are counted on.
    #[must_use]
    pub fn whole_days(&self) -> Self {
        Self { open: self.open_days.clone(), ..self.clone() }
    }

    /// Open always, in the same time zone.
    #[must_use]
    pub fn round_the_clock(&self) -> Self {
        let always = self.open.always();
        Self {
            name: spec::ROUND_THE_CLOCK.into(),
            zone: self.zone.clone(),
            noticed: None,
            open: always.clone(),
            open_days: always,
        }
    }

    /// Open time from `from` until just before `to`; none when `to` is not after `from`.
    ///
    /// # Errors
    /// One of them lies outside the century.
    pub fn working(&self, from: Timestamp, to: Timestamp) -> Result<SignedDuration, OutOfRange> {
        let (before, until) = (self.open.until(from)?, self.open.until(to)?);
        Ok((until - before).max(SignedDuration::ZERO))
    }

    /// The earliest instant, not before `from`, by which so much open time has passed since.
    ///
    /// What ends with the day is therefore due when the day closes, not when the next one opens; no
    /// time at all has passed at `from` itself, be it open or not.
    ///
    /// # Errors
    /// `from` lies outside the century, `open_time` is negative, or there is not so much open time
    /// left.
    pub fn add(&self, from: Timestamp, open_time: SignedDuration) -> Result<Timestamp, OutOfRange> {
        let before = self.open.until(from)?;
        if open_time.is_negative() {
            return Err(OutOfRange::Negative(open_time));
        }
        if open_time.is_zero() {
            return Ok(from);
        }
        let target = before.checked_add(open_time);
        target.and_then(|target| self.open.reaching(target)).ok_or(OutOfRange::TooLong { from })
    }

    /// The same instant, if it lies in the century.
    fn known(&self, at: Timestamp) -> Result<Timestamp, OutOfRange> {
        self.open.until(at).map(|_| at)
    }

    /// Whether time counts at this instant; outside the century it never does.
    #[must_use]
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.open.contain(at)
    }

    /// Whether an answer about the span from `from` until just before `to` rests on a year without
    /// a notice, and so may change when the notice comes out (IMP-05). Never so for a calendar that
    /// follows no holidays, nor for an empty span.
    #[must_use]
    pub fn is_planned(&self, from: Timestamp, to: Timestamp) -> bool {
        let Some(noticed) = &self.noticed else { return false };
        let year = |at: Timestamp| self.zone.to_datetime(at).year();
        let last = to.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(to);
        from < to && (year(from)..=year(last)).any(|year| !noticed.contains(&year))
    }
}

/// Open time by the hours of the spec, and by whole days.
fn tables(spec: &Spec, zone: &TimeZone, days: Option<&Days>) -> Result<(Runs, Runs), jiff::Error> {
    let (mut open, mut open_days) = (Vec::new(), Vec::new());
    let mut day = LocalDay::new(FIRST, zone)?;
    let start = day.start;
    while day.date < BEYOND {
        let hours = spec.hours(day.date, days);
        for hours in hours {
            open.push((day.minute(hours.from)?, day.minute(hours.to)?));
        }
        if !hours.is_empty() {
            open_days.push((day.start, day.end));
        }
        day = day.next()?;
    }
    let century = (start, day.start);
    Ok((Runs::new(century, open), Runs::new(century, open_days)))
}

/// Why a calendar has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OutOfRange {
    /// Calendars know one century.
    #[error("{0} lies outside the years 2000 to 2099")]
    Instant(Timestamp),
    /// Time does not run backwards.
    #[error("{0} of open time cannot be added: it is negative")]
    Negative(SignedDuration),
    /// The end would lie beyond the century.
    #[error("counted from {from}, it does not end within the years 2000 to 2099")]
    TooLong {
        /// Where counting began.
        from: Timestamp,
    },
}

#[cfg(test)]
mod tests;
