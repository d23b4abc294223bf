//! Complaints that are too frequent to be chance: same cause, product, batch, carrier or region within some
//! days (CMP-43).
//!
//! ```text
//! Absent ─as many as make a pattern─▶ Found ─one more─▶ Found
//!    ▲                                  │ nothing for a whole window, or its action has ended
//!    └────────── next episode ──────────┘
//! ```
//!
//! Invariant: a complaint counts once in an episode, whatever the order in which complaints are heard of.

use std::collections::BTreeSet;

use chassis::facets::{SEPARATOR, sortable};
use contracts::common::EventMetadata;
pub use contracts::complaints::pattern_event::Event;
use contracts::complaints::{
    Complaint as ComplaintRow, Pattern as Row, PatternDimension, PatternFound, PatternGrown,
};
use decider::Aggregate;
use eventlog::{
    Key, Listing, Recorded,
    time::{from_proto, to_proto},
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::complaint::skus;

/// Under which the ids of patterns are made.
const PATTERNS: Uuid = Uuid::from_u128(0x7d6a_3f0e_5c1b_5a44_9b1e_2f60_c3d9_8e17);
const LAST: &str = "last";
const BY_DIMENSION: &str = "dimension";

/// A property that complaints may have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Trait {
    /// Which.
    pub dimension: PatternDimension,
    /// Its value.
    pub value: String,
}

impl Trait {
    /// As the text of a key.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}{SEPARATOR}{}", self.dimension.as_str_name(), self.value)
    }

    /// The id of the pattern of this property.
    #[must_use]
    pub fn pattern_id(&self) -> String {
        Uuid::new_v5(&PATTERNS, self.text().as_bytes()).to_string()
    }

    /// In words.
    #[must_use]
    pub fn words(&self) -> String {
        let what = match self.dimension {
            PatternDimension::Unspecified => "property",
            PatternDimension::Cause => "cause",
            PatternDimension::Sku => "product",
            PatternDimension::Batch => "batch",
            PatternDimension::Carrier => "carrier",
            PatternDimension::Region => "region",
        };
        format!("frequent complaints: {what} {}", self.value)
    }
}

/// The properties of a complaint, each once and in order. Its cause is the one that was told: what an
/// analysis finds does not take a complaint out of a pattern.
#[must_use]
pub fn traits(complaint: &ComplaintRow) -> BTreeSet<Trait> {
    use PatternDimension as By;
    let cause = complaint.told_cause().as_str_name().trim_start_matches("CAUSE_CLASS_");
    let cause = match complaint.topic.as_str() {
        "" => cause.to_owned(),
        topic => format!("{cause}/{topic}"),
    };
    let items = || complaint.items.iter();
    let of_items = items()
        .map(|item| (By::Batch, &item.batch))
        .chain(items().map(|item| (By::Carrier, &item.carrier)));
    let skus = skus(&complaint.items);
    [(By::Cause, &cause), (By::Region, &complaint.region)]
        .into_iter()
        .chain(of_items)
        .chain(skus.iter().map(|sku| (By::Sku, sku)))
        .filter(|(_, value)| !value.is_empty())
        .map(|(dimension, value)| Trait { dimension, value: value.clone() })
        .collect()
}

/// A complaint, and when it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Which.
    pub complaint_id: String,
    /// When.
    pub received_at: Timestamp,
}

/// How many in how many days make a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// So many complaints, at least 2.
    pub threshold: u32,
    /// So many days, at least 1.
    pub window_days: u32,
}

impl Rule {
    /// The span of time within which they lie.
    #[must_use]
    pub fn window(&self) -> SignedDuration {
        SignedDuration::from_hours(24 * i64::from(self.window_days))
    }
}

/// The pattern of one property.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// There is none.
    #[default]
    Absent,
    /// It was found.
    Found(Box<Episode>),
}

/// From when it was found until nothing more is heard of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Episode {
    number: u32,
    complaints: BTreeSet<String>,
    last_at: Timestamp,
    action_id: String,
}

impl Aggregate for Pattern {
    type Event = Event;

    fn evolve(self, event: &Event) -> Self {
        match (self, event) {
            (_, Event::PatternFound(event)) => Self::Found(Box::new(Episode {
                number: event.episode,
                complaints: event.complaint_ids.iter().cloned().collect(),
                last_at: moment(event.last_at.as_ref()),
                action_id: event.action_id.clone(),
            })),
            (Self::Absent, Event::PatternGrown(_)) => Self::Absent,
            (Self::Found(mut episode), Event::PatternGrown(event)) => {
                episode.complaints.insert(event.complaint_id.clone());
                episode.last_at = episode.last_at.max(moment(event.received_at.as_ref()));
                Self::Found(episode)
            }
        }
    }
}

fn moment(at: Option<&prost_types::Timestamp>) -> Timestamp {
    at.and_then(from_proto).unwrap_or_default()
}

impl Pattern {
    /// The action that the last episode opened.
    #[must_use]
    pub fn action_id(&self) -> Option<&str> {
        match self {
            Self::Absent => None,
            Self::Found(episode) => Some(&episode.action_id),
        }
    }

    /// A complaint with the property is heard of. `near` are all complaints with it that came within a
    /// window before or after; `action_ended` is when the last episode's action did, if it has: what
    /// comes after that tells whether it helped.
    #[must_use]
    pub fn sight(
        &self,
        property: &Trait,
        sighting: &Sighting,
        near: &[Sighting],
        action_ended: Option<Timestamp>,
        rule: Rule,
    ) -> Vec<Event> {
        let number = match self {
            Self::Absent => 1,
            Self::Found(episode) if episode.complaints.contains(&sighting.complaint_id) => {
                return Vec::new();
            }
            Self::Found(episode) if episode.goes_on(sighting, action_ended, rule) => {
                return vec![episode.grown(property, sighting)];
            }
            Self::Found(episode) => episode.number + 1,
        };
        let counted = |other: &&Sighting| action_ended.is_none_or(|end| other.received_at > end);
        let near: Vec<&Sighting> = near.iter().filter(counted).collect();
        let Some(group) = frequent(near, sighting, rule) else { return Vec::new() };
        let pattern_id = property.pattern_id();
        vec![Event::from(PatternFound {
            action_id: format!("{pattern_id}.{number}"),
            pattern_id,
            dimension: property.dimension.into(),
            value: property.value.clone(),
            episode: number,
            complaint_ids: group.iter().map(|it| it.complaint_id.clone()).collect(),
            first_at: group.first().map(|it| to_proto(it.received_at)),
            last_at: group.last().map(|it| to_proto(it.received_at)),
            threshold: rule.threshold,
            window_days: rule.window_days,
            found_at: Some(to_proto(sighting.received_at)),
        })]
    }
}

impl Episode {
    fn goes_on(&self, sighting: &Sighting, action_ended: Option<Timestamp>, rule: Rule) -> bool {
        let apart = sighting.received_at.duration_since(self.last_at).abs();
        apart <= rule.window() && action_ended.is_none_or(|end| sighting.received_at <= end)
    }

    fn grown(&self, property: &Trait, sighting: &Sighting) -> Event {
        Event::from(PatternGrown {
            pattern_id: property.pattern_id(),
            dimension: property.dimension.into(),
            value: property.value.clone(),
            episode: self.number,
            complaint_id: sighting.complaint_id.clone(),
            complaints: u64::try_from(self.complaints.len()).unwrap_or(u64::MAX).saturating_add(1),
            received_at: Some(to_proto(sighting.received_at)),
        })
    }
}

/// The complaints of the fullest window that the sighting lies in, the oldest first, if they are enough.
fn frequent<'a>(
    mut near: Vec<&'a Sighting>,
    sighting: &Sighting,
    rule: Rule,
) -> Option<Vec<&'a Sighting>> {
    near.sort_by(|a, b| (a.received_at, &a.complaint_id).cmp(&(b.received_at, &b.complaint_id)));
    let windows =
        near.iter().filter(|first| first.received_at <= sighting.received_at).map(|first| {
            let lies_in = |at: Timestamp| {
                at >= first.received_at && at.duration_since(first.received_at) <= rule.window()
            };
            let group: Vec<&Sighting> =
                near.iter().copied().filter(|it| lies_in(it.received_at)).collect();
            (lies_in(sighting.received_at), group)
        });
    windows
        .filter_map(|(holds_it, group)| holds_it.then_some(group))
        .max_by_key(Vec::len)
        .filter(|group| group.len() >= usize::try_from(rule.threshold.max(2)).unwrap_or(usize::MAX))
}

impl Recorded for Pattern {
    const KIND: &'static str = "pattern";

    type Row = Row;

    fn apply(row: &mut Row, event: &Event, _meta: &EventMetadata, _version: u64) {
        match event {
            Event::PatternFound(event) => {
                *row = Row {
                    pattern_id: event.pattern_id.clone(),
                    dimension: event.dimension,
                    value: event.value.clone(),
                    episode: event.episode,
                    complaints: u64::try_from(event.complaint_ids.len()).unwrap_or(u64::MAX),
                    first_at: event.first_at,
                    last_at: event.last_at,
                    action_id: event.action_id.clone(),
                    found_at: event.found_at,
                };
            }
            Event::PatternGrown(event) => {
                row.complaints = event.complaints;
                if moment(event.received_at.as_ref()) > moment(row.last_at.as_ref()) {
                    row.last_at = event.received_at;
                }
            }
        }
    }

    fn keys(row: &Row) -> Vec<Key> {
        let last = sortable(row.last_at.as_ref());
        let by = format!("{}{SEPARATOR}{last}", row.dimension().as_str_name());
        vec![Key::new(LAST, last), Key::new(BY_DIMENSION, by)]
    }
}

/// Lists patterns, the one with the newest complaint first.
#[must_use]
pub fn listing(dimension: Option<PatternDimension>) -> Listing {
    let listing = match dimension {
        None => Listing::by(Pattern::KIND, LAST),
        Some(dimension) => Listing::by(Pattern::KIND, BY_DIMENSION)
            .prefix(format!("{}{SEPARATOR}", dimension.as_str_name())),
    };
    listing.descending()
}

#[cfg(test)]
mod tests;
