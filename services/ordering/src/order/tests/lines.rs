//! Cancellation and substitution of lines.

use contracts::ordering::{
    OrderCancelled, OrderFulfilled, OrderLinesCancelled, RejectionReason, SubstitutionAccepted,
    SubstitutionProposed, SubstitutionRefused,
};
use decider::scenario::given;
use eventlog::time::to_proto;

use super::sample::*;
use crate::order::{
    End, Event, LineNo, Listing, Order, Rejection,
    command::{AnswerSubstitution, CancelOrder, ProposeSubstitution, RejectGoods},
};

fn lines_cancelled(lines: &[(u32, u32)], amount: i64) -> Event {
    OrderLinesCancelled {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        cancellation_id: "cancel-1".into(),
        lines: quantities(lines),
        reason: "not needed".into(),
        cancelled_at: Some(to_proto(hour(5))),
        amount: Some(cny(amount)),
    }
    .into()
}

fn cancelled(amount: i64) -> Event {
    OrderCancelled {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        cancellation_id: "cancel-1".into(),
        reason: "not needed".into(),
        cancelled_at: Some(to_proto(hour(5))),
        amount: Some(cny(amount)),
    }
    .into()
}

#[test]
fn a_whole_order_is_cancelled_before_anything_is_planned() {
    for story in [placed(), confirmed()] {
        given::<Order>(story.events)
            .when(|order| order.cancel(&cancel(None)))
            .then([cancelled(7_000)])
            .repeated();
    }
}

#[test]
fn some_units_are_cancelled_and_the_same_again_is_a_repeat() {
    given::<Order>(placed().events)
        .when(|order| order.cancel(&cancel(Some(units(&[(2, 1), (1, 2)])))))
        .then([lines_cancelled(&[(2, 1), (1, 2)], 2_250)])
        .repeated();
    let story = || placed().then(|order| order.cancel(&cancel(Some(units(&[(1, 2)])))));
    for (other, field) in [
        (cancel(Some(units(&[(1, 3)]))), "lines[0].quantity"),
        (cancel(Some(units(&[(2, 2)]))), "lines[0].line_no"),
        (cancel(Some(units(&[(1, 2), (2, 1)]))), "lines"),
        (cancel(None), "lines"),
        (CancelOrder { reason: None, ..cancel(Some(units(&[(1, 2)]))) }, "reason"),
        (CancelOrder { when: at(6), ..cancel(Some(units(&[(1, 2)]))) }, "at"),
    ] {
        given::<Order>(story().events)
            .when(|order| order.cancel(&other))
            .then_refused_as(|no| no.field().as_deref() == Some(field));
    }
}

#[test]
fn the_last_units_cancelled_end_the_order() {
    let story = given::<Order>(placed().events)
        .when(|order| order.cancel(&cancel(Some(units(&[(1, 6), (2, 4)])))))
        .then([lines_cancelled(&[(1, 6), (2, 4)], 7_000), cancelled(0)]);
    assert!(matches!(story.state(), Order::Ended(End::Cancelled, _)));
    story.repeated();
}

#[test]
fn what_is_planned_cannot_be_cancelled() {
    let story = planned(Some(units(&[(1, 6)])));
    given::<Order>(story.events.clone())
        .when(|order| order.cancel(&cancel(Some(units(&[(2, 1), (1, 1)])))))
        .then_refused_as(|no| {
            no.reason() == "NOT_ENOUGH_OPEN" && no.field().as_deref() == Some("lines[1].quantity")
        });
    // everything means everything that is open
    given::<Order>(story.events)
        .when(|order| order.cancel(&cancel(None)))
        .then([lines_cancelled(&[(2, 4)], 1_000)])
        .repeated();
    given::<Order>(planned(None).events)
        .when(|order| order.cancel(&cancel(None)))
        .then_refused(Rejection::NothingOpen);
}

#[test]
fn a_line_that_is_not_there_cannot_be_cancelled() {
    given::<Order>(placed().events)
        .when(|order| order.cancel(&cancel(Some(units(&[(1, 1), (9, 1)])))))
        .then_refused(Rejection::UnknownLine { field: "lines[1].line_no".into(), line_no: 9 });
}

#[test]
fn cancelling_the_rest_of_a_delivered_order_fulfils_it() {
    let story = arrived(Some(units(&[(1, 6)])))
        .then(|order| order.inspect_arrival(&inspect("s1", vec![finding(1, 6, 0)])))
        .then(|order| order.accept_goods(&accept("s1", "slip-1", &[(1, 6)])));
    let fulfilled = OrderFulfilled {
        order_id: "order-1".into(),
        platform: "mall".into(),
        payable: Some(cny(6_500)),
        fulfilled_at: Some(to_proto(hour(5))),
        deliver_by: Some(to_proto(hour(14 * 24))),
        contract_id: "contract-9".into(),
    };
    given::<Order>(story.events)
        .when(|order| order.cancel(&cancel(None)))
        .then([lines_cancelled(&[(2, 4)], 1_000), fulfilled.into()])
        .repeated();
}

#[test]
fn cancelling_the_rest_of_a_refused_order_ends_it_as_refused() {
    let other = RejectGoods {
        reason: RejectionReason::Other,
        description: Some(text("no")),
        ..reject("s1", &[(1, 6)])
    };
    let story = arrived(Some(units(&[(1, 6)]))).then(|order| order.reject_goods(&other));
    given::<Order>(story.events)
        .when(|order| order.cancel(&cancel(None)))
        .then_events(|events| {
            matches!(events, [Event::OrderLinesCancelled(_), Event::OrderRefused(_)])
        })
        .repeated();
}

#[test]
fn a_substitute_is_offered_and_takes_the_place_by_consent() {
    let proposed = SubstitutionProposed {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        substitution_id: "substitution-1".into(),
        line_no: 1,
        substitute: Some(substitute(900)),
        reason: "out of production".into(),
        proposed_at: Some(to_proto(hour(4))),
    };
    given::<Order>(placed().events)
        .when(|order| order.propose_substitution(&propose_substitution()))
        .then([proposed.into()])
        .repeated();
    let offered = || placed().then(|order| order.propose_substitution(&propose_substitution()));
    let accepted = SubstitutionAccepted {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        substitution_id: "substitution-1".into(),
        line_no: 1,
        substitute: Some(substitute(900)),
        accepted_at: Some(to_proto(hour(5))),
    };
    given::<Order>(offered().events)
        .when(|order| order.answer_substitution(&answer_substitution(true)))
        .then([accepted.into()])
        .repeated();
    let refused = SubstitutionRefused {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        substitution_id: "substitution-1".into(),
        reason: "the other one please".into(),
        refused_at: Some(to_proto(hour(5))),
    };
    given::<Order>(offered().events)
        .when(|order| order.answer_substitution(&answer_substitution(false)))
        .then([refused.into()])
        .repeated();
    let accepted = offered().then(|order| order.answer_substitution(&answer_substitution(true)));
    given::<Order>(accepted.events.clone())
        .when(|order| order.answer_substitution(&answer_substitution(false)))
        .then_refused_as(|no| no.field().as_deref() == Some("accepted"));
    // the price is that of the substitute from now on
    given::<Order>(accepted.events)
        .when(|order| order.cancel(&cancel(None)))
        .then([cancelled(6 * 900 + 1_000)]);
}

#[test]
fn a_refused_substitute_gives_way_to_another() {
    let story = placed()
        .then(|order| order.propose_substitution(&propose_substitution()))
        .then(|order| order.answer_substitution(&answer_substitution(false)));
    let other =
        ProposeSubstitution { substitution_id: id("substitution-2"), ..propose_substitution() };
    given::<Order>(story.events)
        .when(|order| order.propose_substitution(&other))
        .then_events(|events| events.len() == 1)
        .repeated();
}

#[test]
fn a_substitute_is_refused_where_it_does_not_fit() {
    let listing = |change: fn(&mut contracts::ordering::FrozenListing)| {
        let mut listing = substitute(900);
        change(&mut listing);
        Listing::parse(Some(listing), "substitute").unwrap()
    };
    let dearer = ProposeSubstitution {
        substitute: listing(|listing| listing.unit_price = Some(cny(1_001))),
        ..propose_substitution()
    };
    given::<Order>(placed().events)
        .when(|order| order.propose_substitution(&dearer))
        .then_refused(Rejection::DearerSubstitute { ordered: 1_000, offered: 1_001 });
    let dollars = ProposeSubstitution {
        substitute: listing(|listing| {
            listing.unit_price.as_mut().unwrap().currency = "USD".into();
        }),
        ..propose_substitution()
    };
    given::<Order>(placed().events)
        .when(|order| order.propose_substitution(&dollars))
        .then_refused_as(|no| no.reason() == "OTHER_CURRENCY");
    let nowhere =
        ProposeSubstitution { line_no: LineNo::parse(9).unwrap(), ..propose_substitution() };
    given::<Order>(placed().events)
        .when(|order| order.propose_substitution(&nowhere))
        .then_refused_as(|no| no.reason() == "UNKNOWN_LINE");
    given::<Order>(planned(Some(units(&[(1, 1)]))).events)
        .when(|order| order.propose_substitution(&propose_substitution()))
        .then_refused(Rejection::LineInWork { line_no: 1 });
    let gone = placed().then(|order| order.cancel(&cancel(Some(units(&[(1, 6)])))));
    given::<Order>(gone.events)
        .when(|order| order.propose_substitution(&propose_substitution()))
        .then_refused(Rejection::NothingOpen);
    let pending = placed().then(|order| order.propose_substitution(&propose_substitution()));
    let second =
        ProposeSubstitution { substitution_id: id("substitution-2"), ..propose_substitution() };
    given::<Order>(pending.events.clone())
        .when(|order| order.propose_substitution(&second))
        .then_refused_as(|no| no.reason() == "SUBSTITUTION_PENDING");
    let other = ProposeSubstitution {
        substitute: listing(|listing| listing.brand.push('x')),
        ..propose_substitution()
    };
    given::<Order>(pending.events)
        .when(|order| order.propose_substitution(&other))
        .then_refused_as(|no| no.field().as_deref() == Some("substitute.brand"));
}

#[test]
fn consent_comes_too_late_once_the_line_is_in_work() {
    let story = confirmed()
        .then(|order| order.propose_substitution(&propose_substitution()))
        .then(|order| order.plan_shipment(&plan("s1", Some(units(&[(1, 1)])))));
    given::<Order>(story.events.clone())
        .when(|order| order.answer_substitution(&answer_substitution(true)))
        .then_refused(Rejection::LineInWork { line_no: 1 });
    given::<Order>(story.events)
        .when(|order| order.answer_substitution(&answer_substitution(false)))
        .then_events(|events| events.len() == 1);
    let unknown =
        AnswerSubstitution { substitution_id: id("substitution-9"), ..answer_substitution(true) };
    given::<Order>(placed().events)
        .when(|order| order.answer_substitution(&unknown))
        .then_refused(Rejection::UnknownSubstitution("substitution-9".into()));
}

#[test]
fn an_inspection_of_what_was_replaced_is_worth_nothing() {
    let story = certified()
        .then(|order| order.propose_substitution(&propose_substitution()))
        .then(|order| order.answer_substitution(&answer_substitution(true)))
        .then(|order| order.plan_shipment(&plan("s1", Some(units(&[(1, 1)])))))
        .then(|order| order.choose_carrier(&choose_carrier("s1")));
    given::<Order>(story.events)
        .when(|order| order.pack_shipment(&pack("s1")))
        .then_refused(Rejection::NotInspectedBeforePacking { line_no: 1, passed: 0, needed: 1 });
}
