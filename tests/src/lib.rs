//! What the tests of this workspace share.

pub mod events;

use std::time::Duration;

use resilient_runtime::{Classify, ErrorKind, Rejection};

/// An error of any kind, with or without a hint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// A policy ended the call.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The function failed.
    #[error("{kind}")]
    Failed {
        /// Its kind.
        kind: ErrorKind,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
}

impl Failure {
    /// A failure of this kind.
    #[must_use]
    pub const fn of(kind: ErrorKind) -> Self {
        Self::Failed { kind, retry_after: None }
    }

    /// The same failure with a hint.
    #[must_use]
    pub const fn after(kind: ErrorKind, retry_after: Duration) -> Self {
        Self::Failed { kind, retry_after: Some(retry_after) }
    }

    /// Whether a policy ended the call.
    #[must_use]
    pub const fn is_rejection(&self) -> bool {
        matches!(self, Self::Rejected(_))
    }
}

impl Classify for Failure {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Rejected(rejection) => rejection.kind(),
            Self::Failed { kind, .. } => *kind,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Rejected(rejection) => rejection.retry_after(),
            Self::Failed { retry_after, .. } => *retry_after,
        }
    }
}

/// A transient failure.
pub const DOWN: Failure = Failure::of(ErrorKind::ServiceUnavailable);

/// A failure that is not transient.
pub const WRONG: Failure = Failure::of(ErrorKind::InvalidRequestError);
