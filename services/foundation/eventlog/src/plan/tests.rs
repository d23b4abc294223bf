use super::*;
use crate::{Commit, EventMetadata, NewEvent, job::Lineage};

fn event() -> NewEvent {
    NewEvent {
        type_name: "test.Happened".into(),
        body: Vec::new().into(),
        metadata: EventMetadata::default(),
    }
}

fn job(commit: Commit, lineage: &Lineage) -> Job {
    Job::new(commit, vec![lineage.clone()]).0
}

fn heads(versions: &[(&str, u64)]) -> Heads {
    let heads = (1..).zip(versions).map(|(number, (stream, version))| {
        let number = if *version == 0 { 0 } else { number };
        ((*stream).to_owned(), Head { number, version: *version })
    });
    Heads {
        last_position: 10,
        last_recorded_at: 0,
        last_number: 7,
        streams: heads.collect(),
        cursors: HashMap::new(),
        parked: HashSet::new(),
    }
}

fn stands(jobs: &[Job], heads: &Heads, known: &Known) -> Vec<bool> {
    decide(jobs, heads, known, 0).verdicts.iter().map(Result::is_ok).collect()
}

#[test]
fn what_is_built_on_a_commit_that_fell_falls_though_its_version_fits() {
    // both were decided on the empty stream, the second on top of the first; but another process
    // has written the first version meanwhile
    let ours = Lineage::new();
    let others = Lineage::new();
    let jobs = [
        job(Commit::new().append("a", 0, vec![event()]), &ours),
        job(Commit::new().append("a", 1, vec![event()]), &ours),
        job(Commit::new().append("a", 1, vec![event()]), &others),
    ];
    assert_eq!(stands(&jobs, &heads(&[("a", 1)]), &Known::from(10)), [false, false, true]);
    assert!(ours.has_fallen() && !others.has_fallen());
}

#[test]
fn a_commit_builds_on_those_before_it_in_the_batch() {
    let lineage = Lineage::new();
    let jobs = [
        job(Commit::new().append("a", 0, vec![event(), event()]), &lineage),
        job(Commit::new().append("a", 2, Vec::new()), &lineage),
        job(Commit::new().append("a", 2, vec![event()]).append("b", 0, vec![event()]), &lineage),
    ];
    let plan = decide(&jobs, &heads(&[("a", 0), ("b", 0)]), &Known::from(10), 0);
    let positions: Vec<_> =
        plan.verdicts.iter().map(|verdict| verdict.as_ref().unwrap().position).collect();
    assert_eq!(positions, [Some(12), None, Some(14)]);
    assert_eq!(plan.last_position, 14);
}

#[test]
fn a_stream_that_a_caller_did_not_find_is_new_only_while_all_writes_since_are_known() {
    let read_at = |position, expected| {
        let mut commit = Commit::new().append("a", expected, vec![event()]);
        commit.appends[0].as_of = Some(position);
        [job(commit, &Lineage::new())]
    };
    let asked = |jobs: &[Job], known: &Known| !wanted(jobs, known).streams.is_empty();

    let mut known = Known::from(10);
    assert!(!asked(&read_at(10, 0), &known));
    assert_eq!(stands(&read_at(10, 0), &heads(&[]), &known), [true]);
    // one that was found has a number, which the caller does not know
    assert!(asked(&read_at(10, 3), &known));
    // somebody else wrote after it was read
    assert!(asked(&read_at(9, 0), &known));
    assert_eq!(stands(&read_at(9, 0), &heads(&[("a", 1)]), &known), [false]);
    // we did
    known.insert(&mut "a".to_owned(), Head { number: 3, version: 1 });
    assert_eq!(stands(&read_at(10, 0), &heads(&[]), &known), [false]);
    // nothing is certain after a failure
    assert!(asked(&read_at(10, 0), &Known::default()));
}

#[test]
fn what_is_new_gets_the_next_numbers_and_what_is_known_keeps_its_own() {
    let row = |kind: &'static str, id: &str| RowWrite {
        kind: kind.into(),
        id: id.to_owned(),
        ..RowWrite::default()
    };
    let lineage = Lineage::new();
    let falls = Commit::new().append("a.falls", 3, vec![event()]).row(row("a", "falls"));
    let mut jobs = [
        job(Commit::new().append("a.1", 0, vec![event()]).row(row("a", "1")), &lineage),
        job(falls, &Lineage::new()),
        job(Commit::new().row(row("day", "1")).row(row("day", "2")), &Lineage::new()),
        job(Commit::new().append("a.1", 1, vec![event()]).row(row("a", "1")), &lineage),
        job(Commit::new().append("a.2", 4, vec![event()]).row(row("a", "2")), &Lineage::new()),
        job(Commit::new().row(row("day", "1")), &Lineage::new()),
        job(Commit::new().append("a.3", 0, Vec::new()), &Lineage::new()),
    ];
    let mut known = Known::from(10);
    known.insert(&mut "day.2".to_owned(), Head { number: 5, version: 0 });
    let heads = heads(&[("a.2", 4), ("a.falls", 0), ("a.1", 0), ("day.1", 0), ("a.3", 0)]);
    assert_eq!(wanted(&jobs, &known).streams, ["a.1", "a.falls", "day.1", "a.2", "a.3"]);
    let plan = decide(&jobs, &heads, &known, 0);
    plan.stamp(&mut jobs);
    let batch = Batch::collect(&jobs, &plan);
    let new: Vec<_> = batch.ids.iter().map(|line| (line.number, line.kind, line.id)).collect();
    assert_eq!(new, [(8, "a", "1"), (9, "day", "1")]);
    let events: Vec<_> = batch.events.iter().map(|(number, _)| *number).collect();
    assert_eq!(events, [8, 8, 1]);
    let rows: Vec<_> = batch.rows.iter().map(|row| row.number).collect();
    assert_eq!(rows, [8, 9, 5, 1]);
    plan.take_heads(&mut jobs, &mut known);
    let head = |stream: &str| known.streams.get(stream).map(|head| (head.number, head.version));
    assert_eq!(head("a.1"), Some((8, 2)));
    assert_eq!(head("a.2"), Some((1, 5)));
    assert_eq!(head("day.1"), Some((9, 0)));
    assert_eq!(head("a.3"), Some((0, 0)));
    assert_eq!(head("a.falls"), None);
}

#[test]
fn a_time_that_was_told_is_kept_unless_an_event_carries_it() {
    let horizon = || Job::horizon().0;
    let append = || job(Commit::new().append("a", 0, vec![event()]), &Lineage::new());
    let at_100 = Heads { last_recorded_at: 100, ..heads(&[("a", 0)]) };
    for (jobs, clock, writes, promises) in [
        (vec![horizon(), horizon()], 101, true, true),
        (vec![horizon()], 100, false, false),
        (vec![horizon()], 99, false, false),
        (vec![horizon(), append()], 101, true, false),
        (vec![append()], 101, true, false),
        (vec![], 101, false, false),
    ] {
        let plan = decide(&jobs, &at_100, &Known::from(10), clock);
        assert_eq!((plan.writes, plan.recorded_at), (writes, clock.max(100)));
        assert_eq!(Batch::collect(&jobs, &plan).promises, promises, "at {clock}");
    }
    let jobs = [horizon(), append(), horizon()];
    let plan = decide(&jobs, &at_100, &Known::from(10), 101);
    let told = |number: usize| plan.verdicts[number].as_ref().map(|at| (at.last_position, at.at));
    assert_eq!((told(0).unwrap(), told(2).unwrap()), ((10, 101), (11, 101)));
}
