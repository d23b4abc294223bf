//! What accompanies an order: force majeure, and the specialist who follows it.

use contracts::ordering::{FollowerAssigned, ForceMajeureDeclared, ForceMajeureLifted};
use decider::{Decision, emit};
use eventlog::time::to_proto;
use jiff::Timestamp;

use super::{
    Event, Order, Rejection,
    book::{Book, Note, check_time, moment},
    command::{AssignFollower, DeclareForceMajeure, LiftForceMajeure},
    repeat::Repeat,
};

/// The last force majeure declared.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ForceMajeure {
    description: String,
    since: Timestamp,
    until: Option<Timestamp>,
}

impl Order {
    /// Force majeure holds the order up (ORD-14). It may have begun before the order.
    ///
    /// # Errors
    /// There is no order, it is settled or ended, or another force majeure lasts.
    pub fn declare_force_majeure(&self, cmd: &DeclareForceMajeure) -> Decision<Event, Rejection> {
        let book = self.book()?;
        if let Some(before) = &book.force_majeure {
            let repeat = Repeat::new()
                .same("description", before.description.as_str(), cmd.description.as_str())
                .at("since", before.since, &cmd.when)
                .answer();
            // once it is over, another one may come; the same one again is a late repeat
            if before.until.is_none() || repeat.is_ok() {
                return repeat;
            }
        }
        self.must_go_on()?;
        let since = cmd.when.time();
        check_time(|| "since".into(), since, since, cmd.when.now)?;
        emit(ForceMajeureDeclared {
            order_id: book.order_id(),
            platform: book.platform(),
            contract_id: book.contract_id(),
            description: (&cmd.description).into(),
            since: Some(to_proto(since)),
        })
    }

    /// Force majeure is over.
    ///
    /// # Errors
    /// There is no order, it is settled or ended, or no force majeure lasts.
    pub fn lift_force_majeure(&self, cmd: &LiftForceMajeure) -> Decision<Event, Rejection> {
        let book = self.book()?;
        let until = cmd.when.time();
        match &book.force_majeure {
            Some(ForceMajeure { until: Some(before), .. }) => {
                Repeat::new().at("until", *before, &cmd.when).answer()
            }
            None => self.must_go_on().and(Err(Rejection::NoForceMajeure)),
            Some(ForceMajeure { since, until: None, .. }) => {
                self.must_go_on()?;
                check_time(|| "until".into(), until, until, cmd.when.now)?;
                if until < *since {
                    return Err(Rejection::EndsBeforeItBegan { since: *since });
                }
                emit(ForceMajeureLifted {
                    order_id: book.order_id(),
                    platform: book.platform(),
                    contract_id: book.contract_id(),
                    until: Some(to_proto(until)),
                })
            }
        }
    }

    /// A sales specialist follows the order, in place of whoever did (ORD-01).
    ///
    /// # Errors
    /// There is no order, or it is settled or ended.
    pub fn assign_follower(&self, cmd: &AssignFollower) -> Decision<Event, Rejection> {
        let book = self.book()?;
        if let Some(before) = &book.follower
            && before.text == cmd.follower.as_str()
        {
            return Repeat::new().at("at", before.at, &cmd.when).answer();
        }
        self.must_go_on()?;
        emit(FollowerAssigned {
            order_id: book.order_id(),
            platform: book.platform(),
            contract_id: book.contract_id(),
            follower: (&cmd.follower).into(),
            assigned_at: Some(to_proto(book.time("at", &cmd.when)?)),
        })
    }
}

impl Book {
    pub(super) fn force_majeure_declared(&mut self, event: &ForceMajeureDeclared) {
        self.force_majeure = Some(ForceMajeure {
            description: event.description.clone(),
            since: moment(event.since.as_ref()),
            until: None,
        });
    }

    pub(super) fn force_majeure_lifted(&mut self, event: &ForceMajeureLifted) {
        if let Some(force_majeure) = &mut self.force_majeure {
            force_majeure.until = Some(moment(event.until.as_ref()));
        }
    }

    pub(super) fn follower_assigned(&mut self, event: &FollowerAssigned) {
        self.follower =
            Some(Note { text: event.follower.clone(), at: moment(event.assigned_at.as_ref()) });
    }
}
