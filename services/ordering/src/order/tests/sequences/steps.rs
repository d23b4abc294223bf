//! What a step of a sequence asks.

use chassis::When;
use contracts::ordering::{
    DiscrepancyKind, DiscrepancyPhase, LineQuantity, Order as Row, OrderPhase, RejectionReason,
    Shipment as ShipmentRow, ShipmentPhase, TrackingStatus, Treatment,
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::order::{
    LineNo, Order, Quantity, Units,
    command::{
        AcceptGoods, AnswerTreatment, CancelOrder, ConfirmLiability, ConfirmOrder, ConfirmPreOrder,
        ExpirePreOrder, FindStalled, InspectArrival, PreOrder, Presence, ProposeTreatment,
        PushOrder, RecordInspection, RejectGoods, ReportDiscrepancy, RequestInvoice,
        ResolveDiscrepancy, SettleOrder,
    },
    tests::sample::*,
};

/// The numbers of a step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    what: u8,
    which: u8,
    line: u8,
    units: u8,
    choice: u8,
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    // natural steps are twice as likely as all others together
    let what = prop_oneof![6 => 0_u8..6, 3 => 6_u8..36];
    (what, 0_u8..3, 0_u8..4, 0_u8..8, 0_u8..8).prop_map(|(what, which, line, units, choice)| Step {
        what,
        which,
        line,
        units,
        choice,
    })
}

pub(super) type Ask = Box<dyn Fn(&Order) -> Decided>;

/// What the step asks of the order, given what its row shows.
pub(super) fn ask(step: Step, count: usize, row: &Row) -> Ask {
    let now = now() + SignedDuration::from_hours(count.try_into().unwrap());
    let when = When::now(now);
    let shipment = format!("s{}", step.which);
    let line_no = u32::from(step.line % 3) + 1;
    let quantity = u32::from(step.units) + 1;
    let some = Units::parse(vec![LineQuantity { line_no, quantity }], "lines").unwrap();
    let lines = step.choice.is_multiple_of(2).then(|| some.clone());
    let discrepancy = id(&format!("d{}", step.which));
    match step.what {
        0..=2 => next_of_shipment(step, row, now),
        3 => next_of_order(step, row, now),
        4 => next_of_discrepancy(step, row, now),
        5 => {
            let planned = plan(&format!("s{count}"), lines);
            Box::new(move |order| order.plan_shipment(&planned))
        }
        6 => Box::new(move |order| order.push(&PushOrder { now, ..push() })),
        7 => Box::new(move |order| {
            order.pre_order(&PreOrder { now, reserved_until: None, ..pre_order() }, &policy())
        }),
        8 => Box::new(move |order| order.confirm_pre_order(&ConfirmPreOrder { when })),
        9 if step.choice == 0 => Box::new(|order| order.release_pre_order(&release())),
        9 | 10 => Box::new(move |order| order.expire(&ExpirePreOrder { now })),
        11 if step.choice < 7 => {
            let cancelled =
                CancelOrder { cancellation_id: id(&format!("c{count}")), ..cancel(Some(some)) };
            Box::new(move |order| order.cancel(&cancelled))
        }
        11 => Box::new(|order| order.cancel(&cancel(None))),
        12 => Box::new(move |order| order.confirm(&ConfirmOrder { when }, &policy())),
        13 if step.choice == 0 => Box::new(|order| order.decline(&decline())),
        13 | 14 => Box::new(|order| order.propose_substitution(&propose_substitution())),
        15 => {
            let accepted = step.choice.is_multiple_of(2);
            Box::new(move |order| order.answer_substitution(&answer_substitution(accepted)))
        }
        16 => Box::new(|order| order.declare_force_majeure(&declare_force_majeure())),
        17 => Box::new(|order| order.lift_force_majeure(&lift_force_majeure())),
        18 => Box::new(|order| order.assign_follower(&follow())),
        19 => {
            let inspected = RecordInspection {
                certificate_no: id(&format!("certificate-{count}")),
                lines: some,
                ..inspect_goods(step.choice > 1)
            };
            Box::new(move |order| order.record_inspection(&inspected))
        }
        20 => Box::new(move |order| order.unplan_shipment(&unplan(&shipment))),
        21 => Box::new(move |order| order.choose_carrier(&choose_carrier(&shipment))),
        22 => Box::new(move |order| order.pack_shipment(&pack(&shipment))),
        23 => Box::new(move |order| order.dispatch_shipment(&dispatch(&shipment), &policy())),
        24 | 25 => {
            let status = TrackingStatus::try_from(i32::from(step.choice) + 1).unwrap();
            let scans = vec![
                scan(&format!("scan-{}", step.units), status, 20 + i64::from(step.line)),
                scan(&format!("scan-{count}"), status, 20 + i64::from(step.units)),
            ];
            Box::new(move |order| order.record_tracking(&track(&shipment, scans.clone())))
        }
        26 => Box::new(move |order| order.find_stalled(&FindStalled { now }, &policy())),
        27 => Box::new(move |order| order.report_arrival(&arrive(&shipment), &policy())),
        28 => Box::new(move |order| {
            let findings = vec![finding(line_no, quantity, 0)];
            order.inspect_arrival(&InspectArrival { when, ..inspect(&shipment, findings) })
        }),
        29 => Box::new(move |order| {
            order.accept_goods(&accept(&shipment, "slip", &[(line_no.min(2), quantity)]))
        }),
        30 => Box::new(move |order| order.reject_goods(&reject(&shipment, &[(line_no, quantity)]))),
        31 => {
            let party = ConfirmLiability { discrepancy_id: discrepancy, ..liability() };
            Box::new(move |order| order.confirm_liability(&party))
        }
        32 => Box::new(move |order| order.record_installation(&install(&shipment))),
        33 => Box::new(move |order| order.file_signed_slip(&file_slip(&shipment, "slip"))),
        34 => {
            let invoice = format!("invoice-{}", step.which);
            match step.choice {
                0..=1 => Box::new(move |order| order.issue_invoice(&issue_invoice(&invoice))),
                2..=3 => Box::new(move |order| order.issue_red_invoice(&red_invoice(&invoice))),
                _ => {
                    let amount = (step.choice > 5).then(|| money(i64::from(quantity) * 100));
                    let requested = RequestInvoice { when, ..request_invoice(&invoice, amount) };
                    Box::new(move |order| order.request_invoice(&requested))
                }
            }
        }
        _ => Box::new(move |order| order.settle(&settle(i64::from(quantity) * 500))),
    }
}

/// What usually comes next for one of the shipments: it goes on, and its units are judged.
fn next_of_shipment(step: Step, row: &Row, now: Timestamp) -> Ask {
    let unfinished = |shipment: &&ShipmentRow| {
        !matches!(shipment.phase(), ShipmentPhase::Closed | ShipmentPhase::Cancelled)
    };
    let mut all = row.shipments.iter().filter(unfinished);
    let Some(shipment) = all.nth(usize::from(step.which)).or(row.shipments.iter().find(unfinished))
    else {
        return next_of_order(step, row, now);
    };
    let id_of = shipment.shipment_id.clone();
    match shipment.phase() {
        ShipmentPhase::Planned => {
            Box::new(move |order| order.choose_carrier(&choose_carrier(&id_of)))
        }
        ShipmentPhase::CarrierChosen => {
            let certified = RecordInspection {
                certificate_no: id(&format!("certificate-of-{id_of}")),
                lines: Units::parse(shipment.lines.clone(), "lines").unwrap(),
                ..inspect_goods(true)
            };
            let missing = row
                .inspections
                .iter()
                .all(|inspection| inspection.certificate_no != certified.certificate_no.as_str());
            if missing {
                Box::new(move |order| order.record_inspection(&certified))
            } else {
                Box::new(move |order| order.pack_shipment(&pack(&id_of)))
            }
        }
        ShipmentPhase::Packed => {
            Box::new(move |order| order.dispatch_shipment(&dispatch(&id_of), &policy()))
        }
        ShipmentPhase::InTransit => {
            Box::new(move |order| order.report_arrival(&arrive(&id_of), &policy()))
        }
        ShipmentPhase::Arrived => {
            let good = step.choice > 3;
            let found = |units: &LineQuantity| match (good, step.choice) {
                (true, _) => finding(units.line_no, units.quantity, 0),
                (false, 0) => finding(units.line_no, units.quantity - 1, 0),
                (false, 1) => finding(units.line_no, units.quantity + 1, 0),
                (false, _) => finding(units.line_no, units.quantity, 1),
            };
            let findings = shipment.lines.iter().map(found).collect();
            let mut asked = inspect(&id_of, findings);
            if step.line == 0 {
                asked.presence = Presence::Unilateral;
                asked.when = When::now(now);
            }
            Box::new(move |order| order.inspect_arrival(&asked))
        }
        ShipmentPhase::Inspected => judge(step, shipment),
        ShipmentPhase::Unspecified | ShipmentPhase::Closed | ShipmentPhase::Cancelled => {
            Box::new(|_| Ok(Vec::new()))
        }
    }
}

/// Accepts, refuses or disputes units of an inspected shipment.
fn judge(step: Step, shipment: &ShipmentRow) -> Ask {
    let id_of = shipment.shipment_id.clone();
    let unjudged = shipment.unjudged.clone();
    let first = unjudged[usize::from(step.line) % unjudged.len()];
    let quantity = (u32::from(step.units) + 1).min(first.quantity);
    match step.choice {
        0..=4 => {
            let lines = unjudged.iter().map(|units| (units.line_no, units.quantity));
            let lines: Vec<_> = lines.collect();
            let slip = format!("slip-{}-{}", step.units, step.which);
            let accepted = AcceptGoods {
                supplier_signature: Some(name("us")),
                ..accept(&id_of, &slip, &lines)
            };
            Box::new(move |order| order.accept_goods(&accepted))
        }
        5 => {
            let all = unjudged.iter().map(|units| (units.line_no, units.quantity));
            let refused = match step.line {
                0 => vec![(first.line_no, quantity)],
                _ => all.collect(),
            };
            let refused = RejectGoods {
                rejection_id: id(&format!("rejection-{id_of}-{}", step.units)),
                reason: RejectionReason::Other,
                description: Some(text("not wanted")),
                ..reject(&id_of, &refused)
            };
            Box::new(move |order| order.reject_goods(&refused))
        }
        _ => {
            let kinds = [DiscrepancyKind::Damaged, DiscrepancyKind::Short, DiscrepancyKind::Over];
            let reported = ReportDiscrepancy {
                shipment_id: id(&id_of),
                discrepancy_id: id(&format!("d{}", step.which)),
                line_no: LineNo::parse(first.line_no).unwrap(),
                quantity: Quantity::parse(quantity).unwrap(),
                ..report(kinds[usize::from(step.units) % 3], 1, 1)
            };
            Box::new(move |order| order.report_discrepancy(&reported))
        }
    }
}

/// What usually comes next for the order as a whole.
fn next_of_order(step: Step, row: &Row, now: Timestamp) -> Ask {
    let when = When::now(now);
    match row.phase() {
        OrderPhase::Unspecified if step.choice < 2 => {
            Box::new(|order| order.pre_order(&pre_order(), &policy()))
        }
        OrderPhase::Unspecified => Box::new(move |order| order.push(&PushOrder { now, ..push() })),
        OrderPhase::Reserved if step.units == 0 => {
            Box::new(|order| order.release_pre_order(&release()))
        }
        OrderPhase::Reserved => Box::new(|order| order.confirm_pre_order(&confirm_pre_order())),
        OrderPhase::Placed if step.choice + step.units == 0 => {
            Box::new(|order| order.decline(&decline()))
        }
        OrderPhase::Placed => {
            Box::new(move |order| order.confirm(&ConfirmOrder { when }, &policy()))
        }
        OrderPhase::Confirmed | OrderPhase::InDelivery => {
            let planned = plan(&format!("s{}", row.shipments.len()), None);
            Box::new(move |order| order.plan_shipment(&planned))
        }
        OrderPhase::Fulfilled if step.choice > 5 => {
            let asked = request_invoice("invoice-0", None);
            Box::new(move |order| order.request_invoice(&asked))
        }
        OrderPhase::Fulfilled => {
            let owed = row.payable.as_ref().map_or(1, |payable| payable.minor_units);
            let paid = SettleOrder { amount: money(owed), ..settle(1) };
            Box::new(move |order| order.settle(&paid))
        }
        OrderPhase::Settled => {
            let asked = request_invoice(&format!("invoice-{}", step.which), None);
            Box::new(move |order| order.request_invoice(&asked))
        }
        OrderPhase::Declined
        | OrderPhase::Cancelled
        | OrderPhase::Released
        | OrderPhase::Expired
        | OrderPhase::Refused => Box::new(move |order| order.push(&PushOrder { now, ..push() })),
    }
}

/// What usually comes next for an open discrepancy.
fn next_of_discrepancy(step: Step, row: &Row, now: Timestamp) -> Ask {
    let mut open = row.discrepancies.iter().filter(|one| one.phase() != DiscrepancyPhase::Resolved);
    let Some(discrepancy) = open.next() else { return next_of_shipment(step, row, now) };
    let discrepancy_id = id(&discrepancy.discrepancy_id);
    let when = When::now(now);
    match discrepancy.phase() {
        DiscrepancyPhase::Proposed => {
            let answered = AnswerTreatment {
                discrepancy_id,
                when,
                ..answer(discrepancy.proposals, step.choice > 1)
            };
            Box::new(move |order| order.answer_treatment(&answered))
        }
        DiscrepancyPhase::Handling => {
            let resolved = ResolveDiscrepancy { discrepancy_id, when };
            Box::new(move |order| order.resolve_discrepancy(&resolved))
        }
        DiscrepancyPhase::Unspecified | DiscrepancyPhase::Reported | DiscrepancyPhase::Resolved => {
            let all = [Treatment::Redeliver, Treatment::AcceptAsIs, Treatment::Credit];
            let proposed = ProposeTreatment {
                discrepancy_id,
                treatment: all[usize::from(step.choice) % 3],
                explanation: Some(text(&format!("proposal {}", discrepancy.proposals))),
                when,
            };
            Box::new(move |order| order.propose_treatment(&proposed))
        }
    }
}
