//! How an order comes to be: pushed at once, or reserved first.

use contracts::ordering::{OrderPlaced, PreOrderExpired, PreOrderReleased, PreOrderReserved};
use decider::{Decision, emit, unchanged};
use eventlog::time::to_proto;
use jiff::{SignedDuration, Timestamp};

use super::{
    End, Event, Order, Rejection, Terms,
    book::{Book, check_time, later},
    command::{ConfirmPreOrder, ExpirePreOrder, PreOrder, PushOrder, ReleasePreOrder},
    repeat::Repeat,
    same_terms::same_terms,
    value::Text,
};
use crate::config::Policy;

impl Order {
    /// The platform pushes an order; a reservation of the same number becomes it.
    ///
    /// # Errors
    /// The number is taken by an order with other content, or by a reservation that is over.
    pub fn push(&self, cmd: &PushOrder) -> Decision<Event, Rejection> {
        match self {
            Self::Absent => {
                must_not_come_from_the_future(&cmd.terms, cmd.now)?;
                emit(OrderPlaced { terms: Some(cmd.terms.get().clone()), from_pre_order: false })
            }
            Self::Reserved(book) => {
                same_terms(&book.terms, cmd.terms.get()).answer()?;
                book.place(cmd.now)
            }
            Self::Ended(end @ (End::Released | End::Expired), book) => {
                same_terms(&book.terms, cmd.terms.get()).answer()?;
                Err(Rejection::Ended(*end))
            }
            Self::Placed(book)
            | Self::Confirmed(book)
            | Self::Fulfilled(book)
            | Self::Settled(book)
            | Self::Ended(End::Declined | End::Cancelled | End::Refused, book) => {
                same_terms(&book.terms, cmd.terms.get()).answer()
            }
        }
    }

    /// The platform reserves goods until a time, its own or the policy's.
    ///
    /// # Errors
    /// The number is taken by something else, or the reservation would end at once.
    pub fn pre_order(&self, cmd: &PreOrder, policy: &Policy) -> Decision<Event, Rejection> {
        match self {
            Self::Absent => {
                must_not_come_from_the_future(&cmd.terms, cmd.now)?;
                let holds = SignedDuration::from_mins(policy.reservation_minutes.into());
                let until = cmd.reserved_until.unwrap_or_else(|| later(cmd.now, holds));
                if until <= cmd.now {
                    return Err(Rejection::TimeOutOfRange {
                        field: "reserved_until".into(),
                        at: until,
                        earliest: cmd.now,
                        latest: Timestamp::MAX,
                    });
                }
                emit(PreOrderReserved {
                    terms: Some(cmd.terms.get().clone()),
                    reserved_until: Some(to_proto(until)),
                })
            }
            Self::Reserved(book)
            | Self::Placed(book)
            | Self::Confirmed(book)
            | Self::Fulfilled(book)
            | Self::Settled(book)
            | Self::Ended(_, book) => {
                let repeat = same_terms(&book.terms, cmd.terms.get());
                match &book.reserved_until {
                    Some(until) => repeat
                        .same_if_given("reserved_until", until, cmd.reserved_until.as_ref())
                        .answer(),
                    None => repeat.answer().and(Err(Rejection::AlreadyPlaced)),
                }
            }
        }
    }

    /// The platform turns a reservation into an order, before it ends.
    ///
    /// # Errors
    /// There is no reservation, or it is over.
    pub fn confirm_pre_order(&self, cmd: &ConfirmPreOrder) -> Decision<Event, Rejection> {
        match self {
            Self::Absent => Err(Rejection::UnknownOrder),
            Self::Reserved(book) => book.place(book.time("at", &cmd.when)?),
            Self::Ended(End::Released, _) => Err(Rejection::Ended(End::Released)),
            Self::Ended(End::Expired, book) => {
                let until = book.reserved_until.unwrap_or(Timestamp::UNIX_EPOCH);
                Err(Rejection::ReservationExpired { until })
            }
            Self::Placed(book)
            | Self::Confirmed(book)
            | Self::Fulfilled(book)
            | Self::Settled(book)
            | Self::Ended(End::Declined | End::Cancelled | End::Refused, book) => {
                if book.reserved_until.is_some() {
                    unchanged()
                } else {
                    Err(Rejection::NotReserved)
                }
            }
        }
    }

    /// The platform gives a reservation up.
    ///
    /// # Errors
    /// There is no reservation, or it has become an order or ended.
    pub fn release_pre_order(&self, cmd: &ReleasePreOrder) -> Decision<Event, Rejection> {
        match self {
            Self::Absent => Err(Rejection::UnknownOrder),
            Self::Reserved(book) => emit(PreOrderReleased {
                order_id: book.order_id(),
                platform: book.platform(),
                contract_id: book.contract_id(),
                reason: Text::or_empty(cmd.reason.as_ref()),
                released_at: Some(to_proto(book.time("at", &cmd.when)?)),
            }),
            Self::Placed(_) | Self::Confirmed(_) | Self::Fulfilled(_) | Self::Settled(_) => {
                Err(Rejection::AlreadyPlaced)
            }
            Self::Ended(End::Released, book) => match &book.end_note {
                Some(note) => Repeat::new()
                    .same("reason", &note.text, &Text::or_empty(cmd.reason.as_ref()))
                    .at("at", note.at, &cmd.when)
                    .answer(),
                None => unchanged(),
            },
            Self::Ended(
                end @ (End::Expired | End::Declined | End::Cancelled | End::Refused),
                _,
            ) => Err(Rejection::Ended(*end)),
        }
    }

    /// A reservation ends when its time has come and nobody confirmed it.
    ///
    /// # Errors
    /// There is no reservation, it still holds, or it has become an order or ended otherwise.
    pub fn expire(&self, cmd: &ExpirePreOrder) -> Decision<Event, Rejection> {
        match self {
            Self::Absent => Err(Rejection::UnknownOrder),
            Self::Reserved(book) => match book.reserved_until {
                Some(until) if cmd.now < until => Err(Rejection::ReservationHolds { until }),
                until => emit(PreOrderExpired {
                    order_id: book.order_id(),
                    platform: book.platform(),
                    contract_id: book.contract_id(),
                    expired_at: Some(to_proto(until.unwrap_or(cmd.now))),
                }),
            },
            Self::Placed(_) | Self::Confirmed(_) | Self::Fulfilled(_) | Self::Settled(_) => {
                Err(Rejection::AlreadyPlaced)
            }
            Self::Ended(End::Expired, _) => unchanged(),
            Self::Ended(
                end @ (End::Released | End::Declined | End::Cancelled | End::Refused),
                _,
            ) => Err(Rejection::Ended(*end)),
        }
    }

    /// History: an order stands. A reservation keeps its book.
    pub(super) fn placed(self, event: &OrderPlaced) -> Self {
        match self {
            Self::Reserved(book) => Self::Placed(book),
            Self::Absent
            | Self::Placed(_)
            | Self::Confirmed(_)
            | Self::Fulfilled(_)
            | Self::Settled(_)
            | Self::Ended(..) => {
                let terms = event.terms.as_ref().map(Book::new);
                Self::Placed(terms.unwrap_or_else(|| Book::new(&Default::default())).into())
            }
        }
    }
}

impl Book {
    /// The reservation becomes an order, if it still holds at that time.
    fn place(&self, at: Timestamp) -> Decision<Event, Rejection> {
        match self.reserved_until {
            Some(until) if until <= at => Err(Rejection::ReservationExpired { until }),
            _ => emit(OrderPlaced { terms: Some((*self.terms).clone()), from_pre_order: true }),
        }
    }
}

fn must_not_come_from_the_future(terms: &Terms, now: Timestamp) -> Result<(), Rejection> {
    let placed_at = terms.placed_at();
    check_time(|| "placed_at".into(), placed_at, placed_at, now)
}
