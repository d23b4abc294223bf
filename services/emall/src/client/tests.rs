use std::{collections::HashMap, time::Duration};

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use super::{CallError, Keys, give_up, variables, worth_another_try};

fn exhausted(retry: Option<Duration>) -> Status {
    let mut details = ErrorDetails::with_error_info("TOO_FAST", "emall", HashMap::new());
    if retry.is_some() {
        details.set_retry_info(retry);
    }
    Status::with_error_details(Code::ResourceExhausted, "slow down", details)
}

#[test]
fn a_limit_is_waited_out_for_as_long_as_the_service_asks() {
    let asked = Duration::from_millis(250);
    assert_eq!(worth_another_try(&exhausted(Some(asked))), Some(Some(asked)));
    assert_eq!(worth_another_try(&exhausted(None)), None, "no waiting makes a message smaller");
}

#[test]
fn what_is_broken_is_tried_again_and_what_is_refused_is_not() {
    assert_eq!(worth_another_try(&Status::unavailable("")), Some(None));
    assert_eq!(worth_another_try(&Status::aborted("")), Some(None));
    let mut torn = Status::unknown("transport error");
    torn.set_source(std::sync::Arc::new(std::io::Error::other("connection reset")));
    assert_eq!(worth_another_try(&torn), Some(None));
    assert_eq!(worth_another_try(&Status::unknown("")), None);
    assert_eq!(worth_another_try(&Status::failed_precondition("")), None);
}

#[test]
fn every_violation_of_a_malformed_order_is_a_refusal_with_its_field() {
    let mut details = ErrorDetails::with_error_info("MALFORMED", "emall", HashMap::new());
    details.add_bad_request_violation("buyer.buyer_id", "is missing");
    details.add_bad_request_violation("lines[0].quantity", "is 0");
    let status = Status::with_error_details(Code::InvalidArgument, "no", details);
    let CallError::Refused(refusals) = give_up(status) else { panic!("it was refused") };
    let told: Vec<_> =
        refusals.iter().map(|one| (one.reason.as_str(), one.field.as_str())).collect();
    assert_eq!(told, [("MALFORMED", "buyer.buyer_id"), ("MALFORMED", "lines[0].quantity")]);
}

#[test]
fn a_refusal_without_details_still_has_a_reason() {
    let CallError::Refused(refusals) = give_up(Status::not_found("no such order")) else {
        panic!("it was refused")
    };
    assert_eq!((refusals[0].reason.as_str(), refusals[0].field.as_str()), ("NotFound", ""));
}

#[test]
fn keys_come_from_a_file_of_variables() {
    let text =
        "# demo keys\nEMALL_KEY_PLATFORM = a\nEMALL_KEY_OPERATOR=b=\n\nEMALL_KEY_FINANCE=c\n";
    assert_eq!(variables(text).get("EMALL_KEY_OPERATOR"), Some(&"b="));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keys.env");
    let Err(missing) = Keys::find(None, &file) else { panic!("there is no file") };
    assert!(missing.to_string().contains("emall up"), "{missing}");
    std::fs::write(&file, text).unwrap();
    assert!(Keys::find(None, &file).is_ok());
    std::fs::write(&file, "EMALL_KEY_PLATFORM=a\n").unwrap();
    let Err(missing) = Keys::find(None, &file) else { panic!("keys are missing") };
    assert!(missing.to_string().contains("EMALL_KEY_OPERATOR"), "{missing}");
}
