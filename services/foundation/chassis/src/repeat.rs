//! Telling a repeat from another command under the same id: fields are compared one after the other,
//! and the first that differs is named.
//!
//! A time that the caller leaves out means now, which is another moment at each repeat: it is not
//! compared. One that is given is.

use eventlog::time::to_proto;
use prost_types::Timestamp;

use crate::When;

/// The id was used before, with another content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it was said before with another {field}")]
pub struct Differs {
    /// The first field that differs.
    pub field: &'static str,
}

/// A repeat must say the same as the first time.
///
/// # Errors
/// It does not.
pub fn same<T: PartialEq + ?Sized>(
    field: &'static str,
    before: &T,
    now: &T,
) -> Result<(), Differs> {
    if before == now { Ok(()) } else { Err(Differs { field }) }
}

/// The time of a repeat, in the field `at`, if the caller names one, must be that of the first time.
///
/// # Errors
/// It is another one.
pub fn same_time(before: Option<&Timestamp>, when: When) -> Result<(), Differs> {
    match when.at {
        Some(at) => same("at", &before, &Some(&to_proto(at))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp as Moment;

    use super::*;

    #[test]
    fn the_field_that_differs_is_named() {
        assert_eq!(same("reason", "late", "late"), Ok(()));
        let differs = same("reason", "late", "broken").unwrap_err();
        assert_eq!(differs.to_string(), "it was said before with another reason");
    }

    #[test]
    fn a_time_that_the_caller_leaves_out_is_not_compared() {
        let at = |second| Moment::from_second(second).unwrap();
        let before = Some(to_proto(at(7)));
        assert_eq!(same_time(before.as_ref(), When::now(at(900))), Ok(()));
        let named = |second| When { now: at(900), at: Some(at(second)) };
        assert_eq!(same_time(before.as_ref(), named(7)), Ok(()));
        assert_eq!(same_time(before.as_ref(), named(8)), Err(Differs { field: "at" }));
    }
}
