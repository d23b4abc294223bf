//! Given a history, when a command comes, then this happens.

mod acceptance;
mod bill;
mod delivery;
mod discrepancies;
mod judgement;
mod lines;
mod packing;
mod placement;
pub(crate) mod sample;
mod sequences;
mod table;
mod terms;
