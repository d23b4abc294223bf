//! `emall`: all services in one process, and the operator's command line.
//!
//! One file per command; `setup` says what a command is about, `end` how it ends, `client` calls
//! through the gateway. No rule of the business is here.

mod access;
mod amount;
mod client;
mod complaints;
mod end;
mod erase_person;
mod hash_key;
mod listing;
mod parked;
mod place;
mod print_config;
mod push;
mod rebuild;
mod refusal;
mod setup;
mod sla;
mod status;
mod table;
mod terminal;
mod times;
mod up;
mod verify;
mod watch;

use std::{process::ExitCode, time::Duration};

use clap::{Parser, Subcommand};

use end::{End, Failure};

/// The supplier's side of government-procurement e-malls.
#[derive(Debug, Parser)]
#[command(
    version,
    arg_required_else_help = true,
    after_help = "\
Exit codes, unless a command says otherwise: 0 well; 1 something was found; 2 it could not be done; 64
wrong usage or configuration."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run all services in one process
    Up(up::Up),
    /// Push orders from a file, as an e-mall does
    Push(Box<push::Push>),
    /// Show events as they come
    Watch(Box<watch::Watch>),
    /// Show promises about time: what is due, what is late, and why
    Sla(Box<sla::Sla>),
    /// Show complaints: what is due, the record of one, figures
    Complaints(Box<complaints::Complaints>),
    /// Show how it stands
    Status(status::Status),
    /// Compare log, rows, keys and stream, and report every difference
    Verify(verify::Verify),
    /// Fold the log of a service into fresh rows
    Rebuild(rebuild::Rebuild),
    /// Forget a person for ever
    ErasePerson(erase_person::ErasePerson),
    /// Look at events that a service could not take
    Parked(parked::Parked),
    /// Hash an API key for the configuration
    HashKey(hash_key::HashKey),
    /// Print the configuration that `emall up` would run with
    PrintConfig(print_config::PrintConfig),
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return refuse(&error),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            return end::exit(Err(Failure::because("cannot start the runtime; try again", error)));
        }
    };
    let code = end::exit(runtime.block_on(run(arguments.command)));
    // A thread that waits for standard input must not hold up the end.
    runtime.shutdown_timeout(Duration::from_millis(200));
    code
}

async fn run(command: Command) -> Result<End, Failure> {
    match command {
        Command::Up(args) => up::run(args).await,
        Command::Push(args) => push::run(*args).await,
        Command::Watch(args) => watch::run(*args).await,
        Command::Sla(args) => sla::run(*args).await,
        Command::Complaints(args) => complaints::run(*args).await,
        Command::Status(args) => status::run(args).await,
        Command::Verify(args) => verify::run(args).await,
        Command::Rebuild(args) => rebuild::run(args).await,
        Command::ErasePerson(args) => erase_person::run(args).await,
        Command::Parked(args) => parked::run(args).await,
        Command::HashKey(args) => hash_key::run(&args),
        Command::PrintConfig(args) => print_config::run(&args),
    }
}

/// Help and version go to standard output; a wrong usage is 64 here, as a wrong configuration is.
fn refuse(error: &clap::Error) -> ExitCode {
    // Whoever closed the pipe has read enough.
    let _ = error.print();
    if error.use_stderr() { ExitCode::from(64) } else { ExitCode::SUCCESS }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        super::Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_documents_its_exit_codes() {
        for command in super::Arguments::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Exit codes"), "{}", command.get_name());
        }
    }
}
