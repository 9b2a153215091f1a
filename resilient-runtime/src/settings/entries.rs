//! Settings as they are given, before they are held against the program.

use std::fmt::Write;
use std::panic::Location;

use super::origin::Origin;
use super::value::{Given, SettingValue};

/// Numbers that replace those of source, from a file, from the environment or from code.
///
/// [`apply`](Self::apply) puts them into effect, all or none, at any time and from any thread. Each
/// application replaces the previous one: what is no longer set is as source says again. A change
/// holds for calls that begin after it. Calls under way end by the numbers they have begun with.
///
/// ```standalone_crate
/// # #[cfg(feature = "settings")] {
/// use resilient_runtime::{Settings, breaker, resilient};
/// # use resilient_runtime::{Classify, ErrorKind, Rejection};
/// # #[derive(Debug)] struct SearchError;
/// # impl Classify for SearchError { fn kind(&self) -> ErrorKind { ErrorKind::Unknown } }
/// # impl From<Rejection> for SearchError { fn from(_: Rejection) -> Self { Self } }
///
/// #[resilient(breaker = "search", deadline = "10s")]
/// async fn search() -> Result<u32, SearchError> {
///     Ok(7)
/// }
///
/// let settings = Settings::from_toml_str(
///     r#"
///     [breaker.search]
///     failure_threshold = 10
///     open_duration = "60s"
///     "#,
/// )?;
/// let applied = settings.apply()?;
/// assert_eq!(applied.changes()[0].to_string(), "breaker.search.failure_threshold: 5 -> 10 (line 3)");
/// assert_eq!(breaker("search").unwrap().config().failure_threshold(), Some(10));
///
/// let refused = Settings::new().breaker("serach", "open_duration", "60s").apply().unwrap_err();
/// assert!(refused.to_string().contains("is `search` meant?"));
/// # }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub(super) entries: Vec<Entry>,
}

/// One setting.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) target: Target,
    pub(super) key: String,
    pub(super) given: Given,
    pub(super) origin: Origin,
}

/// What a setting is about, as it is named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Target {
    /// The first part of its path. It may be unknown.
    pub(super) section: String,
    pub(super) name: String,
    /// One value of a template.
    pub(super) value: Option<String>,
    /// Whether the names come from an environment variable, which has upper case only.
    pub(super) is_variable: bool,
}

impl Settings {
    /// Returns settings that change nothing. Applied, they put source back into effect.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a number of a breaker, or of all breakers of a template: any key that
    /// `breaker(…)` takes in [`resilient`](macro@crate::resilient), except `scope`.
    #[must_use]
    #[track_caller]
    pub fn breaker(self, name: &str, key: &str, value: impl Into<SettingValue>) -> Self {
        self.with("breaker", name, None, key, value.into())
    }

    /// Sets a number of the breaker that a template with one placeholder makes of this value.
    #[must_use]
    #[track_caller]
    pub fn breaker_of(
        self,
        template: &str,
        value_of_placeholder: &str,
        key: &str,
        value: impl Into<SettingValue>,
    ) -> Self {
        self.with("breaker", template, Some(value_of_placeholder), key, value.into())
    }

    /// Sets a number of a retry row: of a kind of error, of `default`, or of a row that
    /// [`policies!`](crate::policies) declares.
    #[must_use]
    #[track_caller]
    pub fn retry(self, row: &str, key: &str, value: impl Into<SettingValue>) -> Self {
        self.with("retry", row, None, key, value.into())
    }

    /// Sets a number of a retry budget.
    #[must_use]
    #[track_caller]
    pub fn budget(self, name: &str, key: &str, value: impl Into<SettingValue>) -> Self {
        self.with("budget", name, None, key, value.into())
    }

    /// Sets a number of a function, by its path as [`catalog`](crate::catalog()) lists it:
    /// `attempt_timeout`, `deadline`, `durations`, or a number of its own retry row. A function that source gives
    /// no such limit or no retry cannot be given one.
    #[must_use]
    #[track_caller]
    pub fn function(self, path: &str, key: &str, value: impl Into<SettingValue>) -> Self {
        self.with("function", path, None, key, value.into())
    }

    /// Adds other settings. Where both set the same number, `other` holds.
    ///
    /// ```no_run
    /// # #[cfg(feature = "settings")] {
    /// use resilient_runtime::Settings;
    ///
    /// // The environment before the file.
    /// let file = Settings::from_file("resilient.toml")?;
    /// file.merge(Settings::from_env("RESILIENT")).apply()?;
    /// # }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.entries.extend(other.entries);
        self
    }

    /// Returns whether nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    #[track_caller]
    fn with(
        mut self,
        section: &str,
        name: &str,
        value: Option<&str>,
        key: &str,
        SettingValue(given): SettingValue,
    ) -> Self {
        let target = Target {
            section: section.to_owned(),
            name: name.to_owned(),
            value: value.map(str::to_owned),
            is_variable: false,
        };
        let origin = Origin::Code(Location::caller());
        self.entries.push(Entry { target, key: key.to_owned(), given, origin });
        self
    }
}

impl Target {
    /// Returns the path of one of its keys, as TOML writes it.
    pub(super) fn path(&self, key: &str) -> String {
        let mut path = format!("{}.{}", self.section, quoted(&self.name));
        if let Some(value) = &self.value {
            path = format!("{path}.key.{}", quoted(value));
        }
        if key.is_empty() { path } else { format!("{path}.{key}") }
    }
}

/// Writes a key of TOML, in quotes where it needs them.
pub(super) fn quoted(key: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !key.is_empty() && key.chars().all(is_bare) {
        key.to_owned()
    } else {
        let mut quoted = String::from('"');
        for c in key.chars() {
            // Writing to a string never fails.
            let _ = match c {
                '"' | '\\' => write!(quoted, "\\{c}"),
                _ if c.is_control() => write!(quoted, "\\u{:04X}", u32::from(c)),
                _ => write!(quoted, "{c}"),
            };
        }
        quoted.push('"');
        quoted
    }
}
