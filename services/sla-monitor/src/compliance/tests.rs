//! A clock on its way, and the figures that its events add up to.

use std::collections::BTreeMap;

use contracts::{
    Event as _,
    sla::{ClockPolicy, Fact, FactKind, Party},
};
use decider::Aggregate as _;
use jiff::SignedDuration;

use super::*;
use crate::{
    clock::{About, Clock},
    grpc::testing::{about, at, confirm, fact, plan, profile},
    timeline::Plan,
};

mod counting;
mod held;
mod laws;
mod rebuilt;

/// What one clock says in the course of time.
struct Story {
    plan: Plan,
    about: About,
    clock: Clock,
    events: Vec<Event>,
}

impl Story {
    /// An order is placed on Monday at 10:00; it is to be confirmed by 12:00, by contract by 14:00.
    fn begin() -> Self {
        Self::of(confirm())
    }

    fn of(clock: ClockPolicy) -> Self {
        let about = about("care", &clock.name, ("order_id", "o-1"), "mall");
        let plan = plan(&profile("care", [clock]));
        let story = Self { plan, about, clock: Clock::default(), events: Vec::new() };
        story.note(fact(FactKind::Start, "2026-03-02 10:00"))
    }

    fn record(mut self, events: Vec<Event>) -> Self {
        self.clock = events.iter().fold(self.clock, Clock::evolve);
        self.events.extend(events);
        self
    }

    fn note(self, fact: Fact) -> Self {
        let events = self.clock.note(&self.about, &fact, &self.plan).unwrap();
        self.record(events)
    }

    fn at(self, kind: FactKind, local: &str) -> Self {
        self.note(fact(kind, local))
    }

    /// The user holds the case from then on.
    fn asked(self, local: &str) -> Self {
        self.note(Fact { holder: Party::User.into(), ..fact(FactKind::Pause, local) })
    }

    /// Everything before this is known.
    fn until(self, local: &str) -> Self {
        let events = self.clock.advance(at(local), &self.plan).unwrap();
        self.record(events)
    }

    /// It is later than this, but nobody knows what has happened.
    fn announced(self, local: &str) -> Self {
        let events = self.clock.announce(at(local), &["ordering".into()], &self.plan).unwrap();
        self.record(events)
    }

    /// The rows of the projection, by id.
    fn rows(&self) -> BTreeMap<String, ComplianceLine> {
        let mut rows: BTreeMap<String, ComplianceFigures> = BTreeMap::new();
        for (position, event) in (1..).zip(&self.events) {
            let recorded = RecordedEvent {
                position,
                stream: format!("clock.{}", self.about.clock_id),
                r#type: event.type_name().into(),
                body: event.encode_body().into(),
                ..RecordedEvent::default()
            };
            if let Some((id, added)) = Compliance::facts(&recorded) {
                Compliance::apply(rows.entry(id).or_default(), added);
            }
        }
        rows.into_iter().map(|(id, row)| (id, row.figures.unwrap())).collect()
    }

    /// All counts in all: met, breached, by contract, cancelled, withdrawn.
    fn counts(&self) -> [u64; 5] {
        let mut sum = [0; 5];
        for line in self.rows().values() {
            let counts = [
                line.met,
                line.breached,
                line.contractual_breached,
                line.cancelled,
                line.withdrawn,
            ];
            for (sum, count) in sum.iter_mut().zip(counts) {
                *sum += count;
            }
        }
        sum
    }
}

fn minutes(span: &Option<Duration>) -> i64 {
    span.as_ref().map_or(0, |span| from_duration(span).as_mins())
}
