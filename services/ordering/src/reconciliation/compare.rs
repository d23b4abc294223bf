//! The comparison itself: a function of two lists, and of nothing else.

use std::collections::{BTreeMap, BTreeSet};

use contracts::ordering::{Difference, DifferenceKind, OrderPhase};
use sha2::{Digest, Sha256};

use super::Rejection;
use crate::amount::{Amount, NoSum};

/// Differences that one reconciliation holds. More of them are no list of the same day, and would
/// not fit into one event.
pub const MOST_DIFFERENCES: usize = 5_000;

/// An entry of the platform's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theirs {
    /// The platform's order number.
    pub platform_order_no: String,
    /// The platform's amount.
    pub amount: Amount,
}

/// An order of ours: on our list, or looked up because it is on theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ours {
    /// The platform's order number.
    pub platform_order_no: String,
    /// Our amount.
    pub amount: Amount,
    /// Where the order stands now.
    pub phase: OrderPhase,
    /// Where it stands with respect to the list and the day.
    pub stand: Stand,
}

/// Where an order of ours stands with respect to a list and a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    /// On our list of that day.
    Listed,
    /// On our list of another day.
    OtherDay,
    /// Not on that list yet.
    NotYet,
}

/// What came out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Comparison {
    /// Entries of the platform.
    pub their_count: u32,
    /// Orders of ours on that list and day.
    pub our_count: u32,
    /// Orders that agree.
    pub matched: u32,
    /// The others, by order number, numbered from 1.
    pub differences: Vec<Difference>,
    /// Sum of the platform's amounts; `None` for an empty list.
    pub their_total: Option<Amount>,
    /// Sum of ours; `None` for an empty list.
    pub our_total: Option<Amount>,
}

/// Compares both lists. `ours` must hold our whole list, and may hold any other order of ours; of
/// an order that it holds twice the first counts. The order of the entries makes no difference.
///
/// Of several entries for one order the one that agrees best is compared; each further one is a
/// difference of its own.
///
/// # Errors
/// A list has no sum, or the lists have too little in common.
pub fn compare(ours: &[Ours], theirs: &[Theirs]) -> Result<Comparison, Rejection> {
    let mut known: BTreeMap<&str, &Ours> = BTreeMap::new();
    for order in ours {
        known.entry(&order.platform_order_no).or_insert(order);
    }
    let mut entries: BTreeMap<&str, Vec<&Amount>> = BTreeMap::new();
    for entry in theirs {
        entries.entry(&entry.platform_order_no).or_default().push(&entry.amount);
    }
    let listed = || known.values().filter(|order| order.stand == Stand::Listed);

    let mut outcome = Comparison {
        their_count: count(theirs.len()),
        our_count: count(listed().count()),
        their_total: sum(theirs.iter().map(|entry| &entry.amount), "their")?,
        our_total: sum(listed().map(|order| &order.amount), "our")?,
        ..Comparison::default()
    };
    let numbers: BTreeSet<&str> = known.keys().chain(entries.keys()).copied().collect();
    for number in numbers {
        let order = known.get(number).copied();
        let mut amounts = entries.remove(number).unwrap_or_default();
        amounts.sort_by_key(|amount| (order.is_none_or(|order| order.amount != **amount), *amount));
        let (first, further) = match amounts.split_first() {
            Some((first, further)) => (Some(*first), further),
            None => (None, [].as_slice()),
        };
        match judge(order, first) {
            Verdict::Nothing => {}
            Verdict::Matched => outcome.matched += 1,
            Verdict::Differs(kind) => outcome.note(number, kind, order, first),
        }
        for amount in further {
            outcome.note(number, DifferenceKind::ListedTwice, order, Some(amount));
        }
        if outcome.differences.len() > MOST_DIFFERENCES {
            return Err(Rejection::TooManyDifferences);
        }
    }
    Ok(outcome)
}

enum Verdict {
    Nothing,
    Matched,
    Differs(DifferenceKind),
}

fn judge(order: Option<&Ours>, entry: Option<&Amount>) -> Verdict {
    match (order, entry) {
        (None, None) => Verdict::Nothing,
        (None, Some(_)) => Verdict::Differs(DifferenceKind::UnknownHere),
        (Some(order), None) => match order.stand {
            Stand::Listed => Verdict::Differs(DifferenceKind::MissingThere),
            Stand::OtherDay | Stand::NotYet => Verdict::Nothing,
        },
        (Some(order), Some(amount)) => match order.stand {
            Stand::NotYet => Verdict::Differs(DifferenceKind::BehindHere),
            Stand::OtherDay => Verdict::Differs(DifferenceKind::Day),
            Stand::Listed if order.amount != *amount => Verdict::Differs(DifferenceKind::Amount),
            Stand::Listed => Verdict::Matched,
        },
    }
}

impl Comparison {
    fn note(
        &mut self,
        number: &str,
        kind: DifferenceKind,
        order: Option<&Ours>,
        entry: Option<&Amount>,
    ) {
        self.differences.push(Difference {
            difference_no: count(self.differences.len() + 1),
            platform_order_no: number.to_owned(),
            kind: kind.into(),
            our_amount: order.map(|order| order.amount.money()),
            their_amount: entry.map(Amount::money),
            our_phase: order.map_or(OrderPhase::Unspecified, |order| order.phase).into(),
            resolution: String::new(),
            resolved_by: String::new(),
        });
    }
}

fn sum<'a>(
    amounts: impl IntoIterator<Item = &'a Amount>,
    side: &'static str,
) -> Result<Option<Amount>, Rejection> {
    let mut total: Option<Amount> = None;
    for amount in amounts {
        total = Some(match total {
            None => amount.clone(),
            Some(total) => total.plus(amount).map_err(|error| match error {
                NoSum::Currencies => Rejection::MixedCurrencies { side },
                NoSum::Overflow => Rejection::Overflow { side },
            })?,
        });
    }
    Ok(total)
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Digest (SHA-256, hex) of a list, the same for the same entries in any order.
#[must_use]
pub fn list_sha256(theirs: &[Theirs]) -> String {
    let mut entries: Vec<_> =
        theirs.iter().map(|entry| (&entry.platform_order_no, &entry.amount)).collect();
    entries.sort();
    let mut digest = Sha256::new();
    for (number, amount) in entries {
        for text in [number.as_str(), amount.currency()] {
            digest.update((text.len() as u64).to_be_bytes());
            digest.update(text);
        }
        digest.update(amount.minor().to_be_bytes());
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
