//! From rows of a wholesaler's invoices to the order of an e-mall.
//!
//! The data says what was bought and at what price; what it does not say (brand, recipient, terms)
//! is made up from it, the same each time, and recognisable as fiction. Nothing is mended: a price
//! of zero or a missing buyer goes out as it is, for the service to refuse.

use contracts::{
    common::{Contact, Money},
    ordering::{Buyer, DeliveryMode, FrozenListing, OrderDraft, OrderLine, Urgency, WarrantyStart},
};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::retail_csv::Row;
use crate::{amount::CURRENCY, refusal::Refusal};

/// From order to deadline.
pub(super) const DELIVERY_DAYS: i64 = 4;

const BRANDS: [&str; 6] = ["青禾", "Northbridge", "云杉", "Lantern & Co", "白鹭", "Cobblestone"];
const SURNAMES: [&str; 8] = ["赵", "钱", "孙", "李", "周", "吴", "郑", "王"];

/// # Errors
/// What the message cannot carry: a quantity that is no `uint32`, a sum beyond `int64`.
pub(crate) fn order(platform: &str, no: &str, rows: &[Row]) -> Result<OrderDraft, Vec<Refusal>> {
    let Some(first) = rows.first() else {
        return Err(vec![Refusal::malformed("order.lines", "an order has at least one line")]);
    };
    let mut refusals = Vec::new();
    let mut lines = Vec::with_capacity(rows.len());
    let mut total: Option<i64> = Some(0);
    for (index, (row, line_no)) in rows.iter().zip(1..).enumerate() {
        let Ok(quantity) = u32::try_from(row.quantity) else {
            let problem = if row.quantity < 0 { "is negative" } else { "is too large" };
            refusals.push(Refusal::malformed(line_path(index, "quantity"), problem));
            continue;
        };
        total =
            total.and_then(|sum| sum.checked_add(row.unit_price.checked_mul(i64::from(quantity))?));
        lines.push(OrderLine { line_no, listing: Some(listing(row)), quantity });
    }
    if total.is_none() {
        refusals.push(Refusal::malformed("order.total", "the sum of the lines is too large"));
    }
    let deliver_by = first.placed_at + jiff::SignedDuration::from_hours(24 * DELIVERY_DAYS);
    match total {
        Some(total) if refusals.is_empty() => Ok(OrderDraft {
            platform: platform.to_owned(),
            platform_order_no: no.to_owned(),
            buyer: Some(Buyer {
                buyer_id: first.customer.clone(),
                name: buyer_name(first),
                end_user: String::new(),
                supervisor: String::new(),
            }),
            recipient: Some(recipient(no, first)),
            placed_at: Some(timestamp(first.placed_at)),
            deliver_by: Some(timestamp(deliver_by)),
            delivery_mode: DeliveryMode::SupplierDelivers.into(),
            lines,
            freight: None,
            total: Some(money(total)),
            urgency: Urgency::Normal.into(),
            contract_id: String::new(),
            remarks: String::new(),
            batch_no: String::new(),
        }),
        _ => Err(refusals),
    }
}

/// The path under which the service names a field of a line.
pub(crate) fn line_path(index: usize, field: &str) -> String {
    format!("order.lines[{index}].{field}")
}

fn listing(row: &Row) -> FrozenListing {
    FrozenListing {
        sku: row.stock_code.clone(),
        listing_version: "1".to_owned(),
        name: row.description.clone(),
        brand: pick(&BRANDS, &row.stock_code).to_owned(),
        model: row.stock_code.clone(),
        specification: row.description.clone(),
        unit_price: Some(money(row.unit_price)),
        clearance: false,
        warranty_months: 12,
        warranty_start: WarrantyStart::Acceptance.into(),
        main_material: false,
        requires_installation: false,
    }
}

fn buyer_name(row: &Row) -> String {
    let who = if row.customer.is_empty() { "unknown" } else { &row.customer };
    format!("采购单位 {who} ({})", row.country)
}

/// Nobody's name, number or address: `000` is no dialling code, `.invalid` no domain.
fn recipient(no: &str, row: &Row) -> Contact {
    let who = if row.customer.is_empty() { no } else { &row.customer };
    let number = draw(who) % 10_000;
    Contact {
        name: format!("{}收货 {who} (fictional)", pick(&SURNAMES, who)),
        phone: format!("000-0000-{number:04}"),
        address: format!("{} 虚构路 {} 号 (fictional)", row.country, number % 900 + 1),
        email: format!("buyer-{who}@example.invalid"),
        erased: false,
    }
}

pub(crate) fn money(minor_units: i64) -> Money {
    Money { minor_units, currency: CURRENCY.to_owned() }
}

pub(crate) fn timestamp(at: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: at.as_second(), nanos: at.subsec_nanosecond() }
}

/// A number that looks random and is the same in every run.
pub(crate) fn draw(seed: &str) -> u64 {
    let digest = Sha256::digest(seed.as_bytes());
    digest.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

/// The digest of some text in hex: for photos and scans that nobody took.
pub(crate) fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn pick<'a>(among: &[&'a str], seed: &str) -> &'a str {
    let length = u64::try_from(among.len()).unwrap_or(1).max(1);
    usize::try_from(draw(seed) % length)
        .ok()
        .and_then(|index| among.get(index))
        .copied()
        .unwrap_or("")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{order, recipient};
    use crate::push::retail_csv::Row;

    fn row(quantity: i64, unit_price: i64) -> Row {
        Row {
            stock_code: "85123A".to_owned(),
            description: "LAMP".to_owned(),
            quantity,
            placed_at: Timestamp::UNIX_EPOCH,
            unit_price,
            customer: "17850".to_owned(),
            country: "Norway".to_owned(),
        }
    }

    #[test]
    fn the_same_goods_twice_are_two_lines_and_the_total_adds_up() {
        let draft = order("mall", "1", &[row(6, 255), row(2, 255)]).unwrap();
        let lines: Vec<_> = draft.lines.iter().map(|line| (line.line_no, line.quantity)).collect();
        assert_eq!(lines, [(1, 6), (2, 2)]);
        assert_eq!(draft.total.unwrap().minor_units, 8 * 255);
    }

    #[test]
    fn a_zero_or_negative_price_and_a_missing_buyer_go_out_as_they_are() {
        let mut nobody = row(1, 0);
        nobody.customer.clear();
        let draft = order("mall", "1", &[nobody, row(1, -5)]).unwrap();
        assert_eq!(draft.buyer.unwrap().buyer_id, "");
        assert_eq!(draft.total.unwrap().minor_units, -5);
    }

    #[test]
    fn what_the_message_cannot_carry_is_refused_with_the_services_path() {
        let refusals = order("mall", "1", &[row(1, 1), row(-2, 1), row(1 << 40, 1)]).unwrap_err();
        let fields: Vec<_> = refusals.iter().map(|refusal| refusal.field.as_str()).collect();
        assert_eq!(fields, ["order.lines[1].quantity", "order.lines[2].quantity"]);
        let refusals = order("mall", "1", &[row(4_000_000_000, i64::MAX)]).unwrap_err();
        assert_eq!(refusals[0].field, "order.total");
    }

    #[test]
    fn the_recipient_is_fiction_and_always_the_same() {
        let once = recipient("1", &row(1, 1));
        assert_eq!(once, recipient("2", &row(9, 9)));
        assert!(once.email.ends_with(".invalid"), "{}", once.email);
        assert!(once.phone.starts_with("000-"), "{}", once.phone);
    }
}
