//! The transitions of one breaker, published in the order in which they happened.
//!
//! A thread publishes a transition after it has moved the state word, so another thread can move
//! the word and publish first. But each transition begins a period, and periods are numbered: a
//! transition waits in a queue until all before it are published.
//!
//! The first thread to find the queue idle drains it, for the others too. No thread waits for
//! another: neither for a slow subscriber, nor for a thread that has moved the word and not yet
//! enqueued its transition. That thread then drains the rest.
//!
//! The queue has no limit. If an observer never returns, it grows by some hundred bytes with each
//! transition.

use std::collections::VecDeque;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::SystemTime;

use super::state::{PERIODS, Word};
use super::sync::{Mutex, const_unless_loom};
use super::transition_counts::TransitionCounts;
use crate::error::BreakerStatus;
use crate::event::TransitionCause;

/// One transition, between two periods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Transition {
    period: u32,
    pub(crate) from: BreakerStatus,
    pub(crate) to: BreakerStatus,
    pub(crate) cause: TransitionCause,
    /// When it happened, by the wall clock.
    pub(crate) at: SystemTime,
}

impl Transition {
    pub(super) fn between(from: Word, to: Word, cause: TransitionCause) -> Self {
        let (from, at) = (from.status(), SystemTime::now());
        Self { period: to.period(), from, to: to.status(), cause, at }
    }

    /// Whether there is an event. A reset of the program while the breaker is closed changes nothing
    /// that it would say.
    pub(super) fn is_event(&self) -> bool {
        self.from != self.to || matches!(self.cause, TransitionCause::Manual { by: Some(_) })
    }
}

/// The transitions that are not published yet.
pub(super) struct TransitionLog(Mutex<Queue>);

struct Queue {
    /// The period whose beginning is to be published next.
    next: u32,
    /// That transition and those after it, as far as they have been enqueued.
    waiting: VecDeque<Option<Arc<Transition>>>,
    /// The last one that was dequeued and is an event.
    last: Option<Arc<Transition>>,
    /// How many were enqueued. Boxed, since most breakers of a large set never change.
    counts: Option<Box<TransitionCounts>>,
    /// Whether a thread is draining the queue.
    is_draining: bool,
}

impl Queue {
    fn enqueue(&mut self, transition: Arc<Transition>) {
        // Here and not where it is dequeued: a slow observer delays no count.
        if transition.from != transition.to {
            self.counts.get_or_insert_default().count(transition.from, transition.to);
        }
        // Fewer than all periods lie between: they begin one by one, and each is enqueued once.
        let index = ((transition.period + PERIODS - self.next) % PERIODS) as usize;
        if self.waiting.len() <= index {
            self.waiting.resize(index + 1, None);
        }
        self.waiting[index] = Some(transition);
    }

    /// The next transition in order, if it has been enqueued.
    fn dequeue(&mut self) -> Option<Arc<Transition>> {
        let transition = self.waiting.front_mut()?.take()?;
        self.waiting.pop_front();
        self.next = (self.next + 1) % PERIODS;
        if transition.is_event() {
            self.last = Some(Arc::clone(&transition));
        }
        Some(transition)
    }
}

impl TransitionLog {
    const_unless_loom! {
        pub(super) const fn new() -> Self {
            Self(Mutex::new(Queue { next: 1, waiting: VecDeque::new(), last: None, counts: None, is_draining: false }))
        }
    }

    /// Publishes `transition`, and all that can follow it in order, by `emit`. If another thread
    /// is draining the queue, it publishes them instead.
    ///
    /// `emit` runs under no lock and may move the breaker: that transition is published once `emit`
    /// returns. If `emit` panics, all other transitions are still published. The panic then
    /// continues only if it came with this thread's own transition, and the thread is not
    /// unwinding already.
    pub(super) fn publish(&self, transition: Transition, emit: impl Fn(&Transition)) {
        let transition = Arc::new(transition);
        let is_draining = self.with(|queue| {
            queue.enqueue(Arc::clone(&transition));
            mem::replace(&mut queue.is_draining, true)
        });
        if is_draining {
            return;
        }
        let mut panic = None;
        while let Some(next) = self.with(|queue| {
            let next = queue.dequeue();
            queue.is_draining = next.is_some();
            next
        }) {
            let emitted = panic::catch_unwind(AssertUnwindSafe(|| emit(&next)));
            if Arc::ptr_eq(&next, &transition) {
                panic = emitted.err();
            } else if let Err(panic) = emitted {
                // The payload may panic when it is dropped.
                mem::forget(panic);
            }
        }
        match panic {
            Some(panic) if thread::panicking() => mem::forget(panic),
            Some(panic) => panic::resume_unwind(panic),
            None => {}
        }
    }

    /// Returns the last transition that was published and is an event.
    pub(super) fn last(&self) -> Option<Arc<Transition>> {
        self.with(|queue| queue.last.clone())
    }

    /// Returns how often the breaker has changed, by its status before and after. `None` if it never
    /// has.
    pub(super) fn counts(&self) -> Option<TransitionCounts> {
        self.with(|queue| queue.counts.as_deref().copied())
    }

    fn with<T>(&self, work: impl FnOnce(&mut Queue) -> T) -> T {
        // Nothing in here panics, so what a poisoned lock guards is whole.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn transition(period: u32) -> Transition {
        let cause = TransitionCause::OpenDurationOver;
        let (from, to) = (BreakerStatus::Closed, BreakerStatus::Open);
        Transition { period, from, to, cause, at: SystemTime::UNIX_EPOCH }
    }

    /// Publishes these in this order. Returns what is emitted.
    fn publish(log: &TransitionLog, periods: impl IntoIterator<Item = u32>) -> Vec<u32> {
        let emitted = RefCell::new(Vec::new());
        for period in periods {
            log.publish(transition(period), |transition| {
                emitted.borrow_mut().push(transition.period);
            });
        }
        emitted.into_inner()
    }

    #[test]
    fn transitions_are_published_in_the_order_of_their_periods() {
        let log = TransitionLog::new();
        assert!(publish(&log, [3, 2]).is_empty());
        assert_eq!(publish(&log, [1]), [1, 2, 3]);
        assert_eq!(publish(&log, [5, 4, 6]), [4, 5, 6]);
    }

    #[test]
    fn the_order_holds_when_the_periods_wrap() {
        let log = TransitionLog::new();
        log.with(|queue| queue.next = PERIODS - 1);
        assert_eq!(publish(&log, [1, 0, PERIODS - 1]), [PERIODS - 1, 0, 1]);
    }

    #[test]
    fn a_transition_made_while_one_is_published_is_published_after_it() {
        let log = TransitionLog::new();
        let emitted = RefCell::new(Vec::new());
        log.publish(transition(1), |first| {
            emitted.borrow_mut().push(format!("{} begins", first.period));
            if first.period == 1 {
                log.publish(transition(2), |_| unreachable!("this thread is draining"));
            }
            emitted.borrow_mut().push(format!("{} ends", first.period));
        });
        assert_eq!(emitted.into_inner(), ["1 begins", "1 ends", "2 begins", "2 ends"]);
    }

    #[test]
    fn a_transition_counts_even_if_the_observer_of_another_has_not_returned() {
        let log = TransitionLog::new();
        log.publish(transition(1), |published| {
            if published.period == 1 {
                log.publish(transition(2), |_| unreachable!("this thread is draining"));
                let mut both = TransitionCounts::default();
                (0..2).for_each(|_| both.count(BreakerStatus::Closed, BreakerStatus::Open));
                assert_eq!(log.counts(), Some(both));
            }
        });
    }

    #[test]
    fn a_panic_with_ones_own_transition_continues_once_the_others_are_published() {
        let log = TransitionLog::new();
        assert!(publish(&log, [2, 3]).is_empty());
        let emitted = RefCell::new(Vec::new());
        let publishing = panic::catch_unwind(AssertUnwindSafe(|| {
            log.publish(transition(1), |transition| {
                emitted.borrow_mut().push(transition.period);
                assert!(transition.period != 1, "in the subscriber");
            });
        }));
        assert!(publishing.is_err());
        assert_eq!(emitted.into_inner(), [1, 2, 3]);
        assert_eq!(publish(&log, [4]), [4]);
    }

    #[test]
    fn a_panic_with_the_transition_of_another_thread_ends_here() {
        let log = TransitionLog::new();
        assert!(publish(&log, [2]).is_empty());
        log.publish(transition(1), |transition| {
            assert!(transition.period != 2, "in the subscriber");
        });
        assert_eq!(publish(&log, [3]), [3]);
    }
}
