//! Complaints in words: levels, phases, causes, deadlines, money.

use contracts::{
    common::Money,
    complaints::{Complaint, ComplaintPhase},
};
use jiff::Timestamp;
use prost_reflect::EnumDescriptor;

use crate::{amount::CURRENCY, amount::yuan, terminal::plain, times::moment, times::span};

/// A value of an enum as it is typed, `awaiting-user` of `ComplaintPhase`: for clap.
///
/// # Errors
/// There is no such value; all there are are named.
pub(super) fn choice<E: TryFrom<i32>>(
    name: &'static str,
) -> impl Fn(&str) -> Result<E, String> + Clone {
    move |text| {
        let found = values(name).into_iter().find(|(word, _)| *word == text.replace('-', " "));
        found.and_then(|(_, number)| E::try_from(number).ok()).ok_or_else(|| {
            let all: Vec<_> =
                values(name).into_iter().map(|(word, _)| word.replace(' ', "-")).collect();
            format!("choose one of {}", all.join(", "))
        })
    }
}

/// The values of an enum of the contracts, in words; what is not given is none of them.
fn values(name: &str) -> Vec<(String, i32)> {
    let found = contracts::pool().get_enum_by_name(&format!("emall.complaints.v1.{name}"));
    let values = found.iter().flat_map(|kind| {
        kind.values().map(|value| (without_prefix(kind, value.name()), value.number()))
    });
    values.filter(|(_, number)| *number != 0).collect()
}

/// `CAUSE_CLASS_PRODUCT_QUALITY` as `product quality`, whichever enum it belongs to; another text as it is.
pub(super) fn word(name: &str) -> String {
    let mut kinds = contracts::pool().all_enums();
    let of = kinds.find(|kind| {
        kind.package_name() == "emall.complaints.v1"
            && kind.values().any(|value| value.name() == name)
    });
    match of {
        Some(_) if name.ends_with("_UNSPECIFIED") => "-".to_owned(),
        Some(kind) => without_prefix(&kind, name),
        None => plain(name),
    }
}

/// A value's name without that of its enum: `CauseClass` is `CAUSE_CLASS_` in front of each.
fn without_prefix(kind: &EnumDescriptor, value: &str) -> String {
    let mut prefix = String::new();
    for letter in kind.name().chars() {
        if letter.is_uppercase() && !prefix.is_empty() {
            prefix.push('_');
        }
        prefix.extend(letter.to_uppercase());
    }
    prefix.push('_');
    value.strip_prefix(&prefix).unwrap_or(value).to_lowercase().replace('_', " ")
}

/// A text of a user or of ours; a dash for none.
pub(super) fn or_dash(text: &str) -> String {
    if text.is_empty() { "-".to_owned() } else { plain(text) }
}

/// `1,234.50 CNY`; nothing for no money.
pub(super) fn money(amount: Option<&Money>) -> String {
    amount.map_or_else(String::new, |amount| {
        format!("{} {}", yuan(amount.minor_units), plain(&amount.currency)).trim_end().to_owned()
    })
}

/// The same in a column that names our currency.
pub(super) fn sum(amount: Option<&Money>) -> String {
    match amount {
        Some(amount) if amount.currency == CURRENCY => yuan(amount.minor_units),
        Some(_) | None => money(amount),
    }
}

/// How far away its deadline is: `in 1 h 12 min`, `late 3 min`. What was agreed to is late only when it
/// was agreed to after that; what has no deadline, or was cancelled, is never.
pub(super) fn distance(complaint: &Complaint, now: Timestamp) -> String {
    let Some(due) = moment(complaint.close_by.as_ref()) else { return String::new() };
    let agreed = match complaint.phase() {
        ComplaintPhase::Unspecified
        | ComplaintPhase::Received
        | ComplaintPhase::Investigating
        | ComplaintPhase::AwaitingUser
        | ComplaintPhase::Offered
        | ComplaintPhase::Coordinating
        | ComplaintPhase::ExternalReview => {
            let left = due.duration_since(now);
            let word = if left.is_negative() { "late" } else { "in" };
            return format!("{word} {}", span(left));
        }
        ComplaintPhase::Cancelled => None,
        ComplaintPhase::Agreed
        | ComplaintPhase::Executing
        | ComplaintPhase::FollowUp
        | ComplaintPhase::Remedying
        | ComplaintPhase::Satisfied
        | ComplaintPhase::Analysed
        | ComplaintPhase::Noticed
        | ComplaintPhase::Closed => moment(complaint.agreed_at.as_ref()),
    };
    agreed
        .filter(|agreed| *agreed > due)
        .map_or_else(String::new, |agreed| format!("late {}", span(agreed.duration_since(due))))
}

#[cfg(test)]
mod tests {
    use contracts::complaints::{CauseClass, ComplaintLevel};
    use eventlog::time::to_proto;

    use super::*;

    #[test]
    fn a_value_is_read_as_it_is_shown_and_another_is_refused_with_all_there_are() {
        let cause = choice::<CauseClass>("CauseClass");
        assert_eq!(cause("service-process"), Ok(CauseClass::ServiceProcess));
        assert_eq!(word(CauseClass::ServiceProcess.as_str_name()), "service process");
        assert_eq!(
            choice::<ComplaintLevel>("ComplaintLevel")("urgent"),
            Err("choose one of general, major".to_owned())
        );
        assert!(cause("").is_err() && cause("unspecified").is_err());
        assert_eq!(word("COMPLAINT_LEVEL_UNSPECIFIED"), "-");
        assert_eq!(word("李\u{1b}"), "李 ");
    }

    #[test]
    fn money_is_told_with_its_currency() {
        let amount = Money { minor_units: 123_450, currency: "CNY".to_owned() };
        assert_eq!(money(Some(&amount)), "1,234.50 CNY");
        assert_eq!(money(None), "");
        assert_eq!(sum(Some(&amount)), "1,234.50");
        assert_eq!(sum(Some(&Money { currency: "EUR".to_owned(), ..amount })), "1,234.50 EUR");
    }

    #[test]
    fn a_deadline_is_told_from_now_until_a_solution_is_agreed_to() {
        let at = |second| Some(to_proto(Timestamp::from_second(second).unwrap()));
        let now = Timestamp::from_second(10_000).unwrap();
        let told = |phase: ComplaintPhase, due, agreed| {
            let complaint = Complaint {
                phase: phase.into(),
                close_by: at(due),
                agreed_at: agreed,
                ..Default::default()
            };
            distance(&complaint, now)
        };
        assert_eq!(told(ComplaintPhase::Investigating, 14_320, None), "in 1 h 12 min");
        assert_eq!(told(ComplaintPhase::Offered, 9_820, None), "late 3 min");
        assert_eq!(told(ComplaintPhase::Closed, 9_820, at(9_000)), "");
        assert_eq!(told(ComplaintPhase::Agreed, 9_820, at(9_880)), "late 1 min");
        assert_eq!(told(ComplaintPhase::Cancelled, 9_820, None), "");
        // opened again: what was agreed to before does not count
        assert_eq!(told(ComplaintPhase::Investigating, 9_820, at(9_000)), "late 3 min");
        assert_eq!(distance(&Complaint::default(), now), "");
    }
}
