//! Calendars and official days as messages, and back.

use std::collections::{BTreeMap, BTreeSet};

use chassis::{Fields, days::date};
use contracts::sla::{self as api, DayHours, HolidayNotice, OpenHours};
use jiff::civil::{Date, Weekday};

use crate::calendar::{Calendar, Days, Hours, Notice, Spec, SpecError, Week, official};

const WEEK: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

/// Reads a calendar; that it can be compiled is checked too.
pub fn calendar(fields: &mut Fields, given: &api::Calendar) -> Option<Spec> {
    let spec = spec(fields, given)?;
    let book = spec.holidays.as_deref().map(Days::new);
    match Calendar::compile(&spec, book.as_ref()) {
        Ok(_) => Some(spec),
        Err(error) => {
            let field = match error {
                SpecError::Zone { .. } => "zone",
                SpecError::NoBook { .. } | SpecError::MakeUpClosed { .. } => "make_up_weekday",
            };
            fields.refuse(field, error.to_string());
            None
        }
    }
}

fn spec(fields: &mut Fields, given: &api::Calendar) -> Option<Spec> {
    let name = fields.identifier("name", &given.name);
    let zone = fields.text("zone", &given.zone, 1..=64);
    let mut days: [Vec<Hours>; 7] = Default::default();
    let read = fields.repeated("week", &given.week, 7..=7, |fields, day| {
        fields.repeated("open", &day.open, 0..=5, |_, open| Hours { from: open.from, to: open.to })
    });
    for (day, hours) in days.iter_mut().zip(read) {
        *day = hours;
    }
    if given.week.len() != 7 {
        return None; // it is said already
    }
    let week = fields.parsed("week", Week::try_new(days))?;
    let region = fields.optional_identifier("region", &given.region);
    let weekday = fields.number("make_up_weekday", given.make_up_weekday, 0..=7).max(1);
    let mut spec = Spec::new(&name, &zone, week);
    spec.holidays = region;
    spec.make_up = WEEK[weekday as usize - 1];
    Some(spec)
}

/// A calendar, ready to count with the official days that are known.
///
/// # Errors
/// It cannot be used.
pub fn compile(calendar: &api::Calendar, books: &[Days]) -> Result<Calendar, String> {
    let mut fields = Fields::new();
    let spec = self::spec(&mut fields, calendar);
    let spec = fields.finish_some(spec).map_err(|violations| violations.to_string())?;
    let none = spec.holidays.as_deref().map(Days::new);
    let known = books.iter().find(|book| Some(book.region()) == spec.holidays.as_deref());
    Calendar::compile(&spec, known.or(none.as_ref())).map_err(|error| error.to_string())
}

/// A calendar as it is told.
#[must_use]
pub fn told(spec: &Spec) -> api::Calendar {
    let day = |weekday: Weekday| DayHours {
        open: spec
            .week
            .on(weekday)
            .iter()
            .map(|hours| OpenHours { from: hours.from, to: hours.to })
            .collect(),
    };
    api::Calendar {
        name: spec.name.clone(),
        zone: spec.zone.clone(),
        week: WEEK.into_iter().map(day).collect(),
        region: spec.holidays.clone().unwrap_or_default(),
        make_up_weekday: u32::from(spec.make_up.to_monday_one_offset().unsigned_abs()),
    }
}

/// Reads the notice of a year.
pub fn notice(fields: &mut Fields, given: &HolidayNotice) -> Option<Notice> {
    let region = fields.identifier("region", &given.region);
    let source = fields.text("source", &given.source, 1..=500);
    let year = fields.number("year", given.year, 2000..=2099);
    let holidays = fields.repeated("holidays", &given.holidays, 0..=100, |fields, holiday| {
        let name = fields.text("name", &holiday.name, 1..=100);
        date(fields, "date", &holiday.date).map(|date| (date, name))
    });
    let weekends =
        fields.repeated("working_weekends", &given.working_weekends, 0..=100, |fields, day| {
            date(fields, "", day)
        });
    if !fields.is_fine() {
        return None;
    }
    let (given_days, given_weekends) = (holidays.len(), weekends.len());
    let holidays: BTreeMap<_, _> = holidays.into_iter().flatten().collect();
    let weekends: BTreeSet<_> = weekends.into_iter().flatten().collect();
    if holidays.len() < given_days || weekends.len() < given_weekends {
        fields.refuse("holidays", "or working_weekends name a day twice");
        return None;
    }
    let year = i16::try_from(year).unwrap_or_default();
    let read = Notice::try_new(region, year, given.edition, source, holidays, weekends);
    fields.parsed("", read)
}

/// The notice as it is told.
#[must_use]
pub fn told_notice(notice: &Notice) -> HolidayNotice {
    HolidayNotice {
        region: notice.region().to_owned(),
        year: i32::from(notice.year()),
        edition: notice.edition(),
        source: notice.source().to_owned(),
        holidays: notice
            .holidays()
            .iter()
            .map(|(date, name)| api::Holiday { date: date.to_string(), name: name.clone() })
            .collect(),
        working_weekends: notice.working_weekends().iter().map(Date::to_string).collect(),
    }
}

/// The official days of a region that are known.
#[must_use]
pub fn book(given: &api::HolidayBook) -> Days {
    let mut days = Days::new(&given.region);
    for notice in &given.notices {
        let mut fields = Fields::new();
        let read = self::notice(&mut fields, notice);
        match fields.finish_some(read).map(|notice| days.adopt(notice)) {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::error!(%error, "a notice cannot be used"),
            Err(violations) => tracing::error!(%violations, "a notice cannot be used"),
        }
    }
    days
}

/// The official days that come with the product.
#[must_use]
pub fn first_notices() -> Vec<HolidayNotice> {
    official().iter().map(told_notice).collect()
}

#[cfg(test)]
mod tests;
