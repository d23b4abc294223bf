//! `docs/requirements.md` is true: every requirement is there once, and what it names exists.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

/// How many requirements of each kind the product was ordered with, numbered from 1.
const EXPECTED: [(&str, u32); 18] = [
    ("CAT", 35),
    ("ORD", 74),
    ("AS", 144),
    ("CMP", 60),
    ("SLA", 20),
    ("ORG", 28),
    ("SEC", 14),
    ("OPS", 28),
    ("SLC", 123),
    ("SM", 42),
    ("MON", 44),
    ("ROL", 50),
    ("ENM", 25),
    ("DOC", 20),
    ("CON", 30),
    ("IMP", 15),
    ("GAP", 20),
    ("TTL", 17),
];

const SERVICES: [&str; 6] =
    ["catalog-sync", "ordering", "after-sales", "complaints", "sla-monitor", "gateway"];

/// What a row may name: the paths of the repository and the tests in it.
trait Repository {
    fn has_path(&self, path: &str) -> bool;
    /// Whether a test of this name is in that file, or anywhere when no file is named.
    fn has_test(&self, file: Option<&str>, name: &str) -> bool;
}

/// What is wrong with the ledger, one sentence each.
fn findings(ledger: &str, repository: &impl Repository) -> Vec<String> {
    let mut found = Vec::new();
    let mut seen = BTreeMap::<&str, usize>::new();
    let table = ledger.lines().filter(|line| line.starts_with('|'));
    for line in table.filter(|line| !line.starts_with("| id ") && !line.starts_with("|--")) {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        let [id, rule, place, shown_by, status] = cells.as_slice() else {
            found.push(format!("not five columns: {line}"));
            continue;
        };
        *seen.entry(id).or_default() += 1;
        let complaint = check_row(rule, place, shown_by, status, repository);
        found.extend(complaint.into_iter().map(|complaint| format!("{id}: {complaint}")));
    }
    let expected: BTreeSet<String> = EXPECTED
        .iter()
        .flat_map(|(kind, count)| (1..=*count).map(move |number| format!("{kind}-{number:02}")))
        .collect();
    for id in &expected {
        match seen.get(id.as_str()) {
            None => found.push(format!("{id}: is missing")),
            Some(1) => {}
            Some(times) => found.push(format!("{id}: stands here {times} times")),
        }
    }
    for id in seen.keys().filter(|id| !expected.contains(**id)) {
        found.push(format!("{id}: is no requirement"));
    }
    found
}

fn check_row(
    rule: &str,
    place: &str,
    shown_by: &str,
    status: &str,
    repository: &impl Repository,
) -> Vec<String> {
    if rule.len() < 10 && !rule.ends_with('.') {
        return vec!["has no rule".to_owned()];
    }
    let (word, reason) = match status.split_once(':') {
        Some((word, reason)) => (word, reason.trim()),
        None => (status, ""),
    };
    let nothing_yet = place == "-" && shown_by == "-";
    match word {
        "done" => check_done(place, shown_by, repository),
        "planned" if !SERVICES.iter().any(|service| reason.starts_with(service)) => {
            vec![format!("is planned for {reason:?}, which is no service")]
        }
        "left out" if reason.is_empty() => vec!["is left out without a reason".to_owned()],
        "planned" | "left out" | "note" if nothing_yet => Vec::new(),
        "planned" | "left out" | "note" => {
            vec![format!("is not done, but names {place} and {shown_by}")]
        }
        _ => vec![format!("has the unknown status {status:?}")],
    }
}

fn check_done(place: &str, shown_by: &str, repository: &impl Repository) -> Vec<String> {
    let mut found = Vec::new();
    for path in entries(place) {
        if !repository.has_path(path) {
            found.push(format!("lives in {path}, which does not exist"));
        }
    }
    for test in entries(shown_by) {
        let (file, name) = match test.split_once(':') {
            Some((file, name)) => (Some(file), name.trim_start_matches(':')),
            None => (None, test),
        };
        if !repository.has_test(file, name) {
            found.push(format!("is shown by {test}, which does not exist"));
        }
    }
    found
}

fn entries(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(',').map(|entry| entry.trim().trim_matches('`'))
}

/// This repository.
struct Checkout {
    root: PathBuf,
    /// Names of tests by the file they are in.
    tests: BTreeMap<String, BTreeSet<String>>,
}

impl Checkout {
    fn read() -> io::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
        let mut tests = BTreeMap::new();
        for folder in ["proto", "services", "tests"] {
            read_tests(&root, &root.join(folder), &mut tests)?;
        }
        Ok(Self { root, tests })
    }
}

impl Repository for Checkout {
    fn has_path(&self, path: &str) -> bool {
        !path.is_empty() && !path.starts_with(['/', '.']) && self.root.join(path).exists()
    }

    fn has_test(&self, file: Option<&str>, name: &str) -> bool {
        match file {
            Some(file) => self.tests.get(file).is_some_and(|names| names.contains(name)),
            None => self.tests.values().any(|names| names.contains(name)),
        }
    }
}

fn read_tests(
    root: &Path,
    folder: &Path,
    tests: &mut BTreeMap<String, BTreeSet<String>>,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read_tests(root, &path, tests)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let names = test_names(&path, &fs::read_to_string(&path)?);
            let file = path.strip_prefix(root).map_err(io::Error::other)?;
            tests.insert(file.to_string_lossy().replace('\\', "/"), names);
        }
    }
    Ok(())
}

/// Functions of a file of tests, or those of another file below its `#[cfg(test)]`.
fn test_names(path: &Path, source: &str) -> BTreeSet<String> {
    let of_tests = path.components().any(|part| part.as_os_str() == "tests")
        || path.file_stem().is_some_and(|stem| stem == "tests");
    let tests = if of_tests {
        source
    } else {
        source.split_once("#[cfg(test)]").map_or("", |(_, tests)| tests)
    };
    tests
        .lines()
        .filter_map(|line| line.trim_start().split_once("fn "))
        .filter(|(before, _)| matches!(before.trim(), "" | "async" | "pub" | "pub async"))
        .map(|(_, after)| after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
        .collect()
}

#[test]
fn the_ledger_is_true() -> io::Result<()> {
    let checkout = Checkout::read()?;
    let ledger = fs::read_to_string(checkout.root.join("docs/requirements.md"))?;
    let found = findings(&ledger, &checkout);
    assert!(found.is_empty(), "{} findings: {found:#?}", found.len());
    Ok(())
}

/// A repository with one path and one test.
struct Small;

impl Repository for Small {
    fn has_path(&self, path: &str) -> bool {
        path == "src/order.rs"
    }

    fn has_test(&self, file: Option<&str>, name: &str) -> bool {
        file.is_none_or(|file| file == "tests/order.rs") && name == "a_repeat_changes_nothing"
    }
}

/// What is said of ORD-01 when its row has this place, test and status.
fn said_of(rest: &str) -> Vec<String> {
    findings(&format!("| ORD-01 | A rule in our own words. | {rest} |"), &Small)
        .into_iter()
        .filter(|finding| finding.starts_with("ORD-01"))
        .collect()
}

#[test]
fn a_row_names_what_exists_or_a_reason() {
    for right in [
        "src/order.rs | a_repeat_changes_nothing | done",
        "`src/order.rs` | `tests/order.rs:a_repeat_changes_nothing` | done",
        "- | - | planned: after-sales",
        "- | - | left out: another trade",
        "- | - | note",
    ] {
        assert_eq!(said_of(right), [""; 0], "{right}");
    }
    for wrong in [
        "TBD | TBD | done",
        "src/gone.rs | a_repeat_changes_nothing | done",
        "src/order.rs | no_such_test | done",
        "src/order.rs | a_repeat_changes_nothing, no_such_test | done",
        "src/order.rs | tests/other.rs:a_repeat_changes_nothing | done",
        "src/order.rs | | done",
        "- | - | done",
        "- | - | planned: one day",
        "- | - | planned",
        "- | - | left out:",
        "src/order.rs | - | planned: ordering",
        "- | - | soon",
        "- | -",
    ] {
        let row = format!("| ORD-01 | A rule in our own words. | {wrong} |");
        let found = findings(&row, &Small);
        assert!(found.iter().any(|finding| !finding.ends_with("is missing")), "{wrong}");
    }
}

#[test]
fn every_requirement_stands_once() {
    let row = "| ORD-01 | A rule in our own words. | - | - | note |";
    let found = findings(&format!("{row}\n{row}\n| ORD-99 | A rule. | - | - | note |"), &Small);
    assert!(found.contains(&"ORD-01: stands here 2 times".to_owned()));
    assert!(found.contains(&"ORD-99: is no requirement".to_owned()));
    assert!(found.contains(&"TTL-17: is missing".to_owned()));
    assert_eq!(EXPECTED.iter().map(|(_, count)| count).sum::<u32>(), 789);
}

#[test]
fn only_functions_of_tests_count() {
    let source = "fn product() {}\n#[cfg(test)]\nmod t {\n    async fn a_rule() {}\n}";
    let names = test_names(Path::new("src/order.rs"), source);
    assert_eq!(names, BTreeSet::from(["a_rule".to_owned()]));
    assert!(test_names(Path::new("src/order/tests.rs"), source).contains("product"));
}
