//! Commits made by hand.

use std::collections::HashMap;

use eventlog::{Commit, CommitError, Key, RowWrite};
use futures::future::join_all;

use crate::world::{Kind, World, everything, moved};

fn row(id: &str) -> RowWrite {
    RowWrite {
        kind: "note".into(),
        id: id.to_owned(),
        version: 1,
        body: id.as_bytes().to_vec().into(),
        keys_removed: Vec::new(),
        keys_added: vec![Key::new("status", "new")],
    }
}

pub async fn a_commit_is_all_or_nothing(world: World) {
    let log = world.open().await;
    let whole = Commit::new()
        .append("note.a", 0, vec![moved("1"), moved("2")])
        .append("note.b", 0, vec![moved("3")])
        .append("note.a", 2, vec![moved("4")])
        .row(row("a"))
        .move_cursor("source", 0, 7);
    let done = log.commit(whole).await.unwrap();
    assert_eq!((done.position, done.last_position), (Some(4), 4));
    assert_eq!(log.history("note.a").await.unwrap().len(), 3);
    assert_eq!(log.cursor("source").await.unwrap(), 7);

    let torn = Commit::new()
        .append("note.c", 0, vec![moved("5")])
        .append("note.a", 1, vec![moved("6")])
        .row(row("c"))
        .move_cursor("source", 7, 8);
    match log.commit(torn).await {
        Err(CommitError::Conflict { stream }) => assert_eq!(stream, "note.a"),
        other => panic!("{other:?}"),
    }
    assert_eq!(log.history("note.c").await.unwrap(), []);
    assert_eq!(log.get_row("note", "c").await.unwrap(), None);
    assert_eq!(log.cursor("source").await.unwrap(), 7);
    assert_eq!(everything(&log).await.len(), 4);
}

pub async fn a_neighbour_that_falls_harms_nobody(world: World) {
    let log = world.open().await;
    let commits = (0..50).map(|n| {
        let wrong = n % 5 == 3;
        let commit = Commit::new()
            .append(format!("note.{n}"), u64::from(wrong), vec![moved("1")])
            .row(row(&n.to_string()));
        let log = log.clone();
        async move { (wrong, log.commit(commit).await) }
    });
    for (n, (wrong, result)) in join_all(commits).await.into_iter().enumerate() {
        match result {
            Ok(_) => assert!(!wrong),
            Err(CommitError::Conflict { stream }) => {
                assert!(wrong && stream == format!("note.{n}"))
            }
            Err(other) => panic!("{other:?}"),
        }
        let is_there = log.get_row("note", &n.to_string()).await.unwrap().is_some();
        assert_eq!(is_there, !wrong);
    }
    assert_eq!(everything(&log).await.len(), 40);
}

/// The database itself refuses one commit of a batch, for what is in it.
pub async fn a_commit_the_database_refuses_falls_alone(world: World) {
    let log = world.open().await;
    match world.kind {
        Kind::Sqlite => {
            world
                .sql(
                    "CREATE TRIGGER poison BEFORE INSERT ON rows WHEN NEW.body = CAST('poison' AS BLOB) \
                     BEGIN SELECT RAISE(ABORT, 'poison'); END",
                )
                .await;
        }
        Kind::Postgres => {
            world.sql("ALTER TABLE rows ADD CONSTRAINT poison CHECK (body <> 'poison')").await;
        }
    }
    let commits = (0..30).map(|n| {
        let id = if n == 17 { "poison".to_owned() } else { n.to_string() };
        let commit = Commit::new().append(format!("note.{id}"), 0, vec![moved("1")]).row(row(&id));
        let log = log.clone();
        async move { log.commit(commit).await }
    });
    let results = join_all(commits).await;
    for (n, result) in results.iter().enumerate() {
        assert_eq!(result.is_err(), n == 17, "{n}: {result:?}");
    }
    assert!(matches!(results[17], Err(CommitError::Broken(_))));
    assert_eq!(everything(&log).await.len(), 29);
    assert_eq!(log.history("note.poison").await.unwrap(), []);
    log.commit(Commit::new().append("note.after", 0, vec![moved("1")])).await.unwrap();
}

pub async fn a_cursor_moves_only_from_where_it_is(world: World) {
    let log = world.open().await;
    assert_eq!(log.cursor("source").await.unwrap(), 0);
    let moves = (0..20).map(|_| log.commit(Commit::new().move_cursor("source", 0, 5)));
    let results = join_all(moves).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    for result in results {
        if let Err(error) = result {
            assert!(matches!(error, CommitError::CursorMoved { expected: 0, actual: 5, .. }));
        }
    }
    assert_eq!(log.cursor("source").await.unwrap(), 5);
    assert_eq!(log.cursor("other").await.unwrap(), 0);
}

pub async fn positions_have_no_gap_and_follow_the_order_of_commits(world: World) {
    let log = world.open().await;
    // half of them fall, and leave no hole
    let commits = (0..200).map(|n| {
        let log = log.clone();
        tokio::spawn(async move {
            let stream = format!("note.{}", n % 100);
            let commit = Commit::new().append(stream.clone(), 0, vec![moved("1"), moved("2")]);
            (stream, log.commit(commit).await)
        })
    });
    let mut acknowledged = HashMap::new();
    for task in join_all(commits).await {
        let (stream, result) = task.unwrap();
        if let Ok(committed) = result {
            assert!(acknowledged.insert(stream, committed.position.unwrap()).is_none());
        }
    }
    assert_eq!(acknowledged.len(), 100);
    let all = everything(&log).await;
    assert_eq!(all.len(), 200);
    for (stream, position) in acknowledged {
        let last = all.iter().rfind(|event| event.stream == stream).unwrap();
        assert_eq!((last.position, last.version), (position, 2));
    }
    // a commit that begins after another was acknowledged comes after it
    let first = log.commit(Commit::new().append("note.x", 0, vec![moved("1")])).await.unwrap();
    let second = log.commit(Commit::new().append("note.y", 0, vec![moved("1")])).await.unwrap();
    assert_eq!(second.position.unwrap(), first.position.unwrap() + 1);
}

pub async fn an_event_is_parked_and_taken_away_once(world: World) {
    let log = world.open().await;
    log.commit(Commit::new().append("note.a", 0, vec![moved("1"), moved("2")])).await.unwrap();
    let events = log.history("note.a").await.unwrap();
    for event in &events {
        let park = Commit::new().park("ORDERING", event.clone(), "no such order");
        log.commit(park.move_cursor("ORDERING", event.position - 1, event.position)).await.unwrap();
    }
    log.commit(Commit::new().park("CATALOG", events[0].clone(), "later")).await.unwrap();

    let parked = log.parked(Some("ORDERING"), ("", 0), 10).await.unwrap();
    assert_eq!(parked.len(), 2);
    assert_eq!((parked[0].position, parked[0].reason.as_str()), (1, "no such order"));
    assert_eq!(parked[1].event, events[1]);
    let first = log.parked(None, ("", 0), 2).await.unwrap();
    let last = first.last().unwrap();
    let rest = log.parked(None, (&last.source, last.position), 10).await.unwrap();
    let all: Vec<_> =
        first.iter().chain(&rest).map(|entry| (entry.source.as_str(), entry.position)).collect();
    assert_eq!(all, [("CATALOG", 1), ("ORDERING", 1), ("ORDERING", 2)]);

    // a retry: what it records and the end of the entry are one commit, and happen once
    let retry = |version| {
        Commit::new().append("note.b", version, vec![moved("late")]).unpark("ORDERING", 1)
    };
    let entry = log.parked_entry("ORDERING", 1).await.unwrap().unwrap();
    assert_eq!(entry.event, events[0]);
    log.commit(retry(0)).await.unwrap();
    let again = log.commit(retry(1)).await;
    assert!(matches!(again, Err(CommitError::NotParked { position: 1, .. })), "{again:?}");
    assert_eq!(log.history("note.b").await.unwrap().len(), 1);
    log.drop_parked("ORDERING", 2).await.unwrap();
    assert!(log.drop_parked("ORDERING", 2).await.is_err());
    assert_eq!(log.parked(None, ("", 0), 10).await.unwrap().len(), 1);
    assert_eq!(log.parked_entry("ORDERING", 1).await.unwrap(), None);
}
