//! Each cycle counts once.

use contracts::sla::ClockKind;

use super::*;

#[test]
fn a_promise_that_is_kept_is_met_on_the_day_of_its_end() {
    let story = Story::begin().at(FactKind::Stop, "2026-03-02 11:00");
    let rows = story.rows();
    let (id, line) = rows.first_key_value().unwrap();
    assert_eq!(id, "2026-03-02/care/confirm/mall/PARTY_SUPPLIER");
    assert_eq!((rows.len(), line.met, minutes(&line.overrun)), (1, 1, 0));
    assert_eq!(story.counts(), [1, 0, 0, 0, 0]);
}

#[test]
fn nothing_counts_before_the_end_or_the_deadline() {
    assert!(Story::begin().rows().is_empty());
    assert!(Story::begin().until("2026-03-02 12:00").rows().is_empty(), "it is not over yet");
    assert!(Story::begin().asked("2026-03-02 11:00").until("2026-03-09 12:00").rows().is_empty());
}

#[test]
fn a_breach_and_the_late_stop_after_it_count_once() {
    let story = Story::begin().until("2026-03-02 13:00").at(FactKind::Stop, "2026-03-02 13:00");
    assert_eq!(story.counts(), [0, 1, 0, 0, 0]);
    let line = &story.rows()["2026-03-02/care/confirm/mall/PARTY_SUPPLIER"];
    assert_eq!(minutes(&line.overrun), 60);
}

#[test]
fn a_late_stop_counts_as_a_breach_also_when_it_is_heard_first() {
    let story = Story::begin().at(FactKind::Stop, "2026-03-02 13:00");
    assert_eq!(story.counts(), [0, 0, 0, 0, 0], "the breach is not said yet");
    assert_eq!(story.until("2026-03-02 13:01").counts(), [0, 1, 0, 0, 0]);
}

#[test]
fn a_breach_counts_on_the_day_of_its_deadline_and_its_overrun_on_that_of_the_end() {
    let mut clock = confirm();
    clock.contractual = None;
    let story = Story::of(clock).until("2026-03-03 09:00").at(FactKind::Stop, "2026-03-03 09:00");
    let rows = story.rows();
    assert_eq!(story.counts(), [0, 1, 0, 0, 0]);
    assert_eq!(rows["2026-03-02/care/confirm/mall/PARTY_SUPPLIER"].breached, 1);
    assert_eq!(minutes(&rows["2026-03-03/care/confirm/mall/PARTY_SUPPLIER"].overrun), 21 * 60);
}

#[test]
fn both_limits_count_on_their_own() {
    let story = Story::begin().until("2026-03-02 15:00").at(FactKind::Stop, "2026-03-02 15:00");
    assert_eq!(story.counts(), [0, 1, 1, 0, 0]);
}

#[test]
fn what_is_cancelled_in_time_is_cancelled_and_what_was_missed_before_is_missed() {
    let in_time = Story::begin().at(FactKind::Cancel, "2026-03-02 11:00");
    assert_eq!(in_time.until("2026-03-09 10:00").counts(), [0, 0, 0, 1, 0]);
    let late = Story::begin().until("2026-03-02 13:00").at(FactKind::Cancel, "2026-03-02 13:00");
    assert_eq!(late.until("2026-03-09 10:00").counts(), [0, 1, 0, 0, 0]);
    let unsaid = Story::begin().at(FactKind::Cancel, "2026-03-02 13:00");
    assert_eq!(unsaid.until("2026-03-09 10:00").counts(), [0, 1, 0, 0, 0]);
    let halted = Story::begin().asked("2026-03-02 11:00").at(FactKind::Cancel, "2026-03-05 11:00");
    assert_eq!(halted.until("2026-03-09 10:00").counts(), [0, 0, 0, 1, 0]);
}

#[test]
fn a_breach_is_taken_back_from_where_it_was_counted() {
    let story = Story::begin()
        .until("2026-03-02 12:30")
        // it becomes known only now that the user had the case
        .asked("2026-03-02 11:00")
        .at(FactKind::Resume, "2026-03-02 16:00")
        .at(FactKind::Stop, "2026-03-02 16:30");
    assert_eq!(story.counts(), [1, 0, 0, 0, 1]);
    let rows = story.rows();
    let line = &rows["2026-03-02/care/confirm/mall/PARTY_SUPPLIER"];
    assert_eq!((line.met, line.breached, line.withdrawn), (1, 0, 1));
    assert_eq!(rows.len(), 1, "nothing is taken back from the user: {rows:?}");
}

#[test]
fn a_stop_in_time_that_is_heard_late_turns_a_breach_into_a_kept_promise() {
    let story = Story::begin().until("2026-03-02 12:30").at(FactKind::Stop, "2026-03-02 11:30");
    assert_eq!(story.counts(), [1, 0, 0, 0, 1]);
}

#[test]
fn a_cancellation_before_the_deadline_that_is_heard_late_takes_the_breach_back() {
    let story = Story::begin().until("2026-03-02 12:30").at(FactKind::Cancel, "2026-03-02 11:30");
    assert_eq!(story.counts(), [0, 0, 0, 1, 1]);
}

#[test]
fn a_late_end_that_turns_out_to_be_in_time_is_met() {
    let story = Story::begin()
        .until("2026-03-02 12:30")
        .at(FactKind::Stop, "2026-03-02 12:30")
        .asked("2026-03-02 11:00")
        .at(FactKind::Resume, "2026-03-02 12:00");
    assert_eq!(story.counts(), [1, 0, 0, 0, 1]);
}

#[test]
fn an_earlier_stop_that_is_heard_after_a_late_one_is_met_once() {
    let story = Story::begin()
        .until("2026-03-02 12:30")
        .at(FactKind::Stop, "2026-03-02 12:30")
        .at(FactKind::Stop, "2026-03-02 11:30");
    assert_eq!(story.counts(), [1, 0, 0, 0, 1]);
}

#[test]
fn a_late_end_that_turns_out_to_have_been_cancelled_before_is_not_met() {
    let story = Story::begin()
        .until("2026-03-02 12:30")
        .at(FactKind::Stop, "2026-03-02 12:30")
        .at(FactKind::Cancel, "2026-03-02 11:30");
    assert_eq!(story.counts(), [0, 0, 0, 1, 1]);
}

#[test]
fn a_breach_that_is_taken_back_can_come_again() {
    let story = Story::begin()
        .until("2026-03-02 12:30")
        .asked("2026-03-02 11:00")
        .at(FactKind::Resume, "2026-03-02 13:00")
        .until("2026-03-02 14:30");
    assert_eq!(story.counts(), [0, 1, 0, 0, 1]);
}

#[test]
fn what_was_only_announced_never_counts() {
    let story = Story::begin().announced("2026-03-02 13:00");
    assert!(story.events.iter().any(|event| matches!(event, Event::BreachAnnounced(_))));
    assert!(story.rows().is_empty());
    let kept = Story::begin()
        .announced("2026-03-02 13:00")
        .at(FactKind::Stop, "2026-03-02 11:00")
        .until("2026-03-02 14:00");
    assert_eq!(kept.counts(), [1, 0, 0, 0, 0]);
    let missed = Story::begin().announced("2026-03-02 13:00").until("2026-03-02 13:00");
    assert_eq!(missed.counts(), [0, 1, 0, 0, 0]);
}

#[test]
fn each_cycle_counts_for_itself() {
    let mut clock = confirm();
    clock.reset = vec![crate::grpc::testing::pattern("OrderDeclined", "declined_at")];
    let story = Story::of(clock)
        .at(FactKind::Stop, "2026-03-02 11:00")
        .at(FactKind::Reset, "2026-03-02 14:00")
        .until("2026-03-02 17:00")
        .at(FactKind::Stop, "2026-03-02 17:00");
    assert_eq!(story.counts(), [1, 1, 0, 0, 0]);
    let line = &story.rows()["2026-03-02/care/confirm/mall/PARTY_SUPPLIER"];
    assert_eq!(minutes(&line.held[0].time), 60 + 180, "the time of each cycle once");
}

#[test]
fn only_promises_count() {
    let mut period = confirm();
    period.kind = ClockKind::Period.into();
    period.contractual = None;
    let over = Story::of(period).until("2026-03-02 15:00");
    assert!(over.events.iter().any(|event| matches!(event, Event::PeriodEnded(_))));
    assert!(over.rows().is_empty());
    let outage = Story::of(crate::grpc::testing::outage()).at(FactKind::Stop, "2026-03-02 15:00");
    assert!(outage.rows().is_empty());
}

#[test]
fn what_is_no_event_of_a_clock_says_nothing() {
    let story = Story::begin().at(FactKind::Stop, "2026-03-02 11:00");
    let event = story.events.last().unwrap();
    let recorded = |stream: &str, name: &str, body: Vec<u8>| RecordedEvent {
        stream: stream.into(),
        r#type: name.into(),
        body: body.into(),
        ..RecordedEvent::default()
    };
    let body = event.encode_body();
    assert!(Compliance::facts(&recorded("clock.id", event.type_name(), body.clone())).is_some());
    assert!(Compliance::facts(&recorded("profile.id", event.type_name(), body.clone())).is_none());
    assert!(Compliance::facts(&recorded("clock.id", "emall.sla.v1.Nothing", body)).is_none());
    assert!(Compliance::facts(&recorded("clock.id", event.type_name(), vec![0xff])).is_none());
    for event in [
        contracts::sla::ClockStopped::default().into(),
        Event::DeadlineBreached(Default::default()),
    ] {
        let empty = recorded("clock.id", event.type_name(), event.encode_body());
        assert!(Compliance::facts(&empty).is_none());
    }
}

#[test]
fn a_day_is_that_of_the_supplier() {
    assert_eq!(day("2026-03-01T15:59:59Z".parse().unwrap()), "2026-03-01");
    assert_eq!(day("2026-03-01T16:00:00Z".parse().unwrap()), "2026-03-02");
    let row = ComplianceFigures { day: "2026-03-02".into(), ..ComplianceFigures::default() };
    let key = &Compliance::keys(&row)[0];
    for (from, to, is_found) in [
        ("2026-03-02", "2026-03-02", true),
        ("2026-03-01", "2026-03-03", true),
        ("2026-03-03", "2026-03-04", false),
        ("2026-02-01", "2026-03-01", false),
    ] {
        let listing = by_day(from, to);
        let found = key.value >= listing.from && Some(&key.value) < listing.to.as_ref();
        assert_eq!(found, is_found, "{from} to {to}");
    }
}

/// Each corrects the end of a cycle that had counted already.
#[test]
fn an_end_that_is_corrected_later_counts_once() {
    use FactKind::{Cancel, Stop};
    let early = ("2026-03-02 10:30", "2026-03-02 11:00");
    let late = ("2026-03-02 11:00", "2026-03-02 13:00");
    for (first, then, (earlier, later), expected) in [
        (Stop, Stop, early, [1, 0, 0, 0, 0]),
        (Cancel, Stop, early, [1, 0, 0, 0, 0]),
        (Stop, Cancel, early, [0, 0, 0, 1, 0]),
        (Cancel, Cancel, early, [0, 0, 0, 1, 0]),
        (Stop, Stop, late, [1, 0, 0, 0, 0]),
        (Stop, Cancel, late, [0, 0, 0, 1, 0]),
        (Cancel, Stop, late, [1, 0, 0, 0, 0]),
    ] {
        let story = Story::begin().at(first, later).at(then, earlier).until("2026-03-09 10:00");
        assert_eq!(story.counts(), expected, "{first:?} at {later}, then {then:?} at {earlier}");
        let held: i64 =
            story.rows().values().flat_map(|line| &line.held).map(|held| minutes(&held.time)).sum();
        let is_met = expected[0] == 1;
        let once = if earlier == early.0 { 30 } else { 60 };
        assert_eq!(held, if is_met { once } else { 0 }, "its time counts once");
    }
}

#[test]
fn an_earlier_cycle_that_is_corrected_after_a_reset_counts_once() {
    let mut clock = confirm();
    clock.reset = vec![crate::grpc::testing::pattern("OrderDeclined", "declined_at")];
    let story = Story::of(clock)
        .until("2026-03-02 13:00")
        .at(FactKind::Stop, "2026-03-02 13:00")
        .at(FactKind::Reset, "2026-03-02 14:00")
        .at(FactKind::Stop, "2026-03-02 15:00");
    assert_eq!(story.counts(), [1, 1, 0, 0, 0]);
    // it becomes known only now that the first one had ended in time
    let story = story.at(FactKind::Stop, "2026-03-02 11:30");
    assert_eq!(story.counts(), [2, 0, 0, 0, 0]);
}

#[test]
fn a_breach_is_withdrawn_where_it_counted_also_when_another_held_the_case_by_then() {
    let story = Story::begin()
        .asked("2026-03-02 12:10")
        .until("2026-03-02 12:30")
        // it becomes known only now that there was force majeure before
        .at(FactKind::Exempt, "2026-03-02 11:00")
        .at(FactKind::ExemptEnd, "2026-03-02 12:00");
    assert_eq!(story.counts(), [0, 0, 0, 0, 1]);
    let rows = story.rows();
    let line = &rows["2026-03-02/care/confirm/mall/PARTY_SUPPLIER"];
    assert_eq!((rows.len(), line.withdrawn), (1, 1), "{rows:?}");
}

/// The clock goes on by other rules: promised within so many hours.
fn replanned(mut story: Story, hours: u32) -> Story {
    let policy = std::sync::Arc::make_mut(&mut story.plan.policy);
    policy.version += 1;
    policy.committed = Some(crate::policy::Target {
        span: Some(crate::timeline::tests::sample::hours(hours)),
        set_by_user: false,
    });
    let (reason, now) = (contracts::sla::ReplanReason::Policy, at("2026-03-02 14:10"));
    let events = story.clock.replan(reason, now, &story.plan).unwrap();
    story.record(events)
}

#[test]
fn all_cycles_count_by_the_rules_that_count_now() {
    let mut clock = confirm();
    clock.contractual = None;
    clock.reset = vec![crate::grpc::testing::pattern("OrderDeclined", "declined_at")];
    let story = Story::of(clock)
        .until("2026-03-02 13:00")
        .at(FactKind::Stop, "2026-03-02 13:00")
        .at(FactKind::Reset, "2026-03-02 14:00");
    assert_eq!(story.counts(), [0, 1, 0, 0, 0]);
    let story = replanned(story, 3);
    assert_eq!(story.counts(), [1, 0, 0, 0, 0]);
    // and whatever becomes known then is measured by the same rules
    let story = story.at(FactKind::Stop, "2026-03-02 12:50");
    assert_eq!(story.counts(), [1, 0, 0, 0, 0]);
    assert_eq!(replanned(story, 1).counts(), [0, 1, 0, 0, 0]);
}
