use std::{os::unix::fs::PermissionsExt as _, path::Path, time::Duration};

use eventlog::bus::server::{Server, ServerError, ServerOptions, find};

use crate::support::*;

fn script(folder: &Path, says: &str) -> std::path::PathBuf {
    let path = folder.join("nats-server");
    std::fs::write(&path, format!("#!/bin/sh\necho '{says}'\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[tokio::test]
async fn a_server_that_is_too_old_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let old = script(folder.path(), "nats-server: v2.9.25");
    let refused = find(Some(&old), None).await.unwrap_err();
    assert!(matches!(&refused, ServerError::TooOld { found, .. } if found == "2.9.25"));
    let enough = script(folder.path(), "nats-server: v2.10.0");
    assert_eq!(find(Some(&enough), None).await.unwrap(), (enough, "2.10.0".to_owned()));
    let other = script(folder.path(), "redis-server v7");
    assert!(matches!(find(Some(&other), None).await, Err(ServerError::NotNats(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_keeps_its_port_and_its_streams_over_a_restart() {
    let mut world = World::new().await;
    world.bus.ensure_stream(&world.stream, 5).await.unwrap();
    let url = world.server.url();
    world.server.stop(Duration::from_secs(10)).await.unwrap();
    assert!(world.server.process_id().is_none());
    until("the bus is gone", || async { !world.bus.is_connected() }).await;
    world.server.restart().await.unwrap();
    assert_eq!(world.server.url(), url);
    soon("connected", world.bus.connected()).await;
    let state = world.bus.stream_state("ORDERING").await.unwrap().unwrap();
    assert_eq!((state.first, state.last), (5, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_left_behind_by_a_killed_run_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(server_options(folder.path())).await.unwrap();
    let in_use = Server::start(server_options(folder.path())).await.unwrap_err();
    assert!(matches!(in_use, ServerError::InUse(_)), "{in_use:?}");
    server.kill().await.unwrap();
    drop(server);
    // The same server, but nobody's.
    let mut left = std::process::Command::new(std::env::var("NATS_SERVER").unwrap())
        .arg("--config")
        .arg(folder.path().join("nats-server.conf"))
        .arg("--ports_file_dir")
        .arg(folder.path())
        .spawn()
        .unwrap();
    let id = left.id();
    let ports = folder.path().join(format!("nats-server_{id}.ports"));
    until("it is up", || async { ports.exists() }).await;
    let server = Server::start(server_options(folder.path())).await.unwrap();
    assert_ne!(server.process_id(), Some(id));
    assert!(left.try_wait().unwrap().is_some(), "it still runs");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_start_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("own.conf");
    std::fs::write(&own, "authorization { user: a, password: b }\n").unwrap();
    let mut options = server_options(folder.path());
    options.config = Some(own.clone());
    options.sync_interval = Some("always".to_owned());
    let server = Server::start(options.clone()).await.unwrap();
    let second = ServerOptions {
        port: Some(server.port()),
        patience: Duration::from_secs(5),
        ..server_options(&folder.path().join("second"))
    };
    let refused = Server::start(second).await.unwrap_err();
    assert!(matches!(refused, ServerError::Ended(_) | ServerError::NotReady { .. }), "{refused:?}");
    drop(server);
    std::fs::write(&own, "nonsense {{{\n").unwrap();
    let refused = Server::start(options).await.unwrap_err();
    assert!(matches!(refused, ServerError::Ended(_)), "{refused:?}");
}
