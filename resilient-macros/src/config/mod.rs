//! The validated configuration: every rule about what may be written lives here.

mod breaker;
mod numbers;
mod retry;

use proc_macro2::{Ident, Span};
use syn::Path;

pub use self::breaker::{Breaker, BreakerNumbers, Named, declared_breaker};
pub use self::numbers::{Setting, Settings};
pub use self::retry::{Retry, Row, Rows, declared_row};

use crate::args::{Arg, Args, SKIP, Value};
use crate::errors::Errors;
use crate::suggest;
use crate::values::runtime;

/// What the attribute asks for.
pub struct Config {
    pub retry: Option<Retry>,
    pub breaker: Option<Breaker>,
    /// Where the runtime is, if not at `::resilient_runtime`.
    pub runtime: Option<Path>,
}

const KEYS: &[&str] = &["retry", "breaker", "crate"];

/// Reads the arguments. What is wrong goes to `errors`, all of it.
pub fn read(args: &Args, errors: &mut Errors) -> Config {
    let mut config = Config { retry: None, breaker: None, runtime: None };
    if args.0.iter().all(|arg| arg.key == "crate") {
        errors.push(syn::Error::new(
            Span::call_site(),
            "`#[resilient]` names no policy; write `#[resilient(retry = \"auto\")]`, \
             `#[resilient(breaker = \"…\")]` or both: the keys are `retry` and `breaker`",
        ));
    }
    for (key, arg) in distinct(args, KEYS, errors) {
        match key {
            "retry" => config.retry = retry::read(arg, errors),
            "breaker" => config.breaker = breaker::read(arg, errors),
            _ => config.runtime = runtime(arg, errors),
        }
    }
    if let (None, Some(scope)) = (given(args, "retry"), scope_of(args)) {
        errors.at(
            scope,
            "`scope` says whether the breaker stands outside or inside the retries: it needs \
             `retry`",
        );
    }
    config
}

/// The arguments whose keys are known and not given before, each with its key as a string.
fn distinct<'a>(
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
        return "`skip` stands alone, on a method in an `impl` block that has `#[resilient(…)]`: \
                it leaves the method out"
            .to_owned();
    }
    // Only from outside: within one of the two, a key of the other is just unknown.
    if known == KEYS {
        for (outer, keys) in [("retry", retry::KEYS), ("breaker", breaker::KEYS)] {
            if keys.contains(&name) {
                return format!("`{name}` is a key of `{outer}`: write `{outer}({name} = …)`");
            }
        }
    }
    suggest::unknown_key(name, known)
}

fn given<'a>(args: &'a Args, key: &str) -> Option<&'a Arg> {
    args.0.iter().find(|arg| arg.key == key)
}

/// The key `scope`, where the attribute gives it.
fn scope_of(args: &Args) -> Option<&Ident> {
    match &given(args, "breaker")?.value {
        Value::List(args, _) => given(args, "scope").map(|arg| &arg.key),
        Value::None | Value::Expr(_) => None,
    }
}
