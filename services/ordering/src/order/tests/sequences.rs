//! Any sequence of commands keeps the invariants.
//!
//! A step is a few small numbers. Half of the steps are read as the natural next thing to do for a
//! shipment, a discrepancy or the order, so that runs get deep; the rest are commands with whatever
//! ids and quantities the numbers say.

use std::collections::{BTreeMap, HashSet};

use contracts::ordering::{LineQuantity, Order as Row, ShipmentPhase};
use decider::{Aggregate, fold};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

use super::sample::*;
use crate::{
    order::{End, Event, Order},
    order_row,
};

mod steps;

use steps::{Step, ask, step};

/// Runs the steps and checks the invariants after each; the history and the end of it.
fn run(steps: &[Step]) -> (Vec<Event>, Order, Row) {
    let (mut history, mut order, mut row) = (Vec::new(), Order::default(), Row::default());
    for (count, step) in steps.iter().enumerate() {
        let ask = ask(*step, count, &row);
        let Ok(events) = ask(&order) else { continue };
        if events.is_empty() {
            continue;
        }
        must_be_allowed_by(&order, &events);
        for event in &events {
            order = order.evolve(event);
            history.push(event.clone());
            order_row::apply(&mut row, event, history.len() as u64);
        }
        check(&order, &row, &events);
        match ask(&order) {
            Ok(repeated) => assert!(repeated.is_empty(), "a repeat of {events:?} is {repeated:?}"),
            // a number in the command was read off the row, and names the next proposal by now
            Err(rejection) => panic!("a repeat of {events:?} is refused: {rejection}"),
        }
    }
    (history, order, row)
}

/// Nothing follows the end; after payment, invoices alone.
fn must_be_allowed_by(order: &Order, events: &[Event]) {
    match order {
        Order::Ended(end, _) => panic!("after it was {end}: {events:?}"),
        Order::Settled(_) => {
            let invoices = events.iter().all(|event| {
                matches!(
                    event,
                    Event::InvoiceRequested(_)
                        | Event::InvoiceIssued(_)
                        | Event::RedInvoiceIssued(_)
                )
            });
            assert!(invoices, "after payment: {events:?}");
        }
        Order::Absent
        | Order::Reserved(_)
        | Order::Placed(_)
        | Order::Confirmed(_)
        | Order::Fulfilled(_) => {}
    }
}

fn check(order: &Order, row: &Row, events: &[Event]) {
    let book = order.book().unwrap();
    let mut owed = 0;
    for (line, shown) in book.lines.iter().zip(&row.lines) {
        let figures = [
            (line.open, shown.open),
            (line.allocated, shown.allocated),
            (line.in_transit, shown.in_transit),
            (line.arrived, shown.arrived),
            (line.accepted, shown.accepted),
            (line.rejected, shown.rejected),
            (line.cancelled, shown.cancelled),
        ];
        let sum: u32 = figures.iter().map(|(figure, _)| figure).sum();
        assert_eq!(sum, line.ordered, "the ledger does not add up: {line:?}");
        for (figure, shown) in figures {
            assert_eq!(figure, shown, "the row differs from the ledger after {events:?}");
        }
        let ordered = shown.line.as_ref().unwrap();
        assert_eq!((line.no, line.ordered), (ordered.line_no, ordered.quantity));
        assert_eq!(Some(book.listing(line.no)), ordered.listing.as_ref());
        let loads = book.shipments.iter().filter(|shipment| shipment.arrived.is_some());
        let unjudged: u32 = loads
            .filter_map(|shipment| shipment.load(line.no))
            .map(|load| load.waiting + load.disputed)
            .sum();
        assert_eq!(unjudged, line.arrived, "shipments and ledger differ");
        owed += line.price * i64::from(line.accepted);
    }
    if owed > 0 {
        owed += 500;
    }
    assert_eq!(book.payable(), Ok(owed));
    assert_eq!(row.payable, Some(cny(owed)));
    let invoiced: i64 = row
        .invoices
        .iter()
        .filter(|invoice| invoice.red_invoice_no.is_empty())
        .map(|invoice| invoice.amount.as_ref().unwrap().minor_units)
        .sum();
    assert!(invoiced <= owed, "invoiced {invoiced} of {owed}");
    for event in events {
        if let Event::OrderSettled(settled) = event {
            assert_eq!(settled.amount, Some(cny(owed)), "settled otherwise than accepted");
        }
    }
    check_shipments(order, row);
    check_keys(row);
}

fn check_shipments(order: &Order, row: &Row) {
    let book = order.book().unwrap();
    for (shipment, shown) in book.shipments.iter().zip(&row.shipments) {
        assert_eq!(shipment.units(), shown.lines);
        let unjudged = shipment.lines.iter().filter(|load| load.waiting + load.disputed > 0);
        let unjudged: Vec<_> = unjudged
            .map(|load| LineQuantity {
                line_no: load.line_no,
                quantity: load.waiting + load.disputed,
            })
            .collect();
        assert_eq!(unjudged, shown.unjudged);
        assert_eq!(shipment.stalled, shown.stalled_at.is_some());
        let closed = shipment.arrived.is_some() && unjudged.is_empty();
        assert_eq!(closed, shown.phase() == ShipmentPhase::Closed, "{shown:?}");
    }
}

fn check_keys(row: &Row) {
    let keys = order_row::keys(row);
    let unique: HashSet<_> = keys.iter().collect();
    assert!(keys.len() <= 4 + row.exceptions.len() + row.shipments.len(), "{keys:?}");
    for key in &unique {
        assert!(key.value.len() <= 1_024 && !key.value.contains('\0'), "{key:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence_of_commands_keeps_the_invariants(steps in prop::collection::vec(step(), 1..80)) {
        let (history, order, row) = run(&steps);
        prop_assert_eq!(&fold::<Order>(&history), &order);
        let mut again = Row::default();
        for (count, event) in history.iter().enumerate() {
            order_row::apply(&mut again, event, count as u64 + 1);
        }
        prop_assert_eq!(again, row);
    }

    #[test]
    fn a_row_bears_any_order_of_events(steps in prop::collection::vec(step(), 1..60), turn in 0_usize..60) {
        // a row decides nothing: history in an impossible order must not make it fail
        let (mut history, _, _) = run(&steps);
        if !history.is_empty() {
            let turn = turn % history.len();
            history.rotate_left(turn);
        }
        let (mut row, mut order) = (Row::default(), Order::default());
        for event in &history {
            order_row::apply(&mut row, event, 1);
            order = order.evolve(event);
        }
        prop_assert!(order_row::keys(&row).len() < 1_000);
    }
}

#[test]
fn the_sequences_reach_every_end() {
    let mut runner = TestRunner::deterministic();
    let steps = prop::collection::vec(step(), 1..80);
    let mut ends = BTreeMap::<String, usize>::new();
    for _ in 0..512 {
        let steps = steps.new_tree(&mut runner).unwrap().current();
        let end = match run(&steps).1 {
            Order::Absent => "absent".to_owned(),
            Order::Reserved(_) => "reserved".to_owned(),
            Order::Placed(_) => "placed".to_owned(),
            Order::Confirmed(_) => "confirmed".to_owned(),
            Order::Fulfilled(_) => "fulfilled".to_owned(),
            Order::Settled(_) => "settled".to_owned(),
            Order::Ended(end, _) => end.to_string(),
        };
        *ends.entry(end).or_default() += 1;
    }
    for end in [End::Released, End::Expired, End::Declined, End::Cancelled, End::Refused] {
        assert!(ends.contains_key(&end.to_string()), "never {end}: {ends:?}");
    }
    for (end, least) in [("settled", 50), ("refused", 10)] {
        assert!(ends.get(end).is_some_and(|runs| *runs >= least), "rarely {end}: {ends:?}");
    }
}
