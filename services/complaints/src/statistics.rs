//! What happened to complaints by day and group: a projection of the log (CMP-22, OPS-10).
//!
//! Invariant: a row is a function of the events routed to it; days are those of the events' own
//! business times, and of the supplier.

use chassis::facets::SEPARATOR;
use contracts::{
    Event as _,
    common::{Money, RecordedEvent},
    complaints::{About, ComplaintCounts, ComplaintFigures, ComplaintLevel},
};
use eventlog::{Key, Listing, Projection, time::from_proto};
use jiff::{Timestamp, tz::TimeZone};

use crate::complaint::Event;

const DAY: &str = "day";

/// The projection.
#[derive(Debug, Clone, Copy)]
pub struct Statistics;

/// What an event adds to the figures of its group.
#[derive(Debug)]
pub struct Added {
    group: ComplaintFigures,
    counts: ComplaintCounts,
}

/// The day of a moment, of the supplier.
#[must_use]
pub fn day(at: Timestamp) -> String {
    TimeZone::fixed(jiff::tz::offset(8)).to_datetime(at).date().to_string()
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
                ..About::default()
            }),
            platform: it.platform,
            counts: ComplaintCounts { received: 1, ..nothing() },
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

    fn fact(event: &RecordedEvent) -> Option<(String, Added)> {
        if !event.stream.starts_with("complaint.") {
            return None;
        }
        // an event that this release cannot read is passed over; `verify` finds damaged ones
        let happened = happened(Event::decode_body(&event.r#type, &event.body).ok()?)?;
        let (day, about) = (day(from_proto(happened.at.as_ref()?)?), happened.about?);
        let id = [
            day.as_str(),
            &happened.platform,
            about.kind().as_str_name(),
            about.channel().as_str_name(),
            about.cause().as_str_name(),
            about.level().as_str_name(),
            &about.handler,
        ]
        .join(&SEPARATOR.to_string());
        let group = ComplaintFigures {
            day,
            platform: happened.platform,
            kind: about.kind,
            channel: about.channel,
            cause: about.cause,
            level: about.level,
            handler: about.handler,
            counts: None,
        };
        Some((id, Added { group, counts: happened.counts }))
    }

    fn apply(row: &mut ComplaintFigures, added: Added) {
        let mut counts = row.counts.take().unwrap_or_default();
        add(&mut counts, &added.counts);
        *row = ComplaintFigures { counts: Some(counts), ..added.group };
    }

    fn keys(row: &ComplaintFigures) -> Vec<Key> {
        vec![Key::new(DAY, row.day.clone())]
    }
}

/// Adds figures up; a sum stops at its largest value.
pub fn add(sum: &mut ComplaintCounts, more: &ComplaintCounts) {
    macro_rules! all {
        ($($field:ident)*) => { $(sum.$field = sum.$field.saturating_add(more.$field);)* };
    }
    all! {
        received accepted escalated raised answered agreed refused reviewed satisfied dissatisfied
        closed cancelled reopened response_seconds closing_seconds granted_minor_units
        penalties_minor_units
    }
}

/// Lists figures by day, both days included.
#[must_use]
pub fn by_day(from: &str, to: &str) -> Listing {
    Listing::by(Statistics::NAME, DAY).range(from, format!("{to}\u{1}"))
}

#[cfg(test)]
mod tests;
