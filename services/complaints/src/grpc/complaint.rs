//! The gRPC service of complaints.

use std::sync::Arc;

use chassis::{Call, Desk, Fields, Host, Owned, Personal, Refusal, When, errors, reading::when};
use contracts::complaints::{
    self as api, Complaint as Row,
    complaint_service_server::{ComplaintService, ComplaintServiceServer},
};
use decider::Decision;
use eventlog::{Log, Recorded as _, stream_name};
use futures::future::try_join_all;
use tonic::{Request, Response, Status};

use super::CONTEXT;
use crate::{
    complaint::{Complaint, Event, Policy, Rejection},
    complaint_row::listing,
    config::Config,
};

mod parse;

/// Complaints as platforms and operators reach them.
#[derive(Clone)]
pub struct Complaints {
    desk: Desk,
    personal: Personal,
    config: Arc<Config>,
}

/// The service, ready to be served.
#[must_use]
pub fn service(log: Log, config: Arc<Config>, host: &Host) -> ComplaintServiceServer<Complaints> {
    let desk = Desk::new(log.clone(), host.clock.clone(), CONTEXT);
    let complaints = Complaints { desk, personal: Personal::new(log, CONTEXT), config };
    ComplaintServiceServer::new(complaints)
        .max_decoding_message_size(host.settings.server.max_message_bytes)
}

impl Owned for Complaint {
    type Rejection = Rejection;

    const NOT_FOUND: Rejection = Rejection::NotFound;

    fn owner(&self) -> Option<&str> {
        self.platform()
    }

    fn row_owner(row: &Row) -> &str {
        &row.platform
    }

    fn refusal(rejection: Rejection) -> Refusal {
        let text = rejection.to_string();
        match rejection {
            Rejection::NotFound => Refusal::not_found("UNKNOWN_COMPLAINT", text),
            Rejection::Differs(_) => Refusal::exists("DIFFERENT_CONTENT", text),
            Rejection::Another(differs) => {
                Refusal::exists("DIFFERENT_CONTENT", text).with("field", differs.field)
            }
            Rejection::NotNow { phase } => {
                Refusal::not_now("NOT_NOW", text).with("phase", phase.as_str_name())
            }
            Rejection::NotConfirmed => Refusal::not_now("NOT_CONFIRMED", text),
            Rejection::Passed(field) => Refusal::not_now("PASSED", text).with("field", field),
            Rejection::NotUpwards { .. } => Refusal::not_now("NOT_UPWARDS", text),
            Rejection::NoPost(_) => Refusal::not_now("UNKNOWN_POST", text),
            Rejection::BeyondAuthority { .. } => Refusal::not_now("BEYOND_AUTHORITY", text),
            Rejection::Unanswered(_) => Refusal::not_now("UNANSWERED_ITEMS", text),
            Rejection::NoItem(_) => Refusal::not_now("UNKNOWN_ITEM", text),
            Rejection::NoSolution(_) => Refusal::not_now("UNKNOWN_SOLUTION", text),
            Rejection::StillMajor(_) => Refusal::not_now("STILL_MAJOR", text),
            Rejection::OwnApproval(_) => Refusal::not_now("OWN_APPROVAL", text),
            Rejection::Penalty { .. } => Refusal::not_now("PENALTY_OUT_OF_RANGE", text),
            Rejection::NobodyResponsible => Refusal::not_now("NOBODY_RESPONSIBLE", text),
            Rejection::Sum => Refusal::not_now("SUMS_TOO_LARGE", text),
            Rejection::NotEscalated => Refusal::not_now("NOT_ESCALATED", text),
            Rejection::NothingToRemedy => Refusal::not_now("NOTHING_TO_REMEDY", text),
        }
    }
}

/// What a decision needs beside the command: who calls, and the numbers of the contract.
struct Around<'a> {
    by: &'a str,
    policy: &'a Policy,
}

/// How the complaint decides on a command that was parsed.
type Decide = Box<dyn Fn(&Complaint, &Around<'_>) -> Decision<Event, Rejection> + Send + Sync>;

/// A request on one complaint that exists.
trait OnComplaint {
    fn complaint_id(&self) -> &str;
    fn at(&self) -> &Option<prost_types::Timestamp>;
}

impl Complaints {
    /// One command on one complaint: parse it, let the complaint decide, answer with it after that.
    async fn command<M: OnComplaint>(
        &self,
        request: Request<M>,
        parse: fn(&mut Fields, &M, When) -> Decide,
    ) -> Result<(Option<Row>, bool), Status> {
        let call = Call::of(&request)?.clone();
        let now = self.desk.now();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let id = fields.identifier("complaint_id", message.complaint_id());
        let when = happened(&mut fields, message.at(), now);
        let decide = parse(&mut fields, &message, when);
        let decide = fields.finish(decide)?;
        let (row, repeated) = self
            .desk
            .command(&call, &id, now, |complaint: &Complaint| {
                let platform = complaint.platform().unwrap_or_default();
                let contract = complaint.contract_id().unwrap_or_default();
                let policy = self.config.policy_for(platform, contract);
                decide(complaint, &Around { by: &call.caller.name, policy: &policy })
            })
            .await?;
        Ok((Some(self.shown(&call, &row).await?), repeated))
    }

    /// A complaint as this caller may see it.
    async fn shown(&self, call: &Call, row: &Row) -> Result<Row, Status> {
        let sealed = row.sealed_complainant.as_ref();
        let complainant = self.personal.open_for(&call.caller, &row.platform, sealed).await?;
        Ok(Row { complainant, sealed_complainant: None, ..row.clone() })
    }
}

/// The whole service. Each line of the table is one command: its rpc, its request and reply; the
/// parser has the rpc's name.
macro_rules! complaint_service {
    ($($rpc:ident($request:ident) -> $response:ident;)*) => {
        $(impl OnComplaint for api::$request {
            fn complaint_id(&self) -> &str {
                &self.complaint_id
            }

            fn at(&self) -> &Option<prost_types::Timestamp> {
                &self.at
            }
        })*

        #[tonic::async_trait]
        impl ComplaintService for Complaints {
            $(async fn $rpc(
                &self,
                request: Request<api::$request>,
            ) -> Result<Response<api::$response>, Status> {
                let (complaint, repeated) = self.command(request, parse::$rpc).await?;
                Ok(Response::new(api::$response { complaint, repeated }))
            })*

            async fn receive_complaint(
                &self,
                request: Request<api::ReceiveComplaintRequest>,
            ) -> Result<Response<api::ReceiveComplaintResponse>, Status> {
                let call = Call::of(&request)?.clone();
                let now = self.desk.now();
                let message = request.into_inner();
                let mut fields = Fields::new();
                let when = happened(&mut fields, &message.at, now);
                let (mut intake, complainant) = parse::intake(&mut fields, &call, &message);
                fields.finish(())?;
                intake.complainant = self.personal.seal(&intake.platform, &complainant).await?;
                let policy = self.config.policy_for(&intake.platform, &intake.contract_id);
                let (row, repeated) = self
                    .desk
                    .command(&call, &intake.complaint_id, now, |complaint: &Complaint| {
                        complaint.receive(&intake, &call.caller.name, &policy, when)
                    })
                    .await?;
                let complaint = Some(self.shown(&call, &row).await?);
                Ok(Response::new(api::ReceiveComplaintResponse { complaint, repeated }))
            }

            async fn get_complaint(
                &self,
                request: Request<api::GetComplaintRequest>,
            ) -> Result<Response<api::GetComplaintResponse>, Status> {
                let call = Call::of(&request)?.clone();
                let mut fields = Fields::new();
                let id = fields.identifier("complaint_id", &request.into_inner().complaint_id);
                let id = fields.finish(id)?;
                let row = self.desk.get::<Complaint>(&call, &id).await?;
                let complaint = Some(self.shown(&call, &row).await?);
                Ok(Response::new(api::GetComplaintResponse { complaint }))
            }

            async fn get_complaint_history(
                &self,
                request: Request<api::GetComplaintHistoryRequest>,
            ) -> Result<Response<api::GetComplaintHistoryResponse>, Status> {
                let call = Call::of(&request)?.clone();
                let mut fields = Fields::new();
                let id = fields.identifier("complaint_id", &request.into_inner().complaint_id);
                let id = fields.finish(id)?;
                let row = self.desk.get::<Complaint>(&call, &id).await?;
                let history = self.desk.log().history(&stream_name(Complaint::KIND, &id)).await;
                let entries = history.map_err(errors::log)?.into_iter().map(entry).collect();
                let complaint = Some(self.shown(&call, &row).await?);
                Ok(Response::new(api::GetComplaintHistoryResponse { complaint, entries }))
            }

            async fn list_complaints(
                &self,
                request: Request<api::ListComplaintsRequest>,
            ) -> Result<Response<api::ListComplaintsResponse>, Status> {
                let call = Call::of(&request)?.clone();
                let message = request.into_inner();
                let mut fields = Fields::new();
                let wanted = parse::wanted(&mut fields, &call, &message);
                let listing = listing(&wanted);
                let listing = chassis::reading::page(
                    &mut fields, listing, message.page_size, &message.page_token,
                );
                let listing = fields.finish(listing)?;
                let (rows, next_page_token) = self.desk.page::<Row>(listing).await?;
                let shown = rows.iter().map(|row| self.shown(&call, row));
                let complaints = try_join_all(shown).await?;
                Ok(Response::new(api::ListComplaintsResponse { complaints, next_page_token }))
            }
        }
    };
}

complaint_service! {
    acknowledge_receipt(AcknowledgeReceiptRequest) -> AcknowledgeReceiptResponse;
    confirm_form(ConfirmFormRequest) -> ConfirmFormResponse;
    accept_complaint(AcceptComplaintRequest) -> AcceptComplaintResponse;
    assess_facts(AssessFactsRequest) -> AssessFactsResponse;
    lower_level(LowerLevelRequest) -> LowerLevelResponse;
    ask_user(AskUserRequest) -> AskUserResponse;
    record_user_answer(RecordUserAnswerRequest) -> RecordUserAnswerResponse;
    offer_solution(OfferSolutionRequest) -> OfferSolutionResponse;
    agree_solution(AgreeSolutionRequest) -> AgreeSolutionResponse;
    refuse_solution(RefuseSolutionRequest) -> RefuseSolutionResponse;
    exceed_authority(ExceedAuthorityRequest) -> ExceedAuthorityResponse;
    escalate_complaint(EscalateComplaintRequest) -> EscalateComplaintResponse;
    begin_review(BeginReviewRequest) -> BeginReviewResponse;
    decide_review(DecideReviewRequest) -> DecideReviewResponse;
    start_execution(StartExecutionRequest) -> StartExecutionResponse;
    record_implementation(RecordImplementationRequest) -> RecordImplementationResponse;
    record_change(RecordChangeRequest) -> RecordChangeResponse;
    send_change_notice(SendChangeNoticeRequest) -> SendChangeNoticeResponse;
    record_visit(RecordVisitRequest) -> RecordVisitResponse;
    order_remedy(OrderRemedyRequest) -> OrderRemedyResponse;
    record_remedy(RecordRemedyRequest) -> RecordRemedyResponse;
    analyse_cause(AnalyseCauseRequest) -> AnalyseCauseResponse;
    answer_item(AnswerItemRequest) -> AnswerItemResponse;
    send_closing_notice(SendClosingNoticeRequest) -> SendClosingNoticeResponse;
    close_complaint(CloseComplaintRequest) -> CloseComplaintResponse;
    reopen_complaint(ReopenComplaintRequest) -> ReopenComplaintResponse;
    cancel_complaint(CancelComplaintRequest) -> CancelComplaintResponse;
    impose_penalty(ImposePenaltyRequest) -> ImposePenaltyResponse;
}

/// When it happened: not later than now.
fn happened(
    fields: &mut Fields,
    at: &Option<prost_types::Timestamp>,
    now: jiff::Timestamp,
) -> When {
    let when = when(fields, at, now);
    if when.at.is_some_and(|at| at > now) {
        fields.refuse("at", "lies in the future");
    }
    when
}

fn entry(event: eventlog::RecordedEvent) -> api::ComplaintHistoryEntry {
    api::ComplaintHistoryEntry {
        position: event.position,
        json: contracts::json(&event.r#type, &event.body)
            .map_or_else(String::new, |json| json.to_string()),
        r#type: event.r#type,
        actor: event.metadata.unwrap_or_default().actor,
        recorded_at: event.recorded_at,
    }
}

#[cfg(test)]
mod tests;
