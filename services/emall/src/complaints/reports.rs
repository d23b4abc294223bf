//! `emall complaints feedback` and `calls`: what departments are told, as tables or as comma-separated
//! values.

use chassis::csv;
use clap::Args;
use contracts::complaints::{
    CallAnalysisLine, Department, GetCallAnalysisRequest, GetCallAnalysisResponse,
    GetQualityFeedbackRequest, QualityFeedbackLine,
};
use eventlog::Clock as _;
use jiff::{civil::Date, tz::TimeZone};

use super::{
    failed,
    learned::actions_table,
    statistics::day,
    words::{self, or_dash, word},
};
use crate::{
    access::Access,
    client::As,
    end::{End, Failure},
    table::{Align, Table, clip, grouped},
    terminal::{self, plain},
};

/// Columns of the root causes in a table.
const CAUSES: usize = 60;

/// Arguments of `emall complaints feedback`.
#[derive(Debug, Args)]
#[command(after_help = "\
Complaints by the month in which they came, in the supplier's time; one about several products counts once for
each. The comma-separated values leave out the actions: see `emall complaints actions --json`.")]
pub(super) struct Feedback {
    /// The month: `2026-11`
    month: String,
    /// Only for this department
    #[arg(long, value_name = "DEPARTMENT",
        value_parser = words::choice::<Department>("Department"))]
    department: Option<Department>,
    /// Print comma-separated values with a line of headings
    #[arg(long)]
    csv: bool,
}

pub(super) async fn feedback(args: Feedback, access: &Access) -> Result<End, Failure> {
    let client = access.connect().await?;
    let request = GetQualityFeedbackRequest {
        month: args.month.clone(),
        department: args.department.unwrap_or_default().into(),
        ..Default::default()
    };
    let answer = client
        .call(As::Operator, request, |mut services, request| async move {
            services.complaint_reports.get_quality_feedback(request).await
        })
        .await
        .map_err(failed("the table cannot be made; write a month such as 2026-11"))?;
    if args.csv {
        terminal::hand_over(&feedback_values(&answer.lines))?;
        return Ok(End::Well);
    }
    terminal::say(&format!("Quality feedback of {}", plain(&args.month)))?;
    say("", feedback_table(&answer.lines))?;
    let actions = actions_table(&answer.actions, access.clock().now(), &TimeZone::system());
    say("What is done about it", actions)?;
    Ok(End::Well)
}

/// A table under its title, after an empty line.
fn say(title: &str, table: Table) -> Result<(), Failure> {
    terminal::say("")?;
    if !title.is_empty() {
        terminal::say(title)?;
        terminal::say("")?;
    }
    if table.is_empty() {
        return Ok(terminal::say("  nothing")?);
    }
    for line in table.lines() {
        terminal::say(&line)?;
    }
    Ok(())
}

fn feedback_table(lines: &[QualityFeedbackLine]) -> Table {
    let mut table = Table::new(&[
        ("department", Align::Left),
        ("cause", Align::Left),
        ("topic", Align::Left),
        ("product", Align::Left),
        ("complaints", Align::Right),
        ("major", Align::Right),
        ("closed", Align::Right),
        ("root causes", Align::Left),
    ]);
    for line in lines {
        table.row([
            word(line.department().as_str_name()),
            word(line.cause().as_str_name()),
            or_dash(&line.topic),
            or_dash(&line.sku),
            grouped(line.complaints),
            grouped(line.major),
            grouped(line.closed),
            clip(&plain(&line.root_causes.join("; ")), CAUSES),
        ]);
    }
    table
}

fn feedback_values(lines: &[QualityFeedbackLine]) -> String {
    let mut table = csv::Table::default();
    table.row([
        "department",
        "cause",
        "topic",
        "product",
        "complaints",
        "major",
        "closed",
        "root_causes",
    ]);
    let choice = |name: &str| match word(name).as_str() {
        "-" => String::new(),
        word => word.replace(' ', "_"),
    };
    for line in lines {
        table.row([
            choice(line.department().as_str_name()),
            choice(line.cause().as_str_name()),
            line.topic.clone(),
            line.sku.clone(),
            line.complaints.to_string(),
            line.major.to_string(),
            line.closed.to_string(),
            line.root_causes.join("; "),
        ]);
    }
    table.into_text()
}

/// Arguments of `emall complaints calls`.
#[derive(Debug, Args)]
#[command(
    after_help = "Complaints and questions that came by telephone or hotline. Days are those of the supplier, both included."
)]
pub(super) struct Calls {
    /// First day: `2026-11-01`
    #[arg(long, value_name = "DAY", value_parser = day)]
    from: Date,
    /// Last day; `--to` is where the gateway is
    #[arg(long, value_name = "DAY", value_parser = day)]
    until: Date,
    /// Print comma-separated values with a line of headings
    #[arg(long)]
    csv: bool,
}

pub(super) async fn calls(args: Calls, access: &Access) -> Result<End, Failure> {
    let client = access.connect().await?;
    let request = GetCallAnalysisRequest {
        from: args.from.to_string(),
        to: args.until.to_string(),
        ..Default::default()
    };
    let answer = client
        .call(As::Operator, request, |mut services, request| async move {
            services.complaint_reports.get_call_analysis(request).await
        })
        .await
        .map_err(failed(
            "the calls cannot be analysed; exchange --from and --until, or ask for fewer days",
        ))?;
    if args.csv {
        terminal::hand_over(&calls_values(&answer))?;
        return Ok(End::Well);
    }
    terminal::say(&format!(
        "Calls of {} to {}: {}, {} recorded, {} closed",
        args.from,
        args.until,
        grouped(answer.calls),
        grouped(answer.recorded),
        grouped(answer.closed)
    ))?;
    for (name, lines) in parts(&answer) {
        say("", calls_table(name, lines))?;
    }
    let actions = actions_table(&answer.actions, access.clock().now(), &TimeZone::system());
    say("What came of them", actions)?;
    Ok(End::Well)
}

fn parts(answer: &GetCallAnalysisResponse) -> [(&'static str, &[CallAnalysisLine]); 4] {
    [
        ("kind", &answer.by_kind),
        ("topic", &answer.by_topic),
        ("hour", &answer.by_hour),
        ("region", &answer.by_region),
    ]
}

fn calls_table(name: &str, lines: &[CallAnalysisLine]) -> Table {
    let mut table = Table::new(&[(name, Align::Left), ("calls", Align::Right)]);
    for line in lines {
        table.row([or_dash(&line.value), grouped(line.calls)]);
    }
    table
}

fn calls_values(answer: &GetCallAnalysisResponse) -> String {
    let mut table = csv::Table::default();
    table.row(["by", "value", "calls"]);
    for (name, lines) in parts(answer) {
        for line in lines {
            table.row([name.to_owned(), line.value.clone(), line.calls.to_string()]);
        }
    }
    table.into_text()
}

#[cfg(test)]
mod tests {
    use chassis::testing::csv_cells;
    use contracts::complaints::CauseClass;

    use super::*;

    fn line() -> QualityFeedbackLine {
        QualityFeedbackLine {
            department: Department::Quality.into(),
            cause: CauseClass::ProductQuality.into(),
            topic: "damaged".to_owned(),
            sku: "A".to_owned(),
            complaints: 1_200,
            major: 3,
            closed: 7,
            root_causes: vec!["=thin boxes".to_owned(), "no padding".to_owned()],
            ..Default::default()
        }
    }

    #[test]
    fn a_line_of_the_table_tells_who_what_how_often_and_why() {
        let unknown = QualityFeedbackLine { complaints: 1, ..Default::default() };
        let lines = feedback_table(&[unknown, line()]).lines();
        assert!(lines[1].trim_start().starts_with("-           -"), "{}", lines[1]);
        let told = "quality     product quality  damaged  A             1,200      3       7  =thin boxes; no padding";
        assert_eq!(lines[2].trim_start(), told);
    }

    #[test]
    fn comma_separated_values_have_a_heading_and_no_formula() {
        let text = feedback_values(&[line()]);
        let lines: Vec<_> = text.split_terminator("\r\n").map(csv_cells).collect();
        assert_eq!(lines[0].len(), lines[1].len());
        assert_eq!(lines[1][..5], ["quality", "product_quality", "damaged", "A", "1200"]);
        assert_eq!(lines[1][7], "'=thin boxes; no padding");
        let answer = GetCallAnalysisResponse {
            by_kind: vec![CallAnalysisLine { value: "ENQUIRY".to_owned(), calls: 4 }],
            by_hour: vec![CallAnalysisLine { value: "09".to_owned(), calls: 4 }],
            ..Default::default()
        };
        assert_eq!(calls_values(&answer), "by,value,calls\r\nkind,ENQUIRY,4\r\nhour,09,4\r\n");
    }
}
