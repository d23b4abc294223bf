//! Which profile counts for which platform and contract (SLA-01).
//!
//! One aggregate holds all bindings, so that no two of them can overlap: in one place no two profiles
//! have a clock or duty of the same name. A contract's own profiles come before its platform's, those
//! before the ones for all.

use std::collections::BTreeSet;

pub use contracts::sla::bindings_event::Event;
use contracts::{
    common::EventMetadata,
    sla::{Binding, BindingEntry, BindingHistory, ProfileBound, ProfileUnbound},
};
use decider::{Aggregate, Decision, emit, unchanged};
use eventlog::{Key, Recorded, time::to_proto};
use jiff::Timestamp;

/// Id of the one aggregate.
pub const ID: &str = "all";

/// All bindings that count.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Bindings(Vec<Binding>);

impl Aggregate for Bindings {
    type Event = Event;

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::ProfileBound(event) => self.0.extend(event.binding.clone()),
            Event::ProfileUnbound(event) => {
                self.0.retain(|bound| Some(bound) != event.binding.as_ref());
            }
        }
        self
    }
}

fn same_place(one: &Binding, other: &Binding) -> bool {
    (&one.platform, &one.contract_id) == (&other.platform, &other.contract_id)
}

impl Bindings {
    /// Lets a profile count. `rivals` are the profiles that have a clock or duty of a name of its own.
    ///
    /// # Errors
    /// One of them counts there.
    pub fn bind(
        &self,
        binding: &Binding,
        rivals: &BTreeSet<String>,
        by: &str,
        now: Timestamp,
    ) -> Decision<Event, Rejection> {
        if self.0.contains(binding) {
            return unchanged();
        }
        let rival = self
            .0
            .iter()
            .find(|bound| same_place(bound, binding) && rivals.contains(&bound.profile));
        match rival {
            Some(bound) => Err(Rejection::Overlaps(bound.profile.clone())),
            None => emit(ProfileBound {
                binding: Some(binding.clone()),
                bound_at: Some(to_proto(now)),
                bound_by: by.to_owned(),
            }),
        }
    }

    /// Lets it count no longer.
    ///
    /// # Errors
    /// Never: what is not bound is unbound.
    pub fn unbind(
        &self,
        binding: &Binding,
        by: &str,
        now: Timestamp,
    ) -> Decision<Event, Rejection> {
        if !self.0.contains(binding) {
            return unchanged();
        }
        emit(ProfileUnbound {
            binding: Some(binding.clone()),
            unbound_at: Some(to_proto(now)),
            unbound_by: by.to_owned(),
        })
    }

    /// Whether a profile counts anywhere.
    #[must_use]
    pub fn binds(&self, profile: &str) -> bool {
        self.0.iter().any(|bound| bound.profile == profile)
    }

    /// The other profiles that count in the place of a binding.
    #[must_use]
    pub fn others_in_place_of(&self, binding: &Binding) -> BTreeSet<&str> {
        self.0
            .iter()
            .filter(|bound| same_place(bound, binding) && bound.profile != binding.profile)
            .map(|bound| bound.profile.as_str())
            .collect()
    }

    /// Profiles that count in a place where this one does, too.
    #[must_use]
    pub fn beside(&self, profile: &str) -> BTreeSet<&str> {
        let places = self.0.iter().filter(|bound| bound.profile == profile);
        places.flat_map(|place| self.others_in_place_of(place)).collect()
    }
}

/// Why bindings say no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Two profiles with clocks of the same name would count in one place.
    #[error(
        "profile {0} counts for this platform and contract and has a clock of the same name; unbind it first"
    )]
    Overlaps(String),
}

impl Recorded for Bindings {
    const KIND: &'static str = "bindings";

    type Row = BindingHistory;

    fn apply(row: &mut BindingHistory, event: &Event, _meta: &EventMetadata, _version: u64) {
        match event {
            Event::ProfileBound(event) => row.entries.push(BindingEntry {
                binding: event.binding.clone(),
                bound_at: event.bound_at,
                unbound_at: None,
            }),
            Event::ProfileUnbound(event) => {
                let last =
                    row.entries.iter_mut().rev().find(|entry| entry.binding == event.binding);
                if let Some(entry) = last {
                    entry.unbound_at = event.unbound_at;
                }
            }
        }
    }

    fn keys(_row: &BindingHistory) -> Vec<Key> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests;
