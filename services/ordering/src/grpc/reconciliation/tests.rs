use std::sync::Arc;

use chassis::testing::{by_platform, by_us, fields, reason};
use contracts::{
    common::{Money, RecordedEvent, Role},
    ordering::{DailyFigures, DifferenceKind as Kind, OrderPhase as Phase, ReconciliationEntry},
};
use eventlog::{
    Projection, RowWrite,
    time::{from_proto, to_proto},
};
use jiff::{Timestamp, tz::Offset};
use prost::Message as _;
use tonic::Code;

use super::*;
use crate::grpc::testing::{Bench, an_order, bench};

fn service_of(bench: &Bench) -> Reconciliations {
    Reconciliations { desk: bench.desk(), zone: TimeZone::fixed(Offset::constant(8)) }
}

fn yuan(minor_units: i64) -> Option<Money> {
    Some(Money { minor_units, currency: "CNY".into() })
}

/// An order placed at a moment, on our list of new orders.
async fn placed(bench: &Bench, platform: &str, number: &str, at: &str, minor: i64) {
    let at: Timestamp = at.parse().unwrap();
    let order = Order {
        phase: Phase::Placed.into(),
        placed_at: Some(to_proto(at)),
        total: yuan(minor),
        ..an_order(platform, number)
    };
    let keys = <crate::order::Order as eventlog::Recorded>::keys(&order);
    bench.order(&order, keys).await;
}

fn entry(number: &str, minor: i64) -> ReconciliationEntry {
    ReconciliationEntry { platform_order_no: number.into(), amount: yuan(minor) }
}

fn request(entries: Vec<ReconciliationEntry>) -> api::ReconcileOrdersRequest {
    api::ReconcileOrdersRequest {
        reconciliation_id: "r-1".into(),
        platform: String::new(),
        day: "2026-03-01".into(),
        list: List::New.into(),
        entries,
        at: None,
    }
}

#[tokio::test]
async fn a_list_is_compared_with_our_orders_of_that_day_in_the_zone() {
    let bench = bench().await;
    let service = service_of(&bench);
    // the day begins at 16:00 UTC of the day before
    placed(&bench, "mall", "before", "2026-02-28T15:59:59Z", 1).await;
    placed(&bench, "mall", "first", "2026-02-28T16:00:00Z", 2).await;
    placed(&bench, "mall", "amount", "2026-03-01T03:00:00Z", 3).await;
    placed(&bench, "mall", "missing", "2026-03-01T15:59:59.999999Z", 4).await;
    placed(&bench, "mall", "after", "2026-03-01T16:00:00Z", 5).await;
    placed(&bench, "other", "foreign", "2026-03-01T03:00:00Z", 6).await;
    let reserved = Order { phase: Phase::Reserved.into(), ..an_order("mall", "reserved") };
    bench.order(&reserved, Vec::new()).await;
    let list = vec![
        entry("first", 2),
        entry("amount", 30),
        entry("before", 1),
        entry("foreign", 6),
        entry("reserved", 7),
        entry("first", 2),
    ];
    let reply = service.reconcile_orders(by_platform("mall", request(list.clone()))).await.unwrap();
    let reply = reply.into_inner();
    let made = reply.reconciliation.unwrap();
    let differences: Vec<_> =
        made.differences.iter().map(|it| (it.platform_order_no.as_str(), it.kind())).collect();
    assert_eq!(
        differences,
        [
            ("amount", Kind::Amount),
            ("before", Kind::Day),
            ("first", Kind::ListedTwice),
            ("foreign", Kind::UnknownHere),
            ("missing", Kind::MissingThere),
            ("reserved", Kind::BehindHere),
        ]
    );
    assert_eq!((made.their_count, made.our_count, made.matched), (6, 3, 1));
    assert_eq!((made.their_total, made.our_total), (yuan(48), yuan(9)));
    assert!(!reply.repeated);

    // our side moves on; the comparison stays as it was made
    placed(&bench, "mall", "late-comer", "2026-03-01T04:00:00Z", 9).await;
    let mut turned = list.clone();
    turned.reverse();
    let again = service.reconcile_orders(by_platform("mall", request(turned))).await.unwrap();
    let again = again.into_inner();
    assert!(again.repeated);
    assert_eq!(again.reconciliation.unwrap().our_count, 3);
    let other = service.reconcile_orders(by_platform("mall", request(list[1..].to_vec()))).await;
    let other = other.unwrap_err();
    assert_eq!((other.code(), reason(&other).as_str()), (Code::AlreadyExists, "DIFFERENT_CONTENT"));
}

#[tokio::test]
async fn more_orders_than_fit_on_a_page_are_all_compared() {
    let bench = bench().await;
    let service = service_of(&bench);
    let count = ORDERS_PER_PAGE + 7;
    for number in 0..count {
        placed(&bench, "mall", &format!("PO-{number}"), "2026-03-01T03:00:00Z", 1).await;
    }
    let list = (0..count).map(|number| entry(&format!("PO-{number}"), 1)).collect();
    let reply = service.reconcile_orders(by_platform("mall", request(list))).await.unwrap();
    let made = reply.into_inner().reconciliation.unwrap();
    assert_eq!((made.matched as usize, made.open_differences), (count, 0));
}

#[tokio::test]
async fn differences_are_resolved_until_none_is_open() {
    let bench = bench().await;
    let service = service_of(&bench);
    let list = vec![entry("a", 1), entry("b", 2)];
    service.reconcile_orders(by_platform("mall", request(list))).await.unwrap();
    let resolve = |difference_no, resolution: &str| {
        let message = api::ResolveDifferenceRequest {
            reconciliation_id: "r-1".into(),
            difference_no,
            resolution: resolution.into(),
            at: None,
        };
        by_us("财务", Role::Finance, message)
    };
    let open = |open_only| {
        let message = api::ListReconciliationsRequest { open_only, ..Default::default() };
        by_us("财务", Role::Finance, message)
    };
    for (number, repeated, left) in [(1, false, 1), (1, true, 1), (2, false, 0)] {
        let listed = service.list_reconciliations(open(true)).await.unwrap().into_inner();
        assert_eq!(listed.reconciliations.len(), 1);
        assert!(listed.reconciliations[0].differences.is_empty(), "read one by one");
        let reply = service.resolve_difference(resolve(number, "补录")).await.unwrap().into_inner();
        let row = reply.reconciliation.unwrap();
        assert_eq!((reply.repeated, row.open_differences), (repeated, left));
        assert_eq!(row.differences[0].resolved_by, "财务");
    }
    let listed =
        |page: Response<api::ListReconciliationsResponse>| page.into_inner().reconciliations.len();
    assert_eq!(listed(service.list_reconciliations(open(true)).await.unwrap()), 0);
    assert_eq!(listed(service.list_reconciliations(open(false)).await.unwrap()), 1);
    for (number, text, expected) in
        [(1, "退款", "DIFFERENT_CONTENT"), (3, "补录", "UNKNOWN_DIFFERENCE")]
    {
        let refused = service.resolve_difference(resolve(number, text)).await.unwrap_err();
        assert_eq!(reason(&refused), expected);
    }
}

#[tokio::test]
async fn another_platform_sees_nothing_of_a_reconciliation() {
    let bench = bench().await;
    let service = service_of(&bench);
    service.reconcile_orders(by_platform("mall", request(vec![entry("a", 1)]))).await.unwrap();
    let get = || api::GetReconciliationRequest { reconciliation_id: "r-1".into() };
    let unseen = service.get_reconciliation(by_platform("other", get())).await.unwrap_err();
    assert_eq!(unseen.code(), Code::NotFound);
    let taken = service.reconcile_orders(by_platform("other", request(vec![entry("a", 1)]))).await;
    assert_eq!(taken.unwrap_err().code(), Code::NotFound);
    let list = api::ListReconciliationsRequest::default();
    let page = service.list_reconciliations(by_platform("other", list)).await.unwrap();
    assert!(page.into_inner().reconciliations.is_empty());
    let foreign = api::ReconcileOrdersRequest { platform: "mall".into(), ..request(Vec::new()) };
    let foreign = service.reconcile_orders(by_platform("other", foreign)).await.unwrap_err();
    assert_eq!(fields(&foreign), ["platform"]);
    assert!(service.get_reconciliation(by_platform("mall", get())).await.is_ok());
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let bench = bench().await;
    let service = service_of(&bench);
    let hostile = api::ReconcileOrdersRequest {
        reconciliation_id: String::new(),
        platform: String::new(),
        day: "2026-3-1".into(),
        list: 99,
        entries: vec![
            ReconciliationEntry { platform_order_no: String::new(), amount: yuan(-1) },
            ReconciliationEntry { platform_order_no: "a\u{1f}b".into(), amount: None },
        ],
        at: None,
    };
    let refused =
        service.reconcile_orders(by_us("财务", Role::Finance, hostile)).await.unwrap_err();
    assert_eq!(
        fields(&refused),
        [
            "day",
            "entries[0].amount.minor_units",
            "entries[0].platform_order_no",
            "entries[1].amount",
            "entries[1].platform_order_no",
            "list",
            "platform",
            "reconciliation_id",
        ]
    );
    for day in ["", "2026-02-30", "20260301", "2026-03-01T00:00:00", "9999-12-31", "-02026-03-0"] {
        let wrong = api::ReconcileOrdersRequest { day: day.into(), ..request(Vec::new()) };
        let refused = service.reconcile_orders(by_platform("mall", wrong)).await.unwrap_err();
        assert_eq!(fields(&refused), ["day"], "{day}");
    }
    let many = vec![entry("a", 1); MOST_ENTRIES + 1];
    let refused = service.reconcile_orders(by_platform("mall", request(many))).await.unwrap_err();
    assert_eq!(fields(&refused), ["entries"]);
    let dollars = Some(Money { minor_units: 1, currency: "USD".into() });
    let dollars = ReconciliationEntry { amount: dollars, ..entry("b", 1) };
    let mixed = request(vec![entry("a", 1), dollars]);
    let refused = service.reconcile_orders(by_platform("mall", mixed)).await.unwrap_err();
    assert_eq!(reason(&refused), "MIXED_CURRENCIES");
    let strangers = (0..6_000).map(|number| entry(&number.to_string(), 1)).collect();
    let refused = service.reconcile_orders(by_platform("mall", request(strangers))).await;
    assert_eq!(reason(&refused.unwrap_err()), "TOO_MANY_DIFFERENCES");
}

/// Puts figures there as the projection would.
async fn figures(bench: &Bench, platform: &str, day: &str) {
    let row = DailyFigures {
        platform: platform.into(),
        day: day.into(),
        placed: 1,
        ..DailyFigures::default()
    };
    let write = RowWrite {
        kind: daily_figures::DailyFigures::NAME.into(),
        id: format!("{platform}:{day}"),
        version: 1,
        body: row.encode_to_vec().into(),
        keys_removed: Vec::new(),
        keys_added: daily_figures::DailyFigures::keys(&row),
    };
    bench.log.commit(eventlog::Commit::new().row(write)).await.unwrap();
}

#[tokio::test]
async fn figures_are_read_from_day_to_day() {
    let bench = bench().await;
    let service = service_of(&bench);
    for day in ["2026-02-28", "2026-03-01", "2026-03-03", "2026-03-04"] {
        figures(&bench, "mall", day).await;
        figures(&bench, "other", day).await;
    }
    let between = |platform: &str, from: &str, until: &str| api::GetDailyFiguresRequest {
        platform: platform.into(),
        from_day: from.into(),
        until_day: until.into(),
    };
    let wanted = between("", "2026-03-01", "2026-03-03");
    let reply = service.get_daily_figures(by_platform("mall", wanted.clone())).await.unwrap();
    let days = reply.into_inner().days;
    let seen: Vec<_> = days.iter().map(|it| (it.platform.as_str(), it.day.as_str())).collect();
    assert_eq!(seen, [("mall", "2026-03-01"), ("mall", "2026-03-03")]);
    let nobody = service.get_daily_figures(by_us("财务", Role::Finance, wanted)).await.unwrap_err();
    assert_eq!(fields(&nobody), ["platform"]);
    for (from, until) in [("2026-03-02", "2026-03-01"), ("2025-03-01", "2026-03-02")] {
        let refused =
            service.get_daily_figures(by_platform("mall", between("", from, until))).await;
        assert_eq!(fields(&refused.unwrap_err()), ["until_day"]);
    }
    let foreign = between("other", "2026-03-01", "2026-03-03");
    let refused = service.get_daily_figures(by_platform("mall", foreign)).await.unwrap_err();
    assert_eq!(fields(&refused), ["platform"]);
}

/// A log with claims and deductions in it, projected while it grows, equals a fold of its events.
#[tokio::test]
async fn projected_records_equal_a_fold_of_the_log() {
    use crate::damage_claim::{Consignment, DamageClaim, Event};
    let bench = bench().await;
    let shutdown = tokio_util::sync::CancellationToken::new();
    let projecting = {
        let (log, shutdown) = (bench.log.clone(), shutdown.clone());
        tokio::spawn(async move { log.project::<CarrierRecord>(shutdown).await })
    };
    let context = eventlog::Context {
        actor: "测试".into(),
        platform: String::new(),
        causation: "test".into(),
        traceparent: String::new(),
        now: bench.desk().now(),
    };
    for number in 0..40 {
        let carrier = ["顺丰", "德邦"][number % 2];
        let order = Order {
            follower: "李".into(),
            shipments: vec![api::Shipment {
                shipment_id: "s".into(),
                carrier: carrier.into(),
                dispatched_at: Some(to_proto(context.now)),
                ..Default::default()
            }],
            ..an_order("mall", "PO")
        };
        let consignment = Consignment::of(&order, "s").unwrap();
        let cmd = crate::damage_claim::ReportDamage {
            claim_id: format!("c-{number}"),
            order_id: order.order_id.clone(),
            shipment_id: "s".into(),
            kind: api::DamageKind::Late,
            lines: Vec::new(),
            description: "晚".into(),
            salesperson: None,
            when: chassis::When::now(context.now),
        };
        let decide = |claim: &DamageClaim| -> decider::Decision<Event, _> {
            claim.report(&cmd, &consignment)
        };
        bench.log.transact(&cmd.claim_id, &context, decide).await.unwrap();
    }
    let last = bench.log.last_position().await.unwrap();
    let source = eventlog::projection_source(CarrierRecord::NAME);
    tokio::time::timeout(std::time::Duration::from_secs(20), async {
        while bench.log.cursor(&source).await.unwrap() < last {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
    shutdown.cancel();
    projecting.await.unwrap().unwrap();
    let events: Vec<Arc<RecordedEvent>> = bench.log.read_after(0, 1_000).await.unwrap();
    for carrier in ["顺丰", "德邦"] {
        let mut row = CarrierRow::default();
        for event in &events {
            if let Some((id, fact)) = CarrierRecord::facts(event)
                && id == carrier
            {
                CarrierRecord::apply(&mut row, fact);
            }
        }
        assert_eq!(row.damage_claims, 20);
        let stored = bench.log.get_row(CarrierRecord::NAME, carrier).await.unwrap().unwrap();
        assert_eq!(stored.body, row.encode_to_vec());
    }
    let service = service_of(&bench);
    let get = |carrier: &str| api::GetCarrierRecordRequest { carrier: carrier.into() };
    let reply = service.get_carrier_record(by_us("李", Role::Operator, get("顺丰"))).await.unwrap();
    assert_eq!(reply.into_inner().record.unwrap().damage_claims, 20);
    let unknown = service.get_carrier_record(by_us("李", Role::Operator, get("无"))).await;
    assert_eq!(reason(&unknown.unwrap_err()), "UNKNOWN_CARRIER");
    assert!(from_proto(&events[0].recorded_at.unwrap()).is_some());
}
