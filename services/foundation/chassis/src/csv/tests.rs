use super::*;
use crate::testing::csv_cells;

/// One cell, as it is written.
fn cell(text: &str) -> String {
    let mut table = Table::default();
    table.row([text]);
    table.into_text().strip_suffix("\r\n").unwrap().to_owned()
}

#[test]
fn a_cell_is_quoted_where_it_must_be() {
    assert_eq!(cell("plain"), "plain");
    assert_eq!(cell(""), "");
    assert_eq!(cell("a,b"), "\"a,b\"");
    assert_eq!(cell("say \"hi\""), "\"say \"\"hi\"\"\"");
    assert_eq!(cell("two\nlines"), "\"two\nlines\"");
    assert_eq!(cell("two\rlines"), "\"two\rlines\"");
    assert_eq!(cell("订单"), "订单");
}

#[test]
fn a_cell_that_a_spreadsheet_would_take_for_a_formula_is_text() {
    for formula in [
        "=1+1",
        "+1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "-1+1",
        "-cmd|' /C calc'!A0",
        "=HYPERLINK(\"http://x\",\"y\")",
        "＝1+1",
        "＋1",
        "－1+1",
        "＠SUM(A1)",
    ] {
        let written = cell(formula);
        assert!(written.starts_with("\"'"), "{formula:?}: {written}");
        assert_eq!(csv_cells(&written), [format!("'{formula}")]);
    }
    for harmless in ["-1", "-1.5", "a=b", "1+1", "mall@cn"] {
        assert_eq!(cell(harmless), harmless);
    }
}

#[test]
fn what_is_written_is_what_is_read() {
    for texts in [["a", "b"], ["a,b", "\"\"\""], ["", ""], ["a\r\n", ",\",\""]] {
        let mut table = Table::default();
        table.row(texts);
        assert_eq!(csv_cells(table.into_text().strip_suffix("\r\n").unwrap()), texts);
    }
}
