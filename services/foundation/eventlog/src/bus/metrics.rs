//! What the bus part measures, through the process's OpenTelemetry meter.

use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Gauge},
};

#[derive(Debug)]
pub(crate) struct RelayMetrics {
    stream: KeyValue,
    published: Counter<u64>,
    doubts: Counter<u64>,
    lag: Gauge<u64>,
}

impl RelayMetrics {
    pub(crate) fn new(stream: &str) -> Self {
        let meter = global::meter("eventlog");
        Self {
            stream: KeyValue::new("stream", stream.to_owned()),
            published: meter
                .u64_counter("eventlog.relay.published")
                .with_description("events acknowledged by the bus")
                .build(),
            doubts: meter
                .u64_counter("eventlog.relay.doubts")
                .with_description("times the relay had to ask the stream where to go on")
                .build(),
            lag: meter
                .u64_gauge("eventlog.relay.lag")
                .with_description("events in the log that the bus does not have yet")
                .build(),
        }
    }

    pub(crate) fn published(&self, count: u64) {
        self.published.add(count, std::slice::from_ref(&self.stream));
    }

    pub(crate) fn doubt(&self, reason: &'static str) {
        self.doubts.add(1, &[self.stream.clone(), KeyValue::new("reason", reason)]);
    }

    pub(crate) fn lag(&self, events: u64) {
        self.lag.record(events, std::slice::from_ref(&self.stream));
    }
}

#[derive(Debug)]
pub(crate) struct ReactionMetrics {
    reaction: KeyValue,
    handled: Counter<u64>,
    position: Gauge<u64>,
    stopped: Gauge<u64>,
}

impl ReactionMetrics {
    pub(crate) fn new(reaction: &str) -> Self {
        let meter = global::meter("eventlog");
        Self {
            reaction: KeyValue::new("reaction", reaction.to_owned()),
            handled: meter
                .u64_counter("eventlog.reaction.events")
                .with_description("events read by the reaction, by outcome")
                .build(),
            position: meter
                .u64_gauge("eventlog.reaction.position")
                .with_description("position up to which the reaction has read its source")
                .build(),
            stopped: meter
                .u64_gauge("eventlog.reaction.stopped")
                .with_description("1 while the reaction cannot go on and tries again")
                .build(),
        }
    }

    pub(crate) fn handled(&self, outcome: &'static str, events: usize, position: u64) {
        self.handled
            .add(events as u64, &[self.reaction.clone(), KeyValue::new("outcome", outcome)]);
        self.position.record(position, std::slice::from_ref(&self.reaction));
    }

    pub(crate) fn stopped(&self, stopped: bool) {
        self.stopped.record(u64::from(stopped), std::slice::from_ref(&self.reaction));
    }
}
