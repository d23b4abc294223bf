//! Every state answers every command.

use std::collections::BTreeMap;

use super::{
    commands::{ACCEPTED, ALL, Command, Command::*, NORMAL},
    *,
};

/// Histories that lead to every phase.
fn histories() -> Vec<Vec<Command>> {
    let mut all: Vec<Vec<Command>> = vec![vec![]];
    all.extend((1..=NORMAL.len()).map(|length| NORMAL[..length].to_vec()));
    let ways: [&[Command]; 6] = [
        &[Ask],
        &[Offer, Refuse],
        &[Escalate, Offer, Refuse, Review],
        &[Offer, Agree, Start, Implement, VisitUnhappy],
        &[Offer, Agree, Start, Implement, VisitUnhappy, OrderRemedy],
        &[Cancel],
    ];
    all.extend(ways.iter().map(|way| [&ACCEPTED[..], way].concat()));
    all
}

/// Where each step is taken. What is not named here is noted wherever a complaint is open.
fn taken_in(command: Command) -> Option<Vec<Phase>> {
    Some(match command {
        Accept => vec![Phase::Received],
        Ask => vec![Phase::Investigating],
        Answered => vec![Phase::AwaitingUser],
        Offer => vec![Phase::Investigating, Phase::Coordinating],
        Agree | Refuse => vec![Phase::Offered],
        Escalate => vec![Phase::Investigating, Phase::AwaitingUser, Phase::Coordinating],
        Review => vec![Phase::Coordinating],
        Decide | DecideAgainst => vec![Phase::ExternalReview],
        Start => vec![Phase::Agreed],
        Implement => vec![Phase::Executing],
        VisitUnhappy | Visit => vec![Phase::FollowUp],
        OrderRemedy => vec![Phase::FollowUp],
        Remedy => vec![Phase::Remedying],
        Analyse => vec![Phase::Satisfied],
        Notice => vec![Phase::Analysed],
        Close => vec![Phase::Noticed],
        Reopen => vec![Phase::Closed],
        Cancel => vec![
            Phase::Received,
            Phase::Investigating,
            Phase::AwaitingUser,
            Phase::Offered,
            Phase::Coordinating,
            Phase::ExternalReview,
        ],
        Receive | Acknowledge | Confirm | Assess | Overdue | Lower | OfferMore | AgreeMore
        | Exceed | EscalateMore | Change | TellChange | AnswerOne | AnswerTwo | Penalise
        | Archive | Inform | Correct => {
            return None;
        }
    })
}

#[test]
fn every_state_answers_every_command() {
    let mut reached: BTreeMap<i32, usize> = BTreeMap::new();
    for way in histories() {
        let events = after(&way);
        let (complaint, phase) = (given::<Complaint>(events.clone()).state(), phase(&events));
        *reached.entry(phase.into()).or_default() += 1;
        for &command in ALL {
            let said = command.decide(&complaint, minute(900));
            if complaint == Complaint::Absent && command != Receive {
                assert_eq!(said, Err(Rejection::NotFound), "{command:?}");
                continue;
            }
            match &said {
                Ok(events) if !events.is_empty() => {
                    if let Some(phases) = taken_in(command) {
                        assert!(phases.contains(&phase), "{command:?} was taken in {phase:?}");
                    }
                    // what was taken is a repeat right after it
                    let after = events
                        .iter()
                        .cloned()
                        .fold(complaint.clone(), |it, event| it.evolve(&event));
                    let again = command.decide(&after, minute(901));
                    assert_eq!(again, Ok(vec![]), "{command:?} in {phase:?}");
                }
                Ok(_) => {}
                Err(rejection) => assert!(!rejection.to_string().is_empty(), "{command:?}"),
            }
        }
    }
    let phases: Vec<i32> = reached.into_keys().collect();
    assert_eq!(phases, (0..=15).collect::<Vec<_>>(), "each phase is tried");
}

#[test]
fn what_has_ended_takes_nothing_but_what_is_said_of_it_afterwards() {
    let closed = given::<Complaint>(after(&NORMAL)).state();
    let cancelled = given::<Complaint>(after(&[&ACCEPTED[..], &[Cancel]].concat())).state();
    for &command in ALL {
        for (complaint, allowed) in [
            (&closed, &[Reopen, Penalise, Archive, Inform][..]),
            (&cancelled, &[Penalise, Archive, Inform][..]),
        ] {
            let takes =
                matches!(command.decide(complaint, minute(900)), Ok(said) if !said.is_empty());
            assert_eq!(takes, allowed.contains(&command), "{command:?}");
        }
    }
}
