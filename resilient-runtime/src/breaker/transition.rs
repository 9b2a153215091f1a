//! Transitions: how the state word moves, and what follows.

use std::time::Duration;

use super::circuit_breaker::CircuitBreaker;
use super::clock::moment;
use super::state::{Mode, Moment, State, Word};
use super::transition_log::Transition;
use crate::error::BreakerState;
use crate::event;

impl CircuitBreaker {
    pub(super) fn force(&self, state: State) {
        self.advance(|word| Some(word.begin(state)));
    }

    /// What the breaker looks like by now, with this state word. It reads the clock if the word is
    /// open.
    pub(super) fn mode_now(&self, word: Word) -> Mode {
        if word.mode() == Mode::Open { word.mode_at(self.clock.now()) } else { word.mode() }
    }

    /// Moves the word by `step` until nobody comes between, or there is nothing to change.
    pub(super) fn advance(&self, step: impl Fn(Word) -> Option<Word>) {
        loop {
            let current = self.load();
            let Some(next) = step(current) else { return };
            if self.exchange(current, next) {
                return;
            }
        }
    }

    /// [`advance`](Self::advance) by a step that may open the breaker at this time. The step is
    /// told until when it would be open, which is not before the server's `hint` is over. Whether there was anything to change.
    pub(super) fn open(
        &self,
        elapsed: Duration,
        hint: Option<Duration>,
        step: impl Fn(Word, Moment) -> Option<Word>,
    ) -> bool {
        let position = if self.config.open_jitter() > 0.0 { rand::random() } else { 0.5 };
        loop {
            // In this order: see `OpenStreak`.
            let seen = self.open_streak.load();
            let current = self.load();
            let opening = seen.following(current);
            let open_for = self.config.open_for(opening.count(), position, hint);
            let Some(next) = step(current, moment(elapsed.saturating_add(open_for))) else {
                return false;
            };
            let noted = next.mode() != Mode::Open || self.open_streak.record(seen, opening);
            if noted && self.exchange(current, next) {
                return true;
            }
        }
    }

    /// Moves the word from `current` to `next`, if it is still `current`.
    pub(super) fn exchange(&self, current: Word, next: Word) -> bool {
        let moved = self.compare_exchange(current, next);
        if moved {
            self.has_moved(current, next);
        }
        moved
    }

    /// Tells waiting tasks and observers that the breaker has moved.
    fn has_moved(&self, from: Word, to: Word) {
        if from.period() == to.period() {
            return;
        }
        let change = Transition::between(from, to);
        if change.is_public() {
            self.totals.count_transition();
        }
        self.waiters.note_period(to.period(), self.looks_changed(from, to));
        // First, since it never panics: a subscriber may.
        self.waiters.wake_all();
        self.transition_log.publish(change, |change| {
            if change.is_public() {
                let opened = change.to == BreakerState::Open;
                let tell = if opened { event::opened } else { event::recovering };
                tell(&self.name, change.from.as_str(), change.to.as_str());
            }
        });
    }

    /// Whether [`state`](Self::state) reads otherwise than just before the move. An open breaker
    /// whose time is over has looked half-open since then, and becomes half-open unnoticed.
    fn looks_changed(&self, from: Word, to: Word) -> bool {
        to.mode() != Mode::HalfOpen
            && BreakerState::from(self.mode_now(from)) != BreakerState::from(to.mode())
    }
}
