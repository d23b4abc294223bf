//! What complaints has to know of orders and buyers: that there is such an order, who bought, and who serves
//! him (CMP-47, CMP-51: a case of the hotline is first of all the salesperson's who served the user).

use chassis::{
    When,
    repeat::{Differs, same_time},
};
use contracts::common::EventMetadata;
use contracts::complaints::{Account as AccountRow, Sale as SaleRow, SalespersonAssigned};
pub use contracts::complaints::{account_event, sale_event};
use decider::{Aggregate, Decision, emit, unchanged};
use eventlog::{Key, Recorded, time::to_proto};
use uuid::Uuid;

/// Under which the ids of accounts are made.
const ACCOUNTS: Uuid = Uuid::from_u128(0x52c4_91e8_0b7f_5d3a_8e66_a1d4_70f2_3c95);

/// An order that was placed.
#[derive(Debug, Default, Clone, PartialEq)]
pub enum Sale {
    /// Nothing is known of it.
    #[default]
    Unknown,
    /// It was placed.
    Noted,
}

impl Aggregate for Sale {
    type Event = sale_event::Event;

    fn evolve(self, event: &sale_event::Event) -> Self {
        let sale_event::Event::SaleNoted(_) = event;
        Self::Noted
    }
}

impl Sale {
    /// An order was placed; later ones of the same id say nothing new.
    #[must_use]
    pub fn note(&self, event: sale_event::Event) -> Vec<sale_event::Event> {
        match self {
            Self::Unknown => vec![event],
            Self::Noted => Vec::new(),
        }
    }
}

impl Recorded for Sale {
    const KIND: &'static str = "sale";

    type Row = SaleRow;

    fn apply(row: &mut SaleRow, event: &sale_event::Event, _meta: &EventMetadata, _version: u64) {
        let sale_event::Event::SaleNoted(event) = event;
        *row = SaleRow {
            order_id: event.order_id.clone(),
            platform: event.platform.clone(),
            contract_id: event.contract_id.clone(),
            buyer_id: event.buyer_id.clone(),
        };
    }

    fn keys(_row: &SaleRow) -> Vec<Key> {
        Vec::new()
    }
}

/// The id of the account of a buying unit.
#[must_use]
pub fn account_id(platform: &str, buyer_id: &str) -> String {
    Uuid::new_v5(&Uuid::new_v5(&ACCOUNTS, platform.as_bytes()), buyer_id.as_bytes()).to_string()
}

/// A buying unit, and who serves it.
#[derive(Debug, Default, Clone, PartialEq)]
pub enum Account {
    /// Nobody in particular.
    #[default]
    Unassigned,
    /// Somebody, as it was said last.
    Served(SalespersonAssigned),
}

impl Aggregate for Account {
    type Event = account_event::Event;

    fn evolve(self, event: &account_event::Event) -> Self {
        let account_event::Event::SalespersonAssigned(event) = event;
        Self::Served(event.clone())
    }
}

impl Account {
    /// The platform; `None` when nobody was assigned.
    #[must_use]
    pub fn platform(&self) -> Option<&str> {
        match self {
            Self::Unassigned => None,
            Self::Served(assigned) => Some(&assigned.platform),
        }
    }

    /// Somebody serves it from now on.
    ///
    /// # Errors
    /// The same person serves it since another time than the caller says.
    pub fn assign(
        &self,
        platform: &str,
        buyer_id: &str,
        salesperson: &str,
        by: &str,
        when: When,
    ) -> Decision<account_event::Event, Rejection> {
        if let Self::Served(before) = self
            && before.salesperson == salesperson
        {
            same_time(before.assigned_at.as_ref(), when)?;
            return unchanged();
        }
        emit(SalespersonAssigned {
            platform: platform.to_owned(),
            buyer_id: buyer_id.to_owned(),
            salesperson: salesperson.to_owned(),
            assigned_by: by.to_owned(),
            assigned_at: Some(to_proto(when.time())),
        })
    }
}

/// Why an account says no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// Nobody in particular serves this buying unit.
    #[error("nobody was assigned to this buying unit: see AssignSalesperson")]
    NotFound,
    /// The same was said with another time.
    #[error(transparent)]
    Differs(#[from] Differs),
}

impl Recorded for Account {
    const KIND: &'static str = "account";

    type Row = AccountRow;

    fn apply(
        row: &mut AccountRow,
        event: &account_event::Event,
        _meta: &EventMetadata,
        _version: u64,
    ) {
        let account_event::Event::SalespersonAssigned(event) = event;
        *row = AccountRow {
            platform: event.platform.clone(),
            buyer_id: event.buyer_id.clone(),
            salesperson: event.salesperson.clone(),
            assigned_at: event.assigned_at,
        };
    }

    fn keys(_row: &AccountRow) -> Vec<Key> {
        Vec::new()
    }
}
