//! Orders as a platform would push them.

use contracts::{
    common::{Contact, Money},
    ordering::{Buyer, DeliveryMode, FrozenListing, OrderDraft, OrderLine, Urgency, WarrantyStart},
};
use prost_types::Timestamp;

/// 2026-01-05 09:00 in Shanghai, a Monday.
pub const MONDAY: i64 = 1_767_574_800;

/// A moment so many seconds after [`MONDAY`].
#[must_use]
pub fn at(seconds: i64) -> Option<Timestamp> {
    after(MONDAY, seconds)
}

/// A moment so many seconds after another, in seconds since 1970.
#[must_use]
pub fn after(base: i64, seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds: base + seconds, nanos: 0 })
}

/// Yuan.
#[must_use]
pub fn yuan(amount: i64) -> Option<Money> {
    Some(Money { minor_units: amount * 100, currency: "CNY".to_owned() })
}

/// A line of so many units at so many yuan.
#[must_use]
pub fn line(line_no: u32, quantity: u32, price: i64) -> OrderLine {
    OrderLine {
        line_no,
        listing: Some(FrozenListing {
            sku: format!("SKU-{line_no}"),
            listing_version: "7".to_owned(),
            name: "激光打印机".to_owned(),
            brand: "晨光".to_owned(),
            model: format!("M{line_no}"),
            specification: "A4 双面".to_owned(),
            unit_price: yuan(price),
            clearance: false,
            warranty_months: 24,
            warranty_start: WarrantyStart::Acceptance.into(),
            main_material: false,
            requires_installation: false,
        }),
        quantity,
    }
}

/// An order of two lines, 5 units at 120 yuan and 2 at 35; 670 yuan in all.
#[must_use]
pub fn draft(platform: &str, number: &str) -> OrderDraft {
    OrderDraft {
        platform: platform.to_owned(),
        platform_order_no: number.to_owned(),
        buyer: Some(Buyer {
            buyer_id: "unit-17".to_owned(),
            name: "德阳市第一中学".to_owned(),
            end_user: String::new(),
            supervisor: String::new(),
        }),
        recipient: Some(Contact {
            name: "王小明".to_owned(),
            phone: "13800001234".to_owned(),
            address: "德阳市旌阳区图门路 1 号".to_owned(),
            email: String::new(),
            erased: false,
        }),
        placed_at: at(0),
        deliver_by: at(7 * 86_400),
        delivery_mode: DeliveryMode::SupplierDelivers.into(),
        lines: vec![line(1, 5, 120), line(2, 2, 35)],
        freight: None,
        total: yuan(670),
        urgency: Urgency::Normal.into(),
        contract_id: String::new(),
        remarks: String::new(),
        batch_no: String::new(),
    }
}
