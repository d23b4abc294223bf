//! Decimal text to 分 and back, exactly: an amount never passes through a float.

/// The currency of all amounts.
pub(crate) const CURRENCY: &str = "CNY";

/// Why a text is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AmountError {
    #[error("is empty")]
    Empty,
    #[error("is not a decimal number such as 12.50")]
    NotDecimal,
    #[error("is finer than 分 (two decimal places)")]
    TooFine,
    #[error("is too large")]
    TooLarge,
}

/// `2.55` yuan as 255 分; up to two decimal places, further zeros do no harm.
pub(crate) fn fen(text: &str) -> Result<i64, AmountError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(AmountError::Empty);
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return Err(AmountError::NotDecimal);
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 2 {
        return Err(AmountError::TooFine);
    }
    let mut amount: i64 = 0;
    for digit in whole.bytes().chain(format!("{fraction:0<2}").into_bytes()) {
        let digit = i64::from(digit - b'0');
        let digit = if negative { -digit } else { digit };
        amount = amount
            .checked_mul(10)
            .and_then(|amount| amount.checked_add(digit))
            .ok_or(AmountError::TooLarge)?;
    }
    Ok(amount)
}

/// 分 as a person reads them: `1,234.50`.
pub(crate) fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let fen = fen.unsigned_abs();
    format!("{sign}{}.{:02}", crate::table::grouped(fen / 100), fen % 100)
}

#[cfg(test)]
mod tests {
    use super::{AmountError, fen, yuan};

    #[test]
    fn decimals_become_fen_exactly() {
        let cases = [
            ("2.55", 255),
            ("2.5", 250),
            ("2", 200),
            ("0.29", 29),
            ("0.0", 0),
            ("-27.5", -2750),
            ("-0.05", -5),
            (" 4.95 ", 495),
            ("1.100000", 110),
            ("92233720368547758.07", i64::MAX),
            ("-92233720368547758.08", i64::MIN),
        ];
        for (text, wanted) in cases {
            assert_eq!(fen(text), Ok(wanted), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused_with_its_reason() {
        let cases = [
            ("", AmountError::Empty),
            ("  ", AmountError::Empty),
            ("abc", AmountError::NotDecimal),
            ("1,000.00", AmountError::NotDecimal),
            ("1e5", AmountError::NotDecimal),
            ("NaN", AmountError::NotDecimal),
            (".5", AmountError::NotDecimal),
            ("5.", AmountError::NotDecimal),
            ("--5", AmountError::NotDecimal),
            ("1.2.3", AmountError::NotDecimal),
            ("１.５", AmountError::NotDecimal),
            ("2.555", AmountError::TooFine),
            ("92233720368547758.08", AmountError::TooLarge),
            ("99999999999999999999999", AmountError::TooLarge),
        ];
        for (text, wanted) in cases {
            assert_eq!(fen(text), Err(wanted), "{text}");
        }
    }

    #[test]
    fn fen_are_shown_as_yuan() {
        let shown: Vec<_> = [0, 5, -5, 123_450, i64::MIN].map(yuan).into();
        assert_eq!(shown, ["0.00", "0.05", "-0.05", "1,234.50", "-92,233,720,368,547,758.08"]);
    }
}
