//! Where a setting comes from.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Mutex};

/// Where each number was set that settings have given last, by the path of its setting. The lock
/// also lets one application follow the other.
pub(super) static APPLIED: Mutex<BTreeMap<String, Origin>> = Mutex::new(BTreeMap::new());

/// Where a setting comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A line of a file, or of a text without a name.
    Line { file: Option<Arc<str>>, line: usize },
    /// An environment variable.
    Variable(String),
    /// A place in source.
    Code(&'static Location<'static>),
}

impl Origin {
    pub(super) fn file(&self) -> Option<&str> {
        match self {
            Self::Line { file, .. } => file.as_deref(),
            Self::Variable(_) => None,
            Self::Code(place) => Some(place.file()),
        }
    }

    pub(super) const fn line(&self) -> Option<usize> {
        match self {
            Self::Line { line, .. } => Some(*line),
            Self::Variable(_) => None,
            Self::Code(place) => Some(place.line() as usize),
        }
    }
}

/// `settings.toml:3`, `line 3`, `RESILIENT__BREAKER__SEARCH__OPEN_DURATION` or `src/main.rs:17`.
impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { file: Some(file), line } => write!(formatter, "{file}:{line}"),
            Self::Line { file: None, line } => write!(formatter, "line {line}"),
            Self::Variable(name) => formatter.write_str(name),
            Self::Code(place) => write!(formatter, "{}:{}", place.file(), place.line()),
        }
    }
}
