//! The numbers of the whole program, as TOML.

use std::fmt::Write;
use std::sync::PoisonError;

use super::entries::Settings;
use super::numbers::{self, ATTEMPT_TIMEOUT, DEADLINE, DURATIONS, Number};
use super::origin::APPLIED;
use super::plan::path;
use super::program::{Breaker, Function, Known};
use super::value::Value;
use crate::RetryPolicy;
use crate::call::{Numbers, RowChoice};
use crate::catalog::{FunctionNumbers, Rows};

/// What has numbers: a breaker, a row, a budget or a function.
struct Listed {
    path: String,
    /// What a reader of the file should know about it.
    comment: String,
    /// Its numbers, and where source says those that settings do not say.
    numbers: Vec<(Number, String)>,
}

impl Settings {
    /// Writes every number of the program that settings can change, as TOML, each with the place
    /// that says it: a setting, source, or nothing. What nothing says has its default, and is
    /// commented out. This is the file to start from: applied, it changes nothing.
    ///
    /// ```standalone_crate
    /// use resilient_runtime::Settings;
    ///
    /// println!("{}", Settings::effective());
    /// Settings::from_toml_str(&Settings::effective())?.apply()?;
    /// # Ok::<(), resilient_runtime::SettingsError>(())
    /// ```
    #[must_use]
    pub fn effective() -> String {
        let known = Known::gather();
        let origins = APPLIED.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::from("# Every number of this program that settings can change.\n");
        for Listed { path, comment, numbers } in all(&known) {
            // Writing to a string never fails.
            let _ = write!(text, "\n[{path}]");
            let _ =
                if comment.is_empty() { writeln!(text) } else { writeln!(text, "  # {comment}") };
            for (Number { key, value, is_default }, place) in numbers {
                let _ = match origins.get(&format!("{path}.{key}")) {
                    Some(origin) => writeln!(text, "{key} = {value}  # {origin}"),
                    None if is_default => writeln!(text, "# {key} = {value}  # default"),
                    None => writeln!(text, "{key} = {value}  # {place}"),
                };
            }
        }
        text
    }
}

/// Returns each number of the program: the path of its setting, and its value as TOML writes it.
pub(super) fn listed(known: &Known) -> Vec<(String, String)> {
    let numbers = all(known).into_iter().flat_map(|Listed { path, numbers, .. }| {
        numbers
            .into_iter()
            .map(move |(number, _)| (format!("{path}.{}", number.key), number.value.to_string()))
    });
    numbers.collect()
}

fn all(known: &Known) -> Vec<Listed> {
    let mut all = Vec::new();
    breakers(known, &mut all);
    rows(&mut all);
    budgets(known, &mut all);
    functions(known, &mut all);
    all
}

fn breakers(known: &Known, all: &mut Vec<Listed>) {
    for breaker in &known.breakers {
        let place = &breaker.place;
        let mut list = |name: &str, comment: String, numbers: Vec<Number>| {
            let numbers = numbers.into_iter().map(|number| (number, place.clone())).collect();
            all.push(Listed { path: path("breaker", name), comment, numbers });
        };
        match &breaker.breaker {
            Breaker::Single(single) => {
                list(&breaker.name, place.clone(), numbers::of_breaker(&single.config()));
            }
            Breaker::Keyed(keyed) => {
                let config = keyed.breakers.config();
                list(&breaker.name, place.clone(), numbers::of_template(&config));
                for (name, config) in config.own.iter().chain(&config.by_variable) {
                    let comment = format!("one breaker of `{}`", breaker.name);
                    list(name, comment, numbers::of_breaker(config));
                }
            }
        }
    }
}

fn rows(all: &mut Vec<Listed>) {
    let (rows, source) = (Rows::current(), Rows::source());
    for name in source.names() {
        let Some(row) = rows.row(name) else { continue };
        let numbers = numbers::of_row(&row, &default_row(name));
        let place = Rows::place(name).unwrap_or_default();
        let numbers = numbers.into_iter().map(|number| (number, place.clone())).collect();
        all.push(Listed { path: path("retry", name), comment: place, numbers });
    }
}

/// Returns the row as nothing says it.
fn default_row(name: &str) -> RetryPolicy {
    name.parse().map_or(RetryPolicy::DEFAULT, RetryPolicy::for_kind)
}

fn budgets(known: &Known, all: &mut Vec<Listed>) {
    for budget in &known.budgets {
        let numbers = numbers::of_budget(&budget.budget.config());
        let numbers = numbers.into_iter().map(|number| (number, budget.place.clone())).collect();
        let (path, comment) = (path("budget", budget.budget.name()), budget.place.clone());
        all.push(Listed { path, comment, numbers });
    }
}

fn functions(known: &Known, all: &mut Vec<Listed>) {
    let rows = Rows::current();
    for (name, functions) in &known.functions {
        let by_settings = FunctionNumbers::of(name);
        let mut listed: Vec<(Number, String)> = Vec::new();
        for function in functions {
            let numbers = by_settings.replace(&function.numbers(&rows));
            for number in of_function(function, &by_settings, &numbers) {
                if !listed.iter().any(|(known, _)| known.key == number.key) {
                    listed.push((number, function.place()));
                }
            }
        }
        if !listed.is_empty() {
            let places: Vec<_> = functions.iter().map(Function::place).collect();
            let comment = places.join(", ");
            all.push(Listed { path: path("function", name), comment, numbers: listed });
        }
    }
}

/// Returns the numbers that a function has by itself. All others are those of its row.
fn of_function(
    function: &Function,
    by_settings: &FunctionNumbers,
    numbers: &Numbers,
) -> Vec<Number> {
    let times = [(ATTEMPT_TIMEOUT, numbers.attempt_timeout), (DEADLINE, numbers.deadline)];
    let times = times.into_iter().filter_map(|(key, time)| {
        time.map(|time| Number { key, value: Value::Time(time), is_default: false })
    });
    let durations = numbers.durations || by_settings.durations.is_some();
    let durations = durations.then_some(Number {
        key: DURATIONS,
        value: Value::Flag(numbers.durations),
        is_default: false,
    });
    let of_row = match &numbers.retry {
        Some(RowChoice::Row(row)) if function.is_repeatable() => numbers::of_own_row(row),
        _ => Vec::new(),
    };
    let is_own = |key| function.gives(key) || by_settings.retry.replaces(key);
    times.chain(durations).chain(of_row.into_iter().filter(|number| is_own(number.key))).collect()
}
