//! What each carrier has done so far: a projection of the log (ORD-19, MON-42).
//!
//! Invariant: a row is a function of the events routed to it; each of them names the carrier.

use contracts::{
    Event as _,
    common::{Money, RecordedEvent},
    ordering::{
        CarrierRecord as Row, damage_claim_event::Event as ClaimEvent,
        order_event::Event as OrderEvent,
    },
};
use eventlog::{Key, Projection, time::from_proto};

use crate::amount::add_to_total;

/// The projection.
#[derive(Debug, Clone, Copy)]
pub struct CarrierRecord;

/// What an event adds to a carrier's record.
#[derive(Debug)]
pub enum Deed {
    /// It took over a shipment.
    HandedOver {
        /// What it asks for the way.
        freight: Option<Money>,
    },
    /// It brought a shipment.
    Arrived {
        /// By the promised time.
        on_time: bool,
    },
    /// A parcel of its stood still.
    StoodStill,
    /// Damage on its way was reported.
    DamageReported,
    /// This much of its freight was kept back.
    Deducted(Option<Money>),
}

fn deed(recorded: &RecordedEvent) -> Option<(String, Deed)> {
    // an event that this release cannot read is passed over; `verify` finds damaged ones
    let (carrier, deed) = match recorded.r#type.rsplit('.').next()? {
        "ShipmentDispatched" | "ShipmentArrived" | "ParcelStalled" => {
            of_order(OrderEvent::decode_body(&recorded.r#type, &recorded.body).ok()?)?
        }
        "DamageReported" | "FreightDeducted" => {
            of_claim(ClaimEvent::decode_body(&recorded.r#type, &recorded.body).ok()?)?
        }
        _ => return None,
    };
    (!carrier.is_empty()).then_some((carrier, deed))
}

fn of_order(event: OrderEvent) -> Option<(String, Deed)> {
    if let OrderEvent::ShipmentDispatched(it) = event {
        Some((it.carrier, Deed::HandedOver { freight: it.carrier_freight }))
    } else if let OrderEvent::ShipmentArrived(it) = event {
        let arrived = from_proto(&it.arrived_at?)?;
        let promised = from_proto(&it.deliver_by?)?;
        Some((it.carrier, Deed::Arrived { on_time: arrived <= promised }))
    } else if let OrderEvent::ParcelStalled(it) = event {
        Some((it.carrier, Deed::StoodStill))
    } else {
        None
    }
}

fn of_claim(event: ClaimEvent) -> Option<(String, Deed)> {
    match event {
        ClaimEvent::DamageReported(it) => Some((it.carrier, Deed::DamageReported)),
        ClaimEvent::FreightDeducted(it) => Some((it.carrier, Deed::Deducted(it.amount))),
        ClaimEvent::DamageCoordinated(_)
        | ClaimEvent::DamageEvidenceAdded(_)
        | ClaimEvent::CarrierHeldLiable(_)
        | ClaimEvent::CarrierCleared(_)
        | ClaimEvent::UserCompensated(_) => None,
    }
}

impl Projection for CarrierRecord {
    const NAME: &'static str = "carrier_record";

    type Row = Row;

    /// The carrier and its deed.
    type Fact = (String, Deed);

    type Facts = Option<(String, Self::Fact)>;

    fn facts(event: &RecordedEvent) -> Self::Facts {
        let (carrier, deed) = deed(event)?;
        Some((carrier.clone(), (carrier, deed)))
    }

    fn apply(row: &mut Row, (carrier, deed): Self::Fact) {
        row.carrier = carrier;
        match deed {
            Deed::HandedOver { freight } => {
                row.shipments += 1;
                add_to_total(&mut row.freight, freight.as_ref(), 1);
            }
            Deed::Arrived { on_time: true } => row.on_time += 1,
            Deed::Arrived { on_time: false } => row.late += 1,
            Deed::StoodStill => row.stalled += 1,
            Deed::DamageReported => row.damage_claims += 1,
            Deed::Deducted(amount) => add_to_total(&mut row.deducted, amount.as_ref(), 1),
        }
    }

    fn keys(_row: &Row) -> Vec<Key> {
        Vec::new() // found by its carrier alone
    }
}

#[cfg(test)]
mod tests;
