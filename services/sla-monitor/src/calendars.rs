//! The calendars and the official days of years, as they are published (SLA-09, IMP-05).
//!
//! Absent ─publish─▶ version 1 ─publish─▶ version 2 …
//!
//! A calendar changes for everybody who goes by it: its newest version counts, and running clocks are
//! planned anew. The same holds for the official days of a year, of which a later edition replaces an
//! earlier one.

use contracts::{
    common::EventMetadata,
    sla::{
        Calendar, CalendarPublished, CalendarRecord, HolidayBook, HolidayNotice, HolidaysPublished,
        calendar_event, holidays_event,
    },
};
use decider::{Aggregate, Decision, emit, unchanged};
use eventlog::{Key, Listing, Recorded, time::to_proto};
use jiff::Timestamp;

const NAME: &str = "name";

/// A calendar through its versions.
#[derive(Debug, Default, Clone, PartialEq)]
pub enum CalendarSeries {
    /// There is none of this name.
    #[default]
    Absent,
    /// The newest version.
    Published(Calendar, u32),
}

impl Aggregate for CalendarSeries {
    type Event = calendar_event::Event;

    fn evolve(self, event: &Self::Event) -> Self {
        let calendar_event::Event::CalendarPublished(event) = event;
        Self::Published(event.calendar.clone().unwrap_or_default(), event.version)
    }
}

impl CalendarSeries {
    /// Publishes the next version.
    ///
    /// # Errors
    /// Never: what it holds was checked before.
    pub fn publish(
        &self,
        calendar: &Calendar,
        by: &str,
        now: Timestamp,
    ) -> Decision<calendar_event::Event, Never> {
        let version = match self {
            Self::Absent => 0,
            Self::Published(newest, _) if newest == calendar => return unchanged(),
            Self::Published(_, version) => *version,
        };
        emit(CalendarPublished {
            calendar: Some(calendar.clone()),
            version: version + 1,
            published_at: Some(to_proto(now)),
            published_by: by.to_owned(),
        })
    }
}

/// Nothing is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Never {}

impl Recorded for CalendarSeries {
    const KIND: &'static str = "calendar";

    type Row = CalendarRecord;

    fn apply(row: &mut CalendarRecord, event: &Self::Event, _meta: &EventMetadata, _version: u64) {
        let calendar_event::Event::CalendarPublished(event) = event;
        *row = CalendarRecord { calendar: event.calendar.clone(), version: event.version };
    }

    fn keys(row: &CalendarRecord) -> Vec<Key> {
        row.calendar.iter().map(|calendar| Key::new(NAME, calendar.name.clone())).collect()
    }
}

/// The notices of one region, by year.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Holidays(Vec<HolidayNotice>);

impl Aggregate for Holidays {
    type Event = holidays_event::Event;

    fn evolve(mut self, event: &Self::Event) -> Self {
        let holidays_event::Event::HolidaysPublished(event) = event;
        if let Some(notice) = &event.notice {
            put(&mut self.0, notice);
        }
        self
    }
}

fn put(notices: &mut Vec<HolidayNotice>, notice: &HolidayNotice) {
    match notices.binary_search_by_key(&notice.year, |known| known.year) {
        Ok(place) => notices[place].clone_from(notice),
        Err(place) => notices.insert(place, notice.clone()),
    }
}

impl Holidays {
    /// Takes in the notice of a year.
    ///
    /// # Errors
    /// A later edition is known, or this one with other days.
    pub fn publish(
        &self,
        notice: &HolidayNotice,
        by: &str,
        now: Timestamp,
    ) -> Decision<holidays_event::Event, Rejection> {
        let known = self.0.iter().find(|known| known.year == notice.year);
        match known {
            Some(known) if known == notice => unchanged(),
            Some(known) if known.edition > notice.edition => Err(Rejection::Older(known.edition)),
            Some(known) if known.edition == notice.edition => {
                Err(Rejection::Differs(known.edition))
            }
            Some(_) | None => emit(HolidaysPublished {
                notice: Some(notice.clone()),
                published_at: Some(to_proto(now)),
                published_by: by.to_owned(),
            }),
        }
    }
}

/// Why a notice is not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// A later edition counts.
    #[error("edition {0} of that year counts already")]
    Older(u32),
    /// The edition is known with other days.
    #[error("edition {0} of that year is known with other days; publish the next edition")]
    Differs(u32),
}

impl Recorded for Holidays {
    const KIND: &'static str = "holidays";

    type Row = HolidayBook;

    fn apply(row: &mut HolidayBook, event: &Self::Event, _meta: &EventMetadata, _version: u64) {
        let holidays_event::Event::HolidaysPublished(event) = event;
        if let Some(notice) = &event.notice {
            row.region.clone_from(&notice.region);
            put(&mut row.notices, notice);
        }
    }

    fn keys(row: &HolidayBook) -> Vec<Key> {
        vec![Key::new(NAME, row.region.clone())]
    }
}

/// Lists calendars by name.
#[must_use]
pub fn by_name() -> Listing {
    Listing::by(CalendarSeries::KIND, NAME)
}

/// Lists the books of official days by region.
#[must_use]
pub fn by_region() -> Listing {
    Listing::by(Holidays::KIND, NAME)
}

#[cfg(test)]
mod tests;
