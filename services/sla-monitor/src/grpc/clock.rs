//! The gRPC service of clocks.

use std::pin::Pin;

use chassis::{
    Call, Desk, Fields, Host, Owned, Refusal, When,
    desk::platform_filter,
    errors,
    reading::{TEXT, filter, page, when},
    repeat::same_time,
};
use contracts::sla::{
    self as api, Clock as Row, ClockFilter, ClockState, Fact, FactKind, Party,
    clock_service_server::{ClockService, ClockServiceServer},
};
use eventlog::{Log, bus::Bus, time::to_proto};
use futures::Stream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use super::{CONTEXT, watch};
use crate::{
    clock::{About, Clock, Rejection},
    clock_row,
    explain::explain,
    monitor::plan_of,
    restate,
    rules::{RuleBook, Rules},
    timeline::Plan,
};

/// Clocks as platforms, operators and services reach them.
#[derive(Clone)]
pub struct Clocks {
    desk: Desk,
    bus: Bus,
    book: RuleBook,
    closing: CancellationToken,
}

/// The service, ready to be served.
#[must_use]
pub fn service(log: Log, bus: Bus, book: RuleBook, host: &Host) -> ClockServiceServer<Clocks> {
    let desk = Desk::new(log, host.clock.clone(), CONTEXT);
    ClockServiceServer::new(Clocks { desk, bus, book, closing: host.closing.clone() })
        .max_decoding_message_size(host.settings.server.max_message_bytes)
}

impl Owned for Clock {
    type Rejection = Rejection;

    const NOT_FOUND: Rejection = Rejection::NotFound;

    fn owner(&self) -> Option<&str> {
        self.platform()
    }

    fn row_owner(row: &Row) -> &str {
        &row.platform
    }

    fn refusal(rejection: Rejection) -> Refusal {
        refusal(rejection)
    }
}

pub(super) fn refusal(rejection: Rejection) -> Refusal {
    let text = rejection.to_string();
    match rejection {
        Rejection::NotFound => Refusal::not_found("UNKNOWN_CLOCK", text),
        Rejection::OutOfRange(_) => Refusal::not_now("BEYOND_THE_CALENDAR", text),
        Rejection::RulesUnknown => Refusal::not_now("RULES_UNKNOWN", text),
        Rejection::TooManyFacts => Refusal::not_now("TOO_MANY_FACTS", text),
        Rejection::Idle(_) => Refusal::not_now("WITHOUT_EFFECT", text),
        Rejection::Differs(field) => {
            Refusal::exists("DIFFERENT_CONTENT", text).with("field", field)
        }
    }
}

fn plan(row: &Row, rules: &Rules) -> Result<Plan, Status> {
    rules
        .plan(&row.profile, row.profile_version, &row.clock)
        .ok_or_else(|| refusal(Rejection::RulesUnknown).status(CONTEXT))
}

fn about(row: &Row) -> About {
    About {
        clock_id: row.clock_id.clone(),
        profile: row.profile.clone(),
        clock: row.clock.clone(),
        subject: row.subject.clone(),
        platform: row.platform.clone(),
        contract_id: row.contract_id.clone(),
        period: row.period.clone(),
    }
}

impl Clocks {
    /// A clock that has started; facts that came before that are none yet.
    async fn row(&self, call: &Call, clock_id: &str) -> Result<Row, Status> {
        let row = self.desk.get::<Clock>(call, clock_id).await?;
        if row.state() == ClockState::Unspecified {
            return Err(refusal(Rejection::NotFound).status(CONTEXT));
        }
        Ok(row)
    }

    /// Takes in a fact that a person tells.
    async fn record(
        &self,
        call: &Call,
        clock_id: &str,
        fact: &Fact,
        when: When,
    ) -> Result<(Row, bool), Status> {
        let about = about(&self.row(call, clock_id).await?);
        let (row, repeated) = self
            .desk
            .command(call, clock_id, when.now, |clock: &Clock| {
                // the version that counts now: another one may have been applied a moment ago
                let rules = self.book.rules();
                let plan = plan_of(clock, &rules).ok_or(Rejection::RulesUnknown)?;
                let events = clock.record(&about, fact, &plan)?;
                let before = clock.facts().iter().find(|known| known.evidence == fact.evidence);
                match before.map(|before| same_time(before.at.as_ref(), when)) {
                    Some(Err(differs)) => Err(Rejection::Differs(differs.field)),
                    Some(Ok(())) | None => Ok(events),
                }
            })
            .await?;
        Ok(((*row).clone(), repeated))
    }
}

#[tonic::async_trait]
impl ClockService for Clocks {
    async fn get_clock(
        &self,
        request: Request<api::GetClockRequest>,
    ) -> Result<Response<api::GetClockResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let mut fields = Fields::new();
        let id = fields.identifier("clock_id", &request.into_inner().clock_id);
        let id = fields.finish(id)?;
        let clock = Some(self.row(&call, &id).await?);
        Ok(Response::new(api::GetClockResponse { clock }))
    }

    async fn list_clocks(
        &self,
        request: Request<api::ListClocksRequest>,
    ) -> Result<Response<api::ListClocksResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let platform = platform_filter(&mut fields, &call, &message.platform);
        let profile = fields.optional_identifier("profile", &message.profile);
        let subject = fields.text("subject", &message.subject, 0..=200);
        let filter: Option<ClockFilter> = filter(&mut fields, "filter", message.filter);
        if !subject.is_empty() && (filter.is_some() || profile.is_some()) {
            fields.refuse("subject", "stands alone: leave out filter and profile");
        }
        let listing = match filter {
            _ if !subject.is_empty() => clock_row::of_case(&subject),
            None | Some(ClockFilter::Unspecified) => {
                clock_row::by_due(None, platform.as_deref(), profile.as_deref())
            }
            Some(ClockFilter::Open) => {
                clock_row::by_due(Some(false), platform.as_deref(), profile.as_deref())
            }
            Some(ClockFilter::Breached) => {
                clock_row::by_due(Some(true), platform.as_deref(), profile.as_deref())
            }
        };
        let listing = page(&mut fields, listing, message.page_size, &message.page_token);
        let listing = fields.finish(listing)?;
        let (mut clocks, next_page_token) = self.desk.page::<Row>(listing).await?;
        // the clocks of a case may belong to others
        clocks.retain(|clock| {
            call.caller.may_see(&clock.platform)
                && platform.as_ref().is_none_or(|platform| clock.platform == *platform)
        });
        Ok(Response::new(api::ListClocksResponse { clocks, next_page_token }))
    }

    async fn explain_clock(
        &self,
        request: Request<api::ExplainClockRequest>,
    ) -> Result<Response<api::ExplainClockResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let now = self.desk.now();
        let mut fields = Fields::new();
        let id = fields.identifier("clock_id", &request.into_inner().clock_id);
        let id = fields.finish(id)?;
        let row = self.row(&call, &id).await?;
        let rules = self.book.rules();
        let told = |facts: &[Fact], plan: &Plan| {
            explain(facts, plan, now).map_err(|error| refusal(error.into()).status(CONTEXT))
        };
        let as_committed = Some(told(&row.facts, &plan(&row, &rules)?)?);
        let newest = rules.newest(&row.profile).and_then(|profile| profile.policy(&row.clock));
        let as_restated = match newest.and_then(|policy| rules.plan_of(policy)) {
            None => None,
            // it goes by them itself
            Some(plan) if plan.policy.version == row.profile_version => as_committed.clone(),
            Some(plan) => Some(match restate::facts(&self.bus, &rules, &row, &plan).await {
                Ok(facts) => told(&facts, &plan)?,
                Err(error) => {
                    let mut told = told(&row.facts, &plan)?;
                    told.sentences.push(format!("By the facts of the clock alone: {error}."));
                    told
                }
            }),
        };
        Ok(Response::new(api::ExplainClockResponse {
            clock: Some(row),
            as_committed,
            as_restated,
            as_of: Some(to_proto(now)),
        }))
    }

    async fn extend_deadline(
        &self,
        request: Request<api::ExtendDeadlineRequest>,
    ) -> Result<Response<api::ExtendDeadlineResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let now = self.desk.now();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let id = fields.identifier("clock_id", &message.clock_id);
        let consent = fields.identifier("consent_id", &message.consent_id);
        let until = fields.timestamp("until", &message.until);
        let reason = fields.multiline("reason", &message.reason, TEXT);
        let when = when(&mut fields, &message.at, now);
        if when.at.is_some_and(|at| at > now) {
            fields.refuse("at", "lies in the future");
        }
        // what is no moment is said already, and reads as 1970
        if jiff::Timestamp::default() < until && until <= when.time() {
            fields.refuse("until", "is not after the consent");
        }
        fields.finish(())?;
        let fact = Fact {
            kind: FactKind::Extend.into(),
            at: Some(to_proto(when.time())),
            evidence: consent,
            recorded_at: Some(to_proto(now)),
            reason,
            until: Some(to_proto(until)),
            ..Fact::default()
        };
        let (clock, repeated) = self.record(&call, &id, &fact, when).await?;
        Ok(Response::new(api::ExtendDeadlineResponse { clock: Some(clock), repeated }))
    }

    async fn record_fact(
        &self,
        request: Request<api::RecordFactRequest>,
    ) -> Result<Response<api::RecordFactResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let now = self.desk.now();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let id = fields.identifier("clock_id", &message.clock_id);
        let fact_id = fields.identifier("fact_id", &message.fact_id);
        let kind: FactKind = fields.choice("kind", message.kind);
        if !clock_row::is_by_hand(kind) && kind != FactKind::Unspecified {
            fields.refuse("kind", "is none that can be recorded by hand");
        }
        let reason = fields.multiline("reason", &message.reason, TEXT);
        let when = when(&mut fields, &message.at, now);
        if when.at.is_some_and(|at| at > now) {
            fields.refuse("at", "lies in the future");
        }
        let holder: Party = match kind == FactKind::Pause {
            true => fields.choice("holder", message.holder),
            false => Party::Unspecified,
        };
        fields.finish(())?;
        let fact = Fact {
            kind: kind.into(),
            at: Some(to_proto(when.time())),
            evidence: fact_id,
            recorded_at: Some(to_proto(now)),
            holder: holder.into(),
            reason,
            ..Fact::default()
        };
        let (clock, repeated) = self.record(&call, &id, &fact, when).await?;
        Ok(Response::new(api::RecordFactResponse { clock: Some(clock), repeated }))
    }

    type WatchClocksStream =
        Pin<Box<dyn Stream<Item = Result<api::WatchClocksResponse, Status>> + Send>>;

    async fn watch_clocks(
        &self,
        request: Request<api::WatchClocksRequest>,
    ) -> Result<Response<Self::WatchClocksStream>, Status> {
        let call = Call::of(&request)?.clone();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let platform = platform_filter(&mut fields, &call, &message.platform);
        let profile = fields.optional_identifier("profile", &message.profile);
        fields.finish(())?;
        let last = self.desk.log().last_position().await.map_err(errors::log)?;
        let after = message.after_position.unwrap_or(last).min(last);
        let wanted = watch::Wanted { platform, profile };
        let stream =
            watch::announcements(self.desk.log().follow(after), wanted, self.closing.clone());
        Ok(Response::new(Box::pin(stream)))
    }
}

#[cfg(test)]
mod tests;
