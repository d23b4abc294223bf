//! The open time of a century as a table of runs, to be searched from either side: by instant, and
//! by the open time before it.
//!
//! Invariant: runs neither overlap nor touch; both columns rise strictly, but for the closing entry
//! at the end of the century, whose `before` is all there is.

use std::{fmt, sync::Arc};

use jiff::{SignedDuration, Timestamp};

use super::OutOfRange;

/// An unbroken stretch of open time. It is as long as the next `before` is larger.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// When it starts, in seconds from the start of the century.
    start: i64,
    /// Open seconds of the century before that.
    before: i64,
}

/// All runs of the century; a clone shares them.
#[derive(Clone)]
pub(super) struct Runs {
    start: Timestamp,
    end: Timestamp,
    runs: Arc<[Run]>,
}

impl Runs {
    /// The runs of these stretches. They may touch, overlap, be out of order or end before they
    /// begin, as a change of the clocks has it. All are whole seconds and in the century.
    pub(super) fn new(
        (start, end): (Timestamp, Timestamp),
        mut open: Vec<(Timestamp, Timestamp)>,
    ) -> Self {
        open.retain(|(from, to)| from < to);
        open.sort_unstable();
        open.dedup_by(|next, last| {
            let joined = next.0 <= last.1;
            if joined {
                last.1 = last.1.max(next.1);
            }
            joined
        });
        let mut before = 0;
        let mut runs = Vec::with_capacity(open.len() + 1);
        for (from, to) in open {
            runs.push(Run { start: from.as_second() - start.as_second(), before });
            before += to.as_second() - from.as_second();
        }
        runs.push(Run { start: end.as_second() - start.as_second(), before });
        Self { start, end, runs: runs.into() }
    }

    /// One run over the same century.
    pub(super) fn always(&self) -> Self {
        Self::new((self.start, self.end), vec![(self.start, self.end)])
    }

    /// Open time from the start of the century until this instant.
    pub(super) fn until(&self, at: Timestamp) -> Result<SignedDuration, OutOfRange> {
        if at < self.start || at > self.end {
            return Err(OutOfRange::Instant(at));
        }
        let offset = self.start.duration_until(at);
        let next = self.runs.partition_point(|run| secs(run.start) <= offset);
        let Some(run) = next.checked_sub(1).and_then(|last| self.runs.get(last)) else {
            return Ok(SignedDuration::ZERO);
        };
        let length = self.runs.get(next).map_or(0, |next| next.before - run.before);
        Ok(secs(run.before) + (offset - secs(run.start)).min(secs(length)))
    }

    /// The earliest instant by which so much open time, more than none, has passed since the start
    /// of the century; `None` when there is not so much.
    pub(super) fn reaching(&self, open_time: SignedDuration) -> Option<Timestamp> {
        let next = self.runs.partition_point(|run| secs(run.before) < open_time);
        if next == self.runs.len() {
            return None;
        }
        let run = self.runs.get(next.checked_sub(1)?)?;
        self.start.checked_add(secs(run.start) + (open_time - secs(run.before))).ok()
    }

    /// Whether the instant is in a run.
    pub(super) fn contain(&self, at: Timestamp) -> bool {
        let offset = self.start.duration_until(at);
        let next = self.runs.partition_point(|run| secs(run.start) <= offset);
        let run = next.checked_sub(1).and_then(|last| self.runs.get(last));
        let Some((run, next)) = run.zip(self.runs.get(next)) else { return false };
        offset - secs(run.start) < secs(next.before - run.before)
    }
}

/// The table would fill the screen.
impl fmt::Debug for Runs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} runs from {} to {}", self.runs.len() - 1, self.start, self.end)
    }
}

const fn secs(secs: i64) -> SignedDuration {
    SignedDuration::from_secs(secs)
}
