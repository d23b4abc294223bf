use std::collections::BTreeMap;

use contracts::ordering::{
    AcceptedLine, DiscrepancyResolved, GoodsAccepted, InvoiceIssued, OrderCancelled,
    OrderConfirmed, OrderDeclined, OrderFulfilled, OrderPlaced, OrderRefused, OrderSettled,
    OrderTerms, PreOrderExpired, PreOrderReleased, PreOrderReserved, RedInvoiceIssued,
};
use proptest::prelude::*;
use prost::Message as _;
use prost_types::Timestamp as ProtoTimestamp;

use super::*;

/// 2026-03-01T00:00:00 in Shanghai.
const MIDNIGHT: i64 = 1_772_294_400;

fn moment(seconds: i64) -> Option<ProtoTimestamp> {
    Some(ProtoTimestamp { seconds, nanos: 0 })
}

fn yuan(minor_units: i64) -> Option<Money> {
    Some(Money { minor_units, currency: "CNY".into() })
}

fn recorded(event: impl Into<Event>) -> RecordedEvent {
    let event = event.into();
    RecordedEvent {
        position: 1,
        stream: "order.o-1".into(),
        version: 1,
        r#type: event.type_name().into(),
        body: event.encode_body().into(),
        ..RecordedEvent::default()
    }
}

fn placed(platform: &str, seconds: i64, minor: i64) -> RecordedEvent {
    recorded(OrderPlaced {
        terms: Some(OrderTerms {
            platform: platform.into(),
            placed_at: moment(seconds),
            total: yuan(minor),
            ..OrderTerms::default()
        }),
        from_pre_order: false,
    })
}

#[test]
fn a_day_is_that_of_shanghai_by_the_business_time() {
    let day = |seconds| DailyFigures::facts(&placed("mall", seconds, 1)).unwrap().0;
    assert_eq!(day(MIDNIGHT), "mall:2026-03-01");
    assert_eq!(day(MIDNIGHT - 1), "mall:2026-02-28");
    assert_eq!(day(MIDNIGHT + 86_399), "mall:2026-03-01");
}

#[test]
fn each_event_adds_to_its_figure() {
    let platform = || "mall".to_owned();
    let at = moment(MIDNIGHT);
    let events = [
        placed("mall", MIDNIGHT, 1_000),
        recorded(OrderDeclined { platform: platform(), declined_at: at, ..Default::default() }),
        recorded(OrderCancelled { platform: platform(), cancelled_at: at, ..Default::default() }),
        recorded(PreOrderReleased { platform: platform(), released_at: at, ..Default::default() }),
        recorded(PreOrderExpired { platform: platform(), expired_at: at, ..Default::default() }),
        recorded(OrderFulfilled { platform: platform(), fulfilled_at: at, ..Default::default() }),
        recorded(GoodsAccepted {
            platform: platform(),
            accepted_at: at,
            amount: yuan(700),
            ..Default::default()
        }),
        recorded(DiscrepancyResolved {
            platform: platform(),
            resolved_at: at,
            accepted: Some(AcceptedLine { amount: yuan(50), ..Default::default() }),
            ..Default::default()
        }),
        recorded(OrderRefused { platform: platform(), refused_at: at, ..Default::default() }),
        recorded(InvoiceIssued {
            platform: platform(),
            issued_at: at,
            amount: yuan(750),
            ..Default::default()
        }),
        recorded(RedInvoiceIssued {
            platform: platform(),
            issued_at: at,
            amount: yuan(200),
            ..Default::default()
        }),
        recorded(OrderSettled {
            platform: platform(),
            settled_at: at,
            amount: yuan(750),
            ..Default::default()
        }),
    ];
    let mut row = Row::default();
    for event in &events {
        let (id, fact) = DailyFigures::facts(event).unwrap();
        assert_eq!(id, "mall:2026-03-01");
        DailyFigures::apply(&mut row, fact);
    }
    let expected = Row {
        platform: "mall".into(),
        day: "2026-03-01".into(),
        placed: 1,
        placed_amount: yuan(1_000),
        ended_early: 4,
        fulfilled: 1,
        accepted_amount: yuan(750),
        refused: 1,
        invoiced: 1,
        invoiced_amount: yuan(550),
        settled: 1,
        settled_amount: yuan(750),
    };
    assert_eq!(row, expected);
    let listing = listing("mall", "2026-03-01", "2026-03-01");
    let key = &DailyFigures::keys(&row)[0];
    assert!(key.value >= listing.from && Some(&key.value) < listing.to.as_ref());
}

#[test]
fn what_is_no_figure_goes_nowhere() {
    let damaged = RecordedEvent { body: vec![0xff].into(), ..placed("mall", MIDNIGHT, 1) };
    let elsewhere = RecordedEvent { stream: "contract.k-1".into(), ..placed("mall", MIDNIGHT, 1) };
    let timeless = recorded(OrderDeclined {
        platform: "mall".into(),
        declined_at: None,
        ..Default::default()
    });
    let untreated = recorded(DiscrepancyResolved {
        platform: "mall".into(),
        resolved_at: moment(MIDNIGHT),
        accepted: None,
        ..Default::default()
    });
    for event in [
        recorded(OrderConfirmed::default()),
        recorded(PreOrderReserved::default()),
        recorded(OrderPlaced::default()),
        damaged,
        elsewhere,
        timeless,
        untreated,
    ] {
        assert!(DailyFigures::facts(&event).is_none(), "{event:?}");
    }
}

/// A time outside of the calendar is no day.
#[test]
fn a_time_beyond_the_calendar_panics_nowhere() {
    for seconds in [i64::MIN, i64::MAX, 253_402_300_799, -377_705_116_800] {
        let event = placed("mall", seconds, 1);
        let mut row = Row::default();
        if let Some((_, fact)) = DailyFigures::facts(&event) {
            DailyFigures::apply(&mut row, fact);
        }
    }
}

proptest! {
    /// Rows folded event by event equal figures counted straight from the list of facts, and come
    /// out the same, byte for byte, each time.
    #[test]
    fn folding_equals_counting(
        facts in prop::collection::vec((0_u8..3, 0_u8..2, 0_i64..3, any::<i32>()), 0..80),
    ) {
        let platforms = ["mall", "mall:a"];
        let events: Vec<RecordedEvent> = facts
            .iter()
            .map(|&(what, platform, day, minor)| {
                let platform = platforms[usize::from(platform)];
                let at = MIDNIGHT + day * 86_400 + 7;
                let amount = yuan(minor.into());
                match what {
                    0 => placed(platform, at, minor.into()),
                    1 => recorded(InvoiceIssued { platform: platform.into(), issued_at: moment(at), amount, ..Default::default() }),
                    _ => recorded(RedInvoiceIssued { platform: platform.into(), issued_at: moment(at), amount, ..Default::default() }),
                }
            })
            .collect();
        let fold_all = || {
            let mut rows: BTreeMap<String, Row> = BTreeMap::new();
            for event in &events {
                let (id, fact) = DailyFigures::facts(event).unwrap();
                DailyFigures::apply(rows.entry(id).or_default(), fact);
            }
            rows
        };
        let rows = fold_all();
        for (index, platform) in platforms.iter().enumerate() {
            for day in 0..3 {
                let here: Vec<_> = facts
                    .iter()
                    .filter(|fact| usize::from(fact.1) == index && fact.2 == day)
                    .collect();
                let sum = |what: u8| -> i64 {
                    here.iter().filter(|fact| fact.0 == what).map(|fact| i64::from(fact.3)).sum()
                };
                let count = |what: u8| here.iter().filter(|fact| fact.0 == what).count() as u64;
                let row = rows.get(&format!("{platform}:2026-03-0{}", day + 1)).cloned();
                prop_assert_eq!(row.is_some(), !here.is_empty());
                let row = row.unwrap_or_default();
                prop_assert_eq!(row.placed, count(0));
                prop_assert_eq!(row.invoiced, count(1));
                let minor = |amount: Option<Money>| amount.map_or(0, |amount| amount.minor_units);
                prop_assert_eq!(minor(row.placed_amount), sum(0));
                prop_assert_eq!(minor(row.invoiced_amount), sum(1) - sum(2));
            }
        }
        let bytes = |rows: &BTreeMap<String, Row>| -> Vec<Vec<u8>> {
            rows.values().map(|row| row.encode_to_vec()).collect()
        };
        prop_assert_eq!(bytes(&rows), bytes(&fold_all()));
    }
}
