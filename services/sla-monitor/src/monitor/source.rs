//! The services whose events the clocks go by, read in one order.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use eventlog::{
    Commit, Horizon, Log, Stage,
    bus::{AskError, Bus, Incoming, Subscription, SubscriptionError},
};
use futures::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};
use jiff::Timestamp;
use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinHandle},
    time::{Instant, sleep, timeout},
};

use super::{Again, WatchError};
use crate::{clock::Clock, config::Config, rules::Rules, timeline::time};

/// Events read ahead of each source.
const AHEAD: usize = 1_024;
/// How long a source may take to answer.
const ANSWER: Duration = Duration::from_secs(2);
/// How long the cursor may lag behind events that changed nothing.
const LAZY: Duration = Duration::from_secs(1);

/// Name of the cursor of a source, and of the events of it that are parked.
pub(super) fn cursor(context: &str) -> String {
    format!("clocks:{}", context.to_ascii_lowercase())
}

/// Up to when everything is known of some services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Everything that was recorded before this moment.
    pub until: Timestamp,
    /// The same without the services that cannot be asked.
    pub beyond: Timestamp,
    /// Services that could not be asked for too long.
    pub unheard: Vec<String>,
}

/// One service whose events are read.
#[derive(Debug)]
pub struct Source {
    context: String,
    /// Where the cursor is in the log.
    persisted: u64,
    /// The last event that was dealt with.
    done: u64,
    /// The last event that was read.
    read: u64,
    queue: VecDeque<Incoming>,
    feed: mpsc::Receiver<Result<Incoming, SubscriptionError>>,
    failed: Option<SubscriptionError>,
    reader: AbortHandle,
    asking: Option<JoinHandle<Result<Horizon, AskError>>>,
    /// An answer that our reading has not reached yet.
    answer: Option<(Horizon, Instant)>,
    /// Everything before is read.
    read_until: Timestamp,
    /// Since when it cannot be asked.
    unheard_since: Option<Instant>,
}

impl Drop for Source {
    fn drop(&mut self) {
        self.reader.abort();
        if let Some(asking) = &self.asking {
            asking.abort();
        }
    }
}

impl Source {
    fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Everything that was recorded before is dealt with.
    fn known_until(&self) -> Timestamp {
        self.queue.front().map_or(self.read_until, recorded_at)
    }

    fn take_in(&mut self, event: Result<Incoming, SubscriptionError>) {
        match event {
            Ok(event) => {
                self.read = event.position;
                self.queue.push_back(event);
            }
            Err(error) => self.failed = Some(error),
        }
    }

    fn settle(&mut self) {
        if let Some((answer, _)) = &self.answer
            && self.read >= answer.position
        {
            self.read_until = self.read_until.max(answer.at);
            self.answer = None;
        }
    }

    /// It does not answer, or what it says that it has recorded does not come.
    fn is_unheard(&self, after: Duration) -> bool {
        let silent = self.unheard_since.is_some_and(|since| since.elapsed() >= after);
        silent || self.answer.as_ref().is_some_and(|(_, since)| since.elapsed() >= after)
    }
}

fn recorded_at(event: &Incoming) -> Timestamp {
    time(&event.recorded_at).unwrap_or_default()
}

/// All of them.
#[derive(Debug)]
pub struct Sources {
    list: Vec<Source>,
    bus: Bus,
    provisional_after: Duration,
    lazy: Option<Instant>,
}

impl Sources {
    pub(super) async fn open(bus: &Bus, log: &Log, config: &Config) -> Result<Self, Again> {
        let mut list = Vec::new();
        for context in &config.sources {
            let persisted = log.cursor(&cursor(context)).await?;
            let (sender, feed) = mpsc::channel(AHEAD);
            let reader =
                tokio::spawn(read(bus.clone(), context.to_ascii_uppercase(), persisted, sender));
            list.push(Source {
                context: context.clone(),
                persisted,
                done: persisted,
                read: persisted,
                queue: VecDeque::new(),
                feed,
                failed: None,
                reader: reader.abort_handle(),
                asking: None,
                answer: None,
                read_until: Timestamp::MIN,
                unheard_since: None,
            });
        }
        let provisional_after = Duration::from_secs(config.provisional_after_seconds);
        Ok(Self { list, bus: bus.clone(), provisional_after, lazy: None })
    }

    /// Takes what has been read.
    pub(super) fn fill(&mut self) -> Result<(), WatchError> {
        for source in &mut self.list {
            while source.queue.len() < AHEAD
                && let Ok(event) = source.feed.try_recv()
            {
                source.take_in(event);
            }
            if let Some(error) = source.failed.take() {
                return Err(WatchError::Source { context: source.context.clone(), source: error });
            }
            source.settle();
        }
        Ok(())
    }

    /// The next events in the order in which they were recorded, as far as nothing earlier can come
    /// from another source. A source that cannot be asked for too long is not waited for.
    pub(super) fn next_batch(&mut self, most: usize) -> Vec<Incoming> {
        let mut batch = Vec::new();
        while batch.len() < most {
            let heads = self.list.iter().enumerate().filter_map(|(index, source)| {
                Some((recorded_at(source.queue.front()?), source.context.as_str(), index))
            });
            let Some((at, _, first)) = heads.min() else { break };
            let waits = self.list.iter().enumerate().any(|(index, source)| {
                index != first
                    && source.is_empty()
                    && source.read_until <= at
                    && !source.is_unheard(self.provisional_after)
            });
            if waits {
                break;
            }
            batch.extend(self.list[first].queue.pop_front());
        }
        batch
    }

    /// Whether events wait for another source.
    pub(super) fn are_blocked(&self) -> bool {
        self.list.iter().any(|source| !source.is_empty()) && self.list.iter().any(Source::is_empty)
    }

    pub(super) fn dealt_with(&mut self, batch: &[Incoming]) {
        for event in batch {
            let source = self
                .list
                .iter_mut()
                .find(|source| source.context.eq_ignore_ascii_case(&event.context));
            if let Some(source) = source {
                source.done = source.done.max(event.position);
            }
        }
    }

    pub(super) fn stage(&self, stage: &mut Stage) {
        for source in self.list.iter().filter(|source| source.done > source.persisted) {
            stage.move_cursor(cursor(&source.context), source.persisted, source.done);
        }
    }

    pub(super) fn persisted(&mut self) {
        for source in &mut self.list {
            source.persisted = source.done;
        }
        self.lazy = None;
    }

    /// Moves the cursors past events that changed nothing, now and then.
    pub(super) async fn persist(&mut self, log: &Log) -> Result<(), Again> {
        if self.list.iter().all(|source| source.done == source.persisted) {
            return Ok(());
        }
        let since = *self.lazy.get_or_insert_with(Instant::now);
        if since.elapsed() < LAZY {
            return Ok(());
        }
        let mut commit = Commit::new();
        for source in self.list.iter().filter(|source| source.done > source.persisted) {
            commit = commit.move_cursor(cursor(&source.context), source.persisted, source.done);
        }
        log.commit(commit).await?;
        self.persisted();
        Ok(())
    }

    /// Up to when everything is known of these services. Of one that is none of the sources nothing
    /// can come.
    #[must_use]
    pub fn known(&self, contexts: &BTreeSet<&str>, now: Timestamp) -> Known {
        let mut known = Known { until: now, beyond: now, unheard: Vec::new() };
        for source in self.list.iter().filter(|source| contexts.contains(source.context.as_str())) {
            let until = source.known_until();
            known.until = known.until.min(until);
            if source.is_unheard(self.provisional_after) {
                known.unheard.push(source.context.clone());
            } else {
                known.beyond = known.beyond.min(until);
            }
        }
        known
    }

    /// How much is known of each, and whether it cannot be asked.
    pub(super) fn heard(&self) -> Vec<(Timestamp, bool)> {
        let heard =
            |source: &Source| (source.known_until(), source.is_unheard(self.provisional_after));
        self.list.iter().map(heard).collect()
    }

    /// Up to when everything is known for a clock that hears an event of this moment.
    pub(super) fn known_for(&self, clock: &Clock, rules: &Rules, at: Timestamp) -> Timestamp {
        let contexts = super::contexts_of(clock, rules);
        let contexts: BTreeSet<&str> = contexts.iter().map(String::as_str).collect();
        // the event's own source was read up to it, whatever is behind it in the queue
        self.list
            .iter()
            .filter(|source| contexts.contains(source.context.as_str()))
            .filter(|source| source.is_unheard(self.provisional_after))
            .map(Source::known_until)
            .fold(at, Timestamp::min)
    }

    /// Asks the sources how far they are, when something waits for it; takes in the answers.
    pub(super) fn ask(&mut self, wanted: bool) {
        let bus = self.bus.clone();
        for source in &mut self.list {
            if let Some(asking) = source.asking.take_if(|asking| asking.is_finished()) {
                match asking.now_or_never() {
                    Some(Ok(Ok(answer))) => {
                        source.unheard_since = None;
                        source.answer = Some((answer, Instant::now()));
                    }
                    Some(Ok(Err(error))) => {
                        if source.unheard_since.is_none() {
                            tracing::warn!(service = source.context, %error, "a source cannot be asked how far it is");
                            source.unheard_since = Some(Instant::now());
                        }
                    }
                    Some(Err(_)) | None => {}
                }
                source.settle();
            }
            if wanted && source.asking.is_none() && source.answer.is_none() {
                let (bus, context) = (bus.clone(), source.context.clone());
                let again = source.unheard_since.is_some();
                source.asking = Some(tokio::spawn(async move {
                    if again {
                        sleep(Duration::from_millis(200)).await;
                    }
                    bus.ask_horizon(&context, ANSWER).await
                }));
            }
        }
    }

    /// Waits until there is something to read, or for so long.
    pub(super) async fn wait(&mut self, longest: Duration) {
        let mut read: FuturesUnordered<_> = self
            .list
            .iter_mut()
            .map(|source| async {
                match source.feed.recv().await {
                    Some(event) => source.take_in(event),
                    None => std::future::pending().await,
                }
            })
            .collect();
        let _ = timeout(longest, async {
            match read.next().await {
                Some(()) => {}
                None => std::future::pending().await,
            }
        })
        .await;
    }
}

/// Reads a stream for as long as it takes.
async fn read(
    bus: Bus,
    stream: String,
    after: u64,
    events: mpsc::Sender<Result<Incoming, SubscriptionError>>,
) {
    let mut subscription = match Subscription::open(&bus, &stream, after, &[]).await {
        Ok(subscription) => subscription,
        Err(error) => return drop(events.send(Err(error)).await),
    };
    loop {
        let event = subscription.next().await;
        let failed = event.is_err();
        if events.send(event).await.is_err() || failed {
            return;
        }
    }
}
