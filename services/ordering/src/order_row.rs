//! The read row of an order: the API's own message, one event after the other, and its keys.
//!
//! Nothing is decided here and nothing can fail: a row shows whatever history says. Its line
//! figures are those of the order's ledger, moved by the same events.

use contracts::{
    common::{EventMetadata, Money},
    ordering::{
        ForceMajeure, LineState, Order as Row, OrderPhase, OrderTerms, Substitution,
        SubstitutionPhase,
    },
};
use eventlog::{Key, Recorded};

use crate::order::{Event, Order, shift};

mod bill;
mod exceptions;
mod judge;
mod keys;
mod ship;

pub use keys::{
    Milestone, OPEN, all, at_milestone, expired_by, in_phase, is_urgent, keys, of_buyer,
    parcels_in_transit, parcels_of, with_exception, with_urgency, with_waybill,
};

impl Recorded for Order {
    const KIND: &'static str = "order";

    type Row = Row;

    fn apply(row: &mut Row, event: &Event, _meta: &EventMetadata, version: u64) {
        apply(row, event, version);
    }

    fn keys(row: &Row) -> Vec<Key> {
        keys(row)
    }
}

/// Takes one event into a row; `version` is that of the order after it.
pub fn apply(row: &mut Row, event: &Event, version: u64) {
    row.version = version;
    match event {
        Event::PreOrderReserved(event) => {
            begin(row, event.terms.as_ref(), OrderPhase::Reserved);
            row.reserved_until = event.reserved_until;
        }
        Event::PreOrderReleased(event) => {
            end(row, OrderPhase::Released, &event.reason, event.released_at);
        }
        Event::PreOrderExpired(event) => {
            end(row, OrderPhase::Expired, "", event.expired_at);
        }
        Event::OrderPlaced(event) => {
            if row.phase() == OrderPhase::Reserved {
                row.set_phase(OrderPhase::Placed);
            } else {
                begin(row, event.terms.as_ref(), OrderPhase::Placed);
            }
        }
        Event::OrderConfirmed(event) => {
            row.set_phase(OrderPhase::Confirmed);
            row.confirmed_at = event.confirmed_at;
            row.dispatch_by = event.dispatch_by;
        }
        Event::OrderDeclined(event) => {
            end(row, OrderPhase::Declined, &event.reason, event.declined_at);
        }
        Event::OrderLinesCancelled(event) => {
            for cancelled in &event.lines {
                if let Some(line) = line_mut(row, cancelled.line_no) {
                    shift(&mut line.open, &mut line.cancelled, cancelled.quantity);
                }
            }
        }
        Event::OrderCancelled(event) => {
            for line in &mut row.lines {
                shift(&mut line.open, &mut line.cancelled, u32::MAX);
            }
            end(row, OrderPhase::Cancelled, &event.reason, event.cancelled_at);
        }
        Event::SubstitutionProposed(event) => row.substitutions.push(Substitution {
            substitution_id: event.substitution_id.clone(),
            line_no: event.line_no,
            substitute: event.substitute.clone(),
            reason: event.reason.clone(),
            phase: SubstitutionPhase::Proposed.into(),
        }),
        Event::SubstitutionAccepted(event) => {
            answer(row, &event.substitution_id, SubstitutionPhase::Accepted);
            if let Some(line) = line_mut(row, event.line_no) {
                substitute(line, event.substitute.as_ref());
            }
        }
        Event::SubstitutionRefused(event) => {
            answer(row, &event.substitution_id, SubstitutionPhase::Refused);
        }
        Event::ForceMajeureDeclared(event) => {
            row.force_majeure = Some(ForceMajeure {
                description: event.description.clone(),
                since: event.since,
                until: None,
            });
        }
        Event::ForceMajeureLifted(event) => {
            if let Some(force_majeure) = &mut row.force_majeure {
                force_majeure.until = event.until;
            }
        }
        Event::FollowerAssigned(event) => row.follower.clone_from(&event.follower),
        Event::GoodsInspected(event) => row.inspections.extend(event.inspection.clone()),
        Event::ShipmentPlanned(event) => ship::planned(row, event),
        Event::ShipmentUnplanned(event) => ship::unplanned(row, event),
        Event::CarrierChosen(event) => ship::carrier_chosen(row, event),
        Event::ShipmentPacked(event) => ship::packed(row, event),
        Event::ShipmentDispatched(event) => ship::dispatched(row, event),
        Event::TrackingRecorded(event) => ship::tracked(row, event),
        Event::ParcelStalled(event) => ship::stalled(row, event),
        Event::ShipmentArrived(event) => ship::arrived(row, event),
        Event::ArrivalInspected(event) => ship::inspected(row, event),
        Event::GoodsAccepted(event) => judge::accepted(row, event),
        Event::GoodsRejected(event) => judge::rejected(row, event),
        Event::DiscrepancyReported(event) => judge::reported(row, event),
        Event::TreatmentProposed(event) => judge::proposed(row, event),
        Event::TreatmentApproved(event) => judge::approved(row, event),
        Event::TreatmentRefused(event) => judge::refused(row, event),
        Event::LiabilityConfirmed(event) => judge::liability(row, event),
        Event::DiscrepancyResolved(event) => judge::resolved(row, event),
        Event::InstallationRecorded(event) => judge::installed(row, event),
        Event::SignedSlipFiled(event) => judge::slip_filed(row, event),
        Event::OrderRefused(event) => {
            end(row, OrderPhase::Refused, "the user refused everything", event.refused_at);
        }
        Event::OrderFulfilled(event) => {
            row.set_phase(OrderPhase::Fulfilled);
            row.payable.clone_from(&event.payable);
            row.fulfilled_at = event.fulfilled_at;
        }
        Event::InvoiceRequested(event) => bill::requested(row, event),
        Event::InvoiceIssued(event) => bill::issued(row, event),
        Event::RedInvoiceIssued(event) => bill::reversed(row, event),
        Event::OrderSettled(event) => {
            row.set_phase(OrderPhase::Settled);
            row.settled_at = event.settled_at;
            row.payment_ref.clone_from(&event.payment_ref);
        }
    }
    exceptions::note(row);
}

fn begin(row: &mut Row, terms: Option<&OrderTerms>, phase: OrderPhase) {
    let version = row.version;
    let terms = terms.cloned().unwrap_or_default();
    let line = |line: contracts::ordering::OrderLine| LineState {
        open: line.quantity,
        line: Some(line),
        ..LineState::default()
    };
    *row = Row {
        order_id: terms.order_id,
        platform: terms.platform,
        platform_order_no: terms.platform_order_no,
        phase: phase.into(),
        buyer: terms.buyer,
        sealed_recipient: terms.recipient,
        lines: terms.lines.into_iter().map(line).collect(),
        freight: terms.freight,
        payable: terms
            .total
            .as_ref()
            .map(|total| Money { minor_units: 0, currency: total.currency.clone() }),
        total: terms.total,
        placed_at: terms.placed_at,
        deliver_by: terms.deliver_by,
        urgency: terms.urgency,
        contract_id: terms.contract_id,
        remarks: terms.remarks,
        batch_no: terms.batch_no,
        version,
        ..Row::default()
    };
}

fn end(row: &mut Row, phase: OrderPhase, reason: &str, at: Option<prost_types::Timestamp>) {
    row.set_phase(phase);
    reason.clone_into(&mut row.end_reason);
    row.ended_at = at;
}

fn answer(row: &mut Row, id: &str, phase: SubstitutionPhase) {
    let mut all = row.substitutions.iter_mut();
    if let Some(substitution) = all.find(|substitution| substitution.substitution_id == id) {
        substitution.set_phase(phase);
    }
}

/// Another listing takes the place of the one ordered; the row remembers what was first ordered.
fn substitute(line: &mut LineState, by: Option<&contracts::ordering::FrozenListing>) {
    let Some(ordered) = &mut line.line else { return };
    if line.substituted_for.is_empty()
        && let Some(listing) = &ordered.listing
    {
        line.substituted_for.clone_from(&listing.sku);
    }
    ordered.listing = by.cloned();
}

fn line_mut(row: &mut Row, line_no: u32) -> Option<&mut LineState> {
    let mut lines = row.lines.iter_mut();
    lines.find(|line| line.line.as_ref().is_some_and(|line| line.line_no == line_no))
}

#[cfg(test)]
mod tests;
