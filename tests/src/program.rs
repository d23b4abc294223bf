//! A program of this workspace as a process, with what it says in a file.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use tokio::time::{sleep, timeout};

/// The promised 10 s to stop, and a little.
const STOP: Duration = Duration::from_secs(12);
const LOOK: Duration = Duration::from_millis(20);
/// What a program that runs to its end may take, on a machine that does other things too.
const RUN: Duration = Duration::from_secs(180);

/// A running program. It is asked to stop when this is dropped, and killed if it does not.
#[derive(Debug)]
pub struct Program {
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Starts a program in a folder; what it says goes to `<log>.log` there.
    ///
    /// # Panics
    /// It cannot be started.
    #[must_use]
    pub fn start(program: &str, arguments: &[&str], folder: &Path, log: &str) -> Self {
        let log = folder.join(format!("{log}.log"));
        let said = File::options().create(true).append(true).open(&log).expect("a log file");
        let child = Command::new(binary(program))
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(said.try_clone().expect("a log file"))
            .stderr(said)
            .spawn()
            .expect("a program");
        Self { child, log }
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has said so far, earlier runs included.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// How it ended, if it has.
    ///
    /// # Panics
    /// It cannot be asked.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child")
    }

    /// `kill -9`, and nothing else: whatever it left behind stays.
    ///
    /// # Panics
    /// There is no process to kill.
    pub fn kill(&mut self) {
        self.child.kill().expect("a process to kill");
        self.child.wait().expect("a process that was killed");
    }

    /// SIGTERM.
    ///
    /// # Panics
    /// There is no process to ask.
    pub fn ask_to_stop(&self) {
        let sent = Command::new("kill").args(["-TERM", &self.id().to_string()]).status();
        assert!(sent.expect("kill").success(), "no process {} to stop", self.id());
    }

    /// Waits until it has ended.
    ///
    /// # Panics
    /// It takes longer than a stop may take.
    pub async fn end(&mut self) -> ExitStatus {
        let latest = Instant::now() + STOP;
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            assert!(Instant::now() < latest, "it does not stop: {}", self.log());
            sleep(LOOK).await;
        }
    }

    /// Waits until it is ready, by whatever tells.
    ///
    /// # Panics
    /// It ends before, or takes too long.
    pub async fn await_ready<F: Future<Output = bool>>(&mut self, mut ready: impl FnMut(u32) -> F) {
        let latest = Instant::now() + Duration::from_secs(60);
        while !ready(self.id()).await {
            if let Some(status) = self.ended() {
                panic!("it ended with {status}: {}", self.log());
            }
            assert!(Instant::now() < latest, "it does not get ready: {}", self.log());
            sleep(LOOK).await;
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return;
        }
        let id = self.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).stderr(Stdio::null()).status();
        let latest = Instant::now() + STOP;
        while Instant::now() < latest && matches!(self.child.try_wait(), Ok(None)) {
            #[allow(clippy::disallowed_methods, reason = "a drop cannot await")]
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a program in a folder to its end.
///
/// # Panics
/// It cannot be run, or does not end.
pub async fn run(program: &str, arguments: &[&str], folder: &Path) -> Told {
    let ended = tokio::process::Command::new(binary(program))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let ended = timeout(RUN, ended).await;
    let output = ended.unwrap_or_else(|_| panic!("{program} {arguments:?} does not end"));
    let output = output.expect("a program");
    Told {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// What a program that ran to its end has told.
#[derive(Debug)]
pub struct Told {
    /// Its exit code; none after a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Told {
    /// What it printed, which must be JSON, after a good end.
    ///
    /// # Panics
    /// It did not end well, or it is not JSON.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        assert_eq!(self.code, Some(0), "{self:?}");
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The one sentence of a program that could not do its work and ended with this code.
    ///
    /// # Panics
    /// It ended otherwise, or said more or less.
    #[must_use]
    pub fn refusal(&self, code: i32) -> &str {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert_eq!(self.err.lines().count(), 1, "{self:?}");
        self.err.trim_end()
    }
}

/// A program of this workspace, built beside the tests.
///
/// # Panics
/// It was not built.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test binary");
    let folder = test.ancestors().find(|folder| folder.join(name).is_file());
    folder
        .map(|folder| folder.join(name))
        .unwrap_or_else(|| panic!("{name} is not built: run `cargo build --workspace --bins`"))
}
