//! Constants as values: `max_attempts = ATTEMPTS`.
//!
//! A constant of a wrong type is one error, by the bound of the function that takes it. What that
//! function returns then has no method of its own, and dereferences to [`WrongType`], whose methods
//! return whatever is expected. So no second error follows, and nothing evaluates them: the compiler
//! does not evaluate a static with an error.

use std::ops::Deref;
use std::time::Duration;

use resilient_config::call::MAX_KEYS;
use resilient_config::setting::{Key, Setting, find};

use crate::{BreakerConfigBuilder, ConfigError};

/// The type of a constant that is a whole number.
#[diagnostic::on_unimplemented(
    message = "this key takes a whole number, in a constant of type `u32`, not `{Self}`",
    label = "not a `u32`",
    note = "declare it as `const LIMIT: u32 = 3;`, or write the number itself"
)]
pub trait WholeNumber {}

impl WholeNumber for u32 {}

/// The type of a constant that is a duration.
#[diagnostic::on_unimplemented(
    message = "this key takes a duration, in a constant of type `Duration`, not `{Self}`",
    label = "not a `std::time::Duration`",
    note = "declare it as `const LIMIT: Duration = Duration::from_millis(500);`, or write a string, as in `\"500ms\"`"
)]
pub trait Time {}

impl Time for Duration {}

/// The type of a constant that is a number with a fraction.
#[diagnostic::on_unimplemented(
    message = "this key takes a number, in a constant of type `f64`, not `{Self}`",
    label = "not an `f64`",
    note = "declare it as `const SHARE: f64 = 0.5;`, or write the number itself"
)]
pub trait Number {}

impl Number for f64 {}

/// The type of a constant that is the length of a window.
#[diagnostic::on_unimplemented(
    message = "`window` takes a number of calls, in a constant of type `u32`, or a time, in one of type `Duration`, not `{Self}`",
    label = "neither a `u32` nor a `std::time::Duration`",
    note = "declare it as `const WINDOW: u32 = 100;` or as `const WINDOW: Duration = Duration::from_secs(60);`, or write `100` or `\"60s\"`"
)]
pub trait WindowLength {}

impl WindowLength for u32 {}

impl WindowLength for Duration {}

/// A constant for a whole number.
#[derive(Clone, Copy, Debug)]
pub struct WholeNumberIn<T>(T);

/// A constant for a duration.
#[derive(Clone, Copy, Debug)]
pub struct TimeIn<T>(T);

/// A constant for a number with a fraction.
#[derive(Clone, Copy, Debug)]
pub struct NumberIn<T>(T);

/// A constant for the length of a window.
#[derive(Clone, Copy, Debug)]
pub struct WindowIn<T>(T);

/// Takes a constant for a whole number.
#[must_use]
pub const fn whole_number_in<T: WholeNumber>(constant: T) -> WholeNumberIn<T> {
    WholeNumberIn(constant)
}

/// Takes a constant for a duration.
#[must_use]
pub const fn time_in<T: Time>(constant: T) -> TimeIn<T> {
    TimeIn(constant)
}

/// Takes a constant for a number with a fraction.
#[must_use]
pub const fn number_in<T: Number>(constant: T) -> NumberIn<T> {
    NumberIn(constant)
}

/// Takes a constant for the length of a window.
#[must_use]
pub const fn window_in<T: WindowLength>(constant: T) -> WindowIn<T> {
    WindowIn(constant)
}

impl WholeNumberIn<u32> {
    /// Returns the number. It is called only in constants, so a panic is an error of the compiler.
    ///
    /// # Panics
    ///
    /// If the number is out of the range of this key.
    #[must_use]
    pub const fn checked<B>(self, keys: &[Key<B>], name: &str) -> u32 {
        match find(keys, name) {
            Some(Setting::Count(range, _)) => in_range(range.check(self.0)),
            _ => panic!("the key takes no whole number"),
        }
    }

    /// Returns how many breakers a template has at most: see [`checked`](Self::checked).
    ///
    /// # Panics
    ///
    /// If the number is 0.
    #[must_use]
    pub const fn max_keys(self) -> u32 {
        assert!(self.0 > 0, "{}", MAX_KEYS);
        self.0
    }
}

impl TimeIn<Duration> {
    /// Returns the duration: see [`WholeNumberIn::checked`].
    ///
    /// # Panics
    ///
    /// If the duration is too short for this key.
    #[must_use]
    pub const fn checked<B>(self, keys: &[Key<B>], name: &str) -> Duration {
        match find(keys, name) {
            Some(Setting::Time(range, _)) => in_range(range.check(self.0)),
            _ => panic!("the key takes no duration"),
        }
    }

    /// Returns the time that a call or an attempt may take: see [`WholeNumberIn::checked`].
    ///
    /// # Panics
    ///
    /// With the message of `error`, if the duration is zero.
    #[must_use]
    pub const fn above_zero(self, error: ConfigError) -> Duration {
        assert!(!self.0.is_zero(), "{}", error.message());
        self.0
    }
}

impl NumberIn<f64> {
    /// Returns the number: see [`WholeNumberIn::checked`].
    ///
    /// # Panics
    ///
    /// If the number is out of the range of this key.
    #[must_use]
    pub const fn checked<B>(self, keys: &[Key<B>], name: &str) -> f64 {
        match find(keys, name) {
            Some(Setting::Number(range, _)) => in_range(range.check(self.0)),
            _ => panic!("the key takes no number"),
        }
    }
}

impl WindowIn<u32> {
    /// Gives the builder a window of calls: see [`WholeNumberIn::checked`].
    ///
    /// # Panics
    ///
    /// If the number is out of the range of this key.
    pub const fn set(
        self,
        builder: BreakerConfigBuilder,
        keys: &[Key<BreakerConfigBuilder>],
        name: &str,
    ) -> BreakerConfigBuilder {
        match find(keys, name) {
            Some(Setting::Window((range, _), _)) => {
                builder.window_calls(in_range(range.check(self.0)))
            }
            _ => panic!("the key takes no window"),
        }
    }
}

impl WindowIn<Duration> {
    /// Gives the builder a window of time: see [`WholeNumberIn::checked`].
    ///
    /// # Panics
    ///
    /// If the duration is too short for this key.
    pub const fn set(
        self,
        builder: BreakerConfigBuilder,
        keys: &[Key<BreakerConfigBuilder>],
        name: &str,
    ) -> BreakerConfigBuilder {
        match find(keys, name) {
            Some(Setting::Window(_, (range, _))) => {
                builder.window_time(in_range(range.check(self.0)))
            }
            _ => panic!("the key takes no window"),
        }
    }
}

/// Returns the value, or panics with the message.
const fn in_range<T: Copy>(checked: Result<T, ConfigError>) -> T {
    match checked {
        Ok(value) => value,
        Err(error) => panic!("{}", error.message()),
    }
}

/// Stands in for a constant of a wrong type.
#[derive(Clone, Copy, Debug)]
pub struct WrongType;

impl WrongType {
    /// Nothing calls it.
    ///
    /// # Panics
    ///
    /// Always.
    #[must_use]
    pub const fn checked<T, B>(&self, _: &[Key<B>], _: &str) -> T {
        unreachable!()
    }

    /// Nothing calls it.
    ///
    /// # Panics
    ///
    /// Always.
    #[must_use]
    pub const fn max_keys(&self) -> u32 {
        unreachable!()
    }

    /// Nothing calls it.
    ///
    /// # Panics
    ///
    /// Always.
    #[must_use]
    pub const fn above_zero(&self, _: ConfigError) -> Duration {
        unreachable!()
    }

    /// Nothing calls it.
    ///
    /// # Panics
    ///
    /// Always.
    #[must_use]
    pub const fn set<B>(&self, _: B, _: &[Key<B>], _: &str) -> B {
        unreachable!()
    }
}

impl<T> Deref for WholeNumberIn<T> {
    type Target = WrongType;

    fn deref(&self) -> &WrongType {
        &WrongType
    }
}

impl<T> Deref for TimeIn<T> {
    type Target = WrongType;

    fn deref(&self) -> &WrongType {
        &WrongType
    }
}

impl<T> Deref for NumberIn<T> {
    type Target = WrongType;

    fn deref(&self) -> &WrongType {
        &WrongType
    }
}

impl<T> Deref for WindowIn<T> {
    type Target = WrongType;

    fn deref(&self) -> &WrongType {
        &WrongType
    }
}
