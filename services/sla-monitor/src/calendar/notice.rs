//! The official days of one year (IMP-05).
//!
//! Invariant: every date is in the year and in one list; days with work are Saturdays and Sundays.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
};

use jiff::civil::{Date, Weekday};
use serde::Deserialize;

/// Years that a notice can be of.
const YEARS: RangeInclusive<i16> = 2000..=2099;

/// The yearly notices that come with the product.
const OFFICIAL: [&str; 3] = [
    include_str!("../../../../deploy/calendars/cn-2024.json"),
    include_str!("../../../../deploy/calendars/cn-2025.json"),
    include_str!("../../../../deploy/calendars/cn-2026.json"),
];

/// The notices of `deploy/calendars/`, by year.
#[must_use]
pub fn official() -> Vec<Notice> {
    // a test proves that each parses
    OFFICIAL.into_iter().filter_map(|json| Notice::parse(json).ok()).collect()
}

/// What a region announces for a year: days without work, and weekend days with work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    region: String,
    year: i16,
    edition: u32,
    source: String,
    holidays: BTreeMap<Date, String>,
    working_weekends: BTreeSet<Date>,
}

/// A notice as it is written in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    region: String,
    year: i16,
    edition: u32,
    source: String,
    holidays: BTreeMap<String, String>,
    working_weekends: Vec<String>,
}

impl Notice {
    /// Reads the JSON form, in which the files of `deploy/calendars/` are written.
    ///
    /// # Errors
    /// It has another form, a date is not written as `2026-02-17` or listed twice, or
    /// [`Notice::try_new`] says no.
    pub fn parse(json: &str) -> Result<Self, NoticeError> {
        let written: Written = serde_json::from_str(json)?;
        let mut holidays = BTreeMap::new();
        for (text, name) in written.holidays {
            holidays.insert(parse_date("holidays", &text)?, name);
        }
        let mut working_weekends = BTreeSet::new();
        for text in &written.working_weekends {
            let date = parse_date("working_weekends", text)?;
            if !working_weekends.insert(date) {
                return Err(NoticeError::Twice(date));
            }
        }
        let Written { region, year, edition, source, .. } = written;
        Self::try_new(region, year, edition, source, holidays, working_weekends)
    }

    /// A notice of these days; holidays with their names.
    ///
    /// # Errors
    /// Region or source is empty, the year is not one of 2000 to 2099, editions do not count from
    /// 1, a date is outside the year or in both lists, or a working weekend is no weekend.
    pub fn try_new(
        region: String,
        year: i16,
        edition: u32,
        source: String,
        holidays: BTreeMap<Date, String>,
        working_weekends: BTreeSet<Date>,
    ) -> Result<Self, NoticeError> {
        for (field, text) in [("region", &region), ("source", &source)] {
            if text.trim().is_empty() {
                return Err(NoticeError::Empty(field));
            }
        }
        if !YEARS.contains(&year) {
            return Err(NoticeError::Year(year));
        }
        if edition == 0 {
            return Err(NoticeError::Edition);
        }
        let dates = holidays.keys().map(|date| ("holidays", *date));
        let weekends = working_weekends.iter().map(|date| ("working_weekends", *date));
        for (list, date) in dates.chain(weekends) {
            if date.year() != year {
                return Err(NoticeError::OtherYear { list, date, year });
            }
        }
        for date in &working_weekends {
            if holidays.contains_key(date) {
                return Err(NoticeError::Both(*date));
            }
            if !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) {
                return Err(NoticeError::NoWeekend(*date));
            }
        }
        Ok(Self { region, year, edition, source, holidays, working_weekends })
    }

    /// Whose days they are: `CN`.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Year, 2000 to 2099.
    #[must_use]
    pub fn year(&self) -> i16 {
        self.year
    }

    /// From 1; a later edition of a year replaces an earlier one.
    #[must_use]
    pub fn edition(&self) -> u32 {
        self.edition
    }

    /// Where it is from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Days without work, and their names.
    #[must_use]
    pub fn holidays(&self) -> &BTreeMap<Date, String> {
        &self.holidays
    }

    /// Saturdays and Sundays with work.
    #[must_use]
    pub fn working_weekends(&self) -> &BTreeSet<Date> {
        &self.working_weekends
    }
}

/// Dates have one form here; jiff knows others, and drops a time of day.
fn parse_date(list: &'static str, text: &str) -> Result<Date, NoticeError> {
    let date = text.parse().ok().filter(|date: &Date| date.to_string() == text);
    date.ok_or_else(|| NoticeError::NoDate { list, text: text.to_owned() })
}

/// What is wrong with a notice, and where.
#[derive(Debug, thiserror::Error)]
pub enum NoticeError {
    /// It has another form; the text gives line and column.
    #[error(transparent)]
    Form(#[from] serde_json::Error),
    /// A field must say something.
    #[error("{0}: it is empty")]
    Empty(&'static str),
    /// Calendars know one century.
    #[error("year: {0} is not one of 2000 to 2099")]
    Year(i16),
    /// Editions count from 1.
    #[error("edition: the first is 1")]
    Edition,
    /// No date, or not written as one.
    #[error("{list}: {text:?} is no date such as 2026-02-17")]
    NoDate {
        /// The list.
        list: &'static str,
        /// What is written there.
        text: String,
    },
    /// A notice is of one year.
    #[error("{list}: {date} is not in {year}")]
    OtherYear {
        /// The list.
        list: &'static str,
        /// The date.
        date: Date,
        /// Year of the notice.
        year: i16,
    },
    /// A date is written once.
    #[error("working_weekends: {0} is listed twice")]
    Twice(Date),
    /// A date cannot be both.
    #[error("working_weekends: {0} is a holiday as well")]
    Both(Date),
    /// Other days are worked anyway.
    #[error("working_weekends: {0} is a {weekday:?}", weekday = .0.weekday())]
    NoWeekend(Date),
}
