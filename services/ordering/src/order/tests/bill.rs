//! Invoices and payment.

use contracts::ordering::{InvoiceIssued, InvoiceRequested, OrderSettled, RedInvoiceIssued};
use decider::scenario::given;
use eventlog::time::to_proto;

use super::sample::*;
use crate::order::{
    Currency, Event, Money, Order, Rejection,
    command::{IssueInvoice, IssueRedInvoice, RequestInvoice, SettleOrder},
};

fn requested(amount: i64) -> Event {
    InvoiceRequested {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        invoice_id: "invoice-1".into(),
        title: "School No. 7".into(),
        tax_no: "91310000XXXXXXXX".into(),
        amount: Some(cny(amount)),
        requested_at: Some(to_proto(hour(72))),
    }
    .into()
}

#[test]
fn an_invoice_is_requested_for_what_is_accepted() {
    given::<Order>(fulfilled().events)
        .when(|order| order.request_invoice(&request_invoice("invoice-1", None)))
        .then([requested(7_500)])
        .repeated();
    given::<Order>(fulfilled().events)
        .when(|order| order.request_invoice(&request_invoice("invoice-1", Some(money(500)))))
        .then([requested(500)])
        .repeated();
    // from the first acceptance on, and after payment
    let part = inspected().then(|order| order.accept_goods(&accept("s1", "slip-1", &[(1, 2)])));
    given::<Order>(part.events)
        .when(|order| order.request_invoice(&request_invoice("invoice-1", None)))
        .then([requested(2_500)]);
    given::<Order>(settled().events)
        .when(|order| order.request_invoice(&request_invoice("invoice-1", None)))
        .then([requested(7_500)]);
}

#[test]
fn no_more_is_invoiced_than_is_accepted() {
    given::<Order>(inspected().events)
        .when(|order| order.request_invoice(&request_invoice("invoice-1", None)))
        .then_refused(Rejection::NothingToInvoice);
    given::<Order>(fulfilled().events)
        .when(|order| order.request_invoice(&request_invoice("invoice-1", Some(money(7_501)))))
        .then_refused(Rejection::MoreThanAccepted { asked: 7_501, left: 7_500 });
    let part = fulfilled()
        .then(|order| order.request_invoice(&request_invoice("invoice-1", Some(money(7_000)))));
    given::<Order>(part.events.clone())
        .when(|order| order.request_invoice(&request_invoice("invoice-2", Some(money(501)))))
        .then_refused(Rejection::MoreThanAccepted { asked: 501, left: 500 });
    given::<Order>(part.events.clone())
        .when(|order| order.request_invoice(&request_invoice("invoice-2", None)))
        .then_events(|events| {
            matches!(events, [Event::InvoiceRequested(event)] if event.amount == Some(cny(500)))
        });
    let dollars = Money::new(1, Currency::parse("USD").unwrap()).unwrap();
    given::<Order>(part.events.clone())
        .when(|order| order.request_invoice(&request_invoice("invoice-2", Some(dollars))))
        .then_refused_as(|no| no.reason() == "OTHER_CURRENCY");
    for (other, field) in [
        (request_invoice("invoice-1", Some(money(6_000))), "amount"),
        (request_invoice("invoice-1", None), "amount"),
        (
            RequestInvoice { title: name("x"), ..request_invoice("invoice-1", Some(money(7_000))) },
            "title",
        ),
        (
            RequestInvoice { tax_no: id("x"), ..request_invoice("invoice-1", Some(money(7_000))) },
            "tax_no",
        ),
    ] {
        given::<Order>(part.events.clone())
            .when(|order| order.request_invoice(&other))
            .then_refused_as(|no| no.field().as_deref() == Some(field));
    }
}

#[test]
fn an_invoice_is_issued_and_reversed_and_its_amount_free_again() {
    let story =
        || fulfilled().then(|order| order.request_invoice(&request_invoice("invoice-1", None)));
    let issued = InvoiceIssued {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        invoice_id: "invoice-1".into(),
        invoice_no: "fp-1".into(),
        amount: Some(cny(7_500)),
        issued_at: Some(to_proto(hour(73))),
    };
    given::<Order>(story().events)
        .when(|order| order.issue_invoice(&issue_invoice("invoice-1")))
        .then([issued.into()])
        .repeated();
    given::<Order>(story().events)
        .when(|order| order.issue_red_invoice(&red_invoice("invoice-1")))
        .then_refused(Rejection::InvoiceNotIssued);
    let issued = || story().then(|order| order.issue_invoice(&issue_invoice("invoice-1")));
    let other = IssueInvoice { invoice_no: id("fp-2"), ..issue_invoice("invoice-1") };
    given::<Order>(issued().events)
        .when(|order| order.issue_invoice(&other))
        .then_refused_as(|no| no.field().as_deref() == Some("invoice_no"));
    let red = RedInvoiceIssued {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        invoice_id: "invoice-1".into(),
        invoice_no: "fp-1".into(),
        red_invoice_no: "red-1".into(),
        amount: Some(cny(7_500)),
        reason: "wrong title".into(),
        issued_at: Some(to_proto(hour(74))),
    };
    given::<Order>(issued().events)
        .when(|order| order.issue_red_invoice(&red_invoice("invoice-1")))
        .then([red.into()])
        .repeated();
    let reversed = || issued().then(|order| order.issue_red_invoice(&red_invoice("invoice-1")));
    for (other, field) in [
        (IssueRedInvoice { red_invoice_no: id("x"), ..red_invoice("invoice-1") }, "red_invoice_no"),
        (IssueRedInvoice { reason: text("x"), ..red_invoice("invoice-1") }, "reason"),
    ] {
        given::<Order>(reversed().events)
            .when(|order| order.issue_red_invoice(&other))
            .then_refused_as(|no| no.field().as_deref() == Some(field));
    }
    let paid = reversed().then(|order| order.settle(&settle(7_500)));
    given::<Order>(paid.events)
        .when(|order| order.request_invoice(&request_invoice("invoice-2", None)))
        .then_events(|events| {
            matches!(events, [Event::InvoiceRequested(event)] if event.amount == Some(cny(7_500)))
        })
        .repeated();
    given::<Order>(fulfilled().events)
        .when(|order| order.issue_invoice(&issue_invoice("invoice-1")))
        .then_refused(Rejection::UnknownInvoice("invoice-1".into()));
    given::<Order>(fulfilled().events)
        .when(|order| order.issue_red_invoice(&red_invoice("invoice-1")))
        .then_refused(Rejection::UnknownInvoice("invoice-1".into()));
}

#[test]
fn an_order_is_paid_exactly_and_once() {
    let event = OrderSettled {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        settlement_id: "settlement-1".into(),
        amount: Some(cny(7_500)),
        payment_ref: "bank-1".into(),
        settled_at: Some(to_proto(hour(80))),
    };
    given::<Order>(fulfilled().events)
        .when(|order| order.settle(&settle(7_500)))
        .then([event.into()])
        .repeated();
    for wrong in [7_499, 7_501, 7_000] {
        given::<Order>(fulfilled().events).when(|order| order.settle(&settle(wrong))).then_refused(
            Rejection::AmountDiffers { payable: "7500 CNY".into(), paid: format!("{wrong} CNY") },
        );
    }
    let dollars = SettleOrder {
        amount: Money::new(7_500, Currency::parse("USD").unwrap()).unwrap(),
        ..settle(7_500)
    };
    given::<Order>(fulfilled().events)
        .when(|order| order.settle(&dollars))
        .then_refused_as(|no| no.reason() == "AMOUNT_DIFFERS");
    given::<Order>(inspected().events)
        .when(|order| order.settle(&settle(7_500)))
        .then_refused(Rejection::NotFulfilled);
    let second = SettleOrder { settlement_id: id("settlement-2"), ..settle(7_500) };
    given::<Order>(settled().events)
        .when(|order| order.settle(&second))
        .then_refused(Rejection::AlreadySettled);
    for (other, field) in [
        (settle(7_499), "amount"),
        (SettleOrder { payment_ref: id("x"), ..settle(7_500) }, "payment_ref"),
        (SettleOrder { when: at(81), ..settle(7_500) }, "at"),
    ] {
        given::<Order>(settled().events)
            .when(|order| order.settle(&other))
            .then_refused_as(|no| no.field().as_deref() == Some(field));
    }
}
