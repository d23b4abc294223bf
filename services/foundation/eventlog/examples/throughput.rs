//! How many commands a second, compared with plain batched SQL that writes the same lines.
//!
//! Prints one line of JSON for each figure: name, value, unit.
//!
//! `cargo run --release -p eventlog --example throughput -- sqlite:///tmp/x.db [commands] [callers]`

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs, reason = "a measuring tool")]

use std::sync::Arc;
use std::time::Instant;

use account::{Account, Event, Opened, context};
use eventlog::{Log, LogOptions, Recorded};
use futures::future::join_all;
use prost::Message as _;
use sqlx::{Connection as _, Executor as _};

#[path = "../tests/conformance/account.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with the tests")]
mod account;

/// As in the processes of the product.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap_or_else(|| "sqlite://throughput.db".to_owned());
    let commands: usize = arguments.next().map_or(100_000, |n| n.parse().unwrap());
    let callers: usize = arguments.next().map_or(64, |n| n.parse().unwrap());
    let run = uuid::Uuid::now_v7().simple().to_string();

    let options = || LogOptions::new(format!("bench-{}", &run[20..]), &url);
    // opened first, so that the schema is there for the plain baseline
    let log = Log::open(options()).await.unwrap();
    let plain = plain(&url, &options().name, commands, &run).await;
    say("plain SQL, batches of 64", plain, "commands/s");
    say("plain SQL, processor time", cpu(commands), "µs/command");

    let fresh = transact(&log, callers, commands, {
        let run = run.clone();
        move |n| format!("{run}-{n}")
    })
    .await;
    report("transact, an aggregate each", fresh, commands);
    say("transact over plain SQL", fresh / plain, "ratio");
    let known = 1_000;
    let name = run.clone();
    transact(&log, callers, known, move |n| format!("known-{name}-{n}")).await;
    let name = run.clone();
    let warm = shift(&log, callers, commands, move |n| format!("known-{name}-{}", n % known)).await;
    report("transact, 1,000 known aggregates", warm, commands);
    let hot = shift(&log, callers, commands, move |_| format!("known-{run}-0")).await;
    report("transact, one aggregate", hot, commands);
    log.close().await;
}

fn say(name: &str, value: f64, unit: &str) {
    println!("{}", serde_json::json!({ "name": name, "value": value, "unit": unit }));
}

fn report(what: &str, rate: f64, commands: usize) {
    say(what, rate, "commands/s");
    say(&format!("{what}, processor time"), cpu(commands), "µs/command");
}

/// Microseconds of processor time of this process since the last call, for each command.
fn cpu(commands: usize) -> f64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static BEFORE: AtomicU64 = AtomicU64::new(0);
    let Ok(stat) = std::fs::read_to_string("/proc/self/stat") else { return f64::NAN };
    let fields: Vec<&str> = stat.split_whitespace().collect();
    let ticks: u64 = fields[13].parse::<u64>().unwrap() + fields[14].parse::<u64>().unwrap();
    let spent = ticks - BEFORE.swap(ticks, Ordering::Relaxed);
    spent as f64 * 10_000.0 / commands as f64
}

async fn transact(
    log: &Log,
    callers: usize,
    commands: usize,
    id: impl Fn(usize) -> String + Send + Sync + 'static,
) -> f64 {
    run(log, callers, commands, id, |account, _| account.open("somebody")).await
}

async fn shift(
    log: &Log,
    callers: usize,
    commands: usize,
    id: impl Fn(usize) -> String + Send + Sync + 'static,
) -> f64 {
    run(log, callers, commands, id, |_, n| {
        decider::emit(Event::Moved(account::Moved {
            operation: format!("{}", n % 7),
            amount: 1,
            ballast: Vec::new(),
        }))
    })
    .await
}

async fn run(
    log: &Log,
    callers: usize,
    commands: usize,
    id: impl Fn(usize) -> String + Send + Sync + 'static,
    decide: fn(&Account, usize) -> decider::Decision<Event, account::Rejection>,
) -> f64 {
    let id = Arc::new(id);
    let begun = Instant::now();
    let tasks = (0..callers).map(|caller| {
        let (log, id) = (log.clone(), Arc::clone(&id));
        tokio::spawn(async move {
            let context = context();
            for n in (caller..commands).step_by(callers) {
                log.transact::<Account, _>(&id(n), &context, |account| decide(account, n))
                    .await
                    .unwrap();
            }
        })
    });
    for task in join_all(tasks).await {
        task.unwrap();
    }
    commands as f64 / begun.elapsed().as_secs_f64()
}

/// The same lines, written as fast as sqlx goes: one connection, 64 commands in a transaction.
async fn plain(url: &str, schema: &str, commands: usize, run: &str) -> f64 {
    let lines = Lines::new();
    let begun = if url.starts_with("sqlite") {
        let name = url.trim_start_matches("sqlite://");
        let mut connection = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(name)
            .pragma("cache_size", "-65536")
            .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
            .synchronous(sqlx::sqlite::SqliteSynchronous::Full);
        connection = sqlx::ConnectOptions::disable_statement_logging(connection);
        let mut connection = sqlx::ConnectOptions::connect(&connection).await.unwrap();
        lines.sqlite(&mut connection, commands, run).await
    } else {
        let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
        connection
            .execute(
                sqlx::query("SELECT set_config('search_path', quote_ident($1), false)")
                    .bind(schema),
            )
            .await
            .unwrap();
        lines.postgres(&mut connection, commands, run).await
    };
    commands as f64 / begun.elapsed().as_secs_f64()
}

struct Lines {
    body: Vec<u8>,
    metadata: Vec<u8>,
    row: Vec<u8>,
    keys: Vec<eventlog::Key>,
}

impl Lines {
    fn new() -> Self {
        let event = Event::Opened(Opened { owner: "somebody".to_owned() });
        let mut row = account::AccountRow::default();
        Account::apply(&mut row, &event, &context().metadata(), 1);
        Self {
            body: contracts::Event::encode_body(&event),
            metadata: context().metadata().encode_to_vec(),
            keys: Account::keys(&row),
            row: row.encode_to_vec(),
        }
    }

    async fn sqlite(
        &self,
        connection: &mut sqlx::SqliteConnection,
        commands: usize,
        run: &str,
    ) -> Instant {
        let multi = |before: &str, row: &str, rows: usize| -> Arc<str> {
            format!("{before} VALUES {}", vec![row; rows].join(",")).into()
        };
        let ids = multi("INSERT INTO ids", "(?,?,?)", 64);
        let events = multi("INSERT INTO events", "(?,?,?,?,?,?,?)", 64);
        let rows = multi("INSERT INTO rows", "(?,?,?)", 64);
        let keys = multi("INSERT INTO row_keys", "(?,?,?,?)", 128);
        let begun = Instant::now();
        for batch in 0..commands / 64 {
            connection.execute("BEGIN IMMEDIATE").await.unwrap();
            let numbers = || batch * 64..batch * 64 + 64;
            let number = |n: usize| i64::try_from(n).unwrap() + 1;
            let mut insert = sqlx::query(sqlx::AssertSqlSafe(Arc::clone(&ids)));
            for n in numbers() {
                insert = insert.bind(number(n)).bind("account").bind(format!("p{run}-{n}"));
            }
            insert.execute(&mut *connection).await.unwrap();
            let mut insert = sqlx::query(sqlx::AssertSqlSafe(Arc::clone(&events)));
            for n in numbers() {
                insert = insert
                    .bind(number(n))
                    .bind(number(n))
                    .bind(1i64)
                    .bind("test.Opened")
                    .bind(&*self.body)
                    .bind(&*self.metadata)
                    .bind(0i64);
            }
            insert.execute(&mut *connection).await.unwrap();
            let mut insert = sqlx::query(sqlx::AssertSqlSafe(Arc::clone(&rows)));
            for n in numbers() {
                insert = insert.bind(number(n)).bind(1i64).bind(&*self.row);
            }
            insert.execute(&mut *connection).await.unwrap();
            let mut insert = sqlx::query(sqlx::AssertSqlSafe(Arc::clone(&keys)));
            for n in numbers() {
                for key in &self.keys {
                    insert = insert
                        .bind("account")
                        .bind(key.key)
                        .bind(key.value.as_str())
                        .bind(number(n));
                }
            }
            insert.execute(&mut *connection).await.unwrap();
            connection.execute("COMMIT").await.unwrap();
        }
        begun
    }

    async fn postgres(
        &self,
        connection: &mut sqlx::PgConnection,
        commands: usize,
        run: &str,
    ) -> Instant {
        let begun = Instant::now();
        for batch in 0..commands / 64 {
            connection.execute("BEGIN").await.unwrap();
            let numbers = || batch * 64..batch * 64 + 64;
            let number = |n: usize| i64::try_from(n).unwrap() + 1;
            sqlx::query("INSERT INTO ids SELECT * FROM unnest($1::int8[],$2::text[],$3::text[])")
                .bind(numbers().map(number).collect::<Vec<_>>())
                .bind(vec!["account"; 64])
                .bind(numbers().map(|n| format!("p{run}-{n}")).collect::<Vec<_>>())
                .execute(&mut *connection)
                .await
                .unwrap();
            sqlx::query("INSERT INTO events SELECT * FROM unnest($1::int8[],$2::int8[],$3::int8[],$4::text[],$5::bytea[],$6::bytea[],$7::int8[])")
                .bind(numbers().map(number).collect::<Vec<_>>())
                .bind(numbers().map(number).collect::<Vec<_>>())
                .bind(vec![1i64; 64])
                .bind(vec!["test.Opened"; 64])
                .bind(vec![&*self.body; 64])
                .bind(vec![&*self.metadata; 64])
                .bind(vec![0i64; 64])
                .execute(&mut *connection).await.unwrap();
            sqlx::query("INSERT INTO rows SELECT * FROM unnest($1::int8[],$2::int8[],$3::bytea[])")
                .bind(numbers().map(number).collect::<Vec<_>>())
                .bind(vec![1i64; 64])
                .bind(vec![&*self.row; 64])
                .execute(&mut *connection)
                .await
                .unwrap();
            let lines = || numbers().flat_map(|n| self.keys.iter().map(move |key| (n, key)));
            sqlx::query("INSERT INTO row_keys SELECT * FROM unnest($1::text[],$2::text[],$3::text[],$4::int8[])")
                .bind(vec!["account"; 128])
                .bind(lines().map(|(_, key)| key.key).collect::<Vec<_>>())
                .bind(lines().map(|(_, key)| key.value.as_str()).collect::<Vec<_>>())
                .bind(lines().map(|(n, _)| number(n)).collect::<Vec<_>>())
                .execute(&mut *connection).await.unwrap();
            connection.execute("COMMIT").await.unwrap();
        }
        begun
    }
}
