//! The open hours of a plain week (SLA-09).
//!
//! Invariant: the hours of a day are in order, with a break between any two, and some day is open.

use std::fmt;

use jiff::civil::Weekday;

/// Minutes of a day.
const DAY: u32 = 24 * 60;

/// More would make the table of a calendar larger than three megabytes.
const MOST_A_DAY: usize = 5;

const WEEKDAYS: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

/// A stretch of open time of a day, in minutes from midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    /// First minute, 0 to 1,439.
    pub from: u32,
    /// Minute after the last, 1 to 1,440.
    pub to: u32,
}

impl Hours {
    pub(super) const WHOLE_DAY: Self = Self { from: 0, to: DAY };
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

/// Open hours for each weekday; breaks lie between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Week {
    /// From Monday.
    days: [Vec<Hours>; 7],
}

impl Week {
    /// A week of these days, Monday first; a day without hours is closed. A shift over midnight is
    /// two stretches, one to 24:00 and one from 00:00.
    ///
    /// # Errors
    /// Hours do not end after they begin, or not within their day; they are out of order, overlap
    /// or touch; a day has more than five; or no day has any.
    pub fn try_new(days: [Vec<Hours>; 7]) -> Result<Self, WeekError> {
        for (weekday, day) in WEEKDAYS.into_iter().zip(&days) {
            for &hours in day {
                if hours.from >= hours.to {
                    return Err(WeekError::Backwards { weekday, hours });
                }
                if hours.to > DAY {
                    return Err(WeekError::PastMidnight { weekday, hours });
                }
            }
            for (&before, &hours) in day.iter().zip(day.iter().skip(1)) {
                if hours.from <= before.to {
                    return Err(WeekError::NoBreak { weekday, hours, before });
                }
            }
            if day.len() > MOST_A_DAY {
                return Err(WeekError::TooMany { weekday });
            }
        }
        if days.iter().all(Vec::is_empty) {
            return Err(WeekError::NeverOpen);
        }
        Ok(Self { days })
    }

    /// The hours of a weekday, in order.
    #[must_use]
    pub fn on(&self, weekday: Weekday) -> &[Hours] {
        let from_monday = weekday.to_monday_zero_offset().unsigned_abs();
        &self.days[usize::from(from_monday)]
    }

    pub(super) fn every_day(hours: &[Hours]) -> Self {
        Self { days: WEEKDAYS.map(|_| hours.to_vec()) }
    }

    pub(super) fn monday_to_friday(hours: &[Hours]) -> Self {
        Self {
            days: WEEKDAYS.map(|weekday| match weekday {
                Weekday::Saturday | Weekday::Sunday => Vec::new(),
                Weekday::Monday
                | Weekday::Tuesday
                | Weekday::Wednesday
                | Weekday::Thursday
                | Weekday::Friday => hours.to_vec(),
            }),
        }
    }
}

/// Why hours make no week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WeekError {
    /// They would last no time, or less.
    #[error("{weekday:?} {hours}: it does not end after it begins")]
    Backwards {
        /// The day.
        weekday: Weekday,
        /// The hours.
        hours: Hours,
    },
    /// They belong to two days.
    #[error("{weekday:?} {hours}: the day ends at 24:00")]
    PastMidnight {
        /// The day.
        weekday: Weekday,
        /// The hours.
        hours: Hours,
    },
    /// Each piece of time is written once, and in one way.
    #[error("{weekday:?} {hours}: there is no break between {before} and it")]
    NoBreak {
        /// The day.
        weekday: Weekday,
        /// The hours.
        hours: Hours,
        /// Those written before them.
        before: Hours,
    },
    /// A day has too many pieces.
    #[error("{weekday:?}: more than {MOST_A_DAY} stretches")]
    TooMany {
        /// The day.
        weekday: Weekday,
    },
    /// Nothing would ever be due.
    #[error("no day is open")]
    NeverOpen,
}
