//! What the product does per second on this machine, in one run: `make bench`.
//!
//! Every figure goes into `target/bench/report.json` as name, engine, value, unit; those with an aim
//! say whether it was reached. The load generator shares the machine with what it measures, and
//! commits are durable. Absolute figures describe the machine; the ratios travel.
//! `bench engine`, `bench growth`, `bench clocks`, `bench door` measure only that part.

#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a benchmark ends where something goes wrong"
)]

mod clocks;
mod door;
mod engine;
mod figures;
mod growth;

use figures::Report;

#[tokio::main]
async fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let wants = |part: &str| wanted.is_empty() || wanted.iter().any(|one| one == part);
    let mut report = Report::default();
    if wants("engine") {
        engine::measure(&mut report).await;
    }
    if wants("growth") {
        growth::measure(&mut report).await;
    }
    if wants("clocks") {
        clocks::measure(&mut report).await;
    }
    if wants("door") {
        door::measure(&mut report).await;
    }
    report.print();
    report.write();
}
