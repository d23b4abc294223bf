//! The cases, by what they are about.

pub mod commit;
#[cfg(feature = "failpoints")]
pub mod crash;
pub mod follow;
pub mod horizon;
pub mod listing;
pub mod model;
pub mod processes;
pub mod rows;
pub mod stage;
pub mod vault;
pub mod write;
