//! `emall status`: how it stands, on one screen; for programs as JSON.

use std::time::Duration;

use clap::Args;
use complaints::complaint_row::{Wanted, listing};
use contracts::complaints::ComplaintLevel;
use contracts::ordering::OrderPhase;
use eventlog::{Listing, Log, LogError, projection_source};
use ordering::order_row::in_phase;
use serde_json::json;
use sla_monitor::clock_row::by_due;
use tonic::transport::Endpoint;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::{
    end::{End, Failure, chain},
    parked,
    place::{self, Running},
    push::phase_name,
    setup::{Place, Service, Setup},
    table::{Align, Table, grouped},
    terminal::{self, Paint},
    up::lock::Lock,
};

/// How long anything may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// Orders of one phase, or clocks, that are counted; more are "or more": each is a row that is read.
const COUNTED: u64 = 10_000;
const PAGE: usize = 1_000;
/// In the order in which an order passes through them.
const PHASES: [OrderPhase; 11] = [
    OrderPhase::Reserved,
    OrderPhase::Placed,
    OrderPhase::Confirmed,
    OrderPhase::InDelivery,
    OrderPhase::Fulfilled,
    OrderPhase::Settled,
    OrderPhase::Declined,
    OrderPhase::Cancelled,
    OrderPhase::Released,
    OrderPhase::Expired,
    OrderPhase::Refused,
];
/// Events that may be on their way to the bus without anything being wrong.
const USUAL_LAG: u64 = 1_000;

/// Arguments of `emall status`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 everything is well; 1 something is not, and it is marked; 2 it could not be found out; 64
wrong usage.")]
pub(crate) struct Status {
    /// Print it as one JSON object
    #[arg(long)]
    json: bool,
    /// Address of the bus [default: that of `emall up` on the data folder, else as configured]
    #[arg(long, value_name = "URL")]
    nats: Option<String>,
    #[command(flatten)]
    place: Place,
}

/// One thing and whether it is well.
struct Item {
    name: String,
    value: String,
    /// What is wrong with it.
    wrong: Option<String>,
    json: serde_json::Value,
}

impl Item {
    fn new(name: impl Into<String>, value: impl Into<String>, json: serde_json::Value) -> Self {
        Self { name: name.into(), value: value.into(), wrong: None, json }
    }

    fn wrong_if(mut self, wrong: bool, why: impl Into<String>) -> Self {
        if wrong {
            self.wrong = Some(why.into());
        }
        self
    }
}

pub(crate) async fn run(args: Status) -> Result<End, Failure> {
    let setup = args.place.read()?;
    let mut items = vec![process(&setup), gateway(&setup).await];
    let bus = stream_positions(&setup, args.nats.as_deref()).await;
    for service in setup.services(None)? {
        items.extend(log(&service, bus.as_ref().map_err(Clone::clone)).await?);
    }
    items.extend(heard(&setup).await?);
    let well = items.iter().all(|item| item.wrong.is_none());
    if args.json {
        let items = items.iter().map(|item| {
            json!({ "name": item.name, "value": item.json, "well": item.wrong.is_none(), "wrong": item.wrong })
        });
        let items: Vec<_> = items.collect();
        terminal::say(&json!({ "well": well, "items": items }).to_string())?;
        return Ok(End::well_if(well));
    }
    let paint = Paint::stdout();
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left), ("", Align::Left)]);
    for item in &items {
        let mark = match &item.wrong {
            None => paint.green("ok"),
            Some(wrong) => paint.red(wrong),
        };
        table.row([item.name.clone(), item.value.clone(), mark]);
    }
    for line in table.lines() {
        terminal::say(&line)?;
    }
    Ok(End::well_if(well))
}

fn process(setup: &Setup) -> Item {
    let data = setup.data.display();
    if !setup.has_own_bus() {
        return Item::new("process", "services of their own", json!(null));
    }
    match Running::read(&setup.data) {
        Some(running) if Lock::is_held(&setup.data) => Item::new(
            "process",
            format!("emall up, process {}, data in {data}", running.pid),
            json!({ "pid": running.pid, "data": data.to_string() }),
        ),
        Some(_) | None if Lock::is_held(&setup.data) => {
            Item::new("process", format!("data in {data}"), json!(null))
                .wrong_if(true, "starting or stopping")
        }
        Some(_) | None => Item::new("process", format!("data in {data}"), json!(null))
            .wrong_if(true, "not running; start `emall up`"),
    }
}

/// Asks the gateway's health service, as a load balancer does.
async fn gateway(setup: &Setup) -> Item {
    let url = place::gateway(None, &setup.data).unwrap_or_else(|_| {
        let scheme = if setup.gateway.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", Setup::reachable(setup.gateway.listen))
    });
    let asked = async {
        let endpoint = Endpoint::from_shared(url.clone()).map_err(|error| error.to_string())?;
        let channel = endpoint.connect().await.map_err(|error| chain(&error))?;
        let answer = HealthClient::new(channel)
            .check(HealthCheckRequest::default())
            .await
            .map_err(|status| status.message().to_owned())?;
        match answer.into_inner().status() {
            ServingStatus::Serving => Ok(()),
            ServingStatus::NotServing | ServingStatus::Unknown | ServingStatus::ServiceUnknown => {
                Err("not serving".to_owned())
            }
        }
    };
    let healthy = match tokio::time::timeout(PATIENCE, asked).await {
        Ok(answer) => answer,
        Err(_) => Err("does not answer".to_owned()),
    };
    let wrong = healthy.as_ref().err().cloned().unwrap_or_default();
    Item::new("gateway", url.clone(), json!(url)).wrong_if(healthy.is_err(), wrong)
}

/// Last sequences of the streams, by name, or why they are not known.
async fn stream_positions(
    setup: &Setup,
    given: Option<&str>,
) -> Result<Vec<(String, Option<u64>)>, String> {
    let asked = async {
        let bus = setup.bus("emall-status", given).await.map_err(|failure| failure.to_string())?;
        bus.connected().await;
        let mut positions = Vec::new();
        for service in setup.services(None).map_err(|failure| failure.to_string())? {
            let stream = service.stream();
            let state = bus.stream_state(&stream).await.map_err(|error| error.to_string())?;
            positions.push((stream, state.map(|state| state.last)));
        }
        Ok(positions)
    };
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(positions) => positions,
        Err(_) => Err(format!("the bus at {} does not answer", setup.bus_url(given))),
    }
}

async fn log(
    service: &Service,
    bus: Result<&Vec<(String, Option<u64>)>, String>,
) -> Result<Vec<Item>, Failure> {
    let name = service.name;
    if let Err(missing) = service.must_exist() {
        return Ok(vec![
            Item::new(name, "no log", json!(null)).wrong_if(true, missing.to_string()),
        ]);
    }
    let log = service.open().await?;
    let items = of_log(service, &log, bus).await;
    log.close().await;
    items.map_err(|error| {
        Failure::because(format!("the log of {name} cannot be read; check its database"), error)
    })
}

async fn of_log(
    service: &Service,
    log: &Log,
    bus: Result<&Vec<(String, Option<u64>)>, String>,
) -> Result<Vec<Item>, LogError> {
    let name = service.name;
    let last = log.last_position().await?;
    let mut items =
        vec![Item::new(format!("{name} log"), format!("position {}", grouped(last)), json!(last))];
    let stream = service.stream();
    items.push(match bus {
        Err(wrong) => {
            Item::new(format!("{name} stream"), "unknown", json!(null)).wrong_if(true, wrong)
        }
        Ok(positions) => {
            let published = positions.iter().find(|(name, _)| *name == stream);
            let published = published.and_then(|(_, last)| *last).unwrap_or(0);
            let lag = last.saturating_sub(published);
            let value = format!("sequence {}, {} behind", grouped(published), grouped(lag));
            Item::new(format!("{name} stream"), value, json!({ "last": published, "lag": lag }))
                .wrong_if(lag > USUAL_LAG, "the relay is behind")
                .wrong_if(published > last, "the stream has more than the log")
        }
    });
    for projection in &service.projections {
        let cursor = log.cursor(&projection_source(projection)).await?;
        let lag = last.saturating_sub(cursor);
        let value = format!("cursor {}, {} behind", grouped(cursor), grouped(lag));
        items.push(
            Item::new(
                format!("{name} {projection}"),
                value,
                json!({ "cursor": cursor, "lag": lag }),
            )
            .wrong_if(lag > USUAL_LAG, "the projection is behind"),
        );
    }
    let parked = parked::all(log).await?.len();
    items.push(
        Item::new(format!("{name} parked"), parked.to_string(), json!(parked))
            .wrong_if(parked > 0, "see `emall parked list`"),
    );
    match name {
        ordering::NAME => items.extend(orders(log).await?),
        complaints::NAME => items.extend(open_complaints(log).await?),
        sla_monitor::CONTEXT => items.extend(clocks(log).await?),
        _ => {}
    }
    Ok(items)
}

/// How far sla-monitor has read the services that its clocks go by.
async fn heard(setup: &Setup) -> Result<Vec<Item>, Failure> {
    let clocks = setup.service(sla_monitor::NAME)?;
    let mut items = Vec::new();
    for source in &setup.sla_monitor.sources {
        // One that is not part of this build, or whose log lies elsewhere, cannot be compared.
        let Ok(service) = setup.service(source) else { continue };
        if clocks.must_exist().is_err() || service.must_exist().is_err() {
            continue;
        }
        let (of, by) = (service.open().await?, clocks.open().await?);
        let read = async {
            // First the cursor: it is never beyond a last position that is read after it.
            let cursor = by.cursor(&format!("clocks:{source}")).await?;
            Ok::<_, LogError>((cursor, of.last_position().await?))
        };
        let read = read.await;
        of.close().await;
        by.close().await;
        let (cursor, last) = read.map_err(|error| {
            let sentence = format!("the log of {source} cannot be read; check its database");
            Failure::because(sentence, error)
        })?;
        let lag = last.saturating_sub(cursor);
        let value = format!("cursor {}, {} behind", grouped(cursor), grouped(lag));
        let item = Item::new(
            format!("{} reads {source}", clocks.name),
            value,
            json!({ "cursor": cursor, "lag": lag }),
        );
        items.push(item.wrong_if(lag > USUAL_LAG, "the clocks are behind"));
    }
    Ok(items)
}

/// How many orders are in each phase; phases without orders are left out.
async fn orders(log: &Log) -> Result<Vec<Item>, LogError> {
    let mut items = Vec::new();
    for phase in PHASES {
        let counted = count(log, in_phase(phase, None, None)).await?;
        items
            .extend((counted.0 > 0).then(|| counted.item(format!("orders {}", phase_name(phase)))));
    }
    Ok(items)
}

/// How many complaints are open, and how many of these are major.
async fn open_complaints(log: &Log) -> Result<Vec<Item>, LogError> {
    let mut items = Vec::new();
    for (name, level) in
        [("complaints open", None), ("complaints open, major", Some(ComplaintLevel::Major))]
    {
        let open = Wanted { open_only: true, level, ..Wanted::default() };
        items.push(count(log, listing(&open)).await?.item(name.to_owned()));
    }
    Ok(items)
}

/// How many clocks are open, and how many promises were not kept.
async fn clocks(log: &Log) -> Result<Vec<Item>, LogError> {
    let mut items = Vec::new();
    for (name, breached) in [("clocks open", false), ("clocks breached", true)] {
        let counted = count(log, by_due(Some(breached), None, None)).await?;
        items.push(counted.item(name.to_owned()));
    }
    Ok(items)
}

/// A number of rows, and whether there are more.
struct Counted(u64, bool);

impl Counted {
    fn item(&self, name: String) -> Item {
        let mark = if self.1 { " or more" } else { "" };
        Item::new(name, format!("{}{mark}", grouped(self.0)), json!(self.0))
    }
}

async fn count(log: &Log, listing: Listing) -> Result<Counted, LogError> {
    let (mut counted, mut listing) = (0, listing.limit(PAGE));
    loop {
        let page = log.list(&listing).await?;
        counted += u64::try_from(page.rows.len()).unwrap_or(0);
        match page.next {
            Some(next) if counted < COUNTED => listing = listing.page(next),
            more => return Ok(Counted(counted, more.is_some())),
        }
    }
}
