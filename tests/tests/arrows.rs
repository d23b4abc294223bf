//! The arrows between crates: `services/<x>` → `services/foundation/*` → `proto`, and none other.
//!
//! Every kind of dependency counts, also of tests and build scripts: what a test of a service needs
//! from another service is a story, and stories live in `tests/`.

use std::{error::Error, path::Path, process::Command};

use serde_json::Value;

/// Where a crate stands, by the folder it lives in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Contracts,
    Foundation,
    Service,
    /// `services/emall` and `tests`: they put services together.
    Assembly,
}

/// A crate of the workspace and the names of all it depends on.
#[derive(Debug)]
struct Package {
    name: String,
    place: Place,
    needs: Vec<String>,
}

/// `services/ordering` and the like.
fn place(folder: &str) -> Option<Place> {
    match folder.split('/').collect::<Vec<_>>().as_slice() {
        ["proto"] => Some(Place::Contracts),
        ["services", "foundation", _] => Some(Place::Foundation),
        ["tests"] | ["services", "emall"] => Some(Place::Assembly),
        ["services", _] => Some(Place::Service),
        _ => None,
    }
}

/// What is wrong with these crates, one sentence each.
fn broken_arrows(packages: &[Package]) -> Vec<String> {
    let mut broken = Vec::new();
    for package in packages {
        let Package { name, place, needs } = package;
        if name == "decider" && !needs.is_empty() {
            broken.push(format!("decider is pure and depends on nothing, but needs {needs:?}"));
        }
        if name != "eventlog" && needs.iter().any(|needed| needed.starts_with("sqlx")) {
            broken.push(format!("{name} depends on sqlx: all SQL is in eventlog"));
        }
        for needed in packages.iter().filter(|other| needs.contains(&other.name)) {
            let allowed = match place {
                Place::Contracts => false,
                Place::Foundation | Place::Service => {
                    matches!(needed.place, Place::Contracts | Place::Foundation)
                }
                Place::Assembly => needed.place != Place::Assembly || needed.name == "emall",
            };
            if !allowed {
                broken.push(format!("{name} must not depend on {}", needed.name));
            }
        }
        let below: &[&str] = match name.as_str() {
            "eventlog" => &["contracts", "decider"],
            "chassis" => &["contracts", "eventlog"],
            _ => continue,
        };
        for needed in packages.iter().filter(|other| needs.contains(&other.name)) {
            if !below.contains(&needed.name.as_str()) && needed.name != *name {
                broken.push(format!("{name} stands below {} and must not need it", needed.name));
            }
        }
    }
    broken
}

fn workspace() -> Result<Vec<Package>, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("no workspace")?;
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root)
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    let text = |value: &Value| value.as_str().map(str::to_owned).ok_or("no text");
    let mut packages = Vec::new();
    for package in metadata["packages"].as_array().ok_or("no packages")? {
        let manifest = text(&package["manifest_path"])?;
        let folder = Path::new(&manifest).parent().ok_or("no folder")?.strip_prefix(root)?;
        let folder = folder.to_str().ok_or("no text")?.replace('\\', "/");
        packages.push(Package {
            name: text(&package["name"])?,
            place: place(&folder).ok_or(format!("{folder} is no place for a crate"))?,
            needs: package["dependencies"]
                .as_array()
                .ok_or("no dependencies")?
                .iter()
                .map(|dependency| text(&dependency["name"]))
                .collect::<Result<_, _>>()?,
        });
    }
    Ok(packages)
}

#[test]
fn arrows_run_one_way() -> Result<(), Box<dyn Error>> {
    let packages = workspace()?;
    let foundation = ["contracts", "decider", "eventlog", "chassis"];
    for name in
        foundation.into_iter().chain(["ordering", "complaints", "sla-monitor", "gateway", "emall"])
    {
        assert!(packages.iter().any(|package| package.name == name), "where is {name}?");
    }
    assert_eq!(broken_arrows(&packages), [""; 0]);
    Ok(())
}

/// A workspace in order, with one more arrow in it.
fn with(name: &str, needed: &str) -> Vec<Package> {
    let package = |name: &str, place, needs: &[&str]| Package {
        name: name.to_owned(),
        place,
        needs: needs.iter().map(|&need| need.to_owned()).collect(),
    };
    let mut packages = vec![
        package("contracts", Place::Contracts, &["prost"]),
        package("decider", Place::Foundation, &[]),
        package("eventlog", Place::Foundation, &["contracts", "decider", "sqlx"]),
        package("chassis", Place::Foundation, &["contracts", "eventlog"]),
        package("ordering", Place::Service, &["contracts", "chassis", "eventlog", "decider"]),
        package("complaints", Place::Service, &["contracts", "chassis", "eventlog", "decider"]),
        package("sla-monitor", Place::Service, &["contracts", "chassis", "eventlog", "decider"]),
        package("gateway", Place::Service, &["contracts", "chassis"]),
        package("emall", Place::Assembly, &["ordering", "sla-monitor", "gateway", "eventlog"]),
        package("e2e", Place::Assembly, &["ordering", "contracts"]),
    ];
    for package in packages.iter_mut().filter(|package| package.name == name) {
        package.needs.push(needed.to_owned());
    }
    packages
}

#[test]
fn every_wrong_arrow_is_seen() {
    assert_eq!(broken_arrows(&with("ordering", "serde")), [""; 0]);
    for (name, needed) in [
        ("gateway", "ordering"),
        ("sla-monitor", "ordering"),
        ("complaints", "sla-monitor"),
        ("ordering", "emall"),
        ("ordering", "e2e"),
        ("chassis", "ordering"),
        ("chassis", "decider"),
        ("eventlog", "chassis"),
        ("contracts", "eventlog"),
        ("decider", "serde"),
        ("ordering", "sqlx"),
        ("e2e", "sqlx-postgres"),
        ("emall", "e2e"),
    ] {
        assert!(!broken_arrows(&with(name, needed)).is_empty(), "{name} → {needed} went unseen");
    }
}

#[test]
fn a_crate_stands_in_a_known_place() {
    assert_eq!(place("services/ordering"), Some(Place::Service));
    assert_eq!(place("services/foundation/eventlog"), Some(Place::Foundation));
    assert_eq!(place("shared/helpers"), None);
}
