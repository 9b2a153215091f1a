//! The validated configuration: every rule about what may be written lives here.

mod breaker;
mod budget;
mod numbers;
mod retry;
mod time;

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use syn::{Lit, LitStr, Path};

pub use self::breaker::{Breaker, BreakerSettings, Named, declared_breaker};
pub use self::budget::declared_budget;
pub use self::numbers::{Setting, Settings};
pub use self::retry::{Retry, Row, Rows, declared_row};

use crate::args::{Arg, Args, SKIP, Value};
use crate::errors::Errors;
use crate::suggest;
use crate::values::{self, Text, flag, literal, path, runtime};

/// What the attribute asks for.
#[derive(Default)]
pub struct Config {
    pub retry: Option<Retry>,
    pub breaker: Option<Breaker>,
    pub attempt_timeout: Option<Duration>,
    pub deadline: Option<Duration>,
    /// `idempotent = false`
    pub runs_once: bool,
    /// The name of the budget.
    pub budget: Option<Text>,
    /// What the body calls its attempt.
    pub attempt: Option<Ident>,
    /// Where the runtime is, if not at `::resilient_runtime`.
    pub runtime: Option<Path>,
}

impl Config {
    /// Whether an attempt may follow the first.
    pub fn repeats(&self) -> bool {
        self.retry.as_ref().is_some_and(|retry| retry.repeats)
    }

    /// The constants that stand in the place of names.
    fn constants(&self) -> impl Iterator<Item = &Path> {
        let row = self.retry.as_ref().and_then(|retry| match &retry.rows {
            Rows::One { row: Row::Constant(path), .. } => Some(path),
            _ => None,
        });
        let breaker = self.breaker.as_ref().and_then(|breaker| match &breaker.name {
            Named::Path(path) => Some(path),
            _ => None,
        });
        let budget = self.budget.as_ref().and_then(|budget| match budget {
            Text::Constant(path) => Some(path),
            Text::Literal(_) => None,
        });
        row.into_iter().chain(breaker).chain(budget)
    }

    /// Refuses a name that depends on a type parameter: there is one policy for all types.
    pub fn check_generics(&self, generics: &[Ident], errors: &mut Errors) {
        for path in self.constants() {
            let first = path.segments.first().map(|first| &first.ident);
            if let Some(parameter) = first.filter(|first| generics.contains(first)) {
                errors.at(
                    path,
                    format_args!(
                        "`{parameter}` is a type parameter, and a name is the same for all types: \
                         write a string, or a constant that does not depend on `{parameter}`"
                    ),
                );
            }
        }
    }

    /// Whether an attempt may not take for ever.
    pub const fn is_timed(&self) -> bool {
        self.attempt_timeout.is_some() || self.deadline.is_some()
    }

    /// Whether a call can end without an answer of the function.
    pub const fn rejects(&self) -> bool {
        self.breaker.is_some() || self.is_timed()
    }
}

const KEYS: &[&str] = &[
    "retry",
    "breaker",
    "attempt_timeout",
    "deadline",
    "idempotent",
    "budget",
    "attempt",
    "crate",
];

/// Those that are no policy by themselves.
const ADDITIONS: &[&str] = &["attempt", "crate"];

/// Reads the arguments of a function. What is wrong goes to `errors`, all of it.
pub fn read(args: &Args, errors: &mut Errors) -> Config {
    if args.0.iter().all(|arg| ADDITIONS.iter().any(|key| arg.key == key)) {
        errors.push(syn::Error::new(
            Span::call_site(),
            "`#[resilient]` names no policy; write `#[resilient(retry = \"auto\")]`, \
             `#[resilient(breaker = \"…\")]` or both: the keys are `retry`, `breaker`, \
             `attempt_timeout`, `deadline`, `idempotent` and `budget`",
        ));
    }
    let config = read_keys(args, errors);
    if given(args, "retry").is_none() {
        need_retry(args, errors);
    } else if config.retry.as_ref().is_some_and(|retry| !retry.repeats) {
        refuse_idle(args, errors);
    }
    check_times(args, &config, errors);
    config
}

/// Reads each argument by itself: those of an `impl` block have to go together only with those of
/// each method.
pub fn read_keys(args: &Args, errors: &mut Errors) -> Config {
    let mut config = Config::default();
    for (key, arg) in distinct(args, KEYS, errors) {
        let takes_arguments = ["retry", "breaker"].contains(&key);
        values::read(arg, takes_arguments, errors, |arg, errors| match key {
            "retry" => config.retry = retry::read(arg, errors),
            "breaker" => config.breaker = breaker::read(arg, errors),
            "attempt_timeout" => config.attempt_timeout = time::read(arg, errors),
            "deadline" => config.deadline = time::read(arg, errors),
            "idempotent" => config.runs_once = flag(arg, errors) == Some(false),
            "budget" => config.budget = budget::read(arg, errors),
            "attempt" => config.attempt = attempt(arg, errors),
            _ => config.runtime = runtime(arg, errors),
        });
    }
    config
}

/// Refuses what says how to retry beside `max_attempts = 1`. A method that overrides the `retry` of
/// its `impl` block to retry nothing inherits the rest, and cannot leave it out.
fn refuse_idle(args: &Args, errors: &mut Errors) {
    let Some(retry) = given(args, "retry") else { return };
    let is_overridden = |arg: &Arg| arg.inherited && !retry.inherited;
    let breaker = given(args, "breaker").filter(|breaker| !is_overridden(breaker));
    let scope = breaker.and_then(|_| scope_of(args));
    let of_retries = ["idempotent", "budget"].iter().filter_map(|key| given(args, key));
    let of_retries = of_retries.filter(|arg| !is_overridden(arg)).map(|arg| &arg.key);
    for key in scope.into_iter().chain(of_retries) {
        errors.at(
            key,
            format_args!(
                "`{key}` is about retries, and `max_attempts = 1` allows none: raise \
                 `max_attempts`, or leave `{key}` out"
            ),
        );
    }
}

/// Refuses times that another one never lets pass.
fn check_times(args: &Args, config: &Config, errors: &mut Errors) {
    let Config { retry, breaker, attempt_timeout, deadline, .. } = config;
    if let (Some(attempt), Some(deadline), Some(arg)) =
        (attempt_timeout, deadline, given(args, "attempt_timeout"))
        && attempt >= deadline
    {
        errors.at(
            &arg.key,
            "`attempt_timeout` is not shorter than `deadline`, which ends the call before: lower \
             it, or leave it out",
        );
    }
    if let (Some(retry), Some(deadline)) = (retry, deadline)
        && let Some((key, delay)) = retry.shortest_delay()
        && delay >= *deadline
    {
        errors.at(
            key,
            "`base_delay` leaves no time for a retry before `deadline`: lower it, or raise \
             `deadline`",
        );
    }
    let Some((key, slow)) =
        breaker.as_ref().and_then(|breaker| breaker.settings.slow_call_duration())
    else {
        return;
    };
    // The shorter one is enough.
    let attempt = attempt_timeout.map(|limit| (limit, "attempt_timeout"));
    let call = deadline.map(|limit| (limit, "deadline"));
    if let Some((_, limit)) = attempt.into_iter().chain(call).find(|(limit, _)| slow > *limit) {
        errors.at(
            key,
            format_args!(
                "`slow_call_duration` is longer than `{limit}`, which ends every call before it is slow: \
                 lower it, or raise `{limit}`"
            ),
        );
    }
}

/// Refuses a string without a key: `#[resilient("auto")]`.
pub fn refuse_bare(args: &TokenStream) -> syn::Result<()> {
    let Ok(name) = syn::parse2::<LitStr>(args.clone()) else { return Ok(()) };
    let key = if retry::names_row(&name.value()) { "retry" } else { "breaker" };
    let message = format_args!("a value needs its key before it: write `{key} = {}`", name.token());
    Err(syn::Error::new(name.span(), message))
}

/// Refuses what says how to retry, where nothing is retried.
fn need_retry(args: &Args, errors: &mut Errors) {
    if let Some(scope) = scope_of(args) {
        errors.at(
            scope,
            "`scope` says whether the breaker stands outside or inside the retries: it needs \
             `retry`",
        );
    }
    for (key, message) in [
        (
            "idempotent",
            "`idempotent` says whether a call is retried that may have been executed: it needs \
             `retry`",
        ),
        ("budget", "`budget` is what retries are paid from: it needs `retry`"),
    ] {
        if let Some(arg) = given(args, key) {
            errors.at(&arg.key, message);
        }
    }
}

/// The name that the body gives its attempt.
fn attempt(arg: &Arg, errors: &mut Errors) -> Option<Ident> {
    let value = if let Value::Expr(value) = &arg.value { Some(value) } else { None };
    let name = value.and_then(|value| path(value)?.get_ident().cloned());
    let name = name.filter(|name| name != "self");
    if name.is_none() {
        let quoted = match value.and_then(literal) {
            Some(Lit::Str(text)) => text.parse::<Ident>().ok(),
            _ => None,
        };
        let advice = arg.with(quoted.map_or_else(|| "ctx".to_owned(), |name| name.to_string()));
        errors.at(
            &arg.key,
            format_args!(
                "`attempt` takes the name by which the body knows its attempt: write `{advice}`"
            ),
        );
    }
    name
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
    if known == KEYS {
        if retry::names_row(name) {
            return format!("a row is the value of a key: write `retry = \"{name}\"`");
        }
        if retry::KEYS.contains(&name) {
            return format!("`{name}` is a key of `retry`: write `retry({name} = …)`");
        }
        if breaker::KEYS.contains(&name) {
            return format!(
                "`{name}` is a key of `breaker`: write `breaker(name = \"…\", {name} = …)`"
            );
        }
    } else if KEYS.contains(&name) && [retry::KEYS, breaker::KEYS].contains(&known) {
        return format!("`{name}` stands for itself: write it outside of these parentheses");
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
        _ => None,
    }
}
