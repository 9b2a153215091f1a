//! A declaration of `policies!`.

use crate::event::Place;

/// A breaker, a retry row or a retry budget that [`policies!`](crate::policies) declares.
#[derive(Debug)]
pub struct Declaration<T: 'static> {
    name: &'static str,
    settings: T,
    documentation: &'static str,
    pub(super) place: Place,
}

impl<T> Declaration<T> {
    /// Called by the code that `policies!` generates.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(
        name: &'static str,
        settings: T,
        documentation: &'static str,
        file: &'static str,
        line: u32,
    ) -> Self {
        Self { name, settings, documentation, place: Place { file, line } }
    }

    /// Returns the name that functions use.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the declared settings.
    #[must_use]
    pub const fn settings(&self) -> &T {
        &self.settings
    }

    /// Returns the doc comment. It is empty if there is none.
    #[must_use]
    pub const fn documentation(&self) -> &'static str {
        self.documentation
    }

    pub(crate) const fn place(&self) -> Place {
        self.place
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
}

/// Returns the declarations in the order of the source.
pub(super) fn sorted<T>(declarations: &'static [Declaration<T>]) -> Vec<&'static Declaration<T>> {
    let mut declarations: Vec<_> = declarations.iter().collect();
    declarations.sort_by_key(|declaration| (declaration.place, declaration.name));
    declarations
}
