//! The gRPC service of complaints.

use std::sync::Arc;

use chassis::{
    Call, Desk, Fields, Host, Owned, Personal, Refusal, When, errors, parse::is_identifier,
    personal::sees_all,
};
use contracts::complaints::{
    self as api, Account, Complaint as Row, ComplaintKind, Sale, StandardSolution,
    complaint_service_server::{ComplaintService, ComplaintServiceServer},
};
use decider::Decision;
use eventlog::{Log, Recorded as _, stream_name};
use futures::future::try_join_all;
use jiff::SignedDuration;
use tonic::{Request, Response, Status};

use super::{CONTEXT, happened, improvement::standards_for};
use crate::{
    complaint::{Complaint, Event, Intake, Known, Policy, Rejection},
    complaint_row::{listing, of_person},
    config::Config,
    sale::{self, account_id},
};

mod commands;
mod parse;

pub(super) use parse::departments;

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
            Rejection::NotAssessed => Refusal::not_now("NOT_ASSESSED", text),
            Rejection::Passed(field) => Refusal::not_now("PASSED", text).with("field", field),
            Rejection::NotUpwards { .. } => Refusal::not_now("NOT_UPWARDS", text),
            Rejection::NoPost(_) => Refusal::not_now("UNKNOWN_POST", text),
            Rejection::NotOnPost { .. } => Refusal::not_now("NOT_ON_POST", text),
            Rejection::UnknownOrder(_) => Refusal::not_found("UNKNOWN_ORDER", text),
            Rejection::AnotherBuyer(_) => Refusal::not_now("ANOTHER_BUYER", text),
            Rejection::HasStandard(_) => Refusal::not_now("HAS_STANDARD_SOLUTION", text),
            Rejection::Deviates(_) => Refusal::not_now("DEVIATES_FROM_STANDARD", text),
            Rejection::NoStandard(_) => Refusal::not_now("NO_STANDARD_SOLUTION", text),
            Rejection::NothingAgreed => Refusal::not_now("NOTHING_AGREED", text),
            Rejection::TooMany(_) => Refusal::not_now("TOO_MANY", text),
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
        parse: impl FnOnce(&mut Fields, &M, When) -> Decide + Send,
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

    /// What is known about a case beside what the caller says of it.
    async fn known(&self, intake: &Intake, policy: &Policy, when: When) -> Result<Known, Status> {
        let mut known = Known::default();
        if !intake.order_id.is_empty() {
            let sale: Option<Sale> = self.desk.row(sale::Sale::KIND, &intake.order_id).await?;
            let sale = sale.filter(|sale| sale.platform == intake.platform).ok_or_else(|| {
                let unknown = Rejection::UnknownOrder(intake.order_id.clone());
                Complaint::refusal(unknown).status(CONTEXT)
            })?;
            known.buyer_id = sale.buyer_id;
        }
        let buyer = if intake.buyer_id.is_empty() { &known.buyer_id } else { &intake.buyer_id };
        if !buyer.is_empty() {
            let id = account_id(&intake.platform, buyer);
            let account: Option<Account> = self.desk.row(sale::Account::KIND, &id).await?;
            known.salesperson = account.map(|account| account.salesperson).unwrap_or_default();
        }
        known.repeat_of = self.earlier(intake, policy, when).await?.unwrap_or_default();
        Ok(known)
    }

    /// The last complaint of the same person about the same, a short while before.
    async fn earlier(
        &self,
        intake: &Intake,
        policy: &Policy,
        when: When,
    ) -> Result<Option<String>, Status> {
        if intake.kind != ComplaintKind::Complaint || policy.repeat_days == 0 {
            return Ok(None);
        }
        let to = when.time();
        let span = SignedDuration::from_hours(24 * i64::from(policy.repeat_days));
        let from = to.checked_sub(span).unwrap_or(jiff::Timestamp::MIN);
        let person = &intake.complainant.person;
        let listing = of_person(person, intake.cause, &intake.topic, from, to).descending();
        let (rows, _) = self.desk.page::<Row>(listing.limit(2)).await?;
        let others = rows.into_iter().map(|row| row.complaint_id);
        Ok(others.into_iter().find(|id| *id != intake.complaint_id))
    }

    /// The standard solutions for a complaint; none when it is not there, which the command tells.
    async fn standards(&self, call: &Call, id: &str) -> Result<Vec<StandardSolution>, Status> {
        if !is_identifier(id) {
            return Ok(Vec::new());
        }
        let Some(row) = self.desk.find::<Complaint>(call, id).await? else { return Ok(Vec::new()) };
        if row.kind() != ComplaintKind::Complaint {
            return Ok(Vec::new());
        }
        standards_for(&self.desk, row.told_cause(), &row.topic).await
    }

    /// A complaint as this caller may see it.
    async fn shown(&self, call: &Call, row: &Row) -> Result<Row, Status> {
        let sealed = row.sealed_complainant.as_ref();
        let complainant = self.personal.open_for(&call.caller, &row.platform, sealed).await?;
        let mut shown = Row { complainant, sealed_complainant: None, ..row.clone() };
        if !sees_all(&call.caller, &row.platform) {
            // that there is a recording may be known, and not where it lies
            shown.recordings.iter_mut().for_each(|recording| recording.reference.clear());
        }
        Ok(shown)
    }
}

impl OnComplaint for api::OfferSolutionRequest {
    fn complaint_id(&self) -> &str {
        &self.complaint_id
    }

    fn at(&self) -> &Option<prost_types::Timestamp> {
        &self.at
    }
}

/// The whole service. Each line of the table is one command: its rpc, its request and reply; the
/// function in `commands` has the rpc's name.
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
                let (complaint, repeated) = self.command(request, commands::$rpc).await?;
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
                let known = self.known(&intake, &policy, when).await?;
                let (row, repeated) = self
                    .desk
                    .command(&call, &intake.complaint_id, now, |complaint: &Complaint| {
                        complaint.receive(&intake, &known, &call.caller.name, &policy, when)
                    })
                    .await?;
                let complaint = Some(self.shown(&call, &row).await?);
                Ok(Response::new(api::ReceiveComplaintResponse { complaint, repeated }))
            }

            async fn correct_form(
                &self,
                request: Request<api::CorrectFormRequest>,
            ) -> Result<Response<api::CorrectFormResponse>, Status> {
                let call = Call::of(&request)?.clone();
                let (message, now) = (request.into_inner(), self.desk.now());
                let mut fields = Fields::new();
                let when = happened(&mut fields, &message.at, now);
                let (id, complainant, items) = parse::correction(&mut fields, &message);
                fields.finish(())?;
                let row = self.desk.get::<Complaint>(&call, &id).await?;
                let has_phone = !complainant.phone.is_empty();
                let complainant = self.personal.seal(&row.platform, &complainant).await?;
                let correct = |complaint: &Complaint| {
                    complaint.correct(&complainant, has_phone, &items, &call.caller.name, when)
                };
                let (row, repeated) = self.desk.command(&call, &id, now, correct).await?;
                let complaint = Some(self.shown(&call, &row).await?);
                Ok(Response::new(api::CorrectFormResponse { complaint, repeated }))
            }

            async fn offer_solution(
                &self,
                request: Request<api::OfferSolutionRequest>,
            ) -> Result<Response<api::OfferSolutionResponse>, Status> {
                let call = Call::of(&request)?.clone();
                let standards = self.standards(&call, &request.get_ref().complaint_id).await?;
                let parse = |fields: &mut Fields, message: &api::OfferSolutionRequest, when| {
                    commands::offer_solution(fields, message, standards, when)
                };
                let (complaint, repeated) = self.command(request, parse).await?;
                Ok(Response::new(api::OfferSolutionResponse { complaint, repeated }))
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
                let sees_all = sees_all(&call.caller, &row.platform);
                let entry = |event| entry(event, sees_all);
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
    archive_recording(ArchiveRecordingRequest) -> ArchiveRecordingResponse;
    inform_departments(InformDepartmentsRequest) -> InformDepartmentsResponse;
}

/// An event as a line of the record; where a recording lies only for who may see personal data.
fn entry(event: eventlog::RecordedEvent, sees_all: bool) -> api::ComplaintHistoryEntry {
    let mut json = contracts::json(&event.r#type, &event.body);
    let place = json.as_mut().and_then(|json| json.pointer_mut("/recording/reference"));
    if let Some(place) = place
        && !sees_all
    {
        *place = "".into();
    }
    api::ComplaintHistoryEntry {
        position: event.position,
        json: json.map_or_else(String::new, |json| json.to_string()),
        r#type: event.r#type,
        actor: event.metadata.unwrap_or_default().actor,
        recorded_at: event.recorded_at,
    }
}

#[cfg(test)]
mod tests;
