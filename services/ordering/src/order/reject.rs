//! The user refuses goods that are not what was sold (ORD-29).

use std::sync::Arc;

use contracts::ordering::{GoodsRejected, LineQuantity, RejectionReason};
use decider::Decision;
use eventlog::time::to_proto;
use jiff::Timestamp;

use super::{
    Event, Order, Rejection,
    arrive::checklist_passed,
    book::{Book, moment, shift},
    command::RejectGoods,
    repeat::Repeat,
    shipment::Shipment,
    value::Text,
};

/// What was refused under one id.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refusal {
    id: String,
    shipment_id: String,
    lines: Vec<LineQuantity>,
    reason: RejectionReason,
    description: String,
    at: Timestamp,
}

impl Order {
    /// The user refuses units that wait to be judged. Either the inspection found something wrong
    /// with the line, or the user says in words what is wrong.
    ///
    /// # Errors
    /// The order is not in delivery, has no such shipment, it has not arrived; so many units do not
    /// wait; nothing wrong was found, or another reason is not put into words.
    pub fn reject_goods(&self, cmd: &RejectGoods) -> Decision<Event, Rejection> {
        let book = self.book()?;
        let id = cmd.rejection_id.as_str();
        if let Some(before) = book.refusals.iter().find(|before| before.id == id) {
            return before.repeated_by(cmd);
        }
        self.must_be_confirmed()?;
        let shipment = book.known_shipment(cmd.shipment_id.as_str())?;
        shipment.must_have_arrived()?;
        let in_words = cmd.reason == RejectionReason::Other;
        if in_words && cmd.description.is_none() {
            return Err(Rejection::DescriptionMissing);
        }
        if !in_words {
            shipment.must_be_inspected()?;
        }
        let at = book.time("at", &cmd.when)?;
        let lines = cmd.lines.as_slice();
        for (index, refused) in lines.iter().enumerate() {
            let path = || format!("lines[{index}]");
            let load = shipment.known_load(refused.line_no, || path() + ".line_no")?;
            if !in_words && !book.found_wrong(shipment, refused.line_no) {
                let line_no = refused.line_no;
                return Err(Rejection::NothingWrongFound { field: path() + ".line_no", line_no });
            }
            load.must_wait(refused.quantity, || path() + ".quantity")?;
        }
        let rejected = GoodsRejected {
            order_id: book.order_id(),
            platform: book.platform(),
            contract_id: book.contract_id(),
            shipment_id: (&cmd.shipment_id).into(),
            rejection_id: id.to_owned(),
            lines: lines.to_vec(),
            reason: cmd.reason.into(),
            description: Text::or_empty(cmd.description.as_ref()),
            rejected_at: Some(to_proto(at)),
            amount: Some(book.currency.amount(book.value(lines)?)),
        };
        self.and_completion(rejected, at)
    }
}

impl Refusal {
    fn repeated_by(&self, cmd: &RejectGoods) -> Decision<Event, Rejection> {
        Repeat::new()
            .same("shipment_id", self.shipment_id.as_str(), cmd.shipment_id.as_str())
            .lines("lines", &self.lines, cmd.lines.as_slice())
            .same("reason", self.reason.as_str_name(), cmd.reason.as_str_name())
            .same("description", &self.description, &Text::or_empty(cmd.description.as_ref()))
            .at("at", self.at, &cmd.when)
            .answer()
    }
}

impl Book {
    /// The inspection does not conform for the line, or as a whole.
    fn found_wrong(&self, shipment: &Shipment, line_no: u32) -> bool {
        shipment.inspection.as_ref().is_some_and(|inspection| {
            let mut findings = inspection.findings.iter();
            inspection.checklist.is_some_and(|checklist| !checklist_passed(&checklist))
                || findings
                    .any(|finding| finding.line_no == line_no && !self.conforms(shipment, finding))
        })
    }

    pub(super) fn goods_rejected(&mut self, event: &GoodsRejected) {
        for rejected in &event.lines {
            if let Some(line) = self.line_mut(rejected.line_no) {
                shift(&mut line.arrived, &mut line.rejected, rejected.quantity);
            }
        }
        if let Some(shipment) = self.shipment_mut(&event.shipment_id) {
            for rejected in &event.lines {
                if let Some(load) = shipment.load_mut(rejected.line_no) {
                    load.waiting = load.waiting.saturating_sub(rejected.quantity);
                }
            }
        }
        self.refusals.push(Arc::new(Refusal {
            id: event.rejection_id.clone(),
            shipment_id: event.shipment_id.clone(),
            lines: event.lines.clone(),
            reason: event.reason(),
            description: event.description.clone(),
            at: moment(event.rejected_at.as_ref()),
        }));
    }
}
