use contracts::common::Role;

use super::*;

fn wrong<T: std::fmt::Debug>(read: impl FnOnce(&mut Fields) -> T) -> Vec<(String, String)> {
    let mut fields = Fields::new();
    let value = read(&mut fields);
    match fields.finish(value) {
        Ok(value) => panic!("accepted: {value:?}"),
        Err(violations) => {
            violations.list.into_iter().map(|one| (one.field, one.description)).collect()
        }
    }
}

fn right<T: std::fmt::Debug>(read: impl FnOnce(&mut Fields) -> T) -> T {
    let mut fields = Fields::new();
    let value = read(&mut fields);
    fields.finish(value).unwrap()
}

fn yuan(minor_units: i64, currency: &str) -> Option<Money> {
    Some(Money { minor_units, currency: currency.to_owned() })
}

#[test]
fn identifiers_are_short_and_plain() {
    for good in ["a", "0198c0de-0000-7000-8000-000000000000", "mall.one:A_1", &"x".repeat(64)] {
        assert_eq!(right(|f| f.identifier("id", good)), good);
    }
    let long = "x".repeat(65);
    let huge = "x".repeat(10_000_000);
    for bad in ["", " ", "a b", "a/b", "a>b", "a*", "ä", "a\n", "a\0", "..\\", "订单", &long, &huge]
    {
        assert_eq!(wrong(|f| f.identifier("id", bad)).len(), 1);
    }
    assert_eq!(right(|f| f.optional_identifier("id", "")), None);
    assert_eq!(wrong(|f| f.optional_identifier("id", "?")).len(), 1);
}

#[test]
fn text_is_bounded_in_characters_and_bytes_and_kept_as_given() {
    assert_eq!(right(|f| f.text("t", "订单 №1 🚚", 1..=10)), "订单 №1 🚚");
    assert_eq!(right(|f| f.text("t", "", 0..=10)), "");
    assert_eq!(right(|f| f.text("t", " a ", 1..=3)), " a ");
    assert_eq!(right(|f| f.text("t", "🚚🚚🚚", 1..=3)), "🚚🚚🚚");
    assert_eq!(wrong(|f| f.text("t", "🚚🚚🚚🚚", 1..=3))[0].1, "is longer than 12 bytes");
    assert_eq!(wrong(|f| f.text("t", "abcd", 1..=3))[0].1, "has 4 characters, not 1 to 3");
    assert_eq!(wrong(|f| f.text("t", "", 1..=3))[0].1, "has 0 characters, not 1 to 3");
    assert_eq!(wrong(|f| f.text("t", " \u{3000}", 1..=3))[0].1, "is blank");
    assert_eq!(wrong(|f| f.text("t", "a", 2..=2))[0].1, "has 1 characters, not 2");
}

#[test]
fn control_characters_are_refused_except_where_allowed() {
    for bad in ["a\0b", "a\nb", "a\u{7f}", "a\u{85}", "\u{1b}[31m"] {
        assert_eq!(wrong(|f| f.text("t", bad, 1..=20))[0].1, "contains control characters");
    }
    assert_eq!(right(|f| f.multiline("t", "a\r\n\tb", 1..=20)), "a\r\n\tb");
    assert_eq!(wrong(|f| f.multiline("t", "a\0b", 1..=20)).len(), 1);
}

#[test]
fn money_must_be_there_in_the_right_currency_and_range() {
    assert_eq!(right(|f| f.money("price", &yuan(0, "CNY"), "CNY")), 0);
    assert_eq!(right(|f| f.money("price", &yuan(LARGEST_AMOUNT, "CNY"), "CNY")), LARGEST_AMOUNT);
    assert_eq!(right(|f| f.money_in("price", &yuan(-5, "CNY"), "CNY", -9..=9)), -5);
    assert_eq!(wrong(|f| f.money("price", &None, "CNY")), [("price".into(), "is missing".into())]);
    for amount in [-1, i64::MIN, i64::MAX, LARGEST_AMOUNT + 1] {
        let found = wrong(|f| f.money("price", &yuan(amount, "CNY"), "CNY"));
        assert_eq!(found[0].0, "price.minor_units");
    }
    let both = wrong(|f| f.money("price", &yuan(-1, "cny"), "CNY"));
    assert_eq!(
        both.iter().map(|one| &one.0).collect::<Vec<_>>(),
        ["price.currency", "price.minor_units"]
    );
}

#[test]
fn quantities_and_numbers_are_bounded() {
    assert_eq!(right(|f| f.quantity("q", 1_u32)), 1);
    assert_eq!(right(|f| f.quantity("q", 1_000_000_i64)), 1_000_000);
    for bad in [0, -1, i64::MIN, i64::MAX, 1_000_001] {
        assert_eq!(wrong(|f| f.quantity("q", bad))[0].1, "is not 1 to 1000000");
    }
    assert_eq!(wrong(|f| f.quantity("q", u32::MAX)).len(), 1);
    assert_eq!(right(|f| f.number("n", 0.5, 0.0..=1.0)), 0.5);
    assert_eq!(wrong(|f| f.number("n", f64::NAN, 0.0..=1.0)).len(), 1);
    assert_eq!(wrong(|f| f.number("n", u64::MAX, 0..=3))[0].1, "is not 0 to 3");
}

#[test]
fn moments_are_real_and_near() {
    let at = |seconds, nanos| Some(prost_types::Timestamp { seconds, nanos });
    let moment = right(|f| f.timestamp("at", &at(1_780_000_000, 5)));
    assert_eq!((moment.as_second(), moment.subsec_nanosecond()), (1_780_000_000, 5));
    assert_eq!(right(|f| f.optional_timestamp("at", &None)), None);
    assert_eq!(wrong(|f| f.timestamp("at", &None))[0].1, "is missing");
    for bad in [
        at(0, 0),
        at(-1, 0),
        at(i64::MAX, 0),
        at(i64::MIN, i32::MIN),
        at(1_780_000_000, -1),
        at(1_780_000_000, 1_000_000_000),
        at(LATEST, 0),
    ] {
        assert_eq!(wrong(|f| f.timestamp("at", &bad)).len(), 1);
        assert_eq!(wrong(|f| f.optional_timestamp("at", &bad)).len(), 1);
    }
}

#[test]
fn uuids_come_in_their_usual_form() {
    let text = "0198c0de-0000-7000-8000-00000000000a";
    assert_eq!(right(|f| f.uuid("id", text)).to_string(), text);
    assert_eq!(right(|f| f.uuid("id", &text.to_uppercase())).to_string(), text);
    for bad in ["", "0198c0de0000700080000000000000a", &format!("{{{text}}}"), "x", &"0".repeat(36)]
    {
        assert_eq!(wrong(|f| f.uuid("id", bad)).len(), 1, "{bad}");
    }
}

#[test]
fn choices_are_known_and_made() {
    assert_eq!(right(|f| f.choice::<Role>("role", 2)), Role::Operator);
    assert_eq!(wrong(|f| f.choice::<Role>("role", 0))[0].1, "is missing");
    for bad in [-1, 99, i32::MAX, i32::MIN] {
        assert_eq!(wrong(|f| f.choice::<Role>("role", bad))[0].1, "is none of the known values");
    }
}

#[test]
fn every_violation_is_found_at_once_with_its_path() {
    let lines = [("ok", 1_u32), ("no good", 0), ("ok", 0)];
    let found = wrong(|f| {
        f.identifier("order_id", "?");
        f.nested("buyer", |f| f.nested("address", |f| f.text("street", "", 1..=9)));
        f.repeated("lines", &lines, 1..=9, |line, (sku, quantity)| {
            line.identifier("sku", sku);
            line.quantity("quantity", *quantity);
        })
    });
    assert_eq!(
        found.into_iter().map(|one| one.0).collect::<Vec<_>>(),
        [
            "order_id",
            "buyer.address.street",
            "lines[1].sku",
            "lines[1].quantity",
            "lines[2].quantity",
        ]
    );
}

#[test]
fn too_many_items_are_not_read_at_all() {
    let items = vec![(); 1_000_000];
    let mut read = 0;
    let found = wrong(|f| f.repeated("lines", &items, 1..=500, |_, ()| read += 1));
    assert_eq!(found[0].1, "has 1000000 items, not 1 to 500");
    assert_eq!(read, 0);
    assert_eq!(wrong(|f| f.repeated("lines", &[(); 0], 1..=2, |_, ()| ())).len(), 1);
}

#[test]
fn the_report_stays_small_whatever_is_wrong() {
    let items = vec![(); 400];
    let mut fields = Fields::new();
    fields.repeated("lines", &items, 0..=400, |line, ()| {
        line.nested(&"deep".repeat(1000), |line| line.identifier("sku", ""));
    });
    let violations = fields.finish(()).unwrap_err();
    assert_eq!(violations.iter().count(), REPORTED);
    assert!(violations.iter().all(|one| one.field.len() <= PATH_LENGTH));
    assert!(violations.to_string().ends_with("(and 399 more)"), "{violations}");
    // The details travel in a header, and headers are bounded.
    assert!(crate::errors::malformed(&violations).details().len() < 6_000);
}

#[test]
fn what_was_wrong_is_never_repeated() {
    let found = wrong(|f| f.text("phone", "+86 138 0000 0000 \0", 1..=40));
    assert!(!found[0].1.contains("138"));
}

#[test]
fn a_missing_part_is_always_a_violation() {
    let mut fields = Fields::new();
    let part = fields.parsed("id", Err::<u8, _>("is odd"));
    let violations = fields.finish_some(part).unwrap_err();
    assert_eq!(violations.to_string(), "id: is odd");
    assert!(Fields::new().finish_some(None::<u8>).is_err());
    assert_eq!(Fields::new().finish_some(Some(1)), Ok(1));
    let mut fields = Fields::new();
    fields.refuse("x", "is wrong");
    assert!(fields.finish_some(Some(1)).is_err());
}
