//! The report of a claim, and what the order knows about the shipment it is about.

use chassis::{
    When,
    repeat::{Differs, same, same_time},
};
use contracts::ordering::{DamageKind, DamageReported, LineQuantity, Order};
use eventlog::time::to_proto;

use super::Rejection;

/// What the order knows about the shipment that a claim is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Consignment {
    platform: String,
    carrier: String,
    lines: Vec<LineQuantity>,
    follower: String,
}

impl Consignment {
    /// The shipment as the order tells it.
    ///
    /// # Errors
    /// The order has no such shipment, or it has not been handed to a carrier.
    pub fn of(order: &Order, shipment_id: &str) -> Result<Self, Rejection> {
        let shipment = order
            .shipments
            .iter()
            .find(|shipment| shipment.shipment_id == shipment_id)
            .ok_or(Rejection::ShipmentNotFound)?;
        if shipment.dispatched_at.is_none() {
            return Err(Rejection::NotHandedOver);
        }
        Ok(Self {
            platform: order.platform.clone(),
            carrier: shipment.carrier.clone(),
            lines: shipment.lines.clone(),
            follower: order.follower.clone(),
        })
    }

    pub(super) fn holds(&self, wanted: &LineQuantity) -> Result<(), Rejection> {
        let line_no = wanted.line_no;
        match self.lines.iter().find(|line| line.line_no == line_no) {
            None => Err(Rejection::NotInShipment { line_no }),
            Some(line) if line.quantity < wanted.quantity => {
                Err(Rejection::MoreThanShipped { line_no, shipped: line.quantity })
            }
            Some(_) => Ok(()),
        }
    }
}

/// Reports damage or failure on the way (ORD-40).
#[derive(Debug, Clone, PartialEq)]
pub struct ReportDamage {
    /// The caller's id of the claim.
    pub claim_id: String,
    /// Order.
    pub order_id: String,
    /// Shipment.
    pub shipment_id: String,
    /// What went wrong.
    pub kind: DamageKind,
    /// Lines and units, by line number, each line once; none means the whole shipment.
    pub lines: Vec<LineQuantity>,
    /// In words.
    pub description: String,
    /// Who is to be notified at once; `None` means whoever follows the order.
    pub salesperson: Option<String>,
    /// When.
    pub when: When,
}

impl ReportDamage {
    /// The fact, with what the order knows of the shipment.
    pub(super) fn event(&self, consignment: &Consignment) -> Result<DamageReported, Rejection> {
        let follower = Some(&consignment.follower).filter(|follower| !follower.is_empty());
        let salesperson = self.salesperson.as_ref().or(follower);
        Ok(DamageReported {
            claim_id: self.claim_id.clone(),
            order_id: self.order_id.clone(),
            platform: consignment.platform.clone(),
            shipment_id: self.shipment_id.clone(),
            carrier: consignment.carrier.clone(),
            kind: self.kind.into(),
            lines: self.lines.clone(),
            description: self.description.clone(),
            salesperson: salesperson.ok_or(Rejection::NobodyInCharge)?.clone(),
            reported_at: Some(to_proto(self.when.time())),
        })
    }

    /// Whether this says what was reported before.
    pub(super) fn repeats(&self, told: &DamageReported) -> Result<(), Differs> {
        same("order_id", &told.order_id, &self.order_id)?;
        same("shipment_id", &told.shipment_id, &self.shipment_id)?;
        same("kind", &told.kind(), &self.kind)?;
        same("lines", &told.lines, &self.lines)?;
        same("description", &told.description, &self.description)?;
        if let Some(salesperson) = &self.salesperson {
            same("salesperson", &told.salesperson, salesperson)?; // else who followed it then
        }
        same_time(told.reported_at.as_ref(), self.when)
    }
}
