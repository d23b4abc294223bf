//! All rules there are: profiles in all versions, what counts where and since when, calendars.
//!
//! Invariant: which version of which profile counts for an event is a function of when the event was
//! recorded, not of when it is read: an outage of ours changes no answer.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use contracts::sla::{
    BindingEntry, BindingHistory, CalendarRecord, HolidayBook, ProfileHistory, ProfileVersion,
};
use eventlog::{Listing, Log, LogError, Recorded as _};
use jiff::Timestamp;
use prost::Message;
use tokio::sync::{Mutex, watch};

use crate::{
    bindings::{self, Bindings},
    calendar::{self, Calendar, Days},
    calendars,
    policy::{self, Policy, Profile},
    profile,
    timeline::{Plan, time},
    written,
};

/// The rules at one moment. Cheap to share.
#[derive(Debug, Default)]
pub struct Rules {
    profiles: BTreeMap<String, Vec<Published>>,
    bindings: Vec<BindingEntry>,
    calendars: BTreeMap<String, Calendar>,
    /// Events that any version of any profile goes by.
    heeded: BTreeSet<String>,
}

/// A version of a profile, and when it was the newest.
#[derive(Debug, Clone)]
struct Published {
    profile: Arc<Profile>,
    from: Timestamp,
    retired: Option<Timestamp>,
}

impl Rules {
    /// Puts rules together. What was published was checked; what this release no longer
    /// understands is left out, with a warning.
    #[must_use]
    pub fn new(
        histories: &[ProfileHistory],
        bindings: &BindingHistory,
        calendars: &[CalendarRecord],
        books: &[HolidayBook],
    ) -> Self {
        let books: Vec<Days> = books.iter().map(written::book).collect();
        let calendars: BTreeMap<String, Calendar> = calendars
            .iter()
            .filter_map(|record| record.calendar.as_ref())
            .filter_map(|calendar| match written::compile(calendar, &books) {
                Ok(compiled) => Some((calendar.name.clone(), compiled)),
                Err(error) => {
                    tracing::error!(calendar = calendar.name, %error, "a calendar cannot be used");
                    None
                }
            })
            .collect();
        let profiles: BTreeMap<String, Vec<Published>> = histories
            .iter()
            .filter_map(|history| {
                let versions: Vec<_> = history
                    .versions
                    .iter()
                    .filter_map(|version| published(version, &calendars))
                    .collect();
                let name = versions.first()?.profile.name.clone();
                Some((name, versions))
            })
            .collect();
        let heeded = heeded(profiles.values().flatten());
        Self { profiles, bindings: bindings.entries.clone(), calendars, heeded }
    }

    /// Reads the rules from the log.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn load(log: &Log) -> Result<Self, LogError> {
        let bindings = log.get_row(Bindings::KIND, bindings::ID).await?;
        let bindings = match bindings {
            Some(row) => decode::<BindingHistory>(&row.body, Bindings::KIND)?,
            None => BindingHistory::default(),
        };
        Ok(Self::new(
            &all(log, profile::by_name()).await?,
            &bindings,
            &all(log, calendars::by_name()).await?,
            &all(log, calendars::by_region()).await?,
        ))
    }

    /// The same calendars, and one profile that counts for everybody, and always has.
    #[must_use]
    pub fn with_draft(&self, draft: Profile) -> Self {
        let binding = contracts::sla::Binding { profile: draft.name.clone(), ..Default::default() };
        let entry = BindingEntry {
            binding: Some(binding),
            bound_at: Some(eventlog::time::to_proto(Timestamp::MIN)),
            unbound_at: None,
        };
        let published = Published { profile: Arc::new(draft), from: Timestamp::MIN, retired: None };
        Self {
            heeded: heeded([&published]),
            profiles: BTreeMap::from([(published.profile.name.clone(), vec![published])]),
            bindings: vec![entry],
            calendars: self.calendars.clone(),
        }
    }

    /// Whether any clock goes by this type of event.
    #[must_use]
    pub fn heeds(&self, event: &str) -> bool {
        self.heeded.contains(event)
    }

    /// The calendar of a name.
    #[must_use]
    pub fn calendar(&self, name: &str) -> Option<&Calendar> {
        self.calendars.get(name)
    }

    /// The rules of a clock in a version of its profile.
    #[must_use]
    pub fn plan(&self, profile: &str, version: u32, clock: &str) -> Option<Plan> {
        let versions = self.profiles.get(profile)?;
        let found = versions.iter().find(|published| published.profile.version == version)?;
        self.plan_of(found.profile.policy(clock)?)
    }

    /// A policy with its calendar.
    #[must_use]
    pub fn plan_of(&self, policy: &Arc<Policy>) -> Option<Plan> {
        let calendar = self.calendars.get(&policy.calendar)?.clone();
        Some(Plan { policy: policy.clone(), calendar })
    }

    /// The newest version of a profile.
    #[must_use]
    pub fn newest(&self, profile: &str) -> Option<&Arc<Profile>> {
        Some(&self.profiles.get(profile)?.last()?.profile)
    }

    /// The version of a profile that counted at a moment, for clocks that start then.
    #[must_use]
    pub fn version_at(&self, profile: &str, at: Timestamp) -> Option<&Arc<Profile>> {
        let versions = self.profiles.get(profile)?;
        let found = versions.iter().rev().find(|published| published.from <= at)?;
        found.retired.is_none_or(|retired| at < retired).then_some(&found.profile)
    }

    /// All versions of a profile.
    pub fn versions(&self, profile: &str) -> impl Iterator<Item = &Arc<Profile>> {
        self.profiles.get(profile).into_iter().flatten().map(|published| &published.profile)
    }

    /// The profiles that count for a platform and contract at a moment: the contract's own, else the
    /// platform's, else those for all.
    #[must_use]
    pub fn bound(&self, platform: &str, contract_id: &str, at: Timestamp) -> BTreeSet<&str> {
        let bound_in = |place: (&str, &str)| -> BTreeSet<&str> {
            self.bindings
                .iter()
                .filter(|entry| counts_at(entry, at))
                .filter_map(|entry| entry.binding.as_ref())
                .filter(|bound| (bound.platform.as_str(), bound.contract_id.as_str()) == place)
                .map(|bound| bound.profile.as_str())
                .collect()
        };
        let places = [(platform, contract_id), (platform, ""), ("", "")];
        places.into_iter().map(bound_in).find(|bound| !bound.is_empty()).unwrap_or_default()
    }

    /// All profiles that ever counted for a platform, whatever the contract.
    #[must_use]
    pub fn ever_bound(&self, platform: &str) -> BTreeSet<&str> {
        self.bindings
            .iter()
            .filter_map(|entry| entry.binding.as_ref())
            .filter(|bound| bound.platform.is_empty() || bound.platform == platform)
            .map(|bound| bound.profile.as_str())
            .collect()
    }

    /// Profiles that are bound somewhere, with the moment since when without a break.
    #[must_use]
    pub fn bound_since(&self) -> BTreeMap<&str, Timestamp> {
        let mut since = BTreeMap::new();
        for entry in self.bindings.iter().filter(|entry| entry.unbound_at.is_none()) {
            let (Some(binding), Some(from)) = (&entry.binding, time(&entry.bound_at)) else {
                continue;
            };
            let earliest = since.entry(binding.profile.as_str()).or_insert(from);
            *earliest = from.min(*earliest);
        }
        since
    }
}

fn heeded<'a>(versions: impl IntoIterator<Item = &'a Published>) -> BTreeSet<String> {
    versions
        .into_iter()
        .flat_map(|published| &published.profile.policies)
        .flat_map(|policy| &policy.patterns)
        .map(|pattern| pattern.event.clone())
        .collect()
}

fn counts_at(entry: &BindingEntry, at: Timestamp) -> bool {
    time(&entry.bound_at).is_some_and(|from| from <= at)
        && time(&entry.unbound_at).is_none_or(|until| at < until)
}

fn published(
    version: &ProfileVersion,
    calendars: &BTreeMap<String, Calendar>,
) -> Option<Published> {
    let profile = version.profile.as_ref()?;
    match policy::recorded(profile, version.version, |name| calendars.contains_key(name)) {
        Ok(checked) => Some(Published {
            profile: Arc::new(checked),
            from: time(&version.published_at)?,
            retired: time(&version.retired_at),
        }),
        Err(violations) => {
            tracing::error!(
                profile = profile.name,
                version = version.version,
                %violations,
                "a version of a profile is not understood by this release"
            );
            None
        }
    }
}

/// All rows of a listing.
pub(crate) async fn all<R: Message + Default>(
    log: &Log,
    listing: Listing,
) -> Result<Vec<R>, LogError> {
    let mut rows = Vec::new();
    let mut listing = listing.limit(500);
    loop {
        let page = log.list(&listing).await?;
        for row in page.rows {
            rows.push(decode(&row.body, &listing.kind)?);
        }
        match page.next {
            Some(token) => listing.page_token = token,
            None => return Ok(rows),
        }
    }
}

fn decode<R: Message + Default>(body: &[u8], kind: &str) -> Result<R, LogError> {
    R::decode(body).map_err(|_| LogError::Corrupt(format!("a row of {kind}")))
}

/// The rules as everybody in the process shares them.
#[derive(Clone)]
pub struct RuleBook {
    log: Log,
    rules: watch::Sender<Arc<Rules>>,
    /// Held while the rules are read, so that what was read earlier never replaces what was read later.
    turn: Arc<Mutex<()>>,
}

impl RuleBook {
    /// Opens the book.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn open(log: Log) -> Result<Self, LogError> {
        let rules = watch::Sender::new(Arc::new(Rules::load(&log).await?));
        Ok(Self { log, rules, turn: Arc::default() })
    }

    /// The rules as they are now.
    #[must_use]
    pub fn rules(&self) -> Arc<Rules> {
        self.rules.borrow().clone()
    }

    /// Reads them again; those who wait for a change are told.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn reload(&self) -> Result<(), LogError> {
        let _turn = self.turn.lock().await;
        let rules = Arc::new(Rules::load(&self.log).await?);
        self.rules.send_replace(rules);
        Ok(())
    }

    /// Keeps up with what other processes publish on the same log, until the log is closed.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn keep_up(self) -> Result<(), LogError> {
        match self.follow().await {
            Err(LogError::Closed) => Ok(()),
            ended => ended,
        }
    }

    async fn follow(&self) -> Result<(), LogError> {
        let mut follower = self.log.follow(self.log.last_position().await?);
        self.reload().await?;
        loop {
            let batch = follower.next_batch().await?;
            if batch.iter().any(|event| !event.stream.starts_with("clock.")) {
                self.reload().await?;
            }
        }
    }
}

impl std::fmt::Debug for RuleBook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RuleBook").finish_non_exhaustive()
    }
}

/// The calendars that every installation begins with.
#[must_use]
pub fn first_calendars() -> Vec<contracts::sla::Calendar> {
    [
        calendar::Spec::round_the_clock(),
        calendar::Spec::office_hours(),
        calendar::Spec::working_days(),
    ]
    .iter()
    .map(written::told)
    .collect()
}
