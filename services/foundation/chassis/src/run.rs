//! The `main` of every service: arguments, configuration, telemetry, signals, exit code.

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use clap::Parser;
use eventlog::SystemClock;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    BoxError, ConfigError, Host, Process, Section, Settings, Sources, TelemetryHandle,
    config::effective,
};

/// Exit code for a configuration that cannot be used (`EX_USAGE`).
pub const EXIT_CONFIG: u8 = 64;
/// Exit code for a task that ended or failed (`EX_SOFTWARE`).
pub const EXIT_FAULT: u8 = 70;

#[derive(Debug, Parser)]
#[command(version, disable_version_flag = true)]
struct Arguments {
    /// Configuration file (TOML); the environment goes above it
    #[arg(long, env = "EMALL_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the effective configuration, secrets hidden, and exit
    #[arg(long)]
    print_config: bool,
    /// Print the version and exit
    #[arg(long, short = 'V')]
    version: bool,
}

/// Runs one service as a process. `run` wires the service up: it may return once that is done, or
/// stay until `host.shutdown`.
///
/// Exit codes: 0 after a clean stop, 64 for a bad configuration or command line, 70 when a task
/// ended or failed.
pub fn main<C, F, Fut, E>(name: &'static str, run: F) -> ExitCode
where
    C: Section,
    F: FnOnce(C, Host) -> Fut,
    Fut: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<BoxError> + 'static,
{
    match prepare::<C>(name) {
        Ok(Some((settings, section))) => start(name, settings, section, run),
        Ok(None) => ExitCode::SUCCESS,
        Err(error) => refuse(name, &error),
    }
}

/// `None` when there is nothing to run: the version or the configuration was asked for.
fn prepare<C: Section>(name: &'static str) -> Result<Option<(Settings, C)>, ConfigError> {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => {
            let sentence = error.to_string();
            let first = sentence.lines().next().unwrap_or_default();
            let first = first.strip_prefix("error: ").unwrap_or(first);
            return Err(ConfigError::new(format!("{first}; see {name} --help")));
        }
        Err(help) => {
            print(&help.to_string());
            return Ok(None);
        }
    };
    if arguments.version {
        print(&format!("{name} {}\n", env!("CARGO_PKG_VERSION")));
        return Ok(None);
    }
    let sources = Sources::read(arguments.config.as_deref())?;
    let (settings, section) = (sources.settings()?, sources.section::<C>(name)?);
    if arguments.print_config {
        print(&effective(&settings, name, &section)?);
        return Ok(None);
    }
    if settings.identity.internal_token.is_none() {
        return Err(ConfigError::new(
            "identity.internal_token is not set; set it, or EMALL_IDENTITY__INTERNAL_TOKEN, to the \
             secret that the gateway and all services share",
        ));
    }
    Ok(Some((settings, section)))
}

fn start<C, F, Fut, E>(name: &'static str, settings: Settings, section: C, run: F) -> ExitCode
where
    F: FnOnce(C, Host) -> Fut,
    Fut: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<BoxError> + 'static,
{
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("{name}: cannot start the runtime: {error}\n"));
            return ExitCode::from(EXIT_FAULT);
        }
    };
    let code = runtime.block_on(async move {
        let prepared = async {
            let telemetry = TelemetryHandle::start(name, &settings.telemetry)?;
            log_panics();
            let process = Process::new(settings, Arc::new(SystemClock), telemetry)?;
            process.open_admin().await?;
            Ok::<_, ConfigError>((process, stop_signal()?))
        };
        let (process, stop) = match prepared.await {
            Ok(prepared) => prepared,
            Err(error) => return refuse(name, &error),
        };
        process.start(name, run(section, process.host(name)));
        match process.run(stop).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(fault) if fault.is_config() => ExitCode::from(EXIT_CONFIG),
            Err(_) => ExitCode::from(EXIT_FAULT),
        }
    });
    // A thread that blocks must not hold up the end.
    runtime.shutdown_timeout(Duration::from_millis(200));
    code
}

/// Done at the first SIGTERM or SIGINT.
///
/// # Errors
/// The process cannot listen to signals.
pub fn stop_signal() -> Result<impl Future<Output = ()> + Send, ConfigError> {
    let listen = |kind| {
        signal(kind).map_err(|error| ConfigError::new(format!("cannot listen to signals: {error}")))
    };
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Panics become log lines like everything else.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("a panic without words");
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(message, place, "panic");
    }));
}

fn refuse(name: &str, error: &ConfigError) -> ExitCode {
    complain(&format!("{name}: {error}\n"));
    ExitCode::from(EXIT_CONFIG)
}

fn print(text: &str) {
    // Whoever closed the pipe has read enough.
    let _ = io::stdout().write_all(text.as_bytes());
}

fn complain(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
