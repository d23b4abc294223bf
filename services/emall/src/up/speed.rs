//! `emall up --speed`: time that runs fast, for demonstrations.
//!
//! The logs then lie in the future. At normal speed time would stand still on them until that future
//! has come, because `recorded_at` never goes back: so their folder is marked, and refused later.

use std::{fs, path::Path};

use chassis::{SPEEDS, ScaledClock};
use eventlog::{Clock as _, SystemClock};

use crate::end::Failure;

/// Marks a folder whose logs may lie in the future.
const MARK: &str = "time-ran-fast";

/// How fast, by the command line.
pub(crate) fn parse(text: &str) -> Result<u32, String> {
    let speed = text.parse().ok().filter(|speed| SPEEDS.contains(speed));
    speed.ok_or_else(|| {
        format!(
            "choose {} to {} times the speed of the machine's clock",
            SPEEDS.start(),
            SPEEDS.end()
        )
    })
}

/// A clock that runs fast from now on; none at the normal speed.
pub(crate) fn clock(data: &Path, speed: u32) -> Result<Option<ScaledClock>, Failure> {
    let mark = data.join(MARK);
    if speed == 1 {
        return match mark.exists() {
            false => Ok(None),
            true => Err(Failure::usage(format!(
                "time ran fast on {} and its logs may lie in the future, where time would stand still; \
                 start with --speed, or name another folder with --data",
                data.display()
            ))),
        };
    }
    let clock = ScaledClock::try_new(SystemClock.now(), speed)?;
    let said = "`emall up --speed` ran here: the logs may lie in the future.\n";
    fs::write(&mark, said).map_err(|error| {
        let sentence = format!("cannot write {}; check the folder", mark.display());
        Failure::because(sentence, error)
    })?;
    Ok(Some(clock))
}

#[cfg(test)]
mod tests {
    use super::{clock, parse};

    #[test]
    fn a_speed_is_1_to_100000() {
        assert_eq!((parse("1"), parse("100000")), (Ok(1), Ok(100_000)));
        for wrong in ["0", "100001", "-1", "1.5", "fast", ""] {
            assert!(parse(wrong).unwrap_err().contains("1 to 100000"), "{wrong}");
        }
    }

    #[test]
    fn a_folder_on_which_time_ran_fast_is_not_used_at_normal_speed() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        assert_eq!(clock(data, 1).unwrap(), None);
        assert_eq!(clock(data, 60).unwrap().unwrap().speed(), 60);
        assert_eq!(clock(data, 30).unwrap().unwrap().speed(), 30);
        let refused = clock(data, 1).unwrap_err().to_string();
        assert!(refused.contains("--speed") && refused.contains("--data"), "{refused}");
    }
}
