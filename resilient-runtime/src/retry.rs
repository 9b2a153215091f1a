//! When to try again, and how long to wait first.

use std::time::Duration;

use resilient_config::retry::own_row;

use crate::backoff::{Range, delay_before};
use crate::catalog::Rows;
use crate::{ErrorKind, RetryPolicy};

/// Why a call that may be retried is not retried any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GiveUp {
    NotTransient,
    RetryRefused,
    AttemptsExhausted,
    HintTooLong,
    BreakerNotClosed,
    MaybeExecuted,
    DeadlineTooNear,
    DeadlineExceeded,
    BudgetExhausted,
    OuterCallRetries,
}

impl GiveUp {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::NotTransient => "the error is not transient",
            Self::RetryRefused => "the server asks not to retry",
            Self::AttemptsExhausted => "attempts exhausted",
            Self::HintTooLong => "the server asks to wait longer than `max_delay`",
            Self::BreakerNotClosed => "the circuit breaker is not closed",
            Self::MaybeExecuted => "the request may have been executed, and is not idempotent",
            Self::DeadlineTooNear => "the deadline leaves no time for the delay",
            Self::DeadlineExceeded => "the deadline was exceeded",
            Self::BudgetExhausted => "the retry budget is exhausted",
            Self::OuterCallRetries => "the outer call through the same circuit breaker retries",
        }
    }
}

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
    ) -> Result<Duration, GiveUp>;

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
    ) -> Result<Duration, GiveUp> {
        if attempt >= self.max_attempts() {
            return Err(GiveUp::AttemptsExhausted);
        }
        let hint = hint.unwrap_or_default();
        if hint > self.max_delay() {
            return Err(GiveUp::HintTooLong);
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
            return Err(GiveUp::DeadlineTooNear);
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

/// A [`RetryPolicy`] for each kind of error, and one for the kinds that have none of their own.
///
/// The default table, where the delays are before jitter of 0.1:
///
/// | kind | attempts | base delay | longest delay | backoff |
/// |---|---|---|---|---|
/// | `connection_error` | 3 | 100 ms | 5 s | exponential |
/// | `rate_limit_error` | 5 | 500 ms | 30 s | exponential |
/// | `service_unavailable` | 3 | 1 s | 10 s | exponential |
/// | `timeout_error` | 2 | 1 s | 2 s | linear |
/// | every other | 3 | 100 ms | 5 s | exponential |
///
/// ```
/// use resilient_runtime::{ErrorKind, RetryPolicy, RetryTable};
///
/// let patient = RetryPolicy::builder().max_attempts(8).build()?;
/// let table = RetryTable::default().with_row(ErrorKind::RateLimitError, patient);
/// assert_eq!(table.row(ErrorKind::RateLimitError).max_attempts(), 8);
/// assert_eq!(table.row(ErrorKind::SearchTimeout), RetryPolicy::DEFAULT);
/// # Ok::<(), resilient_runtime::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RetryTable {
    rows: [Option<RetryPolicy>; ErrorKind::ALL.len()],
    default: RetryPolicy,
}

impl RetryTable {
    /// The rows of the resilience layer that this library implements (SPARC specification,
    /// section 6.1).
    pub const DEFAULT: Self = {
        let mut table = Self { rows: [None; ErrorKind::ALL.len()], default: RetryPolicy::DEFAULT };
        let mut number = 0;
        while number < table.rows.len() {
            table.rows[number] = own_row(ErrorKind::ALL[number]);
            number += 1;
        }
        table
    };

    /// The default table with the rows that [`policies!`](crate::policies) declares anywhere in the
    /// program: by it go the functions with `#[resilient(retry = …)]`.
    #[must_use]
    pub fn declared() -> Self {
        Rows::get().table.clone()
    }

    /// The row of `kind`, or the default row where it has none.
    #[must_use]
    pub const fn row(&self, kind: ErrorKind) -> RetryPolicy {
        match self.rows[kind as usize] {
            Some(row) => row,
            None => self.default,
        }
    }

    /// The row of the kinds that have none of their own.
    pub(crate) const fn default_row(&self) -> RetryPolicy {
        self.default
    }

    /// The same table with another row for `kind`. A kind that is not
    /// [transient](ErrorKind::is_transient) is never retried, whatever its row says.
    #[must_use]
    pub const fn with_row(mut self, kind: ErrorKind, row: RetryPolicy) -> Self {
        self.rows[kind as usize] = Some(row);
        self
    }

    /// The same table with another row for the kinds that have none of their own.
    #[must_use]
    pub const fn with_default(mut self, row: RetryPolicy) -> Self {
        self.default = row;
        self
    }

    /// The most attempts that any row allows.
    pub(crate) fn max_attempts(&self) -> u32 {
        let rows = self.rows.iter().flatten().map(RetryPolicy::max_attempts);
        rows.fold(self.default.max_attempts(), u32::max)
    }
}

impl Default for RetryTable {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Backoff;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_rows_are_those_of_the_specification() {
        let row = |kind| {
            let row = RetryTable::DEFAULT.row(kind);
            (
                row.max_attempts(),
                row.base_delay().as_millis(),
                row.max_delay().as_secs(),
                row.backoff(),
            )
        };
        let exponential = Backoff::Exponential;
        assert_eq!(row(ErrorKind::ConnectionError), (3, 100, 5, exponential));
        assert_eq!(row(ErrorKind::RateLimitError), (5, 500, 30, exponential));
        assert_eq!(row(ErrorKind::ServiceUnavailable), (3, 1000, 10, exponential));
        assert_eq!(row(ErrorKind::TimeoutError), (2, 1000, 2, Backoff::Linear));
        assert_eq!(row(ErrorKind::SearchTimeout), (3, 100, 5, exponential));
        assert_eq!(RetryTable::DEFAULT.max_attempts(), 5);
    }

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
        assert_eq!(delay(20 * SECOND, 0.0), Err(GiveUp::DeadlineTooNear));
        assert_eq!(delay(SECOND, 1.0), Err(GiveUp::DeadlineTooNear));
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
        assert_eq!(policy.next_delay(1, Some(31 * SECOND), None, 0.0), Err(GiveUp::HintTooLong));
    }

    #[test]
    fn the_last_attempt_is_followed_by_none() {
        let policy = RetryPolicy::DEFAULT;
        assert!(policy.next_delay(2, None, None, 0.0).is_ok());
        assert_eq!(policy.next_delay(3, None, None, 0.0), Err(GiveUp::AttemptsExhausted));
    }
}
