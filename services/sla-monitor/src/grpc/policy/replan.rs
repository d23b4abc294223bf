//! Open clocks planned anew: by other official days, another calendar, a new version.

use chassis::{Call, errors};
use contracts::sla::{self as api, ReplanReason};
use eventlog::{Outcome, TransactError};
use jiff::Timestamp;
use tonic::Status;

use super::{CONTEXT, Policies};
use crate::{clock::Clock, clock_row, rules::Rules, timeline::Plan};

impl Policies {
    /// Plans all open clocks anew for which this says so. How many were looked at, and changed.
    pub(super) async fn replan(
        &self,
        call: &Call,
        now: Timestamp,
        wanted: impl Fn(&api::Clock, &Rules) -> Option<Plan>,
        reason: ReplanReason,
        profile: Option<&str>,
        dry_run: bool,
    ) -> Result<Replanned, Status> {
        let rules = self.book.rules();
        let mut listing = clock_row::by_due(Some(false), None, profile).limit(500);
        let mut replanned = Replanned::default();
        let mut ids: Vec<(String, Plan)> = Vec::new();
        loop {
            let page = self.desk.page::<api::Clock>(listing.clone()).await?;
            for row in &page.0 {
                replanned.looked_at += 1;
                match wanted(row, &rules) {
                    Some(plan) => ids.push((row.clock_id.clone(), plan)),
                    None => replanned.kept += 1,
                }
            }
            match page.1 {
                token if token.is_empty() => break,
                token => listing.page_token = token,
            }
        }
        for (id, plan) in ids {
            if dry_run {
                let clock = self.desk.log().load::<Clock>(&id).await.map_err(errors::log)?.state;
                match clock.replan(reason, now, &plan) {
                    Ok(events) => replanned.changed += u64::from(!events.is_empty()),
                    Err(_) => replanned.kept += 1,
                }
                continue;
            }
            let done = self
                .desk
                .log()
                .transact(&id, &call.context(now), |clock: &Clock| clock.replan(reason, now, &plan))
                .await;
            match done {
                Ok(done) => replanned.changed += u64::from(done.outcome == Outcome::Executed),
                // it must not keep the others from being planned anew
                Err(TransactError::Refused(rejection)) => {
                    tracing::warn!(clock = id, %rejection, "a clock cannot be planned anew");
                    replanned.kept += 1;
                }
                Err(error) => {
                    return Err(errors::transact(error, CONTEXT, crate::grpc::clock::refusal));
                }
            }
        }
        Ok(replanned)
    }
}

#[derive(Debug, Default)]
pub(super) struct Replanned {
    pub(super) looked_at: u64,
    pub(super) changed: u64,
    pub(super) kept: u64,
}

/// The plan that a running clock has.
pub(super) fn pinned(row: &api::Clock, rules: &Rules) -> Option<Plan> {
    rules.plan(&row.profile, row.profile_version, &row.clock)
}
