//! What the user owes, and the invoices in the row.

use contracts::ordering::{
    Invoice, InvoiceIssued, InvoicePhase, InvoiceRequested, Order as Row, RedInvoiceIssued,
};

/// What the user owes for accepted goods and freight, so far.
pub(super) fn owe(row: &mut Row) {
    let goods: i128 = row
        .lines
        .iter()
        .filter_map(|line| {
            let listing = line.line.as_ref()?.listing.as_ref()?;
            let price = listing.unit_price.as_ref()?.minor_units;
            Some(i128::from(price) * i128::from(line.accepted))
        })
        .sum();
    let anything = row.lines.iter().any(|line| line.accepted > 0);
    let freight = row.freight.as_ref().filter(|_| anything);
    let owed = goods + freight.map_or(0, |freight| i128::from(freight.minor_units));
    if let Some(payable) = &mut row.payable {
        payable.minor_units = i64::try_from(owed).unwrap_or(i64::MAX);
    }
}

pub(super) fn requested(row: &mut Row, event: &InvoiceRequested) {
    row.invoices.push(Invoice {
        invoice_id: event.invoice_id.clone(),
        phase: InvoicePhase::Requested.into(),
        title: event.title.clone(),
        tax_no: event.tax_no.clone(),
        amount: event.amount.clone(),
        ..Invoice::default()
    });
}

pub(super) fn issued(row: &mut Row, event: &InvoiceIssued) {
    if let Some(invoice) = invoice_mut(row, &event.invoice_id) {
        invoice.set_phase(InvoicePhase::Issued);
        invoice.invoice_no.clone_from(&event.invoice_no);
    }
}

pub(super) fn reversed(row: &mut Row, event: &RedInvoiceIssued) {
    if let Some(invoice) = invoice_mut(row, &event.invoice_id) {
        invoice.set_phase(InvoicePhase::Reversed);
        invoice.red_invoice_no.clone_from(&event.red_invoice_no);
    }
}

fn invoice_mut<'a>(row: &'a mut Row, id: &str) -> Option<&'a mut Invoice> {
    row.invoices.iter_mut().find(|invoice| invoice.invoice_id == id)
}
