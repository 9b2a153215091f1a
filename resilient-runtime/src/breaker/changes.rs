//! The changes of one breaker, told in the order in which they were made.
//!
//! The thread that has moved the state word then says so, and another one may move the word and
//! say so first. But each change begins a period, and periods are numbered: a change waits here
//! until all before it are told. Whoever finds that nobody is telling does it, for others too, and
//! nobody ever waits for somebody else: not for a subscriber that is slow, nor for a thread that
//! has made a change and not yet said so, for whose turn the rest then is.
//!
//! What is not told yet is kept, however much it is: behind a subscriber that never returns, each
//! change takes a few bytes for good.

use std::collections::VecDeque;
use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::PoisonError;
use std::thread;

use super::state::{PERIODS, Word};
use super::stats::BreakerState;
use super::sync::{Mutex, const_unless_loom};

/// One change, between two periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    period: u32,
    pub(super) from: BreakerState,
    pub(super) to: BreakerState,
}

impl Change {
    pub(super) fn between(from: Word, to: Word) -> Self {
        Self { period: to.period(), from: from.mode().into(), to: to.mode().into() }
    }

    /// Whether it is one for the public; a reset while closed is none.
    pub(super) fn is_public(self) -> bool {
        self.from != self.to
    }
}

/// Those that are not told yet.
pub(super) struct Changes(Mutex<Queue>);

struct Queue {
    /// The period whose beginning is to be told next.
    next: u32,
    /// That change and those after it, as far as they have been handed in.
    waiting: VecDeque<Option<Change>>,
    /// Whether somebody is telling.
    telling: bool,
}

impl Queue {
    fn hand_in(&mut self, change: Change) {
        // Less than all periods lie between: they begin one by one, and each is handed in once.
        let index = ((change.period + PERIODS - self.next) % PERIODS) as usize;
        if self.waiting.len() <= index {
            self.waiting.resize(index + 1, None);
        }
        self.waiting[index] = Some(change);
    }

    /// The change whose turn it is, if it has been handed in.
    fn take(&mut self) -> Option<Change> {
        let change = self.waiting.front_mut()?.take()?;
        self.waiting.pop_front();
        self.next = (self.next + 1) % PERIODS;
        Some(change)
    }
}

impl Changes {
    const_unless_loom! {
        pub(super) const fn new() -> Self {
            Self(Mutex::new(Queue { next: 1, waiting: VecDeque::new(), telling: false }))
        }
    }

    /// Tells of `change`, and of all whose turn comes with it, by `tell`; or leaves it to whoever
    /// is telling.
    ///
    /// `tell` runs under no lock and may move the breaker: that change is told once it returns.
    /// Where it panics, all others are told all the same. Its panic then goes on, but only over
    /// the change that this thread has made itself, and not where the thread is unwinding already.
    pub(super) fn tell(&self, change: Change, tell: impl Fn(Change)) {
        let telling = self.with(|queue| {
            queue.hand_in(change);
            mem::replace(&mut queue.telling, true)
        });
        if telling {
            return;
        }
        let mut panic = None;
        while let Some(next) = self.with(|queue| {
            let next = queue.take();
            queue.telling = next.is_some();
            next
        }) {
            let told = panic::catch_unwind(AssertUnwindSafe(|| tell(next)));
            if next == change {
                panic = told.err();
            } else if let Err(panic) = told {
                // What it panicked with may panic when it is dropped.
                mem::forget(panic);
            }
        }
        match panic {
            Some(panic) if thread::panicking() => mem::forget(panic),
            Some(panic) => panic::resume_unwind(panic),
            None => {}
        }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Queue) -> T) -> T {
        // Nothing in here panics: what a poisoned lock guards would be whole.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::cell::RefCell;

    use super::*;

    fn change(period: u32) -> Change {
        Change { period, from: BreakerState::Closed, to: BreakerState::Open }
    }

    /// Tells of these in this order; what is told.
    fn told(changes: &Changes, periods: impl IntoIterator<Item = u32>) -> Vec<u32> {
        let told = RefCell::new(Vec::new());
        for period in periods {
            changes.tell(change(period), |change| told.borrow_mut().push(change.period));
        }
        told.into_inner()
    }

    #[test]
    fn changes_are_told_in_the_order_of_their_periods() {
        let changes = Changes::new();
        assert!(told(&changes, [3, 2]).is_empty());
        assert_eq!(told(&changes, [1]), [1, 2, 3]);
        assert_eq!(told(&changes, [5, 4, 6]), [4, 5, 6]);
    }

    #[test]
    fn the_order_holds_where_the_periods_wrap() {
        let changes = Changes::new();
        changes.with(|queue| queue.next = PERIODS - 1);
        assert_eq!(told(&changes, [1, 0, PERIODS - 1]), [PERIODS - 1, 0, 1]);
    }

    #[test]
    fn a_change_that_is_made_while_one_is_told_is_told_after_it() {
        let changes = Changes::new();
        let told = RefCell::new(Vec::new());
        changes.tell(change(1), |first| {
            told.borrow_mut().push(format!("{} begins", first.period));
            if first.period == 1 {
                changes.tell(change(2), |_| unreachable!("somebody is telling"));
            }
            told.borrow_mut().push(format!("{} ends", first.period));
        });
        assert_eq!(told.into_inner(), ["1 begins", "1 ends", "2 begins", "2 ends"]);
    }

    #[test]
    fn a_panic_over_ones_own_change_goes_on_once_the_others_are_told() {
        let changes = Changes::new();
        assert!(told(&changes, [2, 3]).is_empty());
        let heard = RefCell::new(Vec::new());
        let telling = panic::catch_unwind(AssertUnwindSafe(|| {
            changes.tell(change(1), |change| {
                heard.borrow_mut().push(change.period);
                assert!(change.period != 1, "in the subscriber");
            });
        }));
        assert!(telling.is_err());
        assert_eq!(heard.into_inner(), [1, 2, 3]);
        assert_eq!(told(&changes, [4]), [4]);
    }

    #[test]
    fn a_panic_over_the_change_of_another_ends_here() {
        let changes = Changes::new();
        assert!(told(&changes, [2]).is_empty());
        changes.tell(change(1), |change| assert!(change.period != 2, "in the subscriber"));
        assert_eq!(told(&changes, [3]), [3]);
    }
}
