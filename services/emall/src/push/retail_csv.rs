//! Orders from CSV with the columns of the UCI Online Retail data.
//!
//! Consecutive rows of one `InvoiceNo` are one order; an `InvoiceNo` that starts with `C` cancels
//! units. A row that cannot be read spoils its own order, never the file: each problem is told with
//! line and column, under the path of the field it would have become.

use std::io::Read;

use csv::{ByteRecord, ReaderBuilder};
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::{
    draft::{self, line_path},
    entry::{Cancellation, CancelledItem, Entry, ReadError},
};
use crate::{amount, refusal::Refusal};

/// The columns, in the order of the original; a file may have them in any other, and more.
const COLUMNS: [&str; 8] = [
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
];

/// One readable row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) stock_code: String,
    pub(crate) description: String,
    /// Units; negative in cancellations.
    pub(crate) quantity: i64,
    pub(crate) placed_at: Timestamp,
    /// Price of one unit in 分.
    pub(crate) unit_price: i64,
    /// Empty when the file does not say who bought.
    pub(crate) customer: String,
    pub(crate) country: String,
}

/// Reads invoices one after the other; memory holds one invoice at a time.
pub(crate) struct Invoices<R> {
    records: csv::ByteRecordsIntoIter<R>,
    /// Where each of [`COLUMNS`] stands in the file.
    places: [usize; 8],
    width: usize,
    zone: TimeZone,
    platform: String,
    /// First row of the next invoice, read while looking for the end of the one before.
    ahead: Option<ByteRecord>,
    done: bool,
}

impl<R: Read> Invoices<R> {
    /// # Errors
    /// The first line does not name the columns.
    pub(crate) fn new(input: R, platform: &str, zone: TimeZone) -> Result<Self, ReadError> {
        let mut reader = ReaderBuilder::new().flexible(true).has_headers(true).from_reader(input);
        let head = reader.byte_headers().map_err(|error| broken(error, 1))?.clone();
        let mut places = [0; 8];
        for (place, name) in places.iter_mut().zip(COLUMNS) {
            let found = head.iter().position(|cell| cell.trim_ascii() == name.as_bytes());
            *place = found.ok_or_else(|| {
                ReadError::Format(format!(
                    "line 1 has no column {name}; the first line must name the columns {}",
                    COLUMNS.join(",")
                ))
            })?;
        }
        Ok(Self {
            records: reader.into_byte_records(),
            places,
            width: head.len(),
            zone,
            platform: platform.to_owned(),
            ahead: None,
            done: false,
        })
    }

    fn invoice_no<'a>(&self, record: &'a ByteRecord) -> &'a [u8] {
        record.get(self.places[0]).unwrap_or_default().trim_ascii()
    }

    fn entry(&self, records: &[ByteRecord]) -> Entry {
        let Some(first) = records.first() else {
            return Entry::Unsendable { label: String::new(), refusals: Vec::new() };
        };
        let no = String::from_utf8_lossy(self.invoice_no(first)).into_owned();
        let label = if no.is_empty() { format!("line {}", line_of(first)) } else { no.clone() };
        let mut refusals = Vec::new();
        let mut rows = Vec::with_capacity(records.len());
        for (index, record) in records.iter().enumerate() {
            match self.row(record, index) {
                Ok(row) => rows.push(row),
                Err(problems) => refusals.extend(problems),
            }
        }
        if !refusals.is_empty() {
            return Entry::Unsendable { label, refusals };
        }
        let made = if no.starts_with('C') {
            cancellation(&no, &rows).map(Entry::Cancellation)
        } else {
            draft::order(&self.platform, &no, &rows).map(|draft| Entry::Order(Box::new(draft)))
        };
        made.unwrap_or_else(|refusals| Entry::Unsendable { label, refusals })
    }

    fn row(&self, record: &ByteRecord, index: usize) -> Result<Row, Vec<Refusal>> {
        let line = line_of(record);
        if record.len() != self.width {
            return Err(vec![Refusal::malformed(
                format!("order.lines[{index}]"),
                format!(
                    "line {line} has {} columns instead of {}; look for a quote left open or a comma outside quotes",
                    record.len(),
                    self.width
                ),
            )]);
        }
        let mut cells = Cells { record, places: &self.places, line, index, refusals: Vec::new() };
        let stock_code = cells.text(1, "listing.sku");
        let description = cells.text(2, "listing.specification");
        let quantity = cells.parsed(3, "quantity", quantity);
        let placed_at = cells.parsed(4, "placed_at", |text| placed_at(text, &self.zone));
        let unit_price = cells.parsed(5, "listing.unit_price", |text| {
            amount::fen(text).map_err(|error| error.to_string())
        });
        let customer = cells.text(6, "buyer.buyer_id");
        let country = cells.text(7, "buyer.name");
        match (quantity, placed_at, unit_price) {
            (Some(quantity), Some(placed_at), Some(unit_price)) if cells.refusals.is_empty() => {
                Ok(Row {
                    stock_code: stock_code.trim().to_owned(),
                    description,
                    quantity,
                    placed_at,
                    unit_price,
                    customer: customer_id(&customer).to_owned(),
                    country: country.trim().to_owned(),
                })
            }
            _ => Err(cells.refusals),
        }
    }
}

impl<R: Read> Iterator for Invoices<R> {
    type Item = Result<Entry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut records: Vec<ByteRecord> = self.ahead.take().into_iter().collect();
        while !self.done {
            match self.records.next() {
                None => self.done = true,
                Some(Err(error)) => {
                    self.done = true;
                    let line = records.last().map_or(1, line_of);
                    return Some(Err(broken(error, line)));
                }
                Some(Ok(record)) => {
                    let same = records
                        .first()
                        .is_none_or(|first| self.invoice_no(first) == self.invoice_no(&record));
                    if !same {
                        self.ahead = Some(record);
                        break;
                    }
                    records.push(record);
                }
            }
        }
        if records.is_empty() { None } else { Some(Ok(self.entry(&records))) }
    }
}

/// The cells of one row; what is wrong with them is collected.
struct Cells<'a> {
    record: &'a ByteRecord,
    places: &'a [usize; 8],
    line: u64,
    index: usize,
    refusals: Vec<Refusal>,
}

impl Cells<'_> {
    fn text(&mut self, column: usize, field: &str) -> String {
        let bytes = self.record.get(self.places[column]).unwrap_or_default();
        if let Ok(text) = std::str::from_utf8(bytes) {
            return text.to_owned();
        }
        self.refuse(
            column,
            field,
            "is not UTF-8; convert the file, for example with `iconv -f latin1 -t utf-8`",
        );
        String::new()
    }

    fn parsed<T>(
        &mut self,
        column: usize,
        field: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let before = self.refusals.len();
        let text = self.text(column, field);
        if self.refusals.len() > before {
            return None;
        }
        parse(text.trim()).map_err(|problem| self.refuse(column, field, &problem)).ok()
    }

    fn refuse(&mut self, column: usize, field: &str, problem: &str) {
        let of_order = field == "placed_at" || field.starts_with("buyer.");
        let path = if of_order { format!("order.{field}") } else { line_path(self.index, field) };
        let message = format!(
            "line {}, column {} ({}) {problem}",
            self.line,
            self.places[column] + 1,
            COLUMNS[column]
        );
        self.refusals.push(Refusal::malformed(path, message));
    }
}

fn quantity(text: &str) -> Result<i64, String> {
    use std::num::IntErrorKind::{Empty, NegOverflow, PosOverflow};
    text.parse::<i64>().map_err(|error| {
        let kind = error.kind();
        let problem = if *kind == Empty {
            "is empty"
        } else if matches!(kind, PosOverflow | NegOverflow) {
            "is too large"
        } else {
            "is not a whole number"
        };
        problem.to_owned()
    })
}

/// Both forms in which the data is handed around: `2010-12-01 08:26:00` and `12/1/2010 8:26`.
fn placed_at(text: &str, zone: &TimeZone) -> Result<Timestamp, String> {
    if text.is_empty() {
        return Err("is empty".to_owned());
    }
    let local = text
        .parse::<DateTime>()
        .or_else(|_| DateTime::strptime("%m/%d/%Y %H:%M", text))
        .map_err(|_| "is not a date and time such as 2010-12-01 08:26:00".to_owned())?;
    let zoned = local.to_zoned(zone.clone()).map_err(|_| "is out of range".to_owned())?;
    Ok(zoned.timestamp())
}

/// The id as given, without the `.0` that spreadsheets put behind whole numbers.
fn customer_id(text: &str) -> &str {
    let text = text.trim();
    match text.strip_suffix(".0") {
        Some(id) if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) => id,
        _ => text,
    }
}

fn cancellation(no: &str, rows: &[Row]) -> Result<Cancellation, Vec<Refusal>> {
    let mut refusals = Vec::new();
    let mut items = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        match row.quantity.checked_neg().and_then(|units| u32::try_from(units).ok()) {
            Some(units) if units > 0 => {
                items.push(CancelledItem { sku: row.stock_code.clone(), units });
            }
            _ => refusals.push(Refusal::malformed(
                line_path(index, "quantity"),
                "a cancellation takes units away: its quantities are negative",
            )),
        }
    }
    match rows.first() {
        Some(first) if refusals.is_empty() => Ok(Cancellation {
            no: no.to_owned(),
            buyer_id: first.customer.clone(),
            at: first.placed_at,
            items,
        }),
        _ => Err(refusals),
    }
}

fn line_of(record: &ByteRecord) -> u64 {
    record.position().map_or(0, csv::Position::line)
}

fn broken(error: csv::Error, line: u64) -> ReadError {
    let text = error.to_string();
    if let csv::ErrorKind::Io(source) = error.into_kind() {
        return ReadError::Io { line, source };
    }
    ReadError::Format(text)
}

#[cfg(test)]
mod tests;
