//! `--life`: what becomes of every accepted order, played through by the real rpcs. An order of the past
//! is lived through at once, one of the present at the pace of a clock; of those some users complain.

mod complaint;
mod goods;
mod plot;
mod story;
mod trouble;

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use chassis::ScaledClock;
use contracts::ordering::{Order, OrderPhase, Reconciliation};
use futures::{StreamExt as _, stream};
use serde_json::json;
use tokio::sync::oneshot;

pub(crate) use complaint::{Course, plan};
pub(crate) use plot::Schedule;
use story::Story;
pub(crate) use story::Withdrawal;

use super::{ledger::Accepted, reconcile, tally::Became};
use crate::{
    amount::yuan,
    client::{CallError, Client},
    end::Failure,
    table::{Align, Table, clip, grouped},
    terminal::Progress,
};

/// How one order came out.
#[derive(Debug, Clone)]
pub(crate) struct Life {
    /// What the e-mall itself knows of it.
    pub(crate) total: i64,
    /// As the last answer showed it.
    pub(crate) order: Order,
}

/// Orders that stopped at the same step for the same reason.
#[derive(Debug, Default, Clone)]
struct Stop {
    orders: u64,
    example: String,
}

/// A life as it was told.
#[derive(Debug)]
pub(crate) struct Told {
    no: String,
    plot: &'static str,
    life: Life,
    /// What became of its cancellations.
    pub(crate) withdrawn: Vec<Became>,
    calls: u64,
    /// The last call, and why it was the last, if it was too early.
    step: &'static str,
    stopped_by: Option<CallError>,
    /// What the user complained of, if anything.
    complaint: Option<complaint::Told>,
}

/// What came of all of them.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) lives: Vec<Life>,
    pub(crate) reconciliations: Vec<Reconciliation>,
    calls: u64,
    pub(crate) elapsed: Duration,
    /// By story: orders.
    stories: BTreeMap<&'static str, u64>,
    stops: BTreeMap<(String, String), Stop>,
    /// `--complaints`: what came of these.
    pub(crate) complaints: Option<complaint::Report>,
}

/// All at once, so many at a time.
pub(crate) async fn all(
    client: &Client,
    orders: &[Accepted],
    in_flight: usize,
    progress: &Progress,
) -> Result<Report, Failure> {
    let began = Instant::now();
    let mut report = Report::default();
    let mut lives = stream::iter(orders)
        .map(|accepted| one(client, accepted, None, &[], None))
        .buffer_unordered(in_flight);
    while let Some(told) = lives.next().await {
        report.add(told)?;
        report.show(orders.len(), progress);
    }
    drop(lives);
    report.elapsed = began.elapsed();
    progress.clear();
    Ok(report)
}

/// One life, with a clock at its pace; units that are withdrawn on the way are not delivered. With a
/// clock, the user may complain of the delivery, while the life goes on.
pub(crate) async fn one(
    client: &Client,
    accepted: &Accepted,
    clock: Option<ScaledClock>,
    withdrawals: &[Withdrawal],
    course: Option<Course>,
) -> Told {
    let mut story = Story::new(client, accepted, clock);
    let (awaited_by, delivery) = oneshot::channel();
    story.awaited_by = Some(awaited_by);
    let living = async {
        let lived = story.tell(withdrawals).await;
        // What is not delivered by now will not be.
        story.awaited_by = None;
        lived
    };
    let complaining = async {
        let (course, clock) = course.zip(clock)?;
        let delivered = delivery.await.ok()?;
        Some(complaint::tell(client, accepted, clock, course, delivered).await)
    };
    let (lived, complaint) = tokio::join!(living, complaining);
    let stopped_by = lived.err();
    let total = accepted.draft.total.as_ref().map_or(0, |total| total.minor_units);
    Told {
        no: accepted.no().to_owned(),
        plot: story.plot.told(),
        life: Life { total, order: story.order },
        withdrawn: story.withdrawn,
        calls: story.steps,
        step: story.step,
        stopped_by,
        complaint,
    }
}

impl Report {
    /// # Errors
    /// The key is of no use: then it is of no use for the others either.
    pub(crate) fn add(&mut self, told: Told) -> Result<(), Failure> {
        self.calls += told.calls;
        *self.stories.entry(told.plot).or_default() += 1;
        if let Some(error) = told.stopped_by {
            if matches!(error, CallError::NotAllowed(_)) {
                let sentence = format!("{} cannot be called", told.step);
                return Err(Failure::because(sentence, error));
            }
            let stop = self.stops.entry((told.step.to_owned(), error.to_string())).or_default();
            stop.orders += 1;
            stop.example = told.no;
        }
        self.lives.push(told.life);
        if let Some(complaint) = told.complaint {
            self.complaints.get_or_insert_default().add(complaint)?;
        }
        Ok(())
    }

    pub(crate) fn show(&self, orders: usize, progress: &Progress) {
        progress.show(&format!(
            "{} of {orders} orders lived through, {} calls",
            self.lives.len(),
            grouped(self.calls)
        ));
    }

    pub(crate) fn went_well(&self) -> bool {
        self.stops.is_empty() && self.complaints.as_ref().is_none_or(complaint::Report::went_well)
    }

    fn per_second(&self) -> f64 {
        let calls = u32::try_from(self.calls).unwrap_or(u32::MAX);
        f64::from(calls) / self.elapsed.as_secs_f64().max(1e-9)
    }

    fn phases(&self) -> BTreeMap<&'static str, (u64, i64)> {
        let mut phases: BTreeMap<_, (u64, i64)> = BTreeMap::new();
        for life in &self.lives {
            let phase = phases.entry(phase_name(life.order.phase())).or_default();
            phase.0 += 1;
            let payable = life.order.payable.as_ref().map_or(0, |payable| payable.minor_units);
            phase.1 = phase.1.saturating_add(payable);
        }
        phases
    }

    pub(crate) fn table(&self) -> Vec<String> {
        let mut lines = vec![
            String::new(),
            format!(
                "Lived through: {} orders, {} calls in {:.1} s, {:.0} a second",
                grouped(u64::try_from(self.lives.len()).unwrap_or(0)),
                grouped(self.calls),
                self.elapsed.as_secs_f64(),
                self.per_second()
            ),
        ];
        let mut phases = Table::new(&[
            ("ended as", Align::Left),
            ("orders", Align::Right),
            ("payable CNY", Align::Right),
        ]);
        for (phase, (orders, payable)) in self.phases() {
            phases.row([phase.to_owned(), grouped(orders), yuan(payable)]);
        }
        lines.extend(phases.lines());
        lines.push(String::new());
        let mut stories = Table::new(&[("story", Align::Left), ("orders", Align::Right)]);
        let mut told: Vec<_> = self.stories.iter().collect();
        told.sort_by_key(|(_, orders)| std::cmp::Reverse(**orders));
        for (story, orders) in told {
            stories.row([(*story).to_owned(), grouped(*orders)]);
        }
        lines.extend(stories.lines());
        if !self.stops.is_empty() {
            let mut stops = Table::new(&[
                ("stopped at", Align::Left),
                ("orders", Align::Right),
                ("such as", Align::Left),
                ("because", Align::Left),
            ]);
            for ((step, error), stop) in &self.stops {
                stops.row([
                    step.clone(),
                    grouped(stop.orders),
                    stop.example.clone(),
                    clip(error, 90),
                ]);
            }
            lines.push(String::new());
            lines.push("Not finished:".to_owned());
            lines.extend(stops.lines());
        }
        lines.extend(self.complaints.iter().flat_map(complaint::Report::table));
        lines.extend(reconcile::table(&self.reconciliations));
        lines
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        let mut json = json!({
            "orders": self.lives.len(),
            "calls": self.calls,
            "seconds": self.elapsed.as_secs_f64(),
            "phases": self.phases().iter().map(|(phase, (orders, payable))| json!({
                "phase": phase, "orders": orders, "payable_fen": payable,
            })).collect::<Vec<_>>(),
            "stories": self.stories,
            "stopped": self.stops.iter().map(|((step, error), stop)| json!({
                "step": step, "error": error, "orders": stop.orders, "example": stop.example,
            })).collect::<Vec<_>>(),
            "reconciliations": self.reconciliations.iter().map(reconcile::json).collect::<Vec<_>>(),
        });
        if let (Some(complaints), Some(object)) = (&self.complaints, json.as_object_mut()) {
            object.insert("complaints".to_owned(), complaints.json());
        }
        json
    }
}

/// `ORDER_PHASE_IN_DELIVERY` as `in delivery`.
pub(crate) fn phase_name(phase: OrderPhase) -> &'static str {
    match phase {
        OrderPhase::Unspecified => "unknown",
        OrderPhase::Reserved => "reserved",
        OrderPhase::Placed => "placed",
        OrderPhase::Confirmed => "confirmed",
        OrderPhase::InDelivery => "in delivery",
        OrderPhase::Fulfilled => "fulfilled",
        OrderPhase::Settled => "settled",
        OrderPhase::Declined => "declined",
        OrderPhase::Cancelled => "cancelled",
        OrderPhase::Released => "released",
        OrderPhase::Expired => "expired",
        OrderPhase::Refused => "refused",
    }
}
