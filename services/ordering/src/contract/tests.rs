use chassis::repeat::Differs;
use contracts::common::EventMetadata;
use contracts::ordering::ContractPhase as Phase;
use decider::fold;
use decider::scenario::given;
use eventlog::Recorded as _;
use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

/// As a caller says it that names no time.
fn when(second: i64) -> When {
    When::now(at(second))
}

fn yuan(minor: i64) -> Amount {
    Amount::new(minor, "CNY")
}

fn proposal() -> Draft {
    Draft {
        contract_id: "k-1".into(),
        platform: "mall".into(),
        terms: ContractTerms {
            buyer_id: "b-1".into(),
            price_terms: "固定价".into(),
            service_content: "送货安装".into(),
            guarantee: "三年".into(),
            valid_from: Some(to_proto(at(0))),
            valid_until: Some(to_proto(at(1_000))),
            performance_bond: Some(yuan(10_000).money()),
            risks: vec!["雨季: 提前发货".into()],
        },
    }
}

fn drafted() -> Event {
    ContractDrafted {
        contract_id: "k-1".into(),
        platform: "mall".into(),
        terms: Some(proposal().terms),
        drafted_at: Some(to_proto(at(0))),
    }
    .into()
}

fn signatures() -> Signatures {
    Signatures { buyer: "甲方".into(), supplier: "乙方".into(), archive_sha256: "aa".into() }
}

fn signed() -> Event {
    ContractSigned {
        contract_id: "k-1".into(),
        signed_by_buyer: "甲方".into(),
        signed_by_supplier: "乙方".into(),
        archive_sha256: "aa".into(),
        signed_at: Some(to_proto(at(1))),
    }
    .into()
}

fn request() -> RequestChange {
    RequestChange {
        change_id: "x-1".into(),
        requested_by: "buyer".into(),
        description: "延长质保".into(),
        recorded_by: "operator-a".into(),
    }
}

fn requested() -> Event {
    ContractChangeRequested {
        contract_id: "k-1".into(),
        change_id: "x-1".into(),
        requested_by: "buyer".into(),
        description: "延长质保".into(),
        requested_at: Some(to_proto(at(2))),
        recorded_by: "operator-a".into(),
    }
    .into()
}

fn review() -> ReviewChange {
    ReviewChange {
        change_id: "x-1".into(),
        added: true,
        reason: "双方同意".into(),
        reviewer: "operator-b".into(),
    }
}

fn reviewed() -> Event {
    ContractChangeReviewed {
        contract_id: "k-1".into(),
        change_id: "x-1".into(),
        added: true,
        reviewer: "operator-b".into(),
        reason: "双方同意".into(),
        reviewed_at: Some(to_proto(at(3))),
    }
    .into()
}

fn draw(id: &str, minor: i64) -> Draw {
    Draw {
        draw_id: id.into(),
        order_id: "o-1".into(),
        amount: yuan(minor),
        reason: "质量问题".into(),
    }
}

fn drawn(id: &str, minor: i64, left: i64) -> Event {
    PerformanceBondDrawn {
        contract_id: "k-1".into(),
        draw_id: id.into(),
        order_id: "o-1".into(),
        amount: Some(yuan(minor).money()),
        reason: "质量问题".into(),
        bond_left: Some(yuan(left).money()),
        drawn_at: Some(to_proto(at(4))),
    }
    .into()
}

#[test]
fn a_draft_is_written_down_once() {
    given::<Contract>([]).when(|it| it.draft(&proposal(), when(0))).then([drafted()]).repeated();
    given::<Contract>([drafted(), signed()])
        .when(|it| it.draft(&proposal(), when(9)))
        .then_nothing();
    let with = |change: fn(&mut ContractTerms)| {
        let mut draft = proposal();
        change(&mut draft.terms);
        draft
    };
    for (other, field) in [
        (Draft { platform: String::new(), ..proposal() }, "platform"),
        (with(|terms| terms.buyer_id.push('x')), "terms.buyer_id"),
        (with(|terms| terms.price_terms.push('x')), "terms.price_terms"),
        (with(|terms| terms.service_content.push('x')), "terms.service_content"),
        (with(|terms| terms.guarantee.push('x')), "terms.guarantee"),
        (with(|terms| terms.valid_from = None), "terms.valid_from"),
        (with(|terms| terms.valid_until = None), "terms.valid_until"),
        (with(|terms| terms.performance_bond = None), "terms.performance_bond"),
        (with(|terms| terms.risks.clear()), "terms.risks"),
    ] {
        given::<Contract>([drafted()])
            .when(|it| it.draft(&other, when(0)))
            .then_refused(Differs { field }.into());
    }
}

#[test]
fn a_repeat_may_leave_the_time_out_but_not_name_another() {
    let named = |second| When { now: at(900), at: Some(at(second)) };
    let told = [drafted(), signed(), requested(), reviewed(), drawn("d-1", 4_000, 6_000)];
    type Command = fn(&Contract, When) -> Decision<Event, Rejection>;
    let repeats: [Command; 5] = [
        |it, when| it.draft(&proposal(), when),
        |it, when| it.sign(&signatures(), when),
        |it, when| it.request_change(&request(), when),
        |it, when| it.review_change(&review(), when),
        |it, when| it.draw_bond(&draw("d-1", 4_000), "", when),
    ];
    for (second, command) in (0..).zip(repeats) {
        for when in [when(900), named(second)] {
            given::<Contract>(told.clone()).when(|it| command(it, when)).then_nothing();
        }
        given::<Contract>(told.clone())
            .when(|it| command(it, named(second + 1)))
            .then_refused(Differs { field: "at" }.into());
    }
}

#[test]
fn a_contract_needs_both_signatures() {
    given::<Contract>([drafted()])
        .when(|it| it.sign(&signatures(), when(1)))
        .then([signed()])
        .repeated();
    for (signatures, side) in [
        (Signatures { buyer: String::new(), ..signatures() }, "buyer"),
        (Signatures { supplier: String::new(), ..signatures() }, "supplier"),
    ] {
        given::<Contract>([drafted()])
            .when(|it| it.sign(&signatures, when(1)))
            .then_refused(Rejection::SignatureMissing { side });
    }
    for (signatures, field) in [
        (Signatures { buyer: "x".into(), ..signatures() }, "signed_by_buyer"),
        (Signatures { supplier: "x".into(), ..signatures() }, "signed_by_supplier"),
        (Signatures { archive_sha256: "bb".into(), ..signatures() }, "archive_sha256"),
    ] {
        given::<Contract>([drafted(), signed()])
            .when(|it| it.sign(&signatures, when(1)))
            .then_refused(Differs { field }.into());
    }
}

#[test]
fn a_change_is_asked_for_once() {
    given::<Contract>([drafted(), signed()])
        .when(|it| it.request_change(&request(), when(2)))
        .then([requested()])
        .repeated();
    for (cmd, field) in [
        (RequestChange { requested_by: "supplier".into(), ..request() }, "requested_by"),
        (RequestChange { description: "x".into(), ..request() }, "description"),
    ] {
        given::<Contract>([drafted(), signed(), requested(), reviewed()])
            .when(|it| it.request_change(&cmd, when(2)))
            .then_refused(Differs { field }.into());
    }
}

#[test]
fn a_contract_takes_no_more_changes_than_anybody_reads() {
    let mut contract: Contract = fold(&[drafted(), signed()]);
    for number in 0..MOST_CHANGES {
        let cmd = RequestChange { change_id: number.to_string(), ..request() };
        for event in contract.request_change(&cmd, when(2)).unwrap() {
            contract = contract.evolve(&event);
        }
    }
    assert_eq!(contract.request_change(&request(), when(2)), Err(Rejection::TooManyChanges));
}

#[test]
fn nobody_reviews_a_change_of_their_own() {
    given::<Contract>([drafted(), signed(), requested()])
        .when(|it| it.review_change(&review(), when(3)))
        .then([reviewed()])
        .repeated();
    for reviewer in ["buyer", "operator-a"] {
        let cmd = ReviewChange { reviewer: reviewer.into(), ..review() };
        given::<Contract>([drafted(), signed(), requested()])
            .when(|it| it.review_change(&cmd, when(3)))
            .then_refused(Rejection::OwnChange);
    }
}

#[test]
fn a_refused_change_leaves_the_contract_as_it_was() {
    let history = [drafted(), signed(), requested()];
    let mut row = contracts::ordering::Contract::default();
    let meta = EventMetadata::default();
    history.iter().for_each(|event| Contract::apply(&mut row, event, &meta, 1));
    let before = row.clone();
    let refuse = ReviewChange { added: false, ..review() };
    let contract: Contract = fold(&history);
    let events = contract.review_change(&refuse, when(3)).unwrap();
    assert!(matches!(events.as_slice(), [Event::ContractChangeReviewed(it)] if !it.added));
    events.iter().for_each(|event| Contract::apply(&mut row, event, &meta, 2));
    let change = row.changes[0].clone();
    assert!(change.reviewed && !change.added);
    assert_eq!((change.reviewer.as_str(), change.reason.as_str()), ("operator-b", "双方同意"));
    row.changes.clone_from(&before.changes);
    assert_eq!(row, before, "terms, signatures and bond are untouched");
    let contract = events.iter().fold(contract, Contract::evolve);
    assert_eq!(contract.review_change(&refuse, when(4)), Ok(vec![]));
}

#[test]
fn a_verdict_stands() {
    for (cmd, field) in [
        (ReviewChange { added: false, ..review() }, "added"),
        (ReviewChange { reason: "x".into(), ..review() }, "reason"),
    ] {
        given::<Contract>([drafted(), signed(), requested(), reviewed()])
            .when(|it| it.review_change(&cmd, when(3)))
            .then_refused(Differs { field }.into());
    }
    let unknown = ReviewChange { change_id: "x-9".into(), ..review() };
    given::<Contract>([drafted(), signed(), requested()])
        .when(|it| it.review_change(&unknown, when(3)))
        .then_refused(Rejection::ChangeNotFound);
}

#[test]
fn the_bond_pays_what_is_left_of_it() {
    given::<Contract>([drafted(), signed()])
        .when(|it| it.draw_bond(&draw("d-1", 4_000), "", when(4)))
        .then([drawn("d-1", 4_000, 6_000)])
        .repeated();
    let partly = [drafted(), signed(), drawn("d-1", 4_000, 6_000)];
    given::<Contract>(partly.clone())
        .when(|it| it.draw_bond(&draw("d-2", 6_001), "k-1", when(4)))
        .then_refused(Rejection::MoreThanLeft { left: yuan(6_000) });
    given::<Contract>(partly.clone())
        .when(|it| it.draw_bond(&draw("d-2", 6_000), "k-1", when(4)))
        .then([drawn("d-2", 6_000, 0)])
        .repeated();
    for (cmd, field) in [
        (Draw { order_id: "o-2".into(), ..draw("d-1", 4_000) }, "order_id"),
        (draw("d-1", 4_001), "amount"),
        (Draw { reason: "x".into(), ..draw("d-1", 4_000) }, "reason"),
    ] {
        given::<Contract>(partly.clone())
            .when(|it| it.draw_bond(&cmd, "", when(4)))
            .then_refused(Differs { field }.into());
    }
    let dollars = Draw { amount: Amount::new(1, "USD"), ..draw("d-2", 1) };
    given::<Contract>(partly.clone())
        .when(|it| it.draw_bond(&dollars, "", when(4)))
        .then_refused(Rejection::OtherCurrency { currency: "CNY".into() });
    given::<Contract>(partly)
        .when(|it| it.draw_bond(&draw("d-2", 1), "k-2", when(4)))
        .then_refused(Rejection::OrderOfAnotherContract);
}

#[test]
fn a_contract_without_a_bond_pays_nothing() {
    let mut without = proposal();
    without.terms.performance_bond = None;
    let mut contract = Contract::default();
    for event in contract.draft(&without, when(0)).unwrap() {
        contract = contract.evolve(&event);
    }
    let contract = contract.evolve(&signed());
    assert_eq!(contract.draw_bond(&draw("d-1", 1), "", when(4)), Err(Rejection::NoBond));
}

/// What each state answers to each command that it has not seen before.
#[test]
fn every_state_answers_every_command() {
    type Command = fn(&Contract) -> Decision<Event, Rejection>;
    let commands: [Command; 5] = [
        |it| it.draft(&proposal(), when(9)),
        |it| it.sign(&signatures(), when(9)),
        |it| it.request_change(&RequestChange { change_id: "new".into(), ..request() }, when(9)),
        |it| it.review_change(&review(), when(9)),
        |it| it.draw_bond(&draw("new", 1), "", when(9)),
    ];
    let states = [
        (vec![], ["event", "NotFound", "NotFound", "NotFound", "NotFound"]),
        (vec![drafted()], ["nothing", "event", "NotSigned", "NotSigned", "NotSigned"]),
        (vec![drafted(), signed()], ["nothing", "nothing", "event", "ChangeNotFound", "event"]),
        (vec![drafted(), signed(), requested()], ["nothing", "nothing", "event", "event", "event"]),
        (
            vec![drafted(), signed(), requested(), reviewed()],
            ["nothing", "nothing", "event", "nothing", "event"],
        ),
    ];
    for (history, expected) in states {
        let state: Contract = fold(&history);
        let answers = commands.map(|command| match command(&state) {
            Ok(events) if events.is_empty() => "nothing".to_owned(),
            Ok(_) => "event".to_owned(),
            Err(rejection) => format!("{rejection:?}"),
        });
        assert_eq!(answers, expected, "after {history:?}");
    }
}

#[test]
fn the_row_tells_the_whole_story() {
    let mut row = contracts::ordering::Contract::default();
    let meta = EventMetadata::default();
    Contract::apply(&mut row, &drafted(), &meta, 1);
    assert_eq!((row.phase(), row.bond_left.clone()), (Phase::Drafted, Some(yuan(10_000).money())));
    for event in [signed(), requested(), reviewed(), drawn("d-1", 4_000, 6_000)] {
        Contract::apply(&mut row, &event, &meta, 2);
    }
    assert_eq!((row.phase(), row.bond_left.clone()), (Phase::Signed, Some(yuan(6_000).money())));
    assert_eq!(row.archive_sha256, "aa");
    let change = &row.changes[0];
    assert!(change.reviewed && change.added);
    assert_eq!((change.reviewer.as_str(), change.requested_by.as_str()), ("operator-b", "buyer"));
}

proptest! {
    /// Whatever is tried, draws and what is left add up to the bond, and no id counts twice.
    #[test]
    fn draws_and_what_is_left_add_up(
        tries in prop::collection::vec((0_u8..12, prop_oneof![1_i64..4_000, Just(i64::MAX)]), 0..40),
    ) {
        let mut contract: Contract = fold(&[drafted(), signed()]);
        let mut row = contracts::ordering::Contract::default();
        for event in [drafted(), signed()] {
            Contract::apply(&mut row, &event, &EventMetadata::default(), 0);
        }
        let mut paid = std::collections::BTreeMap::new();
        for (id, minor) in tries {
            let before = paid.values().sum::<i64>();
            match contract.draw_bond(&draw(&id.to_string(), minor), "", when(9)) {
                Ok(events) => {
                    prop_assert_eq!(events.is_empty(), paid.get(&id) == Some(&minor));
                    for event in events {
                        contract = contract.evolve(&event);
                        Contract::apply(&mut row, &event, &EventMetadata::default(), 0);
                        paid.insert(id, minor);
                    }
                }
                Err(Rejection::MoreThanLeft { left }) => {
                    prop_assert_eq!(left.minor(), 10_000 - before);
                    prop_assert!(minor > left.minor());
                }
                Err(other) => {
                    prop_assert_eq!(other, Rejection::from(Differs { field: "amount" }));
                    prop_assert!(paid.get(&id).is_some_and(|paid| *paid != minor));
                }
            }
            let left = row.bond_left.as_ref().map(|left| left.minor_units);
            prop_assert_eq!(left, Some(10_000 - paid.values().sum::<i64>()));
        }
    }
}
