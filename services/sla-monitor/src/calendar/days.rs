//! The day book of a region: which dates are holidays, and which weekends are worked (IMP-05).
//!
//! A year without a notice has neither, and is planned.
//!
//! Invariant: the book is the same in whatever order notices come.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::Notice;

/// What a region has announced, year by year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Days {
    region: String,
    notices: BTreeMap<i16, Notice>,
}

/// What a date is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day<'a> {
    /// What its weekday says.
    Plain,
    /// A public holiday of this name.
    Holiday(&'a str),
    /// A weekend day that is worked to make up for a holiday.
    MakeUp,
}

/// What became of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adoption {
    /// Its year goes by it now.
    Adopted,
    /// Its year went by it already.
    Repeated,
    /// Its year goes by a later edition: it is ignored.
    Outdated,
}

impl Days {
    /// A book without notices.
    #[must_use]
    pub fn new(region: &str) -> Self {
        Self { region: region.to_owned(), notices: BTreeMap::new() }
    }

    /// The region: `CN`.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Takes a notice in: the latest edition of a year counts, an older one is ignored.
    ///
    /// # Errors
    /// It is of another region, or the same edition is known with another content.
    pub fn adopt(&mut self, notice: Notice) -> Result<Adoption, AdoptionError> {
        if notice.region() != self.region {
            return Err(AdoptionError::OtherRegion {
                notice: notice.region().to_owned(),
                book: self.region.clone(),
            });
        }
        let (year, edition) = (notice.year(), notice.edition());
        match self.notices.get(&year) {
            Some(known) if edition < known.edition() => return Ok(Adoption::Outdated),
            Some(known) if notice == *known => return Ok(Adoption::Repeated),
            Some(known) if edition == known.edition() => {
                return Err(AdoptionError::Differs { year, edition });
            }
            Some(_) | None => {}
        }
        self.notices.insert(year, notice);
        Ok(Adoption::Adopted)
    }

    /// The notice that a year goes by.
    #[must_use]
    pub fn notice(&self, year: i16) -> Option<&Notice> {
        self.notices.get(&year)
    }

    /// The years with a notice.
    pub fn years(&self) -> impl Iterator<Item = i16> {
        self.notices.keys().copied()
    }

    /// Whether a year has no notice: its holidays are not known yet.
    #[must_use]
    pub fn is_planned(&self, year: i16) -> bool {
        !self.notices.contains_key(&year)
    }

    /// What a date is.
    #[must_use]
    pub fn day(&self, date: Date) -> Day<'_> {
        let Some(notice) = self.notices.get(&date.year()) else { return Day::Plain };
        if let Some(name) = notice.holidays().get(&date) {
            Day::Holiday(name)
        } else if notice.working_weekends().contains(&date) {
            Day::MakeUp
        } else {
            Day::Plain
        }
    }
}

/// Why a book does not take a notice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdoptionError {
    /// A book is of one region.
    #[error("a notice of the region {notice:?} is not for the book of {book:?}")]
    OtherRegion {
        /// Region of the notice.
        notice: String,
        /// Region of the book.
        book: String,
    },
    /// An edition never changes; a correction is a later one.
    #[error("edition {edition} of {year} is known with another content")]
    Differs {
        /// Year of the notice.
        year: i16,
        /// Edition of the notice.
        edition: u32,
    },
}
