//! `emall up`: all services in one process.
//!
//! ```text
//! lock ▸ keys ▸ nats-server ▸ ordering, complaints, sla-monitor ▸ gateway ▸ ready ▸ signal ▸ drain ▸ nats-server stops
//! ```
//!
//! The invariant: if one part ends, everything ends, and says which part it was.

pub(crate) mod keys;
pub(crate) mod lock;
mod nats;
mod speed;

use std::{fs, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use chassis::{BoxError, Process, Readiness, ScaledClock, TelemetryHandle};
use clap::Args;
use eventlog::{Clock, SystemClock, bus::server::Server};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};

use crate::{
    end::{End, Failure, chain},
    place::{DATA, FastTime, Running},
    setup::{Place, Setup},
    table::grouped,
    terminal,
};
use lock::Lock;

/// How long the nats-server may take to stop, once everything else has.
const NATS_STOP: Duration = Duration::from_secs(2);

/// Arguments of `emall up`.
#[derive(Debug, Args)]
#[command(after_help = "\
Stops at SIGTERM, SIGINT (Ctrl-C) or SIGHUP, within ten seconds.
Exit codes: 0 a clean stop; 1 a part ended by itself; 2 it could not start; 64 wrong usage or
configuration.")]
pub(crate) struct Up {
    #[command(flatten)]
    place: Place,
    /// Address of the gateway; port 0 takes a free one [default: 127.0.0.1:7400]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Port of the nats-server [default: a free one]
    #[arg(long, value_name = "PORT", conflicts_with = "nats_url")]
    nats_port: Option<u16>,
    /// Use this bus instead of starting a nats-server
    #[arg(long, value_name = "URL")]
    nats_url: Option<String>,
    /// Let time run so many times as fast as the machine's clock, 1 to 100000: for demonstrations. The
    /// logs then lie in the future, and their folder is not used at normal speed any more
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = speed::parse)]
    speed: u32,
}

pub(crate) async fn run(args: Up) -> Result<End, Failure> {
    let mut setup = args.place.read()?;
    setup.gateway.listen = args.listen.unwrap_or(setup.gateway.listen);
    if let Some(url) = args.nats_url {
        setup.use_bus(url);
    }
    let data = setup.data.clone();
    fs::create_dir_all(&data).map_err(|error| {
        let sentence =
            format!("cannot make the folder {}; name another with --data", data.display());
        Failure::because(sentence, error)
    })?;
    let stop = stop_signals()?;
    let _lock = Lock::take(&data)?;
    let fast = speed::clock(&data, args.speed)?;
    // One that was killed could not take it away.
    Running::remove(&data);
    let has_keys_of_its_own = setup.gateway.keys.is_empty();
    if has_keys_of_its_own {
        setup.gateway.keys = keys::of_folder(&data)?;
    }
    let telemetry = TelemetryHandle::start("emall", &setup.settings.telemetry)?;
    chassis::log_panics();

    let nats = if setup.has_own_bus() {
        let nats = nats::start(&data, args.nats_port).await?;
        setup.use_bus(nats.url());
        Some(nats)
    } else {
        None
    };
    let version = nats.as_ref().map(|nats| nats.version().to_owned());
    let clock: Arc<dyn Clock> = match fast {
        Some(fast) => Arc::new(fast),
        None => Arc::new(SystemClock),
    };
    let process = Process::new(setup.settings.clone(), clock, telemetry)?;
    process.open_admin().await?;
    let stopped_nats = nats.map(|nats| keep(&process, nats));

    let host = process.in_process_host(ordering::NAME);
    process.start(ordering::NAME, ordering::run(setup.ordering.clone(), host));
    let host = process.in_process_host(complaints::NAME);
    process.start(complaints::NAME, complaints::run(setup.complaints.clone(), host));
    let host = process.in_process_host(sla_monitor::NAME);
    process.start(sla_monitor::NAME, sla_monitor::run(setup.sla_monitor.clone(), host));
    let gateway = process.host("gateway");
    let address = gateway::open(&setup.gateway, &gateway, &gateway::Methods::of_contracts())
        .await
        .map_err(|error| {
            let sentence =
                format!("no gateway on {}; name another with --listen", setup.gateway.listen);
            Failure::Broken { sentence, source: Some(error) }
        });
    let ended = match address {
        Ok(address) => {
            let banner = Banner { setup, address, version, has_keys_of_its_own, fast };
            let announced = tokio::spawn(announce(gateway.readiness().clone(), banner));
            let fault = process.run(stop).await.err();
            announced.abort();
            Ok(fault)
        }
        Err(failure) => {
            // It stops before it began; why is known.
            let _ = process.run(std::future::ready(())).await;
            Err(failure)
        }
    };
    Running::remove(&data);
    stop_nats(stopped_nats).await;
    match ended? {
        None => Ok(End::Well),
        Some(fault) => {
            terminal::complain(&format!("emall: {}", chain(&fault)));
            Ok(End::Found)
        }
    }
}

/// SIGTERM and SIGINT stop every process; SIGHUP comes when the terminal closes.
fn stop_signals() -> Result<impl Future<Output = ()> + Send, Failure> {
    let asked = chassis::stop_signal()?;
    let mut hung_up = signal(SignalKind::hangup())
        .map_err(|error| Failure::because("cannot listen to signals; try again", error))?;
    Ok(async move {
        tokio::select! {
            () = asked => {}
            _ = hung_up.recv() => {}
        }
    })
}

/// Lets the process end when the nats-server does; gives the server back when the process stops, so
/// that it is the last to stop.
fn keep(process: &Process, mut nats: Server) -> oneshot::Receiver<Server> {
    let (sender, receiver) = oneshot::channel();
    let host = process.host("nats-server");
    // It was awaited before anything else began.
    host.readiness().part(&*host.name).ready();
    let shutdown = host.shutdown.clone();
    host.spawn("child", async move {
        let ended = tokio::select! {
            () = shutdown.cancelled() => None,
            ended = nats.ended() => Some(ended),
        };
        match ended {
            None => {
                let _ = sender.send(nats);
                Ok(())
            }
            Some(Ok(status)) => Err(BoxError::from(format!("nats-server ended ({status})"))),
            Some(Err(error)) => Err(error.into()),
        }
    });
    receiver
}

async fn stop_nats(nats: Option<oneshot::Receiver<Server>>) {
    let Some(nats) = nats else { return };
    if let Ok(mut nats) = nats.await
        && let Err(error) = nats.stop(NATS_STOP).await
    {
        terminal::complain(&format!("emall: the nats-server does not stop: {error}"));
    }
}

/// What a person wants to know once everything runs.
struct Banner {
    setup: Setup,
    address: SocketAddr,
    version: Option<String>,
    has_keys_of_its_own: bool,
    fast: Option<ScaledClock>,
}

/// Waits until every part is ready, then says so: in the data folder for other commands, and on
/// standard output.
async fn announce(readiness: Readiness, banner: Banner) {
    let mut ready = readiness.watch();
    if ready.wait_for(|ready| *ready).await.is_err() {
        return;
    }
    let running = Running {
        pid: std::process::id(),
        gateway: banner.gateway(),
        bus: banner.setup.settings.bus.urls.join(","),
        time: banner.fast.map(FastTime::of),
    };
    let data = &banner.setup.data;
    if let Err(error) = running.write(data) {
        terminal::complain(&format!(
            "emall: cannot write into {} ({error}): other commands will not find this one",
            data.display()
        ));
    }
    for line in banner.lines() {
        // Whoever closed standard output does not want to read it.
        let _ = terminal::say(&line);
    }
}

impl Banner {
    fn gateway(&self) -> String {
        let scheme = if self.setup.gateway.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", Setup::reachable(self.address))
    }

    fn lines(&self) -> Vec<String> {
        let setup = &self.setup;
        let data = setup.data.display();
        let who = setup.gateway.keys.iter().map(|key| match &key.platform {
            Some(platform) => format!("{} (platform {platform})", key.name),
            None => {
                let roles: Vec<_> = key.roles.iter().map(String::as_str).collect();
                format!("{} ({})", key.name, roles.join(", "))
            }
        });
        let who = who.collect::<Vec<_>>().join(", ");
        let keys = if self.has_keys_of_its_own {
            format!("in {data}/keys.env: {who}")
        } else {
            format!("as configured: {who}")
        };
        let bus = match &self.version {
            Some(version) => {
                format!("{}, nats-server {version}", setup.settings.bus.urls.join(","))
            }
            None => format!("{}, not ours", setup.settings.bus.urls.join(",")),
        };
        let place =
            if setup.data == Path::new(DATA) { String::new() } else { format!(" --data {data}") };
        let mut lines = vec![
            format!("emall {} is ready.", env!("CARGO_PKG_VERSION")),
            String::new(),
            format!("  gateway   {}  gRPC and gRPC-Web", self.gateway()),
            format!("  keys      {keys}"),
            format!("  data      {data}"),
            format!("  bus       {bus}"),
        ];
        lines.extend(self.fast.map(|fast| {
            let speed = grouped(fast.speed().into());
            format!("  time      {speed} times as fast as the machine's: for demonstrations only")
        }));
        lines.extend([
            String::new(),
            format!("  push orders    emall push FILE{place}"),
            format!("  watch events   emall watch{place}"),
            format!("  open clocks    emall sla{place}"),
            format!("  complaints     emall complaints{place}"),
            format!("  how it stands  emall status{place}"),
            "  stop           Ctrl-C".to_owned(),
        ]);
        lines
    }
}
