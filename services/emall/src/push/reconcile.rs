//! The end of the day: this e-mall sends its lists of new and finished orders.
//!
//! Two differences are planted, so that it can be seen that differences are found: an order is
//! left out of the first list of new ones, and an amount in the last list of finished ones is
//! 1.00 too high.

use std::collections::BTreeMap;

use contracts::ordering::{
    Difference, DifferenceKind, Order, OrderPhase, ReconcileOrdersRequest, Reconciliation,
    ReconciliationEntry, ReconciliationList,
};
use jiff::tz::TimeZone;
use serde_json::json;

use super::{
    ZONE,
    draft::{money, sha256, timestamp},
    life::{Life, phase_name},
};
use crate::{
    amount::CURRENCY,
    amount::yuan,
    client::{As, Client},
    end::Failure,
    table::{Align, Table, grouped},
    times::moment,
};

/// The lists that are sent, by day.
type Lists = BTreeMap<(i32, String), Vec<ReconciliationEntry>>;

pub(crate) async fn all(
    client: &Client,
    platform: &str,
    lives: &[Life],
) -> Result<Vec<Reconciliation>, Failure> {
    let zone = TimeZone::get(ZONE)
        .map_err(|error| Failure::because(format!("cannot find the zone {ZONE}"), error))?;
    let mut lists = lists(lives, &zone);
    plant(&mut lists);
    let mut made = Vec::with_capacity(lists.len());
    for ((list, day), entries) in lists {
        let last = lives.iter().filter_map(|life| moment(life.order.settled_at.as_ref())).max();
        let request = ReconcileOrdersRequest {
            reconciliation_id: id(platform, list, &day, &entries),
            platform: platform.to_owned(),
            day,
            list,
            entries,
            at: last.map(timestamp),
        };
        let answer = client
            .call(As::Platform, request, |mut services, request| async move {
                services.reconciliation.reconcile_orders(request).await
            })
            .await
            .map_err(|error| Failure::because("the orders cannot be reconciled", error))?;
        made.extend(answer.reconciliation);
    }
    Ok(made)
}

/// New orders by the day they were placed, finished ones by the day they were settled.
fn lists(lives: &[Life], zone: &TimeZone) -> Lists {
    let mut lists = Lists::new();
    for Life { total, order } in lives {
        let mut add =
            |list: ReconciliationList, at: Option<&prost_types::Timestamp>, amount: i64| {
                let Some(at) = moment(at) else { return };
                let day = at.to_zoned(zone.clone()).date().to_string();
                lists.entry((list.into(), day)).or_default().push(ReconciliationEntry {
                    platform_order_no: order.platform_order_no.clone(),
                    amount: Some(money(amount)),
                });
            };
        add(ReconciliationList::New, order.placed_at.as_ref(), *total);
        if order.phase() == OrderPhase::Settled {
            add(ReconciliationList::Finished, order.settled_at.as_ref(), payable(order));
        }
    }
    for entries in lists.values_mut() {
        entries.sort_by(|a, b| a.platform_order_no.cmp(&b.platform_order_no));
    }
    lists
}

fn payable(order: &Order) -> i64 {
    order.payable.as_ref().map_or(0, |payable| payable.minor_units)
}

fn plant(lists: &mut Lists) {
    let new = i32::from(ReconciliationList::New);
    if let Some((_, entries)) = lists.iter_mut().find(|((list, _), _)| *list == new)
        && entries.len() > 1
    {
        entries.pop();
    }
    let finished = i32::from(ReconciliationList::Finished);
    let last = lists.iter_mut().rfind(|((list, _), _)| *list == finished);
    let amount = last.and_then(|(_, entries)| entries.first_mut()?.amount.as_mut());
    if let Some(amount) = amount {
        amount.minor_units = amount.minor_units.saturating_add(100);
    }
}

/// The same list gets the same id, another list of the same day another one.
fn id(platform: &str, list: i32, day: &str, entries: &[ReconciliationEntry]) -> String {
    let text: Vec<_> = entries
        .iter()
        .map(|entry| {
            let amount = entry.amount.as_ref().map_or(0, |amount| amount.minor_units);
            format!("{} {amount}", entry.platform_order_no)
        })
        .collect();
    let digest = sha256(&format!("{platform}\n{}", text.join("\n")));
    format!("{day}-{list}-{}", digest.get(..16).unwrap_or_default())
}

pub(crate) fn table(made: &[Reconciliation]) -> Vec<String> {
    if made.is_empty() {
        return Vec::new();
    }
    let mut days = Table::new(&[
        ("day", Align::Left),
        ("list", Align::Left),
        ("theirs", Align::Right),
        ("ours", Align::Right),
        ("matched", Align::Right),
        ("differences", Align::Right),
    ]);
    let mut found = Table::new(&[
        ("day", Align::Left),
        ("list", Align::Left),
        ("order", Align::Left),
        ("difference", Align::Left),
        ("ours CNY", Align::Right),
        ("theirs CNY", Align::Right),
        ("stands as", Align::Left),
    ]);
    for one in made {
        days.row([
            one.day.clone(),
            list_name(one.list()).to_owned(),
            grouped(one.their_count.into()),
            grouped(one.our_count.into()),
            grouped(one.matched.into()),
            grouped(u64::try_from(one.differences.len()).unwrap_or(0)),
        ]);
        for difference in &one.differences {
            found.row([
                one.day.clone(),
                list_name(one.list()).to_owned(),
                difference.platform_order_no.clone(),
                kind_name(difference.kind()).to_owned(),
                amount(difference.our_amount.as_ref()),
                amount(difference.their_amount.as_ref()),
                phase_name(difference.our_phase()).to_owned(),
            ]);
        }
    }
    let mut lines = vec![String::new(), "Reconciled (two differences are planted):".to_owned()];
    lines.extend(days.lines());
    if !found.is_empty() {
        lines.push(String::new());
        lines.extend(found.lines());
    }
    lines
}

fn amount(money: Option<&contracts::common::Money>) -> String {
    match money {
        None => "-".to_owned(),
        Some(money) if money.currency == CURRENCY => yuan(money.minor_units),
        Some(money) => format!("{} {}", yuan(money.minor_units), money.currency),
    }
}

fn list_name(list: ReconciliationList) -> &'static str {
    match list {
        ReconciliationList::Unspecified => "unknown",
        ReconciliationList::New => "new",
        ReconciliationList::Delivered => "delivered",
        ReconciliationList::Refused => "refused",
        ReconciliationList::Finished => "finished",
    }
}

fn kind_name(kind: DifferenceKind) -> &'static str {
    match kind {
        DifferenceKind::Unspecified => "unknown",
        DifferenceKind::UnknownHere => "unknown here",
        DifferenceKind::BehindHere => "behind here",
        DifferenceKind::MissingThere => "missing there",
        DifferenceKind::Amount => "amount",
        DifferenceKind::Day => "day",
        DifferenceKind::ListedTwice => "listed twice",
    }
}

pub(crate) fn json(one: &Reconciliation) -> serde_json::Value {
    let difference = |difference: &Difference| {
        json!({
            "order": difference.platform_order_no,
            "kind": difference.kind().as_str_name(),
            "ours_fen": difference.our_amount.as_ref().map(|money| money.minor_units),
            "theirs_fen": difference.their_amount.as_ref().map(|money| money.minor_units),
        })
    };
    json!({
        "day": one.day,
        "list": one.list().as_str_name(),
        "theirs": one.their_count,
        "ours": one.our_count,
        "matched": one.matched,
        "differences": one.differences.iter().map(difference).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use contracts::ordering::{Order, OrderPhase, ReconciliationList};
    use jiff::{Timestamp, tz::TimeZone};

    use super::{id, lists, plant};
    use crate::push::{
        draft::{money, timestamp},
        life::Life,
    };

    fn life(no: &str, placed: &str, settled: Option<&str>, total: i64, payable: i64) -> Life {
        let time = |text: &str| timestamp(text.parse::<Timestamp>().unwrap());
        let phase = if settled.is_some() { OrderPhase::Settled } else { OrderPhase::Refused };
        Life {
            total,
            order: Order {
                platform_order_no: no.to_owned(),
                phase: phase.into(),
                placed_at: Some(time(placed)),
                settled_at: settled.map(time),
                payable: Some(money(payable)),
                ..Order::default()
            },
        }
    }

    #[test]
    fn a_day_is_that_of_the_platform_and_only_settled_orders_are_finished() {
        let lives = [
            // 2010-12-01 in Shanghai, the day before in UTC.
            life("1", "2010-11-30T17:00:00Z", Some("2010-12-14T15:59:59Z"), 500, 400),
            life("2", "2010-12-01T17:00:00Z", None, 700, 0),
        ];
        let lists = lists(&lives, &TimeZone::get("Asia/Shanghai").unwrap());
        let found: Vec<_> = lists
            .iter()
            .map(|((list, day), entries)| {
                (*list, day.as_str(), entries[0].amount.as_ref().unwrap().minor_units)
            })
            .collect();
        let (new, finished) = (ReconciliationList::New.into(), ReconciliationList::Finished.into());
        assert_eq!(
            found,
            [(new, "2010-12-01", 500), (new, "2010-12-02", 700), (finished, "2010-12-14", 400)]
        );
    }

    #[test]
    fn two_differences_are_planted() {
        let settled = Some("2010-12-14T00:00:00Z");
        let lives = [
            life("1", "2010-12-01T00:00:00Z", settled, 500, 400),
            life("2", "2010-12-01T00:00:00Z", settled, 700, 700),
        ];
        let honest = lists(&lives, &TimeZone::UTC);
        let mut planted = honest.clone();
        plant(&mut planted);
        let entries = |lists: &super::Lists, list: ReconciliationList| {
            lists.iter().find(|((found, _), _)| *found == i32::from(list)).unwrap().1.clone()
        };
        assert_eq!(entries(&planted, ReconciliationList::New).len(), 1);
        let finished = entries(&planted, ReconciliationList::Finished);
        assert_eq!(finished[0].amount.as_ref().unwrap().minor_units, 500);
        let ids = [&honest, &planted].map(|lists| {
            id("mall", 4, "2010-12-14", &entries(lists, ReconciliationList::Finished))
        });
        assert_ne!(ids[0], ids[1]);
    }
}
