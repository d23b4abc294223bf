//! Telling a repeat from another command under the same id.
//!
//! Fields are compared one after the other; the first that differs is named. A time that the caller
//! leaves out means now, which is another moment at each repeat: it is not compared.

use chassis::When;
use contracts::common::Money as ProtoMoney;
use contracts::ordering::LineQuantity;
use decider::{Decision, unchanged};
use eventlog::time::from_proto;
use jiff::Timestamp;

use super::{Difference, Event, Rejection};

/// Longest text shown of a field that differs.
const SHOWN: usize = 80;

/// The comparison so far.
pub(super) struct Repeat(Option<Box<Difference>>);

impl Repeat {
    pub(super) fn new() -> Self {
        Self(None)
    }

    /// Compares a field.
    pub(super) fn same<T: Shown + PartialEq + ?Sized>(
        self,
        field: &str,
        recorded: &T,
        received: &T,
    ) -> Self {
        self.same_at(|| field.to_owned(), recorded, received)
    }

    /// Compares a field whose name has to be put together.
    pub(super) fn same_at<T: Shown + PartialEq + ?Sized>(
        mut self,
        field: impl FnOnce() -> String,
        recorded: &T,
        received: &T,
    ) -> Self {
        if self.0.is_none() && recorded != received {
            self.0 = Some(Box::new(Difference {
                field: field(),
                recorded: recorded.shown(),
                received: received.shown(),
            }));
        }
        self
    }

    /// Compares a field that nobody may read.
    pub(super) fn same_unshown(mut self, field: &str, equal: bool) -> Self {
        if self.0.is_none() && !equal {
            self.0 = Some(Box::new(Difference {
                field: field.to_owned(),
                recorded: String::new(),
                received: String::new(),
            }));
        }
        self
    }

    /// Compares a field that the caller may leave to us: left out, it is what we made of it.
    pub(super) fn same_if_given<T: Shown + PartialEq>(
        self,
        field: &str,
        recorded: &T,
        received: Option<&T>,
    ) -> Self {
        match received {
            Some(received) => self.same(field, recorded, received),
            None => self,
        }
    }

    /// Compares the time of the fact.
    pub(super) fn at(self, field: &str, recorded: Timestamp, when: &When) -> Self {
        self.same_if_given(field, &recorded, when.at.as_ref())
    }

    /// Compares units of lines.
    pub(super) fn lines(
        mut self,
        field: &str,
        recorded: &[LineQuantity],
        received: &[LineQuantity],
    ) -> Self {
        self = self.same(field, &recorded.len(), &received.len());
        for (index, (recorded, received)) in recorded.iter().zip(received).enumerate() {
            self = self
                .same_at(
                    || format!("{field}[{index}].line_no"),
                    &recorded.line_no,
                    &received.line_no,
                )
                .same_at(
                    || format!("{field}[{index}].quantity"),
                    &recorded.quantity,
                    &received.quantity,
                );
        }
        self
    }

    /// Nothing to do, or the difference.
    pub(super) fn answer(self) -> Decision<Event, Rejection> {
        match self.0 {
            None => unchanged(),
            Some(difference) => Err(Rejection::DifferentContent(difference)),
        }
    }
}

/// How a value looks in the answer that names it.
pub(super) trait Shown {
    fn shown(&self) -> String;
}

impl Shown for str {
    fn shown(&self) -> String {
        match self.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{:?}…", &self[..end]),
            None => format!("{self:?}"),
        }
    }
}

impl Shown for String {
    fn shown(&self) -> String {
        self.as_str().shown()
    }
}

impl<T: Shown> Shown for Option<T> {
    fn shown(&self) -> String {
        self.as_ref().map_or_else(|| "none".to_owned(), Shown::shown)
    }
}

impl Shown for prost_types::Timestamp {
    fn shown(&self) -> String {
        from_proto(self).map_or_else(|| "no moment".to_owned(), |at| at.to_string())
    }
}

impl Shown for ProtoMoney {
    fn shown(&self) -> String {
        format!("{} {}", self.minor_units, self.currency)
    }
}

macro_rules! shown_as_it_prints {
    ($($of:ty),*) => {
        $(impl Shown for $of {
            fn shown(&self) -> String {
                self.to_string()
            }
        })*
    };
}

shown_as_it_prints!(u32, i64, usize, bool, Timestamp, super::Money);
