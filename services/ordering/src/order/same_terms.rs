//! Whether an order pushed again is the same, and if not, in what it differs first.

use contracts::ordering::{Buyer, DeliveryMode, FrozenListing, OrderTerms, Urgency, WarrantyStart};

use super::repeat::Repeat;

/// Compares everything that a platform pushes.
///
/// Sealed twice, the same recipient has another nonce and another cipher text: person and
/// fingerprint tell.
pub(super) fn same_terms(recorded: &OrderTerms, received: &OrderTerms) -> Repeat {
    let mut repeat = Repeat::new().same("platform", &recorded.platform, &received.platform).same(
        "platform_order_no",
        &recorded.platform_order_no,
        &received.platform_order_no,
    );
    repeat = same_buyer(repeat, recorded.buyer.as_ref(), received.buyer.as_ref())
        .same_unshown("recipient", sealed_of(recorded) == sealed_of(received))
        .same("placed_at", &recorded.placed_at, &received.placed_at)
        .same("deliver_by", &recorded.deliver_by, &received.deliver_by)
        .same("delivery_mode", mode(recorded), mode(received))
        .same("lines", &recorded.lines.len(), &received.lines.len());
    for (index, (recorded, received)) in recorded.lines.iter().zip(&received.lines).enumerate() {
        let path = || format!("lines[{index}]");
        repeat = repeat
            .same_at(|| path() + ".line_no", &recorded.line_no, &received.line_no)
            .same_at(|| path() + ".quantity", &recorded.quantity, &received.quantity);
        repeat = same_listing(
            repeat,
            &|| path() + ".listing",
            recorded.listing.as_ref(),
            received.listing.as_ref(),
        );
    }
    repeat
        .same("freight", &recorded.freight, &received.freight)
        .same("total", &recorded.total, &received.total)
        .same("urgency", urgency(recorded), urgency(received))
        .same("contract_id", &recorded.contract_id, &received.contract_id)
        .same("remarks", &recorded.remarks, &received.remarks)
        .same("batch_no", &recorded.batch_no, &received.batch_no)
}

fn sealed_of(terms: &OrderTerms) -> Option<(&str, &[u8])> {
    let sealed = terms.recipient.as_ref()?;
    Some((&sealed.person, &sealed.fingerprint))
}

fn mode(terms: &OrderTerms) -> &'static str {
    DeliveryMode::try_from(terms.delivery_mode).unwrap_or_default().as_str_name()
}

fn urgency(terms: &OrderTerms) -> &'static str {
    Urgency::try_from(terms.urgency).unwrap_or_default().as_str_name()
}

fn same_buyer(repeat: Repeat, recorded: Option<&Buyer>, received: Option<&Buyer>) -> Repeat {
    let (Some(recorded), Some(received)) = (recorded, received) else {
        return repeat.same("buyer", &recorded.is_some(), &received.is_some());
    };
    repeat
        .same("buyer.buyer_id", &recorded.buyer_id, &received.buyer_id)
        .same("buyer.name", &recorded.name, &received.name)
        .same("buyer.end_user", &recorded.end_user, &received.end_user)
        .same("buyer.supervisor", &recorded.supervisor, &received.supervisor)
}

/// Compares two frozen listings under a path that is put together only when they differ.
pub(super) fn same_listing(
    repeat: Repeat,
    path: &dyn Fn() -> String,
    recorded: Option<&FrozenListing>,
    received: Option<&FrozenListing>,
) -> Repeat {
    if recorded == received {
        return repeat;
    }
    let (Some(recorded), Some(received)) = (recorded, received) else {
        return repeat.same_at(path, &recorded.is_some(), &received.is_some());
    };
    let start = |listing: &FrozenListing| {
        WarrantyStart::try_from(listing.warranty_start).unwrap_or_default().as_str_name()
    };
    let field = |name: &'static str| move || path() + "." + name;
    repeat
        .same_at(field("sku"), &recorded.sku, &received.sku)
        .same_at(field("listing_version"), &recorded.listing_version, &received.listing_version)
        .same_at(field("name"), &recorded.name, &received.name)
        .same_at(field("brand"), &recorded.brand, &received.brand)
        .same_at(field("model"), &recorded.model, &received.model)
        .same_at(field("specification"), &recorded.specification, &received.specification)
        .same_at(field("unit_price"), &recorded.unit_price, &received.unit_price)
        .same_at(field("clearance"), &recorded.clearance, &received.clearance)
        .same_at(field("warranty_months"), &recorded.warranty_months, &received.warranty_months)
        .same_at(field("warranty_start"), start(recorded), start(received))
        .same_at(field("main_material"), &recorded.main_material, &received.main_material)
        .same_at(
            field("requires_installation"),
            &recorded.requires_installation,
            &received.requires_installation,
        )
}
