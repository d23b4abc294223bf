//! A log of its own for each test, on either engine.

use std::sync::Arc;
use std::time::Duration;

use eventlog::{Log, LogOptions, TransactError, Transacted};
use sqlx::{Connection as _, Executor as _};
use tempfile::TempDir;

use crate::account::{Account, Event, Rejection, context};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// The place of one test's log; what is in it goes with it.
pub struct World {
    pub kind: Kind,
    pub options: LogOptions,
    _folder: TempDir,
}

impl World {
    pub fn new(kind: Kind) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let id = uuid::Uuid::now_v7().simple().to_string();
        let url = match kind {
            Kind::Sqlite => format!("sqlite://{}", folder.path().join("log.db").display()),
            Kind::Postgres => postgres_url(),
        };
        let mut options = LogOptions::new(format!("t-{id}"), url);
        options.poll_interval = Duration::from_millis(5);
        Self { kind, options, _folder: folder }
    }

    pub async fn open(&self) -> Log {
        Log::open(self.options.clone()).await.unwrap()
    }

    pub async fn open_with(&self, change: impl FnOnce(&mut LogOptions)) -> Log {
        let mut options = self.options.clone();
        change(&mut options);
        Log::open(options).await.unwrap()
    }

    /// Runs SQL behind the log's back.
    pub async fn sql(&self, sql: &'static str) {
        match self.kind {
            Kind::Sqlite => {
                let mut connection =
                    sqlx::SqliteConnection::connect(&self.options.url).await.unwrap();
                connection.execute(sql).await.unwrap();
                connection.close().await.unwrap();
            }
            Kind::Postgres => {
                let mut connection = sqlx::PgConnection::connect(&self.options.url).await.unwrap();
                sqlx::query("SELECT set_config('search_path', quote_ident($1), false)")
                    .bind(&self.options.name)
                    .execute(&mut connection)
                    .await
                    .unwrap();
                connection.execute(sql).await.unwrap();
                connection.close().await.unwrap();
            }
        }
    }

    /// All lines of `rows` and `row_keys`, as text.
    pub async fn rows(&self) -> Vec<String> {
        let rows =
            "SELECT kind || '/' || id || '/' || version || '/' || body_hex FROM shown ORDER BY 1";
        let (sqlite, postgres) = (
            "WITH shown AS (SELECT kind, id, version, hex(body) body_hex FROM rows JOIN ids USING (number)) ",
            "WITH shown AS (SELECT kind, id, version, upper(encode(body, 'hex')) body_hex FROM rows JOIN ids USING (number)) ",
        );
        let keys = "SELECT k.kind || '/' || key || '/' || value || '/' || id \
             FROM row_keys k JOIN ids i ON i.number = k.number AND i.kind = k.kind ORDER BY 1";
        let with = match self.kind {
            Kind::Sqlite => sqlite,
            Kind::Postgres => postgres,
        };
        let mut lines = self.texts(format!("{with}{rows}")).await;
        lines.extend(self.texts(keys.to_owned()).await);
        lines
    }

    async fn texts(&self, sql: String) -> Vec<String> {
        let sql = sqlx::AssertSqlSafe(sql);
        match self.kind {
            Kind::Sqlite => {
                let mut connection =
                    sqlx::SqliteConnection::connect(&self.options.url).await.unwrap();
                sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap()
            }
            Kind::Postgres => {
                let mut connection = sqlx::PgConnection::connect(&self.options.url).await.unwrap();
                sqlx::query("SELECT set_config('search_path', quote_ident($1), false)")
                    .bind(&self.options.name)
                    .execute(&mut connection)
                    .await
                    .unwrap();
                sqlx::query_scalar(sql).fetch_all(&mut connection).await.unwrap()
            }
        }
    }
}

impl Drop for World {
    /// The server is shared by all tests: the schema goes too.
    fn drop(&mut self) {
        if self.kind == Kind::Sqlite {
            return;
        }
        let (url, name) = (self.options.url.clone(), self.options.name.clone());
        let drop = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let Ok(mut connection) = sqlx::PgConnection::connect(&url).await else { return };
                let sql = format!("DROP SCHEMA IF EXISTS \"{name}\" CASCADE");
                let _ = connection.execute(sqlx::AssertSqlSafe(sql)).await;
            });
        });
        let _ = drop.join();
    }
}

pub fn postgres_url() -> String {
    std::env::var("EMALL_TEST_POSTGRES_URL").unwrap_or_else(|_| {
        panic!("EMALL_TEST_POSTGRES_URL is not set: run `make test`, which starts a server for the tests")
    })
}

pub type Answer = Result<Transacted<Account>, TransactError<Rejection>>;

pub async fn open_account(log: &Log, id: &str) -> Answer {
    log.transact(id, &context(), |account: &Account| account.open("somebody")).await
}

pub async fn shift(log: &Log, id: &str, operation: &str, amount: i64) -> Answer {
    log.transact(id, &context(), |account: &Account| account.shift(operation, amount)).await
}

pub async fn open_and_shift(log: &Log, id: &str, operation: &str, amount: i64) -> Answer {
    log.transact(id, &context(), |account: &Account| account.open_and_shift(operation, amount))
        .await
}

/// An event for commits that are made by hand.
pub fn moved(operation: &str) -> eventlog::NewEvent {
    let event = Event::Moved(crate::account::Moved {
        operation: operation.to_owned(),
        amount: 1,
        ballast: Vec::new(),
    });
    eventlog::NewEvent {
        type_name: contracts::Event::type_name(&event).into(),
        body: contracts::Event::encode_body(&event).into(),
        metadata: context().metadata(),
    }
}

/// Everything in the log, with its positions checked.
pub async fn everything(log: &Log) -> Vec<Arc<eventlog::RecordedEvent>> {
    let mut all = Vec::new();
    loop {
        let after = all.len() as u64;
        let page = log.read_after(after, 1_000).await.unwrap();
        if page.is_empty() {
            break;
        }
        all.extend(page);
    }
    for (expected, event) in (1..).zip(&all) {
        assert_eq!(event.position, expected, "positions have no gap");
    }
    all
}

/// Nothing in the database contradicts anything else in it.
pub async fn clean(world: &World) {
    let report =
        eventlog::verify(&world.options, &crate::account::kinds_without_totals()).await.unwrap();
    assert_eq!(report.differences, [], "{report:?}");
}

/// The same with the projection.
pub async fn clean_with_totals(world: &World) {
    let report = eventlog::verify(&world.options, &crate::account::kinds()).await.unwrap();
    assert_eq!(report.differences, [], "{report:?}");
}
