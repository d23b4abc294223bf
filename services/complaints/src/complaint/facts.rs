//! What makes a complaint general or major.

use std::collections::BTreeSet;

use contracts::complaints::{FactsAssessed, MajorReason};

use super::{Policy, money::fen};

/// The facts that its level rests on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Sums involved, in fen: what the user names, or what was found out.
    pub amount: i64,
    /// Media have told of it.
    pub media: bool,
    /// There is a lawsuit.
    pub lawsuit: bool,
    /// There may be a lawsuit of many.
    pub group_risk: bool,
}

/// How serious it is, and what the user expects: known before anything is offered (CMP-31).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assessment {
    /// What its level rests on.
    pub facts: Facts,
    /// How serious, and whether it is dangerous, in words.
    pub severity: String,
    /// What the user expects; of a compensation, its form and amount.
    pub expectation: String,
}

impl Facts {
    pub(super) fn assess(&mut self, event: &FactsAssessed) {
        *self = Self {
            amount: fen(event.amount.as_ref()),
            media: event.media,
            lawsuit: event.lawsuit,
            group_risk: event.group_risk,
        };
    }

    /// Which of the rules hold that make a complaint major, with what a solution would give the user.
    pub(super) fn major_reasons(&self, policy: &Policy, granted: i64) -> BTreeSet<MajorReason> {
        let is_large = self.amount.max(granted) >= policy.major_from;
        [
            (self.media, MajorReason::Media),
            (self.lawsuit, MajorReason::Lawsuit),
            (self.group_risk, MajorReason::GroupLawsuit),
            (is_large, MajorReason::Amount),
        ]
        .into_iter()
        .filter_map(|(holds, reason)| holds.then_some(reason))
        .collect()
    }
}
