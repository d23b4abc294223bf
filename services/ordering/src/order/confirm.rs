//! Whether we take the order on.

use contracts::ordering::{OrderConfirmed, OrderDeclined};
use decider::{Decision, emit, unchanged};
use eventlog::time::to_proto;
use jiff::SignedDuration;

use super::{
    End, Event, Order, Rejection,
    book::later,
    command::{ConfirmOrder, DeclineOrder},
    repeat::Repeat,
};
use crate::config::Policy;

impl Order {
    /// We take the order on; from now the goods must leave within the policy's time (ORD-23).
    ///
    /// # Errors
    /// There is no order, it is only reserved, or it ended.
    pub fn confirm(&self, cmd: &ConfirmOrder, policy: &Policy) -> Decision<Event, Rejection> {
        let book = self.book()?;
        if let Some(confirmed_at) = book.confirmed_at {
            return Repeat::new().at("at", confirmed_at, &cmd.when).answer();
        }
        match self {
            Self::Absent => Err(Rejection::UnknownOrder),
            Self::Reserved(_) => Err(Rejection::OnlyReserved),
            Self::Placed(_) => {
                let at = book.time("at", &cmd.when)?;
                let leaves_within = SignedDuration::from_hours(policy.dispatch_hours.into());
                emit(OrderConfirmed {
                    order_id: book.order_id(),
                    platform: book.platform(),
                    contract_id: book.contract_id(),
                    confirmed_at: Some(to_proto(at)),
                    dispatch_by: Some(to_proto(later(at, leaves_within))),
                    deliver_by: Some(to_proto(book.deliver_by)),
                })
            }
            Self::Confirmed(_) | Self::Fulfilled(_) | Self::Settled(_) => unchanged(),
            Self::Ended(end, _) => Err(Rejection::Ended(*end)),
        }
    }

    /// We decline an order that we have not confirmed.
    ///
    /// # Errors
    /// There is no order, it is only reserved, confirmed, or it ended otherwise.
    pub fn decline(&self, cmd: &DeclineOrder) -> Decision<Event, Rejection> {
        match self {
            Self::Absent => Err(Rejection::UnknownOrder),
            Self::Reserved(_) => Err(Rejection::OnlyReserved),
            Self::Placed(book) => emit(OrderDeclined {
                order_id: book.order_id(),
                platform: book.platform(),
                contract_id: book.contract_id(),
                reason: (&cmd.reason).into(),
                declined_at: Some(to_proto(book.time("at", &cmd.when)?)),
            }),
            Self::Confirmed(_) | Self::Fulfilled(_) | Self::Settled(_) => {
                Err(Rejection::AlreadyConfirmed)
            }
            Self::Ended(End::Declined, book) => match &book.end_note {
                Some(note) => Repeat::new()
                    .same("reason", note.text.as_str(), cmd.reason.as_str())
                    .at("at", note.at, &cmd.when)
                    .answer(),
                None => unchanged(),
            },
            Self::Ended(
                end @ (End::Released | End::Expired | End::Cancelled | End::Refused),
                _,
            ) => Err(Rejection::Ended(*end)),
        }
    }
}
