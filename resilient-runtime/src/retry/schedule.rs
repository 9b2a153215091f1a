//! The delays of a row for code that keeps its own attempts, such as a durable queue.

use std::time::Duration;

use super::policy::{self, check_retryable, delays_after};
use super::table::RetryTable;
use crate::{Classify, RetryPolicy};

/// When to try again, for code that counts its attempts itself: an outbox or a queue in a database,
/// whose attempts are made by different processes.
///
/// It is implemented for [`RetryPolicy`]. The rules are those of the attribute's `retry`, with the
/// same row. [`RetryTable::next_delay`] uses the row of each error's kind, and
/// [`RetryPolicy::delay`] returns a delay without jitter.
///
/// ```
/// use std::time::Duration;
/// use resilient_runtime::{Classify, ErrorKind, RetryPolicy, RetrySchedule};
///
/// #[derive(Debug, Classify)]
/// enum SendError {
///     #[classify(kind = "rate_limit_error", retry_after = wait)]
///     Busy { wait: Duration },
///     #[classify(kind = "invalid_request_error")]
///     Malformed,
/// }
///
/// const OUTBOX: RetryPolicy = match RetryPolicy::builder()
///     .max_attempts(20)
///     .base_delay(Duration::from_secs(1))
///     .max_delay(Duration::from_secs(3_600))
///     .build()
/// {
///     Ok(row) => row,
///     Err(error) => panic!("{}", error.message()),
/// };
///
/// // The message has failed three times: in 20 s or a little more, it is sent again.
/// let busy = SendError::Busy { wait: Duration::from_secs(20) };
/// let delay = OUTBOX.next_delay(&busy, 3).unwrap();
/// assert!((20..=22).contains(&delay.as_secs()));
///
/// // These go to the dead letters.
/// assert_eq!(OUTBOX.next_delay(&busy, 20), None);
/// assert_eq!(OUTBOX.next_delay(&SendError::Malformed, 1), None);
/// ```
pub trait RetrySchedule: sealed::Sealed {
    /// Returns [`RetryPolicy::delay`] with jitter: how long to wait after attempt number `attempt`
    /// has failed. The first attempt is 1. The delay never exceeds
    /// [`max_delay`](RetryPolicy::max_delay), and [`max_attempts`](RetryPolicy::max_attempts) is not
    /// considered.
    fn jittered_delay(&self, attempt: u32) -> Duration;

    /// Returns how long to wait after attempt number `attempt` has failed with this error, with
    /// jitter. The first attempt is 1. The delay is not shorter than the error's
    /// [`retry_after`](Classify::retry_after).
    ///
    /// Returns `None` if there is to be no further attempt:
    ///
    /// - the error is not [transient](crate::ErrorKind::is_transient);
    /// - the server [asks not to retry](Classify::may_retry);
    /// - the row's [`max_attempts`](RetryPolicy::max_attempts) are used up;
    /// - the server asks to wait longer than the row's [`max_delay`](RetryPolicy::max_delay).
    ///
    /// If the request must not be executed twice, ask
    /// [`maybe_executed`](Classify::maybe_executed) first.
    fn next_delay<E: Classify + ?Sized>(&self, error: &E, attempt: u32) -> Option<Duration>;
}

impl RetrySchedule for RetryPolicy {
    fn jittered_delay(&self, attempt: u32) -> Duration {
        delays_after(self, attempt).at(rand::random())
    }

    fn next_delay<E: Classify + ?Sized>(&self, error: &E, attempt: u32) -> Option<Duration> {
        check_retryable(error.kind(), error.may_retry()).ok()?;
        policy::next_delay(self, attempt, error.retry_after(), None, rand::random()).ok()
    }
}

impl RetryTable {
    /// Returns [`RetrySchedule::next_delay`] of the row of the error's kind.
    ///
    /// ```
    /// use std::io;
    /// use resilient_runtime::RetryTable;
    ///
    /// let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
    /// assert!(RetryTable::DEFAULT.next_delay(&refused, 2).is_some());
    /// assert_eq!(RetryTable::DEFAULT.next_delay(&refused, 3), None, "3 attempts are all");
    /// ```
    #[must_use]
    pub fn next_delay<E: Classify + ?Sized>(&self, error: &E, attempt: u32) -> Option<Duration> {
        self.row(error.kind()).next_delay(error, attempt)
    }
}

mod sealed {
    /// Keeps the trait open to more methods.
    pub trait Sealed {}

    impl Sealed for crate::RetryPolicy {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    const SECOND: Duration = Duration::from_secs(1);

    struct Failed {
        kind: ErrorKind,
        hint: Option<Duration>,
        may_retry: bool,
    }

    impl Classify for Failed {
        fn kind(&self) -> ErrorKind {
            self.kind
        }

        fn retry_after(&self) -> Option<Duration> {
            self.hint
        }

        fn may_retry(&self) -> bool {
            self.may_retry
        }
    }

    fn failed(kind: ErrorKind) -> Failed {
        Failed { kind, hint: None, may_retry: true }
    }

    fn row() -> RetryPolicy {
        RetryPolicy::for_kind(ErrorKind::RateLimitError)
    }

    #[test]
    fn a_jittered_delay_is_around_the_delay_and_never_above_the_cap() {
        for attempt in [1, 2, 3, 7, 8, u32::MAX] {
            let delay = row().delay(attempt);
            for _ in 0..200 {
                let jittered = row().jittered_delay(attempt);
                assert!(jittered >= delay.mul_f64(0.899) && jittered <= delay.mul_f64(1.101));
                assert!(jittered <= row().max_delay());
            }
        }
        let exact = row().to_builder().jitter(0.0).build().unwrap();
        assert_eq!(exact.jittered_delay(3), exact.delay(3));
    }

    #[test]
    fn a_transient_error_is_retried_until_the_attempts_are_used_up() {
        let error = failed(ErrorKind::RateLimitError);
        for attempt in 1..5 {
            let delay = row().next_delay(&error, attempt).unwrap();
            let expected = row().delay(attempt);
            assert!(delay >= expected.mul_f64(0.899) && delay <= expected.mul_f64(1.101));
        }
        assert_eq!(row().next_delay(&error, 5), None);
        assert_eq!(row().next_delay(&error, u32::MAX), None);
    }

    #[test]
    fn an_error_that_is_not_transient_is_not_retried() {
        for kind in ErrorKind::ALL {
            let delay = row().next_delay(&failed(*kind), 1);
            assert_eq!(delay.is_some(), kind.is_transient(), "{kind}");
        }
    }

    #[test]
    fn a_hint_is_waited_out_unless_it_is_too_long() {
        let hinted = |seconds| Failed {
            hint: Some(seconds * SECOND),
            ..failed(ErrorKind::ServiceUnavailable)
        };
        let delay = row().next_delay(&hinted(20), 1).unwrap();
        assert!((20 * SECOND..=22 * SECOND).contains(&delay), "{delay:?}");
        assert!(row().next_delay(&hinted(30), 1).is_some());
        assert_eq!(row().next_delay(&hinted(31), 1), None);
    }

    #[test]
    fn a_server_that_refuses_retries_is_obeyed() {
        let refused = Failed { may_retry: false, ..failed(ErrorKind::ServiceUnavailable) };
        assert_eq!(row().next_delay(&refused, 1), None);
    }

    #[test]
    fn a_table_uses_the_row_of_the_kind() {
        let table = &RetryTable::DEFAULT;
        let attempts =
            |kind| (1..).take_while(move |n| table.next_delay(&failed(kind), *n).is_some());
        assert_eq!(attempts(ErrorKind::RateLimitError).count(), 4);
        assert_eq!(attempts(ErrorKind::TimeoutError).count(), 1);
        assert_eq!(attempts(ErrorKind::NotFoundError).count(), 0);
    }

    #[test]
    fn an_error_behind_a_box_schedules_too() {
        use std::error::Error;
        use std::io;

        let boxed: Box<dyn Error + Send + Sync> =
            io::Error::from(io::ErrorKind::ConnectionRefused).into();
        assert!(row().next_delay(&boxed, 1).is_some());
        assert!(row().next_delay(&*boxed, 1).is_some());
    }
}
