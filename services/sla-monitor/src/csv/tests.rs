use chassis::testing::csv_cells;
use contracts::sla::{ClockState, Fact, FactKind, HeldTime, Party, SubjectPart};
use eventlog::time::to_proto;
use jiff::SignedDuration;

use super::*;
use crate::{grpc::testing::at as local, ledger::duration};

fn part(name: &str, value: &str) -> SubjectPart {
    SubjectPart { name: name.into(), value: value.into() }
}

fn clock() -> Clock {
    let fact = |kind: FactKind, time: &str, evidence: &str| Fact {
        kind: kind.into(),
        at: Some(to_proto(local(time))),
        evidence: evidence.into(),
        ..Fact::default()
    };
    Clock {
        clock_id: "id-1".into(),
        profile: "care".into(),
        clock: "confirm".into(),
        subject: vec![part("order_id", "o-1"), part("shipment_id", "s-1")],
        platform: "mall".into(),
        state: ClockState::Stopped.into(),
        holder: Party::Supplier.into(),
        started_at: Some(to_proto(local("2026-03-02 10:00"))),
        ended_at: Some(to_proto(local("2026-03-02 13:00"))),
        committed: Some(Limit {
            due_at: Some(to_proto(local("2026-03-02 12:00"))),
            breach: BreachState::Declared.into(),
            breached_at: Some(to_proto(local("2026-03-02 12:00"))),
            overrun: Some(duration(SignedDuration::from_hours(1))),
            ..Limit::default()
        }),
        contractual: Some(Limit {
            due_at: Some(to_proto(local("2026-03-02 14:00"))),
            ..Limit::default()
        }),
        facts: vec![
            fact(FactKind::Start, "2026-03-02 10:00", "ORDERING/1"),
            fact(FactKind::Stop, "2026-03-02 13:00", "ORDERING/9"),
        ],
        ..Clock::default()
    }
}

/// The lines of a table without the heading.
fn lines(table: &str) -> Vec<&str> {
    assert!(table.ends_with("\r\n"));
    table.split_terminator("\r\n").skip(1).collect()
}

#[test]
fn compliance_has_a_column_for_each_group() {
    let line = ComplianceLine {
        group: vec!["care/confirm".into(), "2026-03".into()],
        met: 7,
        breached: 2,
        contractual_breached: 1,
        cancelled: 3,
        withdrawn: 4,
        overrun: Some(duration(SignedDuration::from_mins(90))),
        paused: None,
        held: vec![
            HeldTime {
                party: Party::Supplier.into(),
                time: Some(duration(SignedDuration::from_secs(5))),
            },
            HeldTime { party: Party::User.into(), time: None },
        ],
    };
    let table = compliance(std::slice::from_ref(&line), &[Grouping::Clock, Grouping::Month]);
    assert!(table.starts_with(
        "clock,month,met,breached,contractual_breached,cancelled,withdrawn,overrun_seconds,\
         paused_seconds,held\r\n"
    ));
    assert_eq!(lines(&table), ["care/confirm,2026-03,7,2,1,3,4,5400,0,supplier=5 user=0"]);
    let whole = compliance(&[ComplianceLine { group: vec![], ..line }], &[]);
    assert!(whole.starts_with("met,breached,"));
    assert_eq!(lines(&compliance(&[], &[])).len(), 0, "a table without lines has its heading");
}

#[test]
fn open_clocks_have_their_due_time_and_their_case() {
    let open = Clock {
        state: ClockState::Paused.into(),
        planned: true,
        committed: Some(Limit::default()),
        contractual: None,
        ..clock()
    };
    let table = clocks(&[clock(), open]);
    assert!(table.starts_with(
        "due_at,contractual_due_at,state,breach,holder,profile,clock,case,platform,started_at,\
         planned,clock_id\r\n"
    ));
    assert_eq!(
        lines(&table),
        [
            "2026-03-02T04:00:00Z,2026-03-02T06:00:00Z,stopped,declared,supplier,care,confirm,\
             order_id=o-1 shipment_id=s-1,mall,2026-03-02T02:00:00Z,false,id-1",
            ",,paused,,supplier,care,confirm,order_id=o-1 shipment_id=s-1,mall,\
             2026-03-02T02:00:00Z,true,id-1",
        ]
    );
}

#[test]
fn a_breach_bears_its_proof() {
    let table = breaches(&[clock(), Clock::default()]);
    assert!(table.starts_with(
        "missed_at,breach,contractual,overrun_seconds,profile,clock,case,platform,started_at,\
         ended_at,holder,proof,clock_id\r\n"
    ));
    assert_eq!(
        lines(&table),
        [
            "2026-03-02T04:00:00Z,declared,,3600,care,confirm,order_id=o-1 shipment_id=s-1,mall,\
             2026-03-02T02:00:00Z,2026-03-02T05:00:00Z,supplier,\
             start 2026-03-02T02:00:00Z ORDERING/1; stop 2026-03-02T05:00:00Z ORDERING/9,id-1",
            ",,,0,,,,,,,nobody,,",
        ]
    );
}

#[test]
fn each_state_of_a_breach_has_its_word() {
    let word = |breach: BreachState| {
        super::breach(&Some(Limit { breach: breach.into(), ..Limit::default() }))
    };
    assert_eq!(super::breach(&None), "");
    assert_eq!(word(BreachState::Unspecified), "");
    assert_eq!(word(BreachState::Provisional), "provisional");
    assert_eq!(word(BreachState::Declared), "declared");
    assert_eq!(word(BreachState::Withdrawn), "withdrawn");
}

#[test]
fn availability_is_in_percent() {
    let table = availability(&[AvailabilityLine {
        profile: "care".into(),
        clock: "outage".into(),
        subject: vec![part("device", "=d-1"), part("site", "s,1")],
        platform: "mall".into(),
        promised: Some(duration(SignedDuration::from_hours(24))),
        away: Some(duration(SignedDuration::from_millis(1_500))),
        availability: 9_905,
        wanted: 10_000,
    }]);
    assert!(table.starts_with(
        "profile,clock,thing,platform,promised_seconds,away_seconds,availability_percent,\
         wanted_percent\r\n"
    ));
    assert_eq!(lines(&table), ["care,outage,\"device==d-1 site=s,1\",mall,86400,1,99.05,100.00"]);
}

#[test]
fn what_comes_from_outside_stays_in_its_cell() {
    let hostile = Clock {
        clock_id: "=cmd".into(),
        subject: vec![part("order_id", "x\",\"y\r\n=1")],
        platform: "@p".into(),
        ..clock()
    };
    for (table, columns) in
        [(clocks(std::slice::from_ref(&hostile)), 12), (breaches(&[hostile]), 13)]
    {
        let (_, line) = table.split_once("\r\n").unwrap();
        let cells = csv_cells(line.strip_suffix("\r\n").unwrap());
        assert_eq!(cells.len(), columns);
        assert_eq!(cells.last().unwrap(), "'=cmd");
        assert!(cells.contains(&"'@p".to_owned()));
        assert!(cells.contains(&"order_id=x\",\"y\r\n=1".to_owned()));
    }
}
