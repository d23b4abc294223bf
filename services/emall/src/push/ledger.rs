//! What this e-mall has had accepted, and what of it a cancellation takes away.

use std::collections::BTreeMap;

use contracts::ordering::OrderDraft;
use jiff::Timestamp;

use super::entry::Cancellation;
use crate::times::moment;

/// An order that the supplier took.
#[derive(Debug, Clone)]
pub(crate) struct Accepted {
    pub(crate) order_id: String,
    pub(crate) draft: OrderDraft,
}

impl Accepted {
    pub(crate) fn no(&self) -> &str {
        &self.draft.platform_order_no
    }

    pub(crate) fn placed_at(&self) -> Timestamp {
        moment(self.draft.placed_at.as_ref()).unwrap_or_default()
    }

    fn buyer_id(&self) -> &str {
        self.draft.buyer.as_ref().map_or("", |buyer| buyer.buyer_id.as_str())
    }
}

/// Units of one line of one order that a cancellation is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Index of the order among the accepted ones.
    pub(crate) order: usize,
    /// Lines and units.
    pub(crate) lines: BTreeMap<u32, u32>,
}

/// What became of a cancellation's items.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Match {
    /// By order, in the order of their matching.
    pub(crate) taken: Vec<Taken>,
    /// Goods and units for which no order was found.
    pub(crate) unmatched: Vec<(String, u32)>,
}

/// The accepted orders with the units that no cancellation has taken yet.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    orders: Vec<Accepted>,
    /// Units left, beside [`Ledger::orders`]: by line number, with the SKU.
    left: Vec<BTreeMap<u32, (String, u32)>>,
    by_buyer: BTreeMap<String, Vec<usize>>,
}

impl Ledger {
    /// Orders by the time they were placed, whatever the sequence of their answers.
    pub(crate) fn of(mut orders: Vec<Accepted>) -> Self {
        orders.sort_by(|a, b| (a.placed_at(), a.no()).cmp(&(b.placed_at(), b.no())));
        let mut ledger = Self::default();
        for (index, order) in orders.iter().enumerate() {
            let lines = order.draft.lines.iter().map(|line| {
                let sku = line.listing.as_ref().map(|listing| listing.sku.clone());
                (line.line_no, (sku.unwrap_or_default(), line.quantity))
            });
            ledger.left.push(lines.collect());
            ledger.by_buyer.entry(order.buyer_id().to_owned()).or_default().push(index);
        }
        ledger.orders = orders;
        ledger
    }

    pub(crate) fn orders(&self) -> &[Accepted] {
        &self.orders
    }

    /// Finds the orders that a cancellation is about: of the same buyer, not placed later, the
    /// latest first, as far as units are left. What is found is taken: the next cancellation does
    /// not find it again.
    pub(crate) fn take(&mut self, cancellation: &Cancellation) -> Match {
        let mut found = Match::default();
        let earlier: Vec<usize> = self
            .by_buyer
            .get(&cancellation.buyer_id)
            .into_iter()
            .flatten()
            .rev()
            .copied()
            .filter(|index| {
                self.orders.get(*index).is_some_and(|order| order.placed_at() <= cancellation.at)
            })
            .collect();
        // Goods without a buyer belong to nobody in particular.
        let earlier = if cancellation.buyer_id.is_empty() { Vec::new() } else { earlier };
        for item in &cancellation.items {
            let mut wanted = item.units;
            for &order in &earlier {
                let Some(lines) = self.left.get_mut(order) else { continue };
                for (&line_no, (sku, left)) in lines.iter_mut() {
                    let units = wanted.min(*left);
                    if *sku != item.sku || units == 0 {
                        continue;
                    }
                    *left -= units;
                    wanted -= units;
                    *found.of(order).lines.entry(line_no).or_default() += units;
                }
            }
            if wanted > 0 {
                found.unmatched.push((item.sku.clone(), wanted));
            }
        }
        found
    }
}

impl Match {
    fn of(&mut self, order: usize) -> &mut Taken {
        let place = self.taken.iter().position(|taken| taken.order == order);
        let place = place.unwrap_or_else(|| {
            self.taken.push(Taken { order, lines: BTreeMap::new() });
            self.taken.len() - 1
        });
        &mut self.taken[place]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use contracts::ordering::{Buyer, FrozenListing, OrderDraft, OrderLine};
    use jiff::Timestamp;

    use super::{Accepted, Ledger, Match, Taken};
    use crate::push::{
        draft::timestamp,
        entry::{Cancellation, CancelledItem},
    };

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_291_000_000 + 60 * minute).unwrap()
    }

    fn accepted(no: &str, buyer: &str, minute: i64, lines: &[(&str, u32)]) -> Accepted {
        let lines = lines.iter().zip(1..).map(|((sku, quantity), line_no)| OrderLine {
            line_no,
            listing: Some(FrozenListing { sku: (*sku).to_owned(), ..Default::default() }),
            quantity: *quantity,
        });
        Accepted {
            order_id: no.to_owned(),
            draft: OrderDraft {
                platform_order_no: no.to_owned(),
                buyer: Some(Buyer { buyer_id: buyer.to_owned(), ..Default::default() }),
                placed_at: Some(timestamp(at(minute))),
                lines: lines.collect(),
                ..Default::default()
            },
        }
    }

    fn cancelled(buyer: &str, minute: i64, items: &[(&str, u32)]) -> Cancellation {
        Cancellation {
            no: "C1".to_owned(),
            buyer_id: buyer.to_owned(),
            at: at(minute),
            items: items
                .iter()
                .map(|(sku, units)| CancelledItem { sku: (*sku).to_owned(), units: *units })
                .collect(),
        }
    }

    fn taken(order: usize, lines: &[(u32, u32)]) -> Taken {
        Taken { order, lines: lines.iter().copied().collect::<BTreeMap<_, _>>() }
    }

    #[test]
    fn units_come_from_the_latest_earlier_order_of_the_same_buyer() {
        let mut ledger = Ledger::of(vec![
            accepted("later", "9", 30, &[("A", 50)]),
            accepted("second", "9", 20, &[("B", 1), ("A", 3)]),
            accepted("first", "9", 10, &[("A", 5)]),
            accepted("other", "8", 10, &[("A", 50)]),
        ]);
        let nos: Vec<_> = ledger.orders().iter().map(|order| order.no().to_owned()).collect();
        assert_eq!(nos, ["first", "other", "second", "later"]);
        let found = ledger.take(&cancelled("9", 25, &[("A", 4)]));
        assert_eq!(found.taken, [taken(2, &[(2, 3)]), taken(0, &[(1, 1)])]);
        assert_eq!(found.unmatched, []);
    }

    #[test]
    fn what_was_taken_is_not_found_again() {
        let mut ledger = Ledger::of(vec![accepted("1", "9", 10, &[("A", 5)])]);
        assert_eq!(ledger.take(&cancelled("9", 20, &[("A", 4)])).unmatched, []);
        let again = ledger.take(&cancelled("9", 21, &[("A", 4)]));
        assert_eq!(again.taken, [taken(0, &[(1, 1)])]);
        assert_eq!(again.unmatched, [("A".to_owned(), 3)]);
    }

    #[test]
    fn the_same_goods_in_several_lines_are_taken_line_by_line() {
        let mut ledger = Ledger::of(vec![accepted("1", "9", 10, &[("A", 2), ("A", 3)])]);
        let found = ledger.take(&cancelled("9", 10, &[("A", 3), ("A", 1)]));
        assert_eq!(found.taken, [taken(0, &[(1, 2), (2, 2)])]);
    }

    #[test]
    fn no_order_no_buyer_other_goods_are_no_match() {
        let mut ledger = Ledger::of(vec![
            accepted("1", "9", 10, &[("A", 2)]),
            accepted("2", "", 10, &[("A", 2)]),
        ]);
        let unmatched =
            |units| Match { taken: Vec::new(), unmatched: vec![("A".to_owned(), units)] };
        assert_eq!(ledger.take(&cancelled("7", 20, &[("A", 1)])), unmatched(1));
        assert_eq!(ledger.take(&cancelled("", 20, &[("A", 1)])), unmatched(1));
        assert_eq!(ledger.take(&cancelled("9", 5, &[("A", 1)])), unmatched(1));
        assert_eq!(ledger.take(&cancelled("9", 20, &[("B", 1)])).unmatched.len(), 1);
    }
}
