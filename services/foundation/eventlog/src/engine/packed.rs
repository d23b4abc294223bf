//! Many events in one value.
//!
//! sqlx hands SQLite's rows over one by one, and each column is copied twice on the way: for
//! 300,000 events a second that is too slow. So the database packs a page of events into one blob,
//! and here it is read without copying. One event:
//!
//! ```text
//! u64 number | u64 version                          (big-endian)
//! u32 stream | u32 type | u32 body | u32 metadata   (lengths in bytes)
//! stream | type | body | metadata
//! ```

use crate::{LogError, kinds::StreamEvent};

const HEADER: usize = 2 * 8 + 4 * 4;

/// The events of a page with their streams, in the order in which they were packed.
pub(crate) struct Packed<'a>(pub(crate) &'a [u8]);

/// A stream as a page has it with each of its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PackedStream<'a> {
    pub(crate) number: u64,
    pub(crate) name: &'a str,
}

impl<'a> Iterator for Packed<'a> {
    type Item = Result<(PackedStream<'a>, StreamEvent<'a>), LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let event = self.read();
        if event.is_none() {
            self.0 = &[]; // after damage there is nothing to go on with
        }
        Some(event.ok_or_else(|| LogError::Corrupt("a page of events".to_owned())))
    }
}

impl<'a> Packed<'a> {
    fn read(&mut self) -> Option<(PackedStream<'a>, StreamEvent<'a>)> {
        let (header, mut rest) = self.0.split_at_checked(HEADER)?;
        let (number, header) = header.split_at_checked(8)?;
        let (version, lengths) = header.split_at_checked(8)?;
        let mut parts = [&[][..]; 4];
        for (part, length) in parts.iter_mut().zip(lengths.chunks_exact(4)) {
            let length = u32::from_be_bytes(length.try_into().ok()?);
            (*part, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        }
        self.0 = rest;
        let [name, type_name, body, metadata] = parts;
        let stream = PackedStream {
            number: u64::from_be_bytes(number.try_into().ok()?),
            name: std::str::from_utf8(name).ok()?,
        };
        let event = StreamEvent {
            version: u64::from_be_bytes(version.try_into().ok()?),
            type_name: std::str::from_utf8(type_name).ok()?,
            body,
            metadata,
        };
        Some((stream, event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_read_back_and_damage_is_an_error() {
        let mut page = Vec::new();
        page.extend(9_u64.to_be_bytes());
        page.extend(7_u64.to_be_bytes());
        for length in [3_u32, 1, 2, 0] {
            page.extend(length.to_be_bytes());
        }
        page.extend(b"a.bTxy");
        let whole = [page.clone(), page.clone()].concat();
        let read: Vec<_> = Packed(&whole).map(Result::unwrap).collect();
        assert_eq!(read.len(), 2);
        let (stream, event) = read[1];
        assert_eq!(stream, PackedStream { number: 9, name: "a.b" });
        assert_eq!((event.version, event.type_name), (7, "T"));
        assert_eq!((event.body, event.metadata), (&b"xy"[..], &b""[..]));
        let cut: Vec<_> = Packed(&whole[..whole.len() - 1]).collect();
        assert!(cut[0].is_ok() && cut[1].is_err() && cut.len() == 2);
    }
}
