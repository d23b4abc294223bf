//! Push, reservation, confirmation, and what accompanies an order.

use chassis::When;
use contracts::ordering::{
    FollowerAssigned, ForceMajeureDeclared, ForceMajeureLifted, FrozenListing, OrderConfirmed,
    OrderDeclined, OrderDraft, OrderPlaced, OrderTerms, PreOrderExpired, PreOrderReleased,
    PreOrderReserved, WarrantyStart,
};
use decider::scenario::given;
use eventlog::time::to_proto;
use jiff::{SignedDuration, Timestamp};

use super::sample::*;
use crate::order::{
    Difference, Draft, End, Event, Order, Rejection, RejectionKind,
    command::{
        AssignFollower, ConfirmOrder, ConfirmPreOrder, DeclareForceMajeure, ExpirePreOrder,
        LiftForceMajeure, PreOrder, PushOrder, ReleasePreOrder,
    },
    same_terms::same_terms,
};

fn differs(field: &str, recorded: &str, received: &str) -> Rejection {
    Rejection::DifferentContent(Box::new(Difference {
        field: field.into(),
        recorded: recorded.into(),
        received: received.into(),
    }))
}

#[test]
fn a_pushed_order_stands_and_the_same_push_again_is_a_repeat() {
    given::<Order>([])
        .when(|order| order.push(&push()))
        .then([
            OrderPlaced { terms: Some(push().terms.get().clone()), from_pre_order: false }.into()
        ])
        .repeated();
}

#[test]
fn the_same_recipient_sealed_again_is_the_same_and_another_is_not() {
    let again = |fingerprint, nonce: u8| {
        let mut sealed = sealed(fingerprint);
        sealed.nonce = vec![nonce; 24];
        sealed.ciphertext = vec![nonce; 40];
        PushOrder { terms: Draft::try_new(draft()).unwrap().seal("order-1", sealed), ..push() }
    };
    given::<Order>(placed().events).when(|order| order.push(&again(1, 99))).then_nothing();
    given::<Order>(placed().events).when(|order| order.push(&again(2, 99))).then_refused(differs(
        "recipient",
        "",
        "",
    ));
    let mut other = sealed(1);
    other.person = "person-2".into();
    let other = Draft::try_new(draft()).unwrap().seal("order-1", other);
    given::<Order>(placed().events)
        .when(|order| order.push(&PushOrder { terms: other.clone(), ..push() }))
        .then_refused(differs("recipient", "", ""));
}

#[test]
fn a_push_with_other_content_is_refused_and_the_first_difference_named() {
    let mut other = draft();
    other.lines[1].quantity = 8;
    other.total = Some(cny(8_500));
    let rejection = placed().order.push(&PushOrder { terms: terms_of(other), ..push() });
    let rejection = rejection.unwrap_err();
    assert_eq!(rejection.to_string(), "lines[1].quantity: recorded 4, received 8");
    assert_eq!(rejection.reason(), "DIFFERENT_CONTENT");
    assert_eq!(rejection.field().as_deref(), Some("lines[1].quantity"));
    assert_eq!(rejection.kind(), RejectionKind::AlreadyExists);
}

#[test]
fn no_field_of_an_order_escapes_the_comparison() {
    let changes: [Change<OrderTerms>; 29] = [
        ("platform", |terms| terms.platform.push('x')),
        ("platform_order_no", |terms| terms.platform_order_no.push('x')),
        ("buyer", |terms| terms.buyer = None),
        ("buyer.buyer_id", |terms| terms.buyer.as_mut().unwrap().buyer_id.push('x')),
        ("buyer.name", |terms| terms.buyer.as_mut().unwrap().name.push('x')),
        ("buyer.end_user", |terms| terms.buyer.as_mut().unwrap().end_user.push('x')),
        ("buyer.supervisor", |terms| terms.buyer.as_mut().unwrap().supervisor.push('x')),
        ("recipient", |terms| terms.recipient = None),
        ("placed_at", |terms| terms.placed_at.as_mut().unwrap().nanos += 1),
        ("deliver_by", |terms| terms.deliver_by.as_mut().unwrap().seconds += 1),
        ("delivery_mode", |terms| terms.delivery_mode = 0),
        ("lines", |terms| drop(terms.lines.pop())),
        ("lines[1].line_no", |terms| terms.lines[1].line_no = 3),
        ("lines[1].quantity", |terms| terms.lines[1].quantity = 3),
        ("lines[1].listing", |terms| terms.lines[1].listing = None),
        ("lines[1].listing.sku", |terms| listing_of(terms).sku.push('x')),
        ("lines[1].listing.listing_version", |terms| listing_of(terms).listing_version.clear()),
        ("lines[1].listing.name", |terms| listing_of(terms).name.push('x')),
        ("lines[1].listing.brand", |terms| listing_of(terms).brand.push('x')),
        ("lines[1].listing.model", |terms| listing_of(terms).model.push('x')),
        ("lines[1].listing.specification", |terms| listing_of(terms).specification.push('x')),
        ("lines[1].listing.unit_price", |terms| listing_of(terms).unit_price = Some(cny(1))),
        ("lines[1].listing.clearance", |terms| listing_of(terms).clearance = true),
        ("freight", |terms| terms.freight = None),
        ("total", |terms| terms.total = Some(cny(1))),
        ("urgency", |terms| terms.urgency = 3),
        ("contract_id", |terms| terms.contract_id.clear()),
        ("remarks", |terms| terms.remarks.push('x')),
        ("batch_no", |terms| terms.batch_no.push('x')),
    ];
    let recorded = push().terms.get().clone();
    for (field, change) in changes {
        let mut received = recorded.clone();
        change(&mut received);
        let Err(Rejection::DifferentContent(found)) = same_terms(&recorded, &received).answer()
        else {
            panic!("{field} may differ unnoticed");
        };
        assert_eq!(found.field, field);
    }
    let of_listing: [Change<FrozenListing>; 4] = [
        ("warranty_months", |listing| listing.warranty_months = 1),
        ("warranty_start", |listing| listing.set_warranty_start(WarrantyStart::Acceptance)),
        ("main_material", |listing| listing.main_material = false),
        ("requires_installation", |listing| listing.requires_installation = false),
    ];
    for (field, change) in of_listing {
        let mut received = recorded.clone();
        change(listing_of(&mut received));
        let difference = same_terms(&recorded, &received).answer();
        let field = format!("lines[1].listing.{field}");
        assert_eq!(difference.unwrap_err().field(), Some(field));
    }
}

fn listing_of(terms: &mut OrderTerms) -> &mut FrozenListing {
    terms.lines[1].listing.as_mut().unwrap()
}

#[test]
fn an_order_from_the_future_is_refused() {
    let early = placed_at() - SignedDuration::from_mins(6);
    given::<Order>([])
        .when(|order| order.push(&PushOrder { now: early, ..push() }))
        .then_refused_as(|no| no.field().as_deref() == Some("placed_at"));
    given::<Order>([])
        .when(|order| order.pre_order(&PreOrder { now: early, ..pre_order() }, &policy()))
        .then_refused_as(|no| no.reason() == "TIME_OUT_OF_RANGE");
    let clocks_differ = placed_at() - SignedDuration::from_mins(5);
    assert!(Order::Absent.push(&PushOrder { now: clocks_differ, ..push() }).is_ok());
}

#[test]
fn a_reservation_lasts_as_said_or_as_the_policy_says() {
    let event = |until| {
        let terms = Some(pre_order().terms.get().clone());
        Event::from(PreOrderReserved { terms, reserved_until: Some(to_proto(until)) })
    };
    given::<Order>([])
        .when(|order| order.pre_order(&pre_order(), &policy()))
        .then([event(hour(24))])
        .repeated();
    let open = PreOrder { reserved_until: None, ..pre_order() };
    given::<Order>([])
        .when(|order| order.pre_order(&open, &policy()))
        .then([event(hour(1) + SignedDuration::from_mins(24 * 60))])
        .repeated();
    given::<Order>(reserved().events)
        .when(|order| order.pre_order(&open, &policy()))
        .then_nothing();
    let other = PreOrder { reserved_until: Some(hour(25)), ..pre_order() };
    given::<Order>(reserved().events)
        .when(|order| order.pre_order(&other, &policy()))
        .then_refused_as(|no| no.field().as_deref() == Some("reserved_until"));
}

#[test]
fn a_reservation_that_is_over_at_once_is_refused() {
    let over = PreOrder { reserved_until: Some(hour(1)), ..pre_order() };
    given::<Order>([])
        .when(|order| order.pre_order(&over, &policy()))
        .then_refused_as(|no| no.field().as_deref() == Some("reserved_until"));
}

#[test]
fn a_reservation_of_an_order_that_stands_is_refused() {
    given::<Order>(placed().events)
        .when(|order| order.pre_order(&pre_order(), &policy()))
        .then_refused(Rejection::AlreadyPlaced);
}

#[test]
fn a_reservation_is_confirmed_before_it_ends() {
    let becomes = || {
        let terms = Some(pre_order().terms.get().clone());
        Event::from(OrderPlaced { terms, from_pre_order: true })
    };
    given::<Order>(reserved().events)
        .when(|order| order.confirm_pre_order(&confirm_pre_order()))
        .then([becomes()])
        .repeated();
    // said late, but it happened in time
    given::<Order>(reserved().events)
        .when(|order| order.confirm_pre_order(&ConfirmPreOrder { when: at(23) }))
        .then([becomes()]);
    given::<Order>(reserved().events)
        .when(|order| order.confirm_pre_order(&ConfirmPreOrder { when: at(24) }))
        .then_refused(Rejection::ReservationExpired { until: hour(24) });
    given::<Order>(placed().events)
        .when(|order| order.confirm_pre_order(&confirm_pre_order()))
        .then_refused(Rejection::NotReserved);
}

#[test]
fn a_push_turns_a_reservation_into_an_order_if_it_is_the_same() {
    given::<Order>(reserved().events)
        .when(|order| order.push(&push()))
        .then_events(
            |events| matches!(events, [Event::OrderPlaced(placed)] if placed.from_pre_order),
        )
        .repeated();
    let mut other = draft();
    other.remarks = "quickly please".into();
    given::<Order>(reserved().events)
        .when(|order| order.push(&PushOrder { terms: terms_of(other.clone()), ..push() }))
        .then_refused(differs("remarks", "\"\"", "\"quickly please\""));
    given::<Order>(reserved().events)
        .when(|order| order.push(&PushOrder { now: hour(24), ..push() }))
        .then_refused(Rejection::ReservationExpired { until: hour(24) });
}

#[test]
fn a_reservation_is_released_and_nothing_follows() {
    let released = PreOrderReleased {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        reason: "budget".into(),
        released_at: Some(to_proto(hour(3))),
    };
    let story = given::<Order>(reserved().events)
        .when(|order| order.release_pre_order(&release()))
        .then([released.into()]);
    assert!(matches!(story.state(), Order::Ended(End::Released, _)));
    story.repeated();
    let released = || reserved().then(|order| order.release_pre_order(&release())).events;
    let other = ReleasePreOrder { reason: None, when: at(3) };
    given::<Order>(released()).when(|order| order.release_pre_order(&other)).then_refused(differs(
        "reason",
        "\"budget\"",
        "\"\"",
    ));
    given::<Order>(released())
        .when(|order| order.push(&push()))
        .then_refused(Rejection::Ended(End::Released));
}

#[test]
fn a_reservation_expires_at_its_time_and_not_before() {
    let early = ExpirePreOrder { now: hour(24) - SignedDuration::from_nanos(1) };
    given::<Order>(reserved().events)
        .when(|order| order.expire(&early))
        .then_refused(Rejection::ReservationHolds { until: hour(24) });
    let expired = PreOrderExpired {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        expired_at: Some(to_proto(hour(24))),
    };
    given::<Order>(reserved().events)
        .when(|order| order.expire(&expire()))
        .then([expired.into()])
        .repeated();
    let expired = || reserved().then(|order| order.expire(&expire())).events;
    given::<Order>(expired())
        .when(|order| order.confirm_pre_order(&confirm_pre_order()))
        .then_refused(Rejection::ReservationExpired { until: hour(24) });
    given::<Order>(placed().events)
        .when(|order| order.expire(&expire()))
        .then_refused(Rejection::AlreadyPlaced);
}

#[test]
fn confirmation_starts_the_time_to_dispatch() {
    let confirmed = OrderConfirmed {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        confirmed_at: Some(to_proto(hour(4))),
        dispatch_by: Some(to_proto(hour(4 + 48))),
        deliver_by: Some(to_proto(hour(14 * 24))),
    };
    given::<Order>(placed().events)
        .when(|order| order.confirm(&confirm(), &policy()))
        .then([confirmed.into()])
        .repeated();
    let other = ConfirmOrder { when: at(5) };
    given::<Order>(confirmed_events())
        .when(|order| order.confirm(&other, &policy()))
        .then_refused_as(|no| no.field().as_deref() == Some("at"));
    let unsaid = ConfirmOrder { when: When::now(now()) };
    given::<Order>(confirmed_events())
        .when(|order| order.confirm(&unsaid, &policy()))
        .then_nothing();
}

fn confirmed_events() -> Vec<Event> {
    confirmed().events
}

#[test]
fn what_follows_names_the_contract_of_the_order_and_none_when_it_has_none() {
    for contract_id in ["contract-9", ""] {
        let terms = terms_of(OrderDraft { contract_id: contract_id.into(), ..draft() });
        let confirmed = OrderConfirmed {
            order_id: "order-1".into(),
            platform: "mall".into(),
            contract_id: contract_id.into(),
            confirmed_at: Some(to_proto(hour(4))),
            dispatch_by: Some(to_proto(hour(4 + 48))),
            deliver_by: Some(to_proto(hour(14 * 24))),
        };
        given::<Order>(
            Story::default().then(|order| order.push(&PushOrder { terms, ..push() })).events,
        )
        .when(|order| order.confirm(&confirm(), &policy()))
        .then([confirmed.into()])
        .repeated();
    }
}

#[test]
fn an_order_is_declined_before_it_is_confirmed() {
    let declined = OrderDeclined {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        reason: "out of production".into(),
        declined_at: Some(to_proto(hour(4))),
    };
    given::<Order>(placed().events)
        .when(|order| order.decline(&decline()))
        .then([declined.into()])
        .repeated();
    given::<Order>(confirmed().events)
        .when(|order| order.decline(&decline()))
        .then_refused(Rejection::AlreadyConfirmed);
    let declined = placed().then(|order| order.decline(&decline()));
    given::<Order>(declined.events.clone()).when(|order| order.push(&push())).then_nothing();
    given::<Order>(declined.events)
        .when(|order| order.confirm(&confirm(), &policy()))
        .then_refused(Rejection::Ended(End::Declined));
}

#[test]
fn a_time_that_cannot_be_true_is_refused_with_its_field() {
    let day = SignedDuration::from_hours(24);
    let tick = SignedDuration::from_nanos(1);
    let ask = |at: Timestamp| {
        placed().order.confirm(&ConfirmOrder { when: When { now: now(), at: Some(at) } }, &policy())
    };
    assert!(ask(placed_at() - day).is_ok());
    assert!(ask(now() + SignedDuration::from_mins(5)).is_ok());
    for at in [
        placed_at() - day - tick,
        now() + SignedDuration::from_mins(5) + tick,
        Timestamp::MIN,
        Timestamp::MAX,
    ] {
        let no = ask(at).unwrap_err();
        assert_eq!((no.reason(), no.field().as_deref()), ("TIME_OUT_OF_RANGE", Some("at")));
        assert_eq!(no.kind(), RejectionKind::InvalidArgument);
    }
}

#[test]
fn force_majeure_is_declared_once_and_lifted_once() {
    let declared = ForceMajeureDeclared {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        description: "flood".into(),
        since: Some(to_proto(hour(6))),
    };
    given::<Order>(confirmed().events)
        .when(|order| order.declare_force_majeure(&declare_force_majeure()))
        .then([declared.into()])
        .repeated();
    let lasting =
        || confirmed().then(|order| order.declare_force_majeure(&declare_force_majeure()));
    let war = DeclareForceMajeure { description: text("war"), when: at(7) };
    given::<Order>(lasting().events)
        .when(|order| order.declare_force_majeure(&war))
        .then_refused(differs("description", "\"flood\"", "\"war\""));
    let lifted = ForceMajeureLifted {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        until: Some(to_proto(hour(30))),
    };
    given::<Order>(lasting().events)
        .when(|order| order.lift_force_majeure(&lift_force_majeure()))
        .then([lifted.into()])
        .repeated();
    given::<Order>(lasting().events)
        .when(|order| order.lift_force_majeure(&LiftForceMajeure { when: at(5) }))
        .then_refused(Rejection::EndsBeforeItBegan { since: hour(6) });
    given::<Order>(confirmed().events)
        .when(|order| order.lift_force_majeure(&lift_force_majeure()))
        .then_refused(Rejection::NoForceMajeure);
    // over: the same is a late repeat, another one may come
    let over = || lasting().then(|order| order.lift_force_majeure(&lift_force_majeure()));
    given::<Order>(over().events)
        .when(|order| order.declare_force_majeure(&declare_force_majeure()))
        .then_nothing();
    given::<Order>(over().events)
        .when(|order| order.declare_force_majeure(&war))
        .then_events(|events| events.len() == 1);
    given::<Order>(over().events)
        .when(|order| order.lift_force_majeure(&LiftForceMajeure { when: at(31) }))
        .then_refused_as(|no| no.field().as_deref() == Some("until"));
}

#[test]
fn force_majeure_may_begin_before_the_order_but_not_in_the_future() {
    let ask = |hours| {
        let declare = DeclareForceMajeure { description: text("war"), when: at(hours) };
        placed().order.declare_force_majeure(&declare)
    };
    assert!(ask(-24 * 365).is_ok());
    assert_eq!(ask(24 * 365).unwrap_err().field().as_deref(), Some("since"));
}

#[test]
fn a_follower_takes_the_place_of_the_one_before() {
    let assigned = FollowerAssigned {
        order_id: "order-1".into(),
        platform: "mall".into(),
        contract_id: "contract-9".into(),
        follower: "Han Meimei".into(),
        assigned_at: Some(to_proto(hour(2))),
    };
    given::<Order>(placed().events)
        .when(|order| order.assign_follower(&follow()))
        .then([assigned.into()])
        .repeated();
    let followed = placed().then(|order| order.assign_follower(&follow()));
    let other = AssignFollower { follower: name("Lin Tao"), when: at(3) };
    given::<Order>(followed.events)
        .when(|order| order.assign_follower(&other))
        .then_events(|events| events.len() == 1)
        .repeated();
    let reserved = reserved().then(|order| order.assign_follower(&follow()));
    let placed = reserved.then(|order| order.push(&push()));
    given::<Order>(placed.events).when(|order| order.assign_follower(&follow())).then_nothing();
}

#[test]
fn an_order_knows_its_platform_and_contract() {
    assert_eq!(placed().order.platform(), Some("mall"));
    assert_eq!(placed().order.contract_id(), Some("contract-9"));
    assert_eq!((Order::Absent.platform(), Order::Absent.contract_id()), (None, None));
}

#[test]
fn a_state_is_small_and_shared_until_it_changes() {
    assert!(size_of::<Order>() <= 16, "an order is {} bytes", size_of::<Order>());
    let line = size_of::<crate::order::book::Line>();
    assert!(line <= 64, "a line is {line} bytes");
    let before = fulfilled().order;
    let kept = before.clone();
    let after =
        Story { order: before, events: Vec::new() }.then(|order| order.settle(&settle(7_500)));
    let (Order::Fulfilled(kept), Order::Settled(after)) = (kept, after.order) else {
        panic!("not paid");
    };
    assert!(std::sync::Arc::ptr_eq(&kept.terms, &after.terms), "the terms were copied");
    assert!(
        std::sync::Arc::ptr_eq(&kept.shipments[0], &after.shipments[0]),
        "a shipment was copied"
    );
}
