//! What the arguments mean, and every rule about them that does not depend on the function.

mod breaker;
mod budget;
mod contradictions;
mod deferred;
mod keys;
mod kind_list;
mod names;
mod retry;
mod settings;
mod time;

use std::time::Duration;

use proc_macro2::{Ident, Span};
use resilient_config::ConfigError;
use resilient_config::call::{check_attempt_timeout, check_base_delay, check_slow_call};
use syn::Path;

pub use self::breaker::{Breaker, BreakerSettings, BreakerSource, declared_breaker};
pub use self::budget::declared_budget;
pub use self::deferred::Deferred;
pub use self::retry::{Retry, RetrySpec, RowRef, declared_row};
pub use self::settings::{Settings, Value as SettingValue};

use self::keys::{ATTRIBUTE, distinct, given};
use crate::diagnose::errors::Errors;
use crate::parse::args::{Arg, Args, Value};
use crate::parse::values::{Given, Text, depends, expression, flag, path, runtime};

/// The policy that the attribute describes.
#[derive(Default)]
pub struct Config {
    pub retry: Option<Retry>,
    pub breaker: Option<Breaker>,
    pub attempt_timeout: Option<Given<Duration>>,
    pub deadline: Option<Given<Duration>>,
    pub idempotent: Option<bool>,
    /// The name of the budget.
    pub budget: Option<Text>,
    /// Whether the calls are timed.
    pub durations: Option<bool>,
    /// The name of the attempt in the body.
    pub attempt: Option<Ident>,
    /// The function that classifies an error, if its type does not.
    pub classify: Option<Path>,
    /// The function that converts a rejection to an error, if its type does not.
    pub reject: Option<Path>,
    /// The path of the runtime, if it is not `::resilient_runtime`.
    pub runtime: Option<Path>,
    /// Rules about values in constants.
    pub deferred: Vec<Deferred>,
}

impl Config {
    /// Whether an attempt may follow the first.
    pub fn repeats(&self) -> bool {
        self.retry.as_ref().is_some_and(|retry| retry.repeats)
    }

    /// Returns the constants that hold names and values.
    fn constants(&self) -> impl Iterator<Item = &Path> {
        let retry = self.retry.as_ref();
        let row = retry.and_then(|retry| match &retry.rows {
            RetrySpec::Row { row: RowRef::Constant(path), .. } => Some(path),
            _ => None,
        });
        let breaker = self.breaker.as_ref();
        let name = breaker.and_then(|breaker| match &breaker.name {
            BreakerSource::Path(path) => Some(path),
            _ => None,
        });
        let in_retry = retry.and_then(Retry::settings).into_iter().flat_map(Settings::constants);
        let in_breaker = breaker.into_iter().flat_map(|breaker| breaker.settings.constants());
        let limits = [&self.attempt_timeout, &self.deadline].into_iter().flatten();
        row.into_iter()
            .chain(in_retry)
            .chain(name)
            .chain(in_breaker)
            .chain(limits.filter_map(Given::constant))
            .chain(self.budget.as_ref().and_then(Given::constant))
    }

    /// Rejects a constant that depends on a generic parameter: there is one policy for all of them.
    pub fn check_generics(&self, generics: &[Ident], errors: &mut Errors) {
        for path in self.constants() {
            if let Some(parameter) = generics.iter().find(|it| depends(path, &it.to_string())) {
                errors.at(
                    path,
                    format_args!(
                        "`{parameter}` is a generic parameter, and a policy is the same for every \
                         `{parameter}`: write the value, or a constant that does not depend on \
                         `{parameter}`"
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
             `attempt_timeout`, `deadline`, `idempotent`, `budget` and `durations`"
        );
        errors.push(syn::Error::new(Span::call_site(), message));
    }
    let mut config = read_keys(args, errors);
    if given(args, "retry").is_none() {
        need_retry(args, errors);
    }
    check_attempts(args, &mut config, errors);
    check_times(args, &mut config, errors);
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
            "durations" => config.durations = flag(arg, errors),
            "attempt" => config.attempt = attempt(arg, errors),
            "classify" => config.classify = function(arg, "kind_of", errors),
            "reject" => config.reject = function(arg, "from_rejection", errors),
            "crate" => config.runtime = runtime(arg, errors),
            other => unreachable!("`{other}` is not a key of the attribute"),
        }
    }
    config
}

/// Returns the keys about retries beside `retry`. A method that overrides the `retry` of its `impl`
/// block to retry nothing inherits the other keys, and cannot leave them out.
fn of_retries(args: &Args) -> impl Iterator<Item = &Ident> {
    let is_overriding = given(args, "retry").is_some_and(|retry| !retry.inherited);
    let is_overridden = move |arg: &&Arg| arg.inherited && is_overriding;
    let breaker = given(args, "breaker").filter(|breaker| !is_overridden(breaker));
    let scope = breaker.and_then(|_| scope_of(args));
    let others = ["idempotent", "budget"].into_iter().filter_map(|key| given(args, key));
    let others = others.filter(move |arg| !is_overridden(arg)).map(|arg| &arg.key);
    scope.into_iter().chain(others)
}

/// Rejects keys about retries beside a single attempt.
fn check_attempts(args: &Args, config: &mut Config, errors: &mut Errors) {
    let Some(retry) = &config.retry else { return };
    if !retry.repeats {
        for key in of_retries(args) {
            errors.at(key, ConfigError::SingleAttempt);
        }
    } else if retry.has_constant_attempts() {
        let unused = of_retries(args).next().map(|key| Deferred::at(key, "several_attempts"));
        config.deferred.extend(retry.deferred().into_iter().chain(unused));
    }
}

/// Rejects a duration that another one makes ineffective.
fn check_times(args: &Args, config: &mut Config, errors: &mut Errors) {
    let Config { retry, breaker, attempt_timeout, deadline, deferred, .. } = config;
    let mut check = |key: &Ident, known: Option<Result<(), &str>>, rule| match known {
        Some(checked) => checked.unwrap_or_else(|message| errors.at(key, message)),
        None => deferred.push(Deferred::at(key, rule)),
    };
    if let (Some(attempt), Some(deadline), Some(arg)) =
        (&attempt_timeout, &deadline, given(args, "attempt_timeout"))
    {
        let known = attempt.literal().zip(deadline.literal());
        let known = known.map(|(attempt, deadline)| check_attempt_timeout(*attempt, *deadline));
        check(&arg.key, known, "attempt_timeout_before_deadline");
    }
    if let (Some(retry), Some(deadline)) = (retry, &deadline)
        && let Some((key, base_delay, jitter)) = retry.base_delay()
    {
        let known = base_delay.literal().zip(jitter.literal()).zip(deadline.literal());
        let known = known.map(|((base_delay, jitter), deadline)| {
            check_base_delay(*base_delay, *jitter, *deadline)
        });
        check(key, known, "base_delay_before_deadline");
    }
    let limits = [&attempt_timeout, &deadline];
    if limits.iter().all(|limit| limit.is_none()) {
        return;
    }
    let slow = breaker.as_ref().and_then(|breaker| breaker.settings.slow_call_duration());
    if let Some((key, slow)) = slow {
        let are_known = limits.iter().all(|limit| limit.as_ref().is_none_or(Given::is_literal));
        let [attempt, deadline] = limits.map(|limit| limit.as_ref()?.literal().copied());
        let known = slow.literal().map(|slow| check_slow_call(*slow, attempt, deadline));
        // One limit that is known may be enough.
        let known = known.filter(|checked| are_known || checked.is_err());
        check(key, known, "slow_call_before_limits");
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
