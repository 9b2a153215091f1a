//! A row of the retry table as source names it, and the numbers that replace its own.

use std::time::Duration;

use crate::{Backoff, ErrorKind, RetryPolicy};

/// The row that a policy starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowRef {
    /// The row of the kinds that have none of their own.
    Default,
    /// The row of a kind.
    Kind(ErrorKind),
    /// The name of a declared row, or of a kind if a constant holds it.
    Named(&'static str),
}

/// The numbers that replace those of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryChanges {
    pub(crate) max_attempts: Option<u32>,
    pub(crate) base_delay: Option<Duration>,
    pub(crate) max_delay: Option<Duration>,
    pub(crate) jitter: Option<f64>,
    backoff: Option<Backoff>,
}

impl RetryChanges {
    /// No numbers.
    pub const NONE: Self =
        Self { max_attempts: None, base_delay: None, max_delay: None, jitter: None, backoff: None };

    /// See `RetryPolicyBuilder::max_attempts`.
    #[must_use]
    pub const fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = Some(attempts);
        self
    }

    /// See `RetryPolicyBuilder::base_delay`.
    #[must_use]
    pub const fn base_delay(mut self, delay: Duration) -> Self {
        self.base_delay = Some(delay);
        self
    }

    /// See `RetryPolicyBuilder::max_delay`.
    #[must_use]
    pub const fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = Some(delay);
        self
    }

    /// See `RetryPolicyBuilder::jitter`.
    #[must_use]
    pub const fn jitter(mut self, share: f64) -> Self {
        self.jitter = Some(share);
        self
    }

    /// See `RetryPolicyBuilder::backoff`.
    #[must_use]
    pub const fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = Some(backoff);
        self
    }

    /// Whether one attempt is all that they allow. No later number can change that: the attribute
    /// then makes no loop.
    pub(crate) fn allows_one(&self) -> bool {
        self.max_attempts == Some(1)
    }

    /// Whether they replace the number with this key.
    pub(crate) fn replaces(&self, key: &str) -> bool {
        match key {
            "max_attempts" => self.max_attempts.is_some(),
            "base_delay" => self.base_delay.is_some(),
            "max_delay" => self.max_delay.is_some(),
            "jitter" => self.jitter.is_some(),
            "backoff" => self.backoff.is_some(),
            _ => false,
        }
    }

    /// Returns `row` with these numbers. An explicit delay wins: with `max_delay = "50ms"`, a
    /// longer base delay of the row is cut to 50 ms.
    #[must_use]
    pub(crate) const fn apply(self, row: RetryPolicy) -> RetryPolicy {
        let mut base = row.base_delay();
        let mut max = row.max_delay();
        match (self.base_delay, self.max_delay) {
            // The macros, or the rules of constants, have checked that the two are consistent.
            (Some(given), Some(limit)) => (base, max) = (given, limit),
            (Some(given), None) => (base, max) = (given, longer(max, given)),
            (None, Some(limit)) => (base, max) = (shorter(base, limit), limit),
            (None, None) => {}
        }
        let mut builder = row.to_builder().base_delay(base).max_delay(max);
        if let Some(attempts) = self.max_attempts {
            builder = builder.max_attempts(attempts);
        }
        if let Some(share) = self.jitter {
            builder = builder.jitter(share);
        }
        if let Some(backoff) = self.backoff {
            builder = builder.backoff(backoff);
        }
        match builder.build() {
            Ok(row) => row,
            // The macros have checked each number.
            Err(_) => row,
        }
    }
}

const fn shorter(one: Duration, other: Duration) -> Duration {
    if one.as_nanos() < other.as_nanos() { one } else { other }
}

const fn longer(one: Duration, other: Duration) -> Duration {
    if one.as_nanos() > other.as_nanos() { one } else { other }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_is_given_takes_the_place_of_the_rows_own() {
        let row = RetryChanges::NONE.max_attempts(8).jitter(0.5).apply(RetryPolicy::DEFAULT);
        let expected = RetryPolicy::builder().max_attempts(8).jitter(0.5).build();
        assert_eq!(Ok(row), expected);
    }

    #[test]
    fn a_delay_of_the_row_gives_way_to_one_that_is_given() {
        let short = RetryChanges::NONE.max_delay(SECOND / 20).apply(RetryPolicy::DEFAULT);
        assert_eq!((short.base_delay(), short.max_delay()), (SECOND / 20, SECOND / 20));
        let long = RetryChanges::NONE.base_delay(10 * SECOND).apply(RetryPolicy::DEFAULT);
        assert_eq!((long.base_delay(), long.max_delay()), (10 * SECOND, 10 * SECOND));
        let both = RetryChanges::NONE.base_delay(10 * SECOND).max_delay(20 * SECOND);
        assert_eq!(both.apply(RetryPolicy::DEFAULT).max_delay(), 20 * SECOND);
    }
}
