//! Restoring: a breaker takes over the state that it had in an earlier process.

use std::time::Duration;

use super::circuit_breaker::CircuitBreaker;
use super::clock::moment;
use super::state::State;
use crate::event::TransitionCause;

/// The state that a breaker takes over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RestoredState {
    /// Open until this time is over, and for the `openings`th time in a row. Without time left, it
    /// is half-open at once.
    Open {
        time_left: Duration,
        openings: u32,
    },
    ForcedOpen,
    ForcedClosed,
    Disabled,
}

impl CircuitBreaker {
    /// Takes over this state, unless the breaker is no longer closed, or is held. Returns whether it
    /// did.
    ///
    /// The state may come from outside the program: whatever its numbers, the breaker stays open no
    /// longer than its `max_open_duration`.
    pub(crate) fn restore(&self, restored: RestoredState) -> bool {
        let state = match restored {
            RestoredState::Open { time_left, .. } => {
                let time_left = time_left.min(self.config().max_open_duration());
                State::Open { until: moment(self.clock.elapsed().saturating_add(time_left)) }
            }
            RestoredState::ForcedOpen => State::ForcedOpen,
            RestoredState::ForcedClosed => State::ForcedClosed,
            RestoredState::Disabled => State::Disabled { failures: 0 },
        };
        loop {
            // In this order: see `OpenStreak`.
            let seen = self.open_streak.load();
            let current = self.load();
            let Some(next) = current.restore(state) else { return false };
            let is_recorded = match restored {
                RestoredState::Open { openings, .. } => {
                    self.open_streak.record(seen, seen.opening(current, openings.max(1)))
                }
                _ => true,
            };
            if is_recorded && self.exchange(current, next, |_| TransitionCause::Restored) {
                return true;
            }
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::{BreakerConfig, BreakerState};

    const SECOND: Duration = Duration::from_secs(1);

    fn open(time_left: Duration, openings: u32) -> RestoredState {
        RestoredState::Open { time_left, openings }
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_open_for_the_time_that_is_left_and_then_half_open() {
        let breaker = CircuitBreaker::default();
        assert!(breaker.restore(open(10 * SECOND, 1)));
        assert_eq!(breaker.stats().time_until_half_open, Some(10 * SECOND));
        tokio::time::advance(Duration::from_millis(9_999)).await;
        assert_eq!(breaker.state(), BreakerState::Open);
        tokio::time::advance(Duration::from_millis(1)).await;
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        assert!(breaker.acquire().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn the_openings_in_a_row_go_on() {
        let config = BreakerConfig::builder().open_duration(SECOND).open_duration_multiplier(2.0);
        let breaker = CircuitBreaker::new(config.build().unwrap());
        assert!(breaker.restore(open(Duration::ZERO, 3)));
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        assert_eq!(breaker.stats().consecutive_openings, 3);
        breaker.acquire().unwrap().failure();
        assert_eq!(breaker.stats().consecutive_openings, 4);
        assert_eq!(breaker.stats().time_until_half_open, Some(8 * SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn no_number_keeps_it_open_for_longer_than_its_configuration_allows() {
        let config = BreakerConfig::builder().open_duration_multiplier(f64::MAX);
        for restored in [open(Duration::MAX, u32::MAX), open(Duration::MAX, 0)] {
            let breaker =
                CircuitBreaker::new(config.max_open_duration(60 * SECOND).build().unwrap());
            assert!(breaker.restore(restored));
            assert_eq!(breaker.stats().time_until_half_open, Some(60 * SECOND));
            assert!(breaker.stats().consecutive_openings >= 1);
            tokio::time::advance(60 * SECOND).await;
            breaker.acquire().unwrap().failure();
            assert_eq!(breaker.stats().time_until_half_open, Some(60 * SECOND));
        }
        let endless = config.max_open_duration(Duration::MAX).build().unwrap();
        assert!(CircuitBreaker::new(endless).restore(open(Duration::MAX, u32::MAX)));
    }

    #[test]
    fn a_breaker_that_is_no_longer_closed_keeps_its_state() {
        for hold in
            [CircuitBreaker::force_open, CircuitBreaker::force_closed, CircuitBreaker::disable]
        {
            let breaker = CircuitBreaker::default();
            hold(&breaker);
            let before = breaker.stats();
            assert!(
                !breaker.restore(open(SECOND, 2)) && !breaker.restore(RestoredState::ForcedOpen)
            );
            assert_eq!(breaker.stats(), before);
        }
    }
}
