//! Supervision: a task with a name runs, or the process ends and says which one did not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking; its helpers too"
)]

use std::{
    convert::Infallible,
    future::pending,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use chassis::{BoxError, ConfigError, Fault, Process, Services, Settings, TelemetryHandle};
use eventlog::SystemClock;
use tokio::time::timeout;
use tonic::transport::Endpoint;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

const SOON: Duration = Duration::from_secs(10);

fn process(settings: Settings) -> Process {
    Process::new(settings, Arc::new(SystemClock), TelemetryHandle::default()).unwrap()
}

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.server.listen = ([127, 0, 0, 1], 0).into();
    settings
}

async fn fault(process: Process) -> Fault {
    timeout(SOON, process.run(pending())).await.unwrap().unwrap_err()
}

#[tokio::test]
async fn a_task_that_ends_well_too_early_ends_the_process() {
    let process = process(settings());
    process.host("ordering").spawn("relay", async { Ok::<(), Infallible>(()) });
    let told = fault(process).await;
    assert_eq!(told.to_string(), "the task ordering/relay ended although nothing asked it to");
}

#[tokio::test]
async fn a_task_that_fails_ends_the_process_with_its_cause() {
    let process = process(settings());
    process.host("ordering").spawn("relay", async { Err(io::Error::other("no bus")) });
    let told = fault(process).await;
    assert_eq!(chassis::errors::chain(&told), "the task ordering/relay failed: no bus");
    assert!(!told.is_config());
}

#[tokio::test]
async fn a_task_that_panics_ends_the_process() {
    let process = process(settings());
    process.host("ordering").spawn("relay", async {
        if true {
            panic!("position {} twice", 7);
        }
        Ok::<(), Infallible>(())
    });
    let told = fault(process).await;
    assert_eq!(told.to_string(), "the task ordering/relay panicked: position 7 twice");
}

#[tokio::test]
async fn a_service_that_cannot_use_its_configuration_is_told_apart() {
    let process = process(settings());
    let run = async { Err::<(), BoxError>(ConfigError::new("no url").into()) };
    process.start("ordering", run);
    assert!(fault(process).await.is_config());
}

#[tokio::test]
async fn a_stop_is_calls_first_then_tasks_and_each_finishes() {
    let process = process(settings());
    let host = process.host("ordering");
    let (flag, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (done, shutdown, closing) = (flag.clone(), host.shutdown.clone(), host.closing.clone());
    let order = seen.clone();
    host.spawn("relay", async move {
        closing.cancelled().await;
        shutdown.cancelled().await;
        order.store(true, Ordering::SeqCst);
        tokio::task::yield_now().await;
        done.store(true, Ordering::SeqCst);
        Ok::<(), Infallible>(())
    });
    process.start("ordering", async { Ok::<(), Infallible>(()) });
    timeout(SOON, process.run(async {})).await.unwrap().unwrap();
    assert!(flag.load(Ordering::SeqCst) && seen.load(Ordering::SeqCst));
}

#[tokio::test]
async fn a_task_that_does_not_stop_is_cut_off_within_the_bound() {
    let mut settings = settings();
    settings.server.drain_seconds = 1;
    let process = process(settings);
    process.host("ordering").spawn("stubborn", pending::<Result<(), Infallible>>());
    let begun = Instant::now();
    timeout(SOON, process.run(async {})).await.unwrap().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_task_that_fails_while_stopping_is_not_hidden() {
    let process = process(settings());
    let host = process.host("ordering");
    let shutdown = host.shutdown.clone();
    host.spawn("writer", async move {
        shutdown.cancelled().await;
        Err::<(), _>(io::Error::other("disk full"))
    });
    let told = timeout(SOON, process.run(async {})).await.unwrap().unwrap_err();
    assert_eq!(chassis::errors::chain(&told), "the task ordering/writer failed: disk full");
}

#[tokio::test]
async fn health_follows_readiness_and_turns_before_the_end() {
    let process = process(settings());
    let host = process.host("ordering");
    let bus = host.part("bus");
    let address = host.serve(Services::new()).await.unwrap().unwrap();
    let stop = process.stopper();
    let running = tokio::spawn(process.run(pending()));

    let channel = Endpoint::from_shared(format!("http://{address}")).unwrap().connect_lazy();
    let mut client = HealthClient::new(channel);
    let asked = HealthCheckRequest { service: String::new() };
    let mut states = client.watch(asked).await.unwrap().into_inner();
    let mut next = async || {
        timeout(SOON, states.message()).await.unwrap().unwrap().map(|answer| answer.status())
    };
    let mut first = next().await;
    if first == Some(ServingStatus::Serving) {
        // The health service says so until it has looked for the first time.
        first = next().await;
    }
    assert_eq!(first, Some(ServingStatus::NotServing));
    bus.ready();
    assert_eq!(next().await, Some(ServingStatus::Serving));
    bus.not_ready("gone");
    assert_eq!(next().await, Some(ServingStatus::NotServing));
    bus.ready();
    assert_eq!(next().await, Some(ServingStatus::Serving));
    stop.cancel();
    assert_eq!(next().await, Some(ServingStatus::NotServing));
    drop((states, client));
    timeout(SOON, running).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn two_services_of_one_process_cannot_take_the_same_name() {
    let process = process(settings());
    let (_, health) = tonic_health::server::health_reporter();
    let first = process.in_process_host("a").serve(Services::new().with(health.clone())).await;
    assert!(first.is_ok());
    let second = process.in_process_host("b").serve(Services::new().with(health)).await;
    assert!(second.is_err());
}
