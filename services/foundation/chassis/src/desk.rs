//! Where the gRPC services of a context take calls: whose record it is, who may see it, how a command
//! and a listing are run. No rule is here.
//!
//! ```text
//! request ─▶ Fields ─▶ Desk::command ─▶ Log::transact(decide) ─▶ row, repeated?
//!                      Desk::get, find, page ─▶ rows
//! ```
//!
//! The invariant: to the caller of one platform, what belongs to another is not there: commands and
//! reads of single records see to it; a listing is limited by [`platform_filter`].

use std::sync::Arc;

use eventlog::{Clock, Listing, Log, LogError, Outcome, Recorded};
use jiff::Timestamp;
use tonic::Status;

use crate::{Call, Fields, Refusal, errors};

/// An aggregate that belongs to a platform, or to none.
pub trait Owned: Recorded {
    /// Why it says no.
    type Rejection: Send;

    /// What it says when it is not there, and to a platform that it does not belong to.
    const NOT_FOUND: Self::Rejection;

    /// The platform; empty when it belongs to none, `None` when the aggregate is not there.
    fn owner(&self) -> Option<&str>;

    /// The platform of its row; empty when it belongs to none.
    fn row_owner(row: &Self::Row) -> &str;

    /// A rejection as callers see it.
    fn refusal(rejection: Self::Rejection) -> Refusal;
}

/// The log and the clock, with what is done to them on behalf of a caller. Cheap to clone.
#[derive(Clone)]
pub struct Desk {
    log: Log,
    clock: Arc<dyn Clock>,
    context: &'static str,
}

impl Desk {
    /// A desk of the context whose errors are of the domain `emall.<context>`.
    #[must_use]
    pub fn new(log: Log, clock: Arc<dyn Clock>, context: &'static str) -> Self {
        Self { log, clock, context }
    }

    /// The log, for what has no caller.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The clock's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Runs a command: the row after it, and whether it had been done before. To a caller of
    /// another platform the aggregate is not there.
    ///
    /// `decide` may run several times, when others change the same aggregate meanwhile.
    ///
    /// # Errors
    /// What [`Owned::refusal`] makes of a rejection, or what [`errors::transact`] says.
    pub async fn command<A: Owned>(
        &self,
        call: &Call,
        id: &str,
        now: Timestamp,
        mut decide: impl FnMut(&A) -> Result<Vec<A::Event>, A::Rejection> + Send,
    ) -> Result<(Arc<A::Row>, bool), Status> {
        let done = self
            .log
            .transact(id, &call.context(now), |aggregate: &A| match aggregate.owner() {
                Some(platform) if !call.caller.may_see(platform) => Err(A::NOT_FOUND),
                Some(_) | None => decide(aggregate),
            })
            .await
            .map_err(|error| errors::transact(error, self.context, A::refusal))?;
        Ok((done.row, done.outcome == Outcome::AlreadyApplied))
    }

    /// Reads a row that the caller may see.
    ///
    /// # Errors
    /// The refusal of [`Owned::NOT_FOUND`], or what [`errors::log`] says.
    pub async fn get<A: Owned>(&self, call: &Call, id: &str) -> Result<A::Row, Status> {
        let row = self.find::<A>(call, id).await?;
        row.ok_or_else(|| A::refusal(A::NOT_FOUND).status(self.context))
    }

    /// Reads a row; one that the caller may not see is not there.
    ///
    /// # Errors
    /// What [`errors::log`] says.
    pub async fn find<A: Owned>(&self, call: &Call, id: &str) -> Result<Option<A::Row>, Status> {
        let row = self.row::<A::Row>(A::KIND, id).await?;
        Ok(row.filter(|row| call.caller.may_see(A::row_owner(row))))
    }

    /// Reads any row, whoever asks.
    ///
    /// # Errors
    /// What [`errors::log`] says.
    pub async fn row<R: prost::Message + Default>(
        &self,
        kind: &str,
        id: &str,
    ) -> Result<Option<R>, Status> {
        let stored = self.log.get_row(kind, id).await.map_err(errors::log)?;
        stored.map(|stored| read(kind, &stored.id, stored.body)).transpose()
    }

    /// One page of rows, whoever asks, and the token of the next; it is empty on the last page.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` when the listing's own token is none, else what [`errors::log`] says.
    pub async fn page<R: prost::Message + Default>(
        &self,
        listing: Listing,
    ) -> Result<(Vec<R>, String), Status> {
        let page = self.log.list(&listing).await.map_err(errors::log)?;
        let rows = page
            .rows
            .into_iter()
            .map(|stored| read(&listing.kind, &stored.id, stored.body))
            .collect::<Result<_, _>>()?;
        Ok((rows, page.next.unwrap_or_default()))
    }
}

fn read<R: prost::Message + Default>(
    kind: &str,
    id: &str,
    body: impl prost::bytes::Buf,
) -> Result<R, Status> {
    R::decode(body).map_err(|_| errors::log(LogError::Corrupt(format!("row {id} of {kind}"))))
}

/// The platform that a record is for, in the field `platform`: a platform's own, whatever it leaves
/// out; another's is refused. Everybody else names it, or leaves it empty for none.
pub fn platform(fields: &mut Fields, call: &Call, given: &str) -> String {
    match &call.caller.platform {
        Some(own) => {
            if !given.is_empty() && given != own {
                fields.refuse("platform", "is not the caller's own platform");
            }
            own.clone()
        }
        None => fields.optional_identifier("platform", given).unwrap_or_default(),
    }
}

/// The platform that a listing is limited to, none for all that the caller may see.
pub fn platform_filter(fields: &mut Fields, call: &Call, given: &str) -> Option<String> {
    Some(platform(fields, call, given)).filter(|platform| !platform.is_empty())
}

#[cfg(test)]
mod tests {
    use contracts::common::Role;

    use super::*;
    use crate::testing::call;

    fn platform_of(own: Option<&str>, given: &str) -> Option<String> {
        let mut fields = Fields::new();
        let platform = platform(&mut fields, &call("tester", own, Role::Operator), given);
        fields.finish(platform).ok()
    }

    #[test]
    fn a_platform_speaks_for_itself_alone() {
        assert_eq!(platform_of(Some("mall"), "").as_deref(), Some("mall"));
        assert_eq!(platform_of(Some("mall"), "mall").as_deref(), Some("mall"));
        assert_eq!(platform_of(Some("mall"), "other"), None);
    }

    #[test]
    fn everybody_else_names_the_platform_or_none() {
        assert_eq!(platform_of(None, "mall").as_deref(), Some("mall"));
        assert_eq!(platform_of(None, "").as_deref(), Some(""));
        assert_eq!(platform_of(None, "a b"), None);
    }

    #[test]
    fn a_listing_is_limited_to_what_the_caller_may_see() {
        for (own, given, limit) in
            [(Some("mall"), "", Some("mall")), (None, "mall", Some("mall")), (None, "", None)]
        {
            let (call, mut fields) = (call("tester", own, Role::Operator), Fields::new());
            assert_eq!(platform_filter(&mut fields, &call, given).as_deref(), limit);
            assert!(fields.is_fine());
        }
    }
}
