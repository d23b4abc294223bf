//! The log and the bus by themselves: the measuring programs of crate `eventlog`, whose lines of
//! JSON are taken over.

use std::{path::PathBuf, process::Stdio};

use e2e::stack::binary;
use serde_json::Value;
use tokio::process::Command;

use crate::figures::{Aim, Report};

pub(crate) async fn measure(report: &mut Report) {
    let folder = tempfile::tempdir().expect("a folder");
    let postgres = std::env::var("EMALL_TEST_POSTGRES_URL")
        .expect("EMALL_TEST_POSTGRES_URL is set: run `make bench`");
    for example in ["throughput", "rebuild_rate"] {
        let sqlite = format!("sqlite://{}", folder.path().join(format!("{example}.db")).display());
        for (engine, url) in [("sqlite", &sqlite), ("postgresql", &postgres)] {
            for line in run(example, &[url]).await {
                take(report, engine, &line);
            }
        }
    }
    for line in run("relay_rate", &[]).await {
        take(report, "sqlite", &line);
    }
}

/// `{"name", "value", "unit"}`, and an aim where this module knows one.
fn take(report: &mut Report, engine: &'static str, line: &Value) {
    let (Some(name), Some(value), Some(unit)) =
        (line["name"].as_str(), line["value"].as_f64(), line["unit"].as_str())
    else {
        panic!("not a figure: {line}");
    };
    let unit: &'static str = String::leak(unit.to_owned());
    match aim(name) {
        Some(aim) => report.aimed(name, engine, value, unit, aim),
        None => report.add(name, engine, value, unit),
    }
}

fn aim(name: &str) -> Option<Aim> {
    match name {
        "transact over plain SQL" => Some(Aim::AtLeast(0.6)),
        "rebuild, small events" => Some(Aim::AtLeast(300_000.0)),
        _ => None,
    }
}

async fn run(example: &str, arguments: &[&str]) -> Vec<Value> {
    let program = example_binary(example);
    let output = Command::new(&program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .await
        .unwrap_or_else(|error| panic!("cannot run {}: {error}", program.display()));
    assert!(output.status.success(), "{example}: {}", output.status);
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect()
}

fn example_binary(example: &str) -> PathBuf {
    let name = format!("examples/{example}");
    binary(&name)
}
