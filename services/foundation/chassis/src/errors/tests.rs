use tonic_types::StatusExt;

use super::*;

#[derive(Debug, thiserror::Error)]
#[error("outer")]
struct Outer(#[source] std::io::Error);

#[test]
fn a_malformed_request_is_told_everything_at_once() {
    let mut fields = crate::Fields::new();
    fields.refuse("a", "is wrong");
    fields.refuse("b", "is missing");
    let status = Status::from(fields.finish(()).unwrap_err());
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(status.message(), "a: is wrong (and 1 more)");
    let bad = status.get_details_bad_request().unwrap();
    let fields: Vec<_> = bad.field_violations.iter().map(|one| one.field.as_str()).collect();
    assert_eq!(fields, ["a", "b"]);
    assert_eq!(status.get_details_error_info().unwrap().reason, "MALFORMED");
}

#[test]
fn a_refusal_carries_its_reason_its_context_and_its_facts() {
    let status = Refusal::not_now("ALREADY_SHIPPED", "the order is on its way")
        .with("shipment", 7)
        .status("ordering");
    assert_eq!(status.code(), Code::FailedPrecondition);
    let info = status.get_details_error_info().unwrap();
    assert_eq!((info.reason.as_str(), info.domain.as_str()), ("ALREADY_SHIPPED", "emall.ordering"));
    assert_eq!(info.metadata.get("shipment").map(String::as_str), Some("7"));
    assert_eq!(Refusal::not_found("X", "").status("a").code(), Code::NotFound);
    assert_eq!(Refusal::exists("X", "").status("a").code(), Code::AlreadyExists);
    assert_eq!(Refusal::not_allowed("X", "").status("a").code(), Code::PermissionDenied);
}

#[test]
fn what_happened_to_a_command_has_its_code() {
    let refusal = |reason: &'static str| Refusal::not_now(reason, "no");
    let of = |error| transact::<&'static str>(error, "ordering", refusal);
    assert_eq!(of(TransactError::Refused("X")).code(), Code::FailedPrecondition);
    let conflict = of(TransactError::Conflict);
    assert_eq!(conflict.code(), Code::Aborted);
    assert!(conflict.get_details_retry_info().is_some());
    let closed = of(TransactError::Broken(LogError::Closed));
    assert_eq!(closed.code(), Code::Unavailable);
    assert!(closed.get_details_retry_info().is_some());
    let damaged = of(TransactError::Broken(LogError::Corrupt("row".to_owned())));
    assert_eq!(damaged.code(), Code::Internal);
    assert_eq!(log(LogError::PageToken).code(), Code::InvalidArgument);
}

#[test]
fn the_cause_of_a_fault_stays_inside_and_is_told_once() {
    let status = internal("the call met a fault of ours", Outer(std::io::Error::other("disk")));
    assert_eq!(status.message(), "the call met a fault of ours");
    assert!(chain(&status).ends_with(": outer: disk"), "{}", chain(&status));
    let response = status.into_http::<()>();
    assert!(
        response.headers().values().all(|value| !value.as_bytes().windows(4).any(|w| w == b"disk"))
    );
}
