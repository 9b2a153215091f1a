//! What the names of breakers, rows and budgets may be.

use syn::LitStr;

use crate::diagnose::errors::Errors;

/// Rejects a name that looks like another one. `what` has the name: `a breaker`.
pub fn check(what: &str, name: &LitStr, errors: &mut Errors) -> Option<()> {
    let text = name.value();
    let flaw = if text.contains(char::is_control) {
        "has a control character"
    } else if text != text.trim() {
        "begins or ends with a space"
    } else {
        return Some(());
    };
    errors.at(name, format_args!("the name of {what} {flaw}, which does not show: remove it"));
    None
}

/// Rejects placeholders, which only the name of a breaker can have.
pub fn refuse_placeholders(name: &LitStr, errors: &mut Errors) -> Option<()> {
    if !name.value().contains(['{', '}']) {
        return Some(());
    }
    errors.at(
        name,
        "only the name of a breaker can have placeholders: write this name without braces",
    );
    None
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::*;

    fn passes(name: &str) -> bool {
        let mut errors = Errors::default();
        let passed = check("a budget", &LitStr::new(name, Span::call_site()), &mut errors);
        assert_eq!(passed.is_none(), errors.finish().is_err(), "{name:?}");
        passed.is_some()
    }

    #[test]
    fn a_name_that_reads_like_another_is_refused() {
        for name in [" search", "search ", "search\n", "sea\u{7}rch", "\tread all\u{a0}", "\0"] {
            assert!(!passes(name), "{name:?}");
        }
        for name in ["search", "read all", "suche/größe", "a-b.c:d"] {
            assert!(passes(name), "{name:?}");
        }
    }
}
