//! The problems that `validate` finds.

use std::fmt;
use std::time::Duration;

/// An inconsistency between several places in source that the compiler cannot see. Its text says
/// where it is and how to fix it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// A breaker has two configurations, or two static breakers have one name. The configuration of
    /// a static breaker applies before that of a declaration, and that before the one of a
    /// function. Of two equal ranks, the first in the order of the source applies.
    #[error(
        "circuit breaker `{breaker}` is configured in two ways: as in {kept}, which holds, and as \
         in {dropped}; give its settings in one place"
    )]
    #[non_exhaustive]
    BreakerConflict {
        /// Its name.
        breaker: String,
        /// The place of the configuration that applies.
        kept: String,
        /// The place of the other one.
        dropped: String,
    },
    /// Two breakers can have one name: a template makes a name that source writes out, or that
    /// another template makes too. All calls of this name share the breaker of `one`.
    #[error(
        "circuit breakers `{one}` in {one_in} and `{other}` in {other_in} can both have the name \
         `{name}`, and then are one breaker, that of `{one}`: change one of them; a `/` behind a \
         placeholder is part of no value"
    )]
    #[non_exhaustive]
    SharedName {
        /// The name that both can have, with `…` for any text.
        name: String,
        /// The name or template whose breaker has this name.
        one: String,
        /// The first place in source that names it.
        one_in: String,
        /// The template that can make the name too.
        other: String,
        /// The first place in source that names it.
        other_in: String,
    },
    /// Two templates differ only in the names of their placeholders. They share their breakers,
    /// even if equal values mean different things.
    #[error(
        "circuit breakers `{one}` in {one_in} and `{other}` in {other_in} differ only in what \
         their placeholders are called, and are the same breakers: use the same names if they \
         mean the same, and another text around them if they do not"
    )]
    #[non_exhaustive]
    DifferentPlaceholders {
        /// The template that comes first in source.
        one: String,
        /// Its file and line.
        one_in: String,
        /// The other template.
        other: String,
        /// Its file and line.
        other_in: String,
    },
    /// A constant that names a breaker looks like a template. Only a literal can be a template, so
    /// all calls share one breaker of exactly this name.
    #[error(
        "circuit breaker `{breaker}` is named by a constant in {function}, and placeholders in a \
         constant are no placeholders: write the name as a literal"
    )]
    #[non_exhaustive]
    TemplateInConstant {
        /// The name.
        breaker: String,
        /// The place of the function.
        function: String,
    },
    /// A retry row has two declarations. The first in the order of the source applies.
    #[error(
        "retry row `{row}` is declared in two ways: as in {kept}, which holds, and as in \
         {dropped}; declare it in one place"
    )]
    #[non_exhaustive]
    RowConflict {
        /// Its name.
        row: String,
        /// The place of the declaration that applies.
        kept: String,
        /// The place of the other one.
        dropped: String,
    },
    /// A retry budget has two declarations. The first in the order of the source applies.
    #[error(
        "retry budget `{budget}` is declared in two ways: as in {kept}, which holds, and as in \
         {dropped}; declare it in one place"
    )]
    #[non_exhaustive]
    BudgetConflict {
        /// Its name.
        budget: String,
        /// The place of the declaration that applies.
        kept: String,
        /// The place of the other one.
        dropped: String,
    },
    /// A function names a breaker that `policies!` does not declare, and `policies!` declares
    /// others.
    #[error("circuit breaker `{breaker}` is named in {function} and never declared{}", advice(*similar))]
    #[non_exhaustive]
    UndeclaredBreaker {
        /// Its name.
        breaker: String,
        /// The place of the function.
        function: String,
        /// The declared name that may be meant.
        similar: Option<&'static str>,
    },
    /// Two names of breakers are so similar that one may be misspelled, and `policies!` declares
    /// neither.
    #[error(
        "circuit breakers `{one}` in {one_in} and `{other}` in {other_in} differ by a letter or \
         two: give both functions the same name, or declare both by `policies!`"
    )]
    #[non_exhaustive]
    SimilarBreakers {
        /// The name that comes first in source.
        one: String,
        /// The place of its function.
        one_in: String,
        /// The other name.
        other: String,
        /// The place of its function.
        other_in: String,
    },
    /// A function names a retry budget that `policies!` does not declare, and `policies!` declares
    /// others.
    #[error("retry budget `{budget}` is named in {function} and never declared{}", advice(*similar))]
    #[non_exhaustive]
    UndeclaredBudget {
        /// Its name.
        budget: String,
        /// The place of the function.
        function: String,
        /// The declared name that may be meant.
        similar: Option<&'static str>,
    },
    /// A function is retried by a row that nothing declares. The default row is used.
    #[error("retry row `{row}` is named in {function} and never declared{}", advice(*similar))]
    #[non_exhaustive]
    UndeclaredRow {
        /// Its name.
        row: String,
        /// The place of the function.
        function: String,
        /// The row that may be meant.
        similar: Option<&'static str>,
    },
    /// The name in a constant or of a `static` breaker looks like another name: it is empty, begins
    /// or ends with a space, or contains a control character.
    #[error(
        "circuit breaker {breaker:?} is named in {function}, and its name has what does not show: \
         write it without a space at an end and without control characters"
    )]
    #[non_exhaustive]
    UnclearName {
        /// The name.
        breaker: String,
        /// The place of the function.
        function: String,
    },
    /// A function configures its retries, and its row allows only one attempt. It is never retried.
    #[error(
        "`{key}` in {function} is about retries, and its row `{row}` allows one attempt: raise \
         `max_attempts` of the row, or leave `{key}` out"
    )]
    #[non_exhaustive]
    NeverRetried {
        /// The key that has no effect: `budget`, `idempotent` or `scope`.
        key: &'static str,
        /// Its row.
        row: String,
        /// The place of the function.
        function: String,
    },
    /// The first delay of a function's row is not shorter than the function's deadline. The
    /// function is never retried.
    #[error(
        "{function} is retried by row `{row}`, whose first delay of at least {delay:?} is not \
         shorter than the `deadline` of {deadline:?}: raise `deadline`, or give a shorter \
         `base_delay`"
    )]
    #[non_exhaustive]
    DelayBeyondDeadline {
        /// The row, or `auto` if this is true of every row.
        row: String,
        /// The place of the function.
        function: String,
        /// The shortest delay before a first retry, jitter included.
        delay: Duration,
        /// The function's deadline.
        deadline: Duration,
    },
    /// No call through a breaker can be slow, since the timeouts of all its functions are shorter.
    #[error(
        "circuit breaker `{breaker}` has a `slow_call_duration` of {slow_call_duration:?} in {configured}, and the \
         timeouts of all its functions end a call before: lower `slow_call_duration`"
    )]
    #[non_exhaustive]
    NeverSlow {
        /// The breaker's name.
        breaker: String,
        /// The time from which a call is slow.
        slow_call_duration: Duration,
        /// The place of the setting.
        configured: String,
    },
}

fn advice(similar: Option<&'static str>) -> String {
    similar.map_or_else(
        || ": declare it by `policies!`".to_owned(),
        |similar| format!("; is `{similar}` meant? If not, declare it by `policies!`"),
    )
}

/// The problems that [`Catalog::validate`](crate::Catalog::validate) found.
#[derive(Clone, PartialEq, Eq)]
pub struct CatalogError(Vec<Problem>);

impl CatalogError {
    /// Returns `Ok` if there are no problems.
    pub(super) fn of(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self(problems)) }
    }

    /// Returns the problems. There is at least one.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

/// One line for each problem.
impl fmt::Display for CatalogError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        let problems = if count == 1 { "problem" } else { "problems" };
        write!(formatter, "{count} {problems} with the policies of this program")?;
        self.0.iter().try_for_each(|problem| write!(formatter, "\n- {problem}"))
    }
}

/// The same text as `Display`, for `expect`.
impl fmt::Debug for CatalogError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl std::error::Error for CatalogError {}
