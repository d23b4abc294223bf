//! What patterns read from real events.

use contracts::{
    Event as _,
    common::Money,
    ordering::{
        GoodsRejected, OrderPlaced, OrderTerms, RejectionReason, ShipmentPlanned,
        SubstitutionProposed, TrackingRecorded, TrackingScan, TrackingStatus, Urgency,
        order_event::Event,
    },
    sla::{Condition, Target},
};
use eventlog::time::to_proto;
use jiff::Timestamp;
use prost_reflect::DynamicMessage;

use super::*;
use crate::grpc::testing::start;

fn opened(event: impl Into<Event>) -> DynamicMessage {
    let event = event.into();
    let descriptor = contracts::pool().get_message_by_name(event.type_name()).unwrap();
    DynamicMessage::decode(descriptor, event.encode_body().as_slice()).unwrap()
}

/// The pattern as the start of a clock of this case.
fn found(given: api::Pattern, committed: Option<Target>) -> Pattern {
    let names: Vec<String> =
        (0..given.subject.len()).map(|number| format!("part-{number}")).collect();
    let stop = api::Pattern {
        subject: vec!["order_id".into(); names.len()],
        ..pattern("OrderConfirmed", "confirmed_at")
    };
    let clock = ClockPolicy {
        name: "read".into(),
        title: "Read".into(),
        kind: api::ClockKind::Promise.into(),
        subject: names,
        start: vec![given],
        stop: vec![stop],
        committed: committed.or(crate::grpc::testing::hours(2)),
        calendar: "24x7".into(),
        ..ClockPolicy::default()
    };
    checked(&profile("care", [clock])).unwrap().policies[0].patterns[0].clone()
}

fn on(event: &str, at: &str, subject: &[&str]) -> api::Pattern {
    let subject = subject.iter().map(|&path| path.to_owned()).collect();
    api::Pattern { subject, ..pattern(event, at) }
}

/// Whether a pattern with this condition hears the event.
fn hears(event: impl Into<Event>, condition: Condition) -> bool {
    let event = event.into();
    let name = event.type_name().rsplit_once('.').unwrap().1.to_owned();
    let subject = if name == "OrderPlaced" { "terms.order_id" } else { "order_id" };
    let given = api::Pattern { r#where: vec![condition], ..on(&name, "", &[subject]) };
    found(given, None).read(&opened(event)).is_some()
}

fn equals(field: &str, values: &[&str]) -> Condition {
    let equals = values.iter().map(|&value| value.to_owned()).collect();
    Condition { field: field.into(), equals, ..Condition::default() }
}

fn rejected() -> GoodsRejected {
    GoodsRejected {
        order_id: "o-1".into(),
        reason: RejectionReason::Brand.into(),
        description: "another brand".into(),
        rejected_at: Some(to_proto(start())),
        amount: Some(Money { minor_units: 500, currency: "CNY".into() }),
        ..GoodsRejected::default()
    }
}

fn scanned(status: TrackingStatus) -> TrackingRecorded {
    TrackingRecorded {
        order_id: "o-1".into(),
        shipment_id: "s-1".into(),
        scan: Some(TrackingScan {
            status: status.into(),
            scanned_at: Some(to_proto(start())),
            ..TrackingScan::default()
        }),
        ..TrackingRecorded::default()
    }
}

fn placed(terms: OrderTerms) -> OrderPlaced {
    OrderPlaced { terms: Some(terms), from_pre_order: false }
}

fn terms() -> OrderTerms {
    OrderTerms { order_id: "o-1".into(), ..OrderTerms::default() }
}

#[test]
fn enums_compare_by_name() {
    let brand = || equals("reason", &["REJECTION_REASON_BRAND", "REJECTION_REASON_MODEL"]);
    assert!(hears(rejected(), brand()));
    let other = GoodsRejected { reason: RejectionReason::Damaged.into(), ..rejected() };
    assert!(!hears(other.clone(), brand()));
    assert!(hears(other, Condition { negate: true, ..brand() }));
    let left_out = GoodsRejected { reason: 0, ..rejected() };
    assert!(hears(left_out, equals("reason", &["REJECTION_REASON_UNSPECIFIED"])));
}

#[test]
fn an_enum_value_of_a_later_release_is_none_of_the_known_ones() {
    let later = || GoodsRejected { reason: 999, ..rejected() };
    let all = || equals("reason", &["REJECTION_REASON_BRAND", "REJECTION_REASON_UNSPECIFIED"]);
    assert!(!hears(later(), all()));
    assert!(hears(later(), Condition { negate: true, ..all() }));
}

#[test]
fn a_truth_value_that_is_left_out_is_false() {
    assert!(hears(placed(terms()), equals("from_pre_order", &["false"])));
    assert!(!hears(placed(terms()), equals("from_pre_order", &["true"])));
    let reserved = OrderPlaced { from_pre_order: true, ..placed(terms()) };
    assert!(hears(reserved, equals("from_pre_order", &["true"])));
}

#[test]
fn a_path_leads_into_messages() {
    let delivered = || equals("scan.status", &[TrackingStatus::Delivered.as_str_name()]);
    assert!(hears(scanned(TrackingStatus::Delivered), delivered()));
    assert!(!hears(scanned(TrackingStatus::InTransit), delivered()));
    let urgent = || equals("terms.urgency", &[Urgency::Urgent.as_str_name()]);
    assert!(hears(placed(OrderTerms { urgency: Urgency::Urgent.into(), ..terms() }), urgent()));
    assert!(!hears(placed(terms()), urgent()));
    let given = on("TrackingRecorded", "scan.scanned_at", &["order_id", "shipment_id"]);
    let said = found(given, None).read(&opened(scanned(TrackingStatus::Delivered))).unwrap();
    assert_eq!(said.subject, ["o-1", "s-1"]);
    assert_eq!(said.at, Some(start()));
}

#[test]
fn what_a_missing_message_would_hold_is_left_out() {
    let silent = || TrackingRecorded { scan: None, ..scanned(TrackingStatus::Delivered) };
    assert!(!hears(silent(), equals("scan.status", &["TRACKING_STATUS_DELIVERED"])));
    assert!(hears(silent(), equals("scan.status", &["TRACKING_STATUS_UNSPECIFIED"])));
    assert!(hears(silent(), equals("scan.remark", &[""])));
    let absent = Condition { field: "scan".into(), present: Some(false), ..Condition::default() };
    assert!(hears(silent(), absent.clone()));
    assert!(!hears(scanned(TrackingStatus::Delivered), absent));
    let given = on("TrackingRecorded", "scan.scanned_at", &["order_id"]);
    let said = found(given, None).read(&opened(silent())).unwrap();
    assert_eq!(said.at, None, "the moment of recording counts");
}

#[test]
fn a_field_is_present_when_there_is_something_in_it() {
    let present = |field: &str, present: bool, negate: bool| Condition {
        field: field.into(),
        present: Some(present),
        negate,
        ..Condition::default()
    };
    let empty = GoodsRejected { amount: None, description: String::new(), ..rejected() };
    for field in ["amount", "description", "amount.currency", "amount.minor_units"] {
        assert!(hears(rejected(), present(field, true, false)), "{field}");
        assert!(!hears(rejected(), present(field, false, false)), "{field}");
        assert!(!hears(rejected(), present(field, true, true)), "{field}");
        assert!(hears(empty.clone(), present(field, false, false)), "{field}");
        assert!(!hears(empty.clone(), present(field, true, false)), "{field}");
    }
}

#[test]
fn a_number_is_above_another_or_not() {
    let above = |bound: i64, negate: bool| Condition {
        field: "amount.minor_units".into(),
        above: Some(bound),
        negate,
        ..Condition::default()
    };
    for (bound, is_above) in [(499, true), (500, false), (501, false), (-1, true)] {
        assert_eq!(hears(rejected(), above(bound, false)), is_above, "{bound}");
        assert_eq!(hears(rejected(), above(bound, true)), !is_above, "{bound}");
    }
    let free = GoodsRejected { amount: None, ..rejected() };
    assert!(hears(free.clone(), above(-1, false)), "what is left out is 0");
    assert!(!hears(free, above(0, false)));
    let owed = Some(Money { minor_units: i64::MIN, currency: "CNY".into() });
    let owed = GoodsRejected { amount: owed, ..rejected() };
    assert!(!hears(owed, above(i64::MIN, false)));
}

#[test]
fn all_conditions_hold_or_the_event_is_not_heard() {
    let given = |second: &str| api::Pattern {
        r#where: vec![
            equals("reason", &["REJECTION_REASON_BRAND"]),
            equals("description", &[second]),
        ],
        ..on("GoodsRejected", "rejected_at", &["order_id"])
    };
    assert!(found(given("another brand"), None).read(&opened(rejected())).is_some());
    assert!(found(given("broken"), None).read(&opened(rejected())).is_none());
}

#[test]
fn an_event_that_names_no_case_is_not_heard() {
    let given = || on("TrackingRecorded", "", &["order_id", "shipment_id"]);
    let nameless =
        TrackingRecorded { shipment_id: String::new(), ..scanned(TrackingStatus::Delivered) };
    assert!(found(given(), None).read(&opened(nameless)).is_none());
    let given = || on("OrderPlaced", "", &["terms.order_id"]);
    assert!(found(given(), None).read(&opened(OrderPlaced::default())).is_none());
    assert!(found(given(), None).read(&opened(placed(terms()))).is_some());
}

#[test]
fn a_number_can_name_a_part_of_a_case() {
    let given = on("SubstitutionProposed", "proposed_at", &["order_id", "line_no"]);
    let proposed =
        SubstitutionProposed { order_id: "o-1".into(), line_no: 3, ..Default::default() };
    let said = found(given, None).read(&opened(proposed)).unwrap();
    assert_eq!(said.subject, ["o-1", "3"]);
}

#[test]
fn a_time_that_is_none_counts_as_left_out() {
    let given = || on("GoodsRejected", "rejected_at", &["order_id"]);
    for (seconds, nanos) in [(i64::MAX, 0), (i64::MIN, 0), (0, -1), (0, 1_000_000_000)] {
        let rejected_at = Some(prost_types::Timestamp { seconds, nanos });
        let event = GoodsRejected { rejected_at, ..rejected() };
        assert_eq!(
            found(given(), None).read(&opened(event)).unwrap().at,
            None,
            "{seconds} {nanos}"
        );
    }
    let early = Some(prost_types::Timestamp { seconds: -1, nanos: 999_999_999 });
    let event = GoodsRejected { rejected_at: early, ..rejected() };
    let just_before = Timestamp::from_nanosecond(-1).unwrap();
    assert_eq!(found(given(), None).read(&opened(event)).unwrap().at, Some(just_before));
}

#[test]
fn a_start_holds_the_deadline_of_the_user_where_he_set_one() {
    let target = Some(Target {
        span: crate::grpc::testing::span(2, api::SpanUnit::Hours),
        field: "terms.deliver_by".into(),
    });
    let given = || on("OrderPlaced", "terms.placed_at", &["terms.order_id"]);
    let deliver_by = Some(to_proto(start()));
    let set = placed(OrderTerms { deliver_by, ..terms() });
    assert_eq!(found(given(), target.clone()).read(&opened(set)).unwrap().until, Some(start()));
    let left = placed(terms());
    assert_eq!(found(given(), target).read(&opened(left)).unwrap().until, None);
}

#[test]
fn an_extension_holds_the_new_deadline() {
    let clock = checked(&profile("care", [confirm()])).unwrap().policies[0].clone();
    let extend = clock.patterns.iter().find(|it| it.role == api::FactKind::Extend).unwrap();
    let planned = ShipmentPlanned {
        order_id: "o-1".into(),
        deliver_by: Some(to_proto(start())),
        ..Default::default()
    };
    let said = extend.read(&opened(planned)).unwrap();
    assert_eq!((said.until, said.contractual_until, said.at), (Some(start()), None, None));
}

#[test]
fn a_body_of_another_event_is_read_without_a_panic() {
    let bytes = Event::from(scanned(TrackingStatus::Delivered)).encode_body();
    for policy in &checked(&profile("care", [confirm()])).unwrap().policies {
        for pattern in &policy.patterns {
            let descriptor = contracts::pool().get_message_by_name(&pattern.event).unwrap();
            if let Ok(message) = DynamicMessage::decode(descriptor, bytes.as_slice()) {
                let _ = pattern.read(&message);
            }
        }
    }
}
