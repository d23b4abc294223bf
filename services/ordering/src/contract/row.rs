//! The read row of a contract: the API's message, and its look-up keys.

use chassis::facets;
use contracts::common::EventMetadata;
use contracts::ordering::{Contract as Row, ContractChange, ContractPhase as Phase};
use eventlog::{Key, Listing, Recorded};

use super::{Contract, Event};

impl Recorded for Contract {
    const KIND: &'static str = "contract";

    type Row = Row;

    fn apply(row: &mut Row, event: &Event, _meta: &EventMetadata, _version: u64) {
        match event {
            Event::ContractDrafted(event) => {
                *row = Row {
                    contract_id: event.contract_id.clone(),
                    platform: event.platform.clone(),
                    phase: Phase::Drafted.into(),
                    bond_left: event.terms.as_ref().and_then(|it| it.performance_bond.clone()),
                    terms: event.terms.clone(),
                    ..Row::default()
                };
            }
            Event::ContractSigned(event) => {
                row.set_phase(Phase::Signed);
                row.signed_by_buyer.clone_from(&event.signed_by_buyer);
                row.signed_by_supplier.clone_from(&event.signed_by_supplier);
                row.archive_sha256.clone_from(&event.archive_sha256);
                row.signed_at = event.signed_at;
            }
            Event::ContractChangeRequested(event) => row.changes.push(ContractChange {
                change_id: event.change_id.clone(),
                requested_by: event.requested_by.clone(),
                description: event.description.clone(),
                ..ContractChange::default()
            }),
            Event::ContractChangeReviewed(event) => {
                for change in &mut row.changes {
                    if change.change_id == event.change_id {
                        change.reviewed = true;
                        change.added = event.added;
                        change.reviewer.clone_from(&event.reviewer);
                        change.reason.clone_from(&event.reason);
                    }
                }
            }
            Event::PerformanceBondDrawn(event) => row.bond_left.clone_from(&event.bond_left),
        }
    }

    fn keys(row: &Row) -> Vec<Key> {
        facets::keys(&[&row.platform, row.phase().as_str_name()], "")
    }
}

/// Lists contracts by their ids.
#[must_use]
pub fn listing(platform: Option<&str>, phase: Option<Phase>) -> Listing {
    facets::listing(Contract::KIND, &[platform, phase.map(|phase| phase.as_str_name())])
}
