//! Orders that were placed: a complaint may name them.

use contracts::{complaints::SaleNoted, ordering::order_event};
use eventlog::bus::{Incoming, ReactError, Reacting, Reaction};

use super::only;
use crate::sale::Sale;

/// Notes every order that was placed, and who bought.
#[derive(Debug, Default)]
pub struct Sales;

impl Reaction for Sales {
    fn name(&self) -> &'static str {
        "complaints-sales"
    }

    fn source(&self) -> &'static str {
        "ORDERING"
    }

    async fn react<'a>(
        &'a self,
        event: &'a Incoming,
        tx: &'a mut Reacting<'_>,
    ) -> Result<(), ReactError> {
        let placed = only(event, "emall.ordering.v1.OrderPlaced")?;
        let Some(order_event::Event::OrderPlaced(placed)) = placed else { return Ok(()) };
        let Some(terms) = placed.terms else { return Ok(()) };
        let noted = SaleNoted {
            order_id: terms.order_id,
            platform: terms.platform,
            contract_id: terms.contract_id,
            buyer_id: terms.buyer.unwrap_or_default().buyer_id,
        };
        let id = noted.order_id.clone();
        let note = |sale: &Sale| Ok::<_, std::convert::Infallible>(sale.note(noted.into()));
        tx.transact(&id, note).await?;
        Ok(())
    }
}
