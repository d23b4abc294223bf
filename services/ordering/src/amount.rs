//! Amounts of money that are added and taken apart by decisions.
//!
//! Invariant: no sum wraps, and no sum has two currencies.

use contracts::common::Money;

/// An amount in minor units (分) of a currency.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount {
    minor: i64,
    currency: String,
}

/// Why two amounts have no sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoSum {
    /// They are of different currencies.
    #[error("the amounts are of different currencies")]
    Currencies,
    /// The sum is larger than an amount can be.
    #[error("the sum is larger than an amount can be")]
    Overflow,
}

impl Amount {
    /// So many minor units of a currency.
    #[must_use]
    pub fn new(minor: i64, currency: impl Into<String>) -> Self {
        Self { minor, currency: currency.into() }
    }

    /// As history tells it; an absent amount is nothing, of no currency.
    #[must_use]
    pub fn recorded(money: Option<&Money>) -> Self {
        money.map_or_else(Self::default, |money| Self::new(money.minor_units, &money.currency))
    }

    /// Nothing, of the same currency.
    #[must_use]
    pub fn nothing(&self) -> Self {
        Self::new(0, &self.currency)
    }

    /// Minor units.
    #[must_use]
    pub fn minor(&self) -> i64 {
        self.minor
    }

    /// Code of the currency.
    #[must_use]
    pub fn currency(&self) -> &str {
        &self.currency
    }

    /// Both together.
    ///
    /// # Errors
    /// They have no sum.
    pub fn plus(&self, other: &Self) -> Result<Self, NoSum> {
        self.combined(other, i64::checked_add)
    }

    /// This without the other.
    ///
    /// # Errors
    /// They have no difference.
    pub fn minus(&self, other: &Self) -> Result<Self, NoSum> {
        self.combined(other, i64::checked_sub)
    }

    fn combined(
        &self,
        other: &Self,
        operation: fn(i64, i64) -> Option<i64>,
    ) -> Result<Self, NoSum> {
        if self.currency != other.currency {
            return Err(NoSum::Currencies);
        }
        let minor = operation(self.minor, other.minor).ok_or(NoSum::Overflow)?;
        Ok(Self::new(minor, &self.currency))
    }

    /// As messages carry it.
    #[must_use]
    pub fn money(&self) -> Money {
        Money { minor_units: self.minor, currency: self.currency.clone() }
    }
}

/// Adds `amount` times `sign` to a running total of a projection.
///
/// A projection may neither fail nor lose its way: the first currency of the total stays, amounts
/// of another are left out, and a sum that would overflow stays at the end of the range.
pub(crate) fn add_to_total(total: &mut Option<Money>, amount: Option<&Money>, sign: i64) {
    let Some(amount) = amount else { return };
    let total =
        total.get_or_insert_with(|| Money { minor_units: 0, currency: amount.currency.clone() });
    if total.currency == amount.currency {
        total.minor_units =
            total.minor_units.saturating_add(amount.minor_units.saturating_mul(sign));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_neither_wraps_nor_mixes_currencies() {
        let most = Amount::new(i64::MAX, "CNY");
        assert_eq!(most.plus(&Amount::new(1, "CNY")), Err(NoSum::Overflow));
        assert_eq!(most.plus(&Amount::new(1, "USD")), Err(NoSum::Currencies));
        assert_eq!(
            Amount::new(i64::MIN, "CNY").minus(&Amount::new(1, "CNY")),
            Err(NoSum::Overflow)
        );
        assert_eq!(Amount::new(3, "CNY").minus(&Amount::new(5, "CNY")), Ok(Amount::new(-2, "CNY")));
    }

    #[test]
    fn a_total_keeps_its_first_currency_and_stays_in_range() {
        let money = |minor_units, currency: &str| Money { minor_units, currency: currency.into() };
        let mut total = None;
        add_to_total(&mut total, None, 1);
        assert_eq!(total, None);
        add_to_total(&mut total, Some(&money(i64::MAX, "CNY")), 1);
        add_to_total(&mut total, Some(&money(5, "USD")), 1);
        add_to_total(&mut total, Some(&money(7, "CNY")), 1);
        assert_eq!(total, Some(money(i64::MAX, "CNY")));
        add_to_total(&mut total, Some(&money(i64::MIN, "CNY")), -1);
        assert_eq!(total, Some(money(i64::MAX, "CNY")));
        add_to_total(&mut total, Some(&money(i64::MAX, "CNY")), -1);
        assert_eq!(total, Some(money(0, "CNY")));
    }
}
