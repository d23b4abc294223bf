//! Values that cannot be wrong once they exist: the edge parses them, decisions rely on them.

use std::fmt;

use contracts::common::Money as ProtoMoney;

/// What is wrong with which field of a request: `("lines[2].quantity", "must be positive")`.
pub type Violations = Vec<(String, String)>;

/// Why a value from outside is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// Nothing was given.
    #[error("is required")]
    Missing,
    /// Too many characters.
    #[error("is longer than {0} characters")]
    TooLong(usize),
    /// A character that cannot be shown; it could also forge a look-up key.
    #[error("contains a control character")]
    ControlCharacter,
    /// Zero or less.
    #[error("must be positive")]
    NotPositive,
    /// No currency code.
    #[error("must be a currency code of three capital letters")]
    NoCurrency,
    /// No digest.
    #[error("must be a SHA-256 digest of 64 hexadecimal digits")]
    NoDigest,
    /// A number outside of its scale.
    #[error("must be from {0} to {1}")]
    OffScale(u32, u32),
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $longest:literal, $lines:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub struct $name(String);

        impl $name {
            /// Takes text from outside, as given.
            ///
            /// # Errors
            /// It is blank, too long, or holds control characters.
            pub fn parse(text: impl Into<String>) -> Result<Self, Invalid> {
                let text = text.into();
                check_text(&text, $longest, $lines)?;
                if text.trim().is_empty() { Err(Invalid::Missing) } else { Ok(Self(text)) }
            }

            /// The same, where the text may be left out: blank is none.
            ///
            /// # Errors
            /// It is too long, or holds control characters.
            pub fn parse_optional(text: impl Into<String>) -> Result<Option<Self>, Invalid> {
                let text = text.into();
                if text.trim().is_empty() { Ok(None) } else { Self::parse(text).map(Some) }
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// As events carry what may be left out.
            pub(super) fn or_empty(text: Option<&Self>) -> String {
                text.map_or_else(String::new, String::from)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&$name> for String {
            fn from(text: &$name) -> Self {
                text.0.clone()
            }
        }
    };
}

text!(
    /// An identifier or a number on a paper: 1 to 64 characters in one line.
    Id, 64, false
);
text!(
    /// The name of a person, a unit or a carrier: 1 to 200 characters in one line.
    Name, 200, false
);
text!(
    /// A reason, a description, an explanation: 1 to 2,000 characters, in lines.
    Text, 2_000, true
);

/// Text as decisions and keys can bear it; `lines`: whether it may break into lines.
pub(super) fn check_text(text: &str, longest: usize, lines: bool) -> Result<(), Invalid> {
    // a character has at most four bytes: short text is not counted
    if text.len() > longest && text.chars().count() > longest {
        return Err(Invalid::TooLong(longest));
    }
    let broken =
        |letter: char| letter.is_control() && !(lines && matches!(letter, '\n' | '\r' | '\t'));
    if text.chars().any(broken) { Err(Invalid::ControlCharacter) } else { Ok(()) }
}

/// A SHA-256 digest, in lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Digest(String);

impl Digest {
    /// Takes a digest from outside; the case of its letters says nothing.
    ///
    /// # Errors
    /// It is absent or no such digest.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text.len() {
            0 => Err(Invalid::Missing),
            64 if text.bytes().all(|digit| digit.is_ascii_hexdigit()) => {
                Ok(Self(text.to_ascii_lowercase()))
            }
            _ => Err(Invalid::NoDigest),
        }
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&Digest> for String {
    fn from(digest: &Digest) -> Self {
        digest.0.clone()
    }
}

/// Number of a line within its order, positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineNo(u32);

impl LineNo {
    /// Takes a number from outside.
    ///
    /// # Errors
    /// It is zero.
    pub fn parse(number: u32) -> Result<Self, Invalid> {
        if number == 0 { Err(Invalid::NotPositive) } else { Ok(Self(number)) }
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0
    }
}

/// A number of units, positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(u32);

impl Quantity {
    /// Takes a number from outside.
    ///
    /// # Errors
    /// It is zero.
    pub fn parse(units: u32) -> Result<Self, Invalid> {
        if units == 0 { Err(Invalid::NotPositive) } else { Ok(Self(units)) }
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0
    }
}

/// An ISO 4217 code: three capital letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Takes a code from outside.
    ///
    /// # Errors
    /// It is absent, or not three capital letters.
    pub fn parse(code: &str) -> Result<Self, Invalid> {
        match code.as_bytes() {
            [] => Err(Invalid::Missing),
            &[a, b, c] if [a, b, c].iter().all(u8::is_ascii_uppercase) => Ok(Self([a, b, c])),
            _ => Err(Invalid::NoCurrency),
        }
    }

    /// The code, as history tells it: whatever was recorded was parsed then.
    pub(super) fn recorded(code: &str) -> Self {
        Self::parse(code).unwrap_or(Self(*b"XXX"))
    }

    /// An amount of it as messages carry it.
    #[must_use]
    pub fn amount(self, minor_units: i64) -> ProtoMoney {
        ProtoMoney { minor_units, currency: self.to_string() }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|letter| write!(f, "{}", char::from(*letter)))
    }
}

/// An amount of money, positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

impl Money {
    /// Takes an amount from outside.
    ///
    /// # Errors
    /// The field inside the amount (`minor_units`, `currency`) and what is wrong with it.
    pub fn parse(money: &ProtoMoney) -> Result<Self, (&'static str, Invalid)> {
        let currency = Currency::parse(&money.currency).map_err(|invalid| ("currency", invalid))?;
        Self::new(money.minor_units, currency).map_err(|invalid| ("minor_units", invalid))
    }

    /// So many minor units of a currency.
    ///
    /// # Errors
    /// They are not positive.
    pub fn new(minor: i64, currency: Currency) -> Result<Self, Invalid> {
        if minor > 0 { Ok(Self { minor, currency }) } else { Err(Invalid::NotPositive) }
    }

    /// Minor units (分), positive.
    #[must_use]
    pub fn minor(self) -> i64 {
        self.minor
    }

    /// Currency.
    #[must_use]
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// As messages carry it.
    #[must_use]
    pub fn to_proto(self) -> ProtoMoney {
        self.currency.amount(self.minor)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.minor, self.currency)
    }
}
