//! Which kinds of error count as failures, from lists as a user gives them.

use crate::kinds::ErrorKinds;
use crate::{ConfigError, ErrorKind};

/// The kinds of a list.
pub(super) const fn listed(kinds: &[ErrorKind]) -> Result<ErrorKinds, ConfigError> {
    let mut listed = ErrorKinds::NONE;
    let mut rest = kinds;
    while let [kind, others @ ..] = rest {
        if listed.contains(*kind) {
            return Err(ConfigError::KindTwice(*kind));
        }
        listed = listed.with(*kind);
        rest = others;
    }
    if listed.is_empty() { Err(ConfigError::NoKinds) } else { Ok(listed) }
}

/// The kinds that count without these.
pub(super) const fn all_but(ignored: ErrorKinds) -> Result<ErrorKinds, ConfigError> {
    let allowed = ErrorKinds::TRANSIENT.with(ErrorKind::DeadlineExceeded);
    if !ignored.without(allowed).is_empty() {
        return Err(ConfigError::IgnoreNotTransient);
    }
    let counted = ErrorKinds::TRANSIENT.without(ignored);
    if counted.is_empty() { Err(ConfigError::IgnoreAll) } else { Ok(counted) }
}
