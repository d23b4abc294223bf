//! `emall sla watch`: warnings, breaches and what follows from them as they come, one line each.

use clap::Args;
use contracts::sla::{
    ClockRef, WatchClocksRequest, WatchClocksResponse, watch_clocks_response::Announcement,
};
use jiff::tz::TimeZone;
use tonic::Status;

use super::{failed, json_line, words};
use crate::{
    access::Access,
    amount::yuan,
    client::{As, Client, Tries},
    end::{End, Failure},
    table::columns,
    terminal::{self, Paint},
    times::moment,
    watch::{From, parse_from},
};

/// Arguments of `emall sla watch`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 when the reader went away or --limit was reached; 2 nothing could be watched; 64 wrong
usage. A gateway that goes away later is waited for, for a minute.")]
pub(super) struct Watch {
    /// Only of this platform
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,
    /// Only of this profile
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
    /// Where to begin: `now`, `start`, or a position
    #[arg(long, value_name = "PLACE", default_value = "now", value_parser = parse_from)]
    from: From,
    /// End after so many lines
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Print each in protobuf JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Watch, access: &Access) -> Result<End, Failure> {
    let client = access.connect().await?;
    let mut watching = Watching {
        request: WatchClocksRequest {
            platform: args.platform.clone().unwrap_or_default(),
            profile: args.profile.clone().unwrap_or_default(),
            after_position: match args.from {
                From::Now => None,
                From::Position(position) => Some(position - 1),
            },
        },
        shown: 0,
        zone: TimeZone::system(),
        paint: Paint::stdout(),
    };
    let mut tries = Tries::new();
    loop {
        let seen = watching.request.after_position;
        let status = match watching.follow(&client, &args).await? {
            None => return Ok(End::Well),
            Some(status) => status,
        };
        if watching.request.after_position != seen {
            tries = Tries::new();
        }
        let again = tries.again(status).await;
        again.map_err(failed("the clocks cannot be watched; see `emall status`"))?;
    }
}

struct Watching {
    request: WatchClocksRequest,
    shown: u64,
    zone: TimeZone,
    paint: Paint,
}

impl Watching {
    /// Shows what comes until the end that was asked for, or until the stream breaks.
    async fn follow(&mut self, client: &Client, args: &Watch) -> Result<Option<Status>, Failure> {
        let request = client.request(As::Operator, self.request.clone());
        let mut stream = match client.clocks().watch_clocks(request).await {
            Ok(stream) => stream.into_inner(),
            Err(status) => return Ok(Some(status)),
        };
        loop {
            let said = match stream.message().await {
                Ok(Some(said)) => said,
                Ok(None) => return Ok(Some(Status::unavailable("the service ended the stream"))),
                Err(status) => return Ok(Some(status)),
            };
            // A stream that breaks is gone on with here.
            self.request.after_position = Some(said.position);
            let Some(line) = line(&said, &self.zone, self.paint) else { continue };
            let text = if args.json { json_line("WatchClocksResponse", &said) } else { line };
            terminal::say(&text)?;
            self.shown += 1;
            if args.limit.is_some_and(|limit| self.shown >= limit) {
                return Ok(None);
            }
        }
    }
}

/// One announcement as a line; nothing for a sign of life.
fn line(said: &WatchClocksResponse, zone: &TimeZone, paint: Paint) -> Option<String> {
    let due = |at: Option<&prost_types::Timestamp>| {
        moment(at).map_or_else(String::new, |at| format!("due {}", words::minute(at, zone)))
    };
    let limit = |contractual: bool| if contractual { ", the limit of the contract" } else { "" };
    let (name, clock, told): (_, Option<&ClockRef>, _) = match said.announcement.as_ref()? {
        Announcement::Heartbeat(_) => return None,
        Announcement::WarningRaised(one) => {
            let told = format!("{}, warning {}", due(one.due_at.as_ref()), one.warning + 1);
            (paint.cyan("warning    "), one.clock.as_ref(), told)
        }
        Announcement::BreachAnnounced(one) => {
            let unheard = one.unheard.join(", ");
            let (due, limit) = (due(one.due_at.as_ref()), limit(one.contractual));
            let told = format!("{due}{limit}; not certain: {unheard} cannot be asked");
            (paint.red("missed?    "), one.clock.as_ref(), told)
        }
        Announcement::DeadlineBreached(one) => {
            let told = format!("{}{}", due(one.due_at.as_ref()), limit(one.contractual));
            (paint.red("missed     "), one.clock.as_ref(), told)
        }
        Announcement::BreachWithdrawn(one) => {
            let (due, limit) = (due(one.due_at.as_ref()), limit(one.contractual));
            let told = format!("{due}{limit}; undone by {}", one.evidence);
            (paint.green("withdrawn  "), one.clock.as_ref(), told)
        }
        Announcement::BreachEscalated(one) => {
            let again = if one.count > 1 {
                format!(", for the {} time", nth(one.count))
            } else {
                String::new()
            };
            let told = format!("{}: {}{again}", due(one.due_at.as_ref()), one.to);
            (paint.bold("told       "), one.clock.as_ref(), told)
        }
        Announcement::ConsequenceRaised(one) => {
            let mut told = format!("{}: {}", words::consequence(one.kind()), one.detail);
            if let (Some(from), Some(to)) = (&one.minimum, &one.maximum) {
                let (from, to) = (yuan(from.minor_units), yuan(to.minor_units));
                told.push_str(&format!(", {from} to {to}"));
            }
            (paint.bold("consequence"), one.clock.as_ref(), told)
        }
        Announcement::PeriodEnded(one) => {
            let ended = moment(one.ended_at.as_ref());
            let told = ended.map_or_else(String::new, |at| words::minute(at, zone));
            (paint.dim("over       "), one.clock.as_ref(), told)
        }
    };
    let clock = clock.cloned().unwrap_or_default();
    let recorded = moment(said.recorded_at.as_ref()).unwrap_or_default();
    let time = paint.dim(&words::second(recorded, zone));
    let what = padded(&format!("{}/{}", clock.profile, clock.clock), 28);
    let about = [words::values(&clock.subject), clock.platform].join(" ");
    Some(format!("{time} {name} {} {} {told}", paint.bold(&what), about.trim()))
}

fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// `2nd`, `3rd`, `11th`.
fn nth(number: u32) -> String {
    let ending = match (number % 10, number % 100) {
        (1, hundreds) if hundreds != 11 => "st",
        (2, hundreds) if hundreds != 12 => "nd",
        (3, hundreds) if hundreds != 13 => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

#[cfg(test)]
mod tests {
    use contracts::{
        common::Money,
        sla::{
            BreachEscalated, ConsequenceKind, ConsequenceRaised, DeadlineBreached, Heartbeat,
            SubjectPart, WarningRaised,
        },
    };

    use super::*;

    fn show(announcement: Announcement) -> Option<String> {
        let said = WatchClocksResponse {
            position: 7,
            recorded_at: Some(prost_types::Timestamp { seconds: 3_605, nanos: 0 }),
            announcement: Some(announcement),
        };
        line(&said, &TimeZone::UTC, Paint::none())
    }

    fn clock() -> Option<ClockRef> {
        Some(ClockRef {
            profile: "materials-1h".to_owned(),
            clock: "respond".to_owned(),
            subject: vec![SubjectPart { name: "order_id".to_owned(), value: "o-1".to_owned() }],
            platform: "site-mall".to_owned(),
            ..ClockRef::default()
        })
    }

    #[test]
    fn each_announcement_is_one_line_with_time_clock_case_and_what_is_said() {
        let due_at = Some(prost_types::Timestamp { seconds: 3_600, nanos: 0 });
        let about = "materials-1h/respond         o-1 site-mall";
        let warning = WarningRaised { clock: clock(), warning: 0, at: None, due_at };
        assert_eq!(
            show(Announcement::WarningRaised(warning)).unwrap(),
            format!("1970-01-01 01:00:05 warning     {about} due 1970-01-01 01:00, warning 1")
        );
        let missed = DeadlineBreached { clock: clock(), due_at, contractual: true, proof: vec![] };
        let missed = show(Announcement::DeadlineBreached(missed)).unwrap();
        assert!(missed.ends_with("due 1970-01-01 01:00, the limit of the contract"), "{missed}");
        let told = BreachEscalated {
            clock: clock(),
            step: 2,
            count: 2,
            to: "director".to_owned(),
            at: due_at,
            due_at,
        };
        let told = show(Announcement::BreachEscalated(told)).unwrap();
        assert!(told.ends_with(": director, for the 2nd time"), "{told}");
        let yuan = |minor_units| Some(Money { minor_units, currency: "CNY".to_owned() });
        let follows = ConsequenceRaised {
            clock: clock(),
            kind: ConsequenceKind::Penalty.into(),
            detail: "a fine".to_owned(),
            minimum: yuan(1_000),
            maximum: yuan(5_000),
            due_at,
        };
        let follows = show(Announcement::ConsequenceRaised(follows)).unwrap();
        assert!(follows.ends_with("penalty: a fine, 10.00 to 50.00"), "{follows}");
    }

    #[test]
    fn a_sign_of_life_is_not_shown() {
        assert_eq!(show(Announcement::Heartbeat(Heartbeat {})), None);
    }

    #[test]
    fn numbers_have_their_endings() {
        let told: Vec<_> = [1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(nth).into();
        let wanted = ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th"];
        assert_eq!(told, wanted);
    }
}
