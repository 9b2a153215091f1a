//! An attempt that returned an error, and what a run must know about it.

use std::time::Duration;

use super::timed::RanOut;
use crate::{Classify, ErrorKind};

/// What a run must know about the error of an attempt.
#[derive(Clone, Copy, Debug)]
pub struct FailedAttempt {
    pub(super) kind: ErrorKind,
    pub(super) hint: Option<Duration>,
    pub(super) maybe_executed: bool,
    pub(super) may_retry: bool,
    /// Which limit of the policy ended the attempt, if one did.
    pub(super) ran_out: Option<RanOut>,
}

impl FailedAttempt {
    pub(crate) fn of<E: Classify>(error: &E) -> Self {
        Self {
            kind: error.kind(),
            hint: error.retry_after(),
            maybe_executed: error.maybe_executed(),
            may_retry: error.may_retry(),
            ran_out: None,
        }
    }

    /// Records that this limit ended the attempt. If it was the deadline, the kind does not depend
    /// on what the user's code makes of the rejection.
    pub(super) const fn ended_by(&mut self, ran_out: RanOut) {
        self.ran_out = Some(ran_out);
        if let RanOut::Deadline = ran_out {
            self.kind = ErrorKind::DeadlineExceeded;
        }
    }
}
