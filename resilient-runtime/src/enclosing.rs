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

/// Which failures of a call its policy retries, as bits of its [`Frame`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retries(usize);

const _: () = assert!(align_of::<CircuitBreaker>() > Retries::MASK);

impl Retries {
    pub(crate) const NONE: Self = Self(0);

    const TRANSIENT: usize = 0b01;
    const MAYBE_EXECUTED: usize = 0b10;
    const MASK: usize = Self::TRANSIENT | Self::MAYBE_EXECUTED;

    pub(crate) const fn transient(idempotent: bool) -> Self {
        Self(if idempotent { Self::MASK } else { Self::TRANSIENT })
    }

    const fn include(self, maybe_executed: bool) -> bool {
        let needed = if maybe_executed { Self::MAYBE_EXECUTED } else { Self::TRANSIENT };
        self.0 & needed != 0
    }
}

impl Frame {
    /// A call without a breaker, which nothing is part of.
    pub(crate) const NONE: Self = Self(0);

    #[inline]
    pub(crate) fn new(breaker: &CircuitBreaker, retries: Retries) -> Self {
        Self(ptr::from_ref(breaker).addr() | retries.0)
    }

    fn is_of(self, breaker: &CircuitBreaker) -> bool {
        self.0 & !Retries::MASK == ptr::from_ref(breaker).addr()
    }

    const fn retries(self) -> Retries {
        Retries(self.0 & Retries::MASK)
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
    ENCLOSING
        .with(|enclosing| enclosing.any(breaker, |frame| frame.retries().include(maybe_executed)))
}

impl Enclosing {
    #[inline(never)]
    fn any(&self, breaker: &CircuitBreaker, is: impl Fn(Frame) -> bool) -> bool {
        let mut frames = self.frames.iter().take(self.depth.get()).map(Cell::get);
        frames.any(|frame| frame.is_of(breaker) && is(frame))
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
            let _outer = enter(Frame::new(&outer, Retries::transient(false)));
            {
                let _inner = enter(Frame::new(&inner, Retries::NONE));
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
            let _poll = enter(Frame::new(&breaker, Retries::NONE));
            panic!("in the body");
        }));
        assert!(polling.is_err() && !contains(&breaker));
    }

    #[test]
    fn calls_may_be_nested_deeper_than_there_is_room() {
        let (outer, inner) = (CircuitBreaker::default(), CircuitBreaker::default());
        let _outer = enter(Frame::new(&outer, Retries::NONE));
        let polls: Vec<_> =
            (0..10 * ROOM).map(|_| enter(Frame::new(&inner, Retries::NONE))).collect();
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
