//! What is asked once goods are with the user.

use chassis::When;
use contracts::ordering::{DiscrepancyKind, LiableParty, RejectionReason, Treatment};

use crate::order::{Digest, Findings, Id, LineNo, Name, Quantity, SlipLines, Text, Units};

/// Who of us was there when an arrival was inspected.
#[derive(Debug, Clone, PartialEq)]
pub enum Presence {
    /// Both sides were there (ORD-30).
    Joint {
        /// Our representative.
        supplier_representative: Name,
    },
    /// The user alone, because our representative was late (ORD-28).
    Unilateral,
}

/// Records an inspection on arrival (ORD-26, ORD-31).
#[derive(Debug, Clone, PartialEq)]
pub struct InspectArrival {
    /// Shipment.
    pub shipment_id: Id,
    /// Joint or unilateral.
    pub presence: Presence,
    /// The user's representative.
    pub user_representative: Name,
    /// Procurement supervisor who counted along (ORD-35).
    pub procurement_supervisor: Option<Name>,
    /// Packaging meets the requirement.
    pub packaging_met: bool,
    /// Good appearance, undamaged by transport.
    pub undamaged: bool,
    /// Number, quantity and name match the list of goods.
    pub list_matches: bool,
    /// What was found, one entry a line of the shipment.
    pub findings: Findings,
    /// When it was inspected, as `at`.
    pub when: When,
}

/// Records the signed receipt (ORD-32, ORD-34, ORD-39).
#[derive(Debug, Clone, PartialEq)]
pub struct AcceptGoods {
    /// Shipment.
    pub shipment_id: Id,
    /// Number of the slip: with the shipment, the id of the acceptance.
    pub slip_no: Id,
    /// The lines of the signed slip.
    pub lines: SlipLines,
    /// Who signed for the user.
    pub user_signature: Name,
    /// Who signed for us; needed after a joint inspection.
    pub supplier_signature: Option<Name>,
    /// Stock entry of the buyer (ORD-36).
    pub stock_entry_no: Option<Id>,
    /// When.
    pub when: When,
}

/// Records the refusal of goods that are not what was sold (ORD-29).
#[derive(Debug, Clone, PartialEq)]
pub struct RejectGoods {
    /// Shipment.
    pub shipment_id: Id,
    /// The caller's id of the rejection.
    pub rejection_id: Id,
    /// Lines and units.
    pub lines: Units,
    /// Why; never unspecified.
    pub reason: RejectionReason,
    /// In words.
    pub description: Option<Text>,
    /// When.
    pub when: When,
}

/// Reports a discrepancy found in an inspected shipment (ORD-33).
#[derive(Debug, Clone, PartialEq)]
pub struct ReportDiscrepancy {
    /// Shipment.
    pub shipment_id: Id,
    /// The caller's id of the discrepancy.
    pub discrepancy_id: Id,
    /// Line.
    pub line_no: LineNo,
    /// Units concerned.
    pub quantity: Quantity,
    /// What is wrong; never unspecified.
    pub kind: DiscrepancyKind,
    /// What is wrong in words (ORD-15).
    pub description: Text,
    /// Digests of photos and records.
    pub evidence: Vec<Digest>,
    /// When.
    pub when: When,
}

/// Proposes a treatment of a discrepancy to the user (ORD-33).
#[derive(Debug, Clone, PartialEq)]
pub struct ProposeTreatment {
    /// The discrepancy.
    pub discrepancy_id: Id,
    /// What we propose; never unspecified.
    pub treatment: Treatment,
    /// In words.
    pub explanation: Option<Text>,
    /// When.
    pub when: When,
}

/// The user's approval or refusal of the proposed treatment (ORD-33).
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerTreatment {
    /// The discrepancy.
    pub discrepancy_id: Id,
    /// Number of the proposal answered, from 1.
    pub proposal_no: u32,
    /// Approval or refusal.
    pub approved: bool,
    /// Why, when refused.
    pub reason: Option<Text>,
    /// When.
    pub when: When,
}

/// Records who answers for a discrepancy, agreed by both representatives (ORD-27).
#[derive(Debug, Clone, PartialEq)]
pub struct ConfirmLiability {
    /// The discrepancy.
    pub discrepancy_id: Id,
    /// Who answers; never unspecified.
    pub party: LiableParty,
    /// The user's representative.
    pub user_representative: Name,
    /// Our representative.
    pub supplier_representative: Name,
    /// When.
    pub when: When,
}

/// Records that the approved treatment was carried out.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolveDiscrepancy {
    /// The discrepancy.
    pub discrepancy_id: Id,
    /// When.
    pub when: When,
}

/// Records installation and commissioning of a shipment (ORD-11).
#[derive(Debug, Clone, PartialEq)]
pub struct RecordInstallation {
    /// Shipment.
    pub shipment_id: Id,
    /// Technician.
    pub technician: Name,
    /// When.
    pub when: When,
}

/// Files the signed base slip that the user sent back (ORD-42).
#[derive(Debug, Clone, PartialEq)]
pub struct FileSignedSlip {
    /// Shipment.
    pub shipment_id: Id,
    /// Number of the slip.
    pub slip_no: Id,
    /// Digest of the scan.
    pub sha256: Digest,
    /// When.
    pub when: When,
}
