//! From arrival to the signed slip.

use chassis::Fields;
use contracts::ordering as api;
use jiff::Timestamp;

use super::{MOST_ITEMS, choice, one, part, when};
use crate::order::{
    Digest, Findings, Id, LineNo, Name, Quantity, SlipLines, Text, Units,
    command::{
        AcceptGoods, AnswerTreatment, ConfirmLiability, FileSignedSlip, InspectArrival, Presence,
        ProposeTreatment, RecordInstallation, RejectGoods, ReportArrival, ReportDiscrepancy,
        ResolveDiscrepancy,
    },
};

pub(in super::super) fn report_arrival(
    fields: &mut Fields,
    request: api::ReportArrivalRequest,
    now: Timestamp,
) -> Option<ReportArrival> {
    let shipment_id = one(fields, "shipment_id", Id::parse(request.shipment_id));
    let when = when(fields, "at", request.at.as_ref(), now);
    Some(ReportArrival { shipment_id: shipment_id?, when })
}

pub(in super::super) fn inspect_arrival(
    fields: &mut Fields,
    request: api::InspectArrivalRequest,
    now: Timestamp,
) -> Option<InspectArrival> {
    let shipment_id = one(fields, "shipment_id", Id::parse(request.shipment_id));
    let Some(inspection) = request.inspection else {
        fields.refuse("inspection", "is missing");
        return None;
    };
    fields.nested("inspection", |fields| {
        let mode = choice::<api::InspectionMode>(fields, "mode", inspection.mode);
        let presence = match mode {
            Some(api::InspectionMode::Unilateral) => Some(Presence::Unilateral),
            Some(api::InspectionMode::Joint) => {
                let name = Name::parse(inspection.supplier_representative);
                one(fields, "supplier_representative", name)
                    .map(|supplier_representative| Presence::Joint { supplier_representative })
            }
            Some(api::InspectionMode::Unspecified) | None => None,
        };
        let user_representative =
            one(fields, "user_representative", Name::parse(inspection.user_representative));
        let supervisor = Name::parse_optional(inspection.procurement_supervisor);
        let procurement_supervisor = one(fields, "procurement_supervisor", supervisor);
        let checklist = fields.required("checklist", &inspection.checklist).copied();
        let findings = part(fields, Findings::parse(inspection.findings, "findings"));
        let when = when(fields, "inspected_at", inspection.inspected_at.as_ref(), now);
        let checklist = checklist?;
        Some(InspectArrival {
            shipment_id: shipment_id?,
            presence: presence?,
            user_representative: user_representative?,
            procurement_supervisor: procurement_supervisor?,
            packaging_met: checklist.packaging_met,
            undamaged: checklist.undamaged,
            list_matches: checklist.list_matches,
            findings: findings?,
            when,
        })
    })
}

pub(in super::super) fn accept_goods(
    fields: &mut Fields,
    request: api::AcceptGoodsRequest,
    now: Timestamp,
) -> Option<AcceptGoods> {
    let shipment_id = one(fields, "shipment_id", Id::parse(request.shipment_id));
    let lines = part(fields, SlipLines::parse(request.lines, "lines"));
    let slip_no = one(fields, "slip_no", Id::parse(request.slip_no));
    let user_signature = one(fields, "user_signature", Name::parse(request.user_signature));
    let signature = Name::parse_optional(request.supplier_signature);
    let supplier_signature = one(fields, "supplier_signature", signature);
    let stock_entry = Id::parse_optional(request.stock_entry_no);
    let stock_entry_no = one(fields, "stock_entry_no", stock_entry);
    let when = when(fields, "at", request.at.as_ref(), now);
    Some(AcceptGoods {
        shipment_id: shipment_id?,
        slip_no: slip_no?,
        lines: lines?,
        user_signature: user_signature?,
        supplier_signature: supplier_signature?,
        stock_entry_no: stock_entry_no?,
        when,
    })
}

pub(in super::super) fn reject_goods(
    fields: &mut Fields,
    request: api::RejectGoodsRequest,
    now: Timestamp,
) -> Option<RejectGoods> {
    let shipment_id = one(fields, "shipment_id", Id::parse(request.shipment_id));
    let rejection_id = one(fields, "rejection_id", Id::parse(request.rejection_id));
    let lines = part(fields, Units::parse(request.lines, "lines"));
    let reason = choice(fields, "reason", request.reason);
    let description = one(fields, "description", Text::parse_optional(request.description));
    let when = when(fields, "at", request.at.as_ref(), now);
    Some(RejectGoods {
        shipment_id: shipment_id?,
        rejection_id: rejection_id?,
        lines: lines?,
        reason: reason?,
        description: description?,
        when,
    })
}

pub(in super::super) fn report_discrepancy(
    fields: &mut Fields,
    request: api::ReportDiscrepancyRequest,
    now: Timestamp,
) -> Option<ReportDiscrepancy> {
    let shipment_id = one(fields, "shipment_id", Id::parse(request.shipment_id));
    let discrepancy_id = one(fields, "discrepancy_id", Id::parse(request.discrepancy_id));
    let line = fields.required("line", &request.line).copied();
    let line = line.map(|line| {
        let line_no = one(fields, "line.line_no", LineNo::parse(line.line_no));
        let quantity = one(fields, "line.quantity", Quantity::parse(line.quantity));
        (line_no, quantity)
    });
    let kind = choice(fields, "kind", request.kind);
    let description = one(fields, "description", Text::parse(request.description));
    let evidence = fields.repeated(
        "evidence_sha256",
        &request.evidence_sha256,
        0..=MOST_ITEMS,
        |one, text| one.parsed("", Digest::parse(text)),
    );
    let when = when(fields, "at", request.at.as_ref(), now);
    let (line_no, quantity) = line?;
    Some(ReportDiscrepancy {
        shipment_id: shipment_id?,
        discrepancy_id: discrepancy_id?,
        line_no: line_no?,
        quantity: quantity?,
        kind: kind?,
        description: description?,
        evidence: evidence.into_iter().collect::<Option<_>>()?,
        when,
    })
}

pub(in super::super) fn propose_treatment(
    fields: &mut Fields,
    request: api::ProposeTreatmentRequest,
    now: Timestamp,
) -> Option<ProposeTreatment> {
    let discrepancy_id = one(fields, "discrepancy_id", Id::parse(request.discrepancy_id));
    let treatment = choice(fields, "treatment", request.treatment);
    let explanation = one(fields, "explanation", Text::parse_optional(request.explanation));
    let when = when(fields, "at", request.at.as_ref(), now);
    Some(ProposeTreatment {
        discrepancy_id: discrepancy_id?,
        treatment: treatment?,
        explanation: explanation?,
        when,
    })
}

pub(in super::super) fn answer_treatment(
    fields: &mut Fields,
    request: api::AnswerTreatmentRequest,
    now: Timestamp,
) -> Option<AnswerTreatment> {
    let discrepancy_id = one(fields, "discrepancy_id", Id::parse(request.discrepancy_id));
    if request.proposal_no == 0 {
        fields.refuse("proposal_no", "must be positive");
    }
    let reason = one(fields, "reason", Text::parse_optional(request.reason));
    let when = when(fields, "at", request.at.as_ref(), now);
    Some(AnswerTreatment {
        discrepancy_id: discrepancy_id?,
        proposal_no: request.proposal_no,
        approved: request.approved,
        reason: reason?,
        when,
    })
}

pub(in super::super) fn confirm_liability(
    fields: &mut Fields,
    request: api::ConfirmLiabilityRequest,
    now: Timestamp,
) -> Option<ConfirmLiability> {
    let discrepancy_id = one(fields, "discrepancy_id", Id::parse(request.discrepancy_id));
    let party = choice(fields, "party", request.party);
    let user = one(fields, "user_representative", Name::parse(request.user_representative));
    let supplier = Name::parse(request.supplier_representative);
    let supplier = one(fields, "supplier_representative", supplier);
    let when = when(fields, "at", request.at.as_ref(), now);
    Some(ConfirmLiability {
        discrepancy_id: discrepancy_id?,
        party: party?,
        user_representative: user?,
        supplier_representative: supplier?,
        when,
    })
}

pub(in super::super) fn resolve_discrepancy(
    fields: &mut Fields,
    request: api::ResolveDiscrepancyRequest,
    now: Timestamp,
) -> Option<ResolveDiscrepancy> {
    let discrepancy_id = one(fields, "discrepancy_id", Id::parse(request.discrepancy_id));
    let when = when(fields, "at", request.at.as_ref(), now);
    Some(ResolveDiscrepancy { discrepancy_id: discrepancy_id?, when })
}

pub(in super::super) fn record_installation(
    fields: &mut Fields,
    request: api::RecordInstallationRequest,
    now: Timestamp,
) -> Option<RecordInstallation> {
    let shipment_id = one(fields, "shipment_id", Id::parse(request.shipment_id));
    let technician = one(fields, "technician", Name::parse(request.technician));
    let when = when(fields, "at", request.at.as_ref(), now);
    Some(RecordInstallation { shipment_id: shipment_id?, technician: technician?, when })
}

pub(in super::super) fn file_signed_slip(
    fields: &mut Fields,
    request: api::FileSignedSlipRequest,
    now: Timestamp,
) -> Option<FileSignedSlip> {
    let shipment_id = one(fields, "shipment_id", Id::parse(request.shipment_id));
    let slip_no = one(fields, "slip_no", Id::parse(request.slip_no));
    let sha256 = one(fields, "sha256", Digest::parse(&request.sha256));
    let when = when(fields, "at", request.at.as_ref(), now);
    Some(FileSignedSlip { shipment_id: shipment_id?, slip_no: slip_no?, sha256: sha256?, when })
}
