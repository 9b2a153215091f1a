//! How long to wait before the next attempt, by one row.

use std::time::Duration;

use super::backoff::Range;
use crate::event::GiveUpReason;
use crate::{ErrorKind, RetryPolicy};

/// Returns how long to wait after attempt number `attempt` has failed, or why not to try again.
///
/// `hint` is the wait that the server asks for, and `left` the time until the deadline of the call.
/// `position`, from 0 to 1, selects the delay in the range that jitter allows.
pub(crate) fn next_delay(
    row: &RetryPolicy,
    attempt: u32,
    hint: Option<Duration>,
    left: Option<Duration>,
    position: f64,
) -> Result<Duration, GiveUpReason> {
    if attempt >= row.max_attempts() {
        return Err(GiveUpReason::AttemptsExhausted);
    }
    let hint = hint.unwrap_or_default();
    if hint > row.max_delay() {
        return Err(GiveUpReason::HintTooLong);
    }
    let own = delays_after(row, attempt);
    let mut range = own.not_before(hint, row.jitter());
    if let Some(left) = left
        && hint > own.shortest
    {
        // Jitter must not end a call whose hint fits before the deadline. It takes at most half of
        // the time after the hint, and leaves the rest to the attempt.
        let room = left.saturating_sub(hint) / 2;
        range.longest = range.longest.min(hint.saturating_add(room));
    }
    let delay = range.at(position);
    if left.is_some_and(|left| delay >= left) {
        return Err(GiveUpReason::DeadlineTooNear);
    }
    Ok(delay)
}

/// Returns the shortest delay before the first retry.
pub(crate) fn shortest_delay(row: &RetryPolicy) -> Duration {
    delays_after(row, 1).shortest
}

/// Returns the delays after attempt number `attempt` that jitter allows.
pub(super) fn delays_after(row: &RetryPolicy, attempt: u32) -> Range {
    Range::around(row.delay(attempt), row.max_delay(), row.jitter())
}

/// Returns why an error of this kind is never retried, if it is not. `may_retry` is what the server
/// says: see [`Classify::may_retry`](crate::Classify::may_retry).
pub(crate) const fn check_retryable(kind: ErrorKind, may_retry: bool) -> Result<(), GiveUpReason> {
    if !kind.is_transient() {
        return Err(GiveUpReason::NotTransient);
    }
    if may_retry { Ok(()) } else { Err(GiveUpReason::RetryRefused) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_hint_longer_than_the_backoff_is_waited_out_in_full() {
        let policy = RetryPolicy::for_kind(ErrorKind::RateLimitError);
        assert_eq!(next_delay(&policy, 1, Some(20 * SECOND), None, 0.0), Ok(20 * SECOND));
        assert_eq!(next_delay(&policy, 1, Some(30 * SECOND), None, 0.0), Ok(30 * SECOND));
    }

    #[test]
    fn jitter_is_added_above_a_hint() {
        let policy = RetryPolicy::for_kind(ErrorKind::RateLimitError);
        let delay = |hint: u32, position| {
            next_delay(&policy, 1, Some(hint * SECOND), None, position).unwrap().as_millis()
        };
        assert_eq!([0.0, 0.5, 1.0].map(|position| delay(20, position)), [20_000, 21_000, 22_000]);
        assert_eq!(delay(30, 1.0), 33_000, "beyond the longest delay, which the hint is");
    }

    #[test]
    fn a_hint_that_fits_before_the_deadline_is_waited_out() {
        let policy = RetryPolicy::for_kind(ErrorKind::RateLimitError);
        let delay =
            |left, position| next_delay(&policy, 1, Some(20 * SECOND), Some(left), position);
        assert_eq!(delay(21 * SECOND, 0.0), Ok(20 * SECOND));
        assert_eq!(delay(21 * SECOND, 1.0), Ok(20 * SECOND + SECOND / 2));
        assert_eq!(delay(30 * SECOND, 1.0), Ok(22 * SECOND));
        assert_eq!(delay(20 * SECOND, 0.0), Err(GiveUpReason::DeadlineTooNear));
        assert_eq!(delay(SECOND, 1.0), Err(GiveUpReason::DeadlineTooNear));
    }

    #[test]
    fn a_hint_shorter_than_the_backoff_changes_nothing() {
        let policy = RetryPolicy::for_kind(ErrorKind::ServiceUnavailable);
        let hint = Some(Duration::from_millis(10));
        assert_eq!(next_delay(&policy, 1, hint, None, 0.5), Ok(SECOND));
    }

    #[test]
    fn a_hint_longer_than_the_longest_delay_ends_the_call() {
        let policy = RetryPolicy::for_kind(ErrorKind::RateLimitError);
        assert_eq!(
            next_delay(&policy, 1, Some(31 * SECOND), None, 0.0),
            Err(GiveUpReason::HintTooLong)
        );
    }

    #[test]
    fn the_last_attempt_is_followed_by_none() {
        let policy = RetryPolicy::DEFAULT;
        assert!(next_delay(&policy, 2, None, None, 0.0).is_ok());
        assert_eq!(next_delay(&policy, 3, None, None, 0.0), Err(GiveUpReason::AttemptsExhausted));
    }
}
