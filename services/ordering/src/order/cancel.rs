//! Cancellation of units that are not planned into a shipment, partly or wholly.

use std::sync::Arc;

use contracts::ordering::{LineQuantity, OrderCancelled, OrderLinesCancelled};
use decider::{Decision, emit};
use eventlog::time::to_proto;
use jiff::Timestamp;

use super::{
    Event, Order, Rejection, Shortage,
    book::{Book, moment, shift},
    command::CancelOrder,
    repeat::Repeat,
    value::Text,
};

/// What was cancelled under one id.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cancellation {
    pub(super) id: String,
    lines: Vec<LineQuantity>,
    /// It took all units that were open then.
    took_all: bool,
    pub(super) reason: String,
    pub(super) at: Timestamp,
}

impl Order {
    /// Open units are cancelled: those named, or all. What is planned or shipped stays.
    ///
    /// # Errors
    /// There is no order, it is fulfilled or ended, or so many units are not open.
    pub fn cancel(&self, cmd: &CancelOrder) -> Decision<Event, Rejection> {
        let book = self.book()?;
        let id = cmd.cancellation_id.as_str();
        if let Some(before) = book.cancellations.iter().find(|before| before.id == id) {
            return before.repeated_by(cmd);
        }
        self.must_be_unfulfilled()?;
        let at = book.time("at", &cmd.when)?;
        let lines = match &cmd.lines {
            Some(lines) => {
                book.must_be_open(lines.as_slice())?;
                lines.as_slice().to_vec()
            }
            None => book.open_units(),
        };
        if lines.is_empty() {
            return Err(Rejection::NothingOpen);
        }
        let amount = book.currency.amount(book.value(&lines)?);
        let reason = Text::or_empty(cmd.reason.as_ref());
        if cmd.lines.is_none() && book.lines.iter().all(|line| line.is_untouched()) {
            return emit(OrderCancelled {
                order_id: book.order_id(),
                platform: book.platform(),
                contract_id: book.contract_id(),
                cancellation_id: id.to_owned(),
                reason,
                cancelled_at: Some(to_proto(at)),
                amount: Some(amount),
            });
        }
        let cancelled = OrderLinesCancelled {
            order_id: book.order_id(),
            platform: book.platform(),
            contract_id: book.contract_id(),
            cancellation_id: id.to_owned(),
            lines,
            reason,
            cancelled_at: Some(to_proto(at)),
            amount: Some(amount),
        };
        self.and_completion(cancelled, at)
    }
}

impl Cancellation {
    fn repeated_by(&self, cmd: &CancelOrder) -> Decision<Event, Rejection> {
        let repeat = match &cmd.lines {
            Some(lines) => Repeat::new().lines("lines", &self.lines, lines.as_slice()),
            None if self.took_all => Repeat::new(),
            None => Repeat::new().same("lines", &self.lines.len(), &0),
        };
        repeat
            .same("reason", &self.reason, &Text::or_empty(cmd.reason.as_ref()))
            .at("at", self.at, &cmd.when)
            .answer()
    }
}

impl Book {
    /// So many units of these lines are open.
    pub(super) fn must_be_open(&self, lines: &[LineQuantity]) -> Result<(), Rejection> {
        for (index, wanted) in lines.iter().enumerate() {
            let line = self.known_line(wanted.line_no, || format!("lines[{index}].line_no"))?;
            if line.open < wanted.quantity {
                return Err(Rejection::NotEnoughOpen(Box::new(Shortage {
                    field: format!("lines[{index}].quantity"),
                    line_no: wanted.line_no,
                    asked: wanted.quantity,
                    available: line.open,
                })));
            }
        }
        Ok(())
    }

    pub(super) fn lines_cancelled(&mut self, event: &OrderLinesCancelled) {
        for cancelled in &event.lines {
            if let Some(line) = self.line_mut(cancelled.line_no) {
                shift(&mut line.open, &mut line.cancelled, cancelled.quantity);
            }
        }
        self.cancellations.push(Arc::new(Cancellation {
            id: event.cancellation_id.clone(),
            lines: event.lines.clone(),
            took_all: self.lines.iter().all(|line| line.open == 0),
            reason: event.reason.clone(),
            at: moment(event.cancelled_at.as_ref()),
        }));
    }

    pub(super) fn cancelled(&mut self, event: &OrderCancelled) {
        let lines = self.open_units();
        for line in &mut self.lines {
            shift(&mut line.open, &mut line.cancelled, u32::MAX);
        }
        // the last of several cancellations, which took the rest, is noted already
        if self.cancellations.iter().all(|before| before.id != event.cancellation_id) {
            self.cancellations.push(Arc::new(Cancellation {
                id: event.cancellation_id.clone(),
                lines,
                took_all: true,
                reason: event.reason.clone(),
                at: moment(event.cancelled_at.as_ref()),
            }));
        }
    }
}
