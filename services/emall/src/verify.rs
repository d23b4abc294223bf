//! `emall verify`: walks log, rows, keys and stream, and reports every difference.

use std::time::{Duration, Instant};

use clap::Args;
use eventlog::{
    Log,
    bus::{Bus, CompareError, Comparison, compare},
};
use serde_json::json;
use tokio::time::timeout;

use crate::{
    end::{End, Failure},
    place,
    setup::{Place, Service, Setup},
    table::grouped,
    terminal,
};

/// How long the bus may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long the relay may take for what is in the log already.
const RELAY: Duration = Duration::from_secs(10);
/// Differences that are printed; more are counted.
const SHOWN: usize = 100;

/// Arguments of `emall verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 clean; 1 differences; 2 it could not be checked; 64 wrong usage.")]
pub(crate) struct Verify {
    /// The service: `ordering`, `sla` [default: every one]
    service: Option<String>,
    /// Do not compare the stream on the bus with the log
    #[arg(long)]
    no_stream: bool,
    /// Address of the bus [default: that of `emall up` on the data folder, else as configured]
    #[arg(long, value_name = "URL", conflicts_with = "no_stream")]
    nats: Option<String>,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// What was found about one service.
struct Found {
    service: &'static str,
    events: u64,
    rows: u64,
    keys: u64,
    /// As many as are listed.
    differences: Vec<String>,
    /// All of them.
    differs: u64,
    /// How many messages of the stream are as in the log; none when it was not asked.
    published: Option<u64>,
    seconds: f64,
}

pub(crate) async fn run(args: Verify) -> Result<End, Failure> {
    let setup = args.place.read()?;
    let services = setup.services(args.service.as_deref())?;
    let bus = if args.no_stream { None } else { Some(bus(&setup, args.nats.as_deref()).await?) };
    let mut clean = true;
    let mut all = Vec::new();
    for service in &services {
        let found = one(service, bus.as_ref()).await?;
        clean &= found.differs == 0;
        if args.json {
            all.push(found.json());
            continue;
        }
        for line in found.lines() {
            terminal::say(&line)?;
        }
    }
    if args.json {
        terminal::say(&json!({ "clean": clean, "services": all }).to_string())?;
    }
    Ok(End::well_if(clean))
}

async fn bus(setup: &Setup, given: Option<&str>) -> Result<Bus, Failure> {
    let otherwise =
        "start `emall up`, name another with --nats, or leave the stream out with --no-stream";
    if given.is_none() && setup.has_own_bus() && place::bus(&setup.data).is_none() {
        let data = setup.data.display();
        return Err(Failure::broken(format!("nothing runs on {data}; {otherwise}")));
    }
    let bus = setup.bus("emall-verify", given).await?;
    timeout(PATIENCE, bus.connected()).await.map_err(|_| {
        Failure::broken(format!("the bus at {} does not answer; {otherwise}", setup.bus_url(given)))
    })?;
    Ok(bus)
}

async fn one(service: &Service, bus: Option<&Bus>) -> Result<Found, Failure> {
    let name = service.name;
    let began = Instant::now();
    service.must_exist()?;
    let report = eventlog::verify(&service.options, &service.kinds).await.map_err(|error| {
        Failure::because(format!("{name} could not be checked; see its database"), error)
    })?;
    let mut differences: Vec<String> = report.differences.iter().map(ToString::to_string).collect();
    let mut differs = report.differs;
    let mut published = None;
    if let Some(bus) = bus {
        let log = service.open().await?;
        let compared = with_stream(&log, bus, &service.stream()).await;
        log.close().await;
        let comparison = compared.map_err(|error| {
            Failure::because(
                format!("the stream of {name} could not be compared; see the bus"),
                error,
            )
        })?;
        let told = told(&comparison);
        differs += u64::try_from(told.len()).unwrap_or(0);
        differences.extend(told);
        published = Some(comparison.same);
    }
    let seconds = began.elapsed().as_secs_f64();
    Ok(Found {
        service: name,
        events: report.events,
        rows: report.rows,
        keys: report.keys,
        differences,
        differs,
        published,
        seconds,
    })
}

/// Compares the stream with what the log holds now, once it has that: what was just recorded may be
/// on its way. What is recorded meanwhile may lag.
async fn with_stream(log: &Log, bus: &Bus, stream: &str) -> Result<Comparison, CompareError> {
    let until = log.last_position().await?;
    let reached = async {
        while !matches!(bus.stream_state(stream).await, Ok(Some(state)) if state.last >= until) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let _ = timeout(RELAY, reached).await;
    compare(log, bus, stream, until).await
}

fn told(comparison: &Comparison) -> Vec<String> {
    let mut told: Vec<String> = comparison
        .different
        .iter()
        .map(|position| format!("stream: the message at {position} is not the event of the log"))
        .collect();
    if comparison.first > 1 {
        told.push(format!("stream: it begins at {} instead of 1", comparison.first));
    }
    if comparison.unpublished > 0 {
        told.push(format!(
            "stream: {} events of the log are not published yet",
            grouped(comparison.unpublished)
        ));
    }
    if comparison.unknown > 0 {
        told.push(format!("stream: {} messages are not in the log", grouped(comparison.unknown)));
    }
    told
}

impl Found {
    fn lines(&self) -> Vec<String> {
        let stream = match self.published {
            None => "stream not compared".to_owned(),
            Some(same) => format!("{} messages on the stream the same", grouped(same)),
        };
        let mut lines = vec![format!(
            "{}: {} events, {} rows, {} keys, {stream} ({:.1} s): {}",
            self.service,
            grouped(self.events),
            grouped(self.rows),
            grouped(self.keys),
            self.seconds,
            match self.differs {
                0 => "clean".to_owned(),
                1 => "1 difference".to_owned(),
                more => format!("{} differences", grouped(more)),
            }
        )];
        lines.extend(
            self.differences.iter().take(SHOWN).map(|difference| format!("  {difference}")),
        );
        let shown = u64::try_from(self.differences.len().min(SHOWN)).unwrap_or(0);
        if self.differs > shown {
            lines.push(format!("  and {} more", grouped(self.differs - shown)));
        }
        lines
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "service": self.service,
            "events": self.events,
            "rows": self.rows,
            "keys": self.keys,
            "differs": self.differs,
            "published": self.published,
            "differences": self.differences,
            "seconds": self.seconds,
        })
    }
}

#[cfg(test)]
mod tests {
    use eventlog::bus::Comparison;

    use super::told;

    #[test]
    fn each_kind_of_difference_of_a_stream_is_told() {
        let same = Comparison { first: 1, last: 5, same: 5, ..Comparison::default() };
        assert_eq!(told(&same), Vec::<String>::new());
        let comparison = Comparison {
            first: 3,
            last: 5,
            same: 1,
            different: vec![4],
            unpublished: 1_000,
            unknown: 2,
        };
        let told = told(&comparison);
        assert_eq!(told.len(), 4);
        assert!(told[0].contains("at 4"), "{told:?}");
        assert!(told[2].contains("1,000 events"), "{told:?}");
    }
}
