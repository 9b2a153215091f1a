//! Retries inside retries: two calls through different breakers that both retry one failure.
//!
//! A call that fails in spite of its retries leaves its name. The call around it finds the name if it
//! retries in the same poll, that failure or another one. Nothing of this is on the path of a success.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::enclosing::{self, Frame};
use crate::CircuitBreaker;
use crate::event::{self, Event, EventCall, Place};

/// How many pairs of calls are reported in the life of the program. Names of policies may be
/// made at run time.
const MOST_PAIRS: usize = 256;

thread_local! {
    /// The call that was retried, while [`enclosing`] knows that there is one. It is not kept there,
    /// since a thread-local with a destructor is slower.
    static INNER: RefCell<Option<Retried>> = const { RefCell::new(None) };
}

/// The pairs that have been reported: the outer call, and the inner one.
static REPORTED: Mutex<BTreeSet<(Retried, Retried)>> = Mutex::new(BTreeSet::new());

/// An annotated function, a guarded call or a policy that retries.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Retried {
    function: String,
    /// It tells the guarded calls of one function apart.
    place: Option<Place>,
}

impl Retried {
    fn new(call: EventCall<'_>) -> Self {
        Self { function: call.function.to_owned(), place: call.place }
    }
}

/// Records that this call has failed in spite of its retries.
pub(crate) fn record(inner: EventCall<'_>, breaker: Option<&CircuitBreaker>, maybe_executed: bool) {
    if enclosing::record_retried(breaker, maybe_executed) {
        INNER.set(Some(Retried::new(inner)));
    }
}

/// Takes the call that failed in spite of its retries inside the call of this frame, whose poll has
/// just ended.
pub(crate) fn take(outer: Frame) -> Option<Retried> {
    if enclosing::take_retried(outer) { INNER.take() } else { None }
}

/// Reports, once for each pair, that the retries of the outer call may multiply those of the inner
/// one.
pub(crate) fn report(outer: EventCall<'_>, inner: &Retried) {
    // The set is never half changed, so it is valid after a panic. The event is emitted once the lock
    // is released.
    let is_new = {
        let mut reported = REPORTED.lock().unwrap_or_else(PoisonError::into_inner);
        remember(&mut reported, Retried::new(outer), inner.clone())
    };
    if is_new {
        event::emit(&Event::RetriesMultiply {
            call: outer,
            inner: &inner.function,
            inner_place: inner.place,
        });
    }
}

/// Remembers a pair. Returns whether it is to be reported.
fn remember(reported: &mut BTreeSet<(Retried, Retried)>, outer: Retried, inner: Retried) -> bool {
    reported.len() < MOST_PAIRS && reported.insert((outer, inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pair_is_reported_once_and_there_is_an_end_to_them() {
        let mut reported = BTreeSet::new();
        let at = |function: &str, line: Option<u32>| Retried {
            function: function.to_owned(),
            place: line.map(|line| Place { file: "src/lib.rs", line }),
        };
        let (outer, inner) = (at("outer", None), at("inner", None));
        assert!(remember(&mut reported, outer.clone(), inner.clone()));
        assert!(!remember(&mut reported, outer.clone(), inner.clone()));
        assert!(remember(&mut reported, inner, outer.clone()));
        let more = (0..512).filter(|line| {
            let inner = at("inner", Some(*line));
            remember(&mut reported, outer.clone(), inner)
        });
        assert_eq!(more.count(), MOST_PAIRS - 2);
        assert_eq!(reported.len(), MOST_PAIRS);
    }
}
