//! Settings held against the program: what each is about, and what follows from all of them.

use std::collections::BTreeMap;
use std::mem;

use resilient_config::setting::{Key, Setting};
use resilient_config::spelling::{as_variable, closest, misspelled};
use resilient_config::{ConfigError, breaker, budget, call, retry};

use super::entries::{Entry, Settings, Target, quoted};
use super::error::{SettingProblem, SettingsError};
use super::numbers::{ATTEMPT_TIMEOUT, DEADLINE, DURATIONS, MAX_KEYS};
use super::origin::Origin;
use super::program::{Breaker, Function, Known, KnownBudget};
use super::value::{Given, Value, flag, give, read, time, whole};
use crate::breaker::KeyedConfig;
use crate::call::{Numbers, RowChoice};
use crate::catalog::{FunctionNumbers, Rows};
use crate::retry::RetryChanges;
use crate::{BreakerConfig, BreakerConfigBuilder, BudgetConfig, RetryPolicyBuilder};

/// The program's numbers under some settings. Making a plan changes nothing.
pub(super) struct Plan {
    /// In the order of the known breakers.
    pub(super) breakers: Vec<BreakerPlan>,
    pub(super) rows: Rows,
    /// In the order of the known budgets.
    pub(super) budgets: Vec<BudgetConfig>,
    pub(super) functions: BTreeMap<String, FunctionNumbers>,
    /// Where each number is set, by the path of its setting.
    pub(super) origins: BTreeMap<String, Origin>,
}

pub(super) enum BreakerPlan {
    Single(BreakerConfig),
    Keyed(KeyedConfig),
}

/// What a setting is about. The order is that in which a plan is made: the numbers of a function
/// follow from its row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    /// By its place among the known breakers.
    Breaker(usize),
    /// A breaker of a template, by the place of the template and its own name.
    OneOf(usize, OneOf),
    Row(&'static str),
    /// By its place among the known budgets.
    Budget(usize),
    Function(String),
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct OneOf {
    name: String,
    is_variable: bool,
}

/// A setting with its place among the settings.
type Numbered<'s> = (usize, &'s Entry);

const SECTIONS: [&str; 4] = ["breaker", "retry", "budget", "function"];

/// The times that a function can have.
const TIMES: [&str; 2] = [ATTEMPT_TIMEOUT, DEADLINE];

impl Plan {
    pub(super) fn make(settings: &Settings, known: &Known) -> Result<Self, SettingsError> {
        let mut maker = Maker { known, problems: Vec::new(), origins: BTreeMap::new() };
        let plan = maker.plan(settings);
        maker.problems.sort_by_key(|(place, _)| *place);
        SettingsError::of(maker.problems.into_iter().map(|(_, problem)| problem).collect())?;
        Ok(plan)
    }
}

struct Maker<'k> {
    known: &'k Known,
    /// Each with the place of its setting.
    problems: Vec<(usize, SettingProblem)>,
    origins: BTreeMap<String, Origin>,
}

impl Maker<'_> {
    fn plan(&mut self, settings: &Settings) -> Plan {
        let mut subjects: BTreeMap<Subject, Vec<Numbered<'_>>> = BTreeMap::new();
        for numbered in settings.entries.iter().enumerate() {
            match self.subject(&numbered.1.target) {
                Ok(subject) => subjects.entry(subject).or_default().push(numbered),
                Err(message) => self.refuse(numbered, &numbered.1.target.path(""), message),
            }
        }
        let mut plan = self.source();
        for (subject, entries) in subjects {
            match subject {
                Subject::Breaker(place) => self.breaker(&mut plan, place, &entries),
                Subject::OneOf(place, one) => self.one_of(&mut plan, place, one, &entries),
                Subject::Row(name) => self.row(&mut plan, name, &entries),
                Subject::Budget(place) => self.budget(&mut plan, place, &entries),
                Subject::Function(path) => self.function(&mut plan, path, &entries),
            }
        }
        plan.origins = mem::take(&mut self.origins);
        plan
    }

    /// The plan without settings.
    fn source(&self) -> Plan {
        let breaker = |breaker: &Breaker| match breaker {
            Breaker::Single(breaker) => BreakerPlan::Single(*breaker.source_config()),
            Breaker::Keyed(keyed) => BreakerPlan::Keyed(keyed.breakers.source_config().clone()),
        };
        let budget = |known: &KnownBudget| *known.budget.source_config();
        Plan {
            breakers: self.known.breakers.iter().map(|known| breaker(&known.breaker)).collect(),
            rows: Rows::source().clone(),
            budgets: self.known.budgets.iter().map(budget).collect(),
            functions: BTreeMap::new(),
            origins: BTreeMap::new(),
        }
    }

    fn refuse(&mut self, (place, entry): Numbered<'_>, setting: &str, message: String) {
        self.problems.push((place, SettingProblem::new(&entry.origin, setting, message)));
    }

    /// Finds what a setting is about.
    fn subject(&self, target: &Target) -> Result<Subject, String> {
        let Target { section, name, value, is_variable } = target;
        let place_of = |noun: &str, names: &[&str]| {
            let place = find(name, *is_variable, names);
            place.map_err(|problem| problem.message(noun, name, names))
        };
        if value.is_some() && section != "breaker" {
            return Err(format!("`key` is for breakers by a value, and this is a `{section}`"));
        }
        match section.as_str() {
            "breaker" => self.breaker_of(target),
            "retry" => {
                let names: Vec<_> = Rows::source().names().collect();
                place_of("retry row", &names).map(|place| Subject::Row(names[place]))
            }
            "budget" => {
                let names: Vec<_> = self.known.budgets.iter().map(|it| it.budget.name()).collect();
                place_of("retry budget", &names).map(Subject::Budget)
            }
            "function" => {
                let names: Vec<_> = self.known.functions.keys().map(String::as_str).collect();
                place_of("function", &names).map(|place| Subject::Function(names[place].to_owned()))
            }
            _ => Err(format!("no section is named `{section}`{}", meant(section, &SECTIONS))),
        }
    }

    fn breaker_of(&self, target: &Target) -> Result<Subject, String> {
        let Target { name, value, is_variable, .. } = target;
        let names: Vec<_> = self.known.breakers.iter().map(|it| it.name.as_str()).collect();
        let found = find(name, *is_variable, &names);
        if let (Err(Unfound::Unknown), None) = (&found, value) {
            // The name of one breaker of a template.
            let makes = |breaker: &Breaker| match breaker {
                Breaker::Keyed(keyed) => keyed.template.makes(name),
                Breaker::Single(_) => false,
            };
            if let Some(place) = self.known.breakers.iter().position(|it| makes(&it.breaker)) {
                let one = OneOf { name: name.clone(), is_variable: *is_variable };
                return Ok(Subject::OneOf(place, one));
            }
        }
        let place = found.map_err(|problem| problem.message("circuit breaker", name, &names))?;
        let Some(value) = value else { return Ok(Subject::Breaker(place)) };
        match &self.known.breakers[place].breaker {
            Breaker::Single(_) => Err(format!(
                "`key` is one value of a template, and `{name}` is the name of one breaker"
            )),
            Breaker::Keyed(keyed) => match keyed.template.name_of(value) {
                Some(name) => Ok(Subject::OneOf(place, OneOf { name, is_variable: *is_variable })),
                None => Err(format!(
                    "`{name}` has several placeholders: write the whole name of the breaker, as in \
                     `[breaker.\"reads/acme/docs\"]`"
                )),
            },
        }
    }

    fn breaker(&mut self, plan: &mut Plan, place: usize, entries: &[Numbered<'_>]) {
        let path = self.breaker_path(place, None);
        match &mut plan.breakers[place] {
            BreakerPlan::Single(config) => {
                *config = self.breaker_config(&path, config, entries).unwrap_or(*config);
            }
            BreakerPlan::Keyed(keyed) => {
                let (of_template, of_breakers): (Vec<Numbered<'_>>, Vec<_>) =
                    entries.iter().partition(|(_, entry)| entry.key == MAX_KEYS);
                for numbered in of_template {
                    match max_keys(&numbered.1.given) {
                        Ok(most) => {
                            keyed.max_keys = most;
                            self.note(&path, MAX_KEYS, numbered.1);
                        }
                        Err(message) => {
                            self.refuse(numbered, &format!("{path}.{MAX_KEYS}"), message);
                        }
                    }
                }
                let config = self.breaker_config(&path, &keyed.config, &of_breakers);
                keyed.config = config.unwrap_or(keyed.config);
            }
        }
    }

    /// The settings of one breaker of a template begin with those of the template.
    fn one_of(&mut self, plan: &mut Plan, place: usize, one: OneOf, entries: &[Numbered<'_>]) {
        let path = self.breaker_path(place, Some(&one.name));
        let BreakerPlan::Keyed(keyed) = &mut plan.breakers[place] else { return };
        if let Some(config) = self.breaker_config(&path, &keyed.config, entries) {
            if one.is_variable {
                keyed.by_variable.insert(as_variable(&one.name), config);
            } else {
                keyed.own.insert(one.name, config);
            }
        }
    }

    fn breaker_path(&self, place: usize, one: Option<&str>) -> String {
        let name = one.unwrap_or(&self.known.breakers[place].name);
        path("breaker", name)
    }

    fn breaker_config(
        &mut self,
        path: &str,
        config: &BreakerConfig,
        entries: &[Numbered<'_>],
    ) -> Option<BreakerConfig> {
        let give = |builder: BreakerConfigBuilder, key: &Key<_>, value: &Value| {
            // A window in place of one of the other sort.
            let is_window = matches!(key.setting, Setting::Window(..));
            give(if is_window { builder.without_window() } else { builder }, key, value)
        };
        let builder = self.given(path, &breaker::KEYS, config.to_builder(), entries, give)?;
        self.built(path, entries, builder.build())
    }

    fn row(&mut self, plan: &mut Plan, name: &'static str, entries: &[Numbered<'_>]) {
        let Some(row) = plan.rows.row(name) else { return };
        let path = path("retry", name);
        let builder = self.given(&path, &retry::KEYS, row.to_builder(), entries, give);
        let row = builder.and_then(|builder| self.built(&path, entries, builder.build()));
        if let Some(row) = row {
            plan.rows.replace(name, row);
        }
    }

    fn budget(&mut self, plan: &mut Plan, place: usize, entries: &[Numbered<'_>]) {
        let path = path("budget", self.known.budgets[place].budget.name());
        let builder = plan.budgets[place].to_builder();
        let builder = self.given(&path, &budget::KEYS, builder, entries, give);
        let config = builder.and_then(|builder| self.built(&path, entries, builder.build()));
        if let Some(config) = config {
            plan.budgets[place] = config;
        }
    }

    /// Gives a builder the values of these settings. `None` if one of them is refused.
    fn given<B: Copy>(
        &mut self,
        path: &str,
        keys: &[Key<B>],
        mut builder: B,
        entries: &[Numbered<'_>],
        give: impl Fn(B, &Key<B>, &Value) -> B,
    ) -> Option<B> {
        let refused = self.problems.len();
        for &numbered in entries {
            let key = numbered.1.key.as_str();
            let setting = format!("{path}.{key}");
            let Some(found) = keys.iter().find(|known| known.name == key) else {
                let known: Vec<_> = keys.iter().map(|key| key.name).collect();
                self.refuse(numbered, &setting, unknown_key(key, &known));
                continue;
            };
            match read(found, &numbered.1.given) {
                Ok(value) => {
                    builder = give(builder, found, &value);
                    self.note(path, found.name, numbered.1);
                }
                Err(message) => self.refuse(numbered, &setting, message),
            }
        }
        (self.problems.len() == refused).then_some(builder)
    }

    /// Reports settings that contradict each other, at the last one of those that the message names.
    fn built<C>(
        &mut self,
        path: &str,
        entries: &[Numbered<'_>],
        built: Result<C, ConfigError>,
    ) -> Option<C> {
        let error = match built {
            Ok(config) => return Some(config),
            Err(error) => error,
        };
        let message = error.to_string();
        let is_named = |(_, entry): &&Numbered<'_>| message.contains(&format!("`{}`", entry.key));
        if let Some(&numbered) = entries.iter().rev().find(is_named).or(entries.last()) {
            self.refuse(numbered, &format!("{path}.{}", numbered.1.key), message);
        }
        None
    }

    fn note(&mut self, path: &str, key: &str, entry: &Entry) {
        self.origins.insert(format!("{path}.{key}"), entry.origin.clone());
    }

    fn function(&mut self, plan: &mut Plan, name: String, entries: &[Numbered<'_>]) {
        let path = path("function", &name);
        let Some(functions) = self.known.functions.get(&name) else { return };
        let numbers: Vec<_> = functions.iter().map(|it| it.numbers(&plan.rows)).collect();
        let mut settings = FunctionNumbers::NONE;
        let (times, others): (Vec<Numbered<'_>>, Vec<_>) =
            entries.iter().partition(|(_, entry)| TIMES.contains(&entry.key.as_str()));
        let (flags, of_row): (Vec<Numbered<'_>>, Vec<_>) =
            others.into_iter().partition(|(_, entry)| entry.key == DURATIONS);
        for numbered in flags {
            match flag(DURATIONS, &numbered.1.given) {
                Ok(flag) => {
                    settings.durations = Some(flag);
                    self.note(&path, DURATIONS, numbered.1);
                }
                Err(message) => self.refuse(numbered, &format!("{path}.{DURATIONS}"), message),
            }
        }
        for numbered in times {
            let key = numbered.1.key.as_str();
            let setting = format!("{path}.{key}");
            let is_timeout = key == ATTEMPT_TIMEOUT;
            let has = |numbers: &Numbers| {
                if is_timeout { numbers.attempt_timeout } else { numbers.deadline }.is_some()
            };
            if !numbers.iter().any(has) {
                let place = places(functions);
                let message = format!(
                    "the function has no `{key}` in {place}: settings change a limit that source \
                     names, and cannot add one"
                );
                self.refuse(numbered, &setting, message);
                continue;
            }
            match time(key, &numbered.1.given) {
                Ok(time) => {
                    let limit = if is_timeout {
                        &mut settings.attempt_timeout
                    } else {
                        &mut settings.deadline
                    };
                    *limit = Some(time);
                    self.note(&path, key, numbered.1);
                }
                Err(message) => self.refuse(numbered, &setting, message),
            }
        }
        if let Some(changes) = self.function_row(&path, functions, &numbers, &of_row) {
            settings.retry = changes;
        }
        for numbers in &numbers {
            if self.built(&path, entries, settings.replace(numbers).check()).is_none() {
                break;
            }
        }
        plan.functions.insert(name, settings);
    }

    /// Returns the numbers that take the place of those of a function's row.
    fn function_row(
        &mut self,
        path: &str,
        functions: &[Function],
        numbers: &[Numbers],
        entries: &[Numbered<'_>],
    ) -> Option<RetryChanges> {
        let &first = entries.first()?;
        let known: Vec<_> = TIMES
            .into_iter()
            .chain([DURATIONS])
            .chain(retry::KEYS.iter().map(|key| key.name))
            .collect();
        let mut is_known = true;
        for &numbered in entries {
            let key = numbered.1.key.as_str();
            if !known.contains(&key) {
                self.refuse(numbered, &format!("{path}.{key}"), unknown_key(key, &known));
                is_known = false;
            }
        }
        if !is_known {
            return None;
        }
        let repeatable = functions.iter().zip(numbers).filter(|(it, _)| it.is_repeatable());
        let rows: Vec<_> = repeatable
            .filter_map(|(_, numbers)| match numbers.retry {
                Some(RowChoice::Row(row)) => Some(row),
                _ => None,
            })
            .collect();
        if rows.is_empty() {
            let place = places(functions);
            let by_kind = numbers.iter().any(|it| matches!(it.retry, Some(RowChoice::ByKind(_))));
            let message = if by_kind {
                format!(
                    "`retry = \"auto\"` in {place} takes the row of each error's own kind: change \
                     those rows, as in `[retry.rate_limit_error]`"
                )
            } else {
                format!("{place} allows one attempt: settings cannot add retries")
            };
            self.refuse(first, &format!("{path}.{}", first.1.key), message);
            return None;
        }
        let mut changes = RetryChanges::NONE;
        let give =
            |builder: RetryPolicyBuilder, key: &Key<_>, value: &Value| give(builder, key, value);
        for row in rows {
            let builder = self.given(path, &retry::KEYS, row.to_builder(), entries, give)?;
            self.built(path, entries, builder.build())?;
        }
        for (_, entry) in entries {
            let key = retry::KEYS.iter().find(|key| key.name == entry.key)?;
            changes = changed(changes, key.name, &read(key, &entry.given).ok()?);
        }
        Some(changes)
    }
}

fn max_keys(given: &Given) -> Result<u32, String> {
    let in_range = |number| u32::try_from(number).ok().filter(|number| *number > 0);
    whole(given).and_then(in_range).ok_or_else(|| format!("{}, not {given}", call::MAX_KEYS))
}

fn changed(changes: RetryChanges, key: &str, value: &Value) -> RetryChanges {
    match (key, value) {
        ("max_attempts", Value::Count(attempts)) => changes.max_attempts(*attempts),
        ("base_delay", Value::Time(delay)) => changes.base_delay(*delay),
        ("max_delay", Value::Time(delay)) => changes.max_delay(*delay),
        ("jitter", Value::Number(share)) => changes.jitter(*share),
        ("backoff", Value::Backoff(backoff)) => changes.backoff(*backoff),
        _ => changes,
    }
}

/// Returns the path of a subject, as TOML writes it.
pub(super) fn path(section: &str, name: &str) -> String {
    format!("{section}.{}", quoted(name))
}

fn places(functions: &[Function]) -> String {
    let places: Vec<_> = functions.iter().map(Function::place).collect();
    places.join(" and ")
}

fn unknown_key(key: &str, known: &[&str]) -> String {
    if key.is_empty() {
        return "a setting has a section, a name and a key, as in `[breaker.search]` with \
                `open_duration = \"60s\"`"
            .to_owned();
    }
    format!("unknown key `{key}`{}", meant(key, known))
}

/// Why a name leads nowhere.
enum Unfound {
    Unknown,
    /// It stands for several.
    Ambiguous(Vec<String>),
}

impl Unfound {
    fn message(&self, noun: &str, name: &str, known: &[&str]) -> String {
        match self {
            Self::Ambiguous(names) => {
                format!("`{name}` can be {}: set it in a file", names.join(" and "))
            }
            Self::Unknown if name.is_empty() => unknown_key("", &[]),
            Self::Unknown if known.is_empty() => format!("the program has no {noun}"),
            Self::Unknown => format!("no {noun} is named `{name}`{}", meant(name, known)),
        }
    }
}

/// Returns the place of a name among those that are known.
fn find(name: &str, is_variable: bool, known: &[&str]) -> Result<usize, Unfound> {
    let is_it = |known: &str| if is_variable { as_variable(known) == name } else { known == name };
    let found: Vec<_> = (0..known.len()).filter(|place| is_it(known[*place])).collect();
    match found.as_slice() {
        [] => Err(Unfound::Unknown),
        [place] => Ok(*place),
        places => {
            Err(Unfound::Ambiguous(places.iter().map(|at| format!("`{}`", known[*at])).collect()))
        }
    }
}

/// Says which known name is meant, or which there are.
fn meant(name: &str, known: &[&str]) -> String {
    const FEW: usize = 16;
    let of_variable = |known: &&&str| closest(name, [as_variable(known).as_str()]).is_some();
    let meant = misspelled(name, known)
        .or_else(|| closest(name, known.iter().copied()))
        .or_else(|| known.iter().find(of_variable).copied());
    if let Some(meant) = meant {
        return format!(": is `{meant}` meant?");
    }
    let mut listed: Vec<_> = known.iter().take(FEW).map(|name| format!("`{name}`")).collect();
    if known.len() > FEW {
        listed.push(format!("{} more, which `catalog()` lists", known.len() - FEW));
    }
    format!(": there are {}", listed.join(", "))
}
