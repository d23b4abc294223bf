//! Patterns: events, fields, conditions.

use contracts::sla::{Condition, FactKind, Pattern};

use super::*;

fn condition(field: &str) -> Condition {
    Condition { field: field.into(), ..Condition::default() }
}

/// Wrong places of one condition on `GoodsRejected`, counted from the condition.
fn of_condition(condition: Condition) -> Vec<String> {
    let places = of_clock(|clock| {
        clock.stop =
            vec![Pattern { r#where: vec![condition], ..pattern("GoodsRejected", "rejected_at") }];
    });
    places.iter().map(|place| place.replacen("stop[0].where[0]", "", 1)).collect()
}

#[test]
fn a_whole_clock_and_whole_duties_are_right() {
    let all = api::Profile { duties: vec![report(), visits()], ..profile("care", [confirm()]) };
    let checked = checked(&all).unwrap();
    assert_eq!((checked.name.as_str(), checked.version), ("care", 7));
    assert!(checked.unbound.is_empty());
    let names: Vec<_> = checked.policies.iter().map(|policy| policy.name.as_str()).collect();
    assert_eq!(names, ["confirm", "report", "visit"]);
    assert!(checked.policy("confirm").is_some_and(|policy| policy.profile == "care"));
    assert!(checked.policy("other").is_none());
}

#[test]
fn an_event_that_its_package_does_not_define_is_refused() {
    for event in [
        "emall.ordering.v1.OrderVanished",
        "emall.sla.v1.Nothing",
        "OrderConfirmed",
        "emall.OrderConfirmed",
        "emall.aftersales.v1.",
        "emall.aftersales..TicketClosed",
        "emall.after sales.v1.TicketClosed",
        "emall.aftersales.v1.ticket.Closed",
        "other.aftersales.v1.TicketClosed",
        ".emall.aftersales.v1.TicketClosed",
        "",
        "\u{0}",
    ] {
        let places = of_clock(|clock| clock.stop[0].event = event.into());
        assert_eq!(places, ["stop[0].event"], "{event:?}");
    }
}

#[test]
fn a_published_pattern_that_is_no_longer_understood_is_lost_alone() {
    let mut clock = confirm();
    clock.stop.push(pattern("OrderVanished", "vanished_at"));
    clock.stop.push(pattern("GoodsRejected", "vanished_at"));
    let published = profile("care", [clock]);
    assert_eq!(places(&published), ["clocks[0].stop[1].event", "clocks[0].stop[2].at"]);
    let kept = recorded(&published, 7, |_| true).unwrap();
    let heard: Vec<_> = kept.policies[0]
        .patterns
        .iter()
        .filter(|pattern| pattern.fields.is_some())
        .map(|pattern| pattern.event.as_str())
        .collect();
    let right = checked(&profile("care", [confirm()])).unwrap();
    let all: Vec<_> =
        right.policies[0].patterns.iter().map(|pattern| pattern.event.as_str()).collect();
    assert_eq!(heard, all);
    // without a name it is no profile
    assert!(recorded(&api::Profile::default(), 7, |_| true).is_err());
}

#[test]
fn a_message_that_is_no_event_is_refused() {
    for event in [
        "emall.ordering.v1.OrderTerms",
        "emall.ordering.v1.OrderEvent",
        "emall.common.v1.RecordedEvent",
        "google.protobuf.Timestamp",
    ] {
        let places = of_clock(|clock| {
            clock.stop[0] = Pattern { event: event.into(), ..Pattern::default() };
        });
        assert_eq!(places, ["stop[0].event"], "{event:?}");
    }
}

#[test]
fn an_event_of_a_package_to_come_is_accepted_and_told() {
    let mut clock = confirm();
    let later = "emall.aftersales.v1.TicketClosed";
    let pattern = Pattern { at: "closed_at".into(), event: later.into(), ..Pattern::default() };
    clock.stop.extend([pattern.clone(), pattern]);
    let checked = checked(&profile("care", [clock])).unwrap();
    assert_eq!(checked.unbound.into_iter().collect::<Vec<_>>(), [later]);
    let policy = &checked.policies[0];
    assert_eq!(policy.patterns.iter().filter(|pattern| pattern.fields.is_none()).count(), 2);
    assert_eq!(policy.contexts().into_iter().collect::<Vec<_>>(), ["ordering"]);
    assert!(!policy.spans_contexts(), "nothing of it can be heard yet");
}

#[test]
fn what_can_be_told_of_an_event_to_come_is_told_now() {
    let later = |change: fn(&mut Pattern)| {
        of_clock(|clock| {
            clock.cancel = vec![Pattern {
                event: "emall.aftersales.v1.TicketClosed".into(),
                subject: vec!["ticket.order_id".into()],
                ..Pattern::default()
            }];
            change(&mut clock.cancel[0]);
        })
    };
    assert!(later(|_| {}).is_empty());
    assert_eq!(later(|it| it.subject.push("more".into())), ["cancel[0].subject"]);
    assert_eq!(later(|it| it.subject[0] = "x".repeat(1_000_000)), ["cancel[0].subject[0]"]);
    assert_eq!(later(|it| it.at = "x".repeat(1_000_000)), ["cancel[0].at"]);
    let two = |it: &mut Pattern| {
        it.r#where = vec![Condition { present: Some(true), above: Some(1), ..condition("x") }];
    };
    assert_eq!(later(two), ["cancel[0].where[0]"]);
    assert_eq!(
        later(|it| it.r#where = vec![condition("x"); 21]),
        ["cancel[0].where"],
        "too many are too many before they are understood"
    );
}

#[test]
fn a_field_that_the_event_lacks_is_refused_where_it_is_named() {
    assert_eq!(
        of_clock(|it| it.start[0].subject = vec!["order_no".into()]),
        ["start[0].subject[0]"]
    );
    assert_eq!(of_clock(|it| it.stop[0].subject = vec!["".into()]), ["stop[0].subject[0]"]);
    assert_eq!(of_clock(|it| it.stop[0].at = "closed_at".into()), ["stop[0].at"]);
    assert_eq!(of_clock(|it| it.stop[0].at = "terms.placed_at".into()), ["stop[0].at"]);
    assert_eq!(of_clock(|it| it.extend[0].until = "until".into()), ["extend[0].until"]);
    assert_eq!(of_condition(Condition { present: Some(true), ..condition("why") }), [".field"]);
    let places = of_clock(|clock| clock.subject = vec!["invoice_id".into()]);
    assert!(places.contains(&"stop[0].subject[0]".to_owned()), "its own names count: {places:?}");
}

#[test]
fn a_path_leads_through_single_fields_only() {
    for (path, why) in [
        ("terms.lines", "is a list"),
        ("terms.lines.line_no", "is a list"),
        ("terms.order_id.value", "has no fields"),
        ("terms", "no single value"),
        ("terms.", "has no field"),
        ("terms..order_id", "has no field"),
    ] {
        let mut clock = confirm();
        clock.start[0].subject = vec![path.into()];
        let violations = checked(&profile("care", [clock])).unwrap_err();
        let first = violations.iter().next().unwrap();
        assert_eq!(first.field, "clocks[0].start[0].subject[0]", "{path}");
        assert!(first.description.contains(why), "{path}: {}", first.description);
    }
}

#[test]
fn a_time_is_a_timestamp() {
    assert_eq!(of_clock(|it| it.stop[0].at = "order_id".into()), ["stop[0].at"]);
    assert_eq!(of_clock(|it| it.start[0].at = "terms".into()), ["start[0].at"]);
    assert_eq!(of_clock(|it| it.start[0].at = "terms.placed_at.seconds".into()), ["start[0].at"]);
    assert_eq!(of_clock(|it| it.extend[0].until = "shipment_id".into()), ["extend[0].until"]);
    assert_eq!(of_clock(|it| it.extend[0].until = String::new()), ["extend[0].until"]);
}

#[test]
fn a_deadline_of_the_user_is_a_timestamp_of_every_starting_event() {
    let set = |field: &str| {
        let field = field.to_owned();
        move |it: &mut ClockPolicy| {
            it.committed = Some(api::Target { span: None, field });
            it.contractual = None;
        }
    };
    assert!(of_clock(set("terms.deliver_by")).is_empty());
    assert_eq!(of_clock(set("terms.deliver")), ["committed.field"]);
    assert_eq!(of_clock(set("terms.order_id")), ["committed.field"]);
    let places = of_clock(|it| {
        set("terms.deliver_by")(it);
        it.start.push(pattern("OrderConfirmed", "confirmed_at"));
    });
    assert_eq!(places, ["committed.field"], "the second event has it elsewhere");
    let contractual = of_clock(|it| {
        it.contractual = Some(api::Target { span: None, field: "terms.deliver".into() });
    });
    assert_eq!(contractual, ["contractual.field"]);
}

#[test]
fn a_huge_path_of_a_deadline_is_refused_also_while_its_event_is_to_come() {
    let places = of_clock(|it| {
        it.start[0] = Pattern { event: "emall.aftersales.v1.Asked".into(), ..Pattern::default() };
        it.committed.as_mut().unwrap().field = "x".repeat(1_000_000);
    });
    assert_eq!(places, ["committed.field"]);
}

#[test]
fn a_condition_has_one_test() {
    let equals = || vec!["REJECTION_REASON_BRAND".to_owned()];
    let reason = || condition("reason");
    assert!(of_condition(Condition { equals: equals(), negate: true, ..reason() }).is_empty());
    assert!(of_condition(Condition { present: Some(false), ..reason() }).is_empty());
    assert!(of_condition(Condition { present: Some(true), ..condition("amount") }).is_empty());
    assert!(
        of_condition(Condition { above: Some(-1), ..condition("amount.minor_units") }).is_empty()
    );
    assert_eq!(of_condition(reason()), [""]);
    assert_eq!(of_condition(Condition { equals: equals(), present: Some(true), ..reason() }), [""]);
    assert_eq!(of_condition(Condition { equals: equals(), above: Some(1), ..reason() }), [""]);
    assert_eq!(of_condition(Condition { present: Some(true), above: Some(1), ..reason() }), [""]);
    assert_eq!(of_condition(condition("")), [".field", ""]);
}

#[test]
fn a_test_fits_its_field() {
    let equals = |field: &str, value: &str| {
        of_condition(Condition { equals: vec![value.into()], ..condition(field) })
    };
    assert_eq!(equals("reason", "BROKEN"), [".equals[0]"]);
    assert_eq!(equals("reason", "brand"), [".equals[0]"]);
    assert_eq!(equals("reason", "1"), [".equals[0]"], "enums compare by name");
    assert_eq!(equals("amount", "1"), [".field"]);
    assert_eq!(equals("lines", "1"), [".field"]);
    assert_eq!(equals("description", &"x".repeat(201)), [".equals[0]"]);
    let above = |field: &str| of_condition(Condition { above: Some(1), ..condition(field) });
    assert_eq!(above("description"), [".above"]);
    assert_eq!(above("reason"), [".above"]);
    assert_eq!(above("amount"), [".field"]);
    let many = vec!["x".to_owned(); 51];
    let many = Condition { equals: many, ..condition("description") };
    assert_eq!(of_condition(many), [".equals"]);
    let sorted = of_condition(Condition {
        equals: vec!["REJECTION_REASON_BRAND".into(), "X".into(), "Y".into()],
        ..condition("reason")
    });
    assert_eq!(sorted, [".equals[1]", ".equals[2]"], "each of them");
}

#[test]
fn the_case_has_as_many_paths_as_names() {
    let paths = |paths: &[&str]| {
        let paths: Vec<String> = paths.iter().map(|&path| path.to_owned()).collect();
        of_clock(|it| it.stop[0].subject = paths)
    };
    assert!(paths(&["order_id"]).is_empty());
    assert_eq!(paths(&["order_id", "platform"]), ["stop[0].subject"]);
    assert_eq!(of_clock(|it| it.subject.push("platform".into())), ["start[0].subject"]);
    let thousands = of_clock(|it| it.stop[0].subject = vec!["order_id".into(); 5_000]);
    assert_eq!(thousands, ["stop[0].subject"], "none of them is looked up");
}

#[test]
fn each_list_does_what_its_name_says() {
    let mut clock = confirm();
    clock.reset = vec![pattern("OrderDeclined", "declined_at")];
    let checked = checked(&profile("care", [clock])).unwrap();
    let roles: Vec<_> = checked.policies[0].patterns.iter().map(|it| it.role).collect();
    assert_eq!(
        roles,
        [
            FactKind::Start,
            FactKind::Pause,
            FactKind::Resume,
            FactKind::Resume,
            FactKind::Stop,
            FactKind::Cancel,
            FactKind::Reset,
            FactKind::Extend,
            FactKind::Exempt,
            FactKind::ExemptEnd,
        ]
    );
}
