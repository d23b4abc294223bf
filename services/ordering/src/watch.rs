//! Time passes: reservations end, parcels stand still.
//!
//! Each round asks the orders that the keys name and lets them decide; an order that has moved on
//! meanwhile decides that there is nothing to do. Two processes that watch at once do no harm.

use std::{sync::Arc, time::Duration};

use chassis::Host;
use eventlog::{Context, Listing, Log, LogError, TransactError};
use jiff::Timestamp;

use crate::{
    config::Config,
    order::{
        Order, Rejection,
        command::{ExpirePreOrder, FindStalled},
    },
    order_row,
};

/// Orders looked at in one go.
const PAGE: usize = 500;

/// Watches until the shutdown.
///
/// # Errors
/// The log cannot be read for reasons that no retry will help.
pub async fn watch(log: Log, config: Arc<Config>, host: Host) -> Result<(), LogError> {
    let rest = Duration::from_secs(config.watch_seconds);
    loop {
        let now = host.clock.now();
        if let Err(error) = round(&log, &config, now).await {
            if matches!(error, LogError::Closed) && host.shutdown.is_cancelled() {
                return Ok(());
            }
            if !matches!(error, LogError::Database(_) | LogError::OutcomeUnknown) {
                return Err(error);
            }
            tracing::warn!(error = chassis::errors::chain(&error), "a round is put off");
        }
        let rested = tokio::time::sleep(rest);
        if host.shutdown.run_until_cancelled(rested).await.is_none() {
            return Ok(());
        }
    }
}

/// One round, as of a moment: expires reservations, finds parcels that stand still.
///
/// # Errors
/// The log cannot be read or written.
pub async fn round(log: &Log, config: &Config, now: Timestamp) -> Result<(), LogError> {
    let context = Context {
        actor: "ordering".to_owned(),
        platform: String::new(),
        causation: format!("watch/{now}"),
        traceparent: String::new(),
        now,
    };
    for id in due(log, order_row::expired_by(now)).await? {
        let expire = ExpirePreOrder { now };
        decide(log.transact(&id, &context, |order: &Order| order.expire(&expire)).await)?;
    }
    for id in due(log, order_row::parcels_in_transit()).await? {
        let find = FindStalled { now };
        let found = log
            .transact(&id, &context, |order: &Order| {
                let platform = order.platform().unwrap_or_default();
                let contract = order.contract_id().unwrap_or_default();
                order.find_stalled(&find, &config.policy_for(platform, contract))
            })
            .await;
        decide(found)?;
    }
    Ok(())
}

/// Ids of all orders that a listing names, each once.
async fn due(log: &Log, listing: Listing) -> Result<Vec<String>, LogError> {
    let mut ids = Vec::new();
    let mut listing = listing.limit(PAGE);
    loop {
        let page = log.list(&listing).await?;
        ids.extend(page.rows.into_iter().map(|row| row.id));
        match page.next {
            Some(token) => listing.page_token = token,
            None => break,
        }
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// An order that says no has moved on; the next round asks again where there is still reason to.
fn decide<T>(decided: Result<T, TransactError<Rejection>>) -> Result<(), LogError> {
    match decided {
        Ok(_) | Err(TransactError::Refused(_) | TransactError::Conflict) => Ok(()),
        Err(TransactError::Broken(error)) => Err(error),
    }
}
