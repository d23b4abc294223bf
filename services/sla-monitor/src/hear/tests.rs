//! Which clocks hear what, by which rules.

use contracts::{
    Event as _,
    common::{EventMetadata, RecordedEvent},
    ordering::{GoodsAccepted, OrderConfirmed, OrderPlaced, OrderTerms, order_event},
    sla::{
        Binding, BindingEntry, BindingHistory, CalendarRecord, Profile, ProfileHistory,
        ProfileVersion,
    },
};
use decider::Aggregate as _;
use eventlog::time::to_proto;
use jiff::Timestamp;

use super::{Heard, Opened};
use crate::{
    clock::{Clock, tests::names},
    first,
    rules::{Rules, first_calendars},
    timeline::tests::sample::at,
};

fn profile(name: &str, hours: u32) -> Profile {
    let text = r#"{ "name": "NAME", "title": "Test", "clocks": [
        { "name": "respond", "title": "Answer", "kind": "CLOCK_KIND_PROMISE",
          "subject": ["order_id"],
          "start": [{ "event": "emall.ordering.v1.OrderPlaced", "subject": ["terms.order_id"] }],
          "stop": [{ "event": "emall.ordering.v1.OrderConfirmed", "at": "confirmed_at" }],
          "committed": { "span": { "amount": LIMIT, "unit": "SPAN_UNIT_HOURS" } },
          "calendar": "24x7" },
        { "name": "deliver", "title": "Deliver", "kind": "CLOCK_KIND_PROMISE",
          "subject": ["order_id"],
          "start": [{ "event": "emall.ordering.v1.OrderPlaced", "subject": ["terms.order_id"] }],
          "stop": [{ "event": "emall.ordering.v1.GoodsAccepted" }],
          "committed": { "field": "terms.deliver_by" },
          "calendar": "24x7" }
      ], "duties": [
        { "name": "visit", "title": "Visit", "subject": ["order_id"],
          "anchor": { "event": "emall.ordering.v1.OrderConfirmed" },
          "every": { "amount": 6, "unit": "SPAN_UNIT_MONTHS" }, "times": 2,
          "fulfilled": [{ "event": "emall.ordering.v1.GoodsAccepted" }],
          "calendar": "24x7", "owner": "clerk" }
      ] }"#;
    first::parse(&text.replace("NAME", name).replace("LIMIT", &hours.to_string())).unwrap()
}

fn version(profile: Profile, version: u32, minute: i64) -> ProfileVersion {
    ProfileVersion {
        profile: Some(profile),
        version,
        published_at: Some(to_proto(at(minute))),
        ..ProfileVersion::default()
    }
}

fn bound(platform: &str, contract: &str, profile: &str) -> BindingEntry {
    BindingEntry {
        binding: Some(Binding {
            platform: platform.into(),
            contract_id: contract.into(),
            profile: profile.into(),
        }),
        bound_at: Some(to_proto(at(-1_000))),
        unbound_at: None,
    }
}

fn rules(histories: Vec<Vec<ProfileVersion>>, entries: Vec<BindingEntry>) -> Rules {
    let histories: Vec<_> =
        histories.into_iter().map(|versions| ProfileHistory { versions }).collect();
    let calendars: Vec<_> = first_calendars()
        .into_iter()
        .map(|calendar| CalendarRecord { calendar: Some(calendar), version: 1 })
        .collect();
    Rules::new(&histories, &BindingHistory { entries }, &calendars, &[])
}

/// One profile for all, from long ago.
fn simple() -> Rules {
    rules(vec![vec![version(profile("all", 2), 1, -1_000)]], vec![bound("", "", "all")])
}

fn recorded(event: order_event::Event, at: Timestamp) -> RecordedEvent {
    RecordedEvent {
        position: 7,
        stream: "order.o-1".into(),
        version: 1,
        r#type: event.type_name().into(),
        body: event.encode_body().into(),
        metadata: Some(EventMetadata { platform: "mall".into(), ..EventMetadata::default() }),
        recorded_at: Some(to_proto(at)),
    }
}

fn placed(contract: &str, deliver_by: Option<i64>) -> order_event::Event {
    let terms = OrderTerms {
        order_id: "o-1".into(),
        platform: "mall".into(),
        contract_id: contract.into(),
        deliver_by: deliver_by.map(|minute| to_proto(at(minute))),
        ..OrderTerms::default()
    };
    OrderPlaced { terms: Some(terms), ..OrderPlaced::default() }.into()
}

fn confirmed() -> order_event::Event {
    OrderConfirmed {
        order_id: "o-1".into(),
        confirmed_at: Some(to_proto(at(5))),
        ..Default::default()
    }
    .into()
}

fn hear(event: order_event::Event, minute: i64, rules: &Rules) -> Vec<Heard> {
    let event = recorded(event, at(minute));
    Opened::open("ORDERING/7", &event, rules).map(|opened| opened.hear(rules)).unwrap_or_default()
}

/// Profile, clock and period of each that starts.
fn starts(heard: &[Heard]) -> Vec<(&str, &str, &str)> {
    heard
        .iter()
        .flat_map(|heard| &heard.clocks)
        .filter(|told| told.start.is_some())
        .map(|told| {
            let about = &told.about;
            (about.profile.as_str(), about.clock.as_str(), about.period.as_str())
        })
        .collect()
}

#[test]
fn the_contracts_own_profile_comes_before_the_platforms_and_that_before_the_one_for_all() {
    let versions =
        ["all", "mall", "contract"].map(|name| vec![version(profile(name, 2), 1, -1_000)]).to_vec();
    let entries =
        vec![bound("", "", "all"), bound("mall", "", "mall"), bound("mall", "c-1", "contract")];
    let all = rules(versions.clone(), entries.clone());
    let started = |contract: &str| {
        let heard = hear(placed(contract, None), 0, &all);
        starts(&heard)[0].0.to_owned()
    };
    assert_eq!(started("c-1"), "contract");
    assert_eq!(started("c-2"), "mall");
    assert_eq!(started(""), "mall");
    let without = rules(versions, entries[..1].to_vec());
    assert_eq!(starts(&hear(placed("c-1", None), 0, &without))[0].0, "all");
}

#[test]
fn a_clock_that_starts_on_a_later_event_goes_by_the_contract_of_the_order() {
    let versions =
        ["mall", "contract"].map(|name| vec![version(profile(name, 2), 1, -1_000)]).to_vec();
    let all = rules(versions, vec![bound("mall", "", "mall"), bound("mall", "c-1", "contract")]);
    for (contract, profile) in [("c-1", "contract"), ("c-2", "mall"), ("", "mall")] {
        let mut event = confirmed();
        if let order_event::Event::OrderConfirmed(event) = &mut event {
            event.contract_id = contract.into();
        }
        let heard = hear(event, 5, &all);
        assert_eq!(starts(&heard), [(profile, "visit", "#1"), (profile, "visit", "#2")]);
    }
}

#[test]
fn the_version_counts_that_was_the_newest_when_the_event_was_recorded() {
    let versions = vec![version(profile("all", 2), 1, 0), version(profile("all", 9), 2, 100)];
    let all = rules(vec![versions], vec![bound("", "", "all")]);
    let version_at = |minute| {
        let heard = hear(placed("", None), minute, &all);
        let start = heard.first()?.clocks[0].start.as_ref()?;
        Some(start.1.policy.version)
    };
    assert_eq!(version_at(-1), None);
    assert_eq!(version_at(0), Some(1));
    assert_eq!(version_at(99), Some(1));
    assert_eq!(version_at(100), Some(2));
}

#[test]
fn under_a_retired_profile_nothing_starts() {
    let retired =
        ProfileVersion { retired_at: Some(to_proto(at(50))), ..version(profile("all", 2), 1, 0) };
    let all = rules(vec![vec![retired]], vec![bound("", "", "all")]);
    assert!(!starts(&hear(placed("", None), 49, &all)).is_empty());
    assert!(starts(&hear(placed("", None), 50, &all)).is_empty());
}

#[test]
fn a_deadline_that_the_user_does_not_set_starts_no_clock() {
    let all = simple();
    assert_eq!(starts(&hear(placed("", None), 0, &all)), [("all", "respond", "")]);
    let set = hear(placed("", Some(500)), 0, &all);
    assert_eq!(starts(&set), [("all", "respond", ""), ("all", "deliver", "")]);
    let (fact, _) = set[1].clocks[0].start.as_ref().unwrap();
    assert_eq!(fact.until, Some(to_proto(at(500))));
}

#[test]
fn a_clock_of_a_profile_that_no_longer_counts_still_hears() {
    let mut entry = bound("", "", "all");
    entry.unbound_at = Some(to_proto(at(10)));
    let all = rules(vec![vec![version(profile("all", 2), 1, -1_000)]], vec![entry]);
    let heard = hear(confirmed(), 20, &all);
    assert!(starts(&heard).is_empty());
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].clocks[0].about.clock, "respond");
}

#[test]
fn an_event_that_no_clock_goes_by_is_not_opened() {
    let event = contracts::ordering::OrderDeclined::default().into();
    assert!(Opened::open("ORDERING/7", &recorded(event, at(0)), &simple()).is_none());
}

#[test]
fn a_damaged_event_is_not_opened() {
    let mut event = recorded(placed("", None), at(0));
    event.body = vec![0xff; 9].into();
    assert!(Opened::open("ORDERING/7", &event, &simple()).is_none());
}

#[test]
fn an_anchor_begins_a_series_and_what_fulfils_it_goes_to_its_first_open_period() {
    let all = simple();
    let heard = hear(confirmed(), 5, &all);
    let visits: Vec<_> =
        starts(&heard).into_iter().filter(|(_, clock, _)| *clock == "visit").collect();
    assert_eq!(visits, [("all", "visit", "#1"), ("all", "visit", "#2")]);
    let accepted: order_event::Event =
        GoodsAccepted { order_id: "o-1".into(), ..GoodsAccepted::default() }.into();
    let fulfils = hear(accepted, 9, &all);
    let periods: Vec<&str> = fulfils
        .iter()
        .filter(|heard| heard.clocks.len() > 1)
        .flat_map(|heard| &heard.clocks)
        .map(|told| told.about.period.as_str())
        .collect();
    assert_eq!(periods, ["#1", "#2"]);
}

#[test]
fn a_clock_says_what_was_due_before_it_hears() {
    let all = simple();
    let event = recorded(placed("", None), at(0));
    let opened = Opened::open("ORDERING/7", &event, &all).unwrap();
    let told = opened.hear(&all).remove(0).clocks.remove(0);
    let started = opened.decide(&Clock::default(), &told, &all, at(0)).unwrap();
    let clock = started.iter().fold(Clock::default(), Clock::evolve);

    let event = recorded(confirmed(), at(500));
    let opened = Opened::open("ORDERING/8", &event, &all).unwrap();
    let told = opened.hear(&all).into_iter().find(|heard| heard.clocks[0].about.clock == "respond");
    let told = &told.unwrap().clocks[0];
    let said = opened.decide(&clock, told, &all, at(500)).unwrap();
    // it was confirmed in time, which became known late: first a breach, then not
    let expected = [
        "DeadlineBreached",
        "ResultRecorded",
        "ClockStopped",
        "BreachWithdrawn",
        "ResultRetracted",
        "ResultRecorded",
    ];
    assert_eq!(names(&said), expected);
    // what is not known for certain is not said
    let said = opened.decide(&clock, told, &all, at(100)).unwrap();
    assert_eq!(names(&said), ["ClockStopped", "ResultRecorded"]);
}
