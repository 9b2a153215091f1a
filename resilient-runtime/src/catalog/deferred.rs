//! Rules between settings, for values that constants hold. The macros check all others.
//!
//! These functions are called only in constants, so a panic is an error of the compiler.

use resilient_config::call::{
    DELAY_OF_SINGLE_ATTEMPT, check_attempt_timeout, check_base_delay, check_slow_call,
};

use super::site::{CallSite, RetrySpec};
use crate::retry::{RetryChanges, RowRef};
use crate::{ConfigError, RetryPolicy};

/// Rejects an attempt timeout that is not shorter than the deadline.
///
/// # Panics
///
/// If it is not.
#[must_use]
pub const fn attempt_timeout_before_deadline(site: CallSite) -> CallSite {
    if let (Some(attempt_timeout), Some(deadline)) = (site.attempt_timeout, site.deadline) {
        accept(check_attempt_timeout(attempt_timeout, deadline));
    }
    site
}

/// Rejects a single attempt beside keys about retries.
///
/// # Panics
///
/// If there is a single attempt.
#[must_use]
pub const fn several_attempts(site: CallSite) -> CallSite {
    assert!(!is_single_attempt(&site), "{}", ConfigError::SingleAttempt.message());
    site
}

/// Rejects a single attempt beside keys about delays.
///
/// # Panics
///
/// If there is a single attempt.
#[must_use]
pub const fn several_attempts_with_delays(site: CallSite) -> CallSite {
    assert!(!is_single_attempt(&site), "{}", DELAY_OF_SINGLE_ATTEMPT);
    site
}

/// Rejects a base delay that leaves no time before the deadline. A declared row may have any jitter.
///
/// # Panics
///
/// If it leaves no time.
#[must_use]
pub const fn base_delay_before_deadline(site: CallSite) -> CallSite {
    if let (Some(RetrySpec::Row(row, changes)), Some(deadline)) = (site.retry, site.deadline)
        && let Some(base_delay) = changes.base_delay
        && !is_single_attempt(&site)
    {
        match (changes.jitter, row) {
            (Some(jitter), _) => accept(check_base_delay(base_delay, jitter, deadline)),
            (None, RowRef::Default | RowRef::Kind(_)) => {
                let jitter = RetryPolicy::DEFAULT.jitter();
                accept(check_base_delay(base_delay, jitter, deadline));
            }
            (None, RowRef::Named(_)) => {}
        }
    }
    site
}

/// Rejects a breaker for which no call is ever slow.
///
/// # Panics
///
/// If none is.
#[must_use]
pub const fn slow_call_before_limits(site: CallSite) -> CallSite {
    if let Some(breaker) = site.breaker
        && let Some(settings) = breaker.settings
        && let Some(slow_call_duration) = settings.config().slow_call_duration()
    {
        accept(check_slow_call(slow_call_duration, site.attempt_timeout, site.deadline));
    }
    site
}

/// Rejects a longest delay that is shorter than the first.
///
/// # Panics
///
/// If it is.
#[must_use]
pub const fn max_delay_over_base_delay(changes: RetryChanges) -> RetryChanges {
    if let (Some(base_delay), Some(max_delay)) = (changes.base_delay, changes.max_delay) {
        assert!(
            base_delay.as_nanos() <= max_delay.as_nanos(),
            "{}",
            ConfigError::MaxDelay.message()
        );
    }
    changes
}

const fn is_single_attempt(site: &CallSite) -> bool {
    matches!(site.retry, Some(RetrySpec::Row(_, RetryChanges { max_attempts: Some(1), .. })))
}

/// Panics with the message of an error.
const fn accept(checked: Result<(), &'static str>) {
    if let Err(message) = checked {
        panic!("{}", message);
    }
}
