//! Pure decisions over event-sourced state.
//!
//! ```text
//! history ──fold──▶ state ──decide(command)──▶ events | nothing | rejection
//! ```
//!
//! The one invariant: nothing in this crate, and nothing that implements its trait, reads a clock,
//! makes an id or does I/O. Both come in with the command.

pub mod scenario;

/// A thing with a history. Its state is whatever its decisions need to read, and nothing else.
pub trait Aggregate: Default {
    /// One fact of the history: the generated `oneof` itself.
    type Event;

    /// Takes one fact in. History already happened: no rule, no error, no clock here.
    #[must_use]
    fn evolve(self, event: &Self::Event) -> Self;
}

/// What a command does to an aggregate: the events to record, or why not.
///
/// An empty list says that there is nothing to do because it has been done: a repeat.
pub type Decision<E, R> = Result<Vec<E>, R>;

/// The command happens, as one fact.
///
/// # Errors
/// Never: the type is that of a decision.
pub fn emit<E, R>(event: impl Into<E>) -> Decision<E, R> {
    Ok(vec![event.into()])
}

/// The command happens, as several facts in this order.
///
/// # Errors
/// Never: the type is that of a decision.
pub fn emit_all<E, R>(events: impl IntoIterator<Item = E>) -> Decision<E, R> {
    Ok(events.into_iter().collect())
}

/// The command has happened before: nothing to record, and no error.
///
/// # Errors
/// Never: the type is that of a decision.
pub fn unchanged<E, R>() -> Decision<E, R> {
    Ok(Vec::new())
}

/// The state that a history leads to.
pub fn fold<'a, A>(history: impl IntoIterator<Item = &'a A::Event>) -> A
where
    A: Aggregate,
    A::Event: 'a,
{
    history.into_iter().fold(A::default(), Aggregate::evolve)
}
