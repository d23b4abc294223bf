//! The nats-server of the all-in-one process.
//!
//! It is stopped with the process, also when that panics (the child is killed when its handle is
//! dropped). Only `kill -9` leaves it behind; the next start on the same folder finds it by its
//! process id and its command line, and ends it first. A death signal from the kernel would do it
//! at once, but needs unsafe code.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use eventlog::bus::server::{self, Server, ServerError, ServerOptions};
use tokio::io::AsyncWriteExt as _;

use crate::{end::Failure, terminal};

/// Fetches a nats-server of a pinned version; part of the binary, so that it needs no checkout.
const FETCH: &str = include_str!("../../../../deploy/fetch_tools.py");

/// Starts a server that keeps everything in the data folder.
pub(crate) async fn start(data: &Path, port: Option<u16>) -> Result<Server, Failure> {
    let mut options = ServerOptions::new(data.join("nats"));
    options.port = port;
    options.binary = Some(binary(data).await?);
    Server::start(options).await.map_err(|error| {
        let sentence = match port {
            Some(port) => format!("no nats-server on port {port}; name another with --nats-port"),
            None => {
                "the nats-server does not start; see its log in nats/ of the data folder".to_owned()
            }
        };
        Failure::because(sentence, error)
    })
}

/// A nats-server that is new enough: as named by `NATS_SERVER`, on the `PATH`, in `run/tools`
/// beside the data, else fetched to there.
async fn binary(data: &Path) -> Result<PathBuf, Failure> {
    let tools = data.parent().unwrap_or(data).join("tools");
    match server::find(None, Some(&tools)).await {
        Ok((path, _)) => return Ok(path),
        Err(ServerError::NotFound | ServerError::TooOld { .. }) => {}
        Err(error) => {
            let sentence = "the nats-server found cannot be used; correct NATS_SERVER or PATH";
            return Err(Failure::because(sentence, error));
        }
    }
    terminal::complain("emall: no nats-server 2.10 or newer here: fetching one (once)");
    fetch(&tools).await
}

async fn fetch(tools: &Path) -> Result<PathBuf, Failure> {
    let otherwise =
        "install nats-server 2.10 or newer and put it on PATH, or set NATS_SERVER to it";
    let failed = |error| {
        Failure::because(format!("python3 cannot be run to fetch nats-server; {otherwise}"), error)
    };
    let mut child = tokio::process::Command::new("python3")
        .arg("-")
        .arg("nats")
        .arg("--into")
        .arg(tools)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    if let Some(mut script) = child.stdin.take() {
        script.write_all(FETCH.as_bytes()).await.map_err(failed)?;
    }
    let output = child.wait_with_output().await.map_err(failed)?;
    let path = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if !output.status.success() || path.is_empty() {
        return Err(Failure::broken(format!(
            "no nats-server could be fetched, see above; {otherwise}"
        )));
    }
    Ok(PathBuf::from(path))
}
