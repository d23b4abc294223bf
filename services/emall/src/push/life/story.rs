//! One order from confirmation to settlement, by the real rpcs, in the order of its times.
//!
//! Each step carries an id that follows from the order's number: told again, the story changes
//! nothing. With a clock, a call is made when the last moment has come that it tells of.

use std::{cell::Cell, collections::BTreeMap};

use chassis::ScaledClock;
use contracts::{
    common::Money,
    ordering::{
        AnswerSubstitutionRequest, AssignFollowerRequest, ConfirmOrderRequest, FrozenListing,
        GetOrderRequest, IssueInvoiceRequest, IssueRedInvoiceRequest, LineQuantity, Order,
        OrderPhase, PreDeliveryInspection, ProposeSubstitutionRequest, RecordInspectionRequest,
        RequestInvoiceRequest, SettleOrderRequest,
    },
};
use jiff::Timestamp;
use tokio::sync::oneshot;

use super::{
    complaint::Delivered,
    plot::{Plot, Schedule, in_two, minute},
    trouble::Aftermath,
};
use crate::{
    client::{CallError, Client},
    push::{
        cancel,
        draft::{sha256, timestamp},
        entry::Cancellation,
        ledger::Accepted,
        tally::Became,
    },
};

/// Makes one call and gives its answer; counts it.
macro_rules! tell {
    ($story:ident, $who:ident, $client:ident.$rpc:ident, $request:expr) => {{
        $story.steps += 1;
        $story.step = stringify!($rpc);
        let request = $request;
        $story.let_it_come().await;
        $story
            .client
            .call(crate::client::As::$who, request, |mut services, request| async move {
                services.$client.$rpc(request).await
            })
            .await?
    }};
}

/// The same for a command on an order: keeps the order as it then stands.
macro_rules! order {
    ($story:ident, $who:ident, $rpc:ident, $request:expr) => {{
        let answer = $crate::push::life::story::tell!($story, $who, orders.$rpc, $request);
        $story.order = answer.order.unwrap_or_default();
    }};
}

pub(super) use {order, tell};

/// Units of the order that a cancellation takes away before they are planned into a shipment.
#[derive(Debug, Clone)]
pub(crate) struct Withdrawal {
    pub(crate) cancellation: Cancellation,
    pub(crate) lines: BTreeMap<u32, u32>,
}

/// One order on its way.
pub(super) struct Story<'a> {
    pub(super) client: &'a Client,
    pub(super) accepted: &'a Accepted,
    pub(super) plot: Plot,
    schedule: Schedule,
    clock: Option<ScaledClock>,
    /// The last moment that was told of.
    latest: Cell<Timestamp>,
    /// What became of its cancellations.
    pub(super) withdrawn: Vec<Became>,
    pub(super) aftermath: Option<Aftermath>,
    /// Who waits for the goods to be there.
    pub(super) awaited_by: Option<oneshot::Sender<Delivered>>,
    /// The order as the last answer showed it.
    pub(super) order: Order,
    /// Calls made.
    pub(super) steps: u64,
    /// The call made last.
    pub(super) step: &'static str,
}

impl<'a> Story<'a> {
    pub(super) fn new(
        client: &'a Client,
        accepted: &'a Accepted,
        clock: Option<ScaledClock>,
    ) -> Self {
        Self {
            client,
            accepted,
            plot: Plot::of(accepted),
            schedule: Schedule::of(accepted),
            clock,
            latest: Cell::new(Timestamp::MIN),
            withdrawn: Vec::new(),
            aftermath: None,
            awaited_by: None,
            order: Order::default(),
            steps: 0,
            step: "",
        }
    }

    pub(super) async fn tell(&mut self, withdrawals: &[Withdrawal]) -> Result<(), CallError> {
        let confirmed = self.schedule.minute(minute::CONFIRMED);
        let (early, late): (Vec<_>, Vec<_>) =
            withdrawals.iter().partition(|one| one.cancellation.at < confirmed);
        self.catch_up().await?;
        self.withdraw(&early).await?;
        if self.is_over() {
            return Ok(());
        }
        self.take_on().await?;
        self.withdraw(&late).await?;
        if self.is_over() {
            return Ok(());
        }
        self.certify(1, self.units(), minute::CERTIFIED).await?;
        for (lines, delay) in self.shipments() {
            self.deliver(lines, delay).await?;
        }
        self.tell_of_the_delivery();
        self.come_to_the_aftermath().await?;
        if self.order.phase() == OrderPhase::Refused {
            return Ok(());
        }
        self.invoice().await?;
        let amount = self.order.payable.clone();
        order!(
            self,
            Finance,
            settle_order,
            SettleOrderRequest {
                order_id: self.id(),
                settlement_id: self.name("ST"),
                amount,
                payment_ref: self.name("PAY"),
                at: self.at(minute::SETTLED),
            }
        );
        Ok(())
    }

    /// Where a cancellation or an earlier run left the order.
    async fn catch_up(&mut self) -> Result<(), CallError> {
        let request = GetOrderRequest { order_id: self.id(), ..GetOrderRequest::default() };
        let answer = tell!(self, Operator, orders.get_order, request);
        self.order = answer.order.unwrap_or_default();
        Ok(())
    }

    /// The buyer thinks again about some of the units.
    async fn withdraw(&mut self, withdrawals: &[&Withdrawal]) -> Result<(), CallError> {
        for Withdrawal { cancellation, lines } in withdrawals {
            (self.steps, self.step) = (self.steps + 1, "cancel_order");
            self.told_of(cancellation.at);
            self.let_it_come().await;
            let became = cancel::one(self.client, cancellation, self.accepted, lines).await?;
            self.withdrawn.push(became);
        }
        if withdrawals.is_empty() { Ok(()) } else { self.catch_up().await }
    }

    fn is_over(&self) -> bool {
        match self.order.phase() {
            OrderPhase::Settled
            | OrderPhase::Declined
            | OrderPhase::Cancelled
            | OrderPhase::Released
            | OrderPhase::Expired
            | OrderPhase::Refused => true,
            OrderPhase::Unspecified
            | OrderPhase::Reserved
            | OrderPhase::Placed
            | OrderPhase::Confirmed
            | OrderPhase::InDelivery
            | OrderPhase::Fulfilled => false,
        }
    }

    async fn take_on(&mut self) -> Result<(), CallError> {
        order!(
            self,
            Operator,
            confirm_order,
            ConfirmOrderRequest { order_id: self.id(), at: self.at(minute::CONFIRMED) }
        );
        order!(
            self,
            Operator,
            assign_follower,
            AssignFollowerRequest {
                order_id: self.id(),
                follower: "sales-07".to_owned(),
                at: self.at(minute::CONFIRMED),
            }
        );
        if self.plot != Plot::Substituted {
            return Ok(());
        }
        let Some((line_no, listing)) = self.first_line() else { return Ok(()) };
        let substitute = FrozenListing {
            sku: format!("{}-S", listing.sku),
            model: format!("{}-S", listing.model),
            specification: format!("{}, successor", listing.specification),
            ..listing
        };
        order!(
            self,
            Operator,
            propose_substitution,
            ProposeSubstitutionRequest {
                order_id: self.id(),
                substitution_id: self.name("SUB"),
                line_no,
                substitute: Some(substitute),
                reason: "out of stock; the successor costs the same".to_owned(),
                at: self.at(minute::CONFIRMED),
            }
        );
        order!(
            self,
            Platform,
            answer_substitution,
            AnswerSubstitutionRequest {
                order_id: self.id(),
                substitution_id: self.name("SUB"),
                accepted: true,
                reason: String::new(),
                at: self.at(minute::SUBSTITUTED),
            }
        );
        Ok(())
    }

    /// The inspection before delivery, with its certificate.
    pub(super) async fn certify(
        &mut self,
        number: u32,
        lines: Vec<LineQuantity>,
        minutes: i64,
    ) -> Result<(), CallError> {
        let certificate_no = self.name(&format!("QC{number}"));
        let certificate_sha256 = sha256(&certificate_no);
        order!(
            self,
            Operator,
            record_inspection,
            RecordInspectionRequest {
                order_id: self.id(),
                inspection: Some(PreDeliveryInspection {
                    certificate_no,
                    lines,
                    passed: true,
                    inspector: "inspector-03".to_owned(),
                    inspected_at: self.at(minutes),
                    certificate_sha256,
                    remarks: String::new(),
                }),
            }
        );
        Ok(())
    }

    /// What goes into which shipment, and how much later than the first one leaves.
    fn shipments(&self) -> Vec<(Vec<LineQuantity>, i64)> {
        let mut first = self.units();
        if !in_two(first.len()) {
            return vec![(first, 0)];
        }
        let second = first.split_off(first.len() / 2);
        vec![(first, 0), (second, minute::SECOND)]
    }

    /// Tells whoever waits for it that the goods are there.
    fn tell_of_the_delivery(&mut self) {
        let Some(awaited_by) = self.awaited_by.take() else { return };
        let line = self.units().first().map(|line| line.line_no).unwrap_or_default();
        let carrier = self.order.shipments.first().map(|shipment| shipment.carrier.clone());
        let delivered = Delivered {
            at: self.latest.get(),
            carrier: carrier.unwrap_or_default(),
            sku: self.listing(line).sku,
        };
        // Whoever waited may have gone away.
        let _ = awaited_by.send(delivered);
    }

    async fn invoice(&mut self) -> Result<(), CallError> {
        let title = self.order.buyer.clone().unwrap_or_default().name;
        if self.plot == Plot::Reinvoiced {
            self.one_invoice("IV1", "a title that nobody knows", minute::INVOICED).await?;
            order!(
                self,
                Finance,
                issue_red_invoice,
                IssueRedInvoiceRequest {
                    order_id: self.id(),
                    invoice_id: self.name("IV1"),
                    red_invoice_no: self.name("RED"),
                    reason: "the title was wrong".to_owned(),
                    at: self.at(minute::INVOICED + 60),
                }
            );
            return self.one_invoice("IV2", &title, minute::INVOICED + 90).await;
        }
        self.one_invoice("IV1", &title, minute::INVOICED).await
    }

    async fn one_invoice(&mut self, id: &str, title: &str, minutes: i64) -> Result<(), CallError> {
        order!(
            self,
            Platform,
            request_invoice,
            RequestInvoiceRequest {
                order_id: self.id(),
                invoice_id: self.name(id),
                title: title.to_owned(),
                tax_no: "000000000000000000".to_owned(),
                amount: None,
                at: self.at(minutes),
            }
        );
        order!(
            self,
            Finance,
            issue_invoice,
            IssueInvoiceRequest {
                order_id: self.id(),
                invoice_id: self.name(id),
                invoice_no: self.name(&format!("NO-{id}")),
                at: self.at(minutes + 20),
            }
        );
        Ok(())
    }

    /// Units of each line that were not cancelled: the same however far the order has come.
    pub(super) fn units(&self) -> Vec<LineQuantity> {
        let lines = self.order.lines.iter().filter_map(|state| {
            let line = state.line.as_ref()?;
            let quantity = line.quantity.saturating_sub(state.cancelled);
            (quantity > 0).then_some(LineQuantity { line_no: line.line_no, quantity })
        });
        lines.collect()
    }

    /// What a line is sold as.
    pub(super) fn listing(&self, line_no: u32) -> FrozenListing {
        let lines = self.order.lines.iter().filter_map(|state| state.line.as_ref());
        let line =
            lines.filter(|line| line.line_no == line_no).find_map(|line| line.listing.clone());
        line.unwrap_or_default()
    }

    /// As it was ordered: a substitute must not be substituted once more by a story told again.
    fn first_line(&self) -> Option<(u32, FrozenListing)> {
        let line_no = self.units().first()?.line_no;
        let ordered = self.accepted.draft.lines.iter().find(|line| line.line_no == line_no)?;
        Some((line_no, ordered.listing.clone()?))
    }

    pub(super) fn id(&self) -> String {
        self.accepted.order_id.clone()
    }

    /// An id of ours: the order's number and what it names.
    pub(super) fn name(&self, what: &str) -> String {
        format!("{}-{what}", self.accepted.no())
    }

    pub(super) fn at(&self, minutes: i64) -> Option<prost_types::Timestamp> {
        Some(timestamp(self.moment(minutes)))
    }

    fn moment(&self, minutes: i64) -> Timestamp {
        let moment = self.schedule.minute(minutes);
        self.told_of(moment);
        moment
    }

    fn told_of(&self, moment: Timestamp) {
        self.latest.set(self.latest.get().max(moment));
    }

    /// Waits until everything has happened that was told of so far.
    pub(super) async fn let_it_come(&self) {
        if let Some(clock) = &self.clock {
            clock.reach(self.latest.get()).await;
        }
    }

    pub(super) fn money(&self, minor_units: i64) -> Option<Money> {
        let currency = self.order.total.as_ref().map(|total| total.currency.clone());
        Some(Money { minor_units, currency: currency.unwrap_or_default() })
    }
}
