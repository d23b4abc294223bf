//! Who stands in a batch, and what is to be written for them. No I/O here.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use contracts::common::RecordedEvent;

use crate::{
    CommitError, Committed, Key, RowWrite,
    aggregate::kind_and_id,
    commit::{ParkedWrite, PersonKeyWrite},
    job::{Incoming, Job, JobAppend, JobRow},
    metrics::Metrics,
    time::micros_to_proto,
};

/// What the writer must know before it can decide; without repeats.
#[derive(Default)]
pub(crate) struct Wanted {
    /// Names of streams, and of rows that are no aggregate's.
    pub(crate) streams: Vec<String>,
    pub(crate) sources: Vec<String>,
    pub(crate) parked: Vec<(String, u64)>,
}

impl Wanted {
    /// Only the end of the log is wanted.
    pub(crate) fn is_empty(&self) -> bool {
        self.streams.is_empty() && self.sources.is_empty() && self.parked.is_empty()
    }
}

/// How far a stream is, and its number: 0 while it has none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) number: u64,
    pub(crate) version: u64,
}

/// What is on disk, under the lock.
pub(crate) struct Heads {
    pub(crate) last_position: u64,
    /// The latest time that was recorded or promised: nothing is recorded before it any more.
    pub(crate) last_recorded_at: i64,
    pub(crate) last_number: u64,
    pub(crate) streams: HashMap<String, Head>,
    pub(crate) cursors: HashMap<String, u64>,
    pub(crate) parked: HashSet<(String, u64)>,
}

/// Streams whose heads the writer remembers.
const KNOWN_STREAMS: usize = 50_000;

/// What the writer knows of the streams without asking.
///
/// Every write of another process moves the log's last position: while that is `at`, the heads are
/// right, and a stream that is not among them was not written since position `since`.
#[derive(Default)]
pub(crate) struct Known {
    streams: HashMap<String, Head>,
    /// `None` after a failure, when nothing is certain.
    pub(crate) at: Option<u64>,
    since: u64,
}

impl Known {
    /// Nothing, from this position on.
    pub(crate) fn from(position: u64) -> Self {
        Self { streams: HashMap::new(), at: Some(position), since: position }
    }

    /// Whether the head need not be looked up.
    fn covers(&self, append: &JobAppend) -> bool {
        self.streams.contains_key(&append.stream) || self.believes_new(append)
    }

    /// Whether the caller has found no such stream, and nobody has written one since.
    fn believes_new(&self, append: &JobAppend) -> bool {
        append.expected == 0
            && self.at.is_some()
            && append.as_of.is_some_and(|as_of| as_of >= self.since)
    }

    fn insert(&mut self, stream: &mut String, head: Head) {
        match self.streams.get_mut(stream) {
            Some(known) => *known = head,
            None => {
                self.streams.insert(std::mem::take(stream), head);
            }
        }
    }
}

/// Streams that are known need not be asked for.
pub(crate) fn wanted(jobs: &[Job], known: &Known) -> Wanted {
    let mut wanted = Wanted::default();
    let (mut streams, mut sources, mut parked) = (HashSet::new(), HashSet::new(), HashSet::new());
    for job in jobs {
        for append in &job.appends {
            if !known.covers(append) && streams.insert(Cow::Borrowed(append.stream.as_str())) {
                wanted.streams.push(append.stream.clone());
            }
        }
        for row in job.rows_alone() {
            let name = row.name();
            if !known.streams.contains_key(&name) && streams.insert(Cow::Owned(name.clone())) {
                wanted.streams.push(name);
            }
        }
        for cursor in &job.cursors {
            if sources.insert(cursor.source.as_str()) {
                wanted.sources.push(cursor.source.clone());
            }
        }
        for entry in &job.unparked {
            if parked.insert(entry) {
                wanted.parked.push(entry.clone());
            }
        }
    }
    wanted
}

/// The decision on a batch.
pub(crate) struct Plan {
    /// One for each job.
    verdicts: Vec<Result<Committed, CommitError>>,
    /// Of the jobs that stand: those of their appends, then those of their rows.
    numbers: Vec<u64>,
    /// Numbers above this one are new.
    last_number: u64,
    /// Whether anything is to be written at all.
    pub(crate) writes: bool,
    /// Whether the time must be written because nothing recorded may come before it.
    promises: bool,
    /// The time of this batch.
    pub(crate) recorded_at: i64,
    pub(crate) last_position: u64,
}

/// Decides in order, at a time of the clock; a job that falls takes its lineage with it.
pub(crate) fn decide(jobs: &[Job], heads: &Heads, known: &Known, clock: i64) -> Plan {
    let recorded_at = clock.max(heads.last_recorded_at);
    let mut state = State {
        heads,
        recorded_at,
        known,
        streams: HashMap::new(),
        rows_alone: HashMap::new(),
        cursors: HashMap::new(),
        parked: HashMap::new(),
        last: heads.last_position,
        last_number: heads.last_number,
        numbers: Vec::with_capacity(jobs.len() * 2),
    };
    let mut plan = Plan {
        verdicts: Vec::with_capacity(jobs.len()),
        numbers: Vec::new(),
        last_number: heads.last_number,
        writes: false,
        promises: false,
        recorded_at,
        last_position: 0,
    };
    for job in jobs {
        let verdict = state.judge(job);
        match &verdict {
            Ok(_) => {
                plan.writes |= !job.rows.is_empty()
                    || !job.cursors.is_empty()
                    || !job.parked.is_empty()
                    || !job.unparked.is_empty()
                    || !job.person_keys.is_empty()
                    || job.appends.iter().any(|append| !append.events.is_empty());
            }
            Err(_) => job.lineages.iter().for_each(crate::job::Lineage::fall),
        }
        plan.verdicts.push(verdict);
    }
    plan.promises = recorded_at > heads.last_recorded_at && jobs.iter().any(|job| job.is_horizon);
    plan.writes |= plan.promises;
    plan.last_position = state.last;
    plan.numbers = state.numbers;
    plan
}

/// What is on disk, and on top of it what stands so far.
struct State<'a> {
    heads: &'a Heads,
    recorded_at: i64,
    known: &'a Known,
    streams: HashMap<&'a str, Head>,
    /// By kind and id.
    rows_alone: HashMap<(&'a str, &'a str), u64>,
    cursors: HashMap<&'a str, u64>,
    parked: HashMap<(&'a str, u64), bool>,
    last: u64,
    last_number: u64,
    numbers: Vec<u64>,
}

impl<'a> State<'a> {
    fn judge(&mut self, job: &'a Job) -> Result<Committed, CommitError> {
        if job.lineages.iter().any(crate::job::Lineage::has_fallen) {
            let stream = job.appends.first().map(|append| append.stream.clone());
            return Err(CommitError::Conflict { stream: stream.unwrap_or_default() });
        }
        // first all of the demands, so that a job that falls leaves nothing here
        let mut within: Vec<(&str, Head)> = Vec::with_capacity(job.appends.len());
        let mut last_number = self.last_number;
        for append in &job.appends {
            let earlier = within.iter().rev().find(|(stream, _)| *stream == append.stream);
            let mut head = earlier.map_or_else(|| self.head(append), |(_, head)| *head);
            if head.version != append.expected {
                return Err(CommitError::Conflict { stream: append.stream.clone() });
            }
            if head.number == 0 && !append.events.is_empty() {
                last_number += 1;
                head.number = last_number;
            }
            head.version += append.events.len() as u64;
            within.push((&append.stream, head));
        }
        let mut moves: Vec<(&str, u64)> = Vec::new();
        for cursor in &job.cursors {
            let earlier = moves.iter().rev().find(|(source, _)| *source == cursor.source);
            let actual = earlier.map_or_else(|| self.cursor(&cursor.source), |(_, at)| *at);
            if actual != cursor.from {
                return Err(CommitError::CursorMoved {
                    source_name: cursor.source.clone(),
                    expected: cursor.from,
                    actual,
                });
            }
            moves.push((&cursor.source, cursor.to));
        }
        for (source, position) in &job.unparked {
            if !self.is_parked(source, *position) {
                return Err(CommitError::NotParked {
                    source_name: source.clone(),
                    position: *position,
                });
            }
        }
        self.last_number = last_number;
        self.numbers.extend(within.iter().map(|(_, head)| head.number));
        for row in &job.rows {
            let of_stream =
                within.iter().find(|(stream, head)| head.number > 0 && row.is_of(stream));
            let number = of_stream.map_or_else(|| self.number(row), |(_, head)| head.number);
            self.numbers.push(number);
        }
        self.streams.extend(within);
        self.cursors.extend(moves);
        for parked in &job.parked {
            self.parked.insert((&parked.source, parked.position), true);
        }
        for (source, position) in &job.unparked {
            self.parked.insert((source, *position), false);
        }
        let events: usize = job.appends.iter().map(|append| append.events.len()).sum();
        self.last += events as u64;
        Ok(Committed {
            position: (events > 0).then_some(self.last),
            last_position: self.last,
            at: self.recorded_at,
        })
    }

    fn head(&self, append: &JobAppend) -> Head {
        let stream = append.stream.as_str();
        let known = self.streams.get(stream).or_else(|| self.known.streams.get(stream));
        match known.or_else(|| self.heads.streams.get(stream)) {
            Some(head) => *head,
            None => Head::default(),
        }
    }

    /// The number of a row that comes without its stream: that of a projection.
    fn number(&mut self, row: &'a JobRow) -> u64 {
        let place = (row.write.kind.as_ref(), row.write.id.as_str());
        if let Some(number) = self.rows_alone.get(&place) {
            return *number;
        }
        let name = row.name();
        let on_disk = || self.known.streams.get(&name).or_else(|| self.heads.streams.get(&name));
        let head = self.streams.get(name.as_str()).or_else(on_disk);
        let number = match head {
            Some(head) if head.number > 0 => head.number,
            Some(_) | None => {
                self.last_number += 1;
                self.last_number
            }
        };
        self.rows_alone.insert(place, number);
        number
    }

    fn cursor(&self, source: &str) -> u64 {
        let known = self.cursors.get(source).or_else(|| self.heads.cursors.get(source));
        known.copied().unwrap_or(0)
    }

    fn is_parked(&self, source: &str, position: u64) -> bool {
        self.parked
            .get(&(source, position))
            .copied()
            .unwrap_or_else(|| self.heads.parked.contains(&(source.to_owned(), position)))
    }
}

impl Plan {
    /// Gives numbers, positions and time to what stands.
    pub(crate) fn stamp(&self, jobs: &mut [Job]) {
        let mut numbers = self.numbers.iter();
        for (job, verdict) in jobs.iter_mut().zip(&self.verdicts) {
            let Ok(committed) = verdict else { continue };
            let appends = job.appends.iter_mut().map(|append| &mut append.number);
            let rows = job.rows.iter_mut().map(|row| &mut row.number);
            for (place, number) in appends.chain(rows).zip(&mut numbers) {
                *place = *number;
            }
            let Some(end) = committed.position else { continue };
            let events: usize = job.appends.iter().map(|append| append.events.len()).sum();
            let first = end + 1 - events as u64;
            let incoming = job.appends.iter_mut().flat_map(|append| &mut append.events);
            for (position, incoming) in (first..).zip(incoming) {
                incoming.event.position = position;
                incoming.event.recorded_at = Some(micros_to_proto(self.recorded_at));
            }
        }
    }

    /// Names of the streams that are new in the log.
    pub(crate) fn new_streams<'a>(&self, jobs: &'a [Job]) -> impl Iterator<Item = &'a str> {
        let last = self.last_number;
        let appends = jobs.iter().flat_map(|job| &job.appends);
        // a job that fell has no number
        appends.filter(move |append| append.number > last).map(|append| append.stream.as_str())
    }

    /// Heads of the streams that were written, now that they are on disk.
    pub(crate) fn take_heads(&self, jobs: &mut [Job], known: &mut Known) {
        if known.streams.len() > KNOWN_STREAMS {
            *known = Known::from(self.last_position);
        }
        known.at = Some(self.last_position);
        let standing = jobs.iter_mut().zip(&self.verdicts).filter(|(_, verdict)| verdict.is_ok());
        for (job, _) in standing {
            for row in job.rows_alone() {
                known.insert(&mut row.name(), Head { number: row.number, version: 0 });
            }
            for append in &mut job.appends {
                let version = append.expected + append.events.len() as u64;
                known.insert(&mut append.stream, Head { number: append.number, version });
            }
        }
    }

    /// The events that are on disk now.
    pub(crate) fn take_events(&self, jobs: &mut [Job]) -> Vec<Arc<RecordedEvent>> {
        let standing = jobs.iter_mut().zip(&self.verdicts).filter(|(_, verdict)| verdict.is_ok());
        standing
            .flat_map(|(job, _)| &mut job.appends)
            .flat_map(|append| append.events.drain(..))
            .map(|incoming| Arc::new(incoming.event))
            .collect()
    }

    /// Gives each job its verdict; tells how many stand.
    pub(crate) fn conclude(self, jobs: &mut [Job], metrics: &Metrics) -> usize {
        let mut stood = 0;
        for (job, verdict) in jobs.iter_mut().zip(self.verdicts) {
            match verdict {
                Ok(committed) => {
                    stood += 1;
                    job.verdict = Some(Ok(committed));
                }
                Err(error) => {
                    metrics.conflict();
                    job.fail(error);
                }
            }
        }
        stood
    }
}

/// A number and what it stands for, as a table line.
pub(crate) struct IdLine<'a> {
    pub(crate) number: u64,
    pub(crate) kind: &'a str,
    pub(crate) id: &'a str,
}

/// A look-up key of a row, as a table line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct KeyLine<'a> {
    pub(crate) kind: &'a str,
    pub(crate) key: &'a str,
    pub(crate) value: &'a str,
    pub(crate) number: u64,
}

impl<'a> KeyLine<'a> {
    fn new(row: &'a JobRow, key: &'a Key) -> Self {
        Self { kind: &row.write.kind, key: key.key, value: &key.value, number: row.number }
    }
}

/// All that stands, as lines for the tables: each line at most once, keys as the net change.
pub(crate) struct Batch<'a> {
    pub(crate) recorded_at: i64,
    /// Whether `recorded_at` is to be kept although no event carries it.
    pub(crate) promises: bool,
    pub(crate) ids: Vec<IdLine<'a>>,
    /// Each with the number of its stream.
    pub(crate) events: Vec<(u64, &'a Incoming)>,
    pub(crate) rows: Vec<&'a JobRow>,
    pub(crate) keys_removed: Vec<KeyLine<'a>>,
    pub(crate) keys_added: Vec<KeyLine<'a>>,
    pub(crate) cursors: Vec<(&'a str, u64)>,
    pub(crate) parked: Vec<&'a ParkedWrite>,
    pub(crate) unparked: Vec<(&'a str, u64)>,
    pub(crate) person_keys: Vec<&'a PersonKeyWrite>,
}

impl<'a> Batch<'a> {
    pub(crate) fn collect(jobs: &'a [Job], plan: &Plan) -> Self {
        let mut batch = Self {
            recorded_at: plan.recorded_at,
            promises: false,
            ids: Vec::with_capacity(jobs.len()),
            events: Vec::with_capacity(jobs.len() * 2),
            rows: Vec::with_capacity(jobs.len()),
            keys_removed: Vec::new(),
            keys_added: Vec::new(),
            cursors: Vec::new(),
            parked: Vec::new(),
            unparked: Vec::new(),
            person_keys: Vec::new(),
        };
        let mut last_number = plan.last_number;
        let mut places: HashMap<u64, usize> = HashMap::with_capacity(jobs.len());
        let mut cursors: HashMap<&str, u64> = HashMap::new();
        let mut parked: HashMap<(&str, u64), Option<&ParkedWrite>> = HashMap::new();
        let mut all_rows = Vec::with_capacity(jobs.len());
        let standing = jobs.iter().zip(&plan.verdicts).filter(|(_, verdict)| verdict.is_ok());
        for (job, _) in standing {
            for append in &job.appends {
                let number = append.number;
                if number > last_number {
                    let (kind, id) = kind_and_id(&append.stream);
                    batch.ids.push(IdLine { number, kind, id });
                    last_number = number;
                }
                batch.events.extend(append.events.iter().map(|event| (number, event)));
            }
            for row in &job.rows {
                let number = row.number;
                if number > last_number {
                    let (kind, id) = (row.write.kind.as_ref(), row.write.id.as_str());
                    batch.ids.push(IdLine { number, kind, id });
                    last_number = number;
                }
                all_rows.push(row);
                match places.entry(number) {
                    std::collections::hash_map::Entry::Occupied(place) => {
                        batch.rows[*place.get()] = row;
                    }
                    std::collections::hash_map::Entry::Vacant(place) => {
                        place.insert(batch.rows.len());
                        batch.rows.push(row);
                    }
                }
            }
            cursors.extend(job.cursors.iter().map(|cursor| (cursor.source.as_str(), cursor.to)));
            for entry in &job.parked {
                parked.insert((&entry.source, entry.position), Some(entry));
            }
            for (source, position) in &job.unparked {
                parked.insert((source, *position), None);
            }
            batch.person_keys.extend(&job.person_keys);
        }
        batch.promises = plan.promises && batch.events.is_empty();
        batch.collect_keys(&all_rows);
        batch.cursors.extend(cursors);
        for (place, entry) in parked {
            match entry {
                Some(entry) => batch.parked.push(entry),
                None => batch.unparked.push(place),
            }
        }
        batch
    }

    fn collect_keys(&mut self, rows: &[&'a JobRow]) {
        if rows.len() == self.rows.len() {
            // no row twice: nothing cancels out
            for row in rows {
                let RowWrite { keys_removed, keys_added, .. } = &row.write;
                self.keys_removed.extend(keys_removed.iter().map(|key| KeyLine::new(row, key)));
                self.keys_added.extend(keys_added.iter().map(|key| KeyLine::new(row, key)));
            }
            return;
        }
        let mut last: HashMap<KeyLine<'_>, bool> = HashMap::new();
        for row in rows {
            let RowWrite { keys_removed, keys_added, .. } = &row.write;
            last.extend(keys_removed.iter().map(|key| (KeyLine::new(row, key), false)));
            last.extend(keys_added.iter().map(|key| (KeyLine::new(row, key), true)));
        }
        for (line, is_there) in last {
            if is_there {
                self.keys_added.push(line);
            } else {
                self.keys_removed.push(line);
            }
        }
    }
}

#[cfg(test)]
mod tests;
