//! `emall rebuild`: folds a log again into fresh rows, and puts them in the place of the old ones.

use std::time::Instant;

use clap::Args;

use crate::{
    end::{End, Failure},
    setup::Place,
    table::grouped,
    terminal,
};

/// Arguments of `emall rebuild`.
#[derive(Debug, Args)]
#[command(after_help = "\
The service may run meanwhile. Exit codes: 0 rebuilt; 2 not rebuilt, the rows are as they were; 64
wrong usage.")]
pub(crate) struct Rebuild {
    /// The service: `ordering`, `sla`
    service: String,
    #[command(flatten)]
    place: Place,
}

pub(crate) async fn run(args: Rebuild) -> Result<End, Failure> {
    let service = args.place.read()?.service(&args.service)?;
    service.must_exist()?;
    let began = Instant::now();
    let report = eventlog::rebuild(&service.options, &service.kinds).await.map_err(|error| {
        let sentence = format!(
            "{} was not rebuilt, its rows are as they were; `emall verify` says more",
            service.name
        );
        Failure::because(sentence, error)
    })?;
    terminal::say(&format!(
        "{}: {} events folded into {} rows in {:.1} s, up to position {}",
        service.name,
        grouped(report.events),
        grouped(report.rows),
        began.elapsed().as_secs_f64(),
        grouped(report.position)
    ))?;
    Ok(End::Well)
}
