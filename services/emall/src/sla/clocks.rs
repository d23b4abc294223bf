//! The clocks as a table, by due time: live on a terminal, once elsewhere.

use std::time::Duration;

use clap::Args;
use contracts::sla::{BreachState, Clock, ClockFilter, ClockState, ListClocksRequest};
use eventlog::Clock as _;
use jiff::{Timestamp, tz::TimeZone};
use sla_monitor::ledger::word;

use super::{failed, json_line, words};
use crate::{
    access::Access,
    client::{As, CallError, Client},
    end::{End, Failure},
    table::{Align, Table, clip, columns},
    terminal::{self, Paint, Screen},
};

/// Clocks shown where nobody says how many, and no screen does.
const USUAL: usize = 50;
/// Most clocks of one page.
const PAGE: usize = 500;
/// Between two looks.
const REFRESH: Duration = Duration::from_secs(1);
/// Columns that a case and the name of a clock are never made narrower than.
const NARROWEST: (usize, usize) = (8, 16);

/// Arguments of `emall sla` itself.
#[derive(Debug, Args)]
pub(super) struct Clocks {
    /// Only of this profile
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
    /// Only of this platform
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,
    /// Those whose promise was not kept, open or not, instead of the open ones
    #[arg(long)]
    breached: bool,
    /// At most so many [default: as many as fit on the screen, else 50]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: Option<u32>,
    /// Print them once, also on a terminal
    #[arg(long)]
    once: bool,
    /// Print them once, one in protobuf JSON a line
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Clocks, access: &Access) -> Result<End, Failure> {
    let client = access.connect().await?;
    let (clock, zone) = (access.clock(), TimeZone::system());
    let limit = args.limit.and_then(|limit| usize::try_from(limit).ok());
    if args.json {
        for clock in args.fetch(&client, limit.unwrap_or(USUAL)).await?.clocks {
            terminal::say(&json_line("Clock", &clock))?;
        }
        return Ok(End::Well);
    }
    let paint = Paint::stdout();
    let Some(screen) = Screen::stdout().filter(|_| !args.once) else {
        let found = args.fetch(&client, limit.unwrap_or(USUAL)).await?;
        let width = Screen::stdout().map(|screen| screen.size().0);
        for line in args.lines(&found, clock.now(), &zone, width, paint) {
            terminal::say(&line)?;
        }
        return Ok(End::Well);
    };
    screen.clear()?;
    loop {
        let (width, height) = screen.size();
        // Title, head of the table, what is left out.
        let fits = height.saturating_sub(4).max(1);
        let found = args.fetch(&client, limit.map_or(fits, |limit| limit.min(fits))).await?;
        screen.draw(&args.lines(&found, clock.now(), &zone, Some(width), paint))?;
        tokio::time::sleep(REFRESH).await;
    }
}

/// Some clocks, and whether there are others.
struct Found {
    clocks: Vec<Clock>,
    more: bool,
}

impl Clocks {
    async fn fetch(&self, client: &Client, most: usize) -> Result<Found, Failure> {
        let filter = if self.breached { ClockFilter::Breached } else { ClockFilter::Open };
        let mut request = ListClocksRequest {
            filter: filter.into(),
            platform: self.platform.clone().unwrap_or_default(),
            profile: self.profile.clone().unwrap_or_default(),
            page_size: u32::try_from(most.min(PAGE)).unwrap_or_default(),
            ..ListClocksRequest::default()
        };
        let mut clocks = Vec::new();
        loop {
            let page = list(client, request.clone()).await.map_err(failed(
                "the clocks cannot be listed; see `emall status`, or correct --platform and --profile",
            ))?;
            clocks.extend(page.0);
            request.page_token = page.1;
            if clocks.len() >= most || request.page_token.is_empty() {
                break;
            }
        }
        let more = clocks.len() > most || !request.page_token.is_empty();
        clocks.truncate(most);
        Ok(Found { clocks, more })
    }

    fn lines(
        &self,
        found: &Found,
        now: Timestamp,
        zone: &TimeZone,
        width: Option<usize>,
        paint: Paint,
    ) -> Vec<String> {
        let what = if self.breached { "Promises not kept" } else { "Open clocks" };
        let mut title = format!("{what}, {}", words::second(now, zone));
        for (name, value) in [("platform", &self.platform), ("profile", &self.profile)] {
            title.extend(value.iter().map(|value| format!(", {name} {value}")));
        }
        let cut = |line: &str| width.map_or_else(|| line.to_owned(), |width| clip(line, width));
        let mut lines = vec![paint.bold(&cut(&title)), String::new()];
        if found.clocks.is_empty() {
            lines.push("  none".to_owned());
            return lines;
        }
        let table = fitting(&found.clocks, now, zone, width);
        let mut rows = table.iter().map(|line| cut(line));
        lines.extend(rows.next().map(|head| paint.dim(&head)));
        lines.extend(rows.zip(&found.clocks).map(|(row, clock)| painted(&row, clock, paint)));
        if found.more {
            lines.push(cut(&format!("  and more: --once --limit {}", 10 * found.clocks.len())));
        }
        lines
    }
}

/// A page of clocks and the token of the next.
pub(super) async fn list(
    client: &Client,
    request: ListClocksRequest,
) -> Result<(Vec<Clock>, String), CallError> {
    let answer = client
        .call(As::Operator, request, |mut services, request| async move {
            services.clocks.list_clocks(request).await
        })
        .await?;
    Ok((answer.clocks, answer.next_page_token))
}

/// The table; where it is too wide, cases are clipped and then names of clocks: the rest tells more.
fn fitting(clocks: &[Clock], now: Timestamp, zone: &TimeZone, width: Option<usize>) -> Vec<String> {
    let longest = |told: fn(&Clock) -> String| {
        clocks.iter().map(|clock| columns(&told(clock))).max().unwrap_or(0)
    };
    let (mut case, mut name) = (longest(words::case), longest(words::name));
    let lines = table(clocks, now, zone, case, name);
    let widest = lines.iter().map(|line| columns(line)).max().unwrap_or(0);
    let Some(over) = width.and_then(|width| widest.checked_sub(width)) else { return lines };
    let taken = over.min(case.saturating_sub(NARROWEST.0));
    case -= taken;
    name -= (over - taken).min(name.saturating_sub(NARROWEST.1));
    table(clocks, now, zone, case, name)
}

fn table(
    clocks: &[Clock],
    now: Timestamp,
    zone: &TimeZone,
    case: usize,
    name: usize,
) -> Vec<String> {
    let mut table = Table::new(&[
        ("due", Align::Left),
        ("", Align::Left),
        ("state", Align::Left),
        ("held by", Align::Left),
        ("profile/clock", Align::Left),
        ("case", Align::Left),
        ("platform", Align::Left),
        ("breach", Align::Left),
    ]);
    for clock in clocks {
        let due = words::due(clock);
        table.row([
            due.map_or_else(|| "-".to_owned(), |due| words::near(due, now, zone)),
            words::distance(clock, now),
            words::state(clock).to_owned(),
            word(clock.holder()).to_owned(),
            clip(&words::name(clock), name),
            clip(&words::case(clock), case),
            if clock.platform.is_empty() { "-".to_owned() } else { clock.platform.clone() },
            words::breach(clock).to_owned(),
        ]);
    }
    table.lines()
}

fn painted(row: &str, clock: &Clock, paint: Paint) -> String {
    let breach = clock.committed.as_ref().map_or(BreachState::Unspecified, |limit| limit.breach());
    match (breach, clock.state()) {
        (BreachState::Declared | BreachState::Provisional, _) => paint.red(row),
        (BreachState::Unspecified | BreachState::Withdrawn, ClockState::Paused) => paint.dim(row),
        (
            BreachState::Unspecified | BreachState::Withdrawn,
            ClockState::Unspecified
            | ClockState::Running
            | ClockState::Stopped
            | ClockState::Cancelled
            | ClockState::Ended,
        ) => row.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use contracts::sla::{ClockKind, Limit, Party, SubjectPart};

    use super::*;
    use eventlog::time::to_proto;

    const ORDER: &str = "0198c6f4-0000-7000-8000-000000000001";

    fn now() -> Timestamp {
        "2026-12-01T08:00:00Z".parse().unwrap()
    }

    fn clock(due: &str, state: ClockState, breach: BreachState) -> Clock {
        let due = due.parse().ok().map(to_proto);
        let breached_at = due.filter(|_| breach == BreachState::Declared);
        Clock {
            profile: "materials-1h".to_owned(),
            clock: "on-site".to_owned(),
            kind: ClockKind::Promise.into(),
            state: state.into(),
            holder: Party::Supplier.into(),
            subject: vec![SubjectPart { name: "order_id".to_owned(), value: ORDER.to_owned() }],
            platform: "site-mall".to_owned(),
            committed: Some(Limit {
                due_at: due,
                breached_at,
                breach: breach.into(),
                ..Limit::default()
            }),
            ..Clock::default()
        }
    }

    fn clocks() -> Vec<Clock> {
        vec![
            clock("2026-12-01T07:57:00Z", ClockState::Running, BreachState::Declared),
            clock("2026-12-01T09:12:00Z", ClockState::Running, BreachState::Unspecified),
            clock("", ClockState::Paused, BreachState::Unspecified),
        ]
    }

    #[test]
    fn each_clock_tells_when_it_is_due_who_holds_it_and_what_it_is_about() {
        let case = format!("materials-1h/on-site  {ORDER}  site-mall");
        assert_eq!(
            fitting(&clocks(), now(), &TimeZone::UTC, None)[1..],
            [
                format!("  12-01 07:57  late 3 min     running  supplier  {case}  missed"),
                format!("  12-01 09:12  in 1 h 12 min  running  supplier  {case}"),
                format!("  -                           halted   supplier  {case}"),
            ]
        );
    }

    #[test]
    fn on_a_narrow_screen_the_case_is_clipped_and_every_line_fits() {
        for (width, name) in [(107, "on-site  "), (94, "materials-1h/on…")] {
            let lines = fitting(&clocks(), now(), &TimeZone::UTC, Some(width));
            assert!(lines.iter().all(|line| columns(line) <= width), "{lines:#?}");
            assert!(lines[1].contains(name) && lines[1].contains("…  site-mall"), "{lines:#?}");
            assert!(lines[1].ends_with("missed"), "{lines:#?}");
        }
    }

    #[test]
    fn what_is_left_out_is_said() {
        let args = Clocks {
            profile: None,
            platform: Some("site-mall".to_owned()),
            breached: false,
            limit: None,
            once: true,
            json: false,
        };
        let lines = |found: &Found| {
            args.lines(found, now(), &TimeZone::UTC, Some(60), Paint::none()).join("\n")
        };
        let some = lines(&Found { clocks: clocks(), more: true });
        assert!(some.starts_with("Open clocks, 2026-12-01 08:00:00, platform site-mall"), "{some}");
        assert!(some.ends_with("and more: --once --limit 30"), "{some}");
        assert!(some.lines().all(|line| columns(line) <= 60), "{some}");
        assert!(lines(&Found { clocks: Vec::new(), more: false }).ends_with("none"));
    }
}
