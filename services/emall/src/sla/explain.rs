//! `emall sla explain`: why clocks are due when they are, in sentences, and everything that counted.

use clap::Args;
use contracts::{
    ordering::GetOrderRequest,
    sla::{
        Clock, ExplainClockRequest, ExplainClockResponse, Explanation, ListCalendarsRequest,
        ListClocksRequest, Segment,
    },
};
use jiff::{SignedDuration, tz::TimeZone};
use sla_monitor::ledger::word;

use super::{clocks::list, failed, json_line, words};
use crate::{
    access::Access,
    client::{As, CallError, Client},
    end::{End, Failure},
    table::{Align, Table},
    terminal::{self, Paint},
    times::moment,
};

/// Arguments of `emall sla explain`.
#[derive(Debug, Args)]
#[command(after_help = "\
Times are those of the clock's calendar, whose zone is told. Exit codes: 0 explained; 2 it could not be found out; 64 wrong
usage, or there is no such clock.")]
pub(super) struct Explain {
    /// Id of a clock, or a case: a value such as our order id, or with --platform the platform's order
    /// number; a case may have several clocks
    what: String,
    /// Of a case, only the clock of this name: `deliver`
    #[arg(long, value_name = "NAME")]
    clock: Option<String>,
    /// The platform whose order number it is
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,
    /// Print each explanation in protobuf JSON, one a line
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Explain, access: &Access) -> Result<End, Failure> {
    let client = access.connect().await?;
    let explained = args.explained(&client).await?;
    let zones = if args.json { Vec::new() } else { zones(&client).await? };
    let paint = Paint::stdout();
    for (index, one) in explained.iter().enumerate() {
        if args.json {
            terminal::say(&json_line("ExplainClockResponse", one))?;
            continue;
        }
        let calendar = one.clock.as_ref().map_or("", |clock| &clock.calendar);
        let zone = zones.iter().find(|(name, _)| name == calendar);
        let zone = zone.map_or_else(TimeZone::system, |(_, zone)| zone.clone());
        if index > 0 {
            terminal::say("")?;
        }
        for line in lines(one, &zone, paint) {
            terminal::say(&line)?;
        }
    }
    Ok(End::Well)
}

impl Explain {
    /// The clock of this id, else those of the case.
    async fn explained(&self, client: &Client) -> Result<Vec<ExplainClockResponse>, Failure> {
        match explain(client, &self.what).await {
            Ok(one) => return Ok(vec![one]),
            // It is a case, then.
            Err(CallError::Refused(_)) => {}
            Err(error) => return Err(failed("the clock cannot be explained")(error)),
        }
        let mut clocks = case(client, &self.what).await?;
        if clocks.is_empty()
            && let Some(platform) = &self.platform
            && let Some(order_id) = order(client, platform, &self.what).await?
        {
            clocks = case(client, &order_id).await?;
        }
        let wanted = |clock: &Clock| self.clock.as_ref().is_none_or(|name| *name == clock.clock);
        let mut explained = Vec::new();
        for clock in clocks.iter().filter(|clock| wanted(clock)) {
            let one = explain(client, &clock.clock_id).await;
            explained.push(one.map_err(failed("the clock cannot be explained"))?);
        }
        if explained.is_empty() {
            let what = &self.what;
            return Err(Failure::usage(match &self.clock {
                Some(name) if !clocks.is_empty() => {
                    let mut names: Vec<_> = clocks.iter().map(|one| one.clock.as_str()).collect();
                    names.dedup();
                    format!("{what} has no clock {name}; it has {}", names.join(", "))
                }
                Some(_) | None => format!(
                    "there is no clock and no case {what}; `emall sla` shows the cases, --platform makes \
                     it an order number of a platform"
                ),
            }));
        }
        Ok(explained)
    }
}

async fn explain(client: &Client, clock_id: &str) -> Result<ExplainClockResponse, CallError> {
    let request = ExplainClockRequest { clock_id: clock_id.to_owned() };
    client
        .call(As::Operator, request, |mut services, request| async move {
            services.clocks.explain_clock(request).await
        })
        .await
}

async fn case(client: &Client, value: &str) -> Result<Vec<Clock>, Failure> {
    let mut request = ListClocksRequest { subject: value.to_owned(), ..Default::default() };
    let mut clocks = Vec::new();
    loop {
        let page = list(client, request.clone()).await;
        let page =
            page.map_err(failed("the clocks of the case cannot be listed; check the value"))?;
        clocks.extend(page.0);
        request.page_token = page.1;
        if request.page_token.is_empty() {
            return Ok(clocks);
        }
    }
}

/// Our id of the order with a number of the platform's.
async fn order(client: &Client, platform: &str, number: &str) -> Result<Option<String>, Failure> {
    let request = GetOrderRequest {
        platform: platform.to_owned(),
        platform_order_no: number.to_owned(),
        ..GetOrderRequest::default()
    };
    let found = client
        .call(As::Operator, request, |mut services, request| async move {
            services.orders.get_order(request).await
        })
        .await;
    match found {
        Ok(answer) => Ok(answer.order.map(|order| order.order_id)),
        Err(CallError::Refused(_)) => Ok(None),
        Err(error) => Err(failed("the order cannot be looked up; try again")(error)),
    }
}

/// Time zones by calendar: its times are told in its own.
async fn zones(client: &Client) -> Result<Vec<(String, TimeZone)>, Failure> {
    let answer = client
        .call(As::Operator, ListCalendarsRequest {}, |mut services, request| async move {
            services.policies.list_calendars(request).await
        })
        .await
        .map_err(failed("the calendars cannot be read; try again"))?;
    let calendars = answer.calendars.into_iter().filter_map(|record| record.calendar);
    Ok(calendars
        .filter_map(|calendar| {
            let zone = TimeZone::get(&calendar.zone).ok()?;
            Some((calendar.name, zone))
        })
        .collect())
}

fn lines(told: &ExplainClockResponse, zone: &TimeZone, paint: Paint) -> Vec<String> {
    let clock = told.clock.clone().unwrap_or_default();
    let mut lines = vec![paint.bold(&format!("{}/{}", clock.profile, clock.clock))];
    let facts = [
        ("clock", clock.clock_id.clone()),
        ("case", words::case(&clock)),
        ("platform", clock.platform.clone()),
        ("contract", clock.contract_id.clone()),
        ("state", words::state(&clock).to_owned()),
        ("breach", words::breach(&clock).to_owned()),
        ("times", zone.iana_name().map_or_else(String::new, |zone| format!("of {zone}"))),
    ];
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]);
    for (name, value) in facts.into_iter().filter(|(_, value)| !value.is_empty()) {
        table.row([name.to_owned(), value]);
    }
    lines.extend(table.lines());
    let committed = told.as_committed.clone().unwrap_or_default();
    let version = committed.profile_version;
    match &told.as_restated {
        Some(restated) if same(&committed, restated) => {
            let title = match restated.profile_version {
                newest if newest == version => {
                    format!("By version {version}, which is the newest:")
                }
                newest => format!("By version {version}, and by the newest, {newest}, the same:"),
            };
            lines.extend(explanation(&title, &committed, zone, paint));
        }
        Some(restated) => {
            let title = format!("As committed, by version {version}:");
            lines.extend(explanation(&title, &committed, zone, paint));
            let title = format!("By the newest version, {}:", restated.profile_version);
            lines.extend(explanation(&title, restated, zone, paint));
        }
        None => {
            let title =
                format!("As committed, by version {version}; the newest has no such clock:");
            lines.extend(explanation(&title, &committed, zone, paint));
        }
    }
    lines
}

/// Whether two versions tell the same.
fn same(one: &Explanation, other: &Explanation) -> bool {
    one.sentences == other.sentences && one.segments == other.segments
}

fn explanation(title: &str, told: &Explanation, zone: &TimeZone, paint: Paint) -> Vec<String> {
    let mut lines = vec![String::new(), title.to_owned()];
    lines.extend(told.sentences.iter().map(|sentence| match told.breached {
        true if sentence.starts_with("Late") => format!("  {}", paint.red(sentence)),
        _ => format!("  {sentence}"),
    }));
    if !told.segments.is_empty() {
        lines.push(String::new());
        lines.extend(segments(&told.segments, zone));
    }
    lines
}

fn segments(segments: &[Segment], zone: &TimeZone) -> Vec<String> {
    let mut table = Table::new(&[
        ("cycle", Align::Right),
        ("from", Align::Left),
        ("to", Align::Left),
        ("held by", Align::Left),
        ("open time", Align::Right),
        ("counts", Align::Left),
        ("begun by", Align::Left),
    ]);
    for segment in segments {
        let at = |at: Option<&prost_types::Timestamp>| {
            moment(at).map_or_else(|| "now".to_owned(), |at| words::second(at, zone))
        };
        let working = segment
            .working
            .as_ref()
            .map(|working| words::span(SignedDuration::from_secs(working.seconds)));
        table.row([
            segment.cycle.to_string(),
            at(segment.from.as_ref()),
            at(segment.to.as_ref()),
            word(segment.holder()).to_owned(),
            working.unwrap_or_default(),
            match (segment.counted, segment.reason.as_str()) {
                (true, _) => "yes".to_owned(),
                (false, reason) => format!("no: {reason}"),
            },
            segment.evidence.clone(),
        ]);
    }
    table.lines()
}

#[cfg(test)]
mod tests {
    use contracts::sla::{ClockState, Party, SubjectPart};

    use super::*;

    fn told(restated: Option<Explanation>) -> String {
        let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let working = Some(prost_types::Duration { seconds: 3_900, nanos: 0 });
        let committed = Explanation {
            profile_version: 1,
            segments: vec![
                Segment {
                    cycle: 1,
                    from: at(0),
                    to: at(3_900),
                    holder: Party::Supplier.into(),
                    counted: true,
                    evidence: "ORDERING/7".to_owned(),
                    working,
                    ..Segment::default()
                },
                Segment {
                    cycle: 1,
                    from: at(3_900),
                    holder: Party::Carrier.into(),
                    reason: "goods are on their way".to_owned(),
                    evidence: "ORDERING/9".to_owned(),
                    ..Segment::default()
                },
            ],
            sentences: vec!["Delivered: started 1970-01-01 00:00:00.".to_owned()],
            ..Explanation::default()
        };
        let clock = Clock {
            clock_id: "c-1".to_owned(),
            profile: "emall-default".to_owned(),
            clock: "deliver".to_owned(),
            state: ClockState::Paused.into(),
            subject: vec![SubjectPart { name: "order_id".to_owned(), value: "o-1".to_owned() }],
            ..Clock::default()
        };
        let as_restated = restated
            .map(|restated| Explanation { segments: committed.segments.clone(), ..restated });
        let response = ExplainClockResponse {
            clock: Some(clock),
            as_committed: Some(committed),
            as_restated,
            as_of: None,
        };
        lines(&response, &TimeZone::UTC, Paint::none()).join("\n")
    }

    fn version(profile_version: u32, sentence: &str) -> Option<Explanation> {
        let sentences = vec![sentence.to_owned()];
        Some(Explanation { profile_version, sentences, ..Explanation::default() })
    }

    #[test]
    fn every_stretch_tells_whose_time_it_was_and_whether_it_counts() {
        let told = told(None);
        let counted = "1  1970-01-01 00:00:00  1970-01-01 01:05:00  supplier  1 h 5 min  yes";
        let halted = "1  1970-01-01 01:05:00  now                  carrier              no: goods are on their way  ORDERING/9";
        assert!(told.contains(counted) && told.contains(halted), "{told}");
        assert!(told.contains("times  of UTC"), "{told}");
        assert!(told.contains("the newest has no such clock"), "{told}");
    }

    #[test]
    fn the_newest_rules_are_told_only_where_they_differ() {
        let same = "Delivered: started 1970-01-01 00:00:00.";
        let newest = told(version(1, same));
        assert!(newest.contains("By version 1, which is the newest:"), "{newest}");
        assert_eq!(newest.matches(same).count(), 1);
        let alike = told(version(2, same));
        assert!(alike.contains("by the newest, 2, the same"), "{alike}");
        let other = told(version(2, "Delivered: otherwise."));
        assert!(other.contains("As committed, by version 1:"), "{other}");
        assert!(other.contains("By the newest version, 2:"), "{other}");
        assert!(other.contains("otherwise"), "{other}");
    }
}
