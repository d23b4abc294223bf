//! Duties that come round: in which periods, and until when each (SLA-16).
//!
//! Each period of a duty is a clock of its own: it starts with the period, and is due at its end or,
//! with a time of grace, after it.

use contracts::sla::{DutyPeriod, Fact, FactKind};
use eventlog::time::to_proto;
use jiff::{Timestamp, ToSpan as _, Zoned, civil::Date};

use crate::{
    calendar::{OutOfRange, Span},
    policy::{Duty, Schedule},
    timeline::Plan,
};

/// One time that a duty is owed.
#[derive(Debug, Clone, PartialEq)]
pub struct Owed {
    /// The period: `2026-11`, `2026-W48`, `#3`; with `/2` for the second time in it.
    pub period: String,
    /// The start of its clock.
    pub start: Fact,
}

/// A period of the calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// Its name.
    pub name: String,
    /// First instant.
    pub from: Timestamp,
    /// First instant after it.
    pub to: Timestamp,
}

/// The period in which an instant lies; for working days, the day itself, open or not.
///
/// # Errors
/// It lies beyond the calendar.
pub fn period(at: Timestamp, length: DutyPeriod, plan: &Plan) -> Result<Period, OutOfRange> {
    let too_long = |_| OutOfRange::TooLong { from: at };
    let day = at.to_zoned(plan.calendar.zone().clone()).date();
    let month = |date: Date, months: i8| {
        let first = (date.month() - 1) / months * months + 1;
        Date::new(date.year(), first, 1)
    };
    let (from, months, days) = match length {
        DutyPeriod::Unspecified | DutyPeriod::Day | DutyPeriod::WorkingDay => (day, 0, 1),
        DutyPeriod::Week => {
            let since_monday = i32::from(day.weekday().to_monday_zero_offset());
            (day.checked_sub(since_monday.days()).map_err(too_long)?, 0, 7)
        }
        DutyPeriod::Month => (month(day, 1).map_err(too_long)?, 1, 0),
        DutyPeriod::Quarter => (month(day, 3).map_err(too_long)?, 3, 0),
        DutyPeriod::HalfYear => (month(day, 6).map_err(too_long)?, 6, 0),
        DutyPeriod::Year => (month(day, 12).map_err(too_long)?, 12, 0),
    };
    let to = from.checked_add(months.months().days(days)).map_err(too_long)?;
    let instant = |date: Date| {
        let zone = plan.calendar.zone().clone();
        date.to_zoned(zone).map(|midnight: Zoned| midnight.timestamp()).map_err(too_long)
    };
    let (year, of_year) = (from.year(), from.month());
    let name = match length {
        DutyPeriod::Unspecified | DutyPeriod::Day | DutyPeriod::WorkingDay => from.to_string(),
        DutyPeriod::Week => {
            let week = from.iso_week_date();
            format!("{}-W{:02}", week.year(), week.week())
        }
        DutyPeriod::Month => format!("{year}-{of_year:02}"),
        DutyPeriod::Quarter => format!("{year}-Q{}", (of_year + 2) / 3),
        DutyPeriod::HalfYear => format!("{year}-H{}", (of_year + 5) / 6),
        DutyPeriod::Year => year.to_string(),
    };
    Ok(Period { name, from: instant(from)?, to: instant(to)? })
}

/// What is owed in a period of the calendar; nothing on a day off, where working days count.
///
/// # Errors
/// It lies beyond the calendar.
pub fn owed_in(
    period: &Period,
    length: DutyPeriod,
    duty: &Duty,
    plan: &Plan,
) -> Result<Vec<Owed>, OutOfRange> {
    if length == DutyPeriod::WorkingDay && plan.calendar.working(period.from, period.to)?.is_zero()
    {
        return Ok(Vec::new());
    }
    owed(&period.name, period.from, period.to, duty, plan, &format!("schedule/{}", period.name))
}

/// What is owed after an event: all periods of its series.
///
/// # Errors
/// The series runs beyond the calendar.
pub fn owed_after(anchor: &Fact, at: Timestamp, plan: &Plan) -> Result<Vec<Owed>, OutOfRange> {
    let Some(duty) = &plan.policy.duty else { return Ok(Vec::new()) };
    let Schedule::Anchored { every, times } = duty.schedule else { return Ok(Vec::new()) };
    let mut series = Vec::new();
    for number in 1..=times {
        // each from the anchor, so that month ends do not wear off
        let end = |periods: u32| match periods {
            0 => Ok(at),
            _ => Span { amount: every.amount.saturating_mul(periods), ..every }
                .end(at, &plan.calendar),
        };
        let (from, to) = (end(number - 1)?, end(number)?);
        series.extend(owed(&format!("#{number}"), from, to, duty, plan, &anchor.evidence)?);
    }
    for owed in &mut series {
        owed.start.event.clone_from(&anchor.event);
        owed.start.recorded_at = anchor.recorded_at;
    }
    Ok(series)
}

fn owed(
    name: &str,
    from: Timestamp,
    to: Timestamp,
    duty: &Duty,
    plan: &Plan,
    evidence: &str,
) -> Result<Vec<Owed>, OutOfRange> {
    let until = duty.grace.map_or(Ok(to), |grace| grace.end(to, &plan.calendar))?;
    let time = |number: u32| Owed {
        period: if number == 1 { name.to_owned() } else { format!("{name}/{number}") },
        start: Fact {
            kind: FactKind::Start.into(),
            at: Some(to_proto(from)),
            evidence: evidence.to_owned(),
            recorded_at: Some(to_proto(from)),
            until: Some(to_proto(until)),
            ..Fact::default()
        },
    };
    Ok((1..=duty.times_per_period).map(time).collect())
}

#[cfg(test)]
mod tests;
