//! A span of time as a contract words it: 4 hours, 3 working days, 24 months (SLA-09).

use jiff::{SignedDuration, Timestamp, civil::Time, tz::TimeZone};

use super::{Calendar, OutOfRange};

/// So many units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// How many.
    pub amount: u32,
    /// Of what.
    pub unit: Unit,
    /// Whether it lasts to the end of its last day.
    pub end_of_day: bool,
}

/// What a span is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Seconds of open time.
    Seconds,
    /// Minutes of open time.
    Minutes,
    /// Hours of open time.
    Hours,
    /// 24 hours of the days on which the calendar is open, each counted whole.
    WorkingDays,
    /// To the same local time of another day.
    Days,
    /// Seven days each.
    Weeks,
    /// To the same day of another month, or the last one where it is shorter.
    Months,
    /// Twelve months each.
    Years,
}

impl Span {
    /// So many units, to the nanosecond.
    #[must_use]
    pub const fn new(amount: u32, unit: Unit) -> Self {
        Self { amount, unit, end_of_day: false }
    }

    /// The same, but lasting to the end of its last day.
    #[must_use]
    pub const fn to_end_of_day(self) -> Self {
        Self { end_of_day: true, ..self }
    }

    /// When it ends.
    ///
    /// With `end_of_day` that is 24:00 of its last day in the zone of the calendar, open or not.
    /// Open time that ends with a day has that day as its last; calendar days that end at 00:00
    /// have the day that begins then.
    ///
    /// # Errors
    /// `from` or the end lies outside the century.
    pub fn end(&self, from: Timestamp, calendar: &Calendar) -> Result<Timestamp, OutOfRange> {
        let too_long = OutOfRange::TooLong { from };
        let (end, last) = match self.length() {
            Length::Open(time) => {
                let end = self.measured_on(calendar).add(from, time)?;
                // just before the end, for the end itself may be the first instant of another day
                (end, if time.is_zero() { end } else { end - SignedDuration::from_nanos(1) })
            }
            Length::Civil(length) => {
                let from = calendar.known(from)?.to_zoned(calendar.zone().clone());
                let end = length.and_then(|length| from.checked_add(length));
                let end = end.map_err(|_| too_long)?.timestamp();
                (end, end)
            }
        };
        let end = if self.end_of_day {
            end_of_day(last, calendar.zone()).map_err(|_| too_long)?
        } else {
            end
        };
        calendar.known(end).map_err(|_| too_long)
    }

    /// The calendar on which its time is measured: the given one for seconds to hours, its whole
    /// days for working days, and round the clock for calendar days to years.
    #[must_use]
    pub fn measured_on(&self, calendar: &Calendar) -> Calendar {
        match self.unit {
            Unit::Seconds | Unit::Minutes | Unit::Hours => calendar.clone(),
            Unit::WorkingDays => calendar.whole_days(),
            Unit::Days | Unit::Weeks | Unit::Months | Unit::Years => calendar.round_the_clock(),
        }
    }

    /// How much time it gives: from `from` to its end, on the calendar that measures it.
    ///
    /// # Errors
    /// As [`Span::end`].
    pub fn total(
        &self,
        from: Timestamp,
        calendar: &Calendar,
    ) -> Result<SignedDuration, OutOfRange> {
        self.measured_on(calendar).working(from, self.end(from, calendar)?)
    }

    fn length(&self) -> Length {
        let amount = i64::from(self.amount);
        let civil = jiff::Span::new();
        match self.unit {
            Unit::Seconds => Length::Open(SignedDuration::from_secs(amount)),
            Unit::Minutes => Length::Open(SignedDuration::from_mins(amount)),
            Unit::Hours => Length::Open(SignedDuration::from_hours(amount)),
            Unit::WorkingDays => Length::Open(SignedDuration::from_hours(24 * amount)),
            Unit::Days => Length::Civil(civil.try_days(amount)),
            Unit::Weeks => Length::Civil(civil.try_weeks(amount)),
            Unit::Months => Length::Civil(civil.try_months(amount)),
            Unit::Years => Length::Civil(civil.try_years(amount)),
        }
    }
}

/// How the end of a span is found.
enum Length {
    /// By open time.
    Open(SignedDuration),
    /// By dates at the same local time; an error when there are not so many dates.
    Civil(Result<jiff::Span, jiff::Error>),
}

/// 24:00 of the day of this instant. Where the clocks make midnight come twice it is the second
/// one: no instant of the day comes after it.
fn end_of_day(at: Timestamp, zone: &TimeZone) -> Result<Timestamp, jiff::Error> {
    let midnight = zone.to_datetime(at).date().tomorrow()?.to_datetime(Time::midnight());
    zone.to_ambiguous_timestamp(midnight).later()
}
