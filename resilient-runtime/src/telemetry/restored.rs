//! What a restore has done.

use std::fmt;

use super::breaker_snapshot::BreakerSnapshot;
use super::snapshot::{BudgetSnapshot, Snapshot};

/// How many lines of each list are displayed: a snapshot from outside may name thousands.
const MOST_LINES: usize = 20;

/// What [`restore`](crate::restore) has restored, what it has not, and why. It displays one line for
/// each, up to 20 of a list.
///
/// What was closed, and a budget that was full, needs no restoring and is not listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "it says what was not restored"]
pub struct Restored {
    pub(super) breakers: Vec<BreakerSnapshot>,
    pub(super) budgets: Vec<BudgetSnapshot>,
    pub(super) failed: Vec<NotRestored>,
}

impl Restored {
    /// Returns the breakers that were restored, each as it was right after that, in the order of the
    /// snapshot.
    #[must_use]
    pub fn breakers(&self) -> &[BreakerSnapshot] {
        &self.breakers
    }

    /// Returns the budgets that were restored, each as it was right after that, in the order of the
    /// snapshot.
    #[must_use]
    pub fn budgets(&self) -> &[BudgetSnapshot] {
        &self.budgets
    }

    /// Returns what was not restored, and why, in the order of the snapshot.
    #[must_use]
    pub fn not_restored(&self) -> &[NotRestored] {
        &self.failed
    }
}

/// What [`restore`](crate::restore) has not restored, and why.
///
/// ```
/// # #[cfg(feature = "serde")] {
/// use resilient_runtime::{NotRestored, Snapshot};
///
/// let text = r#"{"version":1,"breakers":[{"name":"gone","state":"open"}]}"#;
/// let snapshot: Snapshot = serde_json::from_str(text).unwrap();
/// let restored = resilient_runtime::restore(&snapshot);
/// let [gone] = restored.not_restored() else { panic!("it has one entry") };
/// assert!(matches!(gone, NotRestored::UnknownBreaker { name, .. } if name == "gone"));
/// assert_eq!(gone.to_string(), r#"breaker "gone": the program has no breaker of this name"#);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotRestored {
    /// The whole snapshot: it has another [version](Snapshot::VERSION) of the format.
    #[non_exhaustive]
    OtherVersion {
        /// The version of the snapshot. 0 if it had none.
        version: u32,
    },
    /// The state of a breaker could not be read.
    #[non_exhaustive]
    UnreadableBreaker {
        /// The name in the snapshot.
        name: String,
    },
    /// The program has no breaker of this name, and none of its templates makes the name.
    #[non_exhaustive]
    UnknownBreaker {
        /// The name in the snapshot.
        name: String,
    },
    /// The breaker had already opened in this process, or was held. It keeps its own state.
    #[non_exhaustive]
    NotClosed {
        /// The breaker as it is.
        breaker: Box<BreakerSnapshot>,
    },
    /// The breaker of a template does not exist yet, and there are as many as `max_keys` allows.
    #[non_exhaustive]
    NoRoom {
        /// The name in the snapshot.
        name: String,
    },
    /// Several breakers of the program have this name, so it is not known which one it was.
    #[non_exhaustive]
    SeveralBreakers {
        /// The name in the snapshot.
        name: String,
    },
    /// The program has no retry budget of this name.
    #[non_exhaustive]
    UnknownBudget {
        /// The name in the snapshot.
        name: String,
    },
    /// Several retry budgets of the program have this name, so it is not known which one it was.
    #[non_exhaustive]
    SeveralBudgets {
        /// The name in the snapshot.
        name: String,
    },
}

/// `breaker "search": the program has no breaker of this name`
// Names are written with escapes, since they may come from outside the program.
impl fmt::Display for NotRestored {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherVersion { version } => write!(
                formatter,
                "the snapshot: it has version {version} of the format, and this program reads \
                 version {}",
                Snapshot::VERSION
            ),
            Self::UnreadableBreaker { name } => {
                write!(formatter, "breaker {name:?}: its state cannot be read")
            }
            Self::UnknownBreaker { name } => {
                write!(formatter, "breaker {name:?}: the program has no breaker of this name")
            }
            Self::NotClosed { breaker } => write!(
                formatter,
                "breaker {:?}: it is already {breaker} and keeps that state",
                breaker.name
            ),
            Self::NoRoom { name } => write!(
                formatter,
                "breaker {name:?}: its template has as many breakers as `max_keys` allows"
            ),
            Self::SeveralBreakers { name } => {
                write!(formatter, "breaker {name:?}: several breakers have this name")
            }
            Self::UnknownBudget { name } => {
                write!(formatter, "budget {name:?}: the program has no budget of this name")
            }
            Self::SeveralBudgets { name } => {
                write!(formatter, "budget {name:?}: several budgets have this name")
            }
        }
    }
}

/// ```text
/// restored 1 breaker and 1 budget, did not restore 1
/// - breaker "search": open for 12s
/// - budget "qdrant": 440 of 500 tokens
/// - not breaker "old": the program has no breaker of this name
/// ```
impl fmt::Display for Restored {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { breakers, budgets, failed } = self;
        let plural = |count| if count == 1 { "" } else { "s" };
        write!(
            formatter,
            "restored {} breaker{} and {} budget{}",
            breakers.len(),
            plural(breakers.len()),
            budgets.len(),
            plural(budgets.len())
        )?;
        if !failed.is_empty() {
            write!(formatter, ", did not restore {}", failed.len())?;
        }
        lines(formatter, breakers, |it| format!("breaker {:?}: {it}", it.name))?;
        lines(formatter, budgets, |it| {
            format!("budget {:?}: {} of {} tokens", it.name, it.available, it.capacity)
        })?;
        lines(formatter, failed, |it| format!("not {it}"))
    }
}

fn lines<T>(
    formatter: &mut fmt::Formatter<'_>,
    items: &[T],
    line: impl Fn(&T) -> String,
) -> fmt::Result {
    items.iter().take(MOST_LINES).try_for_each(|item| write!(formatter, "\n- {}", line(item)))?;
    match items.len().saturating_sub(MOST_LINES) {
        0 => Ok(()),
        more => write!(formatter, "\n- and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown(name: &str) -> NotRestored {
        NotRestored::UnknownBreaker { name: name.to_owned() }
    }

    #[test]
    fn thousands_of_names_are_a_few_lines() {
        let failed = (0..1_000).map(|name| unknown(&name.to_string())).collect();
        let text = Restored { failed, ..Restored::default() }.to_string();
        assert_eq!(text.lines().count(), 22);
        assert!(text.starts_with("restored 0 breakers and 0 budgets, did not restore 1000\n"));
        assert!(text.ends_with("\n- and 980 more"));
    }

    #[test]
    fn a_name_from_outside_begins_no_line() {
        assert_eq!(
            unknown("a\n\u{1b}[31m").to_string(),
            r#"breaker "a\n\u{1b}[31m": the program has no breaker of this name"#
        );
    }
}
