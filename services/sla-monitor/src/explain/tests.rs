use contracts::sla::{
    ClockPolicy, ClockState, FactKind, Party, Profile, Span as ApiSpan, SpanUnit,
    Target as ApiTarget,
};

use super::*;
use crate::{
    grpc::testing::{at, confirm, fact, hours, outage, plan, profile, start},
    ledger::from_duration,
};

fn rules(change: impl FnOnce(&mut ClockPolicy)) -> Plan {
    let mut clock = confirm();
    change(&mut clock);
    plan(&profile("care", [clock]))
}

fn placed() -> Fact {
    fact(FactKind::Start, "2026-03-02 10:00")
}

fn paused(local: &str) -> Fact {
    Fact {
        holder: Party::User.into(),
        reason: "a substitute was offered".into(),
        ..fact(FactKind::Pause, local)
    }
}

fn extended(local: &str, until: &str) -> Fact {
    Fact { until: Some(to_proto(at(until))), ..fact(FactKind::Extend, local) }
}

fn told(facts: &[Fact], plan: &Plan, now: &str) -> Explanation {
    explain(facts, plan, at(now)).unwrap()
}

fn minutes(span: &Option<prost_types::Duration>) -> i64 {
    from_duration(span.as_ref().unwrap()).as_mins()
}

fn due(told: &Explanation) -> Option<Timestamp> {
    crate::timeline::time(&told.deadlines.as_ref()?.due_at)
}

#[test]
fn a_running_clock_tells_when_it_is_due_and_what_is_left() {
    let plan = rules(|_| {});
    let told = told(&[placed()], &plan, "2026-03-02 11:00");
    assert_eq!(told.state(), ClockState::Running);
    assert_eq!(due(&told), Some(at("2026-03-02 12:00")));
    assert_eq!((minutes(&told.elapsed), minutes(&told.remaining)), (60, 60));
    assert!(!told.breached);
    assert_eq!(told.profile_version, 1);
    assert_eq!(told.policy, Some(confirm()));
    assert_eq!(
        told.sentences,
        [
            "Order confirmed: started 2026-03-02 10:00:00.",
            "Promised: 2 hours after the start, by calendar 24x7.",
            "The contract allows 4 hours.",
            "Counted so far: 1h.",
            "Due 2026-03-02 12:00:00.",
            "Left: 1h.",
        ]
    );
}

#[test]
fn a_halted_clock_tells_who_holds_the_case_and_why() {
    let facts = [placed(), paused("2026-03-02 10:30")];
    let told = told(&facts, &rules(|_| {}), "2026-03-02 15:00");
    assert_eq!(told.state(), ClockState::Paused);
    assert_eq!((due(&told), told.remaining), (None, None));
    assert_eq!(minutes(&told.elapsed), 30);
    assert!(!told.breached);
    assert_eq!(
        told.sentences[3..],
        [
            "Not counted: 2026-03-02 10:30:00 to now, held by user: a substitute was offered \
             (ORDERING/202603021030).",
            "Counted so far: 30m.",
            "It is halted: when it is due shows when it goes on.",
        ]
    );
    let segments: Vec<_> =
        told.segments.iter().map(|it| (it.holder(), it.counted, it.to.is_some())).collect();
    assert_eq!(segments, [(Party::Supplier, true, true), (Party::User, false, false)]);
    assert_eq!(minutes(&told.segments[0].working), 30);
}

#[test]
fn a_clock_that_goes_on_is_due_later_by_what_did_not_count() {
    let facts = [placed(), paused("2026-03-02 10:30"), fact(FactKind::Resume, "2026-03-02 13:00")];
    let told = told(&facts, &rules(|_| {}), "2026-03-02 13:30");
    assert_eq!(told.state(), ClockState::Running);
    assert_eq!(due(&told), Some(at("2026-03-02 14:30")));
    assert_eq!((minutes(&told.elapsed), minutes(&told.remaining)), (60, 60));
    assert!(
        told.sentences[3].starts_with("Not counted: 2026-03-02 10:30:00 to 2026-03-02 13:00:00")
    );
}

#[test]
fn force_majeure_is_nobodys_time() {
    let facts = [placed(), fact(FactKind::Exempt, "2026-03-02 11:00")];
    let told = told(&facts, &rules(|_| {}), "2026-03-02 18:00");
    assert_eq!(told.state(), ClockState::Paused);
    assert_eq!(told.segments[1].holder(), Party::ForceMajeure);
    assert_eq!(told.segments[1].reason, "force majeure");
    assert_eq!(
        told.sentences[3],
        "Not counted: 2026-03-02 11:00:00 to now, held by force majeure: force majeure \
         (ORDERING/202603021100)."
    );
    let lifted = [facts.as_slice(), &[fact(FactKind::ExemptEnd, "2026-03-02 18:00")]].concat();
    let plan = rules(|_| {});
    assert_eq!(
        due(&super::explain(&lifted, &plan, at("2026-03-02 18:00")).unwrap()),
        Some(at("2026-03-02 19:00"))
    );
}

#[test]
fn a_late_clock_has_less_than_nothing_left() {
    let told = told(&[placed()], &rules(|_| {}), "2026-03-02 13:30");
    assert!(told.breached);
    assert_eq!(told.state(), ClockState::Running);
    assert_eq!(minutes(&told.remaining), -90);
    assert_eq!(
        told.sentences[3..],
        ["Counted so far: 3h 30m.", "Due 2026-03-02 12:00:00.", "Late by 1h 30m."]
    );
}

#[test]
fn at_the_moment_of_its_deadline_it_is_not_late() {
    let told = told(&[placed()], &rules(|_| {}), "2026-03-02 12:00");
    assert!(!told.breached);
    assert_eq!(minutes(&told.remaining), 0);
}

#[test]
fn a_promise_that_was_kept_is_told_as_done_whenever_it_is_asked() {
    let facts = [placed(), fact(FactKind::Stop, "2026-03-02 11:00")];
    for now in ["2026-03-02 11:00", "2026-12-24 10:00"] {
        let told = told(&facts, &rules(|_| {}), now);
        assert_eq!(told.state(), ClockState::Stopped);
        assert!(!told.breached);
        assert_eq!((minutes(&told.elapsed), minutes(&told.remaining)), (60, 60));
        assert_eq!(
            told.sentences[3..],
            [
                "Counted so far: 1h.",
                "Due 2026-03-02 12:00:00.",
                "Done 2026-03-02 11:00:00 (ORDERING/202603021100).",
            ]
        );
    }
}

#[test]
fn a_promise_that_was_kept_late_tells_by_how_much() {
    let facts = [placed(), fact(FactKind::Stop, "2026-03-02 12:15")];
    let told = told(&facts, &rules(|_| {}), "2026-12-24 10:00");
    assert!(told.breached);
    assert_eq!(minutes(&told.remaining), -15);
    assert_eq!(told.sentences.last().unwrap(), "Late by 15m.");
}

#[test]
fn a_cancelled_clock_is_told_so() {
    let facts = [placed(), fact(FactKind::Cancel, "2026-03-02 11:00")];
    let told = told(&facts, &rules(|_| {}), "2026-03-02 20:00");
    assert_eq!(told.state(), ClockState::Cancelled);
    assert!(!told.breached);
    assert_eq!(
        told.sentences.last().unwrap(),
        "Cancelled 2026-03-02 11:00:00 (ORDERING/202603021100)."
    );
}

#[test]
fn a_deadline_that_was_agreed_is_told_as_the_users() {
    let facts = [placed(), extended("2026-03-02 11:00", "2026-03-03 09:00")];
    let told = told(&facts, &rules(|_| {}), "2026-03-02 11:30");
    assert_eq!(due(&told), Some(at("2026-03-03 09:00")));
    assert_eq!(told.sentences[1], "Promised: as the user set or agreed to it, by calendar 24x7.");
    assert_eq!(minutes(&told.remaining), 21 * 60 + 30);
}

#[test]
fn a_deadline_of_the_user_is_told_as_his() {
    let plan = rules(|it| {
        it.committed = Some(ApiTarget { span: None, field: "terms.deliver_by".into() });
        it.contractual = None;
    });
    let start = Fact { until: Some(to_proto(at("2026-03-05 18:00"))), ..placed() };
    let told = told(&[start], &plan, "2026-03-02 11:00");
    assert_eq!(due(&told), Some(at("2026-03-05 18:00")));
    assert_eq!(told.sentences[1], "Promised: as the user set or agreed to it, by calendar 24x7.");
    assert!(!told.sentences.iter().any(|it| it.starts_with("The contract")));
}

#[test]
fn a_deadline_in_a_year_without_official_days_may_move() {
    let planned = |calendar: &str| {
        let calendar = calendar.to_owned();
        let plan = rules(|it| {
            it.calendar = calendar;
            it.committed = hours(16);
            it.contractual = None;
        });
        told(&[fact(FactKind::Start, "2026-12-31 10:00")], &plan, "2026-12-31 11:00")
    };
    let office = planned("5x8");
    assert!(office.deadlines.as_ref().unwrap().planned);
    let may_move = "The official days of a year on the way are not known yet: it may move.";
    assert!(office.sentences.iter().any(|it| it == may_move));
    let always = planned("24x7");
    assert!(!always.deadlines.as_ref().unwrap().planned, "it knows no holidays");
    assert!(!always.sentences.iter().any(|it| it == may_move));
}

#[test]
fn only_open_hours_count() {
    let plan = rules(|it| it.calendar = "5x8".into());
    let told = told(&[fact(FactKind::Start, "2026-03-06 17:00")], &plan, "2026-03-09 09:30");
    assert_eq!(due(&told), Some(at("2026-03-09 10:00")));
    assert_eq!((minutes(&told.elapsed), minutes(&told.remaining)), (90, 30));
    assert!(told.sentences[1].ends_with("by calendar 5x8."));
}

#[test]
fn a_period_comes_to_its_end_and_is_nobodys_breach() {
    let plan = rules(|it| {
        it.kind = ClockKind::Period.into();
        it.contractual = None;
    });
    let running = told(&[placed()], &plan, "2026-03-02 11:00");
    assert_eq!(running.state(), ClockState::Running);
    for now in ["2026-03-02 12:00", "2026-03-02 15:00"] {
        let over = told(&[placed()], &plan, now);
        assert_eq!((over.state(), over.breached), (ClockState::Ended, false), "{now}");
        assert!(!over.sentences.iter().any(|it| it.starts_with("Late")));
    }
}

#[test]
fn an_outage_has_no_deadline() {
    let plan = plan(&profile("care", [outage()]));
    let told = told(&[placed()], &plan, "2026-03-02 15:00");
    assert_eq!((due(&told), told.remaining, told.breached), (None, None, false));
    assert_eq!(minutes(&told.elapsed), 300);
    assert_eq!(
        told.sentences,
        ["Parcel stands still: started 2026-03-02 10:00:00.", "Counted so far: 5h."]
    );
}

#[test]
fn each_cycle_has_its_segments_and_the_last_is_told() {
    let plan = rules(|it| {
        it.reset = vec![crate::grpc::testing::pattern("OrderDeclined", "declined_at")];
    });
    let facts = [
        placed(),
        fact(FactKind::Stop, "2026-03-02 11:00"),
        fact(FactKind::Reset, "2026-03-02 14:00"),
    ];
    let told = told(&facts, &plan, "2026-03-02 15:00");
    assert_eq!(told.state(), ClockState::Running);
    assert_eq!(told.sentences[0], "Order confirmed: started 2026-03-02 14:00:00.");
    assert_eq!(minutes(&told.elapsed), 60);
    let cycles: Vec<_> = told.segments.iter().map(|it| (it.cycle, it.to.is_some())).collect();
    assert_eq!(cycles, [(1, true), (2, false)]);
}

#[test]
fn facts_without_a_start_are_no_clock() {
    for facts in [vec![], vec![fact(FactKind::Stop, "2026-03-02 11:00")]] {
        let told = told(&facts, &rules(|_| {}), "2026-03-02 15:00");
        assert_eq!(told.sentences, ["By these rules it has not started."]);
        assert_eq!(told.state(), ClockState::Unspecified);
        assert!(told.policy.is_some() && told.segments.is_empty());
    }
}

#[test]
fn a_start_in_the_future_has_used_up_nothing() {
    let told =
        told(&[fact(FactKind::Start, "2026-03-05 10:00")], &rules(|_| {}), "2026-03-02 10:00");
    assert_eq!((minutes(&told.elapsed), minutes(&told.remaining)), (0, 120));
    assert!(!told.breached);
}

#[test]
fn beyond_the_calendar_there_is_no_answer() {
    let plan = rules(|_| {});
    let late = fact(FactKind::Start, "2099-12-31 23:00");
    assert!(explain(&[late], &plan, start()).is_err());
    assert!(explain(&[placed()], &plan, Timestamp::MAX).is_err());
}

#[test]
fn the_explanation_of_a_duty_shows_its_rules() {
    let duty = contracts::sla::DutyPolicy {
        name: "report".into(),
        title: "Monthly report".into(),
        period: contracts::sla::DutyPeriod::Month.into(),
        calendar: "workdays".into(),
        owner: "clerk".into(),
        ..Default::default()
    };
    let plan = plan(&Profile { duties: vec![duty], ..profile("duties", []) });
    let start = Fact {
        until: Some(to_proto(at("2026-04-01 00:00"))),
        ..fact(FactKind::Start, "2026-03-01 00:00")
    };
    let told = told(&[start], &plan, "2026-03-20 10:00");
    assert_eq!(told.policy.as_ref().unwrap().name, "report");
    assert_eq!(due(&told), Some(at("2026-04-01 00:00")));
}

#[test]
fn spans_are_told_in_words() {
    let mut fields = chassis::Fields::new();
    for (amount, unit, end_of_day, expected) in [
        (1, SpanUnit::Seconds, false, "1 second"),
        (2, SpanUnit::Minutes, false, "2 minutes"),
        (1, SpanUnit::Hours, true, "1 hour, to the end of the day"),
        (3, SpanUnit::WorkingDays, false, "3 working days"),
        (7, SpanUnit::Days, true, "7 days, to the end of the day"),
        (1, SpanUnit::Weeks, false, "1 week"),
        (24, SpanUnit::Months, false, "24 months"),
        (2, SpanUnit::Years, false, "2 years"),
    ] {
        let given = ApiSpan { amount, unit: unit.into(), end_of_day };
        assert_eq!(words(crate::policy::span(&mut fields, &given).unwrap()), expected);
    }
}
