//! Acceptance with a signed slip.

use contracts::ordering::{
    AcceptedLine, FrozenListing, GoodsAccepted, LineFinding, OrderFulfilled, SlipLine,
    WarrantyStart,
};
use decider::scenario::given;
use eventlog::time::to_proto;

use super::sample::*;
use crate::order::{
    Event, Order, Rejection, SlipLines,
    command::{AcceptGoods, InspectArrival, Presence, PushOrder},
};

fn good() -> Vec<LineFinding> {
    vec![finding(1, 6, 0), finding(2, 4, 0)]
}

fn accepted_line(line_no: u32, quantity: u32, amount: i64, starts: Option<i64>) -> AcceptedLine {
    AcceptedLine {
        line_no,
        quantity,
        listing: Some(listing(line_no)),
        warranty_starts_at: starts.map(|hours| to_proto(hour(hours))),
        amount: Some(cny(amount)),
    }
}

fn accepted(lines: Vec<AcceptedLine>, amount: i64) -> Event {
    GoodsAccepted {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        shipment_id: "s1".into(),
        lines,
        slip_no: "slip-1".into(),
        user_signature: "Teacher Qian".into(),
        supplier_signature: "Driver Sun".into(),
        stock_entry_no: String::new(),
        accepted_at: Some(to_proto(hour(62))),
        amount: Some(cny(amount)),
    }
    .into()
}

#[test]
fn acceptance_starts_the_warranty_and_the_last_one_fulfils_the_order() {
    given::<Order>(inspected().events)
        .when(|order| order.accept_goods(&accept("s1", "slip-1", &[(1, 4)])))
        .then([accepted(vec![accepted_line(1, 4, 4_000, Some(62))], 4_000)])
        .repeated();
    let fulfilled = OrderFulfilled {
        order_id: "order-1".into(),
        platform: "mall".into(),
        payable: Some(cny(7_500)),
        fulfilled_at: Some(to_proto(hour(62))),
        deliver_by: Some(to_proto(hour(14 * 24))),
        contract_id: "contract-9".into(),
    };
    let lines = vec![accepted_line(1, 6, 6_000, Some(62)), accepted_line(2, 4, 1_000, None)];
    given::<Order>(inspected().events)
        .when(|order| order.accept_goods(&accept("s1", "slip-1", &[(1, 6), (2, 4)])))
        .then([accepted(lines, 7_000), fulfilled.into()])
        .repeated();
}

#[test]
fn each_kind_of_warranty_starts_at_its_own_moment() {
    let starts = |start: WarrantyStart, installed: bool| {
        let mut draft = draft();
        for line in &mut draft.lines {
            let sold: &mut FrozenListing = line.listing.as_mut().unwrap();
            sold.set_warranty_start(start);
            sold.main_material = false;
        }
        let push = PushOrder { terms: terms_of(draft), ..push() };
        let mut story = Story::default()
            .then(|order| order.push(&push))
            .then(|order| order.confirm(&confirm(), &policy()))
            .then(|order| order.record_inspection(&inspect_goods(true)))
            .then(|order| order.plan_shipment(&plan("s1", None)))
            .then(|order| order.choose_carrier(&choose_carrier("s1")))
            .then(|order| order.pack_shipment(&pack("s1")))
            .then(|order| order.dispatch_shipment(&dispatch("s1"), &policy()))
            .then(|order| order.report_arrival(&arrive("s1"), &policy()))
            .then(|order| order.inspect_arrival(&inspect("s1", good())));
        if installed {
            story = story.then(|order| order.record_installation(&install("s1")));
        }
        let events = story.order.accept_goods(&accept("s1", "slip-1", &[(1, 1)])).unwrap();
        let Event::GoodsAccepted(event) = &events[0] else { panic!("not accepted") };
        event.lines[0].warranty_starts_at
    };
    let at = |hours| Some(to_proto(hour(hours)));
    assert_eq!(starts(WarrantyStart::Unspecified, false), at(62));
    assert_eq!(starts(WarrantyStart::Acceptance, false), at(62));
    assert_eq!(starts(WarrantyStart::SignedReport, false), at(62));
    assert_eq!(starts(WarrantyStart::Delivery, false), at(60));
    assert_eq!(starts(WarrantyStart::Installation, false), None);
    assert_eq!(starts(WarrantyStart::Installation, true), at(70));
}

#[test]
fn the_slip_says_what_was_sold() {
    let changes: [Change<SlipLine>; 3] = [
        ("lines[0].brand", |line| line.brand = "imitation".into()),
        ("lines[0].model", |line| line.model.clear()),
        ("lines[0].specification", |line| line.specification.push('x')),
    ];
    for (field, change) in changes {
        let mut line = slip_line(1, 6);
        change(&mut line);
        let lines = SlipLines::parse(vec![line], "lines").unwrap();
        let ask = AcceptGoods { lines, ..accept("s1", "slip-1", &[(1, 6)]) };
        given::<Order>(inspected().events).when(|order| order.accept_goods(&ask)).then_refused_as(
            |no| no.reason() == "SLIP_DIFFERS" && no.field().as_deref() == Some(field),
        );
        // a repeat with such a difference is no repeat
        let story =
            inspected().then(|order| order.accept_goods(&accept("s1", "slip-1", &[(1, 6)])));
        given::<Order>(story.events).when(|order| order.accept_goods(&ask)).then_refused_as(|no| {
            no.reason() == "DIFFERENT_CONTENT" && no.field().as_deref() == Some(field)
        });
    }
}

#[test]
fn both_sides_sign_after_a_joint_inspection_and_the_user_alone_otherwise() {
    let unsigned = AcceptGoods { supplier_signature: None, ..accept("s1", "slip-1", &[(1, 6)]) };
    given::<Order>(inspected().events)
        .when(|order| order.accept_goods(&unsigned))
        .then_refused(Rejection::SignatureMissing);
    let alone =
        InspectArrival { presence: Presence::Unilateral, when: at(62), ..inspect("s1", good()) };
    let story = arrived(None).then(|order| order.inspect_arrival(&alone));
    given::<Order>(story.events)
        .when(|order| order.accept_goods(&unsigned))
        .then_events(|events| events.len() == 1)
        .repeated();
}

#[test]
fn no_more_is_accepted_than_waits_and_was_counted() {
    given::<Order>(arrived(None).events)
        .when(|order| order.accept_goods(&accept("s1", "slip-1", &[(1, 6)])))
        .then_refused(Rejection::NotInspected);
    given::<Order>(inspected().events)
        .when(|order| order.accept_goods(&accept("s1", "slip-1", &[(2, 1), (1, 7)])))
        .then_refused_as(|no| {
            no.reason() == "NOT_ENOUGH_UNJUDGED"
                && no.field().as_deref() == Some("lines[1].quantity")
        });
    given::<Order>(disputed().events)
        .when(|order| order.accept_goods(&accept("s1", "slip-1", &[(1, 5)])))
        .then_refused_as(|no| no.reason() == "NOT_ENOUGH_UNJUDGED");
    let short = arrived(None).then(|order| {
        order.inspect_arrival(&inspect("s1", vec![finding(1, 5, 0), finding(2, 4, 0)]))
    });
    given::<Order>(short.events.clone())
        .when(|order| order.accept_goods(&accept("s1", "slip-1", &[(1, 6)])))
        .then_refused_as(|no| no.reason() == "MORE_THAN_COUNTED");
    let four = short.then(|order| order.accept_goods(&accept("s1", "slip-0", &[(1, 4)])));
    given::<Order>(four.events)
        .when(|order| order.accept_goods(&accept("s1", "slip-1", &[(1, 2)])))
        .then_refused_as(|no| no.reason() == "MORE_THAN_COUNTED");
    let first = arrived(Some(units(&[(1, 6)])))
        .then(|order| order.inspect_arrival(&inspect("s1", vec![finding(1, 6, 0)])));
    given::<Order>(first.events)
        .when(|order| order.accept_goods(&accept("s1", "slip-1", &[(2, 1)])))
        .then_refused_as(|no| no.reason() == "NOT_IN_SHIPMENT");
}

#[test]
fn another_acceptance_with_the_same_slip_is_refused_with_its_difference() {
    let story = || inspected().then(|order| order.accept_goods(&accept("s1", "slip-1", &[(1, 4)])));
    let same = || accept("s1", "slip-1", &[(1, 4)]);
    for (other, field) in [
        (accept("s1", "slip-1", &[(1, 3)]), "lines[0].quantity"),
        (accept("s1", "slip-1", &[(2, 4)]), "lines[0].line_no"),
        (accept("s1", "slip-1", &[(1, 4), (2, 4)]), "lines"),
        (AcceptGoods { user_signature: name("x"), ..same() }, "user_signature"),
        (AcceptGoods { supplier_signature: None, ..same() }, "supplier_signature"),
        (AcceptGoods { stock_entry_no: Some(id("x")), ..same() }, "stock_entry_no"),
        (AcceptGoods { when: at(63), ..same() }, "at"),
    ] {
        given::<Order>(story().events)
            .when(|order| order.accept_goods(&other))
            .then_refused_as(|no| no.field().as_deref() == Some(field));
    }
    // another slip is another acceptance
    given::<Order>(story().events)
        .when(|order| order.accept_goods(&accept("s1", "slip-2", &[(1, 2)])))
        .then_events(|events| events.len() == 1);
}
