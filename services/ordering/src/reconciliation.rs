//! One comparison of a platform's list of a day with ours, and how its differences were resolved
//! (ORD-71).
//!
//! Absent ─make─▶ Open ─resolve, each difference─▶ Closed
//!
//! A comparison without differences is closed from the start. Invariant: each entry of either list
//! is either matched or part of exactly one difference.

use std::collections::BTreeMap;

use chassis::{
    When,
    facets::{self, sortable},
    repeat::{Differs, same, same_time},
};
use contracts::common::EventMetadata;
pub use contracts::ordering::reconciliation_event::Event;
use contracts::ordering::{
    Difference, DifferenceResolved, Reconciliation as Row, ReconciliationList, ReconciliationMade,
};
use decider::{Aggregate, Decision, emit, unchanged};
use eventlog::{Key, Listing, Recorded, time::to_proto};
use jiff::civil::Date;
use prost_types::Timestamp;

use crate::amount::Amount;

mod compare;
mod ours;

pub use compare::{Comparison, MOST_DIFFERENCES, Ours, Stand, Theirs, compare, list_sha256};
pub use ours::{Day, our_list, reached};

/// The time of a fact, as history tells it.
type At = Option<Timestamp>;

/// Where a reconciliation stands, as far as decisions read it.
#[derive(Debug, Default, Clone, PartialEq)]
pub enum Reconciliation {
    /// Nothing was compared.
    #[default]
    Absent,
    /// Differences are not resolved; a resolution is there for those that are.
    Open(Subject, Differences),
    /// No difference is left; all have their resolution.
    Closed(Subject, Differences),
}

/// When the comparison was made, and how each difference was resolved and when, if it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Differences {
    made_at: At,
    resolutions: BTreeMap<u32, Option<(String, At)>>,
}

/// What is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The caller's id.
    pub reconciliation_id: String,
    /// Platform.
    pub platform: String,
    /// Day in the platform's zone.
    pub day: String,
    /// Which list.
    pub list: ReconciliationList,
    /// Digest of the platform's list, see [`list_sha256`].
    pub list_sha256: String,
}

impl Subject {
    /// The platform's list of a day.
    #[must_use]
    pub fn new(
        reconciliation_id: &str,
        platform: &str,
        day: Date,
        list: ReconciliationList,
        theirs: &[Theirs],
    ) -> Self {
        Self {
            reconciliation_id: reconciliation_id.to_owned(),
            platform: platform.to_owned(),
            day: day.to_string(),
            list,
            list_sha256: list_sha256(theirs),
        }
    }
}

impl Aggregate for Reconciliation {
    type Event = Event;

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::ReconciliationMade(event) => {
                let subject = Subject {
                    reconciliation_id: event.reconciliation_id.clone(),
                    platform: event.platform.clone(),
                    day: event.day.clone(),
                    list: event.list(),
                    list_sha256: event.list_sha256.clone(),
                };
                let resolutions =
                    event.differences.iter().map(|it| (it.difference_no, None)).collect();
                Self::with(subject, Differences { made_at: event.made_at, resolutions })
            }
            Event::DifferenceResolved(event) => match self {
                Self::Absent => Self::Absent,
                Self::Open(subject, mut differences) | Self::Closed(subject, mut differences) => {
                    let resolution = (event.resolution.clone(), event.resolved_at);
                    differences.resolutions.insert(event.difference_no, Some(resolution));
                    Self::with(subject, differences)
                }
            },
        }
    }
}

impl Reconciliation {
    fn with(subject: Subject, differences: Differences) -> Self {
        if differences.resolutions.values().all(Option::is_some) {
            Self::Closed(subject, differences)
        } else {
            Self::Open(subject, differences)
        }
    }

    /// The platform that was compared with; `None` when nothing was compared.
    #[must_use]
    pub fn platform(&self) -> Option<&str> {
        match self {
            Self::Absent => None,
            Self::Open(subject, _) | Self::Closed(subject, _) => Some(&subject.platform),
        }
    }

    /// The lists are compared. A repeat keeps the comparison that was made first: our side moves
    /// on, and a difference that vanished by itself must not vanish from the record.
    ///
    /// # Errors
    /// The id was used for another list.
    pub fn make(
        &self,
        subject: &Subject,
        comparison: &Comparison,
        when: When,
    ) -> Decision<Event, Rejection> {
        match self {
            Self::Absent => emit(ReconciliationMade {
                reconciliation_id: subject.reconciliation_id.clone(),
                platform: subject.platform.clone(),
                day: subject.day.clone(),
                list: subject.list.into(),
                their_count: comparison.their_count,
                our_count: comparison.our_count,
                matched: comparison.matched,
                differences: comparison.differences.clone(),
                their_total: comparison.their_total.as_ref().map(Amount::money),
                our_total: comparison.our_total.as_ref().map(Amount::money),
                made_at: Some(to_proto(when.time())),
                list_sha256: subject.list_sha256.clone(),
            }),
            Self::Open(before, told) | Self::Closed(before, told) => {
                same("platform", &before.platform, &subject.platform)?;
                same("day", &before.day, &subject.day)?;
                same("list", &before.list, &subject.list)?;
                same("entries", &before.list_sha256, &subject.list_sha256)?;
                same_time(told.made_at.as_ref(), when)?;
                unchanged()
            }
        }
    }

    /// A person found out what was behind a difference, and says so.
    ///
    /// # Errors
    /// There is no such difference, or it was resolved in another way.
    pub fn resolve(
        &self,
        difference_no: u32,
        resolution: &str,
        by: &str,
        when: When,
    ) -> Decision<Event, Rejection> {
        match self {
            Self::Absent => Err(Rejection::NotFound),
            Self::Open(subject, differences) | Self::Closed(subject, differences) => {
                match differences.resolutions.get(&difference_no) {
                    None => Err(Rejection::DifferenceNotFound),
                    Some(Some((given, at))) => {
                        same("resolution", given.as_str(), resolution)?;
                        same_time(at.as_ref(), when)?;
                        unchanged()
                    }
                    Some(None) => emit(DifferenceResolved {
                        reconciliation_id: subject.reconciliation_id.clone(),
                        difference_no,
                        resolution: resolution.to_owned(),
                        resolved_by: by.to_owned(),
                        resolved_at: Some(to_proto(when.time())),
                    }),
                }
            }
        }
    }
}

/// Why a reconciliation says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// No reconciliation has this id.
    #[error("there is no such reconciliation")]
    NotFound,
    /// It has no difference of this number.
    #[error("the reconciliation has no such difference")]
    DifferenceNotFound,
    /// A list has amounts of several currencies, which have no sum.
    #[error("{side} list has amounts of several currencies")]
    MixedCurrencies {
        /// Whose list.
        side: &'static str,
    },
    /// The sum of a list is larger than an amount can be.
    #[error("the sum of {side} list is larger than an amount can be")]
    Overflow {
        /// Whose list.
        side: &'static str,
    },
    /// The lists have so little in common that one of them must be another one.
    #[error(
        "the lists differ in more than {} orders: check the day and the list",
        MOST_DIFFERENCES
    )]
    TooManyDifferences,
    /// The id was used before, with another content.
    #[error(transparent)]
    Differs(#[from] Differs),
}

impl Recorded for Reconciliation {
    const KIND: &'static str = "reconciliation";

    type Row = Row;

    fn apply(row: &mut Row, event: &Event, _meta: &EventMetadata, _version: u64) {
        match event {
            Event::ReconciliationMade(event) => {
                *row = Row {
                    reconciliation_id: event.reconciliation_id.clone(),
                    platform: event.platform.clone(),
                    day: event.day.clone(),
                    list: event.list,
                    their_count: event.their_count,
                    our_count: event.our_count,
                    matched: event.matched,
                    differences: event.differences.clone(),
                    open_differences: open(&event.differences),
                    their_total: event.their_total.clone(),
                    our_total: event.our_total.clone(),
                    made_at: event.made_at,
                };
            }
            Event::DifferenceResolved(event) => {
                for difference in &mut row.differences {
                    if difference.difference_no == event.difference_no {
                        difference.resolution.clone_from(&event.resolution);
                        difference.resolved_by.clone_from(&event.resolved_by);
                    }
                }
                row.open_differences = open(&row.differences);
            }
        }
    }

    fn keys(row: &Row) -> Vec<Key> {
        let stage = if row.open_differences > 0 { OPEN } else { "closed" };
        let sort = format!("{}{}{}", row.day, facets::SEPARATOR, sortable(row.made_at.as_ref()));
        facets::keys(&[&row.platform, stage], &sort)
    }
}

const OPEN: &str = "open";

/// A resolution is never blank, so an empty one is none.
fn open(differences: &[Difference]) -> u32 {
    let open = differences.iter().filter(|difference| difference.resolution.is_empty()).count();
    u32::try_from(open).unwrap_or(u32::MAX)
}

/// Lists reconciliations by the day they are about.
#[must_use]
pub fn listing(platform: Option<&str>, open_only: bool) -> Listing {
    facets::listing(Reconciliation::KIND, &[platform, open_only.then_some(OPEN)])
}

#[cfg(test)]
mod tests;
