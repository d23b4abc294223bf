//! Lists and compound values of commands: what `command` carries beside single values.
//!
//! Invariant: a list that names lines names each at most once, and is not empty.

use std::collections::HashSet;

use contracts::ordering::{
    CarrierScores, FrozenListing, LineFinding, LineQuantity, Package, SlipLine, TrackingScan,
    TrackingStatus, WarrantyStart,
};
use eventlog::time::from_proto;

use super::{
    command::Scan,
    value::{Invalid, Money, Violations, check_text},
};

/// Most lines an order can have.
pub const MOST_LINES: usize = 500;

/// Most boxes a shipment can have.
const MOST_PACKAGES: usize = 1_000;

/// Longest guarantee, in months.
const LONGEST_WARRANTY: u32 = 1_200;

/// Collects what is wrong with a message, field by field.
#[derive(Debug, Default)]
pub(super) struct Check(Violations);

impl Check {
    pub(super) fn wrong(&mut self, field: impl Into<String>, problem: impl ToString) {
        self.0.push((field.into(), problem.to_string()));
    }

    pub(super) fn require(&mut self, field: impl FnOnce() -> String, holds: bool, why: Invalid) {
        if !holds {
            self.wrong(field(), why);
        }
    }

    /// Text that may be left out.
    pub(super) fn text(&mut self, field: impl FnOnce() -> String, text: &str, longest: usize) {
        if let Err(invalid) = check_text(text, longest, false) {
            self.wrong(field(), invalid);
        }
    }

    /// Text that must be there.
    pub(super) fn required(&mut self, field: impl FnOnce() -> String, text: &str, longest: usize) {
        if text.trim().is_empty() {
            self.wrong(field(), Invalid::Missing);
        } else {
            self.text(field, text, longest);
        }
    }

    pub(super) fn done(self) -> Result<(), Violations> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }

    /// Numbers of lines: each positive and named once, from one line to the most there can be.
    fn line_nos(&mut self, path: &str, numbers: impl ExactSizeIterator<Item = u32>) {
        if !(1..=MOST_LINES).contains(&numbers.len()) {
            self.wrong(path, format!("must have 1 to {MOST_LINES} entries"));
            return;
        }
        let mut seen = HashSet::with_capacity(numbers.len());
        for (index, number) in numbers.enumerate() {
            let field = || format!("{path}[{index}].line_no");
            self.require(field, number > 0, Invalid::NotPositive);
            if !seen.insert(number) {
                self.wrong(field(), "is named twice");
            }
        }
    }
}

/// Units of lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Units(Vec<LineQuantity>);

impl Units {
    /// Takes a list from outside; `path` is its field, such as `lines`.
    ///
    /// # Errors
    /// The fields that are wrong.
    pub fn parse(list: Vec<LineQuantity>, path: &str) -> Result<Self, Violations> {
        let mut check = Check::default();
        check.line_nos(path, list.iter().map(|line| line.line_no));
        for (index, line) in list.iter().enumerate() {
            let field = || format!("{path}[{index}].quantity");
            check.require(field, line.quantity > 0, Invalid::NotPositive);
        }
        check.done().map(|()| Self(list))
    }

    /// The same, where no entry means everything.
    ///
    /// # Errors
    /// The fields that are wrong.
    pub fn parse_optional(list: Vec<LineQuantity>, path: &str) -> Result<Option<Self>, Violations> {
        if list.is_empty() { Ok(None) } else { Self::parse(list, path).map(Some) }
    }

    /// The units, in the caller's order.
    #[must_use]
    pub fn as_slice(&self) -> &[LineQuantity] {
        &self.0
    }
}

/// What was found for the lines of a shipment.
#[derive(Debug, Clone, PartialEq)]
pub struct Findings(Vec<LineFinding>);

impl Findings {
    /// Takes findings from outside; `path` is their field, such as `inspection.findings`.
    ///
    /// # Errors
    /// The fields that are wrong.
    pub fn parse(list: Vec<LineFinding>, path: &str) -> Result<Self, Violations> {
        let mut check = Check::default();
        check.line_nos(path, list.iter().map(|finding| finding.line_no));
        for (index, finding) in list.iter().enumerate() {
            let field = |name| move || format!("{path}[{index}].{name}");
            if finding.damaged > finding.counted {
                check.wrong(field("damaged")(), "is more than was counted");
            }
            check.text(field("brand"), &finding.brand, 200);
            check.text(field("model"), &finding.model, 200);
            check.text(field("specification"), &finding.specification, 1_000);
        }
        check.done().map(|()| Self(list))
    }

    /// The findings, in the caller's order.
    #[must_use]
    pub fn as_slice(&self) -> &[LineFinding] {
        &self.0
    }
}

/// The lines of a signed slip.
#[derive(Debug, Clone, PartialEq)]
pub struct SlipLines(Vec<SlipLine>);

impl SlipLines {
    /// Takes a slip from outside; `path` is its field, such as `lines`.
    ///
    /// # Errors
    /// The fields that are wrong.
    pub fn parse(list: Vec<SlipLine>, path: &str) -> Result<Self, Violations> {
        let mut check = Check::default();
        check.line_nos(path, list.iter().map(|line| line.line_no));
        for (index, line) in list.iter().enumerate() {
            let field = |name| move || format!("{path}[{index}].{name}");
            check.require(field("quantity"), line.quantity > 0, Invalid::NotPositive);
            check.text(field("brand"), &line.brand, 200);
            check.text(field("model"), &line.model, 200);
            check.text(field("specification"), &line.specification, 1_000);
        }
        check.done().map(|()| Self(list))
    }

    /// The lines, in the caller's order.
    #[must_use]
    pub fn as_slice(&self) -> &[SlipLine] {
        &self.0
    }
}

/// The boxes of a shipment, each with its certificate (ORD-17).
#[derive(Debug, Clone, PartialEq)]
pub struct Packages(Vec<Package>);

impl Packages {
    /// Takes boxes from outside; `path` is their field, such as `packages`.
    ///
    /// # Errors
    /// The fields that are wrong.
    pub fn parse(list: Vec<Package>, path: &str) -> Result<Self, Violations> {
        let mut check = Check::default();
        if !(1..=MOST_PACKAGES).contains(&list.len()) {
            check.wrong(path, format!("must have 1 to {MOST_PACKAGES} entries"));
            return check.done().map(|()| Self(list));
        }
        let mut seen = HashSet::with_capacity(list.len());
        for (index, package) in list.iter().enumerate() {
            let field = |name| move || format!("{path}[{index}].{name}");
            check.required(field("package_no"), &package.package_no, 64);
            check.required(field("certificate_no"), &package.certificate_no, 64);
            check.require(field("weight_grams"), package.weight_grams > 0, Invalid::NotPositive);
            if !seen.insert(package.package_no.as_str()) {
                check.wrong(field("package_no")(), "is named twice");
            }
        }
        check.done().map(|()| Self(list))
    }

    /// The boxes, in the caller's order.
    #[must_use]
    pub fn as_slice(&self) -> &[Package] {
        &self.0
    }
}

/// Marks of a carrier by the four criteria, each from 1 (poor) to 5 (good).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scores(CarrierScores);

impl Scores {
    /// Takes marks from outside; `path` is their field, such as `scores`.
    ///
    /// # Errors
    /// The fields that are wrong.
    pub fn parse(scores: Option<CarrierScores>, path: &str) -> Result<Self, Violations> {
        let mut check = Check::default();
        let Some(scores) = scores else {
            check.wrong(path, Invalid::Missing);
            return check.done().map(|()| Self(CarrierScores::default()));
        };
        for (name, mark) in [
            ("safety", scores.safety),
            ("punctuality", scores.punctuality),
            ("service", scores.service),
            ("cost", scores.cost),
        ] {
            let field = || format!("{path}.{name}");
            check.require(field, (1..=5).contains(&mark), Invalid::OffScale(1, 5));
        }
        check.done().map(|()| Self(scores))
    }

    /// The marks.
    #[must_use]
    pub fn get(&self) -> CarrierScores {
        self.0
    }
}

/// A listing with a name, a price and a warranty that can be.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing(FrozenListing);

impl Listing {
    /// Takes a listing from outside; `path` is its field, such as `substitute`.
    ///
    /// # Errors
    /// The fields that are wrong.
    pub fn parse(listing: Option<FrozenListing>, path: &str) -> Result<Self, Violations> {
        let mut check = Check::default();
        let mut listing = listing.unwrap_or_default();
        check_listing(&mut check, &mut listing, &|| path.to_owned());
        check.done().map(|()| Self(listing))
    }

    /// The listing.
    #[must_use]
    pub fn get(&self) -> &FrozenListing {
        &self.0
    }
}

/// Checks a listing and says what its defaults mean; answers its price when that is one.
pub(super) fn check_listing(
    check: &mut Check,
    listing: &mut FrozenListing,
    path: &dyn Fn() -> String,
) -> Option<Money> {
    let field = |name: &'static str| move || path() + "." + name;
    check.required(field("sku"), &listing.sku, 64);
    check.text(field("listing_version"), &listing.listing_version, 64);
    check.required(field("name"), &listing.name, 500);
    check.text(field("brand"), &listing.brand, 200);
    check.text(field("model"), &listing.model, 200);
    check.text(field("specification"), &listing.specification, 1_000);
    let months = listing.warranty_months <= LONGEST_WARRANTY;
    check.require(field("warranty_months"), months, Invalid::OffScale(0, LONGEST_WARRANTY));
    match WarrantyStart::try_from(listing.warranty_start) {
        Ok(WarrantyStart::Unspecified) => listing.set_warranty_start(WarrantyStart::Acceptance),
        Ok(
            WarrantyStart::Acceptance
            | WarrantyStart::SignedReport
            | WarrantyStart::Installation
            | WarrantyStart::Delivery,
        ) => {}
        Err(_) => check.wrong(field("warranty_start")(), "is not known"),
    }
    let Some(price) = &listing.unit_price else {
        check.wrong(field("unit_price")(), Invalid::Missing);
        return None;
    };
    match Money::parse(price) {
        Ok(price) => Some(price),
        Err((inner, invalid)) => {
            check.wrong(path() + ".unit_price." + inner, invalid);
            None
        }
    }
}

impl Scan {
    /// Takes a scan from outside; `path` is its field, such as `scans[3]`.
    ///
    /// # Errors
    /// The fields that are wrong.
    pub fn parse(scan: TrackingScan, path: &str) -> Result<Self, Violations> {
        let mut check = Check::default();
        let field = |name: &'static str| move || format!("{path}.{name}");
        check.required(field("scan_id"), &scan.scan_id, 64);
        check.text(field("place"), &scan.place, 200);
        check.text(field("remark"), &scan.remark, 500);
        match TrackingStatus::try_from(scan.status) {
            Ok(TrackingStatus::Unspecified) => check.wrong(field("status")(), Invalid::Missing),
            Ok(
                TrackingStatus::PickedUp
                | TrackingStatus::InTransit
                | TrackingStatus::OutForDelivery
                | TrackingStatus::AttemptFailed
                | TrackingStatus::AvailableForPickup
                | TrackingStatus::Delivered
                | TrackingStatus::Refused
                | TrackingStatus::Returning
                | TrackingStatus::Exception,
            ) => {}
            Err(_) => check.wrong(field("status")(), "is not known"),
        }
        match &scan.scanned_at {
            None => check.wrong(field("scanned_at")(), Invalid::Missing),
            Some(at) if from_proto(at).is_none() => {
                check.wrong(field("scanned_at")(), "is no moment that can be");
            }
            Some(_) => {}
        }
        check.done().map(|()| Self(scan))
    }
}
