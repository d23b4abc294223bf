//! Where things are: the data folder of `emall up`, and how a running one can be reached.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use chassis::ScaledClock;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::end::Failure;

/// Where data lies when nobody says.
pub(crate) const DATA: &str = "run/data";

/// Says how a running `emall up` can be reached; there while it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Running {
    /// Its process id.
    pub(crate) pid: u32,
    /// Address of the gateway.
    pub(crate) gateway: String,
    /// Address of the bus.
    pub(crate) bus: String,
    /// How time runs there, when it runs fast.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) time: Option<FastTime>,
}

/// Time that runs fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FastTime {
    /// From when on.
    since: Timestamp,
    /// How many times as fast.
    speed: u32,
}

impl FastTime {
    pub(crate) fn of(clock: ScaledClock) -> Self {
        Self { since: clock.since(), speed: clock.speed() }
    }
}

impl Running {
    fn file(data: &Path) -> PathBuf {
        data.join("running.json")
    }

    /// Written whole or not at all: others look at it while it is written.
    pub(crate) fn write(&self, data: &Path) -> io::Result<()> {
        let fresh = data.join(".running.json");
        fs::write(&fresh, serde_json::to_vec_pretty(self)?)?;
        fs::rename(fresh, Self::file(data))
    }

    pub(crate) fn remove(data: &Path) {
        // What is gone already is what is wanted.
        let _ = fs::remove_file(Self::file(data));
    }

    /// What the file says; none when nothing runs there, or it was killed before it could say.
    pub(crate) fn read(data: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(Self::file(data)).ok()?).ok()
    }
}

/// The address of the gateway: as given, else that of a running `emall up`.
pub(crate) fn gateway(given: Option<&str>, data: &Path) -> Result<String, Failure> {
    match given {
        Some(url) if url.contains("://") => Ok(url.to_owned()),
        Some(address) => Ok(format!("http://{address}")),
        None => Running::read(data).map(|running| running.gateway).ok_or_else(|| {
            Failure::broken(format!(
                "nothing runs on {}; start `emall up`, name its folder with --data, or a gateway with --to",
                data.display()
            ))
        }),
    }
}

/// A clock that shows the time of a running `emall up`; the machine's when none runs.
pub(crate) fn clock(data: &Path) -> ScaledClock {
    let fast = Running::read(data).and_then(|running| running.time);
    let fast = fast.and_then(|time| ScaledClock::try_new(time.since, time.speed).ok());
    fast.unwrap_or_else(ScaledClock::normal)
}

/// The address of the bus of a running `emall up`.
pub(crate) fn bus(data: &Path) -> Option<String> {
    Running::read(data).map(|running| running.bus)
}

#[cfg(test)]
mod tests {
    use chassis::ScaledClock;
    use eventlog::{Clock as _, SystemClock};
    use jiff::SignedDuration;

    use super::{FastTime, Running, clock, gateway};

    #[test]
    fn a_running_system_is_found_by_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        let lost = gateway(None, folder.path()).unwrap_err().to_string();
        assert!(lost.contains("emall up"), "{lost}");
        let running = Running {
            pid: 7,
            gateway: "http://127.0.0.1:1".to_owned(),
            bus: "nats://127.0.0.1:2".to_owned(),
            time: None,
        };
        running.write(folder.path()).unwrap();
        assert_eq!(Running::read(folder.path()), Some(running));
        assert_eq!(gateway(None, folder.path()).unwrap(), "http://127.0.0.1:1");
        Running::remove(folder.path());
        assert_eq!(Running::read(folder.path()), None);
    }

    #[test]
    fn a_command_goes_by_the_time_of_the_system_that_it_talks_to() {
        let folder = tempfile::tempdir().unwrap();
        let hour_ago = SystemClock.now() - SignedDuration::from_hours(1);
        let fast = ScaledClock::try_new(hour_ago, 25).unwrap();
        let running = Running {
            pid: 7,
            gateway: String::new(),
            bus: String::new(),
            time: Some(FastTime::of(fast)),
        };
        let ahead = |folder| clock(folder).now().duration_since(SystemClock.now()).as_hours();
        assert_eq!(ahead(folder.path()), 0);
        running.write(folder.path()).unwrap();
        assert_eq!(ahead(folder.path()), 24);
    }

    #[test]
    fn an_address_without_a_scheme_is_plain_http() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            gateway(Some("localhost:7400"), folder.path()).unwrap(),
            "http://localhost:7400"
        );
        assert_eq!(gateway(Some("https://mall"), folder.path()).unwrap(), "https://mall");
    }
}
