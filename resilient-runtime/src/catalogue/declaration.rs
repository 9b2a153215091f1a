//! What `policies!` declares.

use super::place::Place;
use super::settings::BreakerSettings;
use crate::{BreakerConfig, RetryPolicy};

/// A breaker that [`policies!`](crate::policies) declares.
#[derive(Debug)]
pub struct BreakerDeclaration {
    name: &'static str,
    pub(crate) settings: BreakerSettings,
    is_keyed: bool,
    documentation: &'static str,
    pub(crate) place: Place,
}

impl BreakerDeclaration {
    /// For the code that `policies!` writes.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(
        name: &'static str,
        settings: BreakerSettings,
        is_keyed: bool,
        documentation: &'static str,
        file: &'static str,
        line: u32,
    ) -> Self {
        Self { name, settings, is_keyed, documentation, place: Place { file, line } }
    }

    /// Whether it is one for each value of a function's arguments: the name is then a template
    /// such as `"search/{collection}"`.
    #[must_use]
    pub const fn is_keyed(&self) -> bool {
        self.is_keyed
    }

    /// How many breakers a template may have at once.
    #[must_use]
    pub const fn max_keys(&self) -> u32 {
        self.settings.max_keys
    }

    /// The name that functions give, or the template of the names.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// How it behaves.
    #[must_use]
    pub const fn config(&self) -> &BreakerConfig {
        &self.settings.config
    }

    /// Its doc comment, empty without one.
    #[must_use]
    pub const fn documentation(&self) -> &'static str {
        self.documentation
    }

    /// The file that declares it, as the compiler was given it.
    #[must_use]
    pub const fn file(&self) -> &'static str {
        self.place.file
    }

    /// The line in that file.
    #[must_use]
    pub const fn line(&self) -> u32 {
        self.place.line
    }
}

/// A row of the retry table that [`policies!`](crate::policies) declares.
#[derive(Debug)]
pub struct RowDeclaration {
    name: &'static str,
    policy: RetryPolicy,
    documentation: &'static str,
    pub(crate) place: Place,
}

impl RowDeclaration {
    /// For the code that `policies!` writes.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(
        name: &'static str,
        policy: RetryPolicy,
        documentation: &'static str,
        file: &'static str,
        line: u32,
    ) -> Self {
        Self { name, policy, documentation, place: Place { file, line } }
    }

    /// The name: that of a kind, whose row this is, or another one.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The row.
    #[must_use]
    pub const fn policy(&self) -> &RetryPolicy {
        &self.policy
    }

    /// Its doc comment, empty without one.
    #[must_use]
    pub const fn documentation(&self) -> &'static str {
        self.documentation
    }

    /// The file that declares it, as the compiler was given it.
    #[must_use]
    pub const fn file(&self) -> &'static str {
        self.place.file
    }

    /// The line in that file.
    #[must_use]
    pub const fn line(&self) -> u32 {
        self.place.line
    }
}
