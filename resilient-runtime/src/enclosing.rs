//! The calls that enclose what this thread is polling.
//!
//! A call that is made inside a call through the same breaker is part of it. So each poll of a call
//! is noted for as long as it lasts, in the thread that polls: whatever begins meanwhile is inside
//! that call, be it reached by a function, a boxed future, a trait object or `join!`. A spawned task
//! is polled by itself, and so is not.

use std::cell::Cell;
use std::ptr;

use crate::CircuitBreaker;

/// How many calls are noted beside the innermost. Calls that are nested deeper find the outer ones
/// all the same, so that a recursive function may be of any depth.
const ROOM: usize = 15;

thread_local! {
    static ENCLOSING: Enclosing = const {
        Enclosing {
            innermost: Cell::new(Frame::NONE),
            depth: Cell::new(0),
            outer: [const { Cell::new(Frame::NONE) }; ROOM],
        }
    };
}

/// The innermost call stands apart, because there is seldom another: that it is none is all that
/// most calls ask, and its place is all that they write.
struct Enclosing {
    innermost: Cell<Frame>,
    /// How many calls enclose the innermost. There may be more of them than there is room for.
    depth: Cell<usize>,
    outer: [Cell<Frame>; ROOM],
}

/// One call: the address of its breaker, which outlives the poll, and what becomes of its failures
/// in the lowest bits, which the alignment of a breaker leaves free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame(usize);

/// Which failures of a call its policy retries, as bits of its [`Frame`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retries(usize);

const _: () = assert!(align_of::<CircuitBreaker>() > Frame::MASK);

impl Retries {
    pub(crate) const NONE: Self = Self(Self::CALL);

    /// Is set in each frame, also in that of a call without a breaker.
    const CALL: usize = 0b001;
    const TRANSIENT: usize = 0b010;
    const MAYBE_EXECUTED: usize = 0b100;

    pub(crate) const fn transient(idempotent: bool) -> Self {
        let maybe_executed = if idempotent { Self::MAYBE_EXECUTED } else { 0 };
        Self(Self::CALL | Self::TRANSIENT | maybe_executed)
    }
}

impl Frame {
    /// There is no call.
    const NONE: Self = Self(0);

    const MASK: usize = Retries::CALL | Retries::TRANSIENT | Retries::MAYBE_EXECUTED;

    /// A call through this breaker. Without one, nothing is part of it.
    #[inline]
    pub(crate) fn new(breaker: Option<&CircuitBreaker>, retries: Retries) -> Self {
        Self(breaker.map_or(0, |breaker| ptr::from_ref(breaker).addr()) | retries.0)
    }

    fn is_of(self, breaker: &CircuitBreaker) -> bool {
        self.0 & !Self::MASK == ptr::from_ref(breaker).addr()
    }

    const fn retries(self, maybe_executed: bool) -> bool {
        let needed = if maybe_executed { Retries::MAYBE_EXECUTED } else { Retries::TRANSIENT };
        self.0 & needed != 0
    }
}

/// A poll of a call. It lasts until this is dropped, be it by a panic.
#[must_use]
pub(crate) struct Poll {
    enclosed_by: Frame,
}

/// Notes that a call is being polled.
#[inline]
pub(crate) fn enter(frame: Frame) -> Poll {
    ENCLOSING.with(|enclosing| {
        let enclosed_by = enclosing.innermost.replace(frame);
        if enclosed_by != Frame::NONE {
            enclosing.push(enclosed_by);
        }
        Poll { enclosed_by }
    })
}

impl Drop for Poll {
    #[inline]
    fn drop(&mut self) {
        ENCLOSING.with(|enclosing| {
            enclosing.innermost.set(self.enclosed_by);
            if self.enclosed_by != Frame::NONE {
                enclosing.depth.set(enclosing.depth.get() - 1);
            }
        });
    }
}

/// Whether this thread is polling a call.
#[inline]
pub(crate) fn is_any() -> bool {
    ENCLOSING.with(|enclosing| enclosing.innermost.get() != Frame::NONE)
}

/// Whether this thread is polling a call through this breaker.
pub(crate) fn contains(breaker: &CircuitBreaker) -> bool {
    ENCLOSING.with(|enclosing| enclosing.any(breaker, |_| true))
}

/// Whether this thread is polling a call through this breaker whose policy retries such a failure.
pub(crate) fn retries(breaker: &CircuitBreaker, maybe_executed: bool) -> bool {
    ENCLOSING.with(|enclosing| enclosing.any(breaker, |frame| frame.retries(maybe_executed)))
}

impl Enclosing {
    #[inline(never)]
    fn push(&self, frame: Frame) {
        let depth = self.depth.get();
        if let Some(place) = self.outer.get(depth) {
            place.set(frame);
        }
        self.depth.set(depth + 1);
    }

    #[inline(never)]
    fn any(&self, breaker: &CircuitBreaker, is: impl Fn(Frame) -> bool) -> bool {
        let outer = self.outer.iter().take(self.depth.get());
        let mut frames = outer.chain([&self.innermost]).map(Cell::get);
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
            let _outer = enter(Frame::new(Some(&outer), Retries::transient(false)));
            {
                let _inner = enter(Frame::new(Some(&inner), Retries::NONE));
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
            let _poll = enter(Frame::new(Some(&breaker), Retries::NONE));
            panic!("in the body");
        }));
        assert!(polling.is_err() && !contains(&breaker));
    }

    #[test]
    fn calls_may_be_nested_deeper_than_there_is_room() {
        let (outer, inner) = (CircuitBreaker::default(), CircuitBreaker::default());
        let _outer = enter(Frame::new(Some(&outer), Retries::NONE));
        let polls: Vec<_> =
            (0..10 * ROOM).map(|_| enter(Frame::new(Some(&inner), Retries::NONE))).collect();
        assert!(contains(&outer) && contains(&inner));
        polls.into_iter().rev().for_each(drop);
        assert!(contains(&outer) && !contains(&inner));
    }

    #[test]
    fn a_call_without_a_breaker_encloses_nothing() {
        let breaker = CircuitBreaker::default();
        let _poll = enter(Frame::new(None, Retries::transient(true)));
        assert!(!contains(&breaker));
    }
}
