//! `emall complaints show`: the record of one complaint, complete and ready to be printed.

use clap::Args;
use contracts::{
    common::Contact,
    complaints::{
        Complaint, ComplaintHistoryEntry, ComplaintItem, Department, GetComplaintHistoryRequest,
        GetComplaintHistoryResponse, Measure, Solution,
    },
};
use jiff::tz::TimeZone;

use super::{json_line, record::told, words};
use crate::{
    access::Access,
    client::{As, CallError},
    end::{End, Failure},
    table::{Align, Table, columns, wrapped},
    terminal::{self, Paint, Screen, plain},
    times,
    times::moment,
};

/// Columns of a printed record where no screen says how many it has.
const PAPER: usize = 100;
/// Columns that what is told never gets less than.
const NARROWEST: usize = 24;

/// Arguments of `emall complaints show`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 shown; 2 it could not be read; 64 wrong usage, or there is no such complaint.")]
pub(super) struct Show {
    /// Id of the complaint
    complaint_id: String,
    /// Print it in protobuf JSON, on one line
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Show, access: &Access) -> Result<End, Failure> {
    let client = access.connect().await?;
    let id = args.complaint_id;
    let request = GetComplaintHistoryRequest { complaint_id: id.clone(), ..Default::default() };
    let answer = client
        .call(As::Operator, request, |mut services, request| async move {
            services.complaints.get_complaint_history(request).await
        })
        .await;
    let history = match answer {
        Ok(history) => history,
        Err(CallError::Refused(_)) => {
            return Err(Failure::usage(format!(
                "there is no complaint {}; `emall complaints --all` shows those there are",
                plain(&id)
            )));
        }
        Err(error) => return Err(Failure::because("the complaint cannot be read", error)),
    };
    if args.json {
        terminal::say(&json_line("GetComplaintHistoryResponse", &history))?;
        return Ok(End::Well);
    }
    let width = Screen::stdout().map_or(PAPER, |screen| screen.size().0);
    for line in lines(&history, &TimeZone::system(), width, Paint::stdout()) {
        terminal::say(&line)?;
    }
    Ok(End::Well)
}

fn lines(
    history: &GetComplaintHistoryResponse,
    zone: &TimeZone,
    width: usize,
    paint: Paint,
) -> Vec<String> {
    let complaint = history.complaint.clone().unwrap_or_default();
    let mut lines = vec![paint.bold(&format!("Complaint {}", plain(&complaint.complaint_id)))];
    lines.extend(labelled(&head(&complaint, zone), width));
    lines.push(String::new());
    lines.push("What the user complains of:".to_owned());
    for item in &complaint.items {
        lines.extend(labelled(&parts_of(item), width));
    }
    if let Some(solution) = &complaint.solution {
        lines.push(String::new());
        lines.push(format!("Solution {}:", plain(&solution.solution_id)));
        lines.extend(labelled(&parts(solution, &complaint), width));
        lines.extend(measures(&solution.measures, width));
    }
    lines.push(String::new());
    lines.push("What happened:".to_owned());
    lines.extend(events(&history.entries, zone, width));
    lines
}

type Labelled = Vec<(String, String)>;

/// Who complains of what, how serious it is, where it stands, who has it and until when.
fn head(complaint: &Complaint, zone: &TimeZone) -> Labelled {
    let at = |at: Option<&prost_types::Timestamp>| {
        moment(at).map_or_else(String::new, |at| times::minute(at, zone))
    };
    let reasons: Vec<_> =
        complaint.major_reasons().map(|reason| words::word(reason.as_str_name())).collect();
    let mut level = words::word(complaint.level().as_str_name());
    if !reasons.is_empty() {
        level = format!("{level}: {}", reasons.join(", "));
    }
    let handler = match complaint.handler.as_str() {
        "" => String::new(),
        handler => format!("{}, post {}", plain(handler), complaint.tier),
    };
    let word = |name: &str| Some(words::word(name)).filter(|word| word != "-").unwrap_or_default();
    let times = |number: u32| if number == 0 { String::new() } else { number.to_string() };
    let mut phase = words::word(complaint.phase().as_str_name());
    phase.extend(Some(", escalated").filter(|_| complaint.escalated));
    let visits = match complaint.visits {
        0 => String::new(),
        visits => {
            let mood = if complaint.satisfied { "satisfied" } else { "not satisfied" };
            format!("{visits}, {mood} at the last")
        }
    };
    let facts = [
        ("platform", plain(&complaint.platform)),
        ("contract", plain(&complaint.contract_id)),
        ("order", plain(&complaint.order_id)),
        ("buying unit", plain(&complaint.buyer_id)),
        ("case", plain(&complaint.case_id)),
        ("who", who(complaint.complainant.as_ref())),
        ("region", plain(&complaint.region)),
        ("kind", word(complaint.kind().as_str_name())),
        ("channel", word(complaint.channel().as_str_name())),
        ("cause", word(complaint.cause().as_str_name())),
        ("topic", plain(&complaint.topic)),
        ("again after", plain(&complaint.repeat_of)),
        ("level", level),
        ("phase", phase),
        ("handler", handler),
        ("first to answer", plain(&complaint.first_responsible)),
        ("received", at(complaint.received_at.as_ref())),
        ("confirmed", if complaint.confirmed { "by the user".to_owned() } else { String::new() }),
        ("to be solved by", at(complaint.close_by.as_ref())),
        ("agreed", at(complaint.agreed_at.as_ref())),
        ("ended", at(complaint.ended_at.as_ref())),
        ("claimed", words::money(complaint.claimed.as_ref())),
        ("granted", words::money(complaint.granted.as_ref())),
        ("expected", plain(&complaint.expectation)),
        ("visits", visits),
        ("root cause", plain(&complaint.root_cause)),
        ("lies with", known(complaint.department())),
        ("informed", complaint.informed().map(known).collect::<Vec<_>>().join(", ")),
        ("as standard", plain(&complaint.standard_solution_id)),
        ("penalties", words::money(complaint.penalties.as_ref())),
        ("opened again", times(complaint.reopenings)),
        ("recording", plain(&complaint.recording_sha256)),
        ("archived", archived(complaint)),
    ];
    facts.into_iter().map(|(label, value)| (label.to_owned(), value)).collect()
}

/// A department, if one is known.
fn known(department: Department) -> String {
    match department {
        Department::Unspecified => String::new(),
        Department::Marketing
        | Department::Production
        | Department::Quality
        | Department::Purchasing
        | Department::Technology => words::word(department.as_str_name()),
    }
}

/// Where the recordings of its calls lie.
fn archived(complaint: &Complaint) -> String {
    let places = complaint.recordings.iter().map(|it| match it.reference.as_str() {
        "" => plain(&it.sha256),
        reference => plain(reference),
    });
    places.collect::<Vec<_>>().join(", ")
}

/// Who complains, as far as the caller may see it.
fn who(contact: Option<&Contact>) -> String {
    match contact {
        None => String::new(),
        Some(contact) if contact.erased => "(erased)".to_owned(),
        Some(contact) => {
            let parts = [&contact.name, &contact.phone, &contact.email, &contact.address];
            let parts = parts.into_iter().filter(|part| !part.is_empty());
            parts.map(|part| plain(part)).collect::<Vec<_>>().join(", ")
        }
    }
}

fn parts_of(item: &ComplaintItem) -> Labelled {
    let about = [("SKU", &item.sku), ("batch", &item.batch), ("carrier", &item.carrier)];
    let about: Vec<_> = about
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name} {}", plain(value)))
        .collect();
    let mut text = plain(&item.text);
    if !about.is_empty() {
        text = format!("{text} ({})", about.join(", "));
    }
    let answer = if item.answer.is_empty() { "(none yet)".to_owned() } else { plain(&item.answer) };
    vec![(item.number.to_string(), text), ("answer".to_owned(), answer)]
}

fn parts(solution: &Solution, complaint: &Complaint) -> Labelled {
    let parts = [
        ("what", plain(&solution.text)),
        ("feasible", plain(&solution.feasibility)),
        ("fair", plain(&solution.fairness)),
        ("costs us", words::money(solution.cost.as_ref())),
        ("for the user", words::money(complaint.granted.as_ref())),
    ];
    parts.into_iter().map(|(label, value)| (label.to_owned(), value)).collect()
}

fn measures(measures: &[Measure], width: usize) -> Vec<String> {
    let mut table = Table::new(&[
        ("measure", Align::Left),
        ("SKU", Align::Left),
        ("units", Align::Right),
        ("CNY", Align::Right),
    ]);
    for one in measures {
        table.row([
            words::word(one.kind().as_str_name()),
            words::or_dash(&one.sku),
            if one.quantity == 0 { "-".to_owned() } else { one.quantity.to_string() },
            Some(words::sum(one.amount.as_ref()))
                .filter(|sum| !sum.is_empty())
                .unwrap_or("-".into()),
        ]);
    }
    let mut lines = table.lines().into_iter();
    let mut told: Vec<_> = lines.next().into_iter().collect();
    for (line, one) in lines.zip(measures) {
        told.push(line);
        let words = wrapped(&plain(&one.description), width.saturating_sub(6).max(NARROWEST));
        told.extend(words.into_iter().map(|line| format!("      {line}")));
    }
    told
}

/// Each event with its time, who did it, and what it says.
fn events(entries: &[ComplaintHistoryEntry], zone: &TimeZone, width: usize) -> Vec<String> {
    let events: Labelled = entries
        .iter()
        .map(|entry| {
            let at = moment(entry.recorded_at.as_ref());
            let at = at.map_or_else(|| "-".to_owned(), |at| times::minute(at, zone));
            (format!("{at}  {}", words::or_dash(&entry.actor)), told(entry, zone))
        })
        .collect();
    labelled(&events, width)
}

/// Labels and what they stand for, side by side; long texts go on under themselves. What is empty is left
/// out.
fn labelled(facts: &[(String, String)], width: usize) -> Vec<String> {
    let facts = facts.iter().filter(|(_, value)| !value.trim().is_empty());
    let wide = facts.clone().map(|(label, _)| columns(label)).max().unwrap_or(0);
    let room = width.saturating_sub(wide + 4).max(NARROWEST);
    let mut lines = Vec::new();
    for (label, value) in facts {
        for (index, line) in wrapped(value, room).into_iter().enumerate() {
            let label = if index == 0 { label.as_str() } else { "" };
            let gap = " ".repeat(wide - columns(label));
            lines.push(format!("  {label}{gap}  {line}"));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use contracts::{
        common::Money,
        complaints::{
            CauseClass, ComplaintLevel, ComplaintPhase, ItemAnswered, MajorReason, MeasureKind,
        },
    };
    use prost::Message as _;

    use super::*;

    fn money(minor_units: i64) -> Option<Money> {
        Some(Money { minor_units, currency: "CNY".to_owned() })
    }

    fn at(seconds: i64) -> Option<prost_types::Timestamp> {
        Some(prost_types::Timestamp { seconds, nanos: 0 })
    }

    fn complaint() -> Complaint {
        Complaint {
            complaint_id: "c-1".to_owned(),
            platform: "mall".to_owned(),
            cause: CauseClass::ServiceProcess.into(),
            complainant: Some(Contact {
                name: "张三".to_owned(),
                phone: "000-0000-0001".to_owned(),
                ..Default::default()
            }),
            items: vec![
                ComplaintItem {
                    number: 1,
                    text: "two days late".to_owned(),
                    sku: "85123A".to_owned(),
                    carrier: "远帆物流".to_owned(),
                    answer: "paid for".to_owned(),
                    ..Default::default()
                },
                ComplaintItem { number: 2, text: "nobody called".to_owned(), ..Default::default() },
            ],
            phase: ComplaintPhase::Executing.into(),
            level: ComplaintLevel::Major.into(),
            major_reasons: vec![MajorReason::Overdue.into()],
            escalated: true,
            tier: 1,
            handler: "manager".to_owned(),
            close_by: at(7_200),
            received_at: at(0),
            granted: money(60_000),
            solution: Some(Solution {
                solution_id: "s-2".to_owned(),
                text: "a compensation".to_owned(),
                feasibility: "within the mandate".to_owned(),
                fairness: "what the delay has cost".to_owned(),
                cost: money(1_500),
                measures: vec![Measure {
                    kind: MeasureKind::Compensation.into(),
                    amount: money(60_000),
                    description: "paid at once".to_owned(),
                    ..Default::default()
                }],
            }),
            ..Default::default()
        }
    }

    fn show(complaint: Complaint, width: usize) -> Vec<String> {
        let answered =
            ItemAnswered { number: 1, answer: "paid for".to_owned(), ..Default::default() };
        let name = "emall.complaints.v1.ItemAnswered";
        let json = contracts::json(name, &answered.encode_to_vec()).unwrap().to_string();
        let entry = ComplaintHistoryEntry {
            position: 7,
            r#type: name.to_owned(),
            json,
            actor: "operations".to_owned(),
            recorded_at: at(3_600),
        };
        let history =
            GetComplaintHistoryResponse { complaint: Some(complaint), entries: vec![entry] };
        lines(&history, &TimeZone::UTC, width, Paint::none())
    }

    #[test]
    fn a_record_tells_head_items_solution_and_what_happened() {
        assert_eq!(
            show(complaint(), 100),
            [
                "Complaint c-1",
                "  platform         mall",
                "  who              张三, 000-0000-0001",
                "  cause            service process",
                "  level            major: overdue",
                "  phase            executing, escalated",
                "  handler          manager, post 1",
                "  received         1970-01-01 00:00",
                "  to be solved by  1970-01-01 02:00",
                "  granted          600.00 CNY",
                "",
                "What the user complains of:",
                "  1       two days late (SKU 85123A, carrier 远帆物流)",
                "  answer  paid for",
                "  2       nobody called",
                "  answer  (none yet)",
                "",
                "Solution s-2:",
                "  what          a compensation",
                "  feasible      within the mandate",
                "  fair          what the delay has cost",
                "  costs us      15.00 CNY",
                "  for the user  600.00 CNY",
                "  measure       SKU  units     CNY",
                "  compensation  -        -  600.00",
                "      paid at once",
                "",
                "What happened:",
                "  1970-01-01 01:00  operations  item 1 answered: paid for",
            ]
        );
    }

    #[test]
    fn a_long_text_goes_on_under_itself_and_nothing_of_it_is_lost() {
        let long = "the parcel stood in a depot for two days and nobody could say where it was";
        let mut complaint = complaint();
        long.clone_into(&mut complaint.items[0].text);
        let lines = show(complaint, 50);
        assert!(lines.iter().all(|line| columns(line) <= 60), "{lines:#?}");
        let told = lines.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(told.contains(long), "{told}");
    }

    #[test]
    fn what_comes_from_outside_does_not_steer_the_terminal() {
        let mut complaint = complaint();
        complaint.items[0].answer = "\u{1b}]0;title\u{7}done\r\nWhat happened:".to_owned();
        complaint.handler = "\u{202e}rezol".to_owned();
        let lines = show(complaint, 100);
        assert!(!lines.iter().any(|line| line.contains(['\u{1b}', '\u{7}', '\n', '\u{202e}'])));
        let heading = lines.iter().filter(|line| line.as_str() == "What happened:").count();
        assert_eq!(heading, 1, "{lines:#?}");
    }

    #[test]
    fn a_person_who_was_erased_is_told_as_such() {
        assert_eq!(who(Some(&Contact { erased: true, ..Default::default() })), "(erased)");
        assert_eq!(who(None), "");
    }
}
