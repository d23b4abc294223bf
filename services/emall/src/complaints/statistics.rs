//! `emall complaints statistics`: figures of complaints, as a table or as comma-separated values.

use chassis::csv;
use clap::Args;
use contracts::complaints::{
    ComplaintCounts, ComplaintGrouping, ComplaintStatisticsLine, GetComplaintStatisticsRequest,
};
use jiff::civil::Date;

use super::{failed, words};
use crate::{
    access::Access,
    amount::yuan,
    client::As,
    end::{End, Failure},
    table::{Align, Table, grouped},
    terminal,
};

/// Seconds of a mean time up to which hours and minutes are told: two days.
const IN_HOURS: u64 = 48 * 3_600;

/// Arguments of `emall complaints statistics`.
#[derive(Debug, Args)]
#[command(after_help = "\
Days are those of the supplier, both included. `response` is the mean time from receipt to the first
solution, `closing` to the end; hh:mm, from two days on in days. Exit codes: 0 printed; 2 they could not be
read; 64 wrong usage.")]
pub(super) struct Statistics {
    /// First day: `2026-11-01`
    #[arg(long, value_name = "DAY", value_parser = day)]
    from: Date,
    /// Last day; `--to` is where the gateway is
    #[arg(long, value_name = "DAY", value_parser = day)]
    until: Date,
    /// Only of this platform
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,
    /// What the figures are told apart by, in this order: `platform`, `cause`, `month`, …
    #[arg(long, value_name = "GROUPS", value_delimiter = ',',
        value_parser = words::choice::<ComplaintGrouping>("ComplaintGrouping"))]
    by: Vec<ComplaintGrouping>,
    /// Print comma-separated values with a line of headings: times in seconds, money in yuan
    #[arg(long)]
    csv: bool,
}

pub(super) fn day(text: &str) -> Result<Date, String> {
    let read = text.parse::<Date>().ok().filter(|day| day.to_string() == text);
    read.ok_or_else(|| "write a date such as 2026-11-01".to_owned())
}

pub(super) async fn run(args: Statistics, access: &Access) -> Result<End, Failure> {
    if args.until < args.from {
        let (from, until) = (args.from, args.until);
        return Err(Failure::usage(format!(
            "--until {until} is before --from {from}; exchange them"
        )));
    }
    let client = access.connect().await?;
    let request = GetComplaintStatisticsRequest {
        from: args.from.to_string(),
        to: args.until.to_string(),
        platform: args.platform.clone().unwrap_or_default(),
        group_by: args.by.iter().map(|by| i32::from(*by)).collect(),
        ..Default::default()
    };
    let answer = client
        .call(As::Operator, request, |mut services, request| async move {
            services.complaint_reports.get_complaint_statistics(request).await
        })
        .await
        .map_err(failed("the figures cannot be read; see `emall status`, or ask for fewer days"))?;
    if args.csv {
        terminal::hand_over(&values(&answer.lines, &args.by))?;
        return Ok(End::Well);
    }
    let (from, until) = (args.from, args.until);
    let mut title = format!("Complaints of {from} to {until}");
    title.extend(args.platform.iter().map(|platform| format!(", {}", terminal::plain(platform))));
    terminal::say(&title)?;
    terminal::say("")?;
    for line in table(&answer.lines, &args.by) {
        terminal::say(&line)?;
    }
    Ok(End::Well)
}

/// The name of a grouping, in words.
fn heading(by: ComplaintGrouping) -> String {
    words::word(by.as_str_name())
}

fn table(lines: &[ComplaintStatisticsLine], by: &[ComplaintGrouping]) -> Vec<String> {
    if lines.is_empty() {
        return vec!["  nothing happened".to_owned()];
    }
    let figures = [
        "received",
        "again",
        "escalated",
        "major",
        "answered",
        "response",
        "agreed",
        "refused",
        "closed",
        "closing",
        "satisfied",
        "granted CNY",
        "penalties CNY",
    ];
    let groups = by.iter().map(|by| (heading(*by), Align::Left));
    let figures = figures.map(|name| (name.to_owned(), Align::Right));
    let columns: Vec<_> = groups.chain(figures).collect();
    let mut table = Table::new(&columns);
    for line in lines {
        let counts = line.counts.unwrap_or_default();
        let share = satisfied(&counts).map_or_else(dash, |percent| format!("{percent} %"));
        let groups = line.group.iter().map(|value| words::or_dash(&words::word(value)));
        let figures = [
            grouped(counts.received),
            grouped(counts.repeats),
            grouped(counts.escalated),
            grouped(counts.raised),
            grouped(counts.answered),
            mean(counts.response_seconds, counts.answered).map_or_else(dash, span),
            grouped(counts.agreed),
            grouped(counts.refused),
            grouped(counts.closed),
            mean(counts.closing_seconds, counts.closed).map_or_else(dash, span),
            share,
            yuan(counts.granted_minor_units),
            yuan(counts.penalties_minor_units),
        ];
        table.row(groups.chain(figures).collect::<Vec<_>>());
    }
    table.lines()
}

/// The same for a spreadsheet, with everything that is counted.
fn values(lines: &[ComplaintStatisticsLine], by: &[ComplaintGrouping]) -> String {
    let mut table = csv::Table::default();
    let figures = [
        "received",
        "accepted",
        "escalated",
        "raised",
        "answered",
        "agreed",
        "refused",
        "reviewed",
        "satisfied",
        "dissatisfied",
        "closed",
        "cancelled",
        "reopened",
        "mean_response_seconds",
        "mean_closing_seconds",
        "satisfied_percent",
        "granted_yuan",
        "penalties_yuan",
        "repeats",
        "surveyed",
        "score_sum",
    ];
    let groups = by.iter().map(|by| heading(*by).replace(' ', "_"));
    table.row(groups.chain(figures.map(str::to_owned)));
    for line in lines {
        let counts = line.counts.unwrap_or_default();
        let figures = [
            counts.received,
            counts.accepted,
            counts.escalated,
            counts.raised,
            counts.answered,
            counts.agreed,
            counts.refused,
            counts.reviewed,
            counts.satisfied,
            counts.dissatisfied,
            counts.closed,
            counts.cancelled,
            counts.reopened,
        ];
        let text = |number: Option<u64>| number.map_or_else(String::new, |it| it.to_string());
        let means = [
            text(mean(counts.response_seconds, counts.answered)),
            text(mean(counts.closing_seconds, counts.closed)),
            text(satisfied(&counts)),
            decimal(counts.granted_minor_units),
            decimal(counts.penalties_minor_units),
            counts.repeats.to_string(),
            counts.surveyed.to_string(),
            counts.score_sum.to_string(),
        ];
        let groups = line.group.iter().map(|value| value_of(value));
        table.row(groups.chain(figures.map(|number| number.to_string())).chain(means));
    }
    table.into_text()
}

/// A value of a group in a cell: `product_quality`, or the text of whoever is in charge as it is.
fn value_of(value: &str) -> String {
    let word = words::word(value);
    match word.as_str() {
        "-" if value != "-" => String::new(),
        _ if word == terminal::plain(value) => value.to_owned(),
        word => word.replace(' ', "_"),
    }
}

fn dash() -> String {
    "-".to_owned()
}

/// Rounded down to the second; none where there is nothing to divide by.
fn mean(sum: u64, number: u64) -> Option<u64> {
    sum.checked_div(number)
}

/// Of a hundred visits those after which the user was satisfied, rounded down.
fn satisfied(counts: &ComplaintCounts) -> Option<u64> {
    let visits = counts.satisfied.saturating_add(counts.dissatisfied);
    counts.satisfied.saturating_mul(100).checked_div(visits)
}

/// `27:05` in hours and minutes, from two days on `3.4 d`.
fn span(seconds: u64) -> String {
    if seconds < IN_HOURS {
        return format!("{:02}:{:02}", seconds / 3_600, seconds % 3_600 / 60);
    }
    let tenths = seconds / 8_640;
    format!("{}.{} d", tenths / 10, tenths % 10)
}

/// Fen as a number that a program reads: `1234.50`.
fn decimal(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let fen = fen.unsigned_abs();
    format!("{sign}{}.{:02}", fen / 100, fen % 100)
}

#[cfg(test)]
mod tests {
    use chassis::testing::csv_cells;

    use super::*;

    fn line(group: &[&str]) -> ComplaintStatisticsLine {
        ComplaintStatisticsLine {
            group: group.iter().map(|value| (*value).to_owned()).collect(),
            counts: Some(ComplaintCounts {
                received: 1_200,
                accepted: 11,
                escalated: 2,
                raised: 1,
                answered: 10,
                agreed: 9,
                refused: 1,
                satisfied: 2,
                dissatisfied: 1,
                closed: 3,
                repeats: 7,
                surveyed: 4,
                score_sum: 18,
                response_seconds: 975_050,
                closing_seconds: 900_000,
                granted_minor_units: 123_450,
                penalties_minor_units: 1_000,
                ..Default::default()
            }),
        }
    }

    #[test]
    fn a_line_tells_how_many_how_fast_and_how_satisfied() {
        let groups = [ComplaintGrouping::Platform, ComplaintGrouping::Cause];
        let lines = table(&[line(&["", "CAUSE_CLASS_SERVICE_PROCESS"])], &groups);
        assert_eq!(
            lines,
            [
                "  platform  cause            received  again  escalated  major  answered  response  agreed  refused  closed  closing  satisfied  granted CNY  penalties CNY",
                "  -         service process     1,200      7          2      1        10     27:05       9        1       3    3.4 d       66 %     1,234.50          10.00",
            ]
        );
        assert_eq!(table(&[], &groups), ["  nothing happened"]);
        let empty = ComplaintStatisticsLine { group: Vec::new(), counts: None };
        assert!(table(&[empty], &[])[1].contains("0         -       0"));
    }

    #[test]
    fn comma_separated_values_have_a_heading_and_no_formula() {
        let groups = [ComplaintGrouping::Handler, ComplaintGrouping::Cause];
        let text = values(&[line(&["=cmd|x", "CAUSE_CLASS_SERVICE_PROCESS"])], &groups);
        let lines: Vec<_> = text.split_terminator("\r\n").map(csv_cells).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0].len(), lines[1].len());
        assert_eq!(lines[0][..3], ["handler", "cause", "received"]);
        assert_eq!(lines[1][..3], ["'=cmd|x", "service_process", "1200"]);
        assert_eq!(lines[1][15..], ["97505", "300000", "66", "1234.50", "10.00", "7", "4", "18"]);
        let none = values(&[line(&["", "CAUSE_CLASS_UNSPECIFIED"])], &groups);
        assert!(none.split("\r\n").nth(1).unwrap().starts_with(",,1200,"), "{none}");
    }

    #[test]
    fn a_mean_time_is_told_in_hours_and_from_two_days_on_in_days() {
        let told: Vec<_> = [0, 59, 3_660, 172_799, 172_800, 8_640_000].map(span).into();
        assert_eq!(told, ["00:00", "00:00", "01:01", "47:59", "2.0 d", "100.0 d"]);
        assert_eq!(mean(5, 0), None);
    }

    #[test]
    fn a_day_is_written_in_one_way() {
        assert_eq!(day("2026-11-01"), Ok(Date::constant(2026, 11, 1)));
        for wrong in ["2026-11-1", "20261101", "yesterday", "2026-02-30", "2026-11-01T00:00"] {
            assert!(day(wrong).is_err(), "{wrong}");
        }
    }
}
