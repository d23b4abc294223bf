//! A date in a time zone, and the instants of its minutes.
//!
//! Local times that a change of the clocks skips or repeats are read as jiff's "compatible" does,
//! but none beyond the end of its date: a date that was skipped altogether has no time.

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};

const FULL: SignedDuration = SignedDuration::from_hours(24);

/// A date from its 00:00 to its 24:00.
pub(super) struct LocalDay<'zone> {
    zone: &'zone TimeZone,
    pub(super) date: Date,
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
}

impl<'zone> LocalDay<'zone> {
    /// This date.
    pub(super) fn new(date: Date, zone: &'zone TimeZone) -> Result<Self, jiff::Error> {
        let start = instant(date, SignedDuration::ZERO, zone)?;
        Ok(Self { zone, date, start, end: instant(date, FULL, zone)? })
    }

    /// The date after it.
    pub(super) fn next(self) -> Result<Self, jiff::Error> {
        let date = self.date.tomorrow()?;
        Ok(Self { date, start: self.end, end: instant(date, FULL, self.zone)?, ..self })
    }

    /// A minute of the day, from 0 to 1,440.
    pub(super) fn minute(&self, minute: u32) -> Result<Timestamp, jiff::Error> {
        let minute = SignedDuration::from_mins(minute.into());
        if self.start.duration_until(self.end) == FULL {
            // no change of the clocks, so no look-up: calendars compile twice as fast
            self.start.checked_add(minute)
        } else {
            Ok(instant(self.date, minute, self.zone)?.min(self.end))
        }
    }
}

fn instant(date: Date, time: SignedDuration, zone: &TimeZone) -> Result<Timestamp, jiff::Error> {
    let local = date.to_datetime(Time::midnight()).checked_add(time)?;
    zone.to_ambiguous_timestamp(local).compatible()
}
