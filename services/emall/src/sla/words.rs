//! Clocks in words: distances, states, cases.

use contracts::sla::{BreachState, Clock, ClockKind, ClockState, ConsequenceKind, SubjectPart};
use jiff::{SignedDuration, Timestamp};

use crate::times::moment;
pub(super) use crate::times::{minute, near, second, span};

/// Profile and clock.
pub(super) fn name(clock: &Clock) -> String {
    format!("{}/{}", clock.profile, clock.clock)
}

/// When the promised limit passes, or passed.
pub(super) fn due(clock: &Clock) -> Option<Timestamp> {
    let limit = clock.committed.as_ref()?;
    moment(limit.breached_at.as_ref()).or_else(|| moment(limit.due_at.as_ref()))
}

pub(super) fn is_open(clock: &Clock) -> bool {
    matches!(clock.state(), ClockState::Running | ClockState::Paused)
}

/// How far away the limit is: `in 1 h 12 min`, `late 3 min`.
pub(super) fn distance(clock: &Clock, now: Timestamp) -> String {
    let Some(due) = due(clock) else { return String::new() };
    if !is_open(clock) {
        let overrun = clock.committed.as_ref().and_then(|limit| limit.overrun.as_ref());
        return overrun.map_or_else(String::new, |overrun| {
            format!("late {}", span(SignedDuration::from_secs(overrun.seconds)))
        });
    }
    let left = due.duration_since(now);
    match clock.kind() {
        _ if !left.is_negative() => format!("in {}", span(left)),
        ClockKind::Period => "over".to_owned(),
        ClockKind::Unspecified | ClockKind::Promise | ClockKind::Outage => {
            format!("late {}", span(left))
        }
    }
}

pub(super) fn state(clock: &Clock) -> &'static str {
    match clock.state() {
        ClockState::Unspecified => "unknown",
        ClockState::Running => "running",
        ClockState::Paused => "halted",
        ClockState::Stopped => "done",
        ClockState::Cancelled => "cancelled",
        ClockState::Ended => "over",
    }
}

/// What is known of its breach: nothing is the usual thing.
pub(super) fn breach(clock: &Clock) -> &'static str {
    let of = |limit: &Option<contracts::sla::Limit>| {
        limit.as_ref().map_or(BreachState::Unspecified, contracts::sla::Limit::breach)
    };
    match (of(&clock.committed), of(&clock.contractual)) {
        (_, BreachState::Declared) => "missed, contract's too",
        (BreachState::Declared, _) => "missed",
        (BreachState::Provisional, _) => "missed, not yet certain",
        (BreachState::Withdrawn, _) => "withdrawn",
        (BreachState::Unspecified, _) => "",
    }
}

/// The case, by its values; of a duty the period and who owes it.
pub(super) fn case(clock: &Clock) -> String {
    if !clock.period.is_empty() && clock.subject.is_empty() {
        return [clock.period.as_str(), &clock.owner].join(" ").trim().to_owned();
    }
    values(&clock.subject)
}

/// The values of a case.
pub(super) fn values(subject: &[SubjectPart]) -> String {
    subject.iter().map(|part| part.value.as_str()).collect::<Vec<_>>().join(" ")
}

/// `CONSEQUENCE_KIND_REPORT_TO_LEADER` as `report to leader`.
pub(super) fn consequence(kind: ConsequenceKind) -> String {
    let name = kind.as_str_name();
    name.strip_prefix("CONSEQUENCE_KIND_").unwrap_or(name).to_lowercase().replace('_', " ")
}

#[cfg(test)]
mod tests {
    use contracts::sla::Limit;

    use super::*;
    use eventlog::time::to_proto;

    fn clock(state: ClockState, due: i64) -> Clock {
        let due = Timestamp::from_second(due).unwrap();
        Clock {
            state: state.into(),
            kind: ClockKind::Promise.into(),
            committed: Some(Limit { due_at: Some(to_proto(due)), ..Limit::default() }),
            ..Clock::default()
        }
    }

    #[test]
    fn the_distance_to_the_limit_is_told_from_now() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        assert_eq!(distance(&clock(ClockState::Running, 1_004_320), now), "in 1 h 12 min");
        assert_eq!(distance(&clock(ClockState::Running, 999_820), now), "late 3 min");
        assert_eq!(distance(&Clock::default(), now), "");
        let mut over = clock(ClockState::Running, 999_820);
        over.kind = ClockKind::Period.into();
        assert_eq!(distance(&over, now), "over");
    }

    #[test]
    fn of_what_has_ended_only_lateness_is_told() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let mut done = clock(ClockState::Stopped, 900_000);
        assert_eq!(distance(&done, now), "");
        let overrun = Some(prost_types::Duration { seconds: 7_200, nanos: 0 });
        done.committed = Some(Limit { overrun, ..done.committed.unwrap() });
        assert_eq!(distance(&done, now), "late 2 h");
    }

    #[test]
    fn a_breach_of_the_contract_is_more_than_one_of_ours() {
        let missed = |state: BreachState| Some(Limit { breach: state.into(), ..Limit::default() });
        let told =
            |committed, contractual| breach(&Clock { committed, contractual, ..Clock::default() });
        assert_eq!(told(None, None), "");
        assert_eq!(told(missed(BreachState::Declared), None), "missed");
        let both = told(missed(BreachState::Declared), missed(BreachState::Declared));
        assert!(both.contains("contract"), "{both}");
        assert_eq!(
            told(missed(BreachState::Withdrawn), missed(BreachState::Unspecified)),
            "withdrawn"
        );
    }

    #[test]
    fn a_duty_is_known_by_its_period_and_its_owner() {
        let part = |value: &str| SubjectPart { name: "x".to_owned(), value: value.to_owned() };
        let order = Clock { subject: vec![part("a"), part("b")], ..Clock::default() };
        assert_eq!(case(&order), "a b");
        let duty = Clock {
            period: "2026-12".to_owned(),
            owner: "stock-keeper".to_owned(),
            ..Clock::default()
        };
        assert_eq!(case(&duty), "2026-12 stock-keeper");
        assert_eq!(consequence(ConsequenceKind::ReportToLeader), "report to leader");
    }
}
