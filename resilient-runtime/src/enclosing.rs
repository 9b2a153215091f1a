//! The calls that enclose what this thread is polling.
//!
//! A call that is made inside a call through the same breaker is part of it. So each poll of a call
//! is noted for as long as it lasts, in the thread that polls: whatever begins meanwhile is inside
//! that call, be it reached by a function, a boxed future, a trait object or `join!`. A spawned task
//! is polled by itself, and so is not.

use std::cell::Cell;
use std::ptr;

use crate::CircuitBreaker;

/// How many enclosing calls are noted. Calls that are nested deeper find the outer ones all the
/// same, so that a recursive function may be of any depth.
const ROOM: usize = 16;

thread_local! {
    static ENCLOSING: Enclosing = const {
        Enclosing { depth: Cell::new(0), frames: [const { Cell::new(Frame::NONE) }; ROOM] }
    };
}

struct Enclosing {
    depth: Cell<usize>,
    frames: [Cell<Frame>; ROOM],
}

/// One call: the address of its breaker, which outlives the poll, and what becomes of its failures
/// in the lowest bits, which the alignment of a breaker leaves free.
#[derive(Clone, Copy, Debug)]
pub struct Frame(usize);

const FLAGS: usize = Frame::RETRIES | Frame::IDEMPOTENT;

const _: () = assert!(align_of::<CircuitBreaker>() > FLAGS);

impl Frame {
    /// A call without a breaker, which nothing is part of.
    pub(crate) const NONE: Self = Self(0);

    const RETRIES: usize = 0b01;
    const IDEMPOTENT: usize = 0b10;

    /// A call that is never retried.
    #[inline]
    pub(crate) fn of(breaker: &CircuitBreaker) -> Self {
        Self(ptr::from_ref(breaker).addr())
    }

    /// The same call, if its policy retries, and if what may have been executed is retried too.
    #[inline]
    pub(crate) const fn retrying(self, retries: bool, idempotent: bool) -> Self {
        let retries = if retries { Self::RETRIES } else { 0 };
        let idempotent = if idempotent { Self::IDEMPOTENT } else { 0 };
        Self(self.0 | retries | idempotent)
    }

    const fn is_of(self, other: Self) -> bool {
        self.0 & !FLAGS == other.0 & !FLAGS
    }

    const fn retries(self, maybe_executed: bool) -> bool {
        self.0 & Self::RETRIES != 0 && (!maybe_executed || self.0 & Self::IDEMPOTENT != 0)
    }
}

/// A poll of a call. It lasts until this is dropped, be it by a panic.
#[must_use]
pub(crate) struct Poll {
    depth: usize,
}

/// Notes that a call is being polled.
#[inline]
pub(crate) fn enter(frame: Frame) -> Poll {
    ENCLOSING.with(|enclosing| {
        let depth = enclosing.depth.get();
        if frame.0 != 0 {
            if let Some(place) = enclosing.frames.get(depth) {
                place.set(frame);
            }
            enclosing.depth.set(depth + 1);
        }
        Poll { depth }
    })
}

impl Drop for Poll {
    #[inline]
    fn drop(&mut self) {
        ENCLOSING.with(|enclosing| enclosing.depth.set(self.depth));
    }
}

/// Whether this thread is polling a call through this breaker.
#[inline]
pub(crate) fn contains(breaker: &CircuitBreaker) -> bool {
    ENCLOSING.with(|enclosing| enclosing.depth.get() != 0 && enclosing.any(breaker, |_| true))
}

/// Whether this thread is polling a call through this breaker whose policy retries such a failure.
pub(crate) fn retries(breaker: &CircuitBreaker, maybe_executed: bool) -> bool {
    ENCLOSING.with(|enclosing| enclosing.any(breaker, |frame| frame.retries(maybe_executed)))
}

impl Enclosing {
    #[inline(never)]
    fn any(&self, breaker: &CircuitBreaker, is: impl Fn(Frame) -> bool) -> bool {
        let wanted = Frame::of(breaker);
        let frames = self.frames.iter().take(self.depth.get()).map(Cell::get);
        frames.into_iter().any(|frame| frame.is_of(wanted) && is(frame))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn a_call_is_enclosed_as_long_as_the_poll_lasts() {
        let (outer, inner) = (CircuitBreaker::default(), CircuitBreaker::default());
        {
            let _outer = enter(Frame::of(&outer).retrying(true, false));
            {
                let _inner = enter(Frame::of(&inner));
                assert!(contains(&outer) && contains(&inner));
                assert!(retries(&outer, false) && !retries(&outer, true));
                assert!(!retries(&inner, false));
            }
            assert!(contains(&outer) && !contains(&inner));
        }
        assert!(!contains(&outer));
    }

    #[test]
    fn a_panic_ends_a_poll() {
        let breaker = CircuitBreaker::default();
        let polling = catch_unwind(AssertUnwindSafe(|| {
            let _poll = enter(Frame::of(&breaker));
            panic!("in the body");
        }));
        assert!(polling.is_err() && !contains(&breaker));
    }

    #[test]
    fn calls_may_be_nested_deeper_than_there_is_room() {
        let (outer, inner) = (CircuitBreaker::default(), CircuitBreaker::default());
        let _outer = enter(Frame::of(&outer));
        let polls: Vec<_> = (0..10 * ROOM).map(|_| enter(Frame::of(&inner))).collect();
        assert!(contains(&outer) && contains(&inner));
        polls.into_iter().rev().for_each(drop);
        assert!(contains(&outer) && !contains(&inner));
    }

    #[test]
    fn a_call_without_a_breaker_encloses_nothing() {
        let breaker = CircuitBreaker::default();
        let _poll = enter(Frame::NONE);
        assert!(!contains(&breaker));
    }
}
