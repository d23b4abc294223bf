//! Samples that the tests share.

use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use proptest::prelude::ProptestConfig;

use super::*;

mod laws;
mod moved_clocks;
mod spans;
mod tables;
mod written;

/// The official notices of China.
fn china() -> Days {
    let mut days = Days::new("CN");
    for notice in official() {
        assert_eq!(days.adopt(notice), Ok(Adoption::Adopted));
    }
    days
}

fn compile(spec: &Spec) -> Calendar {
    Calendar::compile(spec, Some(&china())).unwrap()
}

/// Compiled once, for the tests are many.
static OFFICE: LazyLock<Calendar> = LazyLock::new(|| compile(&Spec::office_hours()));
static WORKDAYS: LazyLock<Calendar> = LazyLock::new(|| compile(&Spec::working_days()));
static ALWAYS: LazyLock<Calendar> = LazyLock::new(|| compile(&Spec::round_the_clock()));

/// `09:00-12:00 13:00-18:00`; nothing is a closed day.
fn day(hours: &str) -> Vec<Hours> {
    let minute = |text: &str| {
        let (hour, minute) = text.split_once(':').unwrap();
        hour.parse::<u32>().unwrap() * 60 + minute.parse::<u32>().unwrap()
    };
    let stretch = |text: &str| {
        let (from, to) = text.split_once('-').unwrap();
        Hours { from: minute(from), to: minute(to) }
    };
    hours.split_whitespace().map(stretch).collect()
}

/// Seven days from Monday.
fn week(days: [&str; 7]) -> Week {
    Week::try_new(days.map(day)).unwrap()
}

fn every_day(hours: &str) -> Week {
    week([hours; 7])
}

/// A local time such as `2024-02-08 15:00`, which comes once.
fn at_in(zone: &str, local: &str) -> Timestamp {
    let local: DateTime = local.parse().unwrap();
    local.to_zoned(TimeZone::get(zone).unwrap()).unwrap().timestamp()
}

/// A local time in China.
fn at(local: &str) -> Timestamp {
    at_in("Asia/Shanghai", local)
}

/// So many cases of a property, none of them written to a file.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}
