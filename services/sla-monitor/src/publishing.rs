//! Changes to profiles and bindings that rest on each other.
//!
//! Invariants: in one place no two profiles have a clock or duty of one name; what is bound is
//! published. They hold whoever publishes, binds and retires at the same moment, because each change
//! is one commit with the demand that what it rests on has not changed.

use std::collections::BTreeSet;

use contracts::sla::{Binding, Profile};
use eventlog::{ATTEMPTS, CommitError, Context, Log, Stage, Staged, TransactError};

use crate::{
    bindings::{self, Bindings},
    profile::{self, ProfileSeries},
};

/// Why a change is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// The profile says no.
    #[error(transparent)]
    Profile(#[from] profile::Rejection),
    /// What counts in its place says no.
    #[error(transparent)]
    Bindings(#[from] bindings::Rejection),
}

/// Publishes the next version of a profile.
///
/// # Errors
/// Somebody else has published one since the caller looked; a profile that counts in the same place
/// has a clock of the same name.
pub async fn publish(
    log: &Log,
    context: &Context,
    profile: &Profile,
    seen: u32,
    by: &str,
) -> Result<Staged<ProfileSeries>, TransactError<Rejection>> {
    for _ in 0..ATTEMPTS {
        let mut stage = log.stage();
        let bindings: Bindings = stage.read(bindings::ID).await?;
        let beside = bindings.beside(&profile.name);
        if let Some(rival) = rivals(&mut stage, profile, beside).await?.into_iter().next() {
            return Err(TransactError::Refused(bindings::Rejection::Overlaps(rival).into()));
        }
        let published = stage
            .transact(&profile.name, context, |series: &ProfileSeries| {
                Ok(series.publish(profile, seen, by, context.now)?)
            })
            .await?;
        if commit(stage).await? {
            return Ok(published);
        }
    }
    Err(TransactError::Conflict)
}

/// Lets no new clock start under a profile.
///
/// # Errors
/// There is none, or it counts somewhere.
pub async fn retire(
    log: &Log,
    context: &Context,
    name: &str,
    by: &str,
) -> Result<Staged<ProfileSeries>, TransactError<Rejection>> {
    for _ in 0..ATTEMPTS {
        let mut stage = log.stage();
        let bindings: Bindings = stage.read(bindings::ID).await?;
        let retired = stage
            .transact(name, context, |series: &ProfileSeries| {
                Ok(series.retire(bindings.binds(name), by, context.now)?)
            })
            .await?;
        if commit(stage).await? {
            return Ok(retired);
        }
    }
    Err(TransactError::Conflict)
}

/// Lets a profile count in a place.
///
/// # Errors
/// There is no such profile, it is retired, or another one that counts there has a clock of the same
/// name.
pub async fn bind(
    log: &Log,
    context: &Context,
    binding: &Binding,
    by: &str,
) -> Result<Staged<Bindings>, TransactError<Rejection>> {
    for _ in 0..ATTEMPTS {
        let mut stage = log.stage();
        let bound = stage_binding(&mut stage, context, binding, by).await?;
        if commit(stage).await? {
            return Ok(bound);
        }
    }
    Err(TransactError::Conflict)
}

/// The same, as one of the changes of a stage.
///
/// # Errors
/// As [`bind`].
pub async fn stage_binding(
    stage: &mut Stage,
    context: &Context,
    binding: &Binding,
    by: &str,
) -> Result<Staged<Bindings>, TransactError<Rejection>> {
    let series: ProfileSeries = stage.read(&binding.profile).await?;
    let newest = series.newest().map_err(|error| TransactError::Refused(error.into()))?;
    let bindings: Bindings = stage.read(bindings::ID).await?;
    let rivals = rivals(stage, newest, bindings.others_in_place_of(binding)).await?;
    stage
        .transact(bindings::ID, context, |bindings: &Bindings| {
            Ok(bindings.bind(binding, &rivals, by, context.now)?)
        })
        .await
}

/// Which of these profiles have a clock or duty of a name that this one has, too.
async fn rivals<R>(
    stage: &mut Stage,
    profile: &Profile,
    others: BTreeSet<&str>,
) -> Result<BTreeSet<String>, TransactError<R>> {
    let mut rivals = BTreeSet::new();
    for other in others {
        let series: ProfileSeries = stage.read(other).await?;
        if series.newest().is_ok_and(|newest| profile::share_a_name(newest, profile)) {
            rivals.insert(other.to_owned());
        }
    }
    Ok(rivals)
}

/// Whether it was committed, or what it rests on has changed.
async fn commit<R>(stage: Stage) -> Result<bool, TransactError<R>> {
    match stage.commit().await {
        Ok(_) => Ok(true),
        Err(CommitError::Broken(error)) => Err(TransactError::Broken(error)),
        Err(
            CommitError::Conflict { .. }
            | CommitError::CursorMoved { .. }
            | CommitError::NotParked { .. },
        ) => Ok(false),
    }
}

#[cfg(test)]
mod tests;
