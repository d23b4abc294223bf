//! The user accepts goods: the warranty starts (ORD-39), and they become payable (ORD-38).

use contracts::ordering::{
    AcceptedLine, FrozenListing, GoodsAccepted, InspectionMode, LineQuantity, SlipLine,
    WarrantyStart,
};
use decider::Decision;
use eventlog::time::to_proto;
use jiff::Timestamp;

use super::{
    Event, Order, Rejection, Shortage,
    book::{Book, moment, shift},
    command::AcceptGoods,
    repeat::Repeat,
    shipment::{Load, Shipment, Slip},
    value::{Id, Name},
};

impl Order {
    /// The user signs for goods of an inspected shipment that wait to be judged (ORD-32). The slip
    /// says what was sold (ORD-12); after a joint inspection both sides sign (ORD-34).
    ///
    /// # Errors
    /// The order is not in delivery, has no such shipment, it is not inspected; a signature is
    /// missing; the slip differs from what was sold, or names more units than there are.
    pub fn accept_goods(&self, cmd: &AcceptGoods) -> Decision<Event, Rejection> {
        let book = self.book()?;
        let id = cmd.shipment_id.as_str();
        let slip_no = cmd.slip_no.as_str();
        if let Some(before) = book.shipment(id).and_then(|shipment| shipment.slip(slip_no)) {
            return book.same_slip(before, cmd);
        }
        self.must_be_confirmed()?;
        let shipment = book.known_shipment(id)?;
        let inspection = shipment.must_be_inspected()?;
        if inspection.mode() == InspectionMode::Joint && cmd.supplier_signature.is_none() {
            return Err(Rejection::SignatureMissing);
        }
        let at = book.time("at", &cmd.when)?;
        let mut lines = Vec::with_capacity(cmd.lines.as_slice().len());
        let mut amount = 0_i64;
        for (index, signed) in cmd.lines.as_slice().iter().enumerate() {
            let path = || format!("lines[{index}]");
            let load = shipment.known_load(signed.line_no, || path() + ".line_no")?;
            must_say_what_was_sold(signed, book.listing(signed.line_no), &path)?;
            load.must_wait(signed.quantity, || path() + ".quantity")?;
            let finding =
                inspection.findings.iter().find(|finding| finding.line_no == signed.line_no);
            let counted = finding.map_or(0, |finding| finding.counted);
            let left = counted.saturating_sub(load.signed);
            if left < signed.quantity {
                return Err(Rejection::MoreThanCounted(Box::new(Shortage {
                    field: path() + ".quantity",
                    line_no: signed.line_no,
                    asked: signed.quantity,
                    available: left,
                })));
            }
            let (line, value) = book.accept(shipment, signed.line_no, signed.quantity, at)?;
            amount = amount.checked_add(value).ok_or(Rejection::Overflow)?;
            lines.push(line);
        }
        let accepted = GoodsAccepted {
            order_id: book.order_id(),
            platform: book.platform(),
            contract_id: book.contract_id(),
            shipment_id: id.to_owned(),
            lines,
            slip_no: slip_no.to_owned(),
            user_signature: (&cmd.user_signature).into(),
            supplier_signature: Name::or_empty(cmd.supplier_signature.as_ref()),
            stock_entry_no: Id::or_empty(cmd.stock_entry_no.as_ref()),
            accepted_at: Some(to_proto(at)),
            amount: Some(book.currency.amount(amount)),
        };
        self.and_completion(accepted, at)
    }
}

/// Brand, model and specification on the slip are those of the frozen listing (ORD-12).
fn must_say_what_was_sold(
    signed: &SlipLine,
    listing: &FrozenListing,
    path: &dyn Fn() -> String,
) -> Result<(), Rejection> {
    for (name, sold, signed) in [
        (".brand", &listing.brand, &signed.brand),
        (".model", &listing.model, &signed.model),
        (".specification", &listing.specification, &signed.specification),
    ] {
        if sold != signed {
            let (sold, signed) = (sold.clone(), signed.clone());
            return Err(Rejection::SlipDiffers { field: path() + name, sold, signed });
        }
    }
    Ok(())
}

impl Load {
    /// So many units wait to be judged, and are not under a discrepancy.
    pub(super) fn must_wait(
        &self,
        units: u32,
        field: impl FnOnce() -> String,
    ) -> Result<(), Rejection> {
        if units <= self.waiting {
            return Ok(());
        }
        Err(Rejection::NotEnoughUnjudged(Box::new(Shortage {
            field: field(),
            line_no: self.line_no,
            asked: units,
            available: self.waiting,
        })))
    }
}

impl Shipment {
    pub(super) fn slip(&self, no: &str) -> Option<&Slip> {
        self.slips.iter().find(|slip| slip.no == no)
    }
}

impl Book {
    /// Accepted units of a line with all that warranty needs, and their value.
    pub(super) fn accept(
        &self,
        shipment: &Shipment,
        line_no: u32,
        quantity: u32,
        at: Timestamp,
    ) -> Result<(AcceptedLine, i64), Rejection> {
        let listing = self.listing(line_no);
        let value = self.value(&[LineQuantity { line_no, quantity }])?;
        let starts_at = match listing.warranty_start() {
            WarrantyStart::Unspecified
            | WarrantyStart::Acceptance
            | WarrantyStart::SignedReport => Some(at),
            WarrantyStart::Delivery => shipment.arrived.as_ref().map(|arrival| arrival.at),
            WarrantyStart::Installation => shipment.installed.as_ref().map(|done| done.at),
        };
        let line = AcceptedLine {
            line_no,
            quantity,
            listing: Some(listing.clone()),
            warranty_starts_at: starts_at.map(to_proto),
            amount: Some(self.currency.amount(value)),
        };
        Ok((line, value))
    }

    fn same_slip(&self, before: &Slip, cmd: &AcceptGoods) -> Decision<Event, Rejection> {
        let received = cmd.lines.as_slice();
        let mut repeat = Repeat::new().same("lines", &before.lines.len(), &received.len());
        for (index, (before, now)) in before.lines.iter().zip(received).enumerate() {
            let field = |name: &'static str| move || format!("lines[{index}].{name}");
            // what was signed for was what was sold, and what was sold stays
            let sold = self.listing(before.line_no);
            repeat = repeat
                .same_at(field("line_no"), &before.line_no, &now.line_no)
                .same_at(field("quantity"), &before.quantity, &now.quantity)
                .same_at(field("brand"), &sold.brand, &now.brand)
                .same_at(field("model"), &sold.model, &now.model)
                .same_at(field("specification"), &sold.specification, &now.specification);
        }
        repeat
            .same("user_signature", before.user_signature.as_str(), cmd.user_signature.as_str())
            .same(
                "supplier_signature",
                &before.supplier_signature,
                &Name::or_empty(cmd.supplier_signature.as_ref()),
            )
            .same(
                "stock_entry_no",
                &before.stock_entry_no,
                &Id::or_empty(cmd.stock_entry_no.as_ref()),
            )
            .at("at", before.at, &cmd.when)
            .answer()
    }

    pub(super) fn goods_accepted(&mut self, event: &GoodsAccepted) {
        for accepted in &event.lines {
            if let Some(line) = self.line_mut(accepted.line_no) {
                shift(&mut line.arrived, &mut line.accepted, accepted.quantity);
            }
        }
        let Some(shipment) = self.shipment_mut(&event.shipment_id) else { return };
        for accepted in &event.lines {
            if let Some(load) = shipment.load_mut(accepted.line_no) {
                shift(&mut load.waiting, &mut load.accepted, accepted.quantity);
                load.signed = load.signed.saturating_add(accepted.quantity);
            }
        }
        let units =
            |line: &AcceptedLine| LineQuantity { line_no: line.line_no, quantity: line.quantity };
        shipment.slips.push(Slip {
            no: event.slip_no.clone(),
            lines: event.lines.iter().map(units).collect(),
            user_signature: event.user_signature.clone(),
            supplier_signature: event.supplier_signature.clone(),
            stock_entry_no: event.stock_entry_no.clone(),
            at: moment(event.accepted_at.as_ref()),
            filed: None,
        });
    }
}
