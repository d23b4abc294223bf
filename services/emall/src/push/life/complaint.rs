//! `--complaints`: some of the late and damaged deliveries lead to a complaint. Which, and how it goes, is
//! decided by the numbers of the orders alone.
//!
//! ```text
//! delivered ─▶ received ─▶ accepted ─▶ solved ─────────────────────────────▶ carried out ─▶ … ─▶ closed
//!                             ├─▶ refused ─▶ handed upwards ─▶ solved ──────▶
//!                             └─▶ nothing, until its deadline has made it major ─▶ solved ─▶
//! ```

mod case;
mod finish;
mod solve;

use std::collections::BTreeMap;

use chassis::ScaledClock;
use contracts::{
    complaints::{CauseClass, Complaint, ComplaintPhase, MajorReason},
    ordering::OrderDraft,
};
use jiff::Timestamp;
use serde_json::json;

use super::plot::Plot;
use crate::{
    client::{CallError, Client},
    end::Failure,
    push::{draft::draw, ledger::Accepted},
    table::{Align, Table, clip, grouped},
};

/// Of so many orders one leads to a complaint.
const ONE_OF: usize = 20;
/// As many as it takes to see both a refusal and a missed deadline.
const LEAST: usize = 2;

/// How a complaint goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Course {
    /// The first solution is agreed to.
    Solved,
    /// The first solution is refused; somebody above offers another one.
    Escalated,
    /// Its deadline passes without a solution, which makes it major.
    Overdue,
}

/// What the user is not satisfied with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Grievance {
    cause: CauseClass,
    topic: &'static str,
    text: &'static str,
}

/// The deliveries that somebody might complain of: late, without our representative, short or damaged.
fn grievance(plot: Plot) -> Option<Grievance> {
    let (cause, topic, text) = match plot {
        Plot::Alone => (
            CauseClass::ServiceProcess,
            "representative",
            "your representative did not come; we had to inspect the goods alone",
        ),
        Plot::Late => {
            (CauseClass::ServiceProcess, "late-delivery", "the goods came after the promised date")
        }
        Plot::SentAgain => (CauseClass::ServiceQuality, "missing-unit", "a unit was missing"),
        Plot::KeptAsIs => {
            (CauseClass::ServiceQuality, "packaging", "the packaging was torn on arrival")
        }
        Plot::Damaged => {
            (CauseClass::ProductQuality, "broken-unit", "a unit was broken on arrival")
        }
        Plot::Smooth
        | Plot::LineRefused
        | Plot::AllRefused
        | Plot::Substituted
        | Plot::Reinvoiced => return None,
    };
    Some(Grievance { cause, topic, text })
}

/// Which of these orders lead to a complaint, by their numbers: one of twenty, but two at least where
/// there is reason for them. Exactly one goes overdue; of the others one, and then every third, is
/// escalated.
pub(crate) fn plan<'a>(orders: impl Iterator<Item = &'a OrderDraft>) -> BTreeMap<&'a str, Course> {
    let orders: Vec<_> = orders.collect();
    let mut unhappy: Vec<_> = orders
        .iter()
        .filter(|order| is_sound(order))
        .map(|order| order.platform_order_no.as_str())
        .filter(|no| grievance(Plot::of_number(no)).is_some())
        .collect();
    unhappy.sort_by_key(|no| draw(&format!("complaint of {no}")));
    let number = (orders.len() / ONE_OF).max(LEAST);
    let courses = (0..number).map(|index| match index {
        0 => Course::Overdue,
        _ if index % 3 == 1 => Course::Escalated,
        _ => Course::Solved,
    });
    unhappy.into_iter().zip(courses).collect()
}

/// What the supplier will not take has no delivery to complain of.
fn is_sound(order: &OrderDraft) -> bool {
    let has_buyer = order.buyer.as_ref().is_some_and(|buyer| !buyer.buyer_id.is_empty());
    has_buyer
        && order.lines.iter().all(|line| {
            let price = line.listing.as_ref().and_then(|listing| listing.unit_price.as_ref());
            line.quantity > 0 && price.is_some_and(|price| price.minor_units > 0)
        })
}

/// That the goods are there, and what a complaint says of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Delivered {
    /// The last moment that was told of it.
    pub(super) at: Timestamp,
    pub(super) carrier: String,
    pub(super) sku: String,
}

/// Why a complaint was not brought to its end.
#[derive(Debug, thiserror::Error)]
enum Stopped {
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(
        "its deadline passed {seconds} s ago and it is not major; see `emall sla explain {id}` and \
         `emall status`"
    )]
    NotMajor { id: String, seconds: u64 },
}

/// A complaint as it was told.
#[derive(Debug)]
pub(crate) struct Told {
    id: String,
    /// As the last answer showed it.
    complaint: Complaint,
    /// The last call, and why it was the last, if it was too early.
    step: &'static str,
    stopped_by: Option<Stopped>,
}

/// Tells one complaint, at the pace of the clock.
pub(super) async fn tell(
    client: &Client,
    accepted: &Accepted,
    clock: ScaledClock,
    course: Course,
    delivered: Delivered,
) -> Told {
    let mut case = case::Case::new(client, accepted, clock, delivered);
    let stopped_by = case.tell(course).await.err();
    Told { id: case.id, complaint: case.complaint, step: case.step, stopped_by }
}

/// Complaints that stopped at the same step for the same reason.
#[derive(Debug, Default, Clone)]
struct Stop {
    complaints: u64,
    example: String,
}

/// What came of all of them.
#[derive(Debug, Default)]
pub(crate) struct Report {
    received: u64,
    escalated: u64,
    /// Made major by a missed deadline.
    overdue: u64,
    closed: u64,
    stops: BTreeMap<(&'static str, String), Stop>,
}

impl Report {
    /// # Errors
    /// The key is of no use: then it is of no use for the others either.
    pub(super) fn add(&mut self, told: Told) -> Result<(), Failure> {
        let complaint = told.complaint;
        let is_overdue = complaint.major_reasons().any(|reason| reason == MajorReason::Overdue);
        self.received += u64::from(complaint.phase() != ComplaintPhase::Unspecified);
        self.escalated += u64::from(complaint.escalated);
        self.overdue += u64::from(is_overdue);
        self.closed += u64::from(complaint.phase() == ComplaintPhase::Closed);
        match told.stopped_by {
            None => Ok(()),
            Some(Stopped::Call(error @ CallError::NotAllowed(_))) => {
                Err(Failure::because(format!("{} cannot be called", told.step), error))
            }
            Some(error) => {
                let stop = self.stops.entry((told.step, error.to_string())).or_default();
                stop.complaints += 1;
                stop.example = told.id;
                Ok(())
            }
        }
    }

    pub(super) fn went_well(&self) -> bool {
        self.stops.is_empty()
    }

    fn counts(&self) -> [(&'static str, u64); 4] {
        [
            ("received", self.received),
            ("escalated", self.escalated),
            ("major by deadline", self.overdue),
            ("closed", self.closed),
        ]
    }

    pub(super) fn table(&self) -> Vec<String> {
        let mut counts = Table::new(&[("complaints", Align::Left), ("", Align::Right)]);
        for (name, number) in self.counts() {
            counts.row([name.to_owned(), grouped(number)]);
        }
        let mut lines = vec![String::new()];
        lines.extend(counts.lines());
        if self.stops.is_empty() {
            return lines;
        }
        let mut stops = Table::new(&[
            ("stopped at", Align::Left),
            ("complaints", Align::Right),
            ("such as", Align::Left),
            ("because", Align::Left),
        ]);
        for ((step, error), stop) in &self.stops {
            let (number, error) = (grouped(stop.complaints), clip(error, 120));
            stops.row([(*step).to_owned(), number, stop.example.clone(), error]);
        }
        lines.push(String::new());
        lines.push("Complaints not brought to their end:".to_owned());
        lines.extend(stops.lines());
        lines
    }

    pub(super) fn json(&self) -> serde_json::Value {
        json!({
            "received": self.received,
            "escalated": self.escalated,
            "major_by_deadline": self.overdue,
            "closed": self.closed,
            "stopped": self.stops.iter().map(|((step, error), stop)| json!({
                "step": step, "error": error, "complaints": stop.complaints, "example": stop.example,
            })).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use contracts::ordering::{Buyer, FrozenListing, OrderLine};

    use super::*;
    use crate::push::draft::money;

    fn orders(number: u32) -> Vec<OrderDraft> {
        let listing = FrozenListing { unit_price: Some(money(100)), ..FrozenListing::default() };
        let line = OrderLine { line_no: 1, listing: Some(listing), quantity: 1 };
        let order = |no: u32| OrderDraft {
            platform_order_no: (536_365 + no).to_string(),
            buyer: Some(Buyer { buyer_id: "9".to_owned(), ..Buyer::default() }),
            lines: vec![line.clone()],
            ..OrderDraft::default()
        };
        (0..number).map(order).collect()
    }

    fn count(plan: &BTreeMap<&str, Course>, wanted: Course) -> usize {
        plan.values().filter(|course| **course == wanted).count()
    }

    #[test]
    fn one_order_of_twenty_leads_to_a_complaint_and_exactly_one_goes_overdue() {
        let orders = orders(180);
        let made = plan(orders.iter());
        assert_eq!(made, plan(orders.iter().rev()), "whatever the order of the orders");
        let counts =
            [Course::Overdue, Course::Escalated, Course::Solved].map(|it| count(&made, it));
        assert_eq!(counts, [1, 3, 5]);
        assert!(made.keys().all(|no| grievance(Plot::of_number(no)).is_some()));
    }

    #[test]
    fn of_few_orders_two_complain_if_they_have_reason_to() {
        let orders = orders(30);
        let made = plan(orders.iter());
        assert_eq!((made.len(), count(&made, Course::Escalated)), (2, 1));
        let content =
            orders.iter().filter(|it| grievance(Plot::of_number(&it.platform_order_no)).is_none());
        assert!(plan(content).is_empty());
    }

    #[test]
    fn what_the_supplier_will_not_take_leads_to_no_complaint() {
        let mut orders = orders(60);
        for order in &mut orders {
            order.lines[0].listing.as_mut().unwrap().unit_price = Some(money(0));
        }
        assert!(plan(orders.iter()).is_empty());
    }

    #[test]
    fn a_complaint_that_was_not_brought_to_its_end_is_told_with_the_reason() {
        let mut report = Report::default();
        let closed = Complaint {
            phase: ComplaintPhase::Closed.into(),
            escalated: true,
            ..Complaint::default()
        };
        let told = |complaint, stopped_by| Told {
            id: "c-1".to_owned(),
            complaint,
            step: "get_complaint",
            stopped_by,
        };
        report.add(told(closed, None)).unwrap();
        assert!(report.went_well());
        let open =
            Complaint { phase: ComplaintPhase::Investigating.into(), ..Complaint::default() };
        let stopped = Stopped::NotMajor { id: "c-1".to_owned(), seconds: 60 };
        report.add(told(open, Some(stopped))).unwrap();
        assert!(!report.went_well());
        assert_eq!(report.counts().map(|(_, number)| number), [2, 1, 0, 1]);
        let table = report.table().join("\n");
        assert!(table.contains("major by deadline  0"), "{table}");
        assert!(table.contains("emall sla explain c-1"), "{table}");
        assert_eq!(report.json()["stopped"][0]["complaints"], 1);
    }
}
