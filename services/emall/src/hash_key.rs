//! `emall hash-key`: what the configuration holds instead of an API key.

use std::io::{self, BufRead as _, IsTerminal as _};

use clap::Args;

use crate::{
    end::{End, Failure},
    terminal,
};

/// Arguments of `emall hash-key`.
#[derive(Debug, Args)]
#[command(after_help = "\
The key is read from standard input: there no list of processes shows it. Exit codes: 0 printed; 2
standard input cannot be read; 64 there was no key.")]
pub(crate) struct HashKey {}

pub(crate) fn run(_: &HashKey) -> Result<End, Failure> {
    if io::stdin().is_terminal() {
        terminal::complain("emall: type the key, then Enter");
    }
    let mut key = String::new();
    io::stdin()
        .lock()
        .read_line(&mut key)
        .map_err(|error| Failure::because("cannot read the key; type it or pipe it in", error))?;
    let key = key.trim_end_matches(['\r', '\n']);
    if key.is_empty() {
        return Err(Failure::usage(
            "there is no key; for example: openssl rand -hex 32 | tee /dev/stderr | emall hash-key",
        ));
    }
    terminal::say(&gateway::hash_key(key))?;
    Ok(End::Well)
}
