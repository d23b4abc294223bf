//! `emall parked`: events that a service could not take and that wait for a person.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::{
    end::{End, Failure},
    setup::{Place, Service},
    table::{Align, Table, clip},
    terminal,
};

/// Entries read at once.
const PAGE: usize = 500;

/// Arguments of `emall parked`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 done, or nothing is parked; 1 something is parked (list), or was refused again (retry); 2
it could not be done; 64 wrong usage.")]
pub(crate) struct Parked {
    #[command(subcommand)]
    command: Command,
    /// The service that parked them
    #[arg(long, value_name = "SERVICE", default_value = ordering::NAME, global = true)]
    service: String,
    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what is parked, and why
    List {
        /// Print it as JSON lines
        #[arg(long)]
        json: bool,
    },
    /// Let the service react to an event once more
    Retry {
        #[command(flatten)]
        entry: Entry,
    },
    /// Give an event up: the service never reacts to it
    Drop {
        #[command(flatten)]
        entry: Entry,
    },
}

#[derive(Debug, Args)]
struct Entry {
    /// What could not take the event, as `list` shows it
    source: String,
    /// Position of the event, as `list` shows it
    position: u64,
}

pub(crate) async fn run(args: Parked) -> Result<End, Failure> {
    let service = args.place.read()?.service(&args.service)?;
    match args.command {
        Command::List { json } => list(&service, json).await,
        Command::Retry { entry } => retry(&service, &entry).await,
        Command::Drop { entry } => give_up(&service, &entry).await,
    }
}

/// Everything that is parked, by source and position.
pub(crate) async fn all(log: &eventlog::Log) -> Result<Vec<eventlog::Parked>, eventlog::LogError> {
    let mut all: Vec<eventlog::Parked> = Vec::new();
    loop {
        let after = all.last().map_or(("", 0), |last| (last.source.as_str(), last.position));
        let page = log.parked(None, after, PAGE).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

async fn list(service: &Service, as_json: bool) -> Result<End, Failure> {
    let log = service.open().await?;
    let entries = all(&log).await.map_err(|error| unreadable(service, error))?;
    log.close().await;
    let mut table = Table::new(&[
        ("source", Align::Left),
        ("position", Align::Right),
        ("event", Align::Left),
        ("parked at", Align::Left),
        ("because", Align::Left),
    ]);
    for entry in &entries {
        if as_json {
            let line = json!({
                "source": entry.source,
                "position": entry.position,
                "reason": entry.reason,
                "parkedAt": entry.parked_at.to_string(),
                "type": entry.event.r#type,
                "event": contracts::json(&entry.event.r#type, &entry.event.body),
            });
            terminal::say(&line.to_string())?;
        }
        table.row([
            entry.source.clone(),
            entry.position.to_string(),
            entry.event.r#type.clone(),
            entry.parked_at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            clip(&entry.reason, 90),
        ]);
    }
    if !as_json {
        if entries.is_empty() {
            terminal::say(&format!("{}: nothing is parked", service.name))?;
        } else {
            for line in table.lines() {
                terminal::say(&line)?;
            }
        }
    }
    Ok(End::well_if(entries.is_empty()))
}

/// A retry needs the reaction itself, and with it its service.
async fn retry(service: &Service, entry: &Entry) -> Result<End, Failure> {
    let log = service.open().await?;
    let found = log.parked_entry(&entry.source, entry.position).await;
    log.close().await;
    match found.map_err(|error| unreadable(service, error))? {
        None => Err(absent(service, entry)),
        Some(_) => Err(Failure::usage(format!(
            "{} of this build has no reaction {}; use a build that has it, or drop the event",
            service.name, entry.source
        ))),
    }
}

async fn give_up(service: &Service, entry: &Entry) -> Result<End, Failure> {
    let log = service.open().await?;
    let dropped = log.drop_parked(&entry.source, entry.position).await;
    log.close().await;
    match dropped {
        Ok(()) => {
            terminal::say(&format!("{}/{} is given up", entry.source, entry.position))?;
            Ok(End::Well)
        }
        Err(eventlog::CommitError::NotParked { .. }) => Err(absent(service, entry)),
        Err(error) => Err(Failure::because("it could not be given up; try again", error)),
    }
}

fn absent(service: &Service, entry: &Entry) -> Failure {
    Failure::usage(format!(
        "{}/{} is not parked in {}; see `emall parked list`",
        entry.source, entry.position, service.name
    ))
}

fn unreadable(service: &Service, error: eventlog::LogError) -> Failure {
    Failure::because(
        format!("the log of {} cannot be read; check its database", service.name),
        error,
    )
}
