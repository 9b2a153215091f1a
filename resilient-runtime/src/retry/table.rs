//! The retry table: a row for each kind of error.

use resilient_config::retry::own_row;

use crate::{ErrorKind, RetryPolicy};

/// A [`RetryPolicy`] for each kind of error, and one for the kinds that have none of their own.
///
/// The default table, with delays before jitter, which is 0.1:
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

    /// Returns the row of `kind`, or the default row if it has none.
    #[must_use]
    pub const fn row(&self, kind: ErrorKind) -> RetryPolicy {
        match self.rows[kind as usize] {
            Some(row) => row,
            None => self.default,
        }
    }

    /// Returns the row of the kinds that have none of their own.
    pub(crate) const fn default_row(&self) -> RetryPolicy {
        self.default
    }

    /// Returns the same table with another row for `kind`. A kind that is not
    /// [transient](ErrorKind::is_transient) is never retried, whatever its row says.
    #[must_use]
    pub const fn with_row(mut self, kind: ErrorKind, row: RetryPolicy) -> Self {
        self.rows[kind as usize] = Some(row);
        self
    }

    /// Returns the same table with another row for the kinds that have none of their own.
    #[must_use]
    pub const fn with_default(mut self, row: RetryPolicy) -> Self {
        self.default = row;
        self
    }

    /// Returns the most attempts that any row allows.
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
}
