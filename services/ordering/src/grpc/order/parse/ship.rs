//! From the inspection before delivery to the scans on the way.

use chassis::Fields;
use contracts::ordering as api;
use jiff::Timestamp;

use super::{MOST_ITEMS, digest, moment, money, one, part, when};
use crate::order::{
    Id, Name, Packages, Scores, Text, Units,
    command::{
        ChooseCarrier, DispatchShipment, PackShipment, PlanShipment, RecordInspection,
        RecordTracking, Scan, UnplanShipment,
    },
};

pub(in super::super) fn record_inspection(
    fields: &mut Fields,
    request: api::RecordInspectionRequest,
    now: Timestamp,
) -> Option<RecordInspection> {
    let Some(inspection) = request.inspection else {
        fields.refuse("inspection", "is missing");
        return None;
    };
    fields.nested("inspection", |fields| {
        let certificate_no = one(fields, "certificate_no", Id::parse(inspection.certificate_no));
        let lines = part(fields, Units::parse(inspection.lines, "lines"));
        let inspector = one(fields, "inspector", Name::parse(inspection.inspector));
        let certificate_sha256 =
            digest(fields, "certificate_sha256", &inspection.certificate_sha256);
        let remarks = one(fields, "remarks", Text::parse_optional(inspection.remarks));
        let when = when(fields, "inspected_at", inspection.inspected_at.as_ref(), now);
        Some(RecordInspection {
            certificate_no: certificate_no?,
            lines: lines?,
            passed: inspection.passed,
            inspector: inspector?,
            certificate_sha256: certificate_sha256?,
            remarks: remarks?,
            when,
        })
    })
}

pub(in super::super) fn plan_shipment(
    fields: &mut Fields,
    request: api::PlanShipmentRequest,
    now: Timestamp,
) -> Option<PlanShipment> {
    let shipment_id = one(fields, "shipment_id", Id::parse(request.shipment_id));
    let lines = part(fields, Units::parse_optional(request.lines, "lines"));
    let dispatch_by = moment(fields, "dispatch_by", request.dispatch_by.as_ref());
    let when = when(fields, "at", request.at.as_ref(), now);
    Some(PlanShipment { shipment_id: shipment_id?, lines: lines?, dispatch_by, when })
}

pub(in super::super) fn unplan_shipment(
    fields: &mut Fields,
    request: api::UnplanShipmentRequest,
    now: Timestamp,
) -> Option<UnplanShipment> {
    let shipment_id = one(fields, "shipment_id", Id::parse(request.shipment_id));
    let reason = one(fields, "reason", Text::parse_optional(request.reason));
    let when = when(fields, "at", request.at.as_ref(), now);
    Some(UnplanShipment { shipment_id: shipment_id?, reason: reason?, when })
}

pub(in super::super) fn choose_carrier(
    fields: &mut Fields,
    request: api::ChooseCarrierRequest,
    now: Timestamp,
) -> Option<ChooseCarrier> {
    let shipment_id = one(fields, "shipment_id", Id::parse(request.shipment_id));
    let carrier = one(fields, "carrier", Name::parse(request.carrier));
    let free = request.freight.as_ref().is_none_or(|freight| freight.minor_units == 0);
    let freight = if free { None } else { money(fields, "freight", request.freight.as_ref()) };
    let scores = part(fields, Scores::parse(request.scores, "scores"));
    let when = when(fields, "at", request.at.as_ref(), now);
    Some(ChooseCarrier {
        shipment_id: shipment_id?,
        carrier: carrier?,
        freight,
        scores: scores?,
        when,
    })
}

pub(in super::super) fn pack_shipment(
    fields: &mut Fields,
    request: api::PackShipmentRequest,
    now: Timestamp,
) -> Option<PackShipment> {
    let shipment_id = one(fields, "shipment_id", Id::parse(request.shipment_id));
    let packages = part(fields, Packages::parse(request.packages, "packages"));
    let when = when(fields, "at", request.at.as_ref(), now);
    Some(PackShipment { shipment_id: shipment_id?, packages: packages?, when })
}

pub(in super::super) fn dispatch_shipment(
    fields: &mut Fields,
    request: api::DispatchShipmentRequest,
    now: Timestamp,
) -> Option<DispatchShipment> {
    let shipment_id = one(fields, "shipment_id", Id::parse(request.shipment_id));
    let waybill_no = one(fields, "waybill_no", Id::parse(request.waybill_no));
    let released_by = one(fields, "released_by", Name::parse(request.released_by));
    let supervisor = Name::parse_optional(request.loading_supervisor);
    let loading_supervisor = one(fields, "loading_supervisor", supervisor);
    let when = when(fields, "at", request.at.as_ref(), now);
    Some(DispatchShipment {
        shipment_id: shipment_id?,
        waybill_no: waybill_no?,
        released_by: released_by?,
        loading_supervisor: loading_supervisor?,
        when,
    })
}

pub(in super::super) fn record_tracking(
    fields: &mut Fields,
    request: api::RecordTrackingRequest,
    now: Timestamp,
) -> Option<RecordTracking> {
    let shipment_id = one(fields, "shipment_id", Id::parse(request.shipment_id));
    if !(1..=MOST_ITEMS).contains(&request.scans.len()) {
        fields.refuse("scans", format!("must have 1 to {MOST_ITEMS} entries"));
        return None;
    }
    let scans: Vec<_> = request
        .scans
        .into_iter()
        .enumerate()
        .map(|(index, scan)| part(fields, Scan::parse(scan, &format!("scans[{index}]"))))
        .collect();
    let scans = scans.into_iter().collect::<Option<Vec<_>>>();
    Some(RecordTracking { shipment_id: shipment_id?, scans: scans?, now })
}
