use super::*;

#[test]
fn a_token_leads_back_to_where_it_was_made() {
    let query = Listing::by("order", "status").prefix("open");
    let place = Place { value: "open/é".to_owned(), number: 42 };
    assert_eq!(decode(&query, &encode(&query, &place)), Some(place));
}

#[test]
fn a_token_of_another_listing_or_a_damaged_one_is_refused() {
    let query = Listing::by("order", "status");
    let place = |number| Place { value: "open".to_owned(), number };
    let token = encode(&query, &place(42));
    assert_eq!(decode(&query.clone().descending(), &token), None);
    assert_eq!(decode(&Listing::by("order", "other"), &token), None);
    for hostile in ["0", "zz", "é", &token[..15], &token[..30], &"0".repeat(MAX_TOKEN + 2)] {
        assert_eq!(decode(&query, hostile), None, "{hostile}");
    }
    // a number that no row has
    for number in [0, u64::MAX] {
        assert_eq!(decode(&query, &encode(&query, &place(number))), None, "{number}");
    }
}

#[test]
fn the_end_of_a_prefix_is_the_next_text() {
    assert_eq!(after_prefix("ab"), Some("ac".to_owned()));
    assert_eq!(after_prefix("a\u{10FFFF}"), Some("b".to_owned()));
    assert_eq!(after_prefix("\u{D7FF}"), Some("\u{E000}".to_owned()));
    assert_eq!(after_prefix("\u{10FFFF}"), None);
    assert_eq!(after_prefix(""), None);
}
