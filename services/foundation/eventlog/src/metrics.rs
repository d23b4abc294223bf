//! What the writer tells the operator, through the global OpenTelemetry meter.

use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Gauge, Histogram},
};

pub(crate) struct Metrics {
    label: [KeyValue; 1],
    commits: Counter<u64>,
    conflicts: Counter<u64>,
    batch_size: Histogram<u64>,
    latency: Histogram<f64>,
    last_position: Gauge<u64>,
}

impl Metrics {
    pub(crate) fn new(log: &str) -> Self {
        let meter = global::meter("eventlog");
        Self {
            label: [KeyValue::new("log", log.to_owned())],
            commits: meter
                .u64_counter("eventlog.commits")
                .with_description("Commits that are on disk")
                .build(),
            conflicts: meter
                .u64_counter("eventlog.conflicts")
                .with_description("Commits that found a stream or a cursor moved")
                .build(),
            batch_size: meter
                .u64_histogram("eventlog.batch.size")
                .with_description("Commits in one transaction")
                .with_boundaries(vec![1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0])
                .build(),
            latency: meter
                .f64_histogram("eventlog.commit.duration")
                .with_unit("s")
                .with_description("Time of one transaction, from its begin to its end")
                .with_boundaries(vec![
                    0.000_5, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.0,
                ])
                .build(),
            last_position: meter
                .u64_gauge("eventlog.last_position")
                .with_description("Position of the last event")
                .build(),
        }
    }

    pub(crate) fn batch(&self, size: usize, seconds: f64) {
        self.batch_size.record(size as u64, &self.label);
        self.latency.record(seconds, &self.label);
    }

    pub(crate) fn committed(&self, commits: usize, last_position: u64) {
        self.commits.add(commits as u64, &self.label);
        self.last_position.record(last_position, &self.label);
    }

    pub(crate) fn conflict(&self) {
        self.conflicts.add(1, &self.label);
    }
}
