//! The methods that the attribute on an `impl` block leaves without a policy.

use std::fmt;

use crate::event::Place;

/// A method without a policy in an `impl` block that has `#[resilient]`. See
/// [`Catalog::passed_over`](crate::Catalog::passed_over).
#[derive(Clone, Copy, Debug)]
pub struct PassedOver {
    method: &'static str,
    pub(super) place: Place,
    why: Why,
}

/// Why a method has no policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is no async function: a stream, a builder, or code that does not wait.
    NotAsync,
    /// The name of its return type does not end in `Result`.
    NoResult,
    /// It has `#[resilient(skip)]`.
    Skipped,
}

impl PassedOver {
    /// The method of this path, at this place in source.
    #[must_use]
    pub const fn new(method: &'static str, file: &'static str, line: u32, why: Why) -> Self {
        Self { method, place: Place { file, line }, why }
    }

    /// Returns the path of the method, with the type: `app::Store::scroll`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.method
    }

    /// Returns the path of the file, as the compiler received it.
    #[must_use]
    pub const fn file(&self) -> &'static str {
        self.place.file
    }

    /// Returns the line in that file.
    #[must_use]
    pub const fn line(&self) -> u32 {
        self.place.line
    }

    /// Returns why the method has no policy.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self.why {
            Why::NotAsync => "not an async function",
            Why::NoResult => "the name of its return type does not end in `Result`",
            Why::Skipped => "left out by `#[resilient(skip)]`",
        }
    }
}

/// `src/store.rs:17 app::Store::scroll: not an async function`
impl fmt::Display for PassedOver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}: {}", self.place, self.method, self.reason())
    }
}
