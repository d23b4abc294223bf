use jiff::tz::TimeZone;

use super::Invoices;
use crate::push::entry::{Cancellation, Entry, ReadError};
use crate::refusal::Refusal;

const HEAD: &str =
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n";

fn read(text: impl AsRef<[u8]>) -> Vec<Entry> {
    let zone = TimeZone::get("Asia/Shanghai").unwrap();
    let entries: Result<Vec<_>, _> = Invoices::new(text.as_ref(), "mall", zone).unwrap().collect();
    entries.unwrap()
}

fn rows(rows: &str) -> Vec<Entry> {
    read(format!("{HEAD}{rows}"))
}

fn refusals(text: &str) -> Vec<Refusal> {
    match rows(text).pop() {
        Some(Entry::Unsendable { refusals, .. }) => refusals,
        other => panic!("{other:?}"),
    }
}

#[test]
fn consecutive_rows_of_one_invoice_are_one_order() {
    let entries = rows(
        "1,A,LAMP,6,2010-12-01 08:26:00,2.55,17850.0,Norway\n\
         1,B,VASE,1,2010-12-01 08:26:00,3,17850.0,Norway\n\
         2,A,LAMP,1,2010-12-01 08:30:00,2.55,9,Norway\n",
    );
    let [Entry::Order(first), Entry::Order(second)] = entries.as_slice() else {
        panic!("{entries:?}")
    };
    assert_eq!((first.platform_order_no.as_str(), first.lines.len()), ("1", 2));
    assert_eq!(first.buyer.as_ref().unwrap().buyer_id, "17850");
    assert_eq!(first.total.as_ref().unwrap().minor_units, 6 * 255 + 300);
    // 08:26 in Shanghai is 00:26 in UTC.
    assert_eq!(first.placed_at.unwrap().seconds, 1_291_163_160);
    assert_eq!(first.deliver_by.unwrap().seconds - first.placed_at.unwrap().seconds, 4 * 86_400);
    assert_eq!(second.buyer.as_ref().unwrap().buyer_id, "9");
}

#[test]
fn both_forms_of_dates_are_read() {
    let entries = rows("1,A,LAMP,6,12/1/2010 8:26,2.55,17850,Norway\n");
    let [Entry::Order(order)] = entries.as_slice() else { panic!("{entries:?}") };
    assert_eq!(order.placed_at.unwrap().seconds, 1_291_163_160);
}

#[test]
fn a_byte_order_mark_quotes_and_windows_line_ends_do_no_harm() {
    let text = "\u{feff}InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\r\n\
        1,A,\"HOOK, 1 \"\"HANGER\"\"\",6,2010-12-01 08:26:00,2.55,17850,Norway\r\n";
    let entries = read(text);
    let [Entry::Order(order)] = entries.as_slice() else { panic!("{entries:?}") };
    assert_eq!(order.lines[0].listing.as_ref().unwrap().specification, "HOOK, 1 \"HANGER\"");
}

#[test]
fn columns_may_stand_in_any_order() {
    let entries = read(
        "Country,CustomerID,UnitPrice,InvoiceDate,Quantity,Description,StockCode,InvoiceNo,Note\n\
         Norway,9,2.55,2010-12-01 08:26:00,6,LAMP,A,1,x\n",
    );
    assert!(matches!(entries.as_slice(), [Entry::Order(_)]), "{entries:?}");
}

#[test]
fn empty_cells_that_the_message_can_carry_are_sent() {
    let entries = rows("1,,,6,2010-12-01 08:26:00,0.0,,\n");
    let [Entry::Order(order)] = entries.as_slice() else { panic!("{entries:?}") };
    assert_eq!(order.buyer.as_ref().unwrap().buyer_id, "");
    assert_eq!(order.lines[0].listing.as_ref().unwrap().sku, "");
}

#[test]
fn every_bad_cell_is_named_with_line_and_column() {
    let found = refusals("1,A,LAMP,six,yesterday,2.555,17850,Norway\n");
    let told: Vec<_> = found.iter().map(|one| (one.field.as_str(), one.message.as_str())).collect();
    assert_eq!(
        told,
        [
            ("order.lines[0].quantity", "line 2, column 4 (Quantity) is not a whole number"),
            (
                "order.placed_at",
                "line 2, column 5 (InvoiceDate) is not a date and time such as 2010-12-01 08:26:00"
            ),
            (
                "order.lines[0].listing.unit_price",
                "line 2, column 6 (UnitPrice) is finer than 分 (two decimal places)"
            ),
        ]
    );
}

#[test]
fn huge_numbers_impossible_dates_and_empty_cells_are_named() {
    let cases = [
        ("1,A,X,99999999999999999999,2010-12-01 08:26:00,1,9,N\n", "(Quantity) is too large"),
        ("1,A,X,,2010-12-01 08:26:00,1,9,N\n", "(Quantity) is empty"),
        ("1,A,X,1.5,2010-12-01 08:26:00,1,9,N\n", "(Quantity) is not a whole number"),
        ("1,A,X,1,2010-02-30 08:26:00,1,9,N\n", "(InvoiceDate) is not a date"),
        ("1,A,X,1,13/13/2010 8:26,1,9,N\n", "(InvoiceDate) is not a date"),
        ("1,A,X,1,,1,9,N\n", "(InvoiceDate) is empty"),
        ("1,A,X,1,2010-12-01 08:26:00,,9,N\n", "(UnitPrice) is empty"),
        ("1,A,X,1,2010-12-01 08:26:00,1e400,9,N\n", "(UnitPrice) is not a decimal"),
        ("1,A,X,1,2010-12-01 08:26:00,99999999999999999999,9,N\n", "(UnitPrice) is too large"),
    ];
    for (text, wanted) in cases {
        let found = refusals(text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].message.contains(wanted), "{text}: {}", found[0].message);
        assert!(found[0].message.starts_with("line 2, column"), "{}", found[0].message);
    }
}

#[test]
fn text_that_is_not_utf8_is_named_with_the_way_out() {
    let mut text = HEAD.as_bytes().to_vec();
    text.extend_from_slice(b"1,A,PRICE \xA3,1,2010-12-01 08:26:00,1,9,N\n");
    let entries = read(text);
    let [Entry::Unsendable { refusals, .. }] = entries.as_slice() else { panic!("{entries:?}") };
    assert!(refusals[0].message.contains("line 2, column 3 (Description) is not UTF-8"));
    assert!(refusals[0].message.contains("iconv"));
}

#[test]
fn a_row_of_the_wrong_width_spoils_its_order_alone() {
    let entries = rows(
        "1,A,LAMP\n\
         2,A,LAMP,1,2010-12-01 08:30:00,2.55,9,Norway\n",
    );
    let [Entry::Unsendable { label, refusals }, Entry::Order(_)] = entries.as_slice() else {
        panic!("{entries:?}")
    };
    assert_eq!(label, "1");
    assert!(refusals[0].message.starts_with("line 2 has 3 columns instead of 8"));
}

#[test]
fn a_negative_quantity_is_refused_under_the_path_of_the_service() {
    let entries = rows(
        "1,A,LAMP,1,2010-12-01 08:30:00,2.55,9,Norway\n\
         1,A,LAMP,-10,2010-12-01 08:30:00,2.55,9,Norway\n",
    );
    let [Entry::Unsendable { label, refusals }] = entries.as_slice() else { panic!("{entries:?}") };
    assert_eq!((label.as_str(), refusals[0].field.as_str()), ("1", "order.lines[1].quantity"));
}

#[test]
fn an_invoice_with_c_is_a_cancellation() {
    let entries = rows("C7,A,LAMP,-2,2010-12-01 08:30:00,2.55,9.0,Norway\n");
    let [Entry::Cancellation(Cancellation { no, buyer_id, items, .. })] = entries.as_slice() else {
        panic!("{entries:?}")
    };
    assert_eq!((no.as_str(), buyer_id.as_str()), ("C7", "9"));
    assert_eq!((items[0].sku.as_str(), items[0].units), ("A", 2));
    assert_eq!(
        refusals("C7,A,LAMP,2,2010-12-01 08:30:00,1,9,N\n")[0].field,
        "order.lines[0].quantity"
    );
}

#[test]
fn a_file_without_the_columns_is_refused_as_a_whole() {
    let zone = TimeZone::UTC;
    for text in ["", "order,amount\n1,2\n"] {
        let Err(ReadError::Format(sentence)) = Invoices::new(text.as_bytes(), "mall", zone.clone())
        else {
            panic!("{text} was taken")
        };
        assert!(sentence.contains("no column InvoiceNo"), "{sentence}");
    }
}

#[test]
fn a_head_without_rows_holds_nothing() {
    assert_eq!(rows(""), []);
}
