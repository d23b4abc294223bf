//! Random commands, compared with a model in memory.

use std::collections::{BTreeMap, BTreeSet};

use eventlog::{Listing, Log, Outcome, TransactError};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::account::{Account, Rejection};
use crate::world::{World, clean, everything, open_account, shift};

#[derive(Debug, Clone)]
enum Step {
    Open(u8),
    Shift {
        account: u8,
        operation: u8,
        amount: i64,
    },
    Read(u8),
    List {
        descending: bool,
        limit: usize,
    },
    /// The other process goes on from here.
    Swap,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..5_u8).prop_map(Step::Open),
        10 => (0..5_u8, 0..12_u8, -20..30_i64).prop_map(|(account, operation, amount)| {
            Step::Shift { account, operation, amount }
        }),
        2 => (0..5_u8).prop_map(Step::Read),
        1 => (any::<bool>(), 1..4_usize).prop_map(|(descending, limit)| Step::List { descending, limit }),
        3 => Just(Step::Swap),
        1 => Just(Step::Reopen),
    ]
}

#[derive(Default)]
struct Model {
    accounts: BTreeMap<u8, (i64, BTreeSet<u8>)>,
    /// In the order in which they were opened.
    opened: Vec<u8>,
    events: usize,
}

pub async fn random_commands_agree_with_a_model(world: World) {
    let mut runner = TestRunner::default();
    let steps = prop::collection::vec(step(), 400);
    for _ in 0..3 {
        // each round goes on with the log of the one before, under new names
        let steps = steps.new_tree(&mut runner).unwrap().current();
        let round = uuid::Uuid::now_v7().simple().to_string();
        run(&world, &round, &steps).await;
    }
    clean(&world).await;
}

async fn run(world: &World, round: &str, steps: &[Step]) {
    let open = || world.open_with(|options| options.cache_capacity = 3);
    let mut logs: [Log; 2] = [open().await, open().await];
    let before = everything(&logs[0]).await.len();
    let mut model = Model::default();
    for (at, step) in steps.iter().enumerate() {
        let context = || format!("step {at} of {steps:?}");
        match step {
            Step::Open(account) => {
                let new = !model.accounts.contains_key(account);
                let done = open_account(&logs[0], &name(round, *account)).await.unwrap();
                assert_eq!(done.outcome == Outcome::Executed, new, "{}", context());
                model.accounts.entry(*account).or_default();
                if new {
                    model.opened.push(*account);
                    model.events += 1;
                }
            }
            Step::Shift { account, operation, amount } => {
                let answer =
                    shift(&logs[0], &name(round, *account), &operation.to_string(), *amount).await;
                match (model.accounts.get_mut(account), answer) {
                    (None, Err(TransactError::Refused(Rejection::NotOpen))) => {}
                    (Some((_, seen)), Ok(done)) if seen.contains(operation) => {
                        assert_eq!(done.outcome, Outcome::AlreadyApplied, "{}", context());
                    }
                    (Some((balance, _)), Err(TransactError::Refused(Rejection::Overdrawn))) => {
                        assert!(*balance + amount < 0, "{}", context());
                    }
                    (Some((balance, seen)), Ok(done)) => {
                        *balance += amount;
                        seen.insert(*operation);
                        model.events += 1;
                        assert_eq!(done.row.balance, *balance, "{}", context());
                        assert!(*balance >= 0, "{}", context());
                    }
                    (_, answer) => panic!("{answer:?} at {}", context()),
                }
            }
            Step::Read(account) => {
                let loaded = logs[0].load::<Account>(&name(round, *account)).await.unwrap();
                let expected = model.accounts.get(account);
                assert_eq!(loaded.row.balance, expected.map_or(0, |(balance, _)| *balance));
                let version = expected.map_or(0, |(_, seen)| seen.len() as u64 + 1);
                assert_eq!(loaded.version, version, "{}", context());
            }
            Step::List { descending, limit } => {
                list(&logs[0], round, &model, *descending, *limit).await
            }
            Step::Swap => logs.swap(0, 1),
            Step::Reopen => {
                let [old, _] = &mut logs;
                std::mem::replace(old, open().await).close().await;
            }
        }
    }
    assert_eq!(everything(&logs[0]).await.len(), before + model.events);
}

async fn list(log: &Log, round: &str, model: &Model, descending: bool, limit: usize) {
    // of equal balances the account that was opened first comes first: the sort is stable
    let mut expected: Vec<(i64, String)> = model
        .opened
        .iter()
        .map(|account| (model.accounts[account].0, name(round, *account)))
        .collect();
    expected.sort_by_key(|(balance, _)| *balance);
    let mut listing = Listing::by("account", "balance").limit(limit);
    if descending {
        listing = listing.descending();
        expected.reverse();
    }
    let mut found = Vec::new();
    loop {
        let page = log.list(&listing).await.unwrap();
        found.extend(page.rows.into_iter().map(|row| row.id).filter(|id| id.starts_with(round)));
        match page.next {
            Some(next) => listing = listing.page(next),
            None => break,
        }
    }
    let expected: Vec<String> = expected.into_iter().map(|(_, id)| id).collect();
    assert_eq!(found, expected);
}

fn name(round: &str, account: u8) -> String {
    format!("{round}-{account}")
}
