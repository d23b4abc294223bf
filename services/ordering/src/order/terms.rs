//! What an order is made of, as a platform pushes it: checked as a whole before it is sealed.

use std::sync::Arc;

use contracts::{
    common::{Contact, Sealed},
    ordering::{DeliveryMode, OrderDraft, OrderTerms, Urgency},
};
use eventlog::time::from_proto;
use jiff::Timestamp;

use super::{
    list::{Check, MOST_LINES, check_listing},
    value::{Currency, Invalid, Money, Violations},
};

/// An order as pushed, checked, with the recipient still in the clear.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft(OrderDraft);

impl Draft {
    /// Checks everything an order can be wrong in without knowing any other.
    ///
    /// What may be left out is filled in as its documentation says (freight of zero is none, the
    /// supplier delivers, urgency is normal), so that two ways of saying the same are the same.
    ///
    /// # Errors
    /// All fields that are wrong, each with its problem.
    pub fn try_new(mut draft: OrderDraft) -> Result<Self, Violations> {
        let mut check = Check::default();
        check.required(|| "platform".into(), &draft.platform, 64);
        check.required(|| "platform_order_no".into(), &draft.platform_order_no, 64);
        check_buyer(&mut check, &draft);
        check_recipient(&mut check, draft.recipient.as_ref());
        check_times(&mut check, &draft);
        check.text(|| "contract_id".into(), &draft.contract_id, 64);
        check.text(|| "batch_no".into(), &draft.batch_no, 64);
        if let Err(invalid) = super::value::check_text(&draft.remarks, 2_000, true) {
            check.wrong("remarks", invalid);
        }
        match DeliveryMode::try_from(draft.delivery_mode) {
            Ok(DeliveryMode::Unspecified | DeliveryMode::SupplierDelivers) => {
                draft.set_delivery_mode(DeliveryMode::SupplierDelivers);
            }
            Err(_) => check.wrong("delivery_mode", "is not known"),
        }
        match Urgency::try_from(draft.urgency) {
            Ok(Urgency::Unspecified) => draft.set_urgency(Urgency::Normal),
            Ok(Urgency::Normal | Urgency::Urgent | Urgency::Emergency) => {}
            Err(_) => check.wrong("urgency", "is not known"),
        }
        check_money(&mut check, &mut draft);
        check.done().map(|()| Self(draft))
    }

    /// The platform it was placed on.
    #[must_use]
    pub fn platform(&self) -> &str {
        &self.0.platform
    }

    /// The platform's number of it.
    #[must_use]
    pub fn platform_order_no(&self) -> &str {
        &self.0.platform_order_no
    }

    /// The contract it is placed under; empty when there is none.
    #[must_use]
    pub fn contract_id(&self) -> &str {
        &self.0.contract_id
    }

    /// Who receives the goods, to be sealed.
    #[must_use]
    pub fn recipient(&self) -> Contact {
        self.0.recipient.clone().unwrap_or_default()
    }

    /// The order under our id, with its recipient sealed.
    #[must_use]
    pub fn seal(self, order_id: impl Into<String>, recipient: Sealed) -> Terms {
        let Self(draft) = self;
        Terms(Arc::new(OrderTerms {
            order_id: order_id.into(),
            platform: draft.platform,
            platform_order_no: draft.platform_order_no,
            buyer: draft.buyer,
            recipient: Some(recipient),
            placed_at: draft.placed_at,
            deliver_by: draft.deliver_by,
            delivery_mode: draft.delivery_mode,
            lines: draft.lines,
            freight: draft.freight,
            total: draft.total,
            urgency: draft.urgency,
            contract_id: draft.contract_id,
            remarks: draft.remarks,
            batch_no: draft.batch_no,
        }))
    }
}

/// Everything an order is made of, checked and sealed.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms(Arc<OrderTerms>);

impl Terms {
    /// Checks and seals at once, where the sealed recipient is at hand.
    ///
    /// # Errors
    /// All fields that are wrong, each with its problem.
    pub fn try_new(
        order_id: impl Into<String>,
        draft: OrderDraft,
        recipient: Sealed,
    ) -> Result<Self, Violations> {
        Ok(Draft::try_new(draft)?.seal(order_id, recipient))
    }

    /// The terms, as events carry them.
    #[must_use]
    pub fn get(&self) -> &OrderTerms {
        &self.0
    }

    /// When the order was placed on the platform.
    #[must_use]
    pub(super) fn placed_at(&self) -> Timestamp {
        self.0.placed_at.as_ref().and_then(from_proto).unwrap_or_default()
    }
}

fn check_buyer(check: &mut Check, draft: &OrderDraft) {
    let Some(buyer) = &draft.buyer else {
        check.wrong("buyer", Invalid::Missing);
        return;
    };
    check.required(|| "buyer.buyer_id".into(), &buyer.buyer_id, 64);
    check.required(|| "buyer.name".into(), &buyer.name, 200);
    check.text(|| "buyer.end_user".into(), &buyer.end_user, 200);
    check.text(|| "buyer.supervisor".into(), &buyer.supervisor, 200);
}

fn check_recipient(check: &mut Check, recipient: Option<&Contact>) {
    let Some(recipient) = recipient else {
        check.wrong("recipient", Invalid::Missing);
        return;
    };
    check.required(|| "recipient.name".into(), &recipient.name, 200);
    check.required(|| "recipient.phone".into(), &recipient.phone, 64);
    check.required(|| "recipient.address".into(), &recipient.address, 500);
    check.text(|| "recipient.email".into(), &recipient.email, 254);
}

fn check_times(check: &mut Check, draft: &OrderDraft) {
    let moment = |check: &mut Check, field: &str, at: Option<&prost_types::Timestamp>| {
        let Some(at) = at else {
            check.wrong(field, Invalid::Missing);
            return None;
        };
        let moment = from_proto(at);
        if moment.is_none() {
            check.wrong(field, "is no moment that can be");
        }
        moment
    };
    let placed_at = moment(check, "placed_at", draft.placed_at.as_ref());
    let deliver_by = moment(check, "deliver_by", draft.deliver_by.as_ref());
    if let (Some(placed_at), Some(deliver_by)) = (placed_at, deliver_by)
        && deliver_by <= placed_at
    {
        check.wrong("deliver_by", "must be after placed_at");
    }
}

/// Lines, freight and total: positive, of one currency, and adding up without overflow.
fn check_money(check: &mut Check, draft: &mut OrderDraft) {
    if !(1..=MOST_LINES).contains(&draft.lines.len()) {
        check.wrong("lines", format!("must have 1 to {MOST_LINES} entries"));
        return;
    }
    let mut numbers = std::collections::HashSet::with_capacity(draft.lines.len());
    let mut sum = Sum { currency: None, minor: 0, broken: false };
    for (index, line) in draft.lines.iter_mut().enumerate() {
        let path = || format!("lines[{index}]");
        check.require(|| path() + ".line_no", line.line_no > 0, Invalid::NotPositive);
        if !numbers.insert(line.line_no) {
            check.wrong(path() + ".line_no", "is named twice");
        }
        check.require(|| path() + ".quantity", line.quantity > 0, Invalid::NotPositive);
        let Some(listing) = &mut line.listing else {
            check.wrong(path() + ".listing", Invalid::Missing);
            sum.broken = true;
            continue;
        };
        let price = check_listing(check, listing, &|| path() + ".listing");
        let field = || path() + ".listing.unit_price.currency";
        sum.add(check, field, price, i64::from(line.quantity));
    }
    if draft.freight.as_ref().is_some_and(|freight| freight.minor_units == 0) {
        draft.freight = None;
    }
    if let Some(freight) = &draft.freight {
        let price = match Money::parse(freight) {
            Ok(money) => Some(money),
            Err(("minor_units", _)) => {
                check.wrong("freight.minor_units", "must not be negative");
                None
            }
            Err((inner, invalid)) => {
                check.wrong(format!("freight.{inner}"), invalid);
                None
            }
        };
        sum.add(check, || "freight.currency".into(), price, 1);
    }
    let Some(total) = &draft.total else {
        check.wrong("total", Invalid::Missing);
        return;
    };
    match Money::parse(total) {
        Err((inner, invalid)) => check.wrong(format!("total.{inner}"), invalid),
        Ok(_) if sum.broken => {}
        Ok(total) if sum.currency.is_some_and(|currency| currency != total.currency()) => {
            check.wrong("total.currency", "is another currency than that of the lines");
        }
        Ok(total) if i128::from(total.minor()) != sum.minor => {
            check.wrong(
                "total",
                format!("is {}, but lines and freight add up to {}", total.minor(), sum.minor),
            );
        }
        Ok(_) => {}
    }
}

/// A sum in one currency. 500 lines of the largest price and quantity fit into 128 bits; whatever
/// does not fit into an amount is no total.
struct Sum {
    currency: Option<Currency>,
    minor: i128,
    broken: bool,
}

impl Sum {
    fn add(
        &mut self,
        check: &mut Check,
        field: impl FnOnce() -> String,
        price: Option<Money>,
        units: i64,
    ) {
        let Some(price) = price else {
            self.broken = true;
            return;
        };
        if *self.currency.get_or_insert(price.currency()) != price.currency() {
            check.wrong(field(), "is another currency than that of the first line");
            self.broken = true;
        }
        self.minor += i128::from(price.minor()) * i128::from(units);
    }
}
