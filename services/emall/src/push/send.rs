//! Sends orders, so many at once, and takes their answers.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use contracts::ordering::{
    FrozenListing, OrderDraft, PushOrderRequest, PushOrdersRequest, PushOrdersResponse,
};
use futures::{StreamExt as _, stream::FuturesUnordered};
use tokio::sync::mpsc;
use tonic::{Status, Streaming};

use super::{
    Pace,
    entry::{Cancellation, Entry, ReadError},
    ledger::Accepted,
    tally::Tally,
};
use crate::{
    client::{As, CallError, Client, Tries},
    end::Failure,
    refusal::Refusal,
    table::grouped,
    terminal::Progress,
};

/// What came of the file.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) tally: Tally,
    pub(crate) accepted: Vec<Accepted>,
    pub(crate) cancellations: Vec<Cancellation>,
    /// Why the file was not read to its end.
    pub(crate) stopped_by: Option<ReadError>,
    /// Whether what is accepted keeps its listings: they are most of the memory.
    pub(super) keep_listings: bool,
}

pub(crate) type Entries = mpsc::Receiver<Result<Entry, ReadError>>;

pub(crate) async fn all(
    client: &Client,
    entries: Entries,
    pace: Pace,
    progress: &Progress,
) -> Result<Sent, Failure> {
    let began = Instant::now();
    let mut sent = Sent { keep_listings: pace.life, ..Sent::default() };
    let mut drafts = Drafts { entries, gap: pace.gap, next: tokio::time::Instant::now() };
    if pace.stream {
        over_stream(client, &mut drafts, pace, progress, &mut sent).await?;
    } else {
        by_calls(client, &mut drafts, pace, progress, &mut sent).await?;
    }
    sent.tally.elapsed = began.elapsed();
    progress.clear();
    Ok(sent)
}

/// The orders of the file at the pace asked for; everything else goes straight into `sent`.
struct Drafts {
    entries: Entries,
    gap: Option<Duration>,
    next: tokio::time::Instant,
}

impl Drafts {
    /// May be dropped while it waits: nothing is lost.
    async fn next(&mut self, sent: &mut Sent) -> Option<OrderDraft> {
        if self.gap.is_some() {
            tokio::time::sleep_until(self.next).await;
        }
        loop {
            match self.entries.recv().await? {
                Ok(Entry::Order(draft)) => {
                    if let Some(gap) = self.gap {
                        self.next = tokio::time::Instant::now() + gap;
                    }
                    return Some(*draft);
                }
                Ok(Entry::Cancellation(cancellation)) => sent.cancellations.push(cancellation),
                Ok(Entry::Unsendable { label, refusals }) => {
                    sent.tally.refused(&label, &refusals, None);
                }
                Err(error) => sent.stopped_by = Some(error),
            }
        }
    }
}

async fn by_calls(
    client: &Client,
    drafts: &mut Drafts,
    pace: Pace,
    progress: &Progress,
    sent: &mut Sent,
) -> Result<(), Failure> {
    let mut under_way = FuturesUnordered::new();
    let mut more = true;
    while more || !under_way.is_empty() {
        tokio::select! {
            draft = drafts.next(sent), if more && under_way.len() < pace.in_flight => match draft {
                Some(draft) => under_way.push(push_one(client, draft)),
                None => more = false,
            },
            Some((draft, answer, took)) = under_way.next(), if !under_way.is_empty() => {
                sent.take(draft, answer, took)?;
                sent.show(progress);
            }
        }
    }
    Ok(())
}

/// Our id of the order and whether it was known already.
pub(crate) type Answer = Result<(String, bool), CallError>;

pub(crate) async fn push_one(client: &Client, draft: OrderDraft) -> (OrderDraft, Answer, Duration) {
    let began = Instant::now();
    let request = PushOrderRequest { order: Some(draft.clone()) };
    let answer = client
        .call(As::Platform, request, |mut services, request| async move {
            services.orders.push_order(request).await
        })
        .await;
    (draft, answer.map(|answer| (answer.order_id, answer.repeated)), began.elapsed())
}

/// One stream for all. When it breaks, another is opened, and what was not answered is sent again.
async fn over_stream(
    client: &Client,
    drafts: &mut Drafts,
    pace: Pace,
    progress: &Progress,
    sent: &mut Sent,
) -> Result<(), Failure> {
    let mut waiting = Waiting::default();
    let mut tries = Tries::new();
    let mut more = true;
    while more || !waiting.orders.is_empty() {
        let answered = sent.tally.orders();
        let status =
            match one_stream(client, drafts, pace, progress, sent, &mut waiting, &mut more).await {
                Ok(()) => continue,
                Err(Torn::Status(status)) => status,
                Err(Torn::Failure(failure)) => return Err(failure),
            };
        if sent.tally.orders() > answered {
            tries = Tries::new();
        }
        match tries.again(*status).await {
            Ok(()) => {}
            Err(error @ CallError::NotAllowed(_)) => return Err(denied(error)),
            Err(error) => {
                let lost = u64::try_from(waiting.orders.len()).unwrap_or(0);
                sent.tally.lost += lost;
                return if lost == 0 { Err(denied(error)) } else { Ok(()) };
            }
        }
    }
    Ok(())
}

/// Orders sent over a stream that have no answer yet, by reference.
#[derive(Default)]
struct Waiting {
    orders: BTreeMap<u64, (OrderDraft, Instant)>,
    last: u64,
}

enum Torn {
    Status(Box<Status>),
    Failure(Failure),
}

impl From<Status> for Torn {
    fn from(status: Status) -> Self {
        Self::Status(Box::new(status))
    }
}

async fn one_stream(
    client: &Client,
    drafts: &mut Drafts,
    pace: Pace,
    progress: &Progress,
    sent: &mut Sent,
    waiting: &mut Waiting,
    more: &mut bool,
) -> Result<(), Torn> {
    let (sender, receiver) = mpsc::channel(pace.in_flight.max(waiting.orders.len()));
    for (reference, (draft, _)) in &waiting.orders {
        // Room was made for all of them.
        let _ = sender.try_send(message(*reference, draft));
    }
    let outgoing = tokio_stream::wrappers::ReceiverStream::new(receiver);
    let mut orders = client.orders();
    let mut answers: Streaming<PushOrdersResponse> =
        orders.push_orders(client.request(As::Platform, outgoing)).await?.into_inner();
    let mut sender = Some(sender);
    loop {
        if !*more && waiting.orders.is_empty() {
            // The end of ours lets the service end its side.
            drop(sender.take());
        }
        tokio::select! {
            draft = drafts.next(sent), if *more && waiting.orders.len() < pace.in_flight => {
                let Some(draft) = draft else { *more = false; continue };
                waiting.last += 1;
                if let Some(sender) = &sender {
                    // As many fit as may be under way; a closed channel shows in the answers.
                    let _ = sender.try_send(message(waiting.last, &draft));
                }
                waiting.orders.insert(waiting.last, (draft, Instant::now()));
            }
            answer = answers.message() => {
                let Some(answer) = answer? else {
                    if !*more && waiting.orders.is_empty() {
                        return Ok(());
                    }
                    return Err(Status::unavailable("the service ended the stream").into());
                };
                let Some((draft, since)) =
                    answer.r#ref.parse().ok().and_then(|reference| waiting.orders.remove(&reference))
                else {
                    continue;
                };
                sent.take(draft, result(answer), since.elapsed()).map_err(Torn::Failure)?;
                sent.show(progress);
            }
        }
    }
}

fn message(reference: u64, draft: &OrderDraft) -> PushOrdersRequest {
    PushOrdersRequest { r#ref: reference.to_string(), order: Some(draft.clone()) }
}

fn result(answer: PushOrdersResponse) -> Answer {
    match answer.refusal {
        None => Ok((answer.order_id, answer.repeated)),
        Some(refusal) => Err(CallError::Refused(vec![Refusal {
            reason: refusal.reason,
            field: refusal.field,
            message: refusal.message,
        }])),
    }
}

fn denied(error: CallError) -> Failure {
    Failure::because("the orders cannot be pushed", error)
}

impl Sent {
    /// # Errors
    /// The key is of no use: then it is of no use for the others either.
    pub(crate) fn take(
        &mut self,
        mut draft: OrderDraft,
        answer: Answer,
        took: Duration,
    ) -> Result<(), Failure> {
        match answer {
            Ok((order_id, repeated)) => {
                self.tally.answered(repeated, draft.lines.len(), took);
                draft.recipient = None;
                if !self.keep_listings {
                    for listing in draft.lines.iter_mut().filter_map(|line| line.listing.as_mut()) {
                        let sku = std::mem::take(&mut listing.sku);
                        *listing = FrozenListing { sku, ..FrozenListing::default() };
                    }
                }
                self.accepted.push(Accepted { order_id, draft });
            }
            Err(CallError::Refused(refusals)) => {
                self.tally.refused(&draft.platform_order_no, &refusals, Some(took));
            }
            Err(CallError::Lost(_)) => self.tally.lost += 1,
            Err(error @ CallError::NotAllowed(_)) => return Err(denied(error)),
        }
        Ok(())
    }

    pub(crate) fn show(&self, progress: &Progress) {
        let tally = &self.tally;
        if tally.orders().is_multiple_of(16) {
            progress.show(&format!(
                "{} orders: {} accepted, {} repeated, {} refused",
                grouped(tally.orders()),
                grouped(tally.accepted),
                grouped(tally.repeated),
                grouped(tally.refused),
            ));
        }
    }
}
