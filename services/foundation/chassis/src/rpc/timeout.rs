//! Deadlines: the caller's `grpc-timeout` bounds the whole call, streams included; where there is
//! none, our own time-out bounds the wait for the first of the answer.

use std::{pin::Pin, time::Duration};

use http::HeaderMap;
use tokio::time::{Instant, Sleep, sleep};
use tonic::Status;

use crate::{errors, parse::Violations};

/// The time that a call has.
#[derive(Debug)]
pub(super) struct Deadline {
    pub(super) sleep: Pin<Box<Sleep>>,
    /// The caller set it: it holds until the end of the answer.
    pub(super) of_caller: bool,
}

impl Deadline {
    pub(super) fn of(headers: &HeaderMap, first_answer_within: Duration) -> Result<Self, Status> {
        let given = match headers.get("grpc-timeout") {
            None => None,
            Some(value) => Some(parse(value.as_bytes()).ok_or_else(|| {
                Violations::one("grpc-timeout", "is no time-out of the gRPC protocol")
            })?),
        };
        let sleep = Box::pin(sleep(given.unwrap_or(first_answer_within)));
        Ok(Self { sleep, of_caller: given.is_some() })
    }

    /// The caller's time is up, whether or not anybody waited for it.
    pub(super) fn has_passed(&self) -> bool {
        self.of_caller && self.sleep.deadline() <= Instant::now()
    }

    pub(super) fn exceeded(&self) -> Status {
        if self.of_caller {
            errors::too_late("DEADLINE", "the caller's deadline has passed")
        } else {
            errors::too_late("SERVER_TIMEOUT", "the answer took too long")
        }
    }
}

/// Up to eight digits and a unit: `250m`.
fn parse(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    if !(1..=8).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let amount = digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    Some(match unit {
        b'H' => Duration::from_secs(amount * 3600),
        b'M' => Duration::from_secs(amount * 60),
        b'S' => Duration::from_secs(amount),
        b'm' => Duration::from_millis(amount),
        b'u' => Duration::from_micros(amount),
        b'n' => Duration::from_nanos(amount),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_outs_of_the_protocol_are_read() {
        assert_eq!(parse(b"1H"), Some(Duration::from_secs(3600)));
        assert_eq!(parse(b"250m"), Some(Duration::from_millis(250)));
        assert_eq!(parse(b"99999999u"), Some(Duration::from_micros(99_999_999)));
    }

    #[test]
    fn nonsense_is_no_time_out() {
        for wrong in ["", "m", "1", "-1m", "1x", "123456789m", "1 m", "1.5S", "\u{e9}m"] {
            assert_eq!(parse(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
