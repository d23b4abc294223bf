//! `--from-now`: the file as if it happened from now on, at the pace of the clock of the services.
//!
//! ```text
//! file ─moved─▶ placed_at comes ─▶ push ─▶ each step of its life when its time comes
//! ```
//!
//! The distances between the orders stay as they are, and nothing is told before it has happened.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use chassis::ScaledClock;
use contracts::ordering::OrderDraft;
use eventlog::Clock as _;
use futures::{StreamExt as _, stream::FuturesUnordered};
use jiff::{SignedDuration, Timestamp};

use super::{
    cancel,
    draft::timestamp,
    entry::{Cancellation, Entry},
    ledger::{Accepted, Ledger},
    life::{self, Course, Report, Told, Withdrawal},
    send::{self, Answer, Entries, Sent},
    tally::Became,
};
use crate::{
    client::{CallError, Client},
    end::Failure,
    terminal::Progress,
    times::moment,
};

/// What becomes of an order that was accepted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Play {
    /// It lives, from the confirmation to the settlement.
    pub(crate) life: bool,
    /// Some users complain of how it was delivered.
    pub(crate) complaints: bool,
}

pub(crate) async fn all(
    client: &Client,
    entries: Entries,
    clock: ScaledClock,
    play: Play,
    progress: &Progress,
) -> Result<(Sent, Option<Report>), Failure> {
    let began = Instant::now();
    let mut sent = Sent::default();
    let orders = read(entries, &mut sent).await;
    let orders = moved(orders, &mut sent.cancellations, clock.now());
    let Play { life, complaints } = play;
    let orders = with_withdrawals(orders, life, &mut sent);
    let courses = courses(&orders, life && complaints);
    let count = orders.len();
    let mut report = Report::default();
    report.complaints = complaints.then(Default::default);
    let mut lives: FuturesUnordered<_> = orders
        .into_iter()
        .zip(courses)
        .map(|((order, withdrawals), course)| live(client, clock, life, order, withdrawals, course))
        .collect();
    while let Some(lived) = lives.next().await {
        let Lived { draft, answer, took, then } = lived;
        sent.take(draft, answer, took)?;
        match then {
            Then::Told(mut told) => {
                told.withdrawn.drain(..).for_each(|became| sent.tally.became(became));
                report.add(*told)?;
            }
            Then::Withdrawn(all) => all.into_iter().for_each(|became| sent.tally.became(became)),
            Then::Failed(error) => {
                return Err(Failure::because("cancellations cannot be sent", error));
            }
        }
        if life {
            report.show(count, progress);
        } else {
            sent.show(progress);
        }
    }
    drop(lives);
    (sent.tally.elapsed, report.elapsed) = (began.elapsed(), began.elapsed());
    progress.clear();
    Ok((sent, life.then_some(report)))
}

/// The whole file: where it begins is known only at its end.
async fn read(mut entries: Entries, sent: &mut Sent) -> Vec<OrderDraft> {
    let mut orders = Vec::new();
    while let Some(entry) = entries.recv().await {
        match entry {
            Ok(Entry::Order(draft)) => orders.push(*draft),
            Ok(Entry::Cancellation(cancellation)) => sent.cancellations.push(cancellation),
            Ok(Entry::Unsendable { label, refusals }) => {
                sent.tally.refused(&label, &refusals, None)
            }
            Err(error) => sent.stopped_by = Some(error),
        }
    }
    orders
}

/// Moves all times by whole seconds, so that the first order is placed now.
fn moved(
    mut orders: Vec<OrderDraft>,
    cancellations: &mut [Cancellation],
    now: Timestamp,
) -> Vec<OrderDraft> {
    let first = orders.iter().filter_map(|order| moment(order.placed_at.as_ref())).min();
    let by = first.map_or(SignedDuration::ZERO, |first| now.duration_since(first));
    let by = SignedDuration::from_secs(by.as_secs());
    let shift = |at: Timestamp| at.saturating_add(by).unwrap_or(at);
    for order in &mut orders {
        for at in [&mut order.placed_at, &mut order.deliver_by] {
            *at = moment(at.as_ref()).map(|at| timestamp(shift(at)));
        }
    }
    for cancellation in cancellations {
        cancellation.at = shift(cancellation.at);
    }
    orders
}

/// Each order with what will be withdrawn from it; what is a return by then is counted at once.
fn with_withdrawals(
    orders: Vec<OrderDraft>,
    life: bool,
    sent: &mut Sent,
) -> Vec<(OrderDraft, Vec<Withdrawal>)> {
    let unknown_yet = |draft| Accepted { order_id: String::new(), draft };
    let mut ledger = Ledger::of(orders.into_iter().map(unknown_yet).collect());
    let mut withdrawals: BTreeMap<usize, Vec<Withdrawal>> = BTreeMap::new();
    for cancellation in &sent.cancellations {
        let found = ledger.take(cancellation);
        sent.tally.unmatched.extend(cancel::unmatched(cancellation, &found));
        for taken in found.taken {
            let Some(order) = ledger.orders().get(taken.order) else { continue };
            if cancel::is_return(cancellation, order, life) {
                sent.tally.became(cancel::too_late(cancellation, order, &taken.lines));
                continue;
            }
            let withdrawal = Withdrawal { cancellation: cancellation.clone(), lines: taken.lines };
            withdrawals.entry(taken.order).or_default().push(withdrawal);
        }
    }
    let orders = ledger.orders().iter().enumerate();
    orders
        .map(|(index, order)| (order.draft.clone(), withdrawals.remove(&index).unwrap_or_default()))
        .collect()
}

/// How the complaint goes that each order leads to, if any; what was withdrawn from is not complained of.
fn courses(orders: &[(OrderDraft, Vec<Withdrawal>)], wanted: bool) -> Vec<Option<Course>> {
    let whole = orders.iter().filter(|(_, withdrawals)| wanted && withdrawals.is_empty());
    let plan = life::plan(whole.map(|(order, _)| order));
    orders.iter().map(|(order, _)| plan.get(order.platform_order_no.as_str()).copied()).collect()
}

/// What came of one order.
struct Lived {
    draft: OrderDraft,
    answer: Answer,
    took: Duration,
    then: Then,
}

/// What came after it was pushed.
enum Then {
    /// Its life.
    Told(Box<Told>),
    /// Nothing but what was withdrawn.
    Withdrawn(Vec<Became>),
    /// The key is of no use.
    Failed(CallError),
}

async fn live(
    client: &Client,
    clock: ScaledClock,
    life: bool,
    draft: OrderDraft,
    withdrawals: Vec<Withdrawal>,
    course: Option<Course>,
) -> Lived {
    clock.reach(moment(draft.placed_at.as_ref()).unwrap_or_default()).await;
    let (draft, answer, took) = send::push_one(client, draft).await;
    let order_id = answer.as_ref().map_or_else(|_| String::new(), |(id, _)| id.clone());
    let order = Accepted { order_id, draft: draft.clone() };
    let then = match &answer {
        Ok(_) if life => {
            Then::Told(Box::new(life::one(client, &order, Some(clock), &withdrawals, course).await))
        }
        Ok(_) => match withdraw(client, clock, &order, &withdrawals).await {
            Ok(all) => Then::Withdrawn(all),
            Err(error) => Then::Failed(error),
        },
        Err(_) => {
            let refused = withdrawals.iter().map(|Withdrawal { cancellation, lines }| {
                cancel::of_a_refused_order(cancellation, &order, lines)
            });
            Then::Withdrawn(refused.collect())
        }
    };
    Lived { draft, answer, took, then }
}

async fn withdraw(
    client: &Client,
    clock: ScaledClock,
    order: &Accepted,
    withdrawals: &[Withdrawal],
) -> Result<Vec<Became>, CallError> {
    let mut all = Vec::new();
    for Withdrawal { cancellation, lines } in withdrawals {
        clock.reach(cancellation.at).await;
        all.push(cancel::one(client, cancellation, order, lines).await?);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use contracts::ordering::{Buyer, FrozenListing, OrderLine};

    use super::*;
    use crate::push::entry::CancelledItem;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn order(no: &str, second: i64) -> OrderDraft {
        let listing = Some(FrozenListing { sku: "A".to_owned(), ..Default::default() });
        OrderDraft {
            platform_order_no: no.to_owned(),
            buyer: Some(Buyer { buyer_id: "9".to_owned(), ..Default::default() }),
            placed_at: Some(timestamp(at(second))),
            deliver_by: Some(timestamp(at(second + 1_000))),
            lines: vec![OrderLine { line_no: 1, listing, quantity: 5 }],
            ..Default::default()
        }
    }

    fn cancelled(no: &str, second: i64) -> Cancellation {
        let items = vec![CancelledItem { sku: "A".to_owned(), units: 2 }];
        Cancellation { no: no.to_owned(), buyer_id: "9".to_owned(), at: at(second), items }
    }

    #[test]
    fn the_first_order_is_placed_now_and_all_distances_stay() {
        let mut cancellations = [cancelled("C1", 500)];
        let now = Timestamp::new(1_800_000_000, 700_000_000).unwrap();
        let orders = moved(vec![order("2", 400), order("1", 100)], &mut cancellations, now);
        let seconds = |at: &Option<prost_types::Timestamp>| at.unwrap().seconds - 1_800_000_000;
        let times: Vec<_> = orders
            .iter()
            .map(|order| (seconds(&order.placed_at), seconds(&order.deliver_by)))
            .collect();
        assert_eq!(times, [(300, 1_300), (0, 1_000)]);
        assert_eq!(cancellations[0].at, at(1_800_000_400));
        assert!(at(1_800_000_000) <= now, "nothing is placed in the future");
    }

    #[test]
    fn what_is_withdrawn_goes_with_its_order_and_what_has_left_is_a_return() {
        let day = 24 * 3_600;
        let mut sent = Sent {
            cancellations: vec![cancelled("C1", 200), cancelled("C2", day)],
            ..Default::default()
        };
        let orders = with_withdrawals(vec![order("1", 100)], true, &mut sent);
        let [(_, withdrawals)] = orders.as_slice() else { panic!("one order") };
        assert_eq!(withdrawals.len(), 1);
        assert_eq!(withdrawals[0].cancellation.no, "C1");
        assert_eq!(sent.tally.returns.len(), 1);
        // without a life nothing leaves
        let mut sent = Sent { cancellations: vec![cancelled("C2", day)], ..Default::default() };
        let orders = with_withdrawals(vec![order("1", 100)], false, &mut sent);
        assert_eq!((orders[0].1.len(), sent.tally.returns.len()), (1, 0));
    }
}
