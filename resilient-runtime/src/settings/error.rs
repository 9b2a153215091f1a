//! Mistakes in settings.

use std::fmt;

use super::origin::Origin;

/// Why settings were not applied: all their mistakes. Nothing was changed.
#[derive(Clone, PartialEq, Eq)]
pub struct SettingsError(Vec<SettingProblem>);

/// A mistake in settings, with its place and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingProblem {
    origin: Option<Origin>,
    /// The path of the setting, such as `breaker.search.open_duration`.
    setting: Option<String>,
    message: String,
}

impl SettingsError {
    /// Returns `Ok` if there are no problems.
    pub(super) fn of(problems: Vec<SettingProblem>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self(problems)) }
    }

    pub(super) fn one(problem: SettingProblem) -> Self {
        Self(vec![problem])
    }

    /// Returns the mistakes, in the order of the settings. There is at least one.
    #[must_use]
    pub fn problems(&self) -> &[SettingProblem] {
        &self.0
    }
}

impl SettingProblem {
    pub(super) fn new(origin: &Origin, setting: impl Into<String>, message: String) -> Self {
        Self { origin: Some(origin.clone()), setting: Some(setting.into()), message }
    }

    /// A mistake that is not in one setting.
    pub(super) const fn general(origin: Option<Origin>, message: String) -> Self {
        Self { origin, setting: None, message }
    }

    /// Returns the file of the mistake: that of the settings, or of the source that gives them in
    /// code. `None` for environment variables, and for a text that was no file.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        self.origin.as_ref().and_then(Origin::file)
    }

    /// Returns the line of the mistake, beginning with 1. `None` for environment variables.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.origin.as_ref().and_then(Origin::line)
    }

    /// Returns the path of the setting, such as `breaker.search.open_duration`. `None` if the text
    /// is no TOML, or the file cannot be read.
    #[must_use]
    pub fn setting(&self) -> Option<&str> {
        self.setting.as_deref()
    }

    /// Returns what is wrong, and what to write instead.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// `settings.toml:3: breaker.search.failure_threshold: must be …`
impl fmt::Display for SettingProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(formatter, "{origin}: ")?;
        }
        if let Some(setting) = &self.setting {
            write!(formatter, "{setting}: ")?;
        }
        formatter.write_str(&self.message)
    }
}

/// One line for each mistake.
impl fmt::Display for SettingsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        let mistakes = if count == 1 { "mistake" } else { "mistakes" };
        write!(formatter, "{count} {mistakes} in the settings, of which none was applied")?;
        self.0.iter().try_for_each(|problem| write!(formatter, "\n- {problem}"))
    }
}

/// The same text as `Display`, for `expect`.
impl fmt::Debug for SettingsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl std::error::Error for SettingsError {}
