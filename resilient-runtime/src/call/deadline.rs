//! When a call must be over.

use std::time::Duration;

use tokio::time::Instant;

use super::enclosing;

/// When a call must be over.
///
/// It is no larger than an `Option<Instant>`, since every call has one: what belongs to a request is
/// boxed, so that only a call inside a request pays for it.
#[derive(Debug)]
pub(crate) enum Deadline {
    /// It may take as long as it takes.
    None,
    /// At the deadline of its policy.
    Own(Instant),
    /// When the request must be over that it belongs to.
    Request(Box<TimeLeft>),
}

const _: () = assert!(size_of::<Deadline>() == size_of::<Option<Instant>>());

/// What was left of the time of a request when a call began.
#[derive(Debug)]
pub(crate) struct TimeLeft {
    /// When the request must be over.
    pub(crate) until: Instant,
    /// How long that was.
    pub(crate) left: Duration,
}

impl TimeLeft {
    /// The time of the request that this thread is polling, for a call that begins now.
    pub(crate) fn of_request() -> Option<Self> {
        let until = enclosing::request_deadline()?;
        Some(Self { until, left: until.saturating_duration_since(Instant::now()) })
    }
}

impl Deadline {
    /// The deadline of the request that this thread is polling.
    #[cold]
    pub(crate) fn of_request() -> Self {
        TimeLeft::of_request().map_or(Self::None, |time| Self::Request(Box::new(time)))
    }

    /// The call must also be over by the deadline of its policy.
    pub(crate) fn shorten(&mut self, own: Instant) {
        if self.at().is_none_or(|until| own <= until) {
            *self = Self::Own(own);
        }
    }

    /// The moment.
    #[inline]
    pub(crate) fn at(&self) -> Option<Instant> {
        match self {
            Self::None => None,
            Self::Own(until) => Some(*until),
            Self::Request(request) => Some(request.until),
        }
    }

    /// How long the call had when it began, if the request limits it.
    pub(crate) fn left_by_request(&self) -> Option<Duration> {
        match self {
            Self::None | Self::Own(_) => None,
            Self::Request(request) => Some(request.left),
        }
    }

    /// Whether there is none.
    #[inline]
    pub(crate) const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}
