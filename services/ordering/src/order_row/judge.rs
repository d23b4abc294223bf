//! What becomes of delivered units in the row: accepted, refused, disputed, installed.

use contracts::ordering::{
    AcceptedLine, Discrepancy, DiscrepancyKind, DiscrepancyPhase, DiscrepancyReported,
    DiscrepancyResolved, GoodsAccepted, GoodsRejected, InstallationRecorded, LiabilityConfirmed,
    Order as Row, ShipmentPhase, SignedSlipFiled, Treatment, TreatmentApproved, TreatmentProposed,
    TreatmentRefused,
};

use super::{bill::owe, line_mut, ship::shipment_mut};
use crate::order::shift;

pub(super) fn accepted(row: &mut Row, event: &GoodsAccepted) {
    for accepted in &event.lines {
        if let Some(line) = line_mut(row, accepted.line_no) {
            shift(&mut line.arrived, &mut line.accepted, accepted.quantity);
        }
        start_warranty(row, accepted);
        judge(row, &event.shipment_id, accepted.line_no, accepted.quantity);
    }
    if let Some(shipment) = shipment_mut(row, &event.shipment_id) {
        if shipment.slip_no != event.slip_no {
            // the digest is that of the slip shown, the latest
            shipment.slip_sha256.clear();
        }
        shipment.slip_no.clone_from(&event.slip_no);
        if !event.stock_entry_no.is_empty() {
            shipment.stock_entry_no.clone_from(&event.stock_entry_no);
        }
    }
    owe(row);
}

pub(super) fn rejected(row: &mut Row, event: &GoodsRejected) {
    for rejected in &event.lines {
        if let Some(line) = line_mut(row, rejected.line_no) {
            shift(&mut line.arrived, &mut line.rejected, rejected.quantity);
        }
        judge(row, &event.shipment_id, rejected.line_no, rejected.quantity);
    }
}

pub(super) fn reported(row: &mut Row, event: &DiscrepancyReported) {
    row.discrepancies.push(Discrepancy {
        discrepancy_id: event.discrepancy_id.clone(),
        shipment_id: event.shipment_id.clone(),
        line: event.line,
        kind: event.kind,
        description: event.description.clone(),
        evidence_sha256: event.evidence_sha256.clone(),
        phase: DiscrepancyPhase::Reported.into(),
        ..Discrepancy::default()
    });
}

pub(super) fn proposed(row: &mut Row, event: &TreatmentProposed) {
    let Some(discrepancy) = discrepancy_mut(row, &event.discrepancy_id) else { return };
    discrepancy.set_phase(DiscrepancyPhase::Proposed);
    discrepancy.treatment = event.treatment;
    discrepancy.proposals = event.proposal_no;
    discrepancy.refusal.clear();
}

pub(super) fn approved(row: &mut Row, event: &TreatmentApproved) {
    let Some(discrepancy) = discrepancy_mut(row, &event.discrepancy_id) else { return };
    discrepancy.set_phase(DiscrepancyPhase::Handling);
    discrepancy.treatment = event.treatment;
}

pub(super) fn refused(row: &mut Row, event: &TreatmentRefused) {
    let Some(discrepancy) = discrepancy_mut(row, &event.discrepancy_id) else { return };
    discrepancy.set_phase(DiscrepancyPhase::Reported);
    discrepancy.set_treatment(Treatment::Unspecified);
    discrepancy.refusal.clone_from(&event.reason);
}

pub(super) fn liability(row: &mut Row, event: &LiabilityConfirmed) {
    if let Some(discrepancy) = discrepancy_mut(row, &event.discrepancy_id) {
        discrepancy.liable = event.party;
    }
}

pub(super) fn resolved(row: &mut Row, event: &DiscrepancyResolved) {
    let Some(discrepancy) = discrepancy_mut(row, &event.discrepancy_id) else { return };
    discrepancy.set_phase(DiscrepancyPhase::Resolved);
    if discrepancy.kind() == DiscrepancyKind::Over {
        return; // units beyond the order are in no ledger
    }
    let units = event.line.unwrap_or_default();
    if let Some(line) = line_mut(row, units.line_no) {
        let to = match event.treatment() {
            Treatment::Unspecified | Treatment::Credit => &mut line.rejected,
            Treatment::AcceptAsIs => &mut line.accepted,
            Treatment::Redeliver => &mut line.open,
        };
        shift(&mut line.arrived, to, units.quantity);
    }
    judge(row, &event.shipment_id, units.line_no, units.quantity);
    if let Some(accepted) = &event.accepted {
        start_warranty(row, accepted);
        owe(row);
    }
}

pub(super) fn installed(row: &mut Row, event: &InstallationRecorded) {
    for line_no in &event.warranty_line_nos {
        if let Some(line) = line_mut(row, *line_no) {
            line.warranty_starts_at = line.warranty_starts_at.or(event.installed_at);
        }
    }
    if let Some(shipment) = shipment_mut(row, &event.shipment_id) {
        shipment.installed_at = event.installed_at;
    }
}

pub(super) fn slip_filed(row: &mut Row, event: &SignedSlipFiled) {
    if let Some(shipment) = shipment_mut(row, &event.shipment_id) {
        shipment.slip_no.clone_from(&event.slip_no);
        shipment.slip_sha256.clone_from(&event.sha256);
    }
}

/// Units of several shipments may start at different times: the first is shown.
fn start_warranty(row: &mut Row, accepted: &AcceptedLine) {
    if let Some(line) = line_mut(row, accepted.line_no) {
        line.warranty_starts_at = line.warranty_starts_at.or(accepted.warranty_starts_at);
    }
}

/// Units of a shipment are judged; with the last of them it is closed.
fn judge(row: &mut Row, shipment_id: &str, line_no: u32, units: u32) {
    let Some(shipment) = shipment_mut(row, shipment_id) else { return };
    for unjudged in &mut shipment.unjudged {
        if unjudged.line_no == line_no {
            unjudged.quantity = unjudged.quantity.saturating_sub(units);
        }
    }
    shipment.unjudged.retain(|unjudged| unjudged.quantity > 0);
    if shipment.unjudged.is_empty() {
        shipment.set_phase(ShipmentPhase::Closed);
    }
}

fn discrepancy_mut<'a>(row: &'a mut Row, id: &str) -> Option<&'a mut Discrepancy> {
    row.discrepancies.iter_mut().find(|discrepancy| discrepancy.discrepancy_id == id)
}
