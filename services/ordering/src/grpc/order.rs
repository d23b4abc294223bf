//! The gRPC service of orders: parse → decide → reply. No rule is here.

mod parse;
mod push;
mod query;

use std::{pin::Pin, sync::Arc};

use chassis::{Call, Desk, Fields, Host, Owned, Personal, Refusal};
use contracts::ordering::{
    self as api,
    order_event::Event,
    order_service_server::{OrderService, OrderServiceServer},
};
use decider::Decision;
use eventlog::Log;
use futures::Stream;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use super::{CONTEXT, personal::order_for};
use crate::{
    config::{Config, Policy},
    order::{Order, Rejection, RejectionKind},
};

/// Orders as platforms and operators reach them.
#[derive(Clone)]
pub struct Orders {
    desk: Desk,
    personal: Personal,
    config: Arc<Config>,
    closing: CancellationToken,
}

/// The service, ready to be served.
#[must_use]
pub fn service(log: Log, config: Arc<Config>, host: &Host) -> OrderServiceServer<Orders> {
    let orders = Orders {
        desk: Desk::new(log.clone(), host.clock.clone(), CONTEXT),
        personal: Personal::new(log, CONTEXT),
        config,
        closing: host.closing.clone(),
    };
    OrderServiceServer::new(orders)
        .max_decoding_message_size(host.settings.server.max_message_bytes)
}

impl Owned for Order {
    type Rejection = Rejection;

    const NOT_FOUND: Rejection = Rejection::UnknownOrder;

    fn owner(&self) -> Option<&str> {
        self.platform()
    }

    fn row_owner(row: &api::Order) -> &str {
        &row.platform
    }

    fn refusal(rejection: Rejection) -> Refusal {
        let (reason, text) = (rejection.reason(), rejection.to_string());
        let refusal = match rejection.kind() {
            RejectionKind::FailedPrecondition => Refusal::not_now(reason, text),
            RejectionKind::NotFound => Refusal::not_found(reason, text),
            RejectionKind::AlreadyExists => Refusal::exists(reason, text),
            RejectionKind::InvalidArgument => Refusal::invalid(reason, text),
        };
        match rejection.field() {
            Some(field) => refusal.with("field", field),
            None => refusal,
        }
    }
}

/// Answers to a stream of orders.
type PushOrdersStream = Pin<Box<dyn Stream<Item = Result<api::PushOrdersResponse, Status>> + Send>>;

/// A request on one order that exists.
trait OnOrder {
    /// The order's id as the caller gave it.
    fn order_id(&self) -> &str;
}

impl Orders {
    /// One command on one order: parse it, let the order decide, answer with the order after it.
    async fn command<M: OnOrder, C: Sync>(
        &self,
        request: Request<M>,
        parse: fn(&mut Fields, M, Timestamp) -> Option<C>,
        decide: fn(&Order, &C, &Policy) -> Decision<Event, Rejection>,
    ) -> Result<(Option<api::Order>, bool), Status> {
        let call = Call::of(&request)?.clone();
        let now = self.desk.now();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let order_id = fields.uuid("order_id", message.order_id()).to_string();
        let command = parse(&mut fields, message, now);
        let command = fields.finish_some(command)?;
        let (order, repeated) = self
            .desk
            .command(&call, &order_id, now, |order: &Order| {
                decide(order, &command, &self.policy_of(order))
            })
            .await?;
        let order = order_for(&self.personal, &call.caller, &order).await?;
        Ok((Some(order), repeated))
    }

    fn policy_of(&self, order: &Order) -> Policy {
        let platform = order.platform().unwrap_or_default();
        self.config.policy_for(platform, order.contract_id().unwrap_or_default())
    }
}

/// Our id of an order: the same push leads to the same order.
pub(super) fn order_id(platform: &str, platform_order_no: &str) -> Uuid {
    const ORDERS: Uuid = Uuid::from_u128(0x6f1a_5f0e_53c4_5b2e_9f2b_7d06_4c39_81aa);
    let platform = Uuid::new_v5(&ORDERS, platform.as_bytes());
    Uuid::new_v5(&platform, platform_order_no.as_bytes())
}

/// The whole service. Each line of the table is one command: its rpc, its request and reply, and
/// how the order decides on it; the parser has the rpc's name.
macro_rules! order_service {
    ($($rpc:ident($request:ident) -> $response:ident: $decide:expr;)*) => {
        $(impl OnOrder for api::$request {
            fn order_id(&self) -> &str {
                &self.order_id
            }
        })*

        #[tonic::async_trait]
        impl OrderService for Orders {
            $(async fn $rpc(
                &self,
                request: Request<api::$request>,
            ) -> Result<Response<api::$response>, Status> {
                let (order, repeated) = self.command(request, parse::$rpc, $decide).await?;
                Ok(Response::new(api::$response { order, repeated }))
            })*

            type PushOrdersStream = PushOrdersStream;

            async fn push_order(
                &self,
                request: Request<api::PushOrderRequest>,
            ) -> Result<Response<api::PushOrderResponse>, Status> {
                self.push_one(request).await
            }

            async fn push_orders(
                &self,
                request: Request<tonic::Streaming<api::PushOrdersRequest>>,
            ) -> Result<Response<Self::PushOrdersStream>, Status> {
                self.push_stream(request)
            }

            async fn pre_order(
                &self,
                request: Request<api::PreOrderRequest>,
            ) -> Result<Response<api::PreOrderResponse>, Status> {
                self.reserve(request).await
            }

            async fn get_order(
                &self,
                request: Request<api::GetOrderRequest>,
            ) -> Result<Response<api::GetOrderResponse>, Status> {
                self.get(request).await
            }

            async fn list_orders(
                &self,
                request: Request<api::ListOrdersRequest>,
            ) -> Result<Response<api::ListOrdersResponse>, Status> {
                self.list(request).await
            }

            async fn get_order_timeline(
                &self,
                request: Request<api::GetOrderTimelineRequest>,
            ) -> Result<Response<api::GetOrderTimelineResponse>, Status> {
                self.timeline(request).await
            }

            async fn list_parcels(
                &self,
                request: Request<api::ListParcelsRequest>,
            ) -> Result<Response<api::ListParcelsResponse>, Status> {
                self.parcels(request).await
            }
        }
    };
}

order_service! {
    confirm_pre_order(ConfirmPreOrderRequest) -> ConfirmPreOrderResponse: |order, command, _| order.confirm_pre_order(command);
    release_pre_order(ReleasePreOrderRequest) -> ReleasePreOrderResponse: |order, command, _| order.release_pre_order(command);
    cancel_order(CancelOrderRequest) -> CancelOrderResponse: |order, command, _| order.cancel(command);
    confirm_order(ConfirmOrderRequest) -> ConfirmOrderResponse: Order::confirm;
    decline_order(DeclineOrderRequest) -> DeclineOrderResponse: |order, command, _| order.decline(command);
    propose_substitution(ProposeSubstitutionRequest) -> ProposeSubstitutionResponse: |order, command, _| order.propose_substitution(command);
    answer_substitution(AnswerSubstitutionRequest) -> AnswerSubstitutionResponse: |order, command, _| order.answer_substitution(command);
    declare_force_majeure(DeclareForceMajeureRequest) -> DeclareForceMajeureResponse: |order, command, _| order.declare_force_majeure(command);
    lift_force_majeure(LiftForceMajeureRequest) -> LiftForceMajeureResponse: |order, command, _| order.lift_force_majeure(command);
    assign_follower(AssignFollowerRequest) -> AssignFollowerResponse: |order, command, _| order.assign_follower(command);
    record_inspection(RecordInspectionRequest) -> RecordInspectionResponse: |order, command, _| order.record_inspection(command);
    plan_shipment(PlanShipmentRequest) -> PlanShipmentResponse: |order, command, _| order.plan_shipment(command);
    unplan_shipment(UnplanShipmentRequest) -> UnplanShipmentResponse: |order, command, _| order.unplan_shipment(command);
    choose_carrier(ChooseCarrierRequest) -> ChooseCarrierResponse: |order, command, _| order.choose_carrier(command);
    pack_shipment(PackShipmentRequest) -> PackShipmentResponse: |order, command, _| order.pack_shipment(command);
    dispatch_shipment(DispatchShipmentRequest) -> DispatchShipmentResponse: Order::dispatch_shipment;
    record_tracking(RecordTrackingRequest) -> RecordTrackingResponse: |order, command, _| order.record_tracking(command);
    report_arrival(ReportArrivalRequest) -> ReportArrivalResponse: Order::report_arrival;
    inspect_arrival(InspectArrivalRequest) -> InspectArrivalResponse: |order, command, _| order.inspect_arrival(command);
    accept_goods(AcceptGoodsRequest) -> AcceptGoodsResponse: |order, command, _| order.accept_goods(command);
    reject_goods(RejectGoodsRequest) -> RejectGoodsResponse: |order, command, _| order.reject_goods(command);
    report_discrepancy(ReportDiscrepancyRequest) -> ReportDiscrepancyResponse: |order, command, _| order.report_discrepancy(command);
    propose_treatment(ProposeTreatmentRequest) -> ProposeTreatmentResponse: |order, command, _| order.propose_treatment(command);
    answer_treatment(AnswerTreatmentRequest) -> AnswerTreatmentResponse: |order, command, _| order.answer_treatment(command);
    confirm_liability(ConfirmLiabilityRequest) -> ConfirmLiabilityResponse: |order, command, _| order.confirm_liability(command);
    resolve_discrepancy(ResolveDiscrepancyRequest) -> ResolveDiscrepancyResponse: |order, command, _| order.resolve_discrepancy(command);
    record_installation(RecordInstallationRequest) -> RecordInstallationResponse: |order, command, _| order.record_installation(command);
    file_signed_slip(FileSignedSlipRequest) -> FileSignedSlipResponse: |order, command, _| order.file_signed_slip(command);
    request_invoice(RequestInvoiceRequest) -> RequestInvoiceResponse: |order, command, _| order.request_invoice(command);
    issue_invoice(IssueInvoiceRequest) -> IssueInvoiceResponse: |order, command, _| order.issue_invoice(command);
    issue_red_invoice(IssueRedInvoiceRequest) -> IssueRedInvoiceResponse: |order, command, _| order.issue_red_invoice(command);
    settle_order(SettleOrderRequest) -> SettleOrderResponse: |order, command, _| order.settle(command);
}

#[cfg(test)]
mod tests;
