//! Tables of comma-separated values (RFC 4180): lines end with `\r\n`, cells are quoted where they must be.
//!
//! The invariant: a cell is text. One that a spreadsheet would take for a formula is given an
//! apostrophe in front, whoever wrote it; a number stays a number, a negative one too.

/// A table on its way. Its first row is the line of headings.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Table(String);

impl Table {
    /// One more line.
    pub fn row<S: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = S>) {
        for (index, cell) in cells.into_iter().enumerate() {
            if index > 0 {
                self.0.push(',');
            }
            self.cell(cell.as_ref());
        }
        self.0.push_str("\r\n");
    }

    fn cell(&mut self, text: &str) {
        let formula = text.starts_with(['=', '+', '@', '＝', '＋', '－', '＠', '\t', '\r', '\n'])
            || (text.starts_with('-') && text.parse::<f64>().is_err());
        if !formula && !text.contains([',', '"', '\n', '\r']) {
            self.0.push_str(text);
            return;
        }
        self.0.push('"');
        if formula {
            self.0.push('\'');
        }
        self.0.push_str(&text.replace('"', "\"\""));
        self.0.push('"');
    }

    /// The lines so far.
    #[must_use]
    pub fn into_text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests;
