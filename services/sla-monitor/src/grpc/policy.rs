//! The gRPC service of policies and calendars.

mod replan;

use std::sync::Arc;

use chassis::{Call, Desk, Fields, Host, Refusal, errors};
use contracts::sla::{
    self as api, Binding, ProfileHistory, ProfileVersion, ReplanReason,
    policy_service_server::{PolicyService, PolicyServiceServer},
};
use decider::Decision;
use eventlog::{Log, Outcome, Recorded, Staged, TransactError, Transacted, bus::Bus};
use jiff::Timestamp;
use tonic::{Request, Response, Status};

use replan::pinned;

use super::CONTEXT;
use crate::{
    bindings::{self, Bindings},
    calendars::{self, CalendarSeries, Holidays, Never},
    policy,
    profile::{self, ProfileSeries},
    publishing,
    replay::{self, Asked},
    rules::{RuleBook, Rules, all},
    written,
};

/// Policies as operators and platforms reach them.
#[derive(Clone)]
pub struct Policies {
    desk: Desk,
    bus: Bus,
    book: RuleBook,
}

/// The service, ready to be served.
#[must_use]
pub fn service(log: Log, bus: Bus, book: RuleBook, host: &Host) -> PolicyServiceServer<Policies> {
    let desk = Desk::new(log, host.clock.clone(), CONTEXT);
    PolicyServiceServer::new(Policies { desk, bus, book })
        .max_decoding_message_size(host.settings.server.max_message_bytes)
}

fn no_profile(name: &str) -> Status {
    Refusal::not_found("UNKNOWN_PROFILE", format!("there is no profile {name}")).status(CONTEXT)
}

fn refused(rejection: publishing::Rejection) -> Refusal {
    use profile::Rejection as Said;
    let text = rejection.to_string();
    match rejection {
        publishing::Rejection::Profile(Said::NotFound) => {
            Refusal::not_found("UNKNOWN_PROFILE", text)
        }
        publishing::Rejection::Profile(Said::SeenAnother { .. }) => {
            Refusal::not_now("SEEN_ANOTHER_VERSION", text)
        }
        publishing::Rejection::Profile(Said::IsBound) => Refusal::not_now("PROFILE_IS_BOUND", text),
        publishing::Rejection::Profile(Said::IsRetired) => {
            Refusal::not_now("PROFILE_IS_RETIRED", text)
        }
        publishing::Rejection::Bindings(bindings::Rejection::Overlaps(_)) => {
            Refusal::not_now("PROFILES_OVERLAP", text).with("field", "binding")
        }
    }
}

fn notice_refused(rejection: calendars::Rejection) -> Refusal {
    let text = rejection.to_string();
    match rejection {
        calendars::Rejection::Older(_) => Refusal::not_now("OLDER_EDITION", text),
        calendars::Rejection::Differs(_) => Refusal::exists("DIFFERENT_CONTENT", text),
    }
}

impl Policies {
    /// Publishes something, and lets everybody know.
    async fn publish<A: Recorded, R: Send>(
        &self,
        call: &Call,
        id: &str,
        now: Timestamp,
        decide: impl FnMut(&A) -> Decision<A::Event, R> + Send,
        refusal: impl Fn(R) -> Refusal,
    ) -> Result<Transacted<A>, Status> {
        let done = self
            .desk
            .log()
            .transact(id, &call.context(now), decide)
            .await
            .map_err(|error| errors::transact(error, CONTEXT, refusal))?;
        self.book.reload().await.map_err(errors::log)?;
        Ok(done)
    }

    /// The same, for what rests on other profiles and bindings.
    async fn published<A: Recorded>(
        &self,
        done: Result<Staged<A>, TransactError<publishing::Rejection>>,
    ) -> Result<(Arc<A::Row>, bool), Status> {
        let done = done.map_err(|error| errors::transact(error, CONTEXT, refused))?;
        self.book.reload().await.map_err(errors::log)?;
        Ok((done.row, done.outcome == Outcome::AlreadyApplied))
    }
}

fn binding(fields: &mut Fields, given: &Option<Binding>, rules: &Rules) -> Binding {
    fields
        .message("binding", given, |fields, given| {
            let platform = fields.optional_identifier("platform", &given.platform);
            let contract_id = fields.optional_identifier("contract_id", &given.contract_id);
            if contract_id.is_some() && platform.is_none() {
                fields.refuse("platform", "is missing: a contract is one with a platform");
            }
            let profile = fields.identifier("profile", &given.profile);
            if !profile.is_empty() && rules.newest(&profile).is_none() {
                fields.refuse("profile", format!("there is no profile {profile}"));
            }
            Binding {
                platform: platform.unwrap_or_default(),
                contract_id: contract_id.unwrap_or_default(),
                profile,
            }
        })
        .unwrap_or_default()
}

#[tonic::async_trait]
impl PolicyService for Policies {
    async fn publish_profile(
        &self,
        request: Request<api::PublishProfileRequest>,
    ) -> Result<Response<api::PublishProfileResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let now = self.desk.now();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let rules = self.book.rules();
        let checked = fields.message("profile", &message.profile, |fields, given| {
            (policy::read(fields, given, 0, |name| rules.calendar(name).is_some()), given.clone())
        });
        let (checked, given) = fields.finish_some(checked)?;
        let (log, seen, by) = (self.desk.log(), message.seen_version, &call.caller.name);
        let done = publishing::publish(log, &call.context(now), &given, seen, by).await;
        let (row, repeated) = self.published(done).await?;
        Ok(Response::new(api::PublishProfileResponse {
            published: row.versions.last().cloned(),
            repeated,
            unbound_events: checked.unbound.into_iter().collect(),
        }))
    }

    async fn retire_profile(
        &self,
        request: Request<api::RetireProfileRequest>,
    ) -> Result<Response<api::RetireProfileResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let now = self.desk.now();
        let mut fields = Fields::new();
        let name = fields.identifier("name", &request.into_inner().name);
        let name = fields.finish(name)?;
        let (log, by) = (self.desk.log(), &call.caller.name);
        let done = publishing::retire(log, &call.context(now), &name, by).await;
        let (row, repeated) = self.published(done).await?;
        let retired = row.versions.last().cloned();
        Ok(Response::new(api::RetireProfileResponse { retired, repeated }))
    }

    async fn get_profile(
        &self,
        request: Request<api::GetProfileRequest>,
    ) -> Result<Response<api::GetProfileResponse>, Status> {
        let message = request.into_inner();
        let mut fields = Fields::new();
        let name = fields.identifier("name", &message.name);
        let name = fields.finish(name)?;
        let history: Option<ProfileHistory> = self.desk.row(ProfileSeries::KIND, &name).await?;
        let versions = history.ok_or_else(|| no_profile(&name))?.versions;
        let found = match message.version {
            0 => versions.into_iter().next_back(),
            wanted => versions.into_iter().find(|version| version.version == wanted),
        };
        let found = Some(found.ok_or_else(|| no_profile(&name))?);
        Ok(Response::new(api::GetProfileResponse { found }))
    }

    async fn list_profiles(
        &self,
        _request: Request<api::ListProfilesRequest>,
    ) -> Result<Response<api::ListProfilesResponse>, Status> {
        let histories: Vec<ProfileHistory> =
            all(self.desk.log(), profile::by_name()).await.map_err(errors::log)?;
        let profiles: Vec<ProfileVersion> = histories
            .into_iter()
            .filter_map(|history| history.versions.into_iter().next_back())
            .collect();
        Ok(Response::new(api::ListProfilesResponse { profiles }))
    }

    async fn bind_profile(
        &self,
        request: Request<api::BindProfileRequest>,
    ) -> Result<Response<api::BindProfileResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let now = self.desk.now();
        let mut fields = Fields::new();
        let bound = binding(&mut fields, &request.into_inner().binding, &self.book.rules());
        let bound = fields.finish(bound)?;
        let (log, by) = (self.desk.log(), &call.caller.name);
        let done = publishing::bind(log, &call.context(now), &bound, by).await;
        let (_, repeated) = self.published(done).await?;
        Ok(Response::new(api::BindProfileResponse { repeated }))
    }

    async fn unbind_profile(
        &self,
        request: Request<api::UnbindProfileRequest>,
    ) -> Result<Response<api::UnbindProfileResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let now = self.desk.now();
        let mut fields = Fields::new();
        let bound = binding(&mut fields, &request.into_inner().binding, &self.book.rules());
        let bound = fields.finish(bound)?;
        let done = self
            .publish(
                &call,
                bindings::ID,
                now,
                |known: &Bindings| known.unbind(&bound, &call.caller.name, now),
                |rejection| refused(rejection.into()),
            )
            .await?;
        let repeated = done.outcome == Outcome::AlreadyApplied;
        Ok(Response::new(api::UnbindProfileResponse { repeated }))
    }

    async fn list_bindings(
        &self,
        _request: Request<api::ListBindingsRequest>,
    ) -> Result<Response<api::ListBindingsResponse>, Status> {
        let history: Option<api::BindingHistory> =
            self.desk.row(Bindings::KIND, bindings::ID).await?;
        let entries = history.unwrap_or_default().entries.into_iter();
        let mut bindings: Vec<Binding> = entries
            .filter(|entry| entry.unbound_at.is_none())
            .filter_map(|entry| entry.binding)
            .collect();
        bindings.sort_by(|one, other| {
            (&one.platform, &one.contract_id).cmp(&(&other.platform, &other.contract_id))
        });
        Ok(Response::new(api::ListBindingsResponse { bindings }))
    }

    async fn publish_calendar(
        &self,
        request: Request<api::PublishCalendarRequest>,
    ) -> Result<Response<api::PublishCalendarResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let now = self.desk.now();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let read = fields.message("calendar", &message.calendar, written::calendar).flatten();
        let given = written::told(&fields.finish_some(read)?);
        let done = self
            .publish(
                &call,
                &given.name,
                now,
                |series: &CalendarSeries| series.publish(&given, &call.caller.name, now),
                |never: Never| match never {},
            )
            .await?;
        let repeated = done.outcome == Outcome::AlreadyApplied;
        // a repeat too: the first call may have been cut off before its end
        let of_it = |row: &api::Clock, rules: &Rules| {
            pinned(row, rules).filter(|plan| plan.policy.calendar == given.name)
        };
        self.replan(&call, now, of_it, ReplanReason::Calendar, None, false).await?;
        let published = Some((*done.row).clone());
        Ok(Response::new(api::PublishCalendarResponse { published, repeated }))
    }

    async fn publish_holidays(
        &self,
        request: Request<api::PublishHolidaysRequest>,
    ) -> Result<Response<api::PublishHolidaysResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let now = self.desk.now();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let read = fields.message("notice", &message.notice, written::notice).flatten();
        let notice = written::told_notice(&fields.finish_some(read)?);
        let done = self
            .publish(
                &call,
                &notice.region,
                now,
                |known: &Holidays| known.publish(&notice, &call.caller.name, now),
                notice_refused,
            )
            .await?;
        let repeated = done.outcome == Outcome::AlreadyApplied;
        self.replan(&call, now, pinned, ReplanReason::Holidays, None, false).await?;
        Ok(Response::new(api::PublishHolidaysResponse { repeated }))
    }

    async fn list_calendars(
        &self,
        _request: Request<api::ListCalendarsRequest>,
    ) -> Result<Response<api::ListCalendarsResponse>, Status> {
        let log = self.desk.log();
        Ok(Response::new(api::ListCalendarsResponse {
            calendars: all(log, calendars::by_name()).await.map_err(errors::log)?,
            holidays: all(log, calendars::by_region()).await.map_err(errors::log)?,
        }))
    }

    async fn apply_profile(
        &self,
        request: Request<api::ApplyProfileRequest>,
    ) -> Result<Response<api::ApplyProfileResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let now = self.desk.now();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let name = fields.identifier("name", &message.name);
        let name = fields.finish(name)?;
        let rules = self.book.rules();
        let newest = rules.newest(&name).ok_or_else(|| no_profile(&name))?.clone();
        let by_newest = |row: &api::Clock, rules: &Rules| {
            newest.policy(&row.clock).and_then(|policy| rules.plan_of(policy))
        };
        let done = self
            .replan(&call, now, by_newest, ReplanReason::Policy, Some(&name), message.dry_run)
            .await?;
        Ok(Response::new(api::ApplyProfileResponse {
            looked_at: done.looked_at,
            changed: done.changed,
            kept: done.kept,
        }))
    }

    async fn back_test(
        &self,
        request: Request<api::BackTestRequest>,
    ) -> Result<Response<api::BackTestResponse>, Status> {
        let now = self.desk.now();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let rules = self.book.rules();
        let draft = fields.message("draft", &message.draft, |fields, draft| {
            policy::read(fields, draft, 0, |name| rules.calendar(name).is_some())
        });
        let platform = fields.optional_identifier("platform", &message.platform);
        let from = fields.optional_timestamp("from", &message.from);
        let to = fields.optional_timestamp("to", &message.to).unwrap_or(now);
        let examples = fields.number("examples", message.examples, 0..=500);
        let draft = fields.finish_some(draft)?;
        let examples = if examples == 0 { 50 } else { examples as usize };
        let asked = Asked { platform, from, to: to.min(now), examples };
        let tested = replay::back_test(&self.bus, &draft, &rules, asked)
            .await
            .map_err(|error| errors::unavailable("history cannot be read again", error))?;
        Ok(Response::new(tested))
    }
}

#[cfg(test)]
mod tests;
