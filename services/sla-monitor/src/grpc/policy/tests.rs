//! What operators publish, and what becomes of the clocks that run.

use chassis::testing::{by_platform, by_us, fields, reason};
use contracts::{
    common::Role,
    sla::{ClockPolicy, Profile},
};
use tonic::Code;

use super::*;
use crate::{
    clock_row,
    grpc::testing::{Bench, bench, bench_with, confirm, hours, outage, profile, start},
};

mod apply;
mod binding;
mod calendar;
mod holidays;
mod publish;

fn service_of(bench: &Bench) -> Policies {
    Policies { desk: bench.desk(), bus: bench.bus.clone(), book: bench.book.clone() }
}

fn by_li<T>(message: T) -> Request<T> {
    by_us("李", Role::Operator, message)
}

/// The clock `confirm`, slower.
fn slower() -> ClockPolicy {
    ClockPolicy { committed: hours(3), ..confirm() }
}

fn asked(profile: Profile, seen_version: u32) -> Request<api::PublishProfileRequest> {
    by_li(api::PublishProfileRequest { profile: Some(profile), seen_version })
}

/// When a clock is due, in China.
async fn due(bench: &Bench, id: &str) -> String {
    let row = bench.row(id).await.unwrap();
    let due = clock_row::due(&row.committed).unwrap();
    let zone = jiff::tz::TimeZone::get("Asia/Shanghai").unwrap();
    due.to_zoned(zone).strftime("%Y-%m-%d %H:%M").to_string()
}

/// Names of the events of a clock, without their package.
async fn told(bench: &Bench, id: &str) -> Vec<String> {
    let history = bench.log.history(&format!("clock.{id}")).await.unwrap();
    let name = |event: eventlog::RecordedEvent| event.r#type.rsplit('.').next().unwrap().to_owned();
    history.into_iter().map(name).collect()
}
