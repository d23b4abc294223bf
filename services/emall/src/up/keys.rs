//! Keys for a first try: made at random, so that no two installations share one.
//!
//! The gateway gets only the hashes (`keys.toml`); the keys themselves stand in `keys.env`, which
//! only the owner of the folder can read.

use std::{
    fmt::Write as _,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use chassis::Secret;
use gateway::{KeyConfig, hash_key};
use serde::{Deserialize, Serialize};

use crate::{
    client::{FINANCE_KEY, OPERATOR_KEY, PLATFORM_KEY},
    end::Failure,
};

/// The platform of the key for a first try; `emall push` is that platform by default.
const PLATFORM: &str = "retail-mall";

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hashes {
    keys: Vec<KeyConfig>,
}

/// The keys of this folder; they are made when there are none.
pub(crate) fn of_folder(data: &Path) -> Result<Vec<KeyConfig>, Failure> {
    let file = data.join("keys.toml");
    let found = match fs::read_to_string(&file) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            let sentence = format!("cannot read {}; check its owner", file.display());
            return Err(Failure::because(sentence, error));
        }
    };
    match found {
        Some(text) => toml::from_str::<Hashes>(&text).map(|hashes| hashes.keys).map_err(|error| {
            let sentence =
                format!("{} is damaged; remove it, and new keys are made", file.display());
            Failure::because(sentence, error)
        }),
        None => make(data).map_err(|error| {
            let sentence = format!("cannot write keys into {}; check the folder", data.display());
            Failure::because(sentence, error)
        }),
    }
}

fn make(data: &Path) -> io::Result<Vec<KeyConfig>> {
    let owners: [(&str, &str, Option<&str>, &[&str]); 3] = [
        (PLATFORM_KEY, PLATFORM, Some(PLATFORM), &[]),
        (OPERATOR_KEY, "operations", None, &["operator", "service", "auditor"]),
        (FINANCE_KEY, "finance", None, &["finance"]),
    ];
    let mut clear = String::from("# Keys that `emall up` made at random. Keep them to yourself.\n");
    let mut hashes = Hashes::default();
    for (variable, name, platform, roles) in owners {
        let key = Secret::random();
        let _ = writeln!(clear, "{variable}={}", key.reveal());
        hashes.keys.push(KeyConfig {
            name: name.to_owned(),
            sha256: hash_key(key.reveal()),
            platform: platform.map(str::to_owned),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            rate: None,
        });
    }
    let text = toml::to_string(&hashes).map_err(io::Error::other)?;
    // The hashes last: they are what says that the keys are there.
    write_private(&data.join("keys.env"), &clear)?;
    write_private(
        &data.join("keys.toml"),
        &format!("# Hashes of the keys in keys.env. Remove both, and new ones are made.\n{text}"),
    )?;
    Ok(hashes.keys)
}

/// Readable by the owner alone from its first moment, and whole or not there at all.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let _ = fs::remove_file(&fresh);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(fresh, path)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::of_folder;
    use crate::client::{PLATFORM_KEY, variables};
    use gateway::hash_key;

    #[test]
    fn keys_are_made_once_and_only_their_hashes_are_given_on() {
        let folder = tempfile::tempdir().unwrap();
        let made = of_folder(folder.path()).unwrap();
        assert_eq!(of_folder(folder.path()).unwrap(), made);
        let file = folder.path().join("keys.env");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(file).unwrap();
        let key = variables(&text)[PLATFORM_KEY];
        assert_eq!(hash_key(key), made[0].sha256);
        let hashes = fs::read_to_string(folder.path().join("keys.toml")).unwrap();
        assert!(!hashes.contains(key));
        let other = tempfile::tempdir().unwrap();
        assert_ne!(of_folder(other.path()).unwrap()[0].sha256, made[0].sha256);
    }

    #[test]
    fn damaged_hashes_are_refused_with_the_way_out() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("keys.toml"), "keys = 7").unwrap();
        let refused = of_folder(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("remove it"), "{refused}");
    }
}
