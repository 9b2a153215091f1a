//! The keys, and the messages for unknown ones.

use resilient_config::setting::Key;
use resilient_config::{breaker, budget, retry};

use crate::diagnose::errors::Errors;
use crate::diagnose::suggest;
use crate::parse::args::{Arg, Args, SKIP};

/// The keys of the attribute.
pub const ATTRIBUTE: &[&str] = &[
    "retry",
    "breaker",
    "attempt_timeout",
    "deadline",
    "idempotent",
    "budget",
    "durations",
    "attempt",
    "classify",
    "reject",
    "crate",
];

/// The keys of `retry`, and of a declared row.
pub fn retry() -> Vec<&'static str> {
    with_names(&["row"], &retry::KEYS, &[])
}

/// The keys of `breaker`.
pub fn breaker() -> Vec<&'static str> {
    with_names(&["name"], &breaker::KEYS, &["max_keys", "scope"])
}

/// The keys of a declared breaker.
pub fn declared_breaker() -> Vec<&'static str> {
    with_names(&[], &breaker::KEYS, &["max_keys"])
}

/// The keys of a declared budget.
pub fn budget() -> Vec<&'static str> {
    with_names(&[], &budget::KEYS, &[])
}

fn with_names<B>(
    first: &[&'static str],
    keys: &[Key<B>],
    last: &[&'static str],
) -> Vec<&'static str> {
    let names = keys.iter().map(|key| key.name);
    first.iter().copied().chain(names).chain(last.iter().copied()).collect()
}

/// Returns the arguments whose keys are known, each key once, with the key as a string.
pub fn distinct<'a>(
    args: &'a Args,
    known: &[&'static str],
    errors: &mut Errors,
) -> Vec<(&'static str, &'a Arg)> {
    let mut distinct: Vec<(&str, &Arg)> = Vec::new();
    for arg in &args.0 {
        let name = arg.key.to_string();
        let Some(key) = known.iter().find(|known| **known == name) else {
            errors.at(&arg.key, unknown_key(&name, known));
            continue;
        };
        if distinct.iter().any(|(before, _)| before == key) {
            errors.at(&arg.key, format_args!("`{name}` is given twice: keep one"));
            continue;
        }
        distinct.push((*key, arg));
    }
    distinct
}

fn unknown_key(name: &str, known: &[&str]) -> String {
    if name == SKIP {
        return "`skip` goes alone on a method in an `impl` block that has `#[resilient(…)]`: it \
                leaves the method out"
            .to_owned();
    }
    if known == ATTRIBUTE {
        if retry().contains(&name) {
            return format!("`{name}` is a key of `retry`: write `retry({name} = …)`");
        }
        if breaker().contains(&name) {
            return format!(
                "`{name}` is a key of `breaker`: write `breaker(name = \"…\", {name} = …)`"
            );
        }
    } else if ATTRIBUTE.contains(&name) && (known == retry() || known == breaker()) {
        return format!("`{name}` is a key of `#[resilient]`: write it outside these parentheses");
    }
    suggest::unknown_key(name, known)
}

/// Returns the argument of this key, if it is given.
pub fn given<'a>(args: &'a Args, key: &str) -> Option<&'a Arg> {
    args.0.iter().find(|arg| arg.key == key)
}
