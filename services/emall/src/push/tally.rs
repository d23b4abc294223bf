//! What became of everything that was pushed, and the table that shows it.

use std::{collections::BTreeMap, time::Duration};

use serde_json::json;

use crate::refusal::Refusal;
use crate::table::{Align, Table, clip, grouped};

/// How many examples a kind of refusal is shown with.
const EXAMPLES: usize = 3;

/// Refusals of one kind: the same reason and the same field, whatever the line.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) orders: u64,
    /// In the words of the first.
    pub(crate) message: String,
    pub(crate) examples: Vec<String>,
}

/// What came of a cancellation or a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) cancellation: String,
    /// The order concerned; empty when there is none.
    pub(crate) order: String,
    pub(crate) units: u64,
    pub(crate) told: String,
}

/// What became of a cancellation of one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Became {
    /// Its units were cancelled.
    Cancelled(Outcome),
    /// They had left: a return.
    Return(Outcome),
    /// There is no such order.
    Unmatched(Outcome),
    /// There was no answer.
    Lost,
}

/// Counts of one run.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) accepted: u64,
    pub(crate) repeated: u64,
    pub(crate) refused: u64,
    /// Orders that got no answer in the end.
    pub(crate) lost: u64,
    pub(crate) lines: u64,
    pub(crate) kinds: BTreeMap<(String, String), Kind>,
    /// From sending to the answer, tries again included.
    latencies: Vec<Duration>,
    pub(crate) elapsed: Duration,
    pub(crate) cancelled: Vec<Outcome>,
    pub(crate) returns: Vec<Outcome>,
    pub(crate) unmatched: Vec<Outcome>,
}

impl Tally {
    pub(crate) fn answered(&mut self, repeated: bool, lines: usize, took: Duration) {
        if repeated {
            self.repeated += 1;
        } else {
            self.accepted += 1;
        }
        self.lines += u64::try_from(lines).unwrap_or(0);
        self.latencies.push(took);
    }

    pub(crate) fn became(&mut self, became: Became) {
        match became {
            Became::Cancelled(outcome) => self.cancelled.push(outcome),
            Became::Return(outcome) => self.returns.push(outcome),
            Became::Unmatched(outcome) => self.unmatched.push(outcome),
            Became::Lost => self.lost += 1,
        }
    }

    pub(crate) fn refused(&mut self, label: &str, refusals: &[Refusal], took: Option<Duration>) {
        self.refused += 1;
        self.latencies.extend(took);
        let mut seen = BTreeMap::new();
        for refusal in refusals {
            seen.entry((refusal.reason.clone(), refusal.kind_of_field())).or_insert(refusal);
        }
        for (key, refusal) in seen {
            let kind = self.kinds.entry(key).or_default();
            kind.orders += 1;
            if kind.message.is_empty() {
                kind.message.clone_from(&refusal.message);
            }
            if kind.examples.len() < EXAMPLES {
                kind.examples.push(label.to_owned());
            }
        }
    }

    pub(crate) fn orders(&self) -> u64 {
        self.accepted + self.repeated + self.refused + self.lost
    }

    fn per_second(&self) -> f64 {
        let answered = u32::try_from(self.latencies.len()).unwrap_or(u32::MAX);
        f64::from(answered) / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// The latency that so many in a hundred did not exceed.
    fn percentile(&self, sorted: &[Duration], percent: usize) -> Duration {
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted.get(rank - 1).copied().unwrap_or_default()
    }

    fn sorted(&self) -> Vec<Duration> {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        sorted
    }

    pub(crate) fn table(&self) -> Vec<String> {
        let sorted = self.sorted();
        let millis =
            |percent| format!("{:.1} ms", self.percentile(&sorted, percent).as_secs_f64() * 1e3);
        let mut table = Table::new(&[("", Align::Left), ("", Align::Right), ("", Align::Left)]);
        let count = |number: u64| grouped(number);
        let lines = format!("with {} lines", grouped(self.lines));
        table.row([
            "orders".into(),
            count(self.orders()),
            format!("{:.0} a second", self.per_second()),
        ]);
        table.row(["accepted".into(), count(self.accepted), lines]);
        table.row([
            "repeated".into(),
            count(self.repeated),
            "known already, with the same content".into(),
        ]);
        table.row(["refused".into(), count(self.refused), String::new()]);
        if self.lost > 0 {
            table.row([
                "lost".into(),
                count(self.lost),
                "no answer; push again, repeats do no harm".into(),
            ]);
        }
        table.row(["latency p50".into(), millis(50), String::new()]);
        table.row(["latency p99".into(), millis(99), String::new()]);
        let mut lines = table.lines();
        lines.extend(self.refusal_lines());
        lines.extend(outcome_lines("cancelled", "not shipped yet", &self.cancelled));
        lines.extend(outcome_lines(
            "return requests not yet served",
            "after-sales comes later",
            &self.returns,
        ));
        lines.extend(outcome_lines(
            "cancellations without an order",
            "bought before the file begins, or more than was bought",
            &self.unmatched,
        ));
        lines
    }

    fn refusal_lines(&self) -> Vec<String> {
        if self.kinds.is_empty() {
            return Vec::new();
        }
        let mut table = Table::new(&[
            ("reason", Align::Left),
            ("field", Align::Left),
            ("orders", Align::Right),
            ("such as", Align::Left),
            ("because", Align::Left),
        ]);
        let mut kinds: Vec<_> = self.kinds.iter().collect();
        kinds.sort_by_key(|(_, kind)| std::cmp::Reverse(kind.orders));
        for ((reason, field), kind) in kinds {
            table.row([
                reason.clone(),
                field.clone(),
                grouped(kind.orders),
                kind.examples.join(" "),
                clip(&kind.message, 70),
            ]);
        }
        let mut lines = vec![
            String::new(),
            "Refused, by reason and field (an order may be wrong in several):".to_owned(),
        ];
        lines.extend(table.lines());
        lines
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        let sorted = self.sorted();
        let micros = |percent| self.percentile(&sorted, percent).as_micros();
        let outcomes = |outcomes: &[Outcome]| {
            outcomes
                .iter()
                .map(|one| {
                    json!({
                        "cancellation": one.cancellation,
                        "order": one.order,
                        "units": one.units,
                        "told": one.told,
                    })
                })
                .collect::<Vec<_>>()
        };
        json!({
            "orders": self.orders(),
            "accepted": self.accepted,
            "repeated": self.repeated,
            "refused": self.refused,
            "lost": self.lost,
            "lines": self.lines,
            "refusals": self.kinds.iter().map(|((reason, field), kind)| json!({
                "reason": reason,
                "field": field,
                "orders": kind.orders,
                "examples": kind.examples,
                "message": kind.message,
            })).collect::<Vec<_>>(),
            "cancelled": outcomes(&self.cancelled),
            "returns_not_served": outcomes(&self.returns),
            "cancellations_without_order": outcomes(&self.unmatched),
            "seconds": self.elapsed.as_secs_f64(),
            "orders_per_second": self.per_second(),
            "p50_us": u64::try_from(micros(50)).unwrap_or(u64::MAX),
            "p99_us": u64::try_from(micros(99)).unwrap_or(u64::MAX),
        })
    }
}

fn outcome_lines(title: &str, remark: &str, outcomes: &[Outcome]) -> Vec<String> {
    if outcomes.is_empty() {
        return Vec::new();
    }
    let mut table = Table::new(&[
        ("invoice", Align::Left),
        ("order", Align::Left),
        ("units", Align::Right),
        ("", Align::Left),
    ]);
    for one in outcomes {
        table.row([
            one.cancellation.clone(),
            if one.order.is_empty() { "-".to_owned() } else { one.order.clone() },
            grouped(one.units),
            clip(&one.told, 80),
        ]);
    }
    let mut lines =
        vec![String::new(), format!("{}: {} ({remark})", sentence_case(title), outcomes.len())];
    lines.extend(table.lines());
    lines
}

fn sentence_case(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Outcome, Tally};
    use crate::refusal::Refusal;

    #[test]
    fn refusals_are_counted_once_an_order_by_reason_and_field() {
        let mut tally = Tally::default();
        let price = |line| Refusal::malformed(format!("lines[{line}].listing.unit_price"), "is 0");
        tally.refused("1", &[price(0), price(3), Refusal::malformed("buyer.buyer_id", "")], None);
        tally.refused("2", &[price(9)], None);
        let counted: Vec<_> =
            tally.kinds.iter().map(|((_, field), kind)| (field.as_str(), kind.orders)).collect();
        assert_eq!(counted, [("buyer.buyer_id", 1), ("lines[].listing.unit_price", 2)]);
        assert_eq!(tally.orders(), 2);
        let table = tally.table().join("\n");
        assert!(table.contains("lines[].listing.unit_price       2  1 2"), "{table}");
    }

    #[test]
    fn percentiles_are_latencies_that_were_measured() {
        let mut tally = Tally::default();
        for millis in (1..=100).rev() {
            tally.answered(false, 1, Duration::from_millis(millis));
        }
        let json = tally.json();
        assert_eq!(
            (json["p50_us"].as_u64(), json["p99_us"].as_u64()),
            (Some(50_000), Some(99_000))
        );
        assert_eq!(Tally::default().json()["p99_us"].as_u64(), Some(0));
    }

    #[test]
    fn what_became_of_cancellations_is_listed() {
        let mut tally = Tally::default();
        tally.returns.push(Outcome {
            cancellation: "C536737".to_owned(),
            order: "536537".to_owned(),
            units: 2,
            told: "delivered".to_owned(),
        });
        let table = tally.table().join("\n");
        assert!(table.contains("Return requests not yet served: 1"), "{table}");
        assert!(table.contains("C536737  536537      2  delivered"), "{table}");
    }
}
