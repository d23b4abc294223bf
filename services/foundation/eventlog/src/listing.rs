//! Keyset pages over look-up keys.
//!
//! Invariant: a walk from page to page shows every entry that was there all the time exactly once,
//! whatever is inserted or removed meanwhile: a page goes on after the last entry shown, not at an
//! offset.

use bytes::Bytes;

use crate::{LogError, engine::Engine};

/// Most rows on one page.
pub(crate) const MAX_PAGE: usize = 1_000;

/// Longest page token that is looked at, in bytes.
const MAX_TOKEN: usize = 8 * 1024;

/// Which way a listing goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Smallest value first.
    #[default]
    Ascending,
    /// Largest value first.
    Descending,
}

/// What to list: the rows of a kind by one of their keys.
///
/// A row with several values for the key appears once for each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// Kind of the rows.
    pub kind: String,
    /// Name of the key.
    pub key: String,
    /// Values from this one on; empty for all.
    pub from: String,
    /// Values below this one; `None` for all.
    pub to: Option<String>,
    /// Which way.
    pub order: Order,
    /// Rows on the page: 0 means 50; more than 1,000 means that many.
    pub limit: usize,
    /// `next` of the page before; empty for the first page.
    pub page_token: String,
}

impl Listing {
    /// All rows of a kind, ascending by a key.
    #[must_use]
    pub fn by(kind: impl Into<String>, key: impl Into<String>) -> Self {
        Self { kind: kind.into(), key: key.into(), ..Self::default() }
    }

    /// Only rows with exactly this value.
    #[must_use]
    pub fn equal(mut self, value: impl Into<String>) -> Self {
        self.from = value.into();
        // the smallest text above a text is that text with U+0001: NUL cannot be stored
        self.to = Some(format!("{}\u{1}", self.from));
        self
    }

    /// Only rows whose value begins with this.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.from = prefix.into();
        self.to = after_prefix(&self.from);
        self
    }

    /// Only values from `from` on and below `to`.
    #[must_use]
    pub fn range(mut self, from: impl Into<String>, to: impl Into<String>) -> Self {
        self.from = from.into();
        self.to = Some(to.into());
        self
    }

    /// Largest first.
    #[must_use]
    pub fn descending(mut self) -> Self {
        self.order = Order::Descending;
        self
    }

    /// At most so many rows on the page.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// The page that this token leads to.
    #[must_use]
    pub fn page(mut self, token: impl Into<String>) -> Self {
        self.page_token = token.into();
        self
    }

    fn size(&self) -> usize {
        if self.limit == 0 { 50 } else { self.limit.min(MAX_PAGE) }
    }
}

/// A row as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRow {
    /// Its id within its kind.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// The serialized row.
    pub body: Bytes,
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// The rows, in order.
    pub rows: Vec<StoredRow>,
    /// Token of the next page; `None` when this is the last.
    pub next: Option<String>,
}

/// The smallest text above every text with this prefix; `None` when there is none.
fn after_prefix(prefix: &str) -> Option<String> {
    let mut letters: Vec<char> = prefix.chars().collect();
    while let Some(last) = letters.pop() {
        let next = match last {
            '\u{D7FF}' => Some('\u{E000}'), // over the surrogates
            other => char::from_u32(u32::from(other) + 1),
        };
        if let Some(next) = next {
            letters.push(next);
            return Some(letters.into_iter().collect());
        }
    }
    None
}

/// Where an entry stands in a listing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) value: String,
    /// Tells rows of one value apart: those that were written first come first.
    pub(crate) number: u64,
}

impl Place {
    /// Before all entries with this value: numbers begin at 1.
    fn before(value: String) -> Self {
        Self { value, number: 0 }
    }
}

pub(crate) async fn list(engine: &Engine, query: &Listing) -> Result<Page, LogError> {
    let size = query.size();
    let token = match query.page_token.as_str() {
        "" => None,
        text => Some(decode(query, text).ok_or(LogError::PageToken)?),
    };
    // both ends exclusive
    let mut low = Place::before(query.from.clone());
    let mut high = query.to.clone().map(Place::before);
    if let Some(last) = token {
        match query.order {
            Order::Ascending if last >= low => low = last,
            Order::Descending if high.as_ref().is_none_or(|high| last <= *high) => {
                high = Some(last);
            }
            Order::Ascending | Order::Descending => return Err(LogError::PageToken),
        }
    }
    let mut found = engine.list(query, &low, high.as_ref(), size + 1).await?;
    let more = found.len() > size;
    found.truncate(size);
    let next = match found.last() {
        Some((place, _)) if more => Some(encode(query, place)),
        Some(_) | None => None,
    };
    Ok(Page { rows: found.into_iter().map(|(_, row)| row).collect(), next })
}

/// Ties a token to its listing, so that one of another listing is refused rather than misread.
fn fingerprint(query: &Listing) -> [u8; 8] {
    use sha2::{Digest, Sha256};
    let mut digest = Sha256::new();
    let to = query.to.as_deref();
    let order = match query.order {
        Order::Ascending => "+",
        Order::Descending => "-",
    };
    for part in [query.kind.as_str(), &query.key, &query.from, to.unwrap_or_default(), order] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    digest.update([u8::from(to.is_some())]);
    let mut short = [0; 8];
    short.copy_from_slice(&digest.finalize()[..8]);
    short
}

fn encode(query: &Listing, place: &Place) -> String {
    let mut bytes = fingerprint(query).to_vec();
    bytes.extend(place.number.to_be_bytes());
    bytes.extend(place.value.as_bytes());
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    text
}

fn decode(query: &Listing, text: &str) -> Option<Place> {
    if text.len() > MAX_TOKEN || !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    let digits: Vec<u8> = text
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    let (print, rest) = bytes.split_at_checked(8)?;
    if print != fingerprint(query) {
        return None;
    }
    let (number, value) = rest.split_at_checked(8)?;
    let number = u64::from_be_bytes(number.try_into().ok()?);
    let value = String::from_utf8(value.to_vec()).ok()?;
    let possible = (1..=i64::MAX as u64).contains(&number) && !value.contains('\0');
    possible.then_some(Place { value, number })
}

#[cfg(test)]
mod tests;
