//! Compares what the log tells with what is stored: every position, version, time, row and key.
//!
//! Invariant: all of it is read from one frozen picture of the database, so a running service does
//! not look like a fault.

mod report;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use sha2::{Digest, Sha256};

use crate::{
    Kinds, LogError, LogOptions, OpenError,
    aggregate::kind_and_id,
    engine::{Engine, NumberedRow, Scan, StoredKey},
    kinds::{ProjectionFold, RowChange},
    projection_source,
    rebuild::{Pages, Streams, Unreadable},
};

pub use report::{Difference, Report};

/// Lines read at once.
const PAGE: usize = 4_096;

/// Why nothing could be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The log cannot be opened.
    #[error("the log cannot be opened")]
    Open(#[from] OpenError),
    /// The log failed.
    #[error("the log failed")]
    Broken(#[from] LogError),
}

/// Walks the whole log and all rows; services may run meanwhile.
///
/// # Errors
/// The log cannot be read. What is wrong in it is in the report.
pub async fn verify(options: &LogOptions, kinds: &Kinds) -> Result<Report, VerifyError> {
    options.check()?;
    let engine = Engine::open(options).await?;
    let mut scan = engine.scan().await?;
    scan.freeze().await?;
    let mut report = Report { position: scan.last_position().await?, ..Report::default() };
    let mut compare = Compare::new(kinds);
    by_position(&mut scan, kinds, &mut compare, &mut report).await?;
    by_stream(&mut scan, kinds, &mut compare, &mut report).await?;
    compare.finish(&mut scan, &mut report).await?;
    drop(scan);
    engine.close().await;
    Ok(report)
}

/// Positions, times, versions; and the projections, each up to its cursor.
async fn by_position(
    scan: &mut Scan,
    kinds: &Kinds,
    compare: &mut Compare,
    report: &mut Report,
) -> Result<(), LogError> {
    let mut projections: Vec<(&'static str, u64, Box<dyn ProjectionFold>)> = Vec::new();
    for (name, kind) in &kinds.projections {
        let cursor = scan.cursor(&projection_source(name)).await?;
        projections.push((*name, cursor, kind.begin()));
    }
    let mut unknown: BTreeMap<String, u64> = BTreeMap::new();
    let mut versions: HashMap<[u8; 16], u64> = HashMap::new();
    let (mut position, mut time) = (0, None);
    loop {
        let events = scan.events(position, u64::MAX, PAGE).await?;
        if events.is_empty() {
            break;
        }
        for event in events {
            if event.position != position + 1 {
                report.add(Difference::Position { expected: position + 1, found: event.position });
            }
            position = event.position;
            let at = event.recorded_at.as_ref().map(|at| (at.seconds, at.nanos));
            if at < time {
                report.add(Difference::Time { position });
            }
            time = at;
            let version = versions.entry(digest(&[&event.stream])).or_default();
            if event.version != *version + 1 {
                report.add(Difference::Version {
                    stream: event.stream.clone(),
                    expected: *version + 1,
                    found: event.version,
                });
            }
            *version = event.version;
            let (kind, _) = kind_and_id(&event.stream);
            if !kinds.aggregates.contains_key(kind) {
                *unknown.entry(kind.to_owned()).or_default() += 1;
            }
            for (_, cursor, projection) in &mut projections {
                if position <= *cursor {
                    projection.take_in(&event);
                }
            }
            report.events += 1;
        }
    }
    for (kind, events) in unknown {
        report.add(Difference::UnknownKind { kind, events });
    }
    for (_, _, mut projection) in projections {
        projection.take_changes().into_iter().for_each(|change| compare.projected(change));
    }
    Ok(())
}

/// Rows and keys of the aggregates.
async fn by_stream(
    scan: &mut Scan,
    kinds: &Kinds,
    compare: &mut Compare,
    report: &mut Report,
) -> Result<(), LogError> {
    let mut streams = Streams::new(kinds.clone());
    let mut pages = Pages::up_to(u64::MAX);
    loop {
        let page = pages.next(scan).await?;
        let folded = match &page {
            Some(page) => streams.take_in(page)?,
            None => streams.finish()?,
        };
        for change in folded {
            match change {
                Ok(change) => compare.folded(scan, change, report).await?,
                Err(Unreadable { kind, why }) => compare.unreadable(kind, &why, report),
            }
        }
        if page.is_none() {
            return Ok(());
        }
    }
}

/// All rows, by number.
#[derive(Default)]
struct Rows {
    page: VecDeque<NumberedRow>,
    after: u64,
    is_done: bool,
}

impl Rows {
    /// The next row, if it is one up to this number.
    async fn next_up_to(
        &mut self,
        scan: &mut Scan,
        number: u64,
    ) -> Result<Option<NumberedRow>, LogError> {
        if self.page.is_empty() && !self.is_done {
            let page = scan.rows(self.after, PAGE).await?;
            self.is_done = page.len() < PAGE;
            self.after = page.last().map_or(self.after, |last| last.number);
            self.page = page.into();
        }
        Ok(self.page.pop_front_if(|row| row.number <= number))
    }
}

/// Compares rows and keys with a fold of the aggregates that comes in the order of their numbers.
struct Compare {
    rows: Rows,
    projections: BTreeSet<&'static str>,
    /// Rows of projections that must be there: kind and id, version, digest of the body.
    projected: HashMap<(&'static str, String), (u64, [u8; 16])>,
    /// Kinds of which a stream cannot be folded: what is missing could not be told apart.
    unreadable: BTreeSet<&'static str>,
    /// Keys that must be there, by digest.
    keys: HashMap<[u8; 16], Difference>,
}

impl Compare {
    fn new(kinds: &Kinds) -> Self {
        Self {
            rows: Rows::default(),
            projections: kinds.projections.keys().copied().collect(),
            projected: HashMap::new(),
            unreadable: BTreeSet::new(),
            keys: HashMap::new(),
        }
    }

    /// A row of a projection, as it must be.
    fn projected(&mut self, change: RowChange) {
        self.demand_keys(&change);
        let RowChange { kind, row, .. } = change;
        self.projected.insert((kind, row.id), (row.version, digest(&[&row.body])));
    }

    /// The next row of an aggregate, as it must be.
    async fn folded(
        &mut self,
        scan: &mut Scan,
        change: RowChange,
        report: &mut Report,
    ) -> Result<(), LogError> {
        self.demand_keys(&change);
        let RowChange { kind, number, row: folded, .. } = change;
        while let Some(stored) = self.rows.next_up_to(scan, number).await? {
            if stored.number < number {
                self.others(stored, report);
                continue;
            }
            report.rows += 1;
            if stored.row.version != folded.version || stored.row.body != folded.body {
                report.add(Difference::RowDiffers { kind: kind.to_owned(), id: folded.id });
            }
            return Ok(());
        }
        report.add(Difference::RowMissing { kind: kind.to_owned(), id: folded.id });
        Ok(())
    }

    /// A row that stands where no aggregate has one: of a projection, or of nothing.
    fn others(&mut self, stored: NumberedRow, report: &mut Report) {
        let NumberedRow { kind, row, .. } = stored;
        if let Some(name) = self.projections.get(kind.as_str()) {
            let projected = self.projected.remove(&(*name, row.id.clone()));
            if let Some((version, body)) = projected {
                report.rows += 1;
                if row.version != version || digest(&[&row.body]) != body {
                    report.add(Difference::RowDiffers { kind, id: row.id });
                }
                return;
            }
        }
        if !self.unreadable.contains(kind.as_str()) {
            report.add(Difference::RowExtra { kind, id: row.id });
        }
    }

    fn unreadable(&mut self, kind: &'static str, why: &LogError, report: &mut Report) {
        if self.unreadable.insert(kind) {
            report.add(Difference::Unreadable { kind: kind.to_owned(), why: chain(why) });
        }
    }

    fn demand_keys(&mut self, change: &RowChange) {
        let (kind, id) = (change.kind, &change.row.id);
        for key in &change.row.keys {
            let missing = Difference::KeyMissing {
                kind: kind.to_owned(),
                id: id.clone(),
                key: key.key.to_owned(),
                value: key.value.clone(),
            };
            self.keys.insert(digest(&[kind, key.key, &key.value, id]), missing);
        }
    }

    async fn finish(mut self, scan: &mut Scan, report: &mut Report) -> Result<(), LogError> {
        while let Some(stored) = self.rows.next_up_to(scan, u64::MAX).await? {
            self.others(stored, report);
        }
        for (kind, id) in std::mem::take(&mut self.projected).into_keys() {
            report.add(Difference::RowMissing { kind: kind.to_owned(), id });
        }
        let mut after = StoredKey::default();
        loop {
            let page = scan.keys(&after, PAGE).await?;
            let is_last = page.len() < PAGE;
            for stored in page {
                let StoredKey { kind, key, value, id, .. } = &stored;
                report.keys += 1;
                let is_demanded = self.keys.remove(&digest(&[kind, key, value, id])).is_some();
                if !is_demanded && !self.unreadable.contains(kind.as_str()) {
                    report.add(Difference::KeyExtra {
                        kind: kind.clone(),
                        id: id.clone(),
                        key: key.clone(),
                        value: value.clone(),
                    });
                }
                after = stored;
            }
            if is_last {
                break;
            }
        }
        self.keys.into_values().for_each(|missing| report.add(missing));
        Ok(())
    }
}

/// Stands for some texts, so that millions of them fit in memory.
fn digest<T: AsRef<[u8]>>(texts: &[T]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for text in texts.iter().map(AsRef::as_ref) {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text);
    }
    let mut short = [0; 16];
    short.copy_from_slice(&hash.finalize()[..16]);
    short
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}
