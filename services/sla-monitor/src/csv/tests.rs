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

/// One cell, as it is written.
fn cell(text: &str) -> String {
    let mut table = Table::default();
    table.row([text]);
    table.0.strip_suffix("\r\n").unwrap().to_owned()
}

/// Cells of one line, read as RFC 4180 says.
fn read(line: &str) -> Vec<String> {
    let (mut cells, mut quoted) = (vec![String::new()], false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cells.last_mut().unwrap().push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            other => cells.last_mut().unwrap().push(other),
        }
    }
    assert!(!quoted, "{line}");
    cells
}

#[test]
fn a_cell_is_quoted_where_it_must_be() {
    assert_eq!(cell("plain"), "plain");
    assert_eq!(cell(""), "");
    assert_eq!(cell("a,b"), "\"a,b\"");
    assert_eq!(cell("say \"hi\""), "\"say \"\"hi\"\"\"");
    assert_eq!(cell("two\nlines"), "\"two\nlines\"");
    assert_eq!(cell("two\rlines"), "\"two\rlines\"");
    assert_eq!(cell("订单"), "订单");
}

#[test]
fn a_cell_that_a_spreadsheet_would_take_for_a_formula_is_text() {
    for formula in [
        "=1+1",
        "+1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "-1+1",
        "-cmd|' /C calc'!A0",
        "=HYPERLINK(\"http://x\",\"y\")",
        "＝1+1",
        "＋1",
        "－1+1",
        "＠SUM(A1)",
    ] {
        let written = cell(formula);
        assert!(written.starts_with("\"'"), "{formula:?}: {written}");
        assert_eq!(read(&written), [format!("'{formula}")]);
    }
    for harmless in ["-1", "-1.5", "a=b", "1+1", "mall@cn"] {
        assert_eq!(cell(harmless), harmless);
    }
}

#[test]
fn what_is_written_is_what_is_read() {
    for texts in [["a", "b"], ["a,b", "\"\"\""], ["", ""], ["a\r\n", ",\",\""]] {
        let mut table = Table::default();
        table.row(texts);
        assert_eq!(read(table.0.strip_suffix("\r\n").unwrap()), texts);
    }
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
        let cells = read(line.strip_suffix("\r\n").unwrap());
        assert_eq!(cells.len(), columns);
        assert_eq!(cells.last().unwrap(), "'=cmd");
        assert!(cells.contains(&"'@p".to_owned()));
        assert!(cells.contains(&"order_id=x\",\"y\r\n=1".to_owned()));
    }
}
