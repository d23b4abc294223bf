//! The clocks by due time.

use clap::Args;
use contracts::sla::{BreachState, Clock, ClockFilter, ClockState, ListClocksRequest};
use sla_monitor::ledger::word;

use super::{json_line, words};
use crate::{
    client::{As, CallError, Client},
    listing::{Listed, Look, fitting},
    table::{Align, Table, clip, columns},
    terminal::Paint,
};

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
}

impl Listed for Clocks {
    type One = Clock;

    const FAILED: &'static str =
        "the clocks cannot be listed; see `emall status`, or correct --platform and --profile";

    fn json(one: &Clock) -> String {
        json_line("Clock", one)
    }

    async fn page(
        &self,
        client: &Client,
        size: u32,
        token: String,
    ) -> Result<(Vec<Clock>, String), CallError> {
        let filter = if self.breached { ClockFilter::Breached } else { ClockFilter::Open };
        let request = ListClocksRequest {
            filter: filter.into(),
            platform: self.platform.clone().unwrap_or_default(),
            profile: self.profile.clone().unwrap_or_default(),
            page_size: size,
            page_token: token,
            ..ListClocksRequest::default()
        };
        list(client, request).await
    }

    fn title(&self, look: &Look<'_>) -> String {
        let what = if self.breached { "Promises not kept" } else { "Open clocks" };
        let mut title = format!("{what}, {}", words::second(look.now, look.zone));
        for (name, value) in [("platform", &self.platform), ("profile", &self.profile)] {
            title.extend(value.iter().map(|value| format!(", {name} {value}")));
        }
        title
    }

    /// Where it is too wide, cases are clipped and then names of clocks: the rest tells more.
    fn table(&self, all: &[Clock], look: &Look<'_>) -> Vec<String> {
        let longest = |told: fn(&Clock) -> String| {
            all.iter().map(|clock| columns(&told(clock))).max().unwrap_or(0)
        };
        let widest = (longest(words::case), longest(words::name));
        fitting(widest, NARROWEST, look, |case, name| table(all, look, case, name))
    }

    fn painted(&self, row: &str, clock: &Clock, look: &Look<'_>) -> String {
        painted(row, clock, look.paint)
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

fn table(clocks: &[Clock], look: &Look<'_>, case: usize, name: usize) -> Vec<String> {
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
            due.map_or_else(|| "-".to_owned(), |due| words::near(due, look.now, look.zone)),
            words::distance(clock, look.now),
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
    use crate::listing::testing::shown;
    use eventlog::time::to_proto;
    use jiff::Timestamp;

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

    fn args() -> Clocks {
        Clocks { profile: None, platform: Some("site-mall".to_owned()), breached: false }
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
            shown(&args(), clocks(), false, now(), None)[3..],
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
            let lines = &shown(&args(), clocks(), false, now(), Some(width))[2..];
            assert!(lines.iter().all(|line| columns(line) <= width), "{lines:#?}");
            assert!(lines[1].contains(name) && lines[1].contains("…  site-mall"), "{lines:#?}");
            assert!(lines[1].ends_with("missed"), "{lines:#?}");
        }
    }

    #[test]
    fn what_is_left_out_is_said() {
        let some = shown(&args(), clocks(), true, now(), Some(60)).join("\n");
        assert!(some.starts_with("Open clocks, 2026-12-01 08:00:00, platform site-mall"), "{some}");
        assert!(some.ends_with("and more: --once --limit 30"), "{some}");
        assert!(some.lines().all(|line| columns(line) <= 60), "{some}");
        let none = shown(&args(), Vec::new(), false, now(), Some(60));
        assert!(none.join("\n").ends_with("none"));
    }
}
