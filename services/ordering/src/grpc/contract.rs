//! The gRPC service of contracts: parse → decide → reply. No rule is here.

use std::sync::Arc;

use chassis::{
    Call, Desk, Fields, Host, Owned, Refusal,
    desk::{platform, platform_filter},
    parse::LARGEST_AMOUNT,
    reading::{NAME, TEXT, filter, page, when},
};
use contracts::ordering::{
    self as api, Contract as Row, ContractTerms,
    contract_service_server::{ContractService, ContractServiceServer},
};
use eventlog::{Log, time::to_proto};
use tonic::{Request, Response, Status};

use super::{
    CONTEXT,
    amount::{amount, amount_in},
};
use crate::{
    contract::{
        Contract, Draft, Draw, Rejection, RequestChange, ReviewChange, Signatures, listing,
    },
    order::Order,
};

/// Risks named in one contract.
const MOST_RISKS: usize = 100;

/// Contracts as platforms, operators and finance reach them.
#[derive(Clone)]
pub struct Contracts {
    desk: Desk,
}

/// The service, ready to be served.
#[must_use]
pub fn service(log: Log, host: &Host) -> ContractServiceServer<Contracts> {
    ContractServiceServer::new(Contracts { desk: Desk::new(log, host.clock.clone(), CONTEXT) })
        .max_decoding_message_size(host.settings.server.max_message_bytes)
}

impl Owned for Contract {
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
            Rejection::NotFound => Refusal::not_found("UNKNOWN_CONTRACT", text),
            Rejection::OrderNotFound => Refusal::not_found("UNKNOWN_ORDER", text),
            Rejection::SignatureMissing { side } => {
                Refusal::not_now("SIGNATURE_MISSING", text).with("side", side)
            }
            Rejection::NotSigned => Refusal::not_now("CONTRACT_NOT_SIGNED", text),
            Rejection::ChangeNotFound => Refusal::not_found("UNKNOWN_CHANGE", text),
            Rejection::TooManyChanges => Refusal::not_now("TOO_MANY_CHANGES", text),
            Rejection::OwnChange => Refusal::not_now("OWN_CHANGE", text),
            Rejection::NoBond => Refusal::not_now("NO_BOND", text),
            Rejection::MoreThanLeft { left } => {
                Refusal::not_now("MORE_THAN_LEFT", text).with("left_minor_units", left.minor())
            }
            Rejection::OtherCurrency { currency } => {
                Refusal::not_now("OTHER_CURRENCY", text).with("currency", currency)
            }
            Rejection::OrderOfAnotherContract => {
                Refusal::not_now("ORDER_OF_ANOTHER_CONTRACT", text)
            }
            Rejection::Differs(differs) => {
                Refusal::exists("DIFFERENT_CONTENT", text).with("field", differs.field)
            }
        }
    }
}

#[tonic::async_trait]
impl ContractService for Contracts {
    async fn draft_contract(
        &self,
        request: Request<api::DraftContractRequest>,
    ) -> Result<Response<api::DraftContractResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let now = self.desk.now();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let draft = Draft {
            contract_id: fields.identifier("contract_id", &message.contract_id),
            platform: platform(&mut fields, &call, &message.platform),
            terms: fields.message("terms", &message.terms, terms).unwrap_or_default(),
        };
        let when = when(&mut fields, &message.at, now);
        let draft = fields.finish(draft)?;
        let (row, repeated) = self
            .desk
            .command(&call, &draft.contract_id, now, |it: &Contract| it.draft(&draft, when))
            .await?;
        Ok(Response::new(api::DraftContractResponse {
            contract: Some(Arc::unwrap_or_clone(row)),
            repeated,
        }))
    }

    async fn sign_contract(
        &self,
        request: Request<api::SignContractRequest>,
    ) -> Result<Response<api::SignContractResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let now = self.desk.now();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let id = fields.identifier("contract_id", &message.contract_id);
        let signatures = Signatures {
            buyer: fields.text("signed_by_buyer", &message.signed_by_buyer, NAME),
            supplier: fields.text("signed_by_supplier", &message.signed_by_supplier, NAME),
            archive_sha256: fields.digest("archive_sha256", &message.archive_sha256),
        };
        let when = when(&mut fields, &message.at, now);
        fields.finish(())?;
        let (row, repeated) =
            self.desk.command(&call, &id, now, |it: &Contract| it.sign(&signatures, when)).await?;
        Ok(Response::new(api::SignContractResponse {
            contract: Some(Arc::unwrap_or_clone(row)),
            repeated,
        }))
    }

    async fn request_contract_change(
        &self,
        request: Request<api::RequestContractChangeRequest>,
    ) -> Result<Response<api::RequestContractChangeResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let now = self.desk.now();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let id = fields.identifier("contract_id", &message.contract_id);
        let cmd = RequestChange {
            change_id: fields.identifier("change_id", &message.change_id),
            requested_by: fields.text("requested_by", &message.requested_by, NAME),
            description: fields.multiline("description", &message.description, TEXT),
            recorded_by: call.caller.name.clone(),
        };
        let when = when(&mut fields, &message.at, now);
        fields.finish(())?;
        let (row, repeated) = self
            .desk
            .command(&call, &id, now, |it: &Contract| it.request_change(&cmd, when))
            .await?;
        Ok(Response::new(api::RequestContractChangeResponse {
            contract: Some(Arc::unwrap_or_clone(row)),
            repeated,
        }))
    }

    async fn review_contract_change(
        &self,
        request: Request<api::ReviewContractChangeRequest>,
    ) -> Result<Response<api::ReviewContractChangeResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let now = self.desk.now();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let id = fields.identifier("contract_id", &message.contract_id);
        let cmd = ReviewChange {
            change_id: fields.identifier("change_id", &message.change_id),
            added: message.added,
            reason: fields.multiline("reason", &message.reason, TEXT),
            reviewer: call.caller.name.clone(),
        };
        let when = when(&mut fields, &message.at, now);
        fields.finish(())?;
        let (row, repeated) = self
            .desk
            .command(&call, &id, now, |it: &Contract| it.review_change(&cmd, when))
            .await?;
        Ok(Response::new(api::ReviewContractChangeResponse {
            contract: Some(Arc::unwrap_or_clone(row)),
            repeated,
        }))
    }

    async fn draw_performance_bond(
        &self,
        request: Request<api::DrawPerformanceBondRequest>,
    ) -> Result<Response<api::DrawPerformanceBondResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let now = self.desk.now();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let id = fields.identifier("contract_id", &message.contract_id);
        let draw = Draw {
            draw_id: fields.identifier("draw_id", &message.draw_id),
            order_id: fields.uuid("order_id", &message.order_id).to_string(),
            amount: amount(&mut fields, "amount", &message.amount),
            reason: fields.multiline("reason", &message.reason, TEXT),
        };
        let when = when(&mut fields, &message.at, now);
        fields.finish(())?;
        let order = self.desk.find::<Order>(&call, &draw.order_id).await?;
        let order =
            order.ok_or_else(|| Contract::refusal(Rejection::OrderNotFound).status(CONTEXT))?;
        let (row, repeated) = self
            .desk
            .command(&call, &id, now, |it: &Contract| it.draw_bond(&draw, &order.contract_id, when))
            .await?;
        Ok(Response::new(api::DrawPerformanceBondResponse {
            contract: Some(Arc::unwrap_or_clone(row)),
            repeated,
        }))
    }

    async fn get_contract(
        &self,
        request: Request<api::GetContractRequest>,
    ) -> Result<Response<api::GetContractResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let mut fields = Fields::new();
        let id = fields.identifier("contract_id", &request.into_inner().contract_id);
        let id = fields.finish(id)?;
        let contract = self.desk.get::<Contract>(&call, &id).await?;
        Ok(Response::new(api::GetContractResponse { contract: Some(contract) }))
    }

    async fn list_contracts(
        &self,
        request: Request<api::ListContractsRequest>,
    ) -> Result<Response<api::ListContractsResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let platform = platform_filter(&mut fields, &call, &message.platform);
        let phase = filter(&mut fields, "phase", message.phase);
        let listing = listing(platform.as_deref(), phase);
        let listing = page(&mut fields, listing, message.page_size, &message.page_token);
        let listing = fields.finish(listing)?;
        let (contracts, next_page_token) = self.desk.page(listing).await?;
        Ok(Response::new(api::ListContractsResponse { contracts, next_page_token }))
    }
}

/// Everything that ORD-06 asks a contract to state.
fn terms(fields: &mut Fields, given: &ContractTerms) -> ContractTerms {
    let from = fields.timestamp("valid_from", &given.valid_from);
    let until = fields.timestamp("valid_until", &given.valid_until);
    if given.valid_from.is_some() && given.valid_until.is_some() && until <= from {
        fields.refuse("valid_until", "is not after valid_from");
    }
    ContractTerms {
        buyer_id: fields.text("buyer_id", &given.buyer_id, 1..=64),
        price_terms: fields.multiline("price_terms", &given.price_terms, TEXT),
        service_content: fields.multiline("service_content", &given.service_content, TEXT),
        guarantee: fields.multiline("guarantee", &given.guarantee, TEXT),
        valid_from: Some(to_proto(from)),
        valid_until: Some(to_proto(until)),
        performance_bond: given.performance_bond.is_some().then(|| {
            amount_in(fields, "performance_bond", &given.performance_bond, 0..=LARGEST_AMOUNT)
                .money()
        }),
        risks: fields.repeated("risks", &given.risks, 0..=MOST_RISKS, |fields, risk| {
            fields.multiline("", risk, TEXT)
        }),
    }
}

#[cfg(test)]
mod tests;
