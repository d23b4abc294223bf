//! `emall complaints`: what users complain of: what is due, the record of one, figures by day.

#![allow(
    clippy::needless_update,
    reason = "a message that gains a field is not spelled out anew where the field is of no use"
)]

mod learned;
mod list;
mod record;
mod reports;
mod show;
mod statistics;
mod words;

use clap::{Args, Subcommand};

use crate::{
    access::Access,
    client::failed,
    end::{End, Failure},
    listing, terminal,
};

/// Arguments of `emall complaints`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Without a command: the open complaints by deadline, anew each second on a terminal, else once.
Exit codes: 0 well, or the reader went away; 2 it could not be done; 64 wrong usage."
)]
pub(crate) struct Complaints {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: list::List,
    #[command(flatten)]
    form: listing::Form,
    #[command(flatten)]
    access: Access,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print the record of a complaint: how it stands, and all that happened
    Show(show::Show),
    /// Print figures of some days: how many, how fast, how satisfied
    Statistics(statistics::Statistics),
    /// Print the quality feedback table of a month, for the five departments
    Feedback(reports::Feedback),
    /// Print what calls of some days were about
    Calls(reports::Calls),
    /// List corrective and preventive actions by due date
    Actions(learned::Actions),
    /// List complaints that are too frequent to be chance, by what they have in common
    Patterns(learned::Patterns),
    /// List standard solutions, by what they are for
    Standards(learned::Standards),
}

pub(crate) async fn run(args: Complaints) -> Result<End, Failure> {
    let access = &args.access;
    match args.command {
        None => listing::run(&args.list, &args.form, access).await,
        Some(Command::Show(args)) => show::run(args, access).await,
        Some(Command::Statistics(args)) => statistics::run(args, access).await,
        Some(Command::Feedback(args)) => reports::feedback(args, access).await,
        Some(Command::Calls(args)) => reports::calls(args, access).await,
        Some(Command::Actions(args)) => learned::actions(args, access).await,
        Some(Command::Patterns(args)) => learned::patterns(args, access).await,
        Some(Command::Standards(args)) => learned::standards(args, access).await,
    }
}

/// A message of the contracts as one line of protobuf JSON.
fn json_line(name: &str, message: &impl prost::Message) -> String {
    terminal::json_line("emall.complaints.v1", name, message)
}
