//! Figures, the table and the report.

use std::path::PathBuf;

use serde_json::{Value, json};

/// One measured figure.
pub(crate) struct Figure {
    name: String,
    engine: &'static str,
    value: f64,
    unit: &'static str,
    aim: Option<Aim>,
}

/// What is aimed for.
#[derive(Clone, Copy)]
pub(crate) enum Aim {
    AtLeast(f64),
    AtMost(f64),
}

impl Aim {
    fn reached(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }

    fn text(self) -> String {
        match self {
            Self::AtLeast(least) => format!("≥ {}", number(least)),
            Self::AtMost(most) => format!("≤ {}", number(most)),
        }
    }
}

/// All figures of one run.
#[derive(Default)]
pub(crate) struct Report(Vec<Figure>);

impl Report {
    pub(crate) fn add(
        &mut self,
        name: impl Into<String>,
        engine: &'static str,
        value: f64,
        unit: &'static str,
    ) {
        self.push(Figure { name: name.into(), engine, value, unit, aim: None });
    }

    pub(crate) fn aimed(
        &mut self,
        name: impl Into<String>,
        engine: &'static str,
        value: f64,
        unit: &'static str,
        aim: Aim,
    ) {
        self.push(Figure { name: name.into(), engine, value, unit, aim: Some(aim) });
    }

    fn push(&mut self, figure: Figure) {
        println!("{}", row(&figure));
        self.0.push(figure);
    }

    pub(crate) fn print(&self) {
        println!("\n{:<52} {:<10} {:>12} {:<12} aim", "figure", "engine", "value", "unit");
        for figure in &self.0 {
            println!("{}", row(figure));
        }
    }

    /// Writes `target/bench/report.json`.
    pub(crate) fn write(&self) {
        let figures: Vec<Value> = self
            .0
            .iter()
            .map(|figure| {
                json!({
                    "name": figure.name,
                    "engine": figure.engine,
                    "value": figure.value,
                    "unit": figure.unit,
                    "aim": figure.aim.map(Aim::text),
                    "reached": figure.aim.map(|aim| aim.reached(figure.value)),
                })
            })
            .collect();
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let report = json!({ "cores": cores, "figures": figures });
        let folder = PathBuf::from("target/bench");
        std::fs::create_dir_all(&folder).expect("a folder for the report");
        let path = folder.join("report.json");
        let text = serde_json::to_string_pretty(&report).expect("a report");
        std::fs::write(&path, text + "\n").expect("a report");
        println!("\nwritten to {}", path.display());
    }
}

fn row(figure: &Figure) -> String {
    let aim = figure.aim.map_or_else(String::new, |aim| {
        format!("{} {}", aim.text(), if aim.reached(figure.value) { "reached" } else { "MISSED" })
    });
    let line = format!(
        "{:<52} {:<10} {:>12} {:<12} {aim}",
        figure.name,
        figure.engine,
        number(figure.value),
        figure.unit
    );
    line.trim_end().to_owned()
}

fn number(value: f64) -> String {
    if value >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

/// The value below which this share of the samples lies.
pub(crate) fn percentile(sorted: &[f64], share: f64) -> f64 {
    if sorted.is_empty() {
        return f64::NAN;
    }
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an index into far fewer samples than 2^52"
    )]
    let index = (share * (sorted.len() - 1) as f64).round() as usize;
    sorted[index.min(sorted.len() - 1)]
}
