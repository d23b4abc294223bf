//! `emall print-config`: what `emall up` would run with, secrets hidden.

use clap::Args;

use crate::{
    end::{End, Failure},
    setup::Place,
    terminal,
};

/// Arguments of `emall print-config`.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 printed; 64 the configuration cannot be used.")]
pub(crate) struct PrintConfig {
    #[command(flatten)]
    place: Place,
}

pub(crate) fn run(args: &PrintConfig) -> Result<End, Failure> {
    let setup = args.place.read()?;
    let unprintable =
        |error: toml::ser::Error| Failure::because("the configuration cannot be printed", error);
    let mut all = toml::Table::try_from(&setup.settings).map_err(unprintable)?;
    let sections = [
        (ordering::NAME, toml::Table::try_from(&setup.ordering).map_err(unprintable)?),
        ("complaints", toml::Table::try_from(&setup.complaints).map_err(unprintable)?),
        ("sla_monitor", toml::Table::try_from(&setup.sla_monitor).map_err(unprintable)?),
        ("gateway", toml::Table::try_from(&setup.gateway).map_err(unprintable)?),
    ];
    for (name, section) in sections {
        all.insert(name.to_owned(), toml::Value::Table(section));
    }
    let text = toml::to_string_pretty(&all).map_err(unprintable)?;
    terminal::say("# `own` in bus.urls stands for the nats-server that `emall up` starts itself.")?;
    terminal::say(text.trim_end())?;
    Ok(End::Well)
}
