//! Like complaints are solved alike; what is known of a case beside what the caller says; what is learned.

use super::{
    commands::{ACCEPTED, Command::*, NORMAL, analysis, recording},
    *,
};

fn standard(id: &str, measures: &[MeasureKind]) -> StandardSolution {
    StandardSolution {
        standard_solution_id: id.into(),
        measures: measures.iter().map(|kind| (*kind).into()).collect(),
        ..StandardSolution::default()
    }
}

#[test]
fn where_there_is_a_standard_solution_another_one_needs_a_reason() {
    let policy = Policy::default();
    let same = standard("n-1", &[MeasureKind::Reissue, MeasureKind::Compensation]);
    let less = standard("n-2", &[MeasureKind::Apology]);
    let known = [same, less];
    let said = |standard: &str, reason: &str| {
        let offer = super::super::Offer {
            standard_solution_id: standard.into(),
            deviation_reason: reason.into(),
            ..offer("s-1", 20_000)
        };
        let complaint = given::<Complaint>(after(&ACCEPTED)).state();
        complaint.offer(&offer, &known, "李", &policy, minute(9)).map(|said| names(&said))
    };
    let none = Rejection::HasStandard(vec!["n-1".into(), "n-2".into()]);
    assert_eq!(said("", ""), Err(none));
    assert_eq!(said("", "用户要求不同"), Ok(vec!["SolutionOffered"]));
    assert_eq!(said("n-1", ""), Ok(vec!["SolutionOffered"]));
    assert_eq!(said("n-2", ""), Err(Rejection::Deviates("n-2".into())));
    assert_eq!(said("n-2", "金额较大"), Ok(vec!["SolutionOffered"]));
    assert_eq!(said("n-3", "任意"), Err(Rejection::NoStandard("n-3".into())));
}

#[test]
fn an_offer_that_was_made_is_a_repeat_whatever_has_become_standard_since() {
    let offered = after(&[&ACCEPTED[..], &[Offer]].concat());
    let later = [standard("n-1", &[MeasureKind::Apology])];
    given::<Complaint>(offered)
        .when(|it| it.offer(&offer("s-1", 20_000), &later, "李", &Policy::default(), minute(9)))
        .then_nothing();
}

#[test]
fn who_served_the_buyer_answers_for_it_first_unless_somebody_else_is_named() {
    let policy = Policy::default();
    let known =
        Known { buyer_id: "b-1".into(), salesperson: "孙".into(), repeat_of: "c-0".into() };
    let unnamed = Intake { first_responsible: String::new(), ..intake() };
    for (intake, person) in [(&unnamed, "孙"), (&intake(), "王")] {
        let said = Complaint::Absent.receive(intake, &known, "李", &policy, minute(0)).unwrap();
        let Event::ComplaintReceived(received) = &said[0] else { panic!() };
        assert_eq!(received.first_responsible, person);
        assert_eq!((received.buyer_id.as_str(), received.repeat_of.as_str()), ("b-1", "c-0"));
        // what is known by now is no part of what the caller says again
        let later = Known { salesperson: "周".into(), ..known.clone() };
        given::<Complaint>(said)
            .when(|it| it.receive(intake, &later, "李", &policy, minute(60)))
            .then_nothing();
    }
    let another = Intake { buyer_id: "b-2".into(), ..unnamed };
    let refused = Complaint::Absent.receive(&another, &known, "李", &policy, minute(0));
    assert_eq!(refused, Err(Rejection::AnotherBuyer("b-2".into())));
}

#[test]
fn a_post_is_held_by_the_people_named_for_it() {
    let mut policy = Policy::default();
    policy.posts[0].people = vec!["赵".into()];
    policy.posts[1].people = vec!["孙".into(), "钱".into()];
    let confirmed = after(&[Receive, Confirm]);
    given::<Complaint>(confirmed.clone())
        .when(|it| it.accept("李", 0, at(600), &policy, minute(9)))
        .then_refused(Rejection::NotOnPost { person: "李".into(), post: "user-service".into() });
    given::<Complaint>(confirmed)
        .when(|it| it.accept("赵", 0, at(600), &policy, minute(9)))
        .then_events(|said| names(said) == ["ComplaintAccepted"])
        .repeated();
    let accepted = after(&ACCEPTED);
    given::<Complaint>(accepted.clone())
        .when(|it| it.escalate(&handed_to("吴", 1), &policy, minute(9)))
        .then_refused(Rejection::NotOnPost {
            person: "吴".into(),
            post: "marketing-manager".into(),
        });
    given::<Complaint>(accepted)
        .when(|it| it.escalate(&handed_to("孙", 1), &policy, minute(9)))
        .then_events(|said| names(said) == ["ComplaintEscalated"])
        .repeated();
}

#[test]
fn what_is_learned_is_said_with_all_that_it_takes() {
    let satisfied = after(&NORMAL[..11]);
    let learned = Analysis { becomes_standard: true, ..analysis() };
    let complaint = given::<Complaint>(satisfied.clone()).state();
    let said = complaint.analyse(&learned, "李", minute(20)).unwrap();
    let Event::CauseAnalysed(analysed) = &said[0] else { panic!() };
    assert_eq!(analysed.solution, Some(solution("s-1", 20_000)));
    assert_eq!(analysed.department(), Department::Quality);
    assert_eq!(analysed.action_owner, "钱");
    assert!(analysed.becomes_standard && analysed.action_due_by.is_some());
    let late = Analysis { action: Some(("钱".into(), at(20))), ..analysis() };
    given::<Complaint>(satisfied)
        .when(|it| it.analyse(&late, "李", minute(20)))
        .then_refused(Rejection::Passed("action_due_by"));
    // a review that gave nothing leaves nothing to learn
    let way = [&ACCEPTED[..], &[Escalate, Offer, Refuse, Review, DecideAgainst]].concat();
    given::<Complaint>(after(&way))
        .when(|it| it.analyse(&learned, "李", minute(20)))
        .then_refused(Rejection::NothingAgreed);
}

#[test]
fn what_is_no_complaint_is_analysed_without_a_solution() {
    let asked = Intake { kind: ComplaintKind::Suggestion, ..intake() };
    let known = Known::default();
    let mut events =
        Complaint::Absent.receive(&asked, &known, "李", &Policy::default(), minute(0)).unwrap();
    for command in [Confirm, Accept, AnswerOne, AnswerTwo, Analyse, Notice, Close] {
        let complaint = given::<Complaint>(events.clone()).state();
        events.extend(command.decide(&complaint, minute(5)).unwrap());
    }
    assert_eq!(phase(&events), Phase::Closed);
}

#[test]
fn a_recording_is_archived_once_and_departments_are_informed_also_after_the_end() {
    let closed = after(&NORMAL);
    for command in [Archive, Inform] {
        given::<Complaint>(closed.clone())
            .when(|it| command.decide(it, minute(900)))
            .then_events(|said| said.len() == 1)
            .repeated();
    }
    let archived = [&NORMAL[..], &[Archive]].concat();
    given::<Complaint>(after(&archived))
        .when(|it| it.archive(&recording("ab", "tape 8"), "李", minute(900)))
        .then_refused(Rejection::Differs("recording ab".into()));
}

#[test]
fn nobody_records_without_end() {
    let mut events = after(&NORMAL);
    for number in 0..MOST_BY_ID {
        let complaint = given::<Complaint>(events.clone()).state();
        match complaint.archive(&recording(&format!("{number:x}"), "tape"), "李", minute(900)) {
            Ok(said) => events.extend(said),
            Err(rejection) => {
                assert_eq!(rejection, Rejection::TooMany(MOST_BY_ID));
                return;
            }
        }
    }
    panic!("there is an end to it");
}
