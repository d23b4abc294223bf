//! One function for each rpc that is a command on a complaint: its request as a decision.

use chassis::{
    Fields, When,
    reading::{NAME, TEXT},
};
use contracts::complaints::{self as api, Recording, StandardSolution};

use super::{
    Decide,
    parse::{CURRENCY, amount, departments, handover, optional, solution},
};
use crate::complaint::{Analysis, Assessment, Escalation, Facts, Offer, Penalty, Verdict, Visit};

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
