//! The time that a call has.

use std::num::NonZero;
use std::sync::OnceLock;
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

/// A moment in half the space of an [`Instant`], since every call has room for two: nanoseconds since
/// a moment before the program started, for 584 years.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp(NonZero<u64>);

impl Stamp {
    pub(super) fn now() -> Self {
        Self::of(Instant::now())
    }

    pub(super) fn of(moment: Instant) -> Self {
        let nanos = moment.saturating_duration_since(Self::origin()).as_nanos();
        Self(NonZero::<u64>::MIN.saturating_add(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }

    pub(super) fn instant(self) -> Instant {
        Self::origin() + Duration::from_nanos(self.0.get() - 1)
    }

    pub(super) fn elapsed(self) -> Duration {
        Duration::from_nanos(Self::now().0.get().saturating_sub(self.0.get()))
    }

    /// The moment from which stamps count. A clock that is paused may be behind the program's.
    fn origin() -> Instant {
        const BEHIND: Duration = Duration::from_secs(24 * 60 * 60);
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        *ORIGIN.get_or_init(|| {
            let now = std::time::Instant::now();
            Instant::from_std(now.checked_sub(BEHIND).unwrap_or(now))
        })
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_stamp_is_the_moment_to_the_nanosecond() {
        let moment = Instant::now() + Duration::from_nanos(1_234_567_891);
        assert_eq!(Stamp::of(moment).instant(), moment);
        let stamp = Stamp::now();
        tokio::time::advance(Duration::from_nanos(7_000_001)).await;
        assert_eq!(stamp.elapsed(), Instant::now() - stamp.instant());
        assert_eq!(size_of::<Option<Stamp>>(), size_of::<u64>());
    }
}
