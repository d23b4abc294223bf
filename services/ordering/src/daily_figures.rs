//! Figures of a platform by day: a projection of the log (ORD-71).
//!
//! Invariant: a row is a function of the events routed to it; days are those of the events' own
//! business times, not of their recording.

use chassis::{days::day, facets::SEPARATOR};
use contracts::{
    Event as _,
    common::{Money, RecordedEvent},
    ordering::{DailyFigures as Row, order_event::Event},
};
use eventlog::{Key, Listing, Projection};

use crate::amount::add_to_total;

/// The projection.
#[derive(Debug, Clone, Copy)]
pub struct DailyFigures;

/// What an event adds to the figures.
#[derive(Debug)]
pub enum Figure {
    /// An order of this amount came in.
    Placed(Option<Money>),
    /// An order ended before anything was delivered.
    EndedEarly,
    /// The last line of an order was resolved.
    Fulfilled,
    /// Goods of this value were accepted.
    Accepted(Option<Money>),
    /// The user refused everything.
    Refused,
    /// An invoice of this amount was issued.
    Invoiced(Option<Money>),
    /// A red invoice took this amount back.
    InvoiceReversed(Option<Money>),
    /// This amount was paid.
    Settled(Option<Money>),
}

/// What an event adds to which day of which platform.
fn figure(recorded: &RecordedEvent) -> Option<(String, Option<prost_types::Timestamp>, Figure)> {
    if !recorded.stream.starts_with("order.") {
        return None;
    }
    // an event that this release cannot read is passed over; `verify` finds damaged ones
    let event = Event::decode_body(&recorded.r#type, &recorded.body).ok()?;
    Some(match event {
        Event::OrderPlaced(it) => {
            let terms = it.terms?;
            (terms.platform, terms.placed_at, Figure::Placed(terms.total))
        }
        Event::OrderDeclined(it) => (it.platform, it.declined_at, Figure::EndedEarly),
        Event::OrderCancelled(it) => (it.platform, it.cancelled_at, Figure::EndedEarly),
        Event::PreOrderReleased(it) => (it.platform, it.released_at, Figure::EndedEarly),
        Event::PreOrderExpired(it) => (it.platform, it.expired_at, Figure::EndedEarly),
        Event::OrderFulfilled(it) => (it.platform, it.fulfilled_at, Figure::Fulfilled),
        Event::GoodsAccepted(it) => (it.platform, it.accepted_at, Figure::Accepted(it.amount)),
        Event::DiscrepancyResolved(it) => {
            (it.platform, it.resolved_at, Figure::Accepted(it.accepted?.amount))
        }
        Event::OrderRefused(it) => (it.platform, it.refused_at, Figure::Refused),
        Event::InvoiceIssued(it) => (it.platform, it.issued_at, Figure::Invoiced(it.amount)),
        Event::RedInvoiceIssued(it) => {
            (it.platform, it.issued_at, Figure::InvoiceReversed(it.amount))
        }
        Event::OrderSettled(it) => (it.platform, it.settled_at, Figure::Settled(it.amount)),
        Event::PreOrderReserved(_)
        | Event::OrderConfirmed(_)
        | Event::OrderLinesCancelled(_)
        | Event::SubstitutionProposed(_)
        | Event::SubstitutionAccepted(_)
        | Event::SubstitutionRefused(_)
        | Event::ForceMajeureDeclared(_)
        | Event::ForceMajeureLifted(_)
        | Event::FollowerAssigned(_)
        | Event::GoodsInspected(_)
        | Event::ShipmentPlanned(_)
        | Event::ShipmentUnplanned(_)
        | Event::CarrierChosen(_)
        | Event::ShipmentPacked(_)
        | Event::ShipmentDispatched(_)
        | Event::TrackingRecorded(_)
        | Event::ParcelStalled(_)
        | Event::ShipmentArrived(_)
        | Event::ArrivalInspected(_)
        | Event::GoodsRejected(_)
        | Event::DiscrepancyReported(_)
        | Event::TreatmentProposed(_)
        | Event::TreatmentApproved(_)
        | Event::TreatmentRefused(_)
        | Event::LiabilityConfirmed(_)
        | Event::InstallationRecorded(_)
        | Event::SignedSlipFiled(_)
        | Event::InvoiceRequested(_) => return None,
    })
}

impl Projection for DailyFigures {
    const NAME: &'static str = "daily_figures";

    type Row = Row;

    /// Platform, day, and what is added to them.
    type Fact = (String, String, Figure);

    type Facts = Option<(String, Self::Fact)>;

    fn facts(event: &RecordedEvent) -> Self::Facts {
        let (platform, at, figure) = figure(event)?;
        let day = day(eventlog::time::from_proto(&at?)?);
        Some((format!("{platform}:{day}"), (platform, day, figure)))
    }

    fn apply(row: &mut Row, (platform, day, figure): Self::Fact) {
        row.platform = platform;
        row.day = day;
        match figure {
            Figure::Placed(amount) => {
                row.placed += 1;
                add_to_total(&mut row.placed_amount, amount.as_ref(), 1);
            }
            Figure::EndedEarly => row.ended_early += 1,
            Figure::Fulfilled => row.fulfilled += 1,
            Figure::Accepted(amount) => {
                add_to_total(&mut row.accepted_amount, amount.as_ref(), 1);
            }
            Figure::Refused => row.refused += 1,
            Figure::Invoiced(amount) => {
                row.invoiced += 1;
                add_to_total(&mut row.invoiced_amount, amount.as_ref(), 1);
            }
            Figure::InvoiceReversed(amount) => {
                add_to_total(&mut row.invoiced_amount, amount.as_ref(), -1);
            }
            Figure::Settled(amount) => {
                row.settled += 1;
                add_to_total(&mut row.settled_amount, amount.as_ref(), 1);
            }
        }
    }

    fn keys(row: &Row) -> Vec<Key> {
        vec![Key::new(KEY, format!("{}{SEPARATOR}{}", row.platform, row.day))]
    }
}

const KEY: &str = "day";

/// Lists the days of a platform from one to another, both `YYYY-MM-DD` and both included.
#[must_use]
pub fn listing(platform: &str, from_day: &str, until_day: &str) -> Listing {
    Listing::by(DailyFigures::NAME, KEY).range(
        format!("{platform}{SEPARATOR}{from_day}"),
        // the smallest text above the last day
        format!("{platform}{SEPARATOR}{until_day}\u{1}"),
    )
}

#[cfg(test)]
mod tests;
