//! The ways that a complaint goes (SM-01 to SM-03).

use super::{
    commands::{ACCEPTED, Command::*, NORMAL},
    *,
};

#[test]
fn a_complaint_goes_from_the_first_word_to_its_end_and_each_step_is_taken_once() {
    let phases = [
        Phase::Received,
        Phase::Received,
        Phase::Investigating,
        Phase::Investigating,
        Phase::Investigating,
        Phase::Investigating,
        Phase::Offered,
        Phase::Agreed,
        Phase::Executing,
        Phase::FollowUp,
        Phase::Satisfied,
        Phase::Analysed,
        Phase::Noticed,
        Phase::Closed,
    ];
    for (index, expected) in phases.into_iter().enumerate() {
        let events = after(&NORMAL[..=index]);
        assert_eq!(phase(&events), expected, "after {:?}", NORMAL[index]);
        // again, a day later
        given::<Complaint>(events)
            .when(|it| NORMAL[index].decide(it, minute(1_440)))
            .then_nothing();
    }
}

#[test]
fn a_repeat_counts_as_one_also_when_much_has_happened_since() {
    let events = after(&NORMAL);
    for command in NORMAL {
        given::<Complaint>(events.clone())
            .when(|it| command.decide(it, minute(9_000)))
            .then_nothing();
    }
}

#[test]
fn the_user_is_asked_and_answers_as_often_as_it_takes() {
    let mut way = ACCEPTED.to_vec();
    for _ in 0..2 {
        way.extend([Ask]);
        assert_eq!(phase(&after(&way)), Phase::AwaitingUser);
        way.extend([Answered]);
        assert_eq!(phase(&after(&way)), Phase::Investigating);
    }
    let told = names(&after(&way));
    assert_eq!(told.iter().filter(|name| **name == "UserAsked").count(), 2);
}

#[test]
fn a_refused_solution_is_talked_over_and_another_one_offered() {
    let refused = [&ACCEPTED[..], &[Offer, Refuse]].concat();
    assert_eq!(phase(&after(&refused)), Phase::Coordinating);
    let escalated = [&refused[..], &[Escalate, OfferMore, AgreeMore]].concat();
    assert_eq!(phase(&after(&escalated)), Phase::Agreed);
}

#[test]
fn an_escalated_complaint_that_is_refused_again_goes_to_a_review_from_outside() {
    let refused = [&ACCEPTED[..], &[Escalate, Offer, Refuse, Review]].concat();
    assert_eq!(phase(&after(&refused)), Phase::ExternalReview);
    let for_user = [&refused[..], &[Decide, Start, Implement, Visit]].concat();
    assert_eq!(phase(&after(&for_user)), Phase::Satisfied);
    let against = [&refused[..], &[DecideAgainst, Analyse, AnswerOne, AnswerTwo, Notice, Close]];
    let against = after(&against.concat());
    assert_eq!(phase(&against), Phase::Closed);
    let closed = against.last().unwrap();
    let granted = if let Event::ComplaintClosed(closed) = closed { &closed.granted } else { &None };
    assert_eq!(*granted, None, "nothing was given: {closed:?}");
    // without an escalation there is none
    given::<Complaint>(after(&[&ACCEPTED[..], &[Offer, Refuse]].concat()))
        .when(|it| Review.decide(it, minute(9)))
        .then_refused(Rejection::NotEscalated);
}

#[test]
fn a_dissatisfied_user_gets_a_remedy_and_is_visited_again() {
    let carried_out = [&ACCEPTED[..], &[Offer, Agree, Start, Implement]].concat();
    given::<Complaint>(after(&carried_out))
        .when(|it| OrderRemedy.decide(it, minute(9)))
        .then_refused(Rejection::NothingToRemedy);
    let unhappy = [&carried_out[..], &[VisitUnhappy]].concat();
    assert_eq!(phase(&after(&unhappy)), Phase::FollowUp);
    given::<Complaint>(after(&unhappy))
        .when(|it| Analyse.decide(it, minute(9)))
        .then_refused(Rejection::NotNow { phase: Phase::FollowUp });
    let made_up = [&unhappy[..], &[OrderRemedy, Remedy]].concat();
    assert_eq!(phase(&after(&made_up)), Phase::FollowUp);
    assert_eq!(phase(&after(&[&made_up[..], &[Visit]].concat())), Phase::Satisfied);
}

#[test]
fn a_closed_complaint_is_opened_again_and_every_item_is_answered_anew() {
    let again = [&NORMAL[..], &[Reopen]].concat();
    assert_eq!(phase(&after(&again)), Phase::Investigating);
    let rest = [&again[..], &[OfferMore]].concat();
    // the post of before may not decide as much
    let complaint = given::<Complaint>(after(&again)).state();
    assert!(matches!(
        OfferMore.decide(&complaint, minute(20)),
        Err(Rejection::BeyondAuthority { tier: 0, limit: 50_000, amount: 300_000 })
    ));
    assert_eq!(rest.len(), again.len() + 1);
    let Complaint::Known(case) = complaint else { panic!() };
    assert_eq!(case.unanswered(), [1, 2]);
    given::<Complaint>(after(&NORMAL))
        .when(|it| it.reopen("又坏了", at(20), minute(20)))
        .then_refused(Rejection::Passed("close_by"));
}

#[test]
fn what_is_no_complaint_needs_answers_and_no_solution() {
    let mut asked = intake();
    asked.kind = ComplaintKind::Enquiry;
    let received = Complaint::Absent
        .receive(&asked, &Known::default(), "李", &Policy::default(), minute(0))
        .unwrap();
    let mut complaint = received.iter().fold(Complaint::default(), Complaint::evolve);
    for command in [Confirm, Accept, AnswerOne, AnswerTwo, Notice, Close] {
        let said = command.decide(&complaint, minute(1)).unwrap();
        complaint = said.iter().fold(complaint, Complaint::evolve);
    }
    let Complaint::Known(case) = complaint else { panic!() };
    assert_eq!(case.phase, Phase::Closed);
}

#[test]
fn nothing_is_closed_with_an_item_that_is_not_answered() {
    let analysed = [&ACCEPTED[..], &[AnswerTwo, Offer, Agree, Start, Implement, Visit, Analyse]];
    let analysed = after(&analysed.concat());
    given::<Complaint>(analysed.clone())
        .when(|it| Notice.decide(it, minute(20)))
        .then_refused(Rejection::Unanswered(vec![1]));
    given::<Complaint>(analysed)
        .when(|it| Close.decide(it, minute(20)))
        .then_refused(Rejection::NotNow { phase: Phase::Analysed });
    let told = after(&NORMAL[..13]);
    let Some(Event::ClosingNoticeSent(notice)) = told.last() else { panic!() };
    let answers: Vec<_> = notice.items.iter().map(|item| item.answer.as_str()).collect();
    assert_eq!(answers, ["已补发", "已致歉"]);
}

#[test]
fn a_change_is_told_once() {
    let changed = [&ACCEPTED[..], &[Change]].concat();
    let told = [&changed[..], &[TellChange]].concat();
    given::<Complaint>(after(&ACCEPTED))
        .when(|it| TellChange.decide(it, minute(9)))
        .then_refused(Rejection::NotNow { phase: Phase::Investigating });
    given::<Complaint>(after(&told)).when(|it| TellChange.decide(it, minute(9))).then_nothing();
    given::<Complaint>(after(&told)).when(|it| Change.decide(it, minute(9))).then_nothing();
}
