//! Puts settings into effect.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use super::applied::{Applied, SettingChange};
use super::effective::listed;
use super::entries::Settings;
use super::error::SettingsError;
use super::origin::{APPLIED, Origin};
use super::plan::{BreakerPlan, Plan};
use super::program::{Breaker, Function, Known};
use crate::catalog::{FunctionNumbers, RegisteredPolicy, Rows};
use crate::event::{self, Event};

impl Settings {
    /// Puts the settings into effect, all or none. They replace those of the previous application:
    /// a number that they do not name is as source says again.
    ///
    /// A change holds for calls that begin after it. A call under way keeps the attempts, delays and
    /// limits with which it has begun. A breaker and a budget are shared by calls: they keep their
    /// state, and decide everything that follows by their new numbers. The guide's page on
    /// [settings](crate::guide::settings) says what a change means in each state.
    ///
    /// Each change is an event.
    ///
    /// # Errors
    ///
    /// All mistakes in the settings: unknown names and keys, values of the wrong sort or out of their
    /// range, and settings that contradict each other. Nothing is changed then.
    ///
    /// ```standalone_crate
    /// use resilient_runtime::Settings;
    ///
    /// let settings = Settings::from_toml_str("[retry.timeout_error]\nmax_atempts = 3\njitter = 2");
    /// let refused = settings?.apply().unwrap_err();
    /// assert_eq!(
    ///     refused.to_string(),
    ///     "2 mistakes in the settings, of which none was applied\n\
    ///      - line 2: retry.timeout_error.max_atempts: unknown key `max_atempts`: is `max_attempts` meant?\n\
    ///      - line 3: retry.timeout_error.jitter: `jitter` must be a number from 0 to 1, a share of the delay, not 2"
    /// );
    /// # Ok::<(), resilient_runtime::SettingsError>(())
    /// ```
    pub fn apply(&self) -> Result<Applied, SettingsError> {
        // Before the lock: the first look at the program may emit events.
        let known = Known::gather();
        // The map is never half changed, so it is valid after a panic.
        let mut origins = APPLIED.lock().unwrap_or_else(PoisonError::into_inner);
        let mut plan = Plan::make(self, &known)?;
        let before = listed(&known);
        *origins = std::mem::take(&mut plan.origins);
        commit(&known, plan);
        let after = listed(&known);
        let applied = Applied { changes: changes(&before, &after, &origins) };
        // Events are not emitted under a lock: a subscriber may call the library.
        drop(origins);
        for change in &applied.changes {
            let origin = change.origin();
            event::emit(&Event::SettingChanged {
                setting: change.setting(),
                from: change.old_value(),
                to: change.new_value(),
                origin: origin.as_deref(),
            });
        }
        Ok(applied)
    }
}

/// Puts a plan into effect.
fn commit(known: &Known, plan: Plan) {
    // What is looked up from now on, before what is known.
    plan.rows.set();
    FunctionNumbers::set(plan.functions);
    for (one, config) in known.breakers.iter().zip(plan.breakers) {
        match (&one.breaker, config) {
            (Breaker::Single(breaker), BreakerPlan::Single(config)) => {
                breaker.set_config(config);
            }
            (Breaker::Keyed(keyed), BreakerPlan::Keyed(config)) => {
                keyed.breakers.set_config(config);
            }
            // A plan is made for the breakers that are known.
            _ => {}
        }
    }
    for (one, config) in known.budgets.iter().zip(plan.budgets) {
        one.budget.set_config(config);
    }
    let rows = Rows::current();
    for function in known.functions.values().flatten() {
        if let Function::Site(site) = function {
            let numbers = FunctionNumbers::of(site.function()).replace(&site.numbers(&rows));
            site.of_program().rules.numbers().set(&numbers);
        }
    }
    RegisteredPolicy::renew();
}

/// Compares two lists of the program's numbers.
fn changes(
    before: &[(String, String)],
    after: &[(String, String)],
    origins: &BTreeMap<String, Origin>,
) -> Vec<SettingChange> {
    let was: BTreeMap<_, _> = before.iter().map(|(setting, value)| (setting, value)).collect();
    let is: BTreeMap<_, _> = after.iter().map(|(setting, value)| (setting, value)).collect();
    let added = after.iter().map(|(setting, _)| setting);
    let removed = before.iter().map(|(setting, _)| setting).filter(|it| !is.contains_key(it));
    let change = |setting: &String| {
        let (old, new) = (was.get(setting), is.get(setting));
        (old != new).then(|| SettingChange {
            setting: setting.clone(),
            old: old.map(ToString::to_string),
            new: new.map(ToString::to_string),
            origin: origins.get(setting).cloned(),
        })
    };
    added.chain(removed).filter_map(change).collect()
}
