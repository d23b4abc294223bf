//! Look-up keys for listings that filter by any combination of a few properties.
//!
//! A row gets one key for each combination, `=value` where the property counts and `*` where it
//! does not; a listing is then one range of keys, already in order. The number of keys is two to
//! the power of the properties: for records that are few, never for orders.

use eventlog::{Key, Listing};
use prost_types::Timestamp;

/// Name of the key.
const KEY: &str = "facets";

/// Separates the parts of a key. It is a control character: no text that [`Fields`](crate::Fields)
/// lets in as one line contains it.
pub const SEPARATOR: char = '\u{1f}';

/// The keys of a row with these properties; within a combination rows go by `sort`.
#[must_use]
pub fn keys(properties: &[&str], sort: &str) -> Vec<Key> {
    let mut starts = vec![String::new()];
    for property in properties {
        starts = starts
            .iter()
            .flat_map(|start| {
                [format!("{start}*{SEPARATOR}"), format!("{start}={property}{SEPARATOR}")]
            })
            .collect();
    }
    starts.into_iter().map(|start| Key::new(KEY, start + sort)).collect()
}

/// Lists rows of a kind whose properties are as wanted, in the same order as given to [`keys`];
/// `None` lets every value through.
#[must_use]
pub fn listing(kind: &str, wanted: &[Option<&str>]) -> Listing {
    let mut start = String::new();
    for property in wanted {
        match property {
            Some(value) => {
                start.push('=');
                start.push_str(value);
            }
            None => start.push('*'),
        }
        start.push(SEPARATOR);
    }
    Listing::by(kind, KEY).prefix(start)
}

/// A moment as text that sorts as moments do, from the year 1970 on; empty for none.
#[must_use]
pub fn sortable(at: Option<&Timestamp>) -> String {
    at.map_or_else(String::new, |at| format!("{:011}.{:09}", at.seconds, at.nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_combination_of_filters_finds_the_row_and_others_do_not() {
        let keys = keys(&["mall", "open"], "7");
        assert_eq!(keys.len(), 4);
        let matches = |wanted: &[Option<&str>]| {
            let listing = listing("claim", wanted);
            keys.iter()
                .filter(|key| {
                    key.value >= listing.from
                        && listing.to.as_ref().is_none_or(|to| key.value < *to)
                })
                .count()
        };
        for platform in [None, Some("mall")] {
            for phase in [None, Some("open")] {
                assert_eq!(matches(&[platform, phase]), 1, "{platform:?} {phase:?}");
            }
        }
        assert_eq!(matches(&[Some("mal"), None]), 0);
        assert_eq!(matches(&[Some("mall2"), None]), 0);
        assert_eq!(matches(&[Some("*"), None]), 0);
        assert_eq!(matches(&[None, Some("")]), 0);
    }

    #[test]
    fn moments_sort_as_text() {
        let at = |seconds, nanos| sortable(Some(&Timestamp { seconds, nanos }));
        assert!(at(9, 5) < at(10, 0) && at(10, 0) < at(10, 1) && at(10, 1) < at(4_102_444_799, 0));
    }
}
