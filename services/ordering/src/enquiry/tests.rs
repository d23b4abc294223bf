use contracts::common::{EventMetadata, Sealed};
use contracts::ordering::{EnquiryAnswered, EnquiryKind, EnquiryRecorded};
use decider::scenario::given;
use eventlog::{Recorded as _, time::to_proto};
use jiff::Timestamp;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

/// As a caller says it that names no time.
fn when(second: i64) -> When {
    When::now(at(second))
}

fn sealed(nonce: u8, fingerprint: u8) -> Sealed {
    Sealed {
        person: "p".into(),
        nonce: vec![nonce; 24],
        ciphertext: vec![nonce],
        fingerprint: vec![fingerprint; 16],
    }
}

fn question() -> Question {
    Question {
        enquiry_id: "q-1".into(),
        platform: "mall".into(),
        kind: EnquiryKind::Product,
        customer: sealed(1, 7),
        text: "有货吗?".into(),
    }
}

fn recorded() -> Event {
    EnquiryRecorded {
        enquiry_id: "q-1".into(),
        platform: "mall".into(),
        kind: EnquiryKind::Product.into(),
        customer: Some(sealed(1, 7)),
        question: "有货吗?".into(),
        asked_at: Some(to_proto(at(0))),
    }
    .into()
}

fn answered() -> Event {
    EnquiryAnswered {
        enquiry_id: "q-1".into(),
        answer: "有".into(),
        answered_by: "李销售".into(),
        answered_at: Some(to_proto(at(1))),
    }
    .into()
}

#[test]
fn a_question_is_recorded_once_whatever_nonce_seals_it() {
    given::<Enquiry>([]).when(|it| it.record(&question(), when(0))).then([recorded()]).repeated();
    let again = Question { customer: sealed(2, 7), ..question() };
    given::<Enquiry>([recorded()]).when(|it| it.record(&again, when(9))).then_nothing();
    given::<Enquiry>([recorded(), answered()]).when(|it| it.record(&again, when(9))).then_nothing();
}

#[test]
fn another_question_under_the_same_id_is_refused_with_the_field() {
    for (other, field) in [
        (Question { platform: String::new(), ..question() }, "platform"),
        (Question { kind: EnquiryKind::Service, ..question() }, "kind"),
        (Question { customer: sealed(1, 8), ..question() }, "customer"),
        (Question { text: "多少钱?".into(), ..question() }, "question"),
    ] {
        given::<Enquiry>([recorded()])
            .when(|it| it.record(&other, when(0)))
            .then_refused(Differs { field }.into());
    }
}

#[test]
fn a_repeat_may_leave_the_time_out_but_not_name_another() {
    let named = |second| When { now: at(900), at: Some(at(second)) };
    let told = || given::<Enquiry>([recorded(), answered()]);
    told().when(|it| it.record(&question(), named(0))).then_nothing();
    told().when(|it| it.answer("有", "李销售", named(1))).then_nothing();
    told().when(|it| it.record(&question(), named(1))).then_refused(Differs { field: "at" }.into());
    told()
        .when(|it| it.answer("有", "李销售", named(2)))
        .then_refused(Differs { field: "at" }.into());
}

#[test]
fn a_question_has_one_answer() {
    given::<Enquiry>([recorded()])
        .when(|it| it.answer("有", "李销售", when(1)))
        .then([answered()])
        .repeated();
    given::<Enquiry>([recorded(), answered()])
        .when(|it| it.answer("没有", "李销售", when(1)))
        .then_refused(Differs { field: "answer" }.into());
    given::<Enquiry>([])
        .when(|it| it.answer("有", "李销售", when(1)))
        .then_refused(Rejection::NotFound);
}

#[test]
fn the_row_shows_question_and_answer_and_changes_its_keys() {
    let mut row = contracts::ordering::Enquiry::default();
    Enquiry::apply(&mut row, &recorded(), &EventMetadata::default(), 1);
    let before = Enquiry::keys(&row);
    Enquiry::apply(&mut row, &answered(), &EventMetadata::default(), 2);
    assert_eq!((row.question.as_str(), row.answer.as_str()), ("有货吗?", "有"));
    assert_eq!(row.sealed_customer, Some(sealed(1, 7)));
    let from = listing(Some("mall"), true).from;
    assert!(before.iter().any(|key| key.value.starts_with(&from)));
    assert!(!Enquiry::keys(&row).iter().any(|key| key.value.starts_with(&from)));
}
