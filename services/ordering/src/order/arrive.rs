//! The inspection on arrival (SM-22): joint, or by the user alone when we are late.

use std::sync::Arc;

use contracts::ordering::{
    ArrivalChecklist, ArrivalInspected, ArrivalInspection, FrozenListing, InspectionMode,
    LineFinding,
};
use decider::{Decision, emit};
use eventlog::time::to_proto;

use super::{
    Event, Order, Rejection,
    book::{Book, moment},
    command::{InspectArrival, Presence},
    repeat::Repeat,
    shipment::Shipment,
    value::Name,
};

impl Order {
    /// An arrival is inspected, line by line, against waybill and frozen listing (ORD-26, ORD-30,
    /// ORD-31). The user may do so alone once our representative is late (ORD-28).
    ///
    /// # Errors
    /// The order is not in delivery, has no such shipment, it has not arrived or is judged already;
    /// our representative is not late; the findings are not about exactly its lines.
    pub fn inspect_arrival(&self, cmd: &InspectArrival) -> Decision<Event, Rejection> {
        let book = self.book()?;
        let id = cmd.shipment_id.as_str();
        if let Some(before) = book.shipment(id).and_then(|shipment| shipment.inspection.as_ref()) {
            return same_inspection(before, cmd);
        }
        self.must_be_confirmed()?;
        let shipment = book.known_shipment(id)?;
        let due = shipment.must_have_arrived()?.representative_due_at;
        if shipment.is_judged() {
            return Err(Rejection::AlreadyJudged);
        }
        let at = book.time("inspection.inspected_at", &cmd.when)?;
        if cmd.presence == Presence::Unilateral && at < due {
            return Err(Rejection::RepresentativeNotLate { due });
        }
        shipment.must_be_covered_by(cmd.findings.as_slice())?;
        let (mode, supplier_representative) = cmd.presence.recorded();
        let checklist = cmd.checklist();
        let findings = cmd.findings.as_slice();
        let conforms = checklist_passed(&checklist)
            && findings.iter().all(|finding| book.conforms(shipment, finding));
        emit(ArrivalInspected {
            order_id: book.order_id(),
            platform: book.platform(),
            contract_id: book.contract_id(),
            shipment_id: id.to_owned(),
            inspection: Some(ArrivalInspection {
                mode: mode.into(),
                inspected_at: Some(to_proto(at)),
                representative_due_at: Some(to_proto(due)),
                user_representative: (&cmd.user_representative).into(),
                supplier_representative,
                procurement_supervisor: Name::or_empty(cmd.procurement_supervisor.as_ref()),
                checklist: Some(checklist),
                findings: findings.to_vec(),
                conforms,
            }),
        })
    }
}

impl Presence {
    fn recorded(&self) -> (InspectionMode, String) {
        match self {
            Self::Joint { supplier_representative } => {
                (InspectionMode::Joint, supplier_representative.into())
            }
            Self::Unilateral => (InspectionMode::Unilateral, String::new()),
        }
    }
}

impl InspectArrival {
    fn checklist(&self) -> ArrivalChecklist {
        ArrivalChecklist {
            packaging_met: self.packaging_met,
            undamaged: self.undamaged,
            list_matches: self.list_matches,
        }
    }
}

/// All checks made on arrival passed.
pub(super) fn checklist_passed(checklist: &ArrivalChecklist) -> bool {
    checklist.packaging_met && checklist.undamaged && checklist.list_matches
}

impl Shipment {
    /// Nothing of it waits for judgement any more.
    fn is_judged(&self) -> bool {
        self.lines.iter().all(|load| load.waiting == 0 && load.disputed == 0)
    }

    /// The findings are about exactly its lines; that none is named twice, the list says itself.
    fn must_be_covered_by(&self, findings: &[LineFinding]) -> Result<(), Rejection> {
        for (index, finding) in findings.iter().enumerate() {
            let field = || format!("inspection.findings[{index}].line_no");
            self.known_load(finding.line_no, field)?;
        }
        let found = |line_no| findings.iter().any(|finding| finding.line_no == line_no);
        match self.lines.iter().find(|load| !found(load.line_no)) {
            Some(load) => Err(Rejection::FindingMissing { line_no: load.line_no }),
            None => Ok(()),
        }
    }
}

impl Book {
    /// What was found of a line is what was sent and sold.
    pub(super) fn conforms(&self, shipment: &Shipment, finding: &LineFinding) -> bool {
        let sent = shipment.load(finding.line_no).map_or(0, |load| load.quantity);
        finding.counted == sent
            && finding.damaged == 0
            && is_as_listed(finding, self.listing(finding.line_no))
    }

    pub(super) fn arrival_inspected(&mut self, event: &ArrivalInspected) {
        if let Some(shipment) = self.shipment_mut(&event.shipment_id) {
            shipment.inspection = event.inspection.clone().map(Arc::new);
        }
    }
}

/// Brand, model and specification as listed; not said means as listed.
fn is_as_listed(finding: &LineFinding, listing: &FrozenListing) -> bool {
    let same = |found: &str, listed: &str| found.is_empty() || found == listed;
    same(&finding.brand, &listing.brand)
        && same(&finding.model, &listing.model)
        && same(&finding.specification, &listing.specification)
}

fn same_inspection(before: &ArrivalInspection, cmd: &InspectArrival) -> Decision<Event, Rejection> {
    let (mode, supplier_representative) = cmd.presence.recorded();
    let supervisor = Name::or_empty(cmd.procurement_supervisor.as_ref());
    let checklist = before.checklist.unwrap_or_default();
    let findings = cmd.findings.as_slice();
    let mut repeat = Repeat::new()
        .same("inspection.mode", before.mode().as_str_name(), mode.as_str_name())
        .at("inspection.inspected_at", moment(before.inspected_at.as_ref()), &cmd.when)
        .same(
            "inspection.user_representative",
            before.user_representative.as_str(),
            cmd.user_representative.as_str(),
        )
        .same(
            "inspection.supplier_representative",
            &before.supplier_representative,
            &supplier_representative,
        )
        .same("inspection.procurement_supervisor", &before.procurement_supervisor, &supervisor)
        .same("inspection.checklist.packaging_met", &checklist.packaging_met, &cmd.packaging_met)
        .same("inspection.checklist.undamaged", &checklist.undamaged, &cmd.undamaged)
        .same("inspection.checklist.list_matches", &checklist.list_matches, &cmd.list_matches)
        .same("inspection.findings", &before.findings.len(), &findings.len());
    for (index, (before, now)) in before.findings.iter().zip(findings).enumerate() {
        let field = |name: &'static str| move || format!("inspection.findings[{index}].{name}");
        repeat = repeat
            .same_at(field("line_no"), &before.line_no, &now.line_no)
            .same_at(field("counted"), &before.counted, &now.counted)
            .same_at(field("damaged"), &before.damaged, &now.damaged)
            .same_at(field("brand"), &before.brand, &now.brand)
            .same_at(field("model"), &before.model, &now.model)
            .same_at(field("specification"), &before.specification, &now.specification);
    }
    repeat.answer()
}
