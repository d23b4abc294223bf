//! One profile through its versions (SLA-01).
//!
//! Absent ─publish─▶ version 1 ─publish─▶ version 2 … ─retire─▶ retired ─publish─▶ version n
//!
//! Invariant: a version, once published, never changes. What it holds was checked before it comes
//! here.

use std::collections::BTreeSet;

pub use contracts::sla::profile_event::Event;
use contracts::{
    common::EventMetadata,
    sla::{Profile, ProfileHistory, ProfilePublished, ProfileRetired, ProfileVersion},
};
use decider::{Aggregate, Decision, emit, unchanged};
use eventlog::{Key, Listing, Recorded, time::to_proto};
use jiff::Timestamp;

const NAME: &str = "name";

/// A profile through its versions.
#[derive(Debug, Default, Clone, PartialEq)]
pub enum ProfileSeries {
    /// There is none of this name.
    #[default]
    Absent,
    /// New clocks start under the newest version.
    Published(Profile, u32),
    /// None does.
    Retired(Profile, u32),
}

impl Aggregate for ProfileSeries {
    type Event = Event;

    fn evolve(self, event: &Event) -> Self {
        match (self, event) {
            (_, Event::ProfilePublished(event)) => {
                Self::Published(event.profile.clone().unwrap_or_default(), event.version)
            }
            (Self::Absent, Event::ProfileRetired(_)) => Self::Absent,
            (
                Self::Published(profile, version) | Self::Retired(profile, version),
                Event::ProfileRetired(_),
            ) => Self::Retired(profile, version),
        }
    }
}

impl ProfileSeries {
    /// Number of the newest version; 0 when there is none.
    #[must_use]
    pub fn version(&self) -> u32 {
        match self {
            Self::Absent => 0,
            Self::Published(_, version) | Self::Retired(_, version) => *version,
        }
    }

    /// Publishes the next version.
    ///
    /// # Errors
    /// Somebody else has published one since the caller looked.
    pub fn publish(
        &self,
        profile: &Profile,
        seen: u32,
        by: &str,
        now: Timestamp,
    ) -> Decision<Event, Rejection> {
        if let Self::Published(newest, _) = self
            && newest == profile
        {
            return unchanged();
        }
        let newest = self.version();
        if seen != newest {
            return Err(Rejection::SeenAnother { newest, seen });
        }
        emit(ProfilePublished {
            profile: Some(profile.clone()),
            version: newest + 1,
            published_at: Some(to_proto(now)),
            published_by: by.to_owned(),
        })
    }

    /// Under what a new clock starts.
    ///
    /// # Errors
    /// There is none, or it is retired.
    pub fn newest(&self) -> Result<&Profile, Rejection> {
        match self {
            Self::Absent => Err(Rejection::NotFound),
            Self::Published(profile, _) => Ok(profile),
            Self::Retired(..) => Err(Rejection::IsRetired),
        }
    }

    /// Lets no new clock start under it. `is_bound`: it counts somewhere.
    ///
    /// # Errors
    /// There is none, or it counts somewhere.
    pub fn retire(&self, is_bound: bool, by: &str, now: Timestamp) -> Decision<Event, Rejection> {
        match self {
            Self::Absent => Err(Rejection::NotFound),
            Self::Published(..) if is_bound => Err(Rejection::IsBound),
            Self::Published(profile, _) => emit(ProfileRetired {
                name: profile.name.clone(),
                retired_at: Some(to_proto(now)),
                retired_by: by.to_owned(),
            }),
            Self::Retired(..) => unchanged(),
        }
    }
}

/// Why a profile says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// No profile has this name.
    #[error("there is no such profile")]
    NotFound,
    /// Another version is the newest.
    #[error("version {newest} is the newest, not {seen}: read it, and publish on top of it")]
    SeenAnother {
        /// The newest version.
        newest: u32,
        /// What the caller has seen.
        seen: u32,
    },
    /// It counts somewhere.
    #[error("the profile is bound; unbind it first")]
    IsBound,
    /// No new clock starts under it.
    #[error("the profile is retired; publish it again first")]
    IsRetired,
}

/// Whether two profiles have a clock or duty of one name.
#[must_use]
pub fn share_a_name(one: &Profile, other: &Profile) -> bool {
    let names = |profile: &Profile| -> BTreeSet<String> {
        let clocks = profile.clocks.iter().map(|clock| clock.name.clone());
        clocks.chain(profile.duties.iter().map(|duty| duty.name.clone())).collect()
    };
    !names(one).is_disjoint(&names(other))
}

impl Recorded for ProfileSeries {
    const KIND: &'static str = "profile";

    type Row = ProfileHistory;

    fn apply(row: &mut ProfileHistory, event: &Event, _meta: &EventMetadata, _version: u64) {
        match event {
            Event::ProfilePublished(event) => row.versions.push(ProfileVersion {
                profile: event.profile.clone(),
                version: event.version,
                published_at: event.published_at,
                published_by: event.published_by.clone(),
                retired_at: None,
            }),
            Event::ProfileRetired(event) => {
                if let Some(newest) = row.versions.last_mut() {
                    newest.retired_at = event.retired_at;
                }
            }
        }
    }

    fn keys(row: &ProfileHistory) -> Vec<Key> {
        let newest = row.versions.last().and_then(|version| version.profile.as_ref());
        newest.map(|profile| Key::new(NAME, profile.name.clone())).into_iter().collect()
    }
}

/// Lists profiles by name.
#[must_use]
pub fn by_name() -> Listing {
    Listing::by(ProfileSeries::KIND, NAME)
}

#[cfg(test)]
mod tests;
