//! Transitions: how the state word moves, and what follows.

use std::time::Duration;

use super::circuit_breaker::CircuitBreaker;
use super::clock::moment;
use super::config::Behavior;
use super::state::{Mode, Moment, State, Word};
use super::transition_log::Transition;
use crate::error::BreakerState;
use crate::event;

impl CircuitBreaker {
    pub(super) fn force(&self, state: State) {
        self.advance(|word| Some(word.begin(state)));
    }

    /// The mode that callers see, with this state word. This reads the clock if the word is open.
    pub(super) fn mode_now(&self, word: Word) -> Mode {
        if word.mode() == Mode::Open { word.mode_at(self.clock.now()) } else { word.mode() }
    }

    /// Moves the word by `step`, and retries while other threads move it. Does nothing if `step`
    /// returns `None`.
    pub(super) fn advance(&self, step: impl Fn(Word) -> Option<Word>) {
        loop {
            let current = self.load();
            let Some(next) = step(current) else { return };
            if self.exchange(current, next) {
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
            let is_recorded = next.mode() != Mode::Open || self.open_streak.record(seen, opening);
            if is_recorded && self.exchange(current, next) {
                return true;
            }
        }
    }

    /// Moves the word from `current` to `next`, if it is still `current`.
    pub(super) fn exchange(&self, current: Word, next: Word) -> bool {
        let moved = self.compare_exchange(current, next);
        if moved {
            self.announce(current, next);
        }
        moved
    }

    /// Tells waiting tasks and subscribers that the word has moved.
    fn announce(&self, from: Word, to: Word) {
        if from.period() == to.period() {
            return;
        }
        let transition = Transition::between(from, to);
        if transition.is_public() {
            self.totals.count_transition();
        }
        self.waiters.record_period(to.period(), self.looks_changed(from, to));
        // Before the event: waking never panics, and a subscriber may.
        self.waiters.wake_all();
        self.transition_log.publish(transition, |transition| {
            if transition.is_public() {
                let opened = transition.to == BreakerState::Open;
                let emit = if opened { event::opened } else { event::recovering };
                emit(&self.name, transition.from.as_str(), transition.to.as_str());
            }
        });
    }

    /// Whether [`state`](Self::state) differs from what it was just before the move. An open
    /// breaker whose time is over already reads as half-open, so its move to half-open changes
    /// nothing.
    fn looks_changed(&self, from: Word, to: Word) -> bool {
        to.mode() != Mode::HalfOpen
            && BreakerState::from(self.mode_now(from)) != BreakerState::from(to.mode())
    }
}
