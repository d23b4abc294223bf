//! `emall complaints actions`, `patterns`, `standards`: what is learned from complaints.

use clap::Args;
use contracts::complaints::{
    CauseClass, CorrectiveAction, Department, ListCorrectiveActionsRequest, ListPatternsRequest,
    ListStandardSolutionsRequest, Pattern, PatternDimension, StandardSolution,
};
use eventlog::Clock as _;
use jiff::{Timestamp, tz::TimeZone};

use super::{
    failed, json_line,
    words::{self, or_dash, word},
};
use crate::{
    access::Access,
    client::As,
    end::{End, Failure},
    table::{Align, Table, clip, grouped},
    terminal::{self, plain},
    times::moment,
    times::near,
};

/// Columns of a text in a table.
const TEXT: usize = 60;

/// How many are listed, and how.
#[derive(Debug, Args)]
struct Form {
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
    /// Print one in protobuf JSON a line
    #[arg(long)]
    json: bool,
}

impl Form {
    fn print<M: prost::Message>(
        &self,
        name: &str,
        found: &[M],
        more: &str,
        table: Table,
    ) -> Result<End, Failure> {
        if self.json {
            for one in found {
                terminal::say(&json_line(name, one))?;
            }
            return Ok(End::Well);
        }
        if table.is_empty() {
            terminal::say("  none")?;
        } else {
            for line in table.lines() {
                terminal::say(&line)?;
            }
        }
        if !more.is_empty() {
            terminal::say(&format!(
                "  and more: --limit {}",
                self.limit.saturating_mul(10).min(500)
            ))?;
        }
        Ok(End::Well)
    }
}

/// Arguments of `emall complaints actions`.
#[derive(Debug, Args)]
pub(super) struct Actions {
    /// Those too that have ended
    #[arg(long)]
    all: bool,
    /// Only of this department
    #[arg(long, value_name = "DEPARTMENT", conflicts_with = "owner",
        value_parser = words::choice::<Department>("Department"))]
    department: Option<Department>,
    /// Only of whoever sees to them
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    #[command(flatten)]
    form: Form,
}

pub(super) async fn actions(args: Actions, access: &Access) -> Result<End, Failure> {
    let client = access.connect().await?;
    let request = ListCorrectiveActionsRequest {
        open_only: !args.all,
        department: args.department.unwrap_or_default().into(),
        owner: args.owner.unwrap_or_default(),
        page_size: args.form.limit,
        ..Default::default()
    };
    let answer = client
        .call(As::Operator, request, |mut services, request| async move {
            services.improvements.list_corrective_actions(request).await
        })
        .await
        .map_err(failed("the actions cannot be listed; see `emall status`"))?;
    let table = actions_table(&answer.actions, access.clock().now(), &TimeZone::system());
    args.form.print("CorrectiveAction", &answer.actions, &answer.next_page_token, table)
}

/// Actions as rows: the due date first, which a narrow screen must not cut.
pub(super) fn actions_table(
    actions: &[CorrectiveAction],
    now: Timestamp,
    zone: &TimeZone,
) -> Table {
    let columns = ["due", "state", "owner", "department", "about", "action"];
    let mut table = Table::new(&columns.map(|name| (name, Align::Left)));
    for action in actions {
        let due = moment(action.due_by.as_ref());
        let about = if action.measure.is_empty() { &action.subject } else { &action.measure };
        table.row([
            due.map_or_else(|| "-".to_owned(), |at| near(at, now, zone)),
            word(action.phase().as_str_name()),
            or_dash(&action.owner),
            word(action.department().as_str_name()),
            clip(&plain(about), TEXT),
            plain(&action.action_id),
        ]);
    }
    table
}

/// Arguments of `emall complaints patterns`.
#[derive(Debug, Args)]
pub(super) struct Patterns {
    /// Only of this property: `cause`, `sku`, `batch`, `carrier`, `region`
    #[arg(long, value_name = "PROPERTY",
        value_parser = words::choice::<PatternDimension>("PatternDimension"))]
    of: Option<PatternDimension>,
    #[command(flatten)]
    form: Form,
}

pub(super) async fn patterns(args: Patterns, access: &Access) -> Result<End, Failure> {
    let client = access.connect().await?;
    let request = ListPatternsRequest {
        dimension: args.of.unwrap_or_default().into(),
        page_size: args.form.limit,
        ..Default::default()
    };
    let answer = client
        .call(As::Operator, request, |mut services, request| async move {
            services.improvements.list_patterns(request).await
        })
        .await
        .map_err(failed("the patterns cannot be listed; see `emall status`"))?;
    let table = patterns_table(&answer.patterns, access.clock().now(), &TimeZone::system());
    args.form.print("Pattern", &answer.patterns, &answer.next_page_token, table)
}

fn patterns_table(patterns: &[Pattern], now: Timestamp, zone: &TimeZone) -> Table {
    let mut table = Table::new(&[
        ("property", Align::Left),
        ("value", Align::Left),
        ("complaints", Align::Right),
        ("first", Align::Left),
        ("last", Align::Left),
        ("action", Align::Left),
    ]);
    let at = |at| moment(at).map_or_else(|| "-".to_owned(), |at| near(at, now, zone));
    for pattern in patterns {
        table.row([
            word(pattern.dimension().as_str_name()),
            clip(&plain(&pattern.value), TEXT),
            grouped(pattern.complaints),
            at(pattern.first_at.as_ref()),
            at(pattern.last_at.as_ref()),
            plain(&pattern.action_id),
        ]);
    }
    table
}

/// Arguments of `emall complaints standards`.
#[derive(Debug, Args)]
pub(super) struct Standards {
    /// Only for complaints about this
    #[arg(long, value_name = "CAUSE", value_parser = words::choice::<CauseClass>("CauseClass"))]
    cause: Option<CauseClass>,
    /// Only for complaints about exactly this, or for all of the cause
    #[arg(long, value_name = "TOPIC", requires = "cause")]
    topic: Option<String>,
    /// Those too that are standard no longer
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    form: Form,
}

pub(super) async fn standards(args: Standards, access: &Access) -> Result<End, Failure> {
    let client = access.connect().await?;
    let request = ListStandardSolutionsRequest {
        cause: args.cause.unwrap_or_default().into(),
        topic: args.topic.unwrap_or_default(),
        with_retired: args.all,
        page_size: args.form.limit,
        ..Default::default()
    };
    let answer = client
        .call(As::Operator, request, |mut services, request| async move {
            services.improvements.list_standard_solutions(request).await
        })
        .await
        .map_err(failed(
            "the standard solutions cannot be listed; correct --topic, or see `emall status`",
        ))?;
    let table = standards_table(&answer.standard_solutions);
    args.form.print("StandardSolution", &answer.standard_solutions, &answer.next_page_token, table)
}

fn standards_table(standards: &[StandardSolution]) -> Table {
    let columns = ["cause", "topic", "does", "in words", "solution"];
    let mut table = Table::new(&columns.map(|name| (name, Align::Left)));
    for standard in standards {
        let does: Vec<_> = standard.measures().map(|kind| word(kind.as_str_name())).collect();
        table.row([
            word(standard.cause().as_str_name()),
            or_dash(&standard.topic),
            does.join(", "),
            clip(&plain(&standard.text), TEXT),
            plain(&standard.standard_solution_id),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use contracts::complaints::{ActionPhase, MeasureKind};
    use eventlog::time::to_proto;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn an_action_is_told_by_its_day_and_by_who_sees_to_it() {
        let planned = CorrectiveAction {
            action_id: "a-1".to_owned(),
            phase: ActionPhase::Planned.into(),
            owner: "钱\u{202e}".to_owned(),
            department: Department::Quality.into(),
            subject: "broken".to_owned(),
            measure: "pad the boxes".to_owned(),
            due_by: Some(to_proto(at("2026-03-05T10:00:00Z"))),
            ..Default::default()
        };
        let open = CorrectiveAction {
            action_id: "a-2".to_owned(),
            phase: ActionPhase::Open.into(),
            subject: "frequent complaints: batch B-7".to_owned(),
            ..Default::default()
        };
        let lines =
            actions_table(&[open, planned], at("2026-03-01T00:00:00Z"), &TimeZone::UTC).lines();
        assert!(lines[1].starts_with("  -  ") && lines[1].contains("batch B-7"), "{}", lines[1]);
        assert!(lines[2].contains("03-05 10:00  planned  钱"), "{}", lines[2]);
        assert!(lines[2].contains("quality     pad the boxes"), "{}", lines[2]);
        assert!(!lines[2].contains('\u{202e}'));
    }

    #[test]
    fn a_pattern_is_told_by_what_its_complaints_have_in_common() {
        let pattern = Pattern {
            dimension: PatternDimension::Batch.into(),
            value: "B-7".to_owned(),
            complaints: 1_200,
            last_at: Some(to_proto(at("2026-03-05T10:00:00Z"))),
            ..Default::default()
        };
        let lines = patterns_table(&[pattern], at("2026-03-06T00:00:00Z"), &TimeZone::UTC).lines();
        assert!(lines[1].contains("batch     B-7"), "{}", lines[1]);
        assert!(lines[1].contains("1,200  -      03-05 10:00"), "{}", lines[1]);
    }

    #[test]
    fn a_standard_solution_is_told_by_what_it_is_for_and_does() {
        let standard = StandardSolution {
            cause: CauseClass::ServiceProcess.into(),
            topic: "late-delivery".to_owned(),
            measures: vec![MeasureKind::Compensation.into(), MeasureKind::Apology.into()],
            text: "sorry".to_owned(),
            ..Default::default()
        };
        let lines = standards_table(&[standard]).lines();
        assert!(lines[1].contains("service process  late-delivery  compensation, apology  sorry"));
    }
}
