//! Platforms that push orders until they are told to stop, or nobody takes them any more.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use contracts::ordering::{PushOrderRequest, PushOrdersRequest};
use futures::StreamExt;
use tokio::task::JoinSet;
use tonic::Status;

use crate::{orders, stack::Orders};

/// Numbers of orders; each is given out once.
#[derive(Debug, Clone, Default)]
pub struct Numbers(Arc<AtomicU64>);

impl Numbers {
    fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }

    /// How many were given out.
    #[must_use]
    pub fn given(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What came of a load.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Numbers of the orders that were taken, with our ids.
    pub taken: Vec<(u64, String)>,
    /// Numbers of the orders that were pushed by themselves and answered with an error.
    pub failed: Vec<(u64, Status)>,
}

/// Pushers at work.
#[derive(Debug)]
pub struct Load {
    stopped: Arc<AtomicBool>,
    taken: Arc<AtomicU64>,
    pushers: JoinSet<Outcome>,
}

/// The number that an order of a load has on its platform.
#[must_use]
pub fn name(number: u64) -> String {
    format!("K-{number}")
}

impl Load {
    /// Each client pushes one order after the other, and ends at the first that fails.
    #[must_use]
    pub fn one_by_one(clients: Vec<Orders>, numbers: &Numbers) -> Self {
        let mut load =
            Self { stopped: Arc::default(), taken: Arc::default(), pushers: JoinSet::new() };
        for client in clients {
            let (numbers, stopped, taken) =
                (numbers.clone(), load.stopped.clone(), load.taken.clone());
            load.pushers.spawn(push_one_by_one(client, numbers, stopped, taken));
        }
        load
    }

    /// One more client, which pushes a stream.
    #[must_use]
    pub fn and_a_stream(mut self, client: Orders, numbers: &Numbers) -> Self {
        let (numbers, stopped, taken) = (numbers.clone(), self.stopped.clone(), self.taken.clone());
        self.pushers.spawn(push_a_stream(client, numbers, stopped, taken));
        self
    }

    /// How many orders have been taken so far.
    #[must_use]
    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Stops, and tells what came of it.
    ///
    /// # Panics
    /// A pusher met what must not happen.
    pub async fn stop(self) -> Outcome {
        self.stopped.store(true, Ordering::Relaxed);
        self.end().await
    }

    /// Waits until every pusher has failed, and tells what came of it.
    ///
    /// # Panics
    /// A pusher met what must not happen.
    pub async fn end(mut self) -> Outcome {
        let mut all = Outcome::default();
        while let Some(one) = self.pushers.join_next().await {
            let Outcome { taken, failed } = one.expect("a pusher");
            all.taken.extend(taken);
            all.failed.extend(failed);
        }
        all
    }
}

async fn push_one_by_one(
    mut mall: Orders,
    numbers: Numbers,
    stopped: Arc<AtomicBool>,
    taken: Arc<AtomicU64>,
) -> Outcome {
    let mut outcome = Outcome::default();
    while !stopped.load(Ordering::Relaxed) {
        let number = numbers.next();
        let order = Some(orders::draft("", &name(number)));
        match mall.push_order(PushOrderRequest { order }).await {
            Ok(answer) => outcome.taken.push((number, answer.into_inner().order_id)),
            Err(status) => {
                outcome.failed.push((number, status));
                break;
            }
        }
        taken.fetch_add(1, Ordering::Relaxed);
    }
    outcome
}

async fn push_a_stream(
    mut mall: Orders,
    numbers: Numbers,
    stopped: Arc<AtomicBool>,
    taken: Arc<AtomicU64>,
) -> Outcome {
    let requests = futures::stream::iter(std::iter::from_fn(move || {
        (!stopped.load(Ordering::Relaxed)).then(|| {
            let number = numbers.next();
            let order = Some(orders::draft("", &name(number)));
            PushOrdersRequest { r#ref: number.to_string(), order }
        })
    }));
    // one at a time keeps the load within what a kill can interrupt in every stage
    let requests = requests.then(|request| async move {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        request
    });
    let mut outcome = Outcome::default();
    let Ok(answers) = mall.push_orders(requests).await else { return outcome };
    let mut answers = answers.into_inner();
    while let Some(Ok(answer)) = answers.next().await {
        assert!(answer.refusal.is_none(), "{answer:?}");
        outcome.taken.push((answer.r#ref.parse().expect("our number"), answer.order_id));
        taken.fetch_add(1, Ordering::Relaxed);
    }
    outcome
}
