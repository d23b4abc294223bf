//! The requirements on clocks, one by one, against the profiles that ship.

use std::collections::{BTreeMap, BTreeSet};

use contracts::sla::{Condition, Consequence, ConsequenceKind, DutyPeriod, Pattern};

use super::shipped;
use crate::{
    calendar::{Span, Unit},
    policy::{Policy, Profile, Schedule, Target},
};

/// What is promised, in the words of the requirements.
#[derive(Debug, Clone, PartialEq)]
enum Promised {
    /// So much time, and no more by the contract.
    Within(u32, Unit),
    /// So much by our own word, so much by the contract.
    BetterThan(u32, Unit, (u32, Unit)),
    /// Until a moment that the starting event holds.
    UntilThen,
    /// Such a share of the time of a calendar, in hundredths of a percent.
    Available(u32, &'static str),
    /// So often in each period of the calendar.
    Each(u32, DutyPeriod),
    /// So often in each of so many periods after an event.
    EachAfter(u32, u32, (u32, Unit)),
}

use Promised::{Available, BetterThan, Each, EachAfter, UntilThen, Within};

/// The rows of the requirements' tables whose number or period is theirs (sections 9.1 and 9.4): profile, clock,
/// promise.
const NUMBERED: [(&str, &str, &str, Promised); 87] = [
    ("SLC-01", "emall-default", "return-response", Within(2, Unit::Hours)),
    ("SLC-02", "emall-default", "no-reason-window", Within(7, Unit::Days)),
    ("SLC-03", "emall-default", "remedy-window", UntilThen),
    // "in the shortest time": the number is ours
    ("SLC-04", "emall-default", "answer", Within(4, Unit::Hours)),
    ("SLC-05", "emall-default", "chase", Within(24, Unit::Hours)),
    ("SLC-06", "emall-default", "parcel-window", Within(15, Unit::Days)),
    ("SLC-07", "generic-24h", "respond", Within(24, Unit::Hours)),
    ("SLC-08", "equipment-24-6-48", "respond", Within(24, Unit::Hours)),
    ("SLC-09", "equipment-24-6-48", "remote", Within(6, Unit::Hours)),
    ("SLC-10", "equipment-24-6-48", "dispatch", Within(48, Unit::Hours)),
    ("SLC-11", "equipment-24-6-48", "training", Within(5, Unit::WorkingDays)),
    ("SLC-12", "equipment-24-6-48", "hotline", Available(10_000, "24x7")),
    ("SLC-13", "materials-1h", "respond", Within(1, Unit::Hours)),
    ("SLC-13", "materials-1h", "ticket-respond", Within(1, Unit::Hours)),
    ("SLC-14", "materials-1h", "on-site", BetterThan(12, Unit::Hours, (24, Unit::Hours))),
    ("SLC-14", "materials-1h", "ticket-on-site", BetterThan(12, Unit::Hours, (24, Unit::Hours))),
    ("SLC-15", "materials-1h", "resolve", Within(48, Unit::Hours)),
    ("SLC-15", "materials-1h", "ticket-resolve", Within(48, Unit::Hours)),
    ("SLC-16", "materials-1h", "guarantee-minimum", Within(3, Unit::Months)),
    ("SLC-17", "goods-2-24", "respond", Within(2, Unit::Hours)),
    ("SLC-18", "goods-2-24", "on-site", Within(24, Unit::Hours)),
    ("SLC-19", "engineering-2y", "warranty", Within(2, Unit::Years)),
    ("SLC-19", "system-half-hour", "warranty", Within(2, Unit::Years)),
    ("SLC-20", "engineering-2y", "on-site", Within(2, Unit::Hours)),
    ("SLC-21", "engineering-2y", "visits", EachAfter(2, 2, (1, Unit::Years))),
    ("SLC-22", "engineering-2y", "first-visit", Within(6, Unit::Months)),
    ("SLC-23", "engineering-2y", "warranty-card", Within(1, Unit::Months)),
    ("SLC-24", "engineering-2y", "record-retention", Within(5, Unit::Years)),
    ("SLC-25", "luminaire-24-48-72", "guarantee", Within(2, Unit::Years)),
    ("SLC-26", "luminaire-24-48-72", "spare-shelf", Within(5, Unit::Years)),
    ("SLC-27", "luminaire-24-48-72", "guarantee-repair", Within(24, Unit::Hours)),
    ("SLC-28", "luminaire-24-48-72", "defect-on-site", Within(24, Unit::Hours)),
    ("SLC-29", "luminaire-24-48-72", "defect-plan", Within(48, Unit::Hours)),
    ("SLC-30", "luminaire-24-48-72", "defect-replaced", Within(72, Unit::Hours)),
    ("SLC-31", "luminaire-24-48-72", "latent-defects", Within(24, Unit::Months)),
    ("SLC-32", "luminaire-24-48-72", "emergency", Within(24, Unit::Hours)),
    ("SLC-33", "luminaire-24-48-72", "repairer-sent", Within(24, Unit::Hours)),
    ("SLC-34", "luminaire-24-48-72", "tour", Each(1, DutyPeriod::Month)),
    ("SLC-35", "luminaire-24-48-72", "visit", Each(1, DutyPeriod::Month)),
    ("SLC-36", "luminaire-24-48-72", "cause-found", Within(24, Unit::Hours)),
    ("SLC-37", "clothing-return", "return-window", Within(7, Unit::Days)),
    ("SLC-37", "clothing-return", "order-return-window", Within(7, Unit::Days)),
    ("SLC-38", "luminaire-30min", "respond", Within(30, Unit::Minutes)),
    ("SLC-39", "luminaire-30min", "site-support", Available(10_000, "24x7")),
    ("SLC-40", "luminaire-30min", "availability", Available(9_900, "24x7")),
    ("SLC-41", "luminaire-30min", "tour", Each(2, DutyPeriod::Year)),
    ("SLC-42", "dealer-3bao", "voucher-card", Within(20, Unit::Days)),
    ("SLC-43", "dealer-3bao", "dealer-arrangement", Within(2, Unit::Hours)),
    ("SLC-44", "dealer-3bao", "company-arrangement", Within(2, Unit::Hours)),
    ("SLC-45", "dealer-3bao", "department-arrangement", Within(2, Unit::Hours)),
    ("SLC-46", "dealer-3bao", "implementation-check", Within(4, Unit::Hours)),
    // 30 days before a date, two dates of the year, two operating periods: whoever knows them says so
    ("SLC-47", "dealer-3bao", "parts-plan", UntilThen),
    ("SLC-48", "dealer-3bao", "old-part", UntilThen),
    ("SLC-49", "dealer-3bao", "unsold-stock", UntilThen),
    ("SLC-50", "landscape", "dispatch", Within(2, Unit::Days)),
    ("SLC-51", "landscape", "emergency", Within(2, Unit::Hours)),
    ("SLC-52", "landscape", "plant-care", Within(2, Unit::Years)),
    ("SLC-53", "doors-2y", "guarantee", Within(2, Unit::Years)),
    ("SLC-54", "system-half-hour", "respond", Within(30, Unit::Minutes)),
    ("SLC-55", "system-half-hour", "on-site", Within(2, Unit::Hours)),
    ("SLC-56", "system-half-hour", "resolve", Within(4, Unit::Hours)),
    ("SLC-57", "network-levels", "interruption", Within(10, Unit::Minutes)),
    ("SLC-58", "network-levels", "tour-report", Within(3, Unit::WorkingDays)),
    ("SLC-59", "software-4level", "visit", Each(1, DutyPeriod::Quarter)),
    // when is not said: the number is ours
    ("SLC-60", "food-delivery", "visit", Within(3, Unit::WorkingDays)),
    ("SLC-61", "local-3y", "warranty", Within(3, Unit::Years)),
    ("SLC-62", "local-3y", "on-site", Within(2, Unit::Hours)),
    ("SLC-63", "local-3y", "cured", Within(1, Unit::Days)),
    ("SLC-64", "local-3y", "calibration", EachAfter(1, 4, (1, Unit::Years))),
    ("SLC-65", "local-3y", "event-support", Available(10_000, "24x7")),
    ("SLC-66", "local-3y", "hotline", Available(10_000, "24x7")),
    ("SLC-67", "local-3y", "site-experts", Available(10_000, "5x8")),
    ("SLC-68", "local-3y", "application-care", Within(3, Unit::Years)),
    ("SLC-69", "luminaire-30min", "guidance", Available(10_000, "24x7")),
    ("SLC-70", "luminaire-24-48-72", "support", Available(10_000, "24x7")),
    ("SLC-71", "landscape", "safety-patrol", Available(10_000, "24x7")),
    // reports and controls (section 9.4)
    ("SLC-102", "supplier-duties", "part-orders", Each(1, DutyPeriod::WorkingDay)),
    ("SLC-103", "supplier-duties", "verified-daily-tables", Each(1, DutyPeriod::Week)),
    ("SLC-104", "supplier-duties", "parts-and-dealer-accounts", Each(1, DutyPeriod::Month)),
    ("SLC-105", "supplier-duties", "parts-and-profit", Each(1, DutyPeriod::Month)),
    ("SLC-106", "supplier-duties", "quality-feedback", Each(1, DutyPeriod::Month)),
    ("SLC-107", "supplier-duties", "stocktaking", Each(1, DutyPeriod::Month)),
    ("SLC-108", "supplier-duties", "supplier-ledger", Each(1, DutyPeriod::Month)),
    ("SLC-109", "supplier-duties", "outlet-accounts", Each(1, DutyPeriod::Month)),
    ("SLC-110", "supplier-duties", "progress", Each(1, DutyPeriod::Week)),
    ("SLC-111", "supplier-duties", "month-plan", Each(1, DutyPeriod::Month)),
    ("SLC-111", "supplier-duties", "year-plan", Each(1, DutyPeriod::Year)),
];

/// The rows whose number the user sets in each case, or which have an adjective instead of one, or an interval
/// that is for us to say (sections 9.2, 9.3 and 9.5): the numbers are ours.
const BY_DEFAULT: [(&str, &str, &str, Promised); 48] = [
    ("SLC-72", "emall-default", "replace", UntilThen),
    ("SLC-73", "emall-default", "refund", UntilThen),
    ("SLC-74", "emall-default", "substitute", Within(5, Unit::WorkingDays)),
    ("SLC-75", "emall-default", "deliver", UntilThen),
    ("SLC-76", "emall-default", "complaint-close", UntilThen),
    ("SLC-77", "emall-default", "escalated-reply", Within(24, Unit::Hours)),
    ("SLC-78", "materials-1h", "free-service", UntilThen),
    ("SLC-79", "ticket-generic", "on-site", Within(24, Unit::Hours)),
    ("SLC-80", "purchase-service", "closure", Within(5, Unit::WorkingDays)),
    ("SLC-81", "purchase-service", "reply", Within(24, Unit::Hours)),
    ("SLC-82", "emall-default", "pick-up", Within(1, Unit::WorkingDays)),
    ("SLC-83", "emall-default", "discontinuation-notice", Within(4, Unit::Hours)),
    ("SLC-84", "emall-default", "representative", Within(2, Unit::Hours)),
    ("SLC-85", "emall-default", "freshness", Within(1, Unit::WorkingDays)),
    ("SLC-86", "supplier-duties", "link-check", Each(1, DutyPeriod::Week)),
    ("SLC-87", "emall-default", "network-fault", Within(4, Unit::Hours)),
    ("SLC-88", "emall-default", "letter", Within(30, Unit::Minutes)),
    ("SLC-89", "emall-default", "closing-notice", Within(30, Unit::Minutes)),
    ("SLC-90", "emall-default", "change-notice", Within(30, Unit::Minutes)),
    ("SLC-91", "emall-default", "execution", Within(30, Unit::Minutes)),
    ("SLC-92", "emall-default", "decision-maker", Within(2, Unit::Hours)),
    ("SLC-93", "emall-default", "damage-compensation", Within(24, Unit::Hours)),
    ("SLC-94", "emall-default", "damage-notice", Within(24, Unit::Hours)),
    ("SLC-95", "emall-default", "batch-notice", Within(24, Unit::Hours)),
    ("SLC-96", "emall-default", "recall", Within(24, Unit::Hours)),
    ("SLC-97", "emall-default", "follow-up", Within(7, Unit::Days)),
    ("SLC-97", "emall-default", "follow-up-escalated", Within(1, Unit::WorkingDays)),
    ("SLC-98", "engineering-2y", "emergency", Within(1, Unit::Hours)),
    ("SLC-99", "dealer-3bao", "urgent", Within(30, Unit::Minutes)),
    ("SLC-100", "equipment-24-6-48", "repair-or-loan", Within(4, Unit::Hours)),
    ("SLC-101", "goods-2-24", "replace", Within(1, Unit::WorkingDays)),
    ("SLC-112", "supplier-duties", "sales-data", Each(1, DutyPeriod::Month)),
    ("SLC-113", "supplier-duties", "complaint-statistics", Each(1, DutyPeriod::Month)),
    ("SLC-114", "supplier-duties", "complaint-review", Each(1, DutyPeriod::Quarter)),
    ("SLC-115", "purchase-service", "supplier-sampling", Each(1, DutyPeriod::Quarter)),
    ("SLC-116", "purchase-service", "supplier-assessment", Each(1, DutyPeriod::Quarter)),
    ("SLC-117", "engineering-2y", "tour", EachAfter(1, 8, (3, Unit::Months))),
    ("SLC-117", "equipment-24-6-48", "tour", Each(1, DutyPeriod::Quarter)),
    ("SLC-117", "network-levels", "tour", Each(1, DutyPeriod::Quarter)),
    ("SLC-118", "supplier-duties", "satisfaction-survey", Each(1, DutyPeriod::Quarter)),
    ("SLC-119", "dealer-3bao", "dealer-training", Each(1, DutyPeriod::Quarter)),
    ("SLC-119", "equipment-24-6-48", "user-training", Each(1, DutyPeriod::Quarter)),
    ("SLC-119", "supplier-duties", "staff-training", Each(1, DutyPeriod::Quarter)),
    ("SLC-120", "supplier-duties", "team-assessment", Each(1, DutyPeriod::Quarter)),
    ("SLC-121", "supplier-duties", "spot-stocktaking", Each(1, DutyPeriod::Quarter)),
    ("SLC-122", "emall-default", "dispatch", Within(48, Unit::Hours)),
    ("SLC-123", "doors-2y", "manager-visit", Within(3, Unit::Months)),
    ("SLC-123", "doors-2y", "manager-appraisal", Within(5, Unit::WorkingDays)),
];

/// What a policy promises.
fn promised(policy: &Policy) -> Promised {
    let amount = |span: Span| (span.amount, span.unit);
    if let Some(duty) = &policy.duty {
        return match duty.schedule {
            Schedule::Calendar(period) => Each(duty.times_per_period, period),
            Schedule::Anchored { every, times } => {
                EachAfter(duty.times_per_period, times, amount(every))
            }
        };
    }
    let span = |target: &Option<Target>| target.as_ref().and_then(|target| target.span).map(amount);
    match (span(&policy.committed), span(&policy.contractual)) {
        (Some((count, unit)), None) => Within(count, unit),
        (Some((count, unit)), Some(contract)) => BetterThan(count, unit, contract),
        (None, _) if policy.committed.is_some() => UntilThen,
        (None, _) => Available(
            policy.availability,
            match policy.calendar.as_str() {
                "24x7" => "24x7",
                "5x8" => "5x8",
                _ => "another",
            },
        ),
    }
}

/// Who serves each requirement: profile and clock.
fn served(profiles: &[Profile]) -> BTreeMap<&str, BTreeSet<(&str, &str)>> {
    let mut served: BTreeMap<&str, BTreeSet<_>> = BTreeMap::new();
    for profile in profiles {
        for policy in &profile.policies {
            for id in &policy.serves {
                served.entry(id).or_default().insert((profile.name.as_str(), policy.name.as_str()));
            }
        }
    }
    served
}

#[test]
fn every_row_is_served_by_a_profile() {
    let (profiles, ledger) = (shipped(), include_str!("../../../../../docs/requirements.md"));
    let served = served(&profiles);
    let rows = (1..=123).map(|number| format!("SLC-{number:02}"));
    let left: Vec<String> = rows.filter(|row| !served.contains_key(row.as_str())).collect();
    assert_eq!(left, [""; 0], "rows that no profile serves");
    for (id, by) in &served {
        assert!(
            ledger.contains(&format!("\n| {id} | ")),
            "{by:?} serve {id}, which is no requirement"
        );
    }
}

/// Looks for each row of a table in the profiles that ship; the rows are those with these numbers.
fn check(table: &[(&str, &str, &str, Promised)], rows: impl IntoIterator<Item = u32>) {
    let profiles = shipped();
    let served = served(&profiles);
    let mut expected: BTreeMap<&str, BTreeSet<(&str, &str)>> = BTreeMap::new();
    for (id, profile, clock, number) in table {
        expected.entry(id).or_default().insert((profile, clock));
        assert_eq!(
            promised(policy(&profiles, profile, clock)),
            *number,
            "{id}: {profile}, {clock}"
        );
    }
    for (id, clocks) in &expected {
        assert_eq!(served[id], *clocks, "{id} is served by these and no others");
    }
    let rows: BTreeSet<String> = rows.into_iter().map(|row| format!("SLC-{row:02}")).collect();
    assert!(expected.keys().copied().eq(rows.iter().map(String::as_str)), "{rows:?}");
}

fn policy<'a>(profiles: &'a [Profile], profile: &str, clock: &str) -> &'a Policy {
    let found = profiles.iter().find(|found| found.name == profile).unwrap();
    found.policy(clock).unwrap_or_else(|| panic!("{profile} has no {clock}"))
}

#[test]
fn every_numbered_row_ships_in_a_profile_with_its_number() {
    check(&NUMBERED, (1..=71).chain(102..=111));
}

#[test]
fn every_row_without_a_number_has_one_by_default_or_asks_for_it() {
    check(&BY_DEFAULT, (72..=101).chain(112..=123));
}

#[test]
fn a_deadline_that_the_user_sets_comes_with_the_event_that_starts_the_clock() {
    let profiles = shipped();
    for (id, profile, clock, _) in
        BY_DEFAULT.iter().filter(|(id, ..)| ("SLC-72"..="SLC-81").contains(id))
    {
        let committed = policy(&profiles, profile, clock).committed.as_ref().unwrap();
        assert!(committed.set_by_user, "{id}: {profile}, {clock}");
    }
    assert_eq!(policy(&profiles, "emall-default", "replace").told.extend.len(), 1, "by consent");
}

#[test]
fn a_limit_of_our_own_is_judged_and_that_of_the_contract_stands_behind_it() {
    let profiles = shipped();
    for clock in ["on-site", "ticket-on-site"] {
        let policy = policy(&profiles, "materials-1h", clock);
        assert_eq!(promised(policy), BetterThan(12, Unit::Hours, (24, Unit::Hours)));
        assert!(policy.consequences.iter().all(|consequence| consequence.on_contractual_limit));
    }
}

#[test]
fn every_consequence_of_the_requirements_follows_from_a_clock() {
    let profiles = shipped();
    for (profile, clock, kind) in [
        ("emall-default", "return-response", ConsequenceKind::CostsBorne),
        ("emall-default", "pick-up", ConsequenceKind::CostsBorne),
        ("emall-default", "chase", ConsequenceKind::Penalty),
        ("emall-default", "complaint-close", ConsequenceKind::ComplaintUpgrade),
        ("emall-default", "representative", ConsequenceKind::UnilateralInspection),
        ("system-half-hour", "resolve", ConsequenceKind::LoanDeviceDue),
        ("luminaire-24-48-72", "repairer-sent", ConsequenceKind::BuyerSelfHelp),
        ("local-3y", "cured", ConsequenceKind::BuyerSelfHelp),
        ("dealer-3bao", "voucher-card", ConsequenceKind::ClaimNotRecognised),
        ("dealer-3bao", "old-part", ConsequenceKind::ClaimNotRecognised),
        ("dealer-3bao", "implementation-check", ConsequenceKind::ReportToLeader),
        ("dealer-3bao", "parts-plan", ConsequenceKind::DealerLiable),
        ("dealer-3bao", "unsold-stock", ConsequenceKind::DeemedSold),
        ("equipment-24-6-48", "remote", ConsequenceKind::NextStepDue),
        ("network-levels", "interruption", ConsequenceKind::FaultClassified),
        ("clothing-return", "return-window", ConsequenceKind::RightEnds),
    ] {
        let consequences = &policy(&profiles, profile, clock).consequences;
        assert!(
            consequences.iter().any(|found| found.kind() == kind),
            "{profile}, {clock}: {kind:?}"
        );
    }
    let [Consequence { minimum: Some(least), maximum: Some(most), .. }] =
        policy(&profiles, "emall-default", "chase").consequences.as_slice()
    else {
        panic!("a penalty has two amounts");
    };
    assert_eq!((least.minor_units, most.minor_units, &*most.currency), (1_000, 5_000, "CNY"));
}

/// The conditions of the first start of a clock.
fn conditions<'a>(profiles: &'a [Profile], profile: &str, clock: &str) -> &'a [Condition] {
    &policy(profiles, profile, clock).told.start[0].r#where
}

/// How many minutes a promise of minutes or hours has.
fn minutes(policy: &Policy) -> u32 {
    let span = policy.committed.as_ref().and_then(|target| target.span).unwrap();
    assert!(matches!(span.unit, Unit::Minutes | Unit::Hours), "{}: {span:?}", policy.name);
    if span.unit == Unit::Hours { span.amount * 60 } else { span.amount }
}

#[test]
fn each_level_of_a_fault_has_a_clock_of_its_own_and_more_time_than_the_one_above() {
    let profiles = shipped();
    for (profile, levels) in [("network-levels", 3), ("software-4level", 4)] {
        let mut before = 0;
        for level in 1..=levels {
            let clock = format!("respond-{level}");
            let [Condition { field, equals, .. }] = conditions(&profiles, profile, &clock) else {
                panic!("{profile} asks for the level alone");
            };
            assert_eq!((field.as_str(), equals), ("severity", &vec![format!("SEVERITY_{level}")]));
            let limit = minutes(policy(&profiles, profile, &clock));
            assert!(limit > before, "{profile}, {clock}");
            before = limit;
        }
    }
}

#[test]
fn an_emergency_has_a_clock_of_its_own_and_less_time() {
    let profiles = shipped();
    for (profile, emergency, otherwise) in [
        ("engineering-2y", "emergency", "on-site"),
        ("dealer-3bao", "urgent", "company-arrangement"),
    ] {
        let asks = conditions(&profiles, profile, emergency).iter().any(|condition| {
            condition.field == "emergency" && condition.equals == ["true"] && !condition.negate
        });
        assert!(asks, "{profile}");
        let plain = policy(&profiles, profile, otherwise);
        assert!(minutes(policy(&profiles, profile, emergency)) < minutes(plain), "{profile}");
    }
}

#[test]
fn below_half_satisfaction_a_project_manager_is_appraised() {
    let profiles = shipped();
    let [Condition { field, above: Some(49), negate: true, .. }] =
        conditions(&profiles, "doors-2y", "manager-appraisal")
    else {
        panic!("another threshold");
    };
    assert_eq!(field, "percent");
    let consequences = &policy(&profiles, "doors-2y", "manager-appraisal").consequences;
    assert_eq!(consequences[0].kind(), ConsequenceKind::ManagerReplaced);
}

/// The last words of the names of some events.
fn events(patterns: &[Pattern]) -> Vec<&str> {
    patterns.iter().filter_map(|pattern| pattern.event.rsplit('.').next()).collect()
}

#[test]
fn several_clocks_run_on_one_case_at_once() {
    let profiles = shipped();
    for clock in ["respond", "on-site", "resolve"] {
        let told = &policy(&profiles, "system-half-hour", clock).told;
        assert_eq!(told.subject, ["ticket_id"], "{clock}");
        assert_eq!(events(&told.start), ["ServiceRequested"], "{clock}");
    }
}

#[test]
fn help_from_afar_is_due_before_the_first_reply_and_neither_waits_for_the_other() {
    let profiles = shipped();
    let of = |clock| policy(&profiles, "equipment-24-6-48", clock);
    assert_eq!(events(&of("respond").told.start), events(&of("remote").told.start));
    assert!(minutes(of("remote")) < minutes(of("respond")));
}

#[test]
fn whoever_was_sent_has_not_arrived() {
    let profiles = shipped();
    let stops = |profile, clock| events(&policy(&profiles, profile, clock).told.stop);
    assert_eq!(stops("equipment-24-6-48", "dispatch"), ["EngineerDispatched"]);
    assert_eq!(stops("landscape", "dispatch"), ["EngineerDispatched"]);
    assert_eq!(stops("materials-1h", "ticket-on-site"), ["EngineerArrived"]);
    assert_eq!(stops("local-3y", "on-site"), ["EngineerArrived"]);
}

#[test]
fn the_slip_of_a_vendor_is_followed_until_it_is_here() {
    let profiles = shipped();
    let slip = policy(&profiles, "purchase-service", "vendor-slip");
    assert_eq!(promised(slip), Within(3, Unit::WorkingDays));
    assert_eq!(events(&slip.told.stop), ["VendorSlipReceived"]);
}
