//! Our side of the comparison: when an order came onto which list, and with which amount.

use contracts::common::Money;
use contracts::ordering::{Order, OrderPhase, ReconciliationList as List};
use eventlog::{Listing, time::from_proto};
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::{Ours, Stand};
use crate::{
    amount::Amount,
    order_row::{self, Milestone},
};

/// A day of a platform, from its first moment to before the first of the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// Its first moment.
    pub from: Timestamp,
    /// The first moment of the next day.
    pub until: Timestamp,
}

impl Day {
    /// The day in a zone; `None` at the end of the calendar.
    #[must_use]
    pub fn of(date: Date, zone: &TimeZone) -> Option<Self> {
        let first = |date: Date| date.to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp());
        Some(Self { from: first(date)?, until: first(date.tomorrow().ok()?)? })
    }

    fn holds(&self, moment: Timestamp) -> bool {
        (self.from..self.until).contains(&moment)
    }
}

/// When an order came onto a list, and with which amount; `None` when it is not on it.
#[must_use]
pub fn reached(order: &Order, list: List) -> Option<(Timestamp, Option<&Money>)> {
    let (at, amount) = match list {
        List::Unspecified => return None,
        List::New => match order.phase() {
            OrderPhase::Unspecified
            | OrderPhase::Reserved
            | OrderPhase::Released
            | OrderPhase::Expired => return None,
            OrderPhase::Placed
            | OrderPhase::Confirmed
            | OrderPhase::InDelivery
            | OrderPhase::Fulfilled
            | OrderPhase::Settled
            | OrderPhase::Declined
            | OrderPhase::Cancelled
            | OrderPhase::Refused => (order.placed_at, &order.total),
        },
        List::Delivered => (order.fulfilled_at, &order.payable),
        List::Refused if order.phase() == OrderPhase::Refused => (order.ended_at, &order.total),
        List::Refused => return None,
        List::Finished => (order.settled_at, &order.payable),
    };
    Some((from_proto(&at?)?, amount.as_ref()))
}

/// Lists our orders that came onto a list on a day; `None` for a list that is none.
#[must_use]
pub fn our_list(platform: &str, list: List, day: Day) -> Option<Listing> {
    let milestone = match list {
        List::Unspecified => return None,
        List::New => Milestone::New,
        List::Delivered => Milestone::Delivered,
        List::Refused => Milestone::Refused,
        List::Finished => Milestone::Finished,
    };
    Some(order_row::at_milestone(platform, milestone, Some(day.from), Some(day.until)))
}

impl Ours {
    /// The order as it stands to a list of a day.
    #[must_use]
    pub fn of(order: &Order, list: List, day: Day) -> Self {
        let (stand, amount) = match reached(order, list) {
            Some((at, amount)) if day.holds(at) => (Stand::Listed, amount),
            Some((_, amount)) => (Stand::OtherDay, amount),
            None => (Stand::NotYet, order.total.as_ref()),
        };
        Self {
            platform_order_no: order.platform_order_no.clone(),
            amount: Amount::recorded(amount),
            phase: order.phase(),
            stand,
        }
    }
}
