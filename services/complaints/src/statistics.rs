//! What happened to complaints by day and group: a projection of the log (CMP-22, OPS-10).
//!
//! Invariant: a row is a function of the events routed to it; days are those of the events' own
//! business times, and of the supplier.

use chassis::{days::day, facets::SEPARATOR};
use contracts::{
    Event as _,
    common::{Money, RecordedEvent},
    complaints::{About, ComplaintCounts, ComplaintFigures, ComplaintLevel, SurveyAnswered},
};
use eventlog::{Key, Listing, Projection, time::from_proto};

use crate::{
    complaint::{Event, skus},
    survey,
};

const DAY: &str = "day";
const DAY_OF_PRODUCTS: &str = "day of products";

/// The projection.
#[derive(Debug, Clone, Copy)]
pub struct Statistics;

/// What an event adds to the figures of its group.
#[derive(Debug)]
pub struct Added {
    group: ComplaintFigures,
    counts: ComplaintCounts,
}

/// When something happened to whose complaint, how it stood, and what that counts.
struct Happened {
    at: Option<prost_types::Timestamp>,
    platform: String,
    about: Option<About>,
    counts: ComplaintCounts,
}

fn happened(event: Event) -> Option<Happened> {
    let nothing = ComplaintCounts::default;
    macro_rules! counts {
        ($event:ident, $at:ident, $counts:expr) => {
            Happened {
                at: $event.$at,
                platform: $event.platform,
                about: $event.about,
                counts: $counts,
            }
        };
    }
    Some(match event {
        Event::ComplaintReceived(it) => Happened {
            at: it.received_at,
            about: Some(About {
                kind: it.kind,
                channel: it.channel,
                cause: it.cause,
                level: ComplaintLevel::General.into(),
                topic: it.topic,
                skus: skus(&it.items),
                ..About::default()
            }),
            platform: it.platform,
            counts: ComplaintCounts {
                received: 1,
                repeats: u64::from(!it.repeat_of.is_empty()),
                ..nothing()
            },
        },
        Event::ComplaintAccepted(it) => {
            counts!(it, accepted_at, ComplaintCounts { accepted: 1, ..nothing() })
        }
        Event::ComplaintEscalated(it) => {
            counts!(it, escalated_at, ComplaintCounts { escalated: 1, ..nothing() })
        }
        Event::LevelRaised(it) => {
            counts!(it, raised_at, ComplaintCounts { raised: 1, ..nothing() })
        }
        Event::SolutionOffered(it) if it.attempt <= 1 => {
            let response_seconds = seconds(it.about.as_ref(), it.offered_at.as_ref());
            counts!(it, offered_at, ComplaintCounts { answered: 1, response_seconds, ..nothing() })
        }
        Event::SolutionAgreed(it) => {
            counts!(it, agreed_at, ComplaintCounts { agreed: 1, ..nothing() })
        }
        Event::SolutionRefused(it) => {
            counts!(it, refused_at, ComplaintCounts { refused: 1, ..nothing() })
        }
        Event::ReviewBegun(it) => {
            counts!(it, told_at, ComplaintCounts { reviewed: 1, ..nothing() })
        }
        Event::ComplaintVisited(it) => {
            let (satisfied, dissatisfied) = if it.satisfied { (1, 0) } else { (0, 1) };
            counts!(it, visited_at, ComplaintCounts { satisfied, dissatisfied, ..nothing() })
        }
        Event::ComplaintClosed(it) => {
            let closing_seconds = seconds(it.about.as_ref(), it.closed_at.as_ref());
            let granted_minor_units = fen(it.granted.as_ref());
            let counts =
                ComplaintCounts { closed: 1, closing_seconds, granted_minor_units, ..nothing() };
            counts!(it, closed_at, counts)
        }
        Event::ComplaintCancelled(it) => {
            counts!(it, cancelled_at, ComplaintCounts { cancelled: 1, ..nothing() })
        }
        Event::ComplaintReopened(it) => {
            counts!(it, reopened_at, ComplaintCounts { reopened: 1, ..nothing() })
        }
        Event::PenaltyImposed(it) => {
            let penalties_minor_units = fen(it.amount.as_ref());
            counts!(it, imposed_at, ComplaintCounts { penalties_minor_units, ..nothing() })
        }
        Event::ReceiptAcknowledged(_)
        | Event::RecordingArchived(_)
        | Event::FormCorrected(_)
        | Event::DepartmentsInformed(_)
        | Event::FormConfirmed(_)
        | Event::FactsAssessed(_)
        | Event::LevelLowered(_)
        | Event::UserAsked(_)
        | Event::UserAnswered(_)
        | Event::SolutionOffered(_)
        | Event::AuthorityExceeded(_)
        | Event::ReviewDecided(_)
        | Event::ExecutionStarted(_)
        | Event::SolutionImplemented(_)
        | Event::HandlingChanged(_)
        | Event::ChangeNoticeSent(_)
        | Event::RemedyOrdered(_)
        | Event::RemedyDone(_)
        | Event::CauseAnalysed(_)
        | Event::ItemAnswered(_)
        | Event::ClosingNoticeSent(_) => return None,
    })
}

/// Seconds from receipt to a moment; none when that lies before it.
fn seconds(about: Option<&About>, at: Option<&prost_types::Timestamp>) -> u64 {
    let from = about.and_then(|about| from_proto(about.received_at.as_ref()?));
    match (from, at.and_then(from_proto)) {
        (Some(from), Some(to)) => u64::try_from(to.duration_since(from).as_secs()).unwrap_or(0),
        (None, _) | (_, None) => 0,
    }
}

fn fen(amount: Option<&Money>) -> i64 {
    amount.map_or(0, |amount| amount.minor_units)
}

impl Projection for Statistics {
    const NAME: &'static str = "statistics";

    type Row = ComplaintFigures;

    type Fact = Added;

    type Facts = Vec<(String, Added)>;

    fn facts(event: &RecordedEvent) -> Self::Facts {
        let Some(happened) = told(event) else { return Vec::new() };
        let Some(at) = happened.at.as_ref().and_then(from_proto) else { return Vec::new() };
        let about = happened.about.unwrap_or_default();
        let group = |sku: &str| ComplaintFigures {
            day: day(at),
            platform: happened.platform.clone(),
            kind: about.kind,
            channel: about.channel,
            cause: about.cause,
            level: about.level,
            handler: about.handler.clone(),
            topic: about.topic.clone(),
            department: about.department,
            sku: sku.to_owned(),
            counts: None,
        };
        // once for all, and once for each product
        let products = about.skus.iter().map(String::as_str).filter(|sku| !sku.is_empty());
        let groups = std::iter::once("").chain(products).map(group);
        let added =
            |group: ComplaintFigures| (id(&group), Added { group, counts: happened.counts });
        groups.map(added).collect()
    }

    fn apply(row: &mut ComplaintFigures, added: Added) {
        let mut counts = row.counts.take().unwrap_or_default();
        add(&mut counts, &added.counts);
        *row = ComplaintFigures { counts: Some(counts), ..added.group };
    }

    fn keys(row: &ComplaintFigures) -> Vec<Key> {
        let key = if row.sku.is_empty() { DAY } else { DAY_OF_PRODUCTS };
        vec![Key::new(key, row.day.clone())]
    }
}

/// What an event of this service tells; an event that this release cannot read is passed over: `verify`
/// finds damaged ones.
fn told(event: &RecordedEvent) -> Option<Happened> {
    if event.stream.starts_with("complaint.") {
        return happened(Event::decode_body(&event.r#type, &event.body).ok()?);
    }
    if !event.stream.starts_with("survey_answer.") {
        return None;
    }
    let survey::Event::SurveyAnswered(SurveyAnswered { answered_at, platform, score, .. }) =
        survey::Event::decode_body(&event.r#type, &event.body).ok()?;
    let counts =
        ComplaintCounts { surveyed: 1, score_sum: score.into(), ..ComplaintCounts::default() };
    Some(Happened { at: answered_at, platform, about: Some(About::default()), counts })
}

fn id(group: &ComplaintFigures) -> String {
    [
        group.day.as_str(),
        &group.platform,
        group.kind().as_str_name(),
        group.channel().as_str_name(),
        group.cause().as_str_name(),
        group.level().as_str_name(),
        &group.handler,
        &group.topic,
        group.department().as_str_name(),
        &group.sku,
    ]
    .join(&SEPARATOR.to_string())
}

/// Adds figures up; a sum stops at its largest value.
pub fn add(sum: &mut ComplaintCounts, more: &ComplaintCounts) {
    macro_rules! all {
        ($($field:ident)*) => { $(sum.$field = sum.$field.saturating_add(more.$field);)* };
    }
    all! {
        received accepted escalated raised answered agreed refused reviewed satisfied dissatisfied
        closed cancelled reopened response_seconds closing_seconds granted_minor_units
        penalties_minor_units repeats surveyed score_sum
    }
}

/// Lists figures by day, both days included: of all, or one row more for each product.
#[must_use]
pub fn by_day(from: &str, to: &str, of_products: bool) -> Listing {
    let key = if of_products { DAY_OF_PRODUCTS } else { DAY };
    Listing::by(Statistics::NAME, key).range(from, format!("{to}\u{1}"))
}

#[cfg(test)]
mod tests;
