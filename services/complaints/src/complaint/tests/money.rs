//! Who may decide how much, and the money of a complaint (CMP-33, CMP-50, MON-06, MON-07).

use super::{
    commands::{ACCEPTED, Command::*, penalty},
    *,
};

#[test]
fn a_post_decides_up_to_its_limit_and_not_beyond() {
    let policy = Policy::default();
    let accepted = after(&ACCEPTED);
    given::<Complaint>(accepted.clone())
        .when(|it| it.offer(&offer("s-1", 50_000), &[], "李", &policy, minute(9)))
        .then_events(|said| names(said) == ["SolutionOffered"])
        .repeated();
    given::<Complaint>(accepted.clone())
        .when(|it| it.offer(&offer("s-1", 50_001), &[], "李", &policy, minute(9)))
        .then_refused(Rejection::BeyondAuthority { tier: 0, limit: 50_000, amount: 50_001 });
    // what it costs us counts as well
    let mut dear = offer("s-1", 50_000);
    dear.solution.cost = Some(Money { minor_units: 1, currency: "CNY".into() });
    given::<Complaint>(accepted.clone())
        .when(|it| it.offer(&dear, &[], "李", &policy, minute(9)))
        .then_refused(Rejection::BeyondAuthority { tier: 0, limit: 50_000, amount: 50_001 });
    let above = after(&[&ACCEPTED[..], &[EscalateMore]].concat());
    given::<Complaint>(above)
        .when(|it| it.offer(&offer("s-1", 9_000_000), &[], "周", &policy, minute(9)))
        .then_events(|said| names(said) == ["SolutionOffered", "LevelRaised"])
        .repeated();
}

#[test]
fn sums_that_cannot_be_added_up_are_refused() {
    let mut endless = offer("s-1", i64::MAX);
    endless.solution.measures.extend(solution("s-1", 1).measures);
    let above = after(&[&ACCEPTED[..], &[EscalateMore]].concat());
    given::<Complaint>(above)
        .when(|it| it.offer(&endless, &[], "周", &Policy::default(), minute(9)))
        .then_refused(Rejection::Sum);
}

#[test]
fn what_was_agreed_says_goods_and_money_for_those_who_carry_it_out() {
    let agreed = after(&[&ACCEPTED[..], &[Offer, Agree]].concat());
    let Some(Event::SolutionAgreed(agreed)) = agreed.last() else { panic!() };
    assert!(agreed.needs_goods && agreed.needs_money);
    assert_eq!(agreed.granted.as_ref().unwrap().minor_units, 20_000);
    assert_eq!(agreed.order_id, "o-1");
    assert_eq!(agreed.solution, Some(solution("s-1", 20_000)));
}

#[test]
fn a_solution_that_is_not_on_the_table_is_neither_agreed_to_nor_refused() {
    let offered = after(&[&ACCEPTED[..], &[Offer]].concat());
    given::<Complaint>(offered.clone())
        .when(|it| it.agree("s-9", minute(9)))
        .then_refused(Rejection::NoSolution("s-9".into()));
    given::<Complaint>(offered)
        .when(|it| it.refuse("s-9", "太少", minute(9)))
        .then_refused(Rejection::NoSolution("s-9".into()));
    // and its id stands for one content
    let refused = after(&[&ACCEPTED[..], &[Offer, Refuse]].concat());
    given::<Complaint>(refused)
        .when(|it| it.offer(&offer("s-1", 1), &[], "李", &Policy::default(), minute(9)))
        .then_refused(Rejection::Differs("solution s-1".into()));
}

#[test]
fn a_penalty_is_within_its_limits_and_approved_by_somebody_else() {
    let policy = Policy::default();
    let accepted = after(&ACCEPTED);
    for (amount, is_fine) in [(999, false), (1_000, true), (5_000, true), (5_001, false)] {
        let said = given::<Complaint>(accepted.clone()).state().penalise(
            &penalty("f-1", amount),
            &policy,
            minute(9),
        );
        match is_fine {
            true => assert_eq!(names(&said.unwrap()), ["PenaltyImposed"]),
            false => {
                let range = Rejection::Penalty { least: 1_000, most: 5_000 };
                assert_eq!(said.unwrap_err(), range);
            }
        }
    }
    let own = Penalty { approved_by: "王".into(), ..penalty("f-1", 2_000) };
    given::<Complaint>(accepted.clone())
        .when(|it| it.penalise(&own, &policy, minute(9)))
        .then_refused(Rejection::OwnApproval("王".into()));
    let mut fined = accepted;
    let complaint = given::<Complaint>(fined.clone()).state();
    fined.extend(complaint.penalise(&penalty("f-1", 2_000), &policy, minute(9)).unwrap());
    given::<Complaint>(fined.clone())
        .when(|it| it.penalise(&penalty("f-1", 3_000), &policy, minute(9)))
        .then_refused(Rejection::Differs("penalty f-1".into()));
    // each time
    given::<Complaint>(fined)
        .when(|it| it.penalise(&penalty("f-2", 2_000), &policy, minute(10)))
        .then_events(|said| names(said) == ["PenaltyImposed"])
        .repeated();
    let nobody = Intake { first_responsible: String::new(), ..intake() };
    let received =
        Complaint::Absent.receive(&nobody, &Known::default(), "李", &policy, minute(0)).unwrap();
    given::<Complaint>(received)
        .when(|it| it.penalise(&penalty("f-1", 2_000), &policy, minute(9)))
        .then_refused(Rejection::NobodyResponsible);
}

#[test]
fn it_is_handed_upwards_and_never_sideways_or_down() {
    let policy = Policy::default();
    let escalated = after(&[&ACCEPTED[..], &[Escalate]].concat());
    for tier in [0, 1] {
        given::<Complaint>(escalated.clone())
            .when(|it| it.escalate(&handed_to("吴", tier), &policy, minute(9)))
            .then_refused(Rejection::NotUpwards { from: 1, to: tier });
    }
    given::<Complaint>(escalated.clone())
        .when(|it| it.escalate(&handed_to("吴", 3), &policy, minute(9)))
        .then_refused(Rejection::NoPost(3));
    let late = Escalation { reply_by: Some(at(9)), ..handed_to("周", 2) };
    given::<Complaint>(escalated.clone())
        .when(|it| it.escalate(&late, &policy, minute(9)))
        .then_refused(Rejection::Passed("reply_by"));
    given::<Complaint>(escalated.clone()).when(|it| Escalate.decide(it, minute(9))).then_nothing();
    given::<Complaint>(escalated)
        .when(|it| EscalateMore.decide(it, minute(9)))
        .then_events(|said| names(said) == ["ComplaintEscalated"])
        .repeated();
}

#[test]
fn what_is_beyond_the_one_in_charge_is_told_while_it_is_looked_into() {
    given::<Complaint>(after(&ACCEPTED))
        .when(|it| Exceed.decide(it, minute(9)))
        .then_events(|said| names(said) == ["AuthorityExceeded"])
        .repeated();
    given::<Complaint>(after(&ACCEPTED))
        .when(|it| it.exceed("金额较大", "由经理决定", at(9), "李", minute(9)))
        .then_refused(Rejection::Passed("notify_by"));
    given::<Complaint>(after(&[Receive]))
        .when(|it| Exceed.decide(it, minute(9)))
        .then_refused(Rejection::NotNow { phase: Phase::Received });
}
