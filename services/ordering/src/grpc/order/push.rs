//! Orders come in: one by one, as a stream, or as reservations.
//!
//! Personal data is sealed here, before anything is decided: no decision and no event ever sees it.

use chassis::{Call, Fields, Refusal, Violations, errors};
use contracts::ordering::{
    OrderDraft, PreOrderRequest, PreOrderResponse, PushOrderRequest, PushOrderResponse,
    PushOrdersRequest, PushOrdersResponse, PushRefusal,
};
use futures::StreamExt;
use tonic::{Request, Response, Status, Streaming};
use tonic_types::StatusExt;

use super::{Orders, PushOrdersStream, order_id};
use crate::{
    contract::Contract,
    grpc::CONTEXT,
    order::{
        Draft, Order, Terms,
        command::{PreOrder, PushOrder},
    },
};

/// Orders of one stream that are in work at once: some group commits, so that orders are decided
/// while those before them are written.
const IN_WORK: usize = 1_024;

impl Orders {
    pub(super) async fn push_one(
        &self,
        request: Request<PushOrderRequest>,
    ) -> Result<Response<PushOrderResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let (order_id, repeated) = self.push(&call, request.into_inner().order).await?;
        Ok(Response::new(PushOrderResponse { order_id, repeated }))
    }

    pub(super) fn push_stream(
        &self,
        request: Request<Streaming<PushOrdersRequest>>,
    ) -> Result<Response<PushOrdersStream>, Status> {
        let call = Call::of(&request)?.clone();
        let orders = self.clone();
        let closing = self.closing.clone();
        let answers = request
            .into_inner()
            // no new order is begun once the process is closing; those in work are answered
            .take_until(async move { closing.cancelled().await })
            .map(move |request| {
                let (orders, call) = (orders.clone(), call.clone());
                async move {
                    let PushOrdersRequest { r#ref, order } = request?;
                    Ok(orders.answer(&call, r#ref, order).await)
                }
            })
            .buffer_unordered(IN_WORK);
        Ok(Response::new(Box::pin(answers)))
    }

    /// A bad order is refused alone.
    async fn answer(
        &self,
        call: &Call,
        r#ref: String,
        order: Option<OrderDraft>,
    ) -> PushOrdersResponse {
        match self.push(call, order).await {
            Ok((order_id, repeated)) => {
                PushOrdersResponse { r#ref, order_id, repeated, refusal: None }
            }
            Err(status) => PushOrdersResponse {
                r#ref,
                order_id: String::new(),
                repeated: false,
                refusal: Some(refusal_of(&status)),
            },
        }
    }

    async fn push(&self, call: &Call, order: Option<OrderDraft>) -> Result<(String, bool), Status> {
        let now = self.desk.now();
        let command = PushOrder { terms: self.take_in(call, order).await?, now };
        let order_id = command.terms.get().order_id.as_str();
        let (_, repeated) =
            self.desk.command(call, order_id, now, |order: &Order| order.push(&command)).await?;
        Ok((order_id.to_owned(), repeated))
    }

    pub(super) async fn reserve(
        &self,
        request: Request<PreOrderRequest>,
    ) -> Result<Response<PreOrderResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let now = self.desk.now();
        let PreOrderRequest { order, reserved_until } = request.into_inner();
        let mut fields = Fields::new();
        let reserved_until = fields.optional_timestamp("reserved_until", &reserved_until);
        fields.finish(())?;
        let terms = self.take_in(&call, order).await?;
        let policy = self.config.policy_for(&terms.get().platform, &terms.get().contract_id);
        let command = PreOrder { terms, reserved_until, now };
        let order_id = command.terms.get().order_id.as_str();
        let (order, repeated) = self
            .desk
            .command(&call, order_id, now, |order: &Order| order.pre_order(&command, &policy))
            .await?;
        Ok(Response::new(PreOrderResponse {
            order_id: order_id.to_owned(),
            repeated,
            reserved_until: order.reserved_until,
        }))
    }

    /// Checks a draft, finds out whose it is, and seals who receives it.
    async fn take_in(&self, call: &Call, order: Option<OrderDraft>) -> Result<Terms, Status> {
        let Some(mut draft) = order else {
            return Err(Violations::one("order", "is missing").into());
        };
        let mut fields = Fields::new();
        match &call.caller.platform {
            Some(own) if draft.platform.is_empty() => draft.platform.clone_from(own),
            Some(own) if draft.platform != *own => {
                fields.refuse("order.platform", "is not the caller's own platform");
            }
            Some(_) => {}
            None => {
                fields.identifier("order.platform", &draft.platform);
            }
        }
        let checked = Draft::try_new(draft).map_err(|violations| {
            for (field, problem) in violations {
                let field = format!("order.{field}");
                fields.refuse(&field, problem);
            }
        });
        let draft = fields.finish_some(checked.ok())?;
        if !draft.contract_id().is_empty() {
            self.check_contract(draft.platform(), draft.contract_id()).await?;
        }
        let id = order_id(draft.platform(), draft.platform_order_no()).to_string();
        let recipient = self.personal.seal(draft.platform(), &draft.recipient()).await?;
        Ok(draft.seal(id, recipient))
    }

    /// An order can only be placed under a contract that both sides have signed (ORD-06).
    async fn check_contract(&self, platform: &str, contract_id: &str) -> Result<(), Status> {
        let contract = self.desk.log().load::<Contract>(contract_id).await.map_err(errors::log)?;
        let ours = contract.row.platform.is_empty() || contract.row.platform == platform;
        if contract.version > 0 && ours && contract.state.is_signed() {
            return Ok(());
        }
        let text = format!("there is no signed contract {contract_id}");
        Err(Refusal::not_now("CONTRACT_NOT_SIGNED", text)
            .with("field", "order.contract_id")
            .status(CONTEXT))
    }
}

/// What the caller of a stream must know of a status.
fn refusal_of(status: &Status) -> PushRefusal {
    let details = status.get_error_details();
    let violated = details
        .bad_request()
        .and_then(|request| request.field_violations.first())
        .map(|violation| violation.field.clone());
    let info = details.error_info();
    let named = info.and_then(|info| info.metadata.get("field").cloned());
    PushRefusal {
        code: status.code().into(),
        reason: info.map(|info| info.reason.clone()).unwrap_or_default(),
        field: violated.or(named).unwrap_or_default(),
        message: status.message().to_owned(),
    }
}
