//! Payment of everything accepted, at once and exactly (MON-38).

use contracts::ordering::OrderSettled;
use decider::{Decision, emit};
use eventlog::time::to_proto;
use jiff::Timestamp;

use super::{
    Event, Order, Rejection,
    book::{Book, moment},
    command::SettleOrder,
    repeat::Repeat,
};
use contracts::common::Money as ProtoMoney;

/// How it was paid.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Settlement {
    id: String,
    amount: ProtoMoney,
    payment_ref: String,
    at: Timestamp,
}

impl Order {
    /// The order is paid: accepted goods and freight, no more and no less.
    ///
    /// # Errors
    /// The order is not fulfilled, or the amount is not what is owed.
    pub fn settle(&self, cmd: &SettleOrder) -> Decision<Event, Rejection> {
        let book = self.book()?;
        if let Some(before) = book.settlement.as_deref()
            && before.id == cmd.settlement_id.as_str()
        {
            return Repeat::new()
                .same("amount", &before.amount, &cmd.amount.to_proto())
                .same("payment_ref", before.payment_ref.as_str(), cmd.payment_ref.as_str())
                .at("at", before.at, &cmd.when)
                .answer();
        }
        match self {
            Self::Absent => Err(Rejection::UnknownOrder),
            Self::Reserved(_) => Err(Rejection::OnlyReserved),
            Self::Placed(_) | Self::Confirmed(_) => Err(Rejection::NotFulfilled),
            Self::Settled(_) => Err(Rejection::AlreadySettled),
            Self::Ended(end, _) => Err(Rejection::Ended(*end)),
            Self::Fulfilled(_) => {
                let payable = book.payable()?;
                let paid = cmd.amount;
                if paid.currency() != book.currency || paid.minor() != payable {
                    return Err(Rejection::AmountDiffers {
                        payable: format!("{payable} {}", book.currency),
                        paid: paid.to_string(),
                    });
                }
                emit(OrderSettled {
                    order_id: book.order_id(),
                    platform: book.platform(),
                    contract_id: book.contract_id(),
                    settlement_id: (&cmd.settlement_id).into(),
                    amount: Some(paid.to_proto()),
                    payment_ref: (&cmd.payment_ref).into(),
                    settled_at: Some(to_proto(book.time("at", &cmd.when)?)),
                })
            }
        }
    }
}

impl Book {
    pub(super) fn settled(&mut self, event: &OrderSettled) {
        self.settlement = Some(
            Settlement {
                id: event.settlement_id.clone(),
                amount: event.amount.clone().unwrap_or_default(),
                payment_ref: event.payment_ref.clone(),
                at: moment(event.settled_at.as_ref()),
            }
            .into(),
        );
    }
}
