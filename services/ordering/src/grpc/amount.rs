//! Readers of amounts of any currency.

use std::ops::RangeInclusive;

use chassis::{Fields, parse::LARGEST_AMOUNT};
use contracts::common::Money;

use crate::amount::Amount;

/// An amount above zero, of any currency.
pub(super) fn amount(fields: &mut Fields, field: &str, value: &Option<Money>) -> Amount {
    amount_in(fields, field, value, 1..=LARGEST_AMOUNT)
}

/// An amount within bounds, of any currency.
pub(super) fn amount_in(
    fields: &mut Fields,
    field: &str,
    value: &Option<Money>,
    bounds: RangeInclusive<i64>,
) -> Amount {
    fields
        .message(field, value, |fields, money| {
            let minor = fields.number("minor_units", money.minor_units, bounds);
            let code = money.currency.as_bytes();
            if code.len() != 3 || !code.iter().all(u8::is_ascii_uppercase) {
                fields.refuse("currency", "is no code of three capital letters");
            }
            Amount::new(minor, &money.currency)
        })
        .unwrap_or_default()
}
