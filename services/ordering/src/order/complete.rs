//! What follows by itself once every line is resolved.

use std::sync::Arc;

use contracts::ordering::{OrderCancelled, OrderFulfilled, OrderRefused};
use decider::{Aggregate, Decision};
use eventlog::time::to_proto;
use jiff::Timestamp;

use super::{Event, Order, Rejection, book::Book, discrepancy::Discrepancy};

impl Order {
    /// The fact, and the end of delivery when it resolves the last line.
    pub(super) fn and_completion(
        &self,
        event: impl Into<Event>,
        at: Timestamp,
    ) -> Decision<Event, Rejection> {
        let mut events = vec![event.into()];
        let after = events.iter().fold(self.clone(), Self::evolve);
        events.extend(after.book()?.completion(at)?);
        Ok(events)
    }
}

impl Book {
    fn completion(&self, at: Timestamp) -> Result<Option<Event>, Rejection> {
        let unresolved = self
            .lines
            .iter()
            .any(|line| line.open + line.allocated + line.in_transit + line.arrived > 0);
        if unresolved || self.discrepancies.iter().map(Arc::as_ref).any(Discrepancy::is_open) {
            return Ok(None);
        }
        let (order_id, platform, contract_id) =
            (self.order_id(), self.platform(), self.contract_id());
        Ok(Some(if self.lines.iter().any(|line| line.accepted > 0) {
            Event::OrderFulfilled(OrderFulfilled {
                order_id,
                platform,
                payable: Some(self.currency.amount(self.payable()?)),
                fulfilled_at: Some(to_proto(at)),
                deliver_by: Some(to_proto(self.deliver_by)),
                contract_id,
            })
        } else if self.lines.iter().any(|line| line.rejected > 0) {
            Event::OrderRefused(OrderRefused {
                order_id,
                platform,
                contract_id,
                refused_at: Some(to_proto(at)),
            })
        } else {
            let last = self.cancellations.last();
            Event::OrderCancelled(OrderCancelled {
                order_id,
                platform,
                contract_id,
                cancellation_id: last.map_or_else(String::new, |last| last.id.clone()),
                reason: last.map_or_else(String::new, |last| last.reason.clone()),
                cancelled_at: Some(to_proto(at)),
                amount: Some(self.currency.amount(0)),
            })
        }))
    }
}
