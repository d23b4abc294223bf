//! What will happen to an order, and when: decided by its number alone, so that every run of the
//! same file tells the same stories.

use jiff::{SignedDuration, Timestamp};

use crate::push::{draft, ledger::Accepted};

/// Minutes after the order was placed. The rules of the service leave room: dispatch within 48
/// hours of the confirmation, the representative two hours from the arrival. What is late is late
/// by its plot: a representative who does not come, a parcel after the deadline.
pub(super) mod minute {
    pub(crate) const CONFIRMED: i64 = 15;
    pub(crate) const SUBSTITUTED: i64 = 60;
    pub(crate) const CERTIFIED: i64 = 4 * 60;
    pub(crate) const PLANNED: i64 = 5 * 60;
    pub(crate) const CARRIER_CHOSEN: i64 = 6 * 60;
    pub(crate) const PACKED: i64 = 10 * 60;
    pub(crate) const DISPATCHED: i64 = 20 * 60;
    pub(crate) const ARRIVED: i64 = 42 * 60;
    /// Between the first and the second shipment of a large order.
    pub(crate) const SECOND: i64 = 12 * 60;
    /// Between a delivery and what is sent again because of it.
    pub(crate) const AGAIN: i64 = 36 * 60;
    /// What a late parcel is late by.
    pub(crate) const LATE: i64 = 60 * 60;
    /// Between an arrival and the treatment of what was wrong: the user waits no two hours for it.
    pub(crate) const TREATED: i64 = 5 * 60;
    pub(crate) const INVOICED: i64 = 6 * 24 * 60;
    pub(crate) const SETTLED: i64 = 6 * 24 * 60 + 12 * 60;
}

/// An order with so many lines leaves in two shipments.
const LARGE: usize = 20;

/// Times of one order.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schedule {
    placed: Timestamp,
}

impl Schedule {
    pub(crate) fn of(order: &Accepted) -> Self {
        Self { placed: order.placed_at() }
    }

    pub(super) fn minute(self, minute: i64) -> Timestamp {
        self.placed.saturating_add(SignedDuration::from_mins(minute)).unwrap_or(self.placed)
    }

    /// When its goods are planned into a shipment: from then on nothing can be cancelled.
    pub(crate) fn planned(self) -> Timestamp {
        self.minute(minute::PLANNED)
    }
}

/// One kind of story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plot {
    /// Everything as agreed, inspected by both sides.
    Smooth,
    /// Our representative is late, the user inspects alone.
    Alone,
    /// The parcel comes after the deadline.
    Late,
    /// A unit is missing; the user refuses a credit and gets it sent again.
    SentAgain,
    /// The packaging is torn; the user keeps the units as they are.
    KeptAsIs,
    /// A unit is damaged on the way: the user is compensated, the carrier's freight deducted.
    Damaged,
    /// One line is another model than was sold: refused.
    LineRefused,
    /// Everything is another brand than was sold: refused.
    AllRefused,
    /// A line is out of stock, the user consents to a substitute.
    Substituted,
    /// The invoice has a wrong title and is reversed by a red one.
    Reinvoiced,
}

impl Plot {
    pub(super) fn of(order: &Accepted) -> Self {
        Self::of_number(order.no())
    }

    /// That of the order with this number.
    pub(super) fn of_number(no: &str) -> Self {
        match draft::draw(&format!("plot of {no}")) % 100 {
            0..8 => Self::Alone,
            8..12 => Self::Late,
            12..18 => Self::SentAgain,
            18..23 => Self::KeptAsIs,
            23..29 => Self::Damaged,
            29..34 => Self::LineRefused,
            34..37 => Self::AllRefused,
            37..43 => Self::Substituted,
            43..46 => Self::Reinvoiced,
            _ => Self::Smooth,
        }
    }

    pub(super) fn told(self) -> &'static str {
        match self {
            Self::Smooth => "as agreed",
            Self::Alone => "inspected by the user alone",
            Self::Late => "delivered late",
            Self::SentAgain => "a missing unit sent again",
            Self::KeptAsIs => "torn packaging, kept as it is",
            Self::Damaged => "damaged on the way, carrier pays",
            Self::LineRefused => "one line refused",
            Self::AllRefused => "everything refused",
            Self::Substituted => "a line substituted",
            Self::Reinvoiced => "invoice reversed and issued anew",
        }
    }
}

/// Whether the goods are too many for one shipment.
pub(super) fn in_two(lines: usize) -> bool {
    lines >= LARGE
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use contracts::ordering::OrderDraft;

    use super::{Plot, Schedule, minute};
    use crate::push::{draft, ledger::Accepted};

    fn order(no: u32) -> Accepted {
        let draft = OrderDraft { platform_order_no: no.to_string(), ..OrderDraft::default() };
        Accepted { order_id: String::new(), draft }
    }

    #[test]
    fn every_story_is_told_and_most_orders_go_as_agreed() {
        let mut told: BTreeMap<&str, u32> = BTreeMap::new();
        for no in 0..1_000 {
            assert_eq!(Plot::of(&order(no)), Plot::of(&order(no)));
            *told.entry(Plot::of(&order(no)).told()).or_default() += 1;
        }
        assert_eq!(told.len(), 10);
        assert!(told["as agreed"] > 450, "{told:?}");
    }

    #[test]
    fn whatever_happens_is_over_before_the_invoice_and_deadlines_are_kept() {
        let last = minute::ARRIVED + minute::AGAIN + minute::TREATED + 24 * 60;
        let late = minute::ARRIVED + minute::SECOND + minute::LATE + 24 * 60;
        assert!(last.max(late) < minute::INVOICED);
        // The service's dispatch policy, and the deadline that `draft` gives every order.
        const { assert!(minute::DISPATCHED + minute::SECOND < minute::CONFIRMED + 48 * 60) };
        const DEADLINE: i64 = draft::DELIVERY_DAYS * 24 * 60;
        const { assert!(minute::ARRIVED + minute::AGAIN + minute::TREATED < DEADLINE) };
        const { assert!(minute::ARRIVED + minute::LATE > DEADLINE) };
        let schedule = Schedule::of(&order(1));
        assert!(schedule.planned() < schedule.minute(minute::DISPATCHED));
    }
}
