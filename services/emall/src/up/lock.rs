//! One `emall up` on a data folder at a time.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    path::Path,
};

use crate::end::Failure;

/// Held while it lives. The system lets it go when the process ends, however it ends, so that
/// nothing has to be tidied up after a crash.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    pub(crate) fn take(data: &Path) -> Result<Self, Failure> {
        let path = data.join("lock");
        let unusable = |error: std::io::Error| {
            let sentence =
                format!("cannot use {}; check the folder's owner and its disk", path.display());
            Failure::because(sentence, error)
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = file.read_to_string(&mut holder);
                return Err(Failure::broken(format!(
                    "`emall up` runs on {} already, as process {}; stop it (kill {}), or name another folder with --data",
                    data.display(),
                    holder.trim(),
                    holder.trim()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        file.set_len(0).map_err(unusable)?;
        file.rewind().map_err(unusable)?;
        write!(file, "{}", std::process::id()).map_err(unusable)?;
        Ok(Self { _file: file })
    }

    /// Whether somebody holds it now.
    pub(crate) fn is_held(data: &Path) -> bool {
        let Ok(file) = File::open(data.join("lock")) else { return false };
        matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }
}

#[cfg(test)]
mod tests {
    use super::Lock;

    #[test]
    fn a_second_one_is_refused_with_the_process_id_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!Lock::is_held(folder.path()));
        let first = Lock::take(folder.path()).unwrap();
        assert!(Lock::is_held(folder.path()));
        let refused = Lock::take(folder.path()).unwrap_err().to_string();
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
        drop(first);
        assert!(Lock::take(folder.path()).is_ok());
    }
}
