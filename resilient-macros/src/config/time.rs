//! The keys `attempt_timeout` and `deadline`.

use std::time::Duration;

use super::numbers::time;
use crate::args::Arg;
use crate::errors::Errors;
use crate::values::expression;

/// Reads a time that something may take.
pub fn read(arg: &Arg, errors: &mut Errors) -> Option<Duration> {
    let value = expression(arg, errors)?;
    let limit = time(arg, value, errors)?;
    if limit.is_zero() {
        let key = &arg.key;
        errors
            .at(value, format_args!("`{key}` of 0 leaves no time: write `{}`", arg.with("\"2s\"")));
        return None;
    }
    Some(limit)
}
