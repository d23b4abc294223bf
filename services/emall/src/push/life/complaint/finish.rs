//! From the user's word to the end.

#![allow(
    clippy::needless_update,
    reason = "a message that gains a field is not spelled out anew where the field is of no use"
)]

use contracts::complaints::{
    AgreeSolutionRequest, AnalyseCauseRequest, AnswerItemRequest, CloseComplaintRequest,
    Department, RecordImplementationRequest, RecordVisitRequest, SendClosingNoticeRequest,
    StartExecutionRequest,
};

use super::{
    Grievance, Stopped,
    case::{Case, HOUR, complaint, later},
};
use crate::push::{draft::timestamp, life::story::tell};

/// Who sees to what went wrong on the way.
const LOGISTICS: &str = "logistics-manager-01";

impl Case<'_> {
    /// From the user's word to the end: carried out, visited, analysed, answered, told in writing.
    pub(super) async fn agree_and_carry_out(
        &mut self,
        name: &str,
        minutes: i64,
    ) -> Result<(), Stopped> {
        complaint!(
            self,
            Platform,
            agree_solution,
            AgreeSolutionRequest {
                complaint_id: self.id.clone(),
                solution_id: self.name(name),
                at: self.at(minutes),
                ..Default::default()
            }
        );
        complaint!(
            self,
            Operator,
            start_execution,
            StartExecutionRequest {
                complaint_id: self.id.clone(),
                at: self.at(minutes + 15),
                ..Default::default()
            }
        );
        complaint!(
            self,
            Operator,
            record_implementation,
            RecordImplementationRequest {
                complaint_id: self.id.clone(),
                evidence: format!("bank transfer {}", self.name("T1")),
                at: self.at(minutes + 6 * HOUR),
                ..Default::default()
            }
        );
        let visited = minutes + 24 * HOUR;
        complaint!(
            self,
            Operator,
            record_visit,
            RecordVisitRequest {
                complaint_id: self.id.clone(),
                visit_id: self.name("V1"),
                satisfied: true,
                opinion: "that was fair in the end".to_owned(),
                at: self.at(visited),
                ..Default::default()
            }
        );
        self.close(visited + 2 * HOUR).await
    }

    async fn close(&mut self, minutes: i64) -> Result<(), Stopped> {
        let Grievance { cause, .. } = self.grievance();
        complaint!(
            self,
            Operator,
            analyse_cause,
            AnalyseCauseRequest {
                complaint_id: self.id.clone(),
                cause: cause.into(),
                root_cause: format!("{} was not watched on its way", self.delivered.carrier),
                corrective_action: "the follower calls the user the day before".to_owned(),
                becomes_standard: true,
                department: Department::Marketing.into(),
                action_owner: LOGISTICS.to_owned(),
                action_due_by: Some(timestamp(later(self.begun, minutes + 14 * 24 * HOUR))),
                at: self.at(minutes),
                ..Default::default()
            }
        );
        let numbers: Vec<u32> = self.complaint.items.iter().map(|item| item.number).collect();
        for number in numbers {
            complaint!(
                self,
                Operator,
                answer_item,
                AnswerItemRequest {
                    complaint_id: self.id.clone(),
                    number,
                    answer: "we are sorry; it is paid for, and will not happen again".to_owned(),
                    at: self.at(minutes + 5),
                    ..Default::default()
                }
            );
        }
        complaint!(
            self,
            Operator,
            send_closing_notice,
            SendClosingNoticeRequest {
                complaint_id: self.id.clone(),
                at: self.at(minutes + 15),
                ..Default::default()
            }
        );
        complaint!(
            self,
            Operator,
            close_complaint,
            CloseComplaintRequest {
                complaint_id: self.id.clone(),
                at: self.at(minutes + HOUR),
                ..Default::default()
            }
        );
        Ok(())
    }
}
