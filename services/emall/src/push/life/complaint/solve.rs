//! From the first word to a solution on the table.

#![allow(
    clippy::needless_update,
    reason = "a message that gains a field is not spelled out anew where the field is of no use"
)]

use std::time::Instant;

use contracts::complaints::{
    AcceptComplaintRequest, AcknowledgeReceiptRequest, AssessFactsRequest, ComplaintChannel,
    ComplaintItem, ComplaintKind, ConfirmFormRequest, EscalateComplaintRequest,
    ExceedAuthorityRequest, Handover, ListStandardSolutionsRequest, Measure, MeasureKind,
    OfferSolutionRequest, ReceiveComplaintRequest, RefuseSolutionRequest, Solution,
};

use super::{
    Course, Grievance, Stopped,
    case::{Case, DEADLINE, HEARD, HOUR, LOOK, SHORT, complaint, later},
};
use crate::{
    client::CallError,
    push::{
        draft::{money, sha256, timestamp},
        life::story::tell,
    },
};

/// Offers that are made anew because something became standard meanwhile.
const TRIES: u32 = 5;

const SERVICE: &str = "service-04";
const MANAGER: &str = "marketing-manager-02";
const SALES: &str = "sales-07";

impl Case<'_> {
    /// From the platform to somebody who answers for it.
    pub(super) async fn take_in(&mut self, course: Course) -> Result<(), Stopped> {
        let Grievance { cause, topic, text } = self.grievance();
        let receive = ReceiveComplaintRequest {
            complaint_id: self.id.clone(),
            platform: self.accepted.draft.platform.clone(),
            channel: ComplaintChannel::Platform.into(),
            kind: ComplaintKind::Complaint.into(),
            cause: cause.into(),
            topic: topic.to_owned(),
            order_id: self.accepted.order_id.clone(),
            complainant: self.accepted.draft.recipient.clone(),
            items: vec![
                ComplaintItem {
                    text: text.to_owned(),
                    sku: self.delivered.sku.clone(),
                    carrier: self.delivered.carrier.clone(),
                    ..Default::default()
                },
                ComplaintItem { text: "nobody told us before".to_owned(), ..Default::default() },
            ],
            expectation: "an explanation, and what it has cost us".to_owned(),
            claimed: Some(money(self.claimed(course))),
            first_responsible: SALES.to_owned(),
            at: self.at(0),
            ..Default::default()
        };
        self.receive(receive).await?;
        complaint!(
            self,
            Operator,
            acknowledge_receipt,
            AcknowledgeReceiptRequest {
                complaint_id: self.id.clone(),
                at: self.at(10),
                ..Default::default()
            }
        );
        complaint!(
            self,
            Operator,
            confirm_form,
            ConfirmFormRequest {
                complaint_id: self.id.clone(),
                read_back_by: SERVICE.to_owned(),
                at: self.at(20),
                ..Default::default()
            }
        );
        let deadline = match course {
            Course::Overdue => SHORT,
            Course::Solved | Course::Escalated => DEADLINE,
        };
        complaint!(
            self,
            Operator,
            accept_complaint,
            AcceptComplaintRequest {
                complaint_id: self.id.clone(),
                handler: SERVICE.to_owned(),
                tier: 0,
                close_by: Some(timestamp(later(self.begun, deadline))),
                at: self.at(40),
                ..Default::default()
            }
        );
        complaint!(
            self,
            Operator,
            assess_facts,
            AssessFactsRequest {
                complaint_id: self.id.clone(),
                amount: Some(money(self.claimed(course))),
                severity: "annoying, not dangerous".to_owned(),
                expectation: "an explanation, and what it has cost the user, in money".to_owned(),
                at: self.at(90),
                ..Default::default()
            }
        );
        Ok(())
    }

    /// Complaints hears of an order a moment after it was placed: until then there is no such order to it.
    async fn receive(&mut self, receive: ReceiveComplaintRequest) -> Result<(), Stopped> {
        let since = Instant::now();
        loop {
            match self.try_to_receive(receive.clone()).await {
                Err(error) if error.is("UNKNOWN_ORDER") && since.elapsed() < HEARD => {
                    tokio::time::sleep(LOOK).await;
                }
                received => return Ok(received?),
            }
        }
    }

    async fn try_to_receive(&mut self, receive: ReceiveComplaintRequest) -> Result<(), CallError> {
        complaint!(self, Platform, receive_complaint, receive);
        Ok(())
    }

    /// What worked before for complaints of this type, if that was a compensation and an apology too; else
    /// why this one is another case.
    async fn standard(&mut self) -> Result<(String, String), CallError> {
        let Grievance { cause, topic, .. } = self.grievance();
        let wanted = ListStandardSolutionsRequest {
            cause: cause.into(),
            topic: topic.to_owned(),
            page_size: 500,
            ..Default::default()
        };
        let found = tell!(self, Operator, improvements.list_standard_solutions, wanted);
        let ours = [MeasureKind::Compensation, MeasureKind::Apology].map(i32::from);
        let standards = found.standard_solutions;
        Ok(match standards.iter().find(|standard| standard.measures == ours) {
            Some(standard) => (standard.standard_solution_id.clone(), String::new()),
            None if standards.is_empty() => Default::default(),
            None => (String::new(), "the case is another one".to_owned()),
        })
    }

    pub(super) async fn offer(
        &mut self,
        name: &str,
        amount: i64,
        minutes: i64,
    ) -> Result<(), Stopped> {
        // somebody may make a solution standard between the look and the offer
        for _ in 0..TRIES {
            match self.try_to_offer(name, amount, minutes).await {
                Err(error)
                    if error.is("HAS_STANDARD_SOLUTION") || error.is("NO_STANDARD_SOLUTION") => {}
                offered => return Ok(offered?),
            }
        }
        Ok(self.try_to_offer(name, amount, minutes).await?)
    }

    async fn try_to_offer(
        &mut self,
        name: &str,
        amount: i64,
        minutes: i64,
    ) -> Result<(), CallError> {
        let (standard_solution_id, deviation_reason) = self.standard().await?;
        let sku = &self.delivered.sku;
        let measures = vec![
            Measure {
                kind: MeasureKind::Compensation.into(),
                amount: Some(money(amount)),
                description: format!("for the trouble with {sku}"),
                ..Default::default()
            },
            Measure {
                kind: MeasureKind::Apology.into(),
                description: "in writing, with an explanation".to_owned(),
                ..Default::default()
            },
        ];
        complaint!(
            self,
            Operator,
            offer_solution,
            OfferSolutionRequest {
                complaint_id: self.id.clone(),
                solution: Some(Solution {
                    solution_id: self.name(name),
                    text: "a compensation and an apology".to_owned(),
                    feasibility: "paid within a day".to_owned(),
                    cost: Some(money(1_500)),
                    fairness: "as much as it has cost the user".to_owned(),
                    measures,
                    ..Default::default()
                }),
                standard_solution_id,
                deviation_reason,
                at: self.at(minutes),
                ..Default::default()
            }
        );
        Ok(())
    }

    pub(super) async fn refuse(&mut self, name: &str, minutes: i64) -> Result<(), Stopped> {
        complaint!(
            self,
            Platform,
            refuse_solution,
            RefuseSolutionRequest {
                complaint_id: self.id.clone(),
                solution_id: self.name(name),
                reason: "it has cost us four times as much".to_owned(),
                at: self.at(minutes),
                ..Default::default()
            }
        );
        Ok(())
    }

    /// The user is told that it is beyond the one in charge, and somebody above gets all that is known.
    pub(super) async fn hand_upwards(&mut self, minutes: i64) -> Result<(), Stopped> {
        complaint!(
            self,
            Operator,
            exceed_authority,
            ExceedAuthorityRequest {
                complaint_id: self.id.clone(),
                cause: "the sum is beyond what the service post may decide".to_owned(),
                procedure: "the marketing manager decides".to_owned(),
                notify_by: Some(timestamp(later(self.begun, minutes + 4 * HOUR))),
                at: self.at(minutes - 30),
                ..Default::default()
            }
        );
        let Grievance { text, .. } = self.grievance();
        complaint!(
            self,
            Operator,
            escalate_complaint,
            EscalateComplaintRequest {
                complaint_id: self.id.clone(),
                handler: MANAGER.to_owned(),
                tier: 1,
                mandate: "may grant up to 5,000 yuan".to_owned(),
                handover: Some(Handover {
                    history: format!("order {}: {text}", self.accepted.no()),
                    demands: "800 yuan, and an explanation".to_owned(),
                    progress: "200 yuan were offered and refused".to_owned(),
                    documents: vec![sha256(&format!("statement on {}", self.id))],
                    ..Default::default()
                }),
                reason: "the user refused what the service post may offer".to_owned(),
                reply_by: Some(timestamp(later(self.begun, minutes + 24 * HOUR))),
                at: self.at(minutes),
                ..Default::default()
            }
        );
        Ok(())
    }
}
