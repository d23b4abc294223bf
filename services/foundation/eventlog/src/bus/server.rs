//! A nats-server as a child process: found, started, awaited, stopped.
//!
//! The invariant: no server that was started here outlives its [`Server`], save when this process
//! is killed outright; then the next start on the same folder ends the one that was left behind.

use std::{
    fmt::Write as _,
    fs::{File, TryLockError},
    io,
    net::IpAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
    time::{Instant, timeout},
};

/// The oldest nats-server that will do.
pub const OLDEST: (u64, u64) = (2, 10);

const POLL: Duration = Duration::from_millis(10);

/// How to start the server.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// The binary; when `None` it is looked for: see [`find`].
    pub binary: Option<PathBuf>,
    /// Folder with downloaded tools, looked into last.
    pub tools: Option<PathBuf>,
    /// Folder for everything the server writes: the streams, its log, its process id.
    pub folder: PathBuf,
    /// Address to listen on.
    pub host: IpAddr,
    /// Port to listen on; `None` takes a free one.
    pub port: Option<u16>,
    /// `always`, or how often the server writes its buffers to disk, such as `10s`. The log makes
    /// good whatever the server forgets, so that its default of two minutes loses nothing.
    pub sync_interval: Option<String>,
    /// A configuration file of one's own (users, TLS, limits), put after what this module writes.
    pub config: Option<PathBuf>,
    /// How long the server may take until it accepts connections.
    pub patience: Duration,
}

impl ServerOptions {
    /// A server on a free port of this machine that keeps everything in `folder`.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            binary: None,
            tools: None,
            folder: folder.into(),
            host: IpAddr::from([127, 0, 0, 1]),
            port: None,
            sync_interval: None,
            config: None,
            patience: Duration::from_secs(20),
        }
    }
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// No binary anywhere.
    #[error(
        "no nats-server found: give its path, set NATS_SERVER, put it on the PATH, or fetch it with `python3 deploy/fetch_tools.py nats`"
    )]
    NotFound,
    /// The binary does not say what it is.
    #[error("{} does not answer `--version` as a nats-server does", .0.display())]
    NotNats(PathBuf),
    /// The binary is too old.
    #[error("{} is nats-server {found}, but {}.{} or later is needed", .path.display(), OLDEST.0, OLDEST.1)]
    TooOld {
        /// The binary.
        path: PathBuf,
        /// Its version.
        found: String,
    },
    /// Another process has a server on the same folder.
    #[error("{} is in use: another process runs its nats-server there", .0.display())]
    InUse(PathBuf),
    /// The folder or the process gave an error.
    #[error("cannot {doing}")]
    Io {
        /// What was being done.
        doing: String,
        /// Why it failed.
        source: io::Error,
    },
    /// The server ended before it accepted a connection.
    #[error("nats-server ended at once; the end of its log: {0}")]
    Ended(String),
    /// The server does not accept connections.
    #[error("nats-server accepts no connection after {} s; the end of its log: {log}", .waited.as_secs())]
    NotReady {
        /// How long it was waited for.
        waited: Duration,
        /// The end of the server's log.
        log: String,
    },
}

fn broken(doing: impl Into<String>) -> impl FnOnce(io::Error) -> ServerError {
    let doing = doing.into();
    move |source| ServerError::Io { doing, source }
}

/// A running nats-server.
#[derive(Debug)]
pub struct Server {
    child: Child,
    binary: PathBuf,
    options: ServerOptions,
    port: u16,
    version: String,
    /// Held while the folder is ours; the system lets it go when this process ends, however.
    _lock: File,
}

impl Server {
    /// Starts a server and waits until it accepts connections with JetStream on.
    ///
    /// # Errors
    /// No binary, a binary too old, or a server that does not come up.
    pub async fn start(options: ServerOptions) -> Result<Self, ServerError> {
        let (binary, version) = find(options.binary.as_deref(), options.tools.as_deref()).await?;
        std::fs::create_dir_all(&options.folder)
            .map_err(broken(format!("create {}", options.folder.display())))?;
        let lock = lock_folder(&options.folder)?;
        end_left_behind(&binary, &options.folder).await;
        let child = spawn(&binary, &options)?;
        let mut server = Self { child, binary, port: 0, version, options, _lock: lock };
        server.wait_until_ready().await?;
        // A restart comes back where the clients look for it.
        server.options.port = Some(server.port);
        Ok(server)
    }

    /// Where clients connect to.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://{}", std::net::SocketAddr::new(self.options.host, self.port))
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its version, such as `2.15.1`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Its process id, while it runs.
    #[must_use]
    pub fn process_id(&self) -> Option<u32> {
        self.child.id()
    }

    /// The folder it keeps everything in.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.options.folder
    }

    /// The folder of its streams: what a lost disk would take with it.
    #[must_use]
    pub fn store(&self) -> PathBuf {
        store_of(&self.options.folder)
    }

    /// Waits until the server ends by itself, which it should not.
    ///
    /// # Errors
    /// The process cannot be waited for.
    pub async fn ended(&mut self) -> Result<std::process::ExitStatus, ServerError> {
        self.child.wait().await.map_err(broken("wait for nats-server"))
    }

    /// Stops the server: asks it to, and ends it when it has not stopped within `patience`.
    ///
    /// # Errors
    /// The process cannot be ended.
    pub async fn stop(&mut self, patience: Duration) -> Result<(), ServerError> {
        if let Some(id) = self.child.id() {
            ask_to_end(&self.binary, id).await;
            if timeout(patience, self.child.wait()).await.is_ok() {
                return Ok(());
            }
            tracing::warn!(id, "nats-server did not stop in time and is killed");
        }
        self.kill().await
    }

    /// Kills the server as a crash would.
    ///
    /// # Errors
    /// The process cannot be ended.
    pub async fn kill(&mut self) -> Result<(), ServerError> {
        if let Some(id) = self.child.id() {
            // It would mislead if the process number came up again.
            let _ = std::fs::remove_file(ports_file(&self.binary, &self.options.folder, id));
        }
        match self.child.kill().await {
            // It has ended already.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            other => other.map_err(broken("kill nats-server")),
        }
    }

    /// Starts the server again on the same port and folder; ends it first if it still runs.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn restart(&mut self) -> Result<(), ServerError> {
        self.kill().await?;
        self.child = spawn(&self.binary, &self.options)?;
        self.wait_until_ready().await
    }

    async fn wait_until_ready(&mut self) -> Result<(), ServerError> {
        let until = Instant::now() + self.options.patience;
        while Instant::now() < until {
            if self.child.try_wait().map_err(broken("wait for nats-server"))?.is_some() {
                return Err(ServerError::Ended(end_of_log(&self.options.folder)));
            }
            if let Some(port) = self.announced_port()
                && accepts((self.options.host, port)).await
            {
                self.port = port;
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
        Err(ServerError::NotReady {
            waited: self.options.patience,
            log: end_of_log(&self.options.folder),
        })
    }

    /// The port that the server listens on, from the file in which it says so. Also where the port
    /// was given: there might be another server on it.
    fn announced_port(&self) -> Option<u16> {
        let file = ports_file(&self.binary, &self.options.folder, self.child.id()?);
        let ports: serde_json::Value = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
        ports.get("nats")?.get(0)?.as_str()?.rsplit_once(':')?.1.parse().ok()
    }
}

/// Looks for nats-server: at `explicit`, in `NATS_SERVER`, on the `PATH`, in `tools`. Gives the
/// path and the version.
///
/// # Errors
/// None is found, or the first one found is too old.
pub async fn find(
    explicit: Option<&Path>,
    tools: Option<&Path>,
) -> Result<(PathBuf, String), ServerError> {
    let named = explicit.map(Path::to_path_buf).or_else(|| {
        std::env::var_os("NATS_SERVER").filter(|path| !path.is_empty()).map(Into::into)
    });
    let binary = named
        .or_else(|| {
            let path = std::env::var_os("PATH")?;
            std::env::split_paths(&path)
                .map(|folder| folder.join("nats-server"))
                .find(|p| p.is_file())
        })
        .or_else(|| tools.map(|folder| folder.join("nats-server")).filter(|path| path.is_file()))
        .ok_or(ServerError::NotFound)?;
    let output = Command::new(&binary)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(broken(format!("run {}", binary.display())))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let Some((version, number)) = version(&text) else {
        return Err(ServerError::NotNats(binary));
    };
    if number < OLDEST {
        return Err(ServerError::TooOld { path: binary, found: version });
    }
    Ok((binary, version))
}

/// `nats-server: v2.15.1` as `2.15.1` and (2, 15).
fn version(text: &str) -> Option<(String, (u64, u64))> {
    let version = text.trim().strip_prefix("nats-server: v")?;
    let mut numbers = version.split('.');
    let major = numbers.next()?.parse().ok()?;
    let minor = numbers.next()?.parse().ok()?;
    Some((version.to_owned(), (major, minor)))
}

fn store_of(folder: &Path) -> PathBuf {
    folder.join("streams")
}

fn ports_file(binary: &Path, folder: &Path, process: u32) -> PathBuf {
    let name = binary.file_name().unwrap_or_default().to_string_lossy();
    folder.join(format!("{name}_{process}.ports"))
}

fn spawn(binary: &Path, options: &ServerOptions) -> Result<Child, ServerError> {
    let folder = std::path::absolute(&options.folder)
        .map_err(broken(format!("find {}", options.folder.display())))?;
    let file = folder.join("nats-server.conf");
    std::fs::write(&file, configuration(&folder, options)?)
        .map_err(broken(format!("write {}", file.display())))?;
    Command::new(binary)
        .arg("--config")
        .arg(&file)
        .arg("--ports_file_dir")
        .arg(&folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl-C in a terminal reaches the whole group: the one who started the server stops it, last.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(broken(format!("start {}", binary.display())))
}

/// The server's configuration file. Monitoring stays off: no port is named for it.
fn configuration(folder: &Path, options: &ServerOptions) -> Result<String, ServerError> {
    let mut text = String::from("# Written anew at every start.\n");
    let quoted = |path: &Path| serde_json::Value::from(path.to_string_lossy()).to_string();
    let port = options.port.map_or(-1, i32::from);
    let written = writeln!(text, "host: \"{}\"\nport: {port}", options.host)
        .and_then(|()| writeln!(text, "pid_file: {}", quoted(&pid_file(folder))))
        .and_then(|()| writeln!(text, "log_file: {}", quoted(&folder.join("nats-server.log"))))
        .and_then(|()| writeln!(text, "logfile_size_limit: 16MB\nlogfile_max_num: 2"))
        // A log takes events of a megabyte, which come with headers.
        .and_then(|()| writeln!(text, "max_payload: 2MB"))
        .and_then(|()| writeln!(text, "jetstream {{\n  store_dir: {}", quoted(&store_of(folder))))
        .and_then(|()| match &options.sync_interval {
            Some(interval) => writeln!(text, "  sync_interval: {interval}"),
            None => Ok(()),
        })
        .and_then(|()| writeln!(text, "}}"));
    written.map_err(|_| ServerError::Io {
        doing: "write the server's configuration".to_owned(),
        source: io::Error::other("formatting failed"),
    })?;
    if let Some(own) = &options.config {
        // Not `include`: the server takes an absolute path there for a relative one.
        let own =
            std::fs::read_to_string(own).map_err(broken(format!("read {}", own.display())))?;
        text.push_str(&own);
    }
    Ok(text)
}

fn pid_file(folder: &Path) -> PathBuf {
    folder.join("nats-server.pid")
}

fn lock_folder(folder: &Path) -> Result<File, ServerError> {
    let path = folder.join("lock");
    let lock = File::create(&path).map_err(broken(format!("create {}", path.display())))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(ServerError::InUse(folder.to_path_buf())),
        Err(TryLockError::Error(source)) => {
            Err(ServerError::Io { doing: format!("lock {}", path.display()), source })
        }
    }
}

/// Ends the server that an earlier, killed run left on this folder, which is ours by now; two of
/// them would damage the streams.
async fn end_left_behind(binary: &Path, folder: &Path) {
    let Ok(folder) = std::path::absolute(folder) else { return };
    let Ok(text) = std::fs::read_to_string(pid_file(&folder)) else { return };
    let Ok(id) = text.trim().parse::<u32>() else { return };
    let ours = || {
        // The number may belong to another process by now: its command line tells.
        std::fs::read(format!("/proc/{id}/cmdline")).is_ok_and(|line| {
            let line = String::from_utf8_lossy(&line);
            line.contains("nats-server") && line.contains(&*folder.to_string_lossy())
        })
    };
    if !ours() {
        return;
    }
    tracing::warn!(id, "a nats-server left behind by an earlier run is ended first");
    for order in ["term", "stop"] {
        signal(binary, order, id).await;
        let until = Instant::now() + Duration::from_secs(10);
        while Instant::now() < until {
            if !ours() {
                return;
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

async fn ask_to_end(binary: &Path, id: u32) {
    signal(binary, "term", id).await;
}

/// The server's own way to signal another one: `term` is SIGTERM, `stop` is SIGKILL.
async fn signal(binary: &Path, order: &str, id: u32) {
    let sent = Command::new(binary)
        .arg("--signal")
        .arg(format!("{order}={id}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .await;
    if let Err(error) = sent {
        tracing::warn!(id, order, %error, "nats-server could not be signalled");
    }
}

/// Whether a server greets there, with JetStream ready.
async fn accepts(address: (IpAddr, u16)) -> bool {
    let greeting = async {
        let stream = TcpStream::connect(address).await.ok()?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).await.ok()?;
        let info: serde_json::Value = serde_json::from_str(line.strip_prefix("INFO ")?).ok()?;
        info.get("jetstream")?.as_bool()
    };
    matches!(timeout(Duration::from_secs(1), greeting).await, Ok(Some(true)))
}

fn end_of_log(folder: &Path) -> String {
    let text = std::fs::read_to_string(folder.join("nats-server.log")).unwrap_or_default();
    let lines: Vec<&str> = text.lines().rev().take(5).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join(" | ")
}
