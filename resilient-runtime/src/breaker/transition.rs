//! Transitions: how the state word moves, and what follows.

use std::sync::Arc;
use std::time::Duration;

use super::circuit_breaker::CircuitBreaker;
use super::clock::moment;
use super::config::Behavior;
use super::state::{Moment, State, Word};
use super::transition_log::Transition;
use crate::error::BreakerStatus;
use crate::event::{self, Event, TransitionCause};

impl CircuitBreaker {
    /// Moves the breaker by hand.
    pub(super) fn force(&self, state: State, by: Option<&Arc<str>>) {
        let cause = |_| TransitionCause::Manual { by: by.cloned() };
        self.advance(|word| Some(word.begin(state)), cause);
    }

    /// The status that callers see, with this state word. This reads the clock if the word is open.
    pub(super) fn status_now(&self, word: Word) -> BreakerStatus {
        if word.status() == BreakerStatus::Open {
            word.status_at(self.clock.now())
        } else {
            word.status()
        }
    }

    /// Moves the word by `step`, and retries while other threads move it. Does nothing if `step`
    /// returns `None`. `cause` says why the breaker changes its state, from its word before, if it
    /// does.
    pub(super) fn advance(
        &self,
        step: impl Fn(Word) -> Option<Word>,
        cause: impl Fn(Word) -> TransitionCause,
    ) {
        loop {
            let current = self.load();
            let Some(next) = step(current) else { return };
            if self.exchange(current, next, &cause) {
                return;
            }
        }
    }

    /// [`advance`](Self::advance) by a step that may open the breaker. The step receives a function
    /// that returns the moment until which the breaker then stays open, which is not before the
    /// server's `hint` is over. Returns whether the word has moved.
    pub(super) fn advance_or_open(
        &self,
        elapsed: Duration,
        hint: Option<Duration>,
        step: impl Fn(Word, &dyn Fn() -> Moment) -> Option<Word>,
        cause: impl Fn(Word) -> TransitionCause,
    ) -> bool {
        loop {
            // In this order: see `OpenStreak`.
            let seen = self.open_streak.load();
            let current = self.load();
            let opening = seen.following(current);
            let until = || {
                let config = &self.config.current().config;
                let position = if config.open_jitter() > 0.0 { rand::random() } else { 0.5 };
                let open_for = config.open_for(opening.count(), position, hint);
                moment(elapsed.saturating_add(open_for))
            };
            let Some(next) = step(current, &until) else { return false };
            let is_recorded =
                next.status() != BreakerStatus::Open || self.open_streak.record(seen, opening);
            if is_recorded && self.exchange(current, next, &cause) {
                return true;
            }
        }
    }

    /// Moves the word from `current` to `next`, if it is still `current`.
    pub(super) fn exchange(
        &self,
        current: Word,
        next: Word,
        cause: impl FnOnce(Word) -> TransitionCause,
    ) -> bool {
        let moved = self.compare_exchange(current, next);
        if moved && current.period() != next.period() {
            self.announce(current, next, cause(current));
        }
        moved
    }

    /// Tells waiting tasks and observers that a new period has begun.
    fn announce(&self, from: Word, to: Word, cause: TransitionCause) {
        let transition = Transition::between(from, to, cause);
        if transition.from.state() != transition.to.state() {
            self.totals.count_transition();
        }
        self.waiters.record_period(to.period(), self.looks_changed(from, to));
        // Before the event: waking never panics, and a subscriber may.
        self.waiters.wake_all();
        self.transition_log.publish(transition, |transition| {
            if transition.is_event() {
                let Transition { from, to, cause, .. } = transition;
                let (from, to) = (*from, *to);
                event::emit(&Event::Transition { breaker: &self.name, from, to, cause });
            }
        });
    }

    /// Whether [`state`](Self::state) differs from what it was just before the move. An open
    /// breaker whose time is over already reads as half-open, so its move to half-open changes
    /// nothing.
    fn looks_changed(&self, from: Word, to: Word) -> bool {
        to.status() != BreakerStatus::HalfOpen
            && self.status_now(from).state() != to.status().state()
    }
}
