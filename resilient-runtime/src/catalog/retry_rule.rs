//! The rows by which a function is retried.

use std::fmt;

use super::rows::Rows;
use super::site::RetrySpec;
use crate::RetryPolicy;

/// The rows by which a function is retried.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum RetryRule {
    /// `retry = "auto"`: the row of each error's own kind.
    ByKind,
    /// One row for every transient error.
    #[non_exhaustive]
    Row {
        /// The name of the row: a kind, a name of `policies!`, or `default`.
        name: &'static str,
        /// The row with the function's own numbers.
        policy: RetryPolicy,
    },
}

impl RetryRule {
    pub(super) fn of(retry: RetrySpec) -> Self {
        match retry {
            RetrySpec::ByKind => Self::ByKind,
            RetrySpec::Row(row, changes) => Self::Row {
                name: row.name(),
                policy: changes.apply(Rows::source().find_or_default(row)),
            },
        }
    }
}

/// `"auto"`, or `"rate_limit_error" (5 attempts)`
impl fmt::Display for RetryRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByKind => formatter.write_str("\"auto\""),
            Self::Row { name, policy } => {
                let attempts = policy.max_attempts();
                let plural = if attempts == 1 { "" } else { "s" };
                write!(formatter, "\"{name}\" ({attempts} attempt{plural})")
            }
        }
    }
}
