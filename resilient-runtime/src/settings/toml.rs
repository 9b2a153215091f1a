//! Settings in TOML.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::entries::{Entry, Settings, Target};
use super::error::{SettingProblem, SettingsError};
use super::origin::Origin;
use super::value::Given;

impl Settings {
    /// Reads settings from TOML:
    ///
    /// ```toml
    /// [breaker.search]
    /// failure_threshold = 10
    /// open_duration = "60s"
    /// [breaker."count/{collection}".key.big]     # one value of a template
    /// failure_threshold = 50
    /// [retry.rate_limit_error]
    /// max_attempts = 8
    /// [budget.qdrant]
    /// capacity = 1000
    /// [function."app::search::search"]
    /// deadline = "3s"
    /// ```
    ///
    /// [`effective`](Self::effective) writes all that can be set.
    ///
    /// # Errors
    ///
    /// If the text is no TOML. [`apply`](Self::apply) checks names, keys and values.
    pub fn from_toml_str(text: &str) -> Result<Self, SettingsError> {
        read(text, None)
    }

    /// Reads settings from a file in TOML. A mistake in them is reported with the name of the file
    /// and the line.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or is no TOML. [`apply`](Self::apply) checks the rest.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, SettingsError> {
        let path = path.as_ref();
        let name: Arc<str> = path.display().to_string().into();
        let text = fs::read_to_string(path).map_err(|error| {
            let message = format!("the settings in `{name}` cannot be read: {error}");
            SettingsError::one(SettingProblem::general(None, message))
        })?;
        read(&text, Some(name))
    }
}

fn read(text: &str, file: Option<Arc<str>>) -> Result<Settings, SettingsError> {
    let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at);
    let document = Document { ends: ends.collect(), file };
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut errors: Vec<_> = errors
        .iter()
        .map(|error| (error.span().map_or(0, |span| span.start), error.message().to_owned()))
        .collect();
    errors.sort();
    let problems = errors
        .into_iter()
        .map(|(at, message)| SettingProblem::general(Some(document.at(at)), message));
    SettingsError::of(problems.collect())?;
    let mut settings = Settings::new();
    for (section, value) in table.get_ref() {
        document.section(section, value, &mut settings.entries);
    }
    // The parser sorts by name, and mistakes are reported in the order of the file.
    settings.entries.sort_by_key(|entry| entry.origin.line());
    Ok(settings)
}

struct Document {
    /// Where its lines end.
    ends: Vec<usize>,
    file: Option<Arc<str>>,
}

/// The table that holds the values of a template's placeholder.
const KEY: &str = "key";

impl Document {
    /// The line of this place in the text.
    fn at(&self, place: usize) -> Origin {
        let line = self.ends.partition_point(|end| *end < place) + 1;
        Origin::Line { file: self.file.clone(), line }
    }

    /// Reads `[breaker.…]`, or whatever stands there: names are checked later.
    fn section<'i>(
        &self,
        section: &Spanned<std::borrow::Cow<'i, str>>,
        value: &Spanned<DeValue<'i>>,
        entries: &mut Vec<Entry>,
    ) {
        let target = |name: &str, value| Target {
            section: section.get_ref().to_string(),
            name: name.to_owned(),
            value,
            is_variable: false,
        };
        let DeValue::Table(names) = value.get_ref() else {
            // A value without a section: the check of its section's name reports it.
            entries.push(self.entry(target("", None), "", section.span().start, value));
            return;
        };
        for (name, value) in names {
            let DeValue::Table(keys) = value.get_ref() else {
                let at = name.span().start;
                entries.push(self.entry(target("", None), name.get_ref(), at, value));
                continue;
            };
            for (key, value) in keys {
                match value.get_ref() {
                    DeValue::Table(values) if key.get_ref() == KEY => {
                        for (of, value) in values {
                            let target = || target(name.get_ref(), Some(of.get_ref().to_string()));
                            let DeValue::Table(keys) = value.get_ref() else {
                                entries.push(self.entry(target(), "", of.span().start, value));
                                continue;
                            };
                            entries.extend(keys.iter().map(|(key, value)| {
                                self.entry(target(), key.get_ref(), key.span().start, value)
                            }));
                        }
                    }
                    _ => {
                        let (target, at) = (target(name.get_ref(), None), key.span().start);
                        entries.push(self.entry(target, key.get_ref(), at, value));
                    }
                }
            }
        }
    }

    fn entry(&self, target: Target, key: &str, at: usize, value: &Spanned<DeValue<'_>>) -> Entry {
        let given = given(value.get_ref());
        Entry { target, key: key.to_owned(), given, origin: self.at(at) }
    }
}

fn given(value: &DeValue<'_>) -> Given {
    match value {
        DeValue::String(text) => Given::Text(text.to_string()),
        DeValue::Integer(number) => i128::from_str_radix(number.as_str(), number.radix())
            .map_or(Given::Unusable("a number that is too large"), Given::Integer),
        DeValue::Float(number) => {
            number.as_str().parse().map_or(Given::Unusable("a number"), Given::Float)
        }
        DeValue::Array(items) => {
            let texts = items.iter().map(|item| item.get_ref().as_str().map(str::to_owned));
            let texts: Option<Vec<_>> = texts.collect();
            texts.map_or(Given::Unusable("a list of other things than texts"), Given::List)
        }
        DeValue::Boolean(flag) => Given::Flag(*flag),
        DeValue::Datetime(_) => Given::Unusable("a date"),
        DeValue::Table(_) => Given::Unusable("a table"),
    }
}
