use contracts::sla::{
    DutyPolicy, FactKind, Pattern as ApiPattern, Profile, Span as ApiSpan, SpanUnit,
};
use eventlog::time::from_proto;

use super::*;
use crate::grpc::testing::{at, fact, pattern, plan, profile, span, start};

const LENGTHS: [DutyPeriod; 7] = [
    DutyPeriod::Day,
    DutyPeriod::WorkingDay,
    DutyPeriod::Week,
    DutyPeriod::Month,
    DutyPeriod::Quarter,
    DutyPeriod::HalfYear,
    DutyPeriod::Year,
];

fn report(length: DutyPeriod) -> DutyPolicy {
    DutyPolicy {
        name: "report".into(),
        title: "Report".into(),
        period: length.into(),
        calendar: "workdays".into(),
        owner: "clerk".into(),
        ..DutyPolicy::default()
    }
}

/// `times` periods of this length after an order.
fn series(every: ApiSpan, times: u32) -> DutyPolicy {
    DutyPolicy {
        anchor: Some(ApiPattern {
            subject: vec!["terms.order_id".into()],
            ..pattern("OrderPlaced", "terms.placed_at")
        }),
        subject: vec!["order_id".into()],
        every: Some(every),
        times,
        ..report(DutyPeriod::Unspecified)
    }
}

fn of(duty: DutyPolicy) -> (Duty, Plan) {
    let plan = plan(&Profile { duties: vec![duty], ..profile("duties", []) });
    (plan.policy.duty.clone().unwrap(), plan)
}

fn local(at: Timestamp, plan: &Plan) -> String {
    at.to_zoned(plan.calendar.zone().clone()).strftime("%Y-%m-%d %H:%M").to_string()
}

fn bounds(owed: &Owed, plan: &Plan) -> (String, String) {
    let moment = |at: &Option<prost_types::Timestamp>| {
        local(from_proto(at.as_ref().unwrap()).unwrap(), plan)
    };
    (moment(&owed.start.at), moment(&owed.start.until))
}

/// Name and end of each period that is owed in the period of this moment.
fn owed_at(moment: &str, length: DutyPeriod, duty: DutyPolicy) -> Vec<(String, String)> {
    let (duty, plan) = of(duty);
    let period = period(at(moment), length, &plan).unwrap();
    let owed = owed_in(&period, length, &duty, &plan).unwrap();
    owed.iter().map(|owed| (owed.period.clone(), bounds(owed, &plan).1)).collect()
}

#[test]
fn a_period_has_its_name_and_its_bounds() {
    let (_, plan) = of(report(DutyPeriod::Day));
    for (moment, length, name, from, to) in [
        ("2026-03-04 15:00", DutyPeriod::Day, "2026-03-04", "2026-03-04", "2026-03-05"),
        ("2026-03-04 15:00", DutyPeriod::WorkingDay, "2026-03-04", "2026-03-04", "2026-03-05"),
        ("2026-03-04 15:00", DutyPeriod::Week, "2026-W10", "2026-03-02", "2026-03-09"),
        ("2026-03-02 00:00", DutyPeriod::Week, "2026-W10", "2026-03-02", "2026-03-09"),
        ("2026-03-08 23:59", DutyPeriod::Week, "2026-W10", "2026-03-02", "2026-03-09"),
        ("2027-01-01 08:00", DutyPeriod::Week, "2026-W53", "2026-12-28", "2027-01-04"),
        ("2026-03-04 15:00", DutyPeriod::Month, "2026-03", "2026-03-01", "2026-04-01"),
        ("2024-02-29 23:59", DutyPeriod::Month, "2024-02", "2024-02-01", "2024-03-01"),
        ("2026-12-31 23:59", DutyPeriod::Month, "2026-12", "2026-12-01", "2027-01-01"),
        ("2026-03-31 23:59", DutyPeriod::Quarter, "2026-Q1", "2026-01-01", "2026-04-01"),
        ("2026-04-01 00:00", DutyPeriod::Quarter, "2026-Q2", "2026-04-01", "2026-07-01"),
        ("2026-09-30 12:00", DutyPeriod::Quarter, "2026-Q3", "2026-07-01", "2026-10-01"),
        ("2026-10-01 00:00", DutyPeriod::Quarter, "2026-Q4", "2026-10-01", "2027-01-01"),
        ("2026-06-30 23:59", DutyPeriod::HalfYear, "2026-H1", "2026-01-01", "2026-07-01"),
        ("2026-07-01 00:00", DutyPeriod::HalfYear, "2026-H2", "2026-07-01", "2027-01-01"),
        ("2026-12-31 23:59", DutyPeriod::Year, "2026", "2026-01-01", "2027-01-01"),
    ] {
        let found = period(at(moment), length, &plan).unwrap();
        assert_eq!(found.name, name, "{moment} {length:?}");
        let midnight = |date: &str| at(&format!("{date} 00:00"));
        assert_eq!((found.from, found.to), (midnight(from), midnight(to)), "{moment} {length:?}");
    }
}

#[test]
fn each_moment_lies_in_one_period_and_the_next_begins_where_it_ends() {
    let (_, plan) = of(report(DutyPeriod::Day));
    for length in LENGTHS {
        let mut moment = at("2023-12-25 17:30");
        while moment < at("2029-01-10 00:00") {
            let here = period(moment, length, &plan).unwrap();
            assert!(here.from <= moment && moment < here.to, "{length:?} {moment}");
            assert_eq!(period(here.from, length, &plan).unwrap(), here);
            let next = period(here.to, length, &plan).unwrap();
            assert_eq!(next.from, here.to, "{length:?} {moment}");
            assert_ne!(next.name, here.name);
            moment += jiff::SignedDuration::from_hours(13 * 24 + 7);
        }
    }
}

#[test]
fn beyond_the_calendar_there_is_no_period_and_no_panic() {
    let (duty, plan) = of(report(DutyPeriod::Day));
    for length in LENGTHS {
        for moment in
            [Timestamp::MIN, Timestamp::MAX, at("1999-12-31 12:00"), at("2100-01-01 12:00")]
        {
            if let Ok(period) = period(moment, length, &plan) {
                let _ = owed_in(&period, length, &duty, &plan);
            }
        }
        assert!(period(Timestamp::MAX, length, &plan).is_err(), "{length:?}");
    }
    let last = period(at("2099-12-31 12:00"), DutyPeriod::Year, &plan).unwrap();
    assert_eq!(owed_in(&last, DutyPeriod::Year, &duty, &plan).unwrap().len(), 1);
}

#[test]
fn a_duty_is_owed_by_the_end_of_its_period() {
    let month = owed_at("2026-03-04 15:00", DutyPeriod::Month, report(DutyPeriod::Month));
    assert_eq!(month, [("2026-03".into(), "2026-04-01 00:00".into())]);
    let (duty, plan) = of(report(DutyPeriod::Month));
    let march = period(start(), DutyPeriod::Month, &plan).unwrap();
    let owed = &owed_in(&march, DutyPeriod::Month, &duty, &plan).unwrap()[0];
    assert_eq!(owed.start.kind(), FactKind::Start);
    assert_eq!(owed.start.evidence, "schedule/2026-03");
    assert_eq!(bounds(owed, &plan).0, "2026-03-01 00:00");
    assert_eq!(owed.start.recorded_at, owed.start.at);
}

#[test]
fn grace_is_counted_from_the_end_of_the_period() {
    let with = |amount, unit| DutyPolicy { grace: span(amount, unit), ..report(DutyPeriod::Month) };
    let until = |duty| owed_at("2026-03-04 15:00", DutyPeriod::Month, duty)[0].1.clone();
    assert_eq!(until(with(3, SpanUnit::WorkingDays)), "2026-04-04 00:00");
    assert_eq!(until(with(12, SpanUnit::Hours)), "2026-04-01 12:00");
    assert_eq!(until(with(1, SpanUnit::Weeks)), "2026-04-08 00:00");
    // 4 to 6 April are holidays
    assert_eq!(until(with(4, SpanUnit::WorkingDays)), "2026-04-08 00:00");
}

#[test]
fn a_duty_may_be_owed_several_times_in_a_period() {
    let thrice = DutyPolicy { times_per_period: 3, ..report(DutyPeriod::Week) };
    let owed = owed_at("2026-03-04 15:00", DutyPeriod::Week, thrice);
    let names: Vec<_> = owed.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["2026-W10", "2026-W10/2", "2026-W10/3"]);
    assert!(owed.iter().all(|(_, until)| until == "2026-03-09 00:00"));
}

#[test]
fn a_duty_of_working_days_is_not_owed_on_days_off_and_is_on_working_weekends() {
    let owed = |date: &str| {
        let moment = format!("{date} 12:00");
        owed_at(&moment, DutyPeriod::WorkingDay, report(DutyPeriod::WorkingDay)).len()
    };
    for date in ["2026-02-13", "2026-02-14", "2026-02-28", "2026-03-02"] {
        assert_eq!(owed(date), 1, "{date}");
    }
    for date in ["2026-01-01", "2026-02-15", "2026-02-17", "2026-02-23", "2026-03-07", "2026-03-08"]
    {
        assert_eq!(owed(date), 0, "{date}");
    }
    let each_day = owed_at("2026-02-17 12:00", DutyPeriod::Day, report(DutyPeriod::Day));
    assert_eq!(each_day.len(), 1, "a duty of each day knows no days off");
}

#[test]
fn working_days_of_a_year_are_as_many_as_are_owed() {
    let (duty, plan) = of(report(DutyPeriod::WorkingDay));
    let (mut moment, mut days) = (at("2026-01-01 00:00"), 0);
    while moment < at("2027-01-01 00:00") {
        let day = period(moment, DutyPeriod::WorkingDay, &plan).unwrap();
        days += owed_in(&day, DutyPeriod::WorkingDay, &duty, &plan).unwrap().len();
        moment = day.to;
    }
    let open = plan.calendar.working(at("2026-01-01 00:00"), at("2027-01-01 00:00")).unwrap();
    assert_eq!(i64::try_from(days).unwrap(), open.as_hours() / 24);
}

#[test]
fn a_series_is_counted_from_its_anchor_so_that_month_ends_do_not_wear_off() {
    let (_, plan) = of(series(span(1, SpanUnit::Months).unwrap(), 12));
    let anchor = fact(FactKind::Start, "2026-01-31 09:00");
    let owed = owed_after(&anchor, at("2026-01-31 09:00"), &plan).unwrap();
    let names: Vec<_> = owed.iter().map(|owed| owed.period.as_str()).collect();
    assert_eq!(names[..3], ["#1", "#2", "#3"]);
    assert_eq!((names.len(), names[11]), (12, "#12"));
    let ends: Vec<_> = owed.iter().map(|owed| bounds(owed, &plan).1[..10].to_owned()).collect();
    assert_eq!(
        ends,
        [
            "2026-02-28",
            "2026-03-31",
            "2026-04-30",
            "2026-05-31",
            "2026-06-30",
            "2026-07-31",
            "2026-08-31",
            "2026-09-30",
            "2026-10-31",
            "2026-11-30",
            "2026-12-31",
            "2027-01-31",
        ]
    );
    let starts: Vec<_> = owed.iter().map(|owed| bounds(owed, &plan).0).collect();
    assert_eq!(starts[..2], ["2026-01-31 09:00", "2026-02-28 09:00"]);
}

#[test]
fn a_leap_day_comes_back_every_fourth_year() {
    let (_, plan) = of(series(span(1, SpanUnit::Years).unwrap(), 4));
    let owed =
        owed_after(&fact(FactKind::Start, "2024-02-29 09:00"), at("2024-02-29 09:00"), &plan);
    let ends: Vec<_> = owed.unwrap().iter().map(|owed| bounds(owed, &plan).1).collect();
    assert_eq!(
        ends,
        ["2025-02-28 09:00", "2026-02-28 09:00", "2027-02-28 09:00", "2028-02-29 09:00"]
    );
}

#[test]
fn a_period_of_a_series_bears_the_proof_of_its_anchor() {
    let every = span(6, SpanUnit::Months).unwrap();
    let duty =
        DutyPolicy { times_per_period: 2, grace: span(10, SpanUnit::Days), ..series(every, 2) };
    let (_, plan) = of(duty);
    let anchor = Fact {
        event: "emall.ordering.v1.OrderPlaced".into(),
        recorded_at: Some(to_proto(at("2026-03-05 08:00"))),
        ..fact(FactKind::Start, "2026-03-02 10:00")
    };
    let owed = owed_after(&anchor, start(), &plan).unwrap();
    let told: Vec<_> =
        owed.iter().map(|owed| (owed.period.as_str(), bounds(owed, &plan))).collect();
    let bounds = |from: &str, to: &str| (from.to_owned(), to.to_owned());
    let first = bounds("2026-03-02 10:00", "2026-09-12 10:00");
    let second = bounds("2026-09-02 10:00", "2027-03-12 10:00");
    assert_eq!(
        told,
        [("#1", first.clone()), ("#1/2", first), ("#2", second.clone()), ("#2/2", second)]
    );
    for owed in owed {
        assert_eq!(owed.start.evidence, anchor.evidence);
        assert_eq!(owed.start.event, anchor.event);
        assert_eq!(owed.start.recorded_at, anchor.recorded_at);
    }
}

#[test]
fn a_series_beyond_the_calendar_is_refused_as_a_whole() {
    for (amount, unit) in [
        (1, SpanUnit::Years),
        (100_000, SpanUnit::Years),
        (100_000, SpanUnit::WorkingDays),
        (100_000, SpanUnit::Seconds),
    ] {
        let (_, plan) = of(series(span(amount, unit).unwrap(), 100));
        let anchor = fact(FactKind::Start, "2026-03-02 10:00");
        let owed = owed_after(&anchor, start(), &plan);
        let fits = unit == SpanUnit::Seconds;
        assert_eq!(owed.is_ok(), fits, "{amount} {unit:?}");
    }
}

#[test]
fn only_a_series_is_owed_after_an_event() {
    let (_, plan) = of(report(DutyPeriod::Month));
    let anchor = fact(FactKind::Start, "2026-03-02 10:00");
    assert_eq!(owed_after(&anchor, start(), &plan), Ok(Vec::new()));
    let clock = crate::grpc::testing::plan(&profile("care", [crate::grpc::testing::confirm()]));
    assert_eq!(owed_after(&anchor, start(), &clock), Ok(Vec::new()));
}
