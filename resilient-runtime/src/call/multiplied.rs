//! Retries inside retries: two calls through different breakers that both retry one failure.
//!
//! A call that fails in spite of its retries leaves its name. The call around it finds the name if it
//! retries in the same poll, that failure or another one. Nothing of this is on the path of a success.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::enclosing::{self, Frame};
use crate::CircuitBreaker;
use crate::event::{self, Subject};

/// How many pairs of functions are reported in the life of the program. Names of policies may be
/// made at run time.
const MOST_PAIRS: usize = 256;

thread_local! {
    /// The function that was retried, while [`enclosing`] knows that there is one. It is not kept
    /// there, since a thread-local with a destructor is slower.
    static INNER: RefCell<String> = const { RefCell::new(String::new()) };
}

/// The pairs that have been reported: the outer function, and the inner one.
static REPORTED: Mutex<BTreeSet<(String, String)>> = Mutex::new(BTreeSet::new());

/// Records that a call of this function has failed in spite of its retries.
pub(crate) fn record(inner: &str, breaker: Option<&CircuitBreaker>, maybe_executed: bool) {
    if enclosing::record_retried(breaker, maybe_executed) {
        INNER.with_borrow_mut(|name| inner.clone_into(name));
    }
}

/// Takes the name of the function that failed in spite of its retries inside the call of this frame,
/// whose poll has just ended.
pub(crate) fn take(outer: Frame) -> Option<String> {
    enclosing::take_retried(outer).then(|| INNER.take())
}

/// Reports, once for each pair, that the retries of the outer call multiply those of a call of `inner`.
pub(crate) fn report(outer: Subject<'_>, inner: &str) {
    // The set is never half changed, so it is valid after a panic. The event is emitted once the lock
    // is released.
    let is_new = {
        let mut reported = REPORTED.lock().unwrap_or_else(PoisonError::into_inner);
        remember(&mut reported, outer.function, inner)
    };
    if is_new {
        event::multiplied(outer, inner);
    }
}

/// Remembers a pair. Returns whether it is to be reported.
fn remember(reported: &mut BTreeSet<(String, String)>, outer: &str, inner: &str) -> bool {
    reported.len() < MOST_PAIRS && reported.insert((outer.to_owned(), inner.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pair_is_reported_once_and_there_is_an_end_to_them() {
        let mut reported = BTreeSet::new();
        assert!(remember(&mut reported, "outer", "inner"));
        assert!(!remember(&mut reported, "outer", "inner"));
        assert!(remember(&mut reported, "inner", "outer"));
        let more =
            (0..2 * MOST_PAIRS).filter(|it| remember(&mut reported, "outer", &it.to_string()));
        assert_eq!(more.count(), MOST_PAIRS - 2);
        assert_eq!(reported.len(), MOST_PAIRS);
    }
}
