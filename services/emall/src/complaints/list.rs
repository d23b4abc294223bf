//! Complaints as a table, by deadline: live on a terminal, once elsewhere.

use std::time::Duration;

use clap::Args;
use contracts::complaints::{
    CauseClass, Complaint, ComplaintLevel, ComplaintPhase, ListComplaintsRequest,
};
use eventlog::Clock as _;
use jiff::{Timestamp, tz::TimeZone};

use super::{failed, json_line, words};
use crate::{
    access::Access,
    client::{As, Client},
    end::{End, Failure},
    push::moment,
    table::{Align, Table, clip, columns},
    terminal::{self, Paint, Screen, plain},
    times,
};

/// Complaints shown where nobody says how many, and no screen does.
const USUAL: usize = 50;
/// Most complaints of one page.
const PAGE: usize = 500;
/// Between two looks.
const REFRESH: Duration = Duration::from_secs(1);
/// Columns that an id and the name of somebody in charge are never made narrower than: `show` wants the id.
const NARROWEST: (usize, usize) = (24, 8);

/// Arguments of `emall complaints` itself.
#[derive(Debug, Args)]
pub(super) struct List {
    /// Only of this platform
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,
    /// Only of this level: `general`, `major`
    #[arg(long, value_name = "LEVEL", value_parser = words::choice::<ComplaintLevel>("ComplaintLevel"))]
    level: Option<ComplaintLevel>,
    /// Only of this phase: `investigating`, `follow-up`; with an ended one, `--all` goes without saying
    #[arg(long, value_name = "PHASE", conflicts_with_all = ["handler", "cause"],
        value_parser = words::choice::<ComplaintPhase>("ComplaintPhase"))]
    phase: Option<ComplaintPhase>,
    /// Only those of this person
    #[arg(long, value_name = "NAME", conflicts_with = "cause")]
    handler: Option<String>,
    /// Only about this: `product-quality`, `service-process`
    #[arg(long, value_name = "CAUSE", value_parser = words::choice::<CauseClass>("CauseClass"))]
    cause: Option<CauseClass>,
    /// Those that have ended too
    #[arg(long)]
    all: bool,
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

pub(super) async fn run(args: List, access: &Access) -> Result<End, Failure> {
    let client = access.connect().await?;
    let (clock, zone) = (access.clock(), TimeZone::system());
    let limit = args.limit.and_then(|limit| usize::try_from(limit).ok());
    if args.json {
        for complaint in args.fetch(&client, limit.unwrap_or(USUAL)).await?.complaints {
            terminal::say(&json_line("Complaint", &complaint))?;
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

/// Some complaints, and whether there are others.
struct Found {
    complaints: Vec<Complaint>,
    more: bool,
}

impl List {
    /// Whether those that have ended are left out.
    fn open_only(&self) -> bool {
        let ended = matches!(self.phase, Some(ComplaintPhase::Closed | ComplaintPhase::Cancelled));
        !self.all && !ended
    }

    async fn fetch(&self, client: &Client, most: usize) -> Result<Found, Failure> {
        let mut request = ListComplaintsRequest {
            platform: self.platform.clone().unwrap_or_default(),
            level: self.level.unwrap_or_default().into(),
            open_only: self.open_only(),
            phase: self.phase.unwrap_or_default().into(),
            handler: self.handler.clone().unwrap_or_default(),
            cause: self.cause.unwrap_or_default().into(),
            page_size: u32::try_from(most.min(PAGE)).unwrap_or_default(),
            ..Default::default()
        };
        let mut complaints = Vec::new();
        loop {
            let page = client
                .call(As::Operator, request.clone(), |mut services, request| async move {
                    services.complaints.list_complaints(request).await
                })
                .await
                .map_err(failed(
                    "the complaints cannot be listed; see `emall status`, or correct --platform and \
                     --handler",
                ))?;
            complaints.extend(page.complaints);
            request.page_token = page.next_page_token;
            if complaints.len() >= most || request.page_token.is_empty() {
                break;
            }
        }
        let more = complaints.len() > most || !request.page_token.is_empty();
        complaints.truncate(most);
        Ok(Found { complaints, more })
    }

    fn lines(
        &self,
        found: &Found,
        now: Timestamp,
        zone: &TimeZone,
        width: Option<usize>,
        paint: Paint,
    ) -> Vec<String> {
        let what = if self.open_only() { "Open complaints" } else { "Complaints" };
        let mut title = format!("{what}, {}", times::second(now, zone));
        let chosen = [
            ("platform", self.platform.clone()),
            ("level", self.level.map(|level| words::word(level.as_str_name()))),
            ("phase", self.phase.map(|phase| words::word(phase.as_str_name()))),
            ("handler", self.handler.clone()),
            ("cause", self.cause.map(|cause| words::word(cause.as_str_name()))),
        ];
        for (name, value) in chosen {
            title.extend(value.map(|value| format!(", {name} {}", plain(&value))));
        }
        let cut = |line: &str| width.map_or_else(|| line.to_owned(), |width| clip(line, width));
        let mut lines = vec![paint.bold(&cut(&title)), String::new()];
        if found.complaints.is_empty() {
            lines.push("  none".to_owned());
            return lines;
        }
        let table = fitting(&found.complaints, now, zone, width);
        let mut rows = table.iter().map(|line| cut(line));
        lines.extend(rows.next().map(|head| paint.dim(&head)));
        let rows = rows.zip(&found.complaints);
        lines.extend(rows.map(|(row, complaint)| painted(&row, complaint, now, paint)));
        if found.more {
            lines.push(cut(&format!("  and more: --once --limit {}", 10 * found.complaints.len())));
        }
        lines
    }
}

/// The table; where it is too wide, names of who is in charge are clipped and then ids.
fn fitting(
    complaints: &[Complaint],
    now: Timestamp,
    zone: &TimeZone,
    width: Option<usize>,
) -> Vec<String> {
    let longest = |told: fn(&Complaint) -> &str| {
        complaints.iter().map(|one| columns(&plain(told(one)))).max().unwrap_or(0)
    };
    let (mut id, mut handler) = (longest(|one| &one.complaint_id), longest(|one| &one.handler));
    let lines = table(complaints, now, zone, id, handler);
    let widest = lines.iter().map(|line| columns(line)).max().unwrap_or(0);
    let Some(over) = width.and_then(|width| widest.checked_sub(width)) else { return lines };
    let taken = over.min(handler.saturating_sub(NARROWEST.1));
    handler -= taken;
    id -= (over - taken).min(id.saturating_sub(NARROWEST.0));
    table(complaints, now, zone, id, handler)
}

fn table(
    complaints: &[Complaint],
    now: Timestamp,
    zone: &TimeZone,
    id: usize,
    handler: usize,
) -> Vec<String> {
    let mut table = Table::new(&[
        ("due", Align::Left),
        ("", Align::Left),
        ("complaint", Align::Left),
        ("platform", Align::Left),
        ("level", Align::Left),
        ("phase", Align::Left),
        ("cause", Align::Left),
        ("handler", Align::Left),
        ("claimed CNY", Align::Right),
    ]);
    for one in complaints {
        let due = moment(one.close_by.as_ref());
        table.row([
            due.map_or_else(|| "-".to_owned(), |due| times::near(due, now, zone)),
            words::distance(one, now),
            clip(&plain(&one.complaint_id), id),
            words::or_dash(&one.platform),
            words::word(one.level().as_str_name()),
            words::word(one.phase().as_str_name()),
            words::word(one.cause().as_str_name()),
            clip(&words::or_dash(&one.handler), handler.max(1)),
            words::sum(one.claimed.as_ref()),
        ]);
    }
    table.lines()
}

fn painted(row: &str, complaint: &Complaint, now: Timestamp, paint: Paint) -> String {
    let ended = matches!(complaint.phase(), ComplaintPhase::Closed | ComplaintPhase::Cancelled);
    match complaint.level() {
        _ if ended => paint.dim(row),
        ComplaintLevel::Major => paint.red(row),
        ComplaintLevel::Unspecified | ComplaintLevel::General
            if words::distance(complaint, now).starts_with("late") =>
        {
            paint.red(row)
        }
        ComplaintLevel::Unspecified | ComplaintLevel::General => row.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use contracts::common::Money;
    use eventlog::time::to_proto;

    use super::*;

    fn now() -> Timestamp {
        "2026-12-01T08:00:00Z".parse().unwrap()
    }

    fn complaint(id: &str, level: ComplaintLevel, due: &str, handler: &str) -> Complaint {
        Complaint {
            complaint_id: id.to_owned(),
            platform: "site-mall".to_owned(),
            level: level.into(),
            phase: ComplaintPhase::Investigating.into(),
            cause: CauseClass::ServiceProcess.into(),
            handler: handler.to_owned(),
            close_by: due.parse().ok().map(to_proto),
            claimed: Some(Money { minor_units: 123_450, currency: "CNY".to_owned() }),
            ..Default::default()
        }
    }

    fn complaints() -> Vec<Complaint> {
        vec![
            Complaint {
                phase: ComplaintPhase::Received.into(),
                claimed: None,
                ..complaint("c-1", ComplaintLevel::General, "", "")
            },
            complaint("c-22", ComplaintLevel::Major, "2026-12-01T07:57:00Z", "service 李"),
            complaint("c-3", ComplaintLevel::General, "2026-12-01T09:12:00Z", "service 李"),
        ]
    }

    fn args(all: bool) -> List {
        List {
            platform: Some("site-mall".to_owned()),
            level: Some(ComplaintLevel::Major),
            phase: None,
            handler: None,
            cause: None,
            all,
            limit: None,
            once: true,
            json: false,
        }
    }

    #[test]
    fn each_complaint_tells_how_serious_it_is_where_it_stands_who_has_it_and_until_when() {
        assert_eq!(
            fitting(&complaints(), now(), &TimeZone::UTC, None),
            [
                "  due                         complaint  platform   level    phase          cause            handler     claimed CNY",
                "  -                           c-1        site-mall  general  received       service process  -",
                "  12-01 07:57  late 3 min     c-22       site-mall  major    investigating  service process  service 李     1,234.50",
                "  12-01 09:12  in 1 h 12 min  c-3        site-mall  general  investigating  service process  service 李     1,234.50",
            ]
        );
    }

    #[test]
    fn on_a_narrow_screen_names_and_ids_are_clipped_and_every_line_fits() {
        let long = complaint(
            "retail-mall-536365-2026-12-01-C1",
            ComplaintLevel::Major,
            "2026-12-01T07:57:00Z",
            "marketing-manager-01",
        );
        for (width, kept) in
            [(140, "retail-mall-536365-2026-12-01-C1  "), (125, "retail-mall-536365-2026-…  ")]
        {
            let lines = fitting(std::slice::from_ref(&long), now(), &TimeZone::UTC, Some(width));
            assert!(lines.iter().all(|line| columns(line) <= width), "{lines:#?}");
            assert!(lines[1].contains(kept) && lines[1].ends_with("1,234.50"), "{lines:#?}");
        }
    }

    #[test]
    fn what_is_left_out_is_said() {
        let lines = |found: &Found, all: bool| {
            args(all).lines(found, now(), &TimeZone::UTC, Some(70), Paint::none()).join("\n")
        };
        let some = lines(&Found { complaints: complaints(), more: true }, false);
        let title = "Open complaints, 2026-12-01 08:00:00, platform site-mall, level major\n";
        assert!(some.starts_with(title), "{some}");
        assert!(some.ends_with("and more: --once --limit 30"), "{some}");
        assert!(some.lines().all(|line| columns(line) <= 70), "{some}");
        let none = lines(&Found { complaints: Vec::new(), more: false }, true);
        assert!(none.starts_with("Complaints, ") && none.ends_with("none"), "{none}");
    }

    #[test]
    fn an_ended_phase_asks_for_ended_complaints() {
        assert!(args(false).open_only() && !args(true).open_only());
        assert!(!List { phase: Some(ComplaintPhase::Closed), ..args(false) }.open_only());
        assert!(List { phase: Some(ComplaintPhase::Offered), ..args(false) }.open_only());
    }

    #[test]
    fn a_text_that_would_steer_the_terminal_does_not() {
        let hostile = complaint("c-1", ComplaintLevel::General, "", "\u{1b}[2J\n李");
        let lines = fitting(&[hostile], now(), &TimeZone::UTC, None);
        assert!(lines[1].contains(" [2J 李") && !lines[1].contains('\u{1b}'), "{lines:?}");
    }
}
