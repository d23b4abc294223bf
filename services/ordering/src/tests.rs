//! The whole log of this context, folded again.

use chassis::When;
use contracts::{
    common::Sealed,
    ordering::{
        ContractTerms, DamageKind, EnquiryKind, LineQuantity, Order as OrderRow, OrderPhase,
        ReconciliationList, Treatment,
    },
};
use eventlog::{
    Commit, Projection, Recorded, RowWrite, StoredRow, projection_source, rebuild, verify,
};
use jiff::civil::date;
use tokio_util::sync::CancellationToken;

use crate::{
    amount::Amount,
    carrier_record::CarrierRecord,
    contract::{self, Contract, Draw, RequestChange, ReviewChange, Signatures},
    daily_figures::DailyFigures,
    damage_claim::{Consignment, DamageClaim, Evidence, ReportDamage},
    enquiry::{Enquiry, Question},
    grpc::testing::{Bench, bench},
    kinds,
    order::{
        Order, Rejection,
        tests::sample::{
            Story, expire, find_stalled, fulfilled, handling, in_transit, install, issue_invoice,
            now, policy, red_invoice, request_invoice, reserved, resolve, settle,
        },
    },
    reconciliation::{Ours, Reconciliation, Stand, Subject, Theirs, compare},
};

/// Every row that the log leads to.
const ROWS: [(&str, &str); 11] = [
    (Order::KIND, "paid"),
    (Order::KIND, "disputed"),
    (Order::KIND, "stalled"),
    (Order::KIND, "expired"),
    (DamageClaim::KIND, "c-1"),
    (Enquiry::KIND, "q-1"),
    (Contract::KIND, "k-1"),
    (Reconciliation::KIND, "r-1"),
    (DailyFigures::NAME, "mall:2026-03-02"),
    (DailyFigures::NAME, "mall:2026-03-05"),
    (CarrierRecord::NAME, "Swift"),
];

async fn rows(bench: &Bench) -> Vec<StoredRow> {
    let mut rows = Vec::new();
    for (kind, id) in ROWS {
        let row = bench.log.get_row(kind, id).await.unwrap();
        rows.push(row.unwrap_or_else(|| panic!("there is no row {id} of {kind}")));
    }
    rows
}

async fn tell_order(bench: &Bench, id: &str, story: Story) -> OrderRow {
    let row = bench.tell(id, |_: &Order| Ok::<_, Rejection>(story.events.clone())).await;
    OrderRow::clone(&row)
}

async fn tell_orders(bench: &Bench) -> OrderRow {
    let paid = fulfilled()
        .then(|order| order.record_installation(&install("s1")))
        .then(|order| order.request_invoice(&request_invoice("i-1", None)))
        .then(|order| order.issue_invoice(&issue_invoice("i-1")))
        .then(|order| order.issue_red_invoice(&red_invoice("i-1")))
        .then(|order| order.settle(&settle(7_500)));
    let paid = tell_order(bench, "paid", paid).await;
    let kept = handling(Treatment::AcceptAsIs).then(|order| order.resolve_discrepancy(&resolve()));
    tell_order(bench, "disputed", kept).await;
    let stalled = in_transit(None).then(|order| order.find_stalled(&find_stalled(), &policy()));
    tell_order(bench, "stalled", stalled).await;
    tell_order(bench, "expired", reserved().then(|order| order.expire(&expire()))).await;
    paid
}

async fn tell_claim(bench: &Bench, order: &OrderRow, when: When) {
    let consignment = Consignment::of(order, "s1").unwrap();
    let report = ReportDamage {
        claim_id: "c-1".into(),
        order_id: order.order_id.clone(),
        shipment_id: "s1".into(),
        kind: DamageKind::MinorBreakage,
        lines: vec![LineQuantity { line_no: 1, quantity: 1 }],
        description: "外箱破损".into(),
        salesperson: Some("王业务".into()),
        when,
    };
    let evidence = Evidence {
        photos: vec!["aa".into()],
        carrier_signature: "承运人赵".into(),
        slip: "cc".into(),
    };
    let owed = Amount::new(1_000, "CNY");
    bench.tell("c-1", |it: &DamageClaim| it.report(&report, &consignment)).await;
    bench.tell("c-1", |it: &DamageClaim| it.coordinate("王业务", when)).await;
    bench.tell("c-1", |it: &DamageClaim| it.add_evidence("e-1", &evidence, when)).await;
    bench.tell("c-1", |it: &DamageClaim| it.hold_liable(&owed, when)).await;
    bench.tell("c-1", |it: &DamageClaim| it.compensate("p-1", &owed, when)).await;
    bench.tell("c-1", |it: &DamageClaim| it.deduct("d-1", &owed, when)).await;
}

async fn tell_contract(bench: &Bench, when: When) {
    let draft = contract::Draft {
        contract_id: "k-1".into(),
        platform: "mall".into(),
        terms: ContractTerms {
            performance_bond: Some(Amount::new(500, "CNY").money()),
            ..ContractTerms::default()
        },
    };
    let both =
        Signatures { buyer: "甲方".into(), supplier: "乙方".into(), ..Default::default() };
    let change = RequestChange {
        change_id: "x-1".into(),
        requested_by: "buyer".into(),
        description: "延长质保".into(),
        recorded_by: "李".into(),
    };
    let review = ReviewChange {
        change_id: "x-1".into(),
        added: false,
        reason: "不同意".into(),
        reviewer: "王".into(),
    };
    let draw = Draw {
        draw_id: "d-1".into(),
        order_id: "order-1".into(),
        amount: Amount::new(100, "CNY"),
        reason: "质量问题".into(),
    };
    bench.tell("k-1", |it: &Contract| it.draft(&draft, when)).await;
    bench.tell("k-1", |it: &Contract| it.sign(&both, when)).await;
    bench.tell("k-1", |it: &Contract| it.request_change(&change, when)).await;
    bench.tell("k-1", |it: &Contract| it.review_change(&review, when)).await;
    bench.tell("k-1", |it: &Contract| it.draw_bond(&draw, "", when)).await;
}

async fn tell_the_rest(bench: &Bench, when: When) {
    let question = Question {
        enquiry_id: "q-1".into(),
        platform: "mall".into(),
        kind: EnquiryKind::Logistics,
        customer: Sealed { person: "person-1".into(), ..Sealed::default() },
        text: "有货吗?".into(),
    };
    bench.tell("q-1", |it: &Enquiry| it.record(&question, when)).await;
    bench.tell("q-1", |it: &Enquiry| it.answer("有", "李", when)).await;
    let theirs = [Theirs { platform_order_no: "M-1".into(), amount: Amount::new(7_400, "CNY") }];
    let ours = [Ours {
        platform_order_no: "M-1".into(),
        amount: Amount::new(7_500, "CNY"),
        phase: OrderPhase::Settled,
        stand: Stand::Listed,
    }];
    let comparison = compare(&ours, &theirs).unwrap();
    let list = ReconciliationList::New;
    let subject = Subject::new("r-1", "mall", date(2026, 3, 2), list, &theirs);
    bench.tell("r-1", |it: &Reconciliation| it.make(&subject, &comparison, when)).await;
    bench.tell("r-1", |it: &Reconciliation| it.resolve(1, "运费另付", "李", when)).await;
}

/// Runs a projection until it has taken in the whole log.
async fn project<P: Projection>(bench: &Bench) {
    let (shutdown, last) = (CancellationToken::new(), bench.log.last_position().await.unwrap());
    let caught_up = async {
        while bench.log.cursor(&projection_source(P::NAME)).await.unwrap() < last {
            tokio::task::yield_now().await;
        }
        shutdown.cancel();
    };
    let (done, ()) = tokio::join!(bench.log.project::<P>(shutdown.clone()), caught_up);
    done.unwrap();
}

#[tokio::test]
async fn a_rebuild_gives_the_same_rows_byte_for_byte() {
    let bench = bench().await;
    bench.clock.set(now());
    let when = When::now(now());
    let order = tell_orders(&bench).await;
    tell_claim(&bench, &order, when).await;
    tell_contract(&bench, when).await;
    tell_the_rest(&bench, when).await;
    project::<DailyFigures>(&bench).await;
    project::<CarrierRecord>(&bench).await;
    let before = rows(&bench).await;

    // damaged behind the log's back, so that a rebuild that does nothing would show
    for ((kind, id), row) in ROWS.iter().zip(&before) {
        let damaged = RowWrite {
            kind: (*kind).into(),
            id: (*id).into(),
            version: row.version,
            body: Vec::new().into(),
            keys_removed: Vec::new(),
            keys_added: Vec::new(),
        };
        bench.log.commit(Commit::new().row(damaged)).await.unwrap();
    }
    assert!(rows(&bench).await.iter().all(|row| row.body.is_empty()));

    let report = rebuild(&bench.options(), &kinds()).await.unwrap();
    assert_eq!(report.unknown, 0);
    assert_eq!(rows(&bench).await, before);
    let verified = verify(&bench.options(), &kinds()).await.unwrap();
    assert!(verified.is_clean(), "{verified:?}");
    assert_eq!(verified.rows, report.rows);
}
