//! What operators publish, and what becomes of the clocks that run.

use chassis::testing::{by_platform, by_us, fields, reason};
use contracts::{
    common::Role,
    sla::{ClockPolicy, Profile},
};
use eventlog::bus::BusOptions;
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

/// Nobody answers on the bus; only a back-test would ask.
async fn service_of(bench: &Bench) -> Policies {
    let bus = Bus::connect(BusOptions::new("sla", "nats://127.0.0.1:1")).await.unwrap();
    Policies { desk: bench.desk(), bus, book: bench.book.clone() }
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
