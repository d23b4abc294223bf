//! Whose time it was: each stretch of a clock's life with the party that held it.

use contracts::sla::{HeldTime, Party, Segment};
use eventlog::time::to_proto;
use jiff::SignedDuration;

use crate::{
    calendar::OutOfRange,
    timeline::{Plan, Timeline},
};

/// All stretches of a timeline. Open time is that of the calendar on which the limit is measured.
///
/// # Errors
/// A stretch lies beyond the calendar.
pub fn segments(timeline: &Timeline, plan: &Plan) -> Result<Vec<Segment>, OutOfRange> {
    let mut segments = Vec::new();
    for (number, cycle) in (1..).zip(&timeline.cycles) {
        let measure = cycle.measure(plan);
        for stretch in &cycle.stretches {
            let working = stretch.to.map(|to| measure.working(stretch.from, to)).transpose()?;
            segments.push(Segment {
                cycle: number,
                from: Some(to_proto(stretch.from)),
                to: stretch.to.map(to_proto),
                holder: stretch.party().into(),
                counted: stretch.counts(),
                reason: match stretch.exempt {
                    true => "force majeure".to_owned(),
                    false => stretch.reason.clone(),
                },
                evidence: stretch.evidence.clone(),
                working: working.map(duration),
            });
        }
    }
    Ok(segments)
}

/// A span of time as a message.
#[must_use]
pub fn duration(span: SignedDuration) -> prost_types::Duration {
    prost_types::Duration { seconds: span.as_secs(), nanos: span.subsec_nanos() }
}

/// A span of time from a message.
#[must_use]
pub fn from_duration(span: &prost_types::Duration) -> SignedDuration {
    SignedDuration::new(span.seconds, span.nanos)
}

/// Adds a time to a sum, which stops at its largest value.
pub(crate) fn add(sum: &mut Option<prost_types::Duration>, time: SignedDuration) {
    let before = sum.as_ref().map(from_duration).unwrap_or_default();
    *sum = Some(duration(before.saturating_add(time)));
}

/// Adds a time to what a party has held; in the order of parties.
pub(crate) fn hold(held: &mut Vec<HeldTime>, party: i32, time: SignedDuration) {
    match held.iter_mut().find(|held| held.party == party) {
        Some(held) => add(&mut held.time, time),
        None => {
            held.push(HeldTime { party, time: Some(duration(time)) });
            held.sort_by_key(|held| held.party);
        }
    }
}

/// A party by its word: `supplier`.
#[must_use]
pub fn word(party: Party) -> &'static str {
    match party {
        Party::Unspecified => "nobody",
        Party::Supplier => "supplier",
        Party::User => "user",
        Party::Carrier => "carrier",
        Party::Manufacturer => "manufacturer",
        Party::Platform => "platform",
        Party::Dealer => "dealer",
        Party::ForceMajeure => "force majeure",
    }
}
