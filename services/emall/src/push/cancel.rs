//! Cancellation invoices: units taken back from orders pushed before.
//!
//! What has not left yet is cancelled. What has left is a return, and nobody serves returns yet:
//! those are counted and listed, so that none is forgotten when after-sales comes.

use std::collections::BTreeMap;

use contracts::ordering::{CancelOrderRequest, LineQuantity};

use super::{
    draft::timestamp,
    entry::Cancellation,
    ledger::{Accepted, Ledger, Match},
    life::Schedule,
    tally::{Became, Outcome, Tally},
};
use crate::{
    client::{As, CallError, Client},
    end::Failure,
};

pub(crate) async fn all(
    client: &Client,
    ledger: &mut Ledger,
    cancellations: &[Cancellation],
    life: bool,
    tally: &mut Tally,
) -> Result<(), Failure> {
    for cancellation in cancellations {
        let found = ledger.take(cancellation);
        tally.unmatched.extend(unmatched(cancellation, &found));
        for taken in found.taken {
            let Some(order) = ledger.orders().get(taken.order) else { continue };
            let became = match is_return(cancellation, order, life) {
                true => too_late(cancellation, order, &taken.lines),
                false => {
                    let sent = one(client, cancellation, order, &taken.lines).await;
                    sent.map_err(|error| Failure::because("cancellations cannot be sent", error))?
                }
            };
            tally.became(became);
        }
    }
    Ok(())
}

/// What belongs to no order, if anything does.
pub(crate) fn unmatched(cancellation: &Cancellation, found: &Match) -> Option<Outcome> {
    let goods: Vec<_> = found.unmatched.iter().map(|(sku, _)| sku.as_str()).collect();
    (!goods.is_empty()).then(|| Outcome {
        cancellation: cancellation.no.clone(),
        order: String::new(),
        units: found.unmatched.iter().map(|(_, units)| u64::from(*units)).sum(),
        told: goods.join(" "),
    })
}

/// Whether the goods have left by then.
pub(crate) fn is_return(cancellation: &Cancellation, order: &Accepted, life: bool) -> bool {
    life && cancellation.at >= Schedule::of(order).planned()
}

pub(crate) fn too_late(
    cancellation: &Cancellation,
    order: &Accepted,
    lines: &BTreeMap<u32, u32>,
) -> Became {
    let told = "the goods had left when the buyer thought again".to_owned();
    Became::Return(outcome(cancellation, order, lines, told))
}

pub(crate) fn of_a_refused_order(
    cancellation: &Cancellation,
    order: &Accepted,
    lines: &BTreeMap<u32, u32>,
) -> Became {
    Became::Unmatched(outcome(cancellation, order, lines, "the order was refused".to_owned()))
}

fn outcome(
    cancellation: &Cancellation,
    order: &Accepted,
    lines: &BTreeMap<u32, u32>,
    told: String,
) -> Outcome {
    Outcome {
        cancellation: cancellation.no.clone(),
        order: order.no().to_owned(),
        units: lines.values().copied().map(u64::from).sum(),
        told,
    }
}

/// Cancels units of one order.
///
/// # Errors
/// The key is of no use.
pub(crate) async fn one(
    client: &Client,
    cancellation: &Cancellation,
    order: &Accepted,
    lines: &BTreeMap<u32, u32>,
) -> Result<Became, CallError> {
    let outcome = |told: String| outcome(cancellation, order, lines, told);
    let request = CancelOrderRequest {
        order_id: order.order_id.clone(),
        cancellation_id: cancellation.no.clone(),
        lines: lines
            .iter()
            .map(|(&line_no, &quantity)| LineQuantity { line_no, quantity })
            .collect(),
        reason: "cancelled by the buyer".to_owned(),
        at: Some(timestamp(cancellation.at)),
    };
    let answer = client
        .call(As::Platform, request, |mut services, request| async move {
            services.orders.cancel_order(request).await
        })
        .await;
    Ok(match answer {
        Ok(answer) if answer.repeated => {
            Became::Cancelled(outcome("had been cancelled before".to_owned()))
        }
        Ok(_) => Became::Cancelled(outcome("cancelled before shipment".to_owned())),
        // An earlier run may have shipped it.
        Err(CallError::Refused(refusals)) => {
            let told = refusals.first().map(|refusal| refusal.message.clone());
            Became::Return(outcome(told.unwrap_or_default()))
        }
        Err(CallError::Lost(_)) => Became::Lost,
        Err(error @ CallError::NotAllowed(_)) => return Err(error),
    })
}
