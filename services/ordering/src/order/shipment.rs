//! What decisions read of one shipment (SM-23). Its lists are shared, not copied, between the
//! state that a cache holds and the next one.

use std::sync::Arc;

use contracts::{
    common::Money as ProtoMoney,
    ordering::{
        ArrivalInspection, CarrierScores, LineQuantity, Package, TrackingScan, TrackingStatus,
    },
};
use jiff::Timestamp;

use super::{Rejection, book::Note};

/// A shipment: what is absent has not happened yet.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shipment {
    pub(super) id: String,
    pub(super) lines: Vec<Load>,
    /// It took all units that were open then.
    pub(super) took_all: bool,
    pub(super) dispatch_by: Timestamp,
    pub(super) planned_at: Timestamp,
    pub(super) unplanned: Option<Note>,
    pub(super) carrier: Option<Carrier>,
    pub(super) packed: Option<Packed>,
    pub(super) dispatched: Option<Dispatch>,
    pub(super) scans: Vec<Arc<TrackingScan>>,
    /// Last sign of life: the hand-over or the newest scan.
    pub(super) last_seen: Timestamp,
    /// What the newest scan says.
    pub(super) last_status: TrackingStatus,
    pub(super) stalled: bool,
    pub(super) arrived: Option<Arrival>,
    pub(super) inspection: Option<Arc<ArrivalInspection>>,
    pub(super) slips: Vec<Slip>,
    pub(super) installed: Option<Note>,
}

/// Units of one line in a shipment. Once arrived, they wait to be judged or are under a
/// discrepancy, until they are accepted, rejected, or open again.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Load {
    pub(super) line_no: u32,
    pub(super) quantity: u32,
    pub(super) waiting: u32,
    pub(super) disputed: u32,
    /// Units of which the user keeps hold.
    pub(super) accepted: u32,
    /// Units accepted with a signed slip.
    pub(super) signed: u32,
}

/// Who carries it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Carrier {
    pub(super) name: String,
    pub(super) freight: Option<ProtoMoney>,
    pub(super) scores: CarrierScores,
    pub(super) at: Timestamp,
}

/// In which boxes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Packed {
    pub(super) packages: Arc<[Package]>,
    pub(super) at: Timestamp,
}

/// How it left.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Dispatch {
    pub(super) waybill_no: String,
    pub(super) released_by: String,
    pub(super) loading_supervisor: String,
    pub(super) at: Timestamp,
    pub(super) monitored_until: Timestamp,
}

/// When it came, and when our representative has to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Arrival {
    pub(super) at: Timestamp,
    pub(super) representative_due_at: Timestamp,
}

/// What was accepted with one signed slip.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Slip {
    pub(super) no: String,
    pub(super) lines: Vec<LineQuantity>,
    pub(super) user_signature: String,
    pub(super) supplier_signature: String,
    pub(super) stock_entry_no: String,
    pub(super) at: Timestamp,
    /// Digest of the slip sent back, and when.
    pub(super) filed: Option<Note>,
}

impl Shipment {
    pub(super) fn load(&self, line_no: u32) -> Option<&Load> {
        self.lines.iter().find(|load| load.line_no == line_no)
    }

    pub(super) fn load_mut(&mut self, line_no: u32) -> Option<&mut Load> {
        self.lines.iter_mut().find(|load| load.line_no == line_no)
    }

    /// The line's units in it, if it holds any; `field` names where the caller says so.
    pub(super) fn known_load(
        &self,
        line_no: u32,
        field: impl FnOnce() -> String,
    ) -> Result<&Load, Rejection> {
        self.load(line_no).ok_or_else(|| Rejection::NotInShipment { field: field(), line_no })
    }

    /// What it holds, as events carry it.
    pub(super) fn units(&self) -> Vec<LineQuantity> {
        let units = self.lines.iter();
        units.map(|load| LineQuantity { line_no: load.line_no, quantity: load.quantity }).collect()
    }

    pub(super) fn carrier_name(&self) -> String {
        self.carrier.as_ref().map_or_else(String::new, |carrier| carrier.name.clone())
    }

    /// It has not left, and is not given up.
    pub(super) fn must_be_here(&self) -> Result<(), Rejection> {
        if self.unplanned.is_some() {
            Err(Rejection::ShipmentUnplanned)
        } else if self.dispatched.is_some() {
            Err(Rejection::AlreadyDispatched)
        } else {
            Ok(())
        }
    }

    pub(super) fn must_have_left(&self) -> Result<&Dispatch, Rejection> {
        if self.unplanned.is_some() {
            return Err(Rejection::ShipmentUnplanned);
        }
        self.dispatched.as_ref().ok_or(Rejection::NotDispatched)
    }

    pub(super) fn must_have_arrived(&self) -> Result<&Arrival, Rejection> {
        self.must_have_left()?;
        self.arrived.as_ref().ok_or(Rejection::NotArrived)
    }

    pub(super) fn must_be_inspected(&self) -> Result<&ArrivalInspection, Rejection> {
        self.must_have_arrived()?;
        self.inspection.as_deref().ok_or(Rejection::NotInspected)
    }

    /// It is on its way.
    pub(super) fn in_transit(&self) -> Option<&Dispatch> {
        self.dispatched.as_ref().filter(|_| self.arrived.is_none())
    }
}
