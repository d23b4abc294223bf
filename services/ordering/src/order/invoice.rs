//! Invoices for what is accepted, and the red invoices that reverse them (ORD-71).

use std::sync::Arc;

use contracts::ordering::{InvoiceIssued, InvoiceRequested, RedInvoiceIssued};
use decider::{Decision, emit};
use eventlog::time::to_proto;
use jiff::Timestamp;

use super::{
    Event, Order, Rejection,
    book::{Book, Note, moment},
    command::{IssueInvoice, IssueRedInvoice, RequestInvoice},
    repeat::Repeat,
};

/// An invoice requested under one id.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Invoice {
    id: String,
    title: String,
    tax_no: String,
    /// Minor units.
    amount: i64,
    /// It took all that was accepted and not invoiced then.
    took_all: bool,
    requested_at: Timestamp,
    /// Its number, once issued.
    issued: Option<Note>,
    reversed: Option<Reversal>,
}

/// The red invoice: its number, and why.
#[derive(Debug, Clone, PartialEq)]
struct Reversal {
    red_invoice_no: String,
    note: Note,
}

impl Order {
    /// An invoice is requested for what the user owes so far and is not invoiced: part, or all.
    ///
    /// # Errors
    /// The order is not confirmed or ended, or so much is not accepted and free to be invoiced.
    pub fn request_invoice(&self, cmd: &RequestInvoice) -> Decision<Event, Rejection> {
        let book = self.book()?;
        let id = cmd.invoice_id.as_str();
        if let Some(before) = book.invoice(id) {
            return before.repeated_by(cmd, book);
        }
        self.must_be_billable()?;
        let left = book.payable()?.saturating_sub(book.invoiced());
        if left <= 0 {
            return Err(Rejection::NothingToInvoice);
        }
        let amount = match cmd.amount {
            None => left,
            Some(amount) if amount.currency() != book.currency => {
                let currency = book.currency.to_string();
                return Err(Rejection::OtherCurrency { field: "amount", currency });
            }
            Some(amount) if amount.minor() > left => {
                return Err(Rejection::MoreThanAccepted { asked: amount.minor(), left });
            }
            Some(amount) => amount.minor(),
        };
        emit(InvoiceRequested {
            order_id: book.order_id(),
            platform: book.platform(),
            contract_id: book.contract_id(),
            invoice_id: id.to_owned(),
            title: (&cmd.title).into(),
            tax_no: (&cmd.tax_no).into(),
            amount: Some(book.currency.amount(amount)),
            requested_at: Some(to_proto(book.time("at", &cmd.when)?)),
        })
    }

    /// A requested invoice is issued.
    ///
    /// # Errors
    /// The order is not confirmed or ended, or has no such request.
    pub fn issue_invoice(&self, cmd: &IssueInvoice) -> Decision<Event, Rejection> {
        let book = self.book()?;
        let id = cmd.invoice_id.as_str();
        if let Some(before) = book.invoice(id).and_then(|invoice| invoice.issued.as_ref()) {
            return Repeat::new()
                .same("invoice_no", before.text.as_str(), cmd.invoice_no.as_str())
                .at("at", before.at, &cmd.when)
                .answer();
        }
        self.must_be_billable()?;
        let invoice = book.known_invoice(id)?;
        emit(InvoiceIssued {
            order_id: book.order_id(),
            platform: book.platform(),
            contract_id: book.contract_id(),
            invoice_id: id.to_owned(),
            invoice_no: (&cmd.invoice_no).into(),
            amount: Some(book.currency.amount(invoice.amount)),
            issued_at: Some(to_proto(book.time("at", &cmd.when)?)),
        })
    }

    /// A red invoice reverses an issued one; its amount may be invoiced again.
    ///
    /// # Errors
    /// The order is not confirmed or ended, has no such request, or it is not issued.
    pub fn issue_red_invoice(&self, cmd: &IssueRedInvoice) -> Decision<Event, Rejection> {
        let book = self.book()?;
        let id = cmd.invoice_id.as_str();
        if let Some(before) = book.invoice(id).and_then(|invoice| invoice.reversed.as_ref()) {
            return Repeat::new()
                .same("red_invoice_no", before.red_invoice_no.as_str(), cmd.red_invoice_no.as_str())
                .same("reason", before.note.text.as_str(), cmd.reason.as_str())
                .at("at", before.note.at, &cmd.when)
                .answer();
        }
        self.must_be_billable()?;
        let invoice = book.known_invoice(id)?;
        let issued = invoice.issued.as_ref().ok_or(Rejection::InvoiceNotIssued)?;
        emit(RedInvoiceIssued {
            order_id: book.order_id(),
            platform: book.platform(),
            contract_id: book.contract_id(),
            invoice_id: id.to_owned(),
            invoice_no: issued.text.clone(),
            red_invoice_no: (&cmd.red_invoice_no).into(),
            amount: Some(book.currency.amount(invoice.amount)),
            reason: (&cmd.reason).into(),
            issued_at: Some(to_proto(book.time("at", &cmd.when)?)),
        })
    }
}

impl Invoice {
    fn repeated_by(&self, cmd: &RequestInvoice, book: &Book) -> Decision<Event, Rejection> {
        let repeat = Repeat::new().same("title", self.title.as_str(), cmd.title.as_str()).same(
            "tax_no",
            self.tax_no.as_str(),
            cmd.tax_no.as_str(),
        );
        let recorded = book.currency.amount(self.amount);
        match cmd.amount {
            Some(amount) => repeat.same("amount", &recorded, &amount.to_proto()),
            None if self.took_all => repeat,
            None => repeat.same("amount", &Some(recorded), &None),
        }
        .at("at", self.requested_at, &cmd.when)
        .answer()
    }
}

impl Book {
    fn invoice(&self, id: &str) -> Option<&Invoice> {
        self.invoices.iter().map(Arc::as_ref).find(|invoice| invoice.id == id)
    }

    fn known_invoice(&self, id: &str) -> Result<&Invoice, Rejection> {
        self.invoice(id).ok_or_else(|| Rejection::UnknownInvoice(id.to_owned()))
    }

    fn invoice_mut(&mut self, id: &str) -> Option<&mut Invoice> {
        self.invoices.iter_mut().find(|invoice| invoice.id == id).map(Arc::make_mut)
    }

    /// Requested or issued, and not reversed, in minor units.
    fn invoiced(&self) -> i64 {
        let standing = self.invoices.iter().filter(|invoice| invoice.reversed.is_none());
        standing.fold(0, |sum, invoice| sum.saturating_add(invoice.amount))
    }

    pub(super) fn invoice_requested(&mut self, event: &InvoiceRequested) {
        let amount = event.amount.as_ref().map_or(0, |amount| amount.minor_units);
        let left = self.payable().unwrap_or(i64::MAX).saturating_sub(self.invoiced());
        self.invoices.push(Arc::new(Invoice {
            id: event.invoice_id.clone(),
            title: event.title.clone(),
            tax_no: event.tax_no.clone(),
            amount,
            took_all: amount == left,
            requested_at: moment(event.requested_at.as_ref()),
            issued: None,
            reversed: None,
        }));
    }

    pub(super) fn invoice_issued(&mut self, event: &InvoiceIssued) {
        if let Some(invoice) = self.invoice_mut(&event.invoice_id) {
            let at = moment(event.issued_at.as_ref());
            invoice.issued = Some(Note { text: event.invoice_no.clone(), at });
        }
    }

    pub(super) fn red_invoice_issued(&mut self, event: &RedInvoiceIssued) {
        if let Some(invoice) = self.invoice_mut(&event.invoice_id) {
            let at = moment(event.issued_at.as_ref());
            invoice.reversed = Some(Reversal {
                red_invoice_no: event.red_invoice_no.clone(),
                note: Note { text: event.reason.clone(), at },
            });
        }
    }
}
