//! The numbers of a policy, which settings may change while calls are under way.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use resilient_config::call::check_attempt_timeout;

use super::enclosing::Retries;
use crate::{ConfigError, ErrorKind, RetryPolicy, RetryTable};

/// How many versions are kept for calls that have begun with them. A call that outlives this many
/// changes ends by the oldest version that is kept.
const KEPT: usize = 64;

/// The numbers of a policy.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Numbers {
    /// `None` if nothing is retried.
    pub(crate) retry: Option<RowChoice>,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) deadline: Option<Duration>,
    /// Whether calls are timed.
    pub(crate) durations: bool,
}

/// Which row of which table an error is retried by.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum RowChoice {
    /// One row for every transient error.
    Row(RetryPolicy),
    /// The row of each error's own kind.
    ByKind(Arc<RetryTable>),
}

impl Numbers {
    /// Returns the most attempts that they allow.
    pub(crate) fn max_attempts(&self) -> u32 {
        match &self.retry {
            None => 1,
            Some(RowChoice::Row(row)) => row.max_attempts(),
            Some(RowChoice::ByKind(table)) => table.max_attempts(),
        }
    }

    /// Returns the row by which an error of this kind is retried. `None` if nothing is retried.
    pub(crate) fn row(&self, kind: ErrorKind) -> Option<RetryPolicy> {
        self.retry.as_ref().map(|retry| match retry {
            RowChoice::Row(row) => *row,
            RowChoice::ByKind(table) => table.row(kind),
        })
    }

    /// Checks the time limits.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let Self { attempt_timeout, deadline, .. } = self;
        if attempt_timeout.is_some_and(|timeout| timeout.is_zero()) {
            return Err(ConfigError::AttemptTimeout);
        }
        if deadline.is_some_and(|deadline| deadline.is_zero()) {
            return Err(ConfigError::Deadline);
        }
        match (*attempt_timeout, *deadline) {
            (Some(timeout), Some(deadline)) => check_attempt_timeout(timeout, deadline)
                .map_err(|_| ConfigError::AttemptTimeoutOverDeadline),
            _ => Ok(()),
        }
    }

    /// Returns which failures calls made inside one of these do not retry themselves.
    fn retries(&self, idempotent: bool) -> Retries {
        if self.max_attempts() > 1 { Retries::transient(idempotent) } else { Retries::NONE }
    }
}

/// Which numbers a call has begun with, and all that it needs of them if its first attempt
/// succeeds. So that path reads one word, whether settings have changed the numbers or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version(u32);

impl Version {
    /// Those of source.
    const SOURCE: u32 = 0;

    const HAS_ATTEMPT_TIMEOUT: u32 = 1 << Retries::BITS;
    const HAS_DEADLINE: u32 = 2 << Retries::BITS;
    const HAS_DURATIONS: u32 = 4 << Retries::BITS;
    const NUMBER_SHIFT: u32 = Retries::BITS + 3;

    fn new(number: u32, numbers: &Numbers, idempotent: bool) -> Self {
        let Numbers { attempt_timeout, deadline, durations, .. } = numbers;
        let timeout = if attempt_timeout.is_some() { Self::HAS_ATTEMPT_TIMEOUT } else { 0 };
        let deadline = if deadline.is_some() { Self::HAS_DEADLINE } else { 0 };
        let durations = if *durations { Self::HAS_DURATIONS } else { 0 };
        let retries = numbers.retries(idempotent).bits();
        Self(number << Self::NUMBER_SHIFT | durations | deadline | timeout | retries)
    }

    const fn number(self) -> u32 {
        self.0 >> Self::NUMBER_SHIFT
    }

    /// Whether they limit an attempt.
    #[inline]
    pub(crate) const fn has_attempt_timeout(self) -> bool {
        self.0 & Self::HAS_ATTEMPT_TIMEOUT != 0
    }

    /// Whether they limit the call.
    #[inline]
    pub(crate) const fn has_deadline(self) -> bool {
        self.0 & Self::HAS_DEADLINE != 0
    }

    /// Whether the call is timed.
    #[inline]
    pub(crate) const fn has_durations(self) -> bool {
        self.0 & Self::HAS_DURATIONS != 0
    }

    /// Which failures calls made inside the call do not retry themselves.
    #[inline]
    pub(crate) const fn retries(self) -> Retries {
        Retries::from_bits(self.0)
    }

    /// Whether they allow a second attempt.
    #[inline]
    pub(crate) const fn is_repeated(self) -> bool {
        self.retries().is_any()
    }
}

/// The numbers of source, and those that settings have put in their place.
///
/// A call remembers the number of its version, and looks the numbers up when an attempt fails or is
/// timed. So no call counts references, and a version needs to be kept only for as long as calls
/// may have begun with it.
#[derive(Debug)]
pub(crate) struct LiveNumbers {
    source: Numbers,
    idempotent: bool,
    /// The [`Version`] with which calls begin.
    current: AtomicU32,
    /// The latest versions that settings have made, in ascending order.
    kept: ArcSwapOption<Vec<(u32, Arc<Numbers>)>>,
}

/// The numbers of a call.
pub(crate) enum CallNumbers<'p> {
    Source(&'p Numbers),
    Changed(Arc<Numbers>),
}

impl LiveNumbers {
    pub(crate) fn new(source: Numbers, idempotent: bool) -> Self {
        let version = Version::new(Version::SOURCE, &source, idempotent);
        Self {
            source,
            idempotent,
            current: AtomicU32::new(version.0),
            kept: ArcSwapOption::const_empty(),
        }
    }

    pub(crate) const fn source(&self) -> &Numbers {
        &self.source
    }

    pub(crate) const fn is_idempotent(&self) -> bool {
        self.idempotent
    }

    /// Returns the version with which a call begins.
    #[inline]
    pub(crate) fn version(&self) -> Version {
        // Acquire: with a version come its numbers. On most processors, this is a plain load.
        Version(self.current.load(Ordering::Acquire))
    }

    /// Returns the numbers of a version.
    #[inline]
    pub(crate) fn of(&self, version: Version) -> CallNumbers<'_> {
        match version.number() {
            Version::SOURCE => CallNumbers::Source(&self.source),
            number => self.changed(number),
        }
    }

    fn changed(&self, number: u32) -> CallNumbers<'_> {
        let kept = self.kept.load();
        let kept = kept.as_deref().map_or(&[][..], |kept| kept);
        // The version itself, or the oldest that is kept.
        let found = kept.iter().find(|(known, _)| *known >= number);
        found.map_or(CallNumbers::Source(&self.source), |(_, numbers)| {
            CallNumbers::Changed(Arc::clone(numbers))
        })
    }

    /// Returns the numbers with which calls begin now.
    pub(crate) fn current(&self) -> CallNumbers<'_> {
        self.of(self.version())
    }

    /// Replaces the numbers for calls that begin from now on. The caller ensures that nothing else
    /// replaces them at the same time.
    pub(crate) fn set(&self, numbers: &Numbers) {
        if *self.current() == *numbers {
            return;
        }
        let is_source = *numbers == self.source;
        let number = if is_source { Version::SOURCE } else { self.keep(numbers) };
        let version = Version::new(number, numbers, self.idempotent);
        // Release: see `version`.
        self.current.store(version.0, Ordering::Release);
    }

    /// Keeps a version. Returns its number.
    fn keep(&self, numbers: &Numbers) -> u32 {
        let mut kept = self.kept.load_full().map_or_else(Vec::new, |kept| (*kept).clone());
        let number = kept.last().map_or(Version::SOURCE, |(latest, _)| *latest) + 1;
        kept.push((number, Arc::new(numbers.clone())));
        let surplus = kept.len().saturating_sub(KEPT);
        kept.drain(..surplus);
        self.kept.store(Some(Arc::new(kept)));
        number
    }
}

impl Deref for CallNumbers<'_> {
    type Target = Numbers;

    #[inline]
    fn deref(&self) -> &Numbers {
        match self {
            Self::Source(numbers) => numbers,
            Self::Changed(numbers) => numbers,
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn attempts(number: u32) -> Numbers {
        let row = RetryPolicy::builder().max_attempts(number).build().unwrap();
        Numbers { retry: Some(RowChoice::Row(row)), ..Numbers::default() }
    }

    #[test]
    fn a_call_keeps_the_numbers_that_it_has_begun_with() {
        let live = LiveNumbers::new(attempts(3), true);
        let of_source = live.version();
        live.set(&attempts(8));
        let changed = live.version();
        live.set(&attempts(1));
        let single = live.version();
        let allowed = [of_source, changed, single].map(|version| live.of(version).max_attempts());
        assert_eq!(allowed, [3, 8, 1]);
        assert_eq!(
            [of_source, changed, single].map(Version::is_repeated),
            [true, true, false],
            "without a look at the numbers"
        );
    }

    #[test]
    fn the_numbers_of_source_are_the_version_of_source_again() {
        let live = LiveNumbers::new(attempts(3), false);
        let of_source = live.version();
        live.set(&attempts(8));
        live.set(&attempts(3));
        assert_eq!(live.version(), of_source);
        live.set(&attempts(9));
        assert_eq!(live.current().max_attempts(), 9);
    }

    #[test]
    fn only_the_latest_versions_are_kept() {
        let live = LiveNumbers::new(attempts(3), false);
        live.set(&attempts(10));
        let first = live.version();
        for number in 11..=200 {
            live.set(&attempts(number));
        }
        assert_eq!(live.of(first).max_attempts(), 200 - 63, "the oldest that is kept");
        assert_eq!(live.kept.load().as_ref().unwrap().len(), KEPT);
        let before = live.version();
        live.set(&attempts(200));
        assert_eq!(live.version(), before, "nothing has changed");
    }
}
