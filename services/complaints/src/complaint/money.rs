//! The money of a complaint: of a solution, and in all.

use contracts::{common::Money, complaints::Solution};

use super::Rejection;

/// The currency of all sums.
pub(super) const CURRENCY: &str = "CNY";

/// An amount in fen; none counts as nothing.
pub(super) fn fen(amount: Option<&Money>) -> i64 {
    amount.map_or(0, |amount| amount.minor_units)
}

/// Fen as money; nothing is left out.
pub(super) fn yuan(fen: i64) -> Option<Money> {
    (fen > 0).then(|| Money { minor_units: fen, currency: CURRENCY.to_owned() })
}

/// What a solution gives the user, in fen.
///
/// # Errors
/// The sum is too large.
pub(super) fn granted(solution: &Solution) -> Result<i64, Rejection> {
    let amounts = solution.measures.iter().map(|measure| fen(measure.amount.as_ref()));
    sum(amounts)
}

/// Sums up.
///
/// # Errors
/// The sum is too large.
pub(super) fn sum(amounts: impl IntoIterator<Item = i64>) -> Result<i64, Rejection> {
    amounts.into_iter().try_fold(0_i64, i64::checked_add).ok_or(Rejection::Sum)
}
