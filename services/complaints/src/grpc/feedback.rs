//! The gRPC service of what users tell without complaining, of who serves them, and of reports that were
//! given to departments: parse → decide → reply.

use chassis::{
    Call, Desk, Fields, Host, Owned, Refusal,
    desk::{platform, platform_filter},
    reading::{NAME, filter, page},
};
use contracts::complaints::{
    self as api, Account as AccountRow, ReportSubmission, SurveyAnswer,
    feedback_service_server::{FeedbackService, FeedbackServiceServer},
};
use eventlog::Log;
use tonic::{Request, Response, Status};

use super::{CONTEXT, complaint::departments, happened};
use crate::{
    sale::{self, Account, account_id},
    submission::{self, Report, Submission},
    survey::{self, Answer, Survey},
};

/// Surveys, accounts and submissions as platforms and operators reach them.
#[derive(Clone)]
pub struct Feedback {
    desk: Desk,
}

/// The service, ready to be served.
#[must_use]
pub fn service(log: Log, host: &Host) -> FeedbackServiceServer<Feedback> {
    FeedbackServiceServer::new(Feedback { desk: Desk::new(log, host.clock.clone(), CONTEXT) })
        .max_decoding_message_size(host.settings.server.max_message_bytes)
}

impl Owned for Survey {
    type Rejection = survey::Rejection;

    const NOT_FOUND: Self::Rejection = survey::Rejection::NotFound;

    fn owner(&self) -> Option<&str> {
        self.platform()
    }

    fn row_owner(row: &SurveyAnswer) -> &str {
        &row.platform
    }

    fn refusal(rejection: Self::Rejection) -> Refusal {
        let text = rejection.to_string();
        match rejection {
            survey::Rejection::NotFound => Refusal::not_found("UNKNOWN_ANSWER", text),
            survey::Rejection::Differs(differs) => {
                Refusal::exists("DIFFERENT_CONTENT", text).with("field", differs.field)
            }
        }
    }
}

impl Owned for Account {
    type Rejection = sale::Rejection;

    const NOT_FOUND: Self::Rejection = sale::Rejection::NotFound;

    fn owner(&self) -> Option<&str> {
        self.platform()
    }

    fn row_owner(row: &AccountRow) -> &str {
        &row.platform
    }

    fn refusal(rejection: Self::Rejection) -> Refusal {
        let text = rejection.to_string();
        match rejection {
            sale::Rejection::NotFound => Refusal::not_found("UNKNOWN_ACCOUNT", text),
            sale::Rejection::Differs(differs) => {
                Refusal::exists("DIFFERENT_CONTENT", text).with("field", differs.field)
            }
        }
    }
}

/// Belongs to no platform.
impl Owned for Submission {
    type Rejection = submission::Rejection;

    const NOT_FOUND: Self::Rejection = submission::Rejection::NotFound;

    fn owner(&self) -> Option<&str> {
        self.exists().then_some("")
    }

    fn row_owner(_row: &ReportSubmission) -> &str {
        ""
    }

    fn refusal(rejection: Self::Rejection) -> Refusal {
        let text = rejection.to_string();
        match rejection {
            submission::Rejection::NotFound => Refusal::not_found("UNKNOWN_SUBMISSION", text),
            submission::Rejection::Differs(differs) => {
                Refusal::exists("DIFFERENT_CONTENT", text).with("field", differs.field)
            }
            submission::Rejection::NotAll => Refusal::not_now("NOT_ALL_DEPARTMENTS", text),
        }
    }
}

#[tonic::async_trait]
impl FeedbackService for Feedback {
    async fn record_survey_answer(
        &self,
        request: Request<api::RecordSurveyAnswerRequest>,
    ) -> Result<Response<api::RecordSurveyAnswerResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let (message, now) = (request.into_inner(), self.desk.now());
        let mut fields = Fields::new();
        let answer = Answer {
            answer_id: fields.identifier("answer_id", &message.answer_id),
            survey_id: fields.identifier("survey_id", &message.survey_id),
            platform: platform(&mut fields, &call, &message.platform),
            order_id: fields.optional_identifier("order_id", &message.order_id).unwrap_or_default(),
            way: fields.choice("way", message.way),
            score: fields.number("score", message.score, 1..=5),
            opinion: fields.multiline("opinion", &message.opinion, 0..=2_000),
        };
        let when = happened(&mut fields, &message.at, now);
        fields.finish(())?;
        let record = |survey: &Survey| survey.record(&answer, &call.caller.name, when);
        let (row, repeated) = self.desk.command(&call, &answer.answer_id, now, record).await?;
        let answer = Some((*row).clone());
        Ok(Response::new(api::RecordSurveyAnswerResponse { answer, repeated }))
    }

    async fn list_survey_answers(
        &self,
        request: Request<api::ListSurveyAnswersRequest>,
    ) -> Result<Response<api::ListSurveyAnswersResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let platform = platform_filter(&mut fields, &call, &message.platform);
        let survey = fields.optional_identifier("survey_id", &message.survey_id);
        let listing = survey::listing(platform.as_deref(), survey.as_deref());
        let listing = page(&mut fields, listing, message.page_size, &message.page_token);
        let listing = fields.finish(listing)?;
        let (answers, next_page_token) = self.desk.page::<SurveyAnswer>(listing).await?;
        Ok(Response::new(api::ListSurveyAnswersResponse { answers, next_page_token }))
    }

    async fn assign_salesperson(
        &self,
        request: Request<api::AssignSalespersonRequest>,
    ) -> Result<Response<api::AssignSalespersonResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let (message, now) = (request.into_inner(), self.desk.now());
        let mut fields = Fields::new();
        let platform = fields.identifier("platform", &message.platform);
        let buyer = fields.identifier("buyer_id", &message.buyer_id);
        let salesperson = fields.text("salesperson", &message.salesperson, NAME);
        let when = happened(&mut fields, &message.at, now);
        fields.finish(())?;
        let id = account_id(&platform, &buyer);
        let assign = |account: &Account| {
            account.assign(&platform, &buyer, &salesperson, &call.caller.name, when)
        };
        let (row, repeated) = self.desk.command(&call, &id, now, assign).await?;
        let account = Some((*row).clone());
        Ok(Response::new(api::AssignSalespersonResponse { account, repeated }))
    }

    async fn get_account(
        &self,
        request: Request<api::GetAccountRequest>,
    ) -> Result<Response<api::GetAccountResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let platform = fields.identifier("platform", &message.platform);
        let buyer = fields.identifier("buyer_id", &message.buyer_id);
        fields.finish(())?;
        let id = account_id(&platform, &buyer);
        let account = Some(self.desk.get::<Account>(&call, &id).await?);
        Ok(Response::new(api::GetAccountResponse { account }))
    }

    async fn submit_report(
        &self,
        request: Request<api::SubmitReportRequest>,
    ) -> Result<Response<api::SubmitReportResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let (message, now) = (request.into_inner(), self.desk.now());
        let mut fields = Fields::new();
        let sha256 = match message.sha256.is_empty() {
            true => String::new(),
            false => fields.digest("sha256", &message.sha256),
        };
        let report = Report {
            submission_id: fields.identifier("submission_id", &message.submission_id),
            report: fields.choice("report", message.report),
            period: fields.identifier("period", &message.period),
            departments: departments(&mut fields, &message.departments),
            sha256,
            note: fields.multiline("note", &message.note, 0..=10_000),
        };
        let when = happened(&mut fields, &message.at, now);
        fields.finish(())?;
        let submit = |submission: &Submission| submission.submit(&report, &call.caller.name, when);
        let (row, repeated) = self.desk.command(&call, &report.submission_id, now, submit).await?;
        let submission = Some((*row).clone());
        Ok(Response::new(api::SubmitReportResponse { submission, repeated }))
    }

    async fn list_report_submissions(
        &self,
        request: Request<api::ListReportSubmissionsRequest>,
    ) -> Result<Response<api::ListReportSubmissionsResponse>, Status> {
        let message = request.into_inner();
        let mut fields = Fields::new();
        let listing = submission::listing(filter(&mut fields, "report", message.report));
        let listing = page(&mut fields, listing, message.page_size, &message.page_token);
        let listing = fields.finish(listing)?;
        let (submissions, next_page_token) = self.desk.page::<ReportSubmission>(listing).await?;
        Ok(Response::new(api::ListReportSubmissionsResponse { submissions, next_page_token }))
    }
}

#[cfg(test)]
mod tests;
