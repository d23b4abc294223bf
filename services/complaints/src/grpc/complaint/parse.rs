//! What comes in: each request is read into a decision that cannot be malformed any more.

use chassis::{
    Call, Fields, When,
    desk::{platform, platform_filter},
    reading::{NAME, TEXT, filter},
};
use contracts::{
    common::{Contact, Money},
    complaints::{
        self as api, CauseClass, ComplaintChannel, ComplaintItem, ComplaintKind, Department,
        Handover, Measure, MeasureKind, Recording, Solution, StandardSolution,
    },
};

use super::Decide;
use crate::{
    complaint::{Analysis, Assessment, Escalation, Facts, Intake, Offer, Penalty, Verdict, Visit},
    complaint_row::{Narrow, Wanted},
};

const CURRENCY: &str = "CNY";
const MOST_ITEMS: usize = 50;
const MOST_MEASURES: usize = 20;
const MOST_DOCUMENTS: usize = 50;
const MOST_UNITS: u32 = 1_000_000;
const LONG: std::ops::RangeInclusive<usize> = 1..=10_000;

/// An amount that may be left out: nothing.
fn amount(fields: &mut Fields, field: &str, given: &Option<Money>) -> i64 {
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

fn optional(fields: &mut Fields, field: &str, given: &str) -> String {
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

/// Name, address and telephone are on the record form (CMP-13); who has written a letter may have named
/// his address alone, and is asked for a telephone number (CMP-11).
fn contact(fields: &mut Fields, given: &Contact, address_is_enough: bool) -> Contact {
    let is_reached = address_is_enough && !given.address.is_empty();
    if given.phone.is_empty() && given.email.is_empty() && !is_reached {
        fields.refuse("phone", "is missing, and so is email");
    }
    Contact {
        name: fields.text("name", &given.name, NAME),
        phone: fields.text("phone", &given.phone, 0..=40),
        address: fields.multiline("address", &given.address, 0..=500),
        email: fields.text("email", &given.email, 0..=254),
        erased: false,
    }
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

fn solution(fields: &mut Fields, given: &Solution) -> Solution {
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
fn handover(fields: &mut Fields, given: &Handover) -> Handover {
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

pub(super) fn acknowledge_receipt(
    _: &mut Fields,
    _: &api::AcknowledgeReceiptRequest,
    when: When,
) -> Decide {
    Box::new(move |complaint, around| complaint.acknowledge(around.by, when))
}

pub(super) fn confirm_form(
    fields: &mut Fields,
    message: &api::ConfirmFormRequest,
    when: When,
) -> Decide {
    let by = fields.text("read_back_by", &message.read_back_by, NAME);
    let talk = message.talk;
    Box::new(move |complaint, _| complaint.confirm(&by, talk, when))
}

pub(super) fn accept_complaint(
    fields: &mut Fields,
    message: &api::AcceptComplaintRequest,
    when: When,
) -> Decide {
    let handler = fields.text("handler", &message.handler, NAME);
    let (tier, close_by) = (message.tier, fields.timestamp("close_by", &message.close_by));
    Box::new(move |complaint, around| {
        complaint.accept(&handler, tier, close_by, around.policy, when)
    })
}

pub(super) fn assess_facts(
    fields: &mut Fields,
    message: &api::AssessFactsRequest,
    when: When,
) -> Decide {
    let facts = Facts {
        amount: amount(fields, "amount", &message.amount),
        media: message.media,
        lawsuit: message.lawsuit,
        group_risk: message.group_risk,
    };
    let assessment = Assessment {
        facts,
        severity: fields.multiline("severity", &message.severity, TEXT),
        expectation: fields.multiline("expectation", &message.expectation, TEXT),
    };
    Box::new(move |complaint, around| complaint.assess(&assessment, around.by, around.policy, when))
}

pub(super) fn lower_level(
    fields: &mut Fields,
    message: &api::LowerLevelRequest,
    when: When,
) -> Decide {
    let reason = fields.multiline("reason", &message.reason, TEXT);
    let approved_by = fields.text("approved_by", &message.approved_by, NAME);
    Box::new(move |complaint, around| complaint.lower(&reason, &approved_by, around.policy, when))
}

pub(super) fn ask_user(fields: &mut Fields, message: &api::AskUserRequest, when: When) -> Decide {
    let question = fields.multiline("question", &message.question, TEXT);
    Box::new(move |complaint, around| complaint.ask_user(&question, around.by, when))
}

pub(super) fn record_user_answer(
    fields: &mut Fields,
    message: &api::RecordUserAnswerRequest,
    when: When,
) -> Decide {
    let answer = fields.multiline("answer", &message.answer, TEXT);
    Box::new(move |complaint, _| complaint.user_answers(&answer, when))
}

pub(super) fn offer_solution(
    fields: &mut Fields,
    message: &api::OfferSolutionRequest,
    standards: Vec<StandardSolution>,
    when: When,
) -> Decide {
    let offer = Offer {
        solution: fields.message("solution", &message.solution, solution).unwrap_or_default(),
        standard_solution_id: optional(
            fields,
            "standard_solution_id",
            &message.standard_solution_id,
        ),
        deviation_reason: fields.multiline(
            "deviation_reason",
            &message.deviation_reason,
            0..=2_000,
        ),
    };
    Box::new(move |complaint, around| {
        complaint.offer(&offer, &standards, around.by, around.policy, when)
    })
}

pub(super) fn agree_solution(
    fields: &mut Fields,
    message: &api::AgreeSolutionRequest,
    when: When,
) -> Decide {
    let id = fields.identifier("solution_id", &message.solution_id);
    Box::new(move |complaint, _| complaint.agree(&id, when))
}

pub(super) fn refuse_solution(
    fields: &mut Fields,
    message: &api::RefuseSolutionRequest,
    when: When,
) -> Decide {
    let id = fields.identifier("solution_id", &message.solution_id);
    let reason = fields.multiline("reason", &message.reason, TEXT);
    Box::new(move |complaint, _| complaint.refuse(&id, &reason, when))
}

pub(super) fn exceed_authority(
    fields: &mut Fields,
    message: &api::ExceedAuthorityRequest,
    when: When,
) -> Decide {
    let cause = fields.multiline("cause", &message.cause, TEXT);
    let procedure = fields.multiline("procedure", &message.procedure, TEXT);
    let notify_by = fields.timestamp("notify_by", &message.notify_by);
    Box::new(move |complaint, around| {
        complaint.exceed(&cause, &procedure, notify_by, around.by, when)
    })
}

pub(super) fn escalate_complaint(
    fields: &mut Fields,
    message: &api::EscalateComplaintRequest,
    when: When,
) -> Decide {
    let escalation = Escalation {
        handler: fields.text("handler", &message.handler, NAME),
        tier: message.tier,
        mandate: fields.multiline("mandate", &message.mandate, TEXT),
        handover: fields.message("handover", &message.handover, handover).unwrap_or_default(),
        reason: fields.multiline("reason", &message.reason, TEXT),
        reply_by: fields.optional_timestamp("reply_by", &message.reply_by),
    };
    Box::new(move |complaint, around| complaint.escalate(&escalation, around.policy, when))
}

pub(super) fn begin_review(
    fields: &mut Fields,
    message: &api::BeginReviewRequest,
    when: When,
) -> Decide {
    let reviewer = fields.text("reviewer", &message.reviewer, NAME);
    Box::new(move |complaint, _| complaint.begin_review(&reviewer, when))
}

pub(super) fn decide_review(
    fields: &mut Fields,
    message: &api::DecideReviewRequest,
    when: When,
) -> Decide {
    let decision = fields.multiline("decision", &message.decision, TEXT);
    let solution = message
        .solution
        .as_ref()
        .map(|given| fields.nested("solution", |fields| solution(fields, given)));
    let verdict = Verdict { decision, solution };
    Box::new(move |complaint, _| complaint.decide_review(&verdict, when))
}

pub(super) fn start_execution(
    _: &mut Fields,
    _: &api::StartExecutionRequest,
    when: When,
) -> Decide {
    Box::new(move |complaint, around| complaint.start_execution(around.by, when))
}

pub(super) fn record_implementation(
    fields: &mut Fields,
    message: &api::RecordImplementationRequest,
    when: When,
) -> Decide {
    let evidence = fields.multiline("evidence", &message.evidence, TEXT);
    Box::new(move |complaint, around| complaint.implement(&evidence, around.by, when))
}

pub(super) fn record_change(
    fields: &mut Fields,
    message: &api::RecordChangeRequest,
    when: When,
) -> Decide {
    let change = fields.multiline("change", &message.change, TEXT);
    Box::new(move |complaint, _| complaint.change(&change, when))
}

pub(super) fn send_change_notice(
    _: &mut Fields,
    _: &api::SendChangeNoticeRequest,
    when: When,
) -> Decide {
    Box::new(move |complaint, _| complaint.tell_change(when))
}

pub(super) fn record_visit(
    fields: &mut Fields,
    message: &api::RecordVisitRequest,
    when: When,
) -> Decide {
    let visit = Visit {
        visit_id: fields.identifier("visit_id", &message.visit_id),
        satisfied: message.satisfied,
        opinion: fields.multiline("opinion", &message.opinion, 0..=2_000),
    };
    Box::new(move |complaint, around| complaint.visit(&visit, around.by, when))
}

pub(super) fn order_remedy(
    fields: &mut Fields,
    message: &api::OrderRemedyRequest,
    when: When,
) -> Decide {
    let responsible = fields.text("responsible", &message.responsible, NAME);
    let action = fields.multiline("action", &message.action, TEXT);
    Box::new(move |complaint, _| complaint.order_remedy(&responsible, &action, when))
}

pub(super) fn record_remedy(
    fields: &mut Fields,
    message: &api::RecordRemedyRequest,
    when: When,
) -> Decide {
    let evidence = fields.multiline("evidence", &message.evidence, TEXT);
    Box::new(move |complaint, _| complaint.remedy(&evidence, when))
}

pub(super) fn analyse_cause(
    fields: &mut Fields,
    message: &api::AnalyseCauseRequest,
    when: When,
) -> Decide {
    let owner = fields.text("action_owner", &message.action_owner, 0..=200);
    let due_by = fields.optional_timestamp("action_due_by", &message.action_due_by);
    let action = match (owner.is_empty(), due_by) {
        (false, Some(due_by)) => Some((owner, due_by)),
        (true, None) => None,
        (false, None) => {
            fields.refuse("action_due_by", "is missing: by when is it done?");
            None
        }
        (true, Some(_)) => {
            fields.refuse("action_owner", "is missing: who sees to it?");
            None
        }
    };
    let analysis = Analysis {
        department: fields.choice("department", message.department),
        action,
        cause: fields.choice("cause", message.cause),
        root_cause: fields.multiline("root_cause", &message.root_cause, TEXT),
        corrective_action: fields.multiline("corrective_action", &message.corrective_action, TEXT),
        becomes_standard: message.becomes_standard,
    };
    Box::new(move |complaint, around| complaint.analyse(&analysis, around.by, when))
}

pub(super) fn answer_item(
    fields: &mut Fields,
    message: &api::AnswerItemRequest,
    when: When,
) -> Decide {
    let number = message.number;
    let answer = fields.multiline("answer", &message.answer, TEXT);
    Box::new(move |complaint, _| complaint.answer_item(number, &answer, when))
}

pub(super) fn send_closing_notice(
    _: &mut Fields,
    _: &api::SendClosingNoticeRequest,
    when: When,
) -> Decide {
    Box::new(move |complaint, around| complaint.send_notice(around.by, when))
}

pub(super) fn close_complaint(
    _: &mut Fields,
    _: &api::CloseComplaintRequest,
    when: When,
) -> Decide {
    Box::new(move |complaint, _| complaint.close(when))
}

pub(super) fn reopen_complaint(
    fields: &mut Fields,
    message: &api::ReopenComplaintRequest,
    when: When,
) -> Decide {
    let reason = fields.multiline("reason", &message.reason, TEXT);
    let close_by = fields.timestamp("close_by", &message.close_by);
    Box::new(move |complaint, _| complaint.reopen(&reason, close_by, when))
}

pub(super) fn cancel_complaint(
    fields: &mut Fields,
    message: &api::CancelComplaintRequest,
    when: When,
) -> Decide {
    let reason = fields.multiline("reason", &message.reason, TEXT);
    Box::new(move |complaint, around| complaint.cancel(&reason, around.by, when))
}

pub(super) fn impose_penalty(
    fields: &mut Fields,
    message: &api::ImposePenaltyRequest,
    when: When,
) -> Decide {
    let penalty = Penalty {
        penalty_id: fields.identifier("penalty_id", &message.penalty_id),
        amount: fields.money("amount", &message.amount, CURRENCY),
        reason: fields.multiline("reason", &message.reason, TEXT),
        approved_by: fields.text("approved_by", &message.approved_by, NAME),
    };
    Box::new(move |complaint, around| complaint.penalise(&penalty, around.policy, when))
}

pub(super) fn archive_recording(
    fields: &mut Fields,
    message: &api::ArchiveRecordingRequest,
    when: When,
) -> Decide {
    let recording = |fields: &mut Fields, given: &Recording| Recording {
        sha256: fields.digest("sha256", &given.sha256),
        reference: fields.text("reference", &given.reference, 1..=500),
        reason: fields.multiline("reason", &given.reason, TEXT),
    };
    let recording = fields.message("recording", &message.recording, recording).unwrap_or_default();
    Box::new(move |complaint, around| complaint.archive(&recording, around.by, when))
}

pub(super) fn inform_departments(
    fields: &mut Fields,
    message: &api::InformDepartmentsRequest,
    when: When,
) -> Decide {
    let departments = departments(fields, &message.departments);
    let note = fields.multiline("note", &message.note, TEXT);
    Box::new(move |complaint, around| complaint.inform(&departments, &note, around.by, when))
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
