//! What an application of settings has changed.

use std::fmt;

use super::origin::Origin;

/// What [`Settings::apply`](crate::Settings::apply) has changed: each number, with its old and its
/// new value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    pub(super) changes: Vec<SettingChange>,
}

/// A number that settings have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingChange {
    pub(super) setting: String,
    pub(super) old: Option<String>,
    pub(super) new: Option<String>,
    /// `None` if it is as source says again.
    pub(super) origin: Option<Origin>,
}

impl Applied {
    /// Returns each change, in the order of breakers, rows, budgets and functions.
    #[must_use]
    pub fn changes(&self) -> &[SettingChange] {
        &self.changes
    }

    /// Returns whether nothing has changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

impl SettingChange {
    /// Returns the path of the setting: `breaker.search.open_duration`.
    #[must_use]
    pub fn setting(&self) -> &str {
        &self.setting
    }

    /// Returns the value before, as TOML writes it. `None` if there was none, such as the window of
    /// a breaker that had no window.
    #[must_use]
    pub fn old_value(&self) -> Option<&str> {
        self.old.as_deref()
    }

    /// Returns the value now, as TOML writes it.
    #[must_use]
    pub fn new_value(&self) -> Option<&str> {
        self.new.as_deref()
    }

    /// Returns where the value now was set: `settings.toml:3`, an environment variable, or a place in
    /// source. `None` if no setting says it: it is as source says again, or it follows from another
    /// setting.
    #[must_use]
    pub fn origin(&self) -> Option<String> {
        self.origin.as_ref().map(Origin::to_string)
    }
}

/// `breaker.search.open_duration: "30s" -> "60s" (settings.toml:3)`
impl fmt::Display for SettingChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { setting, old, new, origin } = self;
        let written = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".to_owned());
        write!(formatter, "{setting}: {} -> {}", written(old), written(new))?;
        match origin {
            Some(origin) => write!(formatter, " ({origin})"),
            None => Ok(()),
        }
    }
}

/// One line for each change.
impl fmt::Display for Applied {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.changes.len() {
            0 => formatter.write_str("settings applied: nothing has changed"),
            1 => formatter.write_str("settings applied: 1 change"),
            changes => write!(formatter, "settings applied: {changes} changes"),
        }?;
        self.changes.iter().try_for_each(|change| write!(formatter, "\n- {change}"))
    }
}
