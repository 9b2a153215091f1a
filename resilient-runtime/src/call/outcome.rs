//! How the calls of a function or a policy have ended.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::ErrorKind;
use crate::count::Striped;
use crate::event::GiveUpReason;

/// How a call has ended.
///
/// ```
/// assert_eq!(resilient_runtime::CallOutcome::Timeout.as_str(), "timeout");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CallOutcome {
    /// With a success.
    Success,
    /// With an error of the last attempt, or a panic.
    Error,
    /// Without an attempt: a circuit breaker rejected it, or its request had no time left.
    Rejected,
    /// A time limit ended it: that of the last attempt, its deadline, or that of its request.
    Timeout,
    /// Its future was dropped before it had ended.
    Cancelled,
}

impl CallOutcome {
    /// Every outcome. Later versions of the library may lengthen this list.
    pub const ALL: &'static [Self] =
        &[Self::Success, Self::Error, Self::Rejected, Self::Timeout, Self::Cancelled];

    const COUNT: usize = Self::ALL.len();

    /// Returns the name, for the label of a metric: `"success"`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Error => "error",
            Self::Rejected => "rejected",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What is counted of the calls of one function or policy.
#[derive(Debug)]
pub(crate) struct CallCounters {
    outcomes: Striped<{ CallOutcome::COUNT }>,
    /// By the position of the kind. Retries and ends are too rare to be striped.
    retries: [AtomicU64; ErrorKind::ALL.len()],
    /// By the position of the reason.
    gave_up: [AtomicU64; GiveUpReason::ALL.len()],
}

impl CallCounters {
    pub(super) const fn new() -> Self {
        Self {
            outcomes: Striped::new(),
            retries: [const { AtomicU64::new(0) }; ErrorKind::ALL.len()],
            gave_up: [const { AtomicU64::new(0) }; GiveUpReason::ALL.len()],
        }
    }

    #[inline]
    pub(super) fn count(&self, outcome: CallOutcome) {
        self.outcomes.count(outcome as usize);
    }

    /// [`count`](Self::count) a success, if this thread has counters of its own.
    #[inline]
    pub(super) fn count_own_success(&self) -> bool {
        self.outcomes.count_own(CallOutcome::Success as usize)
    }

    pub(super) fn count_retry(&self, after: ErrorKind) {
        add_one(&self.retries, ErrorKind::ALL, &after);
    }

    pub(super) fn count_gave_up(&self, reason: GiveUpReason) {
        add_one(&self.gave_up, GiveUpReason::ALL, &reason);
    }

    pub(crate) fn read(&self) -> CallCounts {
        CallCounts {
            outcomes: self.outcomes.read(),
            retries: self.retries.each_ref().map(load),
            gave_up: self.gave_up.each_ref().map(load),
        }
    }
}

fn add_one<T: PartialEq>(counters: &[AtomicU64], all: &[T], one: &T) {
    if let Some(position) = all.iter().position(|known| known == one) {
        // Relaxed, here and below: each number orders no other memory.
        counters[position].fetch_add(1, Ordering::Relaxed);
    }
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// How the calls of a function or a policy have ended, since the program started.
///
/// A call counts once it has ended.
///
/// ```
/// use resilient_runtime::{CallOutcome, ErrorKind, Policy, RetryPolicy};
/// # use resilient_runtime::{Classify, Rejection};
/// # #[derive(Debug)] struct SearchError;
/// # impl Classify for SearchError { fn kind(&self) -> ErrorKind { ErrorKind::NetworkError } }
/// # impl From<Rejection> for SearchError { fn from(_: Rejection) -> Self { Self } }
///
/// let policy = Policy::builder("search").retry(RetryPolicy::DEFAULT).build()?;
/// let mut failing = [Err(SearchError), Ok("seven hits")].into_iter();
/// # tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(async {
/// let hits = policy.run(|| std::future::ready(failing.next().unwrap())).await;
/// # assert!(hits.is_ok());
/// # });
/// let counts = policy.counts();
/// assert_eq!(counts.calls(CallOutcome::Success), 1);
/// assert_eq!(counts.retries(ErrorKind::NetworkError), 1);
/// assert_eq!(counts.attempts(), 2);
/// # Ok::<(), resilient_runtime::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallCounts {
    outcomes: [u64; CallOutcome::COUNT],
    retries: [u64; ErrorKind::ALL.len()],
    gave_up: [u64; GiveUpReason::ALL.len()],
}

impl CallCounts {
    pub(crate) const ZERO: Self = Self {
        outcomes: [0; CallOutcome::COUNT],
        retries: [0; ErrorKind::ALL.len()],
        gave_up: [0; GiveUpReason::ALL.len()],
    };

    /// Returns the counts that these functions say.
    #[cfg(feature = "serde")]
    pub(crate) fn by(
        calls: impl Fn(CallOutcome) -> u64,
        retries: impl Fn(ErrorKind) -> u64,
        gave_up: impl Fn(GiveUpReason) -> u64,
    ) -> Self {
        Self {
            outcomes: std::array::from_fn(|index| calls(CallOutcome::ALL[index])),
            retries: std::array::from_fn(|index| retries(ErrorKind::ALL[index])),
            gave_up: std::array::from_fn(|index| gave_up(GiveUpReason::ALL[index])),
        }
    }

    /// Returns how many calls have ended in this way.
    #[must_use]
    pub const fn calls(&self, outcome: CallOutcome) -> u64 {
        self.outcomes[outcome as usize]
    }

    /// Returns how many retries have begun after an error of this kind.
    #[must_use]
    pub fn retries(&self, after: ErrorKind) -> u64 {
        at(&self.retries, ErrorKind::ALL, &after)
    }

    /// Returns how many calls that may be retried ended with an error for this reason.
    #[must_use]
    pub fn gave_up(&self, reason: GiveUpReason) -> u64 {
        at(&self.gave_up, GiveUpReason::ALL, &reason)
    }

    /// Returns how many calls have ended.
    #[must_use]
    pub fn total_calls(&self) -> u64 {
        sum(&self.outcomes)
    }

    /// Returns how many retries have begun.
    #[must_use]
    pub fn total_retries(&self) -> u64 {
        sum(&self.retries)
    }

    /// Returns how many attempts the calls that have ended have made, and the retries of the others:
    /// how many requests the server got, if each attempt sends one.
    #[must_use]
    pub fn attempts(&self) -> u64 {
        let sent = self.total_calls().saturating_sub(self.calls(CallOutcome::Rejected));
        sent.saturating_add(self.total_retries())
    }

    /// Adds those of another site of the same function.
    pub(crate) fn add(&mut self, other: &Self) {
        let all = |sum: &mut [u64], more: &[u64]| {
            sum.iter_mut().zip(more).for_each(|(sum, more)| *sum = sum.saturating_add(*more));
        };
        all(&mut self.outcomes, &other.outcomes);
        all(&mut self.retries, &other.retries);
        all(&mut self.gave_up, &other.gave_up);
    }
}

/// Saturates, since a snapshot may come from outside the program.
fn sum(counts: &[u64]) -> u64 {
    counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
}

fn at<T: PartialEq>(counts: &[u64], all: &[T], one: &T) -> u64 {
    all.iter().position(|known| known == one).map_or(0, |position| counts[position])
}
