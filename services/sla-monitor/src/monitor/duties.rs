//! Periods of duties, opened when they begin (SLA-16).
//!
//! Invariant: how far the periods of a duty are opened is a cursor, moved in the commit that opens
//! them: each one is opened once, whoever does it and however late.

use std::sync::Arc;

use contracts::sla::DutyPeriod;
use eventlog::{Context, TransactError};
use jiff::Timestamp;

use super::{Again, Monitor};
use crate::{
    clock::{About, Clock},
    duty,
    hear::clock_id,
    policy::{Duty, Schedule},
    rules::Rules,
    timeline::Plan,
};

/// When the next period of a duty begins, under these rules.
#[derive(Default)]
pub(super) struct Duties {
    rules: Option<Arc<Rules>>,
    next: Timestamp,
}

impl Monitor {
    /// Opens the periods of duties that have begun. Whether there were any.
    pub(super) async fn open_duties(
        &self,
        duties: &mut Duties,
        now: Timestamp,
    ) -> Result<bool, Again> {
        let rules = self.book.rules();
        let same = duties.rules.as_ref().is_some_and(|known| Arc::ptr_eq(known, &rules));
        if same && now < duties.next {
            return Ok(false);
        }
        let (mut opened, mut next) = (false, Timestamp::MAX);
        for (profile, since) in rules.bound_since() {
            let Some(version) = rules.version_at(profile, now) else { continue };
            for policy in &version.policies {
                let Some(duty) = &policy.duty else { continue };
                let Schedule::Calendar(length) = duty.schedule else { continue };
                let Some(plan) = rules.plan_of(policy) else { continue };
                let (some, until) = self.open_periods(&plan, duty, length, since, now).await?;
                opened |= some;
                next = next.min(until);
            }
        }
        *duties = Duties { rules: Some(rules), next };
        Ok(opened)
    }

    /// Whether any were opened, and when the next one is to be.
    async fn open_periods(
        &self,
        plan: &Plan,
        duty: &Duty,
        length: DutyPeriod,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<(bool, Timestamp), Again> {
        let policy = &plan.policy;
        let cursor = format!("duty:{}:{}", policy.profile, policy.name);
        let (before, mut opened) = (self.log.cursor(&cursor).await?, false);
        let mut at = before;
        // the cursor is the second from which the next period is to be opened
        let mut from = match i64::try_from(before).ok().filter(|second| *second > 0) {
            Some(second) => Timestamp::from_second(second).unwrap_or(since).max(since),
            None => since,
        };
        while from <= now {
            // beyond the calendar nothing is owed
            let Ok(period) = duty::period(from, length, plan) else {
                return Ok((opened, Timestamp::MAX));
            };
            let Ok(owed) = duty::owed_in(&period, length, duty, plan) else {
                return Ok((opened, Timestamp::MAX));
            };
            let mut stage = self.log.stage();
            for owed in owed {
                let about = About {
                    clock_id: clock_id(&policy.profile, &policy.name, &[], &owed.period),
                    profile: policy.profile.clone(),
                    clock: policy.name.clone(),
                    period: owed.period.clone(),
                    ..About::default()
                };
                let context = Context {
                    actor: crate::NAME.to_owned(),
                    platform: String::new(),
                    causation: owed.start.evidence.clone(),
                    traceparent: String::new(),
                    now,
                };
                let noted = stage
                    .transact(&about.clock_id, &context, |clock: &Clock| {
                        clock.note(&about, &owed.start, plan)
                    })
                    .await;
                match noted {
                    Ok(_) | Err(TransactError::Refused(_)) => {}
                    Err(TransactError::Conflict) => return Err(Again::Moved),
                    Err(TransactError::Broken(error)) => return Err(error.into()),
                }
            }
            let next = u64::try_from(period.to.as_second()).unwrap_or(u64::MAX);
            stage.move_cursor(&cursor, at, next);
            stage.commit().await?;
            (at, from, opened) = (next, period.to, true);
        }
        Ok((opened, from))
    }
}
