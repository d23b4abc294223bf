//! `emall push`: a small e-mall that sends its orders.
//!
//! ```text
//! file ─read─▶ entries ─send─▶ answers ─▶ tally
//!                                 └─▶ ledger ─▶ cancellations ─▶ life ─▶ reconciliation
//! ```
//!
//! Everything it sends carries an id that follows from the file, so the same file may be pushed
//! again, after a crash of either side, or for fun: the supplier answers "repeated". With `--from-now`
//! the times of the file are moved, and everything is sent when its time comes (`live`).

mod cancel;
mod draft;
mod entry;
mod json_lines;
mod ledger;
mod life;
mod live;
mod reconcile;
mod retail_csv;
mod send;
mod tally;

use std::{
    fs::File,
    io::{self, BufReader, IsTerminal as _, Read},
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;
use tokio::sync::mpsc;

use entry::{Entry, ReadError};
use ledger::Ledger;
pub(crate) use life::phase_name;

use crate::{
    access::Access,
    end::{End, Failure},
    terminal::{self, Progress},
};

/// The zone in which the file tells its times.
pub(crate) const ZONE: &str = "Asia/Shanghai";
/// Entries read ahead of what is sent.
const READ_AHEAD: usize = 256;

/// Arguments of `emall push`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 every order was answered (accepted, repeated or refused); 1 something got no answer or
could not be finished; 2 nothing could be done; 64 wrong usage.")]
pub(crate) struct Push {
    /// CSV with the columns of UCI Online Retail, or one OrderDraft in protobuf JSON a line; `-`
    /// reads standard input
    file: PathBuf,
    #[command(flatten)]
    access: Access,
    /// The platform this e-mall is
    #[arg(long, value_name = "PLATFORM", default_value = "retail-mall")]
    platform: String,
    /// What the file is [default: by its extension, else CSV]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Orders under way at once
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1000))]
    in_flight: u16,
    /// Send over one stream (PushOrders) instead of one call an order
    #[arg(long)]
    stream: bool,
    /// Drive every accepted order through shipping, tracking, delivery, inspection and settlement
    #[arg(long)]
    life: bool,
    /// Play the file as if it began now: its times are moved so that the first order is placed now, and
    /// everything is sent when its time comes. Pushed again it is another file, with other times
    #[arg(long, conflicts_with_all = ["in_flight", "stream", "speed"])]
    from_now: bool,
    /// Let some users complain of late and damaged deliveries; their complaints are handled until they are
    /// closed. One is refused and handed upwards, one becomes major by its deadline
    #[arg(long, requires_all = ["life", "from_now"])]
    complaints: bool,
    /// Orders a second at most [default: as fast as they are answered]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    speed: Option<u32>,
    /// Stop reading after so many orders and cancellations
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Csv,
    Jsonl,
}

/// How orders are sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) in_flight: usize,
    pub(crate) stream: bool,
    /// Between two orders.
    pub(crate) gap: Option<Duration>,
    /// Whether the goods of accepted orders will be needed again.
    pub(crate) life: bool,
}

pub(crate) async fn run(args: Push) -> Result<End, Failure> {
    let entries = open(&args)?;
    let client = args.access.connect().await?;
    let pace = Pace {
        in_flight: usize::from(args.in_flight),
        stream: args.stream,
        gap: args.speed.map(|speed| Duration::from_secs(1) / speed),
        life: args.life,
    };
    let progress = Progress::new(!args.json);

    let (sent, lived) = if args.from_now {
        let play = live::Play { life: args.life, complaints: args.complaints };
        live::all(&client, entries, args.access.clock(), play, &progress).await?
    } else {
        let mut sent = send::all(&client, entries, pace, &progress).await?;
        let mut ledger = Ledger::of(std::mem::take(&mut sent.accepted));
        cancel::all(&client, &mut ledger, &sent.cancellations, args.life, &mut sent.tally).await?;
        let lived = if args.life {
            Some(life::all(&client, ledger.orders(), pace.in_flight, &progress).await?)
        } else {
            None
        };
        (sent, lived)
    };
    let lived = match lived {
        None => None,
        Some(mut report) => {
            report.reconciliations = reconcile::all(&client, &args.platform, &report.lives).await?;
            Some(report)
        }
    };
    progress.clear();

    if args.json {
        let mut json = sent.tally.json();
        if let (Some(lived), Some(object)) = (&lived, json.as_object_mut()) {
            object.insert("life".to_owned(), lived.json());
        }
        terminal::say(&json.to_string())?;
    } else {
        let (file, url) = (args.file.display(), args.access.url()?);
        terminal::say(&format!("Pushed {file} to {url} as {}:", args.platform))?;
        for line in sent.tally.table().into_iter().chain(lived.iter().flat_map(life::Report::table))
        {
            terminal::say(&line)?;
        }
    }
    if let Some(error) = sent.stopped_by {
        return Err(Failure::because("the file was not read to its end", error));
    }
    Ok(End::well_if(sent.tally.lost == 0 && lived.is_none_or(|report| report.went_well())))
}

/// Opens the file and reads it in a thread of its own: reading blocks.
fn open(args: &Push) -> Result<mpsc::Receiver<Result<Entry, ReadError>>, Failure> {
    let name = args.file.display();
    let input: Box<dyn Read + Send> = if args.file == Path::new("-") {
        if io::stdin().is_terminal() {
            terminal::complain("emall: reading orders from the terminal; end with Ctrl-D");
        }
        Box::new(io::stdin())
    } else {
        let file = File::open(&args.file).map_err(|error| {
            Failure::because(format!("cannot open {name}; name a readable file, or - "), error)
        })?;
        Box::new(file)
    };
    let is_jsonl = args
        .file
        .extension()
        .is_some_and(|extension| extension == "jsonl" || extension == "ndjson");
    let format = args.format.unwrap_or(if is_jsonl { Format::Jsonl } else { Format::Csv });
    let useless = |error| Failure::because(format!("{name} cannot be pushed"), error);
    let input = BufReader::with_capacity(1 << 16, input);
    type Entries = Box<dyn Iterator<Item = Result<Entry, ReadError>> + Send>;
    let entries: Entries = match format {
        Format::Csv => {
            let zone = TimeZone::get(ZONE)
                .map_err(|error| Failure::because(format!("cannot find the zone {ZONE}"), error))?;
            Box::new(retail_csv::Invoices::new(input, &args.platform, zone).map_err(useless)?)
        }
        Format::Jsonl => Box::new(json_lines::Drafts::new(input, &args.platform).map_err(useless)?),
    };
    let limit = args.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let (sender, receiver) = mpsc::channel(READ_AHEAD);
    tokio::task::spawn_blocking(move || {
        for entry in entries.take(limit) {
            if sender.blocking_send(entry).is_err() {
                break;
            }
        }
    });
    Ok(receiver)
}
