//! What the arguments mean, and every rule about them that does not depend on the function.

mod breaker;
mod budget;
mod contradictions;
mod keys;
mod kind_list;
mod names;
mod retry;
mod settings;
mod time;

use std::time::Duration;

use proc_macro2::{Ident, Span};
use resilient_config::ConfigError;
use syn::Path;

pub use self::breaker::{Breaker, BreakerSettings, BreakerSource, declared_breaker};
pub use self::budget::declared_budget;
pub use self::retry::{Retry, RetrySpec, RowRef, declared_row};
pub use self::settings::{Settings, Value as SettingValue};

use self::keys::{ATTRIBUTE, distinct, given};
use crate::diagnose::errors::Errors;
use crate::parse::args::{Arg, Args, Value};
use crate::parse::values::{Text, expression, flag, path, runtime};

/// The policy that the attribute describes.
#[derive(Default)]
pub struct Config {
    pub retry: Option<Retry>,
    pub breaker: Option<Breaker>,
    pub attempt_timeout: Option<Duration>,
    pub deadline: Option<Duration>,
    pub idempotent: Option<bool>,
    /// The name of the budget.
    pub budget: Option<Text>,
    /// The name of the attempt in the body.
    pub attempt: Option<Ident>,
    /// The function that classifies an error, if its type does not.
    pub classify: Option<Path>,
    /// The function that converts a rejection to an error, if its type does not.
    pub reject: Option<Path>,
    /// The path of the runtime, if it is not `::resilient_runtime`.
    pub runtime: Option<Path>,
}

impl Config {
    /// Whether an attempt may follow the first.
    pub fn repeats(&self) -> bool {
        self.retry.as_ref().is_some_and(|retry| retry.repeats)
    }

    /// Returns the constants that hold names.
    fn constants(&self) -> impl Iterator<Item = &Path> {
        let row = self.retry.as_ref().and_then(|retry| match &retry.rows {
            RetrySpec::Row { row: RowRef::Constant(path), .. } => Some(path),
            _ => None,
        });
        let breaker = self.breaker.as_ref().and_then(|breaker| match &breaker.name {
            BreakerSource::Path(path) => Some(path),
            _ => None,
        });
        let budget = self.budget.as_ref().and_then(|budget| match budget {
            Text::Constant(path) => Some(path),
            Text::Literal(_) => None,
        });
        row.into_iter().chain(breaker).chain(budget)
    }

    /// Rejects a name that depends on a type parameter: there is one policy for all types.
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

    /// Whether the time of an attempt is limited.
    pub const fn is_timed(&self) -> bool {
        self.attempt_timeout.is_some() || self.deadline.is_some()
    }

    /// Whether the policy can end a call without a result of the function.
    pub const fn rejects(&self) -> bool {
        self.breaker.is_some() || self.is_timed()
    }
}

/// What the arguments are of.
#[derive(Clone, Copy)]
pub enum Form {
    /// `#[resilient(…)]`
    Attribute,
    /// `guard!(…; call)`
    Guard,
}

/// Keys that do not make a policy by themselves.
const ADDITIONS: &[&str] = &["attempt", "classify", "reject", "crate"];

/// Reads the arguments of a function or of a call, which `form` tells. Every mistake goes to
/// `errors`.
pub fn read(args: &Args, form: Form, errors: &mut Errors) -> Config {
    if args.0.iter().all(|arg| ADDITIONS.iter().any(|key| arg.key == key)) {
        let (name, example) = match form {
            Form::Attribute => ("#[resilient]", "#[resilient(retry = \"auto\")]"),
            Form::Guard => ("guard!", "guard!(retry = \"auto\"; …)"),
        };
        let message = format_args!(
            "`{name}` names no policy: write `{example}`; the keys are `retry`, `breaker`, \
             `attempt_timeout`, `deadline`, `idempotent` and `budget`"
        );
        errors.push(syn::Error::new(Span::call_site(), message));
    }
    let config = read_keys(args, errors);
    if given(args, "retry").is_none() {
        need_retry(args, errors);
    } else if config.retry.as_ref().is_some_and(|retry| !retry.repeats) {
        refuse_idle(args, errors);
    }
    check_times(args, &config, errors);
    if let Some(arg) = given(args, "reject").filter(|arg| !arg.inherited)
        && !config.rejects()
    {
        errors.at(
            &arg.key,
            "`reject` needs something that can reject a call: add `breaker`, `attempt_timeout` or \
             `deadline`, or remove it",
        );
    }
    config
}

/// Reads each argument by itself. The arguments of an `impl` block are checked against each other
/// together with those of each method.
pub fn read_keys(args: &Args, errors: &mut Errors) -> Config {
    let mut config = Config::default();
    for (key, arg) in distinct(args, ATTRIBUTE, errors) {
        match key {
            "retry" => config.retry = retry::read(arg, errors),
            "breaker" => config.breaker = breaker::read(arg, errors),
            "attempt_timeout" => {
                config.attempt_timeout = time::read(ConfigError::AttemptTimeout, arg, errors);
            }
            "deadline" => config.deadline = time::read(ConfigError::Deadline, arg, errors),
            "idempotent" => config.idempotent = flag(arg, errors),
            "budget" => config.budget = budget::read(arg, errors),
            "attempt" => config.attempt = attempt(arg, errors),
            "classify" => config.classify = function(arg, "kind_of", errors),
            "reject" => config.reject = function(arg, "from_rejection", errors),
            "crate" => config.runtime = runtime(arg, errors),
            other => unreachable!("`{other}` is not a key of the attribute"),
        }
    }
    config
}

/// Rejects keys about retries beside `max_attempts = 1`. A method that overrides the `retry` of its
/// `impl` block to retry nothing inherits the other keys, and cannot leave them out.
fn refuse_idle(args: &Args, errors: &mut Errors) {
    let Some(retry) = given(args, "retry") else { return };
    let is_overridden = |arg: &Arg| arg.inherited && !retry.inherited;
    let breaker = given(args, "breaker").filter(|breaker| !is_overridden(breaker));
    let scope = breaker.and_then(|_| scope_of(args));
    let of_retries = ["idempotent", "budget"].iter().filter_map(|key| given(args, key));
    let of_retries = of_retries.filter(|arg| !is_overridden(arg)).map(|arg| &arg.key);
    for key in scope.into_iter().chain(of_retries) {
        errors.at(key, ConfigError::SingleAttempt);
    }
}

/// Rejects a duration that another one makes ineffective.
fn check_times(args: &Args, config: &Config, errors: &mut Errors) {
    let Config { retry, breaker, attempt_timeout, deadline, .. } = config;
    if let (Some(attempt), Some(deadline), Some(arg)) =
        (attempt_timeout, deadline, given(args, "attempt_timeout"))
        && attempt >= deadline
    {
        errors.at(&arg.key, ConfigError::AttemptTimeoutOverDeadline);
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
    // One message is enough.
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

/// Rejects keys about retries if nothing is retried.
fn need_retry(args: &Args, errors: &mut Errors) {
    if let Some(scope) = scope_of(args) {
        errors.at(scope, ConfigError::ScopeWithoutRetry);
    }
    for (key, error) in [
        ("idempotent", ConfigError::IdempotentWithoutRetry),
        ("budget", ConfigError::BudgetWithoutRetry),
    ] {
        if let Some(arg) = given(args, key) {
            errors.at(&arg.key, error);
        }
    }
}

/// Reads the name of the attempt in the body.
fn attempt(arg: &Arg, errors: &mut Errors) -> Option<Ident> {
    let value = expression(arg, errors)?;
    let name = path(value).and_then(Path::get_ident).filter(|name| *name != "self");
    if name.is_none() {
        let example = arg.with("ctx");
        let message =
            format_args!("`attempt` takes the attempt's name in the body, as in `{example}`");
        errors.at(value, message);
    }
    name.cloned()
}

/// Reads the path of a function.
fn function(arg: &Arg, example: &str, errors: &mut Errors) -> Option<Path> {
    let value = expression(arg, errors)?;
    let path = path(value);
    if path.is_none() {
        let (key, example) = (&arg.key, arg.with(example));
        errors.at(value, format_args!("`{key}` takes the path of a function, as in `{example}`"));
    }
    path.cloned()
}

/// Returns the key `scope`, if the attribute gives it.
fn scope_of(args: &Args) -> Option<&Ident> {
    match &given(args, "breaker")?.value {
        Value::List(args, _) => given(args, "scope").map(|arg| &arg.key),
        _ => None,
    }
}
