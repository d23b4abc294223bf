//! The gRPC service of what is learned from complaints: parse → decide → reply.

use chassis::{
    Call, Desk, Fields, Host, Owned, Refusal,
    reading::{NAME, TEXT, filter, page},
};
use contracts::complaints::{
    self as api, CauseClass, CorrectiveAction as ActionRow, Department, MeasureKind, Pattern,
    StandardSolution,
    improvement_service_server::{ImprovementService, ImprovementServiceServer},
};
use eventlog::Log;
use tonic::{Request, Response, Status};

use super::{CONTEXT, happened};
use crate::{
    action::{self, Action, Need, Plan},
    pattern,
    standard::{self, Adoption, Standard, is_meant_for},
};

/// Standard solutions that are looked at for one cause, at most.
const MOST_STANDARDS: usize = 500;
/// Kinds of measures of one solution.
const MOST_MEASURES: usize = 20;

/// Standard solutions, actions and patterns as operators reach them.
#[derive(Clone)]
pub struct Improvements {
    desk: Desk,
}

/// The service, ready to be served.
#[must_use]
pub fn service(log: Log, host: &Host) -> ImprovementServiceServer<Improvements> {
    let desk = Desk::new(log, host.clock.clone(), CONTEXT);
    ImprovementServiceServer::new(Improvements { desk })
        .max_decoding_message_size(host.settings.server.max_message_bytes)
}

/// The standard solutions for complaints of a type, the newest first.
pub(super) async fn standards_for(
    desk: &Desk,
    cause: CauseClass,
    topic: &str,
) -> Result<Vec<StandardSolution>, Status> {
    let listing = standard::listing(Some(cause), true).limit(MOST_STANDARDS);
    let (mut rows, _) = desk.page::<StandardSolution>(listing).await?;
    rows.retain(|standard| is_meant_for(standard, topic));
    Ok(rows)
}

/// Belongs to no platform: what is learned is learned for all.
impl Owned for Standard {
    type Rejection = standard::Rejection;

    const NOT_FOUND: Self::Rejection = standard::Rejection::NotFound;

    fn owner(&self) -> Option<&str> {
        self.exists().then_some("")
    }

    fn row_owner(_row: &StandardSolution) -> &str {
        ""
    }

    fn refusal(rejection: Self::Rejection) -> Refusal {
        let text = rejection.to_string();
        match rejection {
            standard::Rejection::NotFound => Refusal::not_found("UNKNOWN_STANDARD_SOLUTION", text),
            standard::Rejection::Differs(differs) => {
                Refusal::exists("DIFFERENT_CONTENT", text).with("field", differs.field)
            }
        }
    }
}

impl Owned for Action {
    type Rejection = action::Rejection;

    const NOT_FOUND: Self::Rejection = action::Rejection::NotFound;

    fn owner(&self) -> Option<&str> {
        self.exists().then_some("")
    }

    fn row_owner(_row: &ActionRow) -> &str {
        ""
    }

    fn refusal(rejection: Self::Rejection) -> Refusal {
        let text = rejection.to_string();
        match rejection {
            action::Rejection::NotFound => Refusal::not_found("UNKNOWN_ACTION", text),
            action::Rejection::Differs(differs) => {
                Refusal::exists("DIFFERENT_CONTENT", text).with("field", differs.field)
            }
            action::Rejection::NotNow(phase) => {
                Refusal::not_now("NOT_NOW", text).with("phase", phase.as_str_name())
            }
            action::Rejection::Passed => Refusal::not_now("PASSED", text).with("field", "due_by"),
            action::Rejection::OwnAction(_) => Refusal::not_now("OWN_ACTION", text),
        }
    }
}

#[tonic::async_trait]
impl ImprovementService for Improvements {
    async fn adopt_standard_solution(
        &self,
        request: Request<api::AdoptStandardSolutionRequest>,
    ) -> Result<Response<api::AdoptStandardSolutionResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let (message, now) = (request.into_inner(), self.desk.now());
        let mut fields = Fields::new();
        let measures: Vec<MeasureKind> =
            fields.repeated("measures", &message.measures, 1..=MOST_MEASURES, |fields, kind| {
                fields.choice("", *kind)
            });
        let mut measures: Vec<i32> = measures.into_iter().map(i32::from).collect();
        measures.sort_unstable();
        measures.dedup();
        let adoption = Adoption {
            id: fields.identifier("standard_solution_id", &message.standard_solution_id),
            cause: fields.choice("cause", message.cause),
            topic: fields.optional_identifier("topic", &message.topic).unwrap_or_default(),
            text: fields.multiline("text", &message.text, TEXT),
            feasibility: fields.multiline("feasibility", &message.feasibility, TEXT),
            fairness: fields.multiline("fairness", &message.fairness, TEXT),
            measures,
            complaint_id: String::new(),
        };
        let when = happened(&mut fields, &message.at, now);
        fields.finish(())?;
        let adopt = |standard: &Standard| standard.adopt(&adoption, &call.caller.name, when);
        let (row, repeated) = self.desk.command(&call, &adoption.id, now, adopt).await?;
        let standard_solution = Some((*row).clone());
        Ok(Response::new(api::AdoptStandardSolutionResponse { standard_solution, repeated }))
    }

    async fn retire_standard_solution(
        &self,
        request: Request<api::RetireStandardSolutionRequest>,
    ) -> Result<Response<api::RetireStandardSolutionResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let (message, now) = (request.into_inner(), self.desk.now());
        let mut fields = Fields::new();
        let id = fields.identifier("standard_solution_id", &message.standard_solution_id);
        let reason = fields.multiline("reason", &message.reason, TEXT);
        let when = happened(&mut fields, &message.at, now);
        fields.finish(())?;
        let retire = |standard: &Standard| standard.retire(&reason, &call.caller.name, when);
        let (row, repeated) = self.desk.command(&call, &id, now, retire).await?;
        let standard_solution = Some((*row).clone());
        Ok(Response::new(api::RetireStandardSolutionResponse { standard_solution, repeated }))
    }

    async fn list_standard_solutions(
        &self,
        request: Request<api::ListStandardSolutionsRequest>,
    ) -> Result<Response<api::ListStandardSolutionsResponse>, Status> {
        let message = request.into_inner();
        let mut fields = Fields::new();
        let cause = filter(&mut fields, "cause", message.cause);
        let topic = fields.optional_identifier("topic", &message.topic);
        if topic.is_some() && cause.is_none() {
            fields.refuse("cause", "is missing: a topic is one of a cause");
        }
        let listing = standard::listing(cause, !message.with_retired);
        let listing = page(&mut fields, listing, message.page_size, &message.page_token);
        let listing = fields.finish(listing)?;
        let (mut standard_solutions, next_page_token) =
            self.desk.page::<StandardSolution>(listing).await?;
        if let Some(topic) = topic {
            standard_solutions.retain(|standard| is_meant_for(standard, &topic));
        }
        Ok(Response::new(api::ListStandardSolutionsResponse {
            standard_solutions,
            next_page_token,
        }))
    }

    async fn open_corrective_action(
        &self,
        request: Request<api::OpenCorrectiveActionRequest>,
    ) -> Result<Response<api::OpenCorrectiveActionResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let (message, now) = (request.into_inner(), self.desk.now());
        let mut fields = Fields::new();
        let need = Need {
            action_id: fields.identifier("action_id", &message.action_id),
            kind: fields.choice("kind", message.kind),
            subject: fields.multiline("subject", &message.subject, TEXT),
            complaint_id: fields
                .optional_identifier("complaint_id", &message.complaint_id)
                .unwrap_or_default(),
            pattern_id: String::new(),
            cause: filter(&mut fields, "cause", message.cause).unwrap_or_default(),
            topic: fields.optional_identifier("topic", &message.topic).unwrap_or_default(),
        };
        let when = happened(&mut fields, &message.at, now);
        fields.finish(())?;
        let open = |action: &Action| action.open(&need, &call.caller.name, when);
        let (row, repeated) = self.desk.command(&call, &need.action_id, now, open).await?;
        let action = Some((*row).clone());
        Ok(Response::new(api::OpenCorrectiveActionResponse { action, repeated }))
    }

    async fn plan_corrective_action(
        &self,
        request: Request<api::PlanCorrectiveActionRequest>,
    ) -> Result<Response<api::PlanCorrectiveActionResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let (message, now) = (request.into_inner(), self.desk.now());
        let mut fields = Fields::new();
        let id = fields.identifier("action_id", &message.action_id);
        let plan = Plan {
            department: fields.choice("department", message.department),
            owner: fields.text("owner", &message.owner, NAME),
            measure: fields.multiline("measure", &message.measure, TEXT),
            due_by: fields.timestamp("due_by", &message.due_by),
        };
        let when = happened(&mut fields, &message.at, now);
        fields.finish(())?;
        let decide = |action: &Action| action.plan(&plan, &call.caller.name, when);
        let (row, repeated) = self.desk.command(&call, &id, now, decide).await?;
        let action = Some((*row).clone());
        Ok(Response::new(api::PlanCorrectiveActionResponse { action, repeated }))
    }

    async fn record_corrective_action_done(
        &self,
        request: Request<api::RecordCorrectiveActionDoneRequest>,
    ) -> Result<Response<api::RecordCorrectiveActionDoneResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let (message, now) = (request.into_inner(), self.desk.now());
        let mut fields = Fields::new();
        let id = fields.identifier("action_id", &message.action_id);
        let evidence = fields.multiline("evidence", &message.evidence, TEXT);
        let when = happened(&mut fields, &message.at, now);
        fields.finish(())?;
        let done = |action: &Action| action.done(&evidence, &call.caller.name, when);
        let (row, repeated) = self.desk.command(&call, &id, now, done).await?;
        let action = Some((*row).clone());
        Ok(Response::new(api::RecordCorrectiveActionDoneResponse { action, repeated }))
    }

    async fn check_corrective_action(
        &self,
        request: Request<api::CheckCorrectiveActionRequest>,
    ) -> Result<Response<api::CheckCorrectiveActionResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let (message, now) = (request.into_inner(), self.desk.now());
        let mut fields = Fields::new();
        let id = fields.identifier("action_id", &message.action_id);
        let finding = fields.multiline("finding", &message.finding, TEXT);
        let by = fields.text("checked_by", &message.checked_by, NAME);
        let when = happened(&mut fields, &message.at, now);
        fields.finish(())?;
        let check = |action: &Action| action.check(message.effective, &finding, &by, when);
        let (row, repeated) = self.desk.command(&call, &id, now, check).await?;
        let action = Some((*row).clone());
        Ok(Response::new(api::CheckCorrectiveActionResponse { action, repeated }))
    }

    async fn cancel_corrective_action(
        &self,
        request: Request<api::CancelCorrectiveActionRequest>,
    ) -> Result<Response<api::CancelCorrectiveActionResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let (message, now) = (request.into_inner(), self.desk.now());
        let mut fields = Fields::new();
        let id = fields.identifier("action_id", &message.action_id);
        let reason = fields.multiline("reason", &message.reason, TEXT);
        let approved_by = fields.text("approved_by", &message.approved_by, NAME);
        let when = happened(&mut fields, &message.at, now);
        fields.finish(())?;
        let cancel = |action: &Action| action.cancel(&reason, &approved_by, when);
        let (row, repeated) = self.desk.command(&call, &id, now, cancel).await?;
        let action = Some((*row).clone());
        Ok(Response::new(api::CancelCorrectiveActionResponse { action, repeated }))
    }

    async fn get_corrective_action(
        &self,
        request: Request<api::GetCorrectiveActionRequest>,
    ) -> Result<Response<api::GetCorrectiveActionResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let mut fields = Fields::new();
        let id = fields.identifier("action_id", &request.into_inner().action_id);
        let id = fields.finish(id)?;
        let action = Some(self.desk.get::<Action>(&call, &id).await?);
        Ok(Response::new(api::GetCorrectiveActionResponse { action }))
    }

    async fn list_corrective_actions(
        &self,
        request: Request<api::ListCorrectiveActionsRequest>,
    ) -> Result<Response<api::ListCorrectiveActionsResponse>, Status> {
        let message = request.into_inner();
        let mut fields = Fields::new();
        let department: Option<Department> = filter(&mut fields, "department", message.department);
        let owner = fields.text("owner", &message.owner, 0..=200);
        let owner = Some(owner).filter(|owner| !owner.is_empty());
        if owner.is_some() && department.is_some() {
            fields.refuse("owner", "and department exclude each other: give one of them");
        }
        let listing = action::listing(owner.as_deref(), department, message.open_only);
        let listing = page(&mut fields, listing, message.page_size, &message.page_token);
        let listing = fields.finish(listing)?;
        let (actions, next_page_token) = self.desk.page::<ActionRow>(listing).await?;
        Ok(Response::new(api::ListCorrectiveActionsResponse { actions, next_page_token }))
    }

    async fn list_patterns(
        &self,
        request: Request<api::ListPatternsRequest>,
    ) -> Result<Response<api::ListPatternsResponse>, Status> {
        let message = request.into_inner();
        let mut fields = Fields::new();
        let dimension = filter(&mut fields, "dimension", message.dimension);
        let listing = pattern::listing(dimension);
        let listing = page(&mut fields, listing, message.page_size, &message.page_token);
        let listing = fields.finish(listing)?;
        let (patterns, next_page_token) = self.desk.page::<Pattern>(listing).await?;
        Ok(Response::new(api::ListPatternsResponse { patterns, next_page_token }))
    }
}

#[cfg(test)]
mod tests;
