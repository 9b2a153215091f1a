//! The names of the kinds of error.

use proc_macro2::{Ident, Span};
use resilient_config::{ErrorKind, KindSet};
use syn::LitStr;

use crate::diagnose::errors::Errors;
use crate::diagnose::suggest::{all_of, did_you_mean};

/// A kind, and the span of its name.
pub struct Kind {
    pub kind: ErrorKind,
    pub span: Span,
}

impl Kind {
    /// Returns the variant of `ErrorKind`, with the span of the name: the editor shows its
    /// documentation there.
    pub fn variant(&self) -> Ident {
        Ident::new(&format!("{:?}", self.kind), self.span)
    }
}

/// The kinds that are not transient.
pub const LASTING: KindSet = KindSet::ALL.without(KindSet::TRANSIENT);

/// Reads the kind of this name.
pub fn read(name: &LitStr, errors: &mut Errors) -> Option<Kind> {
    let text = name.value();
    if let Ok(kind) = text.parse() {
        return Some(Kind { kind, span: name.span() });
    }
    let hint = did_you_mean(&text, &KindSet::ALL.names());
    errors.at(
        name,
        format_args!(
            "unknown kind of error `{text}`{hint}\nthese are retried, and by default count as \
             failures of a breaker: {}\nthese are not: {}",
            all_of(&KindSet::TRANSIENT.names()),
            all_of(&LASTING.names())
        ),
    );
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(name: &str) -> String {
        let mut errors = Errors::default();
        assert!(read(&LitStr::new(name, Span::call_site()), &mut errors).is_none());
        let message = errors.finish().unwrap_err().to_string();
        message.lines().next().unwrap().to_owned()
    }

    #[test]
    fn a_kind_that_is_written_otherwise_is_recognized() {
        for (written, meant) in [
            ("RateLimit", "rate_limit_error"),
            ("InternalError", "internal_error"),
            ("conection_eror", "connection_error"),
            ("timeout", "timeout_error"),
            ("not_found", "not_found_error"),
        ] {
            assert!(hint(written).ends_with(&format!("; did you mean `{meant}`?")), "{written}");
        }
        for written in ["weather", "auto", "weather_error", "error", ""] {
            assert_eq!(hint(written), format!("unknown kind of error `{written}`"));
        }
    }
}
