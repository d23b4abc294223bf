//! The gRPC service of enquiries: parse → decide → reply. Who asks is sealed before anything is
//! decided, and opened for those who may see it.

use chassis::{
    Call, Desk, Fields, Host, Owned, Personal, Refusal,
    desk::{platform, platform_filter},
    reading::{TEXT, contact, page, when},
};
use contracts::ordering::{
    self as api, Enquiry as Row,
    enquiry_service_server::{EnquiryService, EnquiryServiceServer},
};
use eventlog::Log;
use futures::future::try_join_all;
use tonic::{Request, Response, Status};

use super::{CONTEXT, personal::enquiry_for};
use crate::enquiry::{Enquiry, Question, Rejection, listing};

/// Enquiries as platforms and operators reach them.
#[derive(Clone)]
pub struct Enquiries {
    desk: Desk,
    personal: Personal,
}

/// The service, ready to be served.
#[must_use]
pub fn service(log: Log, host: &Host) -> EnquiryServiceServer<Enquiries> {
    let desk = Desk::new(log.clone(), host.clock.clone(), CONTEXT);
    EnquiryServiceServer::new(Enquiries { desk, personal: Personal::new(log, CONTEXT) })
        .max_decoding_message_size(host.settings.server.max_message_bytes)
}

impl Owned for Enquiry {
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
            Rejection::NotFound => Refusal::not_found("UNKNOWN_ENQUIRY", text),
            Rejection::Differs(differs) => {
                Refusal::exists("DIFFERENT_CONTENT", text).with("field", differs.field)
            }
        }
    }
}

#[tonic::async_trait]
impl EnquiryService for Enquiries {
    async fn record_enquiry(
        &self,
        request: Request<api::RecordEnquiryRequest>,
    ) -> Result<Response<api::RecordEnquiryResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let now = self.desk.now();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let enquiry_id = fields.identifier("enquiry_id", &message.enquiry_id);
        let platform = platform(&mut fields, &call, &message.platform);
        let kind = fields.choice("kind", message.kind);
        let customer = fields
            .message("customer", &message.customer, |fields, given| contact(fields, given, false))
            .unwrap_or_default();
        let text = fields.multiline("question", &message.question, TEXT);
        let when = when(&mut fields, &message.at, now);
        fields.finish(())?;
        let customer = self.personal.seal(&platform, &customer).await?;
        let question = Question { enquiry_id, platform, kind, customer, text };
        let (row, repeated) = self
            .desk
            .command(&call, &question.enquiry_id, now, |enquiry: &Enquiry| {
                enquiry.record(&question, when)
            })
            .await?;
        let enquiry = Some(enquiry_for(&self.personal, &call.caller, &row).await?);
        Ok(Response::new(api::RecordEnquiryResponse { enquiry, repeated }))
    }

    async fn answer_enquiry(
        &self,
        request: Request<api::AnswerEnquiryRequest>,
    ) -> Result<Response<api::AnswerEnquiryResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let now = self.desk.now();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let id = fields.identifier("enquiry_id", &message.enquiry_id);
        let answer = fields.multiline("answer", &message.answer, TEXT);
        let when = when(&mut fields, &message.at, now);
        fields.finish(())?;
        let (row, repeated) = self
            .desk
            .command(&call, &id, now, |enquiry: &Enquiry| {
                enquiry.answer(&answer, &call.caller.name, when)
            })
            .await?;
        let enquiry = Some(enquiry_for(&self.personal, &call.caller, &row).await?);
        Ok(Response::new(api::AnswerEnquiryResponse { enquiry, repeated }))
    }

    async fn get_enquiry(
        &self,
        request: Request<api::GetEnquiryRequest>,
    ) -> Result<Response<api::GetEnquiryResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let mut fields = Fields::new();
        let id = fields.identifier("enquiry_id", &request.into_inner().enquiry_id);
        let id = fields.finish(id)?;
        let row = self.desk.get::<Enquiry>(&call, &id).await?;
        let enquiry = Some(enquiry_for(&self.personal, &call.caller, &row).await?);
        Ok(Response::new(api::GetEnquiryResponse { enquiry }))
    }

    async fn list_enquiries(
        &self,
        request: Request<api::ListEnquiriesRequest>,
    ) -> Result<Response<api::ListEnquiriesResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let platform = platform_filter(&mut fields, &call, &message.platform);
        let listing = listing(platform.as_deref(), message.unanswered_only);
        let listing = page(&mut fields, listing, message.page_size, &message.page_token);
        let listing = fields.finish(listing)?;
        let (rows, next_page_token) = self.desk.page::<Row>(listing).await?;
        let shown = rows.iter().map(|row| enquiry_for(&self.personal, &call.caller, row));
        let enquiries = try_join_all(shown).await?;
        Ok(Response::new(api::ListEnquiriesResponse { enquiries, next_page_token }))
    }
}

#[cfg(test)]
mod tests;
