//! Spans of generated code, and the path of the runtime.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::Path;

/// The span of generated code. Local names with this span cannot clash with the user's.
pub fn mixed() -> Span {
    Span::mixed_site()
}

/// Where the runtime is: at this path, or else at `::resilient_runtime`.
pub struct Runtime<'a>(pub Option<&'a Path>);

impl Runtime<'_> {
    /// Returns the path of its private module.
    pub fn private(&self, span: Span) -> TokenStream {
        self.0.map_or_else(
            || quote_spanned!(span=> ::resilient_runtime::__private),
            |runtime| quote_spanned!(span=> #runtime::__private),
        )
    }

    /// Returns the span of code whose errors are reported at `place`. A path of the user's counts as
    /// generated code there, so that lints ignore it.
    pub fn reported_at(&self, place: Span) -> Span {
        if self.0.is_some() { mixed().located_at(place) } else { place }
    }
}
