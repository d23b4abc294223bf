//! What the edge makes of a rejection: a constant, a field, a class of status.

use super::Rejection;

/// What class of answer a rejection is: the edge turns it into a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RejectionKind {
    /// Not as things stand.
    FailedPrecondition,
    /// There is no such thing.
    NotFound,
    /// The id is taken by something else.
    AlreadyExists,
    /// Never, whatever the order's state: the request names what cannot be.
    InvalidArgument,
}

impl Rejection {
    /// The reason as a constant, for `ErrorInfo.reason`.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::UnknownOrder => "UNKNOWN_ORDER",
            Self::UnknownShipment(_) => "UNKNOWN_SHIPMENT",
            Self::UnknownDiscrepancy(_) => "UNKNOWN_DISCREPANCY",
            Self::UnknownProposal(_) => "UNKNOWN_PROPOSAL",
            Self::UnknownSubstitution(_) => "UNKNOWN_SUBSTITUTION",
            Self::UnknownInvoice(_) => "UNKNOWN_INVOICE",
            Self::UnknownSlip(_) => "UNKNOWN_SLIP",
            Self::UnknownLine { .. } => "UNKNOWN_LINE",
            Self::NotInShipment { .. } => "NOT_IN_SHIPMENT",
            Self::FindingMissing { .. } => "FINDING_MISSING",
            Self::DifferentContent(_) => "DIFFERENT_CONTENT",
            Self::TimeOutOfRange { .. } => "TIME_OUT_OF_RANGE",
            Self::OnlyReserved => "ONLY_RESERVED",
            Self::NotReserved => "NOT_RESERVED",
            Self::AlreadyPlaced => "ALREADY_PLACED",
            Self::ReservationExpired { .. } => "RESERVATION_EXPIRED",
            Self::ReservationHolds { .. } => "RESERVATION_HOLDS",
            Self::NotConfirmed => "NOT_CONFIRMED",
            Self::AlreadyConfirmed => "ALREADY_CONFIRMED",
            Self::NotFulfilled => "NOT_FULFILLED",
            Self::AlreadyFulfilled => "ALREADY_FULFILLED",
            Self::AlreadySettled => "ALREADY_SETTLED",
            Self::Ended(_) => "ORDER_ENDED",
            Self::NotEnoughOpen(_) => "NOT_ENOUGH_OPEN",
            Self::MoreThanOrdered(_) => "MORE_THAN_ORDERED",
            Self::NotEnoughUnjudged(_) => "NOT_ENOUGH_UNJUDGED",
            Self::MoreThanCounted(_) => "MORE_THAN_COUNTED",
            Self::NotEnoughSurplus(_) => "NOT_ENOUGH_SURPLUS",
            Self::NothingOpen => "NOTHING_OPEN",
            Self::LineInWork { .. } => "LINE_IN_WORK",
            Self::SubstitutionPending { .. } => "SUBSTITUTION_PENDING",
            Self::DearerSubstitute { .. } => "DEARER_SUBSTITUTE",
            Self::OtherCurrency { .. } => "OTHER_CURRENCY",
            Self::NoForceMajeure => "NO_FORCE_MAJEURE",
            Self::EndsBeforeItBegan { .. } => "ENDS_BEFORE_IT_BEGAN",
            Self::ShipmentUnplanned => "SHIPMENT_UNPLANNED",
            Self::CarrierNotChosen => "CARRIER_NOT_CHOSEN",
            Self::NotInspectedBeforePacking { .. } => "NOT_INSPECTED_BEFORE_PACKING",
            Self::NotPacked => "NOT_PACKED",
            Self::AlreadyDispatched => "ALREADY_DISPATCHED",
            Self::NotDispatched => "NOT_DISPATCHED",
            Self::NotArrived => "NOT_ARRIVED",
            Self::NotInspected => "NOT_INSPECTED",
            Self::AlreadyJudged => "ALREADY_JUDGED",
            Self::RepresentativeNotLate { .. } => "REPRESENTATIVE_NOT_LATE",
            Self::SignatureMissing => "SIGNATURE_MISSING",
            Self::SlipDiffers { .. } => "SLIP_DIFFERS",
            Self::NothingWrongFound { .. } => "NOTHING_WRONG_FOUND",
            Self::DescriptionMissing => "DESCRIPTION_MISSING",
            Self::MaterialNotAccepted { .. } => "MATERIAL_NOT_ACCEPTED",
            Self::NothingToInstall => "NOTHING_TO_INSTALL",
            Self::TreatmentUnfit { .. } => "TREATMENT_UNFIT",
            Self::TreatmentApproved => "TREATMENT_APPROVED",
            Self::TreatmentNotApproved => "TREATMENT_NOT_APPROVED",
            Self::AlreadyResolved => "ALREADY_RESOLVED",
            Self::MoreThanAccepted { .. } => "MORE_THAN_ACCEPTED",
            Self::NothingToInvoice => "NOTHING_TO_INVOICE",
            Self::InvoiceNotIssued => "INVOICE_NOT_ISSUED",
            Self::InvoiceReversed => "INVOICE_REVERSED",
            Self::AmountDiffers { .. } => "AMOUNT_DIFFERS",
            Self::Overflow => "OVERFLOW",
        }
    }

    /// The field of the request that is concerned, where there is one.
    #[must_use]
    #[allow(clippy::wildcard_enum_match_arm, reason = "most rejections concern no single field")]
    pub fn field(&self) -> Option<String> {
        match self {
            Self::UnknownShipment(_) => Some("shipment_id".into()),
            Self::UnknownDiscrepancy(_) => Some("discrepancy_id".into()),
            Self::UnknownProposal(_) => Some("proposal_no".into()),
            Self::UnknownSubstitution(_) => Some("substitution_id".into()),
            Self::UnknownInvoice(_) => Some("invoice_id".into()),
            Self::UnknownSlip(_) => Some("slip_no".into()),
            Self::UnknownLine { field, .. }
            | Self::NotInShipment { field, .. }
            | Self::TimeOutOfRange { field, .. }
            | Self::SlipDiffers { field, .. }
            | Self::NothingWrongFound { field, .. } => Some(field.clone()),
            Self::OtherCurrency { field, .. } => Some((*field).into()),
            Self::FindingMissing { .. } => Some("inspection.findings".into()),
            Self::DifferentContent(difference) => Some(difference.field.clone()),
            Self::NotEnoughOpen(shortage)
            | Self::MoreThanOrdered(shortage)
            | Self::NotEnoughUnjudged(shortage)
            | Self::MoreThanCounted(shortage)
            | Self::NotEnoughSurplus(shortage) => Some(shortage.field.clone()),
            Self::DearerSubstitute { .. } => Some("substitute.unit_price".into()),
            Self::EndsBeforeItBegan { .. } => Some("until".into()),
            Self::RepresentativeNotLate { .. } => Some("inspection.inspected_at".into()),
            Self::SignatureMissing => Some("supplier_signature".into()),
            Self::DescriptionMissing => Some("description".into()),
            Self::TreatmentUnfit { .. } => Some("treatment".into()),
            Self::MoreThanAccepted { .. } | Self::AmountDiffers { .. } => Some("amount".into()),
            _ => None,
        }
    }

    /// What class of answer it is.
    #[must_use]
    #[allow(clippy::wildcard_enum_match_arm, reason = "most rejections are one of state")]
    pub fn kind(&self) -> RejectionKind {
        match self {
            Self::UnknownOrder
            | Self::UnknownShipment(_)
            | Self::UnknownDiscrepancy(_)
            | Self::UnknownProposal(_)
            | Self::UnknownSubstitution(_)
            | Self::UnknownInvoice(_)
            | Self::UnknownSlip(_) => RejectionKind::NotFound,
            Self::DifferentContent(_) => RejectionKind::AlreadyExists,
            Self::UnknownLine { .. }
            | Self::NotInShipment { .. }
            | Self::FindingMissing { .. }
            | Self::TimeOutOfRange { .. }
            | Self::DescriptionMissing
            | Self::Overflow => RejectionKind::InvalidArgument,
            _ => RejectionKind::FailedPrecondition,
        }
    }
}
