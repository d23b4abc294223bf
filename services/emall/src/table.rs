//! Small tables for people: columns as wide as their content, numbers to the right.

/// How a column is aligned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Rows under a head.
#[derive(Debug)]
pub(crate) struct Table {
    head: Vec<String>,
    align: Vec<Align>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new<S: AsRef<str>>(columns: &[(S, Align)]) -> Self {
        let (head, align) =
            columns.iter().map(|(name, align)| (name.as_ref().to_owned(), *align)).unzip();
        Self { head, align, rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: impl Into<Vec<String>>) {
        self.rows.push(cells.into());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The lines of the table, each indented by two; the head is left out when it is blank.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut width: Vec<usize> = self.head.iter().map(|name| columns(name)).collect();
        for row in &self.rows {
            for (wide, cell) in width.iter_mut().zip(row) {
                *wide = (*wide).max(columns(cell));
            }
        }
        let titled = self.head.iter().any(|name| !name.is_empty());
        titled
            .then_some(&self.head)
            .into_iter()
            .chain(&self.rows)
            .map(|row| self.line(row, &width))
            .collect()
    }

    fn line(&self, row: &[String], width: &[usize]) -> String {
        let mut line = String::from(" ");
        for ((cell, wide), align) in row.iter().zip(width).zip(&self.align) {
            let padding = " ".repeat(wide.saturating_sub(columns(cell)));
            line.push(' ');
            match align {
                Align::Left => line.extend([cell.as_str(), &padding]),
                Align::Right => line.extend([padding.as_str(), cell]),
            }
            line.push(' ');
        }
        line.truncate(line.trim_end().len());
        line
    }
}

/// Columns of a terminal that a text takes: Chinese and full-width characters take two.
pub(crate) fn columns(text: &str) -> usize {
    text.chars()
        .map(|letter| match u32::from(letter) {
            0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF => 2,
            0xFE30..=0xFE4F | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6 | 0x1_F300..=0x1_FAFF => 2,
            _ => 1,
        })
        .sum()
}

/// A text of at most so many columns; what was cut is marked.
pub(crate) fn clip(text: &str, most: usize) -> String {
    if columns(text) <= most {
        return text.to_owned();
    }
    let mut clipped = String::new();
    for letter in text.chars() {
        if columns(&clipped) + columns(letter.encode_utf8(&mut [0; 4])) + 1 > most {
            break;
        }
        clipped.push(letter);
    }
    clipped.push('…');
    clipped
}

/// A text in lines of at most so many columns, broken at spaces, inside a word only where it is wider than
/// a line; Chinese, which has no spaces, anywhere. Spaces at a break are left out. No text gives no line.
pub(crate) fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for letter in text.trim().chars() {
        line.push(letter);
        if columns(&line) <= most.max(2) {
            continue;
        }
        let space = line.trim_end().rfind(' ').filter(|at| !line[..*at].trim().is_empty());
        let last = line.len() - letter.len_utf8();
        let rest = line.split_off(space.unwrap_or(last));
        lines.push(line.trim_end().to_owned());
        rest.trim_start().clone_into(&mut line);
    }
    if !line.trim().is_empty() {
        lines.push(line);
    }
    lines
}

/// A whole number with its thousands apart: `12,345`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Align, Table, clip, columns, grouped, wrapped};

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_numbers_stand_right() {
        let mut table = Table::new(&[("field", Align::Left), ("orders", Align::Right)]);
        table.row(["buyer.buyer_id".to_owned(), "17".to_owned()]);
        table.row(["x".to_owned(), "12345678".to_owned()]);
        assert_eq!(
            table.lines(),
            [
                "  field             orders",
                "  buyer.buyer_id        17",
                "  x               12345678",
            ]
        );
    }

    #[test]
    fn a_blank_head_is_not_printed() {
        let mut table = Table::new(&[("", Align::Left), ("", Align::Right)]);
        assert!(table.is_empty());
        table.row(["accepted".to_owned(), "3".to_owned()]);
        assert_eq!(table.lines(), ["  accepted  3"]);
    }

    #[test]
    fn chinese_takes_two_columns() {
        assert_eq!(columns("订单 no"), 7);
        let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]);
        table.row(["订单".to_owned(), "a".to_owned()]);
        table.row(["abcd".to_owned(), "b".to_owned()]);
        assert_eq!(table.lines(), ["  订单  a", "  abcd  b"]);
    }

    #[test]
    fn a_long_text_is_clipped_and_marked() {
        assert_eq!(clip("abcdef", 6), "abcdef");
        assert_eq!(clip("abcdefg", 6), "abcde…");
        assert_eq!(clip("订单订单", 5), "订单…");
    }

    #[test]
    fn a_long_text_is_broken_at_spaces_and_loses_nothing() {
        assert_eq!(wrapped("late by a day and more", 10), ["late by a", "day and", "more"]);
        assert_eq!(wrapped("short", 10), ["short"]);
        assert!(wrapped("  ", 10).is_empty());
        assert_eq!(wrapped("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrapped("晚到一天外箱", 5), ["晚到", "一天", "外箱"]);
        let text = "the box was torn 外箱破损 and 晚到一天 nobody called";
        for most in 2..60 {
            let lines = wrapped(text, most);
            assert!(lines.iter().all(|line| columns(line) <= most), "{most}: {lines:?}");
            let letters = |text: &str| text.replace(' ', "");
            assert_eq!(letters(&lines.concat()), letters(text));
        }
    }

    #[test]
    fn thousands_are_grouped() {
        let shown: Vec<_> = [0, 999, 1_000, 1_234_567].map(grouped).into();
        assert_eq!(shown, ["0", "999", "1,000", "1,234,567"]);
    }
}
