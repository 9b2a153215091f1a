//! The time that a call has.

use std::time::Duration;

use tokio::time::Instant;

use super::enclosing;

/// The time that a request leaves to a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeLeft {
    /// When the call began.
    pub(crate) begin: Instant,
    /// When the request must be over.
    pub(crate) until: Instant,
}

impl TimeLeft {
    /// The time of a call that begins now, in the request that this thread is polling.
    pub(crate) fn of_request() -> Option<Self> {
        enclosing::request_deadline().map(|until| Self { begin: Instant::now(), until })
    }

    pub(crate) fn left(&self) -> Duration {
        self.until.saturating_duration_since(self.begin)
    }
}

/// What a call knows of its own time. It asks for the deadline of its request only when it has
/// failed or has to wait, so that a call that succeeds at once pays nothing for it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Clock {
    /// The policy has no deadline.
    Off,
    /// The policy's deadline.
    Until(Instant),
    /// When the call began, whose request must be over before the policy's deadline.
    Since(Instant),
}

impl Clock {
    /// When the call must be over.
    pub(crate) fn deadline(self) -> Option<Instant> {
        let request = enclosing::request_deadline();
        match self {
            Self::Until(own) => Some(request.map_or(own, |request| request.min(own))),
            Self::Off | Self::Since(_) => request,
        }
    }

    /// How long the call may take: the deadline of its policy, which is given, or what the request
    /// left to it.
    pub(crate) fn allowed(self, own: Option<Duration>) -> Option<Duration> {
        match self {
            Self::Off | Self::Until(_) => own,
            Self::Since(begin) => {
                enclosing::request_deadline().map(|until| TimeLeft { begin, until }.left())
            }
        }
    }
}
