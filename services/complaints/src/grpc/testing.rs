//! A log in a folder of its own, and what is on it before a test begins.

use std::sync::Arc;

use chassis::When;
use contracts::complaints::{CauseClass, MeasureKind, SaleNoted};
use eventlog::{Context, Log, LogOptions, ManualClock, Recorded};

use crate::{
    sale::{Account, Sale, account_id},
    standard::{Adoption, Standard},
};

pub(crate) async fn log() -> (Log, Arc<ManualClock>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new("2026-03-02T02:00:00Z".parse().unwrap()));
    let url = format!("sqlite://{}", folder.path().join("complaints.db").display());
    let options = LogOptions::new("complaints", url).with_clock(clock.clone());
    (Log::open(options).await.unwrap(), clock, folder)
}

/// Records what an aggregate decides.
pub(crate) async fn tell<A: Recorded, R: std::fmt::Debug + Send + 'static>(
    log: &Log,
    id: &str,
    decide: impl Fn(&A, When) -> Result<Vec<A::Event>, R> + Send + Sync,
) {
    let now = log.clock().now();
    let context = Context {
        actor: "teller".into(),
        platform: String::new(),
        causation: "test".into(),
        traceparent: String::new(),
        now,
    };
    let told = log.transact(id, &context, |it: &A| decide(it, When::now(now))).await;
    assert!(told.is_ok(), "{id} is refused");
}

pub(crate) async fn sold(log: &Log, platform: &str, order_id: &str, buyer_id: &str) {
    let noted = SaleNoted {
        order_id: order_id.into(),
        platform: platform.into(),
        contract_id: String::new(),
        buyer_id: buyer_id.into(),
    };
    tell(log, order_id, |sale: &Sale, _| {
        Ok::<_, std::convert::Infallible>(sale.note(noted.clone().into()))
    })
    .await;
}

pub(crate) async fn served_by(log: &Log, platform: &str, buyer_id: &str, salesperson: &str) {
    tell(log, &account_id(platform, buyer_id), |account: &Account, when| {
        account.assign(platform, buyer_id, salesperson, "teller", when)
    })
    .await;
}

pub(crate) async fn standard(
    log: &Log,
    id: &str,
    cause: CauseClass,
    topic: &str,
    measures: &[MeasureKind],
) {
    let adoption = Adoption {
        id: id.into(),
        cause,
        topic: topic.into(),
        text: "按例".into(),
        measures: measures.iter().map(|kind| (*kind).into()).collect(),
        ..Adoption::default()
    };
    tell(log, id, |standard: &Standard, when| standard.adopt(&adoption, "teller", when)).await;
}
