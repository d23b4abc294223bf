//! What the tests of the services share: a log in a folder of its own, orders.

use std::{fmt::Debug, sync::Arc};

use chassis::Desk;
use contracts::ordering::Order;
use decider::Decision;
use eventlog::{
    Clock as _, Commit, Context, Key, Log, LogOptions, ManualClock, Recorded, RowWrite,
};
use jiff::Timestamp;
use prost::Message as _;

use super::{CONTEXT, order::order_id};

/// A log on SQLite, gone with its folder.
pub(crate) struct Bench {
    pub(crate) log: Log,
    pub(crate) clock: Arc<ManualClock>,
    folder: tempfile::TempDir,
}

/// The time at which every test begins.
pub(super) fn start() -> Timestamp {
    "2026-03-01T02:00:00Z".parse().unwrap()
}

pub(crate) async fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(start()));
    let log = Log::open(options(&folder, clock.clone())).await.unwrap();
    Bench { log, clock, folder }
}

fn options(folder: &tempfile::TempDir, clock: Arc<ManualClock>) -> LogOptions {
    let url = format!("sqlite://{}", folder.path().join("ordering.db").display());
    LogOptions::new("ordering", url).with_clock(clock)
}

impl Bench {
    pub(super) fn desk(&self) -> Desk {
        Desk::new(self.log.clone(), self.clock.clone(), CONTEXT)
    }

    /// How its log is opened.
    pub(crate) fn options(&self) -> LogOptions {
        options(&self.folder, self.clock.clone())
    }

    /// Has an aggregate decide; it must not refuse.
    pub(crate) async fn tell<A: Recorded, R: Debug>(
        &self,
        id: &str,
        decide: impl FnMut(&A) -> Decision<A::Event, R> + Send,
    ) -> Arc<A::Row> {
        let context = Context {
            actor: "teller".into(),
            platform: String::new(),
            causation: "test".into(),
            traceparent: String::new(),
            now: self.clock.now(),
        };
        self.log.transact(id, &context, decide).await.unwrap().row
    }

    /// Puts the row of an order there, with these keys, as the order's own commands would.
    pub(super) async fn order(&self, order: &Order, keys: Vec<Key>) {
        let row = RowWrite {
            kind: crate::order::Order::KIND.into(),
            id: order.order_id.clone(),
            version: 1,
            body: order.encode_to_vec().into(),
            keys_removed: Vec::new(),
            keys_added: keys,
        };
        self.log.commit(Commit::new().row(row)).await.unwrap();
    }
}

/// An order of a platform under its number.
pub(super) fn an_order(platform: &str, number: &str) -> Order {
    Order {
        order_id: order_id(platform, number).to_string(),
        platform: platform.into(),
        platform_order_no: number.into(),
        ..Order::default()
    }
}
