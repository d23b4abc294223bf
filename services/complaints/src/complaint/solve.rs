//! Towards a solution that the user accepts: asking, offering, handing upwards, a review from outside.

use std::collections::BTreeSet;

use chassis::When;
use contracts::complaints::{
    AuthorityExceeded, ComplaintEscalated, ComplaintPhase, Handover, ReviewBegun, ReviewDecided,
    Solution, SolutionAgreed, SolutionOffered, SolutionRefused, StandardSolution, UserAnswered,
    UserAsked,
};
use decider::{Decision, unchanged};
use eventlog::time::to_proto;
use jiff::Timestamp;

use super::{
    Case, Complaint, Event, Policy, Rejection,
    money::{fen, granted, sum, yuan},
    moves_goods, offer_id,
};

/// A solution, and how it stands to the standard one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Offer {
    /// The solution (CMP-26).
    pub solution: Solution,
    /// The standard solution for this cause, empty when there is none (CMP-32, CMP-41).
    pub standard_solution_id: String,
    /// Why it is another one.
    pub deviation_reason: String,
}

impl Offer {
    /// Like complaints are solved alike.
    fn keeps_to(&self, standards: &[StandardSolution]) -> Result<(), Rejection> {
        let has_reason = !self.deviation_reason.is_empty();
        if self.standard_solution_id.is_empty() {
            if standards.is_empty() || has_reason {
                return Ok(());
            }
            let ids = standards.iter().map(|standard| standard.standard_solution_id.clone());
            return Err(Rejection::HasStandard(ids.collect()));
        }
        let id = &self.standard_solution_id;
        let standard = standards
            .iter()
            .find(|standard| standard.standard_solution_id == *id)
            .ok_or_else(|| Rejection::NoStandard(id.clone()))?;
        if has_reason || standard.measures == kinds(&self.solution) {
            return Ok(());
        }
        Err(Rejection::Deviates(id.clone()))
    }
}

/// What a solution does, each once and in order.
pub(crate) fn kinds(solution: &Solution) -> Vec<i32> {
    let kinds: BTreeSet<i32> = solution.measures.iter().map(|measure| measure.kind).collect();
    kinds.into_iter().collect()
}

/// Handed upwards.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Escalation {
    /// Who has it from now on.
    pub handler: String,
    /// His post.
    pub tier: u32,
    /// What he may decide (CMP-23).
    pub mandate: String,
    /// What he is given (CMP-24); complete, which is checked where it is read.
    pub handover: Handover,
    /// Why.
    pub reason: String,
    /// By when the user is to have a reply.
    pub reply_by: Option<Timestamp>,
}

/// What a reviewer from outside decides (SM-03).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Verdict {
    /// In words.
    pub decision: String,
    /// What is to be done for the user; `None` when nothing.
    pub solution: Option<Solution>,
}

const SOLVING: [ComplaintPhase; 2] = [ComplaintPhase::Investigating, ComplaintPhase::Coordinating];

impl Complaint {
    /// The user is told that the reply is delayed, and asked for more (CMP-15).
    ///
    /// # Errors
    /// Nobody looks into it now.
    pub fn ask_user(&self, question: &str, by: &str, when: When) -> Decision<Event, Rejection> {
        let case = self.case()?;
        let event = said!(
            case,
            UserAsked {
                question: question.to_owned(),
                asked_by: by.to_owned(),
                asked_at: Some(to_proto(when.time())),
            }
        );
        case.step(&[ComplaintPhase::Investigating], event, when)
    }

    /// The user answers.
    ///
    /// # Errors
    /// Nothing was asked.
    pub fn user_answers(&self, answer: &str, when: When) -> Decision<Event, Rejection> {
        let case = self.case()?;
        let event = said!(
            case,
            UserAnswered { answer: answer.to_owned(), answered_at: Some(to_proto(when.time())) }
        );
        case.step(&[ComplaintPhase::AwaitingUser], event, when)
    }

    /// The user is offered a solution (CMP-26). Where complaints of its type have standard solutions, it
    /// follows one of them, or says why not (CMP-32, CMP-41).
    ///
    /// # Errors
    /// It does not stand so, nobody has found out how serious it is and what the user expects, it is beyond
    /// the one in charge, its sums cannot be added up, or it deviates from the standard without a reason.
    pub fn offer(
        &self,
        offer: &Offer,
        standards: &[StandardSolution],
        by: &str,
        policy: &Policy,
        when: When,
    ) -> Decision<Event, Rejection> {
        let case = self.case()?;
        let event = said!(
            case,
            SolutionOffered {
                solution: Some(offer.solution.clone()),
                standard_solution_id: offer.standard_solution_id.clone(),
                deviation_reason: offer.deviation_reason.clone(),
                escalated: case.escalated,
                attempt: case.offers + 1,
                offered_by: by.to_owned(),
                offered_at: Some(to_proto(when.time())),
            }
        );
        let event = Event::from(event);
        if case.said_before(&offer_id(&offer.solution.solution_id), &event, when)? {
            return unchanged();
        }
        let events = case.step(&SOLVING, event, when)?;
        if !case.assessed {
            return Err(Rejection::NotAssessed);
        }
        offer.keeps_to(standards)?;
        let granted = granted(&offer.solution)?;
        case.may_decide(sum([granted, fen(offer.solution.cost.as_ref())])?, policy)?;
        Ok(case.with_level(events, &case.facts, granted, policy, when))
    }

    /// The user agrees (CMP-34).
    ///
    /// # Errors
    /// This solution is not on the table.
    pub fn agree(&self, solution_id: &str, when: When) -> Decision<Event, Rejection> {
        let case = self.case()?;
        let solution = case.on_the_table(solution_id)?;
        let granted = granted(solution)?;
        let event = said!(
            case,
            SolutionAgreed {
                solution: Some(solution.clone()),
                granted: yuan(granted),
                order_id: case.order_id.clone(),
                needs_goods: solution.measures.iter().any(moves_goods),
                needs_money: granted > 0,
                agreed_at: Some(to_proto(when.time())),
            }
        );
        case.step(&[ComplaintPhase::Offered], event, when)
    }

    /// The user refuses (CMP-17).
    ///
    /// # Errors
    /// This solution is not on the table.
    pub fn refuse(
        &self,
        solution_id: &str,
        reason: &str,
        when: When,
    ) -> Decision<Event, Rejection> {
        let case = self.case()?;
        case.on_the_table(solution_id)?;
        let event = said!(
            case,
            SolutionRefused {
                solution_id: solution_id.to_owned(),
                reason: reason.to_owned(),
                refused_at: Some(to_proto(when.time())),
            }
        );
        case.step(&[ComplaintPhase::Offered], event, when)
    }

    /// It is beyond the one in charge; the user is told cause, procedure, time and name (CMP-33,
    /// CMP-36).
    ///
    /// # Errors
    /// Nobody looks into it now, or the time has passed.
    pub fn exceed(
        &self,
        cause: &str,
        procedure: &str,
        notify_by: Timestamp,
        by: &str,
        when: When,
    ) -> Decision<Event, Rejection> {
        let case = self.case()?;
        let event = said!(
            case,
            AuthorityExceeded {
                cause: cause.to_owned(),
                procedure: procedure.to_owned(),
                notify_by: Some(to_proto(notify_by)),
                told_by: by.to_owned(),
                exceeded_at: Some(to_proto(when.time())),
            }
        );
        let events = case.note(event, when)?;
        if !events.is_empty() && !SOLVING.contains(&case.phase) {
            return Err(Rejection::NotNow { phase: case.phase });
        }
        if !events.is_empty() && notify_by <= when.time() {
            return Err(Rejection::Passed("notify_by"));
        }
        Ok(events)
    }

    /// It is handed upwards, with all that is known (CMP-16, CMP-17, CMP-24, CMP-48, CON-14).
    ///
    /// # Errors
    /// Nobody looks into it now, the post is not above, or the time for the reply has passed.
    pub fn escalate(
        &self,
        escalation: &Escalation,
        policy: &Policy,
        when: When,
    ) -> Decision<Event, Rejection> {
        let case = self.case()?;
        let mut event = said!(
            case,
            ComplaintEscalated {
                from: case.handler.clone(),
                handler: escalation.handler.clone(),
                tier: escalation.tier,
                mandate: escalation.mandate.clone(),
                handover: Some(escalation.handover.clone()),
                reason: escalation.reason.clone(),
                reply_by: escalation.reply_by.map(to_proto),
                escalated_at: Some(to_proto(when.time())),
            }
        );
        // the one who has it by now was given it by the same step
        if let Some(Event::ComplaintEscalated(before)) = case.before(&event.clone().into())
            && case.handler == escalation.handler
        {
            event.from.clone_from(&before.from);
            if super::is_repeat(&before.clone().into(), &event.clone().into(), when) {
                return unchanged();
            }
        }
        let allowed = [
            ComplaintPhase::Investigating,
            ComplaintPhase::AwaitingUser,
            ComplaintPhase::Coordinating,
        ];
        let events = case.step(&allowed, event, when)?;
        if escalation.tier <= case.tier {
            return Err(Rejection::NotUpwards { from: case.tier, to: escalation.tier });
        }
        policy.holds(&escalation.handler, escalation.tier)?;
        if escalation.reply_by.is_some_and(|by| by <= when.time()) {
            return Err(Rejection::Passed("reply_by"));
        }
        Ok(events)
    }

    /// The user is told that a reviewer from outside decides (CMP-28).
    ///
    /// # Errors
    /// It was not escalated, or the user has not refused.
    pub fn begin_review(&self, reviewer: &str, when: When) -> Decision<Event, Rejection> {
        let case = self.case()?;
        let event = said!(
            case,
            ReviewBegun { reviewer: reviewer.to_owned(), told_at: Some(to_proto(when.time())) }
        );
        let events = case.step(&[ComplaintPhase::Coordinating], event, when)?;
        if !events.is_empty() && !case.escalated {
            return Err(Rejection::NotEscalated);
        }
        Ok(events)
    }

    /// The reviewer decides (SM-03).
    ///
    /// # Errors
    /// No review is on its way, or the sums cannot be added up.
    pub fn decide_review(&self, verdict: &Verdict, when: When) -> Decision<Event, Rejection> {
        let case = self.case()?;
        let granted = verdict.solution.as_ref().map_or(Ok(0), granted)?;
        let event = said!(
            case,
            ReviewDecided {
                decision: verdict.decision.clone(),
                for_user: verdict.solution.is_some(),
                solution: verdict.solution.clone(),
                granted: yuan(granted),
                decided_at: Some(to_proto(when.time())),
            }
        );
        case.step(&[ComplaintPhase::ExternalReview], event, when)
    }
}

impl Case {
    /// The solution that the user is to speak of, or has spoken of.
    fn on_the_table(&self, solution_id: &str) -> Result<&Solution, Rejection> {
        self.solution
            .as_ref()
            .filter(|solution| solution.solution_id == solution_id)
            .ok_or_else(|| Rejection::NoSolution(solution_id.to_owned()))
    }

    /// The one in charge may grant and spend so much (CMP-33).
    fn may_decide(&self, amount: i64, policy: &Policy) -> Result<(), Rejection> {
        let post = policy.post(self.tier).ok_or(Rejection::NoPost(self.tier))?;
        match post.limit {
            Some(limit) if amount > limit => {
                Err(Rejection::BeyondAuthority { tier: self.tier, limit, amount })
            }
            Some(_) | None => Ok(()),
        }
    }
}
