//! Between the log's microseconds, `jiff` and protobuf.

use jiff::Timestamp;

/// As protobuf carries it.
#[must_use]
pub fn to_proto(at: Timestamp) -> prost_types::Timestamp {
    let mut seconds = at.as_second();
    let mut nanos = at.subsec_nanosecond();
    if nanos < 0 {
        // protobuf counts the nanoseconds forward, also before 1970
        seconds -= 1;
        nanos += 1_000_000_000;
    }
    prost_types::Timestamp { seconds, nanos }
}

/// From protobuf; `None` when it is outside of what a timestamp can be.
#[must_use]
pub fn from_proto(at: &prost_types::Timestamp) -> Option<Timestamp> {
    (0..1_000_000_000).contains(&at.nanos).then_some(())?;
    let nanos = i128::from(at.seconds) * 1_000_000_000 + i128::from(at.nanos);
    Timestamp::from_nanosecond(nanos).ok()
}

/// From the log's microseconds.
pub(crate) fn micros_to_proto(micros: i64) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: micros.div_euclid(1_000_000),
        nanos: i32::try_from(micros.rem_euclid(1_000_000) * 1_000).unwrap_or(0),
    }
}
