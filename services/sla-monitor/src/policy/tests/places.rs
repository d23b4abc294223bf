//! Names, lists that belong together, and how many of each there may be.

use contracts::sla::{ClockKind, FactKind, Party};

use super::*;

#[test]
fn a_profile_that_promises_nothing_is_refused() {
    assert_eq!(places(&profile("care", [])), ["clocks"]);
    let nothing = places(&api::Profile::default());
    assert_eq!(nothing, ["name", "title", "clocks"]);
}

#[test]
fn names_are_unique_over_clocks_and_duties() {
    let duty = DutyPolicy { name: "confirm".into(), ..report() };
    let twice = api::Profile {
        duties: vec![duty.clone(), report(), duty],
        ..profile("care", [confirm(), confirm()])
    };
    assert_eq!(places(&twice), ["clocks[1].name", "duties[0].name", "duties[2].name"]);
}

#[test]
fn what_has_no_name_is_said_once() {
    let nameless = ClockPolicy { name: String::new(), ..confirm() };
    assert_eq!(
        places(&profile("care", [nameless.clone(), nameless])),
        ["clocks[0].name", "clocks[1].name"]
    );
    assert_eq!(of_clock(|it| it.name = "two words".into()), ["name"]);
    assert_eq!(of_clock(|it| it.name = "n".repeat(65)), ["name"]);
    assert_eq!(of_clock(|it| it.title = " ".into()), ["title"]);
    assert_eq!(of_clock(|it| it.title = "t".repeat(501)), ["title"]);
    assert_eq!(of_clock(|it| it.serves = vec!["SLC-01".into(), "SLC 02".into()]), ["serves[1]"]);
    assert_eq!(of_clock(|it| it.serves = vec!["SLC-01".into(); 21]), ["serves"]);
}

#[test]
fn a_kind_is_one_of_those_there_are() {
    for kind in [0, 4, -1, i32::MAX] {
        assert_eq!(of_clock(|it| it.kind = kind), ["kind"], "{kind}");
    }
}

#[test]
fn a_calendar_is_one_that_was_published() {
    assert_eq!(of_clock(|it| it.calendar = "9x9".into()), ["calendar"]);
    assert_eq!(of_clock(|it| it.calendar = String::new()), ["calendar"]);
    assert_eq!(of_duty(report(), |it| it.calendar = "9x9".into()), ["calendar"]);
}

#[test]
fn a_case_has_one_to_four_names() {
    let named = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut clock = confirm();
        for pattern in [&mut clock.start, &mut clock.stop].into_iter().flatten() {
            pattern.subject = vec!["x".into(); names.len()];
        }
        clock.subject = names;
        let clock = ClockPolicy {
            pause: vec![],
            resume: vec![],
            cancel: vec![],
            extend: vec![],
            exempt: vec![],
            exempt_end: vec![],
            start: vec![api::Pattern {
                subject: vec!["terms.order_id".into(); clock.subject.len()],
                ..clock.start[0].clone()
            }],
            stop: vec![api::Pattern {
                subject: vec!["order_id".into(); clock.subject.len()],
                ..clock.stop[0].clone()
            }],
            ..clock
        };
        places(&profile("care", [clock]))
    };
    assert!(named(&["a"]).is_empty());
    assert!(named(&["a", "b", "c", "d"]).is_empty());
    assert_eq!(named(&["a", "a"]), ["clocks[0].subject"]);
    assert_eq!(named(&["a", "b c"]), ["clocks[0].subject[1]"]);
    assert!(named(&[]).contains(&"clocks[0].subject".to_owned()));
    assert!(named(&["a", "b", "c", "d", "e"]).contains(&"clocks[0].subject".to_owned()));
}

#[test]
fn a_clock_has_a_start() {
    assert_eq!(of_clock(|it| it.start.clear()), ["start"]);
}

#[test]
fn what_does_not_end_by_itself_has_a_stop() {
    assert_eq!(of_clock(|it| it.stop.clear()), ["stop"]);
    let outage = crate::grpc::testing::outage();
    let endless = ClockPolicy { stop: vec![], ..outage };
    assert_eq!(places(&profile("care", [endless])), ["clocks[0].stop"]);
    let window = of_clock(|it| {
        it.stop.clear();
        it.kind = ClockKind::Period.into();
        it.contractual = None;
    });
    assert!(window.is_empty(), "a period is over when it is over");
}

#[test]
fn a_halt_has_an_end_and_a_holder() {
    assert_eq!(of_clock(|it| it.resume.clear()), ["resume"]);
    assert_eq!(of_clock(|it| it.pause.clear()), ["resume"]);
    assert_eq!(of_clock(|it| it.exempt_end.clear()), ["exempt_end"]);
    assert_eq!(of_clock(|it| it.exempt.clear()), ["exempt_end"]);
    assert_eq!(of_clock(|it| it.pause[0].holder = 0), ["pause[0].holder"]);
    assert_eq!(of_clock(|it| it.pause[0].holder = 99), ["pause[0].holder"]);
    assert_eq!(of_clock(|it| it.stop[0].holder = -1), ["stop[0].holder"]);
    assert_eq!(of_clock(|it| it.pause[0].reason = "r".repeat(501)), ["pause[0].reason"]);
    assert_eq!(of_clock(|it| it.pause[0].reason = "a\u{7}b".into()), ["pause[0].reason"]);
}

#[test]
fn the_supplier_holds_the_case_unless_somebody_else_is_named() {
    let holder = |given: i32| {
        let clock = ClockPolicy { holder: given, ..confirm() };
        checked(&profile("care", [clock])).map(|profile| profile.policies[0].holder)
    };
    assert_eq!(holder(0).unwrap(), Party::Supplier);
    assert_eq!(holder(Party::Dealer.into()).unwrap(), Party::Dealer);
    assert_eq!(of_clock(|it| it.holder = 8), ["holder"]);
}

#[test]
fn there_are_not_too_many_of_anything() {
    let clocks = (0..201).map(|number| ClockPolicy { name: format!("c-{number}"), ..confirm() });
    assert_eq!(places(&profile("care", clocks)), ["clocks"]);
    let duties = (0..201).map(|number| DutyPolicy { name: format!("d-{number}"), ..report() });
    let many = api::Profile { duties: duties.collect(), ..profile("care", [confirm()]) };
    assert_eq!(places(&many), ["duties"]);
    for (list, _, _) in crate::policy::pattern::lists(&confirm()) {
        let places = of_clock(|it| {
            let lists = [
                ("start", &mut it.start),
                ("pause", &mut it.pause),
                ("resume", &mut it.resume),
                ("stop", &mut it.stop),
                ("cancel", &mut it.cancel),
                ("reset", &mut it.reset),
                ("extend", &mut it.extend),
                ("exempt", &mut it.exempt),
                ("exempt_end", &mut it.exempt_end),
            ];
            for (name, patterns) in lists {
                if name == list {
                    *patterns = vec![pattern("OrderDeclined", "declined_at"); 21];
                }
            }
        });
        assert_eq!(places, [list]);
    }
    let roles = crate::policy::pattern::lists(&confirm()).map(|(_, role, _)| role);
    assert!(!roles.contains(&FactKind::Unspecified));
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let mut first = confirm();
    first.calendar = "9x9".into();
    first.start[0].event = "emall.ordering.v1.Nothing".into();
    let mut second = ClockPolicy { name: "second".into(), ..confirm() };
    second.pause[0].holder = 0;
    second.committed = None;
    let all = api::Profile {
        name: "two words".into(),
        duties: vec![DutyPolicy { owner: String::new(), ..report() }],
        ..profile("care", [first, second])
    };
    assert_eq!(
        places(&all),
        [
            "name",
            "clocks[0].start[0].event",
            "clocks[0].calendar",
            "clocks[1].pause[0].holder",
            "clocks[1].committed",
            "clocks[1].warnings",
            "duties[0].owner",
        ]
    );
}
