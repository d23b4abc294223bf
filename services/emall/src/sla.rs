//! `emall sla`: promises about time: what is due, what is late, and why.

mod bind;
mod clocks;
mod explain;
mod watch;
mod words;

use clap::{Args, Subcommand};

use crate::{
    access::Access,
    client::failed,
    end::{End, Failure},
    listing, terminal,
};

/// Arguments of `emall sla`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Without a command: the open clocks by due time, anew each second on a terminal, else once.
Exit codes: 0 well, or the reader went away; 2 it could not be done; 64 wrong usage."
)]
pub(crate) struct Sla {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    clocks: clocks::Clocks,
    #[command(flatten)]
    form: listing::Form,
    #[command(flatten)]
    access: Access,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tell why clocks are due when they are, with everything that counted
    Explain(explain::Explain),
    /// Show warnings, breaches and what follows from them as they come
    Watch(watch::Watch),
    /// Let a profile count for a platform, for one of its contracts, or for all
    Bind(bind::Place),
    /// Let it count there no longer; clocks that run go on
    Unbind(bind::Place),
    /// List the profiles and where they count
    Profiles(bind::Profiles),
}

pub(crate) async fn run(args: Sla) -> Result<End, Failure> {
    let access = &args.access;
    match args.command {
        None => listing::run(&args.clocks, &args.form, access).await,
        Some(Command::Explain(args)) => explain::run(args, access).await,
        Some(Command::Watch(args)) => watch::run(args, access).await,
        Some(Command::Bind(place)) => bind::bind(place, access).await,
        Some(Command::Unbind(place)) => bind::unbind(place, access).await,
        Some(Command::Profiles(args)) => bind::profiles(args, access).await,
    }
}

/// A message of the contracts as one line of protobuf JSON.
fn json_line(name: &str, message: &impl prost::Message) -> String {
    terminal::json_line("emall.sla.v1", name, message)
}
