//! Samples that the tests of policies share.

use chassis::Violations;
use contracts::sla::{self as api, ClockPolicy, DutyPolicy};

use super::*;
use crate::grpc::testing::{confirm, pattern, profile};

mod consequences;
mod duties;
mod hostile;
mod limits;
mod patterns;
mod places;
mod reading;

fn checked(profile: &api::Profile) -> Result<Profile, Violations> {
    check(profile, 7, |name| ["24x7", "5x8", "workdays"].contains(&name))
}

/// Each wrong place of a profile, in order.
fn places(profile: &api::Profile) -> Vec<String> {
    let violations = checked(profile).err();
    let all = violations.iter().flat_map(|violations| violations.iter());
    all.map(|violation| violation.field.clone()).collect()
}

/// Each wrong place of a clock that was right before this change, counted from the clock.
fn of_clock(change: impl FnOnce(&mut ClockPolicy)) -> Vec<String> {
    let mut clock = confirm();
    change(&mut clock);
    let places = places(&profile("care", [clock]));
    places.iter().map(|place| place.replacen("clocks[0].", "", 1)).collect()
}

/// A report is due each month.
fn report() -> DutyPolicy {
    DutyPolicy {
        name: "report".into(),
        title: "Monthly report".into(),
        serves: vec!["SLA-16".into()],
        period: api::DutyPeriod::Month.into(),
        fulfilled: vec![pattern("ReconciliationMade", "made_at")],
        calendar: "workdays".into(),
        owner: "clerk".into(),
        ..DutyPolicy::default()
    }
}

/// Two visits follow an order, half a year after each other.
fn visits() -> DutyPolicy {
    DutyPolicy {
        name: "visit".into(),
        period: 0,
        anchor: Some(api::Pattern {
            subject: vec!["terms.order_id".into()],
            ..pattern("OrderPlaced", "terms.placed_at")
        }),
        subject: vec!["order_id".into()],
        every: crate::grpc::testing::span(6, api::SpanUnit::Months),
        times: 2,
        fulfilled: vec![pattern("OrderConfirmed", "confirmed_at")],
        ..report()
    }
}

fn of_duty(duty: DutyPolicy, change: impl FnOnce(&mut DutyPolicy)) -> Vec<String> {
    let mut duty = duty;
    change(&mut duty);
    let places = places(&api::Profile { duties: vec![duty], ..profile("care", []) });
    places.iter().map(|place| place.replacen("duties[0].", "", 1)).collect()
}
