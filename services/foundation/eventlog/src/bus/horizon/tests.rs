use super::*;
use crate::bus::StreamOptions;

#[test]
fn no_stream_takes_a_question_for_an_event() {
    for context in ["ordering", "after-sales", "AFTERSALES", "sla"] {
        let subject = subject(context);
        assert!(!subject.starts_with("emall."), "{subject}");
        assert_eq!(subject, super::subject(&StreamOptions::of(context).name));
    }
    assert_eq!(subject("after-sales"), "emall-horizon.aftersales");
}

#[test]
fn an_answer_says_the_same_when_it_is_read() {
    for (position, at_us) in [(0, 0), (42, 1_767_323_045_678_901), (u64::MAX, -1)] {
        let payload = serde_json::to_vec(&Answer { position, at_us }).unwrap();
        let horizon = read(&payload).unwrap();
        assert_eq!((horizon.position, horizon.at.as_microsecond()), (position, at_us));
    }
}

#[test]
fn what_is_no_answer_is_not_taken_for_one() {
    let far = format!(r#"{{"position":1,"at_us":{}}}"#, i64::MAX);
    for payload in ["", "{}", r#"{"position":1}"#, r#"{"position":-1,"at_us":0}"#, &far] {
        assert_eq!(read(payload.as_bytes()), None, "{payload}");
    }
    // a later release may tell more
    assert!(read(br#"{"position":1,"at_us":2,"more":3}"#).is_some());
}
