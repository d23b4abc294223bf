//! One order as all tests know it, and the commands that carry it from push to payment.
//!
//! Line 1: 6 units at 1,000, warranty from acceptance. Line 2: 4 units at 250, a main material to be
//! installed, warranty from installation. Freight 500, in all 7,500.

use chassis::When;
use contracts::{
    common::{Contact, Money as ProtoMoney, Sealed},
    ordering::{
        Buyer, CarrierScores, DiscrepancyKind, FrozenListing, LiableParty, LineFinding,
        LineQuantity, OrderDraft, OrderLine, Package, RejectionReason, SlipLine, TrackingScan,
        TrackingStatus, Treatment, WarrantyStart,
    },
};
use decider::Decision;
use eventlog::time::to_proto;
use jiff::{SignedDuration, Timestamp};

use crate::{
    config::Policy,
    order::{
        Currency, Digest, Draft, Event, Findings, Id, LineNo, Listing, Money, Name, Packages,
        Quantity, Rejection, Scores, SlipLines, Terms, Text, Units,
        command::{
            AcceptGoods, AnswerSubstitution, AnswerTreatment, AssignFollower, CancelOrder,
            ChooseCarrier, ConfirmLiability, ConfirmOrder, ConfirmPreOrder, DeclareForceMajeure,
            DeclineOrder, DispatchShipment, ExpirePreOrder, FileSignedSlip, FindStalled,
            InspectArrival, IssueInvoice, IssueRedInvoice, LiftForceMajeure, PackShipment,
            PlanShipment, PreOrder, Presence, ProposeSubstitution, ProposeTreatment, PushOrder,
            RecordInspection, RecordInstallation, RecordTracking, RejectGoods, ReleasePreOrder,
            ReportArrival, ReportDiscrepancy, RequestInvoice, ResolveDiscrepancy, Scan,
            SettleOrder, UnplanShipment,
        },
    },
};

/// A field, and a change to what it is in.
pub(crate) type Change<T> = (&'static str, fn(&mut T));

mod stories;

pub(crate) use stories::*;

pub(crate) type Decided = Decision<Event, Rejection>;

/// The moment the order was placed.
pub(crate) fn placed_at() -> Timestamp {
    "2026-03-02T08:00:00Z".parse().unwrap()
}

/// So many hours after the placement.
pub(crate) fn hour(hours: i64) -> Timestamp {
    placed_at() + SignedDuration::from_hours(hours)
}

/// The clock of most tests: four weeks after the placement.
pub(crate) fn now() -> Timestamp {
    hour(28 * 24)
}

pub(crate) fn at(hours: i64) -> When {
    When { now: now(), at: Some(hour(hours)) }
}

pub(crate) fn policy() -> Policy {
    Policy::default()
}

pub(crate) fn id(text: &str) -> Id {
    Id::parse(text).unwrap()
}

pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub(crate) fn text(words: &str) -> Text {
    Text::parse(words).unwrap()
}

pub(crate) fn cny(minor: i64) -> ProtoMoney {
    ProtoMoney { minor_units: minor, currency: "CNY".into() }
}

pub(crate) fn money(minor: i64) -> Money {
    Money::new(minor, Currency::parse("CNY").unwrap()).unwrap()
}

pub(crate) fn digest(letter: char) -> Digest {
    Digest::parse(&letter.to_string().repeat(64)).unwrap()
}

pub(crate) fn units(units: &[(u32, u32)]) -> Units {
    Units::parse(quantities(units), "lines").unwrap()
}

pub(crate) fn quantities(units: &[(u32, u32)]) -> Vec<LineQuantity> {
    units.iter().map(|&(line_no, quantity)| LineQuantity { line_no, quantity }).collect()
}

pub(crate) fn listing(line_no: u32) -> FrozenListing {
    let second = line_no == 2;
    FrozenListing {
        sku: format!("sku-{line_no}"),
        listing_version: "v7".into(),
        name: format!("product {line_no}"),
        brand: format!("brand {line_no}"),
        model: format!("model {line_no}"),
        specification: format!("specification {line_no}"),
        unit_price: Some(cny(if second { 250 } else { 1_000 })),
        clearance: false,
        warranty_months: 24,
        warranty_start: if second {
            WarrantyStart::Installation.into()
        } else {
            WarrantyStart::Acceptance.into()
        },
        main_material: second,
        requires_installation: second,
    }
}

pub(crate) fn draft() -> OrderDraft {
    OrderDraft {
        platform: "mall".into(),
        platform_order_no: "M-1".into(),
        buyer: Some(Buyer {
            buyer_id: "school-7".into(),
            name: "School No. 7".into(),
            ..Buyer::default()
        }),
        recipient: Some(Contact {
            name: "Li Lei".into(),
            phone: "13800000000".into(),
            address: "1 School Road".into(),
            ..Contact::default()
        }),
        placed_at: Some(to_proto(placed_at())),
        deliver_by: Some(to_proto(hour(14 * 24))),
        lines: vec![
            OrderLine { line_no: 1, listing: Some(listing(1)), quantity: 6 },
            OrderLine { line_no: 2, listing: Some(listing(2)), quantity: 4 },
        ],
        freight: Some(cny(500)),
        total: Some(cny(7_500)),
        contract_id: "contract-9".into(),
        ..OrderDraft::default()
    }
}

pub(crate) fn sealed(fingerprint: u8) -> Sealed {
    Sealed {
        person: "person-1".into(),
        nonce: vec![fingerprint; 24],
        ciphertext: vec![3; 40],
        fingerprint: vec![fingerprint; 16],
    }
}

pub(crate) fn terms_of(draft: OrderDraft) -> Terms {
    Draft::try_new(draft).unwrap().seal("order-1", sealed(1))
}

pub(crate) fn push() -> PushOrder {
    PushOrder { terms: terms_of(draft()), now: hour(1) }
}

pub(crate) fn pre_order() -> PreOrder {
    PreOrder { terms: terms_of(draft()), reserved_until: Some(hour(24)), now: hour(1) }
}

pub(crate) fn confirm_pre_order() -> ConfirmPreOrder {
    ConfirmPreOrder { when: at(2) }
}

pub(crate) fn release() -> ReleasePreOrder {
    ReleasePreOrder { reason: Some(text("budget")), when: at(3) }
}

pub(crate) fn expire() -> ExpirePreOrder {
    ExpirePreOrder { now: hour(24) }
}

pub(crate) fn confirm() -> ConfirmOrder {
    ConfirmOrder { when: at(4) }
}

pub(crate) fn decline() -> DeclineOrder {
    DeclineOrder { reason: text("out of production"), when: at(4) }
}

pub(crate) fn cancel(lines: Option<Units>) -> CancelOrder {
    CancelOrder {
        cancellation_id: id("cancel-1"),
        lines,
        reason: Some(text("not needed")),
        when: at(5),
    }
}

pub(crate) fn substitute(price: i64) -> FrozenListing {
    FrozenListing { sku: "sku-1b".into(), unit_price: Some(cny(price)), ..listing(1) }
}

pub(crate) fn propose_substitution() -> ProposeSubstitution {
    ProposeSubstitution {
        substitution_id: id("substitution-1"),
        line_no: LineNo::parse(1).unwrap(),
        substitute: Listing::parse(Some(substitute(900)), "substitute").unwrap(),
        reason: text("out of production"),
        when: at(4),
    }
}

pub(crate) fn answer_substitution(accepted: bool) -> AnswerSubstitution {
    let reason = (!accepted).then(|| text("the other one please"));
    AnswerSubstitution { substitution_id: id("substitution-1"), accepted, reason, when: at(5) }
}

pub(crate) fn declare_force_majeure() -> DeclareForceMajeure {
    DeclareForceMajeure { description: text("flood"), when: at(6) }
}

pub(crate) fn lift_force_majeure() -> LiftForceMajeure {
    LiftForceMajeure { when: at(30) }
}

pub(crate) fn follow() -> AssignFollower {
    AssignFollower { follower: name("Han Meimei"), when: at(2) }
}

pub(crate) fn inspect_goods(passed: bool) -> RecordInspection {
    RecordInspection {
        certificate_no: id("certificate-1"),
        lines: units(&[(1, 6), (2, 4)]),
        passed,
        inspector: name("Inspector Wang"),
        certificate_sha256: Some(digest('a')),
        remarks: None,
        when: at(10),
    }
}

pub(crate) fn plan(shipment_id: &str, lines: Option<Units>) -> PlanShipment {
    PlanShipment { shipment_id: id(shipment_id), lines, dispatch_by: None, when: at(11) }
}

pub(crate) fn unplan(shipment_id: &str) -> UnplanShipment {
    UnplanShipment {
        shipment_id: id(shipment_id),
        reason: Some(text("split otherwise")),
        when: at(12),
    }
}

pub(crate) fn choose_carrier(shipment_id: &str) -> ChooseCarrier {
    let scores = CarrierScores { safety: 5, punctuality: 4, service: 4, cost: 3 };
    ChooseCarrier {
        shipment_id: id(shipment_id),
        carrier: name("Swift"),
        freight: Some(money(300)),
        scores: Scores::parse(Some(scores), "scores").unwrap(),
        when: at(12),
    }
}

pub(crate) fn pack(shipment_id: &str) -> PackShipment {
    let package = Package {
        package_no: "box-1".into(),
        certificate_no: "certificate-1".into(),
        weight_grams: 1_200,
    };
    PackShipment {
        shipment_id: id(shipment_id),
        packages: Packages::parse(vec![package], "packages").unwrap(),
        when: at(13),
    }
}

pub(crate) fn dispatch(shipment_id: &str) -> DispatchShipment {
    DispatchShipment {
        shipment_id: id(shipment_id),
        waybill_no: id(&format!("waybill-{shipment_id}")),
        released_by: name("Seller Zhao"),
        loading_supervisor: None,
        when: at(14),
    }
}

pub(crate) fn scan(scan_id: &str, status: TrackingStatus, hours: i64) -> TrackingScan {
    TrackingScan {
        scan_id: scan_id.into(),
        status: status.into(),
        scanned_at: Some(to_proto(hour(hours))),
        place: "depot".into(),
        remark: String::new(),
    }
}

pub(crate) fn track(shipment_id: &str, scans: Vec<TrackingScan>) -> RecordTracking {
    let scans = scans.into_iter().map(|scan| Scan::parse(scan, "scans").unwrap()).collect();
    RecordTracking { shipment_id: id(shipment_id), scans, now: now() }
}

pub(crate) fn find_stalled() -> FindStalled {
    FindStalled { now: hour(14 + 48) }
}

pub(crate) fn arrive(shipment_id: &str) -> ReportArrival {
    ReportArrival { shipment_id: id(shipment_id), when: at(60) }
}

pub(crate) fn finding(line_no: u32, counted: u32, damaged: u32) -> LineFinding {
    LineFinding { line_no, counted, damaged, ..LineFinding::default() }
}

pub(crate) fn inspect(shipment_id: &str, findings: Vec<LineFinding>) -> InspectArrival {
    InspectArrival {
        shipment_id: id(shipment_id),
        presence: Presence::Joint { supplier_representative: name("Driver Sun") },
        user_representative: name("Teacher Qian"),
        procurement_supervisor: None,
        packaging_met: true,
        undamaged: true,
        list_matches: true,
        findings: Findings::parse(findings, "inspection.findings").unwrap(),
        when: at(61),
    }
}

pub(crate) fn slip_line(line_no: u32, quantity: u32) -> SlipLine {
    let sold = listing(line_no);
    SlipLine {
        line_no,
        quantity,
        brand: sold.brand,
        model: sold.model,
        specification: sold.specification,
    }
}

pub(crate) fn accept(shipment_id: &str, slip_no: &str, lines: &[(u32, u32)]) -> AcceptGoods {
    let lines = lines.iter().map(|&(line_no, quantity)| slip_line(line_no, quantity)).collect();
    AcceptGoods {
        shipment_id: id(shipment_id),
        slip_no: id(slip_no),
        lines: SlipLines::parse(lines, "lines").unwrap(),
        user_signature: name("Teacher Qian"),
        supplier_signature: Some(name("Driver Sun")),
        stock_entry_no: None,
        when: at(62),
    }
}

pub(crate) fn reject(shipment_id: &str, lines: &[(u32, u32)]) -> RejectGoods {
    RejectGoods {
        shipment_id: id(shipment_id),
        rejection_id: id("rejection-1"),
        lines: units(lines),
        reason: RejectionReason::Damaged,
        description: None,
        when: at(63),
    }
}

pub(crate) fn report(kind: DiscrepancyKind, line_no: u32, quantity: u32) -> ReportDiscrepancy {
    ReportDiscrepancy {
        shipment_id: id("s1"),
        discrepancy_id: id("discrepancy-1"),
        line_no: LineNo::parse(line_no).unwrap(),
        quantity: Quantity::parse(quantity).unwrap(),
        kind,
        description: text("dents"),
        evidence: vec![digest('b')],
        when: at(64),
    }
}

pub(crate) fn propose(treatment: Treatment) -> ProposeTreatment {
    ProposeTreatment {
        discrepancy_id: id("discrepancy-1"),
        treatment,
        explanation: None,
        when: at(65),
    }
}

pub(crate) fn answer(proposal_no: u32, approved: bool) -> AnswerTreatment {
    let reason = (!approved).then(|| text("we want another"));
    AnswerTreatment {
        discrepancy_id: id("discrepancy-1"),
        proposal_no,
        approved,
        reason,
        when: at(66),
    }
}

pub(crate) fn liability() -> ConfirmLiability {
    ConfirmLiability {
        discrepancy_id: id("discrepancy-1"),
        party: LiableParty::Carrier,
        user_representative: name("Teacher Qian"),
        supplier_representative: name("Driver Sun"),
        when: at(67),
    }
}

pub(crate) fn resolve() -> ResolveDiscrepancy {
    ResolveDiscrepancy { discrepancy_id: id("discrepancy-1"), when: at(68) }
}

pub(crate) fn install(shipment_id: &str) -> RecordInstallation {
    RecordInstallation {
        shipment_id: id(shipment_id),
        technician: name("Fitter Zhou"),
        when: at(70),
    }
}

pub(crate) fn file_slip(shipment_id: &str, slip_no: &str) -> FileSignedSlip {
    FileSignedSlip {
        shipment_id: id(shipment_id),
        slip_no: id(slip_no),
        sha256: digest('c'),
        when: at(71),
    }
}

pub(crate) fn request_invoice(invoice_id: &str, amount: Option<Money>) -> RequestInvoice {
    RequestInvoice {
        invoice_id: id(invoice_id),
        title: name("School No. 7"),
        tax_no: id("91310000XXXXXXXX"),
        amount,
        when: at(72),
    }
}

pub(crate) fn issue_invoice(invoice_id: &str) -> IssueInvoice {
    IssueInvoice { invoice_id: id(invoice_id), invoice_no: id("fp-1"), when: at(73) }
}

pub(crate) fn red_invoice(invoice_id: &str) -> IssueRedInvoice {
    IssueRedInvoice {
        invoice_id: id(invoice_id),
        red_invoice_no: id("red-1"),
        reason: text("wrong title"),
        when: at(74),
    }
}

pub(crate) fn settle(amount: i64) -> SettleOrder {
    SettleOrder {
        settlement_id: id("settlement-1"),
        amount: money(amount),
        payment_ref: id("bank-1"),
        when: at(80),
    }
}
