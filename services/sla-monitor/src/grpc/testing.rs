//! What the tests share: policies and facts by hand, and a log in a folder of its own.

use std::{sync::Arc, sync::LazyLock};

use chassis::Desk;
use contracts::sla::{
    Binding, Clock as Row, ClockKind, ClockPolicy, Consequence, ConsequenceKind, EscalationStep,
    Fact, FactKind, Party, Pattern, Profile, Span, SpanUnit, SubjectPart, Target, Warning,
};
use eventlog::{
    Clock as _, Context, Log, LogOptions, ManualClock, Recorded as _,
    bus::{Bus, BusOptions},
    time::to_proto,
};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use prost::Message as _;

use super::CONTEXT;
use crate::{
    bindings::{self, Bindings},
    calendar::{Calendar, Days, Spec, official},
    calendars::{CalendarSeries, Holidays},
    clock::{About, Clock},
    hear::clock_id,
    policy,
    profile::ProfileSeries,
    rules::{RuleBook, first_calendars},
    timeline::Plan,
    written::first_notices,
};

/// A local time in China: `2026-03-02 10:00`.
pub(crate) fn at(local: &str) -> Timestamp {
    let local: DateTime = local.parse().unwrap();
    local.to_zoned(TimeZone::get("Asia/Shanghai").unwrap()).unwrap().timestamp()
}

/// Monday, 10:00: the time at which every test begins.
pub(crate) fn start() -> Timestamp {
    at("2026-03-02 10:00")
}

/// So many units.
pub(crate) fn span(amount: u32, unit: SpanUnit) -> Option<Span> {
    Some(Span { amount, unit: unit.into(), end_of_day: false })
}

/// A limit of so many hours.
pub(crate) fn hours(amount: u32) -> Option<Target> {
    Some(Target { span: span(amount, SpanUnit::Hours), field: String::new() })
}

/// An event of ordering, with the field that tells its time.
pub(crate) fn pattern(event: &str, at: &str) -> Pattern {
    let event = format!("emall.ordering.v1.{event}");
    Pattern { event, at: at.into(), ..Pattern::default() }
}

/// An order is confirmed within 2 hours, 4 by the contract; all that a clock can have is in it.
pub(crate) fn confirm() -> ClockPolicy {
    ClockPolicy {
        name: "confirm".into(),
        title: "Order confirmed".into(),
        serves: vec!["SLC-01".into()],
        kind: ClockKind::Promise.into(),
        subject: vec!["order_id".into()],
        start: vec![Pattern {
            subject: vec!["terms.order_id".into()],
            ..pattern("OrderPlaced", "terms.placed_at")
        }],
        pause: vec![Pattern {
            holder: Party::User.into(),
            reason: "a substitute was offered".into(),
            ..pattern("SubstitutionProposed", "proposed_at")
        }],
        resume: vec![
            pattern("SubstitutionAccepted", "accepted_at"),
            pattern("SubstitutionRefused", "refused_at"),
        ],
        stop: vec![pattern("OrderConfirmed", "confirmed_at")],
        cancel: vec![pattern("OrderCancelled", "cancelled_at")],
        extend: vec![Pattern {
            until: "deliver_by".into(),
            ..pattern("ShipmentPlanned", "planned_at")
        }],
        exempt: vec![pattern("ForceMajeureDeclared", "since")],
        exempt_end: vec![pattern("ForceMajeureLifted", "until")],
        committed: hours(2),
        contractual: hours(4),
        calendar: "24x7".into(),
        warnings: vec![Warning { percent: 50, before: None }],
        escalation: vec![
            EscalationStep { to: "head".into(), ..EscalationStep::default() },
            EscalationStep {
                to: "director".into(),
                after: span(1, SpanUnit::Hours),
                every: span(1, SpanUnit::Hours),
                times: 2,
            },
        ],
        consequences: vec![Consequence {
            kind: ConsequenceKind::ReportToLeader.into(),
            detail: "by the end of the day".into(),
            ..Consequence::default()
        }],
        ..ClockPolicy::default()
    }
}

/// A device is away until it is back; 99 % is promised.
pub(crate) fn outage() -> ClockPolicy {
    ClockPolicy {
        name: "outage".into(),
        title: "Parcel stands still".into(),
        kind: ClockKind::Outage.into(),
        subject: vec!["shipment_id".into()],
        start: vec![pattern("ParcelStalled", "stalled_at")],
        stop: vec![pattern("ShipmentArrived", "arrived_at")],
        calendar: "24x7".into(),
        repeats: true,
        availability: 9_900,
        ..ClockPolicy::default()
    }
}

/// A profile of these clocks.
pub(crate) fn profile(name: &str, clocks: impl IntoIterator<Item = ClockPolicy>) -> Profile {
    Profile {
        name: name.into(),
        title: format!("Profile {name}"),
        clocks: clocks.into_iter().collect(),
        duties: Vec::new(),
    }
}

/// The calendars that come with the product and the official days, compiled once.
static CALENDARS: LazyLock<Vec<Calendar>> = LazyLock::new(|| {
    let mut days = Days::new("CN");
    for notice in official() {
        days.adopt(notice).unwrap();
    }
    [Spec::round_the_clock(), Spec::office_hours(), Spec::working_days()]
        .iter()
        .map(|spec| Calendar::compile(spec, Some(&days)).unwrap())
        .collect()
});

/// One of them.
pub(crate) fn calendar(name: &str) -> Option<Calendar> {
    CALENDARS.iter().find(|calendar| calendar.name() == name).cloned()
}

/// The rules of the first clock or duty of a profile, which must be right.
pub(crate) fn plan(profile: &Profile) -> Plan {
    let checked = policy::check(profile, 1, |name| calendar(name).is_some()).unwrap();
    let policy = checked.policies[0].clone();
    let calendar = calendar(&policy.calendar).unwrap();
    Plan { policy, calendar }
}

/// A fact at a local time; its proof is named after both.
pub(crate) fn fact(kind: FactKind, local: &str) -> Fact {
    Fact {
        kind: kind.into(),
        at: Some(to_proto(at(local))),
        recorded_at: Some(to_proto(at(local))),
        evidence: format!("ORDERING/{}", local.replace([' ', '-', ':'], "")),
        ..Fact::default()
    }
}

/// What a clock of a case is about.
pub(crate) fn about(profile: &str, clock: &str, subject: (&str, &str), platform: &str) -> About {
    About {
        clock_id: clock_id(profile, clock, &[subject.1.to_owned()], ""),
        profile: profile.into(),
        clock: clock.into(),
        subject: vec![SubjectPart { name: subject.0.into(), value: subject.1.into() }],
        platform: platform.into(),
        ..About::default()
    }
}

/// A log on SQLite with the first calendars, gone with its folder, and the rules on it.
pub(crate) struct Bench {
    pub(crate) log: Log,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) book: RuleBook,
    /// Nobody answers on it.
    pub(crate) bus: Bus,
    folder: tempfile::TempDir,
}

/// A bench without profiles.
pub(crate) async fn bench() -> Bench {
    bench_with([]).await
}

/// A bench on which a profile of these clocks, `care`, counts for everybody, if there are any.
pub(crate) async fn bench_with(clocks: impl IntoIterator<Item = ClockPolicy>) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(start()));
    let log = Log::open(options(&folder, clock.clone())).await.unwrap();
    for calendar in first_calendars() {
        let publish = |known: &CalendarSeries| known.publish(&calendar, "teller", start());
        log.transact(&calendar.name, &context(start()), publish).await.unwrap();
    }
    for notice in first_notices() {
        let publish = |known: &Holidays| known.publish(&notice, "teller", start());
        log.transact(&notice.region, &context(start()), publish).await.unwrap();
    }
    let profile = profile("care", clocks);
    if !profile.clocks.is_empty() {
        publish(&log, &profile, start()).await;
        bind(&log, "care", "", start()).await;
    }
    // to open it takes longer than all of this
    let book = RuleBook::open(log.clone()).await.unwrap();
    let bus = Bus::connect(BusOptions::new(CONTEXT, "nats://127.0.0.1:1")).await.unwrap();
    Bench { log, clock, book, bus, folder }
}

fn context(now: Timestamp) -> Context {
    Context {
        actor: "teller".into(),
        platform: String::new(),
        causation: "test".into(),
        traceparent: String::new(),
        now,
    }
}

async fn publish(log: &Log, profile: &Profile, now: Timestamp) {
    let publish = |series: &ProfileSeries| series.publish(profile, series.version(), "teller", now);
    log.transact(&profile.name, &context(now), publish).await.unwrap();
}

async fn bind(log: &Log, profile: &str, platform: &str, now: Timestamp) {
    let (platform, profile) = (platform.to_owned(), profile.to_owned());
    let binding = Binding { platform, profile, ..Binding::default() };
    let bind = |known: &Bindings| known.bind(&binding, &Default::default(), "teller", now);
    log.transact(bindings::ID, &context(now), bind).await.unwrap();
}

fn options(folder: &tempfile::TempDir, clock: Arc<ManualClock>) -> LogOptions {
    let url = format!("sqlite://{}", folder.path().join("sla.db").display());
    LogOptions::new(CONTEXT, url).with_clock(clock)
}

impl Bench {
    pub(super) fn desk(&self) -> Desk {
        Desk::new(self.log.clone(), self.clock.clone(), CONTEXT)
    }

    /// How its log is opened.
    pub(crate) fn options(&self) -> LogOptions {
        options(&self.folder, self.clock.clone())
    }

    /// Publishes the next version of a profile.
    pub(crate) async fn publish(&self, profile: &Profile) {
        publish(&self.log, profile, self.clock.now()).await;
        self.book.reload().await.unwrap();
    }

    /// Lets a profile count for a platform, or for everybody.
    pub(crate) async fn bind(&self, profile: &str, platform: &str) {
        bind(&self.log, profile, platform, self.clock.now()).await;
        self.book.reload().await.unwrap();
    }

    /// The rules of a clock: those of its start, or the newest for one that has not started.
    async fn rules_of(&self, about: &About) -> Plan {
        let (rules, row) = (self.book.rules(), self.row(&about.clock_id).await);
        let version = row.map(|row| row.profile_version);
        let version = version.unwrap_or_else(|| rules.newest(&about.profile).unwrap().version);
        rules.plan(&about.profile, version, &about.clock).unwrap()
    }

    /// Tells a clock a fact.
    pub(crate) async fn note(&self, about: &About, fact: &Fact) {
        let plan = self.rules_of(about).await;
        let note = |clock: &Clock| clock.note(about, fact, &plan);
        self.log.transact(&about.clock_id, &context(self.clock.now()), note).await.unwrap();
    }

    /// Turns the clock of the bench to a local time, and has a clock say all that is due by then.
    pub(crate) async fn advance(&self, about: &About, local: &str) {
        self.clock.set(at(local));
        let plan = self.rules_of(about).await;
        let advance = |clock: &Clock| clock.advance(at(local), &plan);
        self.log.transact(&about.clock_id, &context(self.clock.now()), advance).await.unwrap();
    }

    /// Starts the clock `confirm` of an order of a platform, now.
    pub(crate) async fn placed(&self, platform: &str, order: &str) -> About {
        let about = about("care", "confirm", ("order_id", order), platform);
        let now = Some(to_proto(self.clock.now()));
        let start = Fact {
            kind: FactKind::Start.into(),
            at: now,
            recorded_at: now,
            evidence: format!("ORDERING/{order}"),
            event: "emall.ordering.v1.OrderPlaced".into(),
            ..Fact::default()
        };
        self.note(&about, &start).await;
        about
    }

    /// The row of a clock.
    pub(crate) async fn row(&self, id: &str) -> Option<Row> {
        let stored = self.log.get_row(Clock::KIND, id).await.unwrap()?;
        Some(Row::decode(stored.body).unwrap())
    }
}
