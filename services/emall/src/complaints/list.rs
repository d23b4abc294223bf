//! Complaints by deadline.

use clap::Args;
use contracts::complaints::{
    CauseClass, Complaint, ComplaintLevel, ComplaintPhase, ListComplaintsRequest,
};

use super::{json_line, words};
use crate::{
    client::{As, CallError, Client},
    listing::{Listed, Look, fitting},
    table::{Align, Table, clip, columns},
    terminal::plain,
    times,
    times::moment,
};

/// Columns that the name of somebody in charge and an id are never made narrower than: `show` wants the id.
const NARROWEST: (usize, usize) = (8, 24);

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
}

impl List {
    /// Whether those that have ended are left out.
    fn open_only(&self) -> bool {
        let ended = matches!(self.phase, Some(ComplaintPhase::Closed | ComplaintPhase::Cancelled));
        !self.all && !ended
    }
}

impl Listed for List {
    type One = Complaint;

    const FAILED: &'static str =
        "the complaints cannot be listed; see `emall status`, or correct --platform and --handler";

    fn json(one: &Complaint) -> String {
        json_line("Complaint", one)
    }

    async fn page(
        &self,
        client: &Client,
        size: u32,
        token: String,
    ) -> Result<(Vec<Complaint>, String), CallError> {
        let request = ListComplaintsRequest {
            platform: self.platform.clone().unwrap_or_default(),
            level: self.level.unwrap_or_default().into(),
            open_only: self.open_only(),
            phase: self.phase.unwrap_or_default().into(),
            handler: self.handler.clone().unwrap_or_default(),
            cause: self.cause.unwrap_or_default().into(),
            page_size: size,
            page_token: token,
            ..Default::default()
        };
        let page = client
            .call(As::Operator, request, |mut services, request| async move {
                services.complaints.list_complaints(request).await
            })
            .await?;
        Ok((page.complaints, page.next_page_token))
    }

    fn title(&self, look: &Look<'_>) -> String {
        let what = if self.open_only() { "Open complaints" } else { "Complaints" };
        let mut title = format!("{what}, {}", times::second(look.now, look.zone));
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
        title
    }

    fn table(&self, all: &[Complaint], look: &Look<'_>) -> Vec<String> {
        let longest = |told: fn(&Complaint) -> &str| {
            all.iter().map(|one| columns(&plain(told(one)))).max().unwrap_or(0)
        };
        let widest = (longest(|one| &one.handler), longest(|one| &one.complaint_id));
        fitting(widest, NARROWEST, look, |handler, id| table(all, look, handler, id))
    }

    fn painted(&self, row: &str, complaint: &Complaint, look: &Look<'_>) -> String {
        painted(row, complaint, look)
    }
}

fn table(all: &[Complaint], look: &Look<'_>, handler: usize, id: usize) -> Vec<String> {
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
    for one in all {
        let due = moment(one.close_by.as_ref());
        table.row([
            due.map_or_else(|| "-".to_owned(), |due| times::near(due, look.now, look.zone)),
            words::distance(one, look.now),
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

fn painted(row: &str, complaint: &Complaint, look: &Look<'_>) -> String {
    let (now, paint) = (look.now, look.paint);
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

    use jiff::Timestamp;

    use super::*;
    use crate::listing::testing::shown;

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
        }
    }

    #[test]
    fn each_complaint_tells_how_serious_it_is_where_it_stands_who_has_it_and_until_when() {
        assert_eq!(
            shown(&args(true), complaints(), false, now(), None)[2..],
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
            let lines = &shown(&args(true), vec![long.clone()], false, now(), Some(width))[2..];
            assert!(lines.iter().all(|line| columns(line) <= width), "{lines:#?}");
            assert!(lines[1].contains(kept) && lines[1].ends_with("1,234.50"), "{lines:#?}");
        }
    }

    #[test]
    fn what_is_left_out_is_said() {
        let some = shown(&args(false), complaints(), true, now(), Some(70)).join("\n");
        let title = "Open complaints, 2026-12-01 08:00:00, platform site-mall, level major\n";
        assert!(some.starts_with(title), "{some}");
        assert!(some.ends_with("and more: --once --limit 30"), "{some}");
        assert!(some.lines().all(|line| columns(line) <= 70), "{some}");
        let none = shown(&args(true), Vec::new(), false, now(), Some(70)).join("\n");
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
        let lines = &shown(&args(true), vec![hostile], false, now(), None)[2..];
        assert!(lines[1].contains(" [2J 李") && !lines[1].contains('\u{1b}'), "{lines:?}");
    }
}
