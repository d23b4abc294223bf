//! Histories up to each state, told command by command.

use contracts::ordering::{DiscrepancyKind, RejectionReason, Treatment};
use decider::Aggregate;

use super::*;
use crate::order::{Event, Order, Units, command::RejectGoods};

/// A history that is told command by command: each must happen.
#[derive(Debug, Clone, Default)]
pub(crate) struct Story {
    pub(crate) events: Vec<Event>,
    pub(crate) order: Order,
}

impl Story {
    #[track_caller]
    pub(crate) fn then(mut self, command: impl FnOnce(&Order) -> Decided) -> Self {
        let events = command(&self.order).expect("a step of the story is refused");
        assert!(!events.is_empty(), "a step of the story does nothing");
        self.order = events.iter().fold(self.order, Order::evolve);
        self.events.extend(events);
        self
    }
}

pub(crate) fn reserved() -> Story {
    Story::default().then(|order| order.pre_order(&pre_order(), &policy()))
}

pub(crate) fn placed() -> Story {
    Story::default().then(|order| order.push(&push()))
}

pub(crate) fn confirmed() -> Story {
    placed().then(|order| order.confirm(&confirm(), &policy()))
}

/// Confirmed, all goods inspected before delivery.
pub(crate) fn certified() -> Story {
    confirmed().then(|order| order.record_inspection(&inspect_goods(true)))
}

/// Shipment `s1` with these units, all if none are named.
pub(crate) fn planned(lines: Option<Units>) -> Story {
    certified().then(|order| order.plan_shipment(&plan("s1", lines.clone())))
}

pub(crate) fn in_transit(lines: Option<Units>) -> Story {
    planned(lines)
        .then(|order| order.choose_carrier(&choose_carrier("s1")))
        .then(|order| order.pack_shipment(&pack("s1")))
        .then(|order| order.dispatch_shipment(&dispatch("s1"), &policy()))
}

pub(crate) fn arrived(lines: Option<Units>) -> Story {
    in_transit(lines).then(|order| order.report_arrival(&arrive("s1"), &policy()))
}

/// Everything has arrived, and is as it should be.
pub(crate) fn inspected() -> Story {
    arrived(None).then(|order| {
        order.inspect_arrival(&inspect("s1", vec![finding(1, 6, 0), finding(2, 4, 0)]))
    })
}

/// Everything has arrived; two units of line 1 are damaged.
pub(crate) fn damaged() -> Story {
    arrived(None).then(|order| {
        order.inspect_arrival(&inspect("s1", vec![finding(1, 6, 2), finding(2, 4, 0)]))
    })
}

/// Two damaged units of line 1 are under a discrepancy.
pub(crate) fn disputed() -> Story {
    damaged().then(|order| order.report_discrepancy(&report(DiscrepancyKind::Damaged, 1, 2)))
}

/// The user has approved a treatment.
pub(crate) fn handling(treatment: Treatment) -> Story {
    disputed()
        .then(|order| order.propose_treatment(&propose(treatment)))
        .then(|order| order.answer_treatment(&answer(1, true)))
}

/// Everything accepted; 7,500 are owed.
pub(crate) fn fulfilled() -> Story {
    inspected().then(|order| order.accept_goods(&accept("s1", "slip-1", &[(1, 6), (2, 4)])))
}

pub(crate) fn settled() -> Story {
    fulfilled().then(|order| order.settle(&settle(7_500)))
}

/// Everything refused, in words.
pub(crate) fn refused() -> Story {
    arrived(None).then(|order| {
        order.reject_goods(&RejectGoods {
            reason: RejectionReason::Other,
            description: Some(text("not what we ordered")),
            ..reject("s1", &[(1, 6), (2, 4)])
        })
    })
}
