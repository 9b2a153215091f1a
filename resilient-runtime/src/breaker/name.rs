//! The name of a breaker.

use std::fmt;
use std::ops::Deref;

/// The name of a [`CircuitBreaker`](crate::CircuitBreaker): a string that is cheap to copy into an
/// error.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BreakerName(&'static str);

impl BreakerName {
    pub(crate) const fn from_static(name: &'static str) -> Self {
        Self(name)
    }

    /// The name as a string.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        self.0
    }
}

impl Deref for BreakerName {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq<str> for BreakerName {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for BreakerName {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Display for BreakerName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self)
    }
}

impl fmt::Debug for BreakerName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), formatter)
    }
}
