//! Rows of the retry table as source names them, and the numbers that source gives in their place.

use std::time::Duration;

use crate::{Backoff, ConfigError, ErrorKind, RetryPolicy};

/// The row that a policy starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    /// That of the kinds without a row of their own.
    Default,
    /// That of a kind.
    Kind(ErrorKind),
    /// One declared by `policies!`, or a constant that holds its name or that of a kind.
    Named(&'static str),
}

/// The numbers of a row that are given in source, in the place of those it starts from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryChanges {
    max_attempts: Option<u32>,
    base_delay: Option<Duration>,
    max_delay: Option<Duration>,
    jitter: Option<f64>,
    backoff: Option<Backoff>,
}

impl RetryChanges {
    /// None at all.
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

    /// `row` with these numbers, if they go together with its own.
    pub(crate) const fn check(self, row: RetryPolicy) -> Result<RetryPolicy, ConfigError> {
        let mut builder = row.to_builder();
        if let Some(attempts) = self.max_attempts {
            builder = builder.max_attempts(attempts);
        }
        if let Some(delay) = self.base_delay {
            builder = builder.base_delay(delay);
        }
        if let Some(delay) = self.max_delay {
            builder = builder.max_delay(delay);
        }
        if let Some(share) = self.jitter {
            builder = builder.jitter(share);
        }
        if let Some(backoff) = self.backoff {
            builder = builder.backoff(backoff);
        }
        builder.build()
    }

    /// `row` with these numbers, where a delay of the row's gives way to one of these.
    pub(crate) fn fit(self, row: RetryPolicy) -> RetryPolicy {
        let longest = self.max_delay.unwrap_or(Duration::MAX);
        let base = self.base_delay.unwrap_or_else(|| row.base_delay().min(longest));
        let max = self.max_delay.unwrap_or_else(|| row.max_delay().max(base));
        // The attribute gives no number that is wrong whatever the row: only the two delays can
        // fail to go together.
        self.base_delay(base).max_delay(max).check(row).unwrap_or(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_is_given_takes_the_place_of_the_rows_own() {
        let row = RetryChanges::NONE.max_attempts(8).jitter(0.5).check(RetryPolicy::DEFAULT);
        let expected = RetryPolicy::builder().max_attempts(8).jitter(0.5).build();
        assert_eq!(row, expected);
    }

    #[test]
    fn a_delay_of_the_row_gives_way_to_one_that_is_given() {
        let short = RetryChanges::NONE.max_delay(SECOND / 20);
        assert_eq!(short.check(RetryPolicy::DEFAULT), Err(ConfigError::MaxDelay));
        assert_eq!(short.fit(RetryPolicy::DEFAULT).base_delay(), SECOND / 20);
        let long = RetryChanges::NONE.base_delay(10 * SECOND);
        assert_eq!(long.fit(RetryPolicy::DEFAULT).max_delay(), 10 * SECOND);
    }
}
