//! What the cycles of a promise count for (SLA-14).
//!
//! Invariant: what was recorded less what was retracted is what the timeline of all known facts
//! shows, in whatever order they became known: all cycles count by the rules that the clock goes by.
//! Of the present cycle, which may go on, a missed limit counts once it was said for certain.

use contracts::sla::{
    ClockKind, CycleResult, HeldTime, Party, ResultKind, ResultRecorded, ResultRetracted,
};
use eventlog::time::to_proto;
use jiff::{SignedDuration, Timestamp};

use super::draft::Draft;
use crate::{
    calendar::OutOfRange,
    ledger::{self, add, hold},
    timeline::{Cycle, EndedBy, Side},
};

impl Draft<'_> {
    /// Records what cycles count for by now, and retracts what they no longer do.
    pub(super) fn settle(&mut self) -> Result<(), OutOfRange> {
        let counted = self.life.counted.last_key_value().map_or(0, |(cycle, _)| *cycle);
        for cycle in 1..=self.present().max(counted) {
            let wanted = self.results(cycle)?;
            let counted = self.life.counted.get(&cycle).cloned().unwrap_or_default();
            for result in counted.iter().filter(|result| !wanted.contains(result)).cloned() {
                self.push(|clock| ResultRetracted { clock, cycle, result: Some(result) });
            }
            for result in wanted.into_iter().filter(|result| !counted.contains(result)) {
                self.push(|clock| ResultRecorded { clock, cycle, result: Some(result) });
            }
        }
        Ok(())
    }

    /// Who was taken to hold the case when a limit of the present cycle passed, if that counts.
    pub(super) fn blamed(&self, side: Side) -> Party {
        let mut counted = self.life.counted.get(&self.present()).into_iter().flatten();
        let breach = counted.find(|result| result.kind() == missed(side));
        breach.map_or(Party::Unspecified, CycleResult::party)
    }

    /// Number of the present cycle.
    fn present(&self) -> u32 {
        u32::try_from(self.timeline.cycles.len()).unwrap_or(u32::MAX)
    }

    fn results(&self, number: u32) -> Result<Vec<CycleResult>, OutOfRange> {
        let index = (number as usize).checked_sub(1);
        let cycle = index.and_then(|index| self.timeline.cycles.get(index));
        let is_promise = self.plan.policy.kind == ClockKind::Promise;
        let Some(cycle) = cycle.filter(|_| is_promise) else { return Ok(Vec::new()) };
        let mut results = Vec::new();
        for side in [Side::Committed, Side::Contractual] {
            let due = match &cycle.end {
                Some(end) if number != self.present() => {
                    cycle.due(side).filter(|due| *due < end.at)
                }
                _ => self.missed(side).filter(|missed| missed.certain).map(|missed| missed.due),
            };
            results.extend(due.map(|due| result(missed(side), due, cycle)));
        }
        results.extend(self.ended(cycle)?);
        Ok(results)
    }

    fn ended(&self, cycle: &Cycle) -> Result<Option<CycleResult>, OutOfRange> {
        let Some(end) = &cycle.end else { return Ok(None) };
        let is_missed = cycle.is_missed(Side::Committed, end.at);
        match end.by {
            EndedBy::Cancel if !is_missed => Ok(Some(result(ResultKind::Cancelled, end.at, cycle))),
            EndedBy::Stop => {
                let kind = if is_missed { ResultKind::Late } else { ResultKind::Met };
                let mut result = result(kind, end.at, cycle);
                result.overrun =
                    is_missed.then(|| overrun(cycle, end.at).map(ledger::duration)).transpose()?;
                for stretch in &cycle.stretches {
                    let to = stretch.to.unwrap_or(end.at);
                    let time = cycle.measure(self.plan).working(stretch.from, to)?;
                    if !stretch.counts() {
                        add(&mut result.paused, time);
                    }
                    hold(&mut result.held, stretch.party().into(), time);
                }
                Ok(Some(result))
            }
            EndedBy::Cancel | EndedBy::Reset | EndedBy::Over => Ok(None),
        }
    }
}

fn missed(side: Side) -> ResultKind {
    match side {
        Side::Committed => ResultKind::Breached,
        Side::Contractual => ResultKind::ContractualBreached,
    }
}

fn result(kind: ResultKind, at: Timestamp, cycle: &Cycle) -> CycleResult {
    let held = cycle.stretches.iter().rev().find(|stretch| stretch.from < at);
    let party = held.or(cycle.stretches.first()).map_or(Party::Unspecified, |it| it.party());
    CycleResult {
        kind: kind.into(),
        at: Some(to_proto(at)),
        party: party.into(),
        overrun: None,
        paused: None,
        held: Vec::<HeldTime>::new(),
    }
}

/// Open time from the limit that we promise to a moment; none before it.
pub(super) fn overrun(cycle: &Cycle, at: Timestamp) -> Result<SignedDuration, OutOfRange> {
    match (cycle.due(Side::Committed), &cycle.committed) {
        (Some(due), Some(limit)) if due < at => limit.measure().working(due, at),
        _ => Ok(SignedDuration::ZERO),
    }
}
