use std::{
    collections::BTreeSet,
    convert::Infallible,
    sync::Arc,
    time::{Duration, Instant},
};

use eventlog::{
    Horizon, Log, LogOptions, ManualClock, RecordedEvent,
    bus::{AskError, Bus, serve_horizon},
    time,
};
use futures::{StreamExt as _, future::join_all};
use jiff::{SignedDuration, Timestamp};

use crate::support::*;

const PATIENCE: Duration = Duration::from_secs(10);

impl World {
    fn serve(&self, log: &Log) -> Running<Result<(), Infallible>> {
        let (log, bus) = (log.clone(), self.bus.clone());
        Running::start(|shutdown| serve_horizon(log, bus, shutdown))
    }

    async fn until_served(&self, log: &Log) {
        until("somebody answers", async || {
            self.bus.ask_horizon(log.name(), PATIENCE).await.is_ok()
        })
        .await;
    }
}

fn recorded_at(event: &RecordedEvent) -> Timestamp {
    time::from_proto(event.recorded_at.as_ref().unwrap()).unwrap()
}

/// No event that was recorded before `at` stands after `position`.
fn assert_holds(told: &Horizon, events: &[Arc<RecordedEvent>]) {
    assert!(told.position <= events.len() as u64, "{told:?}");
    for event in events.iter().filter(|event| event.position > told.position) {
        assert!(recorded_at(event) >= told.at, "{} breaks {told:?}", event.position);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_tells_how_far_its_log_is_whether_or_not_the_relay_is_at_work() {
    let world = World::new().await;
    let served = world.serve(&world.log);
    world.until_served(&world.log).await;
    world.add(100).await;
    let before = world.log.clock().now();
    // by the name of the service or of its stream
    for context in ["ordering", "ORDERING"] {
        let told = world.bus.ask_horizon(context, PATIENCE).await.unwrap();
        assert_eq!(told.position, 100);
        assert!(told.at > before.checked_sub(SignedDuration::from_micros(1)).unwrap());
    }
    // a question is no event: the stream that comes afterwards has none of it
    let relay = world.start_relay();
    world.until_published().await;
    world.bus.ask_horizon("ordering", PATIENCE).await.unwrap();
    world.add(1).await;
    world.until_published().await;
    assert!(world.compared().await.is_equal());
    relay.stop().await.unwrap();
    served.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_nobody_answers_says_so() {
    let world = World::new().await;
    let begun = Instant::now();
    let nobody = world.bus.ask_horizon("ordering", DEADLINE).await.unwrap_err();
    assert!(matches!(nobody, AskError::Nobody { .. }), "{nobody:?}");
    assert!(nobody.to_string().contains("nobody serves"), "{nobody}");

    let served = world.serve(&world.log);
    world.until_served(&world.log).await;
    served.stop().await.unwrap();
    until("nobody answers any more", async || {
        let answer = world.bus.ask_horizon("ordering", DEADLINE).await;
        matches!(answer, Err(AskError::Nobody { .. }))
    })
    .await;

    // a log that is closed has nobody to tell of it
    let served = world.serve(&world.log);
    world.until_served(&world.log).await;
    world.log.clone().close().await;
    let late = world.bus.ask_horizon("ordering", Duration::from_secs(2)).await.unwrap_err();
    assert!(matches!(late, AskError::Silent { .. } | AskError::Nobody { .. }), "{late:?}");
    soon("the task ends with its log", served.task).await.unwrap().unwrap();
    assert!(begun.elapsed() < DEADLINE);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_does_not_come_or_makes_no_sense_is_an_error() {
    let mut world = World::new().await;
    let mut questions = world.bus.client().subscribe("emall-horizon.ordering").await.unwrap();
    let silent = world.bus.ask_horizon("ordering", Duration::from_millis(50)).await.unwrap_err();
    assert!(matches!(silent, AskError::Silent { .. }), "{silent:?}");
    assert!(silent.to_string().contains("within 50 ms"), "{silent}");
    questions.next().await.unwrap();

    let (asked, _) = tokio::join!(world.bus.ask_horizon("ordering", PATIENCE), async {
        let reply = questions.next().await.unwrap().reply.unwrap();
        world.bus.client().publish(reply, "yesterday".into()).await.unwrap();
    });
    assert!(matches!(asked, Err(AskError::Unreadable { .. })), "{asked:?}");

    let bus = world.bus.clone();
    let asked = tokio::spawn(async move { bus.ask_horizon("ordering", DEADLINE).await });
    questions.next().await.unwrap();
    world.server.kill().await.unwrap();
    let lost = soon("the loss is noticed", asked).await.unwrap();
    assert!(matches!(lost, Err(AskError::Disconnected { .. })), "{lost:?}");
    let begun = Instant::now();
    let down = world.bus.ask_horizon("ordering", DEADLINE).await.unwrap_err();
    assert!(matches!(down, AskError::Disconnected { .. }), "{down:?}");
    assert!(begun.elapsed() < DEADLINE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_answers_again_after_the_bus_was_away() {
    let mut world = World::new().await;
    world.server.kill().await.unwrap();
    // it begins while there is no bus
    let served = world.serve(&world.log);
    for round in 1..=3 {
        world.server.restart().await.unwrap();
        world.add(10).await;
        world.until_served(&world.log).await;
        let told = world.bus.ask_horizon("ordering", PATIENCE).await.unwrap();
        assert_eq!(told.position, round * 10);
        world.server.kill().await.unwrap();
    }
    served.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_that_come_together_are_answered_together() {
    let world = World::new().await;
    let served = world.serve(&world.log);
    world.until_served(&world.log).await;
    let asked = (0..500).map(|_| world.bus.ask_horizon("ordering", PATIENCE));
    let told: Vec<_> = join_all(asked).await.into_iter().map(Result::unwrap).collect();
    // the clock of the machine goes on: each pass through the log tells another time
    let passes: BTreeSet<_> = told.iter().map(|told| told.at).collect();
    assert!(passes.len() <= 100, "{} passes", passes.len());
    served.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_holds_while_thirty_two_write_to_sqlite() {
    let world = World::new().await;
    let url = format!("sqlite://{}", world.folder.path().join("clocked.db").display());
    let (options, clock) = clocked("clocked", &url);
    let log = Log::open(options).await.unwrap();
    stress(&world, &[(log, clock)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_replicas_tell_holds_while_thirty_two_write_to_postgres() {
    let world = World::new().await;
    let schema = Schema::new();
    let mut logs = Vec::new();
    for _ in 0..2 {
        let (options, clock) = clocked(schema.name(), schema.url());
        logs.push((Log::open(options).await.unwrap(), clock));
    }
    stress(&world, &logs).await;
    for (log, _) in logs {
        log.close().await;
    }
    schema.remove().await;
}

fn clocked(name: &str, url: &str) -> (LogOptions, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new("2026-01-01T12:00:00Z".parse().unwrap()));
    (LogOptions::new(name, url).with_clock(clock.clone()), clock)
}

/// All replicas serve and write; their clocks jump forth and back, each by itself.
async fn stress(world: &World, replicas: &[(Log, Arc<ManualClock>)]) {
    let served: Vec<_> = replicas.iter().map(|(log, _)| world.serve(log)).collect();
    let log = &replicas[0].0;
    world.until_served(log).await;
    let name = log.name().to_owned();
    let writers = (0..32).map(|lane| {
        let log = replicas[lane % replicas.len()].0.clone();
        Running::start(|shutdown| async move {
            while !shutdown.is_cancelled() {
                add_one(&log, &lane.to_string(), 1).await;
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let bus = world.bus.clone();
    let asker = tokio::spawn(async move {
        let mut told: Vec<Horizon> = Vec::new();
        for _ in 0..100 {
            told.push(bus.ask_horizon(&name, DEADLINE).await.unwrap());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        told
    });
    let mut step = 0_i64;
    while !asker.is_finished() {
        step += 1;
        let (_, clock) = &replicas[usize::try_from(step).unwrap() / 7 % replicas.len()];
        let by = if step % 4 == 0 { -25_000 } else { 10_007 };
        clock.advance(SignedDuration::from_micros(by));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    for writer in writers {
        writer.stop().await;
    }
    // and some that find the log at rest, by clocks that go back afterwards
    let mut told = asker.await.unwrap();
    let turn = |seconds| {
        let by = SignedDuration::from_secs(seconds);
        replicas.iter().for_each(|(_, clock)| clock.advance(by));
    };
    for _ in 0..5 {
        turn(7_200);
        told.push(ask(&world.bus, log).await);
        turn(-3_600);
        add_one(log, "late", 1).await;
    }
    let all = all(log).await;
    assert!(all.len() > 100, "{} events", all.len());
    told.iter().for_each(|told| assert_holds(told, &all));
    for served in served {
        served.stop().await.unwrap();
    }
}

async fn ask(bus: &Bus, log: &Log) -> Horizon {
    bus.ask_horizon(log.name(), PATIENCE).await.unwrap()
}
