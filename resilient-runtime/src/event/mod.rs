//! Every event of the library: its type, the observers, and the events of `tracing`.
//!
//! No event carries the text of an error, which may contain an API key. None is emitted under a lock,
//! since an observer may call the library.

#[path = "event.rs"]
mod event_type;
mod give_up_reason;
mod kind;
mod observers;
mod place;
mod tracing;
mod transition_cause;

pub use self::event_type::{Event, EventCall};
pub use self::give_up_reason::GiveUpReason;
pub use self::kind::{EventKind, EventSet};
pub use self::observers::{Observation, Observer, Only, observe, only};
pub use self::place::Place;
pub use self::transition_cause::{CountedFailure, FailureSource, TransitionCause};

#[cfg(feature = "test-util")]
pub(crate) use self::observers::Audience;
pub(crate) use self::observers::tell;
pub(crate) use self::tracing::TARGET;

/// Emits an event: to the observers, and through `tracing`.
pub(crate) fn emit(event: &Event<'_>) {
    // First: they cannot panic into the call, and a subscriber of `tracing` can.
    tell(event);
    tracing::emit(event);
}
