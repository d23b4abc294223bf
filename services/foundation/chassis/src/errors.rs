//! The three kinds of error, as gRPC statuses with details.
//!
//! | kind | codes | details |
//! |---|---|---|
//! | malformed | `INVALID_ARGUMENT` | field violations, all at once |
//! | refused | `FAILED_PRECONDITION`, `NOT_FOUND`, `ALREADY_EXISTS` | the reason |
//! | broken | `UNAVAILABLE`, `ABORTED`, `INTERNAL` | when to try again, where it makes sense |
//!
//! Each carries `google.rpc.ErrorInfo`. A broken status keeps its cause as source; the server logs
//! the chain once and the caller never sees it.

use std::{collections::HashMap, error::Error, sync::Arc, time::Duration};

use eventlog::{LogError, TransactError};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::parse::Violations;

/// Domain of errors that the foundation makes.
const DOMAIN: &str = "emall";

/// How a refusal by the domain reads from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    kind: RefusalKind,
    reason: &'static str,
    message: String,
    metadata: HashMap<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RefusalKind {
    NotNow,
    NotFound,
    Exists,
    Invalid,
    NotAllowed,
}

impl Refusal {
    /// The state does not allow it: `FAILED_PRECONDITION`. The reason is `UPPER_SNAKE_CASE`.
    #[must_use]
    pub fn not_now(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(RefusalKind::NotNow, reason, message)
    }

    /// There is no such thing: `NOT_FOUND`.
    #[must_use]
    pub fn not_found(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(RefusalKind::NotFound, reason, message)
    }

    /// It is there already, and differs: `ALREADY_EXISTS`.
    #[must_use]
    pub fn exists(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(RefusalKind::Exists, reason, message)
    }

    /// Never, whatever the state: `INVALID_ARGUMENT`. The request names what cannot be.
    #[must_use]
    pub fn invalid(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(RefusalKind::Invalid, reason, message)
    }

    /// The caller may not do this: `PERMISSION_DENIED`.
    #[must_use]
    pub fn not_allowed(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(RefusalKind::NotAllowed, reason, message)
    }

    fn new(kind: RefusalKind, reason: &'static str, message: impl Into<String>) -> Self {
        Self { kind, reason, message: message.into(), metadata: HashMap::new() }
    }

    /// Adds a fact for the caller's program.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl ToString) -> Self {
        self.metadata.insert(key.to_owned(), value.to_string());
        self
    }

    /// The status, in the domain `emall.<context>`.
    #[must_use]
    pub fn status(self, context: &str) -> Status {
        let code = match self.kind {
            RefusalKind::NotNow => Code::FailedPrecondition,
            RefusalKind::NotFound => Code::NotFound,
            RefusalKind::Exists => Code::AlreadyExists,
            RefusalKind::Invalid => Code::InvalidArgument,
            RefusalKind::NotAllowed => Code::PermissionDenied,
        };
        let details = ErrorDetails::with_error_info(self.reason, domain(context), self.metadata);
        Status::with_error_details(code, self.message, details)
    }
}

/// The request cannot be understood: `INVALID_ARGUMENT` with every violation.
#[must_use]
pub fn malformed(violations: &Violations) -> Status {
    let mut details = ErrorDetails::with_error_info("MALFORMED", DOMAIN, HashMap::new());
    for violation in violations.iter() {
        details.add_bad_request_violation(&violation.field, &violation.description);
    }
    Status::with_error_details(Code::InvalidArgument, violations.to_string(), details)
}

impl From<Violations> for Status {
    fn from(violations: Violations) -> Self {
        malformed(&violations)
    }
}

/// What a command came to that did not happen.
///
/// A refusal is put into words by `refusal`; a lost race is `ABORTED`; for a broken log see [`log`].
pub fn transact<R>(
    error: TransactError<R>,
    context: &str,
    refusal: impl FnOnce(R) -> Refusal,
) -> Status {
    match error {
        TransactError::Refused(rejection) => refusal(rejection).status(context),
        TransactError::Conflict => aborted("others changed the same thing at the same time"),
        TransactError::Broken(error) => log(error),
    }
}

/// What the log could not do. A database that is away is `UNAVAILABLE`, and the command may be
/// repeated, because it carries the caller's own id; a damaged log is `INTERNAL`; what no log can
/// hold is the caller's to correct.
#[must_use]
pub fn log(error: LogError) -> Status {
    match error {
        LogError::PageToken => Violations::one("page_token", error.to_string()).into(),
        LogError::TooLarge { .. } | LogError::Invalid { .. } => {
            Violations::one("request", error.to_string()).into()
        }
        LogError::Database(_) | LogError::OutcomeUnknown | LogError::Closed => {
            unavailable("the log cannot be used now", error)
        }
        LogError::Damaged { .. } | LogError::Corrupt(_) | LogError::Gap { .. } => {
            internal("the log is damaged", error)
        }
    }
}

/// Somebody else was faster, repeatedly: `ABORTED`; worth another try.
#[must_use]
pub fn aborted(message: &str) -> Status {
    let mut details = ErrorDetails::with_error_info("CONFLICT", DOMAIN, HashMap::new());
    details.set_retry_info(Some(Duration::from_millis(50)));
    Status::with_error_details(Code::Aborted, message, details)
}

/// Something that we stand on is away: `UNAVAILABLE`; worth another try.
#[must_use]
pub fn unavailable(
    message: &str,
    source: impl Into<Box<dyn Error + Send + Sync + 'static>>,
) -> Status {
    let mut status = unavailable_for(message, Duration::from_secs(1));
    status.set_source(Arc::from(source.into()));
    status
}

/// `UNAVAILABLE`, with the time after which it is worth another try.
#[must_use]
pub fn unavailable_for(message: &str, retry_after: Duration) -> Status {
    let mut details = ErrorDetails::with_error_info("UNAVAILABLE", DOMAIN, HashMap::new());
    details.set_retry_info(Some(retry_after));
    Status::with_error_details(Code::Unavailable, message, details)
}

/// A fault of ours that no repeat will help: `INTERNAL`. The message is for the caller; what really
/// happened goes into the source, and from there into the log.
#[must_use]
pub fn internal(
    message: &str,
    source: impl Into<Box<dyn Error + Send + Sync + 'static>>,
) -> Status {
    let details = ErrorDetails::with_error_info("INTERNAL", DOMAIN, HashMap::new());
    let mut status = Status::with_error_details(Code::Internal, message, details);
    status.set_source(Arc::from(source.into()));
    status
}

/// A limit was reached: `RESOURCE_EXHAUSTED`, with the time after which it is worth another try, if
/// any.
#[must_use]
pub fn exhausted(reason: &'static str, message: &str, retry_after: Option<Duration>) -> Status {
    let mut details = ErrorDetails::with_error_info(reason, DOMAIN, HashMap::new());
    if retry_after.is_some() {
        details.set_retry_info(retry_after);
    }
    Status::with_error_details(Code::ResourceExhausted, message, details)
}

/// The time was up: `DEADLINE_EXCEEDED`.
#[must_use]
pub fn too_late(reason: &'static str, message: &str) -> Status {
    let details = ErrorDetails::with_error_info(reason, DOMAIN, HashMap::new());
    Status::with_error_details(Code::DeadlineExceeded, message, details)
}

/// Nobody vouches for the caller: `UNAUTHENTICATED`.
#[must_use]
pub fn unauthenticated(message: &str) -> Status {
    let details = ErrorDetails::with_error_info("UNAUTHENTICATED", DOMAIN, HashMap::new());
    Status::with_error_details(Code::Unauthenticated, message, details)
}

/// The caller is known and may not do this: `PERMISSION_DENIED`.
#[must_use]
pub fn forbidden(reason: &'static str, message: &str) -> Status {
    let details = ErrorDetails::with_error_info(reason, DOMAIN, HashMap::new());
    Status::with_error_details(Code::PermissionDenied, message, details)
}

/// There is no such method: `UNIMPLEMENTED`.
#[must_use]
pub fn unimplemented(message: &str) -> Status {
    let details = ErrorDetails::with_error_info("UNKNOWN_METHOD", DOMAIN, HashMap::new());
    Status::with_error_details(Code::Unimplemented, message, details)
}

/// An error and its sources, in one line: what a log shows once.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut next = error.source();
    while let Some(source) = next {
        line.push_str(": ");
        line.push_str(&source.to_string());
        next = source.source();
    }
    line
}

fn domain(context: &str) -> String {
    format!("{DOMAIN}.{context}")
}

#[cfg(test)]
mod tests;
