//! Invoices and payment.

use chassis::Fields;
use contracts::ordering as api;
use jiff::Timestamp;

use super::{money, one, required_money, when};
use crate::order::{
    Id, Name, Text,
    command::{IssueInvoice, IssueRedInvoice, RequestInvoice, SettleOrder},
};

pub(in super::super) fn request_invoice(
    fields: &mut Fields,
    request: api::RequestInvoiceRequest,
    now: Timestamp,
) -> Option<RequestInvoice> {
    let invoice_id = one(fields, "invoice_id", Id::parse(request.invoice_id));
    let title = one(fields, "title", Name::parse(request.title));
    let tax_no = one(fields, "tax_no", Id::parse(request.tax_no));
    let amount = money(fields, "amount", request.amount.as_ref());
    let when = when(fields, "at", request.at.as_ref(), now);
    Some(RequestInvoice { invoice_id: invoice_id?, title: title?, tax_no: tax_no?, amount, when })
}

pub(in super::super) fn issue_invoice(
    fields: &mut Fields,
    request: api::IssueInvoiceRequest,
    now: Timestamp,
) -> Option<IssueInvoice> {
    let invoice_id = one(fields, "invoice_id", Id::parse(request.invoice_id));
    let invoice_no = one(fields, "invoice_no", Id::parse(request.invoice_no));
    let when = when(fields, "at", request.at.as_ref(), now);
    Some(IssueInvoice { invoice_id: invoice_id?, invoice_no: invoice_no?, when })
}

pub(in super::super) fn issue_red_invoice(
    fields: &mut Fields,
    request: api::IssueRedInvoiceRequest,
    now: Timestamp,
) -> Option<IssueRedInvoice> {
    let invoice_id = one(fields, "invoice_id", Id::parse(request.invoice_id));
    let red_invoice_no = one(fields, "red_invoice_no", Id::parse(request.red_invoice_no));
    let reason = one(fields, "reason", Text::parse(request.reason));
    let when = when(fields, "at", request.at.as_ref(), now);
    Some(IssueRedInvoice {
        invoice_id: invoice_id?,
        red_invoice_no: red_invoice_no?,
        reason: reason?,
        when,
    })
}

pub(in super::super) fn settle_order(
    fields: &mut Fields,
    request: api::SettleOrderRequest,
    now: Timestamp,
) -> Option<SettleOrder> {
    let settlement_id = one(fields, "settlement_id", Id::parse(request.settlement_id));
    let amount = required_money(fields, "amount", request.amount.as_ref());
    let payment_ref = one(fields, "payment_ref", Id::parse(request.payment_ref));
    let when = when(fields, "at", request.at.as_ref(), now);
    Some(SettleOrder {
        settlement_id: settlement_id?,
        amount: amount?,
        payment_ref: payment_ref?,
        when,
    })
}
