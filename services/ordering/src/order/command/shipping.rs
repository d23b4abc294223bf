//! What is asked on the way from us to the user.

use chassis::When;
use contracts::ordering::TrackingScan;
use jiff::Timestamp;

use crate::order::{Digest, Id, Money, Name, Packages, Scores, Text, Units};

/// Records a pre-delivery inspection and its certificate (ORD-16).
#[derive(Debug, Clone, PartialEq)]
pub struct RecordInspection {
    /// Certificate number; also the id of the inspection.
    pub certificate_no: Id,
    /// Lines and units inspected.
    pub lines: Units,
    /// Quality, specification, performance and quantity all passed.
    pub passed: bool,
    /// Inspector's name.
    pub inspector: Name,
    /// Digest of the certificate.
    pub certificate_sha256: Option<Digest>,
    /// What failed, when it did.
    pub remarks: Option<Text>,
    /// When it was inspected, as `at`.
    pub when: When,
}

/// Plans a shipment of open units.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanShipment {
    /// The caller's id of the shipment.
    pub shipment_id: Id,
    /// What it will hold; `None` means all open units.
    pub lines: Option<Units>,
    /// When it is to leave; `None` means as the order says.
    pub dispatch_by: Option<Timestamp>,
    /// When.
    pub when: When,
}

/// Gives a shipment up before it leaves.
#[derive(Debug, Clone, PartialEq)]
pub struct UnplanShipment {
    /// Shipment.
    pub shipment_id: Id,
    /// Why.
    pub reason: Option<Text>,
    /// When.
    pub when: When,
}

/// Chooses the carrier of a shipment by the four criteria (ORD-19).
#[derive(Debug, Clone, PartialEq)]
pub struct ChooseCarrier {
    /// Shipment.
    pub shipment_id: Id,
    /// The carrier.
    pub carrier: Name,
    /// What it charges us; `None` means nothing.
    pub freight: Option<Money>,
    /// Its marks.
    pub scores: Scores,
    /// When.
    pub when: When,
}

/// Records the boxes of a shipment, each with its certificate (ORD-17).
#[derive(Debug, Clone, PartialEq)]
pub struct PackShipment {
    /// Shipment.
    pub shipment_id: Id,
    /// The boxes.
    pub packages: Packages,
    /// When.
    pub when: When,
}

/// Records the hand-over to the carrier.
#[derive(Debug, Clone, PartialEq)]
pub struct DispatchShipment {
    /// Shipment.
    pub shipment_id: Id,
    /// Waybill number.
    pub waybill_no: Id,
    /// Who of sales released the goods (ORD-22).
    pub released_by: Name,
    /// Who supervised the loading (ORD-24).
    pub loading_supervisor: Option<Name>,
    /// When.
    pub when: When,
}

/// One scan of a carrier.
#[derive(Debug, Clone, PartialEq)]
pub struct Scan(pub(in crate::order) TrackingScan);

/// Records scans of a carrier, in any order and repeated.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordTracking {
    /// Shipment.
    pub shipment_id: Id,
    /// The scans.
    pub scans: Vec<Scan>,
    /// The clock's time.
    pub now: Timestamp,
}

/// Looks for parcels that stand still (ORD-20).
#[derive(Debug, Clone, PartialEq)]
pub struct FindStalled {
    /// The clock's time.
    pub now: Timestamp,
}

/// Records that a shipment reached the user.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportArrival {
    /// Shipment.
    pub shipment_id: Id,
    /// When.
    pub when: When,
}
