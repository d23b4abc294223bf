//! One event of a complaint as a sentence.

use contracts::{
    Event as _,
    complaints::{
        ComplaintEscalated, ComplaintHistoryEntry, ComplaintReceived, FactsAssessed, LevelRaised,
        SolutionOffered, complaint_event::Event,
    },
};
use jiff::tz::TimeZone;
use prost::Message as _;
use prost_reflect::DynamicMessage;

use super::words::{money, word};
use crate::{
    terminal::plain,
    times::{minute, moment},
};

/// What an entry of the history says; of an event that this build does not know, its name.
pub(super) fn told(entry: &ComplaintHistoryEntry, zone: &TimeZone) -> String {
    match event(entry) {
        Some(event) => sentence(&event, zone),
        None => {
            let name = entry.r#type.rsplit('.').next().unwrap_or_default();
            format!("{} (this build cannot read it)", plain(name))
        }
    }
}

fn event(entry: &ComplaintHistoryEntry) -> Option<Event> {
    let kind = contracts::pool().get_message_by_name(&entry.r#type)?;
    let mut json = serde_json::Deserializer::from_str(&entry.json);
    let body = DynamicMessage::deserialize(kind, &mut json).ok()?.encode_to_vec();
    Event::decode_body(&entry.r#type, &body).ok()
}

/// Each event in the order of its `oneof`.
fn sentence(event: &Event, zone: &TimeZone) -> String {
    let by = |at: Option<&prost_types::Timestamp>| {
        moment(at).map_or_else(|| "-".to_owned(), |at| minute(at, zone))
    };
    match event {
        Event::ComplaintReceived(event) => received(event),
        Event::ReceiptAcknowledged(_) => "the user was told that we have it".to_owned(),
        Event::FormConfirmed(event) => {
            format!("read back by {}, and confirmed by the user", plain(&event.read_back_by))
        }
        Event::ComplaintAccepted(event) => format!(
            "accepted: {}, post {}, solves it by {}",
            plain(&event.handler),
            event.tier,
            by(event.close_by.as_ref())
        ),
        Event::FactsAssessed(event) => assessed(event),
        Event::LevelRaised(event) => raised(event),
        Event::LevelLowered(event) => format!(
            "general again, approved by {}: {}",
            plain(&event.approved_by),
            plain(&event.reason)
        ),
        Event::UserAsked(event) => {
            format!("the reply is delayed; the user was asked: {}", plain(&event.question))
        }
        Event::UserAnswered(event) => format!("the user answered: {}", plain(&event.answer)),
        Event::SolutionOffered(event) => offered(event),
        Event::SolutionAgreed(event) => {
            let solution = event.solution.as_ref().map_or("", |it| it.solution_id.as_str());
            let granted = clause(", ", &money(event.granted.as_ref()));
            format!("the user agreed to {}{granted}", plain(solution))
        }
        Event::SolutionRefused(event) => {
            format!("the user refused {}: {}", plain(&event.solution_id), plain(&event.reason))
        }
        Event::AuthorityExceeded(event) => format!(
            "beyond the one in charge, as the user was told: {}; {}; a reply by {}",
            plain(&event.cause),
            plain(&event.procedure),
            by(event.notify_by.as_ref())
        ),
        Event::ComplaintEscalated(event) => escalated(event, zone),
        Event::ReviewBegun(event) => {
            format!("a reviewer from outside decides: {}", plain(&event.reviewer))
        }
        Event::ReviewDecided(event) => {
            let whom = if event.for_user { "for the user" } else { "against the user" };
            let granted = clause(", ", &money(event.granted.as_ref()));
            format!("decided {whom}{granted}: {}", plain(&event.decision))
        }
        Event::ExecutionStarted(_) => "the solution is being carried out".to_owned(),
        Event::SolutionImplemented(event) => {
            format!("the solution was carried out: {}", plain(&event.evidence))
        }
        Event::HandlingChanged(event) => {
            format!("another than the user was told: {}", plain(&event.change))
        }
        Event::ChangeNoticeSent(_) => "the user was told of the change".to_owned(),
        Event::ComplaintVisited(event) => {
            let mood = if event.satisfied { "satisfied" } else { "not satisfied" };
            format!("visited, {mood}{}", clause(": ", &plain(&event.opinion)))
        }
        Event::RemedyOrdered(event) => {
            format!("to be made up for by {}: {}", plain(&event.responsible), plain(&event.action))
        }
        Event::RemedyDone(event) => format!("made up for: {}", plain(&event.evidence)),
        Event::CauseAnalysed(event) => {
            let standard = if event.becomes_standard { "; the standard from now on" } else { "" };
            let due = clause(
                " by ",
                &moment(event.action_due_by.as_ref())
                    .map_or_else(String::new, |at| minute(at, zone)),
            );
            let owner = clause(", seen to by ", &plain(&event.action_owner));
            format!(
                "cause {}, with {}: {}; from now on: {}{owner}{due}{standard}",
                word(event.cause().as_str_name()),
                word(event.department().as_str_name()),
                plain(&event.root_cause),
                plain(&event.corrective_action)
            )
        }
        Event::ItemAnswered(event) => {
            format!("item {} answered: {}", event.number, plain(&event.answer))
        }
        Event::ClosingNoticeSent(event) => {
            format!("closing notice sent, with {} answered", counted(event.items.len(), "item"))
        }
        Event::ComplaintClosed(event) => {
            let granted = clause(", ", &money(event.granted.as_ref()));
            format!("closed as {}{granted}", word(event.level().as_str_name()))
        }
        Event::ComplaintReopened(event) => format!(
            "opened again, to be solved by {}: {}",
            by(event.close_by.as_ref()),
            plain(&event.reason)
        ),
        Event::ComplaintCancelled(event) => format!("cancelled: {}", plain(&event.reason)),
        Event::PenaltyImposed(event) => format!(
            "{} fined {}, approved by {}: {}",
            plain(&event.person),
            money(event.amount.as_ref()),
            plain(&event.approved_by),
            plain(&event.reason)
        ),
        Event::RecordingArchived(event) => {
            let recording = event.recording.clone().unwrap_or_default();
            let place = clause(" at ", &plain(&recording.reference));
            format!("recording archived{place}: {}", plain(&recording.reason))
        }
        Event::DepartmentsInformed(event) => {
            let departments: Vec<_> =
                event.departments().map(|it| word(it.as_str_name())).collect();
            format!("told to {}: {}", departments.join(", "), plain(&event.note))
        }
        Event::FormCorrected(event) => format!(
            "form corrected by {}, {}",
            plain(&event.corrected_by),
            counted(event.items.len(), "item")
        ),
    }
}

fn received(event: &ComplaintReceived) -> String {
    let mut told = format!(
        "{} received by {}, {}",
        word(event.kind().as_str_name()),
        word(event.channel().as_str_name()),
        counted(event.items.len(), "item")
    );
    let about = word(event.cause().as_str_name());
    told.push_str(&clause(", about ", Some(about.as_str()).filter(|it| *it != "-").unwrap_or("")));
    told.push_str(&clause(", ", &plain(&event.topic)));
    told.push_str(&clause("; again, after ", &plain(&event.repeat_of)));
    told.push_str(&clause(", claimed ", &money(event.claimed.as_ref())));
    told.push_str(&clause("; expected: ", &plain(&event.expectation)));
    told
}

fn assessed(event: &FactsAssessed) -> String {
    let facts = [
        (event.media, "media have told of it"),
        (event.lawsuit, "there is a lawsuit"),
        (event.group_risk, "there may be a lawsuit of many"),
    ];
    let facts: String =
        facts.iter().filter(|(holds, _)| *holds).map(|(_, fact)| format!("; {fact}")).collect();
    let amount = clause("; sums involved ", &money(event.amount.as_ref()));
    let expected = clause("; expected: ", &plain(&event.expectation));
    format!("assessed: {}{amount}{facts}{expected}", plain(&event.severity))
}

fn raised(event: &LevelRaised) -> String {
    let reasons: Vec<_> = event.reasons().map(|reason| word(reason.as_str_name())).collect();
    format!("major from now on: {}", reasons.join(", "))
}

fn offered(event: &SolutionOffered) -> String {
    let solution = event.solution.clone().unwrap_or_default();
    let standard = clause("; after the standard ", &plain(&event.standard_solution_id));
    let deviation = clause("; another than the standard: ", &plain(&event.deviation_reason));
    format!(
        "offer {}, {}: {}; {}{standard}{deviation}",
        event.attempt,
        plain(&solution.solution_id),
        plain(&solution.text),
        counted(solution.measures.len(), "measure")
    )
}

fn escalated(event: &ComplaintEscalated, zone: &TimeZone) -> String {
    let handover = event.handover.clone().unwrap_or_default();
    let reply = moment(event.reply_by.as_ref()).map(|at| minute(at, zone)).unwrap_or_default();
    let papers = match handover.documents.len() {
        0 => String::new(),
        papers => format!("; {}", counted(papers, "document")),
    };
    format!(
        "handed upwards from {} to {}, post {}: {}; may decide: {}{}; handed over: {}; demands: {}; \
         progress: {}{papers}",
        plain(&event.from),
        plain(&event.handler),
        event.tier,
        plain(&event.reason),
        plain(&event.mandate),
        clause("; reply by ", &reply),
        plain(&handover.history),
        plain(&handover.demands),
        plain(&handover.progress)
    )
}

/// A part of a sentence, if there is something to say.
fn clause(before: &str, said: &str) -> String {
    if said.is_empty() { String::new() } else { format!("{before}{said}") }
}

fn counted(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use contracts::{
        common::Money,
        complaints::{
            CauseAnalysed, CauseClass, ComplaintAccepted, ComplaintChannel, ComplaintItem,
            ComplaintKind, ComplaintVisited, Department, Handover, MajorReason, Measure,
            ReviewDecided, Solution,
        },
    };

    use super::*;

    /// As the service tells it, and as it is read here.
    fn show(event: impl Into<Event>) -> String {
        let event = event.into();
        let name = event.type_name();
        let json = contracts::json(name, &event.encode_body()).unwrap().to_string();
        let entry = ComplaintHistoryEntry { r#type: name.to_owned(), json, ..Default::default() };
        told(&entry, &TimeZone::UTC)
    }

    fn money(minor_units: i64) -> Option<Money> {
        Some(Money { minor_units, currency: "CNY".to_owned() })
    }

    #[test]
    fn each_event_says_what_matters_of_it() {
        let received = ComplaintReceived {
            kind: ComplaintKind::Complaint.into(),
            channel: ComplaintChannel::Platform.into(),
            cause: CauseClass::ProductQuality.into(),
            items: vec![ComplaintItem::default(), ComplaintItem::default()],
            claimed: money(5_000),
            expectation: "an\nexplanation".to_owned(),
            ..Default::default()
        };
        assert_eq!(
            show(received),
            "complaint received by platform, 2 items, about product quality, claimed 50.00 CNY; \
             expected: an explanation"
        );
        let accepted = ComplaintAccepted {
            handler: "李".to_owned(),
            close_by: Some(prost_types::Timestamp { seconds: 7_200, nanos: 0 }),
            ..Default::default()
        };
        assert_eq!(show(accepted), "accepted: 李, post 0, solves it by 1970-01-01 02:00");
        let raised =
            LevelRaised { reasons: vec![MajorReason::Overdue.into()], ..Default::default() };
        assert_eq!(show(raised), "major from now on: overdue");
        let offered = SolutionOffered {
            attempt: 2,
            solution: Some(Solution {
                solution_id: "s-2".to_owned(),
                text: "a refund".to_owned(),
                measures: vec![Measure::default()],
                ..Default::default()
            }),
            ..Default::default()
        };
        assert_eq!(show(offered), "offer 2, s-2: a refund; 1 measure");
        let assessed = FactsAssessed {
            severity: "not dangerous".to_owned(),
            media: true,
            ..Default::default()
        };
        assert_eq!(show(assessed), "assessed: not dangerous; media have told of it");
        let escalated = ComplaintEscalated {
            from: "李".to_owned(),
            handler: "孙".to_owned(),
            tier: 1,
            mandate: "up to 5,000".to_owned(),
            handover: Some(Handover {
                history: "refused".to_owned(),
                demands: "800".to_owned(),
                progress: "looked into".to_owned(),
                documents: vec!["00".to_owned()],
            }),
            reason: "beyond us".to_owned(),
            ..Default::default()
        };
        assert_eq!(
            show(escalated),
            "handed upwards from 李 to 孙, post 1: beyond us; may decide: up to 5,000; handed over: \
             refused; demands: 800; progress: looked into; 1 document"
        );
        let against = ReviewDecided { decision: "no".to_owned(), ..Default::default() };
        assert_eq!(show(against), "decided against the user: no");
        let visited = ComplaintVisited { satisfied: true, ..Default::default() };
        assert_eq!(show(visited), "visited, satisfied");
        let analysed = CauseAnalysed {
            cause: CauseClass::ServiceQuality.into(),
            root_cause: "late".to_owned(),
            corrective_action: "call before".to_owned(),
            department: Department::Marketing.into(),
            action_owner: "钱".to_owned(),
            ..Default::default()
        };
        assert_eq!(
            show(analysed),
            "cause service quality, with marketing: late; from now on: call before, seen to by 钱"
        );
    }

    #[test]
    fn every_event_has_a_sentence() {
        for name in Event::TYPES {
            let json = "{}".to_owned();
            let entry =
                ComplaintHistoryEntry { r#type: (*name).to_owned(), json, ..Default::default() };
            let told = told(&entry, &TimeZone::UTC);
            assert!(!told.is_empty() && !told.contains("cannot read"), "{name}: {told}");
        }
    }

    #[test]
    fn an_event_that_this_build_does_not_know_is_told_by_its_name() {
        for (name, json) in [
            ("emall.complaints.v1.FromTheFuture", "{}"),
            ("emall.complaints.v1.ComplaintClosed", "{\"fromTheFuture\":1}"),
        ] {
            let entry = ComplaintHistoryEntry {
                r#type: name.to_owned(),
                json: json.to_owned(),
                ..Default::default()
            };
            let told = told(&entry, &TimeZone::UTC);
            assert!(told.ends_with("(this build cannot read it)"), "{told}");
        }
    }
}
