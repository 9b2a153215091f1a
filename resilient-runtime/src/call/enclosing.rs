//! The calls that enclose the code that this thread is polling.
//!
//! A call made inside a call through the same breaker is part of it. So each poll of a call is
//! recorded while it lasts, in the thread that polls. Whatever begins meanwhile is inside that
//! call, whether a function, a boxed future, a trait object or `join!` leads to it. A spawned task
//! is polled by itself, so it is not inside.

use std::cell::Cell;
use std::{mem, ptr};

use tokio::time::Instant;

use crate::CircuitBreaker;

/// How many different calls are recorded besides the innermost. A recursive function is recorded
/// once, at any depth. If more functions than this call each other, only the outermost ones and the
/// innermost one are recorded.
const ROOM: usize = 15;

thread_local! {
    static ENCLOSING: Enclosing = const {
        Enclosing {
            innermost: Cell::new(Frame::NONE),
            depth: Cell::new(0),
            has_notes: Cell::new(false),
            ran_out: Cell::new(Frame::NONE),
            retried: Cell::new(Retried::Nothing),
            outer: [const { Cell::new(Frame::NONE) }; ROOM],
            deadline: Cell::new(None),
        }
    };
}

/// The innermost call is separate, because there is rarely another. Most calls only read that there
/// is none, and write nothing else.
struct Enclosing {
    innermost: Cell<Frame>,
    /// How many entries of `outer` are in use.
    depth: Cell<usize>,
    /// Whether there is something in `ran_out` or `retried`: each poll that ends reads only this.
    has_notes: Cell<bool>,
    /// The frame of a call of which a part was ended by its own deadline, until that call is told.
    ran_out: Cell<Frame>,
    /// See [`record_retried`].
    retried: Cell<Retried>,
    /// The calls that enclose the innermost, each once.
    outer: [Cell<Frame>; ROOM],
    /// When the request must be over that this thread is polling. Set only while there is a frame.
    deadline: Cell<Option<Instant>>,
}

/// One call: the address of its breaker, which outlives the poll. The lowest bits, which the
/// alignment of a breaker leaves free, hold which failures its policy retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame(usize);

/// Which failures of a call its policy retries, as bits of its [`Frame`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retries(usize);

/// Whether a call has failed in spite of its retries, inside a call that retries such failures too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Retried {
    Nothing,
    /// The poll of the outer call lasts.
    Inside(Frame),
    /// The poll of the outer call was the last poll of a call that ended. If the outer call settles
    /// an error now, the inner call's error may have led to it. Otherwise this stays until the next
    /// recorded poll ends, so only a call whose polls are recorded may ask.
    Left(Frame),
}

const _: () = assert!(align_of::<CircuitBreaker>() > Frame::MASK);

impl Retries {
    pub(crate) const NONE: Self = Self(Self::CALL);

    /// Set in every frame, even in that of a call without a breaker.
    const CALL: usize = 0b001;
    const TRANSIENT: usize = 0b010;
    const MAYBE_EXECUTED: usize = 0b100;

    pub(crate) const fn transient(idempotent: bool) -> Self {
        let maybe_executed = if idempotent { Self::MAYBE_EXECUTED } else { 0 };
        Self(Self::CALL | Self::TRANSIENT | maybe_executed)
    }

    /// How many bits [`bits`](Self::bits) has.
    pub(crate) const BITS: u32 = 3;

    #[expect(clippy::cast_possible_truncation, reason = "three bits are set at most")]
    pub(crate) const fn bits(self) -> u32 {
        self.0 as u32
    }

    /// The reverse of [`bits`](Self::bits), whatever is above them.
    #[inline]
    pub(crate) const fn from_bits(bits: u32) -> Self {
        Self(bits as usize & Frame::MASK)
    }

    /// Whether any failure is retried.
    #[inline]
    pub(crate) const fn is_any(self) -> bool {
        self.0 & Self::TRANSIENT != 0
    }
}

impl Frame {
    /// There is no call.
    const NONE: Self = Self(0);

    /// A request, which is no call. Nothing is part of it, and it retries nothing.
    const REQUEST: Self = Self(Retries::CALL);

    const MASK: usize = Retries::CALL | Retries::TRANSIENT | Retries::MAYBE_EXECUTED;

    /// A call through this breaker. Nothing is part of a call without a breaker.
    #[inline]
    pub(crate) fn new(breaker: Option<&CircuitBreaker>, retries: Retries) -> Self {
        Self(breaker.map_or(0, |breaker| ptr::from_ref(breaker).addr()) | retries.0)
    }

    fn is_of(self, breaker: &CircuitBreaker) -> bool {
        self.0 & !Self::MASK == ptr::from_ref(breaker).addr()
    }

    const fn is_of_same(self, other: Self) -> bool {
        self.0 & !Self::MASK == other.0 & !Self::MASK
    }

    const fn retries(self, maybe_executed: bool) -> bool {
        let needed = if maybe_executed { Retries::MAYBE_EXECUTED } else { Retries::TRANSIENT };
        self.0 & needed != 0
    }
}

/// A poll of a call. It lasts until this is dropped, even by a panic.
#[must_use]
pub(crate) struct Poll {
    enclosed_by: Frame,
    depth: usize,
}

/// Records that a part of the enclosing call through this breaker was ended by its own deadline.
pub(crate) fn record_ran_out(breaker: &CircuitBreaker) {
    let frame = Frame::new(Some(breaker), Retries::NONE);
    ENCLOSING.with(|enclosing| {
        enclosing.ran_out.set(frame);
        enclosing.has_notes.set(true);
    });
}

/// Records that a call has failed in spite of its retries, if a call encloses it that retries such
/// failures too. A call through the same breaker is not meant: only one of the two retries. Returns
/// whether there is one.
pub(crate) fn record_retried(breaker: Option<&CircuitBreaker>, maybe_executed: bool) -> bool {
    ENCLOSING.with(|enclosing| {
        let outer = enclosing.innermost_other(breaker, maybe_executed);
        if let Some(outer) = outer {
            enclosing.retried.set(Retried::Inside(outer));
            enclosing.has_notes.set(true);
        }
        outer.is_some()
    })
}

/// Returns whether a retried call failed inside the call of this frame, whose poll has just ended.
pub(crate) fn take_retried(outer: Frame) -> bool {
    ENCLOSING.with(|enclosing| {
        let is_it = enclosing.retried.get() == Retried::Left(outer);
        if is_it {
            enclosing.retried.set(Retried::Nothing);
        }
        is_it
    })
}

/// Records that a call is being polled.
#[inline]
pub(crate) fn enter(frame: Frame) -> Poll {
    ENCLOSING.with(|enclosing| {
        let enclosed_by = enclosing.innermost.replace(frame);
        let depth = if enclosed_by == Frame::NONE { 0 } else { enclosing.push(enclosed_by) };
        Poll { enclosed_by, depth }
    })
}

impl Poll {
    /// Ends the poll. If a part of the call was ended by its own deadline, this calls `tell`, which
    /// returns whether the call has taken note.
    #[inline]
    pub(crate) fn leave(self, tell: impl FnOnce() -> bool) {
        ENCLOSING.with(|enclosing| {
            if enclosing.has_notes.get() {
                enclosing.hand_over(&self, tell);
            }
            enclosing.leave(&self);
        });
        mem::forget(self);
    }
}

impl Drop for Poll {
    /// Ends a poll by a panic.
    fn drop(&mut self) {
        ENCLOSING.with(|enclosing| {
            enclosing.ran_out.set(Frame::NONE);
            enclosing.retried.set(Retried::Nothing);
            enclosing.leave(self);
        });
    }
}

/// Records while `poll` runs that a request is being polled that must be over by `deadline`, or
/// earlier if the request around it must be.
///
/// It has a frame as a call has, so that [`is_any`] is all that a call outside of requests asks.
pub(crate) fn enter_request<R>(deadline: Option<Instant>, poll: impl FnOnce() -> R) -> R {
    let outer = request_deadline();
    let earlier = match (outer, deadline) {
        (Some(outer), Some(deadline)) => Some(outer.min(deadline)),
        (outer, deadline) => outer.or(deadline),
    };
    ENCLOSING.with(|enclosing| enclosing.deadline.set(earlier));
    let _restore = Restore(outer);
    let polling = enter(Frame::REQUEST);
    let polled = poll();
    // No part of a call tells the request: it has no breaker.
    polling.leave(|| false);
    polled
}

/// Sets the deadline back to that of the outer request when it is dropped, even by a panic.
struct Restore(Option<Instant>);

impl Drop for Restore {
    fn drop(&mut self) {
        ENCLOSING.with(|enclosing| enclosing.deadline.set(self.0));
    }
}

/// When the request must be over that this thread is polling. `None` if there is none, or if it has
/// no deadline.
#[inline]
pub(crate) fn request_deadline() -> Option<Instant> {
    ENCLOSING.with(|enclosing| enclosing.deadline.get())
}

/// Whether this thread is polling a call or a request.
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
    #[inline]
    fn leave(&self, poll: &Poll) {
        self.innermost.set(poll.enclosed_by);
        if poll.enclosed_by != Frame::NONE {
            self.depth.set(poll.depth);
        }
    }

    #[cold]
    fn hand_over(&self, poll: &Poll, tell: impl FnOnce() -> bool) {
        let (frame, is_outermost) = (self.innermost.get(), poll.enclosed_by == Frame::NONE);
        let ran_out = self.ran_out.get();
        let is_told = ran_out != Frame::NONE && frame.is_of_same(ran_out) && tell();
        if is_told || is_outermost {
            self.ran_out.set(Frame::NONE);
        }
        self.retried.set(match self.retried.get() {
            Retried::Inside(outer) if outer == frame => Retried::Left(outer),
            Retried::Inside(outer) if !is_outermost => Retried::Inside(outer),
            _ => Retried::Nothing,
        });
        let is_empty = self.ran_out.get() == Frame::NONE && self.retried.get() == Retried::Nothing;
        self.has_notes.set(!is_empty);
    }

    /// Records a call that has been the innermost, unless it is already recorded. Returns how many
    /// were recorded before.
    #[inline(never)]
    fn push(&self, frame: Frame) -> usize {
        let depth = self.depth.get();
        let is_recorded = self.outer[..depth].iter().any(|recorded| recorded.get() == frame);
        if let Some(place) = self.outer.get(depth)
            && !is_recorded
        {
            place.set(frame);
            self.depth.set(depth + 1);
        }
        depth
    }

    /// Returns the innermost call through another breaker, or through none, that retries such
    /// failures.
    fn innermost_other(
        &self,
        breaker: Option<&CircuitBreaker>,
        maybe_executed: bool,
    ) -> Option<Frame> {
        let outer = self.outer.iter().take(self.depth.get());
        let mut frames = outer.chain([&self.innermost]).map(Cell::get).rev();
        frames.find(|frame| {
            frame.retries(maybe_executed) && !breaker.is_some_and(|own| frame.is_of(own))
        })
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
    use std::time::Duration;

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
    fn a_recursion_of_any_depth_is_recorded_once() {
        let (outer, inner) = (CircuitBreaker::default(), CircuitBreaker::default());
        let other = CircuitBreaker::default();
        let enter = |breaker| enter(Frame::new(Some(breaker), Retries::NONE));
        let mut polls = vec![enter(&outer)];
        polls.extend((0..10 * ROOM).flat_map(|_| [enter(&inner), enter(&other)]));
        assert!(contains(&outer) && contains(&inner) && contains(&other));
        while polls.len() > 1 {
            drop(polls.pop());
        }
        assert!(contains(&outer) && !contains(&inner) && !contains(&other));
        drop(polls);
        assert!(!is_any());
    }

    #[test]
    fn of_more_calls_than_there_is_room_the_outer_ones_are_recorded() {
        let breakers: Vec<_> = (0..2 * ROOM).map(|_| CircuitBreaker::default()).collect();
        let enter = |breaker| enter(Frame::new(Some(breaker), Retries::NONE));
        let mut polls: Vec<_> = breakers.iter().map(enter).collect();
        assert!(breakers[..ROOM].iter().all(contains) && contains(breakers.last().unwrap()));
        while polls.pop().is_some() {}
        assert!(!is_any() && !breakers.iter().any(contains));
    }

    #[test]
    fn of_requests_inside_requests_the_earliest_deadline_holds() {
        let soon = Instant::now() + Duration::from_secs(1);
        let late = soon + Duration::from_secs(1);
        let inner = |deadline| enter_request(deadline, request_deadline);
        enter_request(Some(soon), || {
            assert_eq!([inner(None), inner(Some(late))], [Some(soon); 2]);
            assert_eq!(request_deadline(), Some(soon));
        });
        enter_request(Some(late), || {
            assert_eq!(inner(Some(soon)), Some(soon));
            assert_eq!(request_deadline(), Some(late));
        });
        assert!(!is_any() && request_deadline().is_none());
    }

    #[test]
    fn a_panic_ends_a_request() {
        let deadline = Some(Instant::now());
        let polling = catch_unwind(|| enter_request(deadline, || panic!("in a handler")));
        assert!(polling.is_err() && !is_any() && request_deadline().is_none());
    }

    #[test]
    fn a_call_without_a_breaker_encloses_nothing() {
        let breaker = CircuitBreaker::default();
        let _poll = enter(Frame::new(None, Retries::transient(true)));
        assert!(!contains(&breaker));
    }
}
