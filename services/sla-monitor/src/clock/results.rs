//! What the cycles of a promise count for (SLA-14).
//!
//! Invariant: what was recorded less what was retracted is what follows from the facts, in whatever
//! order they became known. An earlier cycle counts by the rules of its time: only facts change it.

use std::collections::BTreeSet;

use contracts::sla::{
    ClockKind, CycleResult, HeldTime, Party, ResultKind, ResultRecorded, ResultRetracted,
};
use eventlog::time::to_proto;
use jiff::{SignedDuration, Timestamp};

use super::draft::Draft;
use crate::{
    calendar::OutOfRange,
    compliance::{add, hold},
    ledger,
    timeline::{Cycle, EndedBy, Side, Timeline},
};

impl Draft<'_> {
    /// Records what cycles count for by now, and retracts what they no longer do.
    pub(super) fn settle(&mut self) -> Result<(), OutOfRange> {
        if self.plan.policy.kind != ClockKind::Promise {
            return Ok(());
        }
        let last = number(self.timeline.cycles.len());
        self.changed.insert(last);
        self.changed.extend(self.life.counted.range(last + 1..).map(|(cycle, _)| *cycle));
        for cycle in std::mem::take(&mut self.changed) {
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

    /// Marks the cycles that are others than before.
    pub(super) fn changed_since(&mut self, before: &Timeline) {
        let cycles = &self.timeline.cycles;
        let differs = |index: &usize| before.cycles.get(*index) != cycles.get(*index);
        // what was the present one was counted by what was said, and is counted by what it was now
        let was_present = before.cycles.len().saturating_sub(1);
        let changed: BTreeSet<u32> = (0..cycles.len())
            .filter(|index| *index == was_present || differs(index))
            .map(|index| number(index + 1))
            .collect();
        self.changed.extend(changed);
    }

    fn results(&self, number: u32) -> Result<Vec<CycleResult>, OutOfRange> {
        let index = (number as usize).checked_sub(1);
        let Some(cycle) = index.and_then(|index| self.timeline.cycles.get(index)) else {
            return Ok(Vec::new());
        };
        let is_present = number as usize == self.timeline.cycles.len();
        let missed = |side| match (is_present, &cycle.end) {
            // only what is certain counts
            (true, _) => self.missed(side).filter(|missed| missed.certain).map(|it| it.due),
            (false, Some(end)) => cycle.due(side).filter(|due| *due < end.at),
            (false, None) => None,
        };
        let mut results = Vec::new();
        for (side, kind) in [
            (Side::Committed, ResultKind::Breached),
            (Side::Contractual, ResultKind::ContractualBreached),
        ] {
            results.extend(missed(side).map(|due| result(kind, due, cycle)));
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

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
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
