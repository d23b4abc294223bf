//! The two times of a command.

use jiff::Timestamp;

/// When a command comes in, and when it says that things happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct When {
    /// The clock's time as the command came in.
    pub now: Timestamp,
    /// When it happened, by the caller; `None` means now.
    pub at: Option<Timestamp>,
}

impl When {
    /// As it comes in.
    #[must_use]
    pub fn now(now: Timestamp) -> Self {
        Self { now, at: None }
    }

    /// The time of the fact.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.at.unwrap_or(self.now)
    }
}
