//! Records as a caller may see them: what is sealed in them is opened, or masked.

use chassis::{Caller, Personal};
use contracts::ordering::{Enquiry, Order};
use tonic::Status;

/// An order as this caller may see it.
pub(super) async fn order_for(
    personal: &Personal,
    caller: &Caller,
    order: &Order,
) -> Result<Order, Status> {
    let sealed = order.sealed_recipient.as_ref();
    let recipient = personal.open_for(caller, &order.platform, sealed).await?;
    Ok(Order { recipient, ..order.clone() })
}

/// An enquiry as this caller may see it.
pub(super) async fn enquiry_for(
    personal: &Personal,
    caller: &Caller,
    enquiry: &Enquiry,
) -> Result<Enquiry, Status> {
    let sealed = enquiry.sealed_customer.as_ref();
    let customer = personal.open_for(caller, &enquiry.platform, sealed).await?;
    Ok(Enquiry { customer, ..enquiry.clone() })
}

#[cfg(test)]
mod tests;
