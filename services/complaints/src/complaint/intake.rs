//! From the first word to somebody who answers for it; how serious it is.

use std::collections::BTreeMap;

use chassis::{
    When,
    repeat::{same, same_time},
};
use contracts::{
    common::Sealed,
    complaints::{
        CauseClass, ComplaintAccepted, ComplaintChannel, ComplaintItem, ComplaintKind,
        ComplaintPhase, ComplaintReceived, Department, FormConfirmed, FormCorrected,
        ReceiptAcknowledged, TalkChecklist,
    },
};
use decider::{Decision, emit, unchanged};
use eventlog::time::to_proto;
use jiff::Timestamp;

use super::{
    Case, Complaint, Event, Facts, Policy, Rejection,
    money::{fen, yuan},
};

/// What the record form holds (CMP-13).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Intake {
    /// The caller's id.
    pub complaint_id: String,
    /// Platform, empty when it came through none.
    pub platform: String,
    /// Contract, optional.
    pub contract_id: String,
    /// How it came (CMP-09).
    pub channel: ComplaintChannel,
    /// What it is (CMP-01, CMP-02).
    pub kind: ComplaintKind,
    /// What it is about.
    pub cause: CauseClass,
    /// Order, optional.
    pub order_id: String,
    /// Case of after-sales, optional.
    pub case_id: String,
    /// Who complains, sealed.
    pub complainant: Sealed,
    /// What the user complains of; numbered from 1 on.
    pub items: Vec<ComplaintItem>,
    /// Region, optional.
    pub region: String,
    /// Digest of the recording of a call, optional (CMP-10).
    pub recording_sha256: String,
    /// What the user expects (CMP-31).
    pub expectation: String,
    /// Sums that the user names, in fen.
    pub claimed: i64,
    /// Who sold (CMP-47); empty when the caller does not say.
    pub first_responsible: String,
    /// What exactly it is about, as the supplier calls it; optional.
    pub topic: String,
    /// The buying unit on the platform, optional.
    pub buyer_id: String,
    /// Whether there is a telephone number to call.
    pub has_phone: bool,
}

/// What is known about a case beside what the caller says of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    /// The buying unit that placed the order, if there is an order.
    pub buyer_id: String,
    /// Who serves the buying unit, if anybody (CMP-47).
    pub salesperson: String,
    /// The complaint before it of the same person about the same, a short while ago.
    pub repeat_of: String,
}

impl Case {
    pub(super) fn received(event: &ComplaintReceived) -> Self {
        Self {
            id: event.complaint_id.clone(),
            platform: event.platform.clone(),
            contract_id: event.contract_id.clone(),
            kind: event.kind(),
            order_id: event.order_id.clone(),
            case_id: event.case_id.clone(),
            channel: event.channel(),
            told_cause: event.cause(),
            cause: event.cause(),
            topic: event.topic.clone(),
            buyer_id: event.buyer_id.clone(),
            department: Department::Unspecified,
            region: event.region.clone(),
            received_at: event.received_at,
            close_by: None,
            offers: 0,
            phase: ComplaintPhase::Received,
            confirmed: false,
            has_phone: event.has_phone,
            assessed: false,
            major: false,
            overdue: false,
            facts: Facts { amount: fen(event.claimed.as_ref()), ..Facts::default() },
            escalated: false,
            tier: 0,
            handler: String::new(),
            first_responsible: event.first_responsible.clone(),
            solution: None,
            dissatisfied: false,
            untold_change: false,
            answers: event.items.iter().map(|item| (item.number, None)).collect(),
            items: event.items.clone(),
            last: BTreeMap::new(),
            by_id: BTreeMap::new(),
        }
    }
}

impl Complaint {
    /// A case comes to us. What the caller leaves out is taken from what is known.
    ///
    /// # Errors
    /// The id was used for another case, or the order is of another buying unit than the caller says.
    pub fn receive(
        &self,
        intake: &Intake,
        known: &Known,
        by: &str,
        policy: &Policy,
        when: When,
    ) -> Decision<Event, Rejection> {
        let or = |said: &String, known: &String| {
            if said.is_empty() { known.clone() } else { said.clone() }
        };
        let received = ComplaintReceived {
            complaint_id: intake.complaint_id.clone(),
            platform: intake.platform.clone(),
            contract_id: intake.contract_id.clone(),
            channel: intake.channel.into(),
            kind: intake.kind.into(),
            cause: intake.cause.into(),
            order_id: intake.order_id.clone(),
            case_id: intake.case_id.clone(),
            complainant: Some(intake.complainant.clone()),
            items: intake.items.clone(),
            region: intake.region.clone(),
            recording_sha256: intake.recording_sha256.clone(),
            expectation: intake.expectation.clone(),
            claimed: yuan(intake.claimed),
            first_responsible: or(&intake.first_responsible, &known.salesperson),
            received_by: by.to_owned(),
            received_at: Some(to_proto(when.time())),
            topic: intake.topic.clone(),
            buyer_id: or(&intake.buyer_id, &known.buyer_id),
            repeat_of: known.repeat_of.clone(),
            has_phone: intake.has_phone,
        };
        match self {
            Self::Absent => {
                if !known.buyer_id.is_empty() && received.buyer_id != known.buyer_id {
                    return Err(Rejection::AnotherBuyer(received.buyer_id));
                }
                let case = Case::received(&received);
                let facts = case.facts.clone();
                Ok(case.with_level(vec![received.into()], &facts, 0, policy, when))
            }
            Self::Known(case) => {
                let Some(Event::ComplaintReceived(before)) = case.before(&received.clone().into())
                else {
                    return Err(Rejection::NotFound);
                };
                same_case(before, intake, &received)?;
                same_time(before.received_at.as_ref(), when)?;
                unchanged()
            }
        }
    }

    /// The user is told that we have it, and asked for a telephone number where there is none (CMP-11).
    ///
    /// # Errors
    /// There is none, or it has ended.
    pub fn acknowledge(&self, by: &str, when: When) -> Decision<Event, Rejection> {
        let case = self.case()?;
        let event = said!(
            case,
            ReceiptAcknowledged {
                acknowledged_by: by.to_owned(),
                acknowledged_at: Some(to_proto(when.time())),
                asks_for_phone: !case.has_phone,
            }
        );
        case.note(event, when)
    }

    /// What was written down is read back, and the user confirms it (CMP-13).
    ///
    /// # Errors
    /// There is none, or it has ended.
    pub fn confirm(
        &self,
        read_back_by: &str,
        talk: Option<TalkChecklist>,
        when: When,
    ) -> Decision<Event, Rejection> {
        let case = self.case()?;
        let event = said!(
            case,
            FormConfirmed {
                read_back_by: read_back_by.to_owned(),
                confirmed_at: Some(to_proto(when.time())),
                talk,
            }
        );
        if case.confirmed {
            return case.note(event, when);
        }
        // what was corrected since is confirmed anew, with the same words
        if case.is_open() { emit(event) } else { Err(Rejection::NotNow { phase: case.phase }) }
    }

    /// What was written down was wrong; until somebody has accepted it, the user confirms it anew
    /// (CMP-13). No items mean that these were right.
    ///
    /// # Errors
    /// It has ended, or its items are being worked on already.
    pub fn correct(
        &self,
        complainant: &Sealed,
        has_phone: bool,
        items: &[ComplaintItem],
        by: &str,
        when: When,
    ) -> Decision<Event, Rejection> {
        let case = self.case()?;
        let items = if items.is_empty() { &case.items } else { items };
        let event = Event::from(said!(
            case,
            FormCorrected {
                complainant: Some(complainant.clone()),
                has_phone,
                items: items.to_vec(),
                corrected_by: by.to_owned(),
                corrected_at: Some(to_proto(when.time())),
            }
        ));
        if let Some(Event::FormCorrected(before)) = case.before(&event)
            && same_person(before.complainant.as_ref(), Some(complainant))
            && before.items == items
        {
            same_time(before.corrected_at.as_ref(), when)?;
            return unchanged();
        }
        let is_received = case.phase == ComplaintPhase::Received;
        if !case.is_open() || (!is_received && items != case.items) {
            return Err(Rejection::NotNow { phase: case.phase });
        }
        Ok(vec![event])
    }

    /// Somebody answers for it, and sets when it is solved (CMP-14, CMP-38).
    ///
    /// # Errors
    /// The form is not confirmed, there is no such post, or the deadline has passed.
    pub fn accept(
        &self,
        handler: &str,
        tier: u32,
        close_by: Timestamp,
        policy: &Policy,
        when: When,
    ) -> Decision<Event, Rejection> {
        let case = self.case()?;
        let event = said!(
            case,
            ComplaintAccepted {
                handler: handler.to_owned(),
                tier,
                close_by: Some(to_proto(close_by)),
                accepted_at: Some(to_proto(when.time())),
            }
        );
        let events = case.step(&[ComplaintPhase::Received], event, when)?;
        if !events.is_empty() {
            if !case.confirmed {
                return Err(Rejection::NotConfirmed);
            }
            policy.holds(handler, tier)?;
            if close_by <= when.time() {
                return Err(Rejection::Passed("close_by"));
            }
        }
        Ok(events)
    }
}

/// Equal data of one person have equal fingerprints, while the ciphertext is another one each time.
fn same_person(before: Option<&Sealed>, now: Option<&Sealed>) -> bool {
    let identity = |sealed: &Sealed| (sealed.person.clone(), sealed.fingerprint.clone());
    before.map(identity) == now.map(identity)
}

/// A repeat must say the same as the first time; the first field that differs is named. What the
/// caller left to us is not compared.
fn same_case(
    before: &ComplaintReceived,
    intake: &Intake,
    now: &ComplaintReceived,
) -> Result<(), Rejection> {
    same("platform", &before.platform, &now.platform)?;
    same("contract_id", &before.contract_id, &now.contract_id)?;
    same("channel", &before.channel, &now.channel)?;
    same("kind", &before.kind, &now.kind)?;
    same("cause", &before.cause, &now.cause)?;
    same("order_id", &before.order_id, &now.order_id)?;
    same("case_id", &before.case_id, &now.case_id)?;
    same(
        "complainant",
        &true,
        &same_person(before.complainant.as_ref(), now.complainant.as_ref()),
    )?;
    same("items", &before.items, &now.items)?;
    same("region", &before.region, &now.region)?;
    same("recording_sha256", &before.recording_sha256, &now.recording_sha256)?;
    same("expectation", &before.expectation, &now.expectation)?;
    same("claimed", &before.claimed, &now.claimed)?;
    same("topic", &before.topic, &now.topic)?;
    if !intake.first_responsible.is_empty() {
        same("first_responsible", &before.first_responsible, &now.first_responsible)?;
    }
    if !intake.buyer_id.is_empty() {
        same("buyer_id", &before.buyer_id, &now.buyer_id)?;
    }
    Ok(())
}
