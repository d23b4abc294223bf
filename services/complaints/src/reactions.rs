//! What events do to complaints, and what complaints do to each other: each reaction names its source and
//! what follows.

use contracts::Event;
use eventlog::{
    Listing, Log, LogError,
    bus::{Incoming, ReactError},
};

mod lessons;
mod overdue;
mod patterns;
mod sales;

pub use lessons::Lessons;
pub use overdue::Overdue;
pub use patterns::Patterns;
pub use sales::Sales;

/// The event, if it is one that a reaction is about: the type is told before the body is read.
fn only<E: Event>(incoming: &Incoming, of_type: &str) -> Result<Option<E>, ReactError> {
    let name = incoming.event.r#type.as_str();
    let read = (name == of_type).then(|| E::decode_body(name, &incoming.event.body));
    Ok(read.transpose()?)
}

/// The first rows of a listing.
async fn rows<R: prost::Message + Default>(
    log: &Log,
    listing: &Listing,
) -> Result<Vec<R>, LogError> {
    let page = log.list(listing).await?;
    let read = page.rows.into_iter().map(|stored| {
        let corrupt = || LogError::Corrupt(format!("row {} of {}", stored.id, listing.kind));
        R::decode(stored.body.clone()).map_err(|_| corrupt())
    });
    read.collect()
}
