//! What events do to complaints, and what complaints do to each other: each reaction names its source and
//! what follows.

mod lessons;
mod overdue;
mod patterns;
mod sales;

pub use lessons::Lessons;
pub use overdue::Overdue;
pub use patterns::Patterns;
pub use sales::Sales;
