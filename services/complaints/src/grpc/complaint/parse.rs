//! What comes in: each part of a request is read into what cannot be malformed any more.

use chassis::{
    Call, Fields,
    desk::{platform, platform_filter},
    reading::{TEXT, contact, filter},
};
use contracts::{
    common::{Contact, Money},
    complaints::{
        self as api, CauseClass, ComplaintChannel, ComplaintItem, ComplaintKind, Department,
        Handover, Measure, MeasureKind, Solution,
    },
};

use crate::{
    complaint::Intake,
    complaint_row::{Narrow, Wanted},
};

pub(super) const CURRENCY: &str = "CNY";
const MOST_ITEMS: usize = 50;
const MOST_MEASURES: usize = 20;
const MOST_DOCUMENTS: usize = 50;
const MOST_UNITS: u32 = 1_000_000;
const LONG: std::ops::RangeInclusive<usize> = 1..=10_000;

/// An amount that may be left out: nothing.
pub(super) fn amount(fields: &mut Fields, field: &str, given: &Option<Money>) -> i64 {
    if given.is_none() { 0 } else { fields.money(field, given, CURRENCY) }
}

pub(super) fn intake(
    fields: &mut Fields,
    call: &Call,
    message: &api::ReceiveComplaintRequest,
) -> (Intake, Contact) {
    let kind = fields.choice("kind", message.kind);
    let is_complaint = kind == ComplaintKind::Complaint;
    let cause: Option<CauseClass> = filter(fields, "cause", message.cause);
    if is_complaint && cause.is_none() {
        fields.refuse("cause", "is missing: what is the complaint about?");
    }
    let channel = fields.choice("channel", message.channel);
    let complainant = fields.message("complainant", &message.complainant, |fields, given| {
        // who has written may have named his address alone, and is asked for a telephone number (CMP-11)
        contact(fields, given, channel == ComplaintChannel::Letter)
    });
    let items = items(fields, &message.items, 1);
    let recording = match message.recording_sha256.is_empty() {
        true => String::new(),
        false => fields.digest("recording_sha256", &message.recording_sha256),
    };
    let intake = Intake {
        complaint_id: fields.identifier("complaint_id", &message.complaint_id),
        platform: platform(fields, call, &message.platform),
        contract_id: optional(fields, "contract_id", &message.contract_id),
        channel,
        kind,
        cause: cause.unwrap_or_default(),
        order_id: optional(fields, "order_id", &message.order_id),
        case_id: optional(fields, "case_id", &message.case_id),
        items,
        region: fields.text("region", &message.region, 0..=100),
        recording_sha256: recording,
        expectation: fields.multiline("expectation", &message.expectation, 0..=2_000),
        claimed: amount(fields, "claimed", &message.claimed),
        first_responsible: fields.text("first_responsible", &message.first_responsible, 0..=200),
        topic: optional(fields, "topic", &message.topic),
        buyer_id: optional(fields, "buyer_id", &message.buyer_id),
        has_phone: complainant.as_ref().is_some_and(|contact| !contact.phone.is_empty()),
        ..Intake::default()
    };
    (intake, complainant.unwrap_or_default())
}

pub(super) fn optional(fields: &mut Fields, field: &str, given: &str) -> String {
    fields.optional_identifier(field, given).unwrap_or_default()
}

/// What was wrong on the record form, as it is right.
pub(super) fn correction(
    fields: &mut Fields,
    message: &api::CorrectFormRequest,
) -> (String, Contact, Vec<ComplaintItem>) {
    let id = fields.identifier("complaint_id", &message.complaint_id);
    let complainant = fields
        .message("complainant", &message.complainant, |fields, given| contact(fields, given, true));
    (id, complainant.unwrap_or_default(), items(fields, &message.items, 0))
}

fn items(fields: &mut Fields, given: &[ComplaintItem], least: usize) -> Vec<ComplaintItem> {
    let mut number = 0;
    fields.repeated("items", given, least..=MOST_ITEMS, |fields, given| {
        number += 1;
        item(fields, given, number)
    })
}

fn item(fields: &mut Fields, given: &ComplaintItem, number: u32) -> ComplaintItem {
    if given.number != 0 && given.number != number {
        fields.refuse("number", format!("is not {number}: items are numbered in their order"));
    }
    if !given.answer.is_empty() {
        fields.refuse("answer", "comes later");
    }
    ComplaintItem {
        number,
        text: fields.multiline("text", &given.text, TEXT),
        sku: optional(fields, "sku", &given.sku),
        batch: optional(fields, "batch", &given.batch),
        carrier: fields.text("carrier", &given.carrier, 0..=100),
        answer: String::new(),
    }
}

pub(super) fn solution(fields: &mut Fields, given: &Solution) -> Solution {
    Solution {
        solution_id: fields.identifier("solution_id", &given.solution_id),
        text: fields.multiline("text", &given.text, TEXT),
        feasibility: fields.multiline("feasibility", &given.feasibility, TEXT),
        cost: (given.cost.is_some())
            .then(|| fields.money("cost", &given.cost, CURRENCY))
            .map(|minor_units| Money { minor_units, currency: CURRENCY.to_owned() }),
        fairness: fields.multiline("fairness", &given.fairness, TEXT),
        measures: fields.repeated("measures", &given.measures, 1..=MOST_MEASURES, measure),
    }
}

/// What is to be done is complete: goods have a SKU and units, money an amount.
fn measure(fields: &mut Fields, given: &Measure) -> Measure {
    let kind: MeasureKind = fields.choice("kind", given.kind);
    let (goods, money) = match kind {
        MeasureKind::Unspecified | MeasureKind::Apology | MeasureKind::Other => (false, false),
        MeasureKind::Reissue | MeasureKind::Exchange | MeasureKind::Repair => (true, false),
        MeasureKind::Refund => (true, true),
        MeasureKind::Compensation => (false, true),
    };
    let sku = if goods {
        fields.identifier("sku", &given.sku)
    } else {
        optional(fields, "sku", &given.sku)
    };
    let least = u32::from(goods);
    let quantity = fields.number("quantity", given.quantity, least..=MOST_UNITS);
    let amount = match (money, &given.amount) {
        (true, _) => Some(fields.money("amount", &given.amount, CURRENCY)),
        (false, Some(_)) => {
            fields.refuse("amount", "belongs to a refund or a compensation");
            None
        }
        (false, None) => None,
    };
    Measure {
        kind: kind.into(),
        sku,
        quantity,
        amount: amount.map(|minor_units| Money { minor_units, currency: CURRENCY.to_owned() }),
        description: fields.multiline("description", &given.description, 0..=2_000),
    }
}

/// A handover that lacks something is refused (CMP-24).
pub(super) fn handover(fields: &mut Fields, given: &Handover) -> Handover {
    Handover {
        history: fields.multiline("history", &given.history, LONG),
        demands: fields.multiline("demands", &given.demands, LONG),
        progress: fields.multiline("progress", &given.progress, LONG),
        documents: fields.repeated(
            "documents",
            &given.documents,
            0..=MOST_DOCUMENTS,
            |fields, digest| fields.digest("", digest),
        ),
    }
}

pub(super) fn wanted(
    fields: &mut Fields,
    call: &Call,
    message: &api::ListComplaintsRequest,
) -> Wanted {
    let phase = filter(fields, "phase", message.phase);
    let cause = filter(fields, "cause", message.cause);
    let handler = fields.text("handler", &message.handler, 0..=200);
    let handler = Some(handler).filter(|handler| !handler.is_empty());
    let given =
        [phase.is_some(), cause.is_some(), handler.is_some()].into_iter().filter(|it| *it).count();
    if given > 1 {
        fields.refuse("phase", "handler and cause exclude each other: give one of them");
    }
    let narrow = match (phase, handler, cause) {
        (Some(phase), _, _) => Narrow::Phase(phase),
        (None, Some(handler), _) => Narrow::Handler(handler),
        (None, None, Some(cause)) => Narrow::Cause(cause),
        (None, None, None) => Narrow::Any,
    };
    Wanted {
        platform: platform_filter(fields, call, &message.platform),
        level: filter(fields, "level", message.level),
        open_only: message.open_only,
        narrow,
    }
}

/// Departments, at least one; each counts once.
pub(in crate::grpc) fn departments(fields: &mut Fields, given: &[i32]) -> Vec<Department> {
    let mut departments: Vec<Department> =
        fields.repeated("departments", given, 1..=5, |fields, department| {
            fields.choice("", *department)
        });
    departments.sort_unstable_by_key(|department| i32::from(*department));
    departments.dedup();
    departments
}
