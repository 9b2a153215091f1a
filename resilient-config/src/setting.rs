//! What the value of a setting may be.
//!
//! A builder checks its numbers by these ranges, and a reader of configuration (the macros) finds
//! in them what to read, how to check it, and which setter to call.

use std::time::Duration;

use crate::backoff::Backoff;
use crate::error::ConfigError;
use crate::kind::ErrorKind;
use crate::kind_set::KindSet;

/// A key of a builder `B` with its setting.
#[derive(Debug)]
pub struct Key<B> {
    /// The key as the attribute and `policies!` take it.
    pub name: &'static str,
    /// What its value may be.
    pub setting: Setting<B>,
}

/// What the value of a key may be, and the setter that takes it.
#[derive(Debug)]
pub enum Setting<B> {
    /// A whole number.
    Count(Count, fn(B, u32) -> B),
    /// A duration.
    Time(Time, fn(B, Duration) -> B),
    /// A number.
    Number(Number, fn(B, f64) -> B),
    /// A number of calls, or a duration.
    Window((Count, fn(B, u32) -> B), (Time, fn(B, Duration) -> B)),
    /// A list of kinds of error, each of which is in this set.
    Kinds(KindSet, fn(B, &[ErrorKind]) -> B),
    /// One of [`NAMES`](crate::backoff::NAMES).
    Backoff(fn(B, Backoff) -> B),
}

impl<B> Key<B> {
    pub(crate) const fn new(name: &'static str, setting: Setting<B>) -> Self {
        Self { name, setting }
    }
}

/// Returns the setting of this key. Unlike an iterator, it works in a constant.
#[must_use]
pub const fn find<'k, B>(keys: &'k [Key<B>], name: &str) -> Option<&'k Setting<B>> {
    let mut rest = keys;
    while let [key, others @ ..] = rest {
        if is_same(key.name.as_bytes(), name.as_bytes()) {
            return Some(&key.setting);
        }
        rest = others;
    }
    None
}

const fn is_same(mut one: &[u8], mut other: &[u8]) -> bool {
    while let ([first, rest @ ..], [other_first, other_rest @ ..]) = (one, other) {
        if *first != *other_first {
            return false;
        }
        (one, other) = (rest, other_rest);
    }
    one.is_empty() && other.is_empty()
}

/// The range of a whole number.
#[derive(Clone, Copy, Debug)]
pub struct Count {
    /// The smallest.
    pub least: u32,
    /// The largest.
    pub most: u32,
    /// The error for any other number.
    pub error: ConfigError,
}

impl Count {
    /// Rejects a number out of the range.
    #[expect(clippy::missing_errors_doc, reason = "its only error is its field")]
    pub const fn check(&self, number: u32) -> Result<u32, ConfigError> {
        if number < self.least || number > self.most { Err(self.error) } else { Ok(number) }
    }
}

/// The range of a duration.
#[derive(Clone, Copy, Debug)]
pub struct Time {
    /// The shortest.
    pub least: Duration,
    /// The error for a shorter duration.
    pub error: ConfigError,
}

impl Time {
    /// Rejects a duration that is too short.
    #[expect(clippy::missing_errors_doc, reason = "its only error is its field")]
    pub const fn check(&self, time: Duration) -> Result<Duration, ConfigError> {
        if time.as_nanos() < self.least.as_nanos() { Err(self.error) } else { Ok(time) }
    }
}

/// The range of a number with a fraction.
#[derive(Clone, Copy, Debug)]
pub struct Number {
    /// The smallest.
    pub least: f64,
    /// The largest.
    pub most: f64,
    /// The example in messages.
    pub example: f64,
    /// The error for any other number.
    pub error: ConfigError,
}

impl Number {
    /// Returns the range from 0 to 1.
    pub(crate) const fn share(example: f64, error: ConfigError) -> Self {
        Self { least: 0.0, most: 1.0, example, error }
    }

    /// Rejects a number out of the range, and NaN.
    #[expect(clippy::missing_errors_doc, reason = "its only error is its field")]
    pub const fn check(&self, number: f64) -> Result<f64, ConfigError> {
        if number >= self.least && number <= self.most { Ok(number) } else { Err(self.error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::breaker::KEYS;

    #[test]
    fn each_key_is_found_by_its_whole_name() {
        for key in &KEYS {
            assert!(
                find(&KEYS, key.name)
                    .is_some_and(|found| std::ptr::eq(found, &raw const key.setting))
            );
        }
        for unknown in ["", "windo", "windows", "max_keys"] {
            assert!(find(&KEYS, unknown).is_none(), "{unknown}");
        }
    }
}
