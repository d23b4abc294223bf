//! Every command in every state: the whole answer of the order, in one table.
//!
//! The table is the file `table.txt`: a block for each command, a line for each outcome, the states
//! that have it. A `+` names the events recorded, `nothing` a repeat, a constant the rejection. To
//! see what changed after a change of rules, read the difference that a failing test prints; to
//! take it over, run the test with `EMALL_WRITE_TABLE=1` and review the file.

use std::{collections::BTreeMap, fmt::Write as _};

use contracts::{
    Event as _,
    ordering::{DiscrepancyKind, TrackingStatus, Treatment},
};

use super::sample::*;
use crate::order::{Event, Order};

type Ask = Box<dyn Fn(&Order) -> Decided>;

/// States, and the stages of a shipment within `Confirmed`, in the order of an order's life.
fn states() -> Vec<(&'static str, Order)> {
    let carrier = || planned(None).then(|order| order.choose_carrier(&choose_carrier("s1")));
    let proposed = || disputed().then(|order| order.propose_treatment(&propose(Treatment::Credit)));
    let stories = [
        ("absent", Story::default()),
        ("reserved", reserved()),
        ("placed", placed()),
        ("confirmed", confirmed()),
        ("certified", certified()),
        ("planned", planned(None)),
        ("unplanned", planned(None).then(|order| order.unplan_shipment(&unplan("s1")))),
        ("carrier-chosen", carrier()),
        ("packed", carrier().then(|order| order.pack_shipment(&pack("s1")))),
        ("in-transit", in_transit(None)),
        ("stalled", in_transit(None).then(|order| order.find_stalled(&find_stalled(), &policy()))),
        ("arrived", arrived(None)),
        ("inspected", inspected()),
        ("damaged", damaged()),
        ("disputed", disputed()),
        ("proposed", proposed()),
        ("proposal-refused", proposed().then(|order| order.answer_treatment(&answer(1, false)))),
        ("handling", handling(Treatment::Credit)),
        (
            "resolved",
            handling(Treatment::Credit).then(|order| order.resolve_discrepancy(&resolve())),
        ),
        (
            "partly-accepted",
            damaged().then(|order| order.accept_goods(&accept("s1", "slip-1", &[(1, 2)]))),
        ),
        ("fulfilled", fulfilled()),
        (
            "invoiced",
            fulfilled()
                .then(|order| order.request_invoice(&request_invoice("invoice-1", None)))
                .then(|order| order.issue_invoice(&issue_invoice("invoice-1"))),
        ),
        ("settled", settled()),
        (
            "settled-invoiced",
            settled()
                .then(|order| order.request_invoice(&request_invoice("invoice-1", None)))
                .then(|order| order.issue_invoice(&issue_invoice("invoice-1"))),
        ),
        ("released", reserved().then(|order| order.release_pre_order(&release()))),
        ("expired", reserved().then(|order| order.expire(&expire()))),
        ("declined", placed().then(|order| order.decline(&decline()))),
        ("cancelled", confirmed().then(|order| order.cancel(&cancel(None)))),
        ("refused", refused()),
    ];
    stories.into_iter().map(|(state, story)| (state, story.order)).collect()
}

/// Every command, once.
fn commands() -> Vec<(&'static str, Ask)> {
    let offered = || {
        let scan = scan("scan-1", TrackingStatus::InTransit, 20);
        track("s1", vec![scan])
    };
    let wrong = vec![finding(1, 6, 2), finding(2, 4, 0)];
    vec![
        ("push", Box::new(|order| order.push(&push()))),
        ("pre_order", Box::new(|order| order.pre_order(&pre_order(), &policy()))),
        ("confirm_pre_order", Box::new(|order| order.confirm_pre_order(&confirm_pre_order()))),
        ("release_pre_order", Box::new(|order| order.release_pre_order(&release()))),
        ("expire", Box::new(|order| order.expire(&expire()))),
        ("cancel everything", Box::new(|order| order.cancel(&cancel(None)))),
        ("cancel some", Box::new(|order| order.cancel(&cancel(Some(units(&[(1, 1)])))))),
        ("confirm", Box::new(|order| order.confirm(&confirm(), &policy()))),
        ("decline", Box::new(|order| order.decline(&decline()))),
        (
            "propose_substitution",
            Box::new(|order| order.propose_substitution(&propose_substitution())),
        ),
        (
            "answer_substitution",
            Box::new(|order| order.answer_substitution(&answer_substitution(true))),
        ),
        (
            "declare_force_majeure",
            Box::new(|order| order.declare_force_majeure(&declare_force_majeure())),
        ),
        ("lift_force_majeure", Box::new(|order| order.lift_force_majeure(&lift_force_majeure()))),
        ("assign_follower", Box::new(|order| order.assign_follower(&follow()))),
        ("record_inspection", Box::new(|order| order.record_inspection(&inspect_goods(true)))),
        ("plan_shipment", Box::new(|order| order.plan_shipment(&plan("s1", None)))),
        ("unplan_shipment", Box::new(|order| order.unplan_shipment(&unplan("s1")))),
        ("choose_carrier", Box::new(|order| order.choose_carrier(&choose_carrier("s1")))),
        ("pack_shipment", Box::new(|order| order.pack_shipment(&pack("s1")))),
        (
            "dispatch_shipment",
            Box::new(|order| order.dispatch_shipment(&dispatch("s1"), &policy())),
        ),
        ("record_tracking", Box::new(move |order| order.record_tracking(&offered()))),
        ("find_stalled", Box::new(|order| order.find_stalled(&find_stalled(), &policy()))),
        ("report_arrival", Box::new(|order| order.report_arrival(&arrive("s1"), &policy()))),
        (
            "inspect_arrival",
            Box::new(move |order| order.inspect_arrival(&inspect("s1", wrong.clone()))),
        ),
        ("accept_goods", Box::new(|order| order.accept_goods(&accept("s1", "slip-1", &[(1, 2)])))),
        ("reject_goods", Box::new(|order| order.reject_goods(&reject("s1", &[(1, 2)])))),
        (
            "report_discrepancy",
            Box::new(|order| order.report_discrepancy(&report(DiscrepancyKind::Damaged, 1, 2))),
        ),
        (
            "propose_treatment",
            Box::new(|order| order.propose_treatment(&propose(Treatment::Credit))),
        ),
        ("answer_treatment", Box::new(|order| order.answer_treatment(&answer(1, true)))),
        ("confirm_liability", Box::new(|order| order.confirm_liability(&liability()))),
        ("resolve_discrepancy", Box::new(|order| order.resolve_discrepancy(&resolve()))),
        ("record_installation", Box::new(|order| order.record_installation(&install("s1")))),
        ("file_signed_slip", Box::new(|order| order.file_signed_slip(&file_slip("s1", "slip-1")))),
        (
            "request_invoice",
            Box::new(|order| order.request_invoice(&request_invoice("invoice-1", None))),
        ),
        ("issue_invoice", Box::new(|order| order.issue_invoice(&issue_invoice("invoice-1")))),
        ("issue_red_invoice", Box::new(|order| order.issue_red_invoice(&red_invoice("invoice-1")))),
        ("settle", Box::new(|order| order.settle(&settle(7_500)))),
    ]
}

fn outcome(decided: Decided) -> String {
    match decided {
        Ok(events) if events.is_empty() => "nothing".to_owned(),
        Ok(events) => {
            let short = |event: &Event| {
                let name = contracts::Event::type_name(event);
                name.rsplit_once('.').map_or(name, |(_, short)| short)
            };
            format!("+{}", events.iter().map(short).collect::<Vec<_>>().join("+"))
        }
        Err(rejection) => rejection.reason().to_owned(),
    }
}

fn table() -> String {
    let states = states();
    let mut table = String::new();
    for (command, ask) in commands() {
        let mut outcomes: Vec<String> = Vec::new();
        let mut by_outcome: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (state, order) in &states {
            let outcome = outcome(ask(order));
            if !outcomes.contains(&outcome) {
                outcomes.push(outcome.clone());
            }
            by_outcome.entry(outcome).or_default().push(state);
        }
        writeln!(table, "{command}").unwrap();
        for outcome in outcomes {
            writeln!(table, "  {outcome}: {}", by_outcome[&outcome].join(" ")).unwrap();
        }
    }
    table
}

#[test]
fn every_state_answers_every_command_as_written() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/order/tests/table.txt");
    let now = table();
    if std::env::var_os("EMALL_WRITE_TABLE").is_some() {
        std::fs::write(file, &now).unwrap();
    }
    let written = include_str!("table.txt");
    for (written, now) in written.lines().zip(now.lines()) {
        assert_eq!(now, written, "the table changed");
    }
    assert_eq!(now.lines().count(), written.lines().count(), "the table changed");
}

#[test]
fn every_event_names_the_platform_and_the_contract_of_its_order() {
    // which promise counts for an event is chosen by the two
    for name in Event::TYPES {
        let event = contracts::pool().get_message_by_name(name).unwrap();
        let terms = event.get_field_by_name("terms");
        let of = terms.map_or(event, |terms| terms.kind().as_message().unwrap().clone());
        for field in ["platform", "contract_id"] {
            assert!(of.get_field_by_name(field).is_some(), "{name} has no {field}");
        }
    }
    let states = states();
    for (_, ask) in commands() {
        for event in states.iter().filter_map(|(_, order)| ask(order).ok()).flatten() {
            let said = contracts::json(event.type_name(), &event.encode_body()).unwrap();
            let of = said.get("terms").unwrap_or(&said);
            assert_eq!(
                (of["platform"].as_str(), of["contractId"].as_str()),
                (Some("mall"), Some("contract-9"))
            );
        }
    }
}

#[test]
fn no_state_says_nothing_to_a_command_that_never_happened_to_it() {
    // `nothing` must mean a repeat, or a look that finds nothing
    for (command, ask) in commands() {
        for (state, order) in states() {
            let told = matches!(state, "absent" | "reserved" | "placed" | "released" | "expired");
            if told && ask(&order).is_ok_and(|events| events.is_empty()) {
                let repeats = [
                    ("push", "placed"),
                    ("pre_order", "reserved"),
                    ("pre_order", "released"),
                    ("pre_order", "expired"),
                    ("release_pre_order", "released"),
                    ("expire", "expired"),
                ];
                assert!(
                    command == "find_stalled" || repeats.contains(&(command, state)),
                    "{command} in {state}"
                );
            }
        }
    }
}
