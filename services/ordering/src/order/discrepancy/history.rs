//! What the events of a discrepancy do to the book.

use std::sync::Arc;

use contracts::ordering::{
    DiscrepancyKind, DiscrepancyReported, DiscrepancyResolved, LiabilityConfirmed, Treatment,
    TreatmentApproved, TreatmentProposed, TreatmentRefused,
};

use super::{Answer, Discrepancy, Liability, Proposal};
use crate::order::book::{Book, Note, moment, shift};

impl Book {
    pub(in crate::order) fn discrepancy_reported(&mut self, event: &DiscrepancyReported) {
        let line = event.line.unwrap_or_default();
        if event.kind() != DiscrepancyKind::Over {
            let shipment = self.shipment_mut(&event.shipment_id);
            if let Some(load) = shipment.and_then(|shipment| shipment.load_mut(line.line_no)) {
                shift(&mut load.waiting, &mut load.disputed, line.quantity);
            }
        }
        self.discrepancies.push(Arc::new(Discrepancy {
            id: event.discrepancy_id.clone(),
            shipment_id: event.shipment_id.clone(),
            line_no: line.line_no,
            quantity: line.quantity,
            kind: event.kind(),
            description: event.description.clone(),
            evidence: event.evidence_sha256.clone(),
            reported_at: moment(event.reported_at.as_ref()),
            proposals: Vec::new(),
            liability: None,
            resolved_at: None,
        }));
    }

    pub(in crate::order) fn treatment_proposed(&mut self, event: &TreatmentProposed) {
        if let Some(discrepancy) = self.discrepancy_mut(&event.discrepancy_id) {
            discrepancy.proposals.push(Proposal {
                treatment: event.treatment(),
                explanation: event.explanation.clone(),
                at: moment(event.proposed_at.as_ref()),
                answer: None,
            });
        }
    }

    fn treatment_answered(&mut self, discrepancy_id: &str, answer: Answer) {
        let discrepancy = self.discrepancy_mut(discrepancy_id);
        if let Some(last) = discrepancy.and_then(|discrepancy| discrepancy.proposals.last_mut()) {
            last.answer = Some(answer);
        }
    }

    pub(in crate::order) fn treatment_approved(&mut self, event: &TreatmentApproved) {
        let note = Note { text: String::new(), at: moment(event.approved_at.as_ref()) };
        self.treatment_answered(&event.discrepancy_id, Answer { approved: true, note });
    }

    pub(in crate::order) fn treatment_refused(&mut self, event: &TreatmentRefused) {
        let note = Note { text: event.reason.clone(), at: moment(event.refused_at.as_ref()) };
        self.treatment_answered(&event.discrepancy_id, Answer { approved: false, note });
    }

    pub(in crate::order) fn liability_confirmed(&mut self, event: &LiabilityConfirmed) {
        if let Some(discrepancy) = self.discrepancy_mut(&event.discrepancy_id) {
            discrepancy.liability = Some(Liability {
                party: event.party(),
                user_representative: event.user_representative.clone(),
                supplier_representative: event.supplier_representative.clone(),
                at: moment(event.confirmed_at.as_ref()),
            });
        }
    }

    pub(in crate::order) fn discrepancy_resolved(&mut self, event: &DiscrepancyResolved) {
        let Some(discrepancy) = self.discrepancy_mut(&event.discrepancy_id) else { return };
        discrepancy.resolved_at = Some(moment(event.resolved_at.as_ref()));
        if discrepancy.kind == DiscrepancyKind::Over {
            return;
        }
        let (line_no, units) = (discrepancy.line_no, discrepancy.quantity);
        let kept = event.treatment() == Treatment::AcceptAsIs;
        let shipment = self.shipment_mut(&event.shipment_id);
        if let Some(load) = shipment.and_then(|shipment| shipment.load_mut(line_no)) {
            load.disputed = load.disputed.saturating_sub(units);
            if kept {
                load.accepted = load.accepted.saturating_add(units);
            }
        }
        if let Some(line) = self.line_mut(line_no) {
            let to = match event.treatment() {
                Treatment::Unspecified | Treatment::Credit => &mut line.rejected,
                Treatment::AcceptAsIs => &mut line.accepted,
                Treatment::Redeliver => &mut line.open,
            };
            shift(&mut line.arrived, to, units);
        }
    }
}
