//! Folds the log into fresh rows and puts them in the place of the old ones.
//!
//! ```text
//! read by number ─▶ fold ─▶ fresh tables ─▶ catch up, in rounds ─▶ lock ─▶ catch up ─▶ swap
//! ```
//!
//! Invariant: the old rows serve until the swap, and the swap is one transaction under the log's
//! lock in which the fresh rows have taken in every event. So services may go on meanwhile.

use tokio::sync::mpsc;

use crate::{
    Kinds, LogError, LogOptions, OpenError,
    aggregate::kind_and_id,
    engine::{Engine, Fresh, Packed, PackedStream, Range, Scan},
    kinds::{ProjectionFold, RowChange, StreamEvent},
    projection_source,
    transact::key_changes,
};

/// A page of events is about so large.
const PAGE_BYTES: usize = 1 << 20;

/// Rows in one transaction.
const ROWS: usize = 4_096;

/// Events read by position at once.
const EVENTS: usize = 4_096;

/// So few new events are caught up under the lock.
const FEW: u64 = 500;

/// Rounds of catching up, at most, before the lock is taken all the same.
const ROUNDS: u32 = 10;

/// What a rebuild did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RebuildReport {
    /// Position up to which the rows are folded.
    pub position: u64,
    /// Events of the aggregates that were folded.
    pub events: u64,
    /// Rows that were written.
    pub rows: u64,
    /// Events of kinds that are not listed: they have no rows.
    pub unknown: u64,
}

/// Why a rebuild did not happen; the rows are as they were.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// Another rebuild of this log is under way.
    #[error("another rebuild of this log is under way")]
    Busy,
    /// The log cannot be opened.
    #[error("the log cannot be opened")]
    Open(#[from] OpenError),
    /// The log failed.
    #[error("the log failed")]
    Broken(#[from] LogError),
}

/// Folds the whole log again and swaps the result in. Services may run meanwhile, with the same
/// kinds: rows and cursors of a kind that is not listed are gone afterwards.
///
/// # Errors
/// The log fails, or another rebuild is under way; the rows are as they were.
pub async fn rebuild(options: &LogOptions, kinds: &Kinds) -> Result<RebuildReport, RebuildError> {
    options.check()?;
    let engine = Engine::open(options).await?;
    let Some(mut fresh) = engine.fresh().await? else { return Err(RebuildError::Busy) };
    let mut work = Rebuild {
        scan: engine.scan().await?,
        kinds: kinds.clone(),
        projections: kinds.projections.values().map(|kind| kind.begin()).collect(),
        projected: 0,
        report: RebuildReport::default(),
        engine: engine.clone(),
    };
    let result = match work.fill(&mut fresh).await {
        Ok(()) => {
            let position = work.report.position;
            let names = kinds.projections.keys();
            let cursors: Vec<_> = names.map(|name| (projection_source(name), position)).collect();
            fresh.swap(&cursors).await
        }
        Err(error) => {
            fresh.discard().await;
            Err(error)
        }
    };
    engine.close().await;
    result?;
    Ok(work.report)
}

struct Rebuild {
    engine: Engine,
    scan: Scan,
    kinds: Kinds,
    projections: Vec<Box<dyn ProjectionFold>>,
    /// Position up to which the projections are folded.
    projected: u64,
    report: RebuildReport,
}

impl Rebuild {
    /// Leaves the fresh tables full and the log locked.
    async fn fill(&mut self, fresh: &mut Fresh) -> Result<(), LogError> {
        let mut at = self.scan.last_position().await?;
        self.fold_all(at, fresh).await?;
        self.report.unknown = at - self.report.events;
        fresh.end_bulk().await?;
        self.project(at, fresh).await?;
        for _ in 0..ROUNDS {
            let last = self.scan.last_position().await?;
            if last - at <= FEW {
                break;
            }
            self.catch_up(at, last, fresh).await?;
            at = last;
        }
        let last = fresh.lock().await?;
        self.catch_up(at, last, fresh).await?;
        self.report.position = last;
        self.report.rows += self.projections.iter().map(|rows| rows.count()).sum::<u64>();
        Ok(())
    }

    /// Reading, folding and writing go on at the same time.
    async fn fold_all(&mut self, to: u64, fresh: &mut Fresh) -> Result<(), LogError> {
        let (read_pages, mut read) = mpsc::channel(2);
        let (chunks, mut folded) = mpsc::channel::<Vec<RowChange>>(2);
        let scan = &mut self.scan;
        let reading = async move {
            let mut pages = Pages::up_to(to);
            while let Some(page) = pages.next(scan).await? {
                if read_pages.send(page).await.is_err() {
                    break; // the fold failed and says so itself
                }
            }
            Ok(())
        };
        let kinds = self.kinds.clone();
        let folding = tokio::spawn(async move {
            let mut streams = Streams::new(kinds);
            let mut changes = Vec::with_capacity(ROWS);
            while let Some(page) = read.recv().await {
                for change in streams.take_in(&page)? {
                    changes.push(change.map_err(|unreadable| unreadable.why)?);
                }
                if changes.len() >= ROWS && chunks.send(std::mem::take(&mut changes)).await.is_err()
                {
                    return Ok(0); // the writer failed and says so itself
                }
            }
            for change in streams.finish()? {
                changes.push(change.map_err(|unreadable| unreadable.why)?);
            }
            let _ = chunks.send(changes).await;
            Ok::<u64, LogError>(streams.events)
        });
        let writing = async {
            let mut rows = 0;
            while let Some(changes) = folded.recv().await {
                rows += changes.len() as u64;
                for part in changes.chunks(ROWS) {
                    fresh.write(part).await?;
                }
            }
            folded.close();
            Ok::<u64, LogError>(rows)
        };
        let folding = async { folding.await.unwrap_or(Err(LogError::Closed)) };
        let ((), rows, events) = tokio::try_join!(reading, writing, folding)?;
        self.report.rows += rows;
        self.report.events += events;
        Ok(())
    }

    /// Folds once more every stream that has events after `from`, up to `to`.
    async fn catch_up(&mut self, from: u64, to: u64, fresh: &mut Fresh) -> Result<(), LogError> {
        if to == from {
            return Ok(());
        }
        let touched = self.scan.touched(from, to).await?;
        for some in touched.chunks(256) {
            let (numbers, names): (Vec<u64>, Vec<String>) = some.iter().cloned().unzip();
            let histories = self.engine.histories(&names).await?;
            let mut changes = Vec::with_capacity(some.len());
            for ((number, stream), history) in numbers.into_iter().zip(&names).zip(histories) {
                let (kind, id) = kind_and_id(stream);
                let Some((kind, aggregate)) = self.kinds.aggregates.get_key_value(kind) else {
                    self.report.unknown +=
                        history.iter().filter(|event| event.position > from).count() as u64;
                    continue;
                };
                let metadata: Vec<Vec<u8>> = history
                    .iter()
                    .map(|event| {
                        let metadata = event.metadata.as_ref();
                        metadata.map(prost::Message::encode_to_vec).unwrap_or_default()
                    })
                    .collect();
                let events: Vec<StreamEvent<'_>> = history
                    .iter()
                    .zip(&metadata)
                    .filter(|(event, _)| event.position <= to)
                    .map(|(event, metadata)| StreamEvent {
                        version: event.version,
                        type_name: &event.r#type,
                        body: &event.body,
                        metadata,
                    })
                    .collect();
                let folded = history.iter().take_while(|event| event.position <= from).count();
                let before = aggregate.fold(id, &events[..folded])?;
                let row = aggregate.fold(id, &events)?;
                let (keys_removed, _) = key_changes(&before.keys, &row.keys);
                self.report.events += (events.len() - folded) as u64;
                self.report.rows += u64::from(folded == 0);
                changes.push(RowChange { kind, number, row, keys_removed });
            }
            fresh.write(&changes).await?;
        }
        self.project(to, fresh).await
    }

    async fn project(&mut self, to: u64, fresh: &mut Fresh) -> Result<(), LogError> {
        if self.projections.is_empty() {
            return Ok(());
        }
        while self.projected < to {
            let events = self.scan.events(self.projected, to, EVENTS).await?;
            let Some(last) = events.last() else { break };
            self.projected = last.position;
            for event in &events {
                self.projections.iter_mut().for_each(|projection| projection.take_in(event));
            }
        }
        for projection in &mut self.projections {
            let mut changes = projection.take_changes();
            fresh.number(&mut changes).await?;
            for part in changes.chunks(ROWS) {
                fresh.write(part).await?;
            }
        }
        Ok(())
    }
}

/// Reads a range to its end, in pages of about [`PAGE_BYTES`].
pub(crate) struct Pages {
    range: Range,
    limit: usize,
    is_done: bool,
}

impl Pages {
    pub(crate) fn up_to(position: u64) -> Self {
        Self { range: Range { after: (0, 0), to: position }, limit: 64, is_done: false }
    }

    /// The next page, which is never empty; `None` at the end.
    pub(crate) async fn next(&mut self, scan: &mut Scan) -> Result<Option<Vec<u8>>, LogError> {
        if self.is_done {
            return Ok(None);
        }
        let page = match scan.packed(&self.range, self.limit).await {
            Ok(page) => page,
            // more than the database can put in one value
            Err(_) if self.limit > 1 => {
                self.limit = 1;
                scan.packed(&self.range, self.limit).await?
            }
            Err(error) => return Err(error),
        };
        let mut count = 0;
        for event in Packed(&page) {
            let (stream, event) = event?;
            count += 1;
            self.range.after = (stream.number, event.version);
        }
        self.is_done = count < self.limit;
        self.limit = (self.limit * PAGE_BYTES / page.len().max(1)).clamp(1, 16_384);
        Ok((count > 0).then_some(page))
    }
}

/// A stream that could not be folded.
pub(crate) struct Unreadable {
    pub(crate) kind: &'static str,
    pub(crate) why: LogError,
}

/// What the streams of a page led to, one by one.
pub(crate) type Folded = Vec<Result<RowChange, Unreadable>>;

/// Puts the events of a stream together again: a page may end within one.
pub(crate) struct Streams {
    kinds: Kinds,
    /// The last stream of the pages so far, which may go on.
    open: Vec<u8>,
    /// Events of the streams that were finished and are of a kind that is listed.
    pub(crate) events: u64,
}

impl Streams {
    pub(crate) fn new(kinds: Kinds) -> Self {
        Self { kinds, open: Vec::new(), events: 0 }
    }

    /// Folds all streams that are whole now; those of kinds that are not listed are passed over.
    pub(crate) fn take_in(&mut self, page: &[u8]) -> Result<Folded, LogError> {
        let joined;
        let page = if self.open.is_empty() {
            page
        } else {
            joined = [std::mem::take(&mut self.open).as_slice(), page].concat();
            &joined
        };
        let mut folded = Vec::new();
        let mut events: Vec<StreamEvent<'_>> = Vec::new();
        let mut current: Option<PackedStream<'_>> = None;
        let mut begins = 0;
        let mut rest = Packed(page);
        loop {
            let at = page.len() - rest.0.len();
            let Some(next) = rest.next() else { break };
            let (stream, event) = next?;
            if current.is_none_or(|current| current.number != stream.number) {
                folded.extend(current.and_then(|current| self.fold(current, &events)));
                events.clear();
                current = Some(stream);
                begins = at;
            }
            events.push(event);
        }
        self.open = page[begins..].to_vec();
        Ok(folded)
    }

    /// Folds the last stream.
    pub(crate) fn finish(&mut self) -> Result<Folded, LogError> {
        let open = std::mem::take(&mut self.open);
        let mut stream = None;
        let mut events = Vec::new();
        for next in Packed(&open) {
            let (name, event) = next?;
            stream = Some(name);
            events.push(event);
        }
        Ok(stream.and_then(|stream| self.fold(stream, &events)).into_iter().collect())
    }

    fn fold(
        &mut self,
        stream: PackedStream<'_>,
        events: &[StreamEvent<'_>],
    ) -> Option<Result<RowChange, Unreadable>> {
        let (kind, id) = kind_and_id(stream.name);
        let (kind, aggregate) = self.kinds.aggregates.get_key_value(kind)?;
        self.events += events.len() as u64;
        let change = |row| RowChange { kind, number: stream.number, row, keys_removed: Vec::new() };
        Some(aggregate.fold(id, events).map(change).map_err(|why| Unreadable { kind, why }))
    }
}
