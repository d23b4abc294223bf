//! Discrepancies, from report to resolution.

use contracts::ordering::{
    AcceptedLine, DiscrepancyKind, DiscrepancyReported, DiscrepancyResolved, LiabilityConfirmed,
    LiableParty, LineQuantity, Treatment, TreatmentApproved, TreatmentProposed, TreatmentRefused,
};
use decider::scenario::given;
use eventlog::time::to_proto;

use super::sample::*;
use crate::order::{
    Event, LineNo, Order, Quantity, Rejection,
    command::{
        AnswerTreatment, ConfirmLiability, ProposeTreatment, ReportDiscrepancy, ResolveDiscrepancy,
    },
};

fn reported() -> ReportDiscrepancy {
    report(DiscrepancyKind::Damaged, 1, 2)
}

#[test]
fn a_discrepancy_is_reported_after_the_inspection() {
    let event = DiscrepancyReported {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        discrepancy_id: "discrepancy-1".into(),
        shipment_id: "s1".into(),
        line: Some(LineQuantity { line_no: 1, quantity: 2 }),
        kind: DiscrepancyKind::Damaged.into(),
        description: "dents".into(),
        evidence_sha256: vec!["b".repeat(64)],
        reported_at: Some(to_proto(hour(64))),
    };
    given::<Order>(damaged().events)
        .when(|order| order.report_discrepancy(&reported()))
        .then([event.into()])
        .repeated();
    given::<Order>(arrived(None).events)
        .when(|order| order.report_discrepancy(&reported()))
        .then_refused(Rejection::NotInspected);
    given::<Order>(damaged().events)
        .when(|order| order.report_discrepancy(&report(DiscrepancyKind::Damaged, 1, 7)))
        .then_refused_as(|no| no.reason() == "NOT_ENOUGH_UNJUDGED");
    given::<Order>(damaged().events)
        .when(|order| order.report_discrepancy(&report(DiscrepancyKind::Damaged, 9, 1)))
        .then_refused_as(|no| no.field().as_deref() == Some("line.line_no"));
    let changes: [Change<ReportDiscrepancy>; 8] = [
        ("shipment_id", |ask| ask.shipment_id = id("s2")),
        ("line.line_no", |ask| ask.line_no = LineNo::parse(2).unwrap()),
        ("line.quantity", |ask| ask.quantity = Quantity::parse(1).unwrap()),
        ("kind", |ask| ask.kind = DiscrepancyKind::Short),
        ("description", |ask| ask.description = text("x")),
        ("evidence_sha256", |ask| ask.evidence.clear()),
        ("evidence_sha256[0]", |ask| ask.evidence[0] = digest('e')),
        ("at", |ask| ask.when = at(65)),
    ];
    for (field, change) in changes {
        let mut other = reported();
        change(&mut other);
        given::<Order>(disputed().events)
            .when(|order| order.report_discrepancy(&other))
            .then_refused_as(|no| no.field().as_deref() == Some(field));
    }
}

fn proposed(treatment: Treatment, proposal_no: u32) -> Event {
    TreatmentProposed {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        discrepancy_id: "discrepancy-1".into(),
        treatment: treatment.into(),
        explanation: String::new(),
        proposal_no,
        proposed_at: Some(to_proto(hour(65))),
    }
    .into()
}

#[test]
fn a_treatment_is_proposed_and_the_user_decides() {
    given::<Order>(disputed().events)
        .when(|order| order.propose_treatment(&propose(Treatment::Credit)))
        .then([proposed(Treatment::Credit, 1)])
        .repeated();
    let pending = || disputed().then(|order| order.propose_treatment(&propose(Treatment::Credit)));
    given::<Order>(pending().events)
        .when(|order| order.propose_treatment(&propose(Treatment::Redeliver)))
        .then_refused_as(|no| no.field().as_deref() == Some("treatment"));
    let approved = TreatmentApproved {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        discrepancy_id: "discrepancy-1".into(),
        treatment: Treatment::Credit.into(),
        approved_at: Some(to_proto(hour(66))),
    };
    given::<Order>(pending().events)
        .when(|order| order.answer_treatment(&answer(1, true)))
        .then([approved.into()])
        .repeated();
    let refused = TreatmentRefused {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        discrepancy_id: "discrepancy-1".into(),
        reason: "we want another".into(),
        refused_at: Some(to_proto(hour(66))),
        proposal_no: 1,
    };
    given::<Order>(pending().events)
        .when(|order| order.answer_treatment(&answer(1, false)))
        .then([refused.into()])
        .repeated();
    given::<Order>(handling(Treatment::Credit).events)
        .when(|order| order.answer_treatment(&answer(1, false)))
        .then_refused_as(|no| no.field().as_deref() == Some("approved"));
    given::<Order>(handling(Treatment::Credit).events)
        .when(|order| order.propose_treatment(&propose(Treatment::Redeliver)))
        .then_refused(Rejection::TreatmentApproved);
}

#[test]
fn after_a_refusal_another_proposal_follows_and_late_answers_miss_it() {
    let once = || {
        disputed()
            .then(|order| order.propose_treatment(&propose(Treatment::Credit)))
            .then(|order| order.answer_treatment(&answer(1, false)))
    };
    given::<Order>(once().events)
        .when(|order| order.propose_treatment(&propose(Treatment::Credit)))
        .then_nothing();
    let second = ProposeTreatment { when: at(67), ..propose(Treatment::Credit) };
    given::<Order>(once().events)
        .when(|order| order.propose_treatment(&second))
        .then_events(
            |events| matches!(events, [Event::TreatmentProposed(event)] if event.proposal_no == 2),
        )
        .repeated();
    let twice = || once().then(|order| order.propose_treatment(&propose(Treatment::Redeliver)));
    given::<Order>(twice().events)
        .when(|order| order.answer_treatment(&answer(1, false)))
        .then_nothing();
    given::<Order>(twice().events)
        .when(|order| order.answer_treatment(&answer(1, true)))
        .then_refused_as(|no| no.field().as_deref() == Some("approved"));
    for no in [0, 3, u32::MAX] {
        given::<Order>(twice().events)
            .when(|order| order.answer_treatment(&answer(no, true)))
            .then_refused(Rejection::UnknownProposal(no));
    }
    given::<Order>(twice().events)
        .when(|order| order.answer_treatment(&answer(2, true)))
        .then_events(|events| events.len() == 1)
        .repeated();
    let reason = AnswerTreatment { reason: Some(text("x")), ..answer(1, false) };
    given::<Order>(once().events)
        .when(|order| order.answer_treatment(&reason))
        .then_refused_as(|no| no.field().as_deref() == Some("reason"));
}

fn resolved(treatment: Treatment, accepted: Option<AcceptedLine>) -> Event {
    DiscrepancyResolved {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        discrepancy_id: "discrepancy-1".into(),
        line: Some(LineQuantity { line_no: 1, quantity: 2 }),
        treatment: treatment.into(),
        resolved_at: Some(to_proto(hour(68))),
        shipment_id: "s1".into(),
        accepted,
    }
    .into()
}

#[test]
fn units_sent_again_are_open_again() {
    given::<Order>(handling(Treatment::Redeliver).events)
        .when(|order| order.resolve_discrepancy(&resolve()))
        .then([resolved(Treatment::Redeliver, None)])
        .repeated();
    let story = handling(Treatment::Redeliver).then(|order| order.resolve_discrepancy(&resolve()));
    given::<Order>(story.events)
        .when(|order| order.plan_shipment(&plan("s2", None)))
        .then_events(|events| {
            matches!(events, [Event::ShipmentPlanned(event)] if event.lines == quantities(&[(1, 2)]))
        });
}

#[test]
fn units_kept_as_they_are_are_accepted_with_their_warranty() {
    let kept = AcceptedLine {
        line_no: 1,
        quantity: 2,
        listing: Some(listing(1)),
        warranty_starts_at: Some(to_proto(hour(68))),
        amount: Some(cny(2_000)),
    };
    given::<Order>(handling(Treatment::AcceptAsIs).events)
        .when(|order| order.resolve_discrepancy(&resolve()))
        .then([resolved(Treatment::AcceptAsIs, Some(kept))])
        .repeated();
}

#[test]
fn the_last_resolution_fulfils_the_order_without_what_was_credited() {
    let rest = handling(Treatment::Credit)
        .then(|order| order.accept_goods(&accept("s1", "slip-1", &[(1, 4), (2, 4)])));
    given::<Order>(rest.events)
        .when(|order| order.resolve_discrepancy(&resolve()))
        .then_events(|events| {
            matches!(events, [Event::DiscrepancyResolved(_), Event::OrderFulfilled(event)]
                if event.payable == Some(cny(5_500)))
        })
        .repeated();
}

#[test]
fn nothing_is_resolved_without_the_users_approval() {
    given::<Order>(disputed().events)
        .when(|order| order.resolve_discrepancy(&resolve()))
        .then_refused(Rejection::TreatmentNotApproved);
    let refused = disputed()
        .then(|order| order.propose_treatment(&propose(Treatment::Credit)))
        .then(|order| order.answer_treatment(&answer(1, false)));
    given::<Order>(refused.events)
        .when(|order| order.resolve_discrepancy(&resolve()))
        .then_refused(Rejection::TreatmentNotApproved);
    let done = handling(Treatment::Credit).then(|order| order.resolve_discrepancy(&resolve()));
    let other = ResolveDiscrepancy { when: at(69), ..resolve() };
    given::<Order>(done.events.clone())
        .when(|order| order.resolve_discrepancy(&other))
        .then_refused_as(|no| no.field().as_deref() == Some("at"));
    given::<Order>(done.events.clone())
        .when(|order| order.propose_treatment(&propose(Treatment::Redeliver)))
        .then_refused(Rejection::AlreadyResolved);
    given::<Order>(done.events)
        .when(|order| order.confirm_liability(&liability()))
        .then_refused(Rejection::AlreadyResolved);
    given::<Order>(damaged().events)
        .when(|order| order.resolve_discrepancy(&resolve()))
        .then_refused(Rejection::UnknownDiscrepancy("discrepancy-1".into()));
}

#[test]
fn both_representatives_agree_who_answers_once() {
    let event = LiabilityConfirmed {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        discrepancy_id: "discrepancy-1".into(),
        party: LiableParty::Carrier.into(),
        user_representative: "Teacher Qian".into(),
        supplier_representative: "Driver Sun".into(),
        confirmed_at: Some(to_proto(hour(67))),
    };
    for story in [disputed(), handling(Treatment::Credit)] {
        given::<Order>(story.events)
            .when(|order| order.confirm_liability(&liability()))
            .then([event.clone().into()])
            .repeated();
    }
    let story = || disputed().then(|order| order.confirm_liability(&liability()));
    for (other, field) in [
        (ConfirmLiability { party: LiableParty::User, ..liability() }, "party"),
        (ConfirmLiability { user_representative: name("x"), ..liability() }, "user_representative"),
        (
            ConfirmLiability { supplier_representative: name("x"), ..liability() },
            "supplier_representative",
        ),
        (ConfirmLiability { when: at(68), ..liability() }, "at"),
    ] {
        given::<Order>(story().events)
            .when(|order| order.confirm_liability(&other))
            .then_refused_as(|no| no.field().as_deref() == Some(field));
    }
}

#[test]
fn missing_units_cannot_be_kept() {
    let short =
        damaged().then(|order| order.report_discrepancy(&report(DiscrepancyKind::Short, 1, 1)));
    given::<Order>(short.events.clone())
        .when(|order| order.propose_treatment(&propose(Treatment::AcceptAsIs)))
        .then_refused_as(|no| no.reason() == "TREATMENT_UNFIT");
    given::<Order>(short.events)
        .when(|order| order.propose_treatment(&propose(Treatment::Redeliver)))
        .then_events(|events| events.len() == 1);
}

#[test]
fn surplus_units_were_never_ordered_and_only_go_back() {
    let seven = || {
        arrived(None).then(|order| {
            order.inspect_arrival(&inspect("s1", vec![finding(1, 7, 0), finding(2, 4, 0)]))
        })
    };
    given::<Order>(seven().events)
        .when(|order| order.report_discrepancy(&report(DiscrepancyKind::Over, 1, 2)))
        .then_refused_as(|no| no.reason() == "NOT_ENOUGH_SURPLUS");
    let over =
        || seven().then(|order| order.report_discrepancy(&report(DiscrepancyKind::Over, 1, 1)));
    let again = ReportDiscrepancy {
        discrepancy_id: id("discrepancy-2"),
        ..report(DiscrepancyKind::Over, 1, 1)
    };
    given::<Order>(over().events)
        .when(|order| order.report_discrepancy(&again))
        .then_refused_as(|no| no.reason() == "NOT_ENOUGH_SURPLUS");
    for treatment in [Treatment::Redeliver, Treatment::AcceptAsIs] {
        given::<Order>(over().events)
            .when(|order| order.propose_treatment(&propose(treatment)))
            .then_refused_as(|no| no.reason() == "TREATMENT_UNFIT");
    }
    // all that was ordered is accepted; the order waits until the surplus is gone
    let waiting = over()
        .then(|order| order.accept_goods(&accept("s1", "slip-1", &[(1, 6), (2, 4)])))
        .then(|order| order.propose_treatment(&propose(Treatment::Credit)))
        .then(|order| order.answer_treatment(&answer(1, true)));
    assert!(matches!(waiting.order, Order::Confirmed(_)));
    given::<Order>(waiting.events)
        .when(|order| order.resolve_discrepancy(&resolve()))
        .then_events(|events| {
            matches!(events, [Event::DiscrepancyResolved(_), Event::OrderFulfilled(event)]
                if event.payable == Some(cny(7_500)))
        })
        .repeated();
}
