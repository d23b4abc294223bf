//! What befalls the bus befalls nobody else: orders are taken without it, and it is made whole again
//! from the log.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking; its helpers too"
)]

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use e2e::{
    eventually, life,
    load::{Load, Numbers},
    stack::{MALL_A, Stack},
};
use eventlog::bus::{
    Bus, BusOptions, Subscription,
    server::{Server, ServerOptions},
};
use tempfile::TempDir;
use tokio::task::JoinHandle;

const SOON: Duration = Duration::from_secs(30);
const PUSHERS: usize = 4;

#[tokio::test]
async fn emall_up_ends_with_its_nats_server_and_loses_nothing() {
    let mut stack = Stack::start().await;
    let mut mall = stack.orders(MALL_A).await;
    life::push(&mut mall, "A-1").await;
    let nats = std::fs::read_to_string(stack.data().join("nats/nats-server.pid")).unwrap();
    assert!(Command::new("kill").args(["-KILL", nats.trim()]).status().unwrap().success());

    assert_eq!(stack.end().await.code(), Some(1), "a part ended by itself");
    assert!(stack.log().contains("nats-server ended"), "{}", stack.log());
    stack.restart().await;
    life::push(&mut stack.orders(MALL_A).await, "A-2").await;
    stack.verify().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_taken_without_a_bus_and_published_once_it_is_back() {
    let mut world = World::new().await;
    let (numbers, reader) = (Numbers::default(), world.reader().await);
    let load = world.load(&numbers).await;
    taken(&load, 100).await;

    world.bus.kill().await.unwrap();
    taken(&load, 400).await;
    world.bus.restart().await.unwrap();
    taken(&load, 100).await;

    let orders = load.stop().await;
    assert!(orders.failed.is_empty(), "{:?}", orders.failed);
    assert_eq!(reader.placed(orders.taken.len()).await, ids(orders.taken));
    world.stack.verify().await;
}

#[tokio::test]
async fn a_deleted_stream_is_filled_again_with_the_same_sequences() {
    let world = World::new().await;
    let reader = world.reader().await;
    let mut mall = world.stack.orders(MALL_A).await;
    let mut placed = BTreeSet::new();
    for number in 0..20 {
        placed.insert(life::push(&mut mall, &format!("D-{number}")).await);
    }
    reader.reads(20).await;
    let before = world.reader().await;
    before.reads(20).await;

    // nothing moves: it is missed all the same
    world.delete_stream().await;
    let again = world.reader().await;
    again.reads(20).await;
    assert_eq!(again.placed(20).await, before.placed(20).await);
    world.stack.verify().await;

    placed.insert(life::push(&mut mall, "D-20").await);
    assert_eq!(reader.placed(21).await, placed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_sees_every_event_once_and_in_order_whatever_befalls_the_bus() {
    let mut world = World::new().await;
    let (numbers, reader) = (Numbers::default(), world.reader().await);
    let load = world.load(&numbers).await;
    taken(&load, 100).await;
    for round in 1..=2 {
        world.delete_stream().await;
        taken(&load, 100).await;
        world.bus.kill().await.unwrap();
        taken(&load, 100).await;
        if round == 2 {
            // the disk is gone
            std::fs::remove_dir_all(world.bus.store()).unwrap();
        }
        world.bus.restart().await.unwrap();
        taken(&load, 100).await;
    }
    let orders = load.stop().await;
    assert!(orders.failed.is_empty(), "{:?}", orders.failed);
    assert_eq!(reader.placed(orders.taken.len()).await, ids(orders.taken));
    world.stack.verify().await;
}

#[tokio::test]
async fn a_bus_that_lost_its_disk_while_all_was_down_is_filled_again() {
    let mut stack = Stack::start().await;
    let mut mall = stack.orders(MALL_A).await;
    for number in 0..20 {
        life::push(&mut mall, &format!("W-{number}")).await;
    }
    stack.verify().await;
    assert!(stack.stop().await.success());
    std::fs::remove_dir_all(stack.data().join("nats")).unwrap();
    stack.restart().await;
    stack.verify().await;
}

/// `emall up` on a nats-server of the test's own.
struct World {
    stack: Stack,
    bus: Server,
    _folder: TempDir,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bus = Server::start(ServerOptions::new(folder.path())).await;
        let bus = bus.expect("a nats-server: run `make test`");
        let stack = Stack::start_on(SocketAddr::from(([127, 0, 0, 1], bus.port()))).await;
        Self { stack, bus, _folder: folder }
    }

    async fn load(&self, numbers: &Numbers) -> Load {
        let mut clients = Vec::new();
        for _ in 0..PUSHERS {
            clients.push(self.stack.orders(MALL_A).await);
        }
        Load::one_by_one(clients, numbers)
    }

    async fn reader(&self) -> Reader {
        Reader::start(self.bus.url()).await
    }

    async fn delete_stream(&self) {
        let client = async_nats::connect(self.bus.url()).await.unwrap();
        let deleted = client.request("$JS.API.STREAM.DELETE.ORDERING", "".into()).await.unwrap();
        let deleted: serde_json::Value = serde_json::from_slice(&deleted.payload).unwrap();
        assert_eq!(deleted["success"], true, "{deleted}");
    }
}

/// Waits until so many more orders have been taken.
async fn taken(load: &Load, more: u64) {
    let wanted = load.taken() + more;
    eventually("orders are taken", SOON, || async { load.taken() >= wanted }).await;
}

fn ids(taken: Vec<(u64, String)>) -> BTreeSet<String> {
    taken.into_iter().map(|(_, order_id)| order_id).collect()
}

/// Reads the stream from its beginning, for as long as it lives.
struct Reader {
    position: Arc<AtomicU64>,
    placed: Arc<std::sync::Mutex<BTreeSet<String>>>,
    reading: JoinHandle<()>,
}

impl Reader {
    async fn start(url: String) -> Self {
        let bus = Bus::connect(BusOptions::new("reader", url)).await.unwrap();
        let mut events = Subscription::open(&bus, "ORDERING", 0, &[]).await.unwrap();
        let (position, placed) = (Arc::<AtomicU64>::default(), Arc::default());
        let (read, seen): (_, Arc<std::sync::Mutex<BTreeSet<String>>>) =
            (position.clone(), Arc::clone(&placed));
        let reading = tokio::spawn(async move {
            loop {
                let event = events.next().await.unwrap();
                assert_eq!(event.position, read.load(Ordering::Relaxed) + 1, "once and in order");
                if event.r#type == "emall.ordering.v1.OrderPlaced" {
                    let id = event.stream.strip_prefix("order.").unwrap().to_owned();
                    assert!(seen.lock().unwrap().insert(id), "placed twice: {}", event.stream);
                }
                read.store(event.position, Ordering::Relaxed);
            }
        });
        Self { position, placed, reading }
    }

    /// Waits until it has read up to a position.
    async fn reads(&self, position: u64) {
        eventually("the reader gets there", SOON, || async {
            assert!(!self.reading.is_finished(), "the reader has given up");
            self.position.load(Ordering::Relaxed) >= position
        })
        .await;
    }

    /// Ids of all orders it has read, once there are so many.
    async fn placed(&self, orders: usize) -> BTreeSet<String> {
        eventually("all orders are read", SOON, || async {
            assert!(!self.reading.is_finished(), "the reader has given up");
            self.placed.lock().unwrap().len() >= orders
        })
        .await;
        self.placed.lock().unwrap().clone()
    }
}
