//! `emall push`: the main job on real input, and what it says of input that is none.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking; its helpers too"
)]

use std::{collections::BTreeMap, path::PathBuf};

use contracts::ordering::{GetOrderRequest, Order};
use e2e::{
    program::run,
    stack::{Stack, free_address},
};
use serde_json::{Value, json};

const HEAD: &str =
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";

#[tokio::test]
async fn the_sample_lives_through_everything_and_is_known_when_it_comes_again() {
    let stack = Stack::start_bare().await;
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/samples/online_retail.csv");
    let push = ["push", sample, "--limit", "30", "--life", "--json"];

    let first = stack.emall(&push).await.json();
    let cancellations = list(&first, "cancelled").len()
        + list(&first, "returns_not_served").len()
        + list(&first, "cancellations_without_order").len();
    assert_eq!(number(&first, "orders") + cancellations as u64, 30, "{first}");
    let answered = ["accepted", "repeated", "refused", "lost"].map(|name| number(&first, name));
    assert_eq!(answered, [number(&first, "orders"), 0, 0, 0], "{first}");
    let life = &first["life"];
    assert_eq!(life["stopped"], json!([]));
    let phases = phases(life);
    assert_eq!(phases.values().map(|(orders, _)| orders).sum::<u64>(), number(&first, "orders"));
    let (settled, payable) = phases["settled"];
    assert!(settled > 20 && payable > 0, "{life}");
    // the e-mall plants two mistakes in its own lists, and reconciliation finds these and no other
    let found: Vec<_> = list(life, "reconciliations")
        .iter()
        .flat_map(|day| list(day, "differences"))
        .map(|difference| difference["kind"].as_str().unwrap())
        .collect();
    assert_eq!(found, ["DIFFERENCE_KIND_MISSING_THERE", "DIFFERENCE_KIND_AMOUNT"]);

    let log = log_position(&stack).await;
    let second = stack.emall(&push).await.json();
    let answered = ["accepted", "repeated", "refused", "lost"].map(|name| number(&second, name));
    assert_eq!(answered, [0, number(&first, "orders"), 0, 0], "{second}");
    assert_eq!(self::phases(&second["life"]), phases);
    assert_eq!(log_position(&stack).await, log, "a repeat is no event");
    stack.verify().await;
}

#[tokio::test]
async fn rows_that_cannot_be_orders_are_refused_with_the_field_named() {
    let stack = Stack::start_bare().await;
    let rows = "\
        1,A,LANTERN,6,2010-12-01 08:26:00,2.55,17850,United Kingdom\n\
        2,A,LANTERN,6,2010-12-01 08:27:00,2.55,,United Kingdom\n\
        3,B,HEART,6,2010-12-01 08:28:00,0.0,17850,United Kingdom\n\
        4,B,HEART,-6,2010-12-01 08:29:00,2.55,17850,United Kingdom\n\
        5,B,HEART,six,2010-12-01 08:30:00,2.55,17850,United Kingdom\n\
        6,B,HEART,0,2010-12-01 08:31:00,2.55,17850,United Kingdom\n\
        7,A,LANTERN,1,2010-12-01 08:32:00,2.55,17850,United Kingdom\n\
        7,B,HEART,1,2010-12-01 08:32:00,-2.55,17850,United Kingdom\n";
    let file = file(&stack, "bad.csv", &format!("{HEAD}{rows}"));
    for stream in [vec![], vec!["--stream"]] {
        let told = stack.emall(&[vec!["push", &file, "--json"], stream].concat()).await.json();
        assert_eq!(number(&told, "refused"), 6, "{told}");
        let refusals = list(&told, "refusals");
        for (field, orders) in [
            ("order.buyer.buyer_id", 1),
            ("order.lines[].listing.unit_price.minor_units", 2),
            ("order.lines[].quantity", 3),
        ] {
            let named = refusals.iter().find(|refusal| refusal["field"] == field);
            assert_eq!(named.map(|refusal| number(refusal, "orders")), Some(orders), "{told}");
        }
    }
}

#[tokio::test]
async fn a_cancellation_takes_units_off_what_has_not_left_and_is_a_return_of_what_has() {
    let stack = Stack::start_bare().await;
    let rows = "\
        1,A,BOX,10,2010-12-01 09:00:00,1.25,17851,France\n\
        2,B,CUP,3,2010-12-01 09:10:00,2.00,17852,France\n\
        C3,A,BOX,-4,2010-12-01 09:30:00,1.25,17851,France\n\
        C4,B,CUP,-1,2010-12-10 12:00:00,2.00,17852,France\n\
        C5,Z,SPOON,-2,2010-12-01 10:00:00,0.50,17851,France\n";
    let file = file(&stack, "cancelled.csv", &format!("{HEAD}{rows}"));
    let told = stack.emall(&["push", &file, "--life", "--json"]).await.json();
    assert_eq!(number(&told, "accepted"), 2, "{told}");
    let one = |name: &str| {
        let [outcome] = list(&told, name) else { panic!("not one of {name}: {told}") };
        let text = |name: &str| outcome[name].as_str().unwrap().to_owned();
        (text("cancellation"), text("order"), number(outcome, "units"))
    };
    assert_eq!(one("cancelled"), ("C3".to_owned(), "1".to_owned(), 4));
    assert_eq!(one("returns_not_served"), ("C4".to_owned(), "2".to_owned(), 1));
    assert_eq!(one("cancellations_without_order"), ("C5".to_owned(), String::new(), 2));
    assert_eq!(order(&stack, "1").await.lines[0].cancelled, 4);
    assert_eq!(order(&stack, "2").await.lines[0].cancelled, 0);
}

#[tokio::test]
async fn orders_in_json_lines_are_pushed_and_a_bad_line_is_refused_alone() {
    let stack = Stack::start_bare().await;
    let good = |number: &str| {
        json!({
            "platformOrderNo": number,
            "buyer": { "buyerId": "unit-17", "name": "德阳市第一中学" },
            "recipient": { "name": "王小明", "phone": "13800001234", "address": "图门路 1 号" },
            "placedAt": "2026-01-05T01:00:00Z",
            "deliverBy": "2026-01-12T01:00:00Z",
            "deliveryMode": "DELIVERY_MODE_SUPPLIER_DELIVERS",
            "urgency": "URGENCY_NORMAL",
            "lines": [{ "lineNo": 1, "quantity": 2, "listing": {
                "sku": "S", "listingVersion": "1", "name": "打印机", "brand": "晨光", "model": "M",
                "specification": "A4", "warrantyMonths": 12,
                "warrantyStart": "WARRANTY_START_ACCEPTANCE",
                "unitPrice": { "minorUnits": "250", "currency": "CNY" },
            }}],
            "total": { "minorUnits": "500", "currency": "CNY" },
        })
        .to_string()
    };
    let lines = format!("{}\n{{\"number\": 1}}\n\n{}\n", good("J-1"), good("J-2"));
    let file = file(&stack, "orders.jsonl", &lines);
    let told = stack.emall(&["push", &file, "--json"]).await.json();
    assert_eq!((number(&told, "accepted"), number(&told, "refused")), (2, 1), "{told}");
    let message = told["refusals"][0]["message"].as_str().unwrap();
    assert!(message.contains("line 2, column ") && message.contains("number"), "{message}");
    assert_eq!(order(&stack, "J-2").await.total.unwrap().minor_units, 500);
}

#[tokio::test]
async fn who_cannot_push_is_told_what_to_do() {
    let stack = Stack::start_bare().await;
    let row = "1,A,LANTERN,6,2010-12-01 08:26:00,2.55,17850,United Kingdom\n";
    let file = file(&stack, "one.csv", &format!("{HEAD}{row}"));

    let wrong = stack.emall(&["push", &file, "--key", "no-such-key-0123456789"]).await;
    assert!(wrong.refusal(2).contains("use another key"), "{wrong:?}");
    let missing = stack.emall(&["push", "no-such-file.csv"]).await;
    assert!(missing.refusal(2).contains("no-such-file.csv"), "{missing:?}");
    let other = self::file(&stack, "other.csv", "a,b\n1,2\n");
    let other = stack.emall(&["push", &other]).await;
    assert!(other.refusal(2).contains("InvoiceNo"), "{other:?}");

    let folder = tempfile::tempdir().unwrap();
    let nothing = run("emall", &["push", &file], folder.path()).await;
    assert!(nothing.refusal(2).contains("start `emall up`"), "{nothing:?}");
    let nobody = format!("http://{}", free_address());
    let push = ["push", &file, "--to", &nobody, "--key", "any-key-0123456789"];
    let nobody = run("emall", &push, folder.path()).await;
    assert!(nobody.refusal(2).contains("start `emall up`"), "{nobody:?}");
}

fn file(stack: &Stack, name: &str, text: &str) -> String {
    let path: PathBuf = stack.folder().join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn number(json: &Value, name: &str) -> u64 {
    json[name].as_u64().unwrap_or_else(|| panic!("no number {name} in {json}"))
}

fn list<'a>(json: &'a Value, name: &str) -> &'a [Value] {
    json[name].as_array().unwrap_or_else(|| panic!("no list {name} in {json}"))
}

/// Orders and what is to be paid for them, by phase.
fn phases(life: &Value) -> BTreeMap<String, (u64, u64)> {
    let phases = list(life, "phases").iter().map(|phase| {
        let name = phase["phase"].as_str().unwrap().to_owned();
        (name, (number(phase, "orders"), number(phase, "payable_fen")))
    });
    phases.collect()
}

async fn log_position(stack: &Stack) -> u64 {
    let status = stack.emall(&["status", "--json"]).await.json();
    let log = list(&status, "items").iter().find(|item| item["name"] == "ordering log");
    number(log.unwrap(), "value")
}

async fn order(stack: &Stack, number: &str) -> Order {
    let mut mall = stack.orders(&stack.made_key("EMALL_KEY_PLATFORM")).await;
    let request = GetOrderRequest { platform_order_no: number.to_owned(), ..Default::default() };
    mall.get_order(request).await.unwrap().into_inner().order.unwrap()
}
