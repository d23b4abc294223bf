//! How serious it is: found out, raised by the rules or by a missed deadline, lowered by approval alone
//! (CMP-03 to CMP-05, SM-04).

use chassis::When;
use contracts::complaints::{
    ComplaintPhase, FactsAssessed, LevelLowered, LevelRaised, MajorReason,
};
use decider::{Decision, unchanged};
use eventlog::time::to_proto;

use super::{
    Assessment, Case, Complaint, Event, Facts, Policy, Rejection,
    money::{granted, yuan},
};

impl Case {
    /// It becomes major when a rule says so; it is told once.
    fn raised(&self, reasons: impl IntoIterator<Item = MajorReason>, when: When) -> Option<Event> {
        let reasons: Vec<i32> = reasons.into_iter().map(Into::into).collect();
        (!self.major && !reasons.is_empty()).then(|| {
            said!(self, LevelRaised { reasons, raised_at: Some(to_proto(when.time())) }).into()
        })
    }

    /// The events of a decision, and that it becomes major by what they make known.
    pub(super) fn with_level(
        &self,
        mut events: Vec<Event>,
        facts: &Facts,
        granted: i64,
        policy: &Policy,
        when: When,
    ) -> Vec<Event> {
        if !events.is_empty() {
            events.extend(self.raised(facts.major_reasons(policy, granted), when));
        }
        events
    }
}

impl Complaint {
    /// How serious it is, is found out (CMP-03 to CMP-05, CMP-31).
    ///
    /// # Errors
    /// There is none, or it has ended.
    pub fn assess(
        &self,
        assessment: &Assessment,
        by: &str,
        policy: &Policy,
        when: When,
    ) -> Decision<Event, Rejection> {
        let case = self.case()?;
        let facts = &assessment.facts;
        let event = said!(
            case,
            FactsAssessed {
                amount: yuan(facts.amount),
                media: facts.media,
                lawsuit: facts.lawsuit,
                group_risk: facts.group_risk,
                severity: assessment.severity.clone(),
                expectation: assessment.expectation.clone(),
                assessed_by: by.to_owned(),
                assessed_at: Some(to_proto(when.time())),
            }
        );
        let events = case.note(event, when)?;
        Ok(case.with_level(events, facts, 0, policy, when))
    }

    /// Its deadline has passed (CMP-05, SLA-06). What is major, agreed or ended stays as it is.
    ///
    /// # Errors
    /// There is none.
    pub fn overdue(&self, when: When) -> Decision<Event, Rejection> {
        let case = self.case()?;
        let is_unsolved = matches!(
            case.phase,
            ComplaintPhase::Received
                | ComplaintPhase::Investigating
                | ComplaintPhase::AwaitingUser
                | ComplaintPhase::Offered
                | ComplaintPhase::Coordinating
                | ComplaintPhase::ExternalReview
        );
        if !is_unsolved {
            return unchanged();
        }
        Ok(case.raised([MajorReason::Overdue], when).into_iter().collect())
    }

    /// It is general again, by approval of somebody else than the one in charge (SM-04).
    ///
    /// # Errors
    /// What made it major holds still, or the one in charge approves it himself.
    pub fn lower(
        &self,
        reason: &str,
        approved_by: &str,
        policy: &Policy,
        when: When,
    ) -> Decision<Event, Rejection> {
        let case = self.case()?;
        let event = said!(
            case,
            LevelLowered {
                reason: reason.to_owned(),
                approved_by: approved_by.to_owned(),
                lowered_at: Some(to_proto(when.time())),
            }
        );
        if !case.major || !case.is_open() {
            // it is general: the same approval again, or none was needed
            return case.repeated(&event.into(), when);
        }
        let granted = case.solution.as_ref().map_or(Ok(0), granted)?;
        let holds = case.major_reasons(policy, granted);
        if !holds.is_empty() {
            return Err(Rejection::StillMajor(holds.into_iter().collect()));
        }
        if approved_by == case.handler {
            return Err(Rejection::OwnApproval(approved_by.to_owned()));
        }
        Ok(vec![event.into()])
    }
}
