//! What a draft can be wrong in.

use contracts::ordering::{DeliveryMode, LineQuantity, OrderDraft, Urgency, WarrantyStart};
use eventlog::time::to_proto;

use super::sample::*;
use crate::order::{Digest, Draft, Id, Invalid, MOST_LINES, Money, Name, Terms, Text, Units};

fn fields(change: impl FnOnce(&mut OrderDraft)) -> Vec<String> {
    let mut draft = draft();
    change(&mut draft);
    match Draft::try_new(draft) {
        Ok(_) => Vec::new(),
        Err(violations) => violations.into_iter().map(|(field, _)| field).collect(),
    }
}

#[test]
fn a_draft_is_taken_and_what_it_leaves_out_filled_in() {
    let terms = Terms::try_new("order-1", draft(), sealed(1)).unwrap();
    let terms = terms.get();
    assert_eq!(terms.delivery_mode(), DeliveryMode::SupplierDelivers);
    assert_eq!(terms.urgency(), Urgency::Normal);
    assert_eq!(terms.recipient, Some(sealed(1)));
    let mut unsaid = draft();
    unsaid.freight = Some(cny(0));
    unsaid.total = Some(cny(7_000));
    unsaid.lines[0].listing.as_mut().unwrap().warranty_start = 0;
    let unsaid = terms_of(unsaid);
    assert_eq!(unsaid.get().freight, None);
    let listing = unsaid.get().lines[0].listing.as_ref().unwrap();
    assert_eq!(listing.warranty_start(), WarrantyStart::Acceptance);
}

#[test]
fn each_field_that_is_wrong_is_named() {
    let wrong: [Change<OrderDraft>; 36] = [
        ("platform", |draft| draft.platform.clear()),
        ("platform_order_no", |draft| draft.platform_order_no = "  ".into()),
        ("platform_order_no", |draft| draft.platform_order_no = "x".repeat(65)),
        ("platform_order_no", |draft| draft.platform_order_no = "a\u{1f}b".into()),
        ("buyer", |draft| draft.buyer = None),
        ("buyer.buyer_id", |draft| draft.buyer.as_mut().unwrap().buyer_id.clear()),
        ("buyer.buyer_id", |draft| draft.buyer.as_mut().unwrap().buyer_id = "a\0".into()),
        ("buyer.name", |draft| draft.buyer.as_mut().unwrap().name.clear()),
        ("buyer.end_user", |draft| draft.buyer.as_mut().unwrap().end_user = "x".repeat(201)),
        ("recipient", |draft| draft.recipient = None),
        ("recipient.name", |draft| draft.recipient.as_mut().unwrap().name.clear()),
        ("recipient.phone", |draft| draft.recipient.as_mut().unwrap().phone.clear()),
        ("recipient.address", |draft| draft.recipient.as_mut().unwrap().address.clear()),
        ("placed_at", |draft| draft.placed_at = None),
        ("placed_at", |draft| draft.placed_at.as_mut().unwrap().nanos = -1),
        ("placed_at", |draft| draft.placed_at.as_mut().unwrap().seconds = i64::MAX),
        ("deliver_by", |draft| draft.deliver_by = None),
        ("deliver_by", |draft| draft.deliver_by = draft.placed_at),
        ("delivery_mode", |draft| draft.delivery_mode = 99),
        ("urgency", |draft| draft.urgency = -1),
        ("remarks", |draft| draft.remarks = "字".repeat(2_001)),
        ("batch_no", |draft| draft.batch_no = "x".repeat(65)),
        ("lines", |draft| draft.lines.clear()),
        ("lines", |draft| draft.lines = vec![draft.lines[0].clone(); MOST_LINES + 1]),
        ("lines[1].line_no", |draft| draft.lines[1].line_no = 0),
        ("lines[1].line_no", |draft| draft.lines[1].line_no = 1),
        ("lines[1].listing.sku", |draft| draft.lines[1].listing.as_mut().unwrap().sku.clear()),
        ("lines[1].listing.warranty_start", |draft| {
            draft.lines[1].listing.as_mut().unwrap().warranty_start = 9;
        }),
        ("lines[1].listing.warranty_months", |draft| {
            draft.lines[1].listing.as_mut().unwrap().warranty_months = 1_201;
        }),
        ("lines[1].listing", |draft| draft.lines[1].listing = None),
        ("lines[1].listing.unit_price.minor_units", |draft| {
            draft.lines[1].listing.as_mut().unwrap().unit_price = Some(cny(0));
        }),
        ("lines[1].listing.unit_price.currency", |draft| {
            let price = draft.lines[1].listing.as_mut().unwrap().unit_price.as_mut();
            price.unwrap().currency = "USD".into();
        }),
        ("freight.minor_units", |draft| draft.freight = Some(cny(-1))),
        ("total", |draft| draft.total = None),
        ("total", |draft| draft.total = Some(cny(7_499))),
        ("total.minor_units", |draft| draft.total = Some(cny(-7_500))),
    ];
    for (field, change) in wrong {
        assert_eq!(fields(change), [field]);
    }
}

#[test]
fn a_quantity_of_zero_is_named_beside_the_total_that_no_longer_adds_up() {
    assert_eq!(fields(|draft| draft.lines[0].quantity = 0), ["lines[0].quantity", "total"]);
}

#[test]
fn a_sum_that_overflows_is_no_total() {
    let most = |draft: &mut OrderDraft, total| {
        for line in &mut draft.lines {
            line.quantity = u32::MAX;
            line.listing.as_mut().unwrap().unit_price = Some(cny(i64::MAX));
        }
        draft.freight = Some(cny(i64::MAX));
        draft.total = Some(cny(total));
    };
    assert_eq!(fields(|draft| most(draft, i64::MAX)), ["total"]);
    assert_eq!(fields(|draft| most(draft, 1)), ["total"]);
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let found = Draft::try_new(OrderDraft::default()).unwrap_err();
    let found: Vec<&str> = found.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(
        found,
        ["platform", "platform_order_no", "buyer", "recipient", "placed_at", "deliver_by", "lines"]
    );
}

#[test]
fn the_largest_order_is_taken() {
    let mut draft = draft();
    let line = draft.lines[0].clone();
    draft.lines = (1..=500)
        .map(|line_no| {
            let mut line = line.clone();
            line.line_no = line_no;
            line
        })
        .collect();
    draft.total = Some(cny(500 * 6_000 + 500));
    draft.placed_at = Some(to_proto(placed_at()));
    assert!(Draft::try_new(draft).is_ok());
}

#[test]
fn values_from_outside_are_parsed_or_named() {
    assert_eq!(Id::parse(""), Err(Invalid::Missing));
    assert_eq!(Id::parse("x".repeat(65)), Err(Invalid::TooLong(64)));
    assert!(Id::parse("字".repeat(64)).is_ok());
    assert_eq!(Id::parse("a\nb"), Err(Invalid::ControlCharacter));
    assert!(Text::parse("a\nb").is_ok());
    assert_eq!(Text::parse("a\0b"), Err(Invalid::ControlCharacter));
    assert_eq!(Name::parse_optional("  "), Ok(None));
    assert_eq!(Digest::parse(&"A".repeat(64)), Digest::parse(&"a".repeat(64)));
    assert_eq!(Digest::parse(&"g".repeat(64)), Err(Invalid::NoDigest));
    assert!(Money::parse(&cny(0)).is_err() && Money::parse(&cny(1)).is_ok());
    let units = |line_no, quantity| vec![LineQuantity { line_no, quantity }; 1];
    assert!(Units::parse(units(1, 1), "lines").is_ok());
    let wrong = Units::parse(units(0, 0), "lines").unwrap_err();
    assert_eq!(wrong.len(), 2);
    let twice = [units(1, 1), units(1, 1)].concat();
    assert_eq!(Units::parse(twice, "lines").unwrap_err()[0].0, "lines[1].line_no");
    assert_eq!(Units::parse(Vec::new(), "lines").unwrap_err()[0].0, "lines");
    assert_eq!(Units::parse_optional(Vec::new(), "lines"), Ok(None));
}
