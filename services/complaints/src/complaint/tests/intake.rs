//! Taking in, and how serious it is (CMP-03 to CMP-05, CMP-13, CMP-14, CMP-38, SM-04).

use super::{
    commands::{ACCEPTED, Command, Command::*, person},
    *,
};

#[test]
fn a_case_is_received_once_and_another_under_its_id_is_refused() {
    let first = after(&[Receive]);
    assert_eq!(names(&first), ["ComplaintReceived"]);
    type Change = fn(&mut Intake);
    let changes: [(&str, Change); 7] = [
        ("platform", |it| it.platform = "other".into()),
        ("channel", |it| it.channel = ComplaintChannel::Letter),
        ("complainant", |it| it.complainant.fingerprint = vec![2]),
        ("items", |it| it.items.truncate(1)),
        ("claimed", |it| it.claimed = 1),
        ("order_id", |it| it.order_id.clear()),
        ("first_responsible", |it| it.first_responsible = "赵".into()),
    ];
    for (field, change) in changes {
        let mut other = intake();
        change(&mut other);
        given::<Complaint>(first.clone())
            .when(|it| it.receive(&other, &Known::default(), "李", &Policy::default(), minute(1)))
            .then_refused_as(
                |it| matches!(it, Rejection::Another(differs) if differs.field == field),
            );
    }
    // the ciphertext is another one each time
    let mut same = intake();
    same.complainant.ciphertext = vec![9];
    given::<Complaint>(first)
        .when(|it| it.receive(&same, &Known::default(), "李", &Policy::default(), minute(1)))
        .then_nothing();
}

#[test]
fn nobody_answers_for_it_before_the_user_has_confirmed_the_form() {
    given::<Complaint>(after(&[Receive]))
        .when(|it| Accept.decide(it, minute(1)))
        .then_refused(Rejection::NotConfirmed);
    let confirmed = after(&[Receive, Confirm]);
    let policy = Policy::default();
    given::<Complaint>(confirmed.clone())
        .when(|it| it.accept("李", 7, at(99), &policy, minute(1)))
        .then_refused(Rejection::NoPost(7));
    given::<Complaint>(confirmed.clone())
        .when(|it| it.accept("李", 0, at(1), &policy, minute(1)))
        .then_refused(Rejection::Passed("close_by"));
    given::<Complaint>(after(&ACCEPTED))
        .when(|it| it.accept("赵", 0, at(99_000), &policy, minute(1)))
        .then_refused(Rejection::NotNow { phase: Phase::Investigating });
}

fn reasons(events: &[Event]) -> Vec<MajorReason> {
    let raised = events.iter().find_map(|event| {
        let Event::LevelRaised(event) = event else { return None };
        Some(event.reasons().collect())
    });
    raised.unwrap_or_default()
}

#[test]
fn a_complaint_is_major_from_the_limit_on_and_by_each_other_rule() {
    let claiming = |claimed| {
        let intake = Intake { claimed, ..intake() };
        Complaint::Absent
            .receive(&intake, &Known::default(), "李", &Policy::default(), minute(0))
            .unwrap()
    };
    assert_eq!(names(&claiming(199_999)), ["ComplaintReceived"]);
    assert_eq!(names(&claiming(200_000)), ["ComplaintReceived", "LevelRaised"]);
    assert_eq!(reasons(&claiming(200_000)), [MajorReason::Amount]);
    let complaint = given::<Complaint>(after(&ACCEPTED)).state();
    for (facts, expected) in [
        (Facts { media: true, ..Facts::default() }, vec![MajorReason::Media]),
        (Facts { lawsuit: true, ..Facts::default() }, vec![MajorReason::Lawsuit]),
        (Facts { group_risk: true, ..Facts::default() }, vec![MajorReason::GroupLawsuit]),
        (Facts { amount: 200_000, ..Facts::default() }, vec![MajorReason::Amount]),
        (
            Facts { media: true, amount: 200_000, ..Facts::default() },
            vec![MajorReason::Media, MajorReason::Amount],
        ),
        (Facts { amount: 199_999, ..Facts::default() }, vec![]),
    ] {
        let said =
            complaint.assess(&with(&facts, "严重"), "李", &Policy::default(), minute(5)).unwrap();
        assert_eq!(reasons(&said), expected, "{facts:?}");
    }
}

#[test]
fn a_missed_deadline_makes_an_unsolved_complaint_major_once() {
    for unsolved in [
        &[Receive][..],
        &ACCEPTED,
        &[Receive, Confirm, Accept, Ask],
        &[Receive, Confirm, Accept, Assess, Offer],
        &[Receive, Confirm, Accept, Assess, Offer, Refuse],
    ] {
        given::<Complaint>(after(unsolved))
            .when(|it| Overdue.decide(it, minute(99)))
            .then_events(|said| reasons(said) == [MajorReason::Overdue])
            .repeated();
    }
    for solved in [&[Offer, Agree][..], &[Offer, Agree, Start], &[Cancel]] {
        let events = after(&[&ACCEPTED[..], solved].concat());
        given::<Complaint>(events).when(|it| Overdue.decide(it, minute(99))).then_nothing();
    }
    given::<Complaint>([])
        .when(|it| Overdue.decide(it, minute(99)))
        .then_refused(Rejection::NotFound);
}

#[test]
fn what_is_major_is_general_again_only_by_approval_and_when_no_rule_holds() {
    let policy = Policy::default();
    let major = |facts: Facts| {
        let mut events = after(&ACCEPTED);
        let complaint = given::<Complaint>(events.clone()).state();
        events.extend(complaint.assess(&with(&facts, "严重"), "李", &policy, minute(5)).unwrap());
        events
    };
    let mut events = major(Facts { amount: 900_000, ..Facts::default() });
    given::<Complaint>(events.clone())
        .when(|it| Lower.decide(it, minute(6)))
        .then_refused(Rejection::StillMajor(vec![MajorReason::Amount]));
    // the amount was wrong: it stays major all the same, until somebody approves
    let complaint = given::<Complaint>(events.clone()).state();
    let facts = Facts { amount: 100, ..Facts::default() };
    let said = complaint.assess(&with(&facts, "不严重"), "李", &policy, minute(7)).unwrap();
    assert_eq!(names(&said), ["FactsAssessed"]);
    events.extend(said);
    given::<Complaint>(events.clone())
        .when(|it| it.lower("金额有误", "李", &policy, minute(8)))
        .then_refused(Rejection::OwnApproval("李".into()));
    given::<Complaint>(events)
        .when(|it| Lower.decide(it, minute(8)))
        .then_events(|said| names(said) == ["LevelLowered"])
        .repeated();
    let overdue = after(&[&ACCEPTED[..], &[Command::Overdue]].concat());
    given::<Complaint>(overdue)
        .when(|it| Lower.decide(it, minute(8)))
        .then_refused(Rejection::StillMajor(vec![MajorReason::Overdue]));
}

fn with(facts: &Facts, severity: &str) -> Assessment {
    Assessment { facts: facts.clone(), severity: severity.into(), ..Assessment::default() }
}

#[test]
fn nothing_is_offered_before_it_is_known_how_serious_it_is_and_what_the_user_expects() {
    given::<Complaint>(after(&[Receive, Confirm, Accept]))
        .when(|it| Offer.decide(it, minute(9)))
        .then_refused(Rejection::NotAssessed);
    given::<Complaint>(after(&[Receive, Confirm, Accept, Assess]))
        .when(|it| Offer.decide(it, minute(9)))
        .then_events(|said| names(said) == ["SolutionOffered"])
        .repeated();
}

#[test]
fn what_was_corrected_is_confirmed_anew_and_items_only_until_somebody_works_on_them() {
    let confirmed = after(&[Receive, Confirm]);
    let complaint = given::<Complaint>(confirmed.clone()).state();
    let items = [item(1, "送来时已损坏")];
    let mut events = confirmed;
    events.extend(complaint.correct(&person("p-2"), true, &items, "李", minute(3)).unwrap());
    given::<Complaint>(events.clone())
        .when(|it| it.correct(&person("p-2"), true, &items, "李", minute(4)))
        .then_nothing();
    given::<Complaint>(events.clone())
        .when(|it| Accept.decide(it, minute(4)))
        .then_refused(Rejection::NotConfirmed);
    let complaint = given::<Complaint>(events.clone()).state();
    events.extend(Confirm.decide(&complaint, minute(5)).unwrap());
    let complaint = given::<Complaint>(events.clone()).state();
    events.extend(Accept.decide(&complaint, minute(6)).unwrap());
    let Complaint::Known(case) = given::<Complaint>(events.clone()).state() else { panic!() };
    assert_eq!(case.unanswered(), [1], "the second item was none");
    // from now on a telephone number may change, and what it is about does not
    given::<Complaint>(events.clone())
        .when(|it| it.correct(&person("p-3"), true, &[], "李", minute(7)))
        .then_events(|said| names(said) == ["FormCorrected"])
        .repeated();
    given::<Complaint>(events)
        .when(|it| it.correct(&person("p-3"), true, &[item(1, "别的")], "李", minute(7)))
        .then_refused(Rejection::NotNow { phase: Phase::Investigating });
}

#[test]
fn who_has_left_no_telephone_number_is_asked_for_one() {
    for (has_phone, asks) in [(true, false), (false, true)] {
        let letter = Intake { has_phone, channel: ComplaintChannel::Letter, ..intake() };
        let received = Complaint::Absent
            .receive(&letter, &Known::default(), "李", &Policy::default(), minute(0))
            .unwrap();
        let complaint = given::<Complaint>(received).state();
        let said = complaint.acknowledge("李", minute(1)).unwrap();
        let Event::ReceiptAcknowledged(acknowledged) = &said[0] else { panic!() };
        assert_eq!(acknowledged.asks_for_phone, asks);
    }
}
