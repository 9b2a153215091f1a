//! Rules between the settings of one call that no builder has, and their messages.

use std::time::Duration;

use crate::error::ConfigError;

/// The message for a delay beside a single attempt.
pub const DELAY_OF_SINGLE_ATTEMPT: &str = "`base_delay`, `max_delay`, `jitter` and `backoff` are \
     about the delay between two attempts, and `max_attempts` of 1 allows one: raise it, or leave \
     them out";

/// The message for a template without breakers.
pub const MAX_KEYS: &str = "`max_keys` must be 1 or more";

/// Rejects an attempt timeout that is not shorter than the deadline.
///
/// # Errors
///
/// The message.
pub const fn check_attempt_timeout(
    attempt_timeout: Duration,
    deadline: Duration,
) -> Result<(), &'static str> {
    if attempt_timeout.as_nanos() < deadline.as_nanos() {
        Ok(())
    } else {
        Err(ConfigError::AttemptTimeoutOverDeadline.message())
    }
}

/// Rejects a base delay that is not over before the deadline, even if jitter shortens it.
///
/// # Errors
///
/// The message.
pub const fn check_base_delay(
    base_delay: Duration,
    jitter: f64,
    deadline: Duration,
) -> Result<(), &'static str> {
    if shortened(base_delay.as_nanos(), jitter) < deadline.as_nanos() {
        return Ok(());
    }
    Err("`base_delay` leaves no time for a retry before `deadline`: lower it, or raise `deadline`")
}

/// Rejects a duration of slow calls that no call reaches, since a limit ends it before.
///
/// # Errors
///
/// The message.
pub const fn check_slow_call(
    slow_call_duration: Duration,
    attempt_timeout: Option<Duration>,
    deadline: Option<Duration>,
) -> Result<(), &'static str> {
    // One message is enough.
    if is_longer(slow_call_duration, attempt_timeout) {
        return Err(
            "`slow_call_duration` is longer than `attempt_timeout`, which ends every call before \
             it is slow: lower it, or raise `attempt_timeout`",
        );
    }
    if is_longer(slow_call_duration, deadline) {
        return Err(
            "`slow_call_duration` is longer than `deadline`, which ends every call before it is \
             slow: lower it, or raise `deadline`",
        );
    }
    Ok(())
}

/// Returns the delay, shortened by jitter and rounded. `Duration::mul_f64` is no `const fn`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "the jitter is from 0 to 1, and nanoseconds are exact up to 104 days"
)]
const fn shortened(nanos: u128, jitter: f64) -> u128 {
    (nanos as f64 * (1.0 - jitter) + 0.5) as u128
}

const fn is_longer(duration: Duration, limit: Option<Duration>) -> bool {
    match limit {
        Some(limit) => duration.as_nanos() > limit.as_nanos(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_base_delay_is_over_before_the_deadline() {
        assert!(check_base_delay(SECOND, 0.0, SECOND).is_err());
        assert!(check_base_delay(SECOND, 0.1, SECOND).is_ok());
        assert!(check_base_delay(SECOND, 0.1, 9 * SECOND / 10).is_err());
        assert!(check_base_delay(Duration::MAX, 0.0, SECOND).is_err());
        assert!(check_base_delay(Duration::MAX, 1.0, Duration::MAX).is_ok());
    }

    #[test]
    fn the_first_limit_that_ends_slow_calls_is_named() {
        let check = |attempt_timeout, deadline| {
            check_slow_call(2 * SECOND, attempt_timeout, deadline).err().unwrap_or_default()
        };
        assert_eq!(check(None, None), "");
        assert_eq!(check(Some(2 * SECOND), Some(3 * SECOND)), "");
        assert!(check(Some(SECOND), Some(SECOND)).contains("raise `attempt_timeout`"));
        assert!(check(Some(2 * SECOND), Some(SECOND)).contains("raise `deadline`"));
    }
}
