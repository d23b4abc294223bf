//! What a calendar is made of, and the calendars that come with the product (SLA-09).

use jiff::{
    civil::{Date, Weekday},
    tz::TimeZone,
};

use super::{Day, Days, Hours, Week};

/// Name of the calendar that is always open.
pub(super) const ROUND_THE_CLOCK: &str = "24x7";

/// Where office hours are kept, and what is official there.
const ZONE: &str = "Asia/Shanghai";
const REGION: &str = "CN";

/// A calendar as it is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// What it is called: `5x8`.
    pub name: String,
    /// IANA time zone: `Asia/Shanghai`.
    pub zone: String,
    /// Hours of a plain week.
    pub week: Week,
    /// Region whose holidays and working weekends it follows; `None` for none.
    pub holidays: Option<String>,
    /// The weekday whose hours a working weekend has. Without meaning when it follows no holidays.
    pub make_up: Weekday,
}

impl Spec {
    /// A plain week in this time zone, with no holidays.
    #[must_use]
    pub fn new(name: &str, zone: &str, week: Week) -> Self {
        Self {
            name: name.to_owned(),
            zone: zone.to_owned(),
            week,
            holidays: None,
            make_up: Weekday::Monday,
        }
    }

    /// The same, but following the holidays of a region.
    #[must_use]
    pub fn with_holidays(self, region: &str) -> Self {
        Self { holidays: Some(region.to_owned()), ..self }
    }

    /// `24x7`: always open (hotline, on duty).
    #[must_use]
    pub fn round_the_clock() -> Self {
        Self::new(ROUND_THE_CLOCK, ZONE, Week::every_day(&[Hours::WHOLE_DAY]))
    }

    /// `5x8`: Chinese working days, 09:00 to 12:00 and 13:00 to 18:00.
    #[must_use]
    pub fn office_hours() -> Self {
        let hours = [Hours { from: 9 * 60, to: 12 * 60 }, Hours { from: 13 * 60, to: 18 * 60 }];
        Self::new("5x8", ZONE, Week::monday_to_friday(&hours)).with_holidays(REGION)
    }

    /// `workdays`: Chinese working days, 00:00 to 24:00.
    #[must_use]
    pub fn working_days() -> Self {
        Self::new("workdays", ZONE, Week::monday_to_friday(&[Hours::WHOLE_DAY]))
            .with_holidays(REGION)
    }

    /// The open hours of a date.
    pub(super) fn hours(&self, date: Date, days: Option<&Days>) -> &[Hours] {
        match days.map_or(Day::Plain, |days| days.day(date)) {
            Day::Plain => self.week.on(date.weekday()),
            Day::Holiday(_) => &[],
            Day::MakeUp => self.week.on(self.make_up),
        }
    }

    /// The book to compile with, if one is needed.
    pub(super) fn book<'a>(&self, days: Option<&'a Days>) -> Result<Option<&'a Days>, SpecError> {
        let Some(region) = &self.holidays else { return Ok(None) };
        let calendar = || self.name.clone();
        if self.week.on(self.make_up).is_empty() {
            return Err(SpecError::MakeUpClosed { calendar: calendar(), weekday: self.make_up });
        }
        match days {
            Some(days) if days.region() == region => Ok(Some(days)),
            Some(_) | None => {
                Err(SpecError::NoBook { calendar: calendar(), region: region.clone() })
            }
        }
    }

    pub(super) fn zone(&self) -> Result<TimeZone, SpecError> {
        TimeZone::get(&self.zone).map_err(|source| self.zone_error(source))
    }

    pub(super) fn zone_error(&self, source: jiff::Error) -> SpecError {
        SpecError::Zone { calendar: self.name.clone(), zone: self.zone.clone(), source }
    }
}

/// Why a spec makes no calendar.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SpecError {
    /// The time zone is not known here.
    #[error("calendar {calendar:?}: the time zone {zone:?} cannot be used")]
    Zone {
        /// Name of the calendar.
        calendar: String,
        /// The zone.
        zone: String,
        /// What is wrong with it.
        source: jiff::Error,
    },
    /// It follows holidays that nobody gave.
    #[error("calendar {calendar:?}: there is no day book of the region {region:?}")]
    NoBook {
        /// Name of the calendar.
        calendar: String,
        /// The region.
        region: String,
    },
    /// Working weekends would be closed.
    #[error(
        "calendar {calendar:?}: working weekends have the hours of {weekday:?}, which is closed"
    )]
    MakeUpClosed {
        /// Name of the calendar.
        calendar: String,
        /// The weekday.
        weekday: Weekday,
    },
}
