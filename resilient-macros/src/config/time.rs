//! The keys `attempt_timeout` and `deadline`.

use std::time::Duration;

use resilient_config::ConfigError;

use super::settings::time;
use crate::diagnose::errors::Errors;
use crate::parse::args::Arg;
use crate::parse::values::{Given, constant_or, expression};

/// Reads a limit. If it is 0, that is `error`.
pub fn read(error: ConfigError, arg: &Arg, errors: &mut Errors) -> Option<Given<Duration>> {
    let value = expression(arg, errors)?;
    constant_or(value, errors, |errors| {
        let limit = time(arg, value, errors)?;
        if limit.is_zero() {
            errors.at(value, error);
            return None;
        }
        Some(limit)
    })
}
