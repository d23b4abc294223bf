//! A complaint on its way, and what it answers at each step.

use chassis::When;
use contracts::{
    Event as _,
    common::{Money, Sealed},
    complaints::{
        CauseClass, ComplaintChannel, ComplaintItem, ComplaintKind, ComplaintPhase as Phase,
        Department, Handover, MajorReason, Measure, MeasureKind, Recording, Solution,
        StandardSolution,
    },
};
use decider::{Aggregate as _, scenario::given};
use jiff::{SignedDuration, Timestamp};

use super::*;

pub(crate) mod commands;
mod intake;
mod laws;
mod money;
mod standards;
mod steps;
mod ways;

use commands::Command;

pub(crate) fn at(minute: i64) -> Timestamp {
    let begin: Timestamp = "2026-03-02T02:00:00Z".parse().unwrap();
    begin + SignedDuration::from_mins(minute)
}

pub(crate) fn minute(minute: i64) -> When {
    When::now(at(minute))
}

pub(crate) fn item(number: u32, text: &str) -> ComplaintItem {
    ComplaintItem { number, text: text.into(), ..ComplaintItem::default() }
}

pub(crate) fn intake() -> Intake {
    Intake {
        complaint_id: "c-1".into(),
        platform: "mall".into(),
        contract_id: "k-1".into(),
        channel: ComplaintChannel::Phone,
        kind: ComplaintKind::Complaint,
        cause: CauseClass::ProductQuality,
        order_id: "o-1".into(),
        complainant: Sealed { person: "p-1".into(), fingerprint: vec![1], ..Sealed::default() },
        items: vec![
            ComplaintItem { sku: "A".into(), ..item(1, "送来时已损坏") },
            item(2, "晚到一天"),
        ],
        claimed: 30_000,
        topic: "damaged".into(),
        first_responsible: "王".into(),
        ..Intake::default()
    }
}

/// A solution that pays so much, in fen.
pub(crate) fn solution(id: &str, amount: i64) -> Solution {
    Solution {
        solution_id: id.into(),
        text: "补发".into(),
        feasibility: "有货".into(),
        cost: None,
        fairness: "双方都能接受".into(),
        measures: vec![
            Measure {
                kind: MeasureKind::Reissue.into(),
                sku: "A".into(),
                quantity: 1,
                ..Measure::default()
            },
            Measure {
                kind: MeasureKind::Compensation.into(),
                amount: Some(Money { minor_units: amount, currency: "CNY".into() }),
                ..Measure::default()
            },
        ],
    }
}

pub(crate) fn offer(id: &str, amount: i64) -> Offer {
    Offer { solution: solution(id, amount), ..Offer::default() }
}

pub(crate) fn handed_to(handler: &str, tier: u32) -> Escalation {
    Escalation {
        handler: handler.into(),
        tier,
        mandate: "可自行决定".into(),
        handover: Handover {
            history: "两次联系".into(),
            demands: "赔偿".into(),
            progress: "已查明".into(),
            documents: Vec::new(),
        },
        reason: "没有可参考的方案".into(),
        reply_by: None,
    }
}

/// What has happened after these commands; each must be taken.
pub(crate) fn after(commands: &[Command]) -> Vec<Event> {
    let mut events = Vec::new();
    let mut complaint = Complaint::default();
    for (number, command) in (0..).zip(commands) {
        let said = command
            .decide(&complaint, minute(number))
            .unwrap_or_else(|rejection| panic!("{command:?}: {rejection}"));
        complaint = said.iter().fold(complaint, Complaint::evolve);
        events.extend(said);
    }
    events
}

pub(crate) fn phase(events: &[Event]) -> Phase {
    match events.iter().fold(Complaint::default(), Complaint::evolve) {
        Complaint::Absent => Phase::Unspecified,
        Complaint::Known(case) => case.phase,
    }
}

pub(crate) fn names(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(|event| event.type_name().rsplit('.').next().unwrap()).collect()
}
