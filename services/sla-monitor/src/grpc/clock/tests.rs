//! What callers see of clocks, and what they can tell them.

use chassis::testing::{by_platform, by_us, fields, reason};
use contracts::{
    common::Role,
    sla::{BreachState, ClockPolicy, ClockState},
};
use jiff::{SignedDuration, Timestamp};
use tonic::Code;

use super::*;
use crate::grpc::testing::{
    Bench, about, at, bench_with, confirm, fact, hours, outage, profile, start,
};

mod explaining;
mod extending;
mod listing;
mod recording;
mod watching;

fn service_of(bench: &Bench) -> Clocks {
    let (bus, book) = (bench.bus.clone(), bench.book.clone());
    Clocks { desk: bench.desk(), bus, book, closing: CancellationToken::new() }
}

fn by_li<T>(message: T) -> Request<T> {
    by_us("李", Role::Operator, message)
}

fn get(id: &str) -> api::GetClockRequest {
    api::GetClockRequest { clock_id: id.into() }
}

fn due(row: &Row) -> Option<Timestamp> {
    clock_row::due(&row.committed)
}

/// A refusal of this code for this reason.
fn refused<T: std::fmt::Debug>(answer: Result<T, Status>, code: Code, why: &str) {
    let status = answer.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (code, why), "{status:?}");
}
