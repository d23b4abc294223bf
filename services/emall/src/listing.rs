//! What is listed by due time: live on a terminal, once elsewhere, or as JSON.

use std::time::Duration;

use clap::Args;
use eventlog::Clock as _;
use jiff::{Timestamp, tz::TimeZone};

use crate::{
    access::Access,
    client::{CallError, Client},
    end::{End, Failure},
    table::{clip, columns},
    terminal::{self, Paint, Screen},
};

/// Shown where nobody says how many, and no screen does.
const USUAL: usize = 50;
/// Most of one page.
const PAGE: usize = 500;
/// Between two looks.
const REFRESH: Duration = Duration::from_secs(1);

/// How many are listed, and how.
#[derive(Debug, Args)]
pub(crate) struct Form {
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

/// Where and when a list is shown.
pub(crate) struct Look<'a> {
    pub(crate) now: Timestamp,
    pub(crate) zone: &'a TimeZone,
    /// Columns of the screen, if there is one.
    pub(crate) width: Option<usize>,
    pub(crate) paint: Paint,
}

/// Something that is listed by due time.
pub(crate) trait Listed {
    /// One of them.
    type One: prost::Message;

    /// One of them as a line of protobuf JSON.
    fn json(one: &Self::One) -> String;

    /// A page of so many after a token, and the token of the next.
    fn page(
        &self,
        client: &Client,
        size: u32,
        token: String,
    ) -> impl Future<Output = Result<(Vec<Self::One>, String), CallError>>;

    /// What to say when they cannot be listed.
    const FAILED: &'static str;

    /// What they are, and by what they were chosen.
    fn title(&self, look: &Look<'_>) -> String;

    /// The table of them, its head first, where it can be as wide as the screen.
    fn table(&self, all: &[Self::One], look: &Look<'_>) -> Vec<String>;

    /// A row in its colour.
    fn painted(&self, row: &str, one: &Self::One, look: &Look<'_>) -> String;
}

/// Some of them, and whether there are others.
struct Found<T> {
    all: Vec<T>,
    more: bool,
}

/// Shows them until the reader goes away, or once.
///
/// # Errors
/// They cannot be listed, or the gateway cannot be reached.
pub(crate) async fn run<L: Listed>(
    listed: &L,
    form: &Form,
    access: &Access,
) -> Result<End, Failure> {
    let client = access.connect().await?;
    let (clock, zone) = (access.clock(), TimeZone::system());
    let limit = form.limit.and_then(|limit| usize::try_from(limit).ok());
    if form.json {
        for one in fetch(listed, &client, limit.unwrap_or(USUAL)).await?.all {
            terminal::say(&L::json(&one))?;
        }
        return Ok(End::Well);
    }
    let look = |width| Look { now: clock.now(), zone: &zone, width, paint: Paint::stdout() };
    let Some(screen) = Screen::stdout().filter(|_| !form.once) else {
        let found = fetch(listed, &client, limit.unwrap_or(USUAL)).await?;
        let width = Screen::stdout().map(|screen| screen.size().0);
        for line in lines(listed, &found, &look(width)) {
            terminal::say(&line)?;
        }
        return Ok(End::Well);
    };
    screen.clear()?;
    loop {
        let (width, height) = screen.size();
        // Title, head of the table, what is left out.
        let fits = height.saturating_sub(4).max(1);
        let most = limit.map_or(fits, |limit| limit.min(fits));
        let found = fetch(listed, &client, most).await?;
        screen.draw(&lines(listed, &found, &look(Some(width))))?;
        tokio::time::sleep(REFRESH).await;
    }
}

async fn fetch<L: Listed>(
    listed: &L,
    client: &Client,
    most: usize,
) -> Result<Found<L::One>, Failure> {
    let size = u32::try_from(most.min(PAGE)).unwrap_or_default();
    let (mut all, mut token) = (Vec::new(), String::new());
    loop {
        let page = listed.page(client, size, token).await;
        let (some, next) = page.map_err(|error| Failure::because(L::FAILED, error))?;
        all.extend(some);
        token = next;
        if all.len() >= most || token.is_empty() {
            break;
        }
    }
    let more = all.len() > most || !token.is_empty();
    all.truncate(most);
    Ok(Found { all, more })
}

fn lines<L: Listed>(listed: &L, found: &Found<L::One>, look: &Look<'_>) -> Vec<String> {
    let cut = |line: &str| look.width.map_or_else(|| line.to_owned(), |width| clip(line, width));
    let mut lines = vec![look.paint.bold(&cut(&listed.title(look))), String::new()];
    if found.all.is_empty() {
        lines.push("  none".to_owned());
        return lines;
    }
    let table = listed.table(&found.all, look);
    let mut rows = table.iter().map(|line| cut(line));
    lines.extend(rows.next().map(|head| look.paint.dim(&head)));
    lines.extend(rows.zip(&found.all).map(|(row, one)| listed.painted(&row, one, look)));
    if found.more {
        lines.push(cut(&format!("  and more: --once --limit {}", 10 * found.all.len())));
    }
    lines
}

/// A table with two columns that may be narrower than their texts: where it is wider than the screen, the
/// first of them gives way and then the second, each down to its narrowest.
pub(crate) fn fitting(
    widest: (usize, usize),
    narrowest: (usize, usize),
    look: &Look<'_>,
    table: impl Fn(usize, usize) -> Vec<String>,
) -> Vec<String> {
    let (mut first, mut second) = widest;
    let lines = table(first, second);
    let wide = lines.iter().map(|line| columns(line)).max().unwrap_or(0);
    let Some(over) = look.width.and_then(|width| wide.checked_sub(width)) else { return lines };
    let taken = over.min(first.saturating_sub(narrowest.0));
    first -= taken;
    second -= (over - taken).min(second.saturating_sub(narrowest.1));
    table(first, second)
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// The lines of these, as they are shown on a screen so wide.
    pub(crate) fn shown<L: Listed>(
        listed: &L,
        all: Vec<L::One>,
        more: bool,
        now: Timestamp,
        width: Option<usize>,
    ) -> Vec<String> {
        let look = Look { now, zone: &TimeZone::UTC, width, paint: Paint::none() };
        lines(listed, &Found { all, more }, &look)
    }
}
