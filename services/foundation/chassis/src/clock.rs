//! A clock that runs fast, for demonstrations: days pass while somebody looks on.
//!
//! ```text
//! machine   ──────since──────────────now
//! shown     ──────since────────────────────────────────────────▶ since + speed × (now − since)
//! ```
//!
//! A log that was written by such a clock lies in the future. It must not be written by a clock of
//! normal speed before that future has come: `recorded_at` never goes back, so until then it would
//! stand still, and no deadline would pass.

use std::{ops::RangeInclusive, time::Duration};

use eventlog::{Clock, SystemClock};
use jiff::Timestamp;

use crate::ConfigError;

/// How many times as fast as the machine's clock a [`ScaledClock`] may run.
pub const SPEEDS: RangeInclusive<u32> = 1..=100_000;

/// The machine's clock until a moment; from then on so many times as fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScaledClock {
    since: Timestamp,
    speed: u32,
}

impl ScaledClock {
    /// Runs fast from this moment on. Two processes of one machine that are given the same moment
    /// and speed show the same time.
    ///
    /// # Errors
    /// The speed is none of [`SPEEDS`].
    pub fn try_new(since: Timestamp, speed: u32) -> Result<Self, ConfigError> {
        if !SPEEDS.contains(&speed) {
            let (slowest, fastest) = (SPEEDS.start(), SPEEDS.end());
            return Err(ConfigError::new(format!(
                "a speed of {speed} is out of range; choose {slowest} to {fastest} times the speed \
                 of the machine's clock"
            )));
        }
        Ok(Self { since, speed })
    }

    /// The machine's clock, at its own speed.
    #[must_use]
    pub fn normal() -> Self {
        Self { since: Timestamp::UNIX_EPOCH, speed: 1 }
    }

    /// Waits until it shows this moment.
    pub async fn reach(&self, moment: Timestamp) {
        loop {
            let left = moment.duration_since(self.now());
            let Ok(left) = Duration::try_from(left) else { return };
            if left.is_zero() {
                return;
            }
            tokio::time::sleep((left / self.speed).max(Duration::from_millis(1))).await;
        }
    }

    /// When it began to run fast.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// How many times as fast as the machine's clock.
    #[must_use]
    pub fn speed(&self) -> u32 {
        self.speed
    }

    /// What it shows when the machine's clock shows this; it stops at the end of time.
    fn shows(&self, machine: Timestamp) -> Timestamp {
        if machine <= self.since {
            return machine;
        }
        let passed = machine.duration_since(self.since);
        let fast = i32::try_from(self.speed).ok().and_then(|speed| passed.checked_mul(speed));
        fast.and_then(|fast| self.since.checked_add(fast).ok()).unwrap_or(Timestamp::MAX)
    }
}

impl Clock for ScaledClock {
    fn now(&self) -> Timestamp {
        self.shows(SystemClock.now())
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn time_passes_so_many_times_as_fast_from_the_start_on() {
        let clock = ScaledClock::try_new(at(1_000), 3_600).unwrap();
        assert_eq!(clock.shows(at(1_000)), at(1_000));
        assert_eq!(clock.shows(at(1_002)), at(1_000 + 2 * 3_600));
        let instant = Timestamp::new(1_000, 250_000_000).unwrap();
        assert_eq!(clock.shows(instant), at(1_000 + 900));
    }

    #[test]
    fn before_the_start_it_is_the_machines_clock() {
        let clock = ScaledClock::try_new(at(1_000), 100_000).unwrap();
        assert_eq!(clock.shows(at(999)), at(999));
    }

    #[test]
    fn at_the_end_of_time_it_stops() {
        let clock = ScaledClock::try_new(at(0), 100_000).unwrap();
        assert_eq!(clock.shows(Timestamp::MAX), Timestamp::MAX);
    }

    #[tokio::test]
    async fn a_moment_is_reached_so_many_times_as_soon() {
        let clock = ScaledClock::try_new(SystemClock.now(), 100_000).unwrap();
        let tomorrow = clock.now() + SignedDuration::from_hours(24);
        clock.reach(tomorrow).await;
        assert!(clock.now() >= tomorrow);
        clock.reach(tomorrow).await;
    }

    #[test]
    fn at_speed_1_it_is_the_machines_clock() {
        let clock = ScaledClock::normal();
        let (before, shown, after) = (SystemClock.now(), clock.now(), SystemClock.now());
        assert!(before <= shown && shown <= after, "{before} {shown} {after}");
    }

    #[test]
    fn a_speed_beyond_the_range_is_refused_with_the_range() {
        for speed in [0, 100_001, u32::MAX] {
            let refused = ScaledClock::try_new(at(0), speed).unwrap_err().to_string();
            assert!(refused.contains("1 to 100000"), "{refused}");
        }
        for speed in [1, 100_000] {
            assert_eq!(ScaledClock::try_new(at(0), speed).unwrap().speed(), speed);
        }
    }
}
