//! What the names of breakers, rows and budgets may be.

use syn::LitStr;

use crate::diagnose::errors::Errors;

/// Rejects a name that looks like another one. `what` has the name: `a breaker`.
pub fn check(what: &str, name: &LitStr, errors: &mut Errors) -> Option<()> {
    let text = name.value();
    let readable: String = text.chars().filter(|c| !c.is_control()).collect();
    let readable = readable.trim();
    let flaw = if text.contains(char::is_control) {
        "has a control character, which does not show"
    } else if text != readable {
        "begins or ends with a space, which does not show"
    } else {
        return Some(());
    };
    // It may be empty now.
    let advice = if readable.is_empty() { "…" } else { readable };
    errors.at(name, format_args!("the name of {what} {flaw}: write `\"{advice}\"`"));
    None
}

/// Rejects placeholders, which only the name of a breaker can have.
pub fn refuse_placeholders(what: &str, name: &LitStr, errors: &mut Errors) -> Option<()> {
    let text = name.value();
    if !text.contains(['{', '}']) {
        return Some(());
    }
    errors.at(
        name,
        format_args!(
            "the name of {what} has no placeholders, since it is the same for every call: write it \
             without braces, as in `\"{}\"`\nonly the name of a breaker can have them",
            without_braces(&text)
        ),
    );
    None
}

/// `import` of `import/{collection}`.
fn without_braces(text: &str) -> String {
    let mut depth = 0;
    let outside = text.chars().filter(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => return depth <= 0,
        }
        false
    });
    let outside: String = outside.collect();
    let plain = outside.trim_matches(|c: char| !c.is_alphanumeric());
    if plain.is_empty() { "shared".to_owned() } else { plain.to_owned() }
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::*;

    fn told(check: fn(&str, &LitStr, &mut Errors) -> Option<()>, name: &str) -> Option<String> {
        let mut errors = Errors::default();
        let passed = check("a budget", &LitStr::new(name, Span::call_site()), &mut errors);
        let error = errors.finish().err().map(|error| error.to_string());
        assert_eq!(passed.is_none(), error.is_some(), "{name:?}");
        error
    }

    #[test]
    fn a_name_that_reads_like_another_is_refused_and_that_one_is_advised() {
        for (name, advice) in [
            (" search", "search"),
            ("search ", "search"),
            ("search\n", "search"),
            ("sea\u{7}rch", "search"),
            ("\tread all\u{a0}", "read all"),
            ("\0", "…"),
        ] {
            let message = told(check, name).unwrap();
            assert!(message.ends_with(&format!(": write `\"{advice}\"`")), "{message}");
            assert_eq!(told(check, advice), None);
        }
        for name in ["search", "read all", "suche/größe", "a-b.c:d"] {
            assert_eq!(told(check, name), None);
        }
    }

    #[test]
    fn a_name_without_its_placeholders_is_advised() {
        for (name, advice) in [
            ("x/{name}", "x"),
            ("{tenant}", "shared"),
            ("{a}/import/{b}", "import"),
            ("x/{name", "x"),
            ("x{{y}}", "x"),
            ("}", "shared"),
        ] {
            let message = told(refuse_placeholders, name).unwrap();
            assert!(message.contains(&format!(", as in `\"{advice}\"`\n")), "{message}");
            assert_eq!(told(refuse_placeholders, advice), None);
        }
    }
}
