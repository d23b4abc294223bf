//! Reports as tables of comma-separated values, with a line of headings.

use chassis::csv::Table;
use contracts::sla::{AvailabilityLine, BreachState, Clock, ComplianceLine, Grouping, Limit};
use prost_types::Timestamp;

use crate::{
    ledger::{from_duration, word},
    timeline::time,
};

fn at(moment: &Option<Timestamp>) -> String {
    time(moment).map(|moment| moment.to_string()).unwrap_or_default()
}

fn seconds(span: &Option<prost_types::Duration>) -> String {
    span.as_ref().map_or(0, |span| from_duration(span).as_secs()).to_string()
}

fn case(clock: &Clock) -> String {
    let parts = clock.subject.iter().map(|part| format!("{}={}", part.name, part.value));
    parts.collect::<Vec<_>>().join(" ")
}

fn breach(limit: &Option<Limit>) -> &'static str {
    match limit.as_ref().map_or(BreachState::Unspecified, Limit::breach) {
        BreachState::Unspecified => "",
        BreachState::Provisional => "provisional",
        BreachState::Declared => "declared",
        BreachState::Withdrawn => "withdrawn",
    }
}

/// Compliance by group.
#[must_use]
pub fn compliance(lines: &[ComplianceLine], groups: &[Grouping]) -> String {
    let mut table = Table::default();
    let heads =
        groups.iter().map(|by| by.as_str_name().trim_start_matches("GROUPING_").to_lowercase());
    let figures = [
        "met",
        "breached",
        "contractual_breached",
        "cancelled",
        "withdrawn",
        "overrun_seconds",
        "paused_seconds",
        "held",
    ];
    table.row(heads.chain(figures.map(str::to_owned)));
    for line in lines {
        let held =
            line.held.iter().map(|held| format!("{}={}", word(held.party()), seconds(&held.time)));
        let held = held.collect::<Vec<_>>().join(" ");
        let counts =
            [line.met, line.breached, line.contractual_breached, line.cancelled, line.withdrawn];
        table.row(line.group.iter().cloned().chain(counts.iter().map(u64::to_string)).chain([
            seconds(&line.overrun),
            seconds(&line.paused),
            held,
        ]));
    }
    table.into_text()
}

/// Open clocks by due time.
#[must_use]
pub fn clocks(clocks: &[Clock]) -> String {
    let mut table = Table::default();
    table.row([
        "due_at",
        "contractual_due_at",
        "state",
        "breach",
        "holder",
        "profile",
        "clock",
        "case",
        "platform",
        "started_at",
        "planned",
        "clock_id",
    ]);
    for clock in clocks {
        let due = |limit: &Option<Limit>| {
            limit.as_ref().map(|limit| at(&limit.due_at)).unwrap_or_default()
        };
        let state = clock.state().as_str_name().trim_start_matches("CLOCK_STATE_").to_lowercase();
        table.row([
            due(&clock.committed),
            due(&clock.contractual),
            state,
            breach(&clock.committed).to_owned(),
            word(clock.holder()).to_owned(),
            clock.profile.clone(),
            clock.clock.clone(),
            case(clock),
            clock.platform.clone(),
            at(&clock.started_at),
            clock.planned.to_string(),
            clock.clock_id.clone(),
        ]);
    }
    table.into_text()
}

/// Breaches, each with the chain of facts that proves it.
#[must_use]
pub fn breaches(clocks: &[Clock]) -> String {
    let mut table = Table::default();
    table.row([
        "missed_at",
        "breach",
        "contractual",
        "overrun_seconds",
        "profile",
        "clock",
        "case",
        "platform",
        "started_at",
        "ended_at",
        "holder",
        "proof",
        "clock_id",
    ]);
    for clock in clocks {
        let limit = clock.committed.unwrap_or_default();
        let proof = clock.facts.iter().map(|fact| {
            let kind = fact.kind().as_str_name().trim_start_matches("FACT_KIND_").to_lowercase();
            format!("{kind} {} {}", at(&fact.at), fact.evidence)
        });
        table.row([
            at(&limit.breached_at),
            breach(&clock.committed).to_owned(),
            breach(&clock.contractual).to_owned(),
            seconds(&limit.overrun),
            clock.profile.clone(),
            clock.clock.clone(),
            case(clock),
            clock.platform.clone(),
            at(&clock.started_at),
            at(&clock.ended_at),
            word(clock.holder()).to_owned(),
            proof.collect::<Vec<_>>().join("; "),
            clock.clock_id.clone(),
        ]);
    }
    table.into_text()
}

/// Availability by thing.
#[must_use]
pub fn availability(lines: &[AvailabilityLine]) -> String {
    let mut table = Table::default();
    table.row([
        "profile",
        "clock",
        "thing",
        "platform",
        "promised_seconds",
        "away_seconds",
        "availability_percent",
        "wanted_percent",
    ]);
    for line in lines {
        let thing = line.subject.iter().map(|part| format!("{}={}", part.name, part.value));
        let percent = |hundredths: u32| format!("{}.{:02}", hundredths / 100, hundredths % 100);
        table.row([
            line.profile.clone(),
            line.clock.clone(),
            thing.collect::<Vec<_>>().join(" "),
            line.platform.clone(),
            seconds(&line.promised),
            seconds(&line.away),
            percent(line.availability),
            percent(line.wanted),
        ]);
    }
    table.into_text()
}

#[cfg(test)]
mod tests;
