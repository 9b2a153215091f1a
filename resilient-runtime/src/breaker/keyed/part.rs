//! The values of the placeholders in a template.

use std::fmt;

#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a circuit breaker's name",
    label = "a value that is not `Display`",
    note = "name a parameter or field that is a string or a number, or anything that implements `Display`"
)]
pub trait KeyPart {
    /// The value, to be written into the name.
    fn part(&self) -> &dyn fmt::Display;
}

#[diagnostic::do_not_recommend]
impl<T: fmt::Display> KeyPart for T {
    fn part(&self) -> &dyn fmt::Display {
        self
    }
}

/// The value of a placeholder. It comes without its type, so that a missing bound is reported
/// once.
pub fn key_part<T: KeyPart>(value: &T) -> Part<'_> {
    Part(value.part())
}

/// The value of a placeholder.
pub struct Part<'a>(pub(super) &'a dyn fmt::Display);
