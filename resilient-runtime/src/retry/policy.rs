//! One row: how long to wait before the next attempt.

use std::time::Duration;

use super::backoff::{Range, delay_before};
use super::stop_reason::StopReason;
use crate::RetryPolicy;

/// The delays of a row.
pub(crate) trait Delays {
    /// How long to wait after attempt number `attempt` has failed, or why not to try again.
    ///
    /// `hint` is what the server asks for, and `left` how long it is until the call's deadline.
    /// `position`, from 0 to 1, places the delay in the range that jitter allows.
    fn next_delay(
        &self,
        attempt: u32,
        hint: Option<Duration>,
        left: Option<Duration>,
        position: f64,
    ) -> Result<Duration, StopReason>;

    /// The shortest delay before the first retry.
    fn shortest_delay(&self) -> Duration;
}

impl Delays for RetryPolicy {
    fn next_delay(
        &self,
        attempt: u32,
        hint: Option<Duration>,
        left: Option<Duration>,
        position: f64,
    ) -> Result<Duration, StopReason> {
        if attempt >= self.max_attempts() {
            return Err(StopReason::AttemptsExhausted);
        }
        let hint = hint.unwrap_or_default();
        if hint > self.max_delay() {
            return Err(StopReason::HintTooLong);
        }
        let own = delays_after(self, attempt);
        let mut range = own.not_before(hint, self.jitter());
        if let Some(left) = left
            && hint > own.shortest
        {
            // A hint that the deadline leaves time for is waited out, so jitter must not end the
            // call. It takes half of that time at most, and leaves the rest to the attempt.
            let room = left.saturating_sub(hint) / 2;
            range.longest = range.longest.min(hint.saturating_add(room));
        }
        let delay = range.at(position);
        if left.is_some_and(|left| delay >= left) {
            return Err(StopReason::DeadlineTooNear);
        }
        Ok(delay)
    }

    fn shortest_delay(&self) -> Duration {
        delays_after(self, 1).shortest
    }
}

fn delays_after(row: &RetryPolicy, attempt: u32) -> Range {
    let delay = delay_before(row.backoff(), row.base_delay(), row.max_delay(), attempt);
    Range::around(delay, row.max_delay(), row.jitter())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_hint_longer_than_the_backoff_is_waited_out_in_full() {
        let policy = RetryPolicy::for_kind(ErrorKind::RateLimitError);
        assert_eq!(policy.next_delay(1, Some(20 * SECOND), None, 0.0), Ok(20 * SECOND));
        assert_eq!(policy.next_delay(1, Some(30 * SECOND), None, 0.0), Ok(30 * SECOND));
    }

    #[test]
    fn jitter_is_added_above_a_hint() {
        let policy = RetryPolicy::for_kind(ErrorKind::RateLimitError);
        let delay = |hint: u32, position| {
            policy.next_delay(1, Some(hint * SECOND), None, position).unwrap().as_millis()
        };
        assert_eq!([0.0, 0.5, 1.0].map(|position| delay(20, position)), [20_000, 21_000, 22_000]);
        assert_eq!(delay(30, 1.0), 33_000, "beyond the longest delay, which the hint is");
    }

    #[test]
    fn a_hint_that_fits_before_the_deadline_is_waited_out() {
        let policy = RetryPolicy::for_kind(ErrorKind::RateLimitError);
        let delay = |left, position| policy.next_delay(1, Some(20 * SECOND), Some(left), position);
        assert_eq!(delay(21 * SECOND, 0.0), Ok(20 * SECOND));
        assert_eq!(delay(21 * SECOND, 1.0), Ok(20 * SECOND + SECOND / 2));
        assert_eq!(delay(30 * SECOND, 1.0), Ok(22 * SECOND));
        assert_eq!(delay(20 * SECOND, 0.0), Err(StopReason::DeadlineTooNear));
        assert_eq!(delay(SECOND, 1.0), Err(StopReason::DeadlineTooNear));
    }

    #[test]
    fn a_hint_shorter_than_the_backoff_changes_nothing() {
        let policy = RetryPolicy::for_kind(ErrorKind::ServiceUnavailable);
        let hint = Some(Duration::from_millis(10));
        assert_eq!(policy.next_delay(1, hint, None, 0.5), Ok(SECOND));
    }

    #[test]
    fn a_hint_longer_than_the_longest_delay_ends_the_call() {
        let policy = RetryPolicy::for_kind(ErrorKind::RateLimitError);
        assert_eq!(
            policy.next_delay(1, Some(31 * SECOND), None, 0.0),
            Err(StopReason::HintTooLong)
        );
    }

    #[test]
    fn the_last_attempt_is_followed_by_none() {
        let policy = RetryPolicy::DEFAULT;
        assert!(policy.next_delay(2, None, None, 0.0).is_ok());
        assert_eq!(policy.next_delay(3, None, None, 0.0), Err(StopReason::AttemptsExhausted));
    }
}
