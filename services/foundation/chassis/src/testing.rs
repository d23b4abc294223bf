//! For tests of gRPC services that call the handlers directly: requests as the door lets them in, and
//! what is said in the status of one that was refused.

use std::sync::Arc;

use contracts::common::Role;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

use crate::{Call, Caller};

/// A request by an e-mall platform.
pub fn by_platform<T>(platform: &str, message: T) -> Request<T> {
    by(&format!("{platform}-key"), Some(platform), Role::Platform, message)
}

/// A request by one of ours.
pub fn by_us<T>(name: &str, role: Role, message: T) -> Request<T> {
    by(name, None, role, message)
}

fn by<T>(name: &str, platform: Option<&str>, role: Role, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(call(name, platform, role));
    request
}

/// What the door has found out about a caller.
#[must_use]
pub fn call(name: &str, platform: Option<&str>, role: Role) -> Arc<Call> {
    Arc::new(Call {
        caller: Caller {
            name: name.into(),
            platform: platform.map(str::to_owned),
            roles: [role].into(),
        },
        request_id: "request".into(),
        traceparent: "".into(),
    })
}

/// The reason of a refusal; empty when it gives none.
#[must_use]
pub fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

/// The fields that are wrong, sorted.
///
/// # Panics
/// The request was not malformed.
#[must_use]
#[allow(clippy::expect_used, reason = "an assertion of the test harness")]
pub fn fields(status: &Status) -> Vec<String> {
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let request = status.get_details_bad_request().expect("a malformed request names its fields");
    let violations = request.field_violations.into_iter();
    let mut fields: Vec<_> = violations.map(|violation| violation.field).collect();
    fields.sort();
    fields
}

/// Cells of one line of [`csv`](crate::csv), read as RFC 4180 says.
///
/// # Panics
/// A quotation mark is open at its end.
#[must_use]
pub fn csv_cells(line: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            other => cell.push(other),
        }
    }
    assert!(!quoted, "{line}");
    cells.push(cell);
    cells
}
