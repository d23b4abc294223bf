//! The read row of a claim: the API's message, and its look-up keys.

use chassis::facets::{self, sortable};
use contracts::common::EventMetadata;
use contracts::ordering::{DamageClaim as Row, DamageClaimPhase as Phase};
use eventlog::{Key, Listing, Recorded};

use super::{DamageClaim, Event};
use crate::amount::add_to_total;

impl Recorded for DamageClaim {
    const KIND: &'static str = "damage_claim";

    type Row = Row;

    fn apply(row: &mut Row, event: &Event, _meta: &EventMetadata, _version: u64) {
        match event {
            Event::DamageReported(event) => {
                *row = Row {
                    claim_id: event.claim_id.clone(),
                    order_id: event.order_id.clone(),
                    platform: event.platform.clone(),
                    shipment_id: event.shipment_id.clone(),
                    carrier: event.carrier.clone(),
                    kind: event.kind,
                    lines: event.lines.clone(),
                    description: event.description.clone(),
                    phase: Phase::Reported.into(),
                    salesperson: event.salesperson.clone(),
                    reported_at: event.reported_at,
                    ..Row::default()
                };
            }
            Event::DamageCoordinated(event) => {
                row.salesperson.clone_from(&event.salesperson);
                if row.phase() == Phase::Reported {
                    row.set_phase(Phase::Coordinating);
                }
            }
            Event::DamageEvidenceAdded(event) => {
                for photo in &event.photo_sha256 {
                    if !row.photo_sha256.contains(photo) {
                        row.photo_sha256.push(photo.clone());
                    }
                }
                if !event.carrier_signature.is_empty() {
                    row.carrier_signature.clone_from(&event.carrier_signature);
                }
                if !event.slip_sha256.is_empty() {
                    row.slip_sha256.clone_from(&event.slip_sha256);
                }
                if event.complete {
                    row.set_phase(Phase::EvidenceComplete);
                }
            }
            Event::CarrierHeldLiable(event) => {
                row.liable_amount.clone_from(&event.amount);
                row.set_phase(Phase::CarrierLiable);
            }
            Event::CarrierCleared(_) => row.set_phase(Phase::CarrierCleared),
            Event::FreightDeducted(event) => {
                add_to_total(&mut row.deducted, event.amount.as_ref(), 1);
                let owed = row.liable_amount.as_ref().map(|owed| owed.minor_units);
                if row.deducted.as_ref().map(|deducted| deducted.minor_units) >= owed {
                    row.set_phase(Phase::Deducted);
                }
            }
            Event::UserCompensated(event) => {
                add_to_total(&mut row.compensated, event.amount.as_ref(), 1);
                row.compensated_at = event.compensated_at;
            }
        }
    }

    fn keys(row: &Row) -> Vec<Key> {
        facets::keys(
            &[&row.platform, row.phase().as_str_name(), &row.carrier],
            &sortable(row.reported_at.as_ref()),
        )
    }
}

/// Lists claims, the oldest first.
#[must_use]
pub fn listing(platform: Option<&str>, phase: Option<Phase>, carrier: Option<&str>) -> Listing {
    let phase = phase.map(|phase| phase.as_str_name());
    facets::listing(DamageClaim::KIND, &[platform, phase, carrier])
}
